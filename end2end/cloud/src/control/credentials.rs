//! Owners, credentials and agents among the fields of `POST /_cloud/applications`.

use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use super::Refusal;
use super::fields::{Fields, resource};
use super::principals::object;
use crate::clock::wall_now;
use crate::entra::assertion::is_key;
use crate::world::World;
use crate::world::agents::{Blueprint, Inheritable};
use crate::world::credentials::FederatedCredential;
use crate::world::tenant::{Secret, Tenant};

/// The fields that this module takes.
pub const APPLICATION_FIELDS: [&str; 8] = [
    "owners",
    "principal_owners",
    "federated",
    "no_secrets",
    "principal_secret",
    "principal_certificate",
    "blueprint",
    "agent_of",
];

/// Applies them to an application, by its registration's home and the tenant that it is used in.
pub fn change(
    world: &mut World,
    home: Uuid,
    tenant: Uuid,
    app_id: Uuid,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    registration(world, home, app_id, fields)?;
    let fresh = world.dice.guid();
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let owners = objects(state, fields.texts("principal_owners"))?;
    let principal = state
        .principals
        .values_mut()
        .find(|found| found.app_id == app_id)
        .ok_or_else(|| format!("the application {app_id} is not in the tenant"))?;
    if let Some(owners) = owners {
        principal.owners = owners;
    }
    let id = principal.id;
    if let Some(value) = fields.text("principal_secret") {
        let keys = &mut state.directory.credentials.of_principals;
        keys.entry(id).or_default().secrets.push(Secret {
            id: fresh,
            value: value.to_owned(),
            name: "added by a test".to_owned(),
            expires: wall_now() + TimeDelta::days(365),
        });
    }
    if let Some(pem) = fields.text("principal_certificate") {
        if !is_key(pem) {
            return Err("\"principal_certificate\" is no certificate in PEM".to_owned());
        }
        let keys = &mut state.directory.credentials.of_principals;
        let keys = keys.entry(id).or_default();
        keys.certificates.push(pem.to_owned());
    }
    if let Some(list) = fields.0.get("blueprint").and_then(Value::as_array) {
        let inheritable = list.iter().map(inheritable).collect::<Result<_, _>>()?;
        let blueprint = Blueprint { inheritable };
        state.directory.agents.blueprints.insert(app_id, blueprint);
    }
    Ok(())
}

fn objects(tenant: &Tenant, texts: Option<Vec<String>>) -> Result<Option<Vec<Uuid>>, Refusal> {
    texts
        .map(|texts| texts.iter().map(|text| object(tenant, text)).collect())
        .transpose()
}

/// `{"resource": "graph", "roles": true, "scopes": false}`.
fn inheritable(value: &Value) -> Result<Inheritable, Refusal> {
    let fields = Fields::read(value, &["resource", "roles", "scopes"])?;
    Ok(Inheritable {
        resource: resource(fields.text("resource"))?,
        roles: fields.flag("roles") == Some(true),
        scopes: fields.flag("scopes") == Some(true),
    })
}

/// What hangs on the registration: owners, secrets, federated credentials.
fn registration(
    world: &mut World,
    home: Uuid,
    app_id: Uuid,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let mut federated = Vec::new();
    for value in fields
        .0
        .get("federated")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let one = Fields::read(value, &["name", "issuer", "subject"])?;
        federated.push(FederatedCredential {
            id: world.dice.guid(),
            name: one.must("name")?.to_owned(),
            issuer: one.must("issuer")?.to_owned(),
            subject: one.must("subject")?.to_owned(),
        });
    }
    let Some(state) = world.tenants.get(home) else {
        return Ok(());
    };
    let owners = objects(state, fields.texts("owners"))?;
    let Some(application) = state
        .applications
        .values_mut()
        .find(|found| found.app_id == app_id)
    else {
        return Ok(());
    };
    if let Some(owners) = owners {
        application.owners = owners;
    }
    if fields.flag("no_secrets") == Some(true) {
        application.secrets.clear();
    }
    let id = application.id;
    if fields.0.contains_key("federated") {
        let known = &mut state.directory.credentials.federated;
        known.insert(id, federated);
    }
    Ok(())
}
