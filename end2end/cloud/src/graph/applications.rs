//! Service principals and application registrations.

use uuid::Uuid;

use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities};
use crate::http_parts::Reply;

const PRINCIPALS: Shape = Shape {
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

const APPLICATIONS: Shape = Shape {
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

pub fn principals(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let rows = context
        .tenant()?
        .principals
        .values()
        .map(entities::principal)
        .collect();
    odata::list(context, rows, &PRINCIPALS)
}

pub fn principal(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let row = context
        .tenant()?
        .principals
        .get(&id)
        .map(entities::principal)
        .ok_or_else(|| GraphError::not_found(&id.to_string()))?;
    odata::entity(context, row, &PRINCIPALS)
}

pub fn principal_owners(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let tenant = context.tenant()?;
    let rows = tenant
        .principals
        .get(&id)
        .map(|principal| principal.owners.clone())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|owner| entities::member(tenant, owner))
        .collect();
    odata::list(context, rows, &OWNERS)
}

pub fn applications(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = tenant
        .applications
        .values()
        .map(|application| entities::application(application, &tenant.domain))
        .collect();
    odata::list(context, rows, &APPLICATIONS)
}

pub fn application(context: &mut Context<'_>) -> Result<Reply, GraphError> {
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
    let row = found
        .map(|application| entities::application(application, &tenant.domain))
        .ok_or_else(|| GraphError::not_found(&key))?;
    odata::entity(context, row, &APPLICATIONS)
}
