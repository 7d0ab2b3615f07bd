//! Limits of Graph and Exchange, and what Graph refuses because it does not know it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Instant;

use cloud::{Cloud, Config, Delays};
use futures::StreamExt as _;
use reqwest::Response;
use serde_json::{Value, json};
use support::*;

async fn read_graph(world: &World, token: &str, path: &str) -> Response {
    world
        .http
        .get(world.url(path))
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_limit_is_of_one_application_in_one_tenant() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    let (other, _) = world.admin("contoso.example").await;
    world
        .control("delays", json!({"graph_units_per_10s": 4}))
        .await;
    // Two units each, one without the rest of the properties, none less than one.
    let full = read_graph(&world, &graph, "/v1.0/users").await;
    assert_eq!(full.headers()["x-ms-resource-unit"], "2");
    let few = read_graph(&world, &graph, "/v1.0/users?$select=id&$top=5").await;
    assert_eq!(few.headers()["x-ms-resource-unit"], "1");
    let near = read_graph(&world, &graph, "/v1.0/users?$top=5").await;
    assert_eq!(near.headers()["x-ms-throttle-limit-percentage"], "1.0");
    let over = read_graph(&world, &graph, "/v1.0/organization").await;
    assert_eq!(over.status(), 429);
    let seconds: u64 = over.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=11).contains(&seconds));
    let scope = format!(
        "Tenant_Application/ReadWrite/{}/{}",
        world.client_id(),
        world.tenant_id(FABRIKAM)
    );
    assert_eq!(over.headers()["x-ms-throttle-scope"], scope.as_str());
    assert_eq!(
        read_graph(&world, &other, "/v1.0/organization")
            .await
            .status(),
        200
    );
    // Within a batch each request has its own turn.
    let requests =
        ["1", "2", "3"].map(|id| json!({"id": id, "method": "GET", "url": "/organization"}));
    let batch = world
        .http
        .post(world.url("/v1.0/$batch"))
        .bearer_auth(&other)
        .json(&json!({ "requests": requests }))
        .send()
        .await
        .unwrap();
    assert_eq!(batch.status(), 200);
    let batch: Value = batch.json().await.unwrap();
    let statuses: Vec<&Value> = batch["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert!(
        statuses.contains(&&json!(200)) && statuses.contains(&&json!(429)),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn changes_are_limited_for_longer() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    world
        .control("delays", json!({"graph_writes_per_150s": 1}))
        .await;
    let object = world.application(FABRIKAM, "ScanToMail")["object_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = world.url(&format!(
        "/v1.0/servicePrincipals/{object}/appRoleAssignments/none"
    ));
    let first = world
        .http
        .delete(&path)
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    assert_eq!(first.status(), 404);
    let second = world
        .http
        .delete(&path)
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    assert_eq!(second.status(), 429);
    assert_eq!(
        second.headers()["x-ms-throttle-information"],
        "WriteLimitExceeded"
    );
    let seconds: u64 = second.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((100..=151).contains(&seconds));
    assert_eq!(
        read_graph(&world, &graph, "/v1.0/organization")
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn what_graph_does_not_know_is_a_clear_refusal() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    for path in [
        "/v1.0/users?$select=id,shoeSize",
        "/v1.0/organization?$select=verifiedDomain",
        "/v1.0/users/admin@fabrikam.example?$select=Id",
        "/v1.0/servicePrincipals?$apply=aggregate(x)",
        "/v1.0/users/$count",
        "/v1.0/users/reception@fabrikam.example/mailFolder",
    ] {
        let (status, body) = world.graph(&graph, path).await;
        assert_eq!(status, 400, "{path}");
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
    let object = world.application(FABRIKAM, "ScanToMail")["object_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1.0/servicePrincipals/{object}/appRoleAssignments/x?$select=id");
    let refused = world
        .http
        .delete(world.url(&path))
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);
    let put = world
        .http
        .put(world.url("/v1.0/users"))
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 405);
    for path in [
        "/v1.0/organization?$select=id,displayName,verifiedDomains",
        "/v1.0/groups?$select=id,displayName,mail,mailEnabled,securityEnabled,groupTypes",
        "/v1.0/servicePrincipals?$select=id,appId,displayName,appOwnerOrganizationId,publisherName,servicePrincipalType,accountEnabled",
        "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appId,appRoles,oauth2PermissionScopes",
        "/v1.0/applications?$select=id,appId,displayName,signInAudience,requiredResourceAccess",
        "/v1.0/users?$select=id,userPrincipalName,mail,accountEnabled,proxyAddresses,userType",
    ] {
        assert_eq!(world.graph(&graph, path).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn one_role_id_can_mean_two_things_and_a_grant_is_given_once() {
    let world = world().await;
    let domain = "proseware.example";
    let (graph, _) = world.admin(domain).await;
    // Calendars.ReadWrite of Graph and Calendars.ReadWrite.All of Exchange share this id.
    let role = "ef54d2bf-783f-4e0f-bca1-3210c0444d99";
    let app = world.application(domain, "Old Calendar Sync").clone();
    let object = app["object_id"].as_str().unwrap();
    let path = format!("/v1.0/servicePrincipals/{object}/appRoleAssignments");
    let held = |body: &Value| -> Vec<(String, String)> {
        body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["resourceDisplayName"].as_str().unwrap().to_owned(),
                    one["appRoleId"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let before = held(&world.graph(&graph, &path).await.1);
    assert_eq!(
        before,
        [("Office 365 Exchange Online".to_owned(), role.to_owned())]
    );
    let resource = world
        .graph(
            &graph,
            "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')",
        )
        .await
        .1["id"]
        .clone();
    let give = |role: &str| {
        let body = json!({"principalId": object, "resourceId": resource, "appRoleId": role});
        world
            .http
            .post(world.url(&path))
            .bearer_auth(&graph)
            .json(&body)
            .send()
    };
    assert_eq!(give(role).await.unwrap().status(), 201);
    let again = give(role).await.unwrap();
    assert_eq!(again.status(), 400);
    let body: Value = again.json().await.unwrap();
    assert_eq!(
        body["error"]["message"],
        "Permission being assigned already exists on the object"
    );
    let after = held(&world.graph(&graph, &path).await.1);
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|(_, id)| id == role));
    let token = world.app_token(domain, "Old Calendar Sync").await;
    assert_eq!(claims(&token)["roles"], json!(["Calendars.ReadWrite"]));
}

#[tokio::test]
async fn exchange_can_limit_what_a_tenant_asks_at_once() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let limited = |latency: u64| json!({"exchange_concurrency": 2, "exchange_latency_ms": [latency, latency]});
    let ask = || world.raw_cmdlet(&exchange, FABRIKAM, "Get-OrganizationConfig", json!({}));
    // One after the other there is always a place.
    world.control("delays", limited(0)).await;
    for _ in 0..5 {
        assert_eq!(ask().await.status(), 200);
    }
    // Two are in the air for an hour: the others are told at once.
    world.control("delays", limited(3_600_000)).await;
    let mut asks: futures::stream::FuturesUnordered<_> = (0..5).map(|_| ask()).collect();
    for _ in 0..3 {
        let answer = asks.next().await.unwrap();
        assert_eq!(answer.status(), 429);
        assert!(answer.headers().get("retry-after").is_none());
        assert!(
            answer.text().await.unwrap().starts_with(
                "You have reached the maximum number of concurrent requests per tenant"
            )
        );
    }
    let more = tokio::time::timeout(std::time::Duration::from_millis(300), asks.next()).await;
    assert!(more.is_err(), "one that had a place was answered");
}

#[tokio::test]
async fn answers_take_as_long_as_the_seed_says() {
    let defaults = Delays::default();
    assert_eq!(
        (defaults.graph_latency_ms, defaults.exchange_latency_ms),
        ([80, 80], [1000, 3000])
    );
    let cloud = Cloud::start(Config {
        delays: defaults,
        clock_speed: 10.0,
        ..Config::default()
    })
    .await
    .unwrap();
    let http = reqwest::Client::new();
    // A refused token waits as long as a good one: what is measured is the wait.
    let mut waits = Vec::new();
    for path in [
        "/v1.0/organization".to_owned(),
        format!("/adminapi/beta/{PARTNER}/InvokeCommand"),
    ] {
        let begun = Instant::now();
        http.post(format!("{}{path}", cloud.url()))
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        waits.push(begun.elapsed().as_millis());
    }
    // Ten times as fast: 8 ms, and 100 to 300.
    // A busy machine adds to it, never takes away.
    assert!((8..5000).contains(&waits[0]), "{waits:?}");
    assert!((100..5000).contains(&waits[1]), "{waits:?}");
}

#[tokio::test]
async fn a_relationship_gives_rights_while_it_is_active() {
    let world = world().await;
    world.consent(FABRIKAM, ALL).await;
    let refresh = world
        .refresh_token("organizations", &format!("nora@{PARTNER}"), "User.Read")
        .await;
    let scope = format!("{EXCHANGE}/.default");
    let relate = |status: &str| json!({"tenant": FABRIKAM, "gdap": {"roles": ["Exchange Administrator"], "status": status}});
    for (status, allowed) in [
        ("expiring", true),
        ("expired", false),
        ("terminated", false),
        ("active", true),
    ] {
        world.control("tenants", relate(status)).await;
        let redeemed = world
            .redeem(FABRIKAM, &refresh, &scope)
            .await
            .map(|_| ())
            .map_err(|refused| refused.code);
        assert_eq!(
            redeemed,
            if allowed { Ok(()) } else { Err(50020) },
            "{status}"
        );
    }
}
