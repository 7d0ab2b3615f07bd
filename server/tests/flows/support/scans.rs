//! Customers of a cloud that are read without a portal, and what the cloud itself decides.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::body::Bytes;
use cloud::{
    Cloud, Config, Delays, Seed,
    entra::{Refresh, token},
    graph,
    http_parts::Call,
    permissions::Resource,
    world::{
        World,
        enforcement::{self, View},
        tenant::Tenant,
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
    /// Why the seed has it.
    pub note: String,
}

impl Fleet {
    pub async fn start(seed: Seed) -> Self {
        let delays = Delays {
            // As many requests as there are pairs to ask about.
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

    /// Past every lag of the cloud: what is configured holds.
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

/// Every principal that holds or may hold something, and a few that do not.
pub fn applications(tenant: &Tenant) -> Vec<(Uuid, Uuid)> {
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
    let others = tenant
        .principals
        .keys()
        .filter(|id| !held.contains(id))
        .take(5);
    held.iter()
        .chain(others)
        .filter_map(|id| tenant.principals.get(id))
        .filter(|principal| principal.resource.is_none())
        .map(|principal| (principal.id, principal.app_id))
        .collect()
}

/// Permissions whose every use the cloud decides, sending apart.
pub const DECIDED: [&str; 10] = [
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
];

/// Whether the cloud's enforcement lets an application use a permission of [`DECIDED`] on a
/// mailbox: a grant in Entra that policies leave, or a role in Exchange.
pub fn may_use(
    world: &mut World,
    tenant: Uuid,
    (principal, app_id): (Uuid, Uuid),
    permission: &str,
    mailbox: Uuid,
) -> bool {
    let now = world.dice.now();
    let World { tenants, dice, .. } = world;
    let tenant = tenants.get(tenant).expect("a tenant");
    if !tenant
        .principals
        .get(&principal)
        .is_some_and(|found| found.enabled)
        || !tenant.exchange.licensed
    {
        return false;
    }
    let granted = tenant
        .app_roles_of(principal, Resource::Graph)
        .contains(&permission);
    if granted && enforcement::policies_allow(tenant, app_id, mailbox, View::InForce, now) {
        return true;
    }
    let pointed = tenant
        .exchange
        .pointers
        .iter()
        .any(|pointer| pointer.object_id == principal);
    pointed && enforcement::rbac_allows(tenant, principal, permission, mailbox, dice)
}

/// A token of an application, as client credentials give it; none when it may not have one.
pub fn token_of(world: &mut World, tenant: Uuid, app_id: Uuid) -> Option<String> {
    let answer = token::for_application(world, tenant, app_id, Resource::Graph).ok()?;
    answer["access_token"].as_str().map(str::to_owned)
}

/// Has an application send from a mailbox. False: the cloud refused.
pub fn sends(world: &mut World, token: &str, mailbox: Uuid) -> bool {
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {token}");
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::try_from(bearer).expect("a header"),
    );
    let mail: Value = json!({"message": {
        "subject": "May I?",
        "toRecipients": [{"emailAddress": {"address": "somebody@elsewhere.example"}}]}});
    let call = Call::new(
        Method::POST,
        &format!("/v1.0/users/{mailbox}/sendMail"),
        headers,
        Bytes::from(mail.to_string()),
    );
    let reply = graph::handle(world, &call);
    let said = String::from_utf8_lossy(&reply.body);
    match reply.status {
        202 => true,
        403 if said.contains("ErrorAccessDenied") => false,
        404 if said.contains("MailboxNotEnabledForRESTAPI") => false,
        other => panic!("{other}: {said}"),
    }
}
