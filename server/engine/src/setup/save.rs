//! Writing a setup back.

use domain::step::{Step, StepState};
use store::{CustomerAccess, SetupRecord, Tx};

/// Saves intent, steps and end, and tells every page that watches.
pub(crate) async fn save(
    tx: &mut Tx,
    access: &CustomerAccess,
    record: &SetupRecord,
) -> Result<i64, store::Error> {
    tx.save_setup(access, record, &doing(&record.steps)).await
}

/// What lists say that a setup does now, in one sentence.
pub(crate) fn doing(steps: &[Step]) -> String {
    let open = steps.iter().find(|step| !step.state.is_over());
    match open.map(|step| (step, &step.state)) {
        // What each step says of itself would be taken for the whole setup.
        None if steps.iter().any(|step| step.state == StepState::Undone) => {
            if steps.iter().any(|step| step.left.is_some()) {
                "Rolled back, and some of it is left.".to_owned()
            } else {
                "Nothing of it is left.".to_owned()
            }
        }
        None => steps
            .iter()
            .rev()
            .find_map(|step| step.summary.clone())
            .unwrap_or_default(),
        Some((_, StepState::Waiting(waiting))) => waiting.why.clone(),
        Some((step, StepState::Failed { problem })) => {
            format!("{}: {}", step.kind.title(), problem.happened)
        }
        Some((step, _)) => step.kind.explained().to_owned(),
    }
}
