//! Checks that each proof was observed: refused mail and accepted mail, after the policy had taken
//! effect. Also checks that everything provable was proven.

use std::collections::BTreeMap;

use cloud::books::{Host, LogEntry};

use super::{
    block::Shared,
    disturb::Disturbed,
    drive::Driven,
    mails::is_made_up,
    plan::{Disturbance, Secret},
};

/// The maximum number of senders that are tried with real mail.
const TRIED_SENDERS: usize = 2;

/// Violations: mails that a proof needs and that the cloud's records lack.
pub fn missing(shared: &Shared, run: &Driven) -> Vec<String> {
    if !run.called.contains("proven") {
        return Vec::new();
    }
    let Some(since) = run.enforced else {
        return vec!["proven, and there never was a policy".to_owned()];
    };
    // While an older policy may still refuse, a refusal says nothing about this policy.
    let lapses = run.before.and_then(|before| before.lapses);
    let since = lapses.map_or(since, |lapses| since.max(lapses));
    shared.cloud.with_world(|world| {
        let ids: BTreeMap<String, String> = world
            .tenants
            .resolve(run.plan.domain)
            .and_then(|id| world.tenants.get(id))
            .into_iter()
            .flat_map(|tenant| tenant.users.values())
            .filter_map(|user| {
                let mailbox = user.mailbox.as_ref()?;
                Some((mailbox.smtp.to_lowercase(), user.id.to_string()))
            })
            .collect();
        let app_id = run.app_id.to_string();
        let sends: Vec<&LogEntry> = world
            .books
            .log()
            .filter(|entry| {
                entry.host == Host::Graph
                    && entry.operation == "POST /users/{id}/sendMail"
                    && entry.user.as_deref() == Some(&app_id)
                    && entry.time >= since
            })
            .collect();
        // The log names mailboxes by their object ids.
        let answered = |address: &str, status: u16| {
            let id = ids.get(address);
            sends
                .iter()
                .filter(|entry| !is_made_up(entry))
                .any(|entry| entry.mailbox.as_ref() == id && entry.status == status)
        };
        let mut wrong = Vec::new();
        for address in &run.refused {
            if !answered(address, 403) {
                wrong.push(format!("proven, and no mail as {address} was refused"));
            }
        }
        for address in run.senders.iter().take(TRIED_SENDERS) {
            let posted = world.books.outbox().any(|mail| {
                mail.app_id == run.app_id
                    && mail.from.eq_ignore_ascii_case(address)
                    && mail.time >= since
            });
            if !answered(address, 202) || !posted {
                wrong.push(format!("proven, and no mail as {address} was accepted"));
            }
        }
        wrong
    })
}

/// Whether the change opens more, or may do so.
fn may_be_less(disturbed: Option<&Disturbed>) -> bool {
    disturbed.is_some_and(|one| one.what.opens() || one.what == Disturbance::EwsGranted)
}

/// Violations: a claim that is weaker than it must be, and an end that no operator requested.
pub fn too_weak(run: &Driven, said: &str) -> Vec<String> {
    let plan = &run.plan;
    let asked = |what: &str| run.asked.contains(what);
    match run.end.as_str() {
        "done" => {
            let stopped = plan.trap.is_some_and(super::plan::Trap::stops);
            let skipped = asked("skip_proof") && plan.secret == Secret::Never;
            let wanted = if plan.prove && plan.sends() && !skipped {
                "proven"
            } else {
                "checked"
            };
            // A weaker claim is allowed only after a change that opens more.
            let less = ["more_open", "not_known"].contains(&said);
            if stopped {
                vec![format!("it is done in spite of {:?}", plan.trap)]
            } else if said == wanted || (less && may_be_less(run.disturbed.as_ref())) {
                Vec::new()
            } else {
                vec![format!("it ended as {said} instead of {wanted}")]
            }
        }
        "cancelled" if !asked("cancel_setup") => vec!["nobody cancelled it".to_owned()],
        "rolled_back" if !asked("roll_back") => vec!["nobody rolled it back".to_owned()],
        "refused" if !plan.is_sick() && plan.trap.is_none() => {
            vec!["it was refused without a reason".to_owned()]
        }
        _ => Vec::new(),
    }
}
