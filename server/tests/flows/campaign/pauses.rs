//! A pause that was asked for is kept: read from the cloud's log.

use cloud::{
    books::{Host, LogEntry},
    clock::Time,
};

use super::block::{CALL_SECONDS, Shared};
use crate::support::SPEED;

/// An answer is on its way so long, and what was sent before it came arrives. Milliseconds of our
/// own clock.
const ON_THE_WAY: f64 = 700.0;

/// No try of Exchange is begun with less than a tenth of a call's time left, and a cmdlet has twice
/// that of other calls. Milliseconds of our own clock.
const HEARD_WITHIN: f64 = 200.0 * CALL_SECONDS as f64 - 100.0;

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
        let entries: Vec<&LogEntry> = world.books.log().collect();
        inside(&entries)
    })
}

fn inside(entries: &[&LogEntry]) -> Vec<String> {
    let entries: Vec<&&LogEntry> = entries
        .iter()
        .filter(|entry| entry.host == Host::Exchange && entry.connection.is_some())
        .collect();
    let mut found = Vec::new();
    for (at, asked) in entries.iter().enumerate() {
        let Some(seconds) = asked
            .retry_after
            .and_then(|seconds| u32::try_from(seconds).ok())
        else {
            continue;
        };
        // Whoever asked has given up by then, and hears nothing of the pause. What an item of a
        // batch asks for travels in the batch's answer, which may be lost as a whole; the client's
        // own tests show that it is kept.
        if asked.batched || between(asked.arrived, asked.time) > HEARD_WITHIN {
            continue;
        }
        let broken = entries.iter().skip(at + 1).find(|other| {
            let after = between(asked.time, other.arrived);
            other.connection == asked.connection
                && other.tenant == asked.tenant
                && after > ON_THE_WAY
                && after < 1000.0 * f64::from(seconds)
        });
        if let Some(other) = broken {
            found.push(format!(
                "{} came {:.0} ms after {} had asked for a pause of {seconds} s: {asked:?}, {other:?}",
                other.operation,
                between(asked.time, other.arrived),
                asked.operation,
            ));
        }
    }
    found
}

#[test]
fn a_request_inside_a_pause_is_found() {
    let began = cloud::clock::wall_now();
    // After milliseconds of our own clock, by one of two processes.
    let entry = |millis: f64, process: &str, retry_after| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "minutes"
        )]
        let at = began + std::time::Duration::from_millis((millis * SPEED).abs() as u64);
        LogEntry {
            number: 0,
            time: at,
            arrived: at,
            host: Host::Exchange,
            tenant: None,
            operation: "Get-Mailbox".to_owned(),
            user: None,
            mailbox: None,
            connection: Some(process.to_owned()),
            status: 200,
            retry_after,
            client_request_id: None,
            fault: None,
            batched: false,
        }
    };
    let asked = entry(0.0, "one", Some(3));
    let count = |other: LogEntry| inside(&[&asked, &other]).len();
    assert_eq!(count(entry(1500.0, "one", None)), 1);
    assert_eq!(count(entry(2900.0, "one", None)), 1);
    assert_eq!(count(entry(3100.0, "one", None)), 0);
    assert_eq!(count(entry(1500.0, "another", None)), 0);
    // On its way when the answer was given.
    assert_eq!(count(entry(100.0, "one", None)), 0);
}
