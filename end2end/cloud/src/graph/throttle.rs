//! Graph's limits: resource units per application and tenant, and concurrent Outlook requests per
//! application and mailbox (MICROSOFT.md §7.3). On the wall clock, because clients wait on it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

/// Windows of units, and requests in flight.
#[derive(Debug, Default)]
pub struct Throttle {
    windows: HashMap<(Uuid, Uuid), (Instant, u64)>,
    flights: HashMap<(Uuid, Uuid, String), u64>,
}

/// How full a window is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The used share of the limit.
    Passed(f64),
    /// Seconds until the window is over.
    Refused(u64),
}

const WINDOW: Duration = Duration::from_secs(10);

impl Throttle {
    /// Takes units from the application's window in the tenant.
    pub fn take(&mut self, app_id: Uuid, tenant: Uuid, units: u64, limit: u64) -> Verdict {
        let now = Instant::now();
        let window = self.windows.entry((app_id, tenant)).or_insert((now, 0));
        if now.duration_since(window.0) >= WINDOW {
            *window = (now, 0);
        }
        // Refused requests count too: who does not back off stays refused.
        window.1 = window.1.saturating_add(units);
        if window.1 > limit {
            let left = WINDOW.saturating_sub(now.duration_since(window.0));
            return Verdict::Refused(left.as_secs() + 1);
        }
        Verdict::Passed(window.1 as f64 / limit.max(1) as f64)
    }

    /// Notes an Outlook request in flight; false when there are too many.
    pub fn board(&mut self, key: &(Uuid, Uuid, String), limit: u64) -> bool {
        let count = self.flights.entry(key.clone()).or_default();
        if *count >= limit {
            return false;
        }
        *count += 1;
        true
    }

    /// The request of [`Throttle::board`] is over.
    pub fn leave(&mut self, key: &(Uuid, Uuid, String)) {
        if let Some(count) = self.flights.get_mut(key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.flights.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_flights_are_limited() {
        let mut throttle = Throttle::default();
        let (app, tenant) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(matches!(
            throttle.take(app, tenant, 9, 10),
            Verdict::Passed(_)
        ));
        assert!(matches!(
            throttle.take(app, tenant, 9, 10),
            Verdict::Refused(_)
        ));
        assert!(matches!(
            throttle.take(tenant, app, 9, 10),
            Verdict::Passed(_)
        ));
        let key = (app, tenant, "a@b".to_owned());
        assert!(throttle.board(&key, 1));
        assert!(!throttle.board(&key, 1));
        throttle.leave(&key);
        assert!(throttle.board(&key, 1));
    }
}
