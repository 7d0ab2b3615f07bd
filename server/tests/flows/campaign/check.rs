//! Invariants that must hold after every run. They are checked in the cloud's own state and
//! journal, and in the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use cloud::world::enforcement::View;
use serde_json::Value;
use store::verify_all;
use uuid::Uuid;

use super::{
    block::Shared,
    disturb::{self, is_excused, overlooked},
    drive::Driven,
    events, foreign, leftovers, pauses,
    plan::Disturbance,
    proof,
    tally::Tally,
    trap,
    watch::Claimed,
};
use crate::support::get_json;

/// The result of the checks.
#[derive(Default)]
pub struct Checked {
    /// Each text begins with the seed of its run.
    pub violations: Vec<String>,
    /// The number of history entries that were recomputed.
    pub entries: u64,
    /// The number of claims by their strength.
    pub proofs: BTreeMap<String, u64>,
    /// Setups that say that more is open, or that it is not known.
    pub noticed: BTreeSet<Option<Uuid>>,
}

impl Checked {
    fn all(&mut self, seed: u64, wrong: Vec<String>) {
        let wrong = wrong.into_iter().map(|why| format!("seed {seed}: {why}"));
        self.violations.extend(wrong);
    }
}

/// Checks all invariants. `logs`: of all processes.
pub async fn check(shared: &Shared, runs: &[Driven], logs: &[&Path]) -> Checked {
    let first = runs.first().map_or(0, |run| run.plan.seed);
    let stuck = leftovers::stuck(shared).await;
    let mut found = look(shared, runs, logs).await;
    found.all(first, stuck);
    found
}

/// Checks the invariants that do not concern work that is still running.
pub async fn look(shared: &Shared, runs: &[Driven], logs: &[&Path]) -> Checked {
    let mut found = Checked::default();
    let first = runs.first().map_or(0, |run| run.plan.seed);
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
            let of_app = runs.iter().filter(|one| one.app_id == run.app_id);
            let setups = of_app.filter_map(|one| one.setup);
            let others: Vec<String> = setups
                .filter(|setup| Some(*setup) != run.setup)
                .map(|setup| setup.to_string())
                .collect();
            let (said, wrong) = claims(shared, run, &state).await;
            if let Some(said) = said {
                found.all(seed, proof::too_weak(run, &said));
                if ["more_open", "not_known"].contains(&said.as_str()) {
                    found.noticed.insert(run.setup);
                }
                Tally::count(&mut found.proofs, &said);
            }
            found.all(seed, wrong);
            found.all(seed, proof::missing(shared, run));
            found.all(seed, trap::untouched(shared, run));
            found.all(seed, changes(shared, run, &others, &entries).await);
            found.all(seed, disturb::lost_group(run, &entries));
            found.all(seed, mail(shared, run));
        }
    }
    found.all(first, foreign::touched(shared, runs));
    found.all(first, pauses::broken(shared, logs));
    found.all(first, leftovers::secrets(shared, runs).await);
    chains(shared, first, &mut found).await;
    found
}

async fn chains(shared: &Shared, first: u64, found: &mut Checked) {
    let vault = store::testing::vault().ok();
    match verify_all(&shared.database.owner_url, vault.as_ref(), &[]).await {
        Ok(verified) => {
            found.entries = u64::try_from(verified.entries).expect("a count");
            let broken = verified.broken.iter();
            let broken = broken.map(|broken| format!("a chain is broken: {broken:?}"));
            found.all(first, broken.collect());
        }
        Err(error) => found.all(
            first,
            vec![format!("the chains cannot be verified: {error}")],
        ),
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

/// Checks that what the setup calls configured, checked or proven is true, that nothing exists
/// twice, and that nothing is left after a rollback. Also returns the setup's own claim.
async fn claims(shared: &Shared, run: &Driven, state: &Value) -> (Option<String>, Vec<String>) {
    let mut wrong = Vec::new();
    let Some(setup) = run.setup else {
        return (None, wrong);
    };
    let id = setup.to_string();
    let query = format!(
        "select state, proof, intent,
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
    let disturbed = run.disturbed.as_ref();
    wrong.extend(overlooked(&row, &said, disturbed));
    let is_held = disturbed.is_some_and(|one| one.what.holds_group());
    // Where nothing was planted, nobody else uses the group, so nothing may be left.
    if left && run.planted.is_empty() && !is_held {
        wrong.push(format!("something was left: {}", row["steps"]));
    }
    let stays = if left && is_held { groups.len() } else { 0 };
    if row["state"] == "rolled_back" && groups.len() + policies.len() > stays {
        wrong.push(format!(
            "rolled back, and {} groups and {} policies are there",
            groups.len(),
            policies.len()
        ));
    }
    // The checks below do not apply when the setup claims less, or made its claim before the
    // change.
    let opened = disturbed.is_some_and(|one| one.what.opens());
    let less = opened && ["more_open", "not_known"].contains(&said.as_str());
    if said == "none" || less || is_excused(&row, disturbed) {
        return (Some(said), wrong);
    }
    let groups = if run.plan.existing {
        let listed = state["groups"].as_array().into_iter().flatten();
        listed
            .filter(|group| group["name"] == run.group.as_str())
            .collect()
    } else {
        groups
    };
    let members = |group: &Value| -> BTreeSet<String> {
        let list = group["members"].as_array().into_iter().flatten();
        list.filter_map(Value::as_str)
            .map(str::to_lowercase)
            .collect()
    };
    let planned: BTreeSet<String> = run.senders.iter().cloned().collect();
    match groups.as_slice() {
        [group] if members(group) == planned && (group["hidden"] == true || run.plan.existing) => {}
        other => wrong.push(format!("{said}, and the group is {other:?}")),
    }
    match policies.as_slice() {
        [policy]
            if policy["configured"] == true
                && policy["right"] == "RestrictAccess"
                && groups.iter().any(|group| group["id"] == policy["scope"]) => {}
        other => wrong.push(format!("{said}, and the policy is {other:?}")),
    }
    let claimed = Claimed {
        domain: run.plan.domain,
        app_id: run.app_id,
        senders: run.senders.clone(),
        disturbed: disturb::Mark::default(),
        lapses: run.before.and_then(|before| before.lapses),
    };
    if said == "checked" || said == "proven" {
        wrong.extend(claimed.holds(shared, View::Configured, &said));
    }
    if said == "proven" {
        wrong.extend(claimed.holds(shared, View::InForce, &said));
        wrong.extend(claimed.opens_no_other(shared, &said));
    }
    (Some(said), wrong)
}

fn dropped(run: &Driven) -> bool {
    let disturbed = run.disturbed.as_ref();
    disturbed.is_some_and(|one| one.what == Disturbance::PolicyDropped)
}

/// Compares the changes in the cloud with the setup's history. `others`: setups of the same
/// application.
async fn changes(
    shared: &Shared,
    run: &Driven,
    others: &[String],
    entries: &[Value],
) -> Vec<String> {
    let app_id = run.app_id.to_string();
    let mut cloud = events::in_cloud(&run.group, &app_id, others, entries);
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
    let mut history = events::in_history(&told);
    if dropped(run) {
        // The setup may have been about to remove the policy that the customer removed, so either
        // may come first.
        cloud.remove("policy removed");
        history.remove("policy removed");
    }
    let mut wrong = events::differences(&cloud, &history);
    for (deed, times) in &cloud {
        if times.len() > 1 && deed != "group changed" {
            wrong.push(format!("\"{deed}\" was done {} times", times.len()));
        }
    }
    if let (Some(setup), false) = (run.setup, wrong.is_empty()) {
        // Details that help to understand the failure.
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

/// Checks that real mail is sent only as the mailboxes that the plan names.
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
