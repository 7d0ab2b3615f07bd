//! Checks that requested pauses are respected. It compares the cloud's log with each process's log,
//! which says when the process heard of a pause, and when it last checked before a request.
//!
//! A pause that an item of a batch asks for is in the batch's response, which may be lost as a
//! whole. The client's own tests cover that case.

use std::{collections::BTreeMap, path::Path};

use cloud::books::{Host, LogEntry};
use uuid::Uuid;

use super::{block::Shared, process::BORN};

/// The tolerance for times in whole milliseconds.
const ROUNDING: i64 = 2;

/// The log lines of a process about one request. Times are milliseconds of the real clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    /// The number of the process life, over all logs.
    by: usize,
    looked: Option<i64>,
    /// The pause that the response asked for: when it was heard, and when the limiter was closed.
    pause: Option<(i64, i64)>,
}

/// Requests by their id.
type All = BTreeMap<String, Told>;

/// Adds the lines of one log. `lives` counts the lives of its process.
fn listen(told: &mut All, log: &str, lives: &mut usize) {
    for line in log.lines() {
        if line.contains(BORN) {
            *lives += 1;
            continue;
        }
        let field = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}="))?;
            rest.split_whitespace().next()
        };
        let millis = |name| field(name).and_then(|text| text.parse::<i64>().ok());
        let Some(id) = field("client_request_id") else {
            continue;
        };
        let one = told.entry(id.to_owned()).or_default();
        one.by = *lives;
        one.looked = millis("looked").or(one.looked);
        one.pause = millis("heard").zip(millis("closed")).or(one.pause);
    }
}

/// The rate limiter (gate) of a request: each customer has its own, and in it each application that
/// sends mail as itself.
fn gate(entry: &LogEntry) -> (Host, Option<Uuid>, Option<&str>) {
    (entry.host, entry.tenant, entry.user.as_deref())
}

/// Statuses whose pause applies to all requests of the same limiter.
const PAUSES: [u16; 2] = [429, 503];

/// Violations: requests to Exchange and Graph that were sent inside a pause of which their process
/// had heard, and requests that no log mentions.
pub fn broken(shared: &Shared, logs: &[&Path]) -> Vec<String> {
    if std::env::var_os("POSTERN_CAMPAIGN_LOG").is_some() {
        // The processes log to the terminal.
        return Vec::new();
    }
    let mut told = All::new();
    let mut lives = 0;
    for path in logs {
        let log = std::fs::read(path).expect("a log");
        listen(&mut told, &String::from_utf8_lossy(&log), &mut lives);
    }
    shared.cloud.with_world(|world| {
        let entries: Vec<&LogEntry> = world.books.log().collect();
        inside(&entries, &told)
    })
}

fn inside(entries: &[&LogEntry], told: &All) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = Vec::new();
    for entry in entries {
        let id = entry.client_request_id.as_deref();
        if entry.host == Host::Entra || entry.batched {
            continue;
        }
        match id.and_then(|id| told.get(id)) {
            Some(told) if told.looked.is_some() => known.push((*entry, *told)),
            // The campaign itself calls the cloud without such an id.
            _ if id.is_none() => {}
            _ => found.push(format!("nobody told that this went out: {entry:?}")),
        }
    }
    let pauses = known
        .iter()
        .filter(|(asked, _)| asked.retry_after.is_some() && PAUSES.contains(&asked.status));
    let mut deaf = 0;
    for (asked, here) in pauses.clone() {
        let Some(((heard, closed), seconds)) = here.pause.zip(asked.retry_after) else {
            deaf += 1;
            continue;
        };
        let ends = heard.saturating_add(
            i64::try_from(seconds)
                .unwrap_or(i64::MAX)
                .saturating_mul(1000),
        );
        let broken = known.iter().find(|(other, there)| {
            there.by == here.by
                && gate(other) == gate(asked)
                && there
                    .looked
                    .is_some_and(|looked| looked > closed + ROUNDING && looked < ends - ROUNDING)
        });
        if let Some((other, there)) = broken {
            found.push(format!(
                "{} went out inside the pause of {seconds} s that {} had asked for: {here:?} of {asked:?}, {there:?} of {other:?}",
                other.operation, asked.operation,
            ));
        }
    }
    // Responses are lost, and processes die before they hear them, but not always.
    if deaf > 2 && deaf == pauses.count() {
        found.push(format!("none of {deaf} pauses was heard"));
    }
    found
}

#[test]
fn a_request_inside_a_pause_is_found() {
    let mut told = All::new();
    let mut lives = 0;
    let log = format!(
        "{BORN}
         DEBUG microsoft: a request goes out client_request_id=a looked=1000
         DEBUG microsoft: told to pause client_request_id=a heard=1500 closed=1510
         DEBUG microsoft: a request goes out client_request_id=before looked=1505
         DEBUG microsoft: a request goes out client_request_id=inside looked=1600
         DEBUG microsoft: a request goes out client_request_id=end looked=4499
         DEBUG microsoft: a request goes out client_request_id=after looked=4500
         INFO server: something else looked=9
         {BORN}
         DEBUG microsoft: a request goes out client_request_id=another looked=1600"
    );
    listen(&mut told, &log, &mut lives);
    assert_eq!(lives, 2);
    assert_eq!(told["a"].pause, Some((1500, 1510)));

    let now = cloud::clock::wall_now();
    let entry = |id: &str, host, user: &str| LogEntry {
        number: 0,
        time: now,
        host,
        tenant: Some(Uuid::from_u128(1)),
        operation: "Get-Mailbox".to_owned(),
        user: Some(user.to_owned()),
        mailbox: None,
        status: if id == "a" { 429 } else { 200 },
        retry_after: (id == "a").then_some(3),
        client_request_id: Some(id.to_owned()),
        request_id: None,
        fault: None,
        batched: false,
    };
    let count = |asked: &LogEntry, other: LogEntry| inside(&[asked, &other], &told).len();
    let of = |id| entry(id, Host::Exchange, "admin");
    let asked = of("a");
    assert_eq!(count(&asked, of("inside")), 1);
    assert_eq!(count(&asked, of("after")), 0);
    // The request was let through before the pause was known.
    assert_eq!(count(&asked, of("before")), 0);
    assert_eq!(count(&asked, of("end")), 0);
    assert_eq!(count(&asked, of("another")), 0);
    // No log mentions this request.
    assert_eq!(count(&asked, of("unknown")), 1);
    let elsewhere = LogEntry {
        tenant: Some(Uuid::from_u128(2)),
        ..of("inside")
    };
    assert_eq!(count(&asked, elsewhere), 0);

    // Each application that sends mail has its own limiter.
    let graph = |id, app| entry(id, Host::Graph, app);
    let asked = graph("a", "one");
    assert_eq!(count(&asked, graph("inside", "one")), 1);
    assert_eq!(count(&asked, graph("inside", "another")), 0);
    assert_eq!(count(&asked, of("inside")), 0);

    // A process that never hears a pause is found, too.
    told.get_mut("a").expect("a request").pause = None;
    assert_eq!(inside(&[&asked, &asked, &asked], &told).len(), 1);
    assert_eq!(inside(&[&asked], &told).len(), 0);
}
