//! Writing a setup back.

use domain::{
    proof::left_open,
    setup::{SetupState, derive},
    step::StepState,
};
use store::{CustomerAccess, SetupRecord, Tx};

/// Saves intent, steps and end, and tells every page that watches.
pub(crate) async fn save(
    tx: &mut Tx,
    access: &CustomerAccess,
    record: &SetupRecord,
) -> Result<i64, store::Error> {
    tx.save_setup(access, record, &doing(record)).await
}

/// What lists say that a setup does now, in one sentence.
pub(crate) fn doing(record: &SetupRecord) -> String {
    let steps = &record.steps;
    let open = steps.iter().find(|step| !step.state.is_over());
    match open.map(|step| (step, &step.state)) {
        None => {
            let last = steps.iter().rev().find_map(|step| step.summary.clone());
            // Beside “proven” stands what real mail did not show.
            let open = (derive(record.intent, steps) == SetupState::Done)
                .then(|| left_open(steps, &record.plan))
                .flatten();
            let said: Vec<String> = open.into_iter().chain(last).collect();
            said.join(" ")
        }
        Some((_, StepState::Waiting(waiting))) => waiting.why.clone(),
        Some((step, StepState::Failed { problem })) => {
            format!("{}: {}", step.kind.title(), problem.happened)
        }
        Some((step, _)) => step.kind.explained().to_owned(),
    }
}
