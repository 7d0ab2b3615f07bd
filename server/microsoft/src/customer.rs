//! Calls in one customer's tenant: with the right token, and one retry with a fresh token.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use domain::{Timestamp, id::TenantId, permission::Resource};
use http::{HeaderValue, StatusCode, header};
use secrecy::ExposeSecret as _;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use crate::{
    error::{Error, Kind, Result, Service},
    exchange::NOT_IN_ROLE,
    http::{
        gate::Gate,
        transport::{Reply, Request},
    },
    microsoft::{Held, Microsoft},
    tokens::{AccessToken, Asker, RefreshStore},
};

/// One customer tenant, with the rights of the account that consented. Cheap to clone.
#[derive(Clone)]
pub struct Customer {
    pub(crate) microsoft: Microsoft,
    held: Arc<Held>,
    pub(crate) tenant: TenantId,
    anchor_upn: Option<String>,
    refresh: Arc<dyn RefreshStore>,
    /// When the consent was given whose tokens are used here.
    consented: Timestamp,
    /// Counts the calls of Graph and Exchange that were sent. None when nothing counts.
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
        consented: Timestamp,
    ) -> Self {
        Self {
            microsoft,
            held,
            tenant,
            anchor_upn,
            refresh,
            consented,
            calls: None,
        }
    }

    /// The same customer with its own counter of sent calls. Each try counts.
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

    /// A token for one resource, cached or fresh.
    ///
    /// # Errors
    /// [`Kind::NotConnected`], [`Kind::Store`], and those of [`Microsoft::refresh`].
    pub async fn access_token(&self, resource: Resource) -> Result<AccessToken> {
        let token = self.held.tokens.get(&self.asker(), resource).await;
        token.map_err(|error| match error.kind() {
            Kind::ServiceMissing | Kind::ServiceOff => error.with_subject(match resource {
                Resource::Graph => "Microsoft Graph",
                Resource::Exchange => "Exchange Online",
            }),
            Kind::NotInTenant if self.is_delegated() => error.with_kind(Kind::DelegationEnded),
            _ => error,
        })
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            microsoft: &self.microsoft,
            tenant: self.tenant,
            store: self.refresh.as_ref(),
            consented: self.consented,
        }
    }

    /// Delays all calls of this customer to a service for `pause`, because Microsoft asked for it
    /// in a place that the transport does not see.
    pub(crate) fn hold_back(&self, service: Service, pause: Duration) {
        if let Some(until) = Instant::now().checked_add(pause) {
            self.gate(service).close_until(until);
        }
    }

    fn gate(&self, service: Service) -> &Gate {
        match service {
            Service::Exchange => &self.held.exchange,
            Service::Graph | Service::Entra => &self.held.graph,
        }
    }

    /// The directory roles in the token for Exchange, by which Exchange decides (MICROSOFT.md
    /// §1.6). Use them only as a hint for the words about a refusal: Microsoft does not guarantee
    /// the form of a token for another service. None when the token cannot be read.
    pub async fn roles_in_token(&self) -> Option<Vec<Uuid>> {
        let token = self.access_token(Resource::Exchange).await.ok()?;
        roles_of(token.secret.expose_secret())
    }

    /// Drops the access tokens. The next call fetches fresh tokens with newer consent and roles.
    pub async fn forget_tokens(&self) {
        self.held.tokens.clear().await;
    }

    /// Whether a partner's account acts here through delegated privileges (GDAP). Such an account
    /// belongs to another tenant, so Graph has no `/me` for it (MICROSOFT.md §6.5).
    pub fn is_delegated(&self) -> bool {
        self.anchor_upn.is_none()
    }

    /// The anchor with which Exchange routes the request to the tenant (MICROSOFT.md §1.2).
    pub(crate) fn anchor(&self) -> String {
        match &self.anchor_upn {
            Some(upn) => format!("UPN:{upn}"),
            None => format!("APP:{SYSTEM_MAILBOX}@{}", self.tenant),
        }
    }

    /// Sends a request with a token. Retries once with a fresh token when the token was refused or
    /// a role was missing in it. Such a request did nothing, so the retry is safe for every
    /// request.
    pub(crate) async fn send(
        &self,
        service: Service,
        make: impl Fn(&AccessToken) -> Request,
    ) -> Result<Reply> {
        let resource = match service {
            Service::Exchange => Resource::Exchange,
            Service::Graph | Service::Entra => Resource::Graph,
        };
        let (mut again, mut renewed) = (true, false);
        loop {
            let token = self.access_token(resource).await?;
            let mut request = make(&token);
            request
                .headers
                .insert(header::AUTHORIZATION, bearer(&token, service)?);
            let transport = &self.microsoft.0.transport;
            let outcome = transport.send(request, self.gate(service)).await;
            self.count(&outcome);
            let reply = outcome?;
            if reply.status == StatusCode::UNAUTHORIZED {
                let claims = claims_of(&reply.headers);
                self.held.tokens.refused(resource, &token, claims).await;
                if !again {
                    return Err(unauthorized(service, reply));
                }
                again = false;
                continue;
            }
            if renewed || !lacks_a_role(&reply) {
                return Ok(reply);
            }
            renewed = true;
            let tokens = &self.held.tokens;
            if tokens
                .renew(&self.asker(), resource, &token)
                .await
                .is_none()
            {
                return Ok(reply);
            }
        }
    }
}

fn roles_of(token: &str) -> Option<Vec<Uuid>> {
    #[derive(serde::Deserialize)]
    struct Claims {
        wids: Vec<String>,
    }
    let payload = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let ids = claims.wids.iter();
    Some(ids.filter_map(|id| id.parse().ok()).collect())
}

/// Whether a role or a scope was missing, in either of Exchange's two forms (MICROSOFT.md §1.4).
fn lacks_a_role(reply: &Reply) -> bool {
    reply.status == StatusCode::FORBIDDEN
        || (!reply.status.is_success()
            && String::from_utf8_lossy(&reply.body).contains(NOT_IN_ROLE))
}

/// This name is the same in every tenant.
const SYSTEM_MAILBOX: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";

/// The `Authorization` header for a token, marked so that logs omit it.
pub(crate) fn bearer(token: &AccessToken, service: Service) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()))
        .map_err(|_| Error::unsent(service, Kind::Malformed, "the token is no text"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The claims that the next token must carry, from a claims challenge (MICROSOFT.md §6.6): JSON in
/// Base64. Some services send it with padding, others without.
pub(crate) fn claims_of(headers: &http::HeaderMap) -> Option<String> {
    const LONGEST: usize = 4_000;
    let coded = headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| value.split_once("claims=\"")?.1.split_once('"'))?
        .0
        .trim_end_matches('=');
    let bytes = STANDARD_NO_PAD
        .decode(coded)
        .or_else(|_| URL_SAFE_NO_PAD.decode(coded))
        .ok()
        .filter(|bytes| bytes.len() <= LONGEST)?;
    let text = String::from_utf8(bytes).ok()?;
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text)
        .is_ok()
        .then_some(text)
}

/// The error for a 401 after a fresh token. With a claims challenge Microsoft wants the person to
/// sign in again (MICROSOFT.md §1.4). Without one the token carries no right that counts here.
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
