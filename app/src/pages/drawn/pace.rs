//! How often a page is drawn anew while customers are read: soon after a change, and again and
//! again while changes never pause, but not for each of them.

/// How long after a change, so that those that come together are shown together. Milliseconds.
const SETTLE: i64 = 300;
/// How long between one time and the next, at least; and, while there are changes, how long nobody
/// waits for more than that.
const EVERY: i64 = 1_000;

/// When to draw. Times are milliseconds of any clock that does not go back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    drawn: Option<i64>,
    planned: bool,
}

impl Pace {
    /// Something changed. Gives how long from `now` the page is to be drawn; none: that is planned
    /// already, and later changes do not put it off.
    pub fn changed(&mut self, now: i64) -> Option<i64> {
        if self.planned {
            return None;
        }
        self.planned = true;
        let next = self
            .drawn
            .map_or(0, |drawn| drawn.saturating_add(EVERY).saturating_sub(now));
        Some(next.clamp(SETTLE, EVERY))
    }

    /// What was planned is due. `busy`: it cannot be drawn now. Gives how long to wait then; none:
    /// it is to be drawn now.
    pub fn due(&mut self, now: i64, busy: bool) -> Option<i64> {
        if busy {
            return Some(SETTLE);
        }
        *self = Self {
            drawn: Some(now),
            planned: false,
        };
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the page is drawn if changes come at these times, while it is busy at others.
    fn drawn(changes: &[i64], busy: impl Fn(i64) -> bool) -> Vec<i64> {
        let mut pace = Pace::default();
        let mut due = None;
        let mut drawn = Vec::new();
        for now in 0..120_000 {
            if due == Some(now) {
                due = pace.due(now, busy(now)).map(|wait| now + wait);
                if due.is_none() {
                    drawn.push(now);
                }
            }
            if changes.binary_search(&now).is_ok()
                && let Some(wait) = pace.changed(now)
            {
                assert_eq!(due, None, "two plans at once");
                due = Some(now + wait);
            }
        }
        drawn
    }

    #[test]
    fn changes_that_never_pause_are_shown_each_second() {
        // 48 customers at a time: something changes every few milliseconds, for a minute.
        let changes: Vec<i64> = (0..60_000).step_by(20).collect();
        let drawn = drawn(&changes, |_| false);
        assert_eq!(drawn.first(), Some(&SETTLE));
        for pair in drawn.windows(2) {
            let [one, next] = pair else { continue };
            assert!((EVERY..=EVERY + 20).contains(&(next - one)), "{pair:?}");
        }
        assert!(drawn.last().is_some_and(|last| *last > 59_980));
    }

    #[test]
    fn one_change_is_shown_once_and_soon() {
        assert_eq!(drawn(&[5_000], |_| false), [5_000 + SETTLE]);
        assert_eq!(drawn(&[5_000, 5_100, 5_299], |_| false), [5_000 + SETTLE]);
    }

    #[test]
    fn what_cannot_be_shown_yet_is_shown_later() {
        let drawn = drawn(&[1_000], |now| now < 9_000);
        assert_eq!(drawn.len(), 1);
        assert!(drawn.iter().all(|at| (9_000..9_000 + SETTLE).contains(at)));
    }
}
