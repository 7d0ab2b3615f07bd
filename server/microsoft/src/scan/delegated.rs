//! What applications may do for the person who signs in to them (MICROSOFT.md §10.5).

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::ObjectId,
    permission::{Resource, delegated_matters},
    reach::DelegatedGrant,
};
use serde::Deserialize;

use super::{
    first::there,
    grants::Grants,
    log::{Log, Running},
};
use crate::{
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    client_id: ObjectId,
    consent_type: String,
    resource_id: ObjectId,
    #[serde(default)]
    scope: Option<String>,
}

/// The client, the resource, and whether the grant is for everybody or for single people.
type Key = (ObjectId, Resource, bool);

#[derive(Default)]
struct Fold {
    scopes: BTreeSet<String>,
    rows: u32,
}

/// The grants with a relevant scope. There can be a row for each person of the tenant, so rows are
/// merged as they arrive.
pub(super) async fn read(
    log: &Log<'_>,
    running: Running,
    first: Answered,
    grants: &Grants,
) -> Result<Vec<DelegatedGrant>> {
    let found = list(&running, first, grants).await;
    let count = found.as_ref().map(Vec::len).map_err(Clone::clone);
    log.end(&running, count);
    found
}

async fn list(running: &Running, first: Answered, grants: &Grants) -> Result<Vec<DelegatedGrant>> {
    let first = there(first, "the delegated permissions")?;
    let mut folds: BTreeMap<Key, Fold> = BTreeMap::new();
    let mut failure = None;
    running
        .customer
        .rest_of_list_into(first, |rows: Vec<Row>| {
            for row in rows {
                if let Err(error) = fold(&mut folds, row, grants) {
                    failure.get_or_insert(error);
                }
            }
        })
        .await?;
    if let Some(error) = failure {
        return Err(error);
    }
    Ok(folds
        .into_iter()
        .map(|((client, resource, for_all), fold)| DelegatedGrant {
            client,
            resource,
            for_all,
            people: if for_all { 0 } else { fold.rows },
            scopes: fold.scopes.into_iter().collect(),
        })
        .collect())
}

fn fold(folds: &mut BTreeMap<Key, Fold>, row: Row, grants: &Grants) -> Result<()> {
    let Some(resource) = grants.resource(row.resource_id)? else {
        return Ok(());
    };
    let for_all = match row.consent_type.as_str() {
        "AllPrincipals" => true,
        "Principal" => false,
        other => {
            let message = format!("a delegated permission is for “{other}”");
            return Err(Error::unsent(Service::Graph, Kind::Malformed, message));
        }
    };
    let text = row.scope.unwrap_or_default();
    let mut scopes = text
        .split_whitespace()
        .filter(|scope| delegated_matters(resource, scope))
        .peekable();
    if scopes.peek().is_none() {
        return Ok(());
    }
    let fold = folds.entry((row.client_id, resource, for_all)).or_default();
    fold.rows = fold.rows.saturating_add(1);
    fold.scopes.extend(scopes.map(str::to_owned));
    Ok(())
}
