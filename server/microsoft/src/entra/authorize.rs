//! The address at which a browser signs in and consents.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::id::TenantId;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use rand::{CryptoRng, Rng};
use secrecy::SecretString;

use crate::{
    error::{Error, Kind, Result, Service},
    microsoft::Microsoft,
};

/// The secrets that one sign-in is bound to. State, nonce and verifier belong into the browser's
/// session, to be used once. Only state, nonce and challenge travel.
#[derive(Clone)]
pub struct Attempt {
    pub state: String,
    pub nonce: String,
    pub verifier: SecretString,
    pub challenge: String,
}

/// Hides the secrets: a reader of a log must not be able to finish somebody's attempt.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt(…)")
    }
}

/// A fresh attempt, with 256 random bits in each part.
pub fn new_attempt(rng: &mut (impl Rng + CryptoRng)) -> Attempt {
    let mut word = || {
        let mut bytes = [0_u8; 32];
        rng.fill_bytes(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    };
    let (state, nonce, verifier) = (word(), word(), word());
    let challenge =
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
    Attempt {
        state,
        nonce,
        challenge: challenge.as_str().to_owned(),
        verifier: verifier.into(),
    }
}

/// Makes Entra ask although it might know the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    SelectAccount,
    Login,
    Consent,
}

impl Prompt {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SelectAccount => "select_account",
            Self::Login => "login",
            Self::Consent => "consent",
        }
    }
}

/// A request to sign in (MICROSOFT.md §6.1).
#[derive(Clone)]
pub struct Authorize<'a> {
    /// None allows any work account (`organizations`).
    pub tenant: Option<TenantId>,
    pub redirect_uri: &'a str,
    /// The scopes may belong to several resources.
    pub scopes: &'a [String],
    pub state: &'a str,
    pub nonce: &'a str,
    /// The S256 challenge of the PKCE verifier.
    pub challenge: &'a str,
    pub prompt: Option<Prompt>,
    /// The user principal name that Entra fills in.
    pub login_hint: Option<&'a str>,
    /// A domain, with which Entra skips the choice between kinds of accounts.
    pub domain_hint: Option<&'a str>,
}

/// Leaves out state, nonce and challenge.
impl fmt::Debug for Authorize<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize")
            .field("tenant", &self.tenant)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}

impl Microsoft {
    /// The URL of Entra's sign-in page for this request.
    ///
    /// # Errors
    /// [`Kind::NotSent`] when the redirect address is not a URL.
    pub fn authorize_url(&self, request: &Authorize<'_>) -> Result<String> {
        let unusable = |what: &str| Error::unsent(Service::Entra, Kind::NotSent, what);
        let redirect = RedirectUrl::new(request.redirect_uri.to_owned())
            .map_err(|_| unusable("the redirect address is no URL"))?;
        let page = AuthUrl::from_url(self.entra_url(request.tenant, "oauth2/v2.0/authorize"));
        let client = oauth2::basic::BasicClient::new(ClientId::new(self.client_id().to_string()))
            .set_auth_uri(page);
        let state = request.state.to_owned();
        let mut authorization = client
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(request.scopes.iter().cloned().map(Scope::new))
            .set_redirect_uri(Cow::Owned(redirect))
            // With the answer in the query the callback is a GET, which brings the Lax session
            // cookie along.
            .add_extra_param("response_mode", "query")
            .add_extra_param("nonce", request.nonce)
            .add_extra_param("code_challenge", request.challenge)
            .add_extra_param("code_challenge_method", "S256");
        if let Some(prompt) = request.prompt {
            authorization = authorization.add_extra_param("prompt", prompt.as_str());
        }
        if let Some(hint) = request.login_hint {
            authorization = authorization.add_extra_param("login_hint", hint);
        }
        if let Some(hint) = request.domain_hint {
            authorization = authorization.add_extra_param("domain_hint", hint);
        }
        Ok(authorization.url().0.into())
    }

    /// An address at Entra below a tenant, or below `organizations`.
    pub(crate) fn entra_url(&self, tenant: Option<TenantId>, path: &str) -> reqwest::Url {
        let tenant = tenant.map_or_else(|| "organizations".to_owned(), |id| id.to_string());
        let mut url = self.0.endpoints.authority().clone();
        url.set_path(&format!("{tenant}/{path}"));
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_f20_an_attempt_does_not_show_itself() {
        let attempt = new_attempt(&mut rand::rng());
        let scopes = ["openid".to_owned()];
        let authorize = Authorize {
            tenant: None,
            redirect_uri: "https://portal.example/auth/callback",
            scopes: &scopes,
            state: &attempt.state,
            nonce: &attempt.nonce,
            challenge: &attempt.challenge,
            prompt: Some(Prompt::SelectAccount),
            login_hint: None,
            domain_hint: None,
        };
        let shown = format!("{attempt:?} {authorize:?}");
        for secret in [&attempt.state, &attempt.nonce, &attempt.challenge] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("SelectAccount"), "{shown}");
    }
}
