//! Who holds app roles that reach mailboxes: both resources in one request (MICROSOFT.md §7.1).

use std::sync::Arc;

use domain::{
    application,
    permission::Resource,
    reach::{Grant, ScanPart},
};
use serde_json::Value;

use super::log::{Log, Running};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::{
        ResourcePrincipal,
        applications::{Assignment, ResourceRow, by_app_id},
        batch::Answered,
    },
};

/// The grants of both resources. Exchange's are none where the tenant does not have it.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    pub(super) graph: Result<Vec<Grant>>,
    pub(super) exchange: Result<Option<Vec<Grant>>>,
}

pub(super) async fn read(log: &Log<'_>) -> Arc<Grants> {
    let running = Resource::ALL.map(|resource| log.begin(part(resource)));
    let [graph, exchange] = running;
    let paths: Vec<String> = Resource::ALL
        .map(|resource| by_app_id(resource.app_id()))
        .iter()
        .flat_map(|principal| {
            [
                format!("/{principal}?$select=id,appId,appRoles"),
                format!("/{principal}/appRoleAssignedTo?$top=999"),
            ]
        })
        .collect();
    // Counted with the first of the two.
    let mut answers: Vec<Answered> = match graph.customer.graph_batch_each(&paths).await {
        Ok(call) => call.value,
        Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut next = || {
        let missing = || Error::unsent(Service::Graph, Kind::Malformed, "an answer is missing");
        if answers.is_empty() {
            Err(missing())
        } else {
            answers.remove(0)
        }
    };
    let (of_graph, of_exchange) = ((next(), next()), (next(), next()));
    let (of_graph, of_exchange) = futures::join!(
        list(log, graph, Resource::Graph, of_graph),
        list(log, exchange, Resource::Exchange, of_exchange),
    );
    Arc::new(Grants {
        // Every tenant has Graph.
        graph: of_graph.and_then(|found| {
            found.ok_or_else(|| {
                Error::unsent(
                    Service::Graph,
                    Kind::NotFound,
                    "there is no service principal of Microsoft Graph",
                )
            })
        }),
        exchange: of_exchange,
    })
}

const fn part(resource: Resource) -> ScanPart {
    match resource {
        Resource::Graph => ScanPart::GraphGrants,
        Resource::Exchange => ScanPart::ExchangeGrants,
    }
}

/// All pages of one resource.
async fn list(
    log: &Log<'_>,
    running: Running,
    resource: Resource,
    answers: (Answered, Answered),
) -> Result<Option<Vec<Grant>>> {
    let found = grants(&running.customer, resource, answers).await;
    let count = found
        .as_ref()
        .map(|list| list.as_ref().map_or(0, Vec::len))
        .map_err(Clone::clone);
    log.end(&running, count);
    found
}

async fn grants(
    customer: &Customer,
    resource: Resource,
    (principal, assigned): (Answered, Answered),
) -> Result<Option<Vec<Grant>>> {
    let Some(principal) = principal? else {
        return Ok(None);
    };
    let principal = principal_of(principal)?;
    let Some(first) = assigned? else {
        return Err(Error::unsent(
            Service::Graph,
            Kind::NotFound,
            format!("nobody tells who holds roles of {}", resource.name()),
        ));
    };
    let rows: Vec<Assignment> = customer.rest_of_list(first).await?;
    if rows.iter().any(|row| row.resource_id != principal.object) {
        return Err(Error::unsent(
            Service::Graph,
            Kind::Mismatch,
            "an assignment belongs to another resource",
        ));
    }
    Ok(Some(
        rows.into_iter()
            .filter_map(|row| grant(resource, &principal, row))
            .collect(),
    ))
}

fn principal_of(body: Value) -> Result<ResourcePrincipal> {
    serde_json::from_value::<ResourceRow>(body)
        .map(ResourcePrincipal::from)
        .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string()))
}

/// Users and groups can hold app roles too; they are no applications. What is known to reach no
/// mailbox is left out, so that nobody has to read who holds it.
fn grant(resource: Resource, principal: &ResourcePrincipal, row: Assignment) -> Option<Grant> {
    if row
        .principal_type
        .is_some_and(|kind| kind != "ServicePrincipal")
    {
        return None;
    }
    let role = row.app_role_id;
    let value = principal
        .roles
        .get(&role)
        .filter(|value| !value.is_empty())
        .cloned();
    let elsewhere = value.as_ref().is_some_and(|value| {
        let named = application::Grant {
            resource,
            role,
            value: value.clone(),
        };
        !named.reaches_mailboxes()
    });
    (!elsewhere).then_some(Grant {
        principal: row.principal_id,
        role,
        value,
    })
}
