//! Limits how many places each holder has at the same time (a semaphore per key).

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

/// Counts the places that are taken, by holder. Cheap to clone; clones share the count.
#[derive(Debug)]
pub struct Places<K>(Arc<Counted<K>>);

#[derive(Debug)]
struct Counted<K> {
    most: usize,
    held: Mutex<HashMap<K, usize>>,
    freed: Notify,
}

/// A place that is taken. Dropping it gives it back.
#[derive(Debug)]
pub struct Place<K: Copy + Eq + Hash> {
    of: Places<K>,
    who: K,
}

impl<K> Clone for Places<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Copy + Eq + Hash> Places<K> {
    /// `most`: the maximum number of places per holder.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Counted {
            most,
            held: Mutex::default(),
            freed: Notify::new(),
        }))
    }

    /// Takes a place. None: `who` has the maximum already.
    pub fn take(&self, who: K) -> Option<Place<K>> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(who).or_default();
        if *count >= self.0.most {
            return None;
        }
        *count += 1;
        let of = self.clone();
        Some(Place { of, who })
    }

    /// Takes a place. Waits until `who` has given one back, if necessary.
    pub(crate) async fn wait(&self, who: K) -> Place<K> {
        loop {
            // Subscribe before the check, so that a place that is freed in between is noticed.
            let freed = self.0.freed.notified();
            if let Some(place) = self.take(who) {
                return place;
            }
            freed.await;
        }
    }
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let counted = &self.of.0;
        let mut held = counted.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.who);
            }
        }
        drop(held);
        counted.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn security_f11_each_has_few_places_and_gets_them_back() {
        let places = Places::new(2);
        let mut held = vec![places.take(1).unwrap(), places.take(1).unwrap()];
        assert!(places.take(1).is_none());
        drop(places.take(2).unwrap());
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.wait(1).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        held.pop();
        held.push(waiting.await.unwrap());
        assert!(places.take(1).is_none());
        held.clear();
        assert!(places.0.held.lock().unwrap().is_empty());
    }
}
