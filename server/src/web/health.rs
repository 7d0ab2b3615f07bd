//! Whether the process lives, and whether it can work.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use store::Store;

/// A database that needs longer cannot serve pages either.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/healthz` and `/readyz`: on the listener for numbers, and on the portal's where there is none.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(store: &Store) -> Router<S> {
    let store = store.clone();
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || ready(store.clone())))
}

async fn ready(store: Store) -> (StatusCode, &'static str) {
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            )
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is slow\n"),
    }
}
