//! The parts that depend on no other part, in one request of Graph: who holds app roles of both
//! resources, who holds directory roles, delegated permissions, agent identities (MICROSOFT.md
//! §7.1, §10.3, §10.5, §10.8).

use domain::{
    id::ObjectId,
    permission::{Resource, other::OtherResource},
};

use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::{applications::by_app_id, batch::Answered},
};

/// The first page of each list.
pub(super) struct First {
    pub(super) graph: Grants,
    pub(super) exchange: Grants,
    pub(super) roles: Answered,
    pub(super) delegated: Answered,
    pub(super) agents: Answered,
    /// The grants of resources other than Graph and Exchange.
    pub(super) others: Vec<(OtherResource, Grants)>,
    /// The keys of Exchange's own service principal.
    pub(super) exchange_keys: Answered,
    /// The objects that the one application owns.
    pub(super) owned: Option<Answered>,
}

/// The grants of one resource.
pub(super) struct Grants {
    pub(super) principal: Answered,
    pub(super) assigned: Answered,
}

/// `only`: reads only this application, where Graph can filter by application.
pub(super) async fn read(customer: &Customer, only: Option<ObjectId>) -> First {
    let [graph, exchange] = Resource::ALL.map(|resource| by_app_id(resource.app_id()));
    let principal = |at: &str| format!("/{at}?$select=id,appId,appRoles");
    let assigned = |at: &str| format!("/{at}/appRoleAssignedTo?$top=999");
    let mut paths = vec![
        principal(&graph),
        assigned(&graph),
        principal(&exchange),
        assigned(&exchange),
        "/roleManagement/directory/roleAssignments?$expand=principal".to_owned(),
        match only {
            Some(object) => format!("/servicePrincipals/{object}/oauth2PermissionGrants?$top=999"),
            None => "/oauth2PermissionGrants?$top=999".to_owned(),
        },
        "/servicePrincipals/microsoft.graph.agentIdentity?$select=id,appId,agentIdentityBlueprintId&$top=999"
            .to_owned(),
    ];
    for other in OtherResource::ALL {
        let at = by_app_id(other.app_id());
        paths.extend([principal(&at), assigned(&at)]);
    }
    paths.push(format!(
        "/{exchange}?$select=id,keyCredentials,passwordCredentials"
    ));
    if let Some(object) = only {
        paths.push(format!("/servicePrincipals/{object}/ownedObjects?$top=999"));
    }
    let mut answers = match customer.graph_batch_each(&paths).await {
        Ok(call) => call.value,
        Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
    }
    .into_iter();
    let mut next = || {
        answers.next().unwrap_or_else(|| {
            let message = "an answer is missing";
            Err(Error::unsent(Service::Graph, Kind::Malformed, message))
        })
    };
    First {
        graph: Grants {
            principal: next(),
            assigned: next(),
        },
        exchange: Grants {
            principal: next(),
            assigned: next(),
        },
        roles: next(),
        delegated: next(),
        agents: next(),
        others: OtherResource::ALL
            .map(|resource| {
                let grants = Grants {
                    principal: next(),
                    assigned: next(),
                };
                (resource, grants)
            })
            .into(),
        exchange_keys: next(),
        owned: only.map(|_| next()),
    }
}

/// The body of a list that exists in every tenant.
pub(super) fn there(answer: Answered, what: &str) -> Result<serde_json::Value> {
    answer?.ok_or_else(|| {
        let message = format!("Graph does not know {what}");
        Error::unsent(Service::Graph, Kind::NotFound, message)
    })
}
