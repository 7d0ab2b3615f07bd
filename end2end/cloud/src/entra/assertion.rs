//! Client assertions: RS256 and PS256, by a public key or by a certificate that is named with its
//! thumbprint (MICROSOFT.md §6.1).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::{Digest, Sha256};
use serde_json::Value;
use sha1::Sha1;

use super::errors::EntraError;
use super::jwt;
use crate::clock::wall_now;
use crate::world::Tenants;
use crate::world::tenant::Application;

/// What a registration holds to check assertions with.
#[derive(Debug)]
struct Registered {
    key: RsaPublicKey,
    /// Of the certificate; a bare public key has none.
    thumbprints: Option<Thumbprints>,
}

/// Base64url of a certificate's hashes, without padding.
#[derive(Debug)]
struct Thumbprints {
    sha256: String,
    sha1: String,
}

impl Registered {
    /// Whether an assertion's header means this certificate: by SHA-256, else by SHA-1. Padding is
    /// no part of a thumbprint: MSAL Python sends it.
    fn is_meant_by(&self, header: &Value) -> bool {
        let named = |name: &str| {
            let text = header.get(name).and_then(Value::as_str)?;
            Some(text.trim_end_matches('='))
        };
        let Some(own) = &self.thumbprints else {
            return true;
        };
        match (named("x5t#S256"), named("x5t")) {
            (Some(sha256), _) => own.sha256 == sha256,
            (None, Some(sha1)) => own.sha1 == sha1,
            (None, None) => false,
        }
    }
}

/// Reads `CERTIFICATE` or `PUBLIC KEY` in PEM.
fn read(pem: &str) -> Option<Registered> {
    if !pem.contains("BEGIN CERTIFICATE") {
        return Some(Registered {
            key: RsaPublicKey::from_public_key_pem(pem).ok()?,
            thumbprints: None,
        });
    }
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(text).ok()?;
    Some(Registered {
        key: RsaPublicKey::from_public_key_der(public_key_of(&der)?).ok()?,
        thumbprints: Some(Thumbprints {
            sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            sha1: URL_SAFE_NO_PAD.encode(Sha1::digest(&der)),
        }),
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

/// Where an assertion is presented.
#[derive(Debug)]
pub struct Endpoint<'a> {
    /// The cloud's own address.
    pub base: &'a str,
    /// The first path segment of the request.
    pub authority: &'a str,
    pub tenants: &'a Tenants,
}

impl Endpoint<'_> {
    /// Whether an audience names this authority: its token endpoint or its issuer, by the tenant's
    /// id or by one of its domains.
    fn is_named_by(&self, audience: &str) -> bool {
        let named = audience
            .strip_prefix(self.base)
            .and_then(|rest| rest.trim_matches('/').split_once('/'));
        let Some((authority, path)) = named else {
            return false;
        };
        let tenant = self.tenants.resolve(authority);
        let same = authority.eq_ignore_ascii_case(self.authority)
            || (tenant.is_some() && tenant == self.tenants.resolve(self.authority));
        same && ["oauth2/v2.0/token", "oauth2/token", "v2.0"].contains(&path)
    }
}

/// A moment of a claim, in seconds. A number with a fraction is one too (RFC 7519, §2): MSAL
/// Python sends such.
fn moment(claims: &Value, name: &str) -> Option<i64> {
    claims
        .get(name)
        .and_then(Value::as_f64)
        .map(|seconds| seconds.floor() as i64)
}

/// Checks a client assertion; 700023, 700024 and 700027 say why not.
pub fn check(
    endpoint: &Endpoint<'_>,
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
    let claims = application
        .certificates
        .iter()
        .filter_map(|pem| read(pem))
        // The key is looked up by what the header names, not by what fits the signature.
        .filter(|known| known.is_meant_by(&header))
        .find_map(|known| jwt::verify_with(&known.key, assertion))
        .ok_or_else(|| refuse("The key was not found."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("");
    let id = application.app_id.to_string();
    if text("iss") != id || text("sub") != id {
        return Err(refuse("iss and sub must be the client id"));
    }
    if !endpoint.is_named_by(text("aud")) {
        return Err(EntraError::new(
            700_023,
            "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        ));
    }
    let now = wall_now().timestamp();
    let (from, until) = (moment(&claims, "nbf"), moment(&claims, "exp"));
    if until.is_none_or(|until| until <= now) || from.is_some_and(|from| from > now + 300) {
        return Err(EntraError::new(
            700_024,
            format!(
                "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {}, expiry time of assertion {}.",
                from.unwrap_or(0),
                until.unwrap_or(0)
            ),
        ));
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
