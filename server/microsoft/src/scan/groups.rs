//! The groups that policies and role assignments name, with their members (MICROSOFT.md §2.4,
//! §3.2).
//!
//! They are read from the directory, many in one request. Exchange answers for one group at a time,
//! gives nothing for a Microsoft 365 group, and leaves out some kinds of members (§2.3). A group
//! that the directory does not show yet stays unknown until it does.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    application::AccessPolicy,
    id::ObjectId,
    reach::{Group, Members, ScanPart},
};
use serde::Deserialize;

use super::{
    Part,
    assignments::{Named, Raw},
    log::Log,
    scope_names,
    unread::Unread,
};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

/// What was read of the groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) list: Vec<Found>,
    /// The groups by the names that assignments use.
    pub(super) by_name: BTreeMap<String, ObjectId>,
    pub(super) names: BTreeMap<ObjectId, String>,
}

#[derive(Debug)]
pub(super) struct Found {
    object: ObjectId,
    name: String,
    direct: Result<Members>,
    nested: Result<Vec<ObjectId>>,
    writable: Option<bool>,
    rule: Option<String>,
}

impl Found {
    pub(super) fn seen(self, unread: &Unread) -> Group {
        Group {
            object: self.object,
            name: self.name,
            direct: unread.part(self.direct),
            nested: Some(unread.part(self.nested)),
            writable: self.writable,
            rule: self.rule,
        }
    }

    fn failure(&self) -> Option<&Error> {
        self.direct.as_ref().err().or(self.nested.as_ref().err())
    }
}

/// A member of a group or unit.
#[derive(Debug, Deserialize)]
pub(super) struct DirectoryObject {
    pub(super) id: ObjectId,
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
}

impl DirectoryObject {
    fn is_group(&self) -> bool {
        self.kind.as_deref() == Some("#microsoft.graph.group")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupRow {
    #[serde(default, deserialize_with = "crate::names::name")]
    display_name: Option<String>,
    #[serde(default)]
    mail: Option<String>,
    #[serde(default)]
    visibility: Option<String>,
    #[serde(default)]
    group_types: Vec<String>,
    #[serde(default)]
    mail_enabled: Option<bool>,
    #[serde(default)]
    security_enabled: Option<bool>,
    #[serde(default)]
    membership_rule: Option<String>,
}

impl GroupRow {
    /// Whether Graph can change the members: it can for Microsoft 365 and security groups only
    /// (MICROSOFT.md §7.2).
    fn writable(&self) -> Option<bool> {
        let unified = self.group_types.iter().any(|kind| kind == "Unified");
        let security = self.security_enabled? && !self.mail_enabled?;
        Some(unified || security)
    }

    fn rule(&self) -> Option<String> {
        let grows = self
            .group_types
            .iter()
            .any(|kind| kind == "DynamicMembership");
        grows.then(|| self.membership_rule.clone().unwrap_or_default())
    }
}

pub(super) async fn read(
    log: &Log<'_>,
    policies: &Part<Vec<AccessPolicy>>,
    assignments: &Part<Vec<Raw>>,
) -> Groups {
    let of_policies = policies
        .iter()
        .flat_map(|list| list.iter())
        .filter_map(|policy| policy.scope_object);
    let mut objects: BTreeSet<ObjectId> = of_policies.collect();
    let named: BTreeSet<&str> = assignments
        .iter()
        .flat_map(|list| list.iter())
        .filter_map(|raw| match &raw.scope {
            Named::Group(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if objects.is_empty() && named.is_empty() {
        return Groups::default();
    }
    let running = log.begin(ScanPart::Groups);
    let customer = &running.customer;
    let mut groups = Groups::default();
    let mut failure = None;
    if !named.is_empty() {
        let names: Vec<&str> = named.into_iter().collect();
        match scope_names::objects(customer, &names).await {
            Ok(found) => {
                for (name, outcome) in names.into_iter().zip(found) {
                    match outcome {
                        Ok(Some(object)) => {
                            groups.by_name.insert(name.to_owned(), object);
                            objects.insert(object);
                        }
                        Ok(None) => {}
                        Err(error) => failure = failure.or(Some(error)),
                    }
                }
            }
            Err(error) => failure = Some(error),
        }
    }
    let objects: Vec<ObjectId> = objects.into_iter().collect();
    groups.list = found(customer, &objects).await;
    groups.names = groups
        .list
        .iter()
        .map(|group| (group.object, group.name.clone()))
        .collect();
    let failure = failure.or_else(|| groups.list.iter().find_map(Found::failure).cloned());
    log.end(&running, failure.map_or(Ok(groups.list.len()), Err));
    groups
}

/// The objects that are groups. A policy can name a mailbox as well.
async fn found(customer: &Customer, objects: &[ObjectId]) -> Vec<Found> {
    let paths: Vec<String> = objects
        .iter()
        .flat_map(|id| {
            [
                format!("/groups/{id}?$select=id,displayName,mail,visibility,groupTypes,mailEnabled,securityEnabled,membershipRule"),
                format!("/groups/{id}/members?$select=id&$top=999"),
                format!("/groups/{id}/transitiveMembers?$select=id&$top=999"),
            ]
        })
        .collect();
    let answers = match customer.graph_batch_each(&paths).await {
        Ok(call) => call.value,
        Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut answers = answers.into_iter();
    let mut asked = Vec::new();
    for id in objects {
        if let (Some(row), Some(direct), Some(nested)) =
            (answers.next(), answers.next(), answers.next())
        {
            asked.push(group(customer, *id, row, direct, nested));
        }
    }
    let found = futures::future::join_all(asked).await;
    found.into_iter().flatten().collect()
}

async fn group(
    customer: &Customer,
    object: ObjectId,
    row: Answered,
    direct: Answered,
    nested: Answered,
) -> Option<Found> {
    let unreadable = |name: String, error: Error| Found {
        object,
        name,
        direct: Err(error.clone()),
        nested: Err(error),
        writable: None,
        rule: None,
    };
    let row = match row.transpose()?.and_then(|body| {
        serde_json::from_value::<GroupRow>(body)
            .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string()))
    }) {
        Ok(row) => row,
        Err(error) => return Some(unreadable(object.to_string(), error)),
    };
    let (writable, rule) = (row.writable(), row.rule());
    let name = [row.mail, row.display_name]
        .into_iter()
        .flatten()
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| object.to_string());
    if row.visibility.as_deref() == Some("HiddenMembership") {
        let error = Error::unsent(
            Service::Graph,
            Kind::Forbidden,
            "the group hides its members",
        );
        return Some(unreadable(name, error));
    }
    let (direct, nested) = futures::join!(members(customer, direct), members(customer, nested));
    Some(Found {
        object,
        name,
        direct: direct.map(|list| {
            let (groups, recipients): (Vec<_>, Vec<_>) =
                list.into_iter().partition(DirectoryObject::is_group);
            let ids = |list: Vec<DirectoryObject>| list.into_iter().map(|one| one.id).collect();
            Members {
                recipients: ids(recipients),
                groups: ids(groups),
            }
        }),
        nested: nested.map(|list| {
            list.into_iter()
                .filter(|one| !one.is_group())
                .map(|one| one.id)
                .collect()
        }),
        writable,
        rule,
    })
}

async fn members(customer: &Customer, first: Answered) -> Result<Vec<DirectoryObject>> {
    match first? {
        Some(first) => customer.rest_of_list(first).await,
        None => Err(Error::unsent(
            Service::Graph,
            Kind::NotFound,
            "the group went away meanwhile",
        )),
    }
}
