//! Role assignments of applications (MICROSOFT.md §3).

use std::collections::HashMap;

use domain::{application::RoleAssignment, cmdlet::Cmdlet, id::ObjectId};

use super::{invoke::How, row::Row};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

const ASSIGNMENT: &[&str] = &[
    "Identity",
    "Name",
    "Role",
    "RoleAssignee",
    "RoleAssigneeName",
    "RoleAssigneeType",
    "RecipientWriteScope",
    "CustomResourceScope",
    "CustomRecipientWriteScope",
    "RecipientAdministrativeUnitScope",
    "RecipientGroupScope",
    "RecipientOrganizationalUnitScope",
    "RoleAssignmentDelegationType",
    "Enabled",
];

/// The properties that narrow an assignment, the most specific first.
const SCOPES: [&str; 4] = [
    "CustomResourceScope",
    "CustomRecipientWriteScope",
    "RecipientGroupScope",
    "RecipientAdministrativeUnitScope",
];

impl Customer {
    /// The Exchange role assignments of applications.
    ///
    /// # Errors
    /// [`Kind::Malformed`] when it is unclear to which application an assignment belongs: without
    /// the assignment that application would look safer than it is.
    pub async fn role_assignments(&self) -> Result<Call<Vec<RoleAssignment>>> {
        let call = self.assignment_rows().await?;
        let mine: Vec<&Row> = call
            .value
            .iter()
            .filter(|row| row.text("RoleAssigneeType") == Some("ServicePrincipal"))
            .collect();
        let mut traces = vec![call.trace.clone()];
        let direct = |row: &Row| {
            row.id("RoleAssigneeName")
                .or_else(|| row.id("RoleAssignee"))
                .map(ObjectId)
        };
        let names = if mine.iter().all(|row| direct(row).is_some()) {
            HashMap::new()
        } else {
            let pointers = self.pointers().await?;
            traces.push(pointers.trace);
            pointers.value
        };
        let mut assignments = Vec::new();
        for row in &mine {
            let named = || {
                ["RoleAssigneeName", "RoleAssignee"]
                    .into_iter()
                    .filter_map(|property| row.text(property))
                    .find_map(|name| names.get(&name.to_lowercase()).copied())
            };
            let assignee = direct(row).or_else(named);
            let (Some(name), Some(role), Some(assignee)) =
                (row.text("Name"), row.text("Role"), assignee)
            else {
                return Err(
                    Error::new(Service::Exchange, Kind::Malformed, call.trace.clone())
                        .with_subject("Get-ManagementRoleAssignment")
                        .with_message("a role assignment belongs to no known application"),
                );
            };
            assignments.push(RoleAssignment {
                name: name.to_owned(),
                role: role.to_owned(),
                assignee,
                scope: scope(row),
            });
        }
        let answer = format!("{} role assignments of applications", assignments.len());
        Ok(Call {
            value: assignments,
            trace: Trace::join(traces, answer),
        })
    }

    /// All role assignments, including those of people. The caller filters them, because Exchange
    /// returns nothing for a kind of assignee that it does not know (§1.3).
    pub(crate) async fn assignment_rows(&self) -> Result<Call<Vec<Row>>> {
        let cmdlet = Cmdlet::new("Get-ManagementRoleAssignment");
        self.rows(&cmdlet, How::read(ASSIGNMENT)).await
    }

    /// Exchange's service principals (pointers to the service principals of Entra): the object id
    /// by each name, in lower case.
    async fn pointers(&self) -> Result<Call<HashMap<String, ObjectId>>> {
        let cmdlet = Cmdlet::new("Get-ServicePrincipal");
        let call = self.rows(&cmdlet, How::read(&[])).await?;
        Ok(call.map(|rows| {
            let mut names = HashMap::new();
            for row in &rows {
                let Some(object) = row.id("ObjectId").or_else(|| row.id("ServiceId")) else {
                    continue;
                };
                for property in [
                    "Identity",
                    "Name",
                    "DisplayName",
                    "AppId",
                    "Guid",
                    "ObjectId",
                ] {
                    if let Some(name) = row.text(property) {
                        names.insert(name.to_lowercase(), ObjectId(object));
                    }
                }
            }
            names
        }))
    }
}

/// The scope that narrows an assignment. None only when Exchange says that the assignment is for
/// the whole organisation, or says nothing at all.
fn scope(row: &Row) -> Option<String> {
    SCOPES
        .into_iter()
        .find_map(|property| row.text(property))
        .map(str::to_owned)
        .or_else(|| {
            row.text("RecipientWriteScope")
                .filter(|kind| !["Organization", "None", "NotApplicable"].contains(kind))
                .map(str::to_owned)
        })
}
