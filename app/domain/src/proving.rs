//! The proof by real mail: what it keeps from one look to the next, and when a refusal counts.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, id::ObjectId, proof::Proved};

/// As many permitted senders are tried; the others are members of the same group.
pub const TRIED_SENDERS: usize = 2;
/// Mails as one mailbox in a day, while one that must be refused still goes through.
pub const MAILS_A_DAY: usize = 12;
/// All mailboxes are tried so often, ten minutes apart.
pub const ROUNDS: usize = 2;
/// So many mailboxes a proof that is made again tries at most: each sends, or causes, a mail.
pub const MOST_AGAIN: usize = 20;
/// A policy that was removed goes on refusing for so long at most (MICROSOFT.md §2.4).
/// Milliseconds of Microsoft's time.
pub const LAPSES_WITHIN: i64 = 2 * 3_600_000;
/// The subject of every mail of a proof.
pub const SUBJECT: &str = "Postern tests who this application may send as";

/// What the step of the proof keeps between its looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proving {
    /// Mails that were tried, refused ones included.
    pub tried: u32,
    /// Mails that Microsoft accepted, so that somebody received them.
    pub accepted: u32,
    /// When this proof began.
    pub begun: Option<Timestamp>,
    /// When something that decides was last seen to change: another policy about the application,
    /// or the setup's own that was away.
    pub disturbed: Option<Timestamp>,
    /// When a mailbox that must be refused was first accepted, while no other policy was known
    /// that could have refused it: a refusal afterwards is a new one.
    pub opened: Option<Timestamp>,
    /// A refusal counts from then on; shown while it does not yet.
    pub counts_from: Option<Timestamp>,
    /// The first whole round in which all held; a second one follows.
    pub held: Option<Timestamp>,
    /// What rounds have shown.
    pub proved: Option<Proved>,
    /// Somebody asked for the proof again, for these mailboxes.
    pub again: Option<Again>,
}

/// A proof that is made again, alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    pub mailboxes: Vec<ObjectId>,
    pub at: Timestamp,
    pub by: String,
}

/// What can have refused a mail beside the policy that is to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// When the policy was made, or found.
    pub made: Timestamp,
    /// When a policy of another setup for the same application was last removed.
    pub undone: Option<Timestamp>,
    /// Another policy about the application is known to have been there within the time in which
    /// it can still refuse.
    pub other_known: bool,
}

impl Before {
    /// From when on every refusal is the policy's: whatever was removed before has lapsed by then.
    ///
    /// No policy that was there before this one can have been removed later than this one was
    /// made without being seen, because every look reads the policies: one that goes away later
    /// counts as a disturbance. `lapse`: how long a removed policy goes on refusing.
    pub fn all_lapsed(&self, proving: &Proving, lapse: i64) -> Timestamp {
        let last = [Some(self.made), self.undone, proving.disturbed]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(self.made);
        last.plus_millis(lapse)
    }

    /// Whether another policy can refuse at `now`, as far as anybody knows.
    pub fn other_may_refuse(&self, proving: &Proving, now: Timestamp, lapse: i64) -> bool {
        let recent = |at: Option<Timestamp>| at.is_some_and(|at| now < at.plus_millis(lapse));
        recent(self.undone)
            || recent(proving.disturbed)
            || (self.other_known && now < self.made.plus_millis(lapse))
    }

    /// Whether a refusal at `now` can only be the policy's.
    ///
    /// Either everything else has lapsed; or the mailbox was accepted after the policy was made
    /// and nothing else is known that could refuse: then what refuses now is new. Where something
    /// else is known, an acceptance may only be the gap between the two.
    pub fn counts(&self, proving: &Proving, now: Timestamp, lapse: i64) -> bool {
        if now >= self.all_lapsed(proving, lapse) {
            return true;
        }
        proving.opened.is_some_and(|at| at > self.made)
            && !self.other_may_refuse(proving, now, lapse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAPSE: i64 = 100;

    fn before(made: i64, undone: Option<i64>, other_known: bool) -> Before {
        Before {
            made: Timestamp(made),
            undone: undone.map(Timestamp),
            other_known,
        }
    }

    fn opened(at: i64) -> Proving {
        Proving {
            opened: Some(Timestamp(at)),
            ..Proving::default()
        }
    }

    #[test]
    fn live_x3_a_refusal_counts_only_when_nothing_else_can_refuse() {
        let disturbed = Proving {
            opened: Some(Timestamp(1_050)),
            disturbed: Some(Timestamp(1_060)),
            ..Proving::default()
        };
        let nothing = Proving::default();
        // (what was before, what was seen, now, whether it counts)
        let cases = [
            // Nothing is known: it may have been there all the same.
            (before(1_000, None, false), &nothing, 1_050, false),
            (before(1_000, None, false), &nothing, 1_100, true),
            // It was accepted since: the refusal is new.
            (before(1_000, None, false), &opened(1_010), 1_020, true),
            (before(1_000, None, false), &opened(990), 1_020, false),
            // Another setup's policy was removed: acceptance may be the gap.
            (
                before(1_000, Some(995), false),
                &opened(1_010),
                1_020,
                false,
            ),
            (before(1_000, Some(995), false), &opened(1_010), 1_096, true),
            (before(1_000, Some(995), false), &nothing, 1_096, false),
            (before(1_000, Some(800), false), &opened(1_010), 1_020, true),
            // Removed after this one was made.
            (before(1_000, Some(1_500), false), &nothing, 1_550, false),
            (before(1_000, Some(1_500), false), &nothing, 1_600, true),
            // A policy of somebody else's was there, nobody knows until when.
            (before(1_000, None, true), &opened(1_010), 1_020, false),
            (before(1_000, None, true), &opened(1_010), 1_100, true),
            // Something changed in between.
            (before(1_000, None, false), &disturbed, 1_110, false),
            (before(1_000, None, false), &disturbed, 1_160, true),
        ];
        for (index, (before, proving, now, expected)) in cases.into_iter().enumerate() {
            let counts = before.counts(proving, Timestamp(now), LAPSE);
            assert_eq!(counts, expected, "case {index}");
        }
    }

    #[test]
    fn what_an_older_version_kept_is_read() {
        let read: Result<Proving, _> = serde_json::from_str("{}");
        assert_eq!(read.ok(), Some(Proving::default()));
    }
}
