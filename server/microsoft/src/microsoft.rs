//! The shared client: one HTTP client with its limits and its caches, for the whole process.

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

/// The credential with which Postern authenticates to Entra.
#[derive(Clone, Debug)]
pub enum Credential {
    Secret(SecretString),
    /// Signs an assertion (PS256) for each token request, so that no secret travels.
    Certificate(Certificate),
}

/// Limits of the calls.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub connect_timeout: Duration,
    /// Deadline of one call of Entra or Graph: all tries, their pauses, and the wait for a free
    /// slot.
    pub deadline: Duration,
    /// Deadline of one cmdlet. Exchange itself gives up after 15 minutes (MICROSOFT.md §1.2).
    pub exchange_deadline: Duration,
    /// The maximum number of tries of one call.
    pub tries: usize,
    /// The first pause between tries (back-off). Each further pause is longer, with random jitter.
    pub first_pause: Duration,
    /// Concurrent calls of Graph, per customer. Outlook allows four (MICROSOFT.md §7.3).
    pub concurrency: usize,
    /// Concurrent cmdlets, per customer: as many as a scan needs. Exchange has a limit and does not
    /// publish it (MICROSOFT.md §§1.4, 1.5).
    pub cmdlets: usize,
    /// Calls per second, per customer and service, after a burst of twice as many.
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

/// The client cannot be built, for example because the machine has no root certificates.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built")]
pub struct NotUsable(#[from] reqwest::Error);

/// The client of all three services. Cheap to clone. All clones share connections, limits and
/// tokens.
#[derive(Clone)]
pub struct Microsoft(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) endpoints: Endpoints,
    pub(crate) app: AppIdentity,
    pub(crate) transport: Transport,
    pub(crate) keys: Keys,
    customers: Mutex<HashMap<Uuid, Arc<Held>>>,
    /// The limiter for requests that belong to no customer: token requests, key sets.
    pub(crate) gate: Gate,
    /// The limiter for codes, which are token requests that anybody can cause.
    pub(crate) codes: Gate,
    /// The limiters for mail that applications send with their own tokens.
    pub(crate) senders: Senders,
    /// Tells Exchange that calls belong together. It is stable per process (MICROSOFT.md §1.2).
    pub(crate) connection_id: Uuid,
}

/// The state in memory of one customer: limits and access tokens.
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

    /// A client for one customer's tenant.
    ///
    /// `key`: the customer's id, under which limits and access tokens are stored. `anchor_upn`: the
    /// admin who consented, when an admin of the customer did; none for GDAP (MICROSOFT.md §1.2).
    /// `consented`: the time of the consent. Tokens of an older consent are dropped: another
    /// process may have stored the newer consent, from another account.
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

    /// Stores an access token that came with the consent of that time. Right after a consent Entra
    /// may refuse a refresh for a while, because the consent has not propagated yet (MICROSOFT.md
    /// §6.5). This token already works.
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

    /// Drops all state under a key that is not used any more.
    pub async fn let_go(&self, key: Uuid) {
        self.0.customers.lock().await.remove(&key);
    }

    /// Drops the access tokens of a customer in this process, because a token keeps the scopes and
    /// roles with which it was issued (MICROSOFT.md §1.6, §6.5). The limits stay: a pause that
    /// Microsoft asked for continues.
    pub async fn forget(&self, key: Uuid) {
        let held = self.0.customers.lock().await.get(&key).cloned();
        if let Some(held) = held {
            held.tokens.clear().await;
        }
    }
}
