//! How long steps wait between two polls, and when they give up.

use domain::Timestamp;

/// The speed factor of waits. 1 suits Microsoft; the demo's cloud runs faster.
///
/// It scales only the gaps between polls and the patience of steps. It never scales how long a
/// secret is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    factor: f64,
}

/// A schedule of polls: the gaps, and how long to poll before giving up. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub first: i64,
    /// The maximum gap. Each gap is half as long again as the one before.
    pub longest: i64,
    pub patience: i64,
}

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A new group, until it is visible: seconds in Exchange, minutes in the directory, hours on a bad
/// day.
pub const VISIBLE: Wait = Wait {
    first: 15 * SECOND,
    longest: 5 * MINUTE,
    patience: 24 * HOUR,
};
/// Members and policies that were just written, until a read shows them.
pub const READ_BACK: Wait = Wait {
    first: 5 * SECOND,
    longest: MINUTE,
    patience: 2 * HOUR,
};
/// Something that is not there when it is to be undone: it may only not be visible yet.
pub const ABSENT: Wait = Wait {
    first: MINUTE,
    longest: MINUTE,
    patience: 2 * HOUR,
};
/// An answer that cannot be understood: it was damaged on its way, or the protocol has changed.
pub const SPOILT: Wait = Wait {
    first: 10 * SECOND,
    longest: 2 * MINUTE,
    patience: 15 * MINUTE,
};
/// Exchange's test, until it knows the policy.
pub const CHECK: Wait = Wait {
    first: 10 * SECOND,
    longest: 2 * MINUTE,
    patience: 4 * HOUR,
};
/// Enforcement on real mail: usually 30 minutes to 2 hours, and more than a day was seen
/// (MICROSOFT.md §2.4). Somebody receives a mail at each poll, so there are only a dozen in a day.
pub const ENFORCED: Wait = Wait {
    first: 10 * MINUTE,
    longest: 5 * HOUR,
    patience: 24 * HOUR,
};
/// A consent that was just given, until every part of Microsoft knows of it (MICROSOFT.md §6.5).
pub const SPREADING: Wait = Wait {
    first: 15 * SECOND,
    longest: MINUTE,
    patience: 10 * MINUTE,
};
/// Something that was just made, until every directory server knows it (MICROSOFT.md §1.7).
pub const REPLICATED: Wait = Wait {
    first: 15 * SECOND,
    longest: 2 * MINUTE,
    patience: 2 * HOUR,
};
/// A change that the directory refused. Often it is there all the same, or works the next time
/// (MICROSOFT.md §1.7).
pub const REFUSED_WRITE: Wait = Wait {
    first: 10 * SECOND,
    longest: 2 * MINUTE,
    patience: 2 * HOUR,
};
/// One more read of what a refused change was to change, before the refusal is believed.
pub const LOOKED_INTO: Wait = Wait {
    first: 5 * SECOND,
    longest: 5 * SECOND,
    patience: 10 * SECOND,
};
/// An organisation that is being customised (MICROSOFT.md §1.7, §11.6).
pub const CUSTOMISED: Wait = Wait {
    first: MINUTE,
    longest: 10 * MINUTE,
    patience: 2 * HOUR,
};
/// A new role, until Exchange knows of it (MICROSOFT.md §1.6, §6.5).
pub const ROLE: Wait = Wait {
    first: 30 * SECOND,
    longest: 5 * MINUTE,
    patience: HOUR,
};
/// A name that Exchange calls taken without showing who has it: the holder may be this setup's own
/// group.
pub const TAKEN: Wait = Wait {
    first: 10 * SECOND,
    longest: 2 * MINUTE,
    patience: 2 * HOUR,
};
/// Microsoft cannot be reached, or asks for a pause.
pub const TROUBLE: Wait = Wait {
    first: 10 * SECOND,
    longest: 10 * MINUTE,
    patience: 24 * HOUR,
};

impl Wait {
    /// The same schedule without a poll earlier than `millis`. Those are milliseconds of real time,
    /// which the speed factor does not scale.
    pub fn not_before(mut self, millis: i64, pace: Pace) -> Self {
        self.first = self.first.max(pace.real(millis));
        self.longest = self.longest.max(self.first);
        self
    }
}

impl Pace {
    /// Whether a consent may only be on its way to all of Microsoft's servers (MICROSOFT.md §6.5).
    /// `consented`: when it was given; none: never.
    pub(crate) fn is_spreading(self, consented: Option<Timestamp>, now: Timestamp) -> bool {
        consented.is_some_and(|at| now.millis_since(at) < self.of(SPREADING.patience))
    }

    /// `factor`: 1 is real time, 600 is six hundred times as fast. Anything below 1 counts as 1.
    pub const fn new(factor: f64) -> Self {
        Self {
            factor: if factor >= 1.0 { factor } else { 1.0 },
        }
    }

    /// `millis` divided by the speed factor. At least 50 ms, so that no loop polls without a pause.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "spans of days at most"
    )]
    pub fn of(self, millis: i64) -> i64 {
        ((millis as f64 / self.factor) as i64).max(50)
    }

    /// The inverse: the time to pass to `of` so that `millis` of real time go by. Microsoft's own
    /// clock is not scaled.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "spans of days at most"
    )]
    pub fn real(self, millis: i64) -> i64 {
        (millis as f64 * self.factor).ceil() as i64
    }

    /// The gap before the poll with this number, counted from 0.
    pub fn gap(self, wait: Wait, looks: usize) -> i64 {
        let mut gap = wait.first;
        for _ in 0..looks.min(32) {
            gap = (gap + gap / 2).min(wait.longest);
        }
        self.of(gap)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_to_their_bound() {
        let pace = Pace::default();
        assert_eq!(pace.gap(VISIBLE, 0), 15_000);
        assert_eq!(pace.gap(VISIBLE, 1), 22_500);
        assert_eq!(pace.gap(VISIBLE, 1000), 300_000);
    }

    #[test]
    fn live_b01_a_day_without_enforcement_costs_a_dozen_mails() {
        let pace = Pace::default();
        let mut at = 0;
        let looks = (0..).take_while(|look| {
            let before = at;
            at += pace.gap(ENFORCED, *look);
            before < 24 * HOUR
        });
        assert!(looks.count() <= domain::proving::MAILS_A_DAY);
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept_at_every_pace() {
        for factor in [1.0, 600.0, 7200.0] {
            let pace = Pace::new(factor);
            assert!(pace.of(pace.real(3000)) >= 2999, "{factor}");
        }
    }

    #[test]
    fn a_fast_pace_never_hammers() {
        assert_eq!(Pace::new(1e9).gap(VISIBLE, 0), 50);
        assert_eq!(Pace::new(-3.0).gap(VISIBLE, 0), 15_000);
        assert_eq!(Pace::new(f64::NAN).gap(VISIBLE, 0), 15_000);
    }
}
