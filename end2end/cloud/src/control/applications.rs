//! Applications that tests add or change.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, directory_roles, resolve, resource};
use super::principals::principal;
use super::{Refusal, credentials};
use crate::clock::wall_now;
use crate::entra::assertion::is_key;
use crate::seed::names;
use crate::world::World;
use crate::world::agents::AGENT;
use crate::world::tenant::{AppRoleAssignment, Application, Secret, ServicePrincipal};

/// `POST /_cloud/applications`: registers an application in `tenant`, or changes `app_id`.
pub fn change(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let mut known = vec![
        "tenant",
        "name",
        "app_id",
        "multi_tenant",
        "redirect_uris",
        "grants",
        "enabled",
        "secret",
        "secret_expires_in",
        "certificate",
        "directory_roles",
    ];
    known.extend(credentials::APPLICATION_FIELDS);
    let fields = Fields::read(body, &known)?;
    let tenant = resolve(world, fields.must("tenant")?)?;
    let now = world.dice.now();
    let app_id = match fields.text("app_id") {
        Some(_) => fields.id("app_id")?,
        None => match fields.text("agent_of") {
            Some(blueprint) => agent(world, tenant, blueprint, &fields)?,
            None => register(world, tenant, &fields)?,
        },
    };
    let home = world
        .app_home(app_id, Some(tenant))
        .ok_or_else(|| format!("there is no application {app_id}"))?;
    if let Some(application) = world.tenants.get(home).and_then(|home| {
        home.applications
            .values_mut()
            .find(|application| application.app_id == app_id)
    }) {
        if let Some(secret) = fields.text("secret") {
            let seconds = fields
                .0
                .get("secret_expires_in")
                .and_then(Value::as_i64)
                .unwrap_or(31_536_000);
            application.secrets.insert(
                0,
                Secret {
                    id: Uuid::new_v5(&app_id, secret.as_bytes()),
                    value: secret.to_owned(),
                    name: "added by a test".to_owned(),
                    expires: wall_now()
                        + TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::zero()),
                },
            );
        }
        if let Some(pem) = fields.text("certificate") {
            if !is_key(pem) {
                return Err("\"certificate\" is no certificate or public key in PEM".to_owned());
            }
            application.certificates.push(pem.to_owned());
        }
        if let Some(uris) = fields.texts("redirect_uris") {
            application.redirect_uris = uris;
        }
    }
    credentials::change(world, home, tenant, app_id, &fields)?;
    let roles = match fields.texts("directory_roles") {
        Some(names) => Some(directory_roles(&names)?),
        None => None,
    };
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let principal = state
        .principals
        .values_mut()
        .find(|principal| principal.app_id == app_id)
        .ok_or_else(|| format!("the application {app_id} is not in the tenant"))?;
    if let Some(enabled) = fields.flag("enabled") {
        principal.enabled = enabled;
    }
    if let Some(roles) = roles {
        principal.roles = roles;
    }
    let object_id = principal.id;
    for text in fields.texts("grants").unwrap_or_default() {
        let (name, value) = text.split_once(':').unwrap_or(("graph", &text));
        let resource = resource(Some(name))?;
        let role = resource
            .role_id(value)
            .ok_or_else(|| format!("there is no app role \"{value}\""))?;
        let resource_id = state
            .resource_principal(resource)
            .map(|found| found.id)
            .ok_or("the tenant does not have that resource")?;
        state.assignments.push(AppRoleAssignment {
            id: names::assignment_id(object_id, resource_id, role, now),
            principal: object_id,
            resource: resource_id,
            role,
            created: now,
            listed: now,
            removed: None,
        });
    }
    let secret = world
        .tenants
        .get(home)
        .and_then(|home| home.application_by_app(app_id))
        .and_then(|application| application.secrets.first())
        .map(|secret| secret.value.clone());
    Ok(json!({"app_id": app_id, "object_id": object_id, "secret": secret}))
}

/// An agent identity: a child of the blueprint `agent_of`, with no registration and no credentials
/// of its own. Its client id is its object id.
fn agent(
    world: &mut World,
    tenant: Uuid,
    blueprint: &str,
    fields: &Fields<'_>,
) -> Result<Uuid, Refusal> {
    let name = fields.must("name")?;
    let now = world.dice.now();
    let id = world.dice.guid();
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let parent = principal(state, blueprint)?;
    let (parent_app, publisher) = state
        .principals
        .get(&parent)
        .map(|found| (found.app_id, found.publisher.clone()))
        .ok_or("the blueprint is gone")?;
    if !state.is_blueprint(parent_app) {
        return Err(format!("\"{blueprint}\" is no blueprint"));
    }
    state.principals.insert(
        id,
        ServicePrincipal {
            id,
            app_id: id,
            display_name: name.to_owned(),
            owner_tenant: Some(tenant),
            publisher,
            kind: AGENT,
            enabled: true,
            created: now,
            resource: None,
            roles: Vec::new(),
            owners: Vec::new(),
        },
    );
    state.directory.agents.children.insert(id, parent_app);
    world.tenants.note_app_home(id, tenant);
    Ok(id)
}

fn register(world: &mut World, tenant: Uuid, fields: &Fields<'_>) -> Result<Uuid, Refusal> {
    let name = fields.must("name")?;
    let now = world.dice.now();
    let (id, app_id) = (world.dice.guid(), world.dice.guid());
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    state.applications.insert(
        id,
        Application {
            id,
            app_id,
            display_name: name.to_owned(),
            multi_tenant: fields.flag("multi_tenant") == Some(true),
            redirect_uris: Vec::new(),
            secrets: vec![Secret {
                id: Uuid::new_v5(&app_id, b"secret"),
                value: names::secret_of(app_id),
                name: "deployment".to_owned(),
                expires: wall_now() + TimeDelta::days(365),
            }],
            certificates: Vec::new(),
            required: Vec::new(),
            created: now,
            owners: Vec::new(),
            note: "added by a test".to_owned(),
        },
    );
    let principal = names::principal_id(tenant, app_id);
    let publisher = state.name.clone();
    state.principals.insert(
        principal,
        ServicePrincipal {
            id: principal,
            app_id,
            display_name: name.to_owned(),
            owner_tenant: Some(tenant),
            publisher,
            kind: "Application",
            enabled: true,
            created: now,
            resource: None,
            roles: Vec::new(),
            owners: Vec::new(),
        },
    );
    world.tenants.note_app_home(app_id, tenant);
    Ok(app_id)
}
