//! Assertions: what a client signs in place of a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use rsa::RsaPrivateKey;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use serde_json::{Value, json};

use super::{PARTNER, Refused, World};

pub const SCOPE: &str = "https://graph.microsoft.com/.default";

/// Randomness that is the same every time.
struct Counter(u64);

impl rsa::rand_core::RngCore for Counter {
    fn next_u32(&mut self) -> u32 {
        u32::try_from(self.next_u64() >> 32).unwrap()
    }
    fn next_u64(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for byte in dest {
            *byte = u8::try_from(self.next_u64() >> 56).unwrap();
        }
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Counter {}

/// A small key: what is tested is the check, not the strength.
pub fn key(seed: u64) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut Counter(seed), 1024).unwrap()
}

pub fn pem(certificate: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(certificate)
    )
}

/// How an assertion is signed, whatever its header says.
#[derive(Clone, Copy)]
pub enum Signed {
    Rs256,
    Ps256,
}

/// What a client says of itself to the partner's tenant.
pub fn claims_of(world: &World, id: &str) -> Value {
    json!({
        "iss": id, "sub": id, "exp": 4_000_000_000_u64,
        "aud": format!("{}/{PARTNER}/oauth2/v2.0/token", world.cloud.url()),
    })
}

pub fn assertion(key: &RsaPrivateKey, signed: Signed, header: &Value, claims: &Value) -> String {
    let text = format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    );
    let signature = match signed {
        Signed::Rs256 => rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key.clone())
            .sign(text.as_bytes())
            .to_bytes(),
        Signed::Ps256 => rsa::pss::BlindedSigningKey::<rsa::sha2::Sha256>::new(key.clone())
            .sign_with_rng(&mut Counter(3), text.as_bytes())
            .to_bytes(),
    };
    format!("{text}.{}", BASE64.encode(signature))
}

/// Asks for a token for Graph with an assertion.
pub async fn redeem_assertion(
    world: &World,
    authority: &str,
    id: &str,
    assertion: &str,
) -> Result<Value, Refused> {
    let form = [
        ("client_id", id),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
    ];
    world.raw_token(authority, &form).await
}
