//! Constructors of history entries.

use domain::{Timestamp, history::EventKind, person::Actor};
use serde_json::json;
use store::{CustomerAccess, NewEvent};

/// An event without `before`, `after`, setup and request ids.
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

/// The same event for the partner's own history, where it names the customer.
pub(crate) fn of_customer(access: &CustomerAccess, event: NewEvent) -> NewEvent {
    let record = access.record();
    NewEvent {
        setup: None,
        before: None,
        after: Some(json!({
            "customer": record.id, "name": record.name, "domain": record.domain,
            "tenant": record.tenant,
        })),
        requests: Vec::new(),
        ..event
    }
}
