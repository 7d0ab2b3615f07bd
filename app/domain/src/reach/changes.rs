//! What changed between the scans of one customer.
//!
//! Compared is what is certain with what was last certain, however many scans lie between: a part
//! that cannot be read for a while is no change, and neither is its being read again. What changed
//! meanwhile is told as soon as it is certain.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    answer::{Answer, ApplicationReach, Extent, Level, Reach},
    permission::Permission,
};
use crate::{Timestamp, id::ObjectId};

/// One answer that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub application: ObjectId,
    pub name: Option<String>,
    pub permission: Permission,
    pub before: Mailboxes,
    pub after: Mailboxes,
    pub direction: Direction,
}

/// Which way an answer changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// More can be reached.
    Wider,
    /// Some can be reached that could not be before, and the other way round.
    Moved,
    /// Less can be reached.
    Narrower,
}

/// Mailboxes by object id, since two scans number them differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailboxes {
    /// All but those that are listed.
    inverted: bool,
    listed: BTreeSet<ObjectId>,
}

impl Mailboxes {
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

    /// None: that is not certain.
    fn certain(reach: &Reach, answer: &Answer) -> Option<Self> {
        (answer.level() != Level::Unknown).then(|| Self::new(reach, answer.at_most()))
    }

    const fn none() -> Self {
        Self {
            inverted: false,
            listed: BTreeSet::new(),
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

    pub fn level(&self) -> Level {
        match (self.inverted, self.listed.is_empty()) {
            (true, true) => Level::Unrestricted,
            (true, false) => Level::AllExcept,
            (false, true) => Level::Nothing,
            (false, false) => Level::Confined,
        }
    }

    /// “every mailbox but 2”.
    pub fn words(&self) -> String {
        match (self.level(), self.listed.len()) {
            (Level::Power | Level::Unrestricted | Level::Unknown, _) => "every mailbox".to_owned(),
            (Level::Nothing, _) => "no mailbox".to_owned(),
            (Level::AllExcept, count) => format!("every mailbox but {count}"),
            (Level::Confined, 1) => "1 mailbox".to_owned(),
            (Level::Confined, count) => format!("{count} mailboxes"),
        }
    }
}

/// The last certain answer for each permission of each application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    applications: BTreeMap<ObjectId, KnownApplication>,
    /// It was certain once that no other application holds anything.
    all: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct KnownApplication {
    name: Option<String>,
    permissions: Vec<KnownPermission>,
    /// It was certain once that it holds nothing else.
    all: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownPermission {
    permission: Permission,
    mailboxes: Mailboxes,
    at: Timestamp,
}

impl KnownApplication {
    fn level(&self) -> Option<Level> {
        self.permissions
            .iter()
            .map(|one| one.mailboxes.level())
            .min()
    }

    /// None: not known.
    fn get(&self, permission: &Permission) -> Option<Mailboxes> {
        self.permissions
            .iter()
            .find(|one| one.permission == *permission)
            .map(|one| one.mailboxes.clone())
            .or_else(|| self.all.then(Mailboxes::none))
    }

    fn put(&mut self, permission: &Permission, mailboxes: Mailboxes, at: Timestamp) {
        self.permissions.retain(|one| one.permission != *permission);
        self.permissions.push(KnownPermission {
            permission: permission.clone(),
            mailboxes,
            at,
        });
    }
}

impl Known {
    /// Takes over what is certain in a reach that was read at a moment, and gives what is another
    /// than before: what got wider first, then by application. Nothing is new to whoever knew
    /// nothing before.
    pub fn learn(&mut self, reach: &Reach, at: Timestamp) -> Vec<Change> {
        let objects: BTreeSet<ObjectId> = reach
            .applications
            .iter()
            .map(|one| one.object)
            .chain(self.applications.keys().copied())
            .collect();
        let mut changes = Vec::new();
        for object in objects {
            self.learn_one(object, reach, at, &mut changes);
        }
        self.all |= reach.unlisted == Answer::Nothing;
        changes.sort_by_key(|change| change.direction);
        changes
    }

    fn learn_one(
        &mut self,
        object: ObjectId,
        reach: &Reach,
        at: Timestamp,
        changes: &mut Vec<Change>,
    ) {
        let new = reach.application(object);
        let others = new.map_or(&reach.unlisted, |application| &application.others);
        let mut known = self
            .applications
            .remove(&object)
            .unwrap_or_else(|| KnownApplication {
                all: self.all,
                ..KnownApplication::default()
            });
        if let Some(name) = new.and_then(|application| application.name.clone()) {
            known.name = Some(name);
        }
        for permission in held(&known, new) {
            let answer = reach.answer(object, &permission);
            let Some(after) = Mailboxes::certain(reach, answer) else {
                continue;
            };
            if let Some(before) = known.get(&permission)
                && let Some(direction) = direction(&before, &after)
            {
                changes.push(Change {
                    application: object,
                    name: known.name.clone(),
                    permission: permission.clone(),
                    before,
                    after: after.clone(),
                    direction,
                });
            }
            known.put(&permission, after, at);
        }
        known.all |= *others == Answer::Nothing;
        if new.is_some() || *others != Answer::Nothing {
            self.applications.insert(object, known);
        }
    }

    /// The worst that is certain of an application; none: it is not known, or holds nothing.
    pub fn level(&self, application: ObjectId) -> Option<Level> {
        self.applications.get(&application)?.level()
    }

    /// Each permission of an application with what was last certain, and when that was.
    pub fn of(
        &self,
        application: ObjectId,
    ) -> impl Iterator<Item = (&Permission, &Mailboxes, Timestamp)> {
        self.applications
            .get(&application)
            .into_iter()
            .flat_map(|known| &known.permissions)
            .map(|one| (&one.permission, &one.mailboxes, one.at))
    }
}

/// Every permission that was known, or is there.
fn held(known: &KnownApplication, new: Option<&ApplicationReach>) -> BTreeSet<Permission> {
    let before = known.permissions.iter().map(|one| one.permission.clone());
    let now = new
        .into_iter()
        .flat_map(|application| &application.permissions)
        .map(|one| one.permission.clone());
    before.chain(now).collect()
}

fn direction(before: &Mailboxes, after: &Mailboxes) -> Option<Direction> {
    match (before.is_within(after), after.is_within(before)) {
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

    const NOW: Timestamp = Timestamp::from_millis(1000);

    /// What the last of several readings brought.
    fn changes(readings: &[&Sample]) -> Vec<(&'static str, Direction)> {
        let mut known = Known::default();
        let mut last = Vec::new();
        for reading in readings {
            last = known.learn(&reading.reach(), NOW);
        }
        last.into_iter()
            .map(|change| {
                assert_eq!(change.application, APP);
                assert_eq!(change.name.as_deref(), Some("Mailer"));
                (
                    match change.permission.value.as_ref() {
                        "Mail.Send" => "send",
                        "Mail.Read" => "read",
                        _ => "more",
                    },
                    change.direction,
                )
            })
            .collect()
    }

    #[test]
    fn tells_which_way_each_answer_went() {
        use Direction::{Moved, Narrower, Wider};
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
                vec![],
            ),
            (
                "never certain before",
                send().with(|seen| seen.policies = failed()),
                send().restrict(EMPTY),
                vec![],
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
            assert_eq!(changes(&[&before, &after]), expected, "{name}");
        }
    }

    #[test]
    fn the_first_reading_is_no_change() {
        assert_eq!(changes(&[&customer().graph("Mail.Send")]), []);
    }

    #[test]
    fn what_changes_while_it_cannot_be_read_is_told_once_it_can() {
        let before = customer().graph("Mail.Send").restrict(CEO);
        let between = before.clone().with(|seen| seen.policies = failed());
        let after = customer().graph("Mail.Send");
        assert_eq!(changes(&[&before, &between, &between]), []);
        assert_eq!(changes(&[&before, &between, &before]), []);
        assert_eq!(
            changes(&[&before, &between, &after]),
            [("send", Direction::Wider)]
        );
        assert_eq!(changes(&[&before, &between, &after, &after]), []);
    }

    #[test]
    fn an_application_is_gone_only_when_all_of_them_are_known() {
        let before = customer().graph("Mail.Send");
        let unread = customer().with(|seen| {
            seen.all_principals = false;
            seen.graph_grants = failed();
        });
        assert_eq!(unread.reach().unlisted.level(), Level::Unknown);
        assert_eq!(changes(&[&before, &unread]), []);
        assert_eq!(changes(&[&before, &unread, &before]), []);
        assert_eq!(
            changes(&[&before, &unread, &customer()]),
            [("send", Direction::Narrower)]
        );
    }

    #[test]
    fn what_a_first_reading_could_not_see_is_not_new() {
        let unread = customer().with(|seen| {
            seen.all_principals = false;
            seen.graph_grants = failed();
        });
        assert_eq!(changes(&[&unread, &customer().graph("Mail.Send")]), []);
    }

    #[test]
    fn what_was_last_certain_is_kept_with_its_time() {
        let mut known = Known::default();
        let before = customer().graph("Mail.Send").restrict(BOARD);
        known.learn(&before.reach(), NOW);
        let unread = before.with(|seen| seen.policies = failed());
        known.learn(&unread.reach(), Timestamp::from_millis(2000));
        let kept: Vec<_> = known
            .of(APP)
            .map(|(permission, mailboxes, at)| {
                (permission.value.to_string(), mailboxes.words(), at)
            })
            .collect();
        assert_eq!(
            kept,
            [("Mail.Send".to_owned(), "2 mailboxes".to_owned(), NOW)]
        );
        assert_eq!(known.level(APP), Some(Level::Confined));
    }
}
