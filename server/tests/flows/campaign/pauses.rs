//! A pause that was asked for is kept: read from the cloud's log.

use cloud::{
    books::{Host, LogEntry},
    clock::Time,
};

use super::block::Shared;
use crate::support::SPEED;

/// An answer is on its way so long, and what was sent before it came arrives. Milliseconds of our
/// own clock.
const ON_THE_WAY: f64 = 700.0;

/// Milliseconds of our own clock between two moments of the cloud's.
#[expect(clippy::cast_precision_loss, reason = "minutes")]
fn between(from: Time, to: Time) -> f64 {
    (to - from).num_milliseconds() as f64 / SPEED
}

/// Requests of Exchange inside a pause that the same process had been asked for in the same
/// tenant. Graph's requests do not say which process they come from, and another one was not
/// asked.
pub fn broken(shared: &Shared) -> Vec<String> {
    shared.cloud.with_world(|world| {
        let entries: Vec<&LogEntry> = world
            .books
            .log()
            .filter(|entry| entry.host == Host::Exchange && entry.connection.is_some())
            .collect();
        let mut found = Vec::new();
        for (at, asked) in entries.iter().enumerate() {
            let Some(seconds) = asked
                .retry_after
                .and_then(|seconds| u32::try_from(seconds).ok())
                .filter(|seconds| *seconds > 0)
            else {
                continue;
            };
            let inside = entries.iter().skip(at + 1).find(|other| {
                let after = between(asked.time, other.arrived);
                other.connection == asked.connection
                    && other.tenant == asked.tenant
                    && after > ON_THE_WAY
                    && after < 1000.0 * f64::from(seconds)
            });
            if let Some(other) = inside {
                found.push(format!(
                    "{} came at {} although {} had asked for a pause of {seconds} s at {}",
                    other.operation, other.arrived, asked.operation, asked.time
                ));
            }
        }
        found
    })
}
