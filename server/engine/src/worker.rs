//! The worker: runs the jobs of setups and the scans. Any number of processes can run one.

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

/// Attempts of a job before the queue gives it up. A job fails only when our own database fails:
/// every failure of Microsoft is recorded as the state of a step. So the queue never has to give
/// up.
const ATTEMPTS: i16 = 1000;

/// How long to wait after a job has returned, before the queue is woken. `graphile_worker` releases
/// the customer's queue shortly after the return: a notice before that finds no job that may run.
/// The margin also covers a small difference between our clock and the database's.
const LETS_GO: Duration = Duration::from_millis(20);
/// Maximum number of steps that one job runs of a setup. After them the customer's other setups get
/// their turn.
const IN_A_ROW: usize = 10;
/// Longest wait after which the queue is woken. After a longer one the queue's own poll, every half
/// second, is early enough.
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
            // A next step that needs no wait runs in this job: a job of its own would have to wait
            // in the queue again.
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

/// The regular cleanup: deletes expired secrets, attempts to sign in, sessions.
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

/// The job that runs the next steps of a setup. Jobs of one customer run one at a time (`queue`),
/// and at most one job of a setup waits (`key`). `run_at`: not before this time; none: at once.
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
    /// Wakes the queue when the next run of a setup is due. Where the next run needs no wait, that
    /// is shortly after this job has returned: the database's notice of the new job came while this
    /// job still held the customer's queue. Without a wake the queue polls twice a second; the poll
    /// also finds the jobs of processes that died.
    fn wake_queue(&self, next: Next) {
        let wait = match next {
            Next::At(at) => at.millis() - self.now().millis(),
            // An operator may have added a job while this one ran.
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

    /// Runs jobs and scans until `shutdown` turns true. Fails when the queue or the scans break
    /// off.
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
        // The scans end when this function returns, for whatever reason. A caller that starts the
        // worker again starts the scans again as well.
        let (stop_scans, scans_stopped) = watch::channel(false);
        let mut scans = JoinSet::new();
        scans.spawn({
            let engine = self.clone();
            async move { engine.run_scans(scans_stopped).await }
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
                // Running jobs get time to end. Another worker takes over those that do not end in
                // time.
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
