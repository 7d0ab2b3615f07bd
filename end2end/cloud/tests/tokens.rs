//! Refresh tokens at several tenants and resources, client credentials, and their errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::json;
use support::*;

#[tokio::test]
async fn one_refresh_token_serves_every_resource_and_rotates() {
    let world = world().await;
    world.consent(FABRIKAM, ALL).await;
    let refresh = world
        .refresh_token(FABRIKAM, &format!("admin@{FABRIKAM}"), "User.Read")
        .await;
    let graph = world
        .redeem(FABRIKAM, &refresh, &format!("{GRAPH}/Application.Read.All"))
        .await
        .unwrap();
    let next = graph["refresh_token"].as_str().unwrap();
    assert_ne!(next, refresh);
    let token = claims(&access(&graph));
    assert_eq!(token["aud"], GRAPH);
    assert!(
        token["wids"]
            .as_array()
            .unwrap()
            .iter()
            .any(|wid| wid == "62e90394-69f5-4237-9190-012177145e10")
    );
    let life = graph["expires_in"].as_i64().unwrap();
    assert!((3600..=5400).contains(&life));
    // The old one still works, and so does the new one elsewhere.
    for token in [refresh.as_str(), next] {
        let exchange = world
            .redeem("organizations", token, &format!("{EXCHANGE}/.default"))
            .await
            .unwrap();
        assert_eq!(claims(&access(&exchange))["aud"], EXCHANGE);
    }
    let both = format!("{GRAPH}/User.Read {EXCHANGE}/Exchange.Manage");
    assert_eq!(
        world
            .redeem(FABRIKAM, &refresh, &both)
            .await
            .unwrap_err()
            .code,
        700_022
    );
    let more = format!("{GRAPH}/Directory.ReadWrite.All");
    assert_eq!(
        world
            .redeem(FABRIKAM, &refresh, &more)
            .await
            .unwrap_err()
            .code,
        65001
    );
}

#[tokio::test]
async fn a_partner_works_in_customers_through_gdap() {
    let world = world().await;
    let refresh = world
        .refresh_token("organizations", &format!("nora@{PARTNER}"), "User.Read")
        .await;
    let scope = format!("{EXCHANGE}/.default");
    // Related, but the application is not there yet.
    assert_eq!(
        world
            .redeem(FABRIKAM, &refresh, &scope)
            .await
            .unwrap_err()
            .code,
        90099
    );
    world.consent(FABRIKAM, &["graph:User.Read"]).await;
    assert_eq!(
        world
            .redeem(FABRIKAM, &refresh, &scope)
            .await
            .unwrap_err()
            .code,
        65001
    );
    world.consent(FABRIKAM, ALL).await;
    let body = world.redeem(FABRIKAM, &refresh, &scope).await.unwrap();
    let token = claims(&access(&body));
    assert_eq!(token["tid"], world.tenant_id(FABRIKAM).as_str());
    assert!(
        token["wids"]
            .as_array()
            .unwrap()
            .iter()
            .any(|wid| wid == "29232cdf-9323-42fd-ade2-1d097af3e4de")
    );
    // Not related, and not in the group.
    assert_eq!(
        world
            .redeem("litware.example", &refresh, &scope)
            .await
            .unwrap_err()
            .code,
        50020
    );
    let auditor = world
        .refresh_token("organizations", &format!("aksel@{PARTNER}"), "User.Read")
        .await;
    assert_eq!(
        world
            .redeem(FABRIKAM, &auditor, &scope)
            .await
            .unwrap_err()
            .code,
        50020
    );
    // A guest is somebody there.
    world
        .control(
            "users",
            json!({"upn": "aksel_ext@fabrikam.example", "create": true, "mailbox": "none",
                   "guest_of": format!("aksel@{PARTNER}")}),
        )
        .await;
    let guest = world
        .redeem(FABRIKAM, &auditor, &format!("{GRAPH}/.default"))
        .await
        .unwrap();
    assert_ne!(claims(&access(&guest))["oid"], token["oid"]);
}

#[tokio::test]
async fn revoked_disabled_and_removed_accounts_lose_their_tokens() {
    let world = world().await;
    let upn = format!("nora@{PARTNER}");
    let scope = format!("{GRAPH}/User.Read");
    let refresh = world
        .refresh_token("organizations", &upn, "User.Read")
        .await;
    world.redeem(PARTNER, &refresh, &scope).await.unwrap();
    world
        .control("users", json!({"upn": upn, "revoke": true}))
        .await;
    let refused = world.redeem(PARTNER, &refresh, &scope).await.unwrap_err();
    assert_eq!((refused.code, refused.status.as_u16()), (50173, 400));
    assert_eq!(refused.body["error"], "invalid_grant");
    let refresh = world
        .refresh_token("organizations", &upn, "User.Read")
        .await;
    world
        .control("users", json!({"upn": upn, "enabled": false}))
        .await;
    assert_eq!(
        world
            .redeem(PARTNER, &refresh, &scope)
            .await
            .unwrap_err()
            .code,
        50057
    );
    let other = world
        .refresh_token("organizations", &format!("aksel@{PARTNER}"), "User.Read")
        .await;
    world
        .control(
            "tenants",
            json!({"tenant": PARTNER, "remove_consent": world.client_id()}),
        )
        .await;
    assert_eq!(
        world
            .redeem(PARTNER, &other, &scope)
            .await
            .unwrap_err()
            .code,
        65001
    );
}

#[tokio::test]
async fn an_old_refresh_token_expires() {
    let world = world().await;
    world
        .control("delays", json!({"refresh_lifetime": [0, 0]}))
        .await;
    let refresh = world
        .refresh_token("organizations", &format!("nora@{PARTNER}"), "User.Read")
        .await;
    let refused = world
        .redeem(PARTNER, &refresh, &format!("{GRAPH}/User.Read"))
        .await;
    // Zero seconds: the token is dead as soon as any time has passed.
    assert_eq!(refused.unwrap_err().code, 700_082);
}

#[tokio::test]
async fn clients_must_prove_who_they_are() {
    let world = world().await;
    let id = world.client_id().to_owned();
    let base = [
        ("client_id", id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
    ];
    let none = world.raw_token(PARTNER, &base).await.unwrap_err();
    assert_eq!((none.code, none.status.as_u16()), (7_000_218, 401));
    let mut wrong = base.to_vec();
    wrong.push(("client_secret", "wrong"));
    assert_eq!(
        world.raw_token(PARTNER, &wrong).await.unwrap_err().code,
        7_000_215
    );
    let stranger = [
        ("client_id", "00000000-0000-0000-0000-00000000000a"),
        ("client_secret", "x"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
    ];
    assert_eq!(
        world.raw_token(PARTNER, &stranger).await.unwrap_err().code,
        700_016
    );
    assert_eq!(
        world
            .raw_token("nowhere.example", &stranger)
            .await
            .unwrap_err()
            .code,
        90002
    );
    world
        .control(
            "applications",
            json!({"tenant": PARTNER, "app_id": id, "secret": "old one", "secret_expires_in": -5}),
        )
        .await;
    let mut expired = base.to_vec();
    expired.push(("client_secret", "old one"));
    assert_eq!(
        world.raw_token(PARTNER, &expired).await.unwrap_err().code,
        7_000_222
    );
    // Basic works as well.
    let response = world
        .http
        .post(world.url(&format!("/{PARTNER}/oauth2/v2.0/token")))
        .basic_auth(&id, Some(world.client_secret()))
        .form(&[("grant_type", "refresh_token"), ("refresh_token", "x")])
        .send()
        .await
        .unwrap();
    let (_, body) = read(response).await;
    assert_eq!(body["error_codes"][0], 70000);
    let json = world
        .http
        .post(world.url(&format!("/{PARTNER}/oauth2/v2.0/token")))
        .json(&json!({"grant_type": "refresh_token"}))
        .send()
        .await
        .unwrap();
    assert_eq!(read(json).await.1["error_codes"][0], 9_002_313);
}

#[tokio::test]
async fn a_certificate_stands_in_for_the_secret() {
    use rsa::pkcs8::EncodePublicKey;
    use support::assertions::{self, Signed};

    let key = assertions::key(7);
    let pem = key
        .to_public_key()
        .to_public_key_pem(rsa::pkcs8::LineEnding::LF)
        .unwrap();

    let world = world().await;
    let id = world.client_id().to_owned();
    let assertion = |subject: &str| {
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let claims = assertions::claims_of(&world, subject);
        assertions::assertion(&key, Signed::Rs256, &header, &claims)
    };
    let ask = async |assertion: String| {
        assertions::redeem_assertion(&world, PARTNER, &id, &assertion).await
    };
    assert_eq!(ask(assertion(&id)).await.unwrap_err().code, 700_027);
    world
        .control(
            "applications",
            json!({"tenant": PARTNER, "app_id": id, "certificate": pem}),
        )
        .await;
    ask(assertion(&id)).await.unwrap();
    assert_eq!(
        ask(assertion("somebody else")).await.unwrap_err().code,
        700_027
    );
}

#[tokio::test]
async fn applications_get_the_roles_of_that_tenant() {
    let world = world().await;
    let token = claims(&world.app_token(FABRIKAM, "Reception Mailer").await);
    assert_eq!(token["roles"], json!(["Mail.Send"]));
    assert_eq!(token["tid"], world.tenant_id(FABRIKAM).as_str());
    assert_eq!(
        token["oid"],
        world.application(FABRIKAM, "Reception Mailer")["object_id"]
    );
    // RBAC alone: a token without roles (MICROSOFT.md §5).
    let bare = claims(&world.app_token("wingtiptoys.example", "ScanToMail").await);
    assert!(bare.get("roles").is_none());
    let application = world.application(FABRIKAM, "Reception Mailer");
    let form = [
        ("client_id", application["app_id"].as_str().unwrap()),
        ("client_secret", application["secret"].as_str().unwrap()),
        ("grant_type", "client_credentials"),
    ];
    let at = |authority: &'static str, scope: &'static str| {
        let world = &world;
        let mut form = form.to_vec();
        form.push(("scope", scope));
        async move { world.raw_token(authority, &form).await }
    };
    let graph = "https://graph.microsoft.com/.default";
    assert_eq!(
        at("contoso.example", graph).await.unwrap_err().code,
        700_016
    );
    assert_eq!(at("organizations", graph).await.unwrap_err().code, 50059);
    assert_eq!(
        at(FABRIKAM, "https://graph.microsoft.com/Mail.Send")
            .await
            .unwrap_err()
            .code,
        1_002_012
    );
    world
        .control(
            "applications",
            json!({"tenant": FABRIKAM, "app_id": form[0].1, "enabled": false}),
        )
        .await;
    assert_eq!(at(FABRIKAM, graph).await.unwrap_err().code, 7_000_112);
}

#[tokio::test]
async fn errors_can_be_ordered_per_person() {
    let world = world().await;
    let (nora, aksel) = (format!("nora@{PARTNER}"), format!("aksel@{PARTNER}"));
    let scope = format!("{GRAPH}/User.Read");
    let first = world
        .refresh_token("organizations", &nora, "User.Read")
        .await;
    let second = world
        .refresh_token("organizations", &aksel, "User.Read")
        .await;
    for (name, code, error) in [
        ("AADSTS50076", 50076, "interaction_required"),
        ("AADSTS53003", 53003, "interaction_required"),
        ("AADSTS70043", 70043, "invalid_grant"),
    ] {
        let id = world
            .cloud
            .fault(
                json!({"id": "one", "host": "entra", "user": nora, "operation": "token:*",
                          "action": {"entra_error": name}}),
            )
            .unwrap();
        let refused = world.redeem(PARTNER, &first, &scope).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.body["error"].as_str().unwrap()),
            (code, error)
        );
        assert_eq!(
            refused.body["claims"].is_string(),
            error == "interaction_required"
        );
        world.redeem(PARTNER, &second, &scope).await.unwrap();
        world.cloud.with_world(|world| world.faults.disarm(&id));
    }
}
