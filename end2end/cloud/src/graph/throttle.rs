//! Graph's limits: resource units and changes per application, per tenant and for both together,
//! and concurrent Outlook requests per application and mailbox (MICROSOFT.md §7.3). On the wall
//! clock, because clients wait on it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

/// Windows of units, and requests in flight.
#[derive(Debug, Default)]
pub struct Throttle {
    windows: HashMap<(Meter, Uuid, Uuid), (Instant, u64)>,
    flights: HashMap<(Uuid, Uuid, String), u64>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Meter {
    /// Resource units of an application in a tenant.
    Units,
    /// Changes of an application in a tenant.
    Writes,
    /// Resource units of an application everywhere.
    AppUnits,
    /// Changes of an application everywhere.
    AppWrites,
    /// Changes in a tenant by everybody.
    TenantWrites,
}

/// The limits that can be set; the others are Microsoft's numbers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Resource units per 10 seconds, application and tenant.
    pub units: u64,
    /// Changes per 150 seconds, application and tenant.
    pub writes: u64,
}

const APP_UNITS: (u64, u64) = (20, 150_000);
const APP_WRITES: (u64, u64) = (300, 70_000);
const TENANT_WRITES: (u64, u64) = (300, 18_000);

/// Resource units per 10 seconds by the tenant's size: S, M, L.
pub fn units_by_size(people: usize) -> u64 {
    match people {
        0..50 => 3500,
        50..=500 => 5000,
        _ => 8000,
    }
}

/// How full the windows are.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The used share of the fullest limit.
    Passed(f64),
    Refused {
        /// Until the window is over.
        seconds: u64,
        /// `x-ms-throttle-scope`.
        scope: String,
        /// `x-ms-throttle-information`.
        information: &'static str,
    },
}

impl Throttle {
    /// Takes units, and a turn when the request changes something, from every window.
    pub fn take(
        &mut self,
        app_id: Uuid,
        tenant: Uuid,
        units: u64,
        write: bool,
        limits: &Limits,
    ) -> Verdict {
        let everywhere = Uuid::nil();
        let both = format!("Tenant_Application/ReadWrite/{app_id}/{tenant}");
        let app = format!("Application/ReadWrite/{app_id}");
        let all = format!("Tenant/ReadWrite/{tenant}");
        const UNITS: &str = "ResourceUnitLimitExceeded";
        const WRITES: &str = "WriteLimitExceeded";
        let mut asked = vec![
            (
                Meter::Units,
                app_id,
                tenant,
                units,
                (10, limits.units),
                &both,
                UNITS,
            ),
            (
                Meter::AppUnits,
                app_id,
                everywhere,
                units,
                APP_UNITS,
                &app,
                UNITS,
            ),
        ];
        if write {
            let own = (150, limits.writes);
            asked.push((Meter::Writes, app_id, tenant, 1, own, &both, WRITES));
            asked.push((
                Meter::AppWrites,
                app_id,
                everywhere,
                1,
                APP_WRITES,
                &app,
                WRITES,
            ));
            let of_all = (
                Meter::TenantWrites,
                everywhere,
                tenant,
                1,
                TENANT_WRITES,
                &all,
                WRITES,
            );
            asked.push(of_all);
        }
        let mut share = 0.0_f64;
        for (meter, app_key, tenant_key, cost, (seconds, limit), scope, information) in asked {
            let key = (meter, app_key, tenant_key);
            match self.count(key, cost, Duration::from_secs(seconds), limit) {
                Ok(used) => share = share.max(used),
                Err(seconds) => {
                    return Verdict::Refused {
                        seconds,
                        scope: scope.clone(),
                        information,
                    };
                }
            }
        }
        Verdict::Passed(share)
    }

    /// The used share of a window, or the seconds until it is over.
    fn count(
        &mut self,
        key: (Meter, Uuid, Uuid),
        cost: u64,
        length: Duration,
        limit: u64,
    ) -> Result<f64, u64> {
        let now = Instant::now();
        let window = self.windows.entry(key).or_insert((now, 0));
        if now.duration_since(window.0) >= length {
            *window = (now, 0);
        }
        // Refused requests count too: who does not back off stays refused.
        window.1 = window.1.saturating_add(cost);
        if window.1 > limit {
            let left = length.saturating_sub(now.duration_since(window.0));
            return Err(left.as_secs() + 1);
        }
        Ok(window.1 as f64 / limit.max(1) as f64)
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

    const LIMITS: Limits = Limits {
        units: 10,
        writes: 2,
    };

    #[test]
    fn units_and_flights_are_limited() {
        let mut throttle = Throttle::default();
        let (app, tenant) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let passed = |verdict: Verdict| matches!(verdict, Verdict::Passed(_));
        assert!(passed(throttle.take(app, tenant, 9, false, &LIMITS)));
        assert!(!passed(throttle.take(app, tenant, 9, false, &LIMITS)));
        // Another tenant, another window.
        assert!(passed(throttle.take(app, app, 9, false, &LIMITS)));
        let key = (app, tenant, "a@b".to_owned());
        assert!(throttle.board(&key, 1));
        assert!(!throttle.board(&key, 1));
        throttle.leave(&key);
        assert!(throttle.board(&key, 1));
    }

    #[test]
    fn changes_have_a_limit_of_their_own() {
        let mut throttle = Throttle::default();
        let (app, tenant) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let limits = Limits {
            units: 1000,
            ..LIMITS
        };
        for _ in 0..2 {
            assert!(matches!(
                throttle.take(app, tenant, 1, true, &limits),
                Verdict::Passed(_)
            ));
        }
        let Verdict::Refused {
            seconds,
            scope,
            information,
        } = throttle.take(app, tenant, 1, true, &limits)
        else {
            unreachable!("the third change is one too many");
        };
        assert!((140..=151).contains(&seconds));
        assert_eq!(
            scope,
            format!("Tenant_Application/ReadWrite/{app}/{tenant}")
        );
        assert_eq!(information, "WriteLimitExceeded");
        assert_eq!(
            (units_by_size(9), units_by_size(50), units_by_size(900)),
            (3500, 5000, 8000)
        );
    }
}
