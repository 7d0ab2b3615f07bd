//! The scheduler of scans: claims customers that are due, and scans them (a “turn” is one scan
//! job).
//!
//! The turns are rows in the database, each with a lease, so any number of processes share them. A
//! process that ends releases its turns; if it was killed, they are free when their leases end.
//! Many customers are scanned at the same time, because a scan mostly waits for Microsoft. The
//! client (`microsoft`) keeps the limits of each tenant, so a throttled tenant slows no other one.

use std::{collections::HashMap, time::Duration};

use domain::Timestamp;
use store::{Notice, Turn};
use tokio::{
    sync::watch,
    task::{self, JoinSet},
    time::MissedTickBehavior,
};
use uuid::Uuid;

use crate::{Engine, shutdown::stopped};

/// Maximum number of customers that one process scans at the same time.
const AT_ONCE: usize = 48;
/// How long a lease lasts without a renewal. Milliseconds.
const LEASE: i64 = 60_000;
const RENEW: Duration = Duration::from_secs(15);
/// The poll interval for turns without a notice.
const LOOK: Duration = Duration::from_secs(5);
/// The timeout of one scan. A customer that takes longer is retried like one that could not be
/// read.
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// When the nightly scans begin, in milliseconds after midnight UTC, and over how many milliseconds
/// they are spread.
const NIGHT: i64 = 3_600_000;
const SPREAD: i64 = 4 * 3_600_000;
const DAY: i64 = 24 * 3_600_000;

/// The time of a customer's next nightly scan. A customer always has the same time of day, so that
/// all customers are spread evenly.
pub(super) fn next_night(now: Timestamp, turn: Turn) -> Timestamp {
    let (high, low) = turn.customer.0.as_u64_pair();
    let share = i64::try_from((high ^ low) % SPREAD.unsigned_abs()).unwrap_or_default();
    let midnight = now.millis() - now.millis().rem_euclid(DAY);
    let mut next = midnight + NIGHT + share;
    // A customer that was scanned less than half a day before skips this night.
    while next - now.millis() <= DAY / 2 {
        next += DAY;
    }
    Timestamp::from_millis(next)
}

impl Engine {
    /// Scans customers that are due, until `shutdown` turns true. Scans that run then are given up
    /// and released, so that another process can take them.
    pub(crate) async fn run_scans(&self, mut shutdown: watch::Receiver<bool>) {
        let lease = Uuid::new_v4();
        let mut notices = self.inner.hub.subscribe();
        let mut running: JoinSet<()> = JoinSet::new();
        // Keyed by task, so that the turn of a scan that panics is released as well.
        let mut held: HashMap<task::Id, Turn> = HashMap::new();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renew = tokio::time::interval(RENEW);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => break,
                _ = renew.tick() => {
                    let turns: Vec<Turn> = held.values().copied().collect();
                    if let Err(error) = self.store().renew_scans(lease, &turns, self.until()).await {
                        tracing::warn!(error = %error, "leases of scans could not be renewed");
                    }
                    continue;
                }
                Some(ended) = running.join_next_with_id(), if !running.is_empty() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(error = %error, "a scan broke off");
                            error.id()
                        }
                    };
                    held.remove(&id);
                }
                notice = notices.recv() => match notice {
                    Ok(Notice::Setup { .. } | Notice::Authority { .. } | Notice::Account { .. }) => continue,
                    // A run over all customers makes many notices. With no free place they change
                    // nothing.
                    Ok(_) if held.len() >= AT_ONCE => continue,
                    Ok(_) | Err(_) => {}
                },
                _ = look.tick() => {}
            }
            let free = AT_ONCE.saturating_sub(held.len());
            if free == 0 {
                continue;
            }
            match self
                .store()
                .claim_scans(
                    &self.inner.partner_tenants,
                    lease,
                    self.now(),
                    self.until(),
                    free,
                )
                .await
            {
                Ok(turns) => {
                    for turn in turns {
                        let engine = self.clone();
                        let begun =
                            running.spawn(async move { engine.take_turn(turn, lease).await });
                        held.insert(begun.id(), turn);
                    }
                }
                Err(error) => tracing::warn!(error = %error, "turns could not be taken"),
            }
        }
        // Release all turns, so that other processes need not wait for the leases to end.
        running.shutdown().await;
        let turns: Vec<Turn> = held.into_values().collect();
        if let Err(error) = self.store().release_scans(lease, &turns).await {
            tracing::warn!(error = %error, "leases of scans could not be let go");
        }
    }

    fn until(&self) -> Timestamp {
        self.now().plus_millis(LEASE)
    }

    async fn take_turn(&self, turn: Turn, lease: Uuid) {
        let read = tokio::time::timeout(LONGEST, self.scan(turn, lease));
        let kept = match read.await {
            Ok(kept) => kept,
            Err(_) => self.give_up(turn, lease).await,
        };
        let kept = match kept {
            Ok(()) => self.after_scan(turn).await,
            failed => failed,
        };
        // Only a failure of our own database gets here. The turn is due again when its lease ends.
        if let Err(failure) = kept {
            tracing::error!(customer = %turn.customer, error = %failure, "a scan could not be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{CustomerId, PartnerId};

    use super::*;

    #[test]
    fn the_night_is_spread_and_never_missed_nor_doubled() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let mut moments = Vec::new();
        for number in 0..500_u64 {
            let turn = Turn {
                partner: PartnerId(Uuid::nil()),
                customer: CustomerId(Uuid::from_u64_pair(
                    number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                    0,
                )),
            };
            let next = next_night(now, turn);
            let wait = next.millis() - now.millis();
            assert!(wait > DAY / 2 && wait <= DAY + DAY / 2, "{wait}");
            let hour = next.millis().rem_euclid(DAY);
            assert!((NIGHT..NIGHT + SPREAD).contains(&hour), "{hour}");
            // A customer that is scanned on time is scanned again a day later.
            let after = next_night(next, turn);
            assert_eq!(after.millis() - next.millis(), DAY);
            moments.push(hour);
        }
        moments.sort_unstable();
        let half = moments.partition_point(|moment| *moment < NIGHT + SPREAD / 2);
        assert!(
            (200..300).contains(&half),
            "{half} of 500 in the first half"
        );
    }
}
