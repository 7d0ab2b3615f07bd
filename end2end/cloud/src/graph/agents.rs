//! Agent identities, their blueprints, and what children inherit (MICROSOFT.md §10.8).

use serde_json::{Value, json};
use uuid::Uuid;

use super::applications::{APPLICATIONS, PRINCIPALS, application_id, application_row};
use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities};
use crate::http_parts::Reply;
use crate::world::tenant::{ServicePrincipal, Tenant};

const INHERITABLE: Shape = Shape {
    name: "inheritablePermissions",
    default: &[],
    filterable: &["resourceAppId"],
    searchable: &[],
    top: TOP,
};

fn list_principals(
    context: &mut Context<'_>,
    wanted: fn(&Tenant, &ServicePrincipal) -> bool,
) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = tenant
        .principals
        .values()
        .filter(|found| wanted(tenant, found))
        .map(|found| entities::principal(tenant, found))
        .collect();
    odata::list(context, rows, &PRINCIPALS)
}

pub fn agents(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    list_principals(context, |tenant, found| {
        tenant.blueprint_of(found.id).is_some()
    })
}

pub fn blueprint_principals(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    list_principals(context, |tenant, found| tenant.is_blueprint(found.app_id))
}

pub fn blueprints(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = tenant
        .applications
        .values()
        .filter(|found| tenant.is_blueprint(found.app_id))
        .map(|found| application_row(tenant, found, &[]))
        .collect();
    odata::list(context, rows, &APPLICATIONS)
}

/// The agent identity of the route; other service principals are not found.
fn agent_of_route(context: &mut Context<'_>) -> Result<Uuid, GraphError> {
    let key = context.key(0).to_owned();
    let tenant = context.tenant()?;
    Uuid::parse_str(&key)
        .ok()
        .filter(|id| tenant.blueprint_of(*id).is_some())
        .ok_or_else(|| GraphError::not_found(&key))
}

pub fn agent(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = agent_of_route(context)?;
    let tenant = context.tenant()?;
    let row = tenant
        .principals
        .get(&id)
        .map(|found| entities::principal(tenant, found))
        .ok_or_else(|| GraphError::not_found(&id.to_string()))?;
    odata::entity(context, row, &PRINCIPALS)
}

/// Everything in one answer: no pages, and no query.
fn whole(context: &Context<'_>, value: Vec<Value>) -> Result<Reply, GraphError> {
    odata::check_options(context, &[])?;
    Ok(Reply::json(200, &json!({ "value": value })))
}

/// Beta only: v1.0 does not know the address.
fn only_in_beta(context: &Context<'_>, segment: &str) -> Result<(), GraphError> {
    if context.version == "beta" {
        return Ok(());
    }
    Err(GraphError::new(
        400,
        "BadRequest",
        format!("Resource not found for the segment '{segment}'."),
    ))
}

pub fn inherited_roles(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    only_in_beta(context, "inheritedAppRoleAssignments")?;
    let id = agent_of_route(context)?;
    let tenant = context.tenant()?;
    let rows = tenant
        .inherited_roles(id)
        .into_iter()
        .map(|entry| entities::assignment(tenant, entry))
        .collect();
    whole(context, rows)
}

/// Grants for everybody alone: those of single persons are not inherited.
pub fn inherited_consents(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    only_in_beta(context, "inheritedOauth2PermissionGrants")?;
    let id = agent_of_route(context)?;
    let now = context.world.dice.now();
    let tenant = context.tenant()?;
    let blueprint = tenant.blueprint_of(id);
    let parent = blueprint.and_then(|app_id| tenant.principal_by_app(app_id));
    let rows = tenant
        .scope_grants
        .iter()
        .filter(|grant| grant.principal.is_none())
        .filter(|grant| {
            let resource = tenant.resource_principal(grant.resource);
            match (parent, blueprint, resource) {
                (Some(parent), Some(blueprint), Some(resource)) => {
                    grant.client == parent.id && tenant.inherits(blueprint, resource.id, false)
                }
                _ => false,
            }
        })
        .map(|grant| entities::consent(tenant, grant, now))
        .collect();
    whole(context, rows)
}

/// What the children of a blueprint inherit, resource by resource.
pub fn inheritable(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let key = context.key(0).to_owned();
    // Behind the type's name the application id will do as well as the object id.
    let by_app = Uuid::parse_str(&key).ok().filter(|id| {
        context
            .tenant()
            .is_ok_and(|tenant| tenant.is_blueprint(*id))
    });
    let app_id = match by_app {
        Some(app_id) => app_id,
        None => {
            let id = application_id(context)?;
            let found = context.tenant()?.applications.get(&id);
            found.map_or(Uuid::nil(), |found| found.app_id)
        }
    };
    let tenant = context.tenant()?;
    let rows = tenant
        .directory
        .agents
        .blueprints
        .get(&app_id)
        .ok_or_else(|| GraphError::not_found(&key))?
        .inheritable
        .iter()
        .map(|entry| {
            let pattern = |all: bool, what: &str| {
                let (kind, name) = match all {
                    true => ("allAllowed", format!("allAllowed{what}")),
                    false => ("none", format!("no{what}")),
                };
                json!({"@odata.type": format!("#microsoft.graph.{name}"), "kind": kind})
            };
            json!({
                "resourceAppId": entry.resource.app_id(),
                "inheritableScopes": pattern(entry.scopes, "Scopes"),
                "inheritableRoles": pattern(entry.roles, "Roles"),
            })
        })
        .collect();
    odata::list(context, rows, &INHERITABLE)
}
