//! Tests of the rules, case by case. Each row is one customer, one permission and the answer. For
//! each row, the answer for every single mailbox must be the same.

use super::{
    AssignmentScope, Judge, Permission, Reading,
    samples::{
        APP, BOARD, CEO, CLIENT, CONTACT, EMPTY, INNER, MAILBOXES, OTHER, OTHER_CLIENT, ROOM,
        SALES, SENDERS, SHARED, Sample, TEAM, UNIT, customer, in_group, in_scope, object, read,
        role_id,
    },
};
use crate::{
    application::AccessRight::{DenyAccess, RestrictAccess},
    id::AppRoleId,
    permission::{Coverage, MAILBOX_PERMISSIONS, MailboxPermission, Place, Resource},
};

pub(super) const SEND: Permission = Permission::graph("Mail.Send");
pub(super) const READ: Permission = Permission::graph("Mail.Read");
pub(super) const EWS: Permission = Permission::EWS;
pub(super) const SMTP: Permission = Permission::exchange("SMTP.SendAsApp");
const ORGANISATION: AssignmentScope = AssignmentScope::Organisation;

pub(super) type Row = (&'static str, Sample, Permission, &'static str);

pub(super) fn check(rows: Vec<Row>) {
    for (name, sample, permission, expected) in rows {
        assert_eq!(sample.says(&permission), expected, "{name}");
        agrees(name, &sample);
    }
}

/// Checks that the answer for the tenant is the answer for each of its mailboxes.
fn agrees(name: &str, sample: &Sample) {
    let judge = Judge::new(&sample.0);
    let reach = judge.reach();
    for application in &reach.applications {
        for one in &application.permissions {
            for (mailbox, mailbox_name) in MAILBOXES {
                let may = judge.may(application.object, &one.permission, mailbox);
                assert_eq!(
                    may.verdict,
                    reach.verdict(&one.answer, mailbox),
                    "{name}: {} on {mailbox_name}: {:?}",
                    one.permission.value,
                    may.because
                );
                assert!(!may.because.is_empty(), "{name}: {mailbox_name}");
            }
        }
    }
}

#[test]
fn reach_r07_grants_and_policies() {
    let star = |right| {
        customer()
            .graph("Mail.Send")
            .policy(right, None, Some(BOARD))
    };
    check(vec![
        ("nothing held", customer(), SEND, "nothing"),
        (
            "no policy",
            customer().graph("Mail.Send"),
            SEND,
            "unrestricted",
        ),
        (
            "a grant of another permission",
            customer().graph("Mail.Read"),
            SEND,
            "nothing",
        ),
        (
            "a permission that reaches no mailbox",
            customer().graph("User.Read.All"),
            Permission::graph("User.Read.All"),
            "nothing",
        ),
        (
            "restricted to a group: whether nested members count is disputed",
            customer().graph("Mail.Send").restrict(SENDERS),
            SEND,
            "unknown, reception to reception sales: nested not understood",
        ),
        (
            "denied to a group: nested members are not surely refused",
            customer().graph("Mail.Send").deny(SENDERS),
            SEND,
            "unknown, all but reception sales to all but reception: nested not understood",
        ),
        (
            "restricted to a group without groups in it",
            customer().graph("Mail.Send").restrict(TEAM),
            SEND,
            "confined to reception sales",
        ),
        (
            "restricted to a single mailbox",
            customer().graph("Mail.Send").restrict(CEO),
            SEND,
            "confined to ceo",
        ),
        (
            "several restrictions are a union",
            customer().graph("Mail.Send").restrict(TEAM).restrict(BOARD),
            SEND,
            "confined to ceo reception sales",
        ),
        (
            "restricted to nobody",
            customer().graph("Mail.Send").restrict(EMPTY),
            SEND,
            "nothing",
        ),
        (
            "denied is a block list",
            customer().graph("Mail.Send").deny(BOARD),
            SEND,
            "all except ceo reception",
        ),
        (
            "denying nobody changes nothing",
            customer().graph("Mail.Send").deny(EMPTY),
            SEND,
            "unrestricted",
        ),
        (
            "deny comes before restrict",
            customer().graph("Mail.Send").restrict(TEAM).deny(BOARD),
            SEND,
            "confined to sales",
        ),
        (
            "deny comes before restrict in any order",
            customer().graph("Mail.Send").deny(BOARD).restrict(TEAM),
            SEND,
            "confined to sales",
        ),
        (
            "* restricts everybody",
            star(RestrictAccess),
            SEND,
            "confined to ceo reception",
        ),
        (
            "* denies everybody",
            star(DenyAccess),
            SEND,
            "all except ceo reception",
        ),
        (
            "* and the application's own policy are one union",
            star(RestrictAccess).restrict(TEAM),
            SEND,
            "confined to ceo reception sales",
        ),
        (
            "a policy of another application",
            customer()
                .graph("Mail.Send")
                .policy(RestrictAccess, Some(OTHER_CLIENT), Some(BOARD)),
            SEND,
            "unrestricted",
        ),
        (
            "the same grant twice",
            customer()
                .graph("Mail.Send")
                .graph("Mail.Send")
                .restrict(BOARD),
            SEND,
            "confined to ceo reception",
        ),
        (
            "nested members as the directory tells them",
            customer()
                .graph("Mail.Send")
                .restrict(BOARD)
                .with(|seen| seen.groups[2].nested = Some(Reading::read(vec![ROOM, CONTACT]))),
            SEND,
            "unknown, ceo reception to ceo reception room: nested not understood",
        ),
    ]);
}

#[test]
fn what_policies_do_not_govern() {
    let restricted = || customer().restrict(TEAM);
    let past = |value: &'static str, sample: Sample, resource| {
        (
            value,
            sample,
            Permission::new(resource, value),
            "unrestricted",
        )
    };
    let exchange =
        |value: &'static str| past(value, restricted().exchange(value), Resource::Exchange);
    let graph = |value: &'static str| past(value, restricted().graph(value), Resource::Graph);
    let mut rows = vec![
        exchange("Mail.Send"),
        exchange("Mail.Read"),
        exchange("Mail.ReadWrite"),
        exchange("Calendars.ReadWrite.All"),
        exchange("MailboxSettings.ReadWrite"),
        exchange("Contacts.ReadWrite"),
        exchange("Tasks.ReadWrite"),
        graph("Tasks.ReadWrite.All"),
        graph("Mail.SomethingNew"),
        (
            "EWS by its newer name is not on the list of what policies govern",
            restricted().exchange("EWS.AccessAsApp"),
            EWS,
            "unrestricted",
        ),
        (
            "full_access_as_app is governed",
            restricted().exchange("full_access_as_app"),
            EWS,
            "confined to reception sales",
        ),
        (
            "full_access_as_app without a policy",
            customer().exchange("full_access_as_app"),
            EWS,
            "unrestricted",
        ),
        (
            "Calendars under another id, by what the tenant calls it",
            restricted().grant_named(
                Resource::Exchange,
                AppRoleId(object(77).0),
                Some("Calendars.ReadWrite.All"),
            ),
            Permission::exchange("Calendars.ReadWrite.All"),
            "unrestricted",
        ),
    ];
    let whole = |known: &&MailboxPermission| {
        let permission = Permission::new(known.resource, known.value);
        known.place == Place::Mailboxes && !permission.needs_rights()
    };
    for known in MAILBOX_PERMISSIONS.iter().filter(whole) {
        let expected = match known.coverage {
            Coverage::Policy => "confined to reception sales",
            Coverage::Beyond => "unrestricted",
        };
        rows.push((
            known.value,
            restricted().grant(known.resource, known.value),
            Permission::new(known.resource, known.value),
            expected,
        ));
    }
    check(rows);
}

#[test]
fn one_role_id_on_two_resources() {
    let shared = role_id(Resource::Graph, "Calendars.ReadWrite");
    assert_eq!(
        shared,
        role_id(Resource::Exchange, "Calendars.ReadWrite.All")
    );
    let graph = Permission::graph("Calendars.ReadWrite");
    let exchange = Permission::exchange("Calendars.ReadWrite.All");
    let on = |resource| {
        customer()
            .restrict(BOARD)
            .grant_named(resource, shared, None)
    };
    check(vec![
        (
            "Graph",
            on(Resource::Graph),
            graph.clone(),
            "confined to ceo reception",
        ),
        (
            "not Exchange",
            on(Resource::Graph),
            exchange.clone(),
            "nothing",
        ),
        ("Exchange", on(Resource::Exchange), exchange, "unrestricted"),
        ("not Graph", on(Resource::Exchange), graph, "nothing"),
    ]);
}

#[test]
fn role_assignments() {
    let send = "Application Mail.Send";
    let filtered = |exclusive, mailboxes| {
        customer()
            .scope("Sales people", exclusive, mailboxes)
            .assign(send, in_scope("sales PEOPLE"))
    };
    check(vec![
        (
            "for the whole organisation",
            customer().assign(send, ORGANISATION),
            SEND,
            "unrestricted",
        ),
        (
            "for a group: direct members only",
            customer().assign(send, in_group(SENDERS)),
            SEND,
            "confined to reception",
        ),
        (
            "for a scope",
            filtered(false, Reading::read(vec![SALES, ROOM, CONTACT])),
            SEND,
            "confined to sales room",
        ),
        (
            "for a scope that matches nobody",
            filtered(false, Reading::read(Vec::new())),
            SEND,
            "nothing",
        ),
        (
            "an exclusive scope does not restrict",
            filtered(true, Reading::read(vec![SALES])),
            SEND,
            "unrestricted",
        ),
        (
            "for an administrative unit",
            customer().assign(send, AssignmentScope::Unit { object: UNIT }),
            SEND,
            "confined to sales shared",
        ),
        (
            "policies do not narrow it",
            customer()
                .assign(send, in_group(BOARD))
                .restrict(TEAM)
                .deny(BOARD),
            SEND,
            "confined to ceo reception",
        ),
        (
            "a grant narrowed by a policy, and a role, are a union",
            customer()
                .graph("Mail.Send")
                .restrict(TEAM)
                .assign(send, in_group(BOARD)),
            SEND,
            "confined to ceo reception sales",
        ),
        (
            "a scoped role beside a grant that nothing narrows",
            customer().graph("Mail.Send").assign(send, in_group(BOARD)),
            SEND,
            "unrestricted",
        ),
        (
            "the role gives back what is denied",
            customer()
                .graph("Mail.Send")
                .deny(BOARD)
                .assign(send, in_group(SENDERS)),
            SEND,
            "all except ceo",
        ),
        (
            "Microsoft's second example: a group by policy, everyone else by role",
            customer()
                .graph("Mail.Read")
                .restrict(TEAM)
                .scope("else", false, Reading::read(vec![CEO, SHARED, ROOM]))
                .assign("Application Mail.Read", in_scope("else")),
            READ,
            "everybody for now: ceo reception sales shared room",
        ),
        (
            "several assignments are a union",
            customer()
                .assign(send, in_group(INNER))
                .assign(send, AssignmentScope::Unit { object: UNIT }),
            SEND,
            "confined to sales shared",
        ),
        (
            "a role that is composed holds each part",
            customer().assign("Application Mail Full Access", in_group(BOARD)),
            SEND,
            "confined to ceo reception",
        ),
        (
            "and nothing else",
            customer().assign("Application Mail Full Access", in_group(BOARD)),
            Permission::graph("Contacts.ReadWrite"),
            "nothing",
        ),
        (
            "Exchange Full Access",
            customer().assign("Application Exchange Full Access", ORGANISATION),
            Permission::graph("Contacts.ReadWrite"),
            "unrestricted",
        ),
        (
            "EWS by role and by grant are one permission",
            customer()
                .exchange("full_access_as_app")
                .restrict(TEAM)
                .assign("Application EWS.AccessAsApp", in_group(BOARD)),
            EWS,
            "confined to ceo reception sales",
        ),
        (
            "SMTP by role",
            customer().assign("Application SMTP.SendAsApp", in_group(BOARD)),
            SMTP,
            "confined to ceo reception",
        ),
        (
            "SMTP by role beside the grant, which reaches nothing without rights",
            customer()
                .exchange("SMTP.SendAsApp")
                .assign("Application SMTP.SendAsApp", in_group(BOARD)),
            SMTP,
            "confined to ceo reception",
        ),
        (
            "a role that only looks",
            customer().assign("View-Only Recipients", ORGANISATION),
            SEND,
            "nothing",
        ),
        (
            "an assignment that is switched off",
            customer().assign(send, ORGANISATION).with(|seen| {
                read(&mut seen.assignments)[0].enabled = false;
            }),
            SEND,
            "nothing",
        ),
        (
            "an assignment of another application",
            customer().pointer(OTHER, OTHER_CLIENT, "Other").assign_to(
                &OTHER.to_string(),
                send,
                ORGANISATION,
            ),
            SEND,
            "nothing",
        ),
        (
            "named by its client id",
            customer().pointer(APP, CLIENT, "Mailer").assign_to(
                &CLIENT.to_string(),
                send,
                in_group(BOARD),
            ),
            SEND,
            "confined to ceo reception",
        ),
        (
            "named by its pointer's name",
            customer()
                .pointer(APP, CLIENT, "Mailer")
                .assign_to("mailer", send, in_group(BOARD)),
            SEND,
            "confined to ceo reception",
        ),
        (
            "a pointer to the wrong object lets nobody in",
            customer().pointer(object(666), CLIENT, "Mailer").assign_to(
                "Mailer",
                send,
                ORGANISATION,
            ),
            SEND,
            "nothing",
        ),
    ]);
}
