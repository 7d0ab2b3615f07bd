//! One run of a setup's job: claims a step, carries it out, and records how it ended.

use domain::{
    Problem, Timestamp,
    effects::{self, means},
    history::EventKind,
    id::SetupId,
    person::Actor,
    plan::Plan,
    problem::Remedy,
    proof::{Judged, Proof, Proved, SeenBy, Verdict, probes, proved, stands},
    setup::{Intent, SetupState, derive, proof},
    step::{Evidence, Step, StepKind, StepState, WaitFor},
    view::SecretState,
};
use serde_json::json;
use store::{Claimed, CustomerAccess, NewEvent, SetupRecord, Tx};

use crate::{
    Engine, Failure,
    connection::event,
    pace,
    setup::{
        ask,
        claim::{Claim, Way},
        look, passing,
        save::save,
        secret,
        settle::{Settled, look_again, settle, trouble},
        steps, undo,
        work::{Notes, Outcome, Work},
    },
    tenant::is_about_consent,
    worker::setup_job,
};

/// Maximum number of evidence entries per step. The oldest are dropped.
const MOST_EVIDENCE: usize = 60;

/// Who runs the next step when it needs no wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The caller, within the same job. If the process dies, the queue runs that job again.
    Caller,
    /// A new job.
    Job,
}

/// When the next run of the setup is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Never: the setup has ended, or a person has to act first.
    Nothing,
    AtOnce,
    At(Timestamp),
}

impl Engine {
    /// Carries out the next step of a setup. A process can die anywhere in it; the next run
    /// continues. `then`: who runs the next step when it needs no wait.
    pub(crate) async fn run_setup(
        &self,
        access: &CustomerAccess,
        setup: SetupId,
        then: Then,
    ) -> Result<Next, Failure> {
        let Some(claim) = self.claim(access, setup).await? else {
            return Ok(Next::Nothing);
        };
        let (outcome, notes) = self.act(access, &claim).await?;
        self.record(access, &claim, outcome, notes, then).await
    }

    async fn act(
        &self,
        access: &CustomerAccess,
        claim: &Claim,
    ) -> Result<(Outcome, Notes), Failure> {
        let tenant = match self.tenant(access).await {
            Ok(tenant) => tenant,
            Err(Failure::Told(problem)) => {
                let outcome = look_again(claim.way, Outcome::Failed(*problem));
                return Ok((outcome, Notes::default()));
            }
            Err(other) => return Err(other),
        };
        let secret = if claim.step.kind == StepKind::Prove && claim.way == Way::Forward {
            let mut tx = self.store().begin(access.partner()).await?;
            match tx.secret(access, claim.record.id, self.now()).await {
                Ok(secret) => secret,
                // The secret cannot be decrypted. A retry would not help.
                Err(store::Error::Corrupt { what }) => {
                    tracing::error!(setup = %claim.record.id, what, "a client secret cannot be opened");
                    return Ok((Outcome::Failed(unreadable_secret()), Notes::default()));
                }
                Err(other) => return Err(other.into()),
            }
        } else {
            None
        };
        let (secret, tried_secret) = secret.unzip();
        let mut work = Work {
            engine: self,
            access,
            tenant,
            setup: claim.record.id,
            plan: &claim.record.plan,
            step: &claim.step,
            steps: &claim.record.steps,
            secret,
            group: look::noted_group(&claim.record.steps),
            held: look::held_object(&claim.record.plan, &claim.record.steps),
            siblings: self.siblings(access, claim).await?,
            notes: Notes::default(),
        };
        let result = match claim.way {
            Way::Forward => steps::run(&mut work).await,
            Way::Undo => undo::undo(&mut work).await,
            Way::LastLook => look::last(&mut work).await,
        };
        let mut notes = std::mem::take(&mut work.notes);
        notes.tried_secret = tried_secret;
        let outcome = match result {
            Ok(outcome) => {
                self.note_connection(access, Ok(())).await;
                outcome
            }
            Err(Failure::Told(problem)) => Outcome::Failed(*problem),
            Err(Failure::Microsoft(error)) if self.is_spreading(access, &error).await? => {
                Outcome::Wait {
                    what: WaitFor::Throttle,
                    why: "The consent was just given, and Microsoft does not know of it everywhere yet.".into(),
                    wait: pace::SPREADING,
                    usually: Some("a minute"),
                }
            }
            Err(Failure::Microsoft(error)) => {
                self.note_connection(access, Err(&error)).await;
                if error.fault().is_some() {
                    let title = format!("Exchange refused {}", error.subject().unwrap_or("it"));
                    notes.evidence.push(error.trace().evidence(title, false));
                }
                let outcome = trouble(&error, self.inner.pace, self.now());
                let outcome = match passing::of_delegation(&work.tenant, error.problem()).await {
                    Some(problem) => named(outcome, problem),
                    None => outcome,
                };
                if is_about_consent(&error) {
                    with_what_is_left(outcome, claim)
                } else {
                    outcome
                }
            }
            Err(other) => return Err(other),
        };
        Ok((look_again(claim.way, outcome), notes))
    }

    /// Records the end of a run: the step, the events and the next job, in one transaction.
    async fn record(
        &self,
        access: &CustomerAccess,
        claim: &Claim,
        outcome: Outcome,
        notes: Notes,
        then: Then,
    ) -> Result<Next, Failure> {
        let now = self.now();
        let mut tx = self.store().begin(access.partner()).await?;
        let Some(mut record) = tx.lock_setup(access, claim.record.id).await? else {
            return Ok(Next::Nothing);
        };
        let Some(step) = record.steps.get_mut(claim.position) else {
            return Ok(Next::Nothing);
        };
        if step.attempts != claim.step.attempts && record.intent == claim.record.intent {
            // Another run has taken the step over, because this run was believed dead. The other
            // run observes for itself what is there.
            tracing::warn!(setup = %claim.record.id, step = claim.step.kind.as_str(), "a step was taken over");
            return Ok(Next::Nothing);
        }
        let turned = record.intent != claim.record.intent;
        let before = claim.step.state.clone();
        keep(step, &notes);
        // An operator ended the step while it ran, for example by leaving the proof out. The
        // changes of this run are recorded. Its outcome does not count.
        let over = claim.way == Way::Forward && step.state.is_over();
        let mut settled = if over {
            Settled::default()
        } else {
            settle(
                step,
                &before,
                outcome,
                turned,
                record.intent,
                self.inner.pace,
                now,
            )
        };
        let undone = step.state == StepState::Undone;
        let title = step.kind.title();
        step.noted.extend(notes.marks);
        let log = Log {
            setup: record.id,
            now,
            requests: requests(&notes.evidence),
        };
        for change in notes.changes {
            note(record.steps.get_mut(claim.position), change.key);
            tx.append(
                access,
                &NewEvent {
                    setup: Some(record.id),
                    before: change.before,
                    after: change.after,
                    requests: change.request.into_iter().collect(),
                    ..event(now, Actor::System, EventKind::Change, change.what)
                },
            )
            .await?;
        }
        if let Some(kind) = settled.event {
            log.append(
                &mut tx,
                access,
                kind,
                format!("{title}: {}", settled.sentence.replace('\n', " ")),
                settled.facts,
            )
            .await?;
        }
        // A secret that was given while this run was under way has not been tried. It is kept for
        // the next run.
        let untried = matches!(
            record.secret,
            SecretState::KeptUntil { until } if Some(until) != notes.tried_secret
        );
        if untried {
            if let Some(step) = record.steps.get_mut(claim.position)
                && lacked_secret(step)
            {
                step.state = StepState::Pending;
                settled.next_look = None;
                settled.goes_on = true;
            }
        } else if let Some(why) = notes.forget_secret.or(settled.forget_secret) {
            secret::forget(&mut tx, access, record.id, now, why).await?;
        }
        if let Some(judged) = notes.judged {
            let judged = newer(judged, &record);
            record.judged = Some(judged);
        }
        if claim.way == Way::Undo && claim.step.kind == StepKind::Policy && undone {
            self.others_fall(&mut tx, access, &record, now).await?;
        }
        self.finish(&mut tx, access, &mut record, &log).await?;
        save(&mut tx, access, &record).await?;
        let goes_on = match record.intent {
            Intent::Forward | Intent::RollBack => settled.goes_on || turned,
            Intent::Cancel => settled.goes_on,
        };
        let ended = record.ended_at.is_some() && record.intent != Intent::Cancel;
        let next = match settled.next_look {
            _ if !goes_on || ended => Next::Nothing,
            Some(at) => Next::At(at),
            None => Next::AtOnce,
        };
        if next != Next::Nothing && (next, then) != (Next::AtOnce, Then::Caller) {
            tx.add_job(&setup_job(access, record.id, settled.next_look))
                .await?;
        }
        tx.commit().await?;
        Ok(next)
    }

    /// Withdraws the claims of the application's other setups. What they showed may have rested on
    /// the policy that this rollback removed, so it has to be shown again.
    async fn others_fall(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        record: &SetupRecord,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let application = &record.plan.application;
        for claim in tx.claims(access, Some(application.app_id)).await? {
            if claim.id == record.id {
                continue;
            }
            let open = format!(
                "Another setup of {} was rolled back on {now}, and its access policy was removed.",
                application.name
            );
            let says = Verdict::More { open: vec![open] };
            let judged = Judged::new(now, SeenBy::RollBack, says);
            let judged = judged.after(claim.judged.as_ref());
            if tx.judge(access, &claim, &judged).await? {
                fell(tx, access, &claim, &judged).await?;
            }
        }
        Ok(())
    }

    /// Ends the setup when its last step has ended.
    async fn finish(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        record: &mut SetupRecord,
        log: &Log,
    ) -> Result<(), Failure> {
        if record.ended_at.is_some() {
            return Ok(());
        }
        match derive(record.intent, &record.steps) {
            SetupState::Done => {
                record.ended_at = Some(log.now);
                let showed = proof(record.intent, &record.steps);
                let proof = stands(showed, record.judged.as_ref());
                // Only a new proof that succeeded gets an event of its own.
                if let (Proof::Proven, true, Some(proved)) = (
                    proof,
                    proven_anew(record),
                    proved(&record.steps, &record.plan),
                ) {
                    let said = proved.sentence(&record.plan, probes(&record.steps));
                    let mails = tried(&record.steps, &proved, &record.plan);
                    log.append(tx, access, EventKind::Proven, said, mails)
                        .await?;
                }
                secret::forget(tx, access, record.id, log.now, "the proof ended").await?;
                log.append(
                    tx,
                    access,
                    EventKind::SetupDone,
                    finished(proof, record),
                    Some(json!({ "means": means(&record.plan, effects::of(&record.steps)) })),
                )
                .await?;
                tx.ask_scan(access, log.now).await?;
            }
            SetupState::RolledBack => {
                record.ended_at = Some(log.now);
                let left: Vec<&str> = record
                    .steps
                    .iter()
                    .filter_map(|step| step.left.as_deref())
                    .collect();
                let what = if left.is_empty() {
                    "Rolled back: what the setup made is gone.".to_owned()
                } else {
                    format!("Rolled back, but: {}", left.join(" "))
                };
                log.append(tx, access, EventKind::SetupRolledBack, what, None)
                    .await?;
                tx.ask_scan(access, log.now).await?;
            }
            SetupState::Running
            | SetupState::Waiting
            | SetupState::NeedsSecret
            | SetupState::Failed
            | SetupState::Cancelled
            | SetupState::RollingBack => {}
        }
        Ok(())
    }
}

/// The same outcome with a more precise problem.
fn named(outcome: Outcome, problem: Problem) -> Outcome {
    match outcome {
        Outcome::Passing { wait, .. } => Outcome::Passing {
            why: format!(
                "{} A role or a membership that was given a moment ago takes up to an hour until Exchange knows it.",
                problem.happened
            ),
            wait,
            problem: Box::new(problem),
        },
        Outcome::Failed(_) => Outcome::Failed(problem),
        other => other,
    }
}

/// A failed consent locks Postern out of the tenant. Nobody can look what the setup has made, so
/// the problem lists it.
fn with_what_is_left(outcome: Outcome, claim: &Claim) -> Outcome {
    match outcome {
        Outcome::Failed(mut problem) => {
            let left = ask::what_is_there(&claim.record.plan, &claim.record.steps);
            problem.means = format!("{} Of this setup at the customer: {left}", problem.means);
            Outcome::Failed(problem)
        }
        other => other,
    }
}

/// Appends the event that a claim does not hold any more.
pub(crate) async fn fell(
    tx: &mut Tx,
    access: &CustomerAccess,
    claim: &Claimed,
    judged: &Judged,
) -> Result<(), store::Error> {
    let what = format!(
        "{} {}",
        judged.sentence(),
        judged.says.sentences().join(" ")
    );
    let entry = NewEvent {
        setup: Some(claim.id),
        ..event(judged.at, Actor::System, EventKind::ProofFell, what)
    };
    tx.append(access, &entry).await.map(|_| ())
}

/// Records in the step that history has this change.
fn note(step: Option<&mut Step>, key: String) {
    if let Some(step) = step
        && !step.noted.contains(&key)
    {
        step.noted.push(key);
    }
}

/// Maximum number of request ids of one event. Of a longer run the last ones are kept.
const MOST_REQUESTS: usize = 20;

fn requests(evidence: &[Evidence]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in evidence
        .iter()
        .rev()
        .filter_map(|one| one.request_id.as_ref())
    {
        if ids.len() < MOST_REQUESTS && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids.reverse();
    ids
}

/// How a setup ended, for its history. Adds as whom mail may appear, which no policy limits.
fn finished(proof: Proof, record: &SetupRecord) -> String {
    let ended = ended(proof, record);
    match effects::of(&record.steps) {
        Some(effects) => format!(
            "{ended} {}",
            effects.appears.sentences(effects.at).join(" ")
        ),
        None => ended,
    }
}

fn ended(proof: Proof, record: &SetupRecord) -> String {
    let unproven = record.steps.iter().find_map(|step| match &step.state {
        StepState::Skipped { why } if step.kind == StepKind::Prove => Some(why.as_str()),
        _ => None,
    });
    match (&record.judged, proof, unproven) {
        (Some(judged), Proof::MoreOpen, _) => format!(
            "Finished. More is open than the plan permits: {}",
            judged.says.sentences().join(" ")
        ),
        (Some(judged), Proof::NotKnown, _) => format!(
            "Finished. Whether more is open than the plan permits could not be read: {}",
            judged.says.sentences().join(" ")
        ),
        (_, Proof::Proven, None) | (_, _, None) => format!("Finished as {}.", proof.word()),
        (_, _, Some(why)) => format!("Finished as {}. {}", proof.word(), why.replace('\n', " ")),
    }
}

/// The verdict of a last look. After a new proof it replaces the one before; otherwise it also
/// keeps whether something was open before.
fn newer(judged: Judged, record: &SetupRecord) -> Judged {
    if proven_anew(record) {
        judged
    } else {
        judged.after(record.judged.as_ref())
    }
}

/// Whether the newest proof ended as planned.
fn proven_anew(record: &SetupRecord) -> bool {
    record
        .steps
        .iter()
        .any(|step| step.kind == StepKind::Prove && step.state == StepState::Done)
}

/// The mailboxes that were tried with real mail, with the outcome of the last try of each; and the
/// senders that were not tried.
fn tried(steps: &[Step], proved: &Proved, plan: &Plan) -> Option<serde_json::Value> {
    let probes = probes(steps);
    let mails: Vec<_> = probes
        .iter()
        .filter_map(|probe| {
            let look = probe.looks.last()?;
            Some(json!({
                "as": probe.mailbox,
                "must": probe.must.word(),
                "outcome": look.outcome,
                "at": look.at,
                "request": look.request_id,
            }))
        })
        .collect();
    let untried: Vec<&str> = proved
        .untried(plan, probes)
        .into_iter()
        .map(|mailbox| mailbox.address.as_str())
        .collect();
    (!mails.is_empty())
        .then(|| json!({ "mails": mails, "through": "Graph sendMail", "not_tried": untried }))
}

/// Whether the proof waits for a secret, or has failed with the secret before.
fn lacked_secret(step: &Step) -> bool {
    step.kind == StepKind::Prove
        && match &step.state {
            StepState::Waiting(waiting) => waiting.what == WaitFor::Secret,
            StepState::Failed { .. } => true,
            _ => false,
        }
}

fn unreadable_secret() -> Problem {
    Problem::new(
        "secret.unreadable",
        Remedy::Act,
        "The stored client secret cannot be opened.",
        "The key with which it was encrypted is not in Postern's key ring any more.",
        "Give the secret again.",
    )
}

struct Log {
    setup: SetupId,
    now: Timestamp,
    /// Microsoft's ids of this run's requests.
    requests: Vec<String>,
}

impl Log {
    async fn append(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        kind: EventKind,
        what: String,
        after: Option<serde_json::Value>,
    ) -> Result<(), store::Error> {
        let entry = NewEvent {
            setup: Some(self.setup),
            after,
            requests: self.requests.clone(),
            ..event(self.now, Actor::System, kind, what)
        };
        tx.append(access, &entry).await.map(|_| ())
    }
}

/// Adds a run's evidence to its step. Evidence of earlier runs is kept only for changes.
fn keep(step: &mut Step, notes: &Notes) {
    step.evidence.retain(|evidence: &Evidence| evidence.change);
    step.evidence.extend(notes.evidence.iter().cloned());
    if step.evidence.len() > MOST_EVIDENCE {
        let surplus = step.evidence.len() - MOST_EVIDENCE;
        step.evidence.drain(..surplus);
    }
    if !notes.probes.is_empty() {
        step.probes.clone_from(&notes.probes);
    }
    if notes.proving.is_some() {
        step.proving.clone_from(&notes.proving);
    }
    if notes.effects.is_some() {
        step.effects.clone_from(&notes.effects);
    }
}

#[cfg(test)]
#[path = "carry_out_tests.rs"]
mod tests;
