//! The key ring: its text form, and the keys derived from a master key for each use.
//!
//! A master key encrypts nothing itself. For each [`KeyUse`] a separate key is derived from it
//! (HKDF-SHA256 without salt, the use's name as `info`), so that a leaked key of one use opens
//! nothing of another use.
//!
//! A process that only serves pages can be given a ring without the master keys
//! ([`KeyRing::for_web`]). That ring holds the keys for what pages open. Of the client secrets' key
//! it holds only the public half, with which the process can seal them but not open any.

use std::{collections::HashSet, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use hkdf::Hkdf;
use hpke::{Deserializable as _, Kem as _, Serializable as _, kem::X25519HkdfSha256};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

pub(crate) const KEY_BYTES: usize = 32;
const LONGEST_ID: usize = 32;
/// Prefix of the keys in a ring that has no master keys.
const WEB: &str = "web.";
/// Bytes per id in such a ring: four keys and a public key.
const WEB_BYTES: usize = 5 * KEY_BYTES;

pub(crate) type SecretKey = Zeroizing<[u8; KEY_BYTES]>;
pub(crate) type SealingKey = <X25519HkdfSha256 as hpke::Kem>::PublicKey;
pub(crate) type OpeningKey = <X25519HkdfSha256 as hpke::Kem>::PrivateKey;

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Refresh tokens.
    Tokens,
    /// Client secrets of customers' applications.
    ClientSecrets,
    /// Started round trips to Entra.
    Attempts,
    /// Data that a browser carries for the server and must not read or change.
    Forms,
    /// The hashes of the history.
    History,
}

impl KeyUse {
    /// The `info` of the derivation. It never changes, because stored values are sealed with it.
    const fn info(self) -> &'static [u8] {
        match self {
            Self::Tokens => b"postern.key.1.tokens",
            Self::ClientSecrets => b"postern.key.1.client_secrets",
            Self::Attempts => b"postern.key.1.attempts",
            Self::Forms => b"postern.key.1.forms",
            Self::History => b"postern.key.1.history",
        }
    }
}

/// Why a key ring cannot be used. The text names keys by id only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    #[error("no key: give at least one as id:base64, the newest first")]
    Empty,
    #[error("key {0} of the ring is not of the form id:base64")]
    Form(usize),
    #[error("the id of key {0} is not 1 to 32 letters, digits, hyphens or underscores")]
    Id(usize),
    #[error("the id {0} is there twice")]
    Twice(String),
    #[error("key {0} is not base64")]
    Base64(String),
    #[error("key {id} has {bytes} bytes; it needs 32")]
    Length { id: String, bytes: usize },
    #[error(
        "key {0} of the web's ring is cut or changed; print the ring again with `postern web-keys`"
    )]
    Web(String),
    #[error("key {0} is not random: {1}. Make one with `openssl rand -base64 32`")]
    Weak(String, &'static str),
    #[error("keys cannot be derived from key {0}")]
    Derive(String),
    #[error("the ring has no master keys: it is the web's own already")]
    NoMaster,
}

/// One id of the ring, with the keys for each use.
pub(crate) struct Entry {
    pub(crate) id: String,
    /// None in the web's ring. Opens values that were sealed before there were keys for each use.
    pub(crate) master: Option<SecretKey>,
    tokens: SecretKey,
    attempts: SecretKey,
    forms: SecretKey,
    history: SecretKey,
    pub(crate) sealing: SealingKey,
    /// None in the web's ring.
    pub(crate) opening: Option<OpeningKey>,
}

impl Entry {
    fn of_master(id: String, master: SecretKey) -> Result<Self, KeyRingError> {
        let derive = |key_use: KeyUse| {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            Hkdf::<Sha256>::new(None, &*master)
                .expand(key_use.info(), &mut *key)
                .map_err(|_| KeyRingError::Derive(id.clone()))?;
            Ok(key)
        };
        let (opening, sealing) = X25519HkdfSha256::derive_keypair(&*derive(KeyUse::ClientSecrets)?);
        Ok(Self {
            tokens: derive(KeyUse::Tokens)?,
            attempts: derive(KeyUse::Attempts)?,
            forms: derive(KeyUse::Forms)?,
            history: derive(KeyUse::History)?,
            sealing,
            opening: Some(opening),
            master: Some(master),
            id,
        })
    }

    fn of_web(id: String, bytes: &[u8]) -> Result<Self, KeyRingError> {
        let cut = || KeyRingError::Web(id.clone());
        let (keys, rest) = bytes.as_chunks::<KEY_BYTES>();
        let ([tokens, attempts, forms, history, public], []) = (keys, rest) else {
            return Err(cut());
        };
        let key = |bytes: &[u8; KEY_BYTES]| Zeroizing::new(*bytes);
        Ok(Self {
            master: None,
            tokens: key(tokens),
            attempts: key(attempts),
            forms: key(forms),
            history: key(history),
            sealing: SealingKey::from_bytes(public).map_err(|_| cut())?,
            opening: None,
            id,
        })
    }

    /// The key for a use. None for client secrets, whose key has two halves.
    pub(crate) fn key(&self, key_use: KeyUse) -> Option<&SecretKey> {
        match key_use {
            KeyUse::Tokens => Some(&self.tokens),
            KeyUse::Attempts => Some(&self.attempts),
            KeyUse::Forms => Some(&self.forms),
            KeyUse::History => Some(&self.history),
            KeyUse::ClientSecrets => None,
        }
    }
}

/// The ring, newest key first. Cheap to clone. The memory is wiped when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<Vec<Entry>>);

impl KeyRing {
    /// Master keys with their ids, newest first.
    pub(crate) fn new(keys: Vec<(String, [u8; KEY_BYTES])>) -> Result<Self, KeyRingError> {
        let entries = keys.into_iter().enumerate().map(|(index, (id, mut key))| {
            let master = Zeroizing::new(key);
            key.zeroize();
            check_id(&id, index)?;
            Entry::of_master(id, master)
        });
        Self::of(entries.collect::<Result<_, _>>()?)
    }

    /// Reads the setting `POSTERN_MASTER_KEYS`: `id:base64`, newest first, separated by commas or
    /// white space. Refuses keys that are visibly not random.
    pub(crate) fn parse(ring: &SecretString) -> Result<Self, KeyRingError> {
        let words = ring
            .expose_secret()
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|word| !word.is_empty());
        let entries = words.enumerate().map(|(index, word)| {
            let (id, text) = word.split_once(':').ok_or(KeyRingError::Form(index + 1))?;
            check_id(id, index)?;
            let id = id.to_owned();
            if let Some(web) = text.strip_prefix(WEB) {
                let bytes = decoded(&id, web)?;
                return if bytes.len() == WEB_BYTES {
                    Entry::of_web(id, &bytes)
                } else {
                    Err(KeyRingError::Web(id))
                };
            }
            let bytes = decoded(&id, text)?;
            let Ok(master) = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) else {
                return Err(KeyRingError::Length {
                    id,
                    bytes: bytes.len(),
                });
            };
            let master = Zeroizing::new(master);
            match weakness(&master) {
                Some(why) => Err(KeyRingError::Weak(id, why)),
                None => Entry::of_master(id, master),
            }
        });
        Self::of(entries.collect::<Result<_, _>>()?)
    }

    fn of(entries: Vec<Entry>) -> Result<Self, KeyRingError> {
        let mut seen = HashSet::new();
        if let Some(twice) = entries.iter().find(|entry| !seen.insert(entry.id.as_str())) {
            return Err(KeyRingError::Twice(twice.id.clone()));
        }
        if entries.is_empty() {
            return Err(KeyRingError::Empty);
        }
        Ok(Self(Arc::new(entries)))
    }

    /// The same ring for a process that only serves pages, in the text form that [`Self::parse`]
    /// reads.
    pub(crate) fn for_web(&self) -> Result<SecretString, KeyRingError> {
        let mut words = Zeroizing::new(String::new());
        for entry in self.0.iter() {
            if entry.master.is_none() {
                return Err(KeyRingError::NoMaster);
            }
            let mut bytes = Zeroizing::new(Vec::with_capacity(WEB_BYTES));
            for key in [&entry.tokens, &entry.attempts, &entry.forms, &entry.history] {
                bytes.extend_from_slice(&**key);
            }
            bytes.extend_from_slice(&entry.sealing.to_bytes());
            if !words.is_empty() {
                words.push(',');
            }
            words.push_str(&entry.id);
            words.push(':');
            words.push_str(WEB);
            words.push_str(&Zeroizing::new(STANDARD.encode(&*bytes)));
        }
        Ok(SecretString::from(words.as_str()))
    }

    pub(crate) fn newest(&self) -> Option<&Entry> {
        self.0.first()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.id.as_str())
    }
}

fn check_id(id: &str, index: usize) -> Result<(), KeyRingError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(fits) {
        return Err(KeyRingError::Id(index + 1));
    }
    Ok(())
}

fn decoded(id: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyRingError> {
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .map(Zeroizing::new)
        .map_err(|_| KeyRingError::Base64(id.to_owned()))
}

/// Why a key is visibly not random. At most one in 2^50 random keys is rejected by mistake.
fn weakness(key: &[u8; KEY_BYTES]) -> Option<&'static str> {
    let different = key.iter().collect::<HashSet<_>>().len();
    let step = |pair: &[u8]| match pair {
        [a, b] => b.wrapping_sub(*a),
        _ => 0,
    };
    let steps = key.windows(2).map(step).collect::<HashSet<_>>().len();
    if different == 1 {
        Some("all its bytes are the same")
    } else if key.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        Some("it is readable text")
    } else if steps == 1 {
        Some("its bytes count up or down")
    } else if different <= KEY_BYTES / 4 {
        Some("it repeats a few bytes")
    } else {
        None
    }
}

#[cfg(test)]
#[path = "key_ring_tests.rs"]
mod tests;
