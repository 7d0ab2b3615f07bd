//! The owners of applications. An owner can add a credential and sign in as the application
//! (MICROSOFT.md §10.6).

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AppId, ObjectId},
    reach::{AppOwner, CredentialOf, OwnerKind, ScanPart},
};
use serde::Deserialize;

use super::super::{first::there, log::Log};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnerRow {
    id: ObjectId,
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
    #[serde(default, deserialize_with = "crate::names::name")]
    display_name: Option<String>,
}

impl OwnerRow {
    fn owner(self, of: CredentialOf) -> AppOwner {
        AppOwner {
            object: self.id,
            of,
            kind: kind(self.kind.as_deref()),
            name: self.display_name.filter(|name| !name.is_empty()),
        }
    }
}

fn kind(kind: Option<&str>) -> OwnerKind {
    match kind.and_then(|kind| kind.strip_prefix("#microsoft.graph.")) {
        Some("user" | "agentUser") => OwnerKind::User,
        Some("servicePrincipal" | "agentIdentity" | "agentIdentityBlueprintPrincipal") => {
            OwnerKind::ServicePrincipal
        }
        _ => OwnerKind::Other,
    }
}

/// The maximum number of owners in an expanded list. A list of this length may be incomplete
/// (MICROSOFT.md §7.5).
const ALONG: usize = 20;

/// An object: the application it belongs to, which of the application's two objects it is, its
/// path, and its owners in the expanded list.
pub(super) type Told = (ObjectId, CredentialOf, String, Option<Vec<OwnerRow>>);

/// The owners of each application, of both its objects together.
pub(super) async fn complete(
    customer: &Customer,
    lists: Vec<Told>,
) -> BTreeMap<ObjectId, Result<Vec<AppOwner>>> {
    let is_whole =
        |told: &Option<Vec<OwnerRow>>| told.as_ref().is_some_and(|list| list.len() < ALONG);
    let paths: Vec<String> = lists
        .iter()
        .filter(|(.., told)| !is_whole(told))
        .map(|(_, _, at, _)| format!("{at}/owners?$select=id,displayName&$top=999"))
        .collect();
    let answers: Vec<Answered> = match paths.as_slice() {
        [] => Vec::new(),
        paths => match customer.graph_batch_each(paths).await {
            Ok(call) => call.value,
            Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
        },
    };
    let mut answers = answers.into_iter();
    let mut found: BTreeMap<ObjectId, Result<Vec<AppOwner>>> = BTreeMap::new();
    for (object, of, _, told) in lists {
        let rows = match told {
            Some(list) if list.len() < ALONG => Ok(list),
            _ => rest(customer, answers.next()).await,
        };
        let rows = rows.map(|rows| rows.into_iter().map(|row| row.owner(of)));
        let place = found.entry(object).or_insert_with(|| Ok(Vec::new()));
        match (&mut *place, rows) {
            (Ok(list), Ok(rows)) => list.extend(rows),
            (Ok(_), Err(error)) => *place = Err(error),
            (Err(_), _) => {}
        }
    }
    for list in found.values_mut().flatten() {
        list.sort_unstable();
    }
    found
}

async fn rest(customer: &Customer, answer: Option<Answered>) -> Result<Vec<OwnerRow>> {
    let missing = "the owners of an application that was there a moment ago";
    match answer {
        Some(answer) => customer.rest_of_list(there(answer, missing)?).await,
        None => Err(Error::unsent(
            Service::Graph,
            Kind::Malformed,
            "an answer is missing",
        )),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnedRow {
    id: ObjectId,
    #[serde(rename = "@odata.type", default)]
    kind: Option<String>,
    #[serde(default)]
    app_id: Option<AppId>,
}

#[derive(Deserialize)]
struct Id {
    id: ObjectId,
}

/// The service principals of the applications that one application owns.
pub(in super::super) async fn of_one(
    log: &Log<'_>,
    owner: ObjectId,
    first: Answered,
) -> Result<Vec<ObjectId>> {
    log.part(ScanPart::Owners, |customer| async move {
        let first = there(first, "what the application owns")?;
        let rows: Vec<OwnedRow> = customer.rest_of_list(first).await?;
        let mut owned = BTreeSet::new();
        let mut registered = Vec::new();
        for row in rows {
            match row.kind.as_deref() {
                Some(
                    "#microsoft.graph.application" | "#microsoft.graph.agentIdentityBlueprint",
                ) => {
                    registered.extend(row.app_id);
                }
                other if kind(other) == OwnerKind::ServicePrincipal => {
                    owned.insert(row.id);
                }
                _ => {}
            }
        }
        if !registered.is_empty() {
            let paths: Vec<String> = registered
                .iter()
                .map(|app| format!("/servicePrincipals(appId='{app}')?$select=id"))
                .collect();
            for answer in customer.graph_batch_each(&paths).await?.value {
                // Nobody can sign in here to a registration without a service principal, so it
                // gives no access here.
                let Some(body) = answer? else { continue };
                let row: Id = serde_json::from_value(body).map_err(|error| {
                    Error::unsent(Service::Graph, Kind::Malformed, error.to_string())
                })?;
                owned.insert(row.id);
            }
        }
        owned.remove(&owner);
        let owned: Vec<ObjectId> = owned.into_iter().collect();
        Ok((owned.len(), owned))
    })
    .await
}
