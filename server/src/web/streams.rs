//! Limits how many event streams one session has open in this process.

use axum::http::StatusCode;
use domain::{Problem, id::SessionRef, problem::Remedy};
use engine::{Place, Places};

use super::refusal::Refusal;

/// Higher than the number of pages that one person has open.
pub(super) const MOST: usize = 10;

/// Open streams by session.
#[derive(Debug)]
pub(super) struct Streams(Places<SessionRef>);

/// The slot of one stream. Dropping it returns the slot.
pub(super) type OpenStream = Place<SessionRef>;

impl Default for Streams {
    fn default() -> Self {
        Self(Places::new(MOST))
    }
}

impl Streams {
    /// Takes a slot for one more stream of a session.
    pub(super) fn open(&self, session: SessionRef) -> Result<OpenStream, Refusal> {
        let place = self.0.take(session);
        place.ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, too_many()))
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
    }
}
