#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::pace::{ENFORCED, Pace};

fn step(kind: StepKind, state: StepState) -> Step {
    Step {
        state,
        attempts: 1,
        started: Some(Timestamp(0)),
        ..Step::new(kind)
    }
}

fn wait_for(what: WaitFor, patience: i64) -> Outcome {
    Outcome::Wait {
        what,
        why: "not yet".into(),
        wait: Wait {
            first: 1000,
            longest: 4000,
            patience,
        },
        usually: None,
    }
}

fn settle_at(step: &mut Step, outcome: Outcome, now: i64) -> Settled {
    let before = step.state.clone();
    settle(
        step,
        &before,
        outcome,
        false,
        Intent::Forward,
        Pace::default(),
        Timestamp(now),
    )
}

#[test]
fn a_wait_keeps_its_beginning_and_tells_history_once() {
    let mut step = step(StepKind::Visible, StepState::Running);
    let first = settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 10);
    assert_eq!(first.event, Some(EventKind::StepWaiting));
    assert_eq!(first.next_look, Some(Timestamp(1010)));
    step.attempts = 2;
    let second = settle_at(&mut step, wait_for(WaitFor::Throttle, 60_000), 2000);
    assert_eq!(second.event, None);
    assert_eq!(second.next_look, Some(Timestamp(3500)));
    let StepState::Waiting(waiting) = &step.state else {
        panic!("it waits")
    };
    assert_eq!(
        (waiting.since, waiting.latest),
        (Timestamp(10), Timestamp(62_000))
    );
}

/// Trouble that interrupts a wait must not shorten the day that a group may take.
#[test]
fn trouble_interrupts_a_wait_and_gives_its_time_back() {
    let waiting = |step: &Step| match &step.state {
        StepState::Waiting(waiting) => waiting.clone(),
        other => panic!("it does not wait: {other:?}"),
    };
    let mut step = step(StepKind::Visible, StepState::Running);
    settle_at(&mut step, wait_for(WaitFor::Throttle, 9_000), 0);
    assert_eq!(waiting(&step).latest, Timestamp(9_000));
    settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 1_000);
    assert_eq!(waiting(&step).latest, Timestamp(61_000));
    settle_at(&mut step, wait_for(WaitFor::Throttle, 9_000), 2_000);
    settle_at(&mut step, wait_for(WaitFor::Throttle, 9_000), 5_000);
    let trouble = waiting(&step);
    assert_eq!(
        (trouble.since, trouble.latest),
        (Timestamp(0), Timestamp(11_000))
    );
    settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 6_000);
    let waits = waiting(&step);
    assert_eq!((waits.latest, waits.interrupted), (Timestamp(65_000), None));
    // Trouble keeps a deadline of its own, however often the wait was interrupted before.
    settle_at(&mut step, wait_for(WaitFor::Throttle, 9_000), 64_000);
    let end = settle_at(&mut step, wait_for(WaitFor::Throttle, 9_000), 73_000);
    assert_eq!(end.event, Some(EventKind::StepFailed));
}

#[test]
fn a_pause_longer_than_the_patience_is_kept() {
    let mut step = step(StepKind::Policy, StepState::Running);
    let outcome = Outcome::Wait {
        what: WaitFor::Throttle,
        why: "a pause".into(),
        wait: Wait {
            first: 50_000,
            longest: 50_000,
            patience: 9_000,
        },
        usually: None,
    };
    let settled = settle_at(&mut step, outcome, 0);
    assert_eq!(settled.next_look, Some(Timestamp(50_000)));
}

#[test]
fn patience_ends() {
    let mut step = step(StepKind::Visible, StepState::Running);
    settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 0);
    let end = settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 60_000);
    assert_eq!(end.event, Some(EventKind::StepFailed));
    assert!(!end.goes_on);
    assert!(matches!(step.state, StepState::Failed { .. }));
}

#[test]
fn waiting_for_a_secret_ends_without_failing() {
    let mut step = step(StepKind::Prove, StepState::Running);
    let first = settle_at(&mut step, wait_for(WaitFor::Secret, 1000), 0);
    assert_eq!(first.next_look, Some(Timestamp(1000)));
    let end = settle_at(&mut step, wait_for(WaitFor::Secret, 1000), 1000);
    assert!(end.goes_on);
    assert!(matches!(step.state, StepState::Skipped { .. }));
}

#[test]
fn the_wait_for_enforcement_begins_after_the_wait_for_the_secret() {
    let mut step = step(StepKind::Prove, StepState::Running);
    settle_at(&mut step, wait_for(WaitFor::Secret, 1_000_000), 0);
    let outcome = Outcome::Wait {
        what: WaitFor::Microsoft,
        why: "went through".into(),
        wait: ENFORCED,
        usually: None,
    };
    settle_at(&mut step, outcome, 500_000);
    let StepState::Waiting(waiting) = &step.state else {
        panic!("it waits")
    };
    assert_eq!(waiting.since, Timestamp(500_000));
}

#[test]
fn a_failed_proof_forgets_the_secret() {
    let mut step = step(StepKind::Prove, StepState::Running);
    let settled = settle_at(&mut step, Outcome::Failed(Problem::not_found()), 5);
    assert!(settled.forget_secret.is_some());
}

#[test]
fn what_was_cancelled_while_it_ran_is_no_success_and_starts_nothing() {
    for (outcome, state) in [
        (
            Outcome::Done {
                summary: "made".into(),
            },
            "done",
        ),
        (wait_for(WaitFor::Microsoft, 10), "skipped"),
        (Outcome::Failed(Problem::not_found()), "skipped"),
    ] {
        let mut step = step(StepKind::Visible, StepState::Running);
        let before = step.state.clone();
        let settled = settle(
            &mut step,
            &before,
            outcome,
            true,
            Intent::Cancel,
            Pace::default(),
            Timestamp(9),
        );
        assert_eq!(step.state.word(), state);
        assert!(!settled.goes_on);
    }
}

#[test]
fn what_a_cancelled_step_may_have_made_is_looked_up() {
    let mut step = step(StepKind::Group, StepState::Running);
    let before = step.state.clone();
    let lost = wait_for(WaitFor::Throttle, 10);
    let settled = settle(
        &mut step,
        &before,
        lost,
        true,
        Intent::Cancel,
        Pace::default(),
        Timestamp(9),
    );
    assert_eq!(step.state, StepState::Running);
    assert!(settled.goes_on);
}

#[test]
fn the_last_look_tries_again_by_itself() {
    let failed = || Outcome::Failed(Problem::not_found());
    assert!(matches!(
        look_again(Way::LastLook, failed()),
        Outcome::Wait { .. }
    ));
    assert!(matches!(
        look_again(Way::Forward, failed()),
        Outcome::Failed(_)
    ));
}

#[test]
fn what_was_rolled_back_while_it_ran_is_undone_next() {
    let mut step = step(StepKind::Group, StepState::Running);
    let before = step.state.clone();
    settle(
        &mut step,
        &before,
        Outcome::Failed(Problem::not_found()),
        true,
        Intent::RollBack,
        Pace::default(),
        Timestamp(9),
    );
    assert_eq!(step.state, StepState::Running);
}

fn passes(why: &str, patience: i64) -> Outcome {
    Outcome::Passing {
        why: why.into(),
        wait: Wait {
            first: 1000,
            longest: 4000,
            patience,
        },
        problem: Box::new(Problem::new(why, Remedy::Act, "a", "b", "c")),
    }
}

fn failed_with(step: &Step) -> Option<&str> {
    match &step.state {
        StepState::Failed { problem } => Some(&problem.key),
        _ => None,
    }
}

/// A refusal that does not pass is reported as a failure. It has a patience of its own, not the day
/// that other trouble may take.
#[test]
fn field_b21_a_refusal_that_does_not_pass_is_called_by_its_name() {
    let mut step = step(StepKind::Policy, StepState::Running);
    settle_at(&mut step, wait_for(WaitFor::Throttle, 1_000_000), 0);
    settle_at(&mut step, passes("refused", 5_000), 10_000);
    assert_eq!(failed_with(&step), None);
    settle_at(&mut step, passes("refused", 5_000), 14_000);
    assert_eq!(failed_with(&step), None);
    settle_at(&mut step, passes("refused", 5_000), 16_000);
    assert_eq!(failed_with(&step), Some("refused"));
}

/// Another refusal gets its own patience. Two refusals that alternate must not go on for ever.
#[test]
fn field_b21_refusals_that_take_turns_come_to_an_end() {
    let mut step = step(StepKind::Policy, StepState::Running);
    let mut now = 0;
    let mut looks = 0;
    while failed_with(&step).is_none() {
        let why = if looks % 2 == 0 { "one" } else { "other" };
        settle_at(&mut step, passes(why, 3_600_000), now);
        now += 600_000;
        looks += 1;
        assert!(looks < 1_000, "it never ends");
    }
    assert!(now > pace::TROUBLE.patience, "{now}");
}

/// The time of a refusal is added to the deadline of the wait that it interrupts.
#[test]
fn a_refusal_that_passes_takes_nothing_from_the_wait_that_it_interrupts() {
    let mut step = step(StepKind::Visible, StepState::Running);
    settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 0);
    settle_at(&mut step, passes("refused", 30_000), 10_000);
    settle_at(&mut step, wait_for(WaitFor::Microsoft, 60_000), 30_000);
    let StepState::Waiting(waiting) = &step.state else {
        panic!("it waits")
    };
    assert_eq!(waiting.latest, Timestamp(80_000));
}

/// After a cancel there is no operator who could retry.
#[test]
fn a_last_look_goes_on_after_a_refusal() {
    let outcome = look_again(Way::LastLook, passes("refused", 10));
    assert!(matches!(outcome, Outcome::Wait { .. }));
}

/// What was made minutes ago is not known everywhere yet, so three refusals a minute apart are no
/// failure (MICROSOFT.md §1.7).
#[test]
fn field_b04_three_refusals_a_minute_apart_are_waited_for() {
    let not_known = || Outcome::Passing {
        why: "couldn't be found".into(),
        wait: pace::REPLICATED,
        problem: Box::new(Problem::not_found()),
    };
    let mut step = step(StepKind::Senders, StepState::Running);
    let mut told = Vec::new();
    for minute in 0..3 {
        let settled = settle_at(&mut step, not_known(), minute * 60_000);
        assert!(settled.goes_on && settled.next_look.is_some(), "{minute}");
        assert!(matches!(step.state, StepState::Waiting(_)), "{step:?}");
        told.extend(settled.event);
        step.attempts += 1;
    }
    assert_eq!(told, [EventKind::StepWaiting]);
    let done = Outcome::Done {
        summary: "done".into(),
    };
    settle_at(&mut step, done, 180_000);
    assert_eq!(step.state, StepState::Done);
}
