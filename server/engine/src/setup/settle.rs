//! Applies the outcome of a run to its step: the step's new state, the time of its next poll, and
//! the moment at which it gives up.

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
    setup::{
        claim::Way,
        passing::passing,
        work::{CANCELLED, Outcome},
    },
};

/// What the outcome means apart from the step's own state.
#[derive(Default)]
pub(super) struct Settled {
    pub event: Option<EventKind>,
    pub sentence: String,
    /// Further facts for the event, for readers who look it up years later.
    pub facts: Option<serde_json::Value>,
    pub forget_secret: Option<&'static str>,
    pub goes_on: bool,
    pub next_look: Option<Timestamp>,
}

impl Settled {
    /// Ends the step and notes the event for it.
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

/// Applies a run's outcome to its step (`settle`). `before`: the step's state when the run began.
/// `turned`: the setup's intent changed while the run was under way, to `intent`.
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
        // An operator cancelled or rolled back during this run. What the run did stays recorded;
        // what it wanted next does not count.
        match (outcome, intent) {
            (Outcome::Done { summary }, _) => {
                step.summary = Some(summary.clone());
                settled.end(step, StepState::Done, EventKind::StepDone, summary, now);
            }
            // The step needs one more run that reconciles what it has made: no other run will.
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
    /// The failure to report if the refusal does not pass. With it, the wait has a deadline of its
    /// own.
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
            // A slow Microsoft is no failure, and what the setup made stays. So the proof is
            // skipped.
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

/// The deadline of a wait, and the wait that it interrupts. `patience`: how long the step waits for
/// `what`, in milliseconds.
///
/// A wait that continues keeps its deadline. Trouble (a throttle or an outage) has a deadline of
/// its own. Its duration is added to the deadline of the wait that it interrupts, because a pause
/// that Microsoft asks for says nothing about a group that is not visible yet.
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
        // The step waits for a person. A poll does not move that deadline.
        (WaitFor::Secret, _) | (_, WaitFor::Secret) => (old.latest, None),
        (WaitFor::Microsoft, WaitFor::Microsoft) => (from(old.since), None),
    }
}

/// The time after which a refusal that did not pass is reported as a failure. That is when the same
/// refusal has lasted for its own patience, however long the step has waited for other reasons
/// before; at the latest when the patience for all trouble ends.
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
    // The demo's pace does not apply to people.
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

/// The failure of a wait whose deadline has passed.
fn gave_up(why: &str, waited: i64) -> Problem {
    Problem::new(
        "step.gave_up",
        Remedy::Act,
        format!("Gave up after {}. {why}", domain::time::span(waited)),
        "Microsoft takes far longer than usual, or something is in the way that Postern does not see.",
        "Look at the evidence, then try again: it goes on from here.",
    )
}

/// The outcome for a failed request to Microsoft: a wait where it passes by itself, else a failure.
pub(super) fn trouble(error: &microsoft::Error, pace: pace::Pace, now: Timestamp) -> Outcome {
    let problem = error.problem();
    let wait = match error.kind() {
        _ if error.is_transient() => pace::TROUBLE,
        // The answer cannot be understood, so it says neither yes nor no. Most such answers were
        // damaged on their way.
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

/// Makes a failed last look wait and run again by itself, because an operator cannot retry a
/// cancelled setup.
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
