//! How a run ends for its step: the state it leaves, how long it waits, and when it gives up.

use domain::{
    Problem, Timestamp,
    history::EventKind,
    problem::Remedy,
    setup::Intent,
    step::{Interrupted, Step, StepKind, StepState, WaitFor, Waiting},
};
use microsoft::Kind;
use serde_json::json;

use crate::{
    pace::{self, Wait},
    setup::{claim::Way, passing::passing, work::{CANCELLED, Outcome}},
};

/// What the end of a run means for the rest.
#[derive(Default)]
pub(super) struct Settled {
    pub event: Option<EventKind>,
    pub sentence: String,
    /// What the event says besides, for who looks it up in years.
    pub facts: Option<serde_json::Value>,
    pub forget_secret: Option<&'static str>,
    pub goes_on: bool,
    pub next_look: Option<Timestamp>,
}

impl Settled {
    /// The step is over, and history says so.
    fn end(
        &mut self,
        step: &mut Step,
        state: StepState,
        event: EventKind,
        sentence: String,
        now: Timestamp,
    ) {
        step.ended = Some(now);
        step.state = state;
        self.event = Some(event);
        self.sentence = sentence;
    }
}

/// Puts the step into the state that the run ended with.
pub(super) fn settle(
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
                step.summary = Some(summary.clone());
                settled.end(step, StepState::Done, EventKind::StepDone, summary, now);
            }
            // What it made is looked up once more, because nobody else will.
            (_, Intent::Cancel) if step.kind.changes() => {
                step.state = StepState::Running;
                settled.goes_on = true;
            }
            (_, Intent::Cancel) => {
                step.ended = Some(now);
                step.state = StepState::Skipped {
                    why: CANCELLED.into(),
                };
            }
            (_, Intent::RollBack | Intent::Forward) => step.state = StepState::Running,
        }
        return settled;
    }
    match outcome {
        Outcome::Done { summary } => {
            step.summary = Some(summary.clone());
            settled.end(step, StepState::Done, EventKind::StepDone, summary, now);
            settled.goes_on = true;
        }
        Outcome::Again => {
            step.state = StepState::Running;
            settled.goes_on = true;
        }
        Outcome::Undone { summary } => {
            step.summary = Some(summary.clone());
            settled.end(step, StepState::Undone, EventKind::StepUndone, summary, now);
            settled.goes_on = true;
        }
        Outcome::Left { why } => {
            step.left = Some(why.clone());
            settled.end(step, StepState::Done, EventKind::StepSkipped, why, now);
            settled.goes_on = true;
        }
        Outcome::Skipped { why } => {
            let state = StepState::Skipped { why: why.clone() };
            settled.end(step, state, EventKind::StepSkipped, why, now);
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
                    problem: None,
                },
                pace,
                now,
                &mut settled,
            );
        }
        Outcome::Passing { why, wait, problem } => {
            let asked = Asked {
                what: WaitFor::Throttle,
                why,
                wait,
                usually: None,
                problem: Some(*problem),
            };
            wait_on(step, before, asked, pace, now, &mut settled);
        }
    }
    settled
}

struct Asked {
    what: WaitFor,
    why: String,
    wait: Wait,
    usually: Option<&'static str>,
    /// What is the matter if it does not pass; then the wait has an end of its own.
    problem: Option<Problem>,
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
        problem,
    } = asked;
    let secret = |one: WaitFor| one == WaitFor::Secret;
    let old = match before {
        StepState::Waiting(old) if secret(old.what) == secret(what) => Some(old),
        _ => None,
    };
    let since = old.map_or(now, |old| old.since);
    let (mut latest, interrupted) = until(old, what, now, patience(what, wait, pace));
    if problem.is_some() {
        latest = soonest(old, &why, now, wait, pace);
    }
    if now >= latest {
        if what == WaitFor::Secret {
            let why = "No client secret was given in time, so no real mail was sent.".to_owned();
            let state = StepState::Skipped { why: why.clone() };
            settled.end(step, state, EventKind::StepSkipped, why, now);
            settled.goes_on = true;
            return;
        }
        let from = interrupted.map_or(since, |interrupted| interrupted.at);
        let waited = now.millis_since(from);
        if step.kind == StepKind::Prove {
            // Microsoft's time is nobody's fault, and what was made stands.
            let why = format!("Not yet proven after {}. {why}", domain::time::span(waited));
            let state = StepState::Skipped { why: why.clone() };
            settled.forget_secret = Some("the proof ended");
            settled.end(step, state, EventKind::StepSkipped, why, now);
            settled.goes_on = true;
            return;
        }
        let problem = problem.unwrap_or_else(|| gave_up(&why, waited));
        fail(step, problem, now, settled);
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

/// When something is called by its name that did not pass by itself: as soon as that same thing has
/// lasted as long as it may, however long the step has waited for others; at the latest when no
/// trouble is waited for any more.
fn soonest(
    old: Option<&Waiting>,
    why: &str,
    now: Timestamp,
    wait: Wait,
    pace: pace::Pace,
) -> Timestamp {
    let fresh = now.plus_millis(pace.of(wait.patience));
    match old {
        Some(old) if old.why == why => old.latest,
        Some(old) if old.what == WaitFor::Throttle => {
            fresh.min(old.since.plus_millis(pace.of(pace::TROUBLE.patience)))
        }
        _ => fresh,
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
    let sentence = format!("{} {}", problem.happened, problem.todo);
    settled.facts = Some(json!({ "problem": problem.key, "microsoft": problem.microsoft }));
    if step.kind == StepKind::Prove {
        settled.forget_secret = Some("the proof failed");
    }
    let state = StepState::Failed { problem };
    settled.end(step, state, EventKind::StepFailed, sentence, now);
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
pub(super) fn trouble(error: &microsoft::Error, pace: pace::Pace, now: Timestamp) -> Outcome {
    let problem = error.problem();
    let wait = match error.kind() {
        _ if error.is_transient() => pace::TROUBLE,
        // It says nothing, neither good nor bad; most are spoilt on their way.
        Kind::Malformed | Kind::Mismatch | Kind::TooLarge => pace::SPOILT,
        _ => return passing(error),
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

/// Nobody can try again for a setup that was cancelled: its last look does so by itself.
pub(super) fn look_again(way: Way, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(problem) if way == Way::LastLook => Outcome::Wait {
            what: WaitFor::Throttle,
            why: problem.happened,
            wait: pace::TROUBLE,
            usually: None,
        },
        Outcome::Passing { why, wait, .. } if way == Way::LastLook => Outcome::Wait {
            what: WaitFor::Throttle,
            why,
            wait: pace::Wait {
                patience: pace::TROUBLE.patience,
                ..wait
            },
            usually: None,
        },
        other => other,
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
