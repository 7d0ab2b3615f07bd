//! Checks that nothing is left at the end: jobs, leases, secrets.

use std::path::Path;

use tokio::time::{Duration, Instant};

use super::{block::Shared, drive::Driven, process::BORN};

/// Timeout for jobs that were locked by killed workers.
const JOBS_PATIENCE: Duration = Duration::from_secs(40);

/// Jobs and leases that are still left after a timeout: nothing may wait for a dead worker or be
/// given up.
pub async fn stuck(shared: &Shared) -> Vec<String> {
    let ends = Instant::now() + JOBS_PATIENCE;
    loop {
        let left = left(shared).await;
        if left.is_empty() || Instant::now() >= ends {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Work that somebody should be doing: jobs of any kind, and scans whose lease has expired or that
/// are due.
pub async fn left(shared: &Shared) -> Vec<String> {
    let mut left = shared
        .rows(
            "select id, task_id, payload, attempts, max_attempts, last_error, locked_at, run_at
             from graphile_worker._private_jobs
             where (attempts >= max_attempts or run_at <= now() + interval '1 minute')
               -- Replaced while it ran, by one that carries its key now: the purge's.
               and not (key is null and attempts >= max_attempts and locked_at is null)",
        )
        .await;
    left.extend(
        shared
            .rows(
                "select customer_id, lease, lease_until, due_at from scans
                 where (lease is null and due_at < now())
                    or (lease is not null and lease_until < now())",
            )
            .await,
    );
    left.iter()
        .map(|job| format!("a job is stuck: {job}"))
        .collect()
}

/// Secrets that are still stored, or that stand in plain text in any table of the database.
pub async fn secrets(shared: &Shared, runs: &[Driven]) -> Vec<String> {
    let mut found: Vec<String> = shared
        .rows("select setup_id from secrets")
        .await
        .iter()
        .map(|row| format!("a secret is left of the setup {}", row["setup_id"]))
        .collect();
    let list: Vec<String> = runs.iter().map(|run| format!("'{}'", run.secret)).collect();
    let list = list.join(", ");
    let tables = shared
        .rows(
            "select format('%I.%I', table_schema, table_name) as name
             from information_schema.tables
             where table_schema in ('public', 'graphile_worker') and table_type = 'BASE TABLE'",
        )
        .await;
    assert!(tables.len() > 15, "{} tables", tables.len());
    for table in tables {
        let name = table["name"].as_str().expect("a name");
        let query = format!(
            "select count(*) as rows from {name} x
             where exists (select 1 from unnest(array[{list}]) secret
                           where position(secret in x::text) > 0
                              or position(encode(convert_to(secret, 'utf8'), 'hex') in x::text) > 0)"
        );
        let rows = &shared.rows(&query).await[0]["rows"];
        if *rows != 0 {
            found.push(format!("{rows} rows of {name} hold a secret as it is"));
        }
    }
    found
}

/// Secrets in the logs.
pub fn logged(logs: &[&Path], runs: &[Driven]) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = 0;
    for path in logs {
        let text = std::fs::read(path).expect("a log");
        let text = String::from_utf8_lossy(&text);
        lines += text.lines().filter(|line| !line.contains(BORN)).count();
        for run in runs.iter().filter(|run| text.contains(&run.secret)) {
            found.push(format!(
                "seed {}: its secret is in {}",
                run.plan.seed,
                path.display()
            ));
        }
    }
    // When the log goes to the terminal, there is no file to read.
    if lines == 0 && std::env::var_os("POSTERN_CAMPAIGN_LOG").is_none() {
        found.push("nobody wrote a log".to_owned());
    }
    found
}
