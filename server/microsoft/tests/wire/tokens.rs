//! Access tokens: one refresh for many, rotation, early renewal, and what a refusal drops.

use std::{sync::Arc, time::Duration};

use domain::{Timestamp, permission::Resource};
use futures::future::join_all;
use microsoft::{AccessToken, Kind};
use secrecy::ExposeSecret as _;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{NOW, Store, TENANT, World, form, invoke_path, refusal, rows, tenant, uuid};

#[tokio::test]
async fn ten_callers_at_once_make_one_refresh() {
    let world = World::new().await;
    let customer = world.customer().await;
    let tokens = join_all((0..10).map(|_| customer.access_token(Resource::Graph))).await;
    for token in tokens {
        assert_eq!(token.unwrap().secret.expose_secret(), "access-1");
    }
    let asked = world.asked("token").await;
    assert_eq!(asked.len(), 1);
    let form = form(&asked[0]);
    assert_eq!(form["refresh_token"], "refresh-0");
    assert_eq!(
        form["scope"],
        "https://graph.microsoft.com/.default offline_access"
    );
}

#[tokio::test]
async fn ten_callers_at_once_share_one_failure() {
    let world = World::new().await;
    world
        .on(
            "POST",
            &format!("/{TENANT}/oauth2/v2.0/token"),
            refusal("invalid_grant", 700_082).set_delay(Duration::from_millis(50)),
        )
        .await;
    let customer = world.customer_without_tokens().await;
    let tokens = join_all((0..10).map(|_| customer.access_token(Resource::Graph))).await;
    for token in tokens {
        assert_eq!(token.unwrap_err().kind(), &Kind::TokenDead);
    }
    assert_eq!(world.asked("token").await.len(), 1);
    // Whoever comes later asks again: somebody may have consented meanwhile.
    customer.access_token(Resource::Graph).await.unwrap_err();
    assert_eq!(world.asked("token").await.len(), 2);
}

#[tokio::test]
async fn each_resource_has_its_token_and_the_newest_refresh_token_is_used() {
    let world = World::new().await;
    let customer = world.customer().await;
    customer.access_token(Resource::Graph).await.unwrap();
    customer.access_token(Resource::Exchange).await.unwrap();
    customer.access_token(Resource::Graph).await.unwrap();
    let asked = world.asked("token").await;
    assert_eq!(asked.len(), 2);
    let second = form(&asked[1]);
    assert_eq!(second["refresh_token"], "refresh-1");
    assert_eq!(
        second["scope"],
        "https://outlook.office365.com/.default offline_access"
    );
    assert_eq!(
        *world.store.rotated.lock().unwrap(),
        [("refresh-1".to_owned(), 0), ("refresh-2".to_owned(), 1)]
    );
}

#[tokio::test]
async fn tokens_are_renewed_five_minutes_early() {
    let world = World::new().await;
    let customer = world.customer().await;
    customer.access_token(Resource::Graph).await.unwrap();
    world.clock.advance(Duration::from_secs(3_599 - 301));
    customer.access_token(Resource::Graph).await.unwrap();
    assert_eq!(world.asked("token").await.len(), 1);
    world.clock.advance(Duration::from_secs(2));
    let token = customer.access_token(Resource::Graph).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "access-2");
}

#[tokio::test]
async fn sessions_of_one_customer_share_tokens_until_they_are_forgotten() {
    let world = World::new().await;
    let one = world.customer().await;
    let other = world.customer_without_tokens().await;
    one.access_token(Resource::Graph).await.unwrap();
    other.access_token(Resource::Graph).await.unwrap();
    assert_eq!(world.asked("token").await.len(), 1);
    world.microsoft.forget(uuid(1)).await;
    other.access_token(Resource::Graph).await.unwrap();
    assert_eq!(world.asked("token").await.len(), 2);
}

#[tokio::test]
async fn without_a_refresh_token_nothing_is_asked() {
    let world = World::new().await;
    let customer = world.customer().await;
    *world.store.token.lock().unwrap() = None;
    let error = customer.access_token(Resource::Graph).await.unwrap_err();
    assert_eq!(error.kind(), &Kind::NotConnected);
    assert_eq!(error.problem().key, "entra.not_connected");
    assert_eq!(error.problem().microsoft, None);
    let broken = world
        .microsoft
        .customer(
            tenant(),
            uuid(2),
            None,
            Arc::new(Store {
                broken: true,
                ..Store::default()
            }),
            Timestamp(NOW),
        )
        .await;
    let error = broken.access_token(Resource::Graph).await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Store);
    assert!(!error.problem().to_string().contains("reference 7"));
    assert!(world.asked("token").await.is_empty());
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let world = World::new().await;
    let customer = world.customer().await;
    let organization = json!({"value": [{"id": TENANT, "displayName": "Fabrikam",
        "verifiedDomains": [{"name": "fabrikam.example", "isDefault": true}]}]});
    world
        .once("GET", "/v1.0/organization", ResponseTemplate::new(401))
        .await;
    world
        .on(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(200).set_body_json(organization),
        )
        .await;
    customer.organization().await.unwrap();
    let asked = world.asked("organization").await;
    let bearer = |index: usize| {
        asked[index].headers["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(asked.len(), 2);
    assert_eq!(bearer(0), "Bearer access-1");
    assert_eq!(bearer(1), "Bearer access-2");
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_too_is_an_error() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .once("GET", "/v1.0/organization", ResponseTemplate::new(401))
        .await;
    world
        .once("GET", "/v1.0/organization", ResponseTemplate::new(401))
        .await;
    world
        .on(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(401).insert_header(
                "WWW-Authenticate",
                "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJ9\"",
            ),
        )
        .await;
    let error = customer.organization().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Unauthorized);
    assert_eq!(world.asked("organization").await.len(), 2);
    let error = customer.organization().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::InteractionRequired);
}

#[tokio::test]
async fn field_b12_a_claims_challenge_is_answered_with_its_claims() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let world = World::new().await;
    let customer = world.customer().await;
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1790000000"}}}"#;
    let challenge = format!(
        "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{}\"",
        BASE64_STANDARD.encode(claims)
    );
    world
        .once(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(401).insert_header("WWW-Authenticate", challenge.as_str()),
        )
        .await;
    world
        .on("GET", "/v1.0/organization", ResponseTemplate::new(500))
        .await;
    customer.organization().await.unwrap_err();
    customer.forget_tokens().await;
    customer.access_token(Resource::Graph).await.unwrap();
    let asked: Vec<Option<String>> = world
        .asked("token")
        .await
        .iter()
        .map(|request| form(request).get("claims").cloned())
        .collect();
    assert_eq!(asked, [None, Some(claims.to_owned()), None]);
}

async fn secret_of(customer: &microsoft::Customer, resource: Resource) -> String {
    let token = customer.access_token(resource).await.unwrap();
    token.secret.expose_secret().to_owned()
}

#[tokio::test]
async fn a_newer_consent_drops_what_an_older_one_gave() {
    let world = World::new().await;
    let older = world.customer().await;
    assert_eq!(secret_of(&older, Resource::Graph).await, "access-1");
    assert_eq!(secret_of(&older, Resource::Exchange).await, "access-2");
    // Another process saved a consent: this one learns of it by its moment alone.
    let newer = world.customer_of(Timestamp(NOW + 1)).await;
    assert_eq!(secret_of(&newer, Resource::Exchange).await, "access-3");
    assert_eq!(secret_of(&newer, Resource::Graph).await, "access-4");
    // Who still knows the older one only does not drop what is newer.
    assert_eq!(secret_of(&older, Resource::Graph).await, "access-4");
    assert_eq!(world.asked("token").await.len(), 4);
}

#[tokio::test]
async fn what_came_with_a_consent_is_kept_for_that_consent() {
    let world = World::new().await;
    let older = world.customer().await;
    let came = |secret: &str| AccessToken {
        secret: secret.to_owned().into(),
        expires_at: Timestamp(NOW).plus_seconds(3_600),
    };
    older.access_token(Resource::Graph).await.unwrap();
    let (first, second) = (Timestamp(NOW + 1), Timestamp(NOW + 2));
    let remember = |at, secret| {
        world
            .microsoft
            .remember(uuid(1), at, Resource::Graph, came(secret))
    };
    remember(second, "second").await;
    // The first one was slower to say so.
    remember(first, "first").await;
    let newest = world.customer_of(second).await;
    assert_eq!(secret_of(&newest, Resource::Graph).await, "second");
    assert_eq!(secret_of(&older, Resource::Graph).await, "second");
    assert_eq!(world.asked("token").await.len(), 1);
}

fn no_role() -> ResponseTemplate {
    ResponseTemplate::new(403).set_body_bytes(vec![0; 64])
}

async fn bearers(world: &World, part: &str) -> Vec<String> {
    let asked = world.asked(part).await;
    let bearer = |request: &wiremock::Request| {
        let text = request.headers["authorization"].to_str().unwrap();
        text.replace("Bearer ", "")
    };
    asked.iter().map(bearer).collect()
}

#[tokio::test]
async fn a_role_that_was_given_meanwhile_is_found_with_a_fresh_token() {
    let in_role =
        "Get-ApplicationAccessPolicy is not present in the role definition of the current user";
    for refused in [
        no_role(),
        ResponseTemplate::new(400).set_body_json(json!({"error": {"message": in_role}})),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.once("POST", &invoke_path(), refused).await;
        world.on_cmdlet(rows(&json!([]))).await;
        customer.policies().await.unwrap();
        assert_eq!(
            bearers(&world, "InvokeCommand").await,
            ["access-1", "access-2"]
        );
    }
}

#[tokio::test]
async fn a_role_that_is_missing_renews_the_token_once_a_minute_at_most() {
    let world = World::new().await;
    let customer = world.customer().await;
    world.on_cmdlet(no_role()).await;
    let refused = async || {
        let error = customer.policies().await.unwrap_err();
        assert_eq!(error.kind(), &Kind::ExchangeRoleMissing);
    };
    refused().await;
    refused().await;
    world.clock.advance(Duration::from_secs(59));
    refused().await;
    let first = ["access-1", "access-2", "access-2", "access-2"];
    assert_eq!(bearers(&world, "InvokeCommand").await, first);
    world.clock.advance(Duration::from_secs(2));
    refused().await;
    assert_eq!(world.asked("InvokeCommand").await.len(), 6);
    assert_eq!(world.asked("token").await.len(), 3);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_leaves_the_refusal_as_it_was() {
    let world = World::new().await;
    let customer = world.customer_without_tokens().await;
    let token = AccessToken {
        secret: "came".to_owned().into(),
        expires_at: Timestamp(NOW).plus_seconds(3_600),
    };
    world
        .microsoft
        .remember(uuid(1), Timestamp(NOW), Resource::Exchange, token)
        .await;
    let at = format!("/{TENANT}/oauth2/v2.0/token");
    world
        .on("POST", &at, refusal("invalid_grant", 65_001))
        .await;
    world.on_cmdlet(no_role()).await;
    let error = customer.policies().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::ExchangeRoleMissing);
    assert_eq!(world.asked("token").await.len(), 1);
    // For other calls the token is good.
    assert_eq!(secret_of(&customer, Resource::Exchange).await, "came");
}
