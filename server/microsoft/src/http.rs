//! The one place that talks, waits and tries again (DESIGN §9).

pub(crate) mod gate;
pub(crate) mod transport;
