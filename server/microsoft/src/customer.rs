//! Microsoft acting in one customer's tenant: the right token, once more with a fresh one.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use domain::{id::TenantId, permission::Resource};
use http::{HeaderValue, StatusCode, header};
use secrecy::ExposeSecret as _;

use crate::{
    error::{Error, Kind, Result, Service},
    http::transport::{Reply, Request},
    microsoft::{Held, Microsoft},
    tokens::{AccessToken, RefreshStore},
};

/// One customer tenant, with the rights of whoever consented. Cheap to clone.
#[derive(Clone)]
pub struct Customer {
    pub(crate) microsoft: Microsoft,
    held: Arc<Held>,
    pub(crate) tenant: TenantId,
    anchor_upn: Option<String>,
    refresh: Arc<dyn RefreshStore>,
    /// How many calls of Graph and Exchange were sent, where somebody counts.
    calls: Option<Arc<AtomicU32>>,
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl Customer {
    pub(crate) fn new(
        microsoft: Microsoft,
        held: Arc<Held>,
        tenant: TenantId,
        anchor_upn: Option<String>,
        refresh: Arc<dyn RefreshStore>,
    ) -> Self {
        Self {
            microsoft,
            held,
            tenant,
            anchor_upn,
            refresh,
            calls: None,
        }
    }

    /// The same customer with a count of its own of the calls that are sent, each try by itself.
    pub(crate) fn counting(&self) -> (Self, Arc<AtomicU32>) {
        let calls = Arc::new(AtomicU32::new(0));
        let customer = Self {
            calls: Some(calls.clone()),
            ..self.clone()
        };
        (customer, calls)
    }

    fn count(&self, outcome: &Result<Reply>) {
        if let Some(calls) = &self.calls {
            let trace = outcome
                .as_ref()
                .map_or_else(Error::trace, |reply| &reply.trace);
            calls.fetch_add(trace.attempts, Ordering::Relaxed);
        }
    }

    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// A token for one resource: from memory, or fresh.
    ///
    /// # Errors
    /// [`Kind::NotConnected`], [`Kind::Store`], and those of [`Microsoft::refresh`].
    pub async fn access_token(&self, resource: Resource) -> Result<AccessToken> {
        self.held
            .tokens
            .get(
                &self.microsoft,
                self.tenant,
                resource,
                self.refresh.as_ref(),
            )
            .await
    }

    /// Forgets the access tokens; the next call fetches fresh ones, with newer consent and roles.
    pub async fn forget_tokens(&self) {
        self.held.tokens.clear().await;
    }

    /// How Exchange finds the way to the tenant (MICROSOFT.md §1.2).
    /// Whether a partner's account acts here through delegated privileges (GDAP): nobody of this
    /// tenant, so Graph has no `/me` for it (MICROSOFT.md §6.5).
    pub fn is_delegated(&self) -> bool {
        self.anchor_upn.is_none()
    }

    pub(crate) fn anchor(&self) -> String {
        match &self.anchor_upn {
            Some(upn) => format!("UPN:{upn}"),
            None => format!("APP:{SYSTEM_MAILBOX}@{}", self.tenant),
        }
    }

    /// Sends with a token. A refused token did nothing, so the call is made once more with a
    /// fresh one, whether it is safe to repeat or not.
    pub(crate) async fn send(&self, make: impl Fn() -> Request) -> Result<Reply> {
        let mut again = true;
        loop {
            let mut request = make();
            let (resource, gate) = match request.service {
                Service::Exchange => (Resource::Exchange, &self.held.exchange),
                Service::Graph | Service::Entra => (Resource::Graph, &self.held.graph),
            };
            let token = self.access_token(resource).await?;
            let service = request.service;
            request
                .headers
                .insert(header::AUTHORIZATION, bearer(&token, service)?);
            let outcome = self.microsoft.0.transport.send(request, gate).await;
            self.count(&outcome);
            let reply = outcome?;
            if reply.status != StatusCode::UNAUTHORIZED {
                return Ok(reply);
            }
            self.held.tokens.refused(resource, &token).await;
            if !again {
                return Err(unauthorized(service, reply));
            }
            again = false;
        }
    }
}

/// The same in every tenant.
const SYSTEM_MAILBOX: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";

/// `Authorization` for a token, kept out of logs.
pub(crate) fn bearer(token: &AccessToken, service: Service) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()))
        .map_err(|_| Error::unsent(service, Kind::Malformed, "the token is no text"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A 401 after a fresh token: Microsoft wants the person back when it sends a claims challenge
/// (MICROSOFT.md §1.4); else the token carries no right that counts here.
pub(crate) fn unauthorized(service: Service, reply: Reply) -> Error {
    let challenged = reply
        .headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("insufficient_claims") || value.contains("claims="));
    let kind = if challenged {
        Kind::InteractionRequired
    } else {
        Kind::Unauthorized
    };
    let mut trace = reply.trace;
    "401".clone_into(&mut trace.answer);
    Error::new(service, kind, trace).with_code("401")
}
