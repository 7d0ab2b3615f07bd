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

/// No try is begun with less than a tenth of a call's time left, and a cmdlet has twice that of
/// other calls. Milliseconds of our own clock.
const fn heard_within(host: Host) -> f64 {
    let calls = match host {
        Host::Exchange => 2.0,
        Host::Graph | Host::Entra => 1.0,
    };
    calls * (100.0 * CALL_SECONDS as f64 - 50.0)
}

/// Which process a request comes from, as far as it shows: Exchange's say so, and of those to
/// Graph it is the token, which a process keeps to itself.
fn process(entry: &LogEntry) -> Option<&str> {
    match entry.host {
        Host::Exchange => entry.connection.as_deref(),
        Host::Graph => entry.token.as_deref(),
        Host::Entra => None,
    }
}

/// Milliseconds of our own clock between two moments of the cloud's.
#[expect(clippy::cast_precision_loss, reason = "minutes")]
fn between(from: Time, to: Time) -> f64 {
    (to - from).num_milliseconds() as f64 / SPEED
}

/// Requests of Exchange and Graph inside a pause that the same process had been asked for, in the
/// same tenant and, of Graph, with the same token: another process was not asked.
pub fn broken(shared: &Shared) -> Vec<String> {
    shared.cloud.with_world(|world| {
        let entries: Vec<&LogEntry> = world.books.log().collect();
        inside(&entries)
    })
}

fn inside(entries: &[&LogEntry]) -> Vec<String> {
    let entries: Vec<&&LogEntry> = entries
        .iter()
        .filter(|entry| process(entry).is_some())
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
        if asked.batched || between(asked.arrived, asked.time) > heard_within(asked.host) {
            continue;
        }
        let broken = entries.iter().skip(at + 1).find(|other| {
            let after = between(asked.time, other.arrived);
            other.host == asked.host
                && process(other) == process(asked)
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
            token: None,
            status: 200,
            retry_after,
            client_request_id: None,
            fault: None,
            batched: false,
        }
    };
    let count = |asked: &LogEntry, other: LogEntry| inside(&[asked, &other]).len();
    let asked = entry(0.0, "one", Some(3));
    assert_eq!(count(&asked, entry(1500.0, "one", None)), 1);
    assert_eq!(count(&asked, entry(2900.0, "one", None)), 1);
    assert_eq!(count(&asked, entry(3100.0, "one", None)), 0);
    assert_eq!(count(&asked, entry(1500.0, "another", None)), 0);
    // On its way when the answer was given.
    assert_eq!(count(&asked, entry(100.0, "one", None)), 0);

    // Of Graph the token says whose they are.
    let graph = |millis, token: &str, retry_after| LogEntry {
        host: Host::Graph,
        connection: None,
        token: Some(token.to_owned()),
        ..entry(millis, "", retry_after)
    };
    let asked = graph(0.0, "one", Some(3));
    assert_eq!(count(&asked, graph(1500.0, "one", None)), 1);
    assert_eq!(count(&asked, graph(1500.0, "another", None)), 0);
    assert_eq!(count(&asked, graph(3100.0, "one", None)), 0);
    assert_eq!(count(&asked, entry(1500.0, "one", None)), 0);
}
