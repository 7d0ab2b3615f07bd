//! The result of each part of a scan.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use domain::{
    id::TenantId,
    reach::{PartRead, PartResult, ScanPart},
};
use tokio::time::Instant;

use super::unread::Unread;
use crate::{
    customer::Customer,
    error::{Error, Result},
};

/// Collects the results of the parts, which are read concurrently.
pub(super) struct Log<'a> {
    customer: &'a Customer,
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    part: ScanPart,
    took_millis: i64,
    calls: u32,
    result: Result<u32>,
}

/// A part that is being read.
pub(super) struct Running {
    part: ScanPart,
    began: Instant,
    /// The customer with its own counter of calls.
    pub(super) customer: Customer,
    calls: std::sync::Arc<AtomicU32>,
}

impl<'a> Log<'a> {
    pub(super) const fn new(customer: &'a Customer) -> Self {
        Self {
            customer,
            entries: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.customer.tenant()
    }

    pub(super) fn begin(&self, part: ScanPart) -> Running {
        let (customer, calls) = self.customer.counting();
        Running {
            part,
            began: Instant::now(),
            customer,
            calls,
        }
    }

    /// Ends a part. `result`: how many objects were read, or the first failure.
    pub(super) fn end(&self, running: &Running, result: Result<usize>) {
        let entry = Entry {
            part: running.part,
            took_millis: i64::try_from(running.began.elapsed().as_millis()).unwrap_or(i64::MAX),
            calls: running.calls.load(Ordering::Relaxed),
            result: result.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
        };
        if let Err(error) = &entry.result {
            tracing::debug!(part = ?entry.part, %error, "not read");
        }
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    /// Reads a part that is read either completely or not at all.
    pub(super) async fn part<T, F>(
        &self,
        part: ScanPart,
        read: impl FnOnce(Customer) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<(usize, T)>>,
    {
        let running = self.begin(part);
        let outcome = read(running.customer.clone()).await;
        let (count, value) = match outcome {
            Ok((count, value)) => (Ok(count), Ok(value)),
            Err(error) => (Err(error.clone()), Err(error)),
        };
        self.end(&running, count);
        value
    }

    /// All parts that were read, in a fixed order.
    pub(super) fn parts(&self, unread: &Unread) -> Vec<PartRead> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = std::mem::take(&mut *entries);
        let of = |entry: Entry| PartRead {
            part: entry.part,
            took_millis: entry.took_millis,
            calls: entry.calls,
            kept: None,
            result: match entry.result {
                Ok(count) => PartResult::Read { count },
                Err(error) => told(unread, &error),
            },
        };
        let mut parts: Vec<PartRead> = entries.into_iter().map(of).collect();
        parts.sort_by_key(|part| part.part);
        parts
    }
}

fn told(unread: &Unread, error: &Error) -> PartResult {
    PartResult::Unread {
        why: unread.why(error),
        problem: Box::new(error.problem()),
    }
}
