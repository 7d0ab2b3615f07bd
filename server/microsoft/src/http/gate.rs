//! Limits for concurrency and rate: one limiter (`Gate`) per customer and service, so that no
//! customer starves the others.
//!
//! A limiter belongs to one process. Another process learns of a pause from Microsoft itself, with
//! one refused call. Waits of setups are stored in the database, so they hold for all processes.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc, time::Duration};

use domain::id::{AppId, TenantId};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{
    sync::{Mutex, Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep_until, timeout_at},
};

use crate::microsoft::HttpOptions;

pub(crate) struct Gate {
    places: Semaphore,
    rate: DefaultDirectRateLimiter,
    /// No request is sent before this time. It is set by a response that asked for a pause.
    closed_until: watch::Sender<Option<Instant>>,
    /// Many customers share this limiter, so a pause for one customer does not apply to all.
    shared: bool,
}

/// The permission to send one request. Dropping it releases the slot.
pub(crate) struct Place<'a> {
    _permit: SemaphorePermit<'a>,
    /// When the end of a pause was last checked.
    pub(crate) looked: Instant,
}

/// There was no free slot before the deadline.
pub(crate) struct Full {
    /// How long the current pause still lasts, if there is one.
    pub(crate) closed_for: Option<Duration>,
}

impl Gate {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        Self::with(options.concurrency, options.rate, false)
    }

    pub(crate) fn of_cmdlets(options: &HttpOptions) -> Self {
        Self::with(options.cmdlets, options.rate, false)
    }

    /// The limiter for requests that belong to no customer.
    pub(crate) fn wide() -> Self {
        Self::with(32, 100, true)
    }

    /// The limiter for codes that browsers bring back from a sign-in. Anybody can bring a code, so
    /// these requests wait separately and delay no others.
    pub(crate) fn of_codes() -> Self {
        Self::with(8, 20, true)
    }

    fn with(places: usize, rate: u32, shared: bool) -> Self {
        let rate = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
        let burst = rate.saturating_add(rate.get());
        Self {
            places: Semaphore::new(places.max(1)),
            rate: RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)),
            closed_until: watch::channel(None).0,
            shared,
        }
    }

    /// Waits for a free slot, the rate and the end of a pause, until `deadline`.
    pub(crate) async fn pass(&self, deadline: Instant) -> Result<Place<'_>, Full> {
        let full = Full { closed_for: None };
        timeout_at(deadline, async {
            let full = Full { closed_for: None };
            let permit = self.places.acquire().await.map_err(|_| full)?;
            self.rate.until_ready().await;
            // The pause is checked last, so that a pause requested meanwhile counts.
            let looked = loop {
                let now = Instant::now();
                let until = *self.closed_until.borrow();
                match until {
                    Some(until) if until >= deadline => {
                        return Err(Full {
                            closed_for: Some(until.duration_since(now)),
                        });
                    }
                    Some(until) if until > now => sleep_until(until).await,
                    _ => break now,
                }
            };
            Ok(Place {
                _permit: permit,
                looked,
            })
        })
        .await
        .unwrap_or(Err(full))
    }

    fn is_closed(&self) -> bool {
        let until = *self.closed_until.borrow();
        until.is_some_and(|until| until > Instant::now())
    }

    /// Delays all requests until then, because Microsoft asked for a pause.
    pub(crate) fn close_until(&self, until: Instant) {
        if self.shared {
            return;
        }
        self.closed_until.send_if_modified(|closed| {
            let later = closed.is_none_or(|closed| closed < until);
            if later {
                *closed = Some(until);
            }
            later
        });
    }
}

/// The limiters of applications that send mail as themselves. They are per tenant, because a
/// vendor's application can run in many tenants, and Microsoft throttles it in each separately.
#[derive(Default)]
pub(crate) struct Senders(Mutex<HashMap<(TenantId, AppId), Arc<Gate>>>);

/// The number of limiters kept. Beyond it, limiters without a pause and without users are removed.
const MOST_SENDERS: usize = 256;

impl Senders {
    pub(crate) async fn gate(
        &self,
        tenant: TenantId,
        app: AppId,
        options: &HttpOptions,
    ) -> Arc<Gate> {
        let mut gates = self.0.lock().await;
        if let Some(gate) = gates.get(&(tenant, app)) {
            return gate.clone();
        }
        if gates.len() >= MOST_SENDERS {
            gates.retain(|_, gate| gate.is_closed() || Arc::strong_count(gate) > 1);
        }
        let gate = Arc::new(Gate::new(options));
        // If all limiters are in use, the new limiter is used without being stored.
        if gates.len() < MOST_SENDERS {
            gates.insert((tenant, app), gate.clone());
        }
        gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn senders_are_bounded_and_those_held_back_stay() {
        let senders = Senders::default();
        let options = HttpOptions::default();
        let tenant = TenantId(uuid::Uuid::from_u128(1));
        let app = |number: u128| AppId(uuid::Uuid::from_u128(number));
        let first = senders.gate(tenant, app(0), &options).await;
        first.close_until(Instant::now() + Duration::from_secs(3_600));
        drop(first);
        for number in 1..2_000 {
            senders.gate(tenant, app(number), &options).await;
        }
        assert!(senders.0.lock().await.len() <= MOST_SENDERS);
        assert!(senders.gate(tenant, app(0), &options).await.is_closed());
        let other = TenantId(uuid::Uuid::from_u128(2));
        assert!(!senders.gate(other, app(0), &options).await.is_closed());
    }
}
