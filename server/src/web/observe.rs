//! One log line and one metric per request.
//!
//! Neither holds an address: addresses carry codes, links and customers. The route's pattern is
//! used instead.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use tracing::Instrument as _;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id of our own, and records how it ended.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = Uuid::new_v4();
    let method = method(request.method());
    let route = route(&request);
    let span = tracing::info_span!("request", %id, method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    let status = response.status();
    metrics::counter!(
        "http_requests_total",
        "method" => method,
        "route" => route.clone(),
        "status" => class(status.as_u16()),
    )
    .increment(1);
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(took.as_secs_f64());
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    span.in_scope(|| match (route.as_str(), status) {
        ("/healthz" | "/readyz" | "/pkg", 200..=499) => {
            tracing::debug!(status, millis, "answered");
        }
        (_, 500..) => tracing::warn!(status, millis, "answered"),
        _ => tracing::info!(status, millis, "answered"),
    });
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The method as a metric label. Clients can invent methods, which must not create new metrics.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

fn route(request: &Request) -> String {
    let path = request.uri().path();
    if path.starts_with("/pkg/") {
        return "/pkg".to_owned();
    }
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned())
}

const fn class(status: u16) -> &'static str {
    match status {
        ..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500.. => "5xx",
    }
}
