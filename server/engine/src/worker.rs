//! The worker: carries out what operators started, on any number of processes.

use std::time::Duration;

use domain::{
    Timestamp,
    id::{CustomerId, PartnerId, SetupId},
};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerRecoveryConfig};
use serde::{Deserialize, Serialize};
use store::{CustomerAccess, Job};
use tokio::{sync::watch, task::JoinSet};

use crate::{Engine, Failure};

/// Jobs try again by themselves only when our own database fails: everything that Microsoft does
/// is a state of a step. So there is no reason ever to give up.
const ATTEMPTS: i16 = 1000;

/// Carries out the next step of a setup.
#[derive(Debug, Serialize, Deserialize)]
struct RunSetup {
    partner: PartnerId,
    customer: CustomerId,
    setup: SetupId,
}

impl TaskHandler for RunSetup {
    const IDENTIFIER: &'static str = "run_setup";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(engine) = ctx.get_ext::<Engine>() else {
            return Err("the worker has no engine".to_owned());
        };
        let run = async {
            let mut tx = engine.store().begin(self.partner).await?;
            let access = tx.for_system(self.customer).await?;
            tx.commit().await?;
            engine.run_setup(&access, self.setup).await
        };
        run.await.map_err(|failure: Failure| {
            tracing::error!(setup = %self.setup, error = %failure, "a step could not be recorded; it runs again");
            failure.to_string()
        })
    }
}

/// Deletes what is over its time: secrets, attempts to sign in, sessions.
#[derive(Debug, Serialize, Deserialize)]
struct Purge;

impl TaskHandler for Purge {
    const IDENTIFIER: &'static str = "purge";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(engine) = ctx.get_ext::<Engine>() else {
            return Err("the worker has no engine".to_owned());
        };
        engine.purge().await.map_err(|failure| {
            tracing::error!(error = %failure, "what is over its time could not be deleted");
            failure.to_string()
        })
    }
}

/// The job that carries a setup on: one at a time per customer, one waiting per setup.
pub(crate) fn setup_job(access: &CustomerAccess, setup: SetupId, run_at: Option<Timestamp>) -> Job {
    let payload = serde_json::json!({
        "partner": access.partner(),
        "customer": access.record().id,
        "setup": setup,
    });
    Job {
        identifier: RunSetup::IDENTIFIER,
        payload,
        queue: Some(format!("customer:{}", access.record().id)),
        key: Some(format!("setup:{setup}")),
        run_at,
        max_attempts: ATTEMPTS,
    }
}

impl Engine {
    /// Works until `shutdown` turns true.
    pub async fn run_worker(&self, mut shutdown: watch::Receiver<bool>) -> Result<(), Failure> {
        let recovery = WorkerRecoveryConfig::default()
            .enabled(true)
            .heartbeat_interval(Duration::from_secs(2))
            .sweep_interval(Duration::from_secs(3))
            .sweep_threshold(Duration::from_secs(12))
            .recovery_delay(Duration::from_millis(100));
        let worker = self
            .store()
            .worker_options()
            .concurrency(self.inner.concurrency)
            .poll_interval(Duration::from_millis(500))
            .worker_recovery(recovery)
            .listen_os_shutdown_signals(false)
            .add_extension(self.clone())
            .define_job::<RunSetup>()
            .define_job::<Purge>()
            .with_cron("* * * * * purge")
            .map_err(|error| store::Error::Worker(error.to_string()))?
            .init()
            .await
            .map_err(|error| store::Error::Worker(error.to_string()))?;
        let run = worker.run();
        // Ends with this function, however that ends: whoever starts the worker anew starts these
        // anew as well.
        let mut scans = JoinSet::new();
        scans.spawn({
            let (engine, shutdown) = (self.clone(), shutdown.clone());
            async move { engine.run_scans(shutdown).await }
        });
        tokio::pin!(run);
        tokio::select! {
            ended = &mut run => return ended.map_err(failed),
            Some(Err(broken)) = scans.join_next() => return Err(failed(broken)),
            _ = shutdown.wait_for(|stop| *stop) => worker.request_shutdown(),
        }
        // Jobs that run end first; those that do not in time are taken up by another worker.
        run.await.map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    store::Error::Worker(error.to_string()).into()
}
