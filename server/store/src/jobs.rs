//! Jobs, added in the transaction that makes them necessary.

use domain::Timestamp;
use serde_json::Value;

use crate::{Result, Store, Tx, clean};

/// The database schema of the job queue.
pub(crate) const SCHEMA: &str = "graphile_worker";

/// A job to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The name of the worker's handler for this job.
    pub identifier: &'static str,
    /// The handler's input. It carries the partner, because a worker has no partner of its own.
    pub payload: Value,
    /// Jobs of one queue run one after the other.
    pub queue: Option<String>,
    /// A job with this key that has not begun yet is replaced.
    pub key: Option<String>,
    /// None: at once.
    pub run_at: Option<Timestamp>,
    pub max_attempts: i16,
}

impl Store {
    /// Makes all workers look for due jobs.
    pub async fn wake_queue(&self) -> Result<()> {
        sqlx::query("select pg_notify('jobs:insert', '{}')")
            .execute(&self.queue)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Adds a job. Workers see it when the transaction commits.
    pub async fn add_job(&mut self, job: &Job) -> Result<()> {
        sqlx::query(
            "select graphile_worker.add_job(
                 identifier => $1, payload => $2::jsonb::json, queue_name => $3, run_at => $4,
                 max_attempts => $5::integer, job_key => $6, job_key_mode => 'replace')",
        )
        .bind(job.identifier)
        .bind(clean::json(job.payload.clone()))
        .bind(job.queue.as_deref())
        .bind(job.run_at.map(clean::moment))
        .bind(i32::from(job.max_attempts))
        .bind(job.key.as_deref())
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// How many jobs of this partner are not done yet, including scheduled jobs. For tests: none
    /// may be left at their end.
    pub async fn jobs_left(&mut self) -> Result<i64> {
        let partner = self.partner();
        Ok(sqlx::query_scalar(
            "select count(*) from graphile_worker._private_jobs
             where payload ->> 'partner' = $1 and attempts < max_attempts",
        )
        .bind(partner.to_string())
        .fetch_one(self.conn())
        .await?)
    }
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
