//! What every answer tells the browser about its own safety.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;

use super::Web;

const FIXED: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
/// Two years, as preload lists want it.
const HSTS: &str = "max-age=63072000; includeSubDomains";
/// For everything that is no page: nothing in it may run or load.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Mints the page's nonce, and sets the headers.
pub(super) async fn secure(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if web.inner.public_url.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(HSTS),
        );
    }
    let policy = if is_page(headers) {
        HeaderValue::from_str(&page_policy(&nonce.to_string(), &web.inner.authority))
            .unwrap_or(HeaderValue::from_static(NOTHING))
    } else {
        HeaderValue::from_static(NOTHING)
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    // What is behind a session must not stay in a cache. Files say by themselves how long they last.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"))
}

/// `form-action` names Entra too: browsers apply it to the redirects after a form.
fn page_policy(nonce: &str, authority: &str) -> String {
    format!(
        "default-src 'none'; \
         script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; \
         connect-src 'self'; \
         font-src 'self'; \
         manifest-src 'self'; \
         form-action 'self' {authority}; \
         base-uri 'none'; \
         frame-ancestors 'none'"
    )
}
