//! Made-up customers for the property tests, and ways to leave parts of them unread.

use proptest::{collection::vec, prelude::*, sample::subsequence};

use uuid::uuid;

use super::{
    AdministrativeUnit, Assignment, AssignmentScope, DelegatedGrant, DirectoryRole, EwsSwitch,
    Grant, Group, InheritedGrant, MailboxKind, MailboxRight, MailboxRightKind, ManagementScope,
    Members, Ownership, Permission, Pointer, PowersSeen, Principal, PrincipalKind, Reading,
    RightsSeen, RoleGroup, Seen,
    samples::{object, role_id},
};
use crate::{
    application::{AccessPolicy, AccessRight},
    id::{AppId, ObjectId},
    permission::Resource::{self, Exchange, Graph},
};

pub const APPLICATIONS: u128 = 3;
pub const MAILBOXES: u128 = 8;
pub const GROUPS: u128 = 4;
/// An object that is in groups and is no mailbox.
pub const CONTACT: u128 = 9;

pub fn application(number: u128) -> ObjectId {
    object(200 + number)
}

pub fn client(number: u128) -> AppId {
    AppId(object(300 + number).0)
}

pub fn group(number: u128) -> ObjectId {
    object(100 + number)
}

pub fn unit() -> ObjectId {
    object(400)
}

/// What applications may hold. Each role has the id of the table, or a name that no table has.
pub const GRANTS: [(Resource, &str); 18] = [
    (Graph, "Mail.Send"),
    (Graph, "Mail.Read"),
    (Graph, "Tasks.ReadWrite.All"),
    (Graph, "MailboxItem.Read.All"),
    (Graph, "User.Read.All"),
    (Exchange, "full_access_as_app"),
    (Exchange, "EWS.AccessAsApp"),
    (Exchange, "IMAP.AccessAsApp"),
    (Exchange, "SMTP.SendAsApp"),
    (Exchange, "Mail.Send"),
    (Exchange, "Exchange.ManageAsApp"),
    (Graph, "AppRoleAssignment.ReadWrite.All"),
    (Graph, "Application.ReadWrite.OwnedBy"),
    (Graph, "User.ReadWrite.All"),
    (Graph, "Group.ReadWrite.All"),
    (Graph, "AdministrativeUnit.ReadWrite.All"),
    (Graph, "eDiscovery.ReadWrite.All"),
    (Graph, "MailTips.ReadBasic.All"),
];

pub const ROLES: [&str; 8] = [
    "Application Mail.Send",
    "Application Mail Full Access",
    "Application Exchange Full Access",
    "Application EWS.AccessAsApp",
    "Application SMTP.SendAsApp",
    "View-Only Recipients",
    "Our own role",
    "Role Management",
];

/// The permissions of the questions: some are held by nobody, some by grant, some by role.
pub const ASKED: [Permission; 11] = [
    Permission::graph("Mail.Send"),
    Permission::graph("Mail.Read"),
    Permission::graph("Mail.ReadWrite"),
    Permission::graph("MailboxItem.Read.All"),
    Permission::graph("Tasks.ReadWrite.All"),
    Permission::EWS,
    Permission::exchange("IMAP.AccessAsApp"),
    Permission::exchange("SMTP.SendAsApp"),
    Permission::exchange("Mail.Send"),
    Permission::graph("Group.ReadWrite.All"),
    Permission::graph("eDiscovery.ReadWrite.All"),
];

/// Every mailbox, and one that is made tomorrow.
pub fn probes() -> Vec<ObjectId> {
    (1..=MAILBOXES).chain([999]).map(object).collect()
}

pub fn some_mailboxes() -> impl Strategy<Value = Vec<ObjectId>> {
    let all: Vec<u128> = (1..=MAILBOXES).chain([CONTACT]).collect();
    subsequence(all, 0..=5).prop_map(|numbers| numbers.into_iter().map(object).collect())
}

pub fn a_grant() -> impl Strategy<Value = (Resource, Grant)> {
    (1..=APPLICATIONS, 0..GRANTS.len()).prop_map(|(number, index)| {
        let (resource, value) = GRANTS[index];
        let grant = Grant {
            principal: application(number),
            role: role_id(resource, value),
            value: Some(value.into()),
        };
        (resource, grant)
    })
}

pub fn a_scope_of_a_policy() -> impl Strategy<Value = Option<ObjectId>> {
    prop_oneof![
        8 => (1..=GROUPS).prop_map(|number| Some(group(number))),
        2 => (1..=MAILBOXES).prop_map(|number| Some(object(number))),
        1 => Just(Some(object(777))),
        1 => Just(None),
    ]
}

pub fn a_policy() -> impl Strategy<Value = AccessPolicy> {
    (
        prop_oneof![4 => (1..=APPLICATIONS).prop_map(|number| Some(client(number))), 1 => Just(None)],
        any::<bool>(),
        a_scope_of_a_policy(),
        prop::bool::weighted(0.9),
        any::<u32>(),
    )
        .prop_map(|(app_id, deny, scope_object, valid, identity)| AccessPolicy {
            identity: format!("policy {identity}"),
            app_id,
            right: if deny {
                AccessRight::DenyAccess
            } else {
                AccessRight::RestrictAccess
            },
            scope_name: "some group".into(),
            scope_object,
            description: String::new(),
            valid,
        })
}

pub fn an_assignment() -> impl Strategy<Value = Assignment> {
    let scope = prop_oneof![
        1 => Just(AssignmentScope::Organisation),
        4 => (1..=GROUPS).prop_map(|number| AssignmentScope::Group {
            object: Some(group(number)),
            name: "some group".into(),
        }),
        2 => Just(AssignmentScope::Custom { name: "plain".into() }),
        1 => Just(AssignmentScope::Custom { name: "exclusive".into() }),
        1 => Just(AssignmentScope::Custom { name: "gone".into() }),
        2 => Just(AssignmentScope::Unit { object: unit() }),
    ];
    let assignee = (1..=APPLICATIONS, 0..4).prop_map(|(number, way)| match way {
        0 => client(number).to_string(),
        1 => format!("application {number}"),
        _ => application(number).to_string(),
    });
    (
        0..ROLES.len(),
        assignee,
        scope,
        prop::bool::weighted(0.9),
        any::<u32>(),
    )
        .prop_map(|(role, assignee, scope, enabled, name)| Assignment {
            name: format!("assignment {name}"),
            role: ROLES[role].into(),
            assignee,
            scope,
            enabled,
            delegating: false,
        })
}

pub fn groups() -> impl Strategy<Value = Vec<Group>> {
    let members = (
        some_mailboxes(),
        subsequence((1..=GROUPS).collect::<Vec<_>>(), 0..=2),
    );
    vec(members, GROUPS as usize).prop_map(|members| {
        (1..)
            .zip(members)
            .map(|(number, (recipients, groups))| Group {
                object: group(number),
                name: format!("group {number}"),
                direct: Reading::read(Members {
                    recipients,
                    groups: groups.into_iter().map(group).collect(),
                }),
                nested: None,
                writable: None,
                rule: None,
            })
            .collect()
    })
}

/// Directory roles, among them the Exchange Administrator's and one that Postern does not know.
fn a_directory_role() -> impl Strategy<Value = DirectoryRole> {
    let roles = [
        uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
        uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814"),
        uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c"),
        uuid!("00000000-0000-0000-0000-000000000077"),
    ];
    (
        1..=APPLICATIONS,
        prop::sample::select(roles.to_vec()),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(number, role, whole)| DirectoryRole {
            principal: application(number),
            role,
            name: Some("Some Reader".to_owned()),
            actions: None,
            scope: if whole { "/" } else { "/elsewhere" }.to_owned(),
            through: None,
        })
}

fn a_role_group() -> impl Strategy<Value = RoleGroup> {
    (
        prop::sample::select(vec![
            "Role Management",
            "View-Only Recipients",
            "Our own role",
        ]),
        subsequence((1..=APPLICATIONS).collect::<Vec<_>>(), 0..=2),
    )
        .prop_map(|(role, members)| RoleGroup {
            name: "some role group".to_owned(),
            roles: vec![role.to_owned()],
            members: Reading::read(members.into_iter().map(application).collect()),
        })
}

fn an_inherited_grant() -> impl Strategy<Value = InheritedGrant> {
    (a_grant(), 1..=APPLICATIONS).prop_map(|((resource, grant), blueprint)| InheritedGrant {
        principal: grant.principal,
        blueprint: application(blueprint),
        resource,
        role: grant.role,
        value: grant.value,
    })
}

prop_compose! {
    pub fn powers()(
        roles in vec(a_directory_role(), 0..2),
        groups in vec(a_role_group(), 0..2),
        owned in vec((1..=APPLICATIONS, 1..=APPLICATIONS), 0..3),
        inherited in vec(an_inherited_grant(), 0..2),
    ) -> PowersSeen {
        PowersSeen {
            directory_roles: Reading::read(roles),
            role_groups: Reading::read(groups),
            ownerships: Reading::read(owned.into_iter().map(|(owner, owned)| Ownership {
                owner: application(owner),
                owned: application(owned),
            }).collect()),
            inherited: Reading::read(inherited),
            others: Reading::read(Vec::new()),
        }
    }
}

fn inherits(powers: &PowersSeen, principal: ObjectId) -> bool {
    let mut inherited = powers.inherited.get().ok().into_iter().flatten();
    inherited.any(|one| one.principal == principal)
}

prop_compose! {
    pub fn rights()(
        rights in vec((1..=MAILBOXES, 1..=APPLICATIONS, any::<bool>()), 0..4),
        enabled in prop::option::of(any::<bool>()),
        allowed in prop::option::of(subsequence((1..=APPLICATIONS).collect::<Vec<_>>(), 0..=2)),
        delegated in vec((1..=APPLICATIONS, any::<bool>()), 0..2),
    ) -> RightsSeen {
        RightsSeen {
            mailbox_rights: Reading::read(rights.into_iter().map(|(mailbox, holder, full)| MailboxRight {
                mailbox: object(mailbox),
                holder: application(holder),
                right: if full { MailboxRightKind::FullAccess } else { MailboxRightKind::SendAs },
            }).collect()),
            ews: Reading::read(EwsSwitch {
                enabled,
                allowed: allowed.map(|list| list.into_iter().map(client).collect()),
            }),
            delegated: Reading::read(delegated.into_iter().map(|(number, for_all)| DelegatedGrant {
                client: application(number),
                resource: Graph,
                for_all,
                people: u32::from(!for_all),
                scopes: vec!["Mail.Read".to_owned()],
            }).collect()),
        }
    }
}

/// The last two mailboxes may be a room's and a group's.
fn special() -> impl Strategy<Value = Option<Vec<(ObjectId, MailboxKind)>>> {
    prop::option::of(prop::bool::ANY.prop_map(|both| {
        let all = [
            (object(MAILBOXES), MailboxKind::Group),
            (object(MAILBOXES - 1), MailboxKind::Room),
        ];
        all.into_iter().take(if both { 2 } else { 1 }).collect()
    }))
}

prop_compose! {
    /// A customer of which everything was read.
    pub fn customers()(
        enabled in vec(prop::bool::weighted(0.9), APPLICATIONS as usize),
        grants in vec(a_grant(), 0..6),
        policies in vec(a_policy(), 0..5),
        assignments in vec(an_assignment(), 0..4),
        plain in some_mailboxes(),
        exclusive in some_mailboxes(),
        in_unit in some_mailboxes(),
        groups in groups(),
        beside in (special(), powers(), rights()),
    ) -> Seen {
        let of = |wanted| Reading::read(
            grants
                .iter()
                .filter(|(resource, _)| *resource == wanted)
                .map(|(_, grant)| grant.clone())
                .collect(),
        );
        let scope = |name: &str, exclusive, mailboxes| ManagementScope {
            name: name.into(),
            exclusive,
            filter: "Title -eq 'x'".into(),
            mailboxes: Reading::read(mailboxes),
        };
        Seen {
            all_principals: true,
            principals: Reading::read((1..).zip(enabled).map(|(number, enabled)| Principal {
                object: application(number),
                app_id: client(number),
                name: format!("application {number}"),
                kind: if inherits(&beside.1, application(number)) {
                    PrincipalKind::Other("ServiceIdentity".to_owned())
                } else {
                    PrincipalKind::Application
                },
                enabled: Some(enabled),
                owner_tenant: None,
                publisher: None,
            }).collect()),
            graph_grants: of(Graph),
            exchange_grants: of(Exchange),
            policies: Reading::read(policies),
            pointers: Reading::read((1..=APPLICATIONS).map(|number| Pointer {
                object: application(number),
                app_id: Some(client(number)),
                names: vec![format!("application {number}")],
            }).collect()),
            assignments: Reading::read(assignments),
            scopes: Reading::read(vec![
                scope("plain", false, plain),
                scope("exclusive", true, exclusive),
            ]),
            groups,
            units: vec![AdministrativeUnit {
                object: unit(),
                name: "unit".into(),
                members: Reading::read(in_unit),
                rule: None,
            }],
            mailboxes: Reading::read((1..=MAILBOXES).map(object).collect()),
            special: beside.0.clone(),
            stray_policies: None,
            powers: beside.1.clone(),
            rights: beside.2.clone(),
        }
    }
}

/// The number of ways that [`hide`] has.
pub const WAYS: usize = 27;

pub fn unread<T>(how: u8) -> Reading<T> {
    let reason = "some reason".to_owned();
    match how % 3 {
        0 => Reading::NotPermitted { reason },
        1 => Reading::Failed { reason },
        _ => Reading::NotLicensed { reason },
    }
}

pub fn pick<T>(list: &mut [T], which: usize) -> Option<&mut T> {
    let len = list.len().max(1);
    list.get_mut(which % len)
}

pub fn items<T>(reading: &mut Reading<Vec<T>>) -> &mut [T] {
    match reading {
        Reading::Read { value } => value,
        _ => &mut [],
    }
}

/// Removes the principals that no part which was read names.
fn only_named(seen: &mut Seen) {
    seen.all_principals = false;
    let grants = [&seen.graph_grants, &seen.exchange_grants];
    let held = grants.into_iter().filter_map(|list| list.get().ok());
    let mut named: Vec<String> = held
        .flatten()
        .map(|grant| grant.principal.to_string())
        .collect();
    let assignments = items(&mut seen.assignments);
    named.extend(assignments.iter().map(|one| one.assignee.to_lowercase()));
    let powers = &seen.powers;
    let roles = powers.directory_roles.get().ok().into_iter().flatten();
    named.extend(roles.map(|one| one.principal.to_string()));
    let owners = powers.ownerships.get().ok().into_iter().flatten();
    named.extend(owners.flat_map(|one| [one.owner.to_string(), one.owned.to_string()]));
    let inherited = powers.inherited.get().ok().into_iter().flatten();
    named.extend(inherited.flat_map(|one| [one.principal.to_string(), one.blueprint.to_string()]));
    let groups = powers.role_groups.get().ok().into_iter().flatten();
    let members = groups
        .filter_map(|group| group.members.get().ok())
        .flatten();
    named.extend(members.map(ObjectId::to_string));
    let delegated = seen.rights.delegated.get().ok().into_iter().flatten();
    named.extend(delegated.map(|one| one.client.to_string()));
    if let Reading::Read { value } = &mut seen.principals {
        value.retain(|one| {
            [
                one.object.to_string(),
                one.app_id.to_string(),
                one.name.to_lowercase(),
            ]
            .iter()
            .any(|name| named.contains(name))
        });
    }
}

/// Leaves a part unread, as in a scan that was not permitted everywhere.
pub fn hide(seen: &mut Seen, way: usize, which: usize, how: u8) {
    match way {
        0 => seen.principals = unread(how),
        1 => seen.graph_grants = unread(how),
        2 => seen.exchange_grants = unread(how),
        3 => seen.policies = unread(how),
        4 => seen.pointers = unread(how),
        5 => seen.assignments = unread(how),
        6 => seen.scopes = unread(how),
        7 => seen.mailboxes = unread(how),
        8 => pick(&mut seen.groups, which).unwrap().direct = unread(how),
        9 => pick(&mut seen.groups, which).unwrap().nested = Some(unread(how)),
        10 => pick(&mut seen.units, which)
            .into_iter()
            .for_each(|unit| unit.members = unread(how)),
        11 => pick(items(&mut seen.scopes), which)
            .into_iter()
            .for_each(|scope| scope.mailboxes = unread(how)),
        12 => pick(items(&mut seen.graph_grants), which)
            .into_iter()
            .for_each(|grant| grant.value = None),
        13 => pick(items(&mut seen.exchange_grants), which)
            .into_iter()
            .for_each(|grant| grant.value = None),
        14 => pick(items(&mut seen.policies), which)
            .into_iter()
            .for_each(|policy| policy.scope_object = None),
        15 => pick(items(&mut seen.principals), which)
            .into_iter()
            .for_each(|principal| principal.enabled = None),
        16 => pick(items(&mut seen.assignments), which)
            .into_iter()
            .for_each(|assignment| {
                assignment.scope = AssignmentScope::Other {
                    text: "something".into(),
                };
            }),
        17 => only_named(seen),
        18 => seen.powers.directory_roles = unread(how),
        19 => seen.powers.role_groups = unread(how),
        20 => seen.powers.ownerships = unread(how),
        21 => seen.powers.inherited = unread(how),
        22 => seen.rights.mailbox_rights = unread(how),
        23 => seen.rights.ews = unread(how),
        24 => seen.rights.delegated = unread(how),
        25 => pick(items(&mut seen.powers.role_groups), which)
            .into_iter()
            .for_each(|group| group.members = unread(how)),
        _ => {
            seen.groups
                .retain(|one| one.object != group(1 + which as u128 % GROUPS));
            if seen.groups.is_empty() {
                seen.groups.push(Group {
                    object: object(888),
                    name: "nothing".into(),
                    direct: unread(how),
                    nested: None,
                    writable: None,
                    rule: None,
                });
            }
        }
    }
}

prop_compose! {
    pub fn hidings()(list in vec((0..WAYS, any::<usize>(), any::<u8>()), 1..4)) -> Vec<(usize, usize, u8)> {
        list
    }
}

prop_compose! {
    /// A customer of which some parts were not read.
    pub fn partial()(mut seen in customers(), list in vec((0..WAYS, any::<usize>(), any::<u8>()), 0..3)) -> Seen {
        for (way, which, how) in list {
            hide(&mut seen, way, which, how);
        }
        seen
    }
}
