//! Consent: what is missing, who may give it, and giving it.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::authorize::redirect_error;
use super::errors::EntraError;
use super::sign_in::{self, Standing};
use super::{Flow, Purpose, client, pages};
use crate::clock::Time;
use crate::http_parts::{Call, Reply, first};
use crate::journal::{Actor, Change, Deed, Thing};
use crate::permissions::{OIDC_SCOPES, Resource};
use crate::seed::names;
use crate::world::World;
use crate::world::tenant::{AppRoleAssignment, ScopeGrant, ServicePrincipal};

/// What would be consented to.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub scopes: Vec<(Resource, String)>,
    pub app_roles: Vec<(Resource, Uuid)>,
}

impl Request {
    /// Whether only an administrator can say yes.
    fn needs_admin(&self) -> bool {
        !self.app_roles.is_empty()
            || self
                .scopes
                .iter()
                .any(|(resource, value)| resource.scope(value).is_none_or(|scope| scope.admin))
    }
}

/// What the flow asks for in full: explicit scopes, or what the application declares.
fn asked(world: &mut World, flow: &Flow) -> Result<Request, EntraError> {
    let declared = client::registration(world, flow.client, Some(flow.client_home))
        .map(|(_, application)| application.required)
        .unwrap_or_default();
    let mut request = Request::default();
    for ask in &flow.wanted.asks {
        for scope in &ask.scopes {
            request.scopes.push((ask.resource, scope.clone()));
        }
        if ask.default {
            for (resource, id, is_role) in &declared {
                let wanted_here =
                    *resource == ask.resource || flow.purpose == Purpose::AdminConsent;
                if !wanted_here {
                    continue;
                }
                if *is_role {
                    // Application permissions are given on the admin-consent page only (§6.2).
                    if flow.purpose == Purpose::AdminConsent {
                        request.app_roles.push((*resource, *id));
                    }
                } else if let Some(scope) = resource
                    .scopes()
                    .iter()
                    .find(|scope| resource.scope_id(scope) == *id)
                {
                    request.scopes.push((*resource, scope.value.to_owned()));
                }
            }
        }
    }
    for scope in &flow.wanted.oidc {
        request.scopes.push((Resource::Graph, (*scope).to_owned()));
    }
    Ok(request)
}

/// What must be consented to before the flow can end; none when nothing is missing.
pub fn needed(
    world: &mut World,
    flow: &Flow,
    standing: &Standing,
) -> Result<Option<Request>, EntraError> {
    let request = asked(world, flow)?;
    let Some(tenant) = world.tenants.get(standing.tenant) else {
        return Err(EntraError::from_name("AADSTS90002"));
    };
    let resources = request
        .scopes
        .iter()
        .map(|(resource, _)| *resource)
        .chain(request.app_roles.iter().map(|(resource, _)| *resource));
    for resource in resources {
        if tenant.resource_principal(resource).is_none() {
            return Err(lacks_service(resource, &tenant.name));
        }
    }
    if flow.consented {
        return Ok(None);
    }
    if flow.purpose == Purpose::AdminConsent || flow.prompt == "consent" {
        return Ok(Some(request));
    }
    let Some(principal) = tenant.principal_by_app(flow.client) else {
        return Ok(Some(request));
    };
    let missing: Vec<(Resource, String)> = request
        .scopes
        .iter()
        .filter(|(resource, value)| {
            !tenant
                .consented(principal.id, *resource, standing.object)
                .any(|(known, _)| known == value)
        })
        .cloned()
        .collect();
    Ok((!missing.is_empty()).then_some(Request {
        scopes: missing,
        app_roles: Vec::new(),
    }))
}

/// 650052 for a tenant without the service.
pub fn lacks_service(resource: Resource, tenant: &str) -> EntraError {
    EntraError::new(
        650_052,
        format!(
            "The app needs access to a service ('{}') that your organization '{tenant}' has not subscribed to or enabled. Contact your IT Admin to review the configuration of your service subscriptions.",
            resource.identifier()
        ),
    )
}

/// The consent page, or the page that sends people to their administrator.
pub fn show(
    world: &mut World,
    call: &Call,
    flow: Flow,
    standing: &Standing,
    request: &Request,
) -> Reply {
    let admin = standing.roles.iter().any(|role| role.can_consent());
    let app_name = sign_in::application_name(world, &flow);
    let tenant_name = world
        .tenants
        .summary(standing.tenant)
        .map_or_else(String::new, |summary| summary.name.clone());
    if !admin && (flow.purpose == Purpose::AdminConsent || request.needs_admin()) {
        return EntraError::new(
            90094,
            format!(
                "{app_name} needs permission to access resources in {tenant_name} that only an admin can grant. Ask an admin to grant permission to this app before you can use it."
            ),
        )
        .page(&mut world.dice, call);
    }
    let publisher = world
        .tenants
        .summary(flow.client_home)
        .map_or_else(String::new, |summary| summary.name.clone());
    let mut lines: Vec<(String, String)> = request
        .scopes
        .iter()
        .map(|(resource, value)| (resource.display_name().to_owned(), value.clone()))
        .collect();
    lines.extend(request.app_roles.iter().map(|(resource, id)| {
        let value = resource.role_value(*id).unwrap_or("unknown");
        (
            resource.display_name().to_owned(),
            format!("{value} (without a signed-in user)"),
        )
    }));
    let upn = flow
        .account
        .and_then(|(home, id)| {
            let tenant = world.tenants.get(home)?;
            tenant.users.get(&id).map(|user| user.upn.clone())
        })
        .unwrap_or_default();
    let segment = flow.segment.clone();
    let id = sign_in::keep(world, flow);
    let page = pages::consent(&pages::Consent {
        segment: &segment,
        flow: &id,
        app: &app_name,
        publisher: &publisher,
        tenant: &tenant_name,
        user: &upn,
        for_everybody: admin,
        lines: &lines,
    });
    Reply::html(200, page)
}

/// `POST /{tenant}/consent`: accept or cancel.
pub fn decide(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let mut flow = match sign_in::flow_of(world, &form) {
        Ok(flow) => flow,
        Err(error) => return error.page(&mut world.dice, call),
    };
    if first(&form, "decision") != Some("accept") {
        let detail = EntraError::new(65004, "User declined to consent to access the app.");
        let word = match flow.purpose {
            Purpose::Authorize => "access_denied",
            Purpose::AdminConsent => "consent_required",
        };
        return redirect_error(world, &flow, word, &detail);
    }
    let tenant = match (flow.authority, flow.account) {
        (super::Authority::Tenant(id), Some(_)) => id,
        (_, Some((home, _))) => home,
        (_, None) => return sign_in::proceed(world, call, flow),
    };
    let Some(person) = flow.account else {
        return sign_in::proceed(world, call, flow);
    };
    let standing = match sign_in::standing(world, person, tenant) {
        Ok(standing) => standing,
        Err(error) => return error.page(&mut world.dice, call),
    };
    let request = match needed(world, &flow, &standing) {
        Ok(Some(request)) => request,
        Ok(None) => Request::default(),
        Err(error) => {
            let word = error.error();
            return redirect_error(world, &flow, word, &error);
        }
    };
    let admin = standing.roles.iter().any(|role| role.can_consent());
    if !admin && (flow.purpose == Purpose::AdminConsent || request.needs_admin()) {
        return EntraError::from_name("AADSTS90094").page(&mut world.dice, call);
    }
    let by = Actor {
        host: "entra",
        operation: "consent".to_owned(),
        app_id: Some(flow.client),
        user: upn_of(world, person),
        request_id: world.dice.guid().to_string(),
        client_request_id: call.client_request_id().map(str::to_owned),
    };
    let person = (!admin).then_some(standing.object);
    give(world, standing.tenant, flow.client, person, &request, &by);
    flow.consented = true;
    sign_in::proceed(world, call, flow)
}

fn upn_of(world: &mut World, (home, id): super::Person) -> Option<String> {
    let tenant = world.tenants.get(home)?;
    tenant.users.get(&id).map(|user| user.upn.clone())
}

/// Writes a consent down: the service principal, delegated scopes, app roles.
pub fn give(
    world: &mut World,
    tenant: Uuid,
    app_id: Uuid,
    person: Option<Uuid>,
    request: &Request,
    by: &Actor,
) {
    let now = world.dice.now();
    let honoured = world.dice.later(world.dice.delays.consent);
    let Some((home, application)) = client::registration(world, app_id, Some(tenant)) else {
        return;
    };
    let publisher = world
        .tenants
        .summary(home)
        .map_or_else(String::new, |summary| summary.name.clone());
    let Some(state) = world.tenants.get(tenant) else {
        return;
    };
    let name = application.display_name.clone();
    let mut changes = Vec::new();
    let principal = match state.principal_by_app(app_id) {
        Some(principal) => principal.id,
        None => {
            let id = names::principal_id(tenant, app_id);
            state.principals.insert(
                id,
                ServicePrincipal {
                    id,
                    app_id,
                    display_name: application.display_name,
                    owner_tenant: Some(home),
                    publisher,
                    kind: "Application",
                    enabled: true,
                    created: now,
                    resource: None,
                    roles: Vec::new(),
                    owners: Vec::new(),
                },
            );
            let detail = json!({"app_id": app_id});
            changes.push(Change::new(
                Deed::Created,
                Thing::ServicePrincipal,
                id,
                &name,
                detail,
            ));
            id
        }
    };
    for (resource, scope) in &request.scopes {
        // The sign-in's own scopes are honoured at once: they grant nothing.
        let since = if OIDC_SCOPES.contains(&scope.as_str()) {
            now
        } else {
            honoured
        };
        if let Some(grant) = add_scope(state, principal, *resource, person, scope, since) {
            let detail = json!({"resource": resource.display_name(), "scope": scope});
            let change = Change::new(Deed::Created, Thing::Consent, grant, &name, detail);
            changes.push(change);
        }
    }
    for (resource, role) in &request.app_roles {
        let Some(resource_id) = state.resource_principal(*resource).map(|found| found.id) else {
            continue;
        };
        let held = state.assignments.iter().any(|entry| {
            entry.live()
                && entry.principal == principal
                && entry.resource == resource_id
                && entry.role == *role
        });
        if !held {
            let lag = honoured.signed_duration_since(now).max(TimeDelta::zero());
            let id = names::assignment_id(principal, resource_id, *role, now);
            changes.push(Change::new(
                Deed::Created,
                Thing::AppRoleAssignment,
                &id,
                &name,
                json!({"principal": principal, "resource": resource_id, "role": role}),
            ));
            state.assignments.push(AppRoleAssignment {
                id,
                principal,
                resource: resource_id,
                role: *role,
                created: now,
                listed: now + lag,
                removed: None,
            });
        }
    }
    world.journal.note(now, tenant, by, changes);
}

/// Adds one delegated scope to a client's grant; gives the grant's id when that is news.
pub fn add_scope(
    tenant: &mut crate::world::tenant::Tenant,
    client: Uuid,
    resource: Resource,
    person: Option<Uuid>,
    scope: &str,
    since: Time,
) -> Option<String> {
    let existing = tenant.scope_grants.iter_mut().find(|grant| {
        grant.client == client && grant.resource == resource && grant.principal == person
    });
    match existing {
        Some(grant) => {
            if grant.scopes.iter().any(|(known, _)| known == scope) {
                return None;
            }
            grant.scopes.push((scope.to_owned(), since));
            Some(grant.id.clone())
        }
        None => {
            let id = names::grant_id(client, resource.app_id(), person);
            tenant.scope_grants.push(ScopeGrant {
                id: id.clone(),
                client,
                resource,
                principal: person,
                scopes: vec![(scope.to_owned(), since)],
                leading_blank: person.is_none(),
            });
            Some(id)
        }
    }
}
