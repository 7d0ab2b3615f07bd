//! Makes the result of a scan: evaluates it, compares it with the last certain state, and flattens
//! it into rows for lists.

use std::collections::BTreeMap;

use domain::{
    Problem, Timestamp,
    exposure::ReachChange,
    id::ObjectId,
    problem::Remedy,
    reach::{ApplicationReach, Judge, Known, Level, Meant, PartRead, PowerSource, Reach, Seen},
};
use microsoft::scan::Scan;
use serde_json::json;
use store::{DelegatedEntry, ReachEntry, ScanMemory, ScanResult};

use super::{
    application::name_of,
    may_still::{in_a_row, may_still},
    power_words::acts_as,
    proven::is_as_proven,
    unread::unread,
    words::Words,
};

/// How lists of permissions call what an application may hold unseen.
pub(super) const UNSEEN: &str = "unseen";

/// The result of a scan that ended at `now`. `memory`: what earlier scans left in the database.
pub(super) fn result(scan: Scan, memory: ScanMemory, now: Timestamp) -> ScanResult {
    let Scan {
        mut seen,
        names,
        details,
        mut parts,
        ..
    } = scan;
    let whole = unread(&parts).next().is_none();
    // The history compares only what this scan itself has read: last-known values are not certain
    // enough.
    let now_read = judged(&seen);
    let mut known = memory.known;
    let before = known.clone();
    let changes = known.learn(&now_read, now);
    let changes = ReachChange::all(&changes, &before, &known, &now_read);
    let mut kept = memory.kept;
    kept.renew(&seen, now);
    let reach = if whole {
        now_read
    } else {
        kept.fill(&mut seen);
        judged(&seen)
    };
    for part in &mut parts {
        part.kept = part.problem().and_then(|_| kept.time(part.part));
    }
    let names: BTreeMap<ObjectId, String> = memory.names.into_iter().chain(names).collect();
    let words = Words {
        reach: &reach,
        names: &names,
    };
    // An application with delegated grants only reaches nothing without a signed-in user, so it
    // gets no row among those that reach mailboxes.
    let (delegated, others): (Vec<&ApplicationReach>, Vec<&ApplicationReach>) = reach
        .applications
        .iter()
        .partition(|application| application.only_delegated());
    let delegated = delegated
        .into_iter()
        .map(|application| DelegatedEntry {
            object: application.object,
            app_id: application.app_id.map(|id| id.0),
            name: name_of(application),
            publisher: application.publisher.clone(),
            acts_as: acting(application),
        })
        .collect();
    let entries = others
        .into_iter()
        .map(|application| {
            let as_proven = is_as_proven(&reach, application, &memory.proven);
            ReachEntry {
                object: application.object,
                app_id: application.app_id.map(|id| id.0),
                name: name_of(application),
                publisher: application.publisher.clone(),
                owner: json!(application.owner),
                level: application.level(),
                as_proven,
                can_be_confined: application.can_be_confined(),
                permissions: held(application),
                powers: powers(&words, application),
                acts_as: acting(application),
                may_still: in_a_row(may_still(
                    &words,
                    &known,
                    application.object,
                    as_proven,
                    now,
                )),
                details: details
                    .get(&application.object)
                    .map(|details| json!(details)),
            }
        })
        .collect();
    ScanResult {
        whole,
        problem: partly(&parts),
        changes,
        mailboxes: seen.mailboxes.get().ok().map(|list| called(list, &names)),
        names: named(&reach, &known, &names, now),
        entries,
        delegated,
        parts,
        reach,
        kept,
        known,
    }
}

/// Evaluates a snapshot. The evaluator (`Judge`) is not `Send`, so this function keeps it out of
/// the async callers.
fn judged(seen: &Seen) -> Reach {
    Judge::new(seen).reach()
}

/// The names of all permissions with their levels. Permissions that may be held unseen have one
/// entry, `UNSEEN`.
fn held(application: &ApplicationReach) -> Vec<(String, Level)> {
    let unseen = application.others.level();
    application
        .permissions
        .iter()
        .map(|one| {
            // A permission that reads no content is listed as harmless.
            let level = if one.permission.weight().counts() {
                one.answer.level()
            } else {
                Level::Nothing
            };
            (one.permission.name(), level)
        })
        .chain((unseen != Level::Nothing).then(|| (UNSEEN.to_owned(), unseen)))
        .collect()
}

/// The sources of an application's powers. “perhaps” marks a power that is not certain.
fn powers(words: &Words<'_>, application: &ApplicationReach) -> Vec<String> {
    let all = words.powers(application).into_iter();
    all.map(|power| {
        if power.perhaps {
            format!("perhaps {}", power.from)
        } else {
            power.from
        }
    })
    .collect()
}

/// What the application may do for people who sign in to it, in the words of the pages.
fn acting(application: &ApplicationReach) -> Vec<String> {
    acts_as(&application.delegated)
        .into_iter()
        .map(|one| {
            format!(
                "{} on {}, for {}",
                one.scopes.join(" "),
                one.resource,
                one.who
            )
        })
        .collect()
}

/// Keeps only the names that the reach mentions, and those of mailboxes that were taken away a
/// short while ago.
fn named(
    reach: &Reach,
    known: &Known,
    names: &BTreeMap<ObjectId, String>,
    now: Timestamp,
) -> BTreeMap<ObjectId, String> {
    let lost = reach
        .applications
        .iter()
        .flat_map(|one| known.lingering(one.object, reach, now))
        .filter_map(|one| one.mailboxes)
        .flatten();
    let scopes = reach.policies.iter().filter_map(|policy| policy.scope);
    let held = reach.applications.iter().flat_map(|one| &one.powers.held);
    let through = held.filter_map(|power| match power.from {
        PowerSource::DirectoryRole { through, .. } => through,
        PowerSource::Inherited { blueprint, .. } => Some(blueprint),
        _ => None,
    });
    let meant = reach
        .stray_policies
        .iter()
        .filter_map(|stray| match stray.meant {
            Some(Meant::Principal { object }) => Some(object),
            _ => None,
        });
    reach
        .mailboxes
        .iter()
        .copied()
        .chain(scopes)
        .chain(through)
        .chain(meant)
        .chain(lost)
        .filter_map(|object| Some((object, names.get(&object)?.clone())))
        .collect()
}

/// Mailboxes with their names on pages, ordered by name.
fn called(list: &[ObjectId], names: &BTreeMap<ObjectId, String>) -> Vec<(ObjectId, String)> {
    let mut all: Vec<(ObjectId, String)> = list
        .iter()
        .map(|object| {
            let name = names.get(object).cloned();
            (*object, name.unwrap_or_else(|| object.to_string()))
        })
        .collect();
    all.sort_by(|one, other| (&one.1, one.0).cmp(&(&other.1, other.0)));
    all
}

/// What lists say of a customer of which not everything could be read. The parts say more.
fn partly(parts: &[PartRead]) -> Option<Problem> {
    let mut unread = parts.iter().filter(|part| part.problem().is_some());
    let first = unread.next()?;
    let problem = first.problem()?;
    let others = match unread.count() {
        0 => String::new(),
        1 => " Another part could not be read either.".to_owned(),
        more => format!(" {more} other parts could not be read either."),
    };
    let happened = format!(
        "{} could not be read: {}{others}",
        first.part.words(),
        problem.happened
    );
    let said = Problem::new(
        "scan.partial",
        match problem.remedy {
            Remedy::Wait => Remedy::Wait,
            _ => Remedy::Act,
        },
        happened,
        "What depends on it is unknown, or as it was when it was last read.",
        problem.todo.clone(),
    );
    Some(match &problem.microsoft {
        Some(answer) => said.with_answer(answer.clone()),
        None => said,
    })
}

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        id::{AppId, AppRoleId},
        reach::{
            Grant, PartResult, Principal, PrincipalDetails, PrincipalKind, Reading, ScanPart, Why,
        },
    };
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1000);
    const APP: ObjectId = ObjectId(Uuid::from_u128(1));

    fn grant(value: &str) -> Grant {
        Grant {
            principal: APP,
            role: AppRoleId(Uuid::from_u128(9)),
            value: Some(value.to_owned()),
        }
    }

    fn scan() -> Scan {
        fn none<T>() -> Reading<Vec<T>> {
            Reading::read(Vec::new())
        }
        Scan {
            seen: Seen {
                principals: Reading::read(vec![Principal {
                    object: APP,
                    app_id: AppId(Uuid::from_u128(2)),
                    name: "Mailer".to_owned(),
                    kind: PrincipalKind::Application,
                    enabled: Some(true),
                    owner_tenant: None,
                    publisher: None,
                }]),
                all_principals: false,
                graph_grants: Reading::read(vec![grant("Mail.Send")]),
                exchange_grants: Reading::read(vec![grant("Mail.Send")]),
                policies: none(),
                pointers: none(),
                assignments: none(),
                scopes: none(),
                groups: Vec::new(),
                units: Vec::new(),
                mailboxes: Reading::read(vec![ObjectId(Uuid::from_u128(7))]),
                special: None,
                stray_policies: None,
                powers: domain::reach::PowersSeen::none(),
                rights: domain::reach::RightsSeen::none(),
            },
            names: BTreeMap::new(),
            details: BTreeMap::from([(APP, PrincipalDetails::default())]),
            parts: Vec::new(),
            policies_call: None,
            calls: 0,
        }
    }

    fn not_read(part: ScanPart, remedy: Remedy) -> PartRead {
        PartRead {
            part,
            took_millis: 1,
            calls: 1,
            kept: None,
            result: PartResult::Unread {
                why: Why::Failed {
                    reason: "x".to_owned(),
                },
                problem: Box::new(Problem::new("x", remedy, "It broke.", "", "Wait.")),
            },
        }
    }

    #[test]
    fn permissions_of_two_resources_are_two() {
        let result = result(scan(), ScanMemory::default(), NOW);
        let [entry] = result.entries.as_slice() else {
            panic!("one application, not {:?}", result.entries);
        };
        let names: Vec<&str> = entry
            .permissions
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["Mail.Send", "Mail.Send (Exchange Online)"]);
        assert_eq!(result.problem, None);
    }

    #[test]
    fn reach_r05_who_only_acts_for_people_is_no_row() {
        let mut scan = scan();
        scan.seen.graph_grants = Reading::read(Vec::new());
        scan.seen.exchange_grants = Reading::read(Vec::new());
        scan.seen.rights.delegated = Reading::read(vec![domain::reach::DelegatedGrant {
            client: APP,
            resource: domain::permission::Resource::Graph,
            for_all: true,
            people: 0,
            scopes: vec!["Mail.Send".to_owned()],
        }]);
        let result = result(scan, ScanMemory::default(), NOW);
        assert_eq!(result.entries, []);
        // It is in a list apart from the applications that are counted, in the words of the page.
        let [delegated] = result.delegated.as_slice() else {
            panic!("one application, not {:?}", result.delegated);
        };
        assert_eq!(delegated.name, "Mailer");
        assert!(
            delegated
                .acts_as
                .iter()
                .any(|one| one.contains("Mail.Send")),
            "{delegated:?}"
        );
        let found = result.reach.application(APP).expect("still told of");
        assert!(found.only_delegated());
    }

    #[test]
    fn reach_m04_what_reads_no_content_is_no_danger_in_any_list() {
        let mut scan = scan();
        scan.seen.graph_grants = Reading::read(vec![grant("MailTips.ReadBasic.All")]);
        scan.seen.exchange_grants = Reading::read(Vec::new());
        let result = result(scan, ScanMemory::default(), NOW);
        let [entry] = result.entries.as_slice() else {
            panic!("one application, not {:?}", result.entries);
        };
        assert_eq!(entry.level, Level::Nothing);
        assert!(!entry.can_be_confined);
        assert_eq!(
            entry.permissions,
            [("MailTips.ReadBasic.All".to_owned(), Level::Nothing)]
        );
        let words = Words {
            reach: &result.reach,
            names: &result.names,
        };
        let found = result.reach.application(APP).expect("it");
        assert_eq!(
            words.sentence(found),
            "It can read mail tips, and reads no content of mailboxes."
        );
    }

    #[test]
    fn reach_r01_a_power_is_in_the_row_with_where_it_comes_from() {
        let mut scan = scan();
        scan.seen.graph_grants = Reading::read(vec![grant("AppRoleAssignment.ReadWrite.All")]);
        scan.seen.exchange_grants = Reading::read(Vec::new());
        let result = result(scan, ScanMemory::default(), NOW);
        let [entry] = result.entries.as_slice() else {
            panic!("one application, not {:?}", result.entries);
        };
        assert_eq!(entry.level, Level::Power);
        let [power] = entry.powers.as_slice() else {
            panic!("one power, not {:?}", entry.powers);
        };
        assert!(power.contains("AppRoleAssignment.ReadWrite.All"), "{power}");
    }

    #[test]
    fn field_b13_a_policy_for_an_object_id_says_whom_it_was_meant_for() {
        let policy = |app_id: Uuid| domain::application::AccessPolicy {
            identity: format!("policy of {app_id}"),
            app_id: Some(AppId(app_id)),
            right: domain::application::AccessRight::RestrictAccess,
            scope_object: None,
            scope_name: "Senders".to_owned(),
            description: String::new(),
            valid: true,
        };
        let mut scan = scan();
        scan.seen.all_principals = true;
        scan.seen.policies = Reading::read(vec![policy(APP.0), policy(Uuid::from_u128(77))]);
        let result = result(scan, ScanMemory::default(), NOW);
        let lines = super::super::strays::strays(&result.reach, &result.names);
        let said: Vec<String> = lines
            .iter()
            .map(|one| format!("{} {}", one.happened, one.meant))
            .collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().all(|one| one.contains("has no effect")));
        assert!(said.iter().any(|one| one.contains("object id of Mailer")));
        assert!(
            said.iter()
                .any(|one| one.contains("left over of a deleted application"))
        );
    }

    /// An application that a policy confines to these mailboxes, of five in all.
    fn confined(members: std::ops::Range<u128>) -> Scan {
        let group = ObjectId(Uuid::from_u128(50));
        let mut scan = scan();
        scan.seen.exchange_grants = Reading::read(Vec::new());
        scan.seen.mailboxes = Reading::read((10..15).map(Uuid::from_u128).map(ObjectId).collect());
        scan.seen.groups = vec![domain::reach::Group {
            object: group,
            name: "Senders".to_owned(),
            direct: Reading::read(domain::reach::Members {
                recipients: members.map(Uuid::from_u128).map(ObjectId).collect(),
                groups: Vec::new(),
            }),
            nested: None,
            writable: None,
            rule: None,
        }];
        scan.seen.policies = Reading::read(vec![domain::application::AccessPolicy {
            identity: "policy".to_owned(),
            app_id: Some(AppId(Uuid::from_u128(2))),
            right: domain::application::AccessRight::RestrictAccess,
            scope_object: Some(group),
            scope_name: "Senders".to_owned(),
            description: String::new(),
            valid: true,
        }]);
        scan
    }

    #[test]
    fn reach_r03_a_confinement_to_more_than_half_says_so() {
        let sentence = |members: std::ops::Range<u128>| {
            let scan = confined(members);
            let result = result(scan, ScanMemory::default(), NOW);
            let words = Words {
                reach: &result.reach,
                names: &result.names,
            };
            words.sentence(result.reach.application(APP).expect("it"))
        };
        let (some, most) = (sentence(10..12), sentence(10..13));
        assert!(
            some.contains("2 of 5 mailboxes") && !some.contains("half"),
            "{some}"
        );
        assert!(
            most.contains("3 of 5 mailboxes") && most.contains("more than half"),
            "{most}"
        );
    }

    #[test]
    fn reach_r11_nobody_is_said_only_where_powers_were_read() {
        let mut scan = scan();
        scan.seen.powers.directory_roles = Reading::Failed {
            reason: "x".to_owned(),
        };
        let hidden = result(scan, ScanMemory::default(), NOW);
        let words = Words {
            reach: &hidden.reach,
            names: &hidden.names,
        };
        assert_eq!(
            words.unlisted(),
            ["The directory roles of applications: failed: x"]
        );
        let all = result(self::scan(), ScanMemory::default(), NOW);
        let words = Words {
            reach: &all.reach,
            names: &all.names,
        };
        assert_eq!(words.unlisted(), [] as [String; 0]);
    }

    #[test]
    fn what_was_not_read_stands_in_for_nothing_and_is_unseen() {
        let first = result(scan(), ScanMemory::default(), NOW);
        let memory = ScanMemory {
            kept: first.kept.clone(),
            known: first.known.clone(),
            ..ScanMemory::default()
        };
        let mut later = scan();
        later.seen.graph_grants = Reading::Failed {
            reason: "x".to_owned(),
        };
        later.parts = vec![not_read(ScanPart::GraphGrants, Remedy::Wait)];
        let second = result(later, memory, Timestamp::from_millis(2000));
        assert_eq!(second.changes, [], "nothing is certain to have changed");
        let [entry] = second.entries.as_slice() else {
            panic!("one application, not {:?}", second.entries);
        };
        assert_eq!(entry.level, Level::Unrestricted);
        assert!(
            entry
                .permissions
                .contains(&(UNSEEN.to_owned(), Level::Unknown))
        );
        assert_eq!(second.parts.first().and_then(|part| part.kept), Some(NOW));
        let problem = second.problem.expect("it was not read whole");
        assert_eq!(
            problem.happened,
            "Permissions on Microsoft Graph could not be read: It broke."
        );
        assert_eq!(second.reach.unlisted.level(), Level::Unknown);
    }

    #[test]
    fn reach_r03_of_an_unread_number_is_not_green() {
        let mut scan = confined(10..15);
        scan.seen.mailboxes = Reading::Failed {
            reason: "time-out".to_owned(),
        };
        let result = result(scan, ScanMemory::default(), NOW);
        let [entry] = result.entries.as_slice() else {
            panic!("one application, not {:?}", result.entries);
        };
        assert_eq!(entry.level, Level::Unknown);
        let words = Words {
            reach: &result.reach,
            names: &result.names,
        };
        let found = result.reach.application(APP).expect("it");
        let said = words.sentence(found);
        assert!(said.contains("5 mailboxes of an unread number"), "{said}");
        let gaps = words.gaps(found);
        assert!(
            gaps.iter().any(|gap| gap.contains("The list of mailboxes")),
            "{gaps:?}"
        );
    }

    #[test]
    fn field_b09_a_row_says_what_was_taken_away_and_until_when() {
        let before = result(confined(10..12), ScanMemory::default(), NOW);
        let [entry] = before.entries.as_slice() else {
            panic!("one application, not {:?}", before.entries);
        };
        assert_eq!(entry.may_still, None);
        let removed = ObjectId(Uuid::from_u128(11));
        let memory = ScanMemory {
            known: before.known,
            names: BTreeMap::from([(removed, "info@fabrikam.example".to_owned())]),
            // A setup has proved what is left. The mailbox that was taken out is none of those that
            // it tried.
            proven: vec![(
                AppId(Uuid::from_u128(2)),
                vec![ObjectId(Uuid::from_u128(10))],
            )],
            ..ScanMemory::default()
        };
        let later = NOW.plus_seconds(3600);
        let after = result(confined(10..11), memory, later);
        let [entry] = after.entries.as_slice() else {
            panic!("one application, not {:?}", after.entries);
        };
        assert_eq!(entry.level, Level::Confined);
        let may_still = entry.may_still.clone().expect("what may still work");
        assert_eq!(may_still.what, "send mail in info@fabrikam.example");
        assert_eq!(may_still.until, later.plus_seconds(24 * 3600));
        assert!(after.names.contains_key(&removed));
    }
}
