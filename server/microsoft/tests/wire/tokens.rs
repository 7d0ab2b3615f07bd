//! Access tokens: one refresh for many, rotation, early renewal, and what a refusal drops.

use std::{sync::Arc, time::Duration};

use domain::permission::Resource;
use futures::future::join_all;
use microsoft::Kind;
use secrecy::ExposeSecret as _;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{Store, TENANT, World, form, refusal, tenant, uuid};

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
