//! Cached access tokens, and the store of refresh tokens.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::{Timestamp, id::TenantId, permission::Resource};
use futures::future::BoxFuture;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::{
    entra::Redeemed,
    error::{Error, Kind, Result, Service},
    microsoft::Microsoft,
};

/// An access token for one resource. It is never shown, and never parsed to decide anything.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub secret: SecretString,
    pub expires_at: Timestamp,
}

/// The refresh token could not be loaded or stored. The text is for the log, not for the page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreFault(pub String);

/// The store of one customer's refresh token. The caller provides it, with encryption.
pub trait RefreshStore: Send + Sync + fmt::Debug {
    /// The newest token and its version. None when nobody consented, or when the token was deleted.
    fn load(&self) -> BoxFuture<'_, std::result::Result<Option<(SecretString, i64)>, StoreFault>>;

    /// Stores the token that replaced version `old`. When another process was faster, the store
    /// keeps the newer token and returns no fault: Entra honours both (MICROSOFT.md §6.4).
    fn rotate(
        &self,
        new: SecretString,
        old: i64,
    ) -> BoxFuture<'_, std::result::Result<(), StoreFault>>;

    /// Called with each fresh token. The scopes are those that Entra granted on the resource with
    /// this audience, in full names.
    fn granted(
        &self,
        audience: &str,
        scopes: Vec<String>,
    ) -> BoxFuture<'_, std::result::Result<(), StoreFault>> {
        let _ = (audience, scopes);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A token is renewed this long before it expires, so that none expires during a call.
const EARLY_MILLIS: i64 = 5 * 60 * 1000;

/// After a refusal for a missing role the token is renewed at most this often: mostly the role is
/// missing.
const RENEWED_EVERY_MILLIS: i64 = 60 * 1000;

/// The customer for whom tokens are fetched, and the consent.
pub(crate) struct Asker<'a> {
    pub(crate) microsoft: &'a Microsoft,
    pub(crate) tenant: TenantId,
    pub(crate) store: &'a dyn RefreshStore,
    /// The time of the newest consent that the caller knows of.
    pub(crate) consented: Timestamp,
}

/// The access tokens of one customer, per resource.
#[derive(Default)]
pub(crate) struct Tokens {
    slot: Mutex<Slot>,
    /// Counts finished refreshes, so that a caller that waited for a refresh shares its failure.
    finished: AtomicU64,
}

#[derive(Default)]
struct Slot {
    /// The consent that the tokens come from. Another process may have stored a newer consent, of
    /// another account.
    consented: Timestamp,
    graph: Option<AccessToken>,
    exchange: Option<AccessToken>,
    /// When the token was last renewed because a role was missing in it.
    graph_renewed: Option<Timestamp>,
    exchange_renewed: Option<Timestamp>,
    /// The claims that the next token must carry, because the resource required them.
    claims: Option<(Resource, String)>,
    /// The error of the last refresh, if it failed, with its resource and its number.
    failed: Option<(Resource, u64, Error)>,
}

impl Slot {
    fn token(&mut self, resource: Resource) -> &mut Option<AccessToken> {
        match resource {
            Resource::Graph => &mut self.graph,
            Resource::Exchange => &mut self.exchange,
        }
    }

    fn renewed(&mut self, resource: Resource) -> &mut Option<Timestamp> {
        match resource {
            Resource::Graph => &mut self.graph_renewed,
            Resource::Exchange => &mut self.exchange_renewed,
        }
    }

    /// Drops the tokens of an older consent. A caller that still knows the older consent uses the
    /// newer tokens.
    fn belongs_to(&mut self, consented: Timestamp) {
        if self.consented < consented {
            *self = Self {
                consented,
                ..Self::default()
            };
        }
    }
}

impl Tokens {
    /// A token that lasts a while: the cached token, or a fresh one. Concurrent callers share one
    /// refresh, and its failure.
    pub(crate) async fn get(&self, asker: &Asker<'_>, resource: Resource) -> Result<AccessToken> {
        let seen = self.finished.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        slot.belongs_to(asker.consented);
        let now = asker.microsoft.clock().now();
        if let Some(token) = slot.token(resource)
            && token.expires_at.millis_since(now) > EARLY_MILLIS
        {
            return Ok(token.clone());
        }
        if let Some((failed, number, error)) = &slot.failed
            && *failed == resource
            && *number > seen
        {
            return Err(error.clone());
        }
        let claims = slot.claims.take_if(|(of, _)| *of == resource);
        let claims = claims.as_ref().map(|(_, text)| text.as_str());
        let outcome = fetch(asker, resource, claims).await;
        let number = self
            .finished
            .fetch_add(1, Ordering::AcqRel)
            .saturating_add(1);
        match outcome {
            Ok(redeemed) => {
                slot.failed = None;
                *slot.token(resource) = Some(redeemed.access.clone());
                Ok(redeemed.access)
            }
            Err(error) => {
                *slot.token(resource) = None;
                slot.failed = Some((resource, number, error.clone()));
                Err(error)
            }
        }
    }

    /// Stores a token that came with a consent, unless there has been a newer consent since.
    pub(crate) async fn put(&self, consented: Timestamp, resource: Resource, token: AccessToken) {
        let mut slot = self.slot.lock().await;
        slot.belongs_to(consented);
        if slot.consented != consented {
            return;
        }
        slot.failed = None;
        *slot.token(resource) = Some(token);
    }

    /// Drops a refused token, unless another caller replaced it meanwhile. `claims`: the claims
    /// that the next token must carry.
    pub(crate) async fn refused(
        &self,
        resource: Resource,
        refused: &AccessToken,
        claims: Option<String>,
    ) {
        use secrecy::ExposeSecret as _;
        let mut slot = self.slot.lock().await;
        let held = slot.token(resource);
        if held
            .as_ref()
            .is_some_and(|token| token.secret.expose_secret() == refused.secret.expose_secret())
        {
            *held = None;
            slot.claims = claims.map(|claims| (resource, claims));
        }
    }

    /// Replaces a token that was refused for a missing role. Roles are in the token (MICROSOFT.md
    /// §1.6), so only a fresh token has a role assigned since. None when there is no fresh token,
    /// or when the last renewal is too recent. The refused token still works for other calls.
    pub(crate) async fn renew(
        &self,
        asker: &Asker<'_>,
        resource: Resource,
        refused: &AccessToken,
    ) -> Option<()> {
        use secrecy::ExposeSecret as _;
        let mut slot = self.slot.lock().await;
        slot.belongs_to(asker.consented);
        let same = slot
            .token(resource)
            .as_ref()
            .is_some_and(|token| token.secret.expose_secret() == refused.secret.expose_secret());
        if !same {
            // Another caller replaced the token meanwhile.
            return Some(());
        }
        let now = asker.microsoft.clock().now();
        if slot
            .renewed(resource)
            .is_some_and(|last| now.millis_since(last).abs() < RENEWED_EVERY_MILLIS)
        {
            return None;
        }
        *slot.renewed(resource) = Some(now);
        match fetch(asker, resource, None).await {
            Ok(redeemed) => {
                *slot.token(resource) = Some(redeemed.access);
                Some(())
            }
            // The caller reports the refusal. This error occurs again when the token expires.
            Err(error) => {
                tracing::debug!(%error, "a token could not be renewed");
                None
            }
        }
    }

    /// Drops the tokens, and the times of their renewals.
    pub(crate) async fn clear(&self) {
        let mut slot = self.slot.lock().await;
        *slot = Slot {
            consented: slot.consented,
            ..Slot::default()
        };
    }
}

async fn fetch(asker: &Asker<'_>, resource: Resource, claims: Option<&str>) -> Result<Redeemed> {
    let Asker {
        microsoft,
        tenant,
        store,
        ..
    } = asker;
    let store_fault =
        |fault: StoreFault| Error::unsent(Service::Entra, Kind::Store, fault.to_string());
    let (token, version) = store.load().await.map_err(store_fault)?.ok_or_else(|| {
        Error::unsent(
            Service::Entra,
            Kind::NotConnected,
            "there is no refresh token",
        )
    })?;
    // `.default` requests what was consented to for the resource, and gives no error for what was
    // not.
    let scopes = [
        format!("{}/.default", microsoft.endpoints().audience(resource)),
        "offline_access".to_owned(),
    ];
    let redeemed = microsoft
        .refresh_with(*tenant, &token, &scopes, claims)
        .await?;
    if let Some(new) = redeemed.refresh.clone() {
        store.rotate(new, version).await.map_err(store_fault)?;
    }
    let audience = microsoft.endpoints().audience(resource);
    let granted = redeemed.granted(&audience);
    if !granted.is_empty() {
        store
            .granted(&audience, granted)
            .await
            .map_err(store_fault)?;
    }
    Ok(redeemed)
}
