//! App-role assignments (the grants of applications) and delegated consents.

use serde_json::{Value, json};
use uuid::Uuid;

use super::applications::principal_id;
use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities, properties};
use crate::http_parts::Reply;
use crate::journal::{Deed, Thing};
use crate::seed::names;
use crate::world::tenant::AppRoleAssignment;

const ASSIGNMENTS: Shape = Shape {
    name: "appRoleAssignments",
    default: &[],
    filterable: &[
        "id",
        "principalId",
        "resourceId",
        "appRoleId",
        "principalDisplayName",
    ],
    searchable: &[],
    top: TOP,
};

const CONSENTS: Shape = Shape {
    name: "oauth2PermissionGrants",
    default: &[],
    filterable: &["id", "clientId", "consentType", "principalId", "resourceId"],
    searchable: &[],
    top: TOP,
};

/// What a service principal holds. Not delayed: it is read where it was written.
pub fn held(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let tenant = context.tenant()?;
    let rows = tenant
        .assignments
        .iter()
        .filter(|entry| entry.principal == id && entry.live())
        .map(|entry| entities::assignment(tenant, entry))
        .collect();
    odata::list(context, rows, &ASSIGNMENTS)
}

pub fn one(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let key = context.key(1).to_owned();
    let tenant = context.tenant()?;
    let row = tenant
        .assignments
        .iter()
        .find(|entry| entry.id == key && entry.principal == id && entry.live())
        .map(|entry| entities::assignment(tenant, entry))
        .ok_or_else(|| GraphError::not_found(&key))?;
    odata::entity(context, row, &ASSIGNMENTS)
}

/// Who holds roles of a resource: one call lists every application, and lags (MICROSOFT.md §7.1).
pub fn given(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let id = principal_id(context)?;
    let tenant = context.tenant()?;
    let rows = tenant
        .assignments
        .iter()
        .filter(|entry| entry.resource == id && entry.listed(now))
        .map(|entry| entities::assignment(tenant, entry))
        .collect();
    let shape = Shape {
        name: "appRoleAssignedTo",
        ..ASSIGNMENTS
    };
    odata::list(context, rows, &shape)
}

/// Which role of Entra a person needs depends on the resource (MICROSOFT.md §12.1).
fn check_role(context: &mut Context<'_>, resource: Uuid) -> Result<(), GraphError> {
    let found = context.tenant()?.principals.get(&resource);
    let kind = found.and_then(|found| found.resource);
    match context.may_change_grants_on(kind) {
        true => Ok(()),
        false => Err(GraphError::denied()),
    }
}

/// Adds a grant; the body names principal, resource and role.
pub fn add(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let body = context
        .call
        .json()
        .map_err(|_| GraphError::bad("Unable to read JSON request payload."))?;
    let foreign = body
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .find(|name| !name.contains('@') && !properties::has("appRoleAssignment", name));
    if let Some(name) = foreign {
        return Err(GraphError::bad(format!(
            "Property '{name}' does not exist as a declared property or extension property."
        )));
    }
    let id = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .and_then(|text| Uuid::parse_str(text).ok())
            .ok_or_else(|| {
                GraphError::bad(format!(
                    "Invalid value specified for property '{name}' of resource 'AppRoleAssignment'."
                ))
            })
    };
    let (principal, resource, role) = (id("principalId")?, id("resourceId")?, id("appRoleId")?);
    check_role(context, resource)?;
    let route_principal = principal_id(context)?;
    if route_principal != principal && route_principal != resource {
        return Err(GraphError::bad(
            "The principal or resource of the body is not the one of the address.",
        ));
    }
    let now = context.world.dice.now();
    let listed = context
        .world
        .dice
        .later(context.world.dice.delays.assignment);
    let tenant = context.tenant()?;
    if !tenant.principals.contains_key(&principal) {
        return Err(GraphError::not_found(&principal.to_string()));
    }
    let exists = tenant
        .principals
        .get(&resource)
        .ok_or_else(|| GraphError::not_found(&resource.to_string()))?
        .resource
        .is_some_and(|resource| resource.role_value(role).is_some());
    if !exists {
        return Err(GraphError::bad(
            "Permission being assigned was not found on application.",
        ));
    }
    let held = tenant.assignments.iter().any(|entry| {
        entry.live()
            && entry.principal == principal
            && entry.resource == resource
            && entry.role == role
    });
    if held {
        return Err(GraphError::bad(
            "Permission being assigned already exists on the object",
        ));
    }
    let assignment = AppRoleAssignment {
        id: names::assignment_id(principal, resource, role, now),
        principal,
        resource,
        role,
        created: now,
        listed,
        removed: None,
    };
    let row = entities::assignment(tenant, &assignment);
    tenant.assignments.push(assignment.clone());
    note(context, Deed::Created, &assignment);
    let location = format!(
        "{}/{}/servicePrincipals/{}/appRoleAssignments/{}",
        context.world.base, context.version, assignment.principal, assignment.id
    );
    Ok(Reply::json(201, &row).header("Location", &location))
}

fn note(context: &mut Context<'_>, deed: Deed, assignment: &AppRoleAssignment) {
    let name = context
        .tenant()
        .ok()
        .and_then(|tenant| tenant.principals.get(&assignment.principal))
        .map_or_else(String::new, |principal| principal.display_name.clone());
    let detail = json!({
        "principal": assignment.principal,
        "resource": assignment.resource,
        "role": assignment.role,
    });
    context.changed(deed, Thing::AppRoleAssignment, &assignment.id, name, detail);
}

/// Removes a grant. Tokens that have it in their `roles` keep it until they expire.
pub fn remove(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let key = context.key(1).to_owned();
    let resource = context
        .tenant()?
        .assignments
        .iter()
        .find(|entry| entry.id == key)
        .map_or(Uuid::nil(), |entry| entry.resource);
    check_role(context, resource)?;
    let now = context.world.dice.now();
    let until = context
        .world
        .dice
        .later(context.world.dice.delays.assignment);
    let tenant = context.tenant()?;
    let entry = tenant
        .assignments
        .iter_mut()
        .find(|entry| {
            entry.id == key && entry.live() && (entry.principal == id || entry.resource == id)
        })
        .ok_or_else(|| GraphError::not_found(&key))?;
    entry.removed = Some((now, until));
    let entry = entry.clone();
    note(context, Deed::Removed, &entry);
    Ok(Reply::empty(204))
}

pub fn consents(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    list_consents(context, None)
}

pub fn consents_of(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    list_consents(context, Some(id))
}

fn list_consents(context: &mut Context<'_>, client: Option<Uuid>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let tenant = context.tenant()?;
    let rows = tenant
        .scope_grants
        .iter()
        .filter(|grant| client.is_none_or(|client| client == grant.client))
        .map(|grant| entities::consent(tenant, grant, now))
        .collect();
    odata::list(context, rows, &CONSENTS)
}
