//! Compares what an application reaches with what a plan permits, and with what a setup's real mail
//! proved.

use std::collections::BTreeSet;

use domain::{
    id::{AppId, ObjectId},
    permission::Weight,
    proof::Verdict,
    reach::{Answer, ApplicationReach, Extent, Level, PermissionReach, Reach},
};

use super::words::Words;

/// Whether an application is confined to no more than what one setup proved. All of its permissions
/// count, also those that may be held unseen.
pub(crate) fn is_as_proven(
    reach: &Reach,
    application: &ApplicationReach,
    proven: &[(AppId, Vec<ObjectId>)],
) -> bool {
    if application.level() != Level::Confined {
        return false;
    }
    proven.iter().any(|(app_id, senders)| {
        Some(*app_id) == application.app_id
            && answers(application).all(|answer| within(reach, answer, senders))
    })
}

/// The permissions that can contradict a proof. Three cannot, because they open nothing that a
/// setup confines: mail tips, when people are busy, and hours of work. “Who wrote to whom” can.
fn weighty(application: &ApplicationReach) -> impl Iterator<Item = &PermissionReach> {
    application
        .permissions
        .iter()
        .filter(|one| one.permission.weight() != Weight::Harmless)
}

fn answers(application: &ApplicationReach) -> impl Iterator<Item = &Answer> {
    weighty(application)
        .map(|one| &one.answer)
        .chain([&application.others])
}

/// Whether the answer certainly contains no mailbox other than the senders.
fn within(reach: &Reach, answer: &Answer, senders: &[ObjectId]) -> bool {
    match (answer.names_all(), answer.at_most()) {
        (false, _) | (_, Extent::Everything | Extent::AllExcept { .. }) => false,
        (_, Extent::Nothing) => true,
        (_, Extent::Only { mailboxes }) => {
            let reached: BTreeSet<ObjectId> = reach.members(mailboxes).collect();
            reached.iter().all(|one| senders.contains(one))
        }
    }
}

/// Compares what was read of an application with what a plan permits. The verdict names everything
/// that reaches more than the plan, of whatever kind it is. What cannot be ruled out makes the
/// verdict “unknown”.
pub(crate) fn against(
    words: &Words<'_>,
    object: ObjectId,
    name: &str,
    senders: &[ObjectId],
) -> Verdict {
    let reach = words.reach;
    let Some(application) = reach.application(object) else {
        return match &reach.unlisted {
            Answer::Nothing => Verdict::Holds,
            unlisted => Verdict::Unknown {
                why: words.gaps_of([unlisted]),
            },
        };
    };
    let mut open: Vec<String> = weighty(application)
        .filter(|one| one.answer.names_all() && !within(reach, &one.answer, senders))
        .map(|one| {
            format!(
                "With {} it can {} in {}.",
                one.permission.name(),
                one.permission.can(),
                words.answer(&one.answer)
            )
        })
        .collect();
    // A power goes around every policy and belongs to no permission, so it has a sentence of its
    // own.
    let powers = application.powers.level();
    let power = words.power_sentence(application);
    if powers < Level::Unknown {
        open.extend(power.clone());
    }
    let level = application.level();
    if open.is_empty() && level < Level::Unknown {
        open.push(format!("{name}: {}.", level.word()));
    }
    if !open.is_empty() {
        return Verdict::More { open };
    }
    let unknown: Vec<&Answer> = answers(application)
        .filter(|answer| !within(reach, answer, senders))
        .collect();
    // The plan does not promise what share of all mailboxes the senders are, so an unread number of
    // mailboxes does not matter.
    if unknown.is_empty() && powers != Level::Unknown {
        return Verdict::Holds;
    }
    let mut why = words.gaps_of(unknown);
    if powers == Level::Unknown {
        why.extend(power);
    }
    if why.is_empty() {
        why.push("Something could not be read.".to_owned());
    }
    Verdict::Unknown { why }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::{
        id::AppRoleId,
        reach::{Grant, Judge, PowersSeen, Principal, PrincipalKind, Reading, RightsSeen, Seen},
    };
    use uuid::Uuid;

    use super::*;

    const APP: ObjectId = ObjectId(Uuid::from_u128(1));
    const SENDER: ObjectId = ObjectId(Uuid::from_u128(7));

    fn seen(graph: &[&str], exchange: &[&str]) -> Seen {
        fn none<T>() -> Reading<Vec<T>> {
            Reading::read(Vec::new())
        }
        let grants = |values: &[&str]| {
            let grants = values.iter().map(|value| Grant {
                principal: APP,
                role: AppRoleId(Uuid::from_u128(9)),
                value: Some((*value).to_owned()),
            });
            Reading::read(grants.collect())
        };
        Seen {
            principals: Reading::read(vec![Principal {
                object: APP,
                app_id: AppId(Uuid::from_u128(2)),
                name: "Mailer".to_owned(),
                kind: PrincipalKind::Application,
                enabled: Some(true),
                owner_tenant: None,
                publisher: None,
            }]),
            all_principals: true,
            graph_grants: grants(graph),
            exchange_grants: grants(exchange),
            policies: none(),
            pointers: none(),
            assignments: none(),
            scopes: none(),
            groups: Vec::new(),
            units: Vec::new(),
            mailboxes: Reading::read(vec![SENDER]),
            special: None,
            stray_policies: None,
            powers: PowersSeen::none(),
            rights: RightsSeen::none(),
        }
    }

    fn verdict(seen: &Seen) -> Verdict {
        let reach = Judge::new(seen).reach();
        let names = BTreeMap::new();
        let words = Words {
            reach: &reach,
            names: &names,
        };
        against(&words, APP, "Mailer", &[SENDER])
    }

    #[test]
    fn live_m2_whatever_says_more_than_the_plan_is_named() {
        assert_eq!(verdict(&seen(&[], &[])), Verdict::Holds);
        let Verdict::More { open } = verdict(&seen(&["Mail.Send"], &["IMAP.AccessAsApp"])) else {
            panic!("it holds");
        };
        assert!(open.iter().any(|one| one.contains("Mail.Send")), "{open:?}");
        let mut unread = seen(&[], &[]);
        unread.exchange_grants = Reading::Failed {
            reason: "time-out".to_owned(),
        };
        assert!(matches!(verdict(&unread), Verdict::Unknown { .. }));
        let mut powers = seen(&[], &[]);
        powers.graph_grants = Reading::read(vec![Grant {
            principal: APP,
            role: AppRoleId(Uuid::from_u128(8)),
            value: Some("AppRoleAssignment.ReadWrite.All".to_owned()),
        }]);
        assert!(matches!(verdict(&powers), Verdict::More { .. }));
        // What could not be read may contain a power.
        let mut unread = seen(&[], &[]);
        unread.powers.directory_roles = Reading::Failed {
            reason: "time-out".to_owned(),
        };
        assert!(!matches!(verdict(&unread), Verdict::More { .. }));
    }

    /// An application with Mail.Send, confined to a group with the sender and `members`.
    fn confined(more: &[&str], members: &[ObjectId]) -> Seen {
        let group = ObjectId(Uuid::from_u128(50));
        let mut graph = vec!["Mail.Send"];
        graph.extend(more);
        let mut seen = seen(&graph, &[]);
        seen.groups = vec![domain::reach::Group {
            object: group,
            name: "Senders".to_owned(),
            direct: Reading::read(domain::reach::Members {
                recipients: members.to_vec(),
                groups: Vec::new(),
            }),
            nested: None,
            writable: None,
            rule: None,
        }];
        seen.policies = Reading::read(vec![domain::application::AccessPolicy {
            identity: "policy".to_owned(),
            app_id: Some(AppId(Uuid::from_u128(2))),
            right: domain::application::AccessRight::RestrictAccess,
            scope_object: Some(group),
            scope_name: "Senders".to_owned(),
            description: String::new(),
            valid: true,
        }]);
        seen.mailboxes = Reading::read(vec![SENDER, OTHER, ObjectId(Uuid::from_u128(9))]);
        seen
    }

    const OTHER: ObjectId = ObjectId(Uuid::from_u128(8));

    fn as_proven(seen: &Seen) -> bool {
        let reach = Judge::new(seen).reach();
        let application = reach.application(APP).unwrap();
        is_as_proven(
            &reach,
            application,
            &[(AppId(Uuid::from_u128(2)), vec![SENDER])],
        )
    }

    #[test]
    fn reach_m04_what_is_harmless_contradicts_no_proof() {
        // Each of these goes past every policy, for every mailbox: mail tips, hours of work, when
        // people are busy.
        let harmless = [
            "MailTips.ReadBasic.All",
            "Calendars.ReadWrite.All",
            "Calendars.ReadBasic.All",
        ];
        let seen = confined(&harmless, &[SENDER]);
        assert_eq!(verdict(&seen), Verdict::Holds);
        assert!(as_proven(&seen));
    }

    #[test]
    fn reach_m04_what_is_not_harmless_contradicts_a_proof() {
        for more in ["MailboxFolder.Read.All", "MailboxItem.Read.All"] {
            let seen = confined(&[more], &[SENDER]);
            let Verdict::More { open } = verdict(&seen) else {
                panic!("{more} contradicts nothing");
            };
            assert!(open.iter().any(|one| one.contains(more)), "{open:?}");
            assert!(!as_proven(&seen), "{more}");
        }
        // A role opens “who wrote to whom” beside the policy.
        let mut seen = confined(&[], &[SENDER]);
        seen.pointers = Reading::read(vec![domain::reach::Pointer {
            object: APP,
            app_id: Some(AppId(Uuid::from_u128(2))),
            names: Vec::new(),
        }]);
        seen.assignments = Reading::read(vec![domain::reach::Assignment {
            name: "basic".to_owned(),
            role: "Application Mail.ReadBasic".to_owned(),
            assignee: APP.to_string(),
            scope: domain::reach::AssignmentScope::Organisation,
            enabled: true,
            delegating: false,
        }]);
        assert!(matches!(verdict(&seen), Verdict::More { .. }));
        assert!(!as_proven(&seen));
    }

    #[test]
    fn reach_r03_without_the_list_of_mailboxes_a_plan_is_judged_and_nothing_is_called_proven() {
        let unread = |members: &[ObjectId]| {
            let mut seen = confined(&[], members);
            seen.mailboxes = Reading::Failed {
                reason: "time-out".to_owned(),
            };
            seen
        };
        // All mailboxes that it may send as are known, although the list of all mailboxes is not.
        assert_eq!(verdict(&unread(&[SENDER])), Verdict::Holds);
        assert!(!as_proven(&unread(&[SENDER])));
        assert!(matches!(
            verdict(&unread(&[SENDER, OTHER])),
            Verdict::More { .. }
        ));
    }
}
