//! Step 7: a new scan and a new evaluation of all that the application reaches. What was opened
//! while the setup waited is named, and the setup does not count as proven then.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    effects::Effects,
    id::ObjectId,
    problem::Remedy,
    proof::{Judged, SeenBy, Verdict},
    reach::{Judge, PartRead},
    step::{Evidence, StepState, WaitFor},
};
use microsoft::scan::Scan;

use super::super::{
    effects,
    look::{self, Held},
    work::{Outcome, Work},
};
use crate::{
    Failure,
    pace::{self, Wait},
    scan::{Words, against},
};

/// Number of scans before an unread part is reported, where waiting does not help.
const LOOKS: u32 = 3;
/// The wait between these scans. Their number ends them, not the patience here: an unread part is
/// reported and fails nothing.
const AGAIN: Wait = Wait {
    patience: pace::TROUBLE.patience,
    ..pace::READ_BACK
};

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    if let Held::Another(problem) = look::held(work, "Group").await? {
        return Ok(Outcome::Failed(problem));
    }
    let policies = work.tenant.policies().await?;
    work.saw("Access policies", policies);
    let object = work.plan.application.object;
    let began = work.engine.now();
    let scan = work.tenant.scan_application(object).await;
    let now = work.engine.now();
    let names = names(work, &scan).await?;
    let (verdict, sentence, mut held) = judge(work, &scan, &names);
    let call = work.tenant.appearances(&work.plan.senders).await;
    held.appears = work.saw(effects::TITLE, call);
    work.notes.effects = Some(held);
    work.notes.evidence.push(Evidence {
        at: now,
        title: "What the application reaches".to_owned(),
        sent: "Grants in Entra, access policies, Exchange roles and the groups that they name, read for this application".to_owned(),
        answer: sentence,
        request_id: None,
        took_millis: now.millis_since(began),
        change: false,
    });
    if let Verdict::Unknown { why } = &verdict
        && let Some(wait) = once_more(work, &scan, now)
    {
        return Outcome::wait(
            format!("Not all of it could be read: {}", why.join(" ")),
            wait,
            "a minute",
        );
    }
    let summary = match &verdict {
        Verdict::Holds => "Nothing that was read reaches more than the plan permits.".to_owned(),
        Verdict::More { open } => {
            format!("More is open than the plan permits: {}", open.join(" "))
        }
        Verdict::Unknown { why } => {
            format!("Whether more is open could not be read: {}", why.join(" "))
        }
    };
    work.notes.judged = Some(Judged::new(now, SeenBy::LastLook, verdict));
    Outcome::done(summary)
}

/// How long to wait before another scan. None: report now what cannot be read. Trouble that passes
/// by itself gets the same wait as in any other step, and the scans that it spoilt do not count.
fn once_more(work: &Work<'_>, scan: &Scan, now: Timestamp) -> Option<Wait> {
    let mut unread = scan.parts.iter().filter_map(PartRead::problem);
    if !unread.any(|problem| problem.remedy == Remedy::Wait) {
        return (work.step.attempts < LOOKS).then_some(AGAIN);
    }
    let last = now.plus_millis(work.engine.inner.pace.of(pace::TROUBLE.longest));
    let over = matches!(
        &work.step.state,
        StepState::Waiting(waiting) if waiting.what == WaitFor::Microsoft && last >= waiting.latest
    );
    (!over).then_some(pace::TROUBLE)
}

/// The mailboxes' names. A scan of one application does not read the list of mailboxes, so names
/// come from the customer's last scan and from the plan too.
async fn names(work: &Work<'_>, scan: &Scan) -> Result<BTreeMap<ObjectId, String>, Failure> {
    let mut tx = work.engine.store().begin(work.access.partner()).await?;
    let scanned = tx.scanned_mailboxes(work.access).await?;
    tx.commit().await?;
    let scanned = scanned.map(|(_, list)| list).unwrap_or_default();
    let planned = work.plan.senders.iter().chain(&work.plan.refused);
    Ok(scanned
        .into_iter()
        .chain(planned.map(|one| (one.object, one.address.to_string())))
        .chain(scan.names.clone())
        .collect())
}

/// Evaluates the scan. The evaluator (`Judge`) is not `Send`, so this function keeps it out of the
/// async one.
fn judge(
    work: &Work<'_>,
    scan: &Scan,
    names: &BTreeMap<ObjectId, String>,
) -> (Verdict, String, Effects) {
    let reach = Judge::new(&scan.seen).reach();
    let words = Words {
        reach: &reach,
        names,
    };
    let application = &work.plan.application;
    let senders: Vec<_> = work.plan.senders.iter().map(|one| one.object).collect();
    let found = reach.application(application.object);
    let held = effects::held(scan, found, work.engine.now());
    let sentence = found.map_or_else(
        || "It holds no mailbox permission.".to_owned(),
        |found| words.sentence(found),
    );
    let verdict = against(&words, application.object, &application.name, &senders);
    (verdict, sentence, held)
}
