use super::*;

#[test]
fn evidence_of_changes_outlives_the_looks() {
    let note = |title: &str, change| Evidence {
        at: Timestamp(0),
        title: title.into(),
        sent: String::new(),
        answer: String::new(),
        request_id: None,
        took_millis: 0,
        change,
    };
    let mut step = Step::new(StepKind::Group);
    let run = |title: &str, change| Notes {
        evidence: vec![note(title, change)],
        ..Notes::default()
    };
    keep(&mut step, &run("made", true));
    keep(&mut step, &run("look 1", false));
    keep(&mut step, &run("look 2", false));
    let titles: Vec<&str> = step
        .evidence
        .iter()
        .map(|evidence| evidence.title.as_str())
        .collect();
    assert_eq!(titles, ["made", "look 2"]);
}
