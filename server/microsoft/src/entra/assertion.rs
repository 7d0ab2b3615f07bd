//! Authentication with a certificate instead of a client secret: assertions signed with PS256.

use std::{fmt, sync::Arc};

use aws_lc_rs::{digest, rand::SystemRandom, rsa::KeyPair, signature};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Timestamp, id::AppId};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use uuid::Uuid;

/// A private key, and the thumbprint of its certificate in Entra.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<KeyPair>,
    thumbprint: String,
}

/// The certificate or its key cannot be used. The text never holds the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACertificate {
    #[error("the text has no “BEGIN CERTIFICATE” block")]
    NoCertificate,
    #[error("the text has no “BEGIN PRIVATE KEY” block (PKCS#8, not encrypted)")]
    NoKey,
    #[error("the private key is no RSA key of at least 2048 bits")]
    NotRsa,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.thumbprint)
    }
}

/// The lifetime of an assertion. Entra wants minutes, not hours.
const LASTS_SECONDS: i64 = 300;

impl Certificate {
    /// Reads PEM text with the certificate and its private key, in any order.
    ///
    /// # Errors
    /// When one of the two is missing or the key is not RSA.
    pub fn from_pem(pem: &str) -> Result<Self, NotACertificate> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| NotACertificate::NoCertificate)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| NotACertificate::NoKey)?;
        let key =
            KeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| NotACertificate::NotRsa)?;
        Ok(Self {
            key: Arc::new(key),
            thumbprint: BASE64_URL_SAFE_NO_PAD
                .encode(digest::digest(&digest::SHA256, certificate.as_ref())),
        })
    }

    /// A client assertion for one token request to `audience`, the token endpoint. None when the
    /// key cannot sign.
    pub(crate) fn assertion(
        &self,
        client: AppId,
        audience: &str,
        now: Timestamp,
    ) -> Option<String> {
        let seconds = now.millis().div_euclid(1000);
        let header = serde_json::json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t#S256": self.thumbprint,
        });
        let claims = serde_json::json!({
            "aud": audience,
            "iss": client.to_string(),
            "sub": client.to_string(),
            "jti": Uuid::new_v4().to_string(),
            "nbf": seconds,
            "iat": seconds,
            "exp": seconds.saturating_add(LASTS_SECONDS),
        });
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut bytes = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &signature::RSA_PSS_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut bytes,
            )
            .ok()?;
        Some(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }
}
