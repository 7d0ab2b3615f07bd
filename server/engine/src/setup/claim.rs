//! Chooses the next step of a setup, and marks it as begun.

use domain::{
    Timestamp,
    id::SetupId,
    setup::Intent,
    step::{Step, StepKind, StepState},
};
use store::{CustomerAccess, SetupRecord};

use crate::{
    Engine, Failure,
    pace::Pace,
    setup::{save::save, work::CANCELLED},
};

/// The step that a run carries out.
pub(crate) struct Claim {
    pub record: SetupRecord,
    /// The step's index in the setup's steps.
    pub position: usize,
    pub step: Step,
    pub way: Way,
}

/// What a run does with its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Undo,
    /// Reconciles a step whose setup was cancelled while the step ran: reads what the step has made
    /// by then, and changes nothing.
    LastLook,
}

impl Engine {
    /// Claims the next step. None: there is nothing to do.
    pub(crate) async fn claim(
        &self,
        access: &CustomerAccess,
        setup: SetupId,
    ) -> Result<Option<Claim>, Failure> {
        let now = self.now();
        let mut tx = self.store().begin(access.partner()).await?;
        let Some(mut record) = tx.lock_setup(access, setup).await? else {
            return Ok(None);
        };
        if record.intent == Intent::Forward {
            look_at_the_end(&mut record.steps);
        }
        let (way, position) = match record.intent {
            Intent::Forward => (Way::Forward, forward(&record.steps)),
            Intent::RollBack => (Way::Undo, backward(&record.steps)),
            Intent::Cancel if cut_short(&record.steps).is_some() => {
                (Way::LastLook, cut_short(&record.steps))
            }
            Intent::Cancel => {
                // The run of this step at the time of the cancel died before it recorded its end.
                for step in record
                    .steps
                    .iter_mut()
                    .filter(|step| step.state == StepState::Running)
                {
                    step.state = StepState::Skipped {
                        why: CANCELLED.into(),
                    };
                    step.ended = Some(now);
                }
                save(&mut tx, access, &record).await?;
                tx.commit().await?;
                return Ok(None);
            }
        };
        let Some(position) = position else {
            return Ok(None);
        };
        let Some(step) = record.steps.get_mut(position) else {
            return Ok(None);
        };
        begin(step, self.inner.pace, now);
        let step = step.clone();
        save(&mut tx, access, &record).await?;
        tx.commit().await?;
        Ok(Some(Claim {
            record,
            position,
            step,
            way,
        }))
    }
}

/// Adds a last look to a setup that an older version began without one.
pub(crate) fn look_at_the_end(steps: &mut Vec<Step>) {
    let open = steps.iter().any(|step| !step.state.is_over());
    if open && !steps.iter().any(|step| step.kind == StepKind::LastLook) {
        steps.push(Step::new(StepKind::LastLook));
    }
}

/// A poll that begins later than this after its time is late because no worker was running.
/// Milliseconds.
const LATE: i64 = 60_000;

/// Marks a step as begun. A waiting step stays in its waiting state while it polls: only a first
/// run shows as running. Time without a worker does not count against Microsoft: it moves the
/// step's deadline.
fn begin(step: &mut Step, pace: Pace, now: Timestamp) {
    step.attempts = step.attempts.saturating_add(1);
    match &mut step.state {
        StepState::Waiting(waiting) => {
            if let Some(next_look) = &mut waiting.next_look {
                let late = now.millis_since(*next_look);
                if late > pace.of(LATE) {
                    waiting.latest = waiting.latest.plus_millis(late);
                    *next_look = now;
                }
            }
        }
        state => *state = StepState::Running,
    }
    if step.started.is_none() {
        step.started = Some(now);
    }
}

/// The first step that is not over. None where that step has failed.
fn forward(steps: &[Step]) -> Option<usize> {
    let position = steps.iter().position(|step| !step.state.is_over())?;
    let failed = steps
        .get(position)
        .is_some_and(|step| matches!(step.state, StepState::Failed { .. }));
    (!failed).then_some(position)
}

/// The step that may have made something, although the setup was cancelled while the step ran.
fn cut_short(steps: &[Step]) -> Option<usize> {
    steps.iter().position(|step| {
        step.kind.changes() && matches!(step.state, StepState::Running | StepState::Waiting(_))
    })
}

/// The last step that has begun and is neither undone nor kept. None while any step is failed.
fn backward(steps: &[Step]) -> Option<usize> {
    if steps
        .iter()
        .any(|step| matches!(step.state, StepState::Failed { .. }))
    {
        return None;
    }
    steps.iter().rposition(|step| {
        step.started.is_some() && step.left.is_none() && step.state != StepState::Undone
    })
}

#[cfg(test)]
mod tests {
    use domain::{
        Problem,
        step::{WaitFor, Waiting},
    };

    use super::*;

    fn steps(states: &[StepState]) -> Vec<Step> {
        StepKind::ALL
            .into_iter()
            .zip(states)
            .map(|(kind, state)| Step {
                state: state.clone(),
                started: (*state != StepState::Pending).then_some(Timestamp(1)),
                ..Step::new(kind)
            })
            .collect()
    }

    #[test]
    fn what_nobody_looked_at_did_not_take_long() {
        let waiting = |next_look, latest| {
            StepState::Waiting(Waiting {
                what: WaitFor::Microsoft,
                why: "not yet".into(),
                since: Timestamp(0),
                next_look,
                latest: Timestamp(latest),
                usually: None,
                interrupted: None,
            })
        };
        let mut step = Step::new(StepKind::Visible);
        step.state = waiting(Some(Timestamp(1_000)), 60_000);
        let begin_at = |step: &mut Step, now| begin(step, Pace::default(), Timestamp(now));
        // On time, or as late as other work may make it.
        begin_at(&mut step, 1_000);
        begin_at(&mut step, 31_000);
        assert_eq!(step.state, waiting(Some(Timestamp(1_000)), 60_000));
        // Two hours late. The run of this poll dies before its end, so another one follows.
        begin_at(&mut step, 7_201_000);
        assert_eq!(step.state, waiting(Some(Timestamp(7_201_000)), 7_260_000));
        begin_at(&mut step, 7_202_000);
        assert_eq!(step.state, waiting(Some(Timestamp(7_201_000)), 7_260_000));
        // A wait for a person has no poll, so nothing can be late.
        step.state = waiting(None, 60_000);
        begin_at(&mut step, 500_000);
        assert_eq!(step.state, waiting(None, 60_000));
    }

    #[test]
    fn goes_forward_to_the_first_open_step() {
        use StepState::{Done, Pending, Running};
        assert_eq!(forward(&steps(&[Done, Done, Pending])), Some(2));
        assert_eq!(forward(&steps(&[Done, Running, Pending])), Some(1));
        assert_eq!(forward(&steps(&[Done, Done])), None);
        let failed = StepState::Failed {
            problem: Problem::not_found(),
        };
        assert_eq!(forward(&steps(&[Done, failed, Pending])), None);
    }

    #[test]
    fn goes_back_over_all_that_began() {
        use StepState::{Done, Pending, Undone};
        assert_eq!(backward(&steps(&[Done, Done, Pending])), Some(1));
        assert_eq!(backward(&steps(&[Done, Undone, Undone])), Some(0));
        assert_eq!(backward(&steps(&[Undone, Undone, Pending])), None);
        let mut left = steps(&[Done, Done]);
        if let Some(step) = left.last_mut() {
            step.left = Some("in use".into());
        }
        assert_eq!(backward(&left), Some(0));
    }
}
