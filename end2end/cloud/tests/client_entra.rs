//! Entra, as clients meet it that nobody here wrote: MSAL's assertions and caches.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD as BASE64};
use rsa::RsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use support::assertions::{self, Signed};
use support::{EXCHANGE, FABRIKAM, GRAPH, PARTNER, World, access, claims, world};

const FAR: f64 = 4_000_000_000.0;

/// A certificate that is registered for Postern's application, and its key.
struct Registered {
    world: World,
    key: rsa::RsaPrivateKey,
    certificate: Vec<u8>,
}

impl Registered {
    async fn new() -> Self {
        let key = assertions::key(11);
        let certificate = cloud::entra::x509::self_signed(&key).unwrap();
        let world = world().await;
        let pem = assertions::pem(&certificate);
        world
            .control(
                "applications",
                json!({"tenant": PARTNER, "app_id": world.client_id(), "certificate": pem}),
            )
            .await;
        Self {
            world,
            key,
            certificate,
        }
    }

    fn sha256(&self) -> String {
        BASE64.encode(Sha256::digest(&self.certificate))
    }

    /// Asks for a token; `change` overrides claims.
    async fn ask(&self, header: Value, change: Value) -> Result<Value, (u64, Value)> {
        let id = self.world.client_id();
        let mut claims = assertions::claims_of(&self.world, id);
        claims["exp"] = json!(FAR);
        claims["jti"] = json!("1");
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let assertion = assertions::assertion(&self.key, Signed::Rs256, &header, &claims);
        assertions::redeem_assertion(&self.world, PARTNER, id, &assertion)
            .await
            .map_err(|refused| (refused.code, refused.body))
    }
}

#[tokio::test]
async fn client_f1_assertions_of_msal_python_are_taken() {
    let registered = Registered::new().await;
    let now = cloud::clock::wall_now().timestamp() as f64;
    let padded = URL_SAFE.encode(Sha256::digest(&registered.certificate));
    assert!(padded.ends_with('='));
    registered
        .ask(
            json!({"alg": "RS256", "typ": "JWT", "x5t#S256": padded}),
            json!({"exp": now + 600.118, "iat": now + 0.118}),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn client_l7_an_assertion_is_for_one_tenant() {
    let registered = Registered::new().await;
    let header = || json!({"alg": "RS256", "x5t#S256": registered.sha256()});
    let base = registered.world.cloud.url().to_owned();
    let tenant = registered.world.tenant_id(PARTNER);
    for fitting in [
        format!("{base}/{tenant}/oauth2/v2.0/token"),
        format!("{base}/{tenant}/v2.0"),
    ] {
        registered
            .ask(header(), json!({"aud": fitting}))
            .await
            .unwrap();
    }
    let foreign = registered.world.tenant_id(FABRIKAM);
    for other in [
        format!("{base}/{foreign}/oauth2/v2.0/token"),
        format!("{base}/organizations/oauth2/v2.0/token"),
        format!("{base}.evil.example/{tenant}/oauth2/v2.0/token"),
        "nowhere".to_owned(),
    ] {
        let (code, body) = registered
            .ask(header(), json!({"aud": other}))
            .await
            .unwrap_err();
        assert_eq!((code, &body["error"]), (700_023, &json!("invalid_client")));
    }
}

#[tokio::test]
async fn client_l10_a_thumbprint_by_sha1_is_compared_too() {
    let registered = Registered::new().await;
    let own = BASE64.encode(Sha1::digest(&registered.certificate));
    let header = |thumbprint: &str| json!({"alg": "RS256", "x5t": thumbprint});
    registered.ask(header(&own), json!({})).await.unwrap();
    let foreign = BASE64.encode(Sha1::digest(b"another certificate"));
    let (code, _) = registered
        .ask(header(&foreign), json!({}))
        .await
        .unwrap_err();
    assert_eq!(code, 700_027);
}

#[tokio::test]
async fn client_c_an_expired_assertion_has_a_code_of_its_own() {
    let registered = Registered::new().await;
    let header = || json!({"alg": "RS256", "x5t#S256": registered.sha256()});
    for change in [json!({"exp": 1_000_000_000}), json!({"nbf": FAR})] {
        let (code, body) = registered.ask(header(), change).await.unwrap_err();
        assert_eq!((code, &body["error"]), (700_024, &json!("invalid_client")));
    }
}

#[tokio::test]
async fn client_c_discovery_has_its_words() {
    let world = world().await;
    let nobody = "00000000-1111-2222-3333-444444444444";
    let document = |tenant: &str| {
        let address = world.url(&format!("/{tenant}/v2.0/.well-known/openid-configuration"));
        async { support::read(world.http.get(address).send().await.unwrap()).await }
    };
    let (status, body) = document(nobody).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"], "invalid_tenant");
    assert_eq!(body["error_codes"], json!([90002]));
    // The token endpoint has another word for the same.
    let refused = world
        .raw_token(nobody, &[("grant_type", "client_credentials")])
        .await
        .unwrap_err();
    assert_eq!(refused.body["error"], "invalid_request");
    let (_, body) = document("organizations").await;
    for name in [
        "userinfo_endpoint",
        "device_authorization_endpoint",
        "kerberos_endpoint",
        "cloud_graph_host_name",
        "msgraph_host",
        "rbac_url",
    ] {
        assert!(body[name].is_string(), "{name}");
    }
    assert!(body.get("code_challenge_methods_supported").is_none());
    assert!(
        body["response_modes_supported"]
            .to_string()
            .contains("fragment")
    );
    assert!(
        body["response_types_supported"]
            .to_string()
            .contains("id_token")
    );
}

#[tokio::test]
async fn client_f5_the_scope_repeats_default_as_it_was_asked_for() {
    let world = world().await;
    world.consent(FABRIKAM, support::ALL).await;
    let refresh = world
        .refresh_token(FABRIKAM, &format!("admin@{FABRIKAM}"), "User.Read")
        .await;
    for asked in [
        format!("{GRAPH}/.default"),
        format!("{EXCHANGE}/.default"),
        "https://outlook.office365.com//.default".to_owned(),
    ] {
        let Ok(body) = world.redeem(FABRIKAM, &refresh, &asked).await else {
            // Not every spelling of a resource is known.
            assert!(asked.contains("//.default"), "{asked}");
            continue;
        };
        let scope = body["scope"].as_str().unwrap();
        assert!(scope.split(' ').any(|word| word == asked), "{scope}");
    }
    let named = world
        .redeem(FABRIKAM, &refresh, "https://graph.microsoft.com/User.Read")
        .await
        .unwrap();
    assert!(!named["scope"].as_str().unwrap().contains(".default"));
}

#[tokio::test]
async fn client_l9_access_tokens_look_like_version_one() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let application = world.app_token(FABRIKAM, "ScanToMail").await;
    let header = |token: &str| -> Value {
        let part = token.split('.').next().unwrap();
        serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
    };
    for token in [&graph, &exchange, &application] {
        let claims = claims(token);
        assert_eq!(claims["ver"], "1.0");
        assert!(claims.get("azp").is_none());
        for name in ["aio", "rh", "idp", "xms_tcdt", "uti"] {
            assert!(!claims[name].is_null(), "{name}");
        }
        assert_eq!(header(token)["x5t"], header(token)["kid"]);
    }
    assert!(header(&graph)["nonce"].is_string());
    assert!(header(&application)["nonce"].is_string());
    assert!(header(&exchange).get("nonce").is_none());

    // Who checks the signature with the published keys can do so for Exchange's, not for Graph's.
    let keys: Value = world
        .http
        .get(world.url("/common/discovery/v2.0/keys"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let key = &keys["keys"][0];
    let number = |name: &str| {
        rsa::BigUint::from_bytes_be(&BASE64.decode(key[name].as_str().unwrap()).unwrap())
    };
    let public = RsaPublicKey::new(number("n"), number("e")).unwrap();
    let fits = |token: &str| {
        let (text, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64.decode(signature).unwrap();
        VerifyingKey::<Sha256>::new(public.clone())
            .verify(
                text.as_bytes(),
                &Signature::try_from(signature.as_slice()).unwrap(),
            )
            .is_ok()
    };
    assert!(fits(&exchange));
    assert!(!fits(&graph));
    // The certificate beside the key is the key's, and gives it its name.
    let certificate = STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
    assert_eq!(key["kid"], BASE64.encode(Sha1::digest(&certificate)));
    assert!(cloud::entra::assertion::is_key(&assertions::pem(
        &certificate
    )));
    assert_eq!(world.graph(&graph, "/v1.0/me").await.0, 200);
}

#[tokio::test]
async fn client_absent_entra_says_what_it_has_not() {
    let world = world().await;
    for grant in [
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let refused = world
            .token(PARTNER, &[("grant_type", grant)])
            .await
            .unwrap_err();
        assert_eq!(refused.status, 501, "{grant}");
        assert_eq!(refused.body["error"], "not_simulated");
    }
    // What nobody has is another matter.
    let refused = world
        .token(PARTNER, &[("grant_type", "bogus")])
        .await
        .unwrap_err();
    assert_eq!(refused.code, 70003);
    for path in [
        "/common/oauth2/token",
        "/common/.well-known/openid-configuration",
        "/common/discovery/keys",
        "/common/discovery/instance?api-version=1.1",
        "/common/userrealm/admin@fabrikam.example?api-version=1.0",
        "/organizations/oauth2/v2.0/devicecode",
        "/consumers/v2.0/.well-known/openid-configuration",
        "/oidc/userinfo",
    ] {
        let response = world.http.get(world.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 501, "{path}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"], "not_simulated", "{path}");
        let said = body["error_description"].as_str().unwrap();
        assert!(said.starts_with("Cloud.NotSimulatedException"), "{said}");
    }
    let response = world.http.get(world.url("/common/nothing")).send().await;
    assert_eq!(response.unwrap().status(), 404);
    let landed = world
        .browser()
        .open(
            PARTNER,
            &[("response_mode", "fragment"), ("scope", "openid")],
        )
        .await;
    assert!(landed.page().contains("Cloud.NotSimulatedException"));
    assert!(!landed.page().contains("AADSTS"));
    let again = access(
        &world
            .redeem(
                PARTNER,
                &world
                    .refresh_token(PARTNER, &format!("olivia@{PARTNER}"), "User.Read")
                    .await,
                &format!("{GRAPH}/User.Read"),
            )
            .await
            .unwrap(),
    );
    assert!(!again.is_empty());
}
