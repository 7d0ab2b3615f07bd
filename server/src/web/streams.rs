//! How many streams of events one session has open in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::StatusCode;
use domain::{Problem, id::SessionRef, problem::Remedy};

use super::refusal::Refusal;

/// More than the open pages of one person.
pub(super) const MOST: usize = 10;

/// Open streams by session. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<SessionRef, usize>>>);

/// One stream's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: Streams,
    session: SessionRef,
}

impl Streams {
    /// A place for one more stream of a session.
    pub(super) fn open(&self, session: SessionRef) -> Result<OpenStream, Refusal> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(session).or_default();
        if *count >= MOST {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, too_many()));
        }
        *count += 1;
        Ok(OpenStream {
            streams: self.clone(),
            session,
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}

fn too_many() -> Problem {
    Problem::new(
        "live.too_many",
        Remedy::Act,
        format!("This browser has {MOST} pages open that hear of changes as they happen."),
        "More would make every change slow for everybody. This page shows what was so when it was loaded.",
        "Close a page of Postern that you do not need, then load this one again.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn security_f11_a_session_has_few_streams_and_gets_their_places_back() {
        let streams = Streams::default();
        let one = SessionRef(uuid::Uuid::from_u128(1));
        let mut open: Vec<_> = (0..MOST).map(|_| streams.open(one).unwrap()).collect();
        let refused = streams.open(one).unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.problem.key, "live.too_many");
        let other = SessionRef(uuid::Uuid::from_u128(2));
        drop(streams.open(other).unwrap());
        open.pop();
        open.push(streams.open(one).unwrap());
        open.clear();
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
