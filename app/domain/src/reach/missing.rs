//! Tests of missing parts, case by case: what was not read is unknown, and what is certain in spite
//! of that stays certain.

use super::{
    AssignmentScope, Level, Permission, Reading,
    cases::{EWS, SEND, SMTP, check},
    samples::{
        APP, BOARD, CEO, CLIENT, GONE, INNER, OTHER, OTHER_CLIENT, SEALED, SENDERS, Sample, TEAM,
        UNIT, customer, failed, in_group, in_scope, object, read, role_id,
    },
};
use crate::{application::AccessRight::RestrictAccess, id::AppRoleId, permission::Resource};

#[test]
fn what_is_missing_is_unknown() {
    let send = "Application Mail.Send";
    let held = || customer().graph("Mail.Send");
    check(vec![
        (
            "policies not read",
            held().with(|seen| seen.policies = failed()),
            SEND,
            "unknown, nothing to everything: policies unread",
        ),
        (
            "policies not read, where they would not govern",
            customer()
                .graph("Tasks.ReadWrite.All")
                .with(|seen| seen.policies = failed()),
            Permission::graph("Tasks.ReadWrite.All"),
            "unrestricted",
        ),
        (
            "assignments not read, and it has a pointer",
            held()
                .restrict(BOARD)
                .pointer(APP, CLIENT, "Mailer")
                .with(|seen| seen.assignments = failed()),
            SEND,
            "unknown, ceo reception to everything: assignments unread",
        ),
        (
            "assignments not read, but without a pointer there is none",
            held()
                .restrict(BOARD)
                .with(|seen| seen.assignments = failed()),
            SEND,
            "confined to ceo reception",
        ),
        (
            "neither assignments nor pointers read",
            customer().with(|seen| {
                seen.assignments = failed();
                seen.pointers = failed();
            }),
            SEND,
            "unknown, nothing to everything: assignments unread",
        ),
        (
            "the worst is known without the rest",
            held().with(|seen| {
                seen.assignments = failed();
                seen.pointers = failed();
                seen.mailboxes = failed();
            }),
            SEND,
            "unrestricted",
        ),
        (
            "grants not read",
            customer().with(|seen| seen.graph_grants = failed()),
            SEND,
            "unknown, nothing to everything: grants unread",
        ),
        (
            "grants not read, and policies that would narrow them",
            customer()
                .assign(send, in_group(BOARD))
                .restrict(TEAM)
                .with(|seen| seen.graph_grants = failed()),
            SEND,
            "unknown, ceo reception to ceo reception sales: grants unread",
        ),
        (
            "grants of the other resource not read",
            held()
                .restrict(BOARD)
                .with(|seen| seen.exchange_grants = failed()),
            SEND,
            "confined to ceo reception",
        ),
        (
            "and what may be held there",
            held()
                .restrict(BOARD)
                .with(|seen| seen.exchange_grants = failed()),
            EWS,
            "unknown, nothing to everything: grants unread",
        ),
        (
            "grants not read: EWS may be held by the name that no policy governs",
            customer()
                .policy(RestrictAccess, None, Some(BOARD))
                .assign("Application EWS.AccessAsApp", in_group(INNER))
                .with(|seen| seen.exchange_grants = failed()),
            EWS,
            "unknown, sales to everything: grants unread",
        ),
        (
            "principals not read: whose policy is it?",
            held()
                .restrict(BOARD)
                .with(|seen| seen.principals = failed()),
            SEND,
            "unknown, ceo reception to everything: principals unread",
        ),
        (
            "principals not read, but a policy for everyone",
            held()
                .policy(RestrictAccess, None, Some(BOARD))
                .with(|seen| seen.principals = failed()),
            SEND,
            "confined to ceo reception",
        ),
        (
            "principals not read, and no policy at all",
            held().with(|seen| seen.principals = failed()),
            SEND,
            "unrestricted",
        ),
        (
            "the principal is gone, or too new",
            held().with(|seen| read(&mut seen.principals).clear()),
            SEND,
            "unknown, nothing to everything: principal missing",
        ),
        (
            "members of a restricting group not read",
            held().restrict(SEALED),
            SEND,
            "unknown, nothing to everything: members unread",
        ),
        (
            "a second restriction that was read",
            held().restrict(SEALED).restrict(TEAM),
            SEND,
            "unknown, reception sales to everything: members unread",
        ),
        (
            "members of a denying group not read",
            held().restrict(BOARD).deny(SEALED),
            SEND,
            "unknown, nothing to ceo reception: members unread",
        ),
        (
            "members of a group in a group not read",
            held().restrict(SENDERS).with(|seen| {
                seen.groups[1].direct = failed();
            }),
            SEND,
            "unknown, reception to everything: members unread, nested not understood",
        ),
        (
            "a group in a group that nobody read",
            held().restrict(SENDERS).with(|seen| {
                seen.groups.remove(1);
            }),
            SEND,
            "unknown, reception to everything: members missing, nested not understood",
        ),
        (
            "direct members do not need the group in the group",
            customer().assign(send, in_group(SENDERS)).with(|seen| {
                seen.groups.remove(1);
            }),
            SEND,
            "confined to reception",
        ),
        (
            "the directory did not tell the nested members",
            held()
                .restrict(BOARD)
                .with(|seen| seen.groups[2].nested = Some(failed())),
            SEND,
            "unknown, ceo reception to everything: members unread, nested not understood",
        ),
        (
            "a policy about something that is not there",
            held().restrict(GONE),
            SEND,
            "unknown, nothing to everything: policy_scope missing",
        ),
        (
            "a policy that does not say what it is about",
            held().policy(RestrictAccess, Some(CLIENT), None),
            SEND,
            "unknown, nothing to everything: policy_scope not understood",
        ),
        (
            "a policy that Exchange calls invalid",
            held()
                .restrict(BOARD)
                .with(|seen| read(&mut seen.policies)[0].valid = false),
            SEND,
            "unknown, ceo reception to everything: policy not understood",
        ),
        (
            "scopes not read",
            customer()
                .assign(send, in_scope("x"))
                .with(|seen| seen.scopes = failed()),
            SEND,
            "unknown, nothing to everything: scopes unread",
        ),
        (
            "a scope that is not there",
            customer().assign(send, in_scope("x")),
            SEND,
            "unknown, nothing to everything: scope missing",
        ),
        (
            "a filter that was not resolved",
            customer()
                .scope("x", false, failed())
                .assign(send, in_scope("x")),
            SEND,
            "unknown, nothing to everything: filter unread",
        ),
        (
            "an exclusive scope needs no filter",
            customer()
                .scope("x", true, failed())
                .assign(send, in_scope("x")),
            SEND,
            "unrestricted",
        ),
        (
            "a unit that was not read",
            customer()
                .assign(send, AssignmentScope::Unit { object: UNIT })
                .with(|seen| seen.units[0].members = failed()),
            SEND,
            "unknown, nothing to everything: unit unread",
        ),
        (
            "a unit that is not there",
            customer().assign(send, AssignmentScope::Unit { object: GONE }),
            SEND,
            "unknown, nothing to everything: unit missing",
        ),
        (
            "a group that was not found",
            customer().assign(
                send,
                AssignmentScope::Group {
                    object: None,
                    name: "x".into(),
                },
            ),
            SEND,
            "unknown, nothing to everything: assignment_scope missing",
        ),
        (
            "a scope of a new kind",
            customer().assign(
                send,
                AssignmentScope::Other {
                    text: "Self".into(),
                },
            ),
            SEND,
            "unknown, nothing to everything: assignment_scope not understood",
        ),
        (
            "a role that nobody knows may hold it",
            customer().assign("Our mailers", in_group(BOARD)),
            SEND,
            "unknown, nothing to ceo reception: role not understood",
        ),
        (
            "an assignment without its pointer",
            customer().assign_to(&APP.to_string(), send, in_group(BOARD)),
            SEND,
            "unknown, nothing to ceo reception: pointer missing",
        ),
        (
            "pointers not read, but the assignment names the object",
            customer()
                .assign_to(&APP.to_string(), send, in_group(BOARD))
                .with(|seen| seen.pointers = failed()),
            SEND,
            "confined to ceo reception",
        ),
        (
            "pointers not read, and the assignment has a name",
            customer()
                .assign_to("Mailer", send, in_group(BOARD))
                .with(|seen| seen.pointers = failed()),
            SEND,
            "unknown, nothing to ceo reception: pointer unread",
        ),
        (
            "two pointers of one name",
            customer()
                .pointer(APP, CLIENT, "Mailer")
                .pointer(OTHER, OTHER_CLIENT, "Mailer")
                .assign_to("Mailer", send, in_group(BOARD)),
            SEND,
            "unknown, nothing to ceo reception: pointer missing",
        ),
        (
            "a role of Exchange without a name",
            customer().grant_named(Resource::Exchange, AppRoleId(object(5).0), None),
            Permission::exchange("Mail.Send"),
            "unknown, nothing to everything: app_role not understood",
        ),
        (
            "a role without a name that is known by its id",
            customer().restrict(BOARD).grant_named(
                Resource::Graph,
                role_id(Resource::Graph, "Mail.Send"),
                None,
            ),
            SEND,
            "confined to ceo reception",
        ),
        (
            "a role without a name is no Mail.Send: that one's id is known",
            held()
                .restrict(BOARD)
                .grant_named(Resource::Graph, AppRoleId(object(5).0), None),
            SEND,
            "confined to ceo reception",
        ),
        (
            "but it may be SMTP, where a right would count",
            customer()
                .assign("Application SMTP.SendAsApp", in_group(BOARD))
                .grant_named(Resource::Exchange, AppRoleId(object(5).0), None)
                .with(|seen| seen.rights.mailbox_rights = failed()),
            SMTP,
            "unknown, ceo reception to everything: app_role not understood, mailbox_rights unread",
        ),
        (
            "SMTP without a right opens nothing, whatever the role is called",
            customer()
                .assign("Application SMTP.SendAsApp", in_group(BOARD))
                .grant_named(Resource::Exchange, AppRoleId(object(5).0), None),
            SMTP,
            "confined to ceo reception",
        ),
        (
            "mailboxes not read: members are told from their groups",
            held()
                .restrict(BOARD)
                .with(|seen| seen.mailboxes = failed()),
            SEND,
            "unknown, ceo reception to ceo reception: mailboxes unread",
        ),
        (
            "mailboxes not asked for: these and no others",
            held()
                .restrict(BOARD)
                .with(|seen| seen.mailboxes = Reading::NotAsked),
            SEND,
            "confined to ceo reception",
        ),
        (
            "mailboxes not read, and a policy for one of them",
            held().restrict(CEO).with(|seen| seen.mailboxes = failed()),
            SEND,
            "unknown, nothing to everything: policy_scope missing",
        ),
    ]);
}

#[test]
fn a_tenant_without_exchange() {
    let none = |sample: Sample| {
        sample.with(|seen| {
            let reason = || String::from("no service plan");
            seen.exchange_grants = Reading::NotLicensed { reason: reason() };
            seen.policies = Reading::NotLicensed { reason: reason() };
            seen.pointers = Reading::NotLicensed { reason: reason() };
            seen.assignments = Reading::NotLicensed { reason: reason() };
            seen.mailboxes = Reading::NotLicensed { reason: reason() };
        })
    };
    check(vec![
        (
            "what it holds, nothing can narrow",
            none(customer().graph("Mail.Send")),
            SEND,
            "unrestricted",
        ),
        (
            "who holds nothing, has nothing",
            none(customer()),
            SEND,
            "nothing",
        ),
        (
            "one part that says so alone was not read",
            customer().graph("Mail.Send").with(|seen| {
                seen.policies = Reading::NotLicensed {
                    reason: String::new(),
                };
            }),
            SEND,
            "unknown, nothing to everything: policies unread",
        ),
    ]);
    let reach = none(customer().graph("Mail.Send")).reach();
    assert!(reach.without_exchange);
    assert_eq!(reach.mailbox_count, Some(0));
    assert_eq!(reach.applications.len(), 1);
}

#[test]
fn who_is_not_listed_may_hold_what_was_not_read() {
    let named = || customer().with(|seen| seen.all_principals = false);
    let nobody = object(4711);
    let level = |sample: &Sample| sample.reach().answer(nobody, &SEND).level();
    assert_eq!(level(&named()), Level::Nothing);
    let unread = named().with(|seen| seen.graph_grants = failed());
    assert_eq!(level(&unread), Level::Unknown);
    let unread = named().with(|seen| seen.assignments = failed());
    assert_eq!(level(&unread), Level::Unknown);
    // All principals are listed, so there are no others.
    let unread = customer().with(|seen| seen.assignments = failed());
    assert_eq!(level(&unread), Level::Nothing);
}
