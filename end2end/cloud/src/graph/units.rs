//! Administrative units, which RBAC for Applications can be scoped to (MICROSOFT.md §3.1, §7.5).

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities};
use crate::http_parts::Reply;
use crate::world::access::AdministrativeUnit;
use crate::world::tenant::Tenant;

const UNITS: Shape = Shape {
    name: "directory/administrativeUnits",
    default: &[],
    filterable: &["id", "displayName"],
    searchable: &["displayName"],
    top: TOP,
};

const MEMBERS: Shape = Shape {
    name: "directoryObjects",
    default: &[],
    filterable: &["id", "displayName", "mail"],
    searchable: &["displayName"],
    top: TOP,
};

fn shown(tenant: &Tenant, unit: &AdministrativeUnit) -> Value {
    let hidden = tenant.directory.hidden_units.contains(&unit.id);
    json!({
        "id": unit.id,
        "displayName": unit.name,
        "description": null,
        "membershipRule": null,
        "membershipType": null,
        "visibility": if hidden { json!("HiddenMembership") } else { Value::Null },
    })
}

pub fn all(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = tenant
        .units
        .values()
        .map(|unit| shown(tenant, unit))
        .collect();
    odata::list(context, rows, &UNITS)
}

fn of_route(context: &mut Context<'_>) -> Result<AdministrativeUnit, GraphError> {
    let key = context.key(0).to_owned();
    Uuid::parse_str(&key)
        .ok()
        .and_then(|id| context.tenant().ok()?.units.get(&id).cloned())
        .ok_or_else(|| GraphError::not_found(&key))
}

pub fn one(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let unit = of_route(context)?;
    let row = shown(context.tenant()?, &unit);
    odata::entity(context, row, &UNITS)
}

/// Hidden members show to who may read hidden members, and to nobody else.
pub fn members(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let unit = of_route(context)?;
    let hidden = context.tenant()?.directory.hidden_units.contains(&unit.id)
        && context.keeps_hidden_members()?;
    let tenant = context.tenant()?;
    let rows = unit
        .members
        .iter()
        .filter(|_| !hidden)
        .filter_map(|id| entities::member(tenant, *id))
        .collect();
    odata::list(context, rows, &MEMBERS)
}
