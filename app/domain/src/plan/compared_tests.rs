#![allow(clippy::unwrap_used)]

use uuid::Uuid;

use super::*;
use crate::{
    id::{AppId, ObjectId},
    plan::{Confined, GroupName, MailboxKind},
    provable::Unprovable,
};

fn mailbox(number: u128) -> Mailbox {
    Mailbox {
        object: ObjectId(Uuid::from_u128(number)),
        address: format!("box{number}@fabrikam.example").parse().unwrap(),
        name: format!("Box {number}"),
        kind: MailboxKind::User,
    }
}

fn plan() -> Plan {
    Plan {
        application: Confined {
            object: ObjectId(Uuid::from_u128(1)),
            app_id: AppId(Uuid::from_u128(2)),
            name: "Mailer".into(),
        },
        accepted: Vec::new(),
        senders: vec![mailbox(11), mailbox(12)],
        refused: vec![mailbox(13)],
        group: Group::New {
            name: GroupName::parse("postern-mailer").unwrap(),
            address: "postern-mailer@fabrikam.example".parse().unwrap(),
        },
        prove: true,
        unprovable: None,
        recipient: None,
    }
}

fn existing(number: u128) -> Group {
    Group::Existing {
        object: ObjectId(Uuid::from_u128(number)),
        name: "Mailers".into(),
        address: "mailers@fabrikam.example".parse().unwrap(),
    }
}

#[test]
fn security_f08_the_same_plan_has_no_difference() {
    assert_eq!(differences(&plan(), &plan()), [""; 0]);
}

#[test]
fn security_f08_each_difference_has_its_sentence() {
    type Change = fn(&mut Plan);
    let cases: [(Change, &str); 15] = [
        (
            |p| p.application.app_id = AppId(Uuid::from_u128(9)),
            "another application now",
        ),
        (
            |p| p.application.name = "Other".into(),
            "called “Other” now",
        ),
        (
            |p| p.senders[0].object = ObjectId(Uuid::from_u128(99)),
            "box11@fabrikam.example is another mailbox now",
        ),
        (
            |p| p.senders[0].address = "new@fabrikam.example".parse().unwrap(),
            "The mailbox box11@fabrikam.example has the address new@fabrikam.example now",
        ),
        (|p| p.senders[1].name = "X".into(), "is called “X” now"),
        (
            |p| p.senders[1].kind = MailboxKind::Shared,
            "is a shared mailbox now, and was a user mailbox",
        ),
        (
            |p| p.senders.push(mailbox(14)),
            "box14@fabrikam.example is a permitted sender now, and was not",
        ),
        (
            |p| {
                p.senders.pop();
            },
            "box12@fabrikam.example was a permitted sender, and is not any more",
        ),
        (|p| p.senders.reverse(), "in another order now"),
        (
            |p| p.refused[0] = mailbox(15),
            "box15@fabrikam.example is to be refused now",
        ),
        (
            |p| p.refused[0].object = ObjectId(Uuid::from_u128(99)),
            "box13@fabrikam.example is another mailbox now",
        ),
        (
            |p| p.group = existing(3),
            "mailers@fabrikam.example exists now",
        ),
        (
            |p| {
                p.prove = false;
                p.unprovable = Some(Unprovable::ManagedIdentity);
            },
            "Real mail is left out now",
        ),
        (
            |p| p.unprovable = Some(Unprovable::ManagedIdentity),
            "Real mail can show nothing",
        ),
        (
            |p| p.recipient = Some("me@msp.example".parse().unwrap()),
            "me@msp.example receives the mails of the proof now",
        ),
    ];
    for (change, expected) in cases {
        let mut now = plan();
        change(&mut now);
        let said = differences(&plan(), &now);
        assert!(
            said.iter().any(|one| one.contains(expected)),
            "{expected}: {said:?}"
        );
        assert!(!differences(&now, &plan()).is_empty(), "{expected}, back");
    }
}

#[test]
fn security_f08_another_group_under_the_same_address_is_named_with_both_ids() {
    let with = |group| Plan { group, ..plan() };
    let said = differences(&with(existing(3)), &with(existing(4)));
    let [one] = said.as_slice() else {
        panic!("{said:?}");
    };
    assert!(one.contains("another group now"), "{one}");
    assert!(one.contains(&Uuid::from_u128(3).to_string()), "{one}");
    assert!(one.contains(&Uuid::from_u128(4).to_string()), "{one}");
}
