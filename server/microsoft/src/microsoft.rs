//! The whole: one HTTP client, its limits and its memory, shared by the process.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use domain::{
    Timestamp,
    id::{AppId, TenantId},
    permission::Resource,
};
use secrecy::SecretString;
use tokio::sync::Mutex;
use uuid::Uuid;

pub use crate::entra::assertion::Certificate;
use crate::{
    clock::{Clock, SystemClock},
    customer::Customer,
    endpoints::Endpoints,
    entra::keys::Keys,
    http::{
        gate::{Gate, Senders},
        transport::Transport,
    },
    tokens::{AccessToken, RefreshStore, Tokens},
};

/// Postern's own registration in Entra.
#[derive(Clone, Debug)]
pub struct AppIdentity {
    pub client_id: AppId,
    pub credential: Credential,
}

/// How Postern shows Entra who it is.
#[derive(Clone, Debug)]
pub enum Credential {
    Secret(SecretString),
    /// Signs an assertion (PS256) for each token request, so no secret travels.
    Certificate(Certificate),
}

/// Limits of the calls.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub connect_timeout: Duration,
    /// For one call of Entra or Graph: all tries, their pauses, and the wait for a free place.
    pub deadline: Duration,
    /// The same for one cmdlet. Exchange itself gives up after 15 minutes (MICROSOFT.md §1.2).
    pub exchange_deadline: Duration,
    /// How often one call is tried at most.
    pub tries: usize,
    /// The first pause between tries; each is longer than the one before, by chance more or less.
    pub first_pause: Duration,
    /// Calls of Graph at the same time, per customer. Outlook allows four (MICROSOFT.md §7.3).
    pub concurrency: usize,
    /// Cmdlets at the same time, per customer: as many as a scan needs side by side. Exchange has a
    /// limit and does not say which (MICROSOFT.md §§1.4, 1.5).
    pub cmdlets: usize,
    /// Calls a second, per customer and service, once a burst of twice as many is spent.
    pub rate: u32,
    pub clock: Arc<dyn Clock>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(60),
            exchange_deadline: Duration::from_secs(120),
            tries: 4,
            first_pause: Duration::from_millis(300),
            concurrency: 4,
            cmdlets: 5,
            rate: 10,
            clock: Arc::new(SystemClock),
        }
    }
}

/// The client cannot be built: the machine has no root certificates, for example.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built")]
pub struct NotUsable(#[from] reqwest::Error);

/// Microsoft, as Postern sees it. Cheap to clone; all clones share connections, limits and tokens.
#[derive(Clone)]
pub struct Microsoft(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) endpoints: Endpoints,
    pub(crate) app: AppIdentity,
    pub(crate) transport: Transport,
    pub(crate) keys: Keys,
    customers: Mutex<HashMap<Uuid, Arc<Held>>>,
    /// For what belongs to no customer: token requests, key sets.
    pub(crate) gate: Gate,
    /// For codes, which are token requests that anybody can cause.
    pub(crate) codes: Gate,
    /// For mail that applications send with their own tokens.
    pub(crate) senders: Senders,
    /// Tells Exchange that calls belong together; stable per process (MICROSOFT.md §1.2).
    pub(crate) connection_id: Uuid,
}

/// What is kept in memory of one customer: limits and access tokens.
pub(crate) struct Held {
    pub(crate) graph: Gate,
    pub(crate) exchange: Gate,
    pub(crate) tokens: Tokens,
}

impl fmt::Debug for Microsoft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Microsoft")
            .field("endpoints", &self.0.endpoints)
            .field("client_id", &self.0.app.client_id)
            .finish_non_exhaustive()
    }
}

impl Microsoft {
    /// # Errors
    /// When the machine lacks what TLS needs.
    pub fn new(
        endpoints: Endpoints,
        app: AppIdentity,
        options: HttpOptions,
    ) -> Result<Self, NotUsable> {
        let transport = Transport::new(&endpoints, options)?;
        Ok(Self(Arc::new(Shared {
            keys: Keys::default(),
            customers: Mutex::default(),
            gate: Gate::wide(),
            codes: Gate::of_codes(),
            senders: Senders::default(),
            connection_id: Uuid::new_v4(),
            endpoints,
            app,
            transport,
        })))
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    pub fn client_id(&self) -> AppId {
        self.0.app.client_id
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        self.0.transport.options().clock.clone()
    }

    /// Microsoft acting in one customer's tenant.
    ///
    /// `key`: the customer's id, under which limits and access tokens are kept. `anchor_upn`: the
    /// admin who consented, when an admin of the customer did; none for GDAP (MICROSOFT.md §1.2).
    /// `consented`: when they did. Tokens that an older consent gave are dropped: another process
    /// may have got this one, from another account.
    pub async fn customer(
        &self,
        tenant: TenantId,
        key: Uuid,
        anchor_upn: Option<String>,
        refresh: Arc<dyn RefreshStore>,
        consented: Timestamp,
    ) -> Customer {
        let held = self.held(key).await;
        Customer::new(self.clone(), held, tenant, anchor_upn, refresh, consented)
    }

    /// Keeps an access token that came with the consent of that moment. Right after it, Entra may
    /// refuse a refresh for a while, because the consent has not spread yet (MICROSOFT.md §6.5);
    /// this one is good.
    pub async fn remember(
        &self,
        key: Uuid,
        consented: Timestamp,
        resource: Resource,
        token: AccessToken,
    ) {
        let held = self.held(key).await;
        held.tokens.put(consented, resource, token).await;
    }

    async fn held(&self, key: Uuid) -> Arc<Held> {
        let mut customers = self.0.customers.lock().await;
        let held = customers.entry(key).or_insert_with(|| {
            Arc::new(Held {
                graph: Gate::new(self.0.transport.options()),
                exchange: Gate::of_cmdlets(self.0.transport.options()),
                tokens: Tokens::default(),
            })
        });
        held.clone()
    }

    /// Forgets all that is held under a key that is not used any more.
    pub async fn let_go(&self, key: Uuid) {
        self.0.customers.lock().await.remove(&key);
    }

    /// Forgets the access tokens of a customer in this process, because a token keeps the scopes
    /// and roles with which it was issued (MICROSOFT.md §1.6, §6.5). Its limits stay: a pause that
    /// Microsoft asked for goes on.
    pub async fn forget(&self, key: Uuid) {
        let held = self.0.customers.lock().await.get(&key).cloned();
        if let Some(held) = held {
            held.tokens.clear().await;
        }
    }
}
