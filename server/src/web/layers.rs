//! The middleware around every route.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse as _, Response},
};
use domain::Problem;
use tower::ServiceBuilder;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
    csrf::CsrfLayer,
    limit::RequestBodyLimitLayer,
    timeout::TimeoutLayer,
};
use uuid::Uuid;

use super::{Web, headers, limits, observe, refusal, refusal::Refusal};

/// More than any form holds.
pub(super) const LARGEST_BODY: usize = 256 * 1024;
/// Timeout until the response begins. A streaming page or a stream of events may go on longer.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
/// In bytes. Smaller responses do not shrink.
const WORTH_COMPRESSING: u64 = 860;

/// Puts the layers around `routes`. The outermost layer comes first.
pub(super) fn around(routes: Router<Web>, web: &Web) -> Router<Web> {
    let compression = CompressionLayer::new()
        // Pages are small and rendered anew each time, so speed counts more than the last per cent.
        .quality(CompressionLevel::Precise(4))
        .compress_when(SizeAbove::new(WORTH_COMPRESSING).and(TextForPeople));
    routes.layer(
        ServiceBuilder::new()
            .layer(middleware::from_fn(observe::observe))
            .layer(middleware::from_fn_with_state(web.clone(), headers::secure))
            .layer(compression)
            .layer(middleware::from_fn_with_state(web.clone(), refusal::render))
            .layer(middleware::from_fn_with_state(web.clone(), limits::limit))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                LONGEST_REQUEST,
            ))
            .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
            .layer(csrf(web))
            .map_request(|request: Request<_>| request.map(axum::body::Body::new)),
    )
}

/// Refuses requests that another site's page makes a browser send.
fn csrf(web: &Web) -> CsrfLayer {
    let origin = web.inner.public_url.origin();
    // A proxy may forward another `Host`, so the address that browsers see is trusted too.
    CsrfLayer::new()
        .add_trusted_origin(origin)
        .unwrap_or_else(|error| {
            tracing::warn!(%error, origin, "forms count as ours by their host alone");
            CsrfLayer::new()
        })
}

fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let cause = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let reference = Uuid::new_v4();
    tracing::error!(%reference, cause, "a request broke");
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        Problem::internal(reference),
    )
    .into_response()
}

/// Compresses pages, data and downloads. It never compresses a stream of events, whose parts would
/// be buffered.
#[derive(Clone, Copy, Debug)]
struct TextForPeople;

impl Predicate for TextForPeople {
    fn should_compress<B>(&self, response: &http::Response<B>) -> bool
    where
        B: axum::body::HttpBody,
    {
        is_text(response.headers())
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    const TEXT: [&str; 5] = [
        "text/html",
        "application/json",
        "text/csv",
        "text/plain",
        "image/svg+xml",
    ];
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| TEXT.iter().any(|text| kind.starts_with(text)))
}
