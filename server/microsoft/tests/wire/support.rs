//! One mock server that plays all three hosts, a clock that is held, and a key made at run time.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{self, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    Timestamp,
    id::{AppId, TenantId},
};
use futures::future::BoxFuture;
use microsoft::{
    AppIdentity, Clock, Credential, Customer, Endpoints, HttpOptions, Microsoft, RefreshStore,
    StoreFault,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path, path_regex},
};

pub const TENANT: &str = "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";
pub const CLIENT: &str = "0b5c7a0e-7d0d-4b7e-9a53-1f4f5e6d7c8b";
pub const OBJECT: &str = "a1b2c3d4-0000-4000-8000-00000000000a";
/// Of every call: longer than any answer takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// 23 November 2026, 20:04:05 UTC.
pub const NOW: i64 = 1_795_464_245_000;

pub fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}

pub fn uuid(last: u32) -> Uuid {
    Uuid::from_u128(0xa1b2_c3d4_0000_4000_8000_0000_0000_0000 | u128::from(last))
}

#[derive(Debug)]
pub struct HeldClock(AtomicI64);

impl HeldClock {
    pub fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A refresh token in memory, with what happened to it.
#[derive(Debug, Default)]
pub struct Store {
    pub token: Mutex<Option<(String, i64)>>,
    pub rotated: Mutex<Vec<(String, i64)>>,
    pub broken: bool,
}

impl RefreshStore for Store {
    fn load(&self) -> BoxFuture<'_, Result<Option<(SecretString, i64)>, StoreFault>> {
        Box::pin(async {
            if self.broken {
                return Err(StoreFault("reference 7".into()));
            }
            let held = self.token.lock().unwrap().clone();
            Ok(held.map(|(token, version)| (token.into(), version)))
        })
    }

    fn rotate(&self, new: SecretString, old: i64) -> BoxFuture<'_, Result<(), StoreFault>> {
        use secrecy::ExposeSecret as _;
        let new = new.expose_secret().to_owned();
        Box::pin(async move {
            self.rotated.lock().unwrap().push((new.clone(), old));
            *self.token.lock().unwrap() = Some((new, old + 1));
            Ok(())
        })
    }
}

pub struct World {
    pub server: MockServer,
    pub clock: Arc<HeldClock>,
    pub microsoft: Microsoft,
    pub store: Arc<Store>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut HttpOptions)) -> Self {
        let secret = Credential::Secret("own-secret".to_owned().into());
        Self::with_credential(secret, change).await
    }

    pub async fn with_credential(
        credential: Credential,
        change: impl FnOnce(&mut HttpOptions),
    ) -> Self {
        let server = MockServer::start().await;
        let clock = Arc::new(HeldClock(AtomicI64::new(NOW)));
        let mut options = HttpOptions {
            deadline: DEADLINE,
            exchange_deadline: DEADLINE,
            first_pause: Duration::from_millis(1),
            rate: 1_000,
            clock: clock.clone(),
            ..HttpOptions::default()
        };
        change(&mut options);
        let endpoints = Endpoints::parse(&server.uri(), &server.uri(), &server.uri()).unwrap();
        let app = AppIdentity {
            client_id: CLIENT.parse::<AppId>().unwrap(),
            credential,
        };
        Self {
            microsoft: Microsoft::new(endpoints, app, options).unwrap(),
            store: Arc::new(Store {
                token: Mutex::new(Some(("refresh-0".into(), 0))),
                ..Store::default()
            }),
            server,
            clock,
        }
    }

    /// A customer whose token requests succeed.
    pub async fn customer(&self) -> Customer {
        self.grants_tokens().await;
        self.customer_without_tokens().await
    }

    pub async fn customer_without_tokens(&self) -> Customer {
        self.customer_of(Timestamp(NOW)).await
    }

    /// A customer in which a partner's account acts (GDAP).
    pub async fn delegated_customer(&self) -> Customer {
        let store = self.store.clone();
        let at = Timestamp(NOW);
        self.microsoft
            .customer(tenant(), uuid(1), None, store, at)
            .await
    }

    /// The same customer with the consent of that moment.
    pub async fn customer_of(&self, consented: Timestamp) -> Customer {
        self.microsoft
            .customer(
                tenant(),
                uuid(1),
                Some("admin@fabrikam.example".into()),
                self.store.clone(),
                consented,
            )
            .await
    }

    /// Answers token requests with access tokens `access-1`, `access-2` … and new refresh tokens.
    pub async fn grants_tokens(&self) {
        let issued = AtomicI64::new(0);
        Mock::given(method("POST"))
            .and(path(format!("/{TENANT}/oauth2/v2.0/token")))
            .respond_with(move |_: &Request| {
                let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
                ResponseTemplate::new(200).set_body_json(json!({
                    "token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599,
                    "scope": "https://graph.microsoft.com/User.Read",
                    "access_token": format!("access-{number}"),
                    "refresh_token": format!("refresh-{number}"),
                }))
            })
            .mount(&self.server)
            .await;
    }

    pub async fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// Answers every cmdlet alike.
    pub async fn on_cmdlet(&self, answer: ResponseTemplate) {
        self.on("POST", &invoke_path(), answer).await;
    }

    /// Answers once, before what is mounted later.
    pub async fn once(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(answer)
            .up_to_n_times(1)
            .mount(&self.server)
            .await;
    }

    /// Waits until somebody asks for a path that contains this.
    pub async fn comes(&self, part: &str) {
        while self.asked(part).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Requests whose path contains this.
    pub async fn asked(&self, part: &str) -> Vec<Request> {
        self.server
            .received_requests()
            .await
            .unwrap()
            .into_iter()
            .filter(|request| request.url.path().contains(part))
            .collect()
    }

    /// Publishes metadata and the test key, with this issuer for the key.
    pub async fn publishes_keys(&self, kid: &str, key_issuer: Option<&str>) {
        let uri = self.server.uri();
        self.on(
            "GET",
            "/organizations/v2.0/.well-known/openid-configuration",
            ResponseTemplate::new(200).set_body_json(json!({
                "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
                "jwks_uri": format!("{uri}/organizations/discovery/v2.0/keys"),
            })),
        )
        .await;
        let mut key = public_key(kid);
        if let Some(issuer) = key_issuer {
            key["issuer"] = json!(issuer);
        }
        Mock::given(method("GET"))
            .and(path_regex("^/organizations/discovery/v2.0/keys$"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"keys": [
                {"kty": "EC", "use": "enc", "kid": "other", "crv": "P-256"}, key]})))
            .mount(&self.server)
            .await;
    }
}

pub fn invoke_path() -> String {
    format!("/adminapi/beta/{TENANT}/InvokeCommand")
}

/// An answer of InvokeCommand with these rows.
pub fn rows(rows: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .insert_header("request-id", "exo-request")
        .set_body_json(json!({
            "@odata.context": "https://outlook.office365.com/adminapi/beta/tenant/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": [],
            "value": rows,
        }))
}

/// An error of InvokeCommand.
pub fn cmdlet_error(status: u16, exception: &str, text: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {
        "code": "NotFound", "message": "Error executing cmdlet",
        "details": [{"code": "Client", "target": "", "message": format!("Ex6F9304|{exception}|{text}")}],
        "innererror": {"message": "Error executing cmdlet", "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", "stacktrace": ""},
    }}))
}

pub const NOT_FOUND: &str =
    "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException";

/// An error of Entra's token endpoint.
pub fn refusal(error: &str, number: u64) -> ResponseTemplate {
    ResponseTemplate::new(400).set_body_json(json!({
        "error": error,
        "error_description": format!("AADSTS{number}: Something is wrong. Trace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-11-23 20:04:05Z"),
        "error_codes": [number],
        "timestamp": "2026-11-23 20:04:05Z",
        "trace_id": "t-1",
        "correlation_id": "c-1",
        "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    }))
}

fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

pub fn public_key(kid: &str) -> Value {
    // RSAPublicKey in DER: a header of nine bytes, 256 bytes of modulus, the exponent.
    let der = key().public_key().as_ref();
    json!({
        "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "x5c": ["MII"],
        "cloud_instance_name": "microsoftonline.com",
        "n": BASE64_URL_SAFE_NO_PAD.encode(&der[9..265]),
        "e": BASE64_URL_SAFE_NO_PAD.encode(&der[der.len() - 3..]),
    })
}

pub fn signed(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut bytes = vec![0; key().public_modulus_len()];
    key()
        .sign(
            &signature::RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut bytes,
        )
        .unwrap();
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The form of a token request.
pub fn form(request: &Request) -> std::collections::HashMap<String, String> {
    reqwest::Url::parse(&format!(
        "http://x/?{}",
        String::from_utf8(request.body.clone()).unwrap()
    ))
    .unwrap()
    .query_pairs()
    .into_owned()
    .collect()
}
