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

use crate::{
    Engine, Failure,
    setup::carry_out::{Next, Then},
    shutdown::stopped,
};

/// Jobs try again by themselves only when our own database fails: everything that Microsoft does
/// is a state of a step. So there is no reason ever to give up.
const ATTEMPTS: i16 = 1000;

/// Within this a job that has ended has let its customer go, and clocks agree.
const LETS_GO: Duration = Duration::from_millis(20);
/// Steps of one setup before the others of its customer have their turn.
const IN_A_ROW: usize = 10;
/// After a longer wait half a second is nothing.
const WORTH_WAKING: Duration = Duration::from_secs(60);

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
            // What goes on at once does so here: through the queue each step would wait for its turn
            // anew.
            let mut next = Next::AtOnce;
            for left in (0..IN_A_ROW).rev() {
                let then = if left == 0 { Then::Job } else { Then::Caller };
                next = engine.run_setup(&access, self.setup, then).await?;
                if next != Next::AtOnce {
                    break;
                }
            }
            engine.wake_queue(next);
            Ok(())
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
    /// Has the queue looked into when the next run of a setup is due: after this one has let its
    /// customer go, which the notice of the new job came too early for, or at the end of a wait.
    /// The queue looks by itself twice a second, also for what a dead process had promised.
    fn wake_queue(&self, next: Next) {
        let wait = match next {
            Next::At(at) => at.millis() - self.now().millis(),
            // Somebody may have asked for something while this ran.
            Next::AtOnce | Next::Nothing => 0,
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
        if wait > WORTH_WAKING {
            return;
        }
        let store = self.store().clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait + LETS_GO).await;
            if let Err(error) = store.wake_queue().await {
                tracing::debug!(%error, "the queue was not woken");
            }
        });
    }

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
        let (stop_scans, stopped) = watch::channel(false);
        let mut scans = JoinSet::new();
        scans.spawn({
            let engine = self.clone();
            async move { engine.run_scans(stopped).await }
        });
        tokio::pin!(run);
        let broken = tokio::select! {
            ended = &mut run => Some(ended.map_err(failed)),
            Some(Err(broken)) = scans.join_next() => Some(Err(failed(broken))),
            () = stopped(&mut shutdown) => None,
        };
        stop_scans.send_replace(true);
        let ended = match broken {
            Some(broken) => broken,
            None => {
                worker.request_shutdown();
                // Jobs that run end first; those that do not in time are taken up by another worker.
                run.await.map_err(failed)
            }
        };
        while scans.join_next().await.is_some() {}
        ended
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    store::Error::Worker(error.to_string()).into()
}
