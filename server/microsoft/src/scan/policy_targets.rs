//! The targets of policies whose id is not the client id of an application that was read
//! (MICROSOFT.md §2.4). The cmdlet accepts any id.

use std::collections::BTreeSet;

use domain::{
    application::AccessPolicy,
    id::{AppId, ObjectId},
    reach::{Meant, Principal, ScanPart, StrayPolicy},
};
use serde::Deserialize;

use super::{Part, log::Log};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: ObjectId,
    app_id: AppId,
}

/// `only`: reads only the policies that name this application by its object id. Other ids are not
/// looked up.
pub(super) async fn read(
    log: &Log<'_>,
    policies: &Part<Vec<AccessPolicy>>,
    principals: &Result<Vec<Principal>>,
    only: Option<ObjectId>,
) -> Result<Vec<StrayPolicy>> {
    let policies = policies.as_ref().map_err(Clone::clone)?;
    let principals = principals.as_ref().map_err(Clone::clone)?;
    let strange = |policy: &&AccessPolicy| {
        policy
            .app_id
            .is_some_and(|id| principals.iter().all(|one| one.app_id != id))
    };
    let stray: Vec<&AccessPolicy> = policies.iter().filter(strange).collect();
    let by_object = |id: AppId| {
        let one = principals.iter().find(|one| one.object.0 == id.0)?;
        Some(Meant::Principal { object: one.object })
    };
    let ids: BTreeSet<AppId> = stray
        .iter()
        .filter_map(|policy| policy.app_id)
        .filter(|id| only.is_none() && by_object(*id).is_none())
        .collect();
    let ids: Vec<AppId> = ids.into_iter().collect();
    let found = if ids.is_empty() {
        Vec::new()
    } else {
        let running = log.begin(ScanPart::PolicyTargets);
        let found = names(&running.customer, &ids).await;
        log.end(&running, found.as_ref().map(Vec::len).map_err(Clone::clone));
        found?
    };
    let of = |id: AppId| match by_object(id) {
        Some(meant) => Some(Named::Object(meant)),
        None => {
            let place = ids.iter().position(|one| *one == id)?;
            found.get(place).copied()
        }
    };
    Ok(stray
        .into_iter()
        .filter_map(|policy| {
            let app_id = policy.app_id?;
            let meant = match of(app_id)? {
                Named::Client => return None,
                Named::Object(meant) => Some(meant),
                Named::Nothing => None,
            };
            Some(StrayPolicy {
                identity: policy.identity.clone(),
                app_id,
                meant,
            })
        })
        .collect())
}

/// What an id refers to.
#[derive(Clone, Copy)]
enum Named {
    /// The client id of an application that holds none of the grants read.
    Client,
    Object(Meant),
    Nothing,
}

/// What each of these ids refers to, in their order.
async fn names(customer: &Customer, ids: &[AppId]) -> Result<Vec<Named>> {
    let select = "$select=id,appId";
    let paths: Vec<String> = ids
        .iter()
        .flat_map(|id| {
            [
                format!("/servicePrincipals(appId='{id}')?{select}"),
                format!("/servicePrincipals/{id}?{select}"),
                format!("/applications/{id}?{select}"),
            ]
        })
        .collect();
    let mut answers = customer.graph_batch_each(&paths).await?.value.into_iter();
    let mut next = || row(answers.next());
    ids.iter()
        .map(|_| {
            let (client, principal, registration) = (next()?, next()?, next()?);
            Ok(match (client, principal, registration) {
                (Some(_), ..) => Named::Client,
                (_, Some(row), _) => Named::Object(Meant::Principal { object: row.id }),
                (_, _, Some(row)) => Named::Object(Meant::Registration { app_id: row.app_id }),
                _ => Named::Nothing,
            })
        })
        .collect()
}

fn row(answer: Option<Answered>) -> Result<Option<Row>> {
    let broken = |message: String| Error::unsent(Service::Graph, Kind::Malformed, message);
    let answer = answer.ok_or_else(|| broken("an answer is missing".to_owned()))?;
    answer?
        .map(|body| serde_json::from_value(body).map_err(|error| broken(error.to_string())))
        .transpose()
}
