//! The end of a process, seen by everything that runs.

use tokio::sync::watch;

/// Resolves when the value turns true, or when nobody is left who could turn it.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
