//! Error responses outside the app: a problem as a whole page, or as JSON for programs.

use app::AppError;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Problem, problem::Remedy};

use super::{Web, layers::LARGEST_BODY, page};

/// An error response. The outermost layer renders its body, because that layer knows what the
/// client accepts.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// Boxed to keep every handler's result small.
    pub(super) problem: Box<Problem>,
    /// Address and label of the one link, if the page has one.
    pub(super) action: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, problem: Problem) -> Self {
        Self {
            status,
            problem: Box::new(problem),
            action: Some(("/", "To the start page")),
        }
    }

    /// The error response with the status that fits the problem.
    pub(super) fn of(problem: Problem) -> Self {
        Self::new(app::status_of(&problem), problem)
    }

    pub(super) fn signed_out() -> Self {
        Self::of(Problem::signed_out()).with_action("/auth/sign-in", "Sign in")
    }

    pub(super) fn no_role() -> Self {
        Self::of(Problem::no_role())
    }

    /// Not an error, but also no page of the app: a customer's admin has consented, and has no
    /// account here.
    pub(super) fn thanks(told: Problem) -> Self {
        Self::new(StatusCode::OK, told).without_action()
    }

    #[must_use]
    pub(super) fn with_action(mut self, href: &'static str, label: &'static str) -> Self {
        self.action = Some((href, label));
        self
    }

    #[must_use]
    pub(super) fn without_action(mut self) -> Self {
        self.action = None;
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::of(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Renders the body of refusals, and of the bare errors of other layers.
pub(super) async fn render(State(web): State<Web>, request: Request, next: Next) -> Response {
    let html = wants_html(request.headers());
    let file = request.uri().path().starts_with("/pkg/");
    let response = next.run(request).await;
    let refusal = match response.extensions().get::<Refusal>() {
        Some(refusal) => refusal.clone(),
        None if file || has_body(&response) => return response,
        None => match bare(response.status()) {
            Some(refusal) => refusal,
            None => return response,
        },
    };
    let (kind, body) = if html {
        (
            "text/html; charset=utf-8",
            page::of(&web.inner.files.stylesheet, &refusal),
        )
    } else {
        ("application/json", json(&refusal.problem))
    };
    let (mut parts, _) = response.into_parts();
    parts.status = refusal.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Response::from_parts(parts, body.into())
}

/// The problem in the JSON form of server functions, which the app understands.
fn json(problem: &Problem) -> String {
    let error = if problem.key == Problem::signed_out().key {
        AppError::SignedOut
    } else {
        AppError::Problem(problem.clone())
    };
    serde_json::to_string(&error).unwrap_or_else(|error| {
        tracing::error!(%error, "a problem could not be written as JSON");
        "{}".to_owned()
    })
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepts| accepts.contains("text/html"))
}

/// Whether the response already has a body that a person or the app can read.
fn has_body(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| !kind.starts_with("text/plain"))
        || response.headers().contains_key("serverfnerror")
}

/// The refusal for a bare status from layers and extractors.
fn bare(status: StatusCode) -> Option<Refusal> {
    let tell = |key: &str, happened: String, means: &str, todo: &str| {
        Some(Refusal::new(
            status,
            Problem::new(key, Remedy::Act, happened, means, todo),
        ))
    };
    match status {
        StatusCode::FORBIDDEN => tell(
            "request.cross_site",
            "This request came from another site.".to_owned(),
            "Postern takes changes only from its own pages, so that no other page acts in your name.",
            "Open Postern itself and do it there.",
        ),
        StatusCode::NOT_FOUND => Some(Refusal::of(Problem::not_found())),
        StatusCode::METHOD_NOT_ALLOWED => tell(
            "request.method",
            "This address cannot be used in this way.".to_owned(),
            "Nothing was changed.",
            "Go back to the page and use what is offered there.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => tell(
            "request.too_large",
            format!("More than {} KiB were sent.", LARGEST_BODY / 1024),
            "Nothing was changed.",
            "Shorten what you entered and send it again.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => Some(Refusal::new(
            status,
            Problem::new(
                "request.too_long",
                Remedy::Wait,
                "This took too long.",
                "Postern or Microsoft is slow at the moment; setups that run go on.",
                "Try again in a minute.",
            ),
        )),
        status if status.is_client_error() => tell(
            "request.unreadable",
            "The request could not be read.".to_owned(),
            "Nothing was changed.",
            "Go back to the page, load it again and repeat what you did.",
        ),
        _ => None,
    }
}
