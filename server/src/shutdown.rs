//! The end of a process: requested once, seen by all its tasks.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Resolves when the value turns true, or when its sender is gone.
pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    engine::stopped(&mut stop).await;
}

/// Turns `stop` true at the first SIGTERM or SIGINT. The second signal ends the process at once.
///
/// # Errors
/// When the signals cannot be listened to.
pub(crate) fn on_signals(stop: watch::Sender<bool>) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping: what runs is finished first");
        stop.send_replace(true);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("asked a second time: stopping at once");
        std::process::exit(130);
    });
    Ok(())
}
