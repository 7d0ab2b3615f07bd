//! The request context that the server provides to every page and every server function.

use domain::{Problem, id::SessionRef, person::Operator, problem::Remedy};
use engine::Engine;
use http::{StatusCode, header, request::Parts};
use leptos::prelude::{provide_context, use_context};
use leptos::server_fn::error::ServerFnUrlError;
use leptos_axum::ResponseOptions;

use crate::{components::FailedForm, error::AppError};

/// The engine, and the person and browser of the request.
#[derive(Clone)]
pub struct Server {
    pub engine: Engine,
    /// None when nobody is signed in.
    pub operator: Option<Operator>,
    /// The session of this request.
    pub session: Option<SessionRef>,
    /// The secret cookie that binds attempts to sign in or consent to this browser.
    pub browser: Option<String>,
    /// The problem of a form that this browser has sent from this page without JavaScript.
    pub failed: Option<FailedForm>,
}

impl Server {
    /// The operator of this request. The error is “signed out”.
    pub fn operator(&self) -> Result<Operator, AppError> {
        self.operator
            .clone()
            .ok_or_else(|| Problem::signed_out().into())
    }

    /// The secret of this browser. Without it no attempt to consent can begin.
    pub fn browser(&self) -> Result<&str, AppError> {
        self.browser
            .as_deref()
            .ok_or_else(|| without_cookies().into())
    }
}

fn without_cookies() -> Problem {
    Problem::new(
        "cookies",
        Remedy::Act,
        "The browser sent no cookie.",
        "Without it Postern cannot tell that the answer comes back to the same browser.",
        "Allow cookies for this site, reload the page and try again.",
    )
}

/// Provides the context of a request. It is the same for pages and for server functions.
pub fn provide(server: Server) {
    provide_context(server);
}

/// The context of this request. The error is an internal problem.
pub fn server() -> Result<Server, AppError> {
    use_context::<Server>().ok_or_else(|| Problem::internal("the time of this request").into())
}

/// Gives the response the status that fits the problem.
///
/// A page keeps its own status unless the whole page cannot be shown. A form that was sent without
/// JavaScript is always answered with a redirect back to its page, which shows the problem.
pub fn answer_with(problem: &Problem) {
    let (Some(options), Some(parts)) = (use_context::<ResponseOptions>(), use_context::<Parts>())
    else {
        return;
    };
    let called = parts.uri.path().starts_with("/api/");
    if called && wants_html(&parts) {
        return;
    }
    let status = status_of(problem);
    let whole_page = [
        StatusCode::NOT_FOUND,
        StatusCode::FORBIDDEN,
        StatusCode::INTERNAL_SERVER_ERROR,
    ];
    if called || whole_page.contains(&status) {
        options.set_status(status);
    }
}

/// The HTTP status of a problem that ends a request.
pub fn status_of(problem: &Problem) -> StatusCode {
    let known = problem.status().map(StatusCode::from_u16);
    match known {
        Some(Ok(status)) => status,
        _ if problem.field().is_some() => StatusCode::UNPROCESSABLE_ENTITY,
        _ if problem.microsoft.is_some() => StatusCode::BAD_GATEWAY,
        // The current state does not permit the action.
        _ => StatusCode::CONFLICT,
    }
}

fn wants_html(parts: &Parts) -> bool {
    parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepts| accepts.contains("text/html"))
}

/// Redirects the reader of a failed form that was sent without JavaScript back to `page`, whose
/// address restores the typed values. `form` is the form's own path. Other readers are not
/// redirected.
pub fn back_to(page: &str, form: &str, error: &AppError) {
    if !use_context::<Parts>().is_some_and(|parts| wants_html(&parts)) {
        return;
    }
    // A URL can be parsed only with a host. Only the part after the host is used.
    let base = format!("http://localhost{page}");
    if let Ok(url) = ServerFnUrlError::new(form, error.clone()).to_url(&base) {
        let query = url.query().unwrap_or_default();
        redirect_page(&format!("{}?{query}", url.path()));
    }
}

/// Redirects the reader of a failed form to `page`, with JavaScript and without.
pub fn go_to(page: &str) {
    if use_context::<Parts>().is_some_and(|parts| wants_html(&parts)) {
        redirect_page(page);
        return;
    }
    let (Some(options), Ok(value)) = (
        use_context::<ResponseOptions>(),
        http::HeaderValue::from_str(page),
    ) else {
        return;
    };
    options.insert_header(header::LOCATION, value);
    options.insert_header(
        http::HeaderName::from_static(leptos::server_fn::redirect::REDIRECT_HEADER),
        http::HeaderValue::from_static(""),
    );
}

/// Redirects the reader of a page.
pub fn redirect_page(path: &str) {
    let (Some(options), Ok(value)) = (
        use_context::<ResponseOptions>(),
        http::HeaderValue::from_str(path),
    ) else {
        return;
    };
    options.insert_header(header::LOCATION, value);
    options.set_status(StatusCode::SEE_OTHER);
}

/// Sets the status of the response to 404.
pub fn page_not_found() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(StatusCode::NOT_FOUND);
    }
}
