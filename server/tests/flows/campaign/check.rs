//! What must hold after every run: looked up in the cloud's own state and journal, and in the
//! database.

use std::collections::{BTreeMap, BTreeSet};

use cloud::world::enforcement::{View, policies_allow};
use serde_json::Value;
use store::verify_all;
use tokio::time::{Duration, Instant};

use super::{block::Shared, drive::Driven, events};
use crate::support::get_json;

/// Jobs that were locked by the dead are taken up within this.
const JOBS_PATIENCE: Duration = Duration::from_secs(40);

/// Violations, each with the seed of its run.
pub async fn check(shared: &Shared, runs: &[Driven]) -> Vec<String> {
    let mut found = Vec::new();
    let first = runs.first().map_or(0, |run| run.plan.seed);
    let mut all = |seed: u64, wrong: Vec<String>| {
        found.extend(wrong.into_iter().map(|why| format!("seed {seed}: {why}")));
    };
    all(first, jobs(shared).await);
    let mut by_customer: BTreeMap<&str, Vec<&Driven>> = BTreeMap::new();
    for run in runs {
        by_customer.entry(run.plan.domain).or_default().push(run);
    }
    for (domain, runs) in by_customer {
        let url = format!("{}/_cloud/state?tenant={domain}", shared.cloud.url());
        let state = get_json(&url).await["tenants"][0].clone();
        let entries = events::of_postern(&shared.cloud, &shared.accounts.client_id, domain);
        for run in &runs {
            let seed = run.plan.seed;
            all(seed, claims(shared, run, &state).await);
            all(seed, changes(shared, run, &entries).await);
            all(seed, mail(shared, run));
        }
        all(runs[0].plan.seed, foreign(&runs, &entries));
    }
    all(first, secrets(shared).await);
    all(first, chains(shared).await);
    found
}

/// Nothing waits for a dead worker, nothing is given up.
async fn jobs(shared: &Shared) -> Vec<String> {
    let ends = Instant::now() + JOBS_PATIENCE;
    loop {
        let left = shared
            .rows(
                "select id, attempts, max_attempts, last_error, locked_at, run_at
                 from graphile_worker._private_jobs
                 where payload ->> 'setup' is not null
                   and (attempts >= max_attempts or run_at <= now() + interval '1 minute')
                   -- Replaced while it ran, by one that carries its key now: the purge's.
                   and not (key is null and attempts >= max_attempts and locked_at is null)",
            )
            .await;
        if left.is_empty() {
            return Vec::new();
        }
        if Instant::now() >= ends {
            return left
                .iter()
                .map(|job| format!("a job is stuck: {job}"))
                .collect();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn secrets(shared: &Shared) -> Vec<String> {
    shared
        .rows("select setup_id from secrets")
        .await
        .iter()
        .map(|row| format!("a secret is left of the setup {}", row["setup_id"]))
        .collect()
}

async fn chains(shared: &Shared) -> Vec<String> {
    let verified = verify_all(&shared.database.owner_url).await;
    match verified {
        Ok(verified) => verified
            .broken
            .iter()
            .map(|broken| format!("a chain is broken: {broken:?}"))
            .collect(),
        Err(error) => vec![format!("the chains cannot be verified: {error}")],
    }
}

fn of_setup<'a>(rows: &'a Value, setup: &str) -> Vec<&'a Value> {
    rows.as_array()
        .into_iter()
        .flatten()
        .filter(|row| {
            row["description"]
                .as_str()
                .is_some_and(|text| text.contains(setup))
        })
        .collect()
}

/// What the setup calls configured, checked or proven is so; nothing is there twice; nothing is
/// left of what was rolled back.
async fn claims(shared: &Shared, run: &Driven, state: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(setup) = run.setup else {
        return wrong;
    };
    let id = setup.to_string();
    let query = format!(
        "select state, proof, intent, plan,
                (select jsonb_agg(body order by position) from steps where setup_id = s.id) steps
         from setups s where id = '{id}'"
    );
    let row = shared.rows(&query).await.remove(0);
    let groups = of_setup(&state["groups"], &id);
    let policies: Vec<&Value> = of_setup(&state["policies"], &id)
        .into_iter()
        .filter(|policy| policy["removed"].is_null())
        .collect();
    if groups.len() > 1 || policies.len() > 1 {
        wrong.push(format!(
            "{} groups and {} policies of one setup",
            groups.len(),
            policies.len()
        ));
    }
    let said = row["proof"].as_str().expect("a proof").to_owned();
    let left = row["steps"]
        .as_array()
        .is_some_and(|steps| steps.iter().any(|step| !step["left"].is_null()));
    if row["state"] == "rolled_back" && !left && groups.len() + policies.len() > 0 {
        wrong.push(format!(
            "rolled back, and {} groups and {} policies are there",
            groups.len(),
            policies.len()
        ));
    }
    if said == "none" {
        return wrong;
    }
    let members = |group: &Value| -> BTreeSet<String> {
        let list = group["members"].as_array().into_iter().flatten();
        list.filter_map(Value::as_str)
            .map(str::to_lowercase)
            .collect()
    };
    let planned: BTreeSet<String> = run.senders.iter().cloned().collect();
    match groups.as_slice() {
        [group] if members(group) == planned && group["hidden"] == true => {}
        other => wrong.push(format!("{said}, and the group is {other:?}")),
    }
    match policies.as_slice() {
        [policy]
            if policy["configured"] == true
                && policy["right"] == "RestrictAccess"
                && groups.iter().any(|group| group["id"] == policy["scope"]) => {}
        other => wrong.push(format!("{said}, and the policy is {other:?}")),
    }
    if said == "checked" || said == "proven" {
        wrong.extend(reach(shared, run, View::Configured, &said));
    }
    if said == "proven" {
        wrong.extend(reach(shared, run, View::InForce, &said));
    }
    wrong
}

/// Whether the cloud lets the application send as its senders, and as nobody else.
fn reach(shared: &Shared, run: &Driven, view: View, said: &str) -> Vec<String> {
    shared.cloud.with_world(|world| {
        let now = world.dice.now();
        let id = world.tenants.resolve(run.plan.domain).expect("a tenant");
        let tenant = world.tenants.get(id).expect("a tenant");
        let mut wrong = Vec::new();
        for user in tenant.users.values() {
            let Some(mailbox) = &user.mailbox else {
                continue;
            };
            let address = mailbox.smtp.to_lowercase();
            let allowed = policies_allow(tenant, run.app_id, user.id, view, now);
            if allowed != run.senders.contains(&address) {
                wrong.push(format!(
                    "{said}, and as {address} it may: {allowed} ({view:?})"
                ));
            }
        }
        wrong
    })
}

async fn changes(shared: &Shared, run: &Driven, entries: &[Value]) -> Vec<String> {
    let cloud = events::in_cloud(&run.group, &run.app_id.to_string(), entries);
    let told = match run.setup {
        Some(setup) => {
            let query = format!(
                "select what, requests from events
                 where setup_id = '{setup}' and kind = 'cloud.change' order by seq"
            );
            shared.rows(&query).await
        }
        None => Vec::new(),
    };
    let history = events::in_history(&told);
    let mut wrong = events::differences(&cloud, &history);
    for (deed, times) in &cloud {
        if times.len() > 1 && deed != "group changed" {
            wrong.push(format!("\"{deed}\" was done {} times", times.len()));
        }
    }
    if let (Some(setup), false) = (run.setup, wrong.is_empty()) {
        // What it takes to understand it.
        let query = format!(
            "select string_agg((body ->> 'kind') || ' ' || (body ->> 'state') || ' ' || coalesce(body ->> 'noted', '')
                               || coalesce(': ' || (body ->> 'why'), ''), '; ' order by position) steps
             from steps where setup_id = '{setup}' and body ->> 'started' is not null"
        );
        let steps = shared.rows(&query).await;
        wrong.push(format!("its end was {}, its steps {:?}", run.end, steps));
    }
    wrong
}

/// Real mail is sent as those whom the plan names, and as nobody else.
fn mail(shared: &Shared, run: &Driven) -> Vec<String> {
    shared.cloud.with_world(|world| {
        world
            .books
            .outbox()
            .filter(|mail| mail.app_id == run.app_id)
            .map(|mail| mail.from.to_lowercase())
            .filter(|from| !run.senders.contains(from) && !run.refused.contains(from))
            .map(|from| format!("a mail was sent as {from}"))
            .collect()
    })
}

/// Whatever Postern changed or removed, one of these runs had made.
fn foreign(runs: &[&Driven], entries: &[Value]) -> Vec<String> {
    let groups: BTreeSet<&str> = runs.iter().map(|run| run.group.as_str()).collect();
    let apps: BTreeSet<String> = runs.iter().map(|run| run.app_id.to_string()).collect();
    entries
        .iter()
        .filter(|entry| {
            let ours = match entry["kind"].as_str().unwrap_or_default() {
                "policy" => entry["detail"]["app_id"]
                    .as_str()
                    .is_some_and(|app_id| apps.contains(app_id)),
                "group" | "member" => entry["name"]
                    .as_str()
                    .is_some_and(|name| groups.contains(name)),
                _ => false,
            };
            !ours
        })
        .map(|entry| format!("something that Postern did not make was touched: {entry}"))
        .collect()
}
