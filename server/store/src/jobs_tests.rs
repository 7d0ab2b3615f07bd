#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerRecoveryConfig};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::*;
use crate::test_data::{NOW, World};

#[derive(Clone, Debug)]
struct Heard(Arc<mpsc::UnboundedSender<i64>>);

#[derive(Debug, Serialize, Deserialize)]
struct Tell {
    number: i64,
}

impl TaskHandler for Tell {
    const IDENTIFIER: &'static str = "tell";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let heard = ctx.get_ext::<Heard>().unwrap();
        heard.0.send(self.number).map_err(|error| error.to_string())
    }
}

fn job(world: &World, number: i64, key: Option<&str>) -> Job {
    Job {
        identifier: Tell::IDENTIFIER,
        payload: serde_json::json!({"partner": world.a.owner.partner, "number": number}),
        queue: Some("customer:1".into()),
        key: key.map(str::to_owned),
        run_at: None,
        max_attempts: 1000,
    }
}

/// The worker starts, writes its heartbeat, runs jobs and cleans up with the few rights of the
/// server's role.
#[tokio::test]
async fn jobs_run_as_the_servers_role() {
    let world = World::new().await;
    let (sender, mut heard) = mpsc::unbounded_channel();
    let worker = world
        .store
        .worker_options()
        .concurrency(2)
        .poll_interval(Duration::from_millis(100))
        .worker_recovery(
            WorkerRecoveryConfig::default()
                .enabled(true)
                .heartbeat_interval(Duration::from_millis(50))
                .sweep_interval(Duration::from_millis(50)),
        )
        .listen_os_shutdown_signals(false)
        .add_extension(Heard(Arc::new(sender)))
        .define_job::<Tell>()
        .with_cron("0 0 1 1 * tell")
        .unwrap()
        .init()
        .await
        .unwrap();

    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    tx.add_job(&job(&world, 1, None)).await.unwrap();
    drop(tx);
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    tx.add_job(&job(&world, 2, Some("key"))).await.unwrap();
    tx.add_job(&job(&world, 3, Some("key"))).await.unwrap();
    let later = Job {
        run_at: Some(NOW.plus_seconds(10 * 365 * 86_400)),
        ..job(&world, 4, None)
    };
    tx.add_job(&later).await.unwrap();
    assert_eq!(tx.jobs_left().await.unwrap(), 2);
    tx.commit().await.unwrap();

    // `run_once` runs the due job. The rolled-back job does not exist.
    worker.run_once().await.unwrap();
    assert_eq!(heard.recv().await, Some(3));

    let run = async {
        worker.run().await.unwrap();
    };
    let watch = async {
        let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
        tx.add_job(&job(&world, 5, None)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(heard.recv().await, Some(5));
        let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
        let beating: i64 =
            sqlx::query_scalar("select count(*) from graphile_worker._private_workers")
                .fetch_one(tx.conn())
                .await
                .unwrap();
        assert_eq!(beating, 1);
        worker.request_shutdown();
    };
    tokio::join!(run, watch);
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    assert_eq!(tx.jobs_left().await.unwrap(), 1);
    let mut other = world.store.begin(world.b.owner.partner).await.unwrap();
    assert_eq!(other.jobs_left().await.unwrap(), 0);
}

/// The queue uses up all attempts of a job that is replaced while it runs. When its worker dies,
/// nothing removes the job.
#[tokio::test]
async fn a_replaced_job_of_a_dead_worker_is_purged_and_its_successor_is_not() {
    let world = World::new().await;
    let setup = Job {
        payload: serde_json::json!({"partner": world.a.owner.partner, "setup": "1"}),
        ..job(&world, 1, Some("setup:1"))
    };
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    tx.add_job(&setup).await.unwrap();
    sqlx::query("update graphile_worker._private_jobs set locked_at = now(), locked_by = 'dead'")
        .execute(tx.conn())
        .await
        .unwrap();
    tx.add_job(&setup).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.store.purge_replaced_jobs().await.unwrap(), 0);

    // The job's lock is removed with its worker.
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    sqlx::query("update graphile_worker._private_jobs set locked_at = null, locked_by = null")
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.store.purge_replaced_jobs().await.unwrap(), 1);
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    assert_eq!(tx.jobs_left().await.unwrap(), 1);
}
