//! What a partner sees of its customers: GDAP relationships and contracts (MICROSOFT.md §6.5).

use serde_json::json;

use super::errors::GraphError;
use super::odata::{self, Shape};
use super::{Context, entities};
use crate::http_parts::Reply;
use crate::world::Relationship;

const RELATIONSHIPS: Shape = Shape {
    name: "tenantRelationships/delegatedAdminRelationships",
    default: &[],
    filterable: &["id", "status", "displayName", "customer/tenantId"],
    searchable: &[],
    top: 300,
};

const CUSTOMERS: Shape = Shape {
    name: "tenantRelationships/delegatedAdminCustomers",
    default: &[],
    filterable: &["id", "tenantId", "displayName"],
    searchable: &[],
    top: 300,
};

const CONTRACTS: Shape = Shape {
    name: "contracts",
    default: &[],
    filterable: &[
        "id",
        "customerId",
        "contractType",
        "defaultDomainName",
        "displayName",
    ],
    searchable: &[],
    top: 999,
};

fn own(context: &Context<'_>) -> Vec<Relationship> {
    context
        .world
        .relationships
        .iter()
        .filter(|relationship| relationship.partner == context.claims.tenant)
        .cloned()
        .collect()
}

pub fn relationships(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let rows = own(context).iter().map(entities::relationship).collect();
    odata::list(context, rows, &RELATIONSHIPS)
}

fn one(context: &Context<'_>) -> Result<Relationship, GraphError> {
    own(context)
        .into_iter()
        .find(|relationship| relationship.id == context.key(0))
        .ok_or_else(|| GraphError::not_found(context.key(0)))
}

pub fn relationship(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let found = one(context)?;
    odata::entity(context, entities::relationship(&found), &RELATIONSHIPS)
}

pub fn access_assignments(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let found = one(context)?;
    let roles: Vec<_> = found
        .roles
        .iter()
        .map(|role| json!({"roleDefinitionId": role.template()}))
        .collect();
    let rows = vec![json!({
        "@odata.type": "#microsoft.graph.delegatedAdminAccessAssignment",
        "id": uuid::Uuid::new_v5(&found.group, found.id.as_bytes()),
        "status": "active",
        "accessContainer": {
            "accessContainerId": found.group,
            "accessContainerType": "securityGroup",
        },
        "accessDetails": {"unifiedRoles": roles},
    })];
    let shape = Shape {
        name: "accessAssignments",
        ..RELATIONSHIPS
    };
    odata::list(context, rows, &shape)
}

pub fn customers(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let mut rows = Vec::new();
    for relationship in own(context) {
        let row = json!({
            "id": relationship.customer,
            "tenantId": relationship.customer,
            "displayName": relationship.customer_name,
        });
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    odata::list(context, rows, &CUSTOMERS)
}

/// Contracts are sales, not rights: every customer has one, GDAP or not.
pub fn contracts(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    if context.claims.tenant != context.world.partner {
        return odata::list(context, Vec::new(), &CONTRACTS);
    }
    let partner = context.world.partner;
    let rows = context
        .world
        .tenants
        .summaries()
        .filter(|summary| summary.id != partner && summary.recipe.is_customer())
        .map(|summary| {
            json!({
                "id": uuid::Uuid::new_v5(&partner, summary.id.as_bytes()),
                "contractType": "ResellerPartnerContract",
                "customerId": summary.id,
                "defaultDomainName": summary.domain,
                "deletedDateTime": null,
                "displayName": summary.name,
            })
        })
        .collect();
    odata::list(context, rows, &CONTRACTS)
}
