//! Sign-in pages, codes, refresh tokens, client credentials and Entra's refusals.

use std::time::Duration;

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use domain::{permission::Resource, problem::Remedy};
use microsoft::{
    Certificate, Credential, Kind,
    entra::{Authorize, NotACertificate, Prompt, new_attempt, scopes},
};
use rand::{SeedableRng as _, rngs::StdRng};
use secrecy::ExposeSecret as _;
use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{body_string_contains, method},
};

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

/// Anybody can bring a code; every customer's work needs refreshes, and every sign-in the key set.
#[tokio::test(flavor = "multi_thread")]
async fn security_f03_while_codes_are_held_up_everything_else_goes_through() {
    let world = World::new().await;
    Mock::given(method("POST"))
        .and(body_string_contains("grant_type=authorization_code"))
        .respond_with(refusal("invalid_grant", 70_000).set_delay(Duration::from_secs(600)))
        .mount(&world.server)
        .await;
    let codes: Vec<_> = (0..100)
        .map(|number| {
            let microsoft = world.microsoft.clone();
            tokio::spawn(async move {
                let code = format!("junk-{number}");
                let verifier = "v".to_owned().into();
                microsoft
                    .redeem_code(Some(tenant()), &code, &verifier, "http://localhost/x", &[])
                    .await
            })
        })
        .collect();
    world.comes("token").await;
    world.grants_tokens().await;
    world.publishes_keys("k1", None).await;
    for _ in 0..40 {
        world
            .microsoft
            .refresh(tenant(), &"refresh".to_owned().into(), &[])
            .await
            .unwrap();
    }
    let held = world.asked("token").await;
    let codes_sent = held
        .iter()
        .filter(|request| form(request)["grant_type"] == "authorization_code")
        .count();
    assert!(
        codes_sent <= 8,
        "{codes_sent} codes are on their way at once"
    );
    for code in codes {
        code.abort();
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for (error, number, kind) in [
        ("invalid_grant", 65_001, Kind::ConsentMissing),
        ("invalid_grant", 50_173, Kind::TokenDead),
        ("invalid_grant", 700_082, Kind::TokenDead),
        ("invalid_grant", 700_084, Kind::TokenDead),
        ("invalid_grant", 70_008, Kind::TokenDead),
        ("invalid_grant", 50_057, Kind::TokenDead),
        ("invalid_grant", 500_341, Kind::NotInTenant),
        ("invalid_grant", 999_999, Kind::SignInRefused),
        ("invalid_grant", 50_076, Kind::InteractionRequired),
        ("interaction_required", 50_079, Kind::InteractionRequired),
        ("interaction_required", 999_999, Kind::InteractionRequired),
        ("invalid_grant", 53_003, Kind::InteractionRequired),
        ("invalid_grant", 70_043, Kind::InteractionRequired),
        ("invalid_grant", 530_084, Kind::InteractionRequired),
        ("invalid_grant", 50_158, Kind::InteractionRequired),
        ("interaction_required", 530_034, Kind::InteractionRequired),
        ("invalid_grant", 54_005, Kind::CodeSpent),
        ("invalid_client", 7_000_215, Kind::SecretWrong),
        ("invalid_client", 7_000_222, Kind::SecretExpired),
        ("invalid_client", 7_000_112, Kind::AppDisabled),
        ("unauthorized_client", 700_016, Kind::ConsentMissing),
        ("invalid_request", 90_002, Kind::TenantNotFound),
        ("invalid_request", 90_099, Kind::PartnerNotAuthorised),
        ("invalid_resource", 500_011, Kind::ServiceMissing),
        ("invalid_client", 650_052, Kind::ServiceOff),
        ("invalid_resource", 650_052, Kind::ServiceOff),
        ("invalid_grant", 500_014, Kind::ServiceOff),
        ("invalid_resource", 650_057, Kind::Registration),
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

/// What a person reads when Entra refuses Postern's refresh token so.
async fn told(error: &str, number: u64) -> domain::Problem {
    let world = World::new().await;
    world
        .on("POST", &token_path(), refusal(error, number))
        .await;
    let failure = world
        .microsoft
        .refresh(tenant(), &"old".to_owned().into(), &[])
        .await
        .unwrap_err();
    failure.problem()
}

#[tokio::test]
async fn field_b12_each_rule_of_conditional_access_says_whether_connecting_helps() {
    for (number, key, remedy, helps) in [
        (530_084, "entra.token_protection", Remedy::Act, false),
        (50_158, "entra.external_challenge", Remedy::Act, false),
        (530_034, "entra.delegation_blocked", Remedy::Act, false),
        (70_043, "entra.sign_in_frequency", Remedy::Consent, true),
        (70_044, "entra.sign_in_frequency", Remedy::Consent, true),
        (70_046, "entra.sign_in_frequency", Remedy::Consent, true),
        (53_003, "entra.conditional_access", Remedy::Consent, true),
        (50_076, "entra.mfa_required", Remedy::Consent, true),
    ] {
        let problem = told("invalid_grant", number).await;
        assert_eq!((problem.key.as_str(), problem.remedy), (key, remedy));
        let says = problem.means.contains("connecting again");
        assert_eq!(says, !helps, "{number}: {}", problem.means);
        assert!(!problem.happened.contains("has ended"), "{number}");
    }
    let frequency = told("invalid_grant", 70_043).await;
    assert!(frequency.todo.contains("exclude"), "{}", frequency.todo);
    let partner = told("interaction_required", 530_034).await;
    for cause in ["suspicious activity", "service provider users"] {
        assert!(partner.means.contains(cause), "{}", partner.means);
    }
}

#[tokio::test]
async fn field_b12_a_code_that_is_not_known_ends_no_sign_in() {
    let problem = told("invalid_grant", 999_999).await;
    assert_eq!(problem.key, "entra.sign_in_refused");
    assert!(problem.means.contains("may have ended"));
    let code = problem.microsoft.unwrap().code;
    assert_eq!(code.as_deref(), Some("AADSTS999999"));
    // What the protocol itself says, without a number of Entra's.
    let world = World::new().await;
    let bare = json!({ "error": "invalid_grant" });
    world
        .on(
            "POST",
            &token_path(),
            ResponseTemplate::new(400).set_body_json(bare),
        )
        .await;
    let failure = world
        .microsoft
        .refresh(tenant(), &"old".to_owned().into(), &[])
        .await
        .unwrap_err();
    assert_eq!(failure.kind(), &Kind::TokenDead);
}

#[tokio::test]
async fn field_b25_a_service_that_is_off_names_both_causes_and_no_licence() {
    for (error, number) in [("invalid_grant", 500_014), ("invalid_client", 650_052)] {
        for (resource, name) in [
            (Resource::Graph, "Microsoft Graph"),
            (Resource::Exchange, "Exchange Online"),
        ] {
            let world = World::new().await;
            world
                .on("POST", &token_path(), refusal(error, number))
                .await;
            let customer = world.customer_without_tokens().await;
            let failure = customer.access_token(resource).await.unwrap_err();
            let problem = failure.problem();
            assert_eq!(problem.key, "entra.service_off");
            assert!(problem.happened.starts_with(name), "{}", problem.happened);
            assert!(problem.means.contains("subscription has ended"));
            assert!(problem.means.contains("has disabled it"));
            assert!(!problem.to_string().contains("licence"), "{problem}");
        }
    }
}

#[tokio::test]
async fn field_b25_posterns_own_principal_is_not_the_customers_application() {
    let own = told("unauthorized_client", 7_000_112).await;
    assert_eq!(own.key, "entra.own_app_disabled");
    assert!(own.happened.contains("Postern itself"), "{}", own.happened);
    let world = World::new().await;
    world
        .on(
            "POST",
            &token_path(),
            refusal("unauthorized_client", 7_000_112),
        )
        .await;
    let theirs = world
        .microsoft
        .client_credentials(
            tenant(),
            "11111111-2222-4333-8444-555555555555".parse().unwrap(),
            &"app-secret".to_owned().into(),
            "https://graph.microsoft.com/.default",
            None,
        )
        .await
        .unwrap_err();
    assert_eq!(theirs.problem().key, "entra.app_disabled");
}

#[tokio::test]
async fn field_b24_a_partner_that_is_not_let_in_reads_of_its_relationship() {
    let world = World::new().await;
    world
        .on("POST", &token_path(), refusal("invalid_grant", 50_020))
        .await;
    let partner = world.delegated_customer().await;
    let failure = partner.access_token(Resource::Graph).await.unwrap_err();
    let problem = failure.problem();
    assert_eq!(problem.key, "entra.delegation_ended");
    for cause in ["relationship has ended", "security group"] {
        assert!(problem.means.contains(cause), "{}", problem.means);
    }
    assert!(problem.means.contains("stays as it is"));
    let admin = world.customer_without_tokens().await;
    admin.forget_tokens().await;
    let failure = admin.access_token(Resource::Graph).await.unwrap_err();
    assert_eq!(failure.problem().key, "entra.not_in_tenant");
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
            .client_credentials(tenant(), app, &secret, scope, None)
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
    let kind =
        |error: &str, description| world.microsoft.refused(error, description).kind().clone();
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

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn a_certificate_stands_in_for_the_secret() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let both = pem("PRIVATE KEY", der.as_ref()) + &pem("CERTIFICATE", b"the certificate");
    let certificate = Certificate::from_pem(&both).unwrap();
    assert!(!format!("{certificate:?}").contains("PRIVATE"));
    let world = World::with_credential(Credential::Certificate(certificate), |_| {}).await;
    world.grants_tokens().await;
    let token = "old".to_owned().into();
    world
        .microsoft
        .refresh(tenant(), &token, &[])
        .await
        .unwrap();
    let form = form(&world.asked("token").await[0]);
    assert!(!form.contains_key("client_secret"));
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let (text, signature) = form["client_assertion"].rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key().as_ref())
        .verify(
            text.as_bytes(),
            &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .unwrap();
    let part = |index: usize| -> serde_json::Value {
        let part = text.split('.').nth(index).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(part(0)["alg"], "PS256");
    let thumbprint = digest(&SHA256, b"the certificate");
    assert_eq!(
        part(0)["x5t#S256"],
        BASE64_URL_SAFE_NO_PAD.encode(thumbprint)
    );
    assert_eq!(part(1)["iss"], CLIENT);
    assert_eq!(part(1)["sub"], CLIENT);
    assert_eq!(
        part(1)["aud"],
        format!("{}{}", world.server.uri(), token_path())
    );
    assert_eq!(part(1)["exp"], NOW / 1000 + 300);
}

#[test]
fn half_a_certificate_is_none() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let key = pem("PRIVATE KEY", der.as_ref());
    let certificate = pem("CERTIFICATE", b"the certificate");
    let read = |text: String| Certificate::from_pem(&text).unwrap_err();
    assert_eq!(read(key), NotACertificate::NoCertificate);
    assert_eq!(read(certificate.clone()), NotACertificate::NoKey);
    assert_eq!(
        read(certificate + &pem("PRIVATE KEY", b"no key")),
        NotACertificate::NotRsa
    );
}
