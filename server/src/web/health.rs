//! Liveness and readiness of the process.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode, routing::get};
use store::Store;
use tokio::sync::Mutex;

/// Timeout of the check. A database that needs longer cannot serve pages either.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer is cached. Anybody may ask, and each check takes a connection from the pages.
const REMEMBERED: Duration = Duration::from_secs(1);

type Ready = (StatusCode, &'static str);

/// The last answer. Concurrent requests wait for the running check.
#[derive(Debug, Default)]
struct Memory(Mutex<Option<(Instant, Ready)>>);

impl Memory {
    async fn answer(&self, now: impl Fn() -> Instant, look: impl AsyncFnOnce() -> Ready) -> Ready {
        let mut known = self.0.lock().await;
        if let Some((then, answer)) = *known
            && now().saturating_duration_since(then) < REMEMBERED
        {
            return answer;
        }
        let answer = look().await;
        *known = Some((now(), answer));
        answer
    }
}

/// `/healthz` and `/readyz`: on the metrics listener, or on the portal's listener where there is
/// none.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(store: &Store) -> Router<S> {
    let store = store.clone();
    let memory = Arc::new(Memory::default());
    let ready = move || {
        let (store, memory) = (store.clone(), memory.clone());
        async move {
            memory
                .answer(Instant::now, async || look(&store).await)
                .await
        }
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
}

async fn look(store: &Store) -> Ready {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn security_f11_readiness_is_looked_for_once_a_second() {
        let memory = Memory::default();
        let looks = AtomicUsize::new(0);
        let began = Instant::now();
        let ask = async |after: Duration| {
            let look = async || {
                looks.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                (StatusCode::OK, "ready\n")
            };
            memory.answer(|| began + after, look).await
        };
        let asked = (0..50).map(|_| ask(Duration::ZERO));
        for (status, _) in futures::future::join_all(asked).await {
            assert_eq!(status, StatusCode::OK);
        }
        assert_eq!(looks.load(Ordering::SeqCst), 1);
        ask(Duration::from_millis(999)).await;
        assert_eq!(looks.load(Ordering::SeqCst), 1);
        ask(REMEMBERED).await;
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }
}
