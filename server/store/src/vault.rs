//! Encryption of values that must not lie in the database in the clear, and the keyed hash of
//! history.
//!
//! Each value is sealed with a key for its use ([`KeyUse`]). The associated data names table,
//! column, partner and row, so that a sealed value that was copied to another place does not open
//! there.
//!
//! A sealed value is: version (1 byte), length of the key's id (1 byte), the key's id, and then
//!
//! - version 1, written by older versions: nonce (24 bytes), ciphertext with its tag; under the
//!   master key itself, with XChaCha20-Poly1305;
//! - version 2: the same under the key for the use;
//! - version 3, for client secrets: the encapsulated key (32 bytes), ciphertext with its tag; HPKE
//!   (RFC 9180) in base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305, so that sealing needs
//!   no key that opens.

use std::fmt;

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use domain::id::PartnerId;
use hmac::{Hmac, Mac as _};
use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    Error, KeyRingError, KeyUse, Result,
    key_ring::{Entry, KEY_BYTES, KeyRing, SecretKey},
};

const WITH_MASTER: u8 = 1;
const WITH_USE: u8 = 2;
const TO_PUBLIC: u8 = 3;
const NONCE_BYTES: usize = 24;
const ENCAPSULATED_BYTES: usize = 32;
const HPKE_INFO: &[u8] = b"postern.sealed.3";

type Encapsulated = <X25519HkdfSha256 as hpke::Kem>::EncappedKey;

/// The place of a sealed value (the associated data), and the use of its key.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub key_use: KeyUse,
    pub table: &'a str,
    pub column: &'a str,
    /// None: the row belongs to no partner yet.
    pub partner: Option<PartnerId>,
    /// The row's key.
    pub row: &'a [u8],
}

/// Encrypts and decrypts with the key ring. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    ring: KeyRing,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.ring.ids().collect();
        f.debug_struct("Vault").field("keys", &ids).finish()
    }
}

impl Vault {
    /// A ring of master keys with their ids, newest first.
    pub fn new(keys: Vec<(String, [u8; KEY_BYTES])>) -> Result<Self, KeyRingError> {
        KeyRing::new(keys).map(|ring| Self { ring })
    }

    /// Reads the setting `POSTERN_MASTER_KEYS`: `id:base64`, newest first, separated by commas or
    /// white space; or what [`Self::for_web`] printed.
    pub fn parse(ring: &SecretString) -> Result<Self, KeyRingError> {
        KeyRing::parse(ring).map(|ring| Self { ring })
    }

    /// The ring for a process that only serves pages. Client secrets can be sealed with it, but not
    /// opened.
    pub fn for_web(&self) -> Result<SecretString, KeyRingError> {
        self.ring.for_web()
    }

    /// Whether this ring opens every kind of value. A worker needs such a ring.
    pub fn is_whole(&self) -> bool {
        self.ring
            .newest()
            .is_some_and(|entry| entry.master.is_some())
    }

    /// The id of the key that seals.
    pub fn newest(&self) -> &str {
        self.ring.newest().map_or("", |entry| entry.id.as_str())
    }

    /// Whether the value is sealed as [`Self::seal`] does it today. Sealing it again would change
    /// nothing.
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        split(sealed).is_some_and(|(version, id, _)| version != WITH_MASTER && id == self.newest())
    }

    /// Encrypts under the newest key.
    pub fn seal(&self, place: Place<'_>, secret: &SecretString) -> Result<Vec<u8>> {
        let entry = self
            .ring
            .newest()
            .ok_or_else(|| Error::corrupt("the key ring is empty"))?;
        let plain = secret.expose_secret().as_bytes();
        let (version, body) = match entry.key(place.key_use) {
            Some(key) => (WITH_USE, seal_with(key, place, &entry.id, plain)),
            None => (TO_PUBLIC, seal_to_public(entry, place, plain)),
        };
        let body = body.ok_or_else(|| Error::corrupt("a secret is too long to be sealed"))?;
        let mut all = Vec::with_capacity(2 + entry.id.len() + body.len());
        all.push(version);
        // Ids have at most 32 characters.
        all.push(u8::try_from(entry.id.len()).unwrap_or(u8::MAX));
        all.extend_from_slice(entry.id.as_bytes());
        all.extend_from_slice(&body);
        Ok(all)
    }

    /// Decrypts with whichever key of the ring sealed it.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretString> {
        let what = || format!("{}.{}", place.table, place.column);
        let (version, id, body) = split(sealed)
            .ok_or_else(|| Error::corrupt(format!("{} is not a sealed value", what())))?;
        let entry = self.ring.find(id).ok_or_else(|| {
            Error::corrupt(format!(
                "{} is sealed with key {id:?}, which is not in POSTERN_MASTER_KEYS",
                what()
            ))
        })?;
        let cannot = || {
            Error::corrupt(format!(
                "{} can only be opened by a process with the master key {id:?}; this one has the web's ring",
                what()
            ))
        };
        let refused = || Error::corrupt(format!("{} does not open with key {id:?}", what()));
        let plain = match (version, entry.key(place.key_use)) {
            (WITH_MASTER, _) => {
                let master = entry.master.as_ref().ok_or_else(cannot)?;
                open_with(WITH_MASTER, master, place, id, body)
            }
            (WITH_USE, Some(key)) => open_with(WITH_USE, key, place, id, body),
            (TO_PUBLIC, None) if entry.opening.is_none() => return Err(cannot()),
            (TO_PUBLIC, None) => open_from_public(entry, place, body),
            _ => None,
        };
        let plain = plain.ok_or_else(refused)?;
        let text = std::str::from_utf8(&plain).map_err(|_| refused())?;
        Ok(SecretString::from(text))
    }

    /// A keyed hash (HMAC-SHA256) of `message` for the history, and the id of the key.
    pub fn history_mac(&self, message: &[u8]) -> Option<(&str, [u8; KEY_BYTES])> {
        let entry = self.ring.newest()?;
        Some((entry.id.as_str(), mac(entry, message)?))
    }

    /// The same hash with the key of id `id`. None when the ring does not have that key.
    pub fn history_mac_with(&self, id: &str, message: &[u8]) -> Option<[u8; KEY_BYTES]> {
        mac(self.ring.find(id)?, message)
    }
}

fn mac(entry: &Entry, message: &[u8]) -> Option<[u8; KEY_BYTES]> {
    let key = entry.key(KeyUse::History)?;
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&**key).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().into())
}

fn seal_with(key: &SecretKey, place: Place<'_>, id: &str, plain: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: &associated(WITH_USE, place, id),
            },
        )
        .ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

fn open_with(
    version: u8,
    key: &SecretKey,
    place: Place<'_>,
    id: &str,
    body: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = body.split_first_chunk::<NONCE_BYTES>()?;
    XChaCha20Poly1305::new((&**key).into())
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: ciphertext,
                aad: &associated(version, place, id),
            },
        )
        .map(Zeroizing::new)
        .ok()
}

fn seal_to_public(entry: &Entry, place: Place<'_>, plain: &[u8]) -> Option<Vec<u8>> {
    let (encapsulated, sealed) =
        hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &entry.sealing,
            HPKE_INFO,
            plain,
            &associated(TO_PUBLIC, place, &entry.id),
        )
        .ok()?;
    Some([encapsulated.to_bytes().as_slice(), &sealed].concat())
}

fn open_from_public(entry: &Entry, place: Place<'_>, body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (encapsulated, ciphertext) = body.split_at_checked(ENCAPSULATED_BYTES)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        entry.opening.as_ref()?,
        &Encapsulated::from_bytes(encapsulated).ok()?,
        HPKE_INFO,
        ciphertext,
        &associated(TO_PUBLIC, place, &entry.id),
    )
    .map(Zeroizing::new)
    .ok()
}

/// Splits a sealed value into version, key id, and the rest.
fn split(sealed: &[u8]) -> Option<(u8, &str, &[u8])> {
    let (version, rest) = sealed.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((*version, std::str::from_utf8(id).ok()?, rest))
}

/// The associated data: each part with its length before it, so that no two places give the same
/// bytes.
fn associated(version: u8, place: Place<'_>, key: &str) -> Vec<u8> {
    let partner = place.partner.map(|partner| *partner.0.as_bytes());
    let parts: [&[u8]; 6] = [
        &[version],
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
