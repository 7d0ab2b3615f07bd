//! Customers of a cloud that are scanned without a portal, and the cloud's own decisions.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::body::Bytes;
use cloud::{
    Cloud, Config, Delays, Seed, control,
    entra::{Refresh, token},
    graph,
    http_parts::Call,
    permissions::Resource,
    world::{
        World,
        tenant::{GroupKind, Tenant},
    },
};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, header};
use microsoft::{
    AppIdentity, Credential, Customer, Endpoints, HttpOptions, Microsoft, RefreshStore, Scan,
    StoreFault, entra::scopes,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

/// A cloud whose customers have all consented.
pub struct Fleet {
    pub cloud: Cloud,
    microsoft: Microsoft,
}

/// A refresh token in memory.
#[derive(Debug)]
struct Held(Mutex<(String, i64)>);

impl RefreshStore for Held {
    fn load(&self) -> BoxFuture<'_, Result<Option<(SecretString, i64)>, StoreFault>> {
        let (token, version) = self.0.lock().expect("a token").clone();
        Box::pin(async move { Ok(Some((token.into(), version))) })
    }

    fn rotate(&self, new: SecretString, old: i64) -> BoxFuture<'_, Result<(), StoreFault>> {
        *self.0.lock().expect("a token") = (new.expose_secret().to_owned(), old + 1);
        Box::pin(async { Ok(()) })
    }
}

/// One customer's tenant.
#[derive(Clone, Debug)]
pub struct Place {
    pub id: Uuid,
    pub domain: String,
    /// The reason why the seed has this tenant.
    pub note: String,
}

impl Fleet {
    pub async fn start(seed: Seed) -> Self {
        let delays = Delays {
            // High enough for a request per pair.
            graph_units_per_10s: 1_000_000_000,
            graph_writes_per_150s: 1_000_000_000,
            ..Delays::none()
        };
        let cloud = Cloud::start(Config {
            seed,
            delays,
            ..Config::default()
        })
        .await
        .expect("a cloud");
        let accounts = super::get_json(&format!("{}/_cloud/accounts", cloud.url())).await;
        let text = |name: &str| {
            accounts["postern"][name]
                .as_str()
                .expect("a text")
                .to_owned()
        };
        let app = AppIdentity {
            client_id: text("client_id").parse().expect("an id"),
            credential: Credential::Secret(text("client_secret").into()),
        };
        let endpoints = Endpoints::parse(cloud.url(), cloud.url(), cloud.url()).expect("addresses");
        let options = HttpOptions {
            rate: 10_000,
            ..HttpOptions::default()
        };
        let fleet = Self {
            microsoft: Microsoft::new(endpoints, app, options).expect("a client"),
            cloud,
        };
        fleet.consent().await;
        fleet
    }

    /// Every customer consents to what connecting asks for.
    async fn consent(&self) {
        let graph = scopes::READING_GRAPH
            .iter()
            .map(|scope| format!("graph:{scope}"));
        let exchange = scopes::EXCHANGE
            .iter()
            .map(|scope| format!("exchange:{scope}"));
        let scopes: Vec<String> = graph.chain(exchange).collect();
        let body = json!({"tenant": "*", "consent": {
            "app_id": self.microsoft.client_id(), "scopes": scopes}});
        let answer = reqwest::Client::new()
            .post(format!("{}/_cloud/tenants", self.cloud.url()))
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.expect("text")
        );
    }

    /// The customers, by domain.
    pub fn places(&self) -> Vec<Place> {
        self.cloud.with_world(|world| {
            let ids: Vec<Uuid> = world
                .tenants
                .summaries()
                .filter(|summary| summary.recipe.is_customer())
                .map(|summary| summary.id)
                .collect();
            let mut places: Vec<Place> = ids
                .into_iter()
                .map(|id| {
                    let tenant = world.tenants.get(id).expect("a tenant");
                    Place {
                        id,
                        domain: tenant.domain.clone(),
                        note: tenant.note.clone(),
                    }
                })
                .collect();
            places.sort_by(|one, other| one.domain.cmp(&other.domain));
            places
        })
    }

    /// The customer as its admin connected it.
    pub async fn customer(&self, place: &Place) -> Customer {
        let client = self.microsoft.client_id().0;
        let token = Uuid::new_v4().to_string();
        let upn = self.cloud.with_world(|world| {
            let tenant = world.tenants.get(place.id).expect("a tenant");
            let upn = format!("admin@{}", place.domain);
            let admin = tenant.user(&upn).expect("an admin").id;
            let now = cloud::clock::wall_now();
            let refresh = Refresh {
                client,
                person: (place.id, admin),
                tenant: place.id,
                scope: "openid profile offline_access".to_owned(),
                issued: now,
                lifetime: 90 * 24 * 3600,
                signed_in: now,
                met: Vec::new(),
            };
            world.entra.refresh.insert(token.clone(), refresh);
            upn
        });
        let store = Arc::new(Held(Mutex::new((token, 0))));
        let consented = cloud::clock::wall_now().into();
        self.microsoft
            .customer(place.id.into(), place.id, Some(upn), store, consented)
            .await
    }

    pub async fn scan(&self, place: &Place) -> Scan {
        self.customer(place).await.scan().await
    }

    /// Moves the cloud's clock past every delay, so that the configuration has taken effect.
    pub fn settle(&self) {
        self.cloud.advance(24 * 3600);
    }
}

/// Mailboxes that an application can name at Graph.
pub fn mailboxes(tenant: &Tenant) -> Vec<Uuid> {
    tenant
        .users
        .values()
        .filter(|user| {
            user.mailbox.as_ref().is_some_and(|mailbox| {
                mailbox.kind.is_mailbox() && mailbox.kind.is_directory_user()
            })
        })
        .map(|user| user.id)
        .collect()
}

/// All mailboxes with an object in Entra, including those of Microsoft 365 groups.
pub fn every_mailbox(tenant: &Tenant) -> Vec<Uuid> {
    let groups = tenant
        .groups
        .values()
        .filter(|group| group.kind == GroupKind::Microsoft365)
        .map(|group| group.id);
    mailboxes(tenant).into_iter().chain(groups).collect()
}

/// The maximum number of a customer's applications that are compared.
const MOST_APPLICATIONS: usize = 60;

/// Every principal that holds or may hold something, and a few that do not: object id, client id,
/// and whether it holds something.
pub fn applications(tenant: &Tenant) -> Vec<(Uuid, Uuid, bool)> {
    let mut held: BTreeSet<Uuid> = tenant
        .assignments
        .iter()
        .map(|assignment| assignment.principal)
        .collect();
    held.extend(
        tenant
            .exchange
            .pointers
            .iter()
            .map(|pointer| pointer.object_id),
    );
    // A principal can bypass a confinement without a grant.
    held.extend(tenant.principals.values().filter_map(|principal| {
        let reaching = tenant.role_grants_reaching(principal.id);
        let agent = tenant.blueprint_of(principal.id).is_some();
        (!reaching.is_empty() || agent).then_some(principal.id)
    }));
    let owners = |owners: &[Uuid]| owners.to_vec();
    held.extend(
        tenant
            .principals
            .values()
            .flat_map(|found| owners(&found.owners)),
    );
    held.extend(
        tenant
            .applications
            .values()
            .flat_map(|found| owners(&found.owners)),
    );
    held.extend(tenant.scope_grants.iter().map(|grant| grant.client));
    let others = tenant
        .principals
        .keys()
        .filter(|id| !held.contains(id))
        .take(5);
    // Where there are very many applications, they are much alike, so only some are compared.
    let step = held.len().div_ceil(MOST_APPLICATIONS).max(1);
    held.iter()
        .step_by(step)
        .map(|id| (id, true))
        .chain(others.map(|id| (id, false)))
        .filter_map(|(id, holds)| Some((tenant.principals.get(id)?, holds)))
        .filter(|(principal, _)| principal.resource.is_none())
        .map(|(principal, holds)| (principal.id, principal.app_id, holds))
        .collect()
}

/// Graph's permissions whose use the cloud decides, without sending.
pub const DECIDED: [&str; 17] = [
    "Mail.Read",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "MailboxSettings.Read",
    "MailboxSettings.ReadWrite",
    "Calendars.Read",
    "Calendars.ReadWrite",
    "Contacts.Read",
    "Contacts.ReadWrite",
    "Mail.ReadBasic.All",
    "MailboxItem.Read.All",
    "MailboxItem.ReadWrite.All",
    "MailboxItem.Export.All",
    "MailboxItem.ImportExport.All",
    "MailboxFolder.Read.All",
    "MailboxFolder.ReadWrite.All",
    "Mail-Advanced.ReadWrite.All",
];

/// The permissions of Exchange Online: EWS, the mail protocols, the retired Outlook API.
pub const ON_EXCHANGE: [&str; 9] = [
    "full_access_as_app",
    "IMAP.AccessAsApp",
    "POP.AccessAsApp",
    "SMTP.SendAsApp",
    "Calendars.ReadWrite.All",
    "MailboxSettings.ReadWrite",
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.Send",
];

/// Requests of Graph that read a mailbox, with the permissions of which any suffices.
pub const BY_REQUEST: [(&str, &[&str]); 4] = [
    (
        "messages",
        &[
            "Mail.Read",
            "Mail.ReadWrite",
            "Mail.ReadBasic",
            "Mail.ReadBasic.All",
        ],
    ),
    (
        "mailboxSettings",
        &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
    ),
    ("events", &["Calendars.Read", "Calendars.ReadWrite"]),
    ("contacts", &["Contacts.Read", "Contacts.ReadWrite"]),
];

/// A token of an application from client credentials. None when the application may not have one.
pub fn token_of(
    world: &mut World,
    tenant: Uuid,
    app_id: Uuid,
    resource: Resource,
) -> Option<String> {
    let answer = token::for_application(world, tenant, app_id, resource).ok()?;
    answer["access_token"].as_str().map(str::to_owned)
}

fn call(method: Method, path: &str, token: &str, body: &Value) -> Call {
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {token}");
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::try_from(bearer).expect("a header"),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Call::new(method, path, headers, Bytes::from(body.to_string()))
}

/// Sends a control request that needs no token.
pub fn ask(world: &mut World, path: &str, body: &Value) -> Value {
    let call = call(Method::POST, path, "none", body);
    let reply = control::answer(world, &call);
    serde_json::from_slice(&reply.body).expect("JSON")
}

/// Whether the cloud lets an application use each permission on each mailbox, by the cloud's probe,
/// which also covers access without a request of Graph. Without a token, or without Exchange,
/// nothing is allowed.
pub fn may_use(
    world: &mut World,
    token: Option<&str>,
    resource: Resource,
    permissions: &[&'static str],
    mailboxes: &[Uuid],
) -> Vec<(Uuid, &'static str, bool)> {
    let name = match resource {
        Resource::Graph => "graph",
        Resource::Exchange => "exchange",
    };
    let answer = token.and_then(|token| {
        let body = json!({
            "resource": name, "permissions": permissions,
            "mailboxes": mailboxes.iter().map(Uuid::to_string).collect::<Vec<_>>(),
        });
        let call = call(Method::POST, "/_cloud/probe", token, &body);
        let reply = control::answer(world, &call);
        let said: Value = serde_json::from_slice(&reply.body).expect("JSON");
        if reply.status != 200 {
            assert_eq!(said["error"], "the tenant has no mailboxes");
            return None;
        }
        Some(said)
    });
    let mut all = Vec::new();
    for mailbox in mailboxes {
        for value in permissions {
            let may = match &answer {
                None => false,
                Some(said) => said["may"][mailbox.to_string()][*value]
                    .as_bool()
                    .expect("an answer"),
            };
            all.push((*mailbox, *value, may));
        }
    }
    all
}

/// Reads something of a mailbox at Graph as an application. Returns false when the cloud refused.
pub fn asks(world: &mut World, token: &str, mailbox: Uuid, what: &str) -> bool {
    let path = format!("/v1.0/users/{mailbox}/{what}");
    let reply = graph::handle(world, &call(Method::GET, &path, token, &Value::Null));
    let said = String::from_utf8_lossy(&reply.body);
    match reply.status {
        200 => true,
        403 if said.contains("ErrorAccessDenied") => false,
        404 if said.contains("MailboxNotEnabledForRESTAPI") => false,
        other => panic!("{other}: {said}"),
    }
}

/// Sends from a mailbox as an application. Returns false when the cloud refused.
pub fn sends(world: &mut World, token: &str, mailbox: Uuid) -> bool {
    let mail: Value = json!({"message": {
        "subject": "May I?",
        "toRecipients": [{"emailAddress": {"address": "somebody@elsewhere.example"}}]}});
    let path = format!("/v1.0/users/{mailbox}/sendMail");
    let reply = graph::handle(world, &call(Method::POST, &path, token, &mail));
    let said = String::from_utf8_lossy(&reply.body);
    match reply.status {
        202 => true,
        403 if said.contains("ErrorAccessDenied") => false,
        404 if said.contains("MailboxNotEnabledForRESTAPI") => false,
        other => panic!("{other}: {said}"),
    }
}
