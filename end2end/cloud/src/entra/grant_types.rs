//! The three grants: code, refresh token, client credentials.

use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use super::errors::EntraError;
use super::token::{PersonGrant, for_application, for_person, required};
use super::{Authority, agents, client, jwt, scopes};
use crate::clock::wall_now;
use crate::decisions::CODE_SECONDS;
use crate::http_parts::{Call, first};
use crate::world::World;

/// Redeems whatever the request brings.
pub fn redeem(world: &mut World, call: &Call, authority: Authority) -> Result<Value, EntraError> {
    let form_type = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form_type {
        return Err(EntraError::new(
            9_002_313,
            "Invalid request. Request is malformed or invalid.",
        ));
    }
    let form = call.form();
    let tenant = match authority {
        Authority::Tenant(id) => Some(id),
        Authority::Organizations | Authority::Common => None,
    };
    match required(&form, "grant_type")? {
        "authorization_code" => code(world, call, &form, tenant),
        "refresh_token" => refresh(world, call, &form, tenant),
        "client_credentials" => credentials(world, call, &form, tenant),
        "password" => Err(EntraError::not_simulated("password grant")),
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
            Err(EntraError::not_simulated("device code grant"))
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            Err(EntraError::not_simulated("on-behalf-of grant"))
        }
        "urn:ietf:params:oauth:grant-type:saml2-bearer"
        | "urn:ietf:params:oauth:grant-type:saml1_1-bearer" => {
            Err(EntraError::not_simulated("SAML bearer grant"))
        }
        other => Err(EntraError::new(
            70003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

fn code(
    world: &mut World,
    call: &Call,
    form: &[(String, String)],
    tenant: Option<Uuid>,
) -> Result<Value, EntraError> {
    let (_, application) = client::authenticate(world, call, form, tenant)?;
    let key = required(form, "code")?;
    let malformed = || {
        EntraError::new(
            70000,
            "Provided grant is invalid or malformed: the code is not one that was issued.",
        )
    };
    let code = world.entra.codes.get(key).cloned().ok_or_else(malformed)?;
    if code.flow.client != application.app_id {
        return Err(EntraError::new(
            70000,
            "The provided value for the 'code' parameter is not valid: it was issued to another client.",
        ));
    }
    if tenant.is_some_and(|tenant| tenant != code.tenant) {
        return Err(EntraError::new(
            700_005,
            "The provided authorization code is intended to use against other tenant, thus rejected.",
        ));
    }
    if code.redeemed {
        return Err(EntraError::new(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ));
    }
    if wall_now() - code.issued > TimeDelta::seconds(CODE_SECONDS) {
        return Err(EntraError::from_name("AADSTS70008"));
    }
    if first(form, "redirect_uri").unwrap_or("") != code.flow.redirect_uri {
        return Err(EntraError::new(
            500_112,
            format!(
                "The reply address '{}' does not match the reply address '{}' provided when requesting Authorization code.",
                first(form, "redirect_uri").unwrap_or(""),
                code.flow.redirect_uri
            ),
        ));
    }
    let wrong_verifier = |text: &str| EntraError::new(501_481, text);
    match (&code.flow.challenge, first(form, "code_verifier")) {
        (None, None) => {}
        (Some(challenge), Some(verifier)) if jwt::sha256_base64(verifier) == *challenge => {}
        (Some(_), Some(_)) => {
            return Err(wrong_verifier(
                "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
            ));
        }
        (Some(_), None) => {
            return Err(wrong_verifier(
                "The code_verifier is required: the authorization request had a code_challenge.",
            ));
        }
        (None, Some(_)) => {
            return Err(wrong_verifier(
                "A code_verifier was sent, but the authorization request had no code_challenge.",
            ));
        }
    }
    let raw_scope = first(form, "scope")
        .unwrap_or(&code.flow.raw_scope)
        .to_owned();
    let mut wanted = scopes::parse(&raw_scope)?;
    if first(form, "scope").is_none() {
        // Without a scope here the token is for the first resource of the sign-in.
        wanted.asks.truncate(1);
    }
    let body = for_person(
        world,
        &PersonGrant {
            person: code.person,
            tenant: code.tenant,
            client: application.app_id,
            wanted: &wanted,
            oidc: &code.flow.wanted.oidc,
            raw_scope: &code.flow.raw_scope,
            nonce: code.flow.nonce.as_deref(),
            fresh_consent: code.flow.consented,
            signed_in: code.issued,
            met: &code.flow.met,
        },
    )?;
    if let Some(code) = world.entra.codes.get_mut(key) {
        code.redeemed = true;
    }
    Ok(body)
}

fn refresh(
    world: &mut World,
    call: &Call,
    form: &[(String, String)],
    tenant: Option<Uuid>,
) -> Result<Value, EntraError> {
    let key = required(form, "refresh_token")?;
    let found = world.entra.refresh.get(key).cloned();
    // The registration can live in the tenant of the token while the authority is another one.
    let hint = found.as_ref().map(|found| found.tenant).or(tenant);
    let (_, application) = client::authenticate(world, call, form, hint)?;
    let found = found.ok_or_else(|| {
        EntraError::new(
            70000,
            "Provided grant is invalid or malformed: the refresh token is not one that was issued.",
        )
    })?;
    if found.client != application.app_id {
        return Err(EntraError::new(
            70000,
            "Provided grant is invalid or malformed: the refresh token was issued to another client.",
        ));
    }
    let now = wall_now();
    if now - found.issued > TimeDelta::seconds(found.lifetime) {
        return Err(EntraError::new(
            700_082,
            format!(
                "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for {}.00:00:00.",
                found.issued.format("%Y-%m-%dT%H:%M:%S%.6f0Z"),
                found.lifetime / 86_400
            ),
        ));
    }
    let (home, id) = found.person;
    let user = world
        .tenants
        .get(home)
        .and_then(|tenant| tenant.users.get(&id));
    match user {
        None => return Err(EntraError::from_name("AADSTS500341")),
        Some(user) if !user.enabled => return Err(EntraError::from_name("AADSTS50057")),
        Some(user) => {
            if let Some(valid_from) = user.tokens_valid_from
                && found.issued < valid_from
            {
                return Err(EntraError::new(
                    50173,
                    format!(
                        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{}'.",
                        found.issued.format("%Y-%m-%dT%H:%M:%S%.6f0Z"),
                        valid_from.format("%Y-%m-%dT%H:%M:%S%.6f0Z"),
                    ),
                ));
            }
        }
    }
    let target = tenant.unwrap_or(found.tenant);
    if target != found.tenant && !application.multi_tenant {
        let name = world
            .tenants
            .summary(target)
            .map_or_else(String::new, |summary| summary.name.clone());
        return Err(client::unknown(&application.app_id.to_string(), &name));
    }
    let raw_scope = first(form, "scope").unwrap_or(&found.scope).to_owned();
    let mut wanted = scopes::parse(&raw_scope)?;
    if first(form, "scope").is_none() {
        wanted.asks.truncate(1);
    }
    // The new token inherits what the old one was for; openid must be asked for again.
    let mut oidc = vec!["offline_access"];
    oidc.extend(
        wanted
            .oidc
            .iter()
            .copied()
            .filter(|scope| *scope != "offline_access"),
    );
    for_person(
        world,
        &PersonGrant {
            person: found.person,
            tenant: target,
            client: application.app_id,
            wanted: &wanted,
            oidc: &oidc,
            raw_scope: &found.scope,
            nonce: None,
            fresh_consent: false,
            signed_in: found.signed_in,
            met: &found.met,
        },
    )
}

fn credentials(
    world: &mut World,
    call: &Call,
    form: &[(String, String)],
    tenant: Option<Uuid>,
) -> Result<Value, EntraError> {
    let tenant = tenant.ok_or_else(|| {
        EntraError::new(
            50059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        )
    })?;
    let app_id = match agents::authenticate(world, form, tenant)? {
        Some(agent) => agent,
        None => {
            let (_, application) = client::authenticate(world, call, form, Some(tenant))?;
            application.app_id
        }
    };
    if let Some(token) = agents::exchange(world, form, tenant, app_id)? {
        return Ok(token);
    }
    let raw_scope = required(form, "scope")?;
    let wanted = scopes::parse(raw_scope)?;
    let ask = wanted.single()?;
    if !ask.default || !wanted.oidc.is_empty() {
        return Err(EntraError::new(
            1_002_012,
            format!(
                "The provided value for scope {raw_scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    }
    for_application(world, tenant, app_id, ask.resource)
}
