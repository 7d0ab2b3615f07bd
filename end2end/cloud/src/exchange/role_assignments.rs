//! Management role assignments: those of applications, and those that administrators have through
//! their directory roles (MICROSOFT.md §1.6, §3.2).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cmdlet::{Output, Run, role_group};
use super::errors::CmdletError;
use super::groups::visible_group;
use super::rows::Row;
use super::service_principals;
use crate::journal::{Deed, Thing};
use crate::world::exchange::{APPLICATION_ROLES, AssignmentScope, RoleAssignment};
use crate::world::habits::GroupScopeShape;
use crate::world::role_groups::{self, MANAGEMENT_ROLES, RoleGroup};
use crate::world::tenant::Tenant;

/// The role group whose members may give roles to others.
const DELEGATES: &str = "Organization Management";

/// What the scope of an assignment is called, and of what kind it is. A group shows by its name
/// in `CustomResourceScope`, or by that of an automatic scope (§3.2).
fn scope_of(tenant: &Tenant, assignment: &RoleAssignment) -> (String, &'static str) {
    match &assignment.scope {
        AssignmentScope::Organisation => (String::new(), "Organization"),
        AssignmentScope::Custom(name) => (name.clone(), "CustomRecipientScope"),
        AssignmentScope::Group(id) => {
            let name = tenant
                .groups
                .get(id)
                .map_or_else(|| id.to_string(), |group| group.name.clone());
            let shown = match tenant.exchange.habits.group_scopes {
                GroupScopeShape::Name => name,
                GroupScopeShape::Automatic => {
                    let scope = Uuid::new_v5(&assignment.guid, b"automatic scope");
                    format!("{name}_{scope}")
                }
            };
            (shown, "Group")
        }
        AssignmentScope::AdministrativeUnit(id) => {
            (super::units::name_of(tenant, *id), "AdministrativeUnit")
        }
    }
}

fn application_row(tenant: &Tenant, assignment: &RoleAssignment) -> Map<String, Value> {
    let (custom, kind) = scope_of(tenant, assignment);
    // No property has the name of the parameter, and this one is empty for groups (§3.2).
    let write_scope = match &assignment.scope {
        AssignmentScope::Group(_) => String::new(),
        _ => custom.clone(),
    };
    let administers = MANAGEMENT_ROLES.contains(&assignment.role.as_str());
    Row::default()
        .text("Identity", &assignment.name)
        .text("Id", &assignment.name)
        .text("Name", &assignment.name)
        .guid("Guid", assignment.guid)
        .text("Role", &assignment.role)
        .text("RoleAssignee", assignment.assignee.to_string())
        .text("RoleAssigneeName", assignment.assignee.to_string())
        .text("RoleAssigneeType", "ServicePrincipal")
        .text("AssignmentMethod", "Direct")
        .text(
            "RoleAssignmentDelegationType",
            delegation(tenant.exchange.delegates(assignment)),
        )
        .text("CustomResourceScope", custom)
        .text("CustomRecipientWriteScope", write_scope)
        .text("RecipientReadScope", "Organization")
        .text("RecipientWriteScope", kind)
        .text("ConfigReadScope", "OrganizationConfig")
        .text(
            "ConfigWriteScope",
            if administers {
                "OrganizationConfig"
            } else {
                "None"
            },
        )
        .text("EffectiveUserName", "All Group Members")
        .flag("Enabled", assignment.enabled)
        .date("WhenCreated", assignment.created)
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

/// `RoleAssignmentDelegationType`.
fn delegation(delegating: bool) -> &'static str {
    if delegating {
        "DelegatingOrgWide"
    } else {
        "Regular"
    }
}

fn group_row(
    tenant: &Tenant,
    group: &str,
    role: &str,
    user: &str,
    delegating: bool,
) -> Map<String, Value> {
    let suffix = if delegating { "-Delegating" } else { "" };
    let name = format!("{role}-{group}{suffix}");
    Row::default()
        .text("Identity", &name)
        .text("Id", &name)
        .text("Name", &name)
        .guid("Guid", Uuid::new_v5(&tenant.id, name.as_bytes()))
        .text("Role", role)
        .text("RoleAssignee", group)
        .text("RoleAssigneeName", group)
        .text("RoleAssigneeType", "RoleGroup")
        .text(
            "AssignmentMethod",
            if user.is_empty() {
                "Direct"
            } else {
                "RoleGroup"
            },
        )
        .text("RoleAssignmentDelegationType", delegation(delegating))
        .text("CustomResourceScope", "")
        .text("CustomRecipientWriteScope", "")
        .text("RecipientReadScope", "Organization")
        .text("RecipientWriteScope", "Organization")
        .text("ConfigReadScope", "OrganizationConfig")
        .text("ConfigWriteScope", "OrganizationConfig")
        .text(
            "EffectiveUserName",
            if user.is_empty() {
                "All Group Members"
            } else {
                user
            },
        )
        .flag("Enabled", true)
        .date("WhenCreated", tenant.created)
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

/// All rows of a role group. Organization Management may give every role to others (§3.1).
fn group_rows(tenant: &Tenant, group: &RoleGroup, user: &str) -> Vec<Map<String, Value>> {
    let own = group
        .roles
        .iter()
        .map(|role| group_row(tenant, &group.name, role, user, false));
    let applications = APPLICATION_ROLES.iter().map(|(name, _)| *name);
    let delegated: Vec<&str> = match group.name.as_str() {
        DELEGATES => applications
            .chain(MANAGEMENT_ROLES.iter().copied())
            .collect(),
        _ => Vec::new(),
    };
    own.chain(
        delegated
            .into_iter()
            .map(|role| group_row(tenant, &group.name, role, user, true)),
    )
    .collect()
}

fn rows_of_assignee(
    run: &mut Run<'_>,
    assignee: &str,
) -> Result<Vec<Map<String, Value>>, CmdletError> {
    let tenant = &run.tenant;
    let groups = role_groups::all(tenant);
    if let Some(group) = groups
        .iter()
        .find(|group| group.name.eq_ignore_ascii_case(assignee))
    {
        return Ok(group_rows(tenant, group, ""));
    }
    if let Some(index) = service_principals::find(tenant, assignee) {
        let pointer = tenant
            .exchange
            .pointers
            .get(index)
            .map(|pointer| pointer.object_id);
        return Ok(tenant
            .exchange
            .role_assignments
            .iter()
            .filter(|assignment| Some(assignment.assignee) == pointer)
            .filter(|assignment| run.finds(assignment.guid))
            .map(|assignment| application_row(tenant, assignment))
            .collect());
    }
    // The caller is known by their token, which under GDAP is the only place that knows them.
    let is_caller = run.caller.object.to_string().eq_ignore_ascii_case(assignee)
        || run
            .caller
            .upn
            .as_deref()
            .is_some_and(|upn| upn.eq_ignore_ascii_case(assignee));
    let (name, roles) = if is_caller {
        (assignee.to_owned(), run.caller.roles.clone())
    } else {
        match tenant.user(assignee) {
            Some(user) => (user.display_name.clone(), user.roles.clone()),
            None => return Err(run.not_found(assignee)),
        }
    };
    let names: Vec<&str> = roles.iter().filter_map(|role| role_group(*role)).collect();
    let object = if is_caller {
        Some(run.caller.object)
    } else {
        tenant.user(assignee).map(|user| user.id)
    };
    Ok(groups
        .iter()
        .filter(|group| {
            names.contains(&group.name.as_str())
                || object.is_some_and(|object| group.members.contains(&object))
        })
        .flat_map(|group| group_rows(tenant, group, &name))
        .collect())
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    if let Some(identity) = run.args.text("Identity").map(str::to_owned) {
        let found = found(run, &identity)
            .and_then(|index| run.tenant.exchange.role_assignments.get(index))
            .map(|assignment| application_row(run.tenant, assignment));
        return match found {
            Some(row) => Ok(Output::Rows(vec![row])),
            None => Err(run.not_found(&identity)),
        };
    }
    let mut rows = match run.args.text("RoleAssignee").map(str::to_owned) {
        Some(assignee) => rows_of_assignee(run, &assignee)?,
        None => {
            let tenant = &run.tenant;
            let applications = tenant
                .exchange
                .role_assignments
                .iter()
                .filter(|assignment| run.finds(assignment.guid))
                .map(|assignment| application_row(tenant, assignment));
            let groups = role_groups::all(tenant);
            let groups = groups
                .iter()
                .flat_map(|group| group_rows(tenant, group, ""));
            applications.chain(groups).collect()
        }
    };
    for (argument, column) in [
        ("Role", "Role"),
        ("RoleAssigneeType", "RoleAssigneeType"),
        ("CustomRecipientWriteScope", "CustomRecipientWriteScope"),
        ("RecipientWriteScope", "RecipientWriteScope"),
    ] {
        if let Some(wanted) = run.args.text(argument) {
            rows.retain(|row| {
                row.get(column)
                    .and_then(Value::as_str)
                    .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
            });
        }
    }
    if let Some(delegating) = run.args.flag("Delegating") {
        let wanted = delegation(delegating);
        rows.retain(|row| {
            row.get("RoleAssignmentDelegationType")
                .and_then(Value::as_str)
                == Some(wanted)
        });
    }
    if let Some(enabled) = run.args.flag("Enabled") {
        rows.retain(|row| row.get("Enabled").and_then(Value::as_bool) == Some(enabled));
    }
    Ok(Output::Rows(rows))
}

fn find(run: &Run<'_>, identity: &str) -> Option<usize> {
    run.tenant
        .exchange
        .role_assignments
        .iter()
        .position(|assignment| {
            assignment.name.eq_ignore_ascii_case(identity)
                || assignment.guid.to_string().eq_ignore_ascii_case(identity)
        })
}

/// The same, when it is old enough for other cmdlets to find it.
fn found(run: &Run<'_>, identity: &str) -> Option<usize> {
    find(run, identity).filter(|index| {
        run.tenant
            .exchange
            .role_assignments
            .get(*index)
            .is_some_and(|assignment| run.finds(assignment.guid))
    })
}

pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let args = run.args.clone();
    let text = |name: &str| args.text(name).map(str::to_owned);
    let wanted = text("Role").unwrap_or_default();
    let role = APPLICATION_ROLES
        .iter()
        .map(|(name, _)| *name)
        // Management roles can be given to an application as well (§10.4).
        .chain(MANAGEMENT_ROLES.iter().copied())
        .find(|name| name.eq_ignore_ascii_case(&wanted));
    let Some(role) = role else {
        return Err(run.not_found(&wanted));
    };
    let app = text("App").unwrap_or_default();
    let assignee = service_principals::find(run.tenant, &app)
        .and_then(|index| run.tenant.exchange.pointers.get(index))
        // Straight after it was made, a pointer may not be found (§1.7).
        .filter(|pointer| run.finds(pointer.id))
        .map(|pointer| pointer.object_id);
    let Some(assignee) = assignee else {
        return Err(run.not_found(&app));
    };
    let delegating = run.args.flag("Delegating") == Some(true);
    let scope = wanted_scope(run)?.unwrap_or(AssignmentScope::Organisation);
    let name = match text("Name") {
        Some(name) => name,
        None => {
            let suffix = if delegating { "-Delegating" } else { "" };
            let most = 64 - suffix.len();
            let full: String = format!("{role}-{assignee}").chars().take(most).collect();
            full + suffix
        }
    };
    if name.chars().count() > 64 {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Data.DataValidationException",
            "The name must have 1 to 64 characters.",
        ));
    }
    if find(run, &name).is_some() {
        let (forest, dn) = (run.tenant.forest(), run.tenant.distinguished_name(&name));
        return Err(CmdletError::already_exists(run.dice, &forest, &dn));
    }
    may_delegate(run, role, &name)?;
    let assignment = RoleAssignment {
        guid: run.dice.guid(),
        name,
        role: role.to_owned(),
        assignee,
        scope,
        enabled: true,
        created: now,
    };
    run.appears_later(assignment.guid);
    if delegating {
        run.tenant.exchange.delegating.insert(assignment.guid);
    }
    let row = application_row(run.tenant, &assignment);
    note(run, Deed::Created, &assignment);
    run.tenant.exchange.role_assignments.push(assignment);
    Ok(Output::Rows(vec![row]))
}

/// The scope that was sent; none when none was.
fn wanted_scope(run: &mut Run<'_>) -> Result<Option<AssignmentScope>, CmdletError> {
    let args = run.args.clone();
    let text = |name: &str| args.text(name).map(str::to_owned);
    let scopes = (
        text("CustomResourceScope"),
        text("RecipientAdministrativeUnitScope"),
        text("RecipientGroupScope"),
    );
    let scope = match scopes {
        (None, None, None) => return Ok(None),
        (Some(name), None, None) => {
            let known = run
                .tenant
                .exchange
                .scopes
                .iter()
                .find(|scope| scope.name.eq_ignore_ascii_case(&name))
                .filter(|scope| run.finds(scope.guid))
                .map(|scope| scope.name.clone());
            match known {
                Some(name) => AssignmentScope::Custom(name),
                None => return Err(run.not_found(&name)),
            }
        }
        (None, Some(unit), None) => match super::units::find(run.tenant, &unit) {
            Some(id) => AssignmentScope::AdministrativeUnit(id),
            None => return Err(run.not_found(&unit)),
        },
        (None, None, Some(group)) => AssignmentScope::Group(visible_group(run, &group)?),
        _ => {
            return Err(CmdletError::unknown_parameter(
                "CustomResourceScope RecipientAdministrativeUnitScope RecipientGroupScope",
            ));
        }
    };
    Ok(Some(scope))
}

/// Whether the caller may give the role to others: by Organization Management, or by a delegating
/// assignment of their own. While Exchange still builds the roles of a fresh organisation nobody
/// may (§1.7, §3.1).
fn may_delegate(run: &Run<'_>, role: &str, name: &str) -> Result<(), CmdletError> {
    let now = run.now();
    let exchange = &run.tenant.exchange;
    let built = exchange.delegation_starts.is_none_or(|since| since <= now);
    let caller = run.caller.object;
    let by_directory = run
        .caller
        .roles
        .iter()
        .any(|role| role_group(*role) == Some(DELEGATES));
    let by_group = role_groups::all(run.tenant)
        .iter()
        .any(|group| group.name == DELEGATES && group.members.contains(&caller));
    let by_assignment = exchange.role_assignments.iter().any(|assignment| {
        assignment.assignee == caller
            && exchange.delegates(assignment)
            && assignment.enabled
            && assignment.role == role
            && assignment.scope == AssignmentScope::Organisation
    });
    if built && (by_directory || by_group || by_assignment) {
        return Ok(());
    }
    Err(CmdletError::failed(
        "Microsoft.Exchange.Management.RbacTasks.DelegatingRoleAssignmentRequiredException",
        format!(
            "You don't have access to create, change, or remove the \"{}\\{name}\" management role assignment. You must be assigned a delegating role assignment to the management role or its parent in the hierarchy without a scope restriction.",
            run.tenant.initial_domain
        ),
    ))
}

/// Changes where an assignment reaches, or whether it holds, at once (§3.2).
pub fn set(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let Some(index) = found(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    let scope = wanted_scope(run)?;
    let enabled = run.args.flag("Enabled");
    let found = run
        .tenant
        .exchange
        .role_assignments
        .get(index)
        .map(|assignment| (assignment.role.clone(), assignment.name.clone()));
    if let Some((role, name)) = found {
        may_delegate(run, &role, &name)?;
    }
    if let Some(assignment) = run.tenant.exchange.role_assignments.get_mut(index) {
        if let Some(scope) = scope {
            assignment.scope = scope;
        }
        if let Some(enabled) = enabled {
            assignment.enabled = enabled;
        }
        let assignment = assignment.clone();
        note(run, Deed::Changed, &assignment);
    }
    Ok(Output::Nothing)
}

/// Writes a change of an assignment down.
pub fn note(run: &mut Run<'_>, deed: Deed, assignment: &RoleAssignment) {
    run.changed(
        deed,
        Thing::RoleAssignment,
        assignment.guid,
        &assignment.name,
        json!({"role": assignment.role, "assignee": assignment.assignee}),
    );
}

pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let Some(index) = found(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    let assignment = run.tenant.exchange.role_assignments.remove(index);
    note(run, Deed::Removed, &assignment);
    Ok(Output::Nothing)
}
