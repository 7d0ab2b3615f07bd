//! The proof by real mail: what it records from one look to the next, and when a refusal counts.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, id::ObjectId, proof::Proved};

/// Number of permitted senders that are tried. The others are members of the same group.
pub const TRIED_SENDERS: usize = 2;
/// Maximum number of mails as one mailbox in a day, while mail as a mailbox that must be refused
/// still goes through.
pub const MAILS_A_DAY: usize = 12;
/// Number of rounds in which all mailboxes are tried, ten minutes apart.
pub const ROUNDS: usize = 2;
/// Maximum number of mailboxes of a proof that is repeated: each try sends a mail, or causes one.
pub const MOST_AGAIN: usize = 20;
/// How long a policy that was removed still refuses, at most (MICROSOFT.md §2.4). Milliseconds of
/// Microsoft's time.
pub const LAPSES_WITHIN: i64 = 2 * 3_600_000;
/// The subject of every mail of a proof.
pub const SUBJECT: &str = "Postern tests who this application may send as";

/// What the step of the proof records between its looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proving {
    /// The number of mails that were sent or refused.
    pub tried: u32,
    /// The number of mails that Microsoft accepted, so somebody received them.
    pub accepted: u32,
    /// When this proof began.
    pub begun: Option<Timestamp>,
    /// When a policy that can refuse was last seen to change: another policy about the application,
    /// or the setup's own that had been away.
    pub disturbed: Option<Timestamp>,
    /// When mail as a mailbox that must be refused was first accepted, while no other policy was
    /// known that could have refused it. A refusal after that is a new one.
    pub opened: Option<Timestamp>,
    /// The time from which a refusal counts. Set while a refusal does not count yet.
    pub counts_from: Option<Timestamp>,
    /// The time of the first complete round in which all mailboxes behaved as planned. A second
    /// round follows.
    pub held: Option<Timestamp>,
    /// What the rounds have proved.
    pub proved: Option<Proved>,
    /// An operator asked to repeat the proof for these mailboxes.
    pub again: Option<Again>,
}

/// A proof that is repeated, without the other steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    pub mailboxes: Vec<ObjectId>,
    pub at: Timestamp,
    pub by: String,
}

/// What else can have refused a mail, apart from the policy that is to be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// When the policy was made, or found.
    pub made: Timestamp,
    /// When the policy of another setup for the same application was last removed.
    pub undone: Option<Timestamp>,
    /// Another policy about the application is known to have existed so recently that it can still
    /// refuse.
    pub other_known: bool,
}

impl Before {
    /// The time from which every refusal comes from this policy, because all others have lapsed by
    /// then.
    ///
    /// Every look reads the policies. So an older policy cannot go away unseen after this one was
    /// made: that counts as a disturbance. `lapse`: how long a removed policy still refuses, in
    /// milliseconds.
    pub fn all_lapsed(&self, proving: &Proving, lapse: i64) -> Timestamp {
        let last = [Some(self.made), self.undone, proving.disturbed]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(self.made);
        last.plus_millis(lapse)
    }

    /// Whether another known policy can refuse at `now`.
    pub fn other_may_refuse(&self, proving: &Proving, now: Timestamp, lapse: i64) -> bool {
        let recent = |at: Option<Timestamp>| at.is_some_and(|at| now < at.plus_millis(lapse));
        recent(self.undone)
            || recent(proving.disturbed)
            || (self.other_known && now < self.made.plus_millis(lapse))
    }

    /// Whether a refusal at `now` can only come from this policy.
    ///
    /// There are two cases. All other policies have lapsed; or mail as the mailbox was accepted
    /// after this policy was made, and no other policy is known that could refuse, so the refusal
    /// is new. If another policy is known, the mail may have been accepted only in the gap between
    /// the two policies.
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
        // (other policies, what was seen, now, whether it counts)
        let cases = [
            // No other policy is known. There may have been one all the same.
            (before(1_000, None, false), &nothing, 1_050, false),
            (before(1_000, None, false), &nothing, 1_100, true),
            // Mail was accepted since, so the refusal is new.
            (before(1_000, None, false), &opened(1_010), 1_020, true),
            (before(1_000, None, false), &opened(990), 1_020, false),
            // Another setup's policy was removed: the mail may have been accepted in the gap.
            (
                before(1_000, Some(995), false),
                &opened(1_010),
                1_020,
                false,
            ),
            (before(1_000, Some(995), false), &opened(1_010), 1_096, true),
            (before(1_000, Some(995), false), &nothing, 1_096, false),
            (before(1_000, Some(800), false), &opened(1_010), 1_020, true),
            // The other policy was removed after this one was made.
            (before(1_000, Some(1_500), false), &nothing, 1_550, false),
            (before(1_000, Some(1_500), false), &nothing, 1_600, true),
            // Somebody else's policy existed, and nobody knows until when.
            (before(1_000, None, true), &opened(1_010), 1_020, false),
            (before(1_000, None, true), &opened(1_010), 1_100, true),
            // A policy changed in between.
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
