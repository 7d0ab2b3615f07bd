//! Streams of events: replay, several watchers, several processes.

use std::time::Duration;

use serde_json::{Value, json};
use server::config::Role;

use crate::support::{Browser, Portal, Stack, until};

const DOMAIN: &str = "fabrikam.example";

async fn waiting_setup(stack: &Stack, owner: &mut Browser) -> (String, String) {
    let customer = stack.connect(owner, DOMAIN).await;
    let chosen = stack
        .choose(owner, &customer, DOMAIN, "Reception Mailer")
        .await;
    let setup = chosen.start(owner, "").await;
    stack
        .settled(owner, &customer, &setup, &["needs_secret"])
        .await;
    (customer, setup)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_begins_with_what_the_browser_lacks() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let (customer, setup) = waiting_setup(&stack, &mut owner).await;
    let path = format!("/live/setups/{customer}/{setup}");

    let mut events = owner.events(&path, None).await.expect("a stream");
    let headers = events.response.headers().clone();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(!headers.contains_key("content-encoding"));
    let first = events.next().await.expect("an event");

    // Seen already: nothing comes until something changes.
    let mut behind = owner
        .events(&path, Some(&first.id))
        .await
        .expect("a stream");
    assert!(behind.silent_for(Duration::from_millis(300)).await);
    let older = (first.id.parse::<i64>().expect("a number") - 1).to_string();
    let mut again = owner.events(&path, Some(&older)).await.expect("a stream");
    assert_eq!(
        again.next().await.map(|event| event.id),
        Some(first.id.clone())
    );

    let fields = [("customer", customer.as_str()), ("setup", &setup)];
    let (status, told) = owner.call_form("/api/skip_proof", &fields).await;
    assert_eq!(status, 200, "{told}");
    // What was left out, and then the last look, each with a later version than the one before.
    for stream in [&mut events, &mut behind, &mut again] {
        let mut version = first.id.parse::<i64>().expect("a number");
        loop {
            let event = stream.next().await.expect("an event");
            let later = event.id.parse::<i64>().expect("a number");
            assert!(later > version, "{later} after {version}");
            version = later;
            let view: Value = serde_json::from_str(&event.data).expect("JSON");
            if view["state"] == "done" {
                break;
            }
            assert!(["running", "waiting"].contains(&view["state"].as_str().expect("a state")));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_hear_that_something_changed() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let mut events = owner.events("/live/setups", None).await.expect("a stream");
    waiting_setup(&stack, &mut owner).await;
    // Connecting the customer has it read, of which lists hear first.
    let mut heard = std::collections::BTreeSet::new();
    while heard.len() < 2 {
        heard.insert(events.next().await.expect("an event").event);
    }
    let heard: Vec<&str> = heard.iter().map(String::as_str).collect();
    assert_eq!(heard, ["changed", "scanned"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_are_for_those_who_may_read() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let (customer, setup) = waiting_setup(&stack, &mut owner).await;
    let path = format!("/live/setups/{customer}/{setup}");
    let nobody = stack.browser();
    let waits = stack.signed_in(&stack.accounts.engineer()).await;
    for path in [path.as_str(), "/live/setups"] {
        assert_eq!(nobody.events(path, None).await.err(), Some(401), "{path}");
        assert_eq!(waits.events(path, None).await.err(), Some(403), "{path}");
    }
    let other = format!("/live/setups/{setup}/{customer}");
    assert_eq!(owner.events(&other, None).await.err(), Some(404));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_process_works_and_another_is_watched() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let (customer, setup) = waiting_setup(&stack, &mut owner).await;
    // A second process that only serves pages: same database, same sessions.
    let second = Portal::with_role(
        &stack.cloud,
        &stack.accounts,
        &stack.database,
        std::slice::from_ref(&stack.accounts.partner_tenant),
        Role::Web,
    )
    .await;
    let elsewhere = owner.moved_to(&second.url);
    let path = format!("/live/setups/{customer}/{setup}");
    let mut events = elsewhere.events(&path, None).await.expect("a stream");
    let first = events.next().await.expect("an event");

    let secret = stack
        .accounts
        .application(DOMAIN, "Reception Mailer")
        .secret;
    let fields = [
        ("customer", customer.as_str()),
        ("setup", &setup),
        ("secret", &secret),
    ];
    let (status, told) = owner.call_form("/api/give_secret", &fields).await;
    assert_eq!(status, 200, "{told}");
    loop {
        let event = events.next().await.expect("an event");
        assert!(event.id.parse::<i64>().expect("a number") > first.id.parse().expect("a number"));
        let view: Value = serde_json::from_str(&event.data).expect("JSON");
        if view["state"] == "done" {
            assert_eq!(view["proof"], "proven");
            break;
        }
    }
    // Asked to stop, it ends its streams instead of waiting for their readers.
    tokio::time::timeout(Duration::from_secs(10), second.stop())
        .await
        .expect("it does not stop");
    assert_eq!(events.next().await, None);
    let mut owner = owner;
    let (status, _) = owner.call("/api/me", &json!({})).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_comes_back_is_found_again() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let (customer, setup) = waiting_setup(&stack, &mut owner).await;
    let path = format!("/live/setups/{customer}/{setup}");
    let mut events = owner.events(&path, None).await.expect("a stream");
    events.next().await.expect("an event");

    let mut database = stack.database.superuser().await.expect("a connection");
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut database)
    .await
    .expect("an end of all connections");
    sqlx::Connection::close(database).await.expect("an end");

    let secret = stack
        .accounts
        .application(DOMAIN, "Reception Mailer")
        .secret;
    until("an answer", || {
        let (mut owner, secret) = (owner.clone(), secret.clone());
        let (customer, setup) = (customer.clone(), setup.clone());
        async move {
            let fields = [
                ("customer", customer.as_str()),
                ("setup", &setup),
                ("secret", &secret),
            ];
            let (status, told) = owner.call_form("/api/give_secret", &fields).await;
            assert!([200, 500, 503].contains(&status), "{status} {told}");
            (status == 200).then_some(())
        }
    })
    .await;
    // The same stream goes on: the listener has found the database again, and so has the worker.
    loop {
        let event = events.next().await.expect("an event");
        let view: Value = serde_json::from_str(&event.data).expect("JSON");
        if view["state"] == "done" {
            assert_eq!(view["proof"], "proven");
            break;
        }
    }
}
