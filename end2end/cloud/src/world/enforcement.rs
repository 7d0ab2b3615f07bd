//! Who may send: access policies narrow Entra's grants, RBAC adds to them (MICROSOFT.md §2.4,
//! §3.5). Each rule can be asked about the configuration (what the test cmdlets say at once) and
//! about what is in force (what `sendMail` does, later).

use chrono::TimeDelta;
use uuid::Uuid;

use super::World;
use super::exchange::{AssignmentScope, RbacCache, RbacReach, RoleAssignment, role_permissions};
use super::habits::Nesting;
use super::rights::{Right, holds};
use super::tenant::{GroupKind, Membership, Tenant};
use crate::clock::{Dice, Time};
use crate::exchange::opath;
use crate::permissions::Resource;

/// Which truth is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    Configured,
    InForce,
}

/// Whether access policies let an application use an Entra grant on that mailbox.
///
/// The order is Microsoft's: DenyAccess that matches; RestrictAccess that matches; restricted but
/// matched by none; no policy at all.
pub fn policies_allow(tenant: &Tenant, app_id: Uuid, mailbox: Uuid, view: View, now: Time) -> bool {
    let mut restricted = false;
    let mut granted = false;
    for policy in &tenant.exchange.policies {
        let holds = match view {
            View::Configured => policy.configured(now),
            View::InForce => policy.in_force(now),
        };
        if !holds || !policy.names(app_id) {
            continue;
        }
        let since = policy.enforced;
        // A policy that came into force read the membership of that moment; later changes lag.
        let counts = |entry: &Membership| match view {
            View::Configured => entry.removed.is_none(),
            View::InForce => {
                let added = entry.added.enforcement <= now || entry.added.at <= since;
                let gone = entry
                    .removed
                    .is_some_and(|gone| gone.enforcement <= now || gone.at <= since);
                added && !gone
            }
        };
        let matches =
            policy.scope.id == mailbox || contains(tenant, policy.scope.id, mailbox, &counts);
        match (policy.deny, matches) {
            (true, true) => return false,
            (true, false) => {}
            (false, matches) => {
                restricted = true;
                granted |= matches;
            }
        }
    }
    granted || !restricted
}

/// Whether a policy's group has the mailbox, as far as this tenant counts groups inside it.
fn contains(
    tenant: &Tenant,
    group: Uuid,
    mailbox: Uuid,
    counts: &dyn Fn(&Membership) -> bool,
) -> bool {
    match tenant.exchange.habits.nesting {
        Nesting::Honoured => tenant.contains_nested(group, mailbox, counts),
        Nesting::SecurityOnly => tenant.contains_nested(group, mailbox, &|entry| {
            counts(entry)
                && tenant
                    .groups
                    .get(&entry.member)
                    .is_none_or(|inner| inner.kind == GroupKind::MailSecurity)
        }),
        Nesting::Ignored => tenant.groups.get(&group).is_some_and(|group| {
            group
                .members
                .iter()
                .any(|entry| entry.member == mailbox && counts(entry))
        }),
    }
}

/// Whether Entra's grants of an application reach nothing without a role of Exchange (§3.9). What
/// the flag and the override really do is open: see `decisions`.
fn needs_role(tenant: &Tenant, object: Uuid) -> bool {
    let switches = &tenant.exchange.switches;
    (tenant.exchange.habits.app_rbac_required || switches.enforce_app_rbac)
        && !switches.override_app_rbac.contains(&object)
}

/// IMAP, POP and SMTP reach a mailbox only with a right on it (§2.6); none for other permissions.
fn rights_for(resource: Resource, permission: &str) -> Option<&'static [Right]> {
    match (resource, permission) {
        (Resource::Exchange, "IMAP.AccessAsApp" | "POP.AccessAsApp") => Some(&[Right::FullAccess]),
        (Resource::Exchange, "SMTP.SendAsApp") => Some(&[Right::SendAs, Right::FullAccess]),
        _ => None,
    }
}

/// An application as its token shows it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub tenant: Uuid,
    pub app_id: Uuid,
    /// Its service principal.
    pub object: Uuid,
    /// The app roles that its token holds for the resource.
    pub roles: &'a [String],
}

/// Why an application may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It holds the app role, and policies keep it from the mailbox.
    ByPolicy,
    /// It does not hold the permission.
    NotHeld,
}

/// Whether an application may use a permission on a mailbox: Entra's grant, narrowed by policies
/// in force where they govern it, united with RBAC (§3.5).
///
/// # Errors
///
/// Why not.
pub fn application_may(
    world: &mut World,
    caller: Caller<'_>,
    resource: Resource,
    permission: &str,
    mailbox: Uuid,
) -> Result<(), Refused> {
    let now = world.dice.now();
    let Some(tenant) = world.tenants.get(caller.tenant) else {
        return Err(Refused::NotHeld);
    };
    let by_entra = caller.roles.iter().any(|role| role == permission);
    let governed = resource.is_governed(permission);
    // RBAC needs a pointer with exactly the object id of the token (§5); so do rights.
    let pointed = tenant
        .exchange
        .pointers
        .iter()
        .any(|pointer| pointer.object_id == caller.object);
    let rights = rights_for(resource, permission);
    let open = match rights {
        Some(rights) => {
            pointed
                && rights
                    .iter()
                    .any(|right| holds(tenant, caller.object, mailbox, *right))
        }
        None if governed => {
            !needs_role(tenant, caller.object)
                && policies_allow(tenant, caller.app_id, mailbox, View::InForce, now)
        }
        None => true,
    };
    if by_entra && open {
        return Ok(());
    }
    let by_role = match (resource, permission) {
        (Resource::Exchange, "full_access_as_app") => Some("EWS.AccessAsApp"),
        (Resource::Exchange, "SMTP.SendAsApp") | (Resource::Graph, _) => Some(permission),
        // The retired Outlook API, IMAP and POP have no role (§3.4, §3.5).
        (Resource::Exchange, _) => None,
    };
    if pointed
        && by_role.is_some_and(|permission| {
            rbac_allows(tenant, caller.object, permission, mailbox, &mut world.dice)
        })
    {
        return Ok(());
    }
    Err(if by_entra && rights.is_none() {
        Refused::ByPolicy
    } else {
        Refused::NotHeld
    })
}

/// Whether one role assignment reaches a mailbox: direct members only (§3.6).
pub fn assignment_reaches(
    tenant: &Tenant,
    assignment: &RoleAssignment,
    mailbox: Uuid,
    now: Time,
) -> bool {
    reach_covers(tenant, &reach_of(tenant, assignment), mailbox, now)
}

/// The scope of an assignment as enforcement remembers it.
fn reach_of(tenant: &Tenant, assignment: &RoleAssignment) -> RbacReach {
    match &assignment.scope {
        AssignmentScope::Organisation => RbacReach::Everyone,
        AssignmentScope::Group(group) => RbacReach::GroupMembers(*group),
        AssignmentScope::AdministrativeUnit(unit) => RbacReach::UnitMembers(*unit),
        AssignmentScope::Custom(name) => tenant
            .exchange
            .scopes
            .iter()
            .find(|scope| scope.name.eq_ignore_ascii_case(name))
            // Exclusive scopes don't restrict the access of applications (§3.2).
            .map_or(RbacReach::Nobody, |scope| {
                if scope.exclusive {
                    RbacReach::Everyone
                } else {
                    RbacReach::Filter(scope.filter.clone())
                }
            }),
    }
}

fn reach_covers(tenant: &Tenant, reach: &RbacReach, mailbox: Uuid, now: Time) -> bool {
    match reach {
        RbacReach::Everyone => true,
        RbacReach::Nobody => false,
        RbacReach::GroupMembers(group) => tenant
            .groups
            .get(group)
            .is_some_and(|group| group.has_member(mailbox)),
        RbacReach::UnitMembers(unit) => tenant
            .units
            .get(unit)
            .is_some_and(|unit| unit.members.contains(&mailbox)),
        RbacReach::Filter(filter) => {
            let Some(recipient) = tenant.recipient_by_id(mailbox) else {
                return false;
            };
            opath::parse(filter).is_ok_and(|filter| {
                filter.matches(&|property| {
                    opath::recipient_property(tenant, &recipient, property, now)
                })
            })
        }
    }
}

/// Whether RBAC for Applications lets the service principal use a permission on that mailbox,
/// through the cache that lags behind the configuration (§3.3).
pub fn rbac_allows(
    tenant: &mut Tenant,
    principal: Uuid,
    permission: &str,
    mailbox: Uuid,
    dice: &mut Dice,
) -> bool {
    let now = dice.now();
    let stale = tenant
        .exchange
        .rbac_cache
        .get(&principal)
        .is_none_or(|cache| {
            now - cache.last_used >= TimeDelta::seconds(cache.idle_seconds)
                || now - cache.loaded >= TimeDelta::seconds(cache.active_seconds)
        });
    if stale {
        let grants = tenant
            .exchange
            .role_assignments
            .iter()
            .filter(|assignment| assignment.assignee == principal)
            .filter(|assignment| assignment.enabled && !tenant.exchange.delegates(assignment))
            .map(|assignment| (assignment.role.clone(), reach_of(tenant, assignment)))
            .collect();
        let seconds = |value: u64| i64::try_from(value).unwrap_or(i64::MAX / 2000);
        let cache = RbacCache {
            loaded: now,
            last_used: now,
            idle_seconds: seconds(dice.draw(dice.delays.rbac_idle)),
            active_seconds: seconds(dice.draw(dice.delays.rbac_active)),
            grants,
        };
        tenant.exchange.rbac_cache.insert(principal, cache);
    }
    let grants = match tenant.exchange.rbac_cache.get_mut(&principal) {
        Some(cache) => {
            cache.last_used = now;
            cache.grants.clone()
        }
        None => return false,
    };
    grants.iter().any(|(role, reach)| {
        role_permissions(role).is_some_and(|permissions| permissions.contains(&permission))
            && reach_covers(tenant, reach, mailbox, now)
    })
}
