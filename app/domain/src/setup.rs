//! The state of a setup, derived from its steps and its intent.

use serde::{Deserialize, Serialize};

use crate::{
    proof::Proof,
    step::{Stands, Step, StepKind, StepState, WaitFor},
};

/// The direction of a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    Forward,
    /// The setup was stopped. What it has made stays.
    Cancel,
    /// The setup undoes its steps in reverse order.
    RollBack,
}

impl Intent {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Cancel => "cancel",
            Self::RollBack => "roll_back",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Forward, Self::Cancel, Self::RollBack]
            .into_iter()
            .find(|intent| intent.as_str() == text)
    }
}

/// The state of a setup, for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupState {
    Running,
    Waiting,
    /// The setup waits until a person gives the secret.
    NeedsSecret,
    Failed,
    Done,
    Cancelled,
    RollingBack,
    RolledBack,
}

impl SetupState {
    pub const ALL: [Self; 8] = [
        Self::Running,
        Self::Waiting,
        Self::NeedsSecret,
        Self::Failed,
        Self::Done,
        Self::Cancelled,
        Self::RollingBack,
        Self::RolledBack,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::NeedsSecret => "needs_secret",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::NeedsSecret => "needs the secret",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
        }
    }

    /// Whether the setup holds the application, so that no second setup may start for it. A failed
    /// setup does: it can be retried, and may have made something.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Running | Self::Waiting | Self::NeedsSecret | Self::Failed | Self::RollingBack
        )
    }
}

/// The state of a setup. A setup with a failed step never counts as a success.
pub fn derive(intent: Intent, steps: &[Step]) -> SetupState {
    let failed = steps
        .iter()
        .any(|step| matches!(step.state, StepState::Failed { .. }));
    match intent {
        Intent::Cancel => SetupState::Cancelled,
        Intent::RollBack if failed => SetupState::Failed,
        Intent::RollBack => {
            let rolled = steps.iter().all(|step| {
                matches!(
                    step.state,
                    StepState::Undone | StepState::Skipped { .. } | StepState::Pending
                ) || step.left.is_some()
            });
            if rolled {
                SetupState::RolledBack
            } else {
                SetupState::RollingBack
            }
        }
        Intent::Forward if failed => SetupState::Failed,
        Intent::Forward => {
            if !steps.is_empty() && steps.iter().all(|step| step.state.is_over()) {
                return SetupState::Done;
            }
            let waits = steps.iter().find_map(|step| match &step.state {
                StepState::Waiting(waiting) => Some(waiting.what),
                _ => None,
            });
            match waits {
                Some(WaitFor::Secret) => SetupState::NeedsSecret,
                Some(_) => SetupState::Waiting,
                None => SetupState::Running,
            }
        }
    }
}

/// How strongly a setup's own steps prove the confinement. A later verdict may lower it: see
/// [`crate::proof::stands`].
pub fn proof(intent: Intent, steps: &[Step]) -> Proof {
    let find = |kind: StepKind| steps.iter().find(|step| step.kind == kind);
    let done = |kind: StepKind| find(kind).is_some_and(|step| step.state == StepState::Done);
    if intent == Intent::RollBack || !done(StepKind::Policy) {
        return Proof::None;
    }
    if !done(StepKind::Check) {
        return Proof::Configured;
    }
    let Some(prove) = find(StepKind::Prove) else {
        return Proof::Checked;
    };
    // A setup of an older version has no last look.
    let looked = find(StepKind::LastLook).is_none_or(|step| step.state == StepState::Done);
    match &prove.proving {
        _ if prove.state == StepState::Done && !looked => Proof::Checked,
        _ if prove.went_through() => Proof::MoreOpen,
        // While the proof is repeated, the earlier proof counts.
        Some(proving) if proving.proved.is_some() => Proof::Proven,
        None if prove.state == StepState::Done => Proof::Proven,
        _ => Proof::Checked,
    }
}

/// What an operator can ask of a setup now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Can {
    pub cancel: bool,
    pub retry: bool,
    pub roll_back: bool,
    pub look_now: bool,
    pub give_secret: bool,
    pub skip_proof: bool,
    /// Repeat the proof of a finished setup.
    #[serde(default)]
    pub prove_again: bool,
}

/// The rules behind [`Can`]. The page uses them to show buttons, and the engine uses them to
/// refuse.
pub fn can(intent: Intent, steps: &[Step]) -> Can {
    let state = derive(intent, steps);
    let began = steps
        .iter()
        .any(|step| !matches!(step.state, StepState::Pending));
    let made = steps
        .iter()
        .any(|step| step.stands() != Stands::No && step.left.is_none());
    let prove_open = steps.iter().any(|step| {
        step.kind == StepKind::Prove
            && matches!(
                step.state,
                StepState::Pending | StepState::Running | StepState::Waiting(_)
            )
    });
    let prove_failed = steps
        .iter()
        .any(|step| step.kind == StepKind::Prove && matches!(step.state, StepState::Failed { .. }));
    let forward = intent == Intent::Forward;
    Can {
        // A rollback that cannot continue must not hold the application for ever.
        cancel: (forward && state.is_active())
            || (intent == Intent::RollBack && state == SetupState::Failed),
        retry: state == SetupState::Failed,
        roll_back: began
            && made
            && intent != Intent::RollBack
            && !matches!(state, SetupState::RolledBack | SetupState::RollingBack),
        look_now: state == SetupState::Waiting,
        give_secret: forward && (prove_open || prove_failed),
        skip_proof: forward
            && (state == SetupState::NeedsSecret
                || prove_failed
                || steps.iter().any(|step| {
                    step.kind == StepKind::Prove && matches!(step.state, StepState::Waiting(_))
                })),
        prove_again: forward
            && state == SetupState::Done
            && steps
                .iter()
                .any(|step| step.kind == StepKind::Check && step.state == StepState::Done),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        Problem, Timestamp,
        problem::Remedy,
        step::{StepState, Waiting},
    };

    fn steps(states: [StepState; 7]) -> Vec<Step> {
        StepKind::ALL
            .into_iter()
            .zip(states)
            .map(|(kind, state)| Step {
                started: (state != StepState::Pending).then_some(Timestamp(1)),
                state,
                ..Step::new(kind)
            })
            .collect()
    }

    fn failed() -> StepState {
        StepState::Failed {
            problem: Problem::new("x", Remedy::Act, "a", "b", "c"),
        }
    }

    fn waiting(what: WaitFor) -> StepState {
        StepState::Waiting(Waiting {
            what,
            why: "w".into(),
            since: Timestamp(0),
            next_look: None,
            latest: Timestamp(1),
            usually: None,
            interrupted: None,
        })
    }

    use StepState::{Done, Pending, Running, Undone};

    #[test]
    fn derives_states() {
        let skipped = StepState::Skipped {
            why: "no secret".into(),
        };
        let cases = [
            (
                Intent::Forward,
                [Done, Done, Running, Pending, Pending, Pending, Pending],
                SetupState::Running,
            ),
            (
                Intent::Forward,
                [
                    Done,
                    Done,
                    waiting(WaitFor::Microsoft),
                    Pending,
                    Pending,
                    Pending,
                    Pending,
                ],
                SetupState::Waiting,
            ),
            (
                Intent::Forward,
                [Done, Done, Done, Done, Done, Done, waiting(WaitFor::Secret)],
                SetupState::NeedsSecret,
            ),
            (
                Intent::Forward,
                [Done, Done, Done, Done, Done, Done, Done],
                SetupState::Done,
            ),
            (
                Intent::Forward,
                [Done, Done, Done, Done, Done, Done, skipped],
                SetupState::Done,
            ),
            (
                Intent::Forward,
                [Done, Done, Done, Done, Done, failed(), Pending],
                SetupState::Failed,
            ),
            (
                Intent::Forward,
                [Done, Done, Done, Done, Done, failed(), Done],
                SetupState::Failed,
            ),
            (
                Intent::Cancel,
                [Done, Done, Pending, Pending, Pending, Pending, Pending],
                SetupState::Cancelled,
            ),
            (
                Intent::RollBack,
                [Done, Done, Done, Undone, Undone, Undone, Undone],
                SetupState::RollingBack,
            ),
            (
                Intent::RollBack,
                [Undone, Undone, Undone, Undone, Undone, Undone, Pending],
                SetupState::RolledBack,
            ),
            (
                Intent::RollBack,
                [Done, failed(), Undone, Undone, Undone, Undone, Pending],
                SetupState::Failed,
            ),
        ];
        for (intent, states, expected) in cases {
            let words: Vec<_> = states.iter().map(StepState::word).collect();
            assert_eq!(
                derive(intent, &steps(states)),
                expected,
                "{intent:?} {words:?}"
            );
        }
    }

    #[test]
    fn no_steps_are_no_success() {
        assert_eq!(derive(Intent::Forward, &[]), SetupState::Running);
    }

    #[test]
    fn live_x1_nothing_is_proven_before_the_last_look() {
        let mut all = steps([Done, Done, Done, Done, Done, Done, Done]);
        let mut look = Step::new(StepKind::LastLook);
        all.push(look.clone());
        assert_eq!(proof(Intent::Forward, &all), Proof::Checked);
        look.state = Done;
        all.pop();
        all.push(look);
        assert_eq!(proof(Intent::Forward, &all), Proof::Proven);
    }

    #[test]
    fn field_b02_what_was_proven_stands_while_it_is_proven_again() {
        let mut all = steps([Done, Done, Done, Done, Done, Done, Done]);
        if let Some(prove) = all.last_mut() {
            prove.state = Pending;
            prove.proving = Some(crate::proving::Proving {
                proved: Some(crate::proof::Proved::default()),
                ..crate::proving::Proving::default()
            });
        }
        assert_eq!(proof(Intent::Forward, &all), Proof::Proven);
        if let Some(prove) = all.last_mut() {
            prove.probes.push(crate::step::Probe {
                mailbox: "ceo@a.example".parse().unwrap(),
                object: None,
                must: crate::step::Must::BeRefused,
                looks: vec![crate::step::Look {
                    run: 9,
                    at: Timestamp(9),
                    outcome: crate::step::Outcome::Accepted,
                    request_id: None,
                }],
            });
        }
        assert_eq!(proof(Intent::Forward, &all), Proof::MoreOpen);
    }

    #[test]
    fn proof_grows_with_the_steps_and_goes_with_rolling_back() {
        let at = |count: usize| {
            let mut all = steps([
                Pending, Pending, Pending, Pending, Pending, Pending, Pending,
            ]);
            for step in all.iter_mut().take(count) {
                step.state = Done;
            }
            proof(Intent::Forward, &all)
        };
        assert_eq!(
            [at(4), at(5), at(6), at(7)],
            [
                Proof::None,
                Proof::Configured,
                Proof::Checked,
                Proof::Proven
            ]
        );
        let all = steps([Done, Done, Done, Done, Done, Done, Done]);
        assert_eq!(proof(Intent::RollBack, &all), Proof::None);
    }

    #[test]
    fn offers_only_what_can_be_done() {
        let running = steps([Done, Running, Pending, Pending, Pending, Pending, Pending]);
        let now = can(Intent::Forward, &running);
        assert!(now.cancel && now.roll_back && !now.retry && !now.look_now);
        let done = steps([Done, Done, Done, Done, Done, Done, Done]);
        let now = can(Intent::Forward, &done);
        assert!(!now.cancel && now.roll_back && !now.give_secret && now.prove_again);
        let undone = steps([Undone, Undone, Undone, Undone, Undone, Undone, Pending]);
        assert_eq!(can(Intent::RollBack, &undone), Can::default());
        let stuck = steps([Done, failed(), Undone, Undone, Undone, Undone, Undone]);
        let now = can(Intent::RollBack, &stuck);
        assert!(now.cancel && now.retry && !now.roll_back);
        let rolling = steps([Done, Running, Undone, Undone, Undone, Undone, Undone]);
        assert!(!can(Intent::RollBack, &rolling).cancel);
        let skipped = StepState::Skipped {
            why: "The setup was cancelled while this ran.".into(),
        };
        let mut cut = steps([Done, skipped, Pending, Pending, Pending, Pending, Pending]);
        assert!(!can(Intent::Cancel, &cut).roll_back);
        if let Some(group) = cut.get_mut(1) {
            group.noted.push(crate::step::told::GROUP.into());
        }
        assert!(can(Intent::Cancel, &cut).roll_back);
    }
}
