//! Signing keys and tokens: RS256, with roll-over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pss;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha1::Sha1;

use super::x509;

/// A key pair and its name.
#[derive(Debug, Clone)]
struct Key {
    /// The certificate's SHA-1 thumbprint.
    kid: String,
    private: Arc<RsaPrivateKey>,
    /// DER.
    certificate: Vec<u8>,
}

/// The keys that verify; the newest signs.
#[derive(Debug)]
pub struct KeyRing {
    seed: u64,
    made: u32,
    keys: Vec<Key>,
}

/// rsa speaks an older language of randomness than rand does.
struct OldTongue(StdRng);

impl rsa::rand_core::RngCore for OldTongue {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for OldTongue {}

/// Keys come from the seed, so that a cloud that is started again signs with the same ones and
/// whoever cached them is not confused. They protect nothing real.
fn make_key(seed: u64, number: u32) -> Option<Key> {
    static MADE: OnceLock<Mutex<HashMap<(u64, u32), Key>>> = OnceLock::new();
    let made = MADE.get_or_init(Mutex::default);
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = made.get(&(seed, number)) {
        return Some(key.clone());
    }
    let mut rng = OldTongue(StdRng::seed_from_u64(
        seed.wrapping_mul(1000).wrapping_add(u64::from(number)),
    ));
    let private = RsaPrivateKey::new(&mut rng, 2048).ok()?;
    let certificate = x509::self_signed(&private)?;
    let key = Key {
        kid: BASE64.encode(Sha1::digest(&certificate)),
        private: Arc::new(private),
        certificate,
    };
    made.insert((seed, number), key.clone());
    Some(key)
}

impl KeyRing {
    /// A ring with one key.
    pub fn new(seed: u64) -> Self {
        let mut ring = Self {
            seed,
            made: 0,
            keys: Vec::new(),
        };
        ring.roll(false);
        ring
    }

    /// Makes a new signing key. Old ones verify on, unless they are to be forgotten.
    pub fn roll(&mut self, forget: bool) {
        if let Some(key) = make_key(self.seed, self.made) {
            if forget {
                self.keys.clear();
            }
            self.keys.push(key);
            self.made += 1;
        }
    }

    /// The JWK set; `issuer` goes with every key (MICROSOFT.md §6.3).
    pub fn jwks(&self, issuer: &str) -> Value {
        let keys: Vec<Value> = self
            .keys
            .iter()
            .map(|key| {
                json!({
                    "kty": "RSA",
                    "use": "sig",
                    "kid": key.kid,
                    "x5t": key.kid,
                    "n": BASE64.encode(key.private.n().to_bytes_be()),
                    "e": BASE64.encode(key.private.e().to_bytes_be()),
                    "x5c": [STANDARD.encode(&key.certificate)],
                    "issuer": issuer,
                })
            })
            .collect();
        json!({ "keys": keys })
    }

    /// Signs the claims of an ID token with the newest key.
    pub fn sign(&self, claims: &Value) -> String {
        let header = |key: &Key| json!({"typ": "JWT", "alg": "RS256", "kid": key.kid});
        self.sign_as(header, claims, None)
    }

    /// Signs the claims of an access token. With a nonce the signature is over a header that has
    /// the nonce's hash: it fits the token only for who knows that.
    pub fn sign_access(&self, claims: &Value, nonce: Option<&str>) -> String {
        let header =
            |key: &Key| json!({"typ": "JWT", "alg": "RS256", "x5t": key.kid, "kid": key.kid});
        self.sign_as(header, claims, nonce)
    }

    fn sign_as(
        &self,
        header: impl Fn(&Key) -> Value,
        claims: &Value,
        nonce: Option<&str>,
    ) -> String {
        let Some(key) = self.keys.last() else {
            return String::new();
        };
        let mut header = header(key);
        if let (Some(nonce), Some(map)) = (nonce, header.as_object_mut()) {
            map.insert("nonce".to_owned(), nonce.into());
        }
        let claims = BASE64.encode(claims.to_string());
        let text = format!("{}.{claims}", BASE64.encode(hashed(&header).to_string()));
        let signer = SigningKey::<Sha256>::new((*key.private).clone());
        let signature = signer.sign(text.as_bytes());
        format!(
            "{}.{claims}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(signature.to_bytes())
        )
    }

    /// The claims of a token that one of the ring's keys signed.
    pub fn verify(&self, token: &str) -> Option<Value> {
        let (_, header, _) = split(token)?;
        let kid = header.get("kid")?.as_str()?;
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        let (_, rest) = token.split_once('.')?;
        let token = format!("{}.{rest}", BASE64.encode(hashed(&header).to_string()));
        verify_with(&key.private.to_public_key(), &token)
    }
}

/// A header with the hash of its nonce in place of the nonce.
fn hashed(header: &Value) -> Value {
    let mut header = header.clone();
    if let Some(nonce) = header
        .get("nonce")
        .and_then(Value::as_str)
        .map(sha256_base64)
        && let Some(map) = header.as_object_mut()
    {
        map.insert("nonce".to_owned(), nonce.into());
    }
    header
}

/// Signed part, header and claims, nothing verified.
fn split(token: &str) -> Option<(&str, Value, Value)> {
    let (signed, _) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| {
        let bytes = BASE64.decode(part).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    Some((signed, read(header)?, read(claims)?))
}

/// The header of a token, nothing verified.
pub fn header(token: &str) -> Option<Value> {
    split(token).map(|(_, header, _)| header)
}

/// The claims of a token if that public key signed it with RS256 or PS256.
pub fn verify_with(key: &RsaPublicKey, token: &str) -> Option<Value> {
    let (signed, header, claims) = split(token)?;
    let (_, signature) = token.rsplit_once('.')?;
    let signature = BASE64.decode(signature).ok()?;
    let signature = signature.as_slice();
    match header.get("alg")?.as_str()? {
        "RS256" => VerifyingKey::<Sha256>::new(key.clone())
            .verify(signed.as_bytes(), &Signature::try_from(signature).ok()?)
            .ok()?,
        "PS256" => pss::VerifyingKey::<Sha256>::new(key.clone())
            .verify(
                signed.as_bytes(),
                &pss::Signature::try_from(signature).ok()?,
            )
            .ok()?,
        _ => return None,
    }
    Some(claims)
}

/// Base64url of a SHA-256: PKCE's S256, and shapes of secrets.
pub fn sha256_base64(text: &str) -> String {
    BASE64.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn client_l9_only_the_ring_can_check_a_token_with_a_nonce() {
        let ring = KeyRing::new(3);
        let public = ring.keys[0].private.to_public_key();
        let open = ring.sign_access(&json!({"a": 1}), None);
        let closed = ring.sign_access(&json!({"a": 1}), Some("a nonce"));
        assert!(verify_with(&public, &open).is_some());
        assert!(verify_with(&public, &closed).is_none());
        for token in [&open, &closed] {
            assert_eq!(ring.verify(token).unwrap()["a"], 1);
            assert_eq!(header(token).unwrap()["x5t"], ring.keys[0].kid);
        }
    }

    #[test]
    fn signs_verifies_and_rolls() {
        let mut ring = KeyRing::new(3);
        let token = ring.sign(&json!({"a": 1}));
        assert_eq!(ring.verify(&token).unwrap()["a"], 1);
        let mut forged = token.clone();
        forged.replace_range(token.len() - 4.., "AAAA");
        assert!(ring.verify(&forged).is_none());
        ring.roll(false);
        assert!(ring.verify(&token).is_some());
        assert_eq!(ring.jwks("x")["keys"].as_array().unwrap().len(), 2);
        ring.roll(true);
        assert!(ring.verify(&token).is_none());
    }
}
