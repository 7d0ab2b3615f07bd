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
use crate::world::tenant::Tenant;

/// The role groups and what is in them, as far as access to applications is concerned.
const ROLE_GROUPS: &[(&str, &[&str])] = &[
    (
        "Organization Management",
        &[
            "Organization Configuration",
            "View-Only Configuration",
            "Distribution Groups",
            "Security Group Creation and Membership",
            "Mail Recipients",
            "Mail Recipient Creation",
            "View-Only Recipients",
            "Role Management",
        ],
    ),
    (
        "View-Only Organization Management",
        &["View-Only Configuration", "View-Only Recipients"],
    ),
    (
        "Recipient Management",
        &[
            "Distribution Groups",
            "Mail Recipients",
            "Mail Recipient Creation",
            "View-Only Recipients",
        ],
    ),
    (
        "Help Desk",
        &["View-Only Recipients", "User Options", "Reset Password"],
    ),
];

fn application_row(tenant: &Tenant, assignment: &RoleAssignment) -> Map<String, Value> {
    let (custom, kind) = match &assignment.scope {
        AssignmentScope::Organisation => (String::new(), "Organization"),
        AssignmentScope::Custom(name) => (name.clone(), "CustomRecipientScope"),
        AssignmentScope::Group(id) => (
            tenant
                .groups
                .get(id)
                .map_or_else(|| id.to_string(), |group| group.name.clone()),
            "Group",
        ),
        AssignmentScope::AdministrativeUnit(id) => {
            (super::units::name_of(tenant, *id), "AdministrativeUnit")
        }
    };
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
        .text("RoleAssignmentDelegationType", "Regular")
        .text("CustomResourceScope", &custom)
        .text("CustomRecipientWriteScope", custom)
        .text("RecipientReadScope", "Organization")
        .text("RecipientWriteScope", kind)
        .text("ConfigReadScope", "OrganizationConfig")
        .text("ConfigWriteScope", "None")
        .text("EffectiveUserName", "All Group Members")
        .flag("Enabled", assignment.enabled)
        .date("WhenCreated", assignment.created)
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

fn group_row(tenant: &Tenant, group: &str, role: &str, user: &str) -> Map<String, Value> {
    let name = format!("{role}-{group}");
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
        .text("RoleAssignmentDelegationType", "Regular")
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

/// All rows of a role group.
fn group_rows(tenant: &Tenant, group: &str, user: &str) -> Vec<Map<String, Value>> {
    ROLE_GROUPS
        .iter()
        .filter(|(name, _)| *name == group)
        .flat_map(|(_, roles)| {
            roles
                .iter()
                .map(|role| group_row(tenant, group, role, user))
        })
        .collect()
}

fn rows_of_assignee(
    run: &mut Run<'_>,
    assignee: &str,
) -> Result<Vec<Map<String, Value>>, CmdletError> {
    let tenant = &run.tenant;
    let group = ROLE_GROUPS
        .iter()
        .map(|(name, _)| *name)
        .find(|name| name.eq_ignore_ascii_case(assignee));
    if let Some(group) = group {
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
    let mut groups: Vec<&str> = roles.iter().filter_map(|role| role_group(*role)).collect();
    groups.dedup();
    Ok(groups
        .into_iter()
        .flat_map(|group| group_rows(tenant, group, &name))
        .collect())
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    if let Some(identity) = run.args.text("Identity").map(str::to_owned) {
        let found = find(run, &identity)
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
                .map(|assignment| application_row(tenant, assignment));
            let groups = ROLE_GROUPS
                .iter()
                .flat_map(|(name, _)| group_rows(tenant, name, ""));
            applications.chain(groups).collect()
        }
    };
    for (argument, column) in [
        ("Role", "Role"),
        ("RoleAssigneeType", "RoleAssigneeType"),
        ("CustomRecipientWriteScope", "CustomRecipientWriteScope"),
    ] {
        if let Some(wanted) = run.args.text(argument) {
            rows.retain(|row| {
                row.get(column)
                    .and_then(Value::as_str)
                    .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
            });
        }
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

pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let args = run.args.clone();
    let text = |name: &str| args.text(name).map(str::to_owned);
    let wanted = text("Role").unwrap_or_default();
    let role = APPLICATION_ROLES
        .iter()
        .map(|(name, _)| *name)
        .find(|name| name.eq_ignore_ascii_case(&wanted));
    let Some(role) = role else {
        return Err(run.not_found(&wanted));
    };
    let app = text("App").unwrap_or_default();
    let assignee = service_principals::find(run.tenant, &app)
        .and_then(|index| run.tenant.exchange.pointers.get(index))
        .map(|pointer| pointer.object_id);
    let Some(assignee) = assignee else {
        return Err(run.not_found(&app));
    };
    let scopes = (
        text("CustomResourceScope"),
        text("RecipientAdministrativeUnitScope"),
        text("RecipientGroupScope"),
    );
    let scope = match scopes {
        (None, None, None) => AssignmentScope::Organisation,
        (Some(name), None, None) => {
            let known = run
                .tenant
                .exchange
                .scopes
                .iter()
                .find(|scope| scope.name.eq_ignore_ascii_case(&name))
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
    let name = match text("Name") {
        Some(name) => name,
        None => {
            let full = format!("{role}-{assignee}");
            full.chars().take(64).collect()
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
    let assignment = RoleAssignment {
        guid: run.dice.guid(),
        name,
        role: role.to_owned(),
        assignee,
        scope,
        enabled: true,
        created: now,
    };
    let row = application_row(run.tenant, &assignment);
    note(run, Deed::Created, &assignment);
    run.tenant.exchange.role_assignments.push(assignment);
    Ok(Output::Rows(vec![row]))
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
    let Some(index) = find(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    let assignment = run.tenant.exchange.role_assignments.remove(index);
    note(run, Deed::Removed, &assignment);
    Ok(Output::Nothing)
}
