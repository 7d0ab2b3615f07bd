//! Service principals and application registrations.

use serde_json::Value;
use uuid::Uuid;

use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, credentials, entities};
use crate::http_parts::Reply;
use crate::world::tenant::{Application, ServicePrincipal, Tenant};

pub const PRINCIPALS: Shape = Shape {
    name: "servicePrincipals",
    default: &[],
    filterable: &[
        "id",
        "appId",
        "displayName",
        "accountEnabled",
        "servicePrincipalType",
        "appOwnerOrganizationId",
        "alternativeNames",
        "createdDateTime",
        "servicePrincipalNames",
        "tags",
    ],
    searchable: &["displayName"],
    top: TOP,
};

pub const APPLICATIONS: Shape = Shape {
    name: "applications",
    default: &[],
    filterable: &[
        "id",
        "appId",
        "createdDateTime",
        "displayName",
        "identifierUris",
        "publisherDomain",
        "signInAudience",
        "tags",
    ],
    searchable: &["displayName"],
    top: TOP,
};

const OWNERS: Shape = Shape {
    name: "directoryObjects",
    default: &[],
    filterable: &["id"],
    searchable: &[],
    top: TOP,
};

/// The object id of the service principal that the key names: an id, or `appId='…'`.
pub fn principal_id(context: &mut Context<'_>) -> Result<Uuid, GraphError> {
    let key = context.key(0).to_owned();
    let missing = || GraphError::not_found(&key);
    let invalid = || GraphError::bad(format!("Invalid object identifier '{key}'."));
    let tenant = context.tenant()?;
    match key.split_once('=') {
        None => {
            let id = Uuid::parse_str(&key).map_err(|_| invalid())?;
            tenant
                .principals
                .contains_key(&id)
                .then_some(id)
                .ok_or_else(missing)
        }
        Some(("appId", value)) => {
            let app_id = Uuid::parse_str(value.trim_matches('\'')).map_err(|_| invalid())?;
            tenant
                .principal_by_app(app_id)
                .map(|principal| principal.id)
                .ok_or_else(missing)
        }
        Some(_) => Err(invalid()),
    }
}

/// Owners as `$expand` shows them.
fn some_owners(tenant: &Tenant, owners: &[Uuid]) -> Value {
    owners
        .iter()
        .filter_map(|owner| entities::member(tenant, *owner))
        .take(odata::EXPANDED_MOST)
        .collect()
}

/// A service principal with what `$expand` asks for.
fn principal_row(tenant: &Tenant, found: &ServicePrincipal, expanded: &[String]) -> Value {
    let mut row = entities::principal(tenant, found);
    if let Some(map) = row.as_object_mut() {
        for name in expanded {
            map.insert(name.clone(), some_owners(tenant, &found.owners));
        }
    }
    row
}

/// An application registration with what `$expand` asks for.
pub fn application_row(tenant: &Tenant, found: &Application, expanded: &[String]) -> Value {
    let mut row = entities::application(found, &tenant.domain);
    if let Some(map) = row.as_object_mut() {
        if tenant.is_blueprint(found.app_id) {
            let kind = "#microsoft.graph.agentIdentityBlueprint";
            map.insert("@odata.type".to_owned(), kind.into());
        }
        for name in expanded {
            let value = match name.as_str() {
                "owners" => some_owners(tenant, &found.owners),
                _ => credentials::rows(tenant, found.id).into(),
            };
            map.insert(name.clone(), value);
        }
    }
    row
}

/// What a registration can be asked to show: one thing at a time (MICROSOFT.md §7.5), its federated
/// credentials in beta only.
fn expanded(context: &Context<'_>) -> Result<Vec<String>, GraphError> {
    let known: &[&str] = match context.version {
        "beta" => &["owners", "federatedIdentityCredentials"],
        _ => &["owners"],
    };
    let expanded = odata::expanded(context, known)?;
    if expanded.len() > 1 {
        return Err(GraphError::query(
            "Expanding more than one navigation property is not supported.",
        ));
    }
    Ok(expanded)
}

pub fn principals(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let expanded = odata::expanded(context, &["owners"])?;
    let selects = context.call.query("$select").is_some();
    let tenant = context.tenant()?;
    let mut rows: Vec<Value> = tenant
        .principals
        .values()
        .map(|found| principal_row(tenant, found, &expanded))
        .collect();
    if selects {
        // The property of a derived type cannot be selected here (MICROSOFT.md §10.8).
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove(entities::BLUEPRINT_ID);
        }
    }
    odata::list_expanding(context, rows, &PRINCIPALS, &expanded)
}

pub fn principal(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let expanded = odata::expanded(context, &["owners"])?;
    let tenant = context.tenant()?;
    let row = tenant
        .principals
        .get(&id)
        .map(|found| principal_row(tenant, found, &expanded))
        .ok_or_else(|| GraphError::not_found(&id.to_string()))?;
    odata::entity_expanding(context, row, &PRINCIPALS, &expanded)
}

fn list_owners(context: &mut Context<'_>, owners: &[Uuid]) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = owners
        .iter()
        .filter_map(|owner| entities::member(tenant, *owner))
        .collect();
    odata::list(context, rows, &OWNERS)
}

pub fn principal_owners(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let found = context.tenant()?.principals.get(&id);
    let owners = found.map(|found| found.owners.clone()).unwrap_or_default();
    list_owners(context, &owners)
}

/// What a service principal owns: registrations, service principals, groups.
pub fn owned_objects(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let tenant = context.tenant()?;
    let registrations = tenant
        .applications
        .values()
        .filter(|found| found.owners.contains(&id))
        .map(|found| {
            let mut row = application_row(tenant, found, &[]);
            if let Some(map) = row.as_object_mut() {
                map.entry("@odata.type")
                    .or_insert_with(|| "#microsoft.graph.application".into());
            }
            row
        });
    let principals = tenant
        .principals
        .values()
        .filter(|found| found.owners.contains(&id))
        .map(|found| found.id);
    let groups = tenant
        .groups
        .values()
        .filter(|found| found.owners.contains(&id))
        .map(|found| found.id);
    let rows = registrations
        .chain(
            principals
                .chain(groups)
                .filter_map(|object| entities::member(tenant, object)),
        )
        .collect();
    odata::list(context, rows, &OWNERS)
}

pub fn application_owners(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = application_id(context)?;
    let found = context.tenant()?.applications.get(&id);
    let owners = found.map(|found| found.owners.clone()).unwrap_or_default();
    list_owners(context, &owners)
}

pub fn applications(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let expanded = expanded(context)?;
    let tenant = context.tenant()?;
    let rows = tenant
        .applications
        .values()
        .map(|application| application_row(tenant, application, &expanded))
        .collect();
    odata::list_expanding(context, rows, &APPLICATIONS, &expanded)
}

/// The object id of the registration that the key names: an id, or `appId='…'`.
pub fn application_id(context: &mut Context<'_>) -> Result<Uuid, GraphError> {
    let key = context.key(0).to_owned();
    let tenant = context.tenant()?;
    let found = match key.strip_prefix("appId=") {
        Some(value) => Uuid::parse_str(value.trim_matches('\''))
            .ok()
            .and_then(|app_id| tenant.application_by_app(app_id)),
        None => Uuid::parse_str(&key)
            .ok()
            .and_then(|id| tenant.applications.get(&id)),
    };
    found
        .map(|application| application.id)
        .ok_or_else(|| GraphError::not_found(&key))
}

pub fn application(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = application_id(context)?;
    let expanded = expanded(context)?;
    let tenant = context.tenant()?;
    let row = tenant
        .applications
        .get(&id)
        .map(|application| application_row(tenant, application, &expanded))
        .ok_or_else(|| GraphError::not_found(&id.to_string()))?;
    odata::entity_expanding(context, row, &APPLICATIONS, &expanded)
}
