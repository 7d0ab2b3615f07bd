//! What a setup has made at the customer, and what of it is still there.

use crate::{
    plan::{Group, Plan},
    step::{Stands, Step, StepKind},
};

/// Something that a setup makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Group,
    /// The senders that were added to the group.
    Members,
    Policy,
}

/// What the setup has made and what is there, or may be, in the order in which it is made. What a roll back
/// has dealt with does not count, nor do a group that was there before and its members.
pub fn made(plan: &Plan, steps: &[Step]) -> Vec<(Made, Stands)> {
    let own_group = matches!(plan.group, Group::New { .. });
    let all = [
        (Made::Group, StepKind::Group, own_group),
        (Made::Members, StepKind::Senders, own_group),
        (Made::Policy, StepKind::Policy, true),
    ];
    all.into_iter()
        .filter(|(_, _, own)| *own)
        .map(|(what, kind, _)| (what, stands(steps, kind)))
        .filter(|(_, stands)| *stands != Stands::No)
        .collect()
}

fn stands(steps: &[Step], kind: StepKind) -> Stands {
    steps
        .iter()
        .find(|step| step.kind == kind && step.left.is_none())
        .map_or(Stands::No, Step::stands)
}
