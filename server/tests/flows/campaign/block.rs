//! Several runs that share a cloud, a database, two portals and two workers, and the injected
//! chaos.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use cloud::{Cloud, Config, Delays};
use futures::future::join_all;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use store::testing::TestDatabase;
use tokio::{process::Command, sync::watch, task::JoinSet, time::Instant};
use uuid::Uuid;

use super::{
    check,
    drive::{Driven, drive},
    leftovers, mails,
    operator::Operator,
    plan::Plan,
    process::Process,
    tally::Tally,
};
use crate::support::{Accounts, Browser, SPEED, get_json, patient};

/// How long faults are injected and processes are killed.
const CHAOS: Duration = Duration::from_secs(18);
/// Latency of the services in milliseconds of the real clock, so that kills hit calls under way.
const EXCHANGE_TAKES: [u64; 2] = [10, 150];
const GRAPH_TAKES: [u64; 2] = [2, 40];
/// Timeout for a database that was restarted.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);

/// Postern's speed factor. It is lower than the cloud's, because the interruptions here (kills,
/// hangs, requested pauses) take real time, and Postern must not give up because of them.
const PACE: f64 = 100.0;
/// The speed factor without interruptions.
pub const PACE_IN_CALM: f64 = 600.0;
/// Timeout of a call in seconds. A cmdlet may take twice as long.
const CALL_SECONDS: u32 = 2;
/// Duration of hangs in milliseconds. Some are longer than the timeout of a call.
const HANG: [u64; 2] = [300, 5000];
/// Requested pauses in seconds. Some are longer than the timeout of a call.
const RETRY_AFTER: [u64; 2] = [0, 5];

/// The objects that all runs of a block share.
pub struct Shared {
    pub cloud: Cloud,
    pub accounts: Accounts,
    pub database: TestDatabase,
    pool: PgPool,
    pub operators: [Operator; 2],
    /// Customers' ids by domain.
    pub customers: BTreeMap<&'static str, String>,
    /// True once the faults have ended.
    pub calm: watch::Receiver<bool>,
}

impl Shared {
    /// Rows as JSON. Retries while the database is away.
    pub async fn rows(&self, query: &str) -> Vec<Value> {
        let query = format!("select to_jsonb(found) from ({query}) found");
        let ends = Instant::now() + DATABASE_PATIENCE;
        loop {
            let answer = sqlx::query_scalar::<_, Value>(AssertSqlSafe(query.clone()))
                .fetch_all(&self.pool)
                .await;
            match answer {
                Ok(rows) => return rows,
                Err(error) => assert!(Instant::now() < ends, "{query}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Changes the database as its superuser.
    pub async fn execute(&self, statement: &str) {
        let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&self.pool)
            .await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// The mailbox addresses that can be chosen in a customer.
    pub fn mailboxes(&self, domain: &str) -> Vec<String> {
        self.cloud.with_world(|world| {
            let id = world.tenants.resolve(domain).expect("a tenant");
            let tenant = world.tenants.get(id).expect("a tenant");
            let mut found: Vec<String> = tenant
                .users
                .values()
                .filter_map(|user| user.mailbox.as_ref())
                .filter(|mailbox| matches!(mailbox.kind.details(), "UserMailbox" | "SharedMailbox"))
                .map(|mailbox| mailbox.smtp.to_lowercase())
                .collect();
            found.sort();
            found
        })
    }
}

pub struct Block {
    pub shared: Arc<Shared>,
    portals: [Process; 2],
    workers: [Process; 2],
    tally: Tally,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a short while")]
fn in_the_cloud(millis: u64) -> u64 {
    whole(millis as f64 * SPEED)
}

/// The speed factor of Postern's waits, and the factor by which enforcement in the cloud is
/// delayed.
#[derive(Clone, Copy)]
pub struct Tempo {
    pub pace: f64,
    pub lags: u64,
}

impl Tempo {
    /// Enforcement delays that fit Postern's speed factor: an older policy refuses for as long as
    /// Postern expects, and mail passes for a while after a policy was made.
    pub fn of(pace: f64) -> Self {
        Self {
            pace,
            lags: whole(SPEED / pace),
        }
    }
}

async fn start(plans: &[Plan], calm: watch::Receiver<bool>, tempo: Tempo) -> Block {
    let Tempo { pace, lags } = tempo;
    let usual = patient();
    let config = Config {
        clock_speed: SPEED,
        delays: Delays {
            exchange_latency_ms: EXCHANGE_TAKES.map(in_the_cloud),
            graph_latency_ms: GRAPH_TAKES.map(in_the_cloud),
            policy_enforcement: usual.policy_enforcement.map(|seconds| seconds * lags),
            member_enforcement: usual.member_enforcement.map(|seconds| seconds * lags),
            ..usual
        },
        ..Config::default()
    };
    let cloud = Cloud::start(config).await.expect("a cloud");
    let accounts = Accounts::of(get_json(&format!("{}/_cloud/accounts", cloud.url())).await);
    let database = TestDatabase::create().await.expect("a database");
    let own = [("POSTERN_PACE", pace.to_string())];
    let process = |role| Process::start_with(role, cloud.url(), &accounts, &database, &own);
    let mut portals = [process("web"), process("web")];
    for portal in &portals {
        portal.ready().await;
    }
    let mut owner = Browser::new(&portals[0].url);
    let page = owner.sign_in(&accounts.owner()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let mut engineer = Browser::new(&portals[1].url);
    let page = engineer.sign_in(&accounts.engineer()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let people = owner.read("/api/people", &serde_json::json!({})).await;
    let nora = people
        .as_array()
        .expect("people")
        .iter()
        .find(|person| person["role"].is_null())
        .unwrap_or_else(|| panic!("nobody waits for a role in {people}"))["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let fields = [("person", nora.as_str()), ("role", "engineer")];
    let (status, told) = owner.call_form("/api/set_role", &fields).await;
    assert_eq!(status, 200, "{told}");
    let mut domains: Vec<&'static str> = plans.iter().map(|plan| plan.domain).collect();
    domains.sort_unstable();
    domains.dedup();
    let mut customers = BTreeMap::new();
    for domain in domains {
        let page = owner.send_form("/api/connect", &[("tenant", domain)]).await;
        let page = owner
            .consent(page, &format!("admin@{domain}"), "accept")
            .await;
        customers.insert(domain, page.customer_id());
    }
    // From here on the timeout of calls is short, because hangs are part of the chaos. The
    // preparation above must not time out.
    let short = ("POSTERN_CALL_SECONDS", CALL_SECONDS.to_string());
    for portal in &mut portals {
        portal.kill().await;
        portal.set(short.clone());
        portal.begin();
    }
    for portal in &portals {
        portal.ready().await;
    }
    let urls = [portals[0].url.as_str(), portals[1].url.as_str()];
    let operators = [
        Operator::new(&owner, &urls[1..]),
        Operator::new(&engineer, &urls[..1]),
    ];
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(DATABASE_PATIENCE)
        .connect_lazy(database.superuser_url().expose_secret())
        .expect("an address");
    let both = [own[0].clone(), short];
    let worker = || Process::start_with("worker", cloud.url(), &accounts, &database, &both);
    let workers = [worker(), worker()];
    Block {
        shared: Arc::new(Shared {
            cloud,
            accounts,
            database,
            pool,
            operators,
            customers,
            calm,
        }),
        portals,
        workers,
        tally: Tally::default(),
    }
}

impl Block {
    /// Runs without any disturbance. Afterwards all processes are stopped.
    pub async fn in_calm(plans: Vec<Plan>, tempo: Tempo) -> (Self, Vec<Driven>) {
        let (_calm, is_calm) = watch::channel(true);
        let mut block = start(&plans, is_calm, tempo).await;
        let runs = plans
            .into_iter()
            .map(|plan| drive(block.shared.clone(), plan));
        let runs = join_all(runs).await.into_iter().flatten().collect();
        assert_eq!(leftovers::stuck(&block.shared).await, Vec::<String>::new());
        for process in block.workers.iter_mut().chain(&mut block.portals) {
            process.kill().await;
        }
        (block, runs)
    }

    /// The log files of all processes.
    pub fn logs(&self) -> Vec<&Path> {
        let processes = self.portals.iter().chain(&self.workers);
        processes.map(|process| process.log.as_path()).collect()
    }

    /// Runs the plans with seeds from `first` up to, but not including, `end`.
    pub async fn run(first: u64, end: u64, restart: Option<&str>) -> Tally {
        let plans: Vec<Plan> = (first..end).map(Plan::of).collect();
        let (calm, is_calm) = watch::channel(false);
        let mut block = start(&plans, is_calm, Tempo::of(PACE)).await;
        let mut rng = StdRng::seed_from_u64(first ^ 0x00ca_1a0f);
        block.begin_faults(first, rng.random_range(0.05..0.35));
        let mut runs = JoinSet::new();
        for plan in plans.clone() {
            runs.spawn(drive(block.shared.clone(), plan));
        }
        block.chaos(&mut rng, restart).await;
        block.end_faults();
        calm.send_replace(true);
        let mut driven: Vec<Driven> = Vec::new();
        while let Some(ended) = runs.join_next().await {
            match ended {
                Ok(runs) => driven.extend(runs),
                Err(error) => block
                    .tally
                    .broken(&format!("from seed {first} on: {error}")),
            }
        }
        driven.sort_by_key(|run| (run.plan.seed, run.plan.follows));
        let checked = check::check(&block.shared, &driven, &block.logs()).await;
        let mut found = checked.violations;
        found.extend(leftovers::logged(&block.logs(), &driven));
        for process in block.portals.iter_mut().chain(&mut block.workers) {
            if let Some(why) = process.revive() {
                found.push(format!("seed {first}: {why}"));
            }
        }
        let tally = &mut block.tally;
        tally.violations.extend(found);
        tally.entries = checked.entries;
        tally.proofs = checked.proofs;
        tally.runs = end - first;
        mails::fired(&block.shared, &mut tally.mails);
        for run in driven {
            if let Some(disturbed) = &run.disturbed {
                let how = if checked.noticed.contains(&run.setup) {
                    "told"
                } else {
                    "passed"
                };
                Tally::count(&mut tally.changes, &format!("{:?} {how}", disturbed.what));
            }
            if run.before.is_some() {
                let group = if run.plan.existing { "same" } else { "new" };
                Tally::count(&mut tally.followed, &format!("{} {group} group", run.end));
            }
            tally.setups += u64::from(run.setup.is_some());
            Tally::count(&mut tally.ends, &run.end);
            if let (Some(trap), false) = (run.plan.trap, run.planted.is_empty()) {
                Tally::count(&mut tally.traps, &format!("{trap:?}"));
            } else if run.plan.existing {
                Tally::count(&mut tally.traps, "Existing");
            }
            for key in run.problems {
                Tally::count(&mut tally.problems, &key);
            }
            for why in run.violations {
                tally
                    .violations
                    .push(format!("seed {}: {why}", run.plan.seed));
            }
        }
        block.stop().await
    }

    async fn stop(mut self) -> Tally {
        for process in self.workers.iter_mut().chain(&mut self.portals) {
            process.kill().await;
        }
        self.shared.pool.close().await;
        self.tally
    }

    fn begin_faults(&self, seed: u64, share: f64) {
        let plan = cloud::campaign::Plan {
            seed,
            share,
            retry_after: RETRY_AFTER,
            hang_ms: HANG,
            slow_ms: [100, 1500],
            ..cloud::campaign::Plan::default()
        };
        let campaign = cloud::campaign::Campaign::begin(plan).expect("a campaign");
        self.shared
            .cloud
            .with_world(|world| world.faults.campaign = Some(campaign));
    }

    fn end_faults(&mut self) {
        let report = self.shared.cloud.with_world(|world| {
            let campaign = world.faults.campaign.as_mut().expect("a campaign");
            campaign.end();
            campaign.report()
        });
        for (kind, count) in report["by_kind"].as_object().expect("kinds") {
            *self.tally.faults.entry(kind.clone()).or_default() += count.as_u64().expect("a count");
        }
    }

    /// Kills processes and cuts connections at random times until the chaos ends. Then all
    /// processes run again.
    async fn chaos(&mut self, rng: &mut StdRng, restart: Option<&str>) {
        let ends = Instant::now() + CHAOS;
        let mut restarts = u32::from(restart.is_some() && rng.random_bool(0.3));
        // At least one process is killed and one cut is made, whatever the random numbers are.
        let mut first = vec![9, 0];
        loop {
            let pause = Duration::from_millis(rng.random_range(300..2500));
            if Instant::now() + pause >= ends {
                tokio::time::sleep_until(ends).await;
                return;
            }
            tokio::time::sleep(pause).await;
            let one = rng.random_range(0..2);
            let dead_for = Duration::from_millis(rng.random_range(0..1500));
            let drawn = rng.random_range(0..10);
            match first.pop().unwrap_or(drawn) {
                0..=3 => self.kill(&[one], &[], dead_for).await,
                4 => self.kill(&[0, 1], &[], dead_for).await,
                5..=6 => self.kill(&[], &[one], dead_for).await,
                7 => self.kill(&[one], &[1 - one], dead_for).await,
                8 if restarts > 0 => {
                    restarts -= 1;
                    self.restart(restart.expect("a command")).await;
                }
                _ => self.cut().await,
            }
        }
    }

    async fn kill(&mut self, workers: &[usize], portals: &[usize], dead_for: Duration) {
        for worker in workers {
            self.workers[*worker].kill().await;
            Tally::count(&mut self.tally.kills, "worker");
        }
        for portal in portals {
            self.portals[*portal].kill().await;
            Tally::count(&mut self.tally.kills, "web");
        }
        tokio::time::sleep(dead_for).await;
        for worker in workers {
            self.workers[*worker].begin();
        }
        for portal in portals {
            self.portals[*portal].begin();
        }
    }

    /// Ends every connection of the server's role.
    async fn cut(&mut self) {
        let cut = self
            .shared
            .rows(
                "select pg_terminate_backend(pid) ended from pg_stat_activity
                 where datname = current_database() and usename = 'postern_test_server'",
            )
            .await;
        self.tally.cuts += u64::try_from(cut.len()).expect("a count");
        self.revive();
    }

    /// Restarts Postgres, which affects all its users.
    async fn restart(&mut self, command: &str) {
        let status = Command::new("sh").args(["-c", command]).status().await;
        assert!(status.is_ok_and(|status| status.success()), "{command}");
        self.tally.restarts += 1;
        self.revive();
    }

    /// Restarts processes that ended by themselves. A process may end when its database is away.
    fn revive(&mut self) {
        for process in self.portals.iter_mut().chain(&mut self.workers) {
            if process.revive().is_some() {
                Tally::count(&mut self.tally.ends, "processes started again");
            }
        }
    }
}

/// Parses an id that is a text.
pub fn id(value: &Value) -> Uuid {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{value} is no id"))
}
