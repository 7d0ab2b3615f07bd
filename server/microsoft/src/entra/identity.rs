//! Validates ID tokens, which tell who signed in (DESIGN §6, MICROSOFT.md §6.3).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    Timestamp,
    id::{AppId, ObjectId, TenantId},
};
use openidconnect::{JsonWebKey as _, core::CoreJwsSigningAlgorithm};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::{Uuid, uuid};

use super::keys::{Found, TEMPLATE};
use crate::{
    call::shorten_to,
    error::{Error, IdentityFault, Kind, Result, Service},
    microsoft::Microsoft,
};

/// A person, from a validated ID token. The key is (`tid`, `oid`), never a mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub tid: TenantId,
    pub oid: ObjectId,
    pub name: String,
    /// The user principal name. Show it, but never decide by it: it can change, and belong to
    /// another person tomorrow.
    pub upn: String,
    /// The account's home tenant is another one than `tid`.
    pub guest: bool,
}

/// The tenant of personal Microsoft accounts.
const CONSUMERS: Uuid = uuid!("9188040d-6c67-4c5b-b112-36a304b66dad");

/// The tolerated difference between Postern's clock and Entra's.
const LEEWAY_SECONDS: f64 = 300.0;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    aud: String,
    #[serde(default)]
    iss: String,
    #[serde(default)]
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    nonce: Option<String>,
    tid: Option<String>,
    oid: Option<String>,
    name: Option<String>,
    preferred_username: Option<String>,
    idp: Option<String>,
}

impl Microsoft {
    /// Validates an ID token and returns the person.
    ///
    /// `nonce`: the nonce of this browser's attempt. `meant`: the tenant that the person must come
    /// from, if one was required.
    ///
    /// # Errors
    /// [`Kind::Identity`] with one fault per rule, and the errors of fetching Entra's keys.
    pub async fn identity(
        &self,
        id_token: &str,
        nonce: &str,
        meant: Option<TenantId>,
    ) -> Result<Identity> {
        let wrong = |fault| Error::unsent(Service::Entra, Kind::Identity(fault), "");
        let token = Parts::of(id_token).map_err(wrong)?;
        let kid = token.header.kid.clone().unwrap_or_default();
        let found = self
            .0
            .keys
            .find(self, &kid)
            .await?
            .ok_or_else(|| wrong(IdentityFault::UnknownKey))?;
        let expected = Expected {
            client: self.client_id(),
            nonce,
            tenant: meant,
            now: self.clock().now(),
        };
        check(&token, &found, &expected).map_err(wrong)
    }
}

/// The values with which a token must agree.
struct Expected<'a> {
    client: AppId,
    nonce: &'a str,
    tenant: Option<TenantId>,
    now: Timestamp,
}

/// A parsed token that is not validated yet.
struct Parts<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> std::result::Result<Self, IdentityFault> {
        let no_token = IdentityFault::NotAToken;
        let (signed, signature) = token.rsplit_once('.').ok_or(no_token.clone())?;
        let (header, claims) = signed.split_once('.').ok_or(no_token.clone())?;
        let header: Header = decoded(header).ok_or(no_token.clone())?;
        // Checked before the key is looked up: for `none` or `HS256` there is no key.
        if header.alg != "RS256" {
            return Err(IdentityFault::Algorithm);
        }
        Ok(Self {
            header,
            claims: decoded(claims).ok_or(no_token.clone())?,
            signed,
            signature: BASE64_URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| no_token)?,
        })
    }
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Checks all rules, the signature first: without it nothing else in the token means anything.
fn check(
    token: &Parts<'_>,
    found: &Found,
    expected: &Expected<'_>,
) -> std::result::Result<Identity, IdentityFault> {
    found
        .key
        .key
        .verify_signature(
            &CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            token.signed.as_bytes(),
            &token.signature,
        )
        .map_err(|_| IdentityFault::Signature)?;
    let claims = &token.claims;
    if !claims
        .aud
        .eq_ignore_ascii_case(&expected.client.to_string())
    {
        return Err(IdentityFault::Audience);
    }
    let tid = guid(claims.tid.as_deref()).ok_or(IdentityFault::NoTenant)?;
    if tid == CONSUMERS {
        return Err(IdentityFault::Consumer);
    }
    let issuer = |template: &str| template.replace(TEMPLATE, &tid.to_string());
    let of_the_key = found
        .key
        .issuer
        .as_deref()
        .is_none_or(|template| issuer(template) == claims.iss);
    if claims.iss != issuer(&found.issuer) || !of_the_key {
        return Err(IdentityFault::Issuer);
    }
    let now = seconds(expected.now);
    if now >= claims.exp + LEEWAY_SECONDS {
        return Err(IdentityFault::Expired);
    }
    let in_future = |moment: Option<f64>| moment.is_some_and(|at| at > now + LEEWAY_SECONDS);
    if in_future(claims.nbf) || in_future(claims.iat) {
        return Err(IdentityFault::NotYetValid);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) || expected.nonce.is_empty() {
        return Err(IdentityFault::Nonce);
    }
    let tid = TenantId(tid);
    if let Some(meant) = expected.tenant
        && meant != tid
    {
        return Err(IdentityFault::WrongTenant { came: tid, meant });
    }
    let oid = guid(claims.oid.as_deref()).ok_or(IdentityFault::NoObject)?;
    let upn = shown(claims.preferred_username.as_deref());
    let name = shown(claims.name.as_deref());
    Ok(Identity {
        tid,
        oid: ObjectId(oid),
        name: if name.is_empty() { upn.clone() } else { name },
        upn,
        guest: claims.idp.as_deref().is_some_and(|idp| idp != claims.iss),
    })
}

/// Accepts a GUID in its usual form only, because `tid` goes into an address that is compared.
fn guid(text: Option<&str>) -> Option<Uuid> {
    let text = text?;
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text && !id.is_nil()).then_some(id)
}

fn shown(text: Option<&str>) -> String {
    shorten_to(&domain::name::clean(text.unwrap_or_default()), 256)
}

/// Converts to seconds as a double, because JSON's numbers are doubles and `exp` may have a
/// fraction.
#[allow(clippy::cast_precision_loss)]
fn seconds(moment: Timestamp) -> f64 {
    moment.millis() as f64 / 1000.0
}
