//! Checks that Postern touched only what it created, and wrote nowhere else: read from the journal
//! of all tenants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{block::Shared, drive::Driven};

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_default()
}

/// The objects that one customer's runs may make.
#[derive(Default)]
struct Allowed {
    groups: BTreeSet<String>,
    apps: BTreeSet<String>,
}

/// All entries of the journal that are not allowed.
pub fn touched(shared: &Shared, runs: &[Driven]) -> Vec<String> {
    let (entries, tenants) = shared.cloud.with_world(|world| {
        let entries: Vec<Value> = world
            .journal
            .all()
            .into_iter()
            .map(|entry| serde_json::to_value(entry).expect("JSON"))
            .collect();
        let tenants: BTreeMap<String, String> = shared
            .customers
            .keys()
            .map(|domain| {
                let id = world.tenants.resolve(domain).expect("a tenant");
                (id.to_string(), (*domain).to_owned())
            })
            .collect();
        (entries, tenants)
    });
    let mut allowed: BTreeMap<&str, Allowed> = BTreeMap::new();
    for run in runs {
        let of = allowed.entry(run.plan.domain).or_default();
        if !run.plan.existing {
            of.groups.insert(run.group.clone());
        }
        of.apps.insert(run.app_id.to_string());
    }
    let mut made: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for entry in entries {
        let fits = match text(&entry, "host") {
            // Changes of this test itself, and consents of people.
            "control" => true,
            "entra" => {
                text(&entry, "kind") == "consent" || text(&entry, "kind") == "service_principal"
            }
            _ => tenants
                .get(text(&entry, "tenant"))
                .and_then(|domain| allowed.get(domain.as_str()))
                .is_some_and(|of| is_fine(of, &mut made, shared, &entry)),
        };
        if !fits {
            found.push(format!(
                "something that Postern did not make, or somewhere else, was touched: {entry}"
            ));
        }
    }
    found
}

fn is_fine(of: &Allowed, made: &mut BTreeSet<String>, shared: &Shared, entry: &Value) -> bool {
    let object = text(entry, "object").to_owned();
    if text(entry, "kind") == "mail" {
        // The mail must come from an application of the runs. Another check looks at the sender.
        return of.apps.contains(text(entry, "app_id"));
    }
    if text(entry, "app_id") != shared.accounts.client_id {
        return false;
    }
    match (text(entry, "kind"), text(entry, "deed")) {
        ("group", "created") => {
            made.insert(object);
            of.groups.contains(text(entry, "name"))
        }
        ("policy", "created") => {
            made.insert(object);
            of.apps.contains(text(&entry["detail"], "app_id"))
        }
        // The object of a membership is `group id/member id`.
        ("member", _) => object
            .split_once('/')
            .is_some_and(|(group, _)| made.contains(group)),
        ("group" | "policy", _) => made.contains(&object),
        _ => false,
    }
}
