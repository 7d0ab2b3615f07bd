//! Routes for signing in and out. The engine starts, ends and stores the attempts.

use axum::{
    Extension, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use domain::{Problem, problem::Remedy};
use engine::{CallbackQuery, Finished};
use serde::Deserialize;
use tower_sessions::Session;

use super::{
    Web, browser, device, headers,
    refusal::Refusal,
    session,
    visitor::{Visitor, see_other},
};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/auth/sign-in", get(sign_in))
        .route("/auth/callback", get(callback))
        .route("/auth/sign-out", post(sign_out))
        .route("/auth/sign-out-everywhere", post(sign_out_everywhere))
}

#[derive(Debug, Deserialize)]
struct SignIn {
    return_to: Option<String>,
}

/// Sends the browser to Entra.
async fn sign_in(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<SignIn>,
) -> Result<Response, Refusal> {
    let browser = visitor.browser.unwrap_or_default();
    let url = web
        .engine()
        .begin_sign_in(&browser, query.return_to.as_deref())
        .await?;
    to(&url)
}

/// The redirect URI to which Entra sends the browser back.
async fn callback(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Result<Response, Refusal> {
    let signed_in = visitor.operator.is_some();
    let who = visitor.operator.map(|operator| operator.id);
    let who = who.zip(visitor.session);
    let browser = visitor.browser.unwrap_or_default();
    let finished = web.engine().callback(&browser, who, query).await;
    match finished.map_err(|problem| refused(problem, signed_in))? {
        Finished::SignedIn {
            operator,
            return_to,
            home_token,
        } => {
            let agent = headers
                .get(header::USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let device = device::named(agent);
            session::open(&web, &session, &operator, &device, home_token.as_ref()).await?;
            Ok(unbound(to(&return_to)?))
        }
        // An operator may have started attempts for other customers in other tabs. For those the
        // cookie stays until its ten minutes are over.
        Finished::Connected { return_to, .. } if signed_in => to(&return_to),
        Finished::Connected { thanks, .. } => Ok(unbound(Refusal::thanks(*thanks).into_response())),
        // A person without an account sees only what happened.
        Finished::NotByInvitation(problem) => Err(refused(*problem, signed_in).without_action()),
    }
}

/// An error response with a link to start the attempt again.
fn refused(problem: Problem, signed_in: bool) -> Refusal {
    // Entra's answer decides at the end of a round trip: the person asked Postern for nothing.
    let status = match (problem.status(), problem.remedy) {
        (Some(500 | 503), _) => app::status_of(&problem),
        // Entra is unavailable, or its answer makes no sense.
        (_, Remedy::Wait) => StatusCode::BAD_GATEWAY,
        (_, Remedy::Never) => StatusCode::FORBIDDEN,
        (_, Remedy::Act | Remedy::Consent) => StatusCode::BAD_REQUEST,
    };
    let (href, label) = if signed_in {
        ("/customers", "All customers")
    } else {
        ("/auth/sign-in", "Try again")
    };
    Refusal::new(status, problem).with_action(href, label)
}

async fn sign_out(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
) -> Result<Response, Refusal> {
    if let (Some(operator), Some(reference)) = (&visitor.operator, visitor.session) {
        web.engine().end_session(operator, reference).await?;
    }
    session::close(&session).await?;
    signed_out()
}

async fn sign_out_everywhere(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
) -> Result<Response, Refusal> {
    if let Some(operator) = &visitor.operator {
        web.engine().sign_out_everywhere(operator).await?;
    }
    session::close(&session).await?;
    signed_out()
}

/// The response of a sign-out: the browser clears its cached pages.
fn signed_out() -> Result<Response, Refusal> {
    let mut response = unbound(to("/")?);
    let (name, value) = headers::FORGET;
    response.headers_mut().insert(name, value);
    Ok(response)
}

/// Removes the cookie that bound an attempt to this browser.
fn unbound(mut response: Response) -> Response {
    response
        .headers_mut()
        .append(header::SET_COOKIE, browser::removal());
    response
}

fn to(url: &str) -> Result<Response, Refusal> {
    see_other(url).ok_or_else(|| Refusal::of(Problem::not_found()))
}
