//! Credentials of applications: federated ones, and secrets that are added (MICROSOFT.md §10.6).

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::applications::{application_id, principal_id};
use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities};
use crate::clock::{iso, wall_now};
use crate::http_parts::Reply;
use crate::journal::{Deed, Thing};
use crate::world::tenant::{Secret, Tenant};

const FEDERATED: Shape = Shape {
    name: "applications/federatedIdentityCredentials",
    default: &[],
    filterable: &["id", "name", "issuer", "subject"],
    searchable: &[],
    top: TOP,
};

/// The federated credentials of a registration.
pub fn rows(tenant: &Tenant, application: Uuid) -> Vec<Value> {
    tenant
        .directory
        .credentials
        .federated
        .get(&application)
        .into_iter()
        .flatten()
        .map(entities::federated)
        .collect()
}

pub fn federated(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = application_id(context)?;
    let rows = rows(context.tenant()?, id);
    odata::list(context, rows, &FEDERATED)
}

pub fn federated_one(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = application_id(context)?;
    let key = context.key(1).to_owned();
    let row = rows(context.tenant()?, id)
        .into_iter()
        .find(|row| [&row["id"], &row["name"]].contains(&&Value::from(key.as_str())))
        .ok_or_else(|| GraphError::not_found(&key))?;
    odata::entity(context, row, &FEDERATED)
}

/// Whether the caller may change the credentials of an object with these owners: with
/// `Application.ReadWrite.OwnedBy` those of what it owns.
fn may_change(context: &Context<'_>, owners: &[Uuid]) -> bool {
    context.claims.has_role("Application.ReadWrite.All")
        || context.claims.has_scope("Application.ReadWrite.All")
        || (!context.claims.delegated && owners.contains(&context.claims.object))
}

fn fresh(context: &mut Context<'_>) -> Secret {
    let name = context
        .call
        .json()
        .ok()
        .and_then(|body| {
            let name = body.pointer("/passwordCredential/displayName")?;
            name.as_str().map(str::to_owned)
        })
        .unwrap_or_default();
    let dice = &mut context.world.dice;
    Secret {
        id: dice.guid(),
        value: format!("{}8Q~{}", dice.word(3), dice.word(34)),
        name,
        expires: wall_now() + TimeDelta::days(730),
    }
}

fn added(context: &mut Context<'_>, object: Uuid, name: String, secret: &Secret) -> Reply {
    let detail = json!({"added": "secret", "key": secret.id});
    context.changed(Deed::Changed, Thing::Application, object, name, detail);
    Reply::json(
        200,
        &json!({
            "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.passwordCredential", context.world.base),
            "keyId": secret.id,
            "displayName": secret.name,
            "hint": secret.value.get(..3),
            "secretText": secret.value,
            "startDateTime": iso(wall_now()),
            "endDateTime": iso(secret.expires),
        }),
    )
}

pub fn add_to_application(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = application_id(context)?;
    let secret = fresh(context);
    let owners = context
        .tenant()?
        .applications
        .get(&id)
        .map(|found| found.owners.clone())
        .unwrap_or_default();
    if !may_change(context, &owners) {
        return Err(GraphError::denied());
    }
    let application = context
        .tenant()?
        .applications
        .get_mut(&id)
        .ok_or_else(|| GraphError::not_found(&id.to_string()))?;
    application.secrets.push(secret.clone());
    let name = application.display_name.clone();
    Ok(added(context, id, name, &secret))
}

pub fn add_to_principal(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let id = principal_id(context)?;
    let secret = fresh(context);
    let (name, owners) = context
        .tenant()?
        .principals
        .get(&id)
        .map(|found| (found.display_name.clone(), found.owners.clone()))
        .unwrap_or_default();
    if !may_change(context, &owners) {
        return Err(GraphError::denied());
    }
    let keys = &mut context.tenant()?.directory.credentials.of_principals;
    keys.entry(id).or_default().secrets.push(secret.clone());
    Ok(added(context, id, name, &secret))
}
