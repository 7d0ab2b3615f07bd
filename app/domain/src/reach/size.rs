//! Tests with a large customer: what is stored of its reach stays small.

use super::{
    AssignmentScope, Group, Judge, Members, Permission, Principal, PrincipalKind, Reading, Verdict,
    samples::{customer, object},
};
use crate::{
    application::AccessRight,
    id::{AppId, ObjectId},
    permission::Resource,
};

const PRINCIPALS: u128 = 200;
const MAILBOXES: u128 = 5_000;
const GROUPS: u128 = 40;

fn mailbox(number: u128) -> ObjectId {
    // Spread over all values, like directory ids.
    object(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1 << 127)
}

fn principal(number: u128) -> ObjectId {
    object(1_000_000 + number)
}

fn group(number: u128) -> ObjectId {
    object(2_000_000 + number)
}

/// Every fourth principal holds something. Groups have up to a thousand members, and some are
/// nested.
fn large() -> super::Seen {
    let mut sample = customer().with(|seen| {
        seen.mailboxes = Reading::read((0..MAILBOXES).map(mailbox).collect());
        seen.groups = (0..GROUPS)
            .map(|number| Group {
                object: group(number),
                name: format!("Group {number}"),
                direct: Reading::read(Members {
                    recipients: (0..MAILBOXES)
                        .filter(|index| index % 41 == number || index % (5 + number) == 0)
                        .map(mailbox)
                        .collect(),
                    groups: (number % 3 == 0)
                        .then(|| group((number + 1) % GROUPS))
                        .into_iter()
                        .collect(),
                }),
                nested: None,
                writable: None,
                rule: None,
            })
            .collect();
        seen.principals = Reading::read(
            (0..PRINCIPALS)
                .map(|number| Principal {
                    object: principal(number),
                    app_id: AppId(object(3_000_000 + number).0),
                    name: format!("Application {number}"),
                    kind: PrincipalKind::Application,
                    enabled: Some(true),
                    owner_tenant: None,
                    publisher: None,
                })
                .collect(),
        );
    });
    for number in (0..PRINCIPALS).step_by(4) {
        let app_id = AppId(object(3_000_000 + number).0);
        for (resource, value) in [
            (Resource::Graph, "Mail.Send"),
            (Resource::Graph, "Mail.ReadWrite"),
            (Resource::Graph, "Calendars.ReadWrite"),
            (Resource::Exchange, "full_access_as_app"),
        ] {
            sample = sample.grant(resource, value);
            let grants = match resource {
                Resource::Graph => &mut sample.0.graph_grants,
                Resource::Exchange => &mut sample.0.exchange_grants,
            };
            super::samples::read(grants).last_mut().unwrap().principal = principal(number);
        }
        sample = sample
            .policy(
                AccessRight::RestrictAccess,
                Some(app_id),
                Some(group(number % GROUPS)),
            )
            .policy(
                AccessRight::DenyAccess,
                Some(app_id),
                Some(group((number + 7) % GROUPS)),
            )
            .pointer(principal(number), app_id, "x")
            .assign_to(
                &principal(number).to_string(),
                "Application Mail.Read",
                AssignmentScope::Group {
                    object: Some(group((number + 3) % GROUPS)),
                    name: String::new(),
                },
            );
    }
    sample.0
}

#[test]
fn a_large_customer_is_stored_small() {
    let seen = large();
    let judge = Judge::new(&seen);
    let reach = judge.reach();
    assert_eq!(reach.applications.len(), 50);
    assert_eq!(reach.mailbox_count, Some(5_000));
    // With the sets written out for each application and permission, the text would have some ten
    // megabytes.
    let stored = serde_json::to_string(&reach).unwrap();
    assert!(stored.len() < 500_000, "{} bytes", stored.len());
    // For mailboxes spread over the whole list, the answer must be that for the mailbox alone.
    let send = Permission::graph("Mail.Send");
    let mut allowed = 0;
    for number in (0..MAILBOXES).step_by(97) {
        for application in &reach.applications {
            let answer = reach.answer(application.object, &send);
            let verdict = judge
                .may(application.object, &send, mailbox(number))
                .verdict;
            assert_eq!(verdict, reach.verdict(answer, mailbox(number)));
            allowed += usize::from(verdict == Verdict::Allowed);
        }
    }
    assert!(allowed > 100, "{allowed}");
}
