//! Checks that every change in the cloud has its event, and every event its change.

use std::collections::{BTreeMap, BTreeSet};

use cloud::Cloud;
use serde_json::Value;

/// The changes of one run, in a form that cloud and history share.
pub type Deeds = BTreeMap<String, Vec<BTreeSet<String>>>;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The journal's entries of a tenant that Postern made, without mail.
pub fn of_postern(cloud: &Cloud, postern: &str, domain: &str) -> Vec<Value> {
    let entries: Vec<Value> = cloud.with_world(|world| {
        let tenant = world.tenants.resolve(domain).expect("a tenant");
        let entries = world.journal.of(tenant).iter();
        entries
            .map(|entry| serde_json::to_value(entry).expect("JSON"))
            .collect()
    });
    entries
        .into_iter()
        .filter(|entry| {
            text(entry, "app_id") == postern
                && ["exchange", "graph"].contains(&text(entry, "host"))
                && text(entry, "kind") != "mail"
        })
        .collect()
}

/// The text of a journal entry: what was done to which run's group or application.
pub fn deed(entry: &Value) -> String {
    let kind = text(entry, "kind");
    let deed = text(entry, "deed");
    match kind {
        "member" => format!(
            "member {deed} {}",
            text(&entry["detail"], "address").to_lowercase()
        ),
        _ => format!("{kind} {deed}"),
    }
}

/// A run's changes by the journal: those of its group's name and of its application's id, without
/// policies that name another setup of the application.
pub fn in_cloud(group: &str, app_id: &str, others: &[String], entries: &[Value]) -> Deeds {
    let mut deeds = Deeds::new();
    for entry in entries {
        let mine = match text(entry, "kind") {
            "policy" => {
                let says = text(&entry["detail"], "description");
                text(&entry["detail"], "app_id") == app_id
                    && !others.iter().any(|other| says.contains(other))
            }
            _ => text(entry, "name") == group,
        };
        if mine {
            let request = BTreeSet::from([text(entry, "request_id").to_owned()]);
            deeds.entry(deed(entry)).or_default().push(request);
        }
    }
    deeds
}

/// The text of the change that an event `cloud.change` records.
fn claim(event: &Value) -> String {
    let what = text(event, "what");
    let address = || {
        what.split_whitespace()
            .find(|word| word.contains('@'))
            .unwrap_or_default()
            .to_lowercase()
    };
    if what.contains("was added to") {
        format!("member created {}", address())
    } else if what.contains("was hidden") {
        "group changed".to_owned()
    } else if what.contains("policy") && what.contains("removed") {
        "policy removed".to_owned()
    } else if what.contains("policy") {
        "policy created".to_owned()
    } else if what.contains("group") && what.contains("removed") {
        "group removed".to_owned()
    } else if what.contains("group") && what.contains("was made") {
        "group created".to_owned()
    } else {
        format!("unknown: {what}")
    }
}

/// The changes of a setup by its events `cloud.change`.
pub fn in_history(events: &[Value]) -> Deeds {
    let mut deeds = Deeds::new();
    for event in events {
        let requests = event["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        deeds.entry(claim(event)).or_default().push(requests);
    }
    deeds
}

/// The changes that only one side has.
pub fn differences(cloud: &Deeds, history: &Deeds) -> Vec<String> {
    let mut found = Vec::new();
    let kinds: BTreeSet<&String> = cloud.keys().chain(history.keys()).collect();
    for kind in kinds {
        let changes = cloud.get(kind).map_or(&[][..], Vec::as_slice);
        let events = history.get(kind).map_or(&[][..], Vec::as_slice);
        if changes.len() != events.len() {
            found.push(format!(
                "\"{kind}\" happened {} times in the cloud, and history tells {}",
                changes.len(),
                events.len()
            ));
        }
        let known: BTreeSet<&String> = changes.iter().flatten().collect();
        for request in events.iter().flatten() {
            if !known.contains(request) {
                found.push(format!(
                    "\"{kind}\" names the request {request}, which made no such change"
                ));
            }
        }
    }
    found
}
