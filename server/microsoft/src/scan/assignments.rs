//! Exchange's role assignments of applications, and its service principals (pointers) (MICROSOFT.md
//! §3.2).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    cmdlet::Cmdlet,
    id::{AppId, ObjectId},
    reach::{Assignment, AssignmentScope, Pointer},
};

use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    exchange::{Row, invoke::How},
};

/// An assignment whose scope is still Exchange's name for it.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    name: String,
    pub(super) role: String,
    pub(super) assignee: String,
    pub(super) scope: Named,
    enabled: bool,
    delegating: bool,
}

/// The scope that narrows an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Nothing,
    Scope(String),
    Group(String),
    Unit(String),
    Other(String),
}

/// The contents of the list of assignments.
#[derive(Debug)]
pub(super) struct Rows {
    /// The assignments of applications.
    pub(super) applications: Arc<Vec<Raw>>,
    /// The roles of each role group, by the group's name (MICROSOFT.md §10.4). The same data as
    /// `Get-RoleGroup`, without another call.
    pub(super) role_groups: BTreeMap<String, BTreeSet<String>>,
}

pub(super) async fn read(customer: Customer) -> Result<(usize, Rows)> {
    let call = customer.assignment_rows().await?;
    let mut found = Vec::new();
    let mut role_groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in &call.value {
        let malformed = |what: &str| {
            Error::new(Service::Exchange, Kind::Malformed, call.trace.clone())
                .with_subject("Get-ManagementRoleAssignment")
                .with_message(format!("a role assignment has no {what}"))
        };
        let text = |property: &str| row.text(property).ok_or_else(|| malformed(property));
        let assignee = || {
            row.text("RoleAssigneeName")
                .or_else(|| row.text("RoleAssignee"))
                .ok_or_else(|| malformed("RoleAssignee"))
        };
        // An assignment counts as enabled when Exchange does not say.
        let enabled = row.flag("Enabled").unwrap_or(true);
        match text("RoleAssigneeType")? {
            "RoleGroup" if enabled => {
                let role = short(text("Role")?).to_owned();
                let group = short(assignee()?).to_owned();
                role_groups.entry(group).or_default().insert(role);
            }
            "ServicePrincipal" => found.push(Raw {
                name: text("Name")?.to_owned(),
                role: text("Role")?.to_owned(),
                assignee: assignee()?.to_owned(),
                scope: named(row),
                enabled,
                // The values are `Regular`, `Delegating`, `DelegatingOrgWide` (MICROSOFT.md §10.4).
                delegating: row
                    .text("RoleAssignmentDelegationType")
                    .is_some_and(|kind| kind.starts_with("Delegating")),
            }),
            _ => {}
        }
    }
    let rows = Rows {
        applications: Arc::new(found),
        role_groups,
    };
    Ok((rows.applications.len(), rows))
}

/// A name without the organisation in front of it.
fn short(name: &str) -> &str {
    name.rsplit(['\\', '/']).next().unwrap_or(name)
}

/// The scope that narrows an assignment. It is in a separate property for each kind, or in a common
/// property next to the kind. A scope that is not understood gives [`Named::Other`].
fn named(row: &Row) -> Named {
    let kind = row.text("RecipientWriteScope").unwrap_or("Organization");
    let own = |text: &str| text.to_owned();
    let customs: Vec<&str> = ["CustomResourceScope", "CustomRecipientWriteScope"]
        .into_iter()
        .filter_map(|property| row.text(property))
        .collect();
    let group = row.text("RecipientGroupScope");
    let unit = row.text("RecipientAdministrativeUnitScope");
    let custom = match customs.as_slice() {
        [] => None,
        [one] => Some(*one),
        [one, other] if one.eq_ignore_ascii_case(other) => Some(*one),
        more => return Named::Other(more.join(", ")),
    };
    if let Some(text) = row.text("RecipientOrganizationalUnitScope") {
        return Named::Other(own(text));
    }
    match (custom, group, unit) {
        (None, Some(group), None) => Named::Group(own(group)),
        (None, None, Some(unit)) => Named::Unit(own(unit)),
        (Some(name), None, None) => match kind {
            "Group" => Named::Group(own(name)),
            "AdministrativeUnit" => Named::Unit(own(name)),
            "Organization"
            | "CustomRecipientScope"
            | "ExclusiveRecipientScope"
            | "None"
            | "NotApplicable" => Named::Scope(own(name)),
            other => Named::Other(format!("{other}: {name}")),
        },
        (None, None, None) => match kind {
            "Organization" | "None" | "NotApplicable" => Named::Nothing,
            other => Named::Other(own(other)),
        },
        _ => Named::Other(own(kind)),
    }
}

/// The assignments, with the objects of the groups and units that their scopes name.
pub(super) fn resolved(
    raw: &[Raw],
    groups: &BTreeMap<String, ObjectId>,
    units: &BTreeMap<String, ObjectId>,
) -> Vec<Assignment> {
    let scope = |named: &Named| match named {
        Named::Nothing => AssignmentScope::Organisation,
        Named::Scope(name) => AssignmentScope::Custom { name: name.clone() },
        Named::Group(name) => AssignmentScope::Group {
            object: groups.get(name).copied(),
            name: name.clone(),
        },
        Named::Unit(name) => match units.get(name) {
            Some(object) => AssignmentScope::Unit { object: *object },
            None => AssignmentScope::Other { text: name.clone() },
        },
        Named::Other(text) => AssignmentScope::Other { text: text.clone() },
    };
    raw.iter()
        .map(|raw| Assignment {
            name: raw.name.clone(),
            role: raw.role.clone(),
            assignee: raw.assignee.clone(),
            scope: scope(&raw.scope),
            enabled: raw.enabled,
            delegating: raw.delegating,
        })
        .collect()
}

/// All service principals of Exchange (pointers). An application without one has no assignment
/// (§3.1).
pub(super) async fn pointers(customer: Customer) -> Result<(usize, Vec<Pointer>)> {
    let cmdlet = Cmdlet::new("Get-ServicePrincipal");
    let call = customer.rows(&cmdlet, How::read(&[])).await?;
    let mut found = Vec::new();
    for row in &call.value {
        let Some(object) = row.id("ObjectId").or_else(|| row.id("ServiceId")) else {
            return Err(
                Error::new(Service::Exchange, Kind::Malformed, call.trace.clone())
                    .with_subject(&cmdlet.name)
                    .with_message("a service principal of Exchange points to no object"),
            );
        };
        let mut names: Vec<String> = [
            "Identity",
            "Id",
            "Name",
            "DisplayName",
            "Guid",
            "DistinguishedName",
        ]
        .into_iter()
        .filter_map(|property| row.text(property).map(str::to_owned))
        .collect();
        names.sort_unstable();
        names.dedup();
        found.push(Pointer {
            object: ObjectId(object),
            app_id: row.id("AppId").map(AppId),
            names,
        });
    }
    Ok((found.len(), found))
}
