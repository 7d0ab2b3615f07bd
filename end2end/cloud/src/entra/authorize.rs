//! The authorize endpoint: checks the request, then hands over to the pages.

use axum::http::Method;
use uuid::Uuid;

use super::errors::EntraError;
use super::{Authority, Flow, Purpose, client, pages, scopes, sign_in};
use crate::http_parts::{Call, Reply, first, with_query};
use crate::world::World;
use crate::world::tenant::Application;

/// Where an error of the request goes: a page as long as the redirect URI is not trusted, the
/// client afterwards.
enum Refusal {
    Page(EntraError),
    Redirect(Box<Flow>, &'static str, EntraError),
}

/// `GET|POST /{tenant}/oauth2/v2.0/authorize`.
pub fn start(world: &mut World, call: &Call, authority: Authority) -> Reply {
    let parameters = if call.method == Method::POST {
        call.form()
    } else {
        call.query.clone()
    };
    match read(world, call, &parameters, authority) {
        Ok(flow) => sign_in::begin(world, call, flow),
        Err(Refusal::Page(error)) => error.page(&mut world.dice, call),
        Err(Refusal::Redirect(flow, error, detail)) => redirect_error(world, &flow, error, &detail),
    }
}

/// The application of the request, checked against the authority and the redirect URI.
pub fn trusted_client(
    world: &mut World,
    parameters: &[(String, String)],
    authority: Authority,
) -> Result<(Uuid, Application, String), EntraError> {
    let tenant = match authority {
        Authority::Tenant(id) => Some(id),
        Authority::Organizations | Authority::Common => None,
    };
    let client_id = first(parameters, "client_id").ok_or_else(|| client::missing("client_id"))?;
    let directory = tenant
        .and_then(|id| world.tenants.summary(id))
        .map_or("organizations", |summary| &summary.name)
        .to_owned();
    let unknown = || client::unknown(client_id, &directory);
    let app_id = Uuid::parse_str(client_id).map_err(|_| unknown())?;
    let (home, application) = client::registration(world, app_id, tenant).ok_or_else(unknown)?;
    if !application.multi_tenant {
        match tenant {
            Some(id) if id == home => {}
            Some(_) => return Err(unknown()),
            None => {
                return Err(EntraError::new(
                    50194,
                    format!(
                        "Application '{client_id}'({}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
                        application.display_name
                    ),
                ));
            }
        }
    }
    let redirect_uri = match first(parameters, "redirect_uri") {
        Some(uri) => uri.to_owned(),
        None => application
            .redirect_uris
            .first()
            .cloned()
            .unwrap_or_default(),
    };
    if !application
        .redirect_uris
        .iter()
        .any(|known| same_redirect(known, &redirect_uri))
    {
        return Err(EntraError::new(
            50011,
            format!(
                "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal."
            ),
        ));
    }
    Ok((home, application, redirect_uri))
}

/// Exactly as registered, but for the port of `http://localhost`.
fn same_redirect(known: &str, sent: &str) -> bool {
    if known == sent {
        return true;
    }
    let path_of = |uri: &str| -> Option<String> {
        let rest = uri.strip_prefix("http://localhost")?;
        let after_port = match rest.strip_prefix(':') {
            Some(rest) => {
                let digits = rest.chars().take_while(char::is_ascii_digit).count();
                if digits == 0 {
                    return None;
                }
                rest.get(digits..)?
            }
            None => rest,
        };
        (after_port.is_empty() || after_port.starts_with('/')).then(|| after_port.to_owned())
    };
    match (path_of(known), path_of(sent)) {
        (Some(known), Some(sent)) => known == sent,
        _ => false,
    }
}

fn read(
    world: &mut World,
    call: &Call,
    parameters: &[(String, String)],
    authority: Authority,
) -> Result<Flow, Refusal> {
    let (client_home, application, redirect_uri) =
        trusted_client(world, parameters, authority).map_err(Refusal::Page)?;
    let text = |name: &str| first(parameters, name).map(str::to_owned);
    let response_mode = text("response_mode").unwrap_or_else(|| "query".to_owned());
    let mut flow = Flow {
        purpose: Purpose::Authorize,
        segment: call.segment(0).to_owned(),
        authority,
        client: application.app_id,
        client_home,
        redirect_uri,
        form_post: response_mode == "form_post",
        state: text("state"),
        nonce: text("nonce"),
        wanted: scopes::Wanted::default(),
        raw_scope: text("scope").unwrap_or_default(),
        challenge: text("code_challenge"),
        prompt: text("prompt").unwrap_or_default(),
        login_hint: text("login_hint").filter(|hint| !hint.is_empty()),
        account: None,
        consented: false,
        met: scopes::rules_of(text("claims").as_deref()),
    };
    let refuse = |flow: &Flow, error: &'static str, code: u32, detail: String| {
        Refusal::Redirect(Box::new(flow.clone()), error, EntraError::new(code, detail))
    };
    if response_mode == "fragment" {
        let error = EntraError::not_simulated("response_mode 'fragment'");
        return Err(Refusal::Page(error));
    }
    if !["query", "form_post"].contains(&response_mode.as_str()) {
        let detail = format!("The response_mode '{response_mode}' is not supported.");
        return Err(refuse(&flow, "invalid_request", 90014, detail));
    }
    match first(parameters, "response_type") {
        Some("code") => {}
        None => {
            let detail = "The required field 'response_type' is missing from the request.";
            return Err(refuse(&flow, "invalid_request", 90014, detail.to_owned()));
        }
        Some(other) => {
            let detail = format!("response_type '{other}' is not enabled for the application.");
            return Err(refuse(&flow, "unsupported_response_type", 700_054, detail));
        }
    }
    if flow.raw_scope.trim().is_empty() {
        let detail = "The request must contain the following parameter: 'scope'.";
        return Err(refuse(&flow, "invalid_request", 900_144, detail.to_owned()));
    }
    flow.wanted = match scopes::parse(&flow.raw_scope) {
        Ok(wanted) => wanted,
        Err(error) => {
            let word = error.error();
            return Err(Refusal::Redirect(Box::new(flow), word, error));
        }
    };
    match (first(parameters, "code_challenge_method"), &flow.challenge) {
        (None, None) | (Some("S256"), Some(_)) => {}
        _ => {
            let detail = "PKCE needs a code_challenge and the code_challenge_method S256.";
            return Err(refuse(
                &flow,
                "invalid_request",
                9_002_313,
                detail.to_owned(),
            ));
        }
    }
    if !["", "login", "none", "consent", "select_account"].contains(&flow.prompt.as_str()) {
        let detail = format!("The prompt '{}' is not supported.", flow.prompt);
        return Err(refuse(&flow, "invalid_request", 90023, detail));
    }
    Ok(flow)
}

/// Sends the browser back with an error.
pub fn redirect_error(
    world: &mut World,
    flow: &Flow,
    error: &'static str,
    detail: &EntraError,
) -> Reply {
    let trace = world.dice.guid().to_string();
    let correlation = world.dice.guid().to_string();
    let description = detail.description(&trace, &correlation);
    let mut pairs = vec![
        ("error", error),
        ("error_description", description.as_str()),
    ];
    if flow.purpose == Purpose::AdminConsent {
        pairs.insert(0, ("admin_consent", "True"));
    }
    if detail.code == 65004 {
        pairs.push(("error_subcode", "cancel"));
    }
    if let Some(state) = &flow.state {
        pairs.push(("state", state));
    }
    deliver(flow, &pairs)
}

/// Gives parameters to the client, by redirect or by a form.
pub fn deliver(flow: &Flow, pairs: &[(&str, &str)]) -> Reply {
    if flow.form_post {
        Reply::html(200, pages::form_post(&flow.redirect_uri, pairs))
    } else {
        Reply::redirect(&with_query(&flow.redirect_uri, pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_localhost_is_ignored() {
        let known = "http://localhost/auth/callback";
        assert!(same_redirect(known, "http://localhost:3000/auth/callback"));
        assert!(same_redirect(known, "http://localhost/auth/callback"));
        for other in [
            "http://localhost:3000/auth/callback/",
            "http://localhost.evil.example/auth/callback",
            "http://localhost:@evil.example/auth/callback",
            "http://127.0.0.1:3000/auth/callback",
            "https://localhost:3000/auth/callback",
        ] {
            assert!(!same_redirect(known, other), "{other}");
        }
        assert!(!same_redirect(
            "https://a.example/x",
            "https://a.example:444/x"
        ));
    }
}
