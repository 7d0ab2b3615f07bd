//! Compares the scans of one customer.
//!
//! The comparison is between what is certain now and what was last certain (the baseline), however
//! many scans lie between. A part that cannot be read for a while makes no change, and neither does
//! the scan that reads it again. A change that happened meanwhile is reported as soon as it is
//! certain.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    answer::{Answer, ApplicationReach, Extent, Level, Reach},
    lost::Lost,
    permission::Permission,
    powers::Power,
};
use crate::{Timestamp, id::ObjectId};

/// An answer that has changed, or a power that was gained or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub application: ObjectId,
    pub name: Option<String>,
    pub what: Changed,
    pub direction: Direction,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    Permission {
        permission: Permission,
        before: Mailboxes,
        after: Mailboxes,
    },
    /// A power. The direction `Wider` means gained, `Narrower` means lost.
    Power { power: Power },
}

/// The direction of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// More can be reached.
    Wider,
    /// Some mailboxes are reached that were not reached before, and others are not reached any
    /// more.
    Moved,
    /// Less can be reached.
    Narrower,
}

/// A set of mailboxes by object id, because every scan numbers them differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailboxes {
    /// The set is every mailbox but the listed ones.
    inverted: bool,
    /// The listed mailboxes were every person's at the time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    everybody: bool,
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
            everybody: false,
            listed: set.into_iter().flat_map(|set| reach.members(set)).collect(),
        }
    }

    /// The mailboxes of an answer. None: the answer is not certain.
    fn certain(reach: &Reach, answer: &Answer) -> Option<Self> {
        (answer.level() != Level::Unknown).then(|| Self {
            everybody: matches!(answer, Answer::Everyone { .. }),
            ..Self::new(reach, answer.at_most())
        })
    }

    const fn none() -> Self {
        Self {
            inverted: false,
            everybody: false,
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

    /// The listed mailboxes. None: the set is every mailbox, or every mailbox but some.
    pub(super) fn listed(&self) -> Option<impl Iterator<Item = ObjectId> + '_> {
        (!self.inverted).then(|| self.listed.iter().copied())
    }

    pub fn level(&self) -> Level {
        match (self.inverted, self.listed.is_empty()) {
            (true, true) => Level::Unrestricted,
            (true, false) => Level::AllExcept,
            (false, true) => Level::Nothing,
            (false, false) if self.everybody => Level::Unrestricted,
            (false, false) => Level::Confined,
        }
    }

    /// Example: “every mailbox but 2”.
    pub fn words(&self) -> String {
        match (self.level(), self.listed.len()) {
            (_, count) if self.everybody => format!("every person's mailbox for now ({count})"),
            (Level::Power | Level::Unrestricted | Level::Unknown, _) => "every mailbox".to_owned(),
            (Level::Nothing, _) => "no mailbox".to_owned(),
            (Level::AllExcept, count) => format!("every mailbox but {count}"),
            (Level::Confined, 1) => "1 mailbox".to_owned(),
            (Level::Confined, count) => format!("{count} mailboxes"),
        }
    }
}

/// The baseline: the last certain answer for each permission of each application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    applications: BTreeMap<ObjectId, KnownApplication>,
    /// It was certain once that no other application holds anything.
    all: bool,
    /// It was certain once that no other application holds a power.
    #[serde(default)]
    all_powers: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct KnownApplication {
    name: Option<String>,
    permissions: Vec<KnownPermission>,
    /// It was certain once that the application holds nothing else.
    all: bool,
    /// The powers that were last certain.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    powers: BTreeSet<Power>,
    /// It was certain once that the application holds no other power.
    #[serde(default)]
    all_powers: bool,
    /// What was taken from the application, as long as Microsoft's servers may not know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lost: Vec<Lost>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownPermission {
    permission: Permission,
    mailboxes: Mailboxes,
    at: Timestamp,
}

impl KnownApplication {
    fn level(&self) -> Option<Level> {
        let power = (!self.powers.is_empty()).then_some(Level::Power);
        self.permissions
            .iter()
            .filter(|one| one.permission.weight().counts())
            .map(|one| one.mailboxes.level())
            .chain(power)
            .min()
            .or_else(|| (!self.permissions.is_empty()).then_some(Level::Nothing))
    }

    /// The last certain mailboxes of a permission. None: not known.
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
    /// Updates the baseline with what is certain in a reach, and gives the changes. Changes that
    /// widen come first, then the order is by application. `at`: when the reach was read. An empty
    /// baseline makes no changes.
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
        self.all_powers |= reach.powers_unseen.is_empty();
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
                all_powers: self.all_powers,
                ..KnownApplication::default()
            });
        if let Some(name) = new.and_then(|application| application.name.clone()) {
            known.name = Some(name);
        }
        known.lost.retain(|lost| !lost.is_over(at));
        for permission in held(&known, new) {
            let answer = reach.answer(object, &permission);
            let Some(after) = Mailboxes::certain(reach, answer) else {
                continue;
            };
            if let Some(before) = known.get(&permission)
                && let Some(direction) = direction(&before, &after)
            {
                let held = new.into_iter().flat_map(|one| &one.permissions);
                let mut held = held.filter(|one| one.permission == permission);
                if direction != Direction::Wider
                    && let Some(held) = held.next()
                {
                    known.lost.push(Lost::new(held, before.clone(), at));
                }
                changes.push(Change {
                    application: object,
                    name: known.name.clone(),
                    what: Changed::Permission {
                        permission: permission.clone(),
                        before,
                        after: after.clone(),
                    },
                    direction,
                });
            }
            known.put(&permission, after, at);
        }
        known.all |= *others == Answer::Nothing;
        let gaps = new.map_or(&reach.powers_unseen, |application| &application.powers.gaps);
        let held = new.map(|application| application.powers.held.as_slice());
        changes.extend(learn_powers(object, &mut known, held, gaps.is_empty()));
        if new.is_some() || *others != Answer::Nothing || !gaps.is_empty() {
            self.applications.insert(object, known);
        }
    }

    pub(super) fn lost(&self, application: ObjectId) -> impl Iterator<Item = &Lost> {
        self.applications
            .get(&application)
            .into_iter()
            .flat_map(|known| &known.lost)
    }

    /// The worst last certain level of an application. None: it is not known, or it holds nothing.
    pub fn level(&self, application: ObjectId) -> Option<Level> {
        self.applications.get(&application)?.level()
    }

    /// The permissions of an application, with what each last certainly reached, and when that was
    /// read.
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

/// Updates the last certain powers. A power that is certain is recorded at once. A power is
/// recorded as gone, or as absent, only when no gap can hide one.
fn learn_powers(
    application: ObjectId,
    known: &mut KnownApplication,
    held: Option<&[Power]>,
    whole: bool,
) -> Vec<Change> {
    let held = held.into_iter().flatten();
    let (now, perhaps): (BTreeSet<&Power>, BTreeSet<&Power>) =
        held.partition(|power| !power.perhaps);
    let change = |power: &Power, direction| Change {
        application,
        name: known.name.clone(),
        what: Changed::Power {
            power: power.clone(),
        },
        direction,
    };
    let was_perhaps = |gone: &Power| {
        perhaps
            .iter()
            .any(|one| one.kind == gone.kind && one.from == gone.from)
    };
    let gained: Vec<Power> = (now.iter().copied())
        .filter(|power| !known.powers.contains(power))
        .cloned()
        .collect();
    let lost: Vec<Power> = (known.powers.iter())
        .filter(|power| whole && !now.contains(power) && !was_perhaps(power))
        .cloned()
        .collect();
    let told = gained.iter().filter(|_| known.all_powers);
    let changes = told
        .map(|power| change(power, Direction::Wider))
        .chain(lost.iter().map(|power| change(power, Direction::Narrower)))
        .collect();
    known.powers.extend(gained);
    for power in &lost {
        known.powers.remove(power);
    }
    known.all_powers |= whole;
    changes
}

/// The permissions that the baseline has, and those that the application has now.
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

    /// The changes of the last of several scans.
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
                    match &change.what {
                        Changed::Power { .. } => "power",
                        Changed::Permission { permission, .. } => match permission.value.as_ref() {
                            "Mail.Send" => "send",
                            "Mail.Read" => "read",
                            _ => "more",
                        },
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
    fn reach_r01_powers_that_come_and_go_are_changes() {
        use Direction::{Narrower, Wider};
        let send = || customer().graph("Mail.Send").restrict(BOARD);
        let with = || send().graph("AppRoleAssignment.ReadWrite.All");
        let unread = || with().with(|seen| seen.powers.ownerships = failed());
        assert_eq!(changes(&[&send(), &with()]), [("power", Wider)]);
        assert_eq!(changes(&[&with(), &send()]), [("power", Narrower)]);
        assert_eq!(changes(&[&with()]), []);
        // While a part is hidden, no power counts as gone, and the powers that are seen are
        // recorded.
        let hidden = send().with(|seen| seen.powers.ownerships = failed());
        assert_eq!(changes(&[&with(), &hidden]), []);
        assert_eq!(changes(&[&with(), &hidden, &send()]), [("power", Narrower)]);
        assert_eq!(changes(&[&send(), &unread()]), [("power", Wider)]);
        // A first scan that could not read everything says nothing of what was there before.
        assert_eq!(changes(&[&hidden, &with()]), []);
        let mut known = Known::default();
        known.learn(&with().reach(), NOW);
        assert_eq!(known.level(APP), Some(Level::Power));
    }

    #[test]
    fn reach_r03_everybody_is_not_confined_in_history() {
        let mut known = Known::default();
        let all = || {
            let members = crate::reach::samples::MAILBOXES.map(|(object, _)| object);
            customer().graph("Mail.Send").restrict(BOARD).with(|seen| {
                seen.groups[2].direct = crate::reach::Reading::read(crate::reach::Members {
                    recipients: members.to_vec(),
                    groups: Vec::new(),
                });
            })
        };
        known.learn(&all().reach(), NOW);
        assert_eq!(known.level(APP), Some(Level::Unrestricted));
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
