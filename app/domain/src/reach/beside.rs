//! Tests of what is reported beside the answers: the owner of an application, the notes, and who
//! reaches a mailbox.

use super::{
    AssignmentScope, Judge, Note, Owner, Permission, PrincipalKind, Verdict,
    cases::{EWS, READ, SEND, check},
    samples::{
        APP, BOARD, CEO, CLIENT, INNER, MICROSOFT, ROOM, SALES, SHARED, Sample, UNIT, customer,
        failed, in_group, object, read, words,
    },
};
use crate::id::TenantId;

#[test]
fn principals_of_every_kind() {
    let held = || customer().graph("Mail.Send").restrict(BOARD);
    let off = held().principal(|principal| principal.enabled = Some(false));
    let not_told = held().principal(|principal| principal.enabled = None);
    let identity = held().principal(|principal| {
        principal.kind = PrincipalKind::ManagedIdentity;
        principal.owner_tenant = None;
    });
    let microsoft = held().principal(|principal| {
        principal.owner_tenant = Some(TenantId(uuid::Uuid::from_u128(MICROSOFT)));
    });
    check(vec![
        ("switched off", off.clone(), SEND, "nothing"),
        (
            "not told whether on",
            not_told.clone(),
            SEND,
            "confined to ceo reception",
        ),
        (
            "managed identity",
            identity.clone(),
            SEND,
            "confined to ceo reception",
        ),
        (
            "Microsoft's own",
            microsoft.clone(),
            SEND,
            "confined to ceo reception",
        ),
    ]);
    let first = |sample: &Sample| sample.reach().applications.remove(0);
    let reach = off.reach();
    let application = &reach.applications[0];
    assert_eq!(
        words(
            &reach,
            application.permissions[0].once_enabled.as_ref().unwrap()
        ),
        "confined to ceo reception"
    );
    assert_eq!(application.notes, [Note::Disabled]);
    assert_eq!(first(&not_told).notes, [Note::EnabledNotTold]);
    assert_eq!(first(&identity).owner, Owner::ManagedIdentity);
    assert_eq!(first(&microsoft).owner, Owner::Microsoft);
    assert_eq!(first(&microsoft).notes, [Note::FirstParty]);
    // A disabled application may not use what was not read either.
    let hidden = off.with(|seen| seen.exchange_grants = failed());
    assert_eq!(hidden.says(&EWS), "nothing");
}

#[test]
fn the_other_way_round() {
    let sample = customer()
        .graph("Mail.Send")
        .restrict(BOARD)
        .exchange("full_access_as_app")
        .assign("Application Mail.Read", in_group(INNER))
        .assign("Our own role", AssignmentScope::Unit { object: UNIT });
    let judge = Judge::new(&sample.0);
    let reach = judge.reach();
    let who = |mailbox| {
        let live: Vec<_> = judge
            .who(mailbox)
            .into_iter()
            .map(|access| (access.may.verdict, access.application, access.permission))
            .collect();
        let stored: Vec<_> = reach
            .who(mailbox, true)
            .into_iter()
            .map(|(verdict, application, permission)| {
                (verdict, application.object, permission.cloned())
            })
            .collect();
        assert_eq!(live, stored);
        live
    };
    let allowed = |permission: Permission| (Verdict::Allowed, APP, Some(permission));
    let unknown = |permission: Option<Permission>| (Verdict::Unknown, APP, permission);
    assert_eq!(who(CEO), [allowed(EWS), allowed(SEND)]);
    assert_eq!(
        who(SALES),
        [
            allowed(READ),
            unknown(Some(EWS)),
            unknown(Some(SEND)),
            unknown(None)
        ]
    );
    assert_eq!(
        who(SHARED),
        [
            unknown(Some(EWS)),
            unknown(Some(SEND)),
            unknown(Some(READ)),
            unknown(None)
        ]
    );
    assert_eq!(who(ROOM), []);
}

#[test]
fn a_mailbox_that_nobody_listed() {
    let new = object(50);
    let ask = |sample: Sample| Judge::new(&sample.0).may(APP, &SEND, new).verdict;
    let held = || customer().graph("Mail.Send");
    assert_eq!(ask(held()), Verdict::Allowed);
    assert_eq!(ask(held().restrict(BOARD)), Verdict::Unknown);
    assert_eq!(ask(held().deny(BOARD)), Verdict::Unknown);
    assert_eq!(ask(customer()), Verdict::Refused);
    // Where the mailboxes were not read, a mailbox in no group is in no set.
    let unread = held()
        .restrict(BOARD)
        .with(|seen| seen.mailboxes = failed());
    assert_eq!(ask(unread), Verdict::Refused);
}

#[test]
fn notes_say_what_an_answer_does_not() {
    let notes = |sample: Sample| sample.reach().application(APP).unwrap().notes.clone();
    assert_eq!(
        notes(
            customer()
                .graph("Mail.Send")
                .assign("Application Mail.Send", in_group(BOARD))
        ),
        [Note::ScopeWithoutEffect {
            assignment: "assignment 0".into()
        }]
    );
    assert_eq!(
        notes(
            customer()
                .assign("Application Mail.Send", in_group(BOARD))
                .exchange("full_access_as_app")
        ),
        [Note::EwsOpensMore]
    );
    assert_eq!(
        notes(customer().exchange("Mail.Send")),
        [Note::OnlyRemovable {
            value: "Mail.Send".into()
        }]
    );
    assert_eq!(
        notes(
            customer()
                .graph("Mail.Send")
                .pointer(object(666), CLIENT, "Mailer")
        ),
        [Note::WrongPointer {
            object: object(666)
        }]
    );
    assert_eq!(
        notes(
            customer()
                .graph("Mail.Send")
                .with(|seen| read(&mut seen.principals).clear())
        ),
        [Note::NotAmongPrincipals]
    );
    assert_eq!(notes(customer().graph("Mail.Send").restrict(BOARD)), []);
}

#[test]
fn a_mailbox_that_was_not_there_at_the_scan_is_outside_nothing() {
    let sample = customer()
        .graph("Mail.Send")
        .restrict(BOARD)
        .exchange("full_access_as_app")
        .assign("Application Mail.Read", in_group(INNER));
    let nobody = crate::reach::samples::object(0xdead);
    let judge = Judge::new(&sample.0);
    let reach = judge.reach();
    let stored: Vec<_> = reach
        .who(nobody, false)
        .into_iter()
        .map(|(verdict, application, permission)| {
            (verdict, application.object, permission.cloned())
        })
        .collect();
    let live: Vec<_> = judge
        .who(nobody)
        .into_iter()
        .map(|access| (access.may.verdict, access.application, access.permission))
        .collect();
    assert_eq!(stored, live);
    assert!(stored.iter().any(|(verdict, _, permission)| {
        *verdict == Verdict::Unknown && permission.as_ref() == Some(&READ)
    }));
}
