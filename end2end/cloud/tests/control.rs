//! Faults, the log, the clock, edits, reset, and how the cloud starts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use cloud::{Cloud, Config, Seed, StartError};
use serde_json::{Value, json};
use support::*;

async fn hanging(world: &World) -> u64 {
    world.look("faults").await["hanging"].as_u64().unwrap()
}

async fn until(world: &World, count: u64) {
    for _ in 0..500 {
        if hanging(world).await == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {count} hanging requests");
}

async fn groups(world: &World, name: &str) -> usize {
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    state["tenants"][0]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["name"] == name)
        .count()
}

#[tokio::test]
async fn requests_hang_before_or_after_the_change() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    for (when, name, there) in [("before", "Early", 0), ("after", "Late", 1)] {
        let fault = world
            .cloud
            .fault(json!({"host": "exchange", "tenant": FABRIKAM, "operation": "New-DistributionGroup", "action": {"hang": when}}))
            .unwrap();
        let request = world
            .http
            .post(world.url(&format!("/adminapi/beta/{}/InvokeCommand", world.tenant_id(FABRIKAM))))
            .bearer_auth(&exchange)
            .json(&json!({"CmdletInput": {"CmdletName": "New-DistributionGroup", "Parameters": {"Name": name, "Type": "Security"}}}));
        let task = tokio::spawn(request.send());
        until(&world, 1).await;
        assert_eq!(groups(&world, name).await, there, "{when}");
        // The client dies: the request is counted out, and nothing more happens.
        task.abort();
        until(&world, 0).await;
        assert_eq!(groups(&world, name).await, there, "{when}");
        let report = world.look("faults").await;
        assert_eq!(report["faults"][0]["fired"], 1);
        world
            .http
            .delete(world.url(&format!("/_cloud/faults?id={fault}")))
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_was_received_happens_even_if_nobody_waits_for_it() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .control("delays", json!({"exchange_latency_ms": [5_000, 5_000]}))
        .await;
    // Changes nothing, and counts what was received.
    world
        .control(
            "faults",
            json!([{"id": "seen", "operation": "New-DistributionGroup", "action": {"skew": 0}}]),
        )
        .await;
    let request = world
        .http
        .post(world.url(&format!("/adminapi/beta/{}/InvokeCommand", world.tenant_id(FABRIKAM))))
        .bearer_auth(&exchange)
        .json(&json!({"CmdletInput": {"CmdletName": "New-DistributionGroup", "Parameters": {"Name": "Orphan", "Type": "Security"}}}));
    let client = tokio::spawn(request.send());
    while world.look("faults").await["faults"][0]["fired"] != 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled(), "it was answered");
    while groups(&world, "Orphan").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn deleting_a_fault_releases_who_hangs() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world.control("faults", json!([{"id": "h", "operation": "New-DistributionGroup", "action": {"hang": "before"}}])).await;
    let run = world.cmdlet(
        &exchange,
        FABRIKAM,
        "New-DistributionGroup",
        json!({"Name": "Freed", "Type": "Security"}),
    );
    let free = async {
        until(&world, 1).await;
        let gone = world
            .http
            .delete(world.url("/_cloud/faults/h"))
            .send()
            .await
            .unwrap();
        assert!(gone.status().is_success());
    };
    let (made, ()) = tokio::join!(run, free);
    assert_eq!(made.unwrap().len(), 1);
}

#[tokio::test]
async fn answers_can_be_spoilt() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let with = |action: Value| {
        world.cloud.with_world(|world| world.faults.disarm_all());
        world
            .cloud
            .fault(json!({"operation": "GET /users", "action": action}))
            .unwrap();
        world
            .http
            .get(world.url("/v1.0/users"))
            .bearer_auth(&graph)
            .send()
    };
    let busy = with(json!({"status": 429, "retry_after": 5}))
        .await
        .unwrap();
    assert_eq!(
        (
            busy.status().as_u16(),
            busy.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "5")
    );
    assert_eq!(
        busy.json::<Value>().await.unwrap()["error"]["code"],
        "TooManyRequests"
    );
    assert_eq!(with(json!({"status": 503})).await.unwrap().status(), 503);
    let html = with(json!({"content_type": "text/html"})).await.unwrap();
    assert_eq!(html.headers()["content-type"], "text/html");
    let half = with(json!({"truncate": true}))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(serde_json::from_str::<Value>(&half).is_err());
    let cut = with(json!({"cut": "body"})).await.unwrap();
    assert!(cut.bytes().await.is_err());
    let slow = with(json!({"slow_ms": 50})).await.unwrap();
    assert!(slow.json::<Value>().await.unwrap()["value"].is_array());
    let custom = with(json!({"graph_error": "ServiceNotAvailable", "status": 502}))
        .await
        .unwrap();
    assert_eq!(
        (
            custom.status().as_u16(),
            custom.json::<Value>().await.unwrap()["error"]["code"].clone()
        ),
        (502, json!("ServiceNotAvailable"))
    );
    world
        .cloud
        .fault(json!({"host": "exchange", "action": {"nul": 64, "gzip_lie": true}}))
        .unwrap();
    let lie = world
        .raw_cmdlet(&exchange, FABRIKAM, "Get-Mailbox", json!({}))
        .await;
    assert_eq!(lie.headers()["content-encoding"], "gzip");
    assert_eq!(lie.bytes().await.unwrap().len(), 64);
    world.cloud.with_world(|world| world.faults.disarm_all());
    world.cloud.fault(json!({"host": "exchange", "action": {"exchange_error": "no luck", "type": "Some.Exception"}})).unwrap();
    assert_eq!(
        world
            .cmdlet(&exchange, FABRIKAM, "Get-Mailbox", json!({}))
            .await
            .unwrap_err(),
        "no luck"
    );
    world.cloud.with_world(|world| world.faults.disarm_all());
    let text = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again";
    world
        .cloud
        .fault(json!({"host": "exchange", "action": {"text": text}}))
        .unwrap();
    let plain = world
        .raw_cmdlet(&exchange, FABRIKAM, "Get-Mailbox", json!({}))
        .await;
    assert_eq!(
        (
            plain.status().as_u16(),
            plain.text().await.unwrap().as_str()
        ),
        (429, text)
    );
}

#[tokio::test]
async fn the_log_counts_and_keeps_no_secret() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    world.graph(&graph, "/v1.0/users").await;
    world
        .cmdlet(&exchange, FABRIKAM, "get-mailbox", json!({"ResultSize": 1}))
        .await
        .unwrap();
    let log = world.look(&format!("log?tenant={FABRIKAM}")).await;
    let operations: Vec<&str> = log["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["operation"].as_str().unwrap())
        .collect();
    for operation in [
        "authorize",
        "login",
        "token:authorization_code",
        "token:refresh_token",
        "GET /users",
        "Get-Mailbox",
    ] {
        assert!(
            operations.contains(&operation),
            "{operation} in {operations:?}"
        );
    }
    let text = log.to_string();
    for secret in [graph.as_str(), exchange.as_str(), world.client_secret()] {
        assert!(!text.contains(secret));
    }
    let some = world.look("log?host=exchange&operation=Get-*").await;
    assert_eq!(some["log"].as_array().unwrap().len(), 1);
    assert_eq!(some["log"][0]["user"], "admin@fabrikam.example");
}

#[tokio::test]
async fn control_paths_refuse_what_they_do_not_know() {
    let world = world().await;
    for (path, body) in [
        ("clock", json!({"advance": 1})),
        ("clock", json!({"advance_seconds": -1})),
        ("clock", json!({"speed": 0})),
        ("delays", json!({"bogus": [0, 1]})),
        ("delays", json!({"member": 5})),
        ("faults", json!({"action": {"explode": true}})),
        (
            "faults",
            json!({"tenant": "nowhere.example", "action": {"status": 500}}),
        ),
        ("users", json!({"upn": "nobody@nowhere.example"})),
        (
            "users",
            json!({"upn": "admin@fabrikam.example", "roles": ["King"]}),
        ),
        ("tenants", json!({"tenant": "nowhere.example"})),
        ("reset?seed=bogus", json!({})),
    ] {
        let response = world
            .http
            .post(world.url(&format!("/_cloud/{path}")))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{path} {body}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string());
    }
    let foreign = world
        .http
        .post(world.url("/_cloud/reset"))
        .header("origin", "https://elsewhere.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 403);
}

#[tokio::test]
async fn tenants_accounts_and_applications_can_be_added() {
    let world = world().await;
    world
        .control(
            "tenants",
            json!({"tenant": "new.example", "create": true, "name": "New One"}),
        )
        .await;
    world.control("users", json!({"upn": "sales@new.example", "create": true, "mailbox": "shared", "display_name": "Sales"})).await;
    let made = world
        .control(
            "applications",
            json!({"tenant": "new.example", "name": "Fresh Mailer", "grants": ["graph:Mail.Send"]}),
        )
        .await;
    let body = world
        .raw_token(
            "new.example",
            &[
                ("client_id", made["app_id"].as_str().unwrap()),
                ("client_secret", made["secret"].as_str().unwrap()),
                ("grant_type", "client_credentials"),
                ("scope", "https://graph.microsoft.com/.default"),
            ],
        )
        .await
        .unwrap();
    assert_eq!(
        world.send_mail(&access(&body), "sales@new.example").await.0,
        202
    );
}

#[tokio::test]
async fn a_reset_starts_anew_with_the_same_ids() {
    let world = world().await;
    let before = world.tenant_id(FABRIKAM);
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "Gone", "Type": "Security"}),
        )
        .await
        .unwrap();
    world.control("reset", json!({})).await;
    assert_eq!(world.tenant_id(FABRIKAM), before);
    assert_eq!(groups(&world, "Gone").await, 0);
    let small = world.control("reset?seed=empty", json!({})).await;
    assert_eq!(small["tenants"], 1);
    assert_eq!(
        world.look("accounts").await["postern"]["client_id"],
        world.accounts["postern"]["client_id"]
    );
    let fleet = world.control("reset?seed=fleet:40", json!({})).await;
    assert_eq!(fleet["tenants"], 42);
    let listed = world.look("tenants").await["tenants"].clone();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 42);
    assert!(listed.iter().all(|one| one["tenant_id"].is_string()));
    assert!(listed.is_sorted_by_key(|one| one["domain"].as_str().unwrap().to_owned()));
    // A fleet is connected at once, and the partner works in it through GDAP.
    let everywhere = json!({"tenant": "*", "consent": {"app_id": world.client_id(), "scopes": ["graph:User.Read.All"]}});
    assert_eq!(world.control("tenants", everywhere).await["tenants"], 40);
    let refresh = world
        .refresh_token("organizations", &format!("nora@{PARTNER}"), "User.Read")
        .await;
    let token = world
        .redeem("alder0001.example", &refresh, &format!("{GRAPH}/.default"))
        .await
        .unwrap();
    let (status, _) = world.graph(&access(&token), "/v1.0/users").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_demo_has_every_kind_of_customer() {
    let world = world().await;
    assert_eq!(
        world.accounts["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|account| account["tenant"] == "Northwind IT")
            .count(),
        3
    );
    let state = world.look("state").await;
    let tenant = |domain: &str| {
        state["tenants"]
            .as_array()
            .unwrap()
            .iter()
            .find(|tenant| tenant["domain"] == domain)
            .unwrap()
            .clone()
    };
    assert_eq!(tenant("fabrikam.example")["policies"], json!([]));
    assert!(tenant("fabrikam.example")["mailboxes"].as_u64().unwrap() >= 210);
    assert_eq!(
        tenant("adventure-works.example")["policies"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        tenant("wingtiptoys.example")["role_assignments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(tenant("fourthcoffee.example")["dehydrated"], true);
    assert_eq!(
        tenant("lucernepublishing.example")["exchange_licensed"],
        false
    );
    assert!(
        tenant("treyresearch.example")["service_principals"]
            .as_u64()
            .unwrap()
            > 3000
    );
    assert!(
        tenant("oneill-soen.example")["name"]
            .as_str()
            .unwrap()
            .contains("<script>")
    );
}

#[tokio::test]
async fn it_listens_on_this_machine_only_and_says_when_a_port_is_taken() {
    let start = |listen: &str| {
        let listen = listen.to_owned();
        Cloud::start(Config {
            listen,
            seed: Seed::Empty,
            ..Config::default()
        })
    };
    assert!(matches!(
        start("0.0.0.0:0").await,
        Err(StartError::NotLoopback(_))
    ));
    assert!(matches!(
        start("nonsense").await,
        Err(StartError::Address(_))
    ));
    let first = start("127.0.0.1:0").await.unwrap();
    let second = start(&first.address().to_string()).await;
    assert!(second.unwrap_err().to_string().contains("is taken"));
    let address = first.address().to_string();
    first.stop().await;
    start(&address).await.unwrap();
}
