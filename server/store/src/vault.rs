//! Encryption of what must not lie in the database in the clear.
//!
//! XChaCha20-Poly1305 under a key ring. The associated data names table, column, partner and row,
//! so that a sealed value that was copied to another place does not open there.
//!
//! Sealed: version (1 byte, 1), length of the key's id (1 byte), the key's id, nonce (24 bytes),
//! ciphertext with its tag.

use std::{collections::HashSet, fmt, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::id::PartnerId;
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, Result};

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const LONGEST_ID: usize = 32;

/// Why a key ring cannot be used. Names keys by id only.
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
}

/// Where a sealed value belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    /// None: the row belongs to no partner yet.
    pub partner: Option<PartnerId>,
    /// The row's key.
    pub row: &'a [u8],
}

/// The key ring, newest first. Cheap to clone; wiped when the last clone goes.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<Vec<Entry>>,
}

struct Entry {
    id: String,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.ring.iter().map(|entry| entry.id.as_str()).collect();
        f.debug_struct("Vault").field("keys", &ids).finish()
    }
}

impl Vault {
    /// A ring of keys with their ids, newest first.
    pub fn new(keys: Vec<(String, [u8; KEY_BYTES])>) -> Result<Self, KeyRingError> {
        let mut ring = Vec::with_capacity(keys.len());
        let mut seen = HashSet::new();
        for (index, (id, mut key)) in keys.into_iter().enumerate() {
            let entry = Entry {
                key: Zeroizing::new(key),
                id,
            };
            key.zeroize();
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if entry.id.is_empty() || entry.id.len() > LONGEST_ID || !entry.id.chars().all(fits) {
                return Err(KeyRingError::Id(index + 1));
            }
            if !seen.insert(entry.id.clone()) {
                return Err(KeyRingError::Twice(entry.id.clone()));
            }
            ring.push(entry);
        }
        if ring.is_empty() {
            return Err(KeyRingError::Empty);
        }
        Ok(Self {
            ring: Arc::new(ring),
        })
    }

    /// Reads the setting `POSTERN_MASTER_KEYS`: `id:base64`, newest first, separated by commas or
    /// white space.
    pub fn parse(ring: &SecretString) -> Result<Self, KeyRingError> {
        let mut keys = Zeroizing::new(Vec::new());
        let words = ring
            .expose_secret()
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            let (id, text) = word.split_once(':').ok_or(KeyRingError::Form(index + 1))?;
            let text = text.trim_end_matches('=');
            let bytes = STANDARD_NO_PAD
                .decode(text)
                .or_else(|_| URL_SAFE_NO_PAD.decode(text))
                .map(Zeroizing::new)
                .map_err(|_| KeyRingError::Base64(id.to_owned()))?;
            let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| {
                KeyRingError::Length {
                    id: id.to_owned(),
                    bytes: bytes.len(),
                }
            })?;
            keys.push((id.to_owned(), key));
        }
        Self::new(std::mem::take(&mut *keys))
    }

    /// The id of the key that seals.
    pub fn newest(&self) -> &str {
        self.ring.first().map_or("", |entry| entry.id.as_str())
    }

    /// Encrypts under the newest key.
    pub fn seal(&self, place: Place<'_>, secret: &SecretString) -> Result<Vec<u8>> {
        let entry = self
            .ring
            .first()
            .ok_or_else(|| Error::corrupt("the key ring is empty"))?;
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = cipher(entry)
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: secret.expose_secret().as_bytes(),
                    aad: &associated(place, &entry.id),
                },
            )
            .map_err(|_| Error::corrupt("a secret is too long to be sealed"))?;
        let mut all = Vec::with_capacity(2 + entry.id.len() + NONCE_BYTES + sealed.len());
        all.push(VERSION);
        // Ids have at most 32 characters.
        all.push(u8::try_from(entry.id.len()).unwrap_or(u8::MAX));
        all.extend_from_slice(entry.id.as_bytes());
        all.extend_from_slice(&nonce);
        all.extend_from_slice(&sealed);
        Ok(all)
    }

    /// Decrypts with whichever key of the ring sealed it.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretString> {
        let what = || format!("{}.{}", place.table, place.column);
        let (id, rest) = split(sealed)
            .ok_or_else(|| Error::corrupt(format!("{} is not a sealed value", what())))?;
        let entry = self
            .ring
            .iter()
            .find(|entry| entry.id == id)
            .ok_or_else(|| {
                Error::corrupt(format!(
                    "{} is sealed with key {id:?}, which is not in POSTERN_MASTER_KEYS",
                    what()
                ))
            })?;
        let refused = || Error::corrupt(format!("{} does not open with key {id:?}", what()));
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(refused)?;
        let plain = cipher(entry)
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &associated(place, &entry.id),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| refused())?;
        let text = std::str::from_utf8(&plain).map_err(|_| refused())?;
        Ok(SecretString::from(text))
    }

    /// Whether it was sealed with an older key than the newest.
    pub fn needs_reseal(&self, sealed: &[u8]) -> bool {
        split(sealed).is_none_or(|(id, _)| id != self.newest())
    }
}

fn cipher(entry: &Entry) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*entry.key).into())
}

/// The key's id, and nonce with ciphertext.
fn split(sealed: &[u8]) -> Option<(&str, &[u8])> {
    let (version, rest) = sealed.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *version != VERSION {
        return None;
    }
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(id).ok()?, rest))
}

/// Each part with its length before it, so that no two places give the same bytes.
fn associated(place: Place<'_>, key: &str) -> Vec<u8> {
    let partner = place.partner.map(|partner| *partner.0.as_bytes());
    let parts: [&[u8]; 6] = [
        &[VERSION],
        key.as_bytes(),
        place.table.as_bytes(),
        place.column.as_bytes(),
        partner.as_ref().map_or(&[], |bytes| bytes.as_slice()),
        place.row,
    ];
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
