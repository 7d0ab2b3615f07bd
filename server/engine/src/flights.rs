//! Shares one read between all who ask for the same at the same time (“single flight”).
//!
//! A live read of a tenant takes seconds, and uses much of what Microsoft allows. A caller who asks
//! while such a read is under way waits for its answer. So this process makes at most one read at a
//! time for each key (customer and question), however many callers ask.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use domain::Problem;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use uuid::Uuid;

use crate::Answer;

type Flight<T> = Shared<BoxFuture<'static, Answer<T>>>;

/// The reads that are under way, by key. Cheap to clone.
pub(crate) struct Flights<K, T: Clone> {
    under_way: Arc<Mutex<HashMap<K, Flight<T>>>>,
}

impl<K, T: Clone> Clone for Flights<K, T> {
    fn clone(&self) -> Self {
        Self {
            under_way: self.under_way.clone(),
        }
    }
}

impl<K, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self {
            under_way: Arc::default(),
        }
    }
}

impl<K, T: Clone> std::fmt::Debug for Flights<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

/// Removes a flight from the list when it ends, for whatever reason.
struct Landing<K: Eq + Hash, T: Clone> {
    flights: Flights<K, T>,
    key: K,
}

impl<K: Eq + Hash, T: Clone> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut under_way = self
            .flights
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.remove(&self.key);
    }
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The answer for `key`: from the read that is under way, or from a new one. A read continues
    /// when its callers are gone, because others may have joined it.
    pub(crate) async fn join<F>(&self, key: K, read: impl FnOnce() -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        let flight = {
            let mut under_way = self
                .under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match under_way.get(&key) {
                Some(flight) => flight.clone(),
                None => {
                    let landing = Landing {
                        flights: self.clone(),
                        key: key.clone(),
                    };
                    let reading = read();
                    let task = tokio::spawn(async move {
                        let _landing = landing;
                        reading.await
                    });
                    let flight = task
                        .map(|ended| ended.unwrap_or_else(|error| Err(broken(&error))))
                        .boxed()
                        .shared();
                    under_way.insert(key, flight.clone());
                    flight
                }
            }
        };
        flight.await
    }
}

fn broken(error: &tokio::task::JoinError) -> Problem {
    let reference = Uuid::new_v4();
    tracing::error!(%reference, %error, "a reading broke");
    Problem::internal(reference)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn security_f11_who_asks_the_same_waits_for_the_same_answer() {
        let flights: Flights<u8, usize> = Flights::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let go = Arc::new(Notify::new());
        let ask = |key: u8| {
            let (begun, go) = (begun.clone(), go.clone());
            flights.join(key, move || async move {
                let number = begun.fetch_add(1, Ordering::SeqCst);
                go.notified().await;
                Ok(number)
            })
        };
        // The first caller goes away. The callers who joined still get the answer.
        let mut first = Box::pin(ask(1));
        assert!(futures::poll!(&mut first).is_pending());
        drop(first);
        let asked = futures::future::join_all((0..20).map(|_| ask(1)));
        let mut asked = Box::pin(asked);
        assert!(futures::poll!(&mut asked).is_pending());
        tokio::task::yield_now().await;
        go.notify_one();
        let answers = asked.await;
        assert!(answers.into_iter().all(|answer| answer.unwrap() == 0));
        assert_eq!(begun.load(Ordering::SeqCst), 1);

        // A later question is read again, and another question has a read of its own.
        go.notify_one();
        assert_eq!(ask(1).await.unwrap(), 1);
        go.notify_one();
        assert_eq!(ask(2).await.unwrap(), 2);
        assert!(flights.under_way.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn security_f11_a_reading_that_breaks_is_told_and_the_next_one_begins() {
        let flights: Flights<u8, ()> = Flights::default();
        let broken = flights
            .join(1, || async {
                #[allow(clippy::panic)]
                {
                    panic!("a reading that breaks")
                }
            })
            .await;
        assert_eq!(broken.unwrap_err().key, "internal");
        flights.join(1, || async { Ok(()) }).await.unwrap();
    }
}
