//! Random faults from a seed, and the kinds of fault that they are made of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::*;

async fn end(world: &World) -> Value {
    let response = world
        .http
        .delete(world.url("/_cloud/campaign"))
        .send()
        .await
        .unwrap();
    response.json().await.unwrap()
}

/// How one read of Exchange ends: status, or none when no whole answer came.
async fn read_mailboxes(world: &World, token: &str) -> (Option<u16>, String) {
    let tenant = world.tenant_id(FABRIKAM);
    let sent = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand")))
        .bearer_auth(token)
        .json(&json!({"CmdletInput": {"CmdletName": "Get-OrganizationConfig", "Parameters": {}}}))
        .send()
        .await;
    match sent {
        Err(_) => (None, String::new()),
        Ok(response) => {
            let status = response.status().as_u16();
            match response.text().await {
                Ok(text) => (Some(status), text),
                Err(_) => (None, String::new()),
            }
        }
    }
}

#[tokio::test]
async fn a_share_of_the_requests_is_hit_and_counted() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let plan = json!({"seed": 7, "share": 0.4, "hang_ms": [20, 40], "slow_ms": [10, 20]});
    let mut runs = Vec::new();
    for _ in 0..2 {
        world.control("campaign", plan.clone()).await;
        let mut spoilt = 0;
        for _ in 0..150 {
            let (status, text) = read_mailboxes(&world, &exchange).await;
            let whole = serde_json::from_str::<Value>(&text).is_ok();
            spoilt += usize::from(status != Some(200) || !whole);
        }
        let report = end(&world).await;
        assert_eq!(report["running"], false);
        assert_eq!(report["seen"], 150);
        let injected = report["injected"].as_u64().unwrap();
        assert!((40..=80).contains(&injected), "{report}");
        let kinds = report["by_kind"].as_object().unwrap();
        assert!(kinds.len() >= 12, "{report}");
        assert_eq!(
            kinds
                .values()
                .map(|count| count.as_u64().unwrap())
                .sum::<u64>(),
            injected
        );
        assert_eq!(report["by_host"], json!({"exchange": injected}));
        // A slow or skewed answer is whole.
        assert!(spoilt > 20, "{spoilt}");
        let logged = world.look("log?host=exchange").await["log"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| {
                entry["fault"]
                    .as_str()
                    .is_some_and(|fault| fault.starts_with("campaign:"))
            })
            .count();
        // Dropped before the work: there is nothing to log.
        assert!(logged > 0);
        runs.push(report["by_kind"].clone());
        // Over is over.
        assert_eq!(read_mailboxes(&world, &exchange).await.0, Some(200));
        assert_eq!(world.look("campaign").await["seen"], 150);
    }
    assert_eq!(runs[0], runs[1], "the same seed hits the same requests");
}

#[tokio::test]
async fn a_campaign_can_be_narrowed_and_ends_by_itself() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    world
        .control("campaign", json!({"share": 1.0, "hosts": ["graph"], "operations": ["GET /users*"], "kinds": {"error_502": 1}, "times": 2}))
        .await;
    assert_eq!(read_mailboxes(&world, &exchange).await.0, Some(200));
    assert_eq!(world.graph(&graph, "/v1.0/organization").await.0, 200);
    for expected in [502, 502, 200] {
        assert_eq!(world.graph(&graph, "/v1.0/users").await.0, expected);
    }
    assert_eq!(
        world.look("campaign").await["by_kind"],
        json!({"error_502": 2})
    );
    // In a batch only what answers at once happens, to the requests of the batch.
    world.control("campaign", json!({"share": 1.0, "operations": ["GET /users"], "kinds": {"busy": 1, "hang_before": 5, "drop_after": 5}})).await;
    let batch = world
        .http
        .post(world.url("/v1.0/$batch"))
        .bearer_auth(&graph)
        .json(&json!({"requests": [{"id": "1", "method": "GET", "url": "/users"}]}))
        .send()
        .await
        .unwrap();
    let batch: Value = batch.json().await.unwrap();
    assert_eq!(batch["responses"][0]["status"], 429);
    assert!(batch["responses"][0]["headers"]["Retry-After"].is_string());
    // A rule that a test has set comes first; a reset ends everything.
    world
        .cloud
        .fault(json!({"operation": "GET /users", "action": {"status": 418}}))
        .unwrap();
    assert_eq!(world.graph(&graph, "/v1.0/users").await.0, 418);
    world.control("reset", json!({})).await;
    assert_eq!(world.look("campaign").await["running"], false);
    for plan in [
        json!({"share": 2.0}),
        json!({"kinds": {"earthquake": 1}}),
        json!({"kinds": {"busy": 0}}),
        json!({"hosts": ["dns"]}),
        json!({"tenant": "nowhere.example"}),
        json!({"shares": 1}),
    ] {
        let answer = world
            .http
            .post(world.url("/_cloud/campaign"))
            .json(&plan)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{plan}");
    }
}

#[tokio::test]
async fn ending_a_campaign_releases_who_hangs() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .control(
            "campaign",
            json!({"share": 1.0, "kinds": {"hang_before": 1}, "hang_ms": [600_000, 600_000]}),
        )
        .await;
    let release = async {
        for _ in 0..500 {
            if world.look("campaign").await["hanging"] == 1 {
                return end(&world).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody hangs");
    };
    let (read, _) = tokio::join!(read_mailboxes(&world, &exchange), release);
    assert_eq!(read.0, Some(200));
}

#[tokio::test]
async fn the_change_can_take_place_although_no_answer_says_so() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let made = |name: &'static str| {
        let world = &world;
        async move {
            let journal = world.look("journal?kind=group").await;
            let entries = journal["changes"].as_array().unwrap().clone();
            entries.iter().any(|entry| entry["name"] == name)
        }
    };
    let cases = [
        (json!({"cut": "before"}), "Dropped early", false, None),
        (json!({"cut": "after"}), "Dropped late", true, None),
        (
            json!({"hang": "before", "hang_ms": 30}),
            "Timed out early",
            false,
            None,
        ),
        (
            json!({"hang": "after", "hang_ms": 30}),
            "Timed out late",
            true,
            None,
        ),
        (
            json!({"status": 504, "after": true}),
            "Gateway late",
            true,
            Some(504),
        ),
        (
            json!({"status": 503, "retry_after": 2}),
            "Busy",
            false,
            Some(503),
        ),
        (
            json!({"status": 503, "retry_after": 2, "after": true}),
            "Busy late",
            true,
            Some(503),
        ),
    ];
    for (action, name, there, status) in cases {
        world.cloud.with_world(|world| world.faults.disarm_all());
        world
            .cloud
            .fault(json!({"operation": "New-DistributionGroup", "action": action}))
            .unwrap();
        let tenant = world.tenant_id(FABRIKAM);
        let sent = world
            .http
            .post(world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand")))
            .bearer_auth(&exchange)
            .json(&json!({"CmdletInput": {"CmdletName": "New-DistributionGroup", "Parameters": {"Name": name, "Type": "Security"}}}))
            .send()
            .await;
        assert_eq!(
            sent.ok().map(|answer| answer.status().as_u16()),
            status,
            "{name}"
        );
        assert_eq!(made(name).await, there, "{name}");
    }
}

#[tokio::test]
async fn errors_can_stand_beside_what_was_read() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .cloud
        .fault(json!({"action": {"admin_error": "Half of it could not be read."}}))
        .unwrap();
    let (status, text) = read_mailboxes(&world, &exchange).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, Some(200));
    assert_eq!(
        body["@adminapi.errors"],
        json!(["Half of it could not be read."])
    );
    assert!(!body["value"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn answers_can_be_another_tenants_or_out_of_time() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    world
        .cloud
        .fault(json!({"id": "w", "action": {"wrong_tenant": true}}))
        .unwrap();
    let (_, text) = read_mailboxes(&world, &exchange).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_ne!(body["value"][0]["DisplayName"], "Fabrikam A/S");
    let context = body["@odata.context"].as_str().unwrap();
    assert!(!context.contains(&world.tenant_id(FABRIKAM)), "{context}");
    let (_, organisation) = world.graph(&graph, "/v1.0/organization").await;
    assert_ne!(organisation["value"][0]["id"], world.tenant_id(FABRIKAM));
    // What changes something is done where it belongs.
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "At home", "Type": "Security"}),
        )
        .await
        .unwrap();
    let journal = world.look("journal?kind=group").await;
    assert_eq!(journal["changes"][0]["tenant"], world.tenant_id(FABRIKAM));
    world.cloud.with_world(|world| world.faults.disarm_all());
    assert_eq!(
        world.graph(&graph, "/v1.0/organization").await.1["value"][0]["id"],
        world.tenant_id(FABRIKAM)
    );

    // A clock that is wrong: in the header, and in tokens that are not valid yet.
    world
        .cloud
        .fault(json!({"id": "s", "host": "graph", "times": 1, "action": {"skew": -3600}}))
        .unwrap();
    let response = world
        .http
        .get(world.url("/v1.0/organization"))
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    let date = response.headers()["date"].to_str().unwrap();
    let date = chrono::DateTime::parse_from_rfc2822(date).unwrap();
    let late = cloud::clock::wall_now()
        .signed_duration_since(date)
        .num_seconds();
    assert!((3590..3700).contains(&late), "{late}");
    let refresh = world
        .refresh_token(FABRIKAM, &format!("admin@{FABRIKAM}"), "User.Read")
        .await;
    world
        .cloud
        .fault(json!({"host": "entra", "times": 1, "action": {"skew": 1800}}))
        .unwrap();
    let early = world
        .redeem(FABRIKAM, &refresh, &format!("{GRAPH}/.default"))
        .await
        .unwrap();
    let (status, body) = world.graph(&access(&early), "/v1.0/organization").await;
    assert_eq!(status, 401, "{body}");
    let again = world
        .redeem(FABRIKAM, &refresh, &format!("{GRAPH}/.default"))
        .await
        .unwrap();
    assert_eq!(
        world.graph(&access(&again), "/v1.0/organization").await.0,
        200
    );
}

#[tokio::test]
async fn a_token_can_be_challenged_before_it_expires() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    world
        .cloud
        .fault(json!({"action": {"claims_challenge": true}}))
        .unwrap();
    for request in [
        world
            .http
            .get(world.url("/v1.0/organization"))
            .bearer_auth(&graph),
        world
            .http
            .post(world.url(&format!(
                "/adminapi/beta/{}/InvokeCommand",
                world.tenant_id(FABRIKAM)
            )))
            .bearer_auth(&exchange),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        let header = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            header.contains("error=\"insufficient_claims\"") && header.contains("claims=\""),
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_fleet_of_a_thousand_is_made_on_demand_and_small() {
    let cloud = cloud::Cloud::start(cloud::Config {
        seed: cloud::Seed::Fleet(1000),
        ..cloud::Config::default()
    })
    .await
    .unwrap();
    // It starts at once, because none of them is made before somebody asks for it.
    let early = cloud.with_world(|world| {
        let customers = world
            .tenants
            .summaries()
            .filter(|summary| summary.recipe.is_customer());
        customers
            .filter(|summary| world.tenants.made(summary.id).is_some())
            .count()
    });
    assert_eq!(early, 0);
    let (made, least) = cloud.with_world(|world| {
        let customers: Vec<_> = world
            .tenants
            .summaries()
            .filter(|summary| summary.recipe.is_customer())
            .map(|summary| summary.id)
            .collect();
        let least = customers
            .iter()
            .map(|id| world.tenants.get(*id).unwrap().principals.len())
            .min();
        (customers.len(), least)
    });
    assert_eq!((made, least), (1000, Some(200)));
    // Linux says how much memory that took; elsewhere there is nothing to compare.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(kilobytes < 1024 * 1024, "{kilobytes} kB");
    }
}
