//! Prometheus metrics, on a listener of their own.

use std::time::Duration;

use axum::{Router, http::header, routing::get};
use metrics_exporter_prometheus::PrometheusBuilder;
use store::Store;
use tokio::sync::watch;

use super::health;
use crate::{cli::Failed, shutdown::stopped};

/// In seconds. Pages are meant to take ten milliseconds.
const BUCKETS: [f64; 11] = [
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts the metrics recorder. Returns the router that shows the metrics.
pub(crate) fn router(store: &Store, stop: watch::Receiver<bool>) -> Result<Router, Failed> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Failed::because("the numbers cannot be counted", error))?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut end = std::pin::pin!(stopped(stop));
        loop {
            tokio::select! {
                () = &mut end => return,
                () = tokio::time::sleep(UPKEEP) => upkeep.run_upkeep(),
            }
        }
    });
    let show = move || {
        let text = handle.render();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    Ok(Router::new()
        .route("/metrics", get(show))
        .merge(health::routes(store)))
}
