//! What an application could make of what it holds: whether it reaches a mailbox by any way that
//! it can open itself, whatever confines it now (MICROSOFT.md §10).

use serde_json::{Value, json};
use uuid::Uuid;

use super::World;
use super::enforcement::Caller;
use super::exchange::AssignmentScope;
use super::role_groups::roles_of;
use super::tenant::{GroupKind, Tenant};
use super::ways::may_use;
use crate::permissions::{DirectoryRole, Resource};

/// The classes of MICROSOFT.md §10.1 that lead into a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    AdministersExchange,
    GrantsItselfMore,
    ActsAsOthers,
    MovesTheBoundary,
}

impl Class {
    pub fn letter(self) -> &'static str {
        match self {
            Self::AdministersExchange => "A",
            Self::GrantsItselfMore => "G",
            Self::ActsAsOthers => "O",
            Self::MovesTheBoundary => "B",
        }
    }
}

/// How far a power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Every mailbox.
    Everything,
    /// Whatever any application of the tenant reaches.
    AnyApplication,
    /// Whatever that application reaches: an object id, of registration or service principal.
    Application(Uuid),
    /// Whatever the applications reach that it owns.
    OwnApplications,
    /// Whoever can be moved into the scope of what it holds.
    Boundary(Boundary),
}

/// What a boundary is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boundary {
    Groups,
    Attributes,
    Units,
}

/// One power.
#[derive(Debug, Clone)]
pub struct Power {
    pub class: Class,
    /// The permission or role that it is.
    pub by: String,
    extent: Extent,
}

use Class::{
    ActsAsOthers as O, AdministersExchange as A, GrantsItselfMore as G, MovesTheBoundary as B,
};

/// Graph's permissions that are enough without anything else (§10.2). What only prepares, needs a
/// licence's own doors, or works through a person is not here.
const PERMISSIONS: &[(&str, Class, Extent)] = &[
    ("AppRoleAssignment.ReadWrite.All", G, Extent::Everything),
    ("RoleManagement.ReadWrite.Exchange", G, Extent::Everything),
    ("RoleManagement.ReadWrite.Directory", G, Extent::Everything),
    (
        "RoleAssignmentSchedule.ReadWrite.Directory",
        G,
        Extent::Everything,
    ),
    (
        "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
        G,
        Extent::Everything,
    ),
    (
        "PrivilegedAssignmentSchedule.ReadWrite.EntraAppRole",
        G,
        Extent::Everything,
    ),
    ("EntitlementManagement.ReadWrite.All", G, Extent::Everything),
    ("Application.ReadWrite.All", O, Extent::AnyApplication),
    ("Application.ReadWrite.OwnedBy", O, Extent::OwnApplications),
    ("Directory.ReadWrite.All", O, Extent::AnyApplication),
    (
        "UserAuthenticationMethod.ReadWrite.All",
        O,
        Extent::Everything,
    ),
    ("UserAuthMethod-TAP.ReadWrite.All", O, Extent::Everything),
    (
        "UserAuthMethod-Passkey.ReadWrite.All",
        O,
        Extent::Everything,
    ),
    ("User-PasswordProfile.ReadWrite.All", O, Extent::Everything),
    ("Domain.ReadWrite.All", O, Extent::Everything),
    (
        "Domain-InternalFederation.ReadWrite.All",
        O,
        Extent::Everything,
    ),
    ("Group.ReadWrite.All", B, Extent::Boundary(Boundary::Groups)),
    (
        "GroupMember.ReadWrite.All",
        B,
        Extent::Boundary(Boundary::Groups),
    ),
    (
        "User.ReadWrite.All",
        B,
        Extent::Boundary(Boundary::Attributes),
    ),
    (
        "User.ManageIdentities.All",
        B,
        Extent::Boundary(Boundary::Attributes),
    ),
    (
        "AdministrativeUnit.ReadWrite.All",
        B,
        Extent::Boundary(Boundary::Units),
    ),
];

/// What lets directory roles into Exchange.
const INTO_EXCHANGE: [&str; 3] = [
    "Exchange.ManageAsApp",
    "Exchange.ManageAsAppV2",
    "Exchange.AdminAPI.ManageAsApp",
];

/// What a directory role is worth by itself (§10.3); Exchange's own need a way in beside.
fn of_role(role: DirectoryRole) -> Option<(Class, Extent)> {
    use DirectoryRole as Role;
    match role {
        Role::GlobalAdministrator
        | Role::PrivilegedRoleAdministrator
        | Role::DirectoryWriters
        | Role::IdentityGovernanceAdministrator
        | Role::PartnerTier2Support => Some((G, Extent::Everything)),
        // Consent to every permission but Graph's: to full_access_as_app and Exchange.ManageAsApp.
        Role::ApplicationAdministrator | Role::CloudApplicationAdministrator => {
            Some((G, Extent::Everything))
        }
        Role::HybridIdentityAdministrator
        | Role::DomainNameAdministrator
        | Role::ExternalIdentityProviderAdministrator
        | Role::PrivilegedAuthenticationAdministrator
        | Role::AuthenticationAdministrator
        | Role::UserAdministrator
        | Role::HelpdeskAdministrator
        | Role::PasswordAdministrator
        | Role::PartnerTier1Support => Some((O, Extent::Everything)),
        _ => None,
    }
}

/// What an action of a custom role is worth.
fn of_action(action: &str) -> Option<(Class, Extent)> {
    let action = action.to_ascii_lowercase();
    let tail = action.strip_prefix("microsoft.directory/")?;
    let opens = [
        "applications/credentials/update",
        "serviceprincipals/credentials/update",
        "applications/owners/update",
        "serviceprincipals/owners/update",
    ];
    if opens.contains(&tail) {
        return Some((O, Extent::AnyApplication));
    }
    let grants = [
        "serviceprincipals/managepermissiongrantsforall",
        "serviceprincipals/approleassignedto/update",
        "roleassignments/",
    ];
    if grants.iter().any(|start| tail.starts_with(start)) {
        return Some((G, Extent::Everything));
    }
    (tail == "domains/federation/update").then_some((O, Extent::Everything))
}

/// All powers of a service principal.
pub fn of(tenant: &Tenant, object: Uuid) -> Vec<Power> {
    let mut out = Vec::new();
    let held = tenant.app_roles_of(object, Resource::Graph);
    for (name, class, extent) in PERMISSIONS {
        if held.contains(name) {
            out.push(Power {
                class: *class,
                by: (*name).to_owned(),
                extent: *extent,
            });
        }
    }
    let way_in = tenant
        .app_roles_of(object, Resource::Exchange)
        .into_iter()
        .find(|role| INTO_EXCHANGE.contains(role));
    if let Some(way_in) = way_in
        && let Some(by) = exchange_rights(tenant, object)
    {
        out.push(Power {
            class: A,
            by: format!("{way_in} with {by}"),
            extent: Extent::Everything,
        });
    }
    for grant in tenant.role_grants_reaching(object) {
        let (name, worth) = match DirectoryRole::from_template(grant.role) {
            Some(role) => (role.name().to_owned(), of_role(role)),
            None => {
                let Some(role) = tenant.directory.roles.custom.get(&grant.role) else {
                    continue;
                };
                let worth = role.actions.iter().find_map(|action| of_action(action));
                (role.name.clone(), worth)
            }
        };
        let Some((class, extent)) = worth else {
            continue;
        };
        // A role for one application reaches only that (§10.3).
        let extent = match Uuid::parse_str(grant.scope.trim_start_matches('/')) {
            Ok(target) => Extent::Application(target),
            Err(_) => extent,
        };
        out.push(Power {
            class,
            by: name,
            extent,
        });
    }
    out
}

/// Exchange's own roles that lead into mailboxes, or rewrite what keeps one out (§10.4). Those that
/// only read are not here.
const MANAGEMENT_ROLES: [&str; 13] = [
    "Role Management",
    "Organization Configuration",
    "Mail Recipients",
    "Mail Recipient Creation",
    "Recipient Policies",
    "Distribution Groups",
    "Security Group Creation and Membership",
    "Mailbox Search",
    "Mailbox Import Export",
    "Transport Rules",
    "Journaling",
    "Move Mailboxes",
    "Migration",
];

/// By which role a service principal would administer Exchange: one of Entra, one of a role group,
/// one that it was given directly, or one that it may give to itself.
fn exchange_rights(tenant: &Tenant, object: Uuid) -> Option<String> {
    let directory = tenant.directory_roles_of(object).into_iter().find(|role| {
        matches!(
            role,
            DirectoryRole::GlobalAdministrator
                | DirectoryRole::ExchangeAdministrator
                | DirectoryRole::ExchangeRecipientAdministrator
        )
    });
    let management = || {
        let mut roles = roles_of(tenant, object).into_iter();
        roles.find(|role| MANAGEMENT_ROLES.contains(&role.as_str()))
    };
    let delegating = || {
        let all = &tenant.exchange.role_assignments;
        all.iter()
            .find(|it| it.assignee == object && it.enabled && tenant.exchange.delegates(it))
            .map(|it| format!("{} (delegating)", it.role))
    };
    directory
        .map(|role| role.name().to_owned())
        .or_else(management)
        .or_else(delegating)
}

/// The permissions that reach something in a mailbox.
const MAIL: &[(Resource, &str)] = &[
    (Resource::Graph, "Mail.Read"),
    (Resource::Graph, "Mail.ReadBasic"),
    (Resource::Graph, "Mail.ReadBasic.All"),
    (Resource::Graph, "Mail.ReadWrite"),
    (Resource::Graph, "Mail.Send"),
    (Resource::Graph, "Mail-Advanced.ReadWrite.All"),
    (Resource::Graph, "MailboxSettings.Read"),
    (Resource::Graph, "MailboxSettings.ReadWrite"),
    (Resource::Graph, "MailboxFolder.Read.All"),
    (Resource::Graph, "MailboxFolder.ReadWrite.All"),
    (Resource::Graph, "MailboxItem.Read.All"),
    (Resource::Graph, "MailboxItem.ReadWrite.All"),
    (Resource::Graph, "MailboxItem.Export.All"),
    (Resource::Graph, "MailboxItem.ImportExport.All"),
    (Resource::Graph, "Calendars.Read"),
    (Resource::Graph, "Calendars.ReadWrite"),
    (Resource::Graph, "Contacts.Read"),
    (Resource::Graph, "Contacts.ReadWrite"),
    (Resource::Exchange, "full_access_as_app"),
    (Resource::Exchange, "IMAP.AccessAsApp"),
    (Resource::Exchange, "POP.AccessAsApp"),
    (Resource::Exchange, "SMTP.SendAsApp"),
];

/// Whether a service principal reaches anything in a mailbox now. Asking leaves no trace in what
/// enforcement remembers.
pub fn reaches(world: &mut World, tenant: Uuid, object: Uuid, mailbox: Uuid) -> bool {
    let Some(state) = world.tenants.get(tenant) else {
        return false;
    };
    let Some(app_id) = state
        .principals
        .get(&object)
        .filter(|found| found.enabled)
        .map(|found| found.app_id)
    else {
        return false;
    };
    let cache = state.exchange.rbac_cache.clone();
    let roles = |resource| -> Vec<String> {
        let held = state.app_roles_of(object, resource);
        held.into_iter().map(str::to_owned).collect()
    };
    let (graph, exchange) = (roles(Resource::Graph), roles(Resource::Exchange));
    let mut found = false;
    for (resource, permission) in MAIL {
        let caller = Caller {
            tenant,
            app_id,
            object,
            roles: match resource {
                Resource::Graph => &graph,
                Resource::Exchange => &exchange,
            },
        };
        if may_use(world, caller, *resource, permission, mailbox, None).is_ok() {
            found = true;
            break;
        }
    }
    if let Some(state) = world.tenants.get(tenant) {
        state.exchange.rbac_cache = cache;
    }
    found
}

/// Whether a service principal reaches a mailbox now, or by any way that it can open itself.
pub fn could_reach(world: &mut World, tenant: Uuid, object: Uuid, mailbox: Uuid) -> bool {
    let mut seen = vec![object];
    let mut open = vec![object];
    while let Some(next) = open.pop() {
        if reaches(world, tenant, next, mailbox) {
            return true;
        }
        let Some(state) = world.tenants.get(tenant) else {
            return false;
        };
        // Who is switched off signs in no more, and turns nothing on.
        if state.principals.get(&next).is_none_or(|it| !it.enabled) {
            continue;
        }
        for power in of(state, next) {
            match power.extent {
                Extent::Everything => return true,
                Extent::Boundary(boundary) => {
                    if is_bounded_by(state, next, boundary) {
                        return true;
                    }
                }
                extent => open.extend(opened(state, next, extent)),
            }
        }
        open.extend(children(state, next));
        open.retain(|id| !seen.contains(id));
        seen.extend(open.iter().copied());
    }
    false
}

/// The agent identities of a blueprint, whose tokens it gets (§10.8).
fn children(tenant: &Tenant, object: Uuid) -> Vec<Uuid> {
    let app_id = tenant.principals.get(&object).map(|found| found.app_id);
    let all = &tenant.directory.agents.children;
    all.iter()
        .filter(|(_, blueprint)| Some(**blueprint) == app_id)
        .map(|(child, _)| *child)
        .collect()
}

/// The applications that a power lets its holder sign in as: those that have anything at all.
fn opened(tenant: &Tenant, object: Uuid, extent: Extent) -> Vec<Uuid> {
    let registration = |found: Uuid| tenant.application_by_app(found);
    let candidates = tenant.principals.values().filter(|found| {
        found.resource.is_none()
            && (tenant.assignments.iter().any(|it| it.principal == found.id)
                || !found.roles.is_empty()
                || tenant
                    .exchange
                    .pointers
                    .iter()
                    .any(|it| it.object_id == found.id)
                || tenant.blueprint_of(found.id).is_some()
                || tenant.directory.roles.assignments.iter().any(|it| {
                    it.principal == found.id || tenant.groups.contains_key(&it.principal)
                }))
    });
    candidates
        .filter(|found| match extent {
            Extent::AnyApplication => true,
            Extent::Application(target) => {
                found.id == target || registration(found.app_id).is_some_and(|it| it.id == target)
            }
            Extent::OwnApplications => {
                found.owners.contains(&object)
                    || registration(found.app_id).is_some_and(|it| it.owners.contains(&object))
            }
            Extent::Everything | Extent::Boundary(_) => false,
        })
        .map(|found| found.id)
        .collect()
}

/// Whether what confines an application is made of something that it can change itself.
/// Mail-enabled security groups and distribution groups are read-only in Graph (§7.2).
fn is_bounded_by(tenant: &Tenant, object: Uuid, boundary: Boundary) -> bool {
    let open_group = |id: &Uuid| {
        tenant.groups.get(id).is_some_and(|group| {
            matches!(group.kind, GroupKind::Microsoft365 | GroupKind::Security)
        })
    };
    let app_id = tenant.principals.get(&object).map(|found| found.app_id);
    let by_policy = boundary == Boundary::Groups
        && tenant.exchange.policies.iter().any(|policy| {
            policy.removed.is_none()
                && !policy.deny
                && app_id.is_some_and(|app_id| policy.names(app_id))
                && open_group(&policy.scope.id)
        });
    let by_role = tenant
        .exchange
        .role_assignments
        .iter()
        .filter(|assignment| assignment.assignee == object && assignment.enabled)
        .any(|assignment| match (&assignment.scope, boundary) {
            (AssignmentScope::Group(group), Boundary::Groups) => open_group(group),
            (AssignmentScope::AdministrativeUnit(_), Boundary::Units) => true,
            (AssignmentScope::Custom(name), boundary) => tenant
                .exchange
                .scopes
                .iter()
                .filter(|scope| scope.name.eq_ignore_ascii_case(name))
                .any(|scope| filter_is_made_of(tenant, &scope.filter, boundary)),
            _ => false,
        });
    by_policy || by_role
}

fn filter_is_made_of(tenant: &Tenant, filter: &str, boundary: Boundary) -> bool {
    let filter = filter.to_ascii_lowercase();
    match boundary {
        Boundary::Groups => tenant
            .groups
            .values()
            .filter(|group| matches!(group.kind, GroupKind::Microsoft365 | GroupKind::Security))
            .any(|group| {
                let name = tenant.distinguished_name(&group.name).to_ascii_lowercase();
                filter.contains("memberofgroup") && filter.contains(&name)
            }),
        Boundary::Attributes => [
            "customattribute",
            "department",
            "title",
            "office",
            "company",
            "city",
        ]
        .iter()
        .any(|property| filter.contains(property)),
        Boundary::Units => filter.contains("administrativeunits"),
    }
}

/// What `/_cloud/probe` and `/_cloud/powers` say beside what an application may do now: which
/// mailboxes it could reach, by what, and as whom it acts for people.
pub fn report(
    world: &mut World,
    tenant: Uuid,
    object: Uuid,
    mailboxes: &[(String, Uuid)],
) -> Value {
    let could: serde_json::Map<String, Value> = mailboxes
        .iter()
        .map(|(key, mailbox)| {
            let could = could_reach(world, tenant, object, *mailbox);
            (key.clone(), could.into())
        })
        .collect();
    let Some(state) = world.tenants.get(tenant) else {
        return json!({});
    };
    let powers: Vec<Value> = of(state, object)
        .iter()
        .map(|power| json!({"class": power.class.letter(), "by": power.by}))
        .collect();
    let delegated: Vec<Value> = state
        .scope_grants
        .iter()
        .filter(|grant| grant.client == object)
        .map(|grant| {
            let person = grant.principal.and_then(|id| state.users.get(&id));
            let scopes: Vec<&String> = grant.scopes.iter().map(|(scope, _)| scope).collect();
            json!({
                "as": person.map_or("whoever signs in", |user| user.upn.as_str()),
                "resource": grant.resource.display_name(),
                "scopes": scopes,
            })
        })
        .collect();
    json!({"could": could, "powers": powers, "delegated": delegated})
}
