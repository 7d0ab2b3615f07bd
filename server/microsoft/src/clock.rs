//! Time, passed in so that tests can hold it.

use std::fmt::Debug;

use domain::Timestamp;

/// Says what time it is.
pub trait Clock: Send + Sync + Debug {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that is passed in"
    )]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }
}
