//! Signing in and consenting through the pages, and redeeming codes.
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
async fn a_code_with_pkce_becomes_tokens() {
    let world = world().await;
    let verifier = "a-verifier-that-is-long-enough-to-be-one-0123456789";
    let challenge = cloud::entra::jwt::sha256_base64(verifier);
    let mut browser = world.browser();
    let landed = browser
        .sign_in(
            "organizations",
            &format!("olivia@{PARTNER}"),
            &[
                ("scope", "openid profile email offline_access"),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        )
        .await;
    assert_eq!(landed.parameter("state").as_deref(), Some("the state"));
    let code = landed.code();
    let redeem = |verifier: &'static str| {
        let (world, code) = (&world, code.clone());
        async move {
            world
                .token(
                    "organizations",
                    &[
                        ("grant_type", "authorization_code"),
                        ("code", &code),
                        ("redirect_uri", REDIRECT),
                        ("code_verifier", verifier),
                    ],
                )
                .await
        }
    };
    assert_eq!(redeem("another-verifier").await.unwrap_err().code, 501_481);
    let body = redeem(verifier).await.unwrap();
    let id = claims(body["id_token"].as_str().unwrap());
    assert_eq!(
        id["iss"],
        format!("{}/{}/v2.0", world.cloud.url(), world.tenant_id(PARTNER))
    );
    assert_eq!(id["aud"], world.client_id());
    assert_eq!(id["nonce"], "the nonce");
    assert_eq!(id["tid"], world.tenant_id(PARTNER).as_str());
    assert_eq!(id["preferred_username"], format!("olivia@{PARTNER}"));
    assert_eq!(id["ver"], "2.0");
    assert!(body["refresh_token"].is_string());
    let again = redeem(verifier).await.unwrap_err();
    assert_eq!(again.code, 54005);
    assert_eq!(again.body["error"], "invalid_grant");
}

#[tokio::test]
async fn the_keys_verify_and_roll_over() {
    let world = world().await;
    let document: serde_json::Value = world
        .http
        .get(world.url("/organizations/v2.0/.well-known/openid-configuration"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        document["issuer"],
        format!("{}/{{tenantid}}/v2.0", world.cloud.url())
    );
    let keys = |world: &World| {
        let (http, url) = (
            world.http.clone(),
            document["jwks_uri"].as_str().unwrap().to_owned(),
        );
        async move {
            let set: serde_json::Value = http.get(url).send().await.unwrap().json().await.unwrap();
            set["keys"].as_array().unwrap().clone()
        }
    };
    assert_eq!(keys(&world).await.len(), 1);
    world.control("keys", json!({})).await;
    let both = keys(&world).await;
    assert_eq!(both.len(), 2);
    assert_ne!(both[0]["kid"], both[1]["kid"]);
    world.control("keys", json!({"forget": true})).await;
    assert_eq!(keys(&world).await.len(), 1);
}

#[tokio::test]
async fn untrusted_requests_stay_on_a_page() {
    let world = world().await;
    let mut browser = world.browser();
    let cases = [
        (
            vec![("client_id", "00000000-0000-0000-0000-000000000001")],
            "AADSTS700016",
        ),
        (
            vec![("redirect_uri", "http://localhost:3000/elsewhere")],
            "AADSTS50011",
        ),
        (
            vec![("redirect_uri", "http://127.0.0.1:3000/auth/callback")],
            "AADSTS50011",
        ),
    ];
    for (extra, code) in cases {
        let mut extra = extra.clone();
        extra.push(("scope", "openid"));
        let landed = browser.open("organizations", &extra).await;
        assert!(landed.page().contains(code), "{code}");
    }
    let landed = browser
        .open("nowhere.example", &[("scope", "openid")])
        .await;
    assert!(landed.page().contains("AADSTS90002"));
}

#[tokio::test]
async fn bad_requests_of_a_trusted_client_go_back_to_it() {
    let world = world().await;
    let mut browser = world.browser();
    for (extra, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "Bogus.Scope"), "invalid_scope"),
        (("prompt", "maybe"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
    ] {
        let landed = browser
            .open("organizations", &[("scope", "openid"), extra])
            .await;
        assert_eq!(
            landed.parameter("error").as_deref(),
            Some(error),
            "{extra:?}"
        );
        assert_eq!(landed.parameter("state").as_deref(), Some("the state"));
    }
    let landed = browser
        .open("organizations", &[("scope", "openid"), ("prompt", "none")])
        .await;
    assert_eq!(landed.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn wrong_passwords_and_strangers_get_their_pages() {
    let world = world().await;
    let mut browser = world.browser();
    let page = browser.open(PARTNER, &[("scope", "openid profile")]).await;
    let wrong = browser
        .submit(
            page.page(),
            &[("login", &format!("olivia@{PARTNER}")), ("password", "x")],
        )
        .await;
    assert!(wrong.page().contains("AADSTS50126"));
    assert!(wrong.page().contains("Simulated cloud: not Microsoft"));
    let nobody = browser
        .submit(
            wrong.page(),
            &[("login", "nobody@nowhere.example"), ("password", "demo")],
        )
        .await;
    assert!(nobody.page().contains("AADSTS50034"));
    let stranger = browser
        .submit(
            nobody.page(),
            &[
                ("login", &format!("admin@{FABRIKAM}")),
                ("password", "demo"),
            ],
        )
        .await;
    assert!(stranger.page().contains("AADSTS50020"));
    // The way out: another account, for the same request.
    let form = browser
        .submit(stranger.page(), &[("account", "other")])
        .await;
    let landed = browser
        .submit(
            form.page(),
            &[
                ("login", &format!("olivia@{PARTNER}")),
                ("password", "demo"),
            ],
        )
        .await;
    let landed = browser
        .submit(landed.page(), &[("decision", "accept")])
        .await;
    assert_eq!(landed.parameter("state").as_deref(), Some("the state"));
}

#[tokio::test]
async fn consent_names_what_it_gives_and_can_be_refused() {
    let world = world().await;
    let mut browser = world.browser();
    let scope = format!("openid {GRAPH}/Application.Read.All {EXCHANGE}/Exchange.Manage");
    let page = browser.open(FABRIKAM, &[("scope", &scope)]).await;
    let consent = browser
        .submit(
            page.page(),
            &[
                ("login", &format!("admin@{FABRIKAM}")),
                ("password", "demo"),
            ],
        )
        .await;
    for text in [
        "Postern",
        "Northwind IT",
        "Fabrikam A/S",
        "Application.Read.All",
        "Exchange.Manage",
    ] {
        assert!(consent.page().contains(text), "{text}");
    }
    let refused = browser
        .submit(consent.page(), &[("decision", "cancel")])
        .await;
    assert_eq!(refused.parameter("error").as_deref(), Some("access_denied"));
    assert!(
        refused
            .parameter("error_description")
            .unwrap()
            .contains("AADSTS65004")
    );

    // Signed in already: straight to the consent page, and then never again.
    let consent = browser.open(FABRIKAM, &[("scope", &scope)]).await;
    let accepted = browser
        .submit(consent.page(), &[("decision", "accept")])
        .await;
    accepted.code();
    browser.open(FABRIKAM, &[("scope", &scope)]).await.code();
    let forced = browser
        .open(FABRIKAM, &[("scope", &scope), ("prompt", "consent")])
        .await;
    assert!(forced.page().contains("Permissions requested"));
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    let consents = state["tenants"][0]["consents"].as_array().unwrap();
    assert!(
        consents
            .iter()
            .any(|consent| consent["application"] == "Postern"
                && consent["resource"] == "Office 365 Exchange Online")
    );
}

#[tokio::test]
async fn only_admins_consent_for_everybody() {
    let world = world().await;
    let mut browser = world.browser();
    let user = format!("user@{FABRIKAM}");
    let landed = browser
        .sign_in(
            FABRIKAM,
            &user,
            &[("scope", &format!("openid {GRAPH}/Application.Read.All"))],
        )
        .await;
    assert!(landed.page().contains("AADSTS90094"));
    let landed = browser
        .sign_in(FABRIKAM, &user, &[("scope", "openid profile User.Read")])
        .await;
    landed.code();
}

#[tokio::test]
async fn accounts_can_be_picked() {
    let world = world().await;
    let mut browser = world.browser();
    let scope = [("scope", "openid profile")];
    browser
        .sign_in("organizations", &format!("olivia@{PARTNER}"), &scope)
        .await
        .code();
    let picker = browser
        .open("organizations", &[scope[0], ("prompt", "select_account")])
        .await;
    assert!(picker.page().contains(&format!("olivia@{PARTNER}")));
    let form = browser.submit(picker.page(), &[("account", "other")]).await;
    let landed = browser
        .submit(
            form.page(),
            &[("login", &format!("nora@{PARTNER}")), ("password", "demo")],
        )
        .await;
    landed.code();
    // Two accounts now: asked even without a prompt; a hint decides.
    assert!(
        browser
            .open("organizations", &scope)
            .await
            .page()
            .contains("Pick an account")
    );
    browser
        .open(
            "organizations",
            &[scope[0], ("login_hint", &format!("nora@{PARTNER}"))],
        )
        .await
        .code();
    let again = browser
        .open("organizations", &[scope[0], ("prompt", "login")])
        .await;
    assert!(again.page().contains("name=\"password\""));
}

#[tokio::test]
async fn a_code_belongs_to_its_client_tenant_and_address() {
    let world = world().await;
    let landed = world
        .browser()
        .sign_in(
            FABRIKAM,
            &format!("admin@{FABRIKAM}"),
            &[("scope", "openid profile")],
        )
        .await;
    let code = landed.code();
    let redeem = |authority: &'static str, redirect: &'static str| {
        let (world, code) = (&world, code.clone());
        async move {
            world
                .token(
                    authority,
                    &[
                        ("grant_type", "authorization_code"),
                        ("code", &code),
                        ("redirect_uri", redirect),
                    ],
                )
                .await
        }
    };
    assert_eq!(
        redeem("contoso.example", REDIRECT).await.unwrap_err().code,
        700_005
    );
    assert_eq!(
        redeem(FABRIKAM, "http://localhost/auth/callback")
            .await
            .unwrap_err()
            .code,
        500_112
    );
    redeem(FABRIKAM, REDIRECT).await.unwrap();
    let unknown = world
        .token(
            FABRIKAM,
            &[
                ("grant_type", "authorization_code"),
                ("code", "nonsense"),
                ("redirect_uri", REDIRECT),
            ],
        )
        .await
        .unwrap_err();
    assert_eq!(
        (unknown.code, unknown.body["error"].as_str()),
        (70000, Some("invalid_grant"))
    );
}

#[tokio::test]
async fn admin_consent_answers_with_the_tenant() {
    let world = world().await;
    let query = format!(
        "client_id={}&redirect_uri={REDIRECT}&state=s&scope={EXCHANGE}/.default",
        world.client_id()
    );
    let mut browser = world.browser();
    browser
        .sign_in(
            FABRIKAM,
            &format!("admin@{FABRIKAM}"),
            &[("scope", "openid profile")],
        )
        .await
        .code();
    let page = world
        .http
        .get(world.url(&format!("/{FABRIKAM}/v2.0/adminconsent?{query}")))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let consent = browser
        .submit(
            &page,
            &[
                ("login", &format!("admin@{FABRIKAM}")),
                ("password", "demo"),
            ],
        )
        .await;
    assert!(consent.page().contains("Exchange.Manage"));
    let done = browser
        .submit(consent.page(), &[("decision", "accept")])
        .await;
    assert_eq!(done.parameter("admin_consent").as_deref(), Some("True"));
    assert_eq!(done.parameter("tenant"), Some(world.tenant_id(FABRIKAM)));
}

#[tokio::test]
async fn a_tenant_without_exchange_says_so() {
    let world = world().await;
    let domain = "lucernepublishing.example";
    let landed = world
        .browser()
        .sign_in(
            domain,
            &format!("admin@{domain}"),
            &[("scope", &format!("openid {EXCHANGE}/Exchange.Manage"))],
        )
        .await;
    assert!(
        landed
            .parameter("error_description")
            .unwrap()
            .contains("AADSTS650052")
    );
}

#[tokio::test]
async fn answers_can_come_by_form_and_sessions_end() {
    let world = world().await;
    let mut browser = world.browser();
    let query = [("scope", "openid profile"), ("response_mode", "form_post")];
    let landed = browser
        .sign_in("organizations", &format!("olivia@{PARTNER}"), &query)
        .await;
    for text in [
        "name=\"code\"",
        "name=\"state\" value=\"the state\"",
        REDIRECT,
    ] {
        assert!(landed.page().contains(text), "{text}");
    }
    browser
        .open("organizations", &[("scope", "openid profile")])
        .await
        .code();
    let out = browser
        .visit("/organizations/oauth2/v2.0/logout?post_logout_redirect_uri=javascript:alert(1)")
        .await;
    assert!(out.page().contains("signed out"));
    let again = browser
        .open("organizations", &[("scope", "openid profile")])
        .await;
    assert!(again.page().contains("name=\"password\""));
}
