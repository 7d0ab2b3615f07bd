//! A failed step must have a reason: transient failures must be waited for.

use serde_json::Value;

use super::{
    block::Shared,
    disturb::Disturbed,
    drive::Driven,
    plan::{Disturbance, Secret, Trap},
};

/// Whether a fault of one of these kinds hit a customer.
fn met(shared: &Shared, domain: &str, kinds: &[&str]) -> bool {
    shared.cloud.with_world(|world| {
        let tenant = world.tenants.resolve(domain);
        world.books.log().any(|entry| {
            entry.tenant == tenant
                && entry
                    .fault
                    .as_deref()
                    .and_then(|fault| fault.strip_prefix("campaign:"))
                    .is_some_and(|kind| kinds.contains(&kind))
        })
    })
}

/// Says why the step must not have failed with that problem. None when the failure is right.
///
/// Only one kind of fault looks like a problem that a person has to fix: Exchange answers with NUL
/// bytes when a role is missing (MICROSOFT.md §1.4). Throttling, outages, corrupted responses and
/// timeouts must be waited for.
pub fn wrong(
    shared: &Shared,
    run: &Driven,
    disturbed: Option<&Disturbed>,
    kind: &str,
    problem: &Value,
) -> Option<String> {
    let key = problem["key"].as_str().unwrap_or("?");
    let plan = &run.plan;
    let was = |what: Disturbance| disturbed.is_some_and(|disturbed| disturbed.what == what);
    let explained = match key {
        _ if plan.is_sick() => {
            key.starts_with("readiness.")
                || key.starts_with("exchange.")
                || key == "entra.consent_missing"
        }
        "readiness.other_policy" => plan.trap == Some(Trap::Restrict),
        "senders.strangers" => was(Disturbance::MemberAdded),
        "group.taken" => plan.trap == Some(Trap::TakenLater),
        "entra.secret_wrong" => kind == "prove" && plan.secret == Secret::WrongFirst,
        "exchange.role_missing" => met(shared, plan.domain, &["nul", "nul_gzip"]),
        _ => false,
    };
    (!explained).then(|| format!("{kind} failed instead of waiting: {problem}"))
}
