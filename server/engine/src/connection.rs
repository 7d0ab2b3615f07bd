//! Small pieces that everything about connections shares.

use domain::{Timestamp, history::EventKind, person::Actor};
use store::NewEvent;

/// An event without before, after, setup and request ids.
pub(crate) fn event(
    at: Timestamp,
    actor: Actor,
    kind: EventKind,
    what: impl Into<String>,
) -> NewEvent {
    NewEvent {
        at,
        actor,
        kind,
        setup: None,
        what: what.into(),
        before: None,
        after: None,
        requests: Vec::new(),
    }
}
