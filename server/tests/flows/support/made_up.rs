//! Random customers with everything that decides effective access: nested groups, policies of both
//! rights, roles with every kind of scope, disabled principals.

use cloud::{
    permissions::{MICROSOFT_TENANT, Resource},
    world::{
        access::AdministrativeUnit,
        exchange::{
            APPLICATION_ROLES, AssignmentScope, ManagementScope, Pointer, Policy, PolicyScope,
            RoleAssignment,
        },
        tenant::{AppRoleAssignment, Change, Group, GroupKind, Membership, Tenant},
    },
};
use uuid::Uuid;

use super::scans::mailboxes;

/// Random numbers. The same seed gives the same numbers.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a number");
        usize::try_from(self.next() % end).expect("a number")
    }

    pub(super) fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    pub(super) fn some<T: Clone>(&mut self, list: &[T], most: usize) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| self.pick(list)).collect()
    }

    pub(super) fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }
}

const ROLES: [&str; 6] = [
    "Mail.Send",
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.ReadBasic.All",
    "Calendars.ReadWrite",
    "MailboxSettings.Read",
];
const EXCHANGE_ROLES: [&str; 3] = [
    "full_access_as_app",
    "IMAP.AccessAsApp",
    "Calendars.ReadWrite.All",
];
pub(super) const CITY: &str = "Odense";

/// Adds random objects to a tenant.
pub fn complicate(tenant: &mut Tenant, seed: u64) {
    let people = mailboxes(tenant);
    if people.is_empty() {
        return;
    }
    let mut chance = Chance(seed);
    let groups = groups(tenant, &mut chance, &people);
    let units: Vec<Uuid> = (0..2)
        .map(|number| {
            let mut members = chance.some(&people, 6);
            members.extend(chance.some(&groups, 1));
            members.sort_unstable();
            members.dedup();
            let id = chance.id();
            let name = format!("Unit {number}");
            tenant
                .units
                .insert(id, AdministrativeUnit { id, name, members });
            id
        })
        .collect();
    for person in chance.some(&people, 5) {
        if let Some(mailbox) = tenant
            .users
            .get_mut(&person)
            .and_then(|user| user.mailbox.as_mut())
        {
            mailbox.custom_attributes.insert(7, CITY.to_owned());
        }
    }
    let applications = principals(tenant, &mut chance);
    for app_id in &applications {
        for _ in 0..chance.below(3) {
            let group = chance.pick(&groups);
            policy(tenant, &mut chance, &app_id.1.to_string(), group, &people);
        }
    }
    if chance.one_in(2) {
        let group = chance.pick(&groups);
        policy(tenant, &mut chance, "*", group, &people);
    }
    let scopes = scopes(tenant, &mut chance, &groups, &people);
    for (object, _) in &applications {
        for _ in 0..chance.below(4) {
            let scope = match chance.below(8) {
                0 => AssignmentScope::Organisation,
                1 | 2 => AssignmentScope::Group(chance.pick(&groups)),
                3 | 4 => AssignmentScope::AdministrativeUnit(chance.pick(&units)),
                _ => AssignmentScope::Custom(chance.pick(&scopes)),
            };
            let (role, _) = chance.pick(APPLICATION_ROLES);
            let guid = chance.id();
            tenant.exchange.role_assignments.push(RoleAssignment {
                guid,
                name: format!("{role}-{}", guid.simple()),
                role: role.to_owned(),
                assignee: *object,
                scope,
                enabled: !chance.one_in(6),
                created: tenant.created,
            });
        }
    }
}

fn groups(tenant: &mut Tenant, chance: &mut Chance, people: &[Uuid]) -> Vec<Uuid> {
    let at = Change::known(tenant.created);
    let ids: Vec<Uuid> = (0..6).map(|_| chance.id()).collect();
    for (number, id) in ids.iter().enumerate() {
        let mut members = chance.some(people, 8);
        // Membership may be circular.
        members.extend(chance.some(&ids, 2));
        members.sort_unstable();
        members.dedup();
        members.retain(|member| member != id);
        let name = format!("made-up {number}");
        tenant.groups.insert(
            *id,
            Group {
                id: *id,
                guid: chance.id(),
                kind: if number == 5 {
                    GroupKind::Distribution
                } else {
                    GroupKind::MailSecurity
                },
                alias: format!("made-up-{number}"),
                display_name: format!("Made up, number {number}"),
                description: String::new(),
                smtp: format!("made-up-{number}@{}", tenant.domain),
                name,
                aliases: Vec::new(),
                rid: 50_000 + u32::try_from(number).expect("a number"),
                owners: Vec::new(),
                foreign_owners: Vec::new(),
                hidden: false,
                require_sender_authentication: true,
                hidden_membership: false,
                join_restriction: "Closed".to_owned(),
                depart_restriction: "Closed".to_owned(),
                members: members
                    .into_iter()
                    .map(|member| Membership {
                        member,
                        added: at,
                        removed: None,
                    })
                    .collect(),
                created: tenant.created,
                in_exchange: tenant.created,
                in_graph: tenant.created,
            },
        );
    }
    ids
}

/// New applications with some roles each. Returns object ids and client ids.
fn principals(tenant: &mut Tenant, chance: &mut Chance) -> Vec<(Uuid, Uuid)> {
    let template = tenant
        .principals
        .values()
        .find(|principal| principal.resource.is_none())
        .expect("an application")
        .clone();
    let mut made = Vec::new();
    for number in 0..8 {
        let (id, app_id) = (chance.id(), chance.id());
        let mut principal = template.clone();
        principal.id = id;
        principal.app_id = app_id;
        principal.display_name = format!("Made up {number}");
        principal.enabled = !chance.one_in(5);
        if chance.one_in(4) {
            principal.owner_tenant = Some(MICROSOFT_TENANT);
        }
        tenant.principals.insert(id, principal);
        for (resource, roles) in [
            (Resource::Graph, &ROLES[..]),
            (Resource::Exchange, &EXCHANGE_ROLES[..]),
        ] {
            let Some(found) = tenant.resource_principal(resource).map(|found| found.id) else {
                continue;
            };
            let mut held = chance.some(roles, 3);
            held.sort_unstable();
            held.dedup();
            for role in held {
                tenant.assignments.push(AppRoleAssignment {
                    id: chance.id().simple().to_string(),
                    principal: id,
                    resource: found,
                    role: resource.role_id(role).expect("a role"),
                    created: tenant.created,
                    listed: tenant.created,
                    removed: None,
                });
            }
        }
        tenant.exchange.pointers.push(Pointer {
            id: chance.id(),
            object_id: id,
            app_id,
            display_name: format!("Made up {number}"),
            created: tenant.created,
        });
        made.push((id, app_id));
    }
    made
}

fn policy(tenant: &mut Tenant, chance: &mut Chance, app: &str, group: Uuid, people: &[Uuid]) {
    let created = tenant.created;
    // A policy can name a single mailbox as well.
    let (id, name) = if chance.one_in(5) {
        (chance.pick(people), "one mailbox".to_owned())
    } else {
        (group, tenant.groups[&group].name.clone())
    };
    let rid = 60_000 + u32::try_from(chance.below(1_000)).expect("a number");
    tenant.exchange.policies.push(Policy {
        app_id: app.to_owned(),
        deny: chance.one_in(3),
        description: " ".to_owned(),
        scope: PolicyScope {
            id,
            sid: tenant.sid(rid),
            display_name: name.clone(),
            name,
        },
        created,
        visible: created,
        enforced: created,
        removed: None,
    });
}

fn scopes(
    tenant: &mut Tenant,
    chance: &mut Chance,
    groups: &[Uuid],
    people: &[Uuid],
) -> Vec<String> {
    let group = tenant.groups[&chance.pick(groups)].name.clone();
    let dn = tenant.distinguished_name(&group);
    let upn = tenant.users[&chance.pick(people)].upn.replace('\'', "''");
    let filters = [
        ("Members", format!("MemberOfGroup -eq '{dn}'"), false),
        ("City", format!("CustomAttribute7 -eq '{CITY}'"), false),
        ("One", format!("UserPrincipalName -eq '{upn}'"), false),
        ("Nobody", "CustomAttribute7 -eq 'nowhere'".to_owned(), false),
        ("Exclusive", format!("CustomAttribute7 -eq '{CITY}'"), true),
    ];
    filters
        .into_iter()
        .map(|(name, filter, exclusive)| {
            let name = format!("Made up {name}");
            tenant.exchange.scopes.push(ManagementScope {
                guid: chance.id(),
                name: name.clone(),
                filter,
                exclusive,
                created: tenant.created,
            });
            // Names are compared case-insensitively.
            if chance.one_in(2) {
                name.to_uppercase()
            } else {
                name
            }
        })
        .collect()
}
