//! Random means to bypass a confinement: powers of every kind, rights on mailboxes, the switch and
//! the list of EWS, delegated grants, mailboxes of groups.

use cloud::{
    permissions::{DirectoryRole, Resource},
    seed::names,
    world::{
        exchange::{AssignmentScope, Pointer, RoleAssignment},
        rights::{MailboxRight, Right},
        role_groups::RoleGroupMember,
        tenant::{AppRoleAssignment, GroupKind, ScopeGrant, ServicePrincipal, Tenant},
    },
};
use uuid::Uuid;

use super::{made_up::CITY, made_up::Chance, scans::every_mailbox};

/// Permissions that are a power by themselves, that are a power in some tenants, and one that is no
/// power.
const GRAPH: [&str; 9] = [
    "AppRoleAssignment.ReadWrite.All",
    "RoleManagement.ReadWrite.Exchange",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "User.ReadWrite.All",
    "AdministrativeUnit.ReadWrite.All",
    "User.Read.All",
];
const DIRECTORY: [DirectoryRole; 6] = [
    DirectoryRole::GlobalAdministrator,
    DirectoryRole::ExchangeAdministrator,
    DirectoryRole::ExchangeRecipientAdministrator,
    DirectoryRole::ApplicationAdministrator,
    DirectoryRole::HelpdeskAdministrator,
    DirectoryRole::GlobalReader,
];
const ROLE_GROUPS: [&str; 4] = [
    "Organization Management",
    "Recipient Management",
    "View-Only Organization Management",
    "Discovery Management",
];
const MANAGEMENT: [&str; 4] = [
    "Role Management",
    "Mail Recipients",
    "View-Only Recipients",
    "Organization Configuration",
];
const PROTOCOLS: [&str; 3] = ["IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp"];
const DELEGATED: [&str; 6] = [
    "Mail.Read",
    "Mail.Send.Shared",
    "Calendars.ReadWrite",
    "Directory.AccessAsUser.All",
    "offline_access",
    "User.Read",
];

/// Adds to a tenant to which [`super::made_up::complicate`] has already added.
pub fn complicate(tenant: &mut Tenant, seed: u64) {
    if every_mailbox(tenant).is_empty() {
        return;
    }
    let mut chance = Chance(seed ^ 0xA1_0A0D);
    mark_groups(tenant, &mut chance);
    let made: Vec<(Uuid, Uuid)> = (0..8)
        .map(|number| principal(tenant, &mut chance, number))
        .collect();
    for (number, (object, _)) in made.iter().enumerate() {
        match number {
            0 | 1 => protocols(tenant, &mut chance, *object),
            _ => power(tenant, &mut chance, *object, &made),
        }
    }
    switch(tenant, &mut chance, &made);
    delegate(tenant, &mut chance, &made);
}

/// Puts some mailboxes of groups into the scopes that filter by city.
fn mark_groups(tenant: &mut Tenant, chance: &mut Chance) {
    let groups: Vec<Uuid> = tenant
        .groups
        .values()
        .filter(|group| group.kind == GroupKind::Microsoft365)
        .map(|group| group.id)
        .collect();
    for group in groups {
        if chance.one_in(2) {
            let extras = tenant.exchange.extras.entry(group).or_default();
            extras.custom_attributes.insert(7, CITY.to_owned());
        }
    }
}

/// A new application with a pointer in Exchange.
fn principal(tenant: &mut Tenant, chance: &mut Chance, number: usize) -> (Uuid, Uuid) {
    let template = tenant
        .principals
        .values()
        .find(|principal| principal.resource.is_none())
        .expect("an application")
        .clone();
    let (id, app_id) = (chance.id(), chance.id());
    let display_name = format!("Around {number}");
    let principal = ServicePrincipal {
        id,
        app_id,
        display_name: display_name.clone(),
        enabled: !chance.one_in(6),
        roles: Vec::new(),
        owners: Vec::new(),
        ..template
    };
    tenant.principals.insert(id, principal);
    tenant.exchange.pointers.push(Pointer {
        id: chance.id(),
        object_id: id,
        app_id,
        display_name,
        created: tenant.created,
    });
    (id, app_id)
}

fn grant(
    tenant: &mut Tenant,
    chance: &mut Chance,
    object: Uuid,
    resource: Resource,
    value: &'static str,
) {
    let Some(found) = tenant.resource_principal(resource).map(|found| found.id) else {
        return;
    };
    tenant.assignments.push(AppRoleAssignment {
        id: chance.id().simple().to_string(),
        principal: object,
        resource: found,
        role: resource.role_id(value).expect("a role"),
        created: tenant.created,
        listed: tenant.created,
        removed: None,
    });
}

/// IMAP, POP or SMTP, with rights on some mailboxes. Some rows deny the right.
fn protocols(tenant: &mut Tenant, chance: &mut Chance, object: Uuid) {
    let mut held = vec![chance.pick(&PROTOCOLS), chance.pick(&PROTOCOLS)];
    held.dedup();
    for value in held {
        grant(tenant, chance, object, Resource::Exchange, value);
    }
    let people = super::scans::mailboxes(tenant);
    for _ in 0..4 {
        let mailbox = chance.pick(&people);
        let right = chance.pick(&[Right::FullAccess, Right::SendAs]);
        tenant.exchange.rights.push(MailboxRight {
            mailbox,
            holder: object,
            right,
            deny: chance.one_in(5),
            inherited: false,
        });
    }
}

/// A permission that a scope confines, and next to it a power, half of a power, or none.
fn power(tenant: &mut Tenant, chance: &mut Chance, object: Uuid, all: &[(Uuid, Uuid)]) {
    let scope = tenant.exchange.scopes.first().map(|it| it.name.clone());
    let scope = scope.map_or(AssignmentScope::Organisation, AssignmentScope::Custom);
    assign(tenant, chance, object, "Application Mail.Send", scope);
    match chance.below(5) {
        0 | 1 => {
            let value = chance.pick(&GRAPH);
            grant(tenant, chance, object, Resource::Graph, value);
            let (owned, _) = chance.pick(all);
            if chance.one_in(2)
                && let Some(found) = tenant.principals.get_mut(&owned)
            {
                found.owners.push(object);
            }
        }
        2 => {
            let role = chance.pick(&DIRECTORY);
            if let Some(found) = tenant.principals.get_mut(&object) {
                found.roles.push(role);
            }
        }
        3 => {
            let group = chance.pick(&ROLE_GROUPS).to_owned();
            let members = &mut tenant.exchange.role_groups.members;
            members.push(RoleGroupMember {
                group,
                member: object,
            });
        }
        _ => {
            let role = chance.pick(&MANAGEMENT);
            assign(tenant, chance, object, role, AssignmentScope::Organisation);
        }
    }
    if !chance.one_in(3) {
        let way_in = "Exchange.ManageAsApp";
        grant(tenant, chance, object, Resource::Exchange, way_in);
    }
}

fn assign(
    tenant: &mut Tenant,
    chance: &mut Chance,
    object: Uuid,
    role: &str,
    scope: AssignmentScope,
) {
    let guid = chance.id();
    tenant.exchange.role_assignments.push(RoleAssignment {
        guid,
        name: format!("{role}-{}", guid.simple()),
        role: role.to_owned(),
        assignee: object,
        scope,
        enabled: !chance.one_in(6),
        created: tenant.created,
    });
}

fn switch(tenant: &mut Tenant, chance: &mut Chance, made: &[(Uuid, Uuid)]) {
    let switches = &mut tenant.exchange.switches;
    switches.organisation.enabled = chance.pick(&[None, Some(true), Some(true), Some(false)]);
    let own: Vec<Uuid> = tenant
        .principals
        .values()
        .map(|principal| principal.app_id)
        .collect();
    if !chance.one_in(3) {
        let mut listed = chance.some(&own, 6);
        listed.extend(made.first().map(|(_, app_id)| *app_id));
        tenant.exchange.switches.allowed_app_ids = Some(listed);
    }
}

fn delegate(tenant: &mut Tenant, chance: &mut Chance, made: &[(Uuid, Uuid)]) {
    let people = super::scans::mailboxes(tenant);
    for (client, _) in made {
        if chance.one_in(2) {
            continue;
        }
        let person = chance.one_in(2).then(|| chance.pick(&people));
        let mut scopes = chance.some(&DELEGATED, 4);
        scopes.sort_unstable();
        scopes.dedup();
        tenant.scope_grants.push(ScopeGrant {
            id: names::grant_id(*client, Resource::Graph.app_id(), person),
            client: *client,
            resource: Resource::Graph,
            principal: person,
            scopes: scopes
                .into_iter()
                .map(|scope| (scope.to_owned(), tenant.created))
                .collect(),
            leading_blank: chance.one_in(2),
        });
    }
}
