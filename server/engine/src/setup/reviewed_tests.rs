#![allow(clippy::unwrap_used)]

use domain::{
    id::{AppId, ObjectId},
    plan::{Confined, Group, Mailbox, MailboxKind},
};
use uuid::Uuid;

use super::*;

fn reviewed(sender: u128) -> Reviewed {
    let mailbox = |number: u128, address: &str| Mailbox {
        object: ObjectId(Uuid::from_u128(number)),
        address: address.parse().unwrap(),
        name: "Box".into(),
        kind: MailboxKind::User,
    };
    Reviewed {
        plan: Plan {
            application: Confined {
                object: ObjectId(Uuid::from_u128(1)),
                app_id: AppId(Uuid::from_u128(2)),
                name: "Mailer".into(),
            },
            accepted: Vec::new(),
            senders: vec![mailbox(sender, "reception@fabrikam.example")],
            refused: vec![mailbox(12, "ceo@fabrikam.example")],
            group: Group::Existing {
                object: ObjectId(Uuid::from_u128(3)),
                name: "Mailers".into(),
                address: "mailers@fabrikam.example".parse().unwrap(),
            },
            prove: true,
            unprovable: None,
            recipient: None,
        },
        said: vec!["Something.".into()],
    }
}

#[test]
fn security_f08_the_same_is_the_same() {
    let shown = reviewed(11).shown().unwrap();
    assert_eq!(shown.digest.len(), 64);
    assert_eq!(reviewed(11).differs(&shown).unwrap(), None);
}

#[test]
fn security_f08_another_object_under_the_address_differs() {
    let shown = reviewed(11).shown().unwrap();
    let found = reviewed(99).differs(&shown).unwrap().unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("another mailbox now"), "{found:?}");
}

#[test]
fn security_f08_what_is_said_beside_the_plan_counts() {
    let shown = reviewed(11).shown().unwrap();
    let mut now = reviewed(11);
    now.said = vec!["Something else.".into()];
    let found = now.differs(&shown).unwrap().unwrap();
    assert_eq!(
        found,
        [
            "Said now, and not before: Something else.",
            "Said before, and not now: Something."
        ]
    );
}

/// Three forms: no form at all, a form of an older page, and a form whose text does not fit its
/// digest.
#[test]
fn security_f08_a_form_that_does_not_say_what_was_reviewed_starts_nothing() {
    let good = reviewed(11).shown().unwrap();
    for shown in [
        Shown::default(),
        Shown {
            digest: String::new(),
            ..good.clone()
        },
        Shown {
            digest: "0".repeat(64),
            ..good.clone()
        },
    ] {
        let found = reviewed(11).differs(&shown).unwrap().unwrap();
        assert!(found[0].contains("did not say which plan"), "{found:?}");
    }
    // Only the digest counts.
    let shown = Shown {
        text: String::new(),
        ..good
    };
    assert_eq!(reviewed(11).differs(&shown).unwrap(), None);
}

#[test]
fn security_f08_many_differences_are_counted() {
    let mut many = reviewed(11);
    for number in 100..200_u128 {
        let mut more = many.plan.senders[0].clone();
        more.object = ObjectId(Uuid::from_u128(number));
        more.address = format!("box{number}@fabrikam.example").parse().unwrap();
        many.plan.senders.push(more);
    }
    let shown = reviewed(11).shown().unwrap();
    let found = many.differs(&shown).unwrap().unwrap();
    assert_eq!(found.len(), MOST_TOLD + 1);
    assert!(found[MOST_TOLD].contains("88 more"), "{found:?}");
}
