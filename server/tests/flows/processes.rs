//! Several portals and workers on one database, any of which may die; and customers in trouble
//! beside others.

use serde_json::{Value, json};
use store::testing::TestDatabase;

use crate::{
    campaign::process::Process,
    support::{Browser, Stack, events::Events, get_json, start_cloud, until},
};

const DOMAIN: &str = "fabrikam.example";
const MAILER: &str = "Reception Mailer";

/// Reads a stream until the setup is in that state. Gives what its page shows.
async fn shown(events: &mut Events, state: &str) -> Value {
    loop {
        let event = events.next().await.expect("an event");
        let view: Value = serde_json::from_str(&event.data).expect("JSON");
        if view["state"] == state {
            return view;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_portals_and_two_workers_of_which_either_dies() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let stack = Stack::beside(cloud, accounts, database).await;
    let process = |role| Process::start(role, stack.cloud.url(), &stack.accounts, &stack.database);
    let mut portals = [process("web"), process("web")];
    let mut workers = [process("worker"), process("worker")];
    for portal in &portals {
        portal.ready().await;
    }
    // Signed in on one, watched on the other.
    let mut here = Browser::new(&portals[0].url);
    let page = here.sign_in(&stack.accounts.owner()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let customer = stack.connect(&mut here, DOMAIN).await;
    let chosen = stack.choose(&mut here, &customer, DOMAIN, MAILER).await;
    let mut there = here.moved_to(&portals[1].url);
    let hangs = json!({
        "id": "hang", "operation": "Test-ApplicationAccessPolicy", "times": 1,
        "action": { "hang": "after" },
    });
    stack.cloud.fault(hangs).expect("a fault");
    let setup = chosen.start(&mut here, "").await;
    let path = format!("/live/setups/{customer}/{setup}");
    let mut events = there.events(&path, None).await.expect("a stream");

    // Both workers die, one after the other, one of them in the middle of a call.
    until("a call that hangs", || {
        let report = stack.cloud.with_world(|world| world.faults.report());
        async move { report.to_string().contains("\"hanging\":1").then_some(()) }
    })
    .await;
    workers[0].kill().await;
    workers[0].begin();
    workers[1].kill().await;
    stack.cloud.with_world(|world| world.faults.disarm("hang"));
    let view = shown(&mut events, "needs_secret").await;
    assert_eq!(view["proof"], "checked");

    // The portal on which the person signed in dies; the other one serves on.
    portals[0].kill().await;
    let fields = [
        ("customer", customer.as_str()),
        ("setup", &setup),
        ("secret", &chosen.application.secret),
    ];
    let (status, told) = there.call_form("/api/give_secret", &fields).await;
    assert_eq!(status, 200, "{told}");
    let view = shown(&mut events, "done").await;
    assert_eq!(view["proof"], "proven");

    // And the other way round: its streams break, and go on at the one that came back.
    portals[0].begin();
    portals[0].ready().await;
    portals[1].kill().await;
    assert_eq!(events.next().await, None);
    let mut again = here.events(&path, None).await.expect("a stream");
    assert_eq!(shown(&mut again, "done").await["proof"], "proven");
    let (status, _) = here.call("/api/me", &json!({})).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_customer_in_trouble_slows_nobody_else() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let troubled = stack.connect(&mut owner, DOMAIN).await;
    let well = stack.connect(&mut owner, "proseware.example").await;
    let stuck = stack.choose(&mut owner, &troubled, DOMAIN, MAILER).await;
    let mut other = stack
        .choose(&mut owner, &well, "proseware.example", MAILER)
        .await;
    other.prove = false;
    let reviewed = stuck.review(&mut owner).await;
    let hangs = json!({
        "id": "hang", "tenant": DOMAIN, "operation": "Get-OrganizationConfig",
        "action": { "hang": "before" },
    });
    stack.cloud.fault(hangs).expect("a fault");
    let waits = stuck.start_reviewed(&mut owner, &reviewed, "").await;
    until("a call that hangs", || {
        let report = stack.cloud.with_world(|world| world.faults.report());
        async move { report.to_string().contains("\"hanging\":1").then_some(()) }
    })
    .await;

    let began = std::time::Instant::now();
    let setup = other.start(&mut owner, "").await;
    stack.settled(&owner, &well, &setup, &["done"]).await;
    let took = began.elapsed();
    assert!(took.as_secs() < 20, "it took {took:?}");
    let body = json!({ "customer": troubled, "setup": waits });
    let view = owner.read("/api/setup", &body).await;
    assert_eq!(view["state"], "running", "the other one hangs still");
    stack.cloud.with_world(|world| world.faults.disarm("hang"));
    stack
        .settled(&owner, &troubled, &waits, &["needs_secret"])
        .await;
}

/// Who asked Exchange for access policies since then, as the cloud saw it. Only scans do here.
async fn scanned_by(stack: &Stack, since: u64) -> Vec<(u64, String)> {
    let url = format!(
        "{}/_cloud/log?operation=Get-ApplicationAccessPolicy&since={since}",
        stack.cloud.url()
    );
    get_json(&url).await["log"]
        .as_array()
        .expect("a log")
        .iter()
        .map(|entry| {
            let user = entry["user"].as_str().expect("a name").to_owned();
            (entry["number"].as_u64().expect("a number"), user)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_uses_the_account_with_which_another_process_connected() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let stack = Stack::beside(cloud, accounts, database).await;
    let process = |role| Process::start(role, stack.cloud.url(), &stack.accounts, &stack.database);
    let (portal, _worker) = (process("web"), process("worker"));
    portal.ready().await;
    let mut owner = Browser::new(&portal.url);
    owner.sign_in(&stack.accounts.owner()).await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let first = until("a scan", || async { scanned_by(&stack, 0).await.pop() }).await;
    assert_eq!(first.1, format!("admin@{DOMAIN}"));

    // Somebody else connects it again, at the portal.
    let second = format!("second@{DOMAIN}");
    let user = json!({ "upn": second, "create": true, "roles": ["Global Administrator"] });
    stack.control("users", &user).await;
    let page = owner
        .send_form("/api/reconnect", &[("customer", &customer)])
        .await;
    let page = owner.consent(page, &second, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let next = until("another scan", || async {
        scanned_by(&stack, first.0).await.pop()
    })
    .await;
    assert_eq!(next.1, second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_alone_hears_the_database() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let _worker = Process::start("worker", cloud.url(), &accounts, &database);
    until("a listener", || async {
        let mut database = database.superuser().await.ok()?;
        let listeners: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and query ilike 'listen%postern%'",
        )
        .fetch_one(&mut database)
        .await
        .ok()?;
        sqlx::Connection::close(database).await.ok()?;
        (listeners > 0).then_some(())
    })
    .await;
}
