//! The transport: the only place that sends requests, waits and retries (DESIGN §9).

pub(crate) mod gate;
pub(crate) mod transport;
