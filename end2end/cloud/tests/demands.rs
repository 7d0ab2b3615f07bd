//! What Entra demands over time: conditional access, fresh sign-ins, certificates, new keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use cloud::Delays;
use rsa::pkcs8::EncodePublicKey;
use rsa::sha2::{Digest, Sha256};
use serde_json::{Value, json};
use support::assertions::{self, SCOPE, Signed};
use support::*;

#[tokio::test]
async fn conditional_access_asks_for_a_sign_in_with_its_claims() {
    let world = world().await;
    world.consent(FABRIKAM, ALL).await;
    let nora = format!("nora@{PARTNER}");
    let refresh = world
        .refresh_token("organizations", &nora, "User.Read")
        .await;
    world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap();
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "conditional_access": 50076}),
        )
        .await;
    let refused = world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap_err();
    assert_eq!((refused.code, refused.status.as_u16()), (50076, 400));
    assert_eq!(refused.body["error"], "interaction_required");
    assert_eq!(refused.body["suberror"], "basic_action");
    let challenge = refused.body["claims"].as_str().unwrap().to_owned();
    let rule: Value = serde_json::from_str(&challenge).unwrap();
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    assert_eq!(
        rule["access_token"]["capolids"]["values"][0],
        state["tenants"][0]["conditional_access"][0]["id"]
    );
    // Only that tenant demands it, and a sign-in elsewhere without the claims does not help.
    world.redeem(PARTNER, &refresh, SCOPE).await.unwrap();
    let plain = world
        .refresh_token("organizations", &nora, "User.Read")
        .await;
    assert_eq!(
        world
            .redeem(FABRIKAM, &plain, SCOPE)
            .await
            .unwrap_err()
            .code,
        50076
    );
    // With the claims it does, and what comes of it inherits that.
    let landed = world
        .browser()
        .sign_in(
            "organizations",
            &nora,
            &[
                ("scope", "openid offline_access User.Read"),
                ("claims", &challenge),
            ],
        )
        .await;
    let code = landed.code();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
    ];
    let body = world.token("organizations", &form).await.unwrap();
    let met = body["refresh_token"].as_str().unwrap();
    let next = world.redeem(FABRIKAM, met, SCOPE).await.unwrap();
    let next = next["refresh_token"].as_str().unwrap();
    world.redeem(FABRIKAM, next, SCOPE).await.unwrap();
    // Whoever signs in at the tenant itself meets its rule there.
    let own = world
        .refresh_token(FABRIKAM, &format!("admin@{FABRIKAM}"), "User.Read")
        .await;
    world.redeem(FABRIKAM, &own, SCOPE).await.unwrap();
    // A browser that is signed in already and asks silently is told to ask.
    let mut browser = world.browser();
    let admin = format!("admin@{FABRIKAM}");
    browser
        .sign_in(FABRIKAM, &admin, &[("scope", "User.Read")])
        .await
        .code();
    let silent = [("scope", "User.Read"), ("prompt", "none")];
    let landed = browser.open(FABRIKAM, &silent).await;
    assert_eq!(
        landed.parameter("error").as_deref(),
        Some("interaction_required")
    );
    // A new rule is a new demand; one that blocks cannot be met at all; none is none.
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "conditional_access": 53003}),
        )
        .await;
    let blocked = world.redeem(FABRIKAM, next, SCOPE).await.unwrap_err();
    assert_eq!(
        (blocked.code, &blocked.body["suberror"]),
        (53003, &json!("message_only"))
    );
    let page = world
        .browser()
        .sign_in(
            FABRIKAM,
            &format!("admin@{FABRIKAM}"),
            &[("scope", "User.Read")],
        )
        .await;
    assert!(page.page().contains("53003"));
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "conditional_access": null}),
        )
        .await;
    world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_can_be_too_long_ago_for_one_tenant() {
    let world = world().await;
    world.consent(FABRIKAM, ALL).await;
    let nora = format!("nora@{PARTNER}");
    let refresh = world
        .refresh_token("organizations", &nora, "User.Read")
        .await;
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "sign_in_frequency": 3600}),
        )
        .await;
    let rotated = world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap();
    world
        .control("users", json!({"upn": nora, "age_tokens": 4000}))
        .await;
    // Rotation does not make a sign-in younger.
    for token in [refresh.as_str(), rotated["refresh_token"].as_str().unwrap()] {
        let refused = world.redeem(FABRIKAM, token, SCOPE).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.body["error"].as_str()),
            (70043, Some("invalid_grant"))
        );
        world.redeem(PARTNER, token, SCOPE).await.unwrap();
    }
    let fresh = world
        .refresh_token("organizations", &nora, "User.Read")
        .await;
    world.redeem(FABRIKAM, &fresh, SCOPE).await.unwrap();
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "sign_in_frequency": null}),
        )
        .await;
    world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_that_nobody_uses_dies_after_ninety_days() {
    let world = world().await;
    let nora = format!("nora@{PARTNER}");
    let refresh = world
        .refresh_token("organizations", &nora, "User.Read")
        .await;
    world
        .control("users", json!({"upn": nora, "age_tokens": 89 * 86_400}))
        .await;
    // Used in time: the new one begins anew, the old one does not.
    let used = world.redeem(PARTNER, &refresh, SCOPE).await.unwrap();
    world
        .control("users", json!({"upn": nora, "age_tokens": 2 * 86_400}))
        .await;
    let refused = world.redeem(PARTNER, &refresh, SCOPE).await.unwrap_err();
    assert_eq!(
        (refused.code, &refused.body["suberror"]),
        (700_082, &json!("bad_token"))
    );
    world
        .redeem(PARTNER, used["refresh_token"].as_str().unwrap(), SCOPE)
        .await
        .unwrap();
}

#[tokio::test]
async fn keys_can_change_in_the_middle() {
    let world = world().await;
    world.consent(FABRIKAM, ALL).await;
    let admin = format!("admin@{FABRIKAM}");
    let refresh = world.refresh_token(FABRIKAM, &admin, "User.Read").await;
    let old = access(&world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap());
    // The very request that asks for a token is signed with a key that nobody has seen.
    world
        .cloud
        .fault(json!({"operation": "token:*", "times": 1, "action": {"roll_keys": true}}))
        .unwrap();
    let body = world
        .redeem(FABRIKAM, &refresh, "openid profile User.Read")
        .await
        .unwrap();
    let kid = |token: &str| {
        let head = BASE64.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&head).unwrap()["kid"].clone()
    };
    let fresh = kid(body["id_token"].as_str().unwrap());
    assert_ne!(fresh, kid(&old));
    let keys: Value = world
        .http
        .get(world.url("/common/discovery/v2.0/keys"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let keys: Vec<&Value> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["kid"])
        .collect();
    assert!(keys.contains(&&fresh) && keys.contains(&&kid(&old)));
    assert_eq!(world.graph(&old, "/v1.0/organization").await.0, 200);
    // Once the old key is gone, what it signed is worth nothing, and a new token is.
    world.control("keys", json!({"forget": true})).await;
    assert_eq!(world.graph(&old, "/v1.0/organization").await.0, 401);
    let new = access(&world.redeem(FABRIKAM, &refresh, SCOPE).await.unwrap());
    assert_eq!(world.graph(&new, "/v1.0/organization").await.0, 200);
}

#[tokio::test]
async fn a_whole_permission_set_needs_every_service() {
    let world = world().await;
    let tenant = "lucernepublishing.example";
    let path = format!(
        "/{tenant}/v2.0/adminconsent?client_id={}&redirect_uri={REDIRECT}&scope={SCOPE}&state=s",
        world.client_id()
    );
    let mut browser = world.browser();
    let page = browser.visit(&path).await;
    let fields = [
        ("login", "admin@lucernepublishing.example"),
        ("password", "demo"),
    ];
    let landed = browser.submit(page.page(), &fields).await;
    let said = landed.parameter("error_description").unwrap();
    assert!(said.starts_with("AADSTS650052"), "{said}");
    // Nothing of the set was given.
    let state = world.look(&format!("state?tenant={tenant}")).await;
    assert_eq!(state["tenants"][0]["consents"], json!([]));
}

/// One element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut out = vec![tag, 0x82, length[0], length[1]];
    out.extend(content);
    out
}

/// A certificate of that public key, as far as anybody looks at it.
fn certificate(public_key: &[u8]) -> Vec<u8> {
    let algorithm = der(0x30, &[]);
    let name = der(0x30, &[]);
    let signed = der(
        0x30,
        &[
            &der(0xA0, &[&[2, 1, 2]]),
            &[2, 1, 7],
            &algorithm,
            &name,
            &der(0x30, &[]),
            &name,
            public_key,
        ],
    );
    der(0x30, &[&signed, &algorithm, &der(3, &[&[0, 1, 2, 3]])])
}

#[tokio::test]
async fn an_assertion_with_ps256_names_its_certificate() {
    let key = assertions::key(11);
    let public_key = key.to_public_key().to_public_key_der().unwrap();
    let certificate = certificate(public_key.as_bytes());
    let pem = assertions::pem(&certificate);
    let thumbprint = BASE64.encode(Sha256::digest(&certificate));

    let world = world().await;
    let id = world.client_id().to_owned();
    let ask = |header: Value, expires: i64| {
        let mut claims = assertions::claims_of(&world, &id);
        claims["exp"] = json!(expires);
        let assertion = assertions::assertion(&key, Signed::Ps256, &header, &claims);
        let (world, id) = (&world, id.as_str());
        async move {
            assertions::redeem_assertion(world, PARTNER, id, &assertion)
                .await
                .map_err(|refused| refused.code)
        }
    };
    let good = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
    let later = 4_000_000_000;
    assert_eq!(ask(good.clone(), later).await.unwrap_err(), 700_027);
    world
        .control(
            "applications",
            json!({"tenant": PARTNER, "app_id": id, "certificate": pem}),
        )
        .await;
    ask(good.clone(), later).await.unwrap();
    assert_eq!(ask(good, 1_000_000_000).await.unwrap_err(), 700_024);
    for header in [
        json!({"alg": "PS256", "x5t#S256": "of another certificate"}),
        json!({"alg": "PS256"}),
        json!({"alg": "RS256", "x5t#S256": thumbprint}),
        json!({"alg": "none", "x5t#S256": thumbprint}),
    ] {
        assert_eq!(
            ask(header.clone(), later).await.unwrap_err(),
            700_027,
            "{header}"
        );
    }
    let nonsense =
        json!({"tenant": PARTNER, "app_id": id, "certificate": "-----BEGIN CERTIFICATE-----"});
    let answer = world
        .http
        .post(world.url("/_cloud/applications"))
        .json(&nonsense)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn consent_takes_a_while_to_spread() {
    let world = world_with(Delays {
        consent: [30, 30],
        ..Delays::none()
    })
    .await;
    let scope = format!("{GRAPH}/Application.Read.All {EXCHANGE}/Exchange.Manage");
    let body = world
        .sign_in(FABRIKAM, &format!("admin@{FABRIKAM}"), &scope)
        .await;
    // The code of the sign-in carries the consent; the refresh token waits.
    assert!(
        body["scope"]
            .as_str()
            .unwrap()
            .contains("Application.Read.All")
    );
    let refresh = body["refresh_token"].as_str().unwrap();
    let exchange = format!("{EXCHANGE}/.default");
    // Meanwhile there is no consent, or an application that is half there.
    let mut codes = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let early = world
            .redeem(FABRIKAM, refresh, &exchange)
            .await
            .unwrap_err();
        assert_eq!(early.body["error"], "invalid_grant");
        codes.insert(early.code);
    }
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), [65001, 650_051]);
    world.cloud.advance(31);
    world.redeem(FABRIKAM, refresh, &exchange).await.unwrap();
}
