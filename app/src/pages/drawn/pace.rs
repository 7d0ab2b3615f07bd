//! Decides when to refetch a page while customers are scanned: soon after a change, and repeatedly
//! while changes never pause, but not for each change.

/// The delay after a change, so that changes close together are shown together. Milliseconds.
const SETTLE: i64 = 300;
/// The minimum interval between two fetches. While there are changes it is also the longest wait.
/// Milliseconds.
const EVERY: i64 = 1_000;

/// The schedule of fetches. Times are milliseconds of any clock that does not go back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    drawn: Option<i64>,
    planned: bool,
}

impl Pace {
    /// Records a change. Returns the delay from `now` until the fetch. None when a fetch is already
    /// planned. Later changes do not postpone a planned fetch.
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

    /// Called when the planned fetch is due. `busy`: the page cannot be fetched now. Returns the
    /// delay until the next attempt. None: fetch now.
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

    /// The times of the fetches when changes come at `changes`, and the page is busy at the times
    /// for which `busy` is true.
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
        // 48 customers are scanned at a time: something changes every few milliseconds, for a
        // minute.
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
