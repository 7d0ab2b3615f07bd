//! Entra's signing keys and issuer template, cached and refetched (MICROSOFT.md §6.3).

use std::sync::atomic::{AtomicU64, Ordering};

use domain::Timestamp;
use http::{HeaderMap, Method, StatusCode};
use openidconnect::core::CoreJsonWebKey;
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::{Mutex, RwLock};

use crate::{
    error::{Error, Kind, Result, Service},
    http::transport::Request,
    microsoft::Microsoft,
};

/// Keys are refetched after a day.
const FRESH_MILLIS: i64 = 24 * 3_600_000;
/// An unknown key id triggers an earlier fetch, but at most once in this time, because anybody can
/// invent key ids.
const EARLIEST_MILLIS: i64 = 5 * 60_000;

/// The cached keys.
#[derive(Default)]
pub(crate) struct Keys {
    held: RwLock<Option<Fetched>>,
    /// Locked while fetching, so that concurrent sign-ins cause a single fetch. Holds the error of
    /// the last fetch, if it failed, with the number of that fetch.
    fetching: Mutex<Option<(u64, Error)>>,
    /// Counts finished fetches, so that a caller that waited for a fetch shares its failure.
    finished: AtomicU64,
}

struct Fetched {
    at: Timestamp,
    issuer: String,
    keys: Vec<Key>,
}

/// A signing key with its data.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) key: CoreJsonWebKey,
    /// The only issuer for which this key may sign. None: all issuers.
    pub(crate) issuer: Option<String>,
}

/// A key, with the issuer template of the metadata.
pub(crate) struct Found {
    pub(crate) key: Key,
    /// The template contains `{tenantid}`.
    pub(crate) issuer: String,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Described {
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    issuer: Option<String>,
}

impl Keys {
    /// The key with this id. None when Entra does not publish it.
    pub(crate) async fn find(&self, microsoft: &Microsoft, id: &str) -> Result<Option<Found>> {
        let now = microsoft.clock().now();
        let (known, fresh) = self.known(id, now).await;
        if fresh {
            return Ok(known);
        }
        let seen = self.finished.load(Ordering::Acquire);
        let mut failed = self.fetching.lock().await;
        // Another caller may have fetched the keys meanwhile, or tried to.
        let (known, fresh) = self.known(id, now).await;
        if fresh {
            return Ok(known);
        }
        let outcome = match &*failed {
            Some((number, error)) if *number > seen => Err(error.clone()),
            _ => {
                let outcome = fetch(microsoft, now).await;
                let finished = self.finished.fetch_add(1, Ordering::AcqRel);
                let number = finished.saturating_add(1);
                *failed = outcome.as_ref().err().map(|error| (number, error.clone()));
                outcome
            }
        };
        match outcome {
            Ok(fetched) => {
                let found = fetched.find(id);
                *self.held.write().await = Some(fetched);
                Ok(found)
            }
            // Old keys are better than no sign-in while Entra is unavailable.
            Err(error) if error.is_transient() && known.is_some() => {
                tracing::warn!(%error, "signing keys could not be fetched anew");
                Ok(known)
            }
            Err(error) => Err(error),
        }
    }

    /// The cached key, and whether this answer is final for now.
    async fn known(&self, id: &str, now: Timestamp) -> (Option<Found>, bool) {
        let held = self.held.read().await;
        let Some(fetched) = &*held else {
            return (None, false);
        };
        let known = fetched.find(id);
        let age = now.millis_since(fetched.at).abs();
        let lasts = if known.is_some() {
            FRESH_MILLIS
        } else {
            EARLIEST_MILLIS
        };
        (known, age < lasts)
    }
}

impl Fetched {
    fn find(&self, id: &str) -> Option<Found> {
        let key = self.keys.iter().find(|key| key.id == id)?.clone();
        Some(Found {
            key,
            issuer: self.issuer.clone(),
        })
    }
}

async fn fetch(microsoft: &Microsoft, now: Timestamp) -> Result<Fetched> {
    let metadata: Metadata = get(
        microsoft,
        microsoft.entra_url(None, "v2.0/.well-known/openid-configuration"),
    )
    .await?;
    let malformed = |what: &str| Error::unsent(Service::Entra, Kind::Malformed, what);
    if !metadata.issuer.contains(TEMPLATE) {
        return Err(malformed("the metadata's issuer is no template"));
    }
    let address =
        Url::parse(&metadata.jwks_uri).map_err(|_| malformed("the key set has no address"))?;
    if address.origin() != microsoft.endpoints().authority().origin() {
        return Err(Error::unsent(
            Service::Entra,
            Kind::ForeignLink,
            "the key set is not at the configured authority",
        ));
    }
    let set: KeySet = get(microsoft, address).await?;
    Ok(Fetched {
        at: now,
        issuer: metadata.issuer,
        keys: set.keys.into_iter().filter_map(key).collect(),
    })
}

/// The placeholder for a tenant in the metadata's issuer.
pub(crate) const TEMPLATE: &str = "{tenantid}";

/// A usable signing key. The same list also holds keys for encryption and of unknown kinds.
fn key(value: serde_json::Value) -> Option<Key> {
    let described = Described::deserialize(&value).ok()?;
    if described.used_for.is_some_and(|used| used != "sig") {
        return None;
    }
    Some(Key {
        id: described.kid?,
        key: serde_json::from_value(value).ok()?,
        issuer: described.issuer,
    })
}

async fn get<T: DeserializeOwned>(microsoft: &Microsoft, url: Url) -> Result<T> {
    let reply = microsoft
        .0
        .transport
        .send(
            Request {
                service: Service::Entra,
                sent: format!("GET {}", url.path()),
                method: Method::GET,
                url,
                headers: HeaderMap::new(),
                body: None,
                safe: true,
            },
            &microsoft.0.gate,
        )
        .await?;
    if reply.status != StatusCode::OK {
        return Err(
            Error::new(Service::Entra, Kind::Malformed, reply.trace.clone())
                .with_code(reply.status.as_u16().to_string()),
        );
    }
    serde_json::from_slice(&reply.body).map_err(|_| {
        Error::new(Service::Entra, Kind::Malformed, reply.trace)
            .with_message("the answer has another shape than expected")
    })
}
