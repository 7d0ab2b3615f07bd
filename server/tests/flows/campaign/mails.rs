//! Responses of `sendMail` that say nothing about an access policy (MICROSOFT.md §5.1), on
//! mailboxes that must be refused and on senders. No such response may complete a proof, or be
//! reported as the policy's refusal.

use std::collections::BTreeMap;

use cloud::{
    books::{Host, LogEntry},
    campaign::refusal_of_mail,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    block::Shared,
    drive::Driven,
    plan::{Unclear, Whom},
    tally::Tally,
};

/// Prefixes of the ids of such faults, from a plan or from the campaign.
const MADE_UP: [&str; 2] = ["mail:", "campaign:mail_"];

/// Whether a fault made this response, so that it says nothing about the policy.
pub fn is_made_up(entry: &LogEntry) -> bool {
    let fault = entry.fault.as_deref();
    fault.is_some_and(|fault| MADE_UP.iter().any(|start| fault.starts_with(start)))
}

/// Arms the faults that the plan of a run draws.
pub fn arm(shared: &Shared, run: &Driven) {
    for Unclear {
        kind,
        whom,
        skip,
        times,
    } in &run.plan.unclear
    {
        let mailbox = match whom {
            Whom::Refused => run.refused.first(),
            Whom::Sender => run.senders.first(),
        };
        let (status, code, text) = refusal_of_mail(kind).expect("an answer of sendMail");
        let rule = json!({
            "id": format!("mail:{kind}:{whom:?}:{}", run.plan.seed),
            "operation": "POST /users/*/sendMail", "user": run.app_id, "mailbox": mailbox,
            "skip": skip, "times": times,
            "action": { "graph_error": code, "status": status, "text": text },
        });
        shared.cloud.fault(rule).expect("a fault");
    }
}

/// Counts how often each fault fired. Faults of plans are counted by the kind of mailbox.
pub fn fired(shared: &Shared, counts: &mut BTreeMap<String, u64>) {
    shared.cloud.with_world(|world| {
        for entry in world.books.log().filter(|entry| is_made_up(entry)) {
            let fault = entry.fault.as_deref().unwrap_or_default();
            let mut parts = fault.trim_start_matches("mail:").split(':');
            let key = match (parts.next(), parts.next()) {
                (Some("campaign"), Some(kind)) => format!("{kind} by chance"),
                (Some(kind), Some(whom)) => format!("{kind} as {whom}"),
                _ => fault.to_owned(),
            };
            Tally::count(counts, &key);
        }
    });
}

/// The cloud's responses to every mail of an application, by the responses' ids.
pub type Answers = BTreeMap<String, LogEntry>;

pub fn answers(shared: &Shared, app_id: Uuid) -> Answers {
    let app_id = app_id.to_string();
    shared.cloud.with_world(|world| {
        let sends = world.books.log().filter(|entry| {
            entry.host == Host::Graph
                && entry.operation == "POST /users/{id}/sendMail"
                && entry.user.as_deref() == Some(&app_id)
        });
        sends
            .filter_map(|entry| Some((entry.request_id.clone()?, entry.clone())))
            .collect()
    })
}

/// The stored mails that a proof tried.
pub fn tried(row: &Value) -> Vec<Value> {
    let steps = row["steps"].as_array().into_iter().flatten();
    let probes = steps.flat_map(|step| step["probes"].as_array().into_iter().flatten());
    probes
        .flat_map(|probe| probe["looks"].as_array().cloned().unwrap_or_default())
        .collect()
}

/// Violations: results of a proof that do not match the cloud's response, and wrong statements
/// about them.
pub fn misread(row: &Value, answers: &Answers) -> Vec<String> {
    let steps = row["steps"].as_array().into_iter().flatten();
    let mut wrong = Vec::new();
    for step in steps.filter(|step| step["kind"] == "prove") {
        for probe in step["probes"].as_array().into_iter().flatten() {
            let mailbox = probe["mailbox"].as_str().unwrap_or_default();
            let looks = probe["looks"].as_array().into_iter().flatten();
            wrong.extend(looks.filter_map(|look| of_look(mailbox, look, answers)));
            let last = probe["looks"].as_array().and_then(|looks| looks.last());
            let why = step["why"].as_str().unwrap_or_default();
            let refuses = format!("still refuses mail as {mailbox}");
            if why.contains(&refuses) && last.is_some_and(|look| look["outcome"] != "refused") {
                wrong.push(format!("it says \"{why}\" after {last:?}"));
            }
        }
    }
    wrong
}

fn of_look(mailbox: &str, look: &Value, answers: &Answers) -> Option<String> {
    let status = match look["outcome"].as_str()? {
        "refused" => 403,
        "accepted" => 202,
        _ => return None,
    };
    let id = look["request_id"].as_str().unwrap_or_default();
    match answers.get(id) {
        Some(entry) if entry.status == status && !is_made_up(entry) => None,
        Some(entry) => Some(format!(
            "a mail as {mailbox} counts as {}, and the answer was {} by {:?}",
            look["outcome"], entry.status, entry.fault
        )),
        None => Some(format!(
            "a mail as {mailbox} counts as {}, and the cloud knows no answer {id}",
            look["outcome"]
        )),
    }
}

#[test]
fn an_unclear_answer_that_counts_is_seen() {
    let entry = |status, fault: Option<&str>| LogEntry {
        number: 0,
        time: cloud::clock::wall_now(),
        host: Host::Graph,
        tenant: None,
        operation: String::new(),
        user: None,
        mailbox: None,
        status,
        retry_after: None,
        client_request_id: None,
        request_id: None,
        fault: fault.map(str::to_owned),
        batched: false,
    };
    let said = |outcome: Value, why: &str, entry: LogEntry| {
        let answers = Answers::from([("an answer".to_owned(), entry)]);
        let look = json!({ "outcome": outcome, "request_id": "an answer" });
        let probe = json!({ "mailbox": "a@b", "must": "arrive", "looks": [look] });
        let step = json!({ "kind": "prove", "why": why, "probes": [probe] });
        misread(&json!({ "steps": [step] }), &answers).len()
    };
    let refuses = "Microsoft still refuses mail as a@b.";
    assert_eq!(said(json!("refused"), refuses, entry(403, None)), 0);
    assert_eq!(said(json!("accepted"), "", entry(202, None)), 0);
    let unclear = json!({ "unclear": "Graph said something." });
    let odata = || entry(403, Some("mail:mail_odata:Sender:1"));
    assert_eq!(said(unclear.clone(), "", odata()), 0);
    assert_eq!(said(json!("refused"), "", odata()), 1);
    let by_chance = entry(403, Some("campaign:mail_denied"));
    assert_eq!(said(json!("refused"), "", by_chance), 1);
    assert_eq!(said(json!("accepted"), "", entry(403, None)), 1);
    assert_eq!(said(unclear, refuses, odata()), 1);
    let look = json!({ "outcome": "refused", "request_id": "another answer" });
    assert!(of_look("a@b", &look, &Answers::new()).is_some());
}
