//! Sign-in pages, codes, refresh tokens, client credentials and Entra's refusals.

use microsoft::{
    Kind,
    entra::{Authorize, Prompt, new_attempt, scopes},
};
use rand::{SeedableRng as _, rngs::StdRng};
use secrecy::ExposeSecret as _;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{CLIENT, NOW, TENANT, World, form, refusal, tenant};

fn token_path() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

#[tokio::test]
async fn the_sign_in_page_gets_all_that_binds_it() {
    let world = World::new().await;
    let attempt = new_attempt(&mut StdRng::seed_from_u64(7));
    assert_eq!(attempt.verifier.expose_secret().len(), 43);
    let url = world
        .microsoft
        .authorize_url(&Authorize {
            tenant: None,
            redirect_uri: "http://localhost:3000/auth/callback",
            scopes: &scopes::connecting(world.microsoft.endpoints()),
            state: &attempt.state,
            nonce: &attempt.nonce,
            challenge: &attempt.challenge,
            prompt: Some(Prompt::SelectAccount),
            login_hint: Some("ada@fabrikam.example"),
            domain_hint: None,
        })
        .unwrap();
    let url = reqwest::Url::parse(&url).unwrap();
    assert_eq!(url.path(), "/organizations/oauth2/v2.0/authorize");
    let query: std::collections::HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], CLIENT);
    assert_eq!(query["redirect_uri"], "http://localhost:3000/auth/callback");
    assert_eq!(query["state"], attempt.state);
    assert_eq!(query["nonce"], attempt.nonce);
    assert_eq!(query["code_challenge"], attempt.challenge);
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["prompt"], "select_account");
    assert_eq!(query["login_hint"], "ada@fabrikam.example");
    assert_eq!(
        query["scope"],
        "openid profile offline_access https://graph.microsoft.com/User.Read \
         https://graph.microsoft.com/Application.Read.All \
         https://graph.microsoft.com/Directory.Read.All \
         https://outlook.office365.com/Exchange.Manage"
    );
    assert!(!url.as_str().contains(attempt.verifier.expose_secret()));
    let other = new_attempt(&mut StdRng::seed_from_u64(8));
    assert_ne!(other.state, attempt.state);
}

#[tokio::test]
async fn a_code_is_redeemed_with_verifier_and_scopes_of_one_resource() {
    let world = World::new().await;
    world
        .on(
            "POST",
            &token_path(),
            ResponseTemplate::new(200).set_body_json(json!({
                "token_type": "Bearer", "expires_in": 3_599,
                "scope": "openid profile https://graph.microsoft.com/User.Read",
                "access_token": "the-access", "refresh_token": "the-refresh", "id_token": "a.b.c",
            })),
        )
        .await;
    let redeemed = world
        .microsoft
        .redeem_code(
            Some(tenant()),
            "the-code",
            &"the-verifier".to_owned().into(),
            "http://localhost:3000/auth/callback",
            &scopes::redeeming(world.microsoft.endpoints()),
        )
        .await
        .unwrap();
    assert_eq!(redeemed.id_token.as_deref(), Some("a.b.c"));
    assert_eq!(redeemed.access.secret.expose_secret(), "the-access");
    assert_eq!(redeemed.refresh.unwrap().expose_secret(), "the-refresh");
    assert_eq!(
        redeemed.scopes,
        ["openid", "profile", "https://graph.microsoft.com/User.Read"]
    );
    assert_eq!(redeemed.expires_at.millis(), NOW + 3_599_000);
    let form = form(&world.asked("token").await[0]);
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "the-code");
    assert_eq!(form["code_verifier"], "the-verifier");
    assert_eq!(form["client_id"], CLIENT);
    assert_eq!(form["client_secret"], "own-secret");
    assert!(form["scope"].starts_with("openid profile offline_access https://graph"));
    assert!(!form["scope"].contains("outlook"));
}

#[tokio::test]
async fn a_code_is_never_sent_twice_when_the_answer_is_lost() {
    let world = World::new().await;
    world
        .on("POST", &token_path(), ResponseTemplate::new(502))
        .await;
    let error = world
        .microsoft
        .redeem_code(
            Some(tenant()),
            "c",
            &"v".to_owned().into(),
            "http://localhost/x",
            &[],
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &Kind::Unreachable { maybe_done: true });
    assert_eq!(world.asked("token").await.len(), 1);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for (error, number, kind) in [
        ("invalid_grant", 65_001, Kind::ConsentMissing),
        ("invalid_grant", 50_173, Kind::TokenDead),
        ("invalid_grant", 700_082, Kind::TokenDead),
        ("invalid_grant", 700_084, Kind::TokenDead),
        ("invalid_grant", 70_008, Kind::TokenDead),
        ("invalid_grant", 999_999, Kind::TokenDead),
        ("invalid_grant", 50_076, Kind::InteractionRequired),
        ("interaction_required", 50_079, Kind::InteractionRequired),
        ("interaction_required", 999_999, Kind::InteractionRequired),
        ("invalid_grant", 53_003, Kind::InteractionRequired),
        ("invalid_grant", 70_043, Kind::InteractionRequired),
        ("invalid_grant", 54_005, Kind::CodeSpent),
        ("invalid_client", 7_000_215, Kind::SecretWrong),
        ("invalid_client", 7_000_222, Kind::SecretExpired),
        ("invalid_client", 7_000_112, Kind::AppDisabled),
        ("unauthorized_client", 700_016, Kind::ConsentMissing),
        ("invalid_request", 90_002, Kind::TenantNotFound),
        ("invalid_request", 90_099, Kind::PartnerNotAuthorised),
        ("invalid_resource", 500_011, Kind::ServiceMissing),
        ("invalid_resource", 650_052, Kind::ServiceMissing),
        ("invalid_something", 123, Kind::Other),
    ] {
        let world = World::new().await;
        world
            .on("POST", &token_path(), refusal(error, number))
            .await;
        let failure = world
            .microsoft
            .refresh(tenant(), &"old".to_owned().into(), &[])
            .await
            .unwrap_err();
        assert_eq!(failure.kind(), &kind, "{error} {number}");
        let answer = failure.problem().microsoft.unwrap();
        assert_eq!(answer.code, Some(format!("AADSTS{number}")));
        assert_eq!(answer.request_id.as_deref(), Some("t-1"));
        assert_eq!(answer.status, Some(400));
        assert!(!answer.message.unwrap().contains("Correlation"));
    }
}

#[tokio::test]
async fn client_credentials_are_the_applications_own() {
    let world = World::new().await;
    world
        .once(
            "POST",
            &token_path(),
            refusal("unauthorized_client", 700_016),
        )
        .await;
    world.grants_tokens().await;
    let app = "11111111-2222-4333-8444-555555555555".parse().unwrap();
    let scope = "https://graph.microsoft.com/.default";
    let secret = "app-secret".to_owned().into();
    let ask = || {
        world
            .microsoft
            .client_credentials(tenant(), app, &secret, scope)
    };
    assert_eq!(ask().await.unwrap_err().kind(), &Kind::AppNotFound);
    let token = ask().await.unwrap();
    assert_eq!(token.secret.expose_secret(), "access-1");
    assert!(!format!("{token:?}").contains("access-1"));
    let form = form(&world.asked("token").await[1]);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_id"], app.to_string());
    assert_eq!(form["client_secret"], "app-secret");
    assert_eq!(form["scope"], scope);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_shown() {
    let world = World::new().await;
    world
        .on(
            "POST",
            &token_path(),
            ResponseTemplate::new(200)
                .set_body_raw("{\"access_token\":\"leak-me\"", "application/json"),
        )
        .await;
    let error = world
        .microsoft
        .refresh(tenant(), &"old".to_owned().into(), &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &Kind::Malformed);
    assert!(!format!("{error:?} {:?}", error.problem()).contains("leak-me"));
}

#[tokio::test]
async fn the_browsers_way_back_can_bring_a_refusal() {
    let world = World::new().await;
    let kind = |error: &str, description| {
        world
            .microsoft
            .refused(error, description)
            .kind()
            .clone()
    };
    assert_eq!(
        kind("access_denied", Some("AADSTS65004: User declined.")),
        Kind::Declined
    );
    assert_eq!(kind("access_denied", None), Kind::Declined);
    assert_eq!(
        kind("consent_required", Some("AADSTS90094: …")),
        Kind::ConsentMissing
    );
    assert_eq!(kind("login_required", None), Kind::InteractionRequired);
    let long = world.microsoft.refused(&"x".repeat(5_000), None);
    assert!(long.to_string().len() < 400);
}

#[tokio::test]
async fn a_domain_leads_to_its_tenant() {
    let world = World::new().await;
    world
        .on(
            "GET",
            "/fabrikam.example/v2.0/.well-known/openid-configuration",
            ResponseTemplate::new(200).set_body_json(
                json!({"issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0")}),
            ),
        )
        .await;
    world
        .on(
            "GET",
            "/nobody.example/v2.0/.well-known/openid-configuration",
            refusal("invalid_tenant", 90_002),
        )
        .await;
    let find = |domain: &'static str| world.microsoft.tenant_of_domain(domain);
    assert_eq!(find("Fabrikam.example ").await.unwrap().value, tenant());
    for unknown in ["nobody.example", "../evil", "no domain"] {
        let error = find(unknown).await.unwrap_err();
        assert_eq!(error.kind(), &Kind::TenantNotFound, "{unknown}");
        assert_eq!(error.problem().field(), Some("tenant"));
    }
}
