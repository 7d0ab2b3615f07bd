//! The administrative units that role assignments name (MICROSOFT.md §3.1).

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::ObjectId,
    reach::{AdministrativeUnit, Reading, ScanPart},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Part,
    assignments::{Named, Raw},
    groups::DirectoryObject,
    log::Log,
    unread::Unread,
};
use crate::{
    call::Call,
    customer::Customer,
    error::{Error, Kind, Result, Service},
    names,
};

/// What was read of the units.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub(super) list: Vec<Unit>,
    /// The units by the names that assignments use.
    pub(super) by_name: BTreeMap<String, ObjectId>,
    pub(super) names: BTreeMap<ObjectId, String>,
}

#[derive(Debug)]
pub(super) struct Unit {
    object: ObjectId,
    name: String,
    members: Result<Vec<ObjectId>>,
    rule: Option<String>,
}

impl Unit {
    pub(super) fn seen(self, unread: &Unread) -> AdministrativeUnit {
        AdministrativeUnit {
            object: self.object,
            name: self.name,
            members: match self.members {
                Ok(list) => Reading::read(list),
                Err(error) => unread.reading(&error),
            },
            rule: self.rule,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnitRow {
    id: ObjectId,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    visibility: Option<String>,
    #[serde(default)]
    membership_type: Option<String>,
    #[serde(default)]
    membership_rule: Option<String>,
}

impl UnitRow {
    fn is_hidden(&self) -> bool {
        self.visibility.as_deref() == Some("HiddenMembership")
    }

    fn rule(&self) -> Option<String> {
        let grows = self.membership_type.as_deref() == Some("Dynamic");
        grows.then(|| self.membership_rule.clone().unwrap_or_default())
    }
}

pub(super) async fn read(log: &Log<'_>, assignments: &Part<Vec<Raw>>) -> Units {
    let named: BTreeSet<&str> = assignments
        .iter()
        .flat_map(|list| list.iter())
        .filter_map(|raw| match &raw.scope {
            Named::Unit(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if named.is_empty() {
        return Units::default();
    }
    let running = log.begin(ScanPart::Units);
    let (units, result) = match list(&running.customer, &named).await {
        Ok(units) => {
            let failed = units
                .list
                .iter()
                .find_map(|unit| unit.members.as_ref().err().cloned());
            let count = units.list.len();
            (units, failed.map_or(Ok(count), Err))
        }
        Err(error) => (Units::default(), Err(error)),
    };
    log.end(&running, result);
    units
}

async fn list(customer: &Customer, named: &BTreeSet<&str>) -> Result<Units> {
    let rows = all(customer).await?;
    let mut units = Units::default();
    for name in named {
        let id = Uuid::try_parse(name).ok();
        let mut fitting = rows.iter().filter(|row| {
            id == Some(row.id.0)
                || row
                    .display_name
                    .as_deref()
                    .is_some_and(|shown| shown.eq_ignore_ascii_case(name))
        });
        // When several units have the same name, the meant unit is unknown.
        if let (Some(row), None) = (fitting.next(), fitting.next()) {
            units.by_name.insert((*name).to_owned(), row.id);
            let shown = row
                .display_name
                .as_deref()
                .and_then(names::shown)
                .unwrap_or_else(|| row.id.to_string());
            units.names.insert(row.id, shown);
        }
    }
    let wanted: Vec<&UnitRow> = rows
        .iter()
        .filter(|row| units.names.contains_key(&row.id))
        .collect();
    let paths: Vec<String> = wanted
        .iter()
        .map(|UnitRow { id, .. }| {
            format!("/directory/administrativeUnits/{id}/members?$select=id&$top=999")
        })
        .collect();
    let answers = customer.graph_batch_each(&paths).await?;
    let members = answers.value.into_iter().map(|answer| async move {
        let first = answer?.ok_or_else(|| {
            Error::unsent(
                Service::Graph,
                Kind::NotFound,
                "the administrative unit is gone",
            )
        })?;
        let rows: Vec<DirectoryObject> = customer.rest_of_list(first).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    });
    let members: Vec<Result<Vec<ObjectId>>> = futures::future::join_all(members).await;
    units.list = wanted
        .into_iter()
        .zip(members)
        .map(|(row, members)| Unit {
            object: row.id,
            name: units.names.get(&row.id).cloned().unwrap_or_default(),
            members: members.and_then(|members| shown(row, members)),
            rule: row.rule(),
        })
        .collect();
    Ok(units)
}

/// Checks hidden members: a caller who may not see them gets an empty list, or a refusal
/// (MICROSOFT.md §7.5).
fn shown(row: &UnitRow, members: Vec<ObjectId>) -> Result<Vec<ObjectId>> {
    if row.is_hidden() && members.is_empty() {
        let message = "the administrative unit hides its members";
        return Err(Error::unsent(Service::Graph, Kind::Forbidden, message));
    }
    Ok(members)
}

/// All units. The property for rule-based membership does not exist in every version of Graph.
async fn all(customer: &Customer) -> Result<Vec<UnitRow>> {
    let asked = [
        "id,displayName,visibility,membershipType,membershipRule",
        "id,displayName,visibility",
    ];
    let mut failure = None;
    for select in asked {
        let outcome: Result<Call<Vec<UnitRow>>> = customer
            .graph_list(
                &["directory", "administrativeUnits"],
                &[("$select", select)],
            )
            .await;
        match outcome {
            Ok(call) => return Ok(call.value),
            Err(error) if error.code() == Some("BadRequest") => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failure
        .unwrap_or_else(|| Error::unsent(Service::Graph, Kind::Malformed, "no list was asked for")))
}
