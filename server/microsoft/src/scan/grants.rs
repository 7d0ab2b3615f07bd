//! Who holds app roles that reach mailboxes or give a power (MICROSOFT.md §7.1, §10.2).

use domain::{
    id::{AppRoleId, ObjectId},
    permission::{self, Resource},
    reach::{Grant, InheritedGrant, ScanPart},
};
use serde_json::Value;

use super::{
    first,
    log::{Log, Running},
};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::{
        ResourcePrincipal,
        applications::{Assignment, ResourceRow},
        batch::Answered,
    },
};

/// The grants of both resources. Exchange's are none where the tenant has no Exchange.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    pub(super) graph: Result<Vec<Grant>>,
    pub(super) exchange: Result<Option<Vec<Grant>>>,
    /// The service principals of Graph and of Exchange. Other lists refer to the two by these ids.
    resources: [Result<Option<ObjectId>>; 2],
}

/// Completes the first request's answers about the two resources.
pub(super) async fn read(
    log: &Log<'_>,
    running: [Running; 2],
    answers: [first::Grants; 2],
) -> Grants {
    let [of_graph, of_exchange] = running;
    let [graph, exchange] = answers;
    let resource_of = |answer: &Answered| {
        let body = answer.as_ref().map_err(Clone::clone)?.clone();
        body.map(principal_of)
            .transpose()
            .map(|found| found.map(|one| one.object))
    };
    let resources = [
        resource_of(&graph.principal),
        resource_of(&exchange.principal),
    ];
    let (of_graph, of_exchange) = futures::join!(
        list(log, of_graph, Resource::Graph, graph),
        list(log, of_exchange, Resource::Exchange, exchange),
    );
    Grants {
        // Every tenant has Graph, so a missing answer is an error.
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
        resources,
    }
}

impl Grants {
    /// The grants of both resources, as far as they were read.
    pub(super) fn all(&self) -> impl Iterator<Item = (Resource, &Grant)> {
        let of_graph = self.graph.iter().flatten();
        let of_exchange = self.exchange.iter().flatten().flatten();
        of_graph
            .map(|grant| (Resource::Graph, grant))
            .chain(of_exchange.map(|grant| (Resource::Exchange, grant)))
    }

    /// Who holds which role of Exchange, directly or through a blueprint. The name of a role is
    /// none when it is not known.
    pub(super) fn held_at_exchange<'a>(
        &'a self,
        inherited: &'a [InheritedGrant],
    ) -> Result<impl Iterator<Item = (ObjectId, Option<&'a str>)>> {
        let own = match &self.exchange {
            Ok(list) => list.as_deref().unwrap_or_default(),
            Err(error) => return Err(error.clone()),
        };
        let named = |value: &'a Option<String>, role| {
            value
                .as_deref()
                .or_else(|| permission::find(Resource::Exchange, role).map(|known| known.value))
        };
        let own = own
            .iter()
            .map(move |grant| (grant.principal, named(&grant.value, grant.role)));
        let inherited = inherited
            .iter()
            .filter(|grant| grant.resource == Resource::Exchange)
            .map(move |grant| (grant.principal, named(&grant.value, grant.role)));
        Ok(own.chain(inherited))
    }

    /// The resource with this service principal. None for any other principal.
    pub(super) fn resource(&self, object: ObjectId) -> Result<Option<Resource>> {
        for (resource, own) in Resource::ALL.into_iter().zip(&self.resources) {
            match own {
                Ok(Some(own)) if *own == object => return Ok(Some(resource)),
                Ok(_) => {}
                Err(error) => return Err(error.clone()),
            }
        }
        Ok(None)
    }
}

pub(super) const fn part(resource: Resource) -> ScanPart {
    match resource {
        Resource::Graph => ScanPart::GraphGrants,
        Resource::Exchange => ScanPart::ExchangeGrants,
    }
}

/// Reads all pages of one resource.
async fn list(
    log: &Log<'_>,
    running: Running,
    resource: Resource,
    answers: first::Grants,
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
    answers: first::Grants,
) -> Result<Option<Vec<Grant>>> {
    let held = held(customer, resource.name(), answers).await?;
    Ok(held.map(|Held { principal, rows }| {
        rows.into_iter()
            .filter_map(|row| grant(resource, &principal, row))
            .collect()
    }))
}

/// Who holds roles of one resource.
pub(super) struct Held {
    pub(super) principal: ResourcePrincipal,
    /// The assignments of applications. Users and groups can hold app roles too, and are left out.
    pub(super) rows: Vec<Assignment>,
}

impl Held {
    /// The value of a role. None when the role has no value or is not known.
    pub(super) fn value(principal: &ResourcePrincipal, role: AppRoleId) -> Option<&String> {
        principal.roles.get(&role).filter(|value| !value.is_empty())
    }
}

/// Reads all pages of who holds roles of one resource. None where the tenant does not have the
/// resource.
pub(super) async fn held(
    customer: &Customer,
    name: &str,
    first::Grants {
        principal,
        assigned,
    }: first::Grants,
) -> Result<Option<Held>> {
    let Some(principal) = principal? else {
        return Ok(None);
    };
    let principal = principal_of(principal)?;
    let Some(first) = assigned? else {
        return Err(Error::unsent(
            Service::Graph,
            Kind::NotFound,
            format!("nobody tells who holds roles of {name}"),
        ));
    };
    let mut rows: Vec<Assignment> = customer.rest_of_list(first).await?;
    if rows.iter().any(|row| row.resource_id != principal.object) {
        return Err(Error::unsent(
            Service::Graph,
            Kind::Mismatch,
            "an assignment belongs to another resource",
        ));
    }
    rows.retain(|row| {
        let kind = row.principal_type.as_deref();
        kind.is_none_or(|kind| kind == "ServicePrincipal")
    });
    Ok(Some(Held { principal, rows }))
}

fn principal_of(body: Value) -> Result<ResourcePrincipal> {
    serde_json::from_value::<ResourceRow>(body)
        .map(ResourcePrincipal::from)
        .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string()))
}

/// A grant that matters. Other grants are left out, so that nobody has to read their holders.
fn grant(resource: Resource, principal: &ResourcePrincipal, row: Assignment) -> Option<Grant> {
    let role = row.app_role_id;
    let value = Held::value(principal, role).cloned();
    let matters = value.as_deref().is_none_or(|value| {
        permission::find(resource, role).is_some() || permission::matters(resource, value)
    });
    matters.then_some(Grant {
        principal: row.principal_id,
        role,
        value,
    })
}
