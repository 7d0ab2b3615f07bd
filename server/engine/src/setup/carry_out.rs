//! One run of a setup's job: claim a step, carry it out, record how it ended.

use domain::{
    Problem, Timestamp,
    history::EventKind,
    id::SetupId,
    person::Actor,
    problem::Remedy,
    proof::Proof,
    setup::{Intent, SetupState, derive, proof},
    step::{Evidence, Interrupted, Step, StepKind, StepState, WaitFor, Waiting},
    view::SecretState,
};
use microsoft::Kind;
use serde_json::json;
use store::{CustomerAccess, NewEvent, SetupRecord, Tx};

use crate::{
    Engine, Failure,
    connection::event,
    pace::{self, Wait},
    setup::{
        claim::{Claim, Way},
        look,
        save::save,
        secret, steps, undo,
        work::{Notes, Outcome, Work},
    },
    worker::setup_job,
};

/// Evidence kept per step; looks that changed nothing make room for newer ones.
const MOST_EVIDENCE: usize = 60;

/// Who goes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Whoever calls, in the job under way: should the process die, that job is taken up again.
    Caller,
    /// A job of its own.
    Job,
}

/// What comes after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The setup has ended, or somebody must do something first.
    Nothing,
    AtOnce,
    At(Timestamp),
}

impl Engine {
    /// Carries out the next step of a setup. Can be killed anywhere and run again. `then`: who
    /// goes on where the next step has nothing to wait for.
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
                // Reading it again would not help.
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
            tenant,
            setup: claim.record.id,
            plan: &claim.record.plan,
            step: &claim.step,
            secret,
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
                trouble(&error, self.inner.pace, self.now())
            }
            Err(other) => return Err(other),
        };
        Ok((look_again(claim.way, outcome), notes))
    }

    /// Writes the end of a run: step, events and the next job in one transaction.
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
            // Another run took the step over, because this one was believed dead. It observes for
            // itself what is there.
            tracing::warn!(setup = %claim.record.id, step = claim.step.kind.as_str(), "a step was taken over");
            return Ok(Next::Nothing);
        }
        let turned = record.intent != claim.record.intent;
        let before = claim.step.state.clone();
        keep(step, &notes);
        // Somebody ended the step while it ran, by leaving the proof out for example: what it
        // changed is told, what it wants does not count any more.
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
                format!("{title}: {}", settled.sentence),
                settled.facts,
            )
            .await?;
        }
        // A secret that was given while this ran was not tried yet: it stays, and is tried.
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

    /// Ends the setup when its last step ended.
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
                let proof = proof(record.intent, &record.steps);
                if proof == Proof::Proven {
                    let said = proof.explained().to_owned();
                    log.append(tx, access, EventKind::Proven, said, tried(&record.steps))
                        .await?;
                }
                secret::forget(tx, access, record.id, log.now, "the proof ended").await?;
                log.append(
                    tx,
                    access,
                    EventKind::SetupDone,
                    format!("Finished as {}.", proof.word()),
                    None,
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

/// Keeps that history tells the change.
fn note(step: Option<&mut Step>, key: String) {
    if let Some(step) = step
        && !step.noted.contains(&key)
    {
        step.noted.push(key);
    }
}

/// Nobody can try again for a setup that was cancelled: its last look does so by itself.
fn look_again(way: Way, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(problem) if way == Way::LastLook => Outcome::Wait {
            what: WaitFor::Throttle,
            why: problem.happened,
            wait: pace::TROUBLE,
            usually: None,
        },
        other => other,
    }
}

/// Request ids that one event names; of a long look the last.
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

/// The mailboxes that real mail was tried as, and how the last try of each ended.
fn tried(steps: &[Step]) -> Option<serde_json::Value> {
    let probes = &steps
        .iter()
        .find(|step| step.kind == StepKind::Prove)?
        .probes;
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
    (!mails.is_empty()).then(|| json!({ "mails": mails }))
}

/// The proof waits for a secret, or failed with the one before.
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
    /// Microsoft's ids of what this run asked.
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

/// Adds a run's evidence. Of runs that changed nothing only the last is kept.
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
}

/// What the end of a run means for the rest.
#[derive(Default)]
struct Settled {
    event: Option<EventKind>,
    sentence: String,
    /// What the event says besides, for who looks it up in years.
    facts: Option<serde_json::Value>,
    forget_secret: Option<&'static str>,
    goes_on: bool,
    next_look: Option<Timestamp>,
}

/// Puts the step into the state that the run ended with.
fn settle(
    step: &mut Step,
    before: &StepState,
    outcome: Outcome,
    turned: bool,
    intent: Intent,
    pace: pace::Pace,
    now: Timestamp,
) -> Settled {
    let mut settled = Settled::default();
    if turned {
        // Somebody cancelled or rolled back while it ran: what it did stands, what it wants does not.
        match (outcome, intent) {
            (Outcome::Done { summary }, _) => {
                step.ended = Some(now);
                step.summary = Some(summary.clone());
                step.state = StepState::Done;
                settled.event = Some(EventKind::StepDone);
                settled.sentence = summary;
            }
            // What it made is looked up once more, because nobody else will.
            (_, Intent::Cancel) if step.kind.changes() => {
                step.state = StepState::Running;
                settled.goes_on = true;
            }
            (_, Intent::Cancel) => {
                step.ended = Some(now);
                step.state = StepState::Skipped {
                    why: "The setup was cancelled while this ran; what it made by then stays."
                        .into(),
                };
            }
            (_, Intent::RollBack | Intent::Forward) => step.state = StepState::Running,
        }
        return settled;
    }
    match outcome {
        Outcome::Done { summary } => {
            step.ended = Some(now);
            step.summary = Some(summary.clone());
            step.state = StepState::Done;
            settled.event = Some(EventKind::StepDone);
            settled.sentence = summary;
            settled.goes_on = true;
        }
        Outcome::Again => {
            step.state = StepState::Running;
            settled.goes_on = true;
        }
        Outcome::Undone { summary } => {
            step.ended = Some(now);
            step.summary = Some(summary.clone());
            step.state = StepState::Undone;
            settled.event = Some(EventKind::StepUndone);
            settled.sentence = summary;
            settled.goes_on = true;
        }
        Outcome::Left { why } => {
            step.ended = Some(now);
            step.left = Some(why.clone());
            step.state = StepState::Done;
            settled.event = Some(EventKind::StepSkipped);
            settled.sentence = why;
            settled.goes_on = true;
        }
        Outcome::Skipped { why } => {
            step.ended = Some(now);
            step.state = StepState::Skipped { why: why.clone() };
            settled.event = Some(EventKind::StepSkipped);
            settled.sentence = why;
            settled.goes_on = true;
        }
        Outcome::Failed(problem) => fail(step, problem, now, &mut settled),
        Outcome::Wait {
            what,
            why,
            wait,
            usually,
        } => {
            wait_on(
                step,
                before,
                Asked {
                    what,
                    why,
                    wait,
                    usually,
                },
                pace,
                now,
                &mut settled,
            );
        }
    }
    settled
}

struct Asked {
    what: WaitFor,
    why: String,
    wait: Wait,
    usually: Option<&'static str>,
}

fn wait_on(
    step: &mut Step,
    before: &StepState,
    asked: Asked,
    pace: pace::Pace,
    now: Timestamp,
    settled: &mut Settled,
) {
    let Asked {
        what,
        why,
        wait,
        usually,
    } = asked;
    let secret = |one: WaitFor| one == WaitFor::Secret;
    let old = match before {
        StepState::Waiting(old) if secret(old.what) == secret(what) => Some(old),
        _ => None,
    };
    let since = old.map_or(now, |old| old.since);
    let (latest, interrupted) = until(old, what, now, patience(what, wait, pace));
    if now >= latest {
        if what == WaitFor::Secret {
            step.ended = Some(now);
            let why = "No client secret was given in time, so no real mail was sent.".to_owned();
            step.state = StepState::Skipped { why: why.clone() };
            settled.event = Some(EventKind::StepSkipped);
            settled.sentence = why;
            settled.goes_on = true;
            return;
        }
        let from = interrupted.map_or(since, |interrupted| interrupted.at);
        fail(step, gave_up(&why, now.millis_since(from)), now, settled);
        return;
    }
    let looks = usize::try_from(step.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let next_look = match what {
        WaitFor::Secret => latest,
        WaitFor::Microsoft | WaitFor::Throttle => now
            .plus_millis(pace.gap(wait, looks))
            .min(latest.max(now.plus_millis(pace.of(wait.first)))),
    };
    settled.next_look = Some(next_look);
    settled.goes_on = true;
    if old.is_none() {
        settled.event = Some(EventKind::StepWaiting);
        settled.sentence.clone_from(&why);
    }
    step.state = StepState::Waiting(Waiting {
        what,
        why,
        since,
        next_look: (what != WaitFor::Secret).then_some(next_look),
        latest,
        usually: usually.map(Into::into),
        interrupted,
    });
}

/// When a wait is given up, and which wait it interrupts. `patience` in milliseconds.
///
/// A wait that goes on keeps its end. Trouble has an end of its own, and the wait that it
/// interrupts gets back the time that it took: a pause of Microsoft's says nothing about a group
/// that is not shown yet.
fn until(
    old: Option<&Waiting>,
    what: WaitFor,
    now: Timestamp,
    patience: i64,
) -> (Timestamp, Option<Interrupted>) {
    let Some(old) = old else {
        return (now.plus_millis(patience), None);
    };
    let from = |start: Timestamp| start.plus_millis(patience).max(old.latest);
    match (old.what, what) {
        (WaitFor::Throttle, WaitFor::Throttle) => {
            let start = old.interrupted.map_or(old.since, |one| one.at);
            (from(start), old.interrupted)
        }
        (WaitFor::Microsoft, WaitFor::Throttle) => {
            let interrupted = Interrupted {
                at: now,
                latest: old.latest,
            };
            (now.plus_millis(patience), Some(interrupted))
        }
        (WaitFor::Throttle, WaitFor::Microsoft) => match old.interrupted {
            Some(one) => (one.latest.plus_millis(now.millis_since(one.at)), None),
            None => (now.plus_millis(patience), None),
        },
        // It waits for a person: a look does not prolong it.
        (WaitFor::Secret, _) | (_, WaitFor::Secret) => (old.latest, None),
        (WaitFor::Microsoft, WaitFor::Microsoft) => (from(old.since), None),
    }
}

fn patience(what: WaitFor, wait: Wait, pace: pace::Pace) -> i64 {
    // People do not live at the demo's pace.
    if what == WaitFor::Secret {
        wait.patience
    } else {
        pace.of(wait.patience)
    }
}

fn fail(step: &mut Step, problem: Problem, now: Timestamp, settled: &mut Settled) {
    step.ended = Some(now);
    settled.event = Some(EventKind::StepFailed);
    settled.sentence = format!("{} {}", problem.happened, problem.todo);
    settled.facts = Some(json!({ "problem": problem.key, "microsoft": problem.microsoft }));
    if step.kind == StepKind::Prove {
        settled.forget_secret = Some("the proof failed");
    }
    step.state = StepState::Failed { problem };
}

/// The wait took too long.
fn gave_up(why: &str, waited: i64) -> Problem {
    Problem::new(
        "step.gave_up",
        Remedy::Act,
        format!("Gave up after {}. {why}", domain::time::span(waited)),
        "Microsoft takes far longer than usual, or something is in the way that Postern does not see.",
        "Look at the evidence, then try again: it goes on from here.",
    )
}

/// A failure at Microsoft: it passes, or somebody has to do something.
fn trouble(error: &microsoft::Error, pace: pace::Pace, now: Timestamp) -> Outcome {
    let problem = error.problem();
    let wait = match error.kind() {
        _ if error.is_transient() => pace::TROUBLE,
        // It says nothing, neither good nor bad; most are spoilt on their way.
        Kind::Malformed | Kind::Mismatch | Kind::TooLarge => pace::SPOILT,
        _ => return Outcome::Failed(problem),
    };
    let pause = error.retry_after(now).unwrap_or_default();
    let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    Outcome::Wait {
        what: WaitFor::Throttle,
        why: problem.happened,
        wait: wait.not_before(pause, pace),
        usually: None,
    }
}

#[cfg(test)]
#[path = "carry_out_tests.rs"]
mod tests;
