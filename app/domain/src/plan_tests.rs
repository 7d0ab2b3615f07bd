#![allow(clippy::unwrap_used)]
use uuid::Uuid;

use super::*;

pub fn mailbox(number: u128, address: &str, kind: MailboxKind) -> Mailbox {
    Mailbox {
        object: ObjectId(Uuid::from_u128(number)),
        address: address.parse().unwrap(),
        name: address.split('@').next().unwrap().to_owned(),
        kind,
    }
}

fn plan() -> Plan {
    Plan {
        application: Confined {
            object: ObjectId(Uuid::from_u128(900)),
            app_id: AppId(Uuid::from_u128(901)),
            name: "Reception Mailer".into(),
        },
        senders: vec![
            mailbox(1, "support@fabrikam.example", MailboxKind::User),
            mailbox(2, "noreply@fabrikam.example", MailboxKind::Shared),
        ],
        refused: vec![mailbox(3, "ceo@fabrikam.example", MailboxKind::User)],
        group: Group::New {
            name: GroupName::suggest("Reception Mailer"),
            address: "postern-reception-mailer@fabrikam.example".parse().unwrap(),
        },
        prove: true,
        unprovable: None,
        recipient: None,
        accepted: Vec::new(),
    }
}

#[test]
fn a_sensible_plan_passes() {
    assert_eq!(plan().check(), Ok(()));
}

#[test]
fn each_senseless_plan_is_told_why() {
    type Breakage = fn(&mut Plan);
    let broken: [(&str, Breakage); 7] = [
        ("senders", |p| p.senders.clear()),
        ("refused", |p| p.refused.clear()),
        ("refused", |p| {
            p.refused.push(p.senders.first().unwrap().clone())
        }),
        ("senders", |p| {
            p.senders.push(p.senders.first().unwrap().clone())
        }),
        ("senders", |p| {
            p.senders
                .push(mailbox(9, "room@fabrikam.example", MailboxKind::Room))
        }),
        ("senders", |p| {
            p.senders = (10..600)
                .map(|n| mailbox(n, "x@y.example", MailboxKind::User))
                .collect()
        }),
        ("refused", |p| {
            p.refused = (10..30)
                .map(|n| mailbox(n, "x@y.example", MailboxKind::User))
                .collect()
        }),
    ];
    for (field, breakage) in broken {
        let mut plan = plan();
        breakage(&mut plan);
        assert_eq!(plan.check().unwrap_err().field(), Some(field));
    }
}

#[test]
fn names_groups_after_applications() {
    assert_eq!(
        GroupName::suggest("Reception Mailer").as_str(),
        "postern-reception-mailer"
    );
    assert_eq!(
        GroupName::suggest("<script>alert('x')</script>").as_str(),
        "postern-script-alert-x-script"
    );
    assert_eq!(GroupName::suggest("メール").as_str(), "postern-application");
    assert!(GroupName::parse(GroupName::suggest(&"x ".repeat(200)).as_str()).is_ok());
    for wrong in ["", "two words", "ümlaut", ".dot", "a..b", &"x".repeat(65)] {
        assert!(GroupName::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn everything_that_is_made_carries_the_setup() {
    let setup = SetupId(Uuid::from_u128(77));
    let changes: Vec<String> = plan().changes(setup).iter().map(Cmdlet::line).collect();
    assert_eq!(changes.len(), 5);
    assert!(changes.first().unwrap().contains(&marker(setup)));
    assert!(changes.last().unwrap().contains(&marker(setup)));
}

#[test]
fn reach_r02_no_name_of_anybodys_choosing_is_in_what_is_sent() {
    let setup = SetupId(Uuid::from_u128(77));
    let of = |name: &str| {
        let mut plan = plan();
        plan.application.name = name.into();
        plan.changes(setup)
    };
    let changes = of("\u{151}; Set-Mailbox ceo -ForwardingSmtpAddress x@evil.example #");
    assert_eq!(changes, of("a\r\nRemove-Mailbox"));
    for cmdlet in changes {
        assert!(cmdlet.line().is_ascii(), "{}", cmdlet.line());
    }
}
