#![allow(clippy::unwrap_used)]
use uuid::Uuid;

use super::*;
use crate::{
    id::AppId,
    plan::{Confined, Group, MailboxKind},
};

fn mailbox(number: u128, address: &str) -> Mailbox {
    Mailbox {
        object: ObjectId(Uuid::from_u128(number)),
        address: address.parse().unwrap(),
        name: address.to_owned(),
        kind: MailboxKind::User,
    }
}

fn plan() -> Plan {
    Plan {
        application: Confined {
            object: ObjectId(Uuid::nil()),
            app_id: AppId(Uuid::nil()),
            name: "Mailer".into(),
        },
        senders: vec![
            mailbox(1, "reception@a.example"),
            mailbox(2, "info@a.example"),
            mailbox(3, "support@a.example"),
        ],
        refused: vec![mailbox(4, "ceo@a.example")],
        group: Group::Existing {
            object: ObjectId(Uuid::nil()),
            name: "g".into(),
            address: "g@a.example".parse().unwrap(),
        },
        prove: true,
        unprovable: None,
        recipient: None,
        accepted: Vec::new(),
    }
}

fn tried(number: u128, must: Must, at: i64) -> Tried {
    Tried {
        object: ObjectId(Uuid::from_u128(number)),
        must,
        at: Timestamp(at),
    }
}

#[test]
fn field_b02_the_words_name_what_was_tried_and_what_was_not() {
    let mut proved = Proved::default();
    proved.add([
        tried(4, Must::BeRefused, 0),
        tried(1, Must::Arrive, 0),
        tried(2, Must::Arrive, 0),
    ]);
    assert_eq!(
        proved.sentence(&plan(), &[]),
        "Sending through Graph was tried: as 2 of 3 permitted accepted, as 1 of 1 other refused, on 1 Jan 1970, 00:00:00 UTC. 2 of 3 senders tried; not tried: support@a.example."
    );
    proved.add([
        tried(4, Must::BeRefused, 86_400_000),
        tried(3, Must::Arrive, 86_400_000),
    ]);
    assert_eq!(
        proved.sentence(&plan(), &[]),
        "Sending through Graph was tried: as 3 of 3 permitted accepted, as 1 of 1 other refused, between 1 Jan 1970, 00:00:00 UTC and 2 Jan 1970, 00:00:00 UTC."
    );
}

fn probe(number: u128, address: &str, must: Must, looks: &[(i64, Outcome)]) -> Probe {
    Probe {
        mailbox: address.parse().unwrap(),
        object: Some(ObjectId(Uuid::from_u128(number))),
        must,
        looks: looks
            .iter()
            .map(|(at, outcome)| Look {
                run: 1,
                at: Timestamp(*at),
                outcome: outcome.clone(),
                request_id: None,
            })
            .collect(),
    }
}

fn prove_step(state: StepState, proved: Option<Proved>, probes: Vec<Probe>) -> Vec<Step> {
    let mut step = Step::new(StepKind::Prove);
    step.state = state;
    step.probes = probes;
    step.proving = Some(crate::proving::Proving {
        proved,
        ..Default::default()
    });
    vec![step]
}

fn skipped() -> StepState {
    StepState::Skipped {
        why: "not yet".into(),
    }
}

#[test]
fn field_b02_a_sender_that_was_refused_is_not_called_untried() {
    const DAY: i64 = 86_400_000;
    let mut proved = Proved::default();
    proved.add([
        tried(4, Must::BeRefused, 0),
        tried(1, Must::Arrive, 0),
        tried(2, Must::Arrive, 0),
    ]);
    let third = |looks: &[(i64, Outcome)]| vec![probe(3, "support@a.example", Must::Arrive, looks)];
    let refused = third(&[(DAY, Outcome::Refused)]);
    let said = proved.sentence(&plan(), &refused);
    assert!(
        said.ends_with(
            "The newest mail as support@a.example was refused (2 Jan 1970, 00:00:00 UTC)."
        ),
        "{said}"
    );
    assert!(!said.contains("not tried"), "{said}");
    assert!(proved.untried(&plan(), &refused).is_empty());
    let steps = prove_step(skipped(), Some(proved.clone()), refused);
    assert_eq!(real_mail(&steps, &plan()), RealMail::ShowedBefore);
    assert!(meaning(Proof::Proven, RealMail::ShowedBefore).contains("did not end as planned"));
    let open = left_open(&steps, &plan()).unwrap();
    assert!(open.contains("support@a.example was refused"), "{open}");

    // The mail was accepted in the end.
    proved.add([tried(3, Must::Arrive, 2 * DAY)]);
    let accepted = third(&[(DAY, Outcome::Refused), (2 * DAY, Outcome::Accepted)]);
    let steps = prove_step(StepState::Done, Some(proved.clone()), accepted);
    assert_eq!(real_mail(&steps, &plan()), RealMail::Showed);
    assert_eq!(left_open(&steps, &plan()), None);

    // Mail as a sender was accepted, and is refused later. The older proof must not be reported
    // alone.
    let later = third(&[(3 * DAY, Outcome::Refused)]);
    let said = proved.sentence(&plan(), &later);
    assert!(said.contains("was refused (4 Jan 1970"), "{said}");
}

#[test]
fn field_b01_what_was_tried_in_vain_is_not_yet_proven_and_what_was_not_is_not() {
    let refused = vec![probe(
        1,
        "reception@a.example",
        Must::Arrive,
        &[(0, Outcome::Refused)],
    )];
    let steps = prove_step(skipped(), None, refused);
    assert_eq!(real_mail(&steps, &plan()), RealMail::NotYet);
    let open = left_open(&steps, &plan()).unwrap();
    assert!(open.starts_with("Not yet proven. The newest mail as reception@a.example"));

    let steps = prove_step(skipped(), None, Vec::new());
    assert_eq!(real_mail(&steps, &plan()), RealMail::NotTried);
    assert!(meaning(Proof::Checked, RealMail::NotTried).ends_with("Real mail was not tried."));
    let mut plan = plan();
    plan.unprovable = Some(crate::provable::Unprovable::ManagedIdentity);
    let open = left_open(&steps, &plan).unwrap();
    assert!(open.contains("managed identity"), "{open}");
}

#[test]
fn field_b26_a_proof_stands_as_long_as_nothing_contradicts_it() {
    let at = Timestamp(1);
    let more = || Verdict::More {
        open: vec!["more".into()],
    };
    let unknown = || Verdict::Unknown {
        why: vec!["why".into()],
    };
    let reading = |says| Judged::new(at, SeenBy::Reading, says);
    assert_eq!(stands(Proof::Proven, None), Proof::Proven);
    let holds = reading(Verdict::Holds);
    assert_eq!(stands(Proof::Proven, Some(&holds)), Proof::Proven);
    let contradicted = reading(more()).after(Some(&holds));
    assert_eq!(stands(Proof::Proven, Some(&contradicted)), Proof::MoreOpen);
    assert_eq!(stands(Proof::None, Some(&contradicted)), Proof::None);
    let unread = reading(unknown()).after(Some(&holds));
    assert_eq!(stands(Proof::Checked, Some(&unread)), Proof::NotKnown);
    // After a part could not be read, a full scan restores the proof.
    let again = reading(Verdict::Holds).after(Some(&unread));
    assert_eq!(stands(Proof::Proven, Some(&again)), Proof::Proven);
    // Something was open in between, and no mail was sent since.
    let again = reading(Verdict::Holds).after(Some(&contradicted));
    assert_eq!(stands(Proof::Proven, Some(&again)), Proof::Configured);
    let unread = reading(unknown()).after(Some(&contradicted));
    let again = reading(Verdict::Holds).after(Some(&unread));
    assert_eq!(stands(Proof::Proven, Some(&again)), Proof::Configured);
}

#[test]
fn words_of_the_database_are_read_back() {
    for proof in Proof::ALL {
        assert_eq!(Proof::parse(proof.as_str()), Some(proof));
    }
}

#[test]
fn reach_r04_the_claim_says_how_many_were_tried_through_what_and_when() {
    let mut proved = Proved::default();
    proved.add([tried(4, Must::BeRefused, 0), tried(1, Must::Arrive, 0)]);
    let said = proved.sentence(&plan(), &[]);
    for words in [
        "Sending through Graph was tried",
        "as 1 of 3 permitted accepted",
        "as 1 of 1 other refused",
        ", on ",
        "not tried: info@a.example, support@a.example",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // Nothing is claimed about mailboxes that were not tried.
    assert!(!said.contains("the rest"), "{said}");
}
