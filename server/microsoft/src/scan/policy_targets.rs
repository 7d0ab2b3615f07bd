//! What policies are about whose id is no client id of an application that was read
//! (MICROSOFT.md §2.4): the cmdlet takes any id.

use std::collections::BTreeSet;

use domain::{
    application::AccessPolicy,
    id::{AppId, ObjectId},
    reach::{PolicyNames, Principal, ScanPart, UnmatchedPolicy},
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
    #[serde(default)]
    display_name: Option<String>,
}

impl Row {
    fn name(&self) -> String {
        self.display_name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.app_id.to_string())
    }
}

/// `only`: just those that name this one by its object id; nobody is asked about others.
pub(super) async fn read(
    log: &Log<'_>,
    policies: &Part<Vec<AccessPolicy>>,
    principals: &Result<Vec<Principal>>,
    only: Option<ObjectId>,
) -> Result<Vec<UnmatchedPolicy>> {
    let policies = policies.as_ref().map_err(Clone::clone)?;
    let principals = principals.as_ref().map_err(Clone::clone)?;
    let strange = |policy: &&AccessPolicy| {
        policy
            .app_id
            .is_some_and(|id| principals.iter().all(|one| one.app_id != id))
    };
    let stray: Vec<&AccessPolicy> = policies.iter().filter(strange).collect();
    let by_object = |id: AppId| {
        principals
            .iter()
            .find(|one| one.object.0 == id.0)
            .map(|one| PolicyNames::PrincipalObject {
                object: one.object,
                app_id: one.app_id,
                name: one.name.clone(),
            })
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
    let of = |id: AppId| {
        by_object(id).or_else(|| {
            let place = ids.iter().position(|one| *one == id)?;
            found.get(place).cloned()
        })
    };
    Ok(stray
        .into_iter()
        .filter_map(|policy| {
            Some(UnmatchedPolicy {
                identity: policy.identity.clone(),
                names: of(policy.app_id?)?,
            })
        })
        .collect())
}

/// What each of these ids is, in their order.
async fn names(customer: &Customer, ids: &[AppId]) -> Result<Vec<PolicyNames>> {
    let select = "$select=id,appId,displayName";
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
                (Some(row), ..) => PolicyNames::Client {
                    object: row.id,
                    name: row.name(),
                },
                (_, Some(row), _) => PolicyNames::PrincipalObject {
                    object: row.id,
                    app_id: row.app_id,
                    name: row.name(),
                },
                (_, _, Some(row)) => PolicyNames::RegistrationObject {
                    app_id: row.app_id,
                    name: row.name(),
                },
                _ => PolicyNames::Nothing,
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
