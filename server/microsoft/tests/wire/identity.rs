//! ID tokens: each rule refuses on its own (DESIGN §6).

use std::time::Duration;

use microsoft::{IdentityFault, Kind};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{CLIENT, NOW, OBJECT, TENANT, World, signed, tenant};

const NONCE: &str = "the-nonce";

fn header() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
}

fn claims() -> Value {
    json!({
        "aud": CLIENT,
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "iat": NOW / 1000, "nbf": NOW / 1000, "exp": NOW / 1000 + 3600,
        "nonce": NONCE, "tid": TENANT, "oid": OBJECT, "ver": "2.0",
        "name": "Ada Admin", "preferred_username": "ada@fabrikam.example", "sub": "pairwise",
    })
}

async fn world() -> World {
    let world = World::new().await;
    world.publishes_keys("k1", None).await;
    world
}

async fn fault_of(world: &World, token: &str) -> IdentityFault {
    let error = world
        .microsoft
        .identity(token, NONCE, None)
        .await
        .expect_err("believed");
    match error.kind() {
        Kind::Identity(fault) => fault.clone(),
        other => panic!("{other:?}"),
    }
}

async fn fault_with(claim: &str, value: Value) -> IdentityFault {
    let mut claims = claims();
    claims[claim] = value;
    fault_of(&world().await, &signed(&header(), &claims)).await
}

#[tokio::test]
async fn a_good_token_is_believed_and_keys_are_fetched_once() {
    let world = world().await;
    let token = signed(&header(), &claims());
    for _ in 0..3 {
        let identity = world
            .microsoft
            .identity(&token, NONCE, Some(tenant()))
            .await
            .unwrap();
        assert_eq!(identity.tid, tenant());
        assert_eq!(identity.oid.to_string(), OBJECT);
        assert_eq!(identity.name, "Ada Admin");
        assert_eq!(identity.upn, "ada@fabrikam.example");
        assert!(!identity.guest);
    }
    assert_eq!(world.asked("discovery").await.len(), 1);
    world.clock.advance(Duration::from_secs(25 * 3600));
    let mut later = claims();
    later["exp"] = json!(NOW / 1000 + 26 * 3600);
    world
        .microsoft
        .identity(&signed(&header(), &later), NONCE, None)
        .await
        .unwrap();
    assert_eq!(world.asked("discovery").await.len(), 2, "after a day");
}

#[tokio::test]
async fn guests_are_told() {
    let world = world().await;
    let mut claims = claims();
    claims["idp"] = json!("https://sts.windows.net/11111111-2222-4333-8444-555555555555/");
    let identity = world
        .microsoft
        .identity(&signed(&header(), &claims), NONCE, None)
        .await
        .unwrap();
    assert!(identity.guest);
}

#[tokio::test]
async fn claims_that_are_wrong_are_told_apart() {
    let other = "11111111-2222-4333-8444-555555555555";
    let issuer = |tid: &str| json!(format!("https://login.microsoftonline.com/{tid}/v2.0"));
    for (claim, value, fault) in [
        ("aud", json!(other), IdentityFault::Audience),
        ("nonce", json!("another"), IdentityFault::Nonce),
        ("nonce", Value::Null, IdentityFault::Nonce),
        ("exp", json!(NOW / 1000 - 301), IdentityFault::Expired),
        ("nbf", json!(NOW / 1000 + 301), IdentityFault::NotYetValid),
        ("iat", json!(NOW / 1000 + 301), IdentityFault::NotYetValid),
        ("tid", Value::Null, IdentityFault::NoTenant),
        ("tid", json!("common"), IdentityFault::NoTenant),
        (
            "tid",
            json!(TENANT.replace('-', "")),
            IdentityFault::NoTenant,
        ),
        (
            "tid",
            json!("9188040d-6c67-4c5b-b112-36a304b66dad"),
            IdentityFault::Consumer,
        ),
        ("tid", json!(other), IdentityFault::Issuer),
        ("iss", issuer(other), IdentityFault::Issuer),
        ("iss", issuer("{tenantid}"), IdentityFault::Issuer),
        (
            "iss",
            json!(format!("https://sts.windows.net/{TENANT}/")),
            IdentityFault::Issuer,
        ),
        ("oid", Value::Null, IdentityFault::NoObject),
    ] {
        assert_eq!(
            fault_with(claim, value.clone()).await,
            fault,
            "{claim} {value}"
        );
    }
}

#[tokio::test]
async fn clocks_may_be_five_minutes_apart() {
    let world = world().await;
    let mut claims = claims();
    claims["exp"] = json!(NOW / 1000 - 299);
    claims["nbf"] = json!(NOW / 1000 + 299);
    claims["iat"] = json!(NOW / 1000 + 299);
    let token = signed(&header(), &claims);
    assert!(world.microsoft.identity(&token, NONCE, None).await.is_ok());
}

#[tokio::test]
async fn another_tenant_than_was_meant_is_refused() {
    let world = world().await;
    let meant = "11111111-2222-4333-8444-555555555555".parse().unwrap();
    let error = world
        .microsoft
        .identity(&signed(&header(), &claims()), NONCE, Some(meant))
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        &Kind::Identity(IdentityFault::WrongTenant {
            came: tenant(),
            meant
        })
    );
    assert_eq!(error.problem().key, "identity.wrong_tenant");
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let world = world().await;
    let good = signed(&header(), &claims());
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let head = rest.split_once('.').unwrap().0;
    let mut other = claims();
    other["oid"] = json!("a1b2c3d4-0000-4000-8000-00000000000b");
    let other = signed(&header(), &other);
    let payload = other.split('.').nth(1).unwrap();
    let swapped = format!("{head}.{payload}.{signature}");
    assert_eq!(fault_of(&world, &swapped).await, IdentityFault::Signature);
    let unsigned = format!("{rest}.");
    assert_eq!(fault_of(&world, &unsigned).await, IdentityFault::Signature);
    for alg in ["none", "HS256", "RS512"] {
        let token = signed(&json!({"alg": alg, "kid": "k1"}), &claims());
        assert_eq!(fault_of(&world, &token).await, IdentityFault::Algorithm);
    }
    for no_token in ["", "a.b", "a.b.c", "....", &good[..good.len() / 3]] {
        assert_eq!(
            fault_of(&world, no_token).await,
            IdentityFault::NotAToken,
            "{no_token}"
        );
    }
}

#[tokio::test]
async fn an_unknown_key_fetches_once_in_five_minutes() {
    let world = world().await;
    let token = signed(&json!({"alg": "RS256", "kid": "k2"}), &claims());
    for _ in 0..5 {
        assert_eq!(fault_of(&world, &token).await, IdentityFault::UnknownKey);
    }
    assert_eq!(world.asked("discovery").await.len(), 1);
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(fault_of(&world, &token).await, IdentityFault::UnknownKey);
    assert_eq!(world.asked("discovery").await.len(), 2);
}

#[tokio::test]
async fn a_key_of_one_issuer_signs_for_no_other() {
    let world = World::new().await;
    world
        .publishes_keys(
            "k1",
            Some("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
        )
        .await;
    let token = signed(&header(), &claims());
    assert_eq!(fault_of(&world, &token).await, IdentityFault::Issuer);
}

#[tokio::test]
async fn keys_come_from_the_authority_only() {
    let world = World::new().await;
    world
        .on(
            "GET",
            "/organizations/v2.0/.well-known/openid-configuration",
            ResponseTemplate::new(200).set_body_json(json!({
                "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
                "jwks_uri": "https://evil.example/keys",
            })),
        )
        .await;
    let error = world
        .microsoft
        .identity(&signed(&header(), &claims()), NONCE, None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &Kind::ForeignLink);
}

const METADATA: &str = "/organizations/v2.0/.well-known/openid-configuration";

#[tokio::test]
async fn sign_ins_at_once_share_the_failure_to_fetch_keys() {
    let world = World::new().await;
    let away = ResponseTemplate::new(503).set_delay(Duration::from_millis(50));
    world.on("GET", METADATA, away).await;
    let token = signed(&header(), &claims());
    let sign_ins = (0..10).map(|_| world.microsoft.identity(&token, NONCE, None));
    for outcome in futures::future::join_all(sign_ins).await {
        assert!(outcome.unwrap_err().is_transient());
    }
    // One call with all its tries.
    assert_eq!(world.asked("openid-configuration").await.len(), 4);
}

#[tokio::test]
async fn known_keys_do_not_wait_for_unknown_ones() {
    let world = world().await;
    let known = signed(&header(), &claims());
    world.microsoft.identity(&known, NONCE, None).await.unwrap();
    world.clock.advance(Duration::from_secs(301));
    world.server.reset().await;
    let hangs = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    world.on("GET", METADATA, hangs).await;
    let unknown = signed(
        &json!({"alg": "RS256", "typ": "JWT", "kid": "k2"}),
        &claims(),
    );
    let waits = {
        let microsoft = world.microsoft.clone();
        tokio::spawn(async move { microsoft.identity(&unknown, NONCE, None).await })
    };
    while world.asked("openid-configuration").await.is_empty() {
        tokio::task::yield_now().await;
    }
    let identity = world.microsoft.identity(&known, NONCE, None);
    let identity = tokio::time::timeout(Duration::from_secs(10), identity).await;
    identity.expect("it waits for Entra").unwrap();
    waits.abort();
}
