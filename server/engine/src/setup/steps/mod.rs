//! The steps of the access-policy setup. Each one observes, acts, and observes again.

mod check;
mod group;
mod last_look;
pub(crate) mod policy;
mod prove;
mod readiness;
mod senders;
mod visible;

use domain::step::StepKind;

use super::work::{Outcome, Work};
use crate::Failure;

/// Runs a step forward.
pub(crate) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    match work.step.kind {
        StepKind::Readiness => readiness::run(work).await,
        StepKind::Group => group::run(work).await,
        StepKind::Visible => visible::run(work).await,
        StepKind::Senders => senders::run(work).await,
        StepKind::Policy => policy::run(work).await,
        StepKind::Check => check::run(work).await,
        StepKind::Prove => prove::run(work).await,
        StepKind::LastLook => last_look::run(work).await,
    }
}
