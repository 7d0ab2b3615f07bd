//! Directory roles: who holds which (MICROSOFT.md §10.3).

use serde_json::{Value, json};
use uuid::Uuid;

use super::applications::principal_id;
use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities};
use crate::http_parts::Reply;
use crate::journal::{Deed, Thing};
use crate::permissions::DirectoryRole;
use crate::world::directory_roles::{EVERYWHERE, RoleGrant};
use crate::world::tenant::Tenant;

const ASSIGNMENTS: Shape = Shape {
    name: "roleManagement/directory/roleAssignments",
    default: &[],
    filterable: &["id", "principalId", "roleDefinitionId", "directoryScopeId"],
    searchable: &[],
    top: TOP,
};

const DEFINITIONS: Shape = Shape {
    name: "roleManagement/directory/roleDefinitions",
    default: &[],
    filterable: &["id", "displayName", "isBuiltIn", "templateId"],
    searchable: &[],
    top: TOP,
};

const MEMBERSHIPS: Shape = Shape {
    name: "directoryObjects",
    default: &[],
    filterable: &["id", "displayName", "roleTemplateId"],
    searchable: &[],
    top: TOP,
};

/// Which roles let a person read roles is not known (§10.3); here any role does (`decisions`).
fn check_person(context: &Context<'_>) -> Result<(), GraphError> {
    if context.claims.delegated && context.claims.directory_roles().next().is_none() {
        return Err(GraphError::denied());
    }
    Ok(())
}

fn shown(tenant: &Tenant, grant: &RoleGrant, expanded: &[String], reads_directory: bool) -> Value {
    let mut row = json!({
        "id": grant.id(),
        "principalId": grant.principal,
        "resourceScope": grant.scope,
        "directoryScopeId": grant.scope,
        "roleDefinitionId": grant.role,
    });
    let Some(map) = row.as_object_mut() else {
        return row;
    };
    for name in expanded {
        let value = if name == "principal" {
            principal(tenant, grant.principal, reads_directory)
        } else {
            definition_of(tenant, grant.role).unwrap_or(Value::Null)
        };
        map.insert(name.clone(), value);
    }
    row
}

fn principal(tenant: &Tenant, id: Uuid, reads_directory: bool) -> Value {
    let Some(mut value) = entities::member(tenant, id) else {
        return Value::Null;
    };
    if !reads_directory && let Some(map) = value.as_object_mut() {
        for (key, value) in map.iter_mut() {
            if key != "@odata.type" && key != "id" {
                *value = Value::Null;
            }
        }
    }
    value
}

pub fn assignments(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    check_person(context)?;
    let expanded = odata::expanded(context, &["principal", "roleDefinition"])?;
    let reads = context.may_read_directory();
    let tenant = context.tenant()?;
    let rows = tenant
        .role_grants()
        .iter()
        .map(|grant| shown(tenant, grant, &expanded, reads))
        .collect();
    odata::list_expanding(context, rows, &ASSIGNMENTS, &expanded)
}

fn grant_of_route(context: &mut Context<'_>) -> Result<RoleGrant, GraphError> {
    let key = context.key(0).to_owned();
    context
        .tenant()?
        .role_grants()
        .into_iter()
        .find(|grant| grant.id() == key)
        .ok_or_else(|| GraphError::not_found(&key))
}

pub fn assignment(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    check_person(context)?;
    let expanded = odata::expanded(context, &["principal", "roleDefinition"])?;
    let reads = context.may_read_directory();
    let grant = grant_of_route(context)?;
    let row = shown(context.tenant()?, &grant, &expanded, reads);
    odata::entity_expanding(context, row, &ASSIGNMENTS, &expanded)
}

/// Beta only: direct assignments of an object, and those of groups that hold it.
pub fn transitive(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let eventual = context
        .call
        .header("consistencylevel")
        .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
    if context.version != "beta" || !eventual || context.call.query("$count") != Some("true") {
        return Err(GraphError::not_found("transitiveRoleAssignments"));
    }
    check_person(context)?;
    let filter = context.call.query("$filter").unwrap_or("");
    let object = filter
        .strip_prefix("principalId eq '")
        .and_then(|rest| rest.strip_suffix('\''))
        .and_then(|id| Uuid::parse_str(id).ok())
        .ok_or_else(|| GraphError::query("A filter on principalId is required."))?;
    let tenant = context.tenant()?;
    let value: Vec<Value> = tenant
        .role_grants_reaching(object)
        .iter()
        .map(|grant| shown(tenant, grant, &[], true))
        .collect();
    Ok(Reply::json(
        200,
        &json!({"@odata.count": value.len(), "value": value}),
    ))
}

fn definition_of(tenant: &Tenant, id: Uuid) -> Option<Value> {
    let (name, built_in, actions) = match DirectoryRole::from_template(id) {
        Some(role) => (role.name().to_owned(), true, Vec::new()),
        None => {
            let role = tenant.directory.roles.custom.get(&id)?;
            (role.name.clone(), false, role.actions.clone())
        }
    };
    Some(json!({
        "id": id,
        "description": null,
        "displayName": name,
        "isBuiltIn": built_in,
        "isEnabled": true,
        "resourceScopes": [EVERYWHERE],
        "templateId": id,
        "version": "1",
        // What built-in roles may do is not simulated: the list of a custom role is complete.
        "rolePermissions": [{"allowedResourceActions": actions, "condition": null}],
    }))
}

pub fn definitions(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    check_person(context)?;
    let tenant = context.tenant()?;
    let rows = DirectoryRole::all()
        .map(DirectoryRole::template)
        .chain(tenant.directory.roles.custom.keys().copied())
        .filter_map(|id| definition_of(tenant, id))
        .collect();
    odata::list(context, rows, &DEFINITIONS)
}

pub fn definition(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    check_person(context)?;
    let key = context.key(0).to_owned();
    let tenant = context.tenant()?;
    let row = Uuid::parse_str(&key)
        .ok()
        .and_then(|id| definition_of(tenant, id))
        .ok_or_else(|| GraphError::not_found(&key))?;
    odata::entity(context, row, &DEFINITIONS)
}

/// The roles that a service principal has in the whole tenant, through groups as well. Roles for a
/// part of it do not show as membership (§10.3).
pub fn of_principal(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let roles = context.tenant()?.directory_roles_of(id);
    memberships(context, roles)
}

pub fn of_principal_itself(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let found = context.tenant()?.principals.get(&id);
    let roles = found.map(|found| found.roles.clone()).unwrap_or_default();
    memberships(context, roles)
}

fn memberships(context: &mut Context<'_>, roles: Vec<DirectoryRole>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = roles
        .into_iter()
        .map(|role| entities::directory_role(tenant, role))
        .collect();
    odata::list(context, rows, &MEMBERSHIPS)
}

/// Who may set roles: an application with the permission, a person who administers roles.
fn check_setting(context: &Context<'_>) -> Result<(), GraphError> {
    match context.may_change_grants() {
        true => Ok(()),
        false => Err(GraphError::denied()),
    }
}

pub fn assign(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    check_setting(context)?;
    let body = context
        .call
        .json()
        .map_err(|_| GraphError::bad("Unable to read JSON request payload."))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let id = |name: &str| {
        text(name)
            .and_then(|text| Uuid::parse_str(text).ok())
            .ok_or_else(|| GraphError::bad(format!("Invalid value specified for '{name}'.")))
    };
    let grant = RoleGrant {
        principal: id("principalId")?,
        role: id("roleDefinitionId")?,
        scope: text("directoryScopeId").unwrap_or(EVERYWHERE).to_owned(),
    };
    let tenant = context.tenant()?;
    for known in [
        entities::member(tenant, grant.principal),
        definition_of(tenant, grant.role),
    ] {
        known.ok_or_else(|| GraphError::not_found("principalId, roleDefinitionId"))?;
    }
    if !tenant.set_role(grant.clone(), true) {
        return Err(GraphError::bad(
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ));
    }
    let row = shown(tenant, &grant, &[], true);
    note(context, Deed::Created, &grant);
    Ok(Reply::json(201, &row))
}

pub fn unassign(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    check_setting(context)?;
    let grant = grant_of_route(context)?;
    if grant.principal == context.claims.object {
        return Err(GraphError::bad(
            "Removing self from Global Administrator built-in role is not allowed.",
        ));
    }
    context.tenant()?.set_role(grant.clone(), false);
    note(context, Deed::Removed, &grant);
    Ok(Reply::empty(204))
}

fn note(context: &mut Context<'_>, deed: Deed, grant: &RoleGrant) {
    let name = DirectoryRole::from_template(grant.role).map_or("", DirectoryRole::name);
    let detail = json!({
        "principal": grant.principal, "role": grant.role, "scope": grant.scope,
    });
    context.changed(deed, Thing::DirectoryRole, grant.id(), name, detail);
}
