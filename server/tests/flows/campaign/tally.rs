//! The counts of a campaign.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

#[derive(Debug, Default)]
pub struct Tally {
    pub runs: u64,
    pub setups: u64,
    /// How the setups ended.
    pub ends: BTreeMap<String, u64>,
    pub faults: BTreeMap<String, u64>,
    /// Killed processes by role.
    pub kills: BTreeMap<String, u64>,
    pub cuts: u64,
    pub restarts: u64,
    /// The strongest final claim of each setup.
    pub proofs: BTreeMap<String, u64>,
    /// Traps that were planted.
    pub traps: BTreeMap<String, u64>,
    /// Changes by customers during setups: those that a setup reported at the end, and others.
    pub changes: BTreeMap<String, u64>,
    /// How setups ended that followed a rollback, by their group.
    pub followed: BTreeMap<String, u64>,
    /// Responses of `sendMail` that said nothing about a policy.
    pub mails: BTreeMap<String, u64>,
    /// The number of history entries that were recomputed.
    pub entries: u64,
    /// Problems shown to operators during the runs, by key.
    pub problems: BTreeMap<String, u64>,
    /// Each begins with the seed of its run.
    pub violations: Vec<String>,
}

fn merge(into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

fn shown(counts: &BTreeMap<String, u64>) -> String {
    let total: u64 = counts.values().sum();
    let list: Vec<String> = counts
        .iter()
        .map(|(key, count)| format!("{key} {count}"))
        .collect();
    if list.is_empty() {
        "0".to_owned()
    } else {
        format!("{total} ({})", list.join(", "))
    }
}

impl Tally {
    pub fn count(map: &mut BTreeMap<String, u64>, key: &str) {
        *map.entry(key.to_owned()).or_default() += 1;
    }

    /// Whether the map has a key that begins with `start`.
    pub fn has(map: &BTreeMap<String, u64>, start: &str) -> bool {
        map.keys().any(|key| key.starts_with(start))
    }

    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.setups += other.setups;
        self.cuts += other.cuts;
        self.restarts += other.restarts;
        self.entries += other.entries;
        merge(&mut self.proofs, other.proofs);
        merge(&mut self.traps, other.traps);
        merge(&mut self.changes, other.changes);
        merge(&mut self.followed, other.followed);
        merge(&mut self.mails, other.mails);
        merge(&mut self.ends, other.ends);
        merge(&mut self.faults, other.faults);
        merge(&mut self.kills, other.kills);
        merge(&mut self.problems, other.problems);
        for violation in &other.violations {
            println!("VIOLATION {violation}");
        }
        self.violations.extend(other.violations);
    }

    /// Records that the campaign itself failed.
    pub fn broken(&mut self, why: &str) {
        self.violations.push(format!("the campaign broke: {why}"));
    }

    /// All counts in one line.
    pub fn line(&self, seed: u64, took: Duration) -> String {
        format!(
            "seed {seed}, runs {}, setups {} in {} s; ends {}; proofs {}; traps {}; changes under a setup {}; after a roll-back {}; unclear answers to mail {}; faults {}; kills {}; cut connections {}; Postgres restarts {}; entries verified {}; problems told {}; violations {}",
            self.runs,
            self.setups,
            took.as_secs(),
            shown(&self.ends),
            shown(&self.proofs),
            shown(&self.traps),
            shown(&self.changes),
            shown(&self.followed),
            shown(&self.mails),
            shown(&self.faults),
            shown(&self.kills),
            self.cuts,
            self.restarts,
            self.entries,
            shown(&self.problems),
            self.violations.len(),
        )
    }

    /// All counts as one JSON object.
    pub fn json(&self, seed: u64, took: Duration) -> Value {
        json!({
            "seed": seed,
            "runs": self.runs,
            "seconds": took.as_secs(),
            "setups": self.setups,
            "ends": self.ends,
            "proofs": self.proofs,
            "traps": self.traps,
            "changes_under_a_setup": self.changes,
            "after_a_roll_back": self.followed,
            "unclear_answers_to_mail": self.mails,
            "faults": self.faults,
            "kills": self.kills,
            "cut_connections": self.cuts,
            "postgres_restarts": self.restarts,
            "entries_verified": self.entries,
            "problems_told": self.problems,
            "violations": self.violations,
        })
    }
}
