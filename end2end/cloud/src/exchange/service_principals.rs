//! Exchange's pointers to service principals, and the test of what RBAC gives them
//! (MICROSOFT.md §3.2).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::role_assignments;
use super::rows::Row;
use crate::clock::Time;
use crate::journal::{Deed, Thing};
use crate::world::enforcement::assignment_reaches;
use crate::world::exchange::{AssignmentScope, Pointer, role_permissions};
use crate::world::tenant::{ServicePrincipal, Tenant};

/// The security identifier of a pointer.
pub fn sid(tenant: &Tenant, pointer: &Pointer) -> String {
    let rid = u32::try_from(pointer.id.as_u128() % 1_000_000).unwrap_or_default();
    tenant.sid(1_000_000 + rid)
}

fn row(tenant: &Tenant, pointer: &Pointer) -> Map<String, Value> {
    Row::default()
        .text("Identity", pointer.object_id.to_string())
        .text("Id", pointer.object_id.to_string())
        .text("Name", pointer.object_id.to_string())
        .text("DisplayName", &pointer.display_name)
        .text("ObjectId", pointer.object_id.to_string())
        .text("AppId", pointer.app_id.to_string())
        .text("ServiceId", pointer.object_id.to_string())
        .guid("Guid", pointer.id)
        .text("Sid", sid(tenant, pointer))
        .text(
            "DistinguishedName",
            tenant.distinguished_name(&pointer.object_id.to_string()),
        )
        .flag(
            "OverrideEnforceExoAppRbacPermissions",
            tenant
                .exchange
                .switches
                .override_app_rbac
                .contains(&pointer.object_id),
        )
        .date("WhenCreated", pointer.created)
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

/// A pointer by object id, application id, display name, GUID or DN.
pub fn find(tenant: &Tenant, identity: &str) -> Option<usize> {
    let id = Uuid::parse_str(identity).ok();
    tenant
        .exchange
        .pointers
        .iter()
        .position(|pointer| match id {
            Some(id) => id == pointer.object_id || id == pointer.app_id || id == pointer.id,
            None => {
                pointer.display_name.eq_ignore_ascii_case(identity)
                    || tenant
                        .distinguished_name(&pointer.object_id.to_string())
                        .eq_ignore_ascii_case(identity)
            }
        })
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let tenant = &run.tenant;
    match run.args.text("Identity").map(str::to_owned) {
        None => Ok(Output::Rows(
            tenant
                .exchange
                .pointers
                .iter()
                .filter(|pointer| run.finds(pointer.id))
                .map(|pointer| row(tenant, pointer))
                .collect(),
        )),
        Some(identity) => {
            let found = find(tenant, &identity)
                .and_then(|index| tenant.exchange.pointers.get(index))
                .filter(|pointer| run.finds(pointer.id))
                .map(|pointer| row(tenant, pointer));
            match found {
                Some(row) => Ok(Output::Rows(vec![row])),
                None => Err(run.not_found(&identity)),
            }
        }
    }
}

pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let text = |name: &str| run.args.text(name).map(str::to_owned);
    let app_text = text("AppId").unwrap_or_default();
    let object_text = match (text("ObjectId"), text("ServiceId")) {
        (Some(id), _) => id,
        (None, Some(id)) => {
            run.warnings.push(
                "The parameter ServiceId is being deprecated. Use ObjectId instead.".to_owned(),
            );
            id
        }
        (None, None) => return Err(CmdletError::missing_parameters("ObjectId")),
    };
    let ids = (Uuid::parse_str(&app_text), Uuid::parse_str(&object_text));
    let (Ok(app_id), Ok(object_id)) = ids else {
        return Err(CmdletError::failed(
            "System.ArgumentException",
            "AppId and ObjectId must be GUIDs.",
        ));
    };
    let display_name = text("DisplayName");
    // No pointer to nothing (§3.2): the object must be this application's service principal, not
    // its registration.
    let known = run
        .tenant
        .principals
        .get(&object_id)
        .filter(|principal| principal.app_id == app_id)
        .filter(|principal| arrived(principal, run.dice.delays.principal_exchange) <= now)
        .map(|principal| principal.display_name.clone());
    let Some(name) = known else {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Management.RbacTasks.AADServicePrincipalNotFoundException",
            format!(
                "No ServicePrincipal with Object Id '{object_id}' and App Id '{app_id}' is registered in the organization."
            ),
        ));
    };
    let exists = run
        .tenant
        .exchange
        .pointers
        .iter()
        .any(|pointer| pointer.object_id == object_id || pointer.app_id == app_id);
    if exists {
        let forest = run.tenant.forest();
        let dn = run.tenant.distinguished_name(&object_text);
        return Err(CmdletError::already_exists(run.dice, &forest, &dn));
    }
    let pointer = Pointer {
        id: run.dice.guid(),
        object_id,
        app_id,
        display_name: display_name.unwrap_or(name),
        created: now,
    };
    let out = row(run.tenant, &pointer);
    run.appears_later(pointer.id);
    note(run, Deed::Created, &pointer);
    run.tenant.exchange.pointers.push(pointer);
    Ok(Output::Rows(vec![out]))
}

/// When Exchange hears of a service principal of Entra (§1.7: up to five minutes after it was
/// made). The same for every request that asks.
fn arrived(principal: &ServicePrincipal, [least, most]: [u64; 2]) -> Time {
    let spread = u128::from(most.saturating_sub(least)) + 1;
    let seconds = u128::from(least) + principal.id.as_u128() % spread;
    let seconds = i64::try_from(seconds).unwrap_or_default();
    principal.created + chrono::TimeDelta::try_seconds(seconds).unwrap_or_default()
}

fn note(run: &mut Run<'_>, deed: Deed, pointer: &Pointer) {
    run.changed(
        deed,
        Thing::Pointer,
        pointer.object_id,
        &pointer.display_name,
        json!({"app_id": pointer.app_id}),
    );
}

pub fn set(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let name = run.args.text("DisplayName").map(str::to_owned);
    let Some(index) = find(run.tenant, &identity) else {
        return Err(run.not_found(&identity));
    };
    let exempt = run.args.flag("OverrideEnforceExoAppRbacPermissions");
    let exchange = &mut run.tenant.exchange;
    if let Some(pointer) = exchange.pointers.get_mut(index) {
        if let Some(name) = name {
            pointer.display_name = name;
        }
        let pointer = pointer.clone();
        let overrides = &mut exchange.switches.override_app_rbac;
        match exempt {
            Some(true) => overrides.insert(pointer.object_id),
            Some(false) => overrides.remove(&pointer.object_id),
            None => false,
        };
        note(run, Deed::Changed, &pointer);
    }
    Ok(Output::Nothing)
}

/// Its assignments, its rights on mailboxes and its places in role groups go with it; scopes stay.
pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let Some(index) = find(run.tenant, &identity) else {
        return Err(run.not_found(&identity));
    };
    let pointer = run.tenant.exchange.pointers.remove(index);
    note(run, Deed::Removed, &pointer);
    let object = pointer.object_id;
    let exchange = &mut run.tenant.exchange;
    exchange.rights.retain(|entry| entry.holder != object);
    exchange
        .role_groups
        .members
        .retain(|entry| entry.member != object);
    let (gone, kept) = std::mem::take(&mut run.tenant.exchange.role_assignments)
        .into_iter()
        .partition(|assignment| assignment.assignee == pointer.object_id);
    run.tenant.exchange.role_assignments = kept;
    let gone: Vec<crate::world::exchange::RoleAssignment> = gone;
    for assignment in &gone {
        role_assignments::note(run, Deed::Removed, assignment);
    }
    Ok(Output::Nothing)
}

/// Past the cache, and about RBAC only: Entra's grants are not in it (§3.2).
pub fn test(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let Some(pointer) = find(run.tenant, &identity)
        .and_then(|index| run.tenant.exchange.pointers.get(index))
        .filter(|pointer| run.finds(pointer.id))
        .cloned()
    else {
        return Err(run.not_found(&identity));
    };
    let resource = match run.args.text("Resource").map(str::to_owned) {
        None => None,
        Some(text) => match run.tenant.recipient(&text, now).map(|found| found.id()) {
            Some(id) => Some(id),
            None => return Err(run.not_found(&text)),
        },
    };
    let rows = run
        .tenant
        .exchange
        .role_assignments
        .iter()
        .filter(|assignment| assignment.assignee == pointer.object_id)
        .filter(|assignment| run.finds(assignment.guid))
        // About application roles that are used, not given on.
        .filter(|assignment| {
            !run.tenant.exchange.delegates(assignment)
                && role_permissions(&assignment.role).is_some()
        })
        .map(|assignment| {
            let (scope, kind) = match &assignment.scope {
                AssignmentScope::Organisation => ("Organization".to_owned(), "Organization"),
                AssignmentScope::Custom(name) => (name.clone(), "CustomRecipientScope"),
                AssignmentScope::Group(id) => (
                    run.tenant
                        .groups
                        .get(id)
                        .map_or_else(|| id.to_string(), |group| group.name.clone()),
                    "Group",
                ),
                AssignmentScope::AdministrativeUnit(id) => {
                    (super::units::name_of(run.tenant, *id), "AdministrativeUnit")
                }
            };
            let words = run.tenant.exchange.check_words;
            let inside = match resource {
                None => "Not Run".into(),
                Some(id) => words.in_scope(assignment_reaches(run.tenant, assignment, id, now)),
            };
            let permissions = role_permissions(&assignment.role)
                .unwrap_or_default()
                .join(", ");
            Row::default()
                .text("RoleName", &assignment.role)
                .text("GrantedPermissions", permissions)
                .text("AllowedResourceScope", scope)
                .text("ScopeType", kind)
                .any("InScope", inside)
                .done()
        })
        .collect();
    Ok(Output::Rows(rows))
}
