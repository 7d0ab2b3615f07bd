//! Role groups of Exchange, with their members that are service principals (MICROSOFT.md §2.7,
//! §10.4).

use std::collections::BTreeSet;

use domain::{
    cmdlet::Cmdlet,
    id::ObjectId,
    reach::{Pointer, Reading, RoleGroup, ScanPart},
};

use super::{Part, assignments::Rows, log::Log, unread::Unread};
use crate::{customer::Customer, error::Result, exchange::Row};

const MEMBER: &[&str] = &[
    "Name",
    "Identity",
    "Guid",
    "DistinguishedName",
    "RecipientType",
    "RecipientTypeDetails",
];

/// Groups linked to directory roles. Exchange cannot list their members (§1.6).
const LINKED: [&str; 7] = [
    "TenantAdmins_",
    "ExchangeServiceAdmins_",
    "HelpdeskAdmins_",
    "SecurityAdmins_",
    "SecurityReaders_",
    "GlobalReaders_",
    "ComplianceAdmins_",
];

/// Kinds of members that are not service principals.
const OTHERS: [&str; 9] = [
    "User",
    "UserMailbox",
    "MailUser",
    "MailContact",
    "SharedMailbox",
    "Group",
    "RoleGroup",
    "MailUniversalSecurityGroup",
    "MailUniversalDistributionGroup",
];

/// A role group with a role that matters.
#[derive(Debug)]
pub(super) struct Found {
    name: String,
    roles: Vec<String>,
    pub(super) members: Result<Vec<ObjectId>>,
}

impl Found {
    pub(super) fn seen(&self, unread: &Unread) -> RoleGroup {
        RoleGroup {
            name: self.name.clone(),
            roles: self.roles.clone(),
            members: match &self.members {
                Ok(list) => Reading::read(list.clone()),
                Err(error) => unread.reading(error),
            },
        }
    }
}

/// Reads the members. Only a service principal with a pointer in Exchange can be a member (§1.6):
/// without pointers no call is needed. `only`: reads only this application.
pub(super) async fn read(
    log: &Log<'_>,
    pointers: &Part<Vec<Pointer>>,
    assignments: &Part<Rows>,
    only: Option<ObjectId>,
) -> Result<Vec<Found>> {
    let pointers = pointers.as_ref().map_err(Clone::clone)?;
    if !pointers
        .iter()
        .any(|pointer| only.is_none_or(|only| pointer.object == only))
    {
        return Ok(Vec::new());
    }
    let rows = assignments.as_ref().map_err(Clone::clone)?;
    let groups: Vec<(&String, &BTreeSet<String>)> = rows
        .role_groups
        .iter()
        .filter(|(name, roles)| {
            roles.iter().any(|role| decides(role))
                && !LINKED.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let running = log.begin(ScanPart::RoleGroups);
    let found = list(&running.customer, &groups, pointers).await;
    let result = match &found {
        Err(error) => Err(error.clone()),
        Ok(groups) => groups
            .iter()
            .find_map(|group| group.members.as_ref().err().cloned())
            .map_or(Ok(groups.len()), Err),
    };
    log.end(&running, result);
    found
}

async fn list(
    customer: &Customer,
    groups: &[(&String, &BTreeSet<String>)],
    pointers: &[Pointer],
) -> Result<Vec<Found>> {
    let cmdlets: Vec<Cmdlet> = groups
        .iter()
        .map(|(name, _)| {
            Cmdlet::new("Get-RoleGroupMember")
                .with("Identity", name.as_str())
                .with("ResultSize", "Unlimited")
        })
        .collect();
    let outcomes = customer.outcome_of_each(&cmdlets, MEMBER).await?.value;
    Ok(groups
        .iter()
        .zip(outcomes)
        .map(|((name, roles), outcome)| Found {
            name: (*name).clone(),
            roles: roles.iter().cloned().collect(),
            // A group that was deleted meanwhile has no members.
            members: outcome.map(|rows| {
                let rows = rows.unwrap_or_default();
                let mut members: Vec<ObjectId> = rows
                    .iter()
                    .filter_map(|row| principal(row, pointers))
                    .collect();
                members.sort_unstable();
                members.dedup();
                members
            }),
        })
        .collect())
}

/// Whether a role matters. View-only roles do not (§10.4). A custom role may contain anything.
fn decides(role: &str) -> bool {
    !role.starts_with("View-Only ") && !role.starts_with("My")
}

/// The service principal behind a member. The member's name is the object id in Entra (§10.4).
fn principal(row: &Row, pointers: &[Pointer]) -> Option<ObjectId> {
    let pointed = pointers.iter().find(|pointer| {
        row.id("Name") == Some(pointer.object.0)
            || pointer
                .names
                .iter()
                .any(|name| row.is(name, &["Name", "Identity", "Guid", "DistinguishedName"]))
    });
    let kind = row
        .text("RecipientTypeDetails")
        .or_else(|| row.text("RecipientType"));
    let other = kind.is_some_and(|kind| OTHERS.contains(&kind));
    match pointed {
        // A person may have the name of an application, but never its id.
        Some(pointer) if !other || row.id("Name") == Some(pointer.object.0) => Some(pointer.object),
        // A member of an unknown kind with an id as its name may be a service principal.
        None if !other => row.id("Name").map(ObjectId),
        _ => None,
    }
}
