//! All customers read by several workers, and followed by whoever looks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use server::config::Role;

use crate::support::{Portal, Stack, until};

const DOMAINS: [&str; 8] = [
    "fabrikam.example",
    "contoso.example",
    "adventure-works.example",
    "wingtiptoys.example",
    "litware.example",
    "proseware.example",
    "fourthcoffee.example",
    "oneill-soen.example",
];

/// How many customers the page says are done.
fn done(page: &str) -> Option<usize> {
    let (_, rest) = page.split_once("Reading all customers: ")?;
    rest.split(' ').next()?.parse().ok()
}

/// How often each tenant was asked for its role assignments, which every reading does once.
async fn readings(stack: &Stack) -> BTreeMap<String, usize> {
    let url = format!(
        "{}/_cloud/log?operation=Get-ManagementRoleAssignment",
        stack.cloud.url()
    );
    let answer = reqwest::get(url).await.expect("an answer");
    let log: Value = answer.json().await.expect("JSON");
    let mut times = BTreeMap::new();
    for entry in log["log"].as_array().expect("entries") {
        let tenant = entry["tenant"].as_str().expect("a tenant").to_owned();
        *times.entry(tenant).or_default() += 1;
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_workers_read_each_customer_once_and_the_page_follows() {
    let stack = Stack::start().await;
    let partners = [stack.accounts.partner_tenant.clone()];
    let second = Portal::with_role(
        &stack.cloud,
        &stack.accounts,
        &stack.database,
        &partners,
        Role::Worker,
    )
    .await;
    let mut owner = stack.owner().await;
    for domain in DOMAINS {
        stack.connect(&mut owner, domain).await;
    }
    let read = "scans where ended_at is not null and not asked and lease is null";
    until("the first readings", || {
        let stack = &stack;
        async move { (stack.count(read).await == 8).then_some(()) }
    })
    .await;
    let before = readings(&stack).await;
    let mut events = owner.events("/live/setups", None).await.expect("a stream");
    // Two people press the button at the same moment.
    let (mut one, mut other) = (owner.clone(), owner.clone());
    let (first, second_page) = tokio::join!(
        one.send_form("/api/scan_all", &[]),
        other.send_form("/api/scan_all", &[])
    );
    assert_eq!((first.status, second_page.status), (200, 200));
    assert_eq!(stack.count("fleet_scans").await, 1);

    // Each change is told, and what is told never goes back.
    let mut seen = Vec::new();
    loop {
        let event = events.next().await.expect("an event");
        if event.event != "scanned" {
            continue;
        }
        let drawn = owner
            .read("/api/drawn", &json!({ "page": "/exposure" }))
            .await;
        let page = drawn["html"].as_str().expect("markup");
        match done(page) {
            Some(done) => seen.push(done),
            None if page.contains("8 of 8 read") => break,
            None => panic!("{page}"),
        }
    }
    assert!(seen.is_sorted(), "{seen:?}");
    let after = readings(&stack).await;
    for (tenant, times) in after {
        let earlier = before.get(&tenant).copied().unwrap_or_default();
        assert_eq!(times - earlier, 1, "{tenant}");
    }
    second.stop().await;
}
