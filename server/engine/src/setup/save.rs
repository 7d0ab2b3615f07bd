//! Writes a setup back to the store.

use domain::{
    proof::left_open,
    setup::{SetupState, derive},
    step::{Step, StepState},
};
use store::{CustomerAccess, SetupRecord, Tx};

/// Saves intent, steps and end, and notifies the pages that watch the setup.
pub(crate) async fn save(
    tx: &mut Tx,
    access: &CustomerAccess,
    record: &SetupRecord,
) -> Result<i64, store::Error> {
    tx.save_setup(access, record, &doing(record)).await
}

/// The setup's status in one sentence, for lists.
pub(crate) fn doing(record: &SetupRecord) -> String {
    let steps = &record.steps;
    let open = steps.iter().find(|step| !step.state.is_over());
    match open.map(|step| (step, &step.state)) {
        None => {
            if let Some(words) = undone(steps) {
                return words.to_owned();
            }
            let last = steps.iter().rev().find_map(|step| step.summary.clone());
            // A list that says “proven” also says what real mail did not show.
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

/// The status of a setup that is rolled back. One step's own sentence would be read as the status
/// of the whole setup.
fn undone(steps: &[Step]) -> Option<&'static str> {
    if !steps.iter().any(|step| step.state == StepState::Undone) {
        return None;
    }
    let left = |step: &Step| step.left.is_some();
    let over = |step: &Step| {
        left(step) || matches!(step.state, StepState::Undone | StepState::Skipped { .. })
    };
    Some(if !steps.iter().all(over) {
        "The steps are undone in reverse order."
    } else if steps.iter().any(left) {
        "Rolled back, and some of it is left."
    } else {
        "Nothing of it is left."
    })
}

#[cfg(test)]
mod tests {
    use domain::step::StepKind;

    use super::*;

    fn step(kind: StepKind, state: StepState) -> Step {
        Step {
            state,
            summary: Some("It changed nothing.".to_owned()),
            ..Step::new(kind)
        }
    }

    #[test]
    fn what_is_undone_speaks_for_the_whole_setup() {
        let mut steps = vec![
            step(StepKind::Group, StepState::Done),
            step(StepKind::LastLook, StepState::Undone),
        ];
        assert_eq!(
            undone(&steps),
            Some("The steps are undone in reverse order.")
        );
        for step in &mut steps {
            step.state = StepState::Undone;
        }
        assert_eq!(undone(&steps), Some("Nothing of it is left."));
        for step in &mut steps {
            step.left = Some("somebody added members".to_owned());
        }
        assert_eq!(undone(&steps), Some("Rolled back, and some of it is left."));
    }
}
