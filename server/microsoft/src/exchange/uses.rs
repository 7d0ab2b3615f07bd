//! Finds what else uses a group, before the group is removed.

use domain::cmdlet::Cmdlet;

use super::{groups::ExGroup, invoke::How, row::Row};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Result},
};

/// The uses found, and what could not be checked.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Each as the end of a sentence: “the role assignment X is limited to it”.
    pub found: Vec<String>,
    /// What could not be read, as the beginning of a sentence, with the error.
    pub unread: Vec<(&'static str, Error)>,
}

impl Customer {
    /// The role assignments and management scopes that name a group, and the groups of which it is
    /// a direct member. Access policies are read elsewhere. Rights on mailboxes and transport rules
    /// are not checked.
    ///
    /// # Errors
    /// Transient errors. A part that may not be read is reported in the result.
    pub async fn group_uses(&self, group: &ExGroup) -> Result<Call<Uses>> {
        let mut uses = Uses::default();
        let mut traces = Vec::new();
        let parts: [(&'static str, Result<Call<Vec<String>>>); 3] = [
            ("Role assignments", self.assignments_on(group).await),
            ("Management scopes", self.scopes_on(group).await),
            (
                "Groups of which it is a member",
                self.groups_around(group).await,
            ),
        ];
        for (part, outcome) in parts {
            match outcome {
                Ok(call) => {
                    uses.found.extend(call.value);
                    traces.push(call.trace);
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    traces.push(error.trace().clone());
                    uses.unread.push((part, error));
                }
            }
        }
        let answer = match uses.found.as_slice() {
            [] => "nothing that was looked at names it".to_owned(),
            found => found.join("\n"),
        };
        Ok(Call {
            value: uses,
            trace: Trace::join(traces, answer),
        })
    }

    /// Assignments of people count too: without the scope their rights would change.
    async fn assignments_on(&self, group: &ExGroup) -> Result<Call<Vec<String>>> {
        const SCOPES: [&str; 4] = [
            "RecipientGroupScope",
            "CustomResourceScope",
            "CustomRecipientWriteScope",
            "RecipientWriteScope",
        ];
        let call = self.assignment_rows().await?;
        Ok(call.map(|rows| {
            rows.iter()
                .filter(|row| {
                    SCOPES
                        .iter()
                        .filter_map(|scope| row.text(scope))
                        .any(|scope| is_called(group, scope))
                })
                .map(|row| {
                    let text = |property: &str| row.text(property).unwrap_or("?").to_owned();
                    format!("the role assignment {} is limited to it", text("Name"))
                })
                .collect()
        }))
    }

    async fn scopes_on(&self, group: &ExGroup) -> Result<Call<Vec<String>>> {
        let cmdlet = Cmdlet::new("Get-ManagementScope");
        let call = self
            .rows(&cmdlet, How::read(&["Name", "RecipientFilter"]))
            .await?;
        Ok(call.map(|rows| {
            rows.iter()
                .filter(|row| {
                    row.text("RecipientFilter")
                        .is_some_and(|filter| names(filter, group))
                })
                .map(|row| {
                    let name = row.text("Name").unwrap_or("?");
                    format!("the management scope {name} takes in its members")
                })
                .collect()
        }))
    }

    async fn groups_around(&self, group: &ExGroup) -> Result<Call<Vec<String>>> {
        let filter = format!("Members -eq '{}'", group.dn.replace('\'', "''"));
        let cmdlet = Cmdlet::new("Get-Recipient")
            .with("Filter", filter)
            .with("ResultSize", "Unlimited");
        let how = How::read(&["Name", "DisplayName", "PrimarySmtpAddress"]);
        let call = self.rows(&cmdlet, how).await?;
        Ok(call.map(|rows| {
            let name = |row: &Row| {
                row.text("PrimarySmtpAddress")
                    .or(row.text("Name"))
                    .unwrap_or("?")
                    .to_owned()
            };
            rows.iter()
                .map(|row| format!("it is a member of the group {}", name(row)))
                .collect()
        }))
    }
}

/// Whether a scope is this group, by one of its names. Exchange can form a scope's name from the
/// group's name and a GUID (§11.3).
fn is_called(group: &ExGroup, scope: &str) -> bool {
    let scope = scope.trim().to_lowercase();
    ids(group).any(|id| id == scope)
        || [&group.name, &group.display]
            .iter()
            .map(|name| name.to_lowercase())
            .any(|name| {
                scope == name
                    || scope
                        .strip_prefix(&name)
                        .is_some_and(|rest| rest.starts_with('_'))
            })
}

/// Whether a filter names the group, mostly by its distinguished name (`MemberOfGroup -eq …`).
fn names(filter: &str, group: &ExGroup) -> bool {
    let filter = filter.to_lowercase();
    ids(group).any(|id| filter.contains(&id))
}

/// The texts that identify the group uniquely, in lower case.
fn ids(group: &ExGroup) -> impl Iterator<Item = String> {
    let object = group.object.map(|object| object.to_string());
    [
        Some(group.guid.to_string()),
        object,
        Some(group.dn.to_lowercase()).filter(|dn| !dn.is_empty()),
        Some(group.address.as_str().to_lowercase()),
    ]
    .into_iter()
    .flatten()
}
