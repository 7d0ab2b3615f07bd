//! Tokens of agent identities: the blueprint gets an exchange token for a child with its own
//! credentials, and the child presents that (MICROSOFT.md §10.8).

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::EntraError;
use crate::clock::wall_now;
use crate::http_parts::first;
use crate::world::World;

/// What the exchange token is for.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Seconds that it lives.
const LIFETIME: i64 = 3600;

fn no_match(why: &str) -> EntraError {
    EntraError::new(
        70021,
        format!("No matching federated identity record found for presented assertion. {why}"),
    )
}

/// The exchange token, when that is what a blueprint asks for with its own credentials.
///
/// # Errors
///
/// When the child is none of this blueprint.
pub fn exchange(
    world: &mut World,
    form: &[(String, String)],
    tenant: Uuid,
    blueprint: Uuid,
) -> Result<Option<Value>, EntraError> {
    let asked = first(form, "scope") == Some("api://AzureADTokenExchange/.default");
    let Some(child) = first(form, "fmi_path").filter(|_| asked) else {
        return Ok(None);
    };
    let known = Uuid::parse_str(child).ok().filter(|child| {
        let state = world.tenants.made(tenant);
        state.is_some_and(|state| {
            state
                .agent(*child)
                .is_some_and(|found| state.blueprint_of(found.id) == Some(blueprint))
        })
    });
    let child = known.ok_or_else(|| no_match("The agent identity is none of this blueprint."))?;
    let issued = wall_now().timestamp();
    let claims = json!({
        "aud": AUDIENCE,
        "iss": format!("{}/{tenant}/v2.0", world.base),
        "iat": issued, "nbf": issued, "exp": issued + LIFETIME,
        "appid": blueprint.to_string(),
        "sub": format!("/eid1/c/pub/t/{tenant}/a/{blueprint}/{child}"),
        "fmi": child.to_string(),
        "tid": tenant.to_string(),
    });
    Ok(Some(json!({
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": world.entra.keys.sign(&claims),
    })))
}

/// The agent identity that a client id names, when its exchange token is good; none for other
/// clients, which have credentials of their own.
///
/// # Errors
///
/// When it is an agent's client id without a good exchange token.
pub fn authenticate(
    world: &mut World,
    form: &[(String, String)],
    tenant: Uuid,
) -> Result<Option<Uuid>, EntraError> {
    let Some(client) = first(form, "client_id").and_then(|id| Uuid::parse_str(id).ok()) else {
        return Ok(None);
    };
    let is_agent = world
        .tenants
        .get(tenant)
        .is_some_and(|state| state.agent(client).is_some());
    if !is_agent {
        return Ok(None);
    }
    let assertion = first(form, "client_assertion").unwrap_or("");
    let claims = world
        .entra
        .keys
        .verify(assertion)
        .ok_or_else(|| no_match("An agent identity has no credentials of its own."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("");
    let lives = claims.get("exp").and_then(Value::as_i64) > Some(wall_now().timestamp());
    if text("aud") != AUDIENCE || text("fmi") != client.to_string() || !lives {
        return Err(no_match("The assertion is for something else."));
    }
    Ok(Some(client))
}
