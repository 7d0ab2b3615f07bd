//! What a scan comes to: judged, compared with what was last certain, and flat for lists.

use std::collections::BTreeMap;

use domain::{
    Problem, Timestamp,
    exposure::ReachChange,
    id::ObjectId,
    problem::Remedy,
    reach::{ApplicationReach, Judge, Level, PartRead, Reach, Seen},
};
use microsoft::scan::Scan;
use serde_json::json;
use store::{ReachEntry, ScanMemory, ScanResult};

use super::{proven::is_as_proven, unread::unread};

/// What may be held unseen, in lists of permissions.
pub(super) const UNSEEN: &str = "unseen";

/// What was read at `now`, with what is known from before.
pub(super) fn result(scan: Scan, memory: ScanMemory, now: Timestamp) -> ScanResult {
    let Scan {
        mut seen,
        names,
        details,
        mut parts,
        ..
    } = scan;
    let whole = unread(&parts).next().is_none();
    // Only what was read now is certain enough for the history.
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
    let names = memory.names.into_iter().chain(names).collect();
    let entries = reach
        .applications
        .iter()
        // Without a signed-in user it reaches nothing: it is no row of those that do.
        .filter(|application| !application.only_delegated())
        .map(|application| ReachEntry {
            object: application.object,
            app_id: application.app_id.map(|id| id.0),
            name: application
                .name
                .clone()
                .unwrap_or_else(|| application.object.to_string()),
            publisher: application.publisher.clone(),
            owner: json!(application.owner),
            level: application.level(),
            as_proven: is_as_proven(&reach, application, &memory.proven),
            can_be_confined: application.can_be_confined(),
            permissions: held(application),
            details: details
                .get(&application.object)
                .map(|details| json!(details)),
        })
        .collect();
    ScanResult {
        whole,
        problem: partly(&parts),
        changes,
        mailboxes: seen.mailboxes.get().ok().map(|list| called(list, &names)),
        names: named(&reach, &names),
        entries,
        parts,
        reach,
        kept,
        known,
    }
}

/// The judge's parts are not made to cross threads, so it lives and ends here.
fn judged(seen: &Seen) -> Reach {
    Judge::new(seen).reach()
}

/// Each permission by its name, with its level; what may be held unseen is called so.
fn held(application: &ApplicationReach) -> Vec<(String, Level)> {
    let unseen = application.others.level();
    application
        .permissions
        .iter()
        .map(|one| {
            // What reads no content is in the list, and no danger there.
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

/// Only the names that the reach needs: those of mailboxes and groups that it mentions.
fn named(reach: &Reach, names: &BTreeMap<ObjectId, String>) -> BTreeMap<ObjectId, String> {
    let scopes = reach.policies.iter().filter_map(|policy| policy.scope);
    reach
        .mailboxes
        .iter()
        .copied()
        .chain(scopes)
        .filter_map(|object| Some((object, names.get(&object)?.clone())))
        .collect()
}

/// Mailboxes with what pages call them, by that.
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

/// What lists say of a customer that was not read whole. The parts say more.
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
}
