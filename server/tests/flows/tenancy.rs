//! Two partners in one database: neither sees, changes or is told of anything of the other.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Browser, Stack, until};

const OTHER: &str = "woodgrove-it.example";
const DOMAIN: &str = "fabrikam.example";

async fn list(browser: &mut Browser) -> Value {
    let query = json!({ "search": "", "sort": "name", "page": 1 });
    browser
        .read("/api/customers", &json!({ "query": query }))
        .await
}

/// Milliseconds since 1970 of the newest reading of a customer of the first partner.
async fn our_scans(stack: &Stack) -> i64 {
    stack
        .number(
            "select coalesce(max((extract(epoch from s.read_at) * 1000)::bigint), 0) from scans s
             join partners p on p.id = s.partner_id where p.name not like '%woodgrove%'",
        )
        .await
}

/// Customers of whoever that are read, or wait for it.
async fn under_way(stack: &Stack) -> i64 {
    stack
        .number("select count(*) from scans where asked or lease is not null or due_at < now()")
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_partners_never_meet() {
    let stack = Stack::with_more_partners(&[OTHER]).await;
    let mut ours = stack.owner().await;
    let mut theirs = stack.signed_in(&format!("wilma@{OTHER}")).await;
    let me = theirs.read("/api/me", &json!({})).await;
    assert_eq!(me["role"], "owner", "each partner has an owner of its own");

    // Both look after the same tenant; each has a customer of its own for it.
    let our_customer = stack.connect(&mut ours, DOMAIN).await;
    let mut told = theirs.events("/live/setups", None).await.expect("a stream");
    let chosen = stack
        .choose(&mut ours, &our_customer, DOMAIN, "Reception Mailer")
        .await;
    let setup = chosen.start(&mut ours, &chosen.application.secret).await;
    let object = chosen.object.clone();
    let nothing = list(&mut theirs).await;
    assert_eq!(nothing["total"], 0, "{nothing}");
    let their_customer = stack.connect(&mut theirs, DOMAIN).await;
    assert_ne!(our_customer, their_customer);
    stack.settled(&ours, &our_customer, &setup, &["done"]).await;
    // Their own customer is read as soon as it is connected: of that they are told.
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(1), told.next()).await {
        assert_eq!(
            event.event, "scanned",
            "one partner was told of the other's setup"
        );
    }
    drop(told);
    // With their own readings at rest, what a new stream of theirs tells would be of ours.
    until("their readings to rest", || {
        let stack = &stack;
        async move { (under_way(stack).await == 0).then_some(()) }
    })
    .await;
    let mut told = theirs.events("/live/setups", None).await.expect("a stream");
    let mut witness = ours.events("/live/setups", None).await.expect("a stream");
    let seen = our_scans(&stack).await;
    let page = ours
        .send_form("/api/scan_one", &[("customer", our_customer.as_str())])
        .await;
    assert_eq!(page.status, 200, "{}", page.text());
    until("our customer to be read", || {
        let stack = &stack;
        async move { (our_scans(stack).await > seen).then_some(()) }
    })
    .await;
    // Readings are told together, some hundred milliseconds after they happen: until those who are
    // told of them have heard all, the others would have, too.
    assert_eq!(witness.next().await.expect("an event").event, "scanned");
    while !witness.silent_for(Duration::from_secs(1)).await {}
    assert!(
        told.silent_for(Duration::from_millis(300)).await,
        "one partner was told of the other's scan"
    );
    assert_eq!(list(&mut ours).await["total"], 1);
    assert_eq!(list(&mut theirs).await["total"], 1);
    let people = theirs.read("/api/people", &json!({})).await;
    assert_eq!(people.as_array().map(Vec::len), Some(1), "{people}");

    // With the other's ids: not found, and nothing happens.
    for (path, body) in [
        ("/api/customer", json!({ "customer": our_customer })),
        ("/api/applications", json!({ "customer": our_customer })),
        (
            "/api/setup",
            json!({ "customer": our_customer, "setup": setup }),
        ),
        (
            "/api/setup",
            json!({ "customer": their_customer, "setup": setup }),
        ),
    ] {
        let (status, told) = theirs.call(path, &body).await;
        assert_eq!(status, 404, "{path}: {told}");
    }
    for path in [
        format!("/live/setups/{our_customer}/{setup}"),
        format!("/live/setups/{their_customer}/{setup}"),
    ] {
        assert_eq!(theirs.events(&path, None).await.err(), Some(404), "{path}");
    }
    for path in [
        format!("/customers/{our_customer}"),
        format!("/customers/{our_customer}/applications/{object}"),
        format!("/customers/{our_customer}/mailboxes"),
        format!("/customers/{our_customer}/history.csv"),
        format!("/customers/{our_customer}/history.json"),
        format!("/customers/{their_customer}/setups/{setup}/script.ps1"),
    ] {
        let page = theirs.open_once(&path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(!page.body.contains("Reception Mailer"), "{path}");
    }
    // The old address leads to the page, and there is nothing for them either.
    let moved = theirs
        .open(&format!("/customers/{our_customer}/reach"))
        .await;
    assert_eq!(moved.status, 404);
    for page in [
        format!("/customers/{our_customer}"),
        format!("/customers/{our_customer}/applications/{object}"),
        format!("/customers/{our_customer}/mailboxes"),
    ] {
        let (status, told) = theirs.call("/api/drawn", &json!({ "page": page })).await;
        assert_eq!(status, 404, "{page}: {told}");
    }
    let (status, told) = theirs
        .call_form("/api/scan_one", &[("customer", &our_customer)])
        .await;
    assert_eq!(status, 404, "{told}");
    // Downloads hold their own only, also with the other's ids in the address.
    let rows = ours.open("/exposure.json?by=each").await.body;
    let rows: Vec<Value> = serde_json::from_str(&rows).expect("JSON");
    let app = rows[0]["application"].as_str().expect("an id").to_owned();
    for kind in ["csv", "json"] {
        for query in [
            "by=each".to_owned(),
            format!("by=each&app={app}"),
            "by=customer".to_owned(),
        ] {
            let theirs = theirs.open(&format!("/exposure.{kind}?{query}")).await.body;
            assert!(!theirs.contains(&our_customer), "{kind} {query}: {theirs}");
        }
    }
    let ours_alone = ours.open("/exposure.json?by=customer").await.body;
    assert!(ours_alone.contains(&our_customer), "{ours_alone}");
    assert!(!ours_alone.contains(&their_customer), "{ours_alone}");
    let setups = theirs
        .read("/api/setups", &json!({ "filter": "all", "before": null }))
        .await;
    assert_eq!(setups["rows"].as_array().map(Vec::len), Some(0), "{setups}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_query_that_forgets_its_partner_finds_nothing() {
    let stack = Stack::with_more_partners(&[OTHER]).await;
    let mut ours = stack.owner().await;
    let mut theirs = stack.signed_in(&format!("wilma@{OTHER}")).await;
    stack.connect(&mut ours, DOMAIN).await;
    stack.connect(&mut theirs, DOMAIN).await;
    let mut database = stack.database.server().await.expect("a connection");
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'partner_id' and table_name <> 'sign_ins'",
    )
    .fetch_all(&mut database)
    .await
    .expect("tables");
    assert!(tables.len() >= 8, "{tables:?}");
    for table in &tables {
        let all: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
                .fetch_one(&mut database)
                .await
                .expect("a number");
        assert_eq!(all, 0, "{table} shows rows to who names no partner");
    }
    let partners: Vec<String> = {
        let mut owner = stack.database.superuser().await.expect("a connection");
        sqlx::query_scalar("select id::text from partners")
            .fetch_all(&mut owner)
            .await
            .expect("partners")
    };
    assert_eq!(partners.len(), 2);
    for partner in partners {
        let set = format!("set postern.partner = '{partner}'");
        sqlx::query(sqlx::AssertSqlSafe(set))
            .execute(&mut database)
            .await
            .expect("a setting");
        for (table, seen) in [("customers", 1), ("operators", 1), ("connections", 1)] {
            let all: i64 =
                sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
                    .fetch_one(&mut database)
                    .await
                    .expect("a number");
            assert_eq!(all, seen, "{table}");
        }
    }
}
