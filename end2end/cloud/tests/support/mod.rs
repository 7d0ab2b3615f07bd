//! What the tests share: a cloud on a free port, a browser without scripts, and clients that do
//! as little as possible.
#![allow(dead_code)]

pub mod apps;
pub mod assertions;
pub mod browser;
pub mod shell;
pub mod ways;

use browser::Browser;

use cloud::{Cloud, Config, Delays};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

pub const PARTNER: &str = "northwind-it.example";
pub const FABRIKAM: &str = "fabrikam.example";
pub const REDIRECT: &str = "http://localhost:3000/auth/callback";
pub const GRAPH: &str = "https://graph.microsoft.com";
pub const EXCHANGE: &str = "https://outlook.office365.com";

/// A cloud, a client that follows no redirect, and what `/_cloud/accounts` says.
pub struct World {
    pub cloud: Cloud,
    pub http: Client,
    pub accounts: Value,
}

/// The demo without any delay.
pub async fn world() -> World {
    world_with(Delays::none()).await
}

pub async fn world_with(delays: Delays) -> World {
    let cloud = Cloud::start(Config {
        delays,
        ..Config::default()
    })
    .await
    .unwrap();
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let accounts = http
        .get(format!("{}/_cloud/accounts", cloud.url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    World {
        cloud,
        http,
        accounts,
    }
}

/// What a refused token request says.
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub code: u64,
    pub body: Value,
}

impl World {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.cloud.url())
    }

    pub fn client_id(&self) -> &str {
        self.accounts["postern"]["client_id"].as_str().unwrap()
    }

    pub fn client_secret(&self) -> &str {
        self.accounts["postern"]["client_secret"].as_str().unwrap()
    }

    /// An application in a tenant, by its name.
    pub fn application(&self, domain: &str, name: &str) -> &Value {
        let tenant = self.tenant_id(domain);
        self.accounts["applications"]
            .as_array()
            .unwrap()
            .iter()
            .find(|application| {
                application["name"] == name && application["tenant_id"] == tenant.as_str()
            })
            .unwrap_or_else(|| panic!("no {name} in {domain}"))
    }

    pub fn tenant_id(&self, domain: &str) -> String {
        self.cloud
            .with_world(|world| world.tenants.resolve(domain))
            .unwrap()
            .to_string()
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let response = self
            .http
            .post(self.url(&format!("/_cloud/{path}")))
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub async fn look(&self, path: &str) -> Value {
        self.http
            .get(self.url(&format!("/_cloud/{path}")))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// Consents for everybody in a tenant, without a browser.
    pub async fn consent(&self, domain: &str, scopes: &[&str]) {
        self.control(
            "tenants",
            json!({"tenant": domain, "consent": {"app_id": self.client_id(), "scopes": scopes}}),
        )
        .await;
    }

    /// A token request of Postern's application.
    pub async fn token(
        &self,
        authority: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Refused> {
        let mut form = vec![
            ("client_id", self.client_id()),
            ("client_secret", self.client_secret()),
        ];
        form.extend_from_slice(parameters);
        self.raw_token(authority, &form).await
    }

    pub async fn raw_token(
        &self,
        authority: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, Refused> {
        let response = self
            .http
            .post(self.url(&format!("/{authority}/oauth2/v2.0/token")))
            .form(form)
            .send()
            .await
            .unwrap();
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        if status.is_success() {
            Ok(body)
        } else {
            Err(Refused {
                status,
                code: body["error_codes"][0].as_u64().unwrap_or(0),
                body,
            })
        }
    }

    /// A refresh token of an account, by way of the browser.
    pub async fn refresh_token(&self, authority: &str, upn: &str, scope: &str) -> String {
        let body = self.sign_in(authority, upn, scope).await;
        body["refresh_token"].as_str().unwrap().to_owned()
    }

    /// Signs in and redeems the code.
    pub async fn sign_in(&self, authority: &str, upn: &str, scope: &str) -> Value {
        let scope = format!("openid profile offline_access {scope}");
        let landed = self
            .browser()
            .sign_in(authority, upn, &[("scope", &scope)])
            .await;
        let code = landed.code();
        // The scope of one resource: the first that is asked for.
        let resource = if scope.contains(GRAPH) || !scope.contains(EXCHANGE) {
            GRAPH
        } else {
            EXCHANGE
        };
        let one: Vec<&str> = scope
            .split(' ')
            .filter(|word| !word.contains("://") || word.starts_with(resource))
            .collect();
        self.token(
            authority,
            &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", REDIRECT),
                ("scope", &one.join(" ")),
            ],
        )
        .await
        .unwrap()
    }

    /// An access token for a resource out of a refresh token.
    pub async fn redeem(
        &self,
        authority: &str,
        refresh: &str,
        scope: &str,
    ) -> Result<Value, Refused> {
        self.token(
            authority,
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh),
                ("scope", scope),
            ],
        )
        .await
    }

    /// The admin of a tenant, with everything consented: tokens for Graph and Exchange.
    pub async fn admin(&self, domain: &str) -> (String, String) {
        self.consent(domain, ALL).await;
        let refresh = self
            .refresh_token(domain, &format!("admin@{domain}"), "User.Read")
            .await;
        let graph = self
            .redeem(domain, &refresh, &format!("{GRAPH}/.default"))
            .await
            .unwrap();
        let exchange = self
            .redeem(domain, &refresh, &format!("{EXCHANGE}/.default"))
            .await
            .unwrap();
        (access(&graph), access(&exchange))
    }

    /// An application's own token for Graph.
    pub async fn app_token(&self, domain: &str, name: &str) -> String {
        let application = self.application(domain, name);
        let body = self
            .raw_token(
                domain,
                &[
                    ("client_id", application["app_id"].as_str().unwrap()),
                    ("client_secret", application["secret"].as_str().unwrap()),
                    ("grant_type", "client_credentials"),
                    ("scope", "https://graph.microsoft.com/.default"),
                ],
            )
            .await
            .unwrap();
        access(&body)
    }

    pub async fn graph(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let response = self
            .http
            .get(self.url(path))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        read(response).await
    }

    /// Sends a mail as somebody: status and Graph's message.
    pub async fn send_mail(&self, token: &str, from: &str) -> (u16, String) {
        let response = self
            .http
            .post(self.url(&format!("/v1.0/users/{from}/sendMail")))
            .bearer_auth(token)
            .json(&json!({"message": {
                "subject": "test", "body": {"contentType": "Text", "content": "hello"},
                "toRecipients": [{"emailAddress": {"address": "someone@elsewhere.example"}}],
            }}))
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        let message = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|body| body["error"]["message"].as_str().map(str::to_owned))
            .unwrap_or_default();
        (status, message)
    }

    /// Runs a cmdlet: the raw response.
    pub async fn raw_cmdlet(
        &self,
        token: &str,
        domain: &str,
        name: &str,
        parameters: Value,
    ) -> Response {
        let tenant = self.tenant_id(domain);
        self.http
            .post(self.url(&format!("/adminapi/beta/{tenant}/InvokeCommand")))
            .bearer_auth(token)
            .header("X-AnchorMailbox", format!("UPN:admin@{domain}"))
            .json(&json!({"CmdletInput": {"CmdletName": name, "Parameters": parameters}}))
            .send()
            .await
            .unwrap()
    }

    /// Runs a cmdlet: its rows, or the text of its error, wherever that stands.
    pub async fn cmdlet(
        &self,
        token: &str,
        domain: &str,
        name: &str,
        parameters: Value,
    ) -> Result<Vec<Value>, String> {
        let response = self.raw_cmdlet(token, domain, name, parameters).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        if status.is_success() {
            if body.is_empty() {
                return Ok(Vec::new());
            }
            let body: Value = serde_json::from_str(&body).unwrap();
            return Ok(body["value"].as_array().unwrap().clone());
        }
        Err(error_text(&body))
    }
}

/// The text of an Exchange error, as a client finds it.
pub fn error_text(body: &str) -> String {
    let Ok(body) = serde_json::from_str::<Value>(body) else {
        return format!("not JSON: {} bytes", body.len());
    };
    let error = &body["error"];
    if let Some(text) = error["innererror"]["internalexception"]["message"].as_str() {
        return text.to_owned();
    }
    let detail = error["details"][0]["message"].as_str().unwrap_or("");
    if let Ok(exception) = serde_json::from_str::<Value>(detail) {
        return exception["Message"].as_str().unwrap_or("").to_owned();
    }
    detail.rsplit('|').next().unwrap_or("").to_owned()
}

/// Everything that Postern may ask for.
pub const ALL: &[&str] = &[
    "graph:User.Read",
    "graph:User.Read.All",
    "graph:Organization.Read.All",
    "graph:Application.Read.All",
    "graph:AppRoleAssignment.ReadWrite.All",
    "graph:Group.Read.All",
    "graph:Directory.Read.All",
    "graph:DelegatedAdminRelationship.Read.All",
    "exchange:Exchange.Manage",
];

pub fn access(body: &Value) -> String {
    body["access_token"].as_str().unwrap().to_owned()
}

/// The claims of a token, nothing checked.
pub fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}
