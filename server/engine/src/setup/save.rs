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
            undone(steps).to_owned()
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

fn undone(steps: &[Step]) -> &'static str {
    let left = |step: &Step| step.left.is_some();
    let over = |step: &Step| {
        left(step) || matches!(step.state, StepState::Undone | StepState::Skipped { .. })
    };
    if !steps.iter().all(over) {
        "The steps are undone in reverse order."
    } else if steps.iter().any(left) {
        "Rolled back, and some of it is left."
    } else {
        "Nothing of it is left."
    }
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
        assert_eq!(doing(&steps), "The steps are undone in reverse order.");
        for step in &mut steps {
            step.state = StepState::Undone;
        }
        assert_eq!(doing(&steps), "Nothing of it is left.");
        for step in &mut steps {
            step.left = Some("somebody added members".to_owned());
        }
        assert_eq!(doing(&steps), "Rolled back, and some of it is left.");
    }
}
