//! How much at once, and how fast: one gate per customer and service, so that none starves the
//! others.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep_until, timeout_at},
};

use crate::microsoft::HttpOptions;

pub(crate) struct Gate {
    places: Semaphore,
    rate: DefaultDirectRateLimiter,
    /// Nobody passes before; set by an answer that asked for a pause.
    closed_until: watch::Sender<Option<Instant>>,
    /// Many customers pass here: a pause that one is asked for is not everybody's.
    shared: bool,
}

/// There was no free place before the deadline.
pub(crate) struct Full {
    /// Everybody is held back for so long.
    pub(crate) closed_for: Option<Duration>,
}

impl Gate {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        Self::with(options.concurrency, options.rate, false)
    }

    /// For what belongs to no customer.
    pub(crate) fn wide() -> Self {
        Self::with(32, 100, true)
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

    /// Waits for a free place, the rate and the end of a pause, until `deadline`.
    pub(crate) async fn pass(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Full> {
        let full = Full { closed_for: None };
        timeout_at(deadline, async {
            let full = Full { closed_for: None };
            let place = self.places.acquire().await.map_err(|_| full)?;
            loop {
                let until = *self.closed_until.borrow();
                let now = Instant::now();
                match until {
                    Some(until) if until >= deadline => {
                        return Err(Full {
                            closed_for: Some(until.duration_since(now)),
                        });
                    }
                    Some(until) if until > now => sleep_until(until).await,
                    _ => break,
                }
            }
            self.rate.until_ready().await;
            Ok(place)
        })
        .await
        .unwrap_or(Err(full))
    }

    /// Holds everybody back until then, because Microsoft asked one of them to wait.
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
