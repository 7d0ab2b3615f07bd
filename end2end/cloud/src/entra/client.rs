//! Who the client is: secrets by form or Basic, assertions by certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::assertion;
use super::errors::EntraError;
use crate::clock::wall_now;
use crate::http_parts::{Call, first, percent_decode};
use crate::world::World;
use crate::world::tenant::{Application, Secret};

/// The client id of the request, wherever it stands.
pub fn presented_id(call: &Call, form: &[(String, String)]) -> Option<Uuid> {
    match basic(call) {
        Some((id, _)) => Uuid::parse_str(&id).ok(),
        None => Uuid::parse_str(first(form, "client_id")?).ok(),
    }
}

/// Name and password of a Basic header.
fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, value) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((percent_decode(id, true), percent_decode(secret, true)))
}

/// The registration of an application, found from a tenant that knows it.
pub fn registration(
    world: &mut World,
    app_id: Uuid,
    seen_in: Option<Uuid>,
) -> Option<(Uuid, Application)> {
    let home = world.app_home(app_id, seen_in)?;
    let application = world.tenants.get(home)?.application_by_app(app_id)?.clone();
    Some((home, application))
}

/// 700016 for a client that nobody knows.
pub fn unknown(client_id: &str, directory: &str) -> EntraError {
    EntraError::new(
        700_016,
        format!(
            "Application with identifier '{client_id}' was not found in the directory '{directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        ),
    )
}

/// Finds and authenticates the client of a token request: its home tenant and registration.
pub fn authenticate(
    world: &mut World,
    call: &Call,
    form: &[(String, String)],
    tenant: Option<Uuid>,
) -> Result<(Uuid, Application), EntraError> {
    let basic = basic(call);
    let named = match &basic {
        Some((id, _)) => id.as_str(),
        None => first(form, "client_id").ok_or_else(|| missing("client_id"))?,
    };
    let directory = tenant
        .and_then(|id| world.tenants.summary(id))
        .map_or("organizations", |summary| &summary.name)
        .to_owned();
    let app_id = Uuid::parse_str(named).map_err(|_| unknown(named, &directory))?;
    let (home, application) =
        registration(world, app_id, tenant).ok_or_else(|| unknown(named, &directory))?;
    let secret = basic
        .as_ref()
        .map(|(_, secret)| secret.as_str())
        .or_else(|| first(form, "client_secret"))
        .filter(|secret| !secret.is_empty());
    match (secret, first(form, "client_assertion")) {
        (Some(secret), _) => {
            // A secret of the service principal counts in its own tenant.
            let own = tenant
                .and_then(|id| world.tenants.made(id))
                .and_then(|state| Some(state.keys_of(state.principal_by_app(app_id)?.id).secrets))
                .unwrap_or_default();
            check_secret(&application, &own, secret)?;
        }
        (None, Some(signed)) => {
            let kind = first(form, "client_assertion_type").unwrap_or("");
            let endpoint = assertion::Endpoint {
                base: &world.base,
                authority: call.segment(0),
                tenants: &world.tenants,
            };
            assertion::check(&endpoint, &application, kind, signed)?;
        }
        (None, None) => {
            return Err(EntraError::new(
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            ));
        }
    }
    Ok((home, application))
}

/// 900144 for a parameter that is not there.
pub fn missing(parameter: &str) -> EntraError {
    EntraError::new(
        900_144,
        format!("The request body must contain the following parameter: '{parameter}'."),
    )
}

fn check_secret(application: &Application, own: &[Secret], secret: &str) -> Result<(), EntraError> {
    let id = application.app_id;
    match application
        .secrets
        .iter()
        .chain(own)
        .find(|known| known.value == secret)
    {
        None => Err(EntraError::new(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{id}'."
            ),
        )),
        // Secrets expire on the wall clock, as tokens do.
        Some(known) if known.expires <= wall_now() => Err(EntraError::new(
            7_000_222,
            format!(
                "The provided client secret keys for app '{id}' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security."
            ),
        )),
        Some(_) => Ok(()),
    }
}
