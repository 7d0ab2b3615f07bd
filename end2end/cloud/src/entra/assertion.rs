//! Client assertions: RS256 and PS256, by a public key or by a certificate that is named with its
//! thumbprint (MICROSOFT.md §6.1).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::{Digest, Sha256};
use serde_json::Value;

use super::errors::EntraError;
use super::jwt;
use crate::clock::wall_now;
use crate::world::tenant::Application;

/// What a registration holds to check assertions with.
#[derive(Debug)]
struct Registered {
    key: RsaPublicKey,
    /// Base64url of the certificate's SHA-256; a bare public key has none.
    thumbprint: Option<String>,
}

/// Reads `CERTIFICATE` or `PUBLIC KEY` in PEM.
fn read(pem: &str) -> Option<Registered> {
    if !pem.contains("BEGIN CERTIFICATE") {
        return Some(Registered {
            key: RsaPublicKey::from_public_key_pem(pem).ok()?,
            thumbprint: None,
        });
    }
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(text).ok()?;
    Some(Registered {
        key: RsaPublicKey::from_public_key_der(public_key_of(&der)?).ok()?,
        thumbprint: Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&der))),
    })
}

/// Whether a text can be registered.
pub fn is_key(pem: &str) -> bool {
    read(pem).is_some()
}

/// One element of DER: its tag, its content, itself in full, and what follows.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
    rest: &'a [u8],
}

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let tag = *bytes.first()?;
    let short = usize::from(*bytes.get(1)?);
    let (head, length) = if short < 0x80 {
        (2, short)
    } else {
        let digits = bytes.get(2..2 + (short & 0x7F).min(8))?;
        let length = digits.iter().try_fold(0_usize, |sum, byte| {
            sum.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        (2 + digits.len(), length)
    };
    let end = head.checked_add(length)?;
    Some(Element {
        tag,
        content: bytes.get(head..end)?,
        whole: bytes.get(..end)?,
        rest: bytes.get(end..)?,
    })
}

/// The public key inside a certificate: the seventh field of what is signed, or the sixth where
/// the version is left out.
fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    let signed = element(element(certificate)?.content)?;
    let mut field = element(signed.content)?;
    if field.tag == 0xA0 {
        field = element(field.rest)?;
    }
    // Serial number, algorithm, issuer, validity, subject.
    for _ in 0..5 {
        field = element(field.rest)?;
    }
    Some(field.whole)
}

/// Checks a client assertion; 700027 says why not.
pub fn check(
    base: &str,
    application: &Application,
    kind: &str,
    assertion: &str,
) -> Result<(), EntraError> {
    let refuse = |why: &str| {
        EntraError::new(
            700_027,
            format!(
                "The certificate used to sign the client assertion is not registered on the application, or the assertion failed signature validation. [Reason - {why}]"
            ),
        )
    };
    if kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
        return Err(refuse("client_assertion_type is not supported"));
    }
    let header = jwt::header(assertion).ok_or_else(|| refuse("the assertion is no JWT"))?;
    let named = header.get("x5t#S256").and_then(Value::as_str);
    let claims = application
        .certificates
        .iter()
        .filter_map(|pem| read(pem))
        // Who names a certificate must mean this one; the older SHA-1 thumbprint is not compared.
        .filter(|known| match (&known.thumbprint, named) {
            (Some(known), Some(named)) => known == named,
            (Some(_), None) => header.get("x5t").is_some(),
            (None, _) => true,
        })
        .find_map(|known| jwt::verify_with(&known.key, assertion))
        .ok_or_else(|| refuse("The key was not found."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("");
    let id = application.app_id.to_string();
    if text("iss") != id || text("sub") != id {
        return Err(refuse("iss and sub must be the client id"));
    }
    if !text("aud").starts_with(base) {
        return Err(refuse("aud is not the token endpoint"));
    }
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or(0);
    let now = wall_now().timestamp();
    if number("exp") <= now {
        return Err(refuse("the assertion is expired"));
    }
    if number("nbf") > now + 300 {
        return Err(refuse("the assertion is not valid yet"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_certificates_are_none() {
        for text in [
            "",
            "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        ] {
            assert!(!is_key(text), "{text}");
        }
        assert!(element(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).is_none());
        assert!(element(&[0x30, 0xFF]).is_none());
    }
}
