//! Agent identities and the app roles that they inherit from their blueprint (MICROSOFT.md §10.8).
//! Graph lists such a role only at the blueprint.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AppId, ObjectId},
    permission::Resource,
    reach::InheritedGrant,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    first::there,
    grants::Grants,
    log::{Log, Running},
};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: ObjectId,
    #[serde(default)]
    agent_identity_blueprint_id: Option<AppId>,
}

#[derive(Deserialize)]
struct Id {
    id: ObjectId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inheritable {
    resource_app_id: AppId,
    #[serde(default)]
    inheritable_roles: Option<Value>,
}

/// `only`: reads only this agent identity.
pub(super) async fn read(
    log: &Log<'_>,
    running: Running,
    first: Answered,
    only: Option<ObjectId>,
    grants: impl Future<Output = std::sync::Arc<Grants>>,
) -> Result<Vec<InheritedGrant>> {
    let found = list(&running.customer, first, only, grants).await;
    let count = found.as_ref().map(Vec::len).map_err(Clone::clone);
    log.end(&running, count);
    found
}

async fn list(
    customer: &Customer,
    first: Answered,
    only: Option<ObjectId>,
    grants: impl Future<Output = std::sync::Arc<Grants>>,
) -> Result<Vec<InheritedGrant>> {
    let first = there(first, "agent identities")?;
    let mut children: BTreeMap<AppId, Vec<ObjectId>> = BTreeMap::new();
    for row in customer.rest_of_list::<Row>(first).await? {
        if only.is_some_and(|only| only != row.id) {
            continue;
        }
        let Some(blueprint) = row.agent_identity_blueprint_id else {
            return Err(malformed("an agent identity names no blueprint"));
        };
        children.entry(blueprint).or_default().push(row.id);
    }
    if children.is_empty() {
        return Ok(Vec::new());
    }
    let paths: Vec<String> = children
        .keys()
        .flat_map(|app| {
            [
                format!("/servicePrincipals(appId='{app}')?$select=id"),
                format!(
                    "/applications(appId='{app}')/microsoft.graph.agentIdentityBlueprint/inheritablePermissions"
                ),
            ]
        })
        .collect();
    let (answers, grants) = futures::join!(customer.graph_batch_each(&paths), grants);
    let mut answers = answers?.value.into_iter();
    let mut found = Vec::new();
    for children in children.into_values() {
        let (Some(principal), Some(inheritable)) = (answers.next(), answers.next()) else {
            return Err(malformed("an answer is missing"));
        };
        // Without a principal there is nothing that could hold a grant.
        let Some(principal) = principal? else {
            continue;
        };
        let blueprint = serde_json::from_value::<Id>(principal)
            .map_err(|error| malformed(&error.to_string()))?
            .id;
        let held: Vec<(Resource, _)> = of_both(&grants, blueprint)?;
        if held.is_empty() {
            continue;
        }
        let resources = resources(customer, inheritable).await?;
        for (resource, grant) in held {
            if !resources.contains(&resource) {
                continue;
            }
            found.extend(children.iter().map(|child| InheritedGrant {
                principal: *child,
                blueprint,
                resource,
                role: grant.role,
                value: grant.value.clone(),
            }));
        }
    }
    Ok(found)
}

/// The grants of a blueprint. When some grants could not be read, the result is an error, because
/// those may be the blueprint's.
fn of_both(grants: &Grants, blueprint: ObjectId) -> Result<Vec<(Resource, &domain::reach::Grant)>> {
    if let Err(error) = &grants.graph {
        return Err(error.clone());
    }
    if let Err(error) = &grants.exchange {
        return Err(error.clone());
    }
    Ok(grants
        .all()
        .filter(|(_, grant)| grant.principal == blueprint)
        .collect())
}

/// The resources whose app roles the children inherit.
async fn resources(customer: &Customer, answer: Answered) -> Result<BTreeSet<Resource>> {
    let Some(first) = answer? else {
        let message = "the registration of the agents' blueprint is in another tenant";
        return Err(Error::unsent(Service::Graph, Kind::NotFound, message));
    };
    let rows: Vec<Inheritable> = customer.rest_of_list(first).await?;
    let mut found = BTreeSet::new();
    for row in rows {
        let resource = Resource::ALL
            .into_iter()
            .find(|resource| resource.app_id() == row.resource_app_id.0);
        let Some(resource) = resource else { continue };
        match inherits(row.inheritable_roles.as_ref()) {
            Some(true) => {
                found.insert(resource);
            }
            Some(false) => {}
            None => return Err(malformed("what agents inherit is not understood")),
        }
    }
    Ok(found)
}

/// Whether all of a resource's roles are inherited, or none. Scopes are decided elsewhere. None:
/// the value is not understood.
fn inherits(roles: Option<&Value>) -> Option<bool> {
    let kind = match roles {
        None | Some(Value::Null) => return Some(false),
        Some(Value::String(kind)) => kind.as_str(),
        Some(roles) => roles
            .get("kind")
            .or_else(|| roles.get("@odata.type"))
            .and_then(Value::as_str)?,
    };
    let kind = kind.rsplit('.').next().unwrap_or(kind).to_lowercase();
    if kind.starts_with("allallowed") {
        Some(true)
    } else if kind.starts_with("no") {
        Some(false)
    } else {
        None
    }
}

fn malformed(message: &str) -> Error {
    Error::unsent(Service::Graph, Kind::Malformed, message)
}
