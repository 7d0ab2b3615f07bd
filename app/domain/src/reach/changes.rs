//! What changed between two scans of one customer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    answer::{Answer, ApplicationReach, Extent, Level, Reach},
    permission::Permission,
};
use crate::id::ObjectId;

/// One answer that is another one now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub application: ObjectId,
    pub name: Option<String>,
    /// None: what the application may hold unseen.
    pub permission: Option<Permission>,
    pub before: Level,
    pub after: Level,
    pub direction: Direction,
}

/// Which way an answer changed. Gaps that only have another reason are no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More can be reached.
    Wider,
    /// Some can be reached that could not be before, and the other way round.
    Moved,
    /// It was known, and is not any more.
    Unclear,
    /// It was not known, and is now.
    Clear,
    /// Less can be reached.
    Narrower,
}

/// Mailboxes by object id, since the two scans number them differently.
#[derive(PartialEq, Eq)]
struct Ids {
    inverted: bool,
    listed: BTreeSet<ObjectId>,
}

impl Ids {
    fn new(reach: &Reach, extent: Extent) -> Self {
        let (inverted, set) = match extent {
            Extent::Everything => (true, None),
            Extent::AllExcept { mailboxes } => (true, Some(mailboxes)),
            Extent::Only { mailboxes } => (false, Some(mailboxes)),
            Extent::Nothing => (false, None),
        };
        Self {
            inverted,
            listed: set.into_iter().flat_map(|set| reach.members(set)).collect(),
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        match (self.inverted, other.inverted) {
            (false, false) => self.listed.is_subset(&other.listed),
            (false, true) => self.listed.is_disjoint(&other.listed),
            (true, false) => false,
            (true, true) => other.listed.is_subset(&self.listed),
        }
    }
}

impl Reach {
    /// What changed since an earlier scan: what got wider first, then by application.
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        let objects: BTreeSet<ObjectId> = [earlier, self]
            .into_iter()
            .flat_map(|reach| reach.applications.iter().map(|one| one.object))
            .collect();
        let mut changes = Vec::new();
        for object in objects {
            let (old, new) = (earlier.application(object), self.application(object));
            let (before, after) = (answers(earlier, old), answers(self, new));
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
            for permission in keys {
                // A permission that is not listed is answered with all others that are not.
                let of = |answers: &BTreeMap<_, &Answer>| {
                    answers
                        .get(&permission)
                        .or(answers.get(&None))
                        .copied()
                        .cloned()
                };
                let (Some(was), Some(is)) = (of(&before), of(&after)) else {
                    continue;
                };
                if let Some(direction) = direction(earlier, &was, self, &is) {
                    changes.push(Change {
                        application: object,
                        name: new.or(old).and_then(|one| one.name.clone()),
                        permission: permission.cloned(),
                        before: was.level(),
                        after: is.level(),
                        direction,
                    });
                }
            }
        }
        changes.sort_by_key(|change| change.direction);
        changes
    }
}

/// By permission; none for those that are not listed.
fn answers<'a>(
    reach: &'a Reach,
    application: Option<&'a ApplicationReach>,
) -> BTreeMap<Option<&'a Permission>, &'a Answer> {
    let Some(application) = application else {
        return BTreeMap::from([(None, &reach.unlisted)]);
    };
    application
        .permissions
        .iter()
        .map(|one| (Some(&one.permission), &one.answer))
        .chain([(None, &application.others)])
        .collect()
}

fn direction(earlier: &Reach, was: &Answer, later: &Reach, is: &Answer) -> Option<Direction> {
    match (was.level() == Level::Unknown, is.level() == Level::Unknown) {
        (false, true) => return Some(Direction::Unclear),
        (true, false) => return Some(Direction::Clear),
        _ => {}
    }
    let least = (
        Ids::new(earlier, was.at_least()),
        Ids::new(later, is.at_least()),
    );
    let most = (
        Ids::new(earlier, was.at_most()),
        Ids::new(later, is.at_most()),
    );
    let within = least.0.is_within(&least.1) && most.0.is_within(&most.1);
    let holds = least.1.is_within(&least.0) && most.1.is_within(&most.0);
    match (within, holds) {
        (true, true) => None,
        (true, false) => Some(Direction::Wider),
        (false, true) => Some(Direction::Narrower),
        (false, false) => Some(Direction::Moved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::samples::{
        APP, BOARD, CEO, EMPTY, INNER, SALES, Sample, customer, failed, in_group,
    };

    fn changes(before: &Sample, after: &Sample) -> Vec<(&'static str, Direction)> {
        after
            .reach()
            .changes_since(&before.reach())
            .into_iter()
            .map(|change| {
                assert_eq!(change.application, APP);
                assert_eq!(change.name.as_deref(), Some("Mailer"));
                let permission = change.permission.map(|permission| permission.value);
                (
                    match permission.as_deref() {
                        Some("Mail.Send") => "send",
                        Some("Mail.Read") => "read",
                        Some(_) => "more",
                        None => "unseen",
                    },
                    change.direction,
                )
            })
            .collect()
    }

    #[test]
    fn tells_which_way_each_answer_went() {
        use Direction::{Clear, Moved, Narrower, Unclear, Wider};
        let send = || customer().graph("Mail.Send");
        for (name, before, after, expected) in [
            ("nothing", send(), send(), vec![]),
            (
                "read in another order",
                send().restrict(BOARD),
                send().with(|seen| seen.groups.reverse()).restrict(BOARD),
                vec![],
            ),
            (
                "restricted",
                send(),
                send().restrict(BOARD),
                vec![("send", Narrower)],
            ),
            (
                "opened",
                send().restrict(BOARD),
                send(),
                vec![("send", Wider)],
            ),
            (
                "a mailbox more",
                send().restrict(CEO),
                send().restrict(BOARD),
                vec![("send", Wider)],
            ),
            (
                "another mailbox",
                send().restrict(CEO),
                send().restrict(SALES),
                vec![("send", Moved)],
            ),
            (
                "one left out",
                send().deny(CEO),
                send().deny(BOARD),
                vec![("send", Narrower)],
            ),
            (
                "not read any more",
                send().restrict(CEO),
                send().restrict(CEO).with(|seen| seen.policies = failed()),
                vec![("send", Unclear)],
            ),
            (
                "read again",
                send().with(|seen| seen.policies = failed()),
                send().restrict(EMPTY),
                vec![("send", Clear)],
            ),
            (
                "a new permission",
                send(),
                send().assign("Application Mail.Read", in_group(INNER)),
                vec![("read", Wider)],
            ),
            (
                "a new application",
                customer(),
                send(),
                vec![("send", Wider)],
            ),
            ("removed", send(), customer(), vec![("send", Narrower)]),
        ] {
            assert_eq!(changes(&before, &after), expected, "{name}");
        }
    }

    #[test]
    fn what_may_be_held_unseen_is_a_change() {
        let before = customer().graph("Mail.Send");
        let after = before.clone().with(|seen| seen.exchange_grants = failed());
        let found = after.reach().changes_since(&before.reach());
        assert!(found.iter().any(|change| {
            change.application == APP
                && change.permission.is_none()
                && change.direction == Direction::Unclear
        }));
    }
}
