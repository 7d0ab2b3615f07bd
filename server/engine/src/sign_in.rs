//! Begins a sign-in.

use domain::{Problem, Timestamp, id::TenantId};
use microsoft::entra::{Attempt, Authorize, Prompt, new_attempt, scopes};
use store::{Purpose, SignIn};

use crate::{Answer, Engine, Failure};

/// How long a person may take on Microsoft's pages. Milliseconds.
pub(crate) const ATTEMPT_LIVES: i64 = 10 * 60_000;

impl Engine {
    /// Stores an attempt to sign in, and gives the address at Entra to which the browser is sent.
    ///
    /// `browser`: a secret that only this browser has. The callback must bring it. `return_to`: a
    /// local path; any other text is dropped.
    pub async fn begin_sign_in(&self, browser: &str, return_to: Option<&str>) -> Answer<String> {
        let attempt = fresh_attempt();
        let return_to = return_to
            .filter(|path| is_local(path))
            .unwrap_or("/customers");
        let now = self.now();
        self.store()
            .put_sign_in(
                &SignIn {
                    purpose: Purpose::SignIn,
                    nonce: attempt.nonce.clone(),
                    verifier: attempt.verifier.clone(),
                    return_to: return_to.to_owned(),
                    created_at: now,
                    expires_at: now.plus_millis(ATTEMPT_LIVES),
                },
                &attempt.state,
                browser,
            )
            .await
            .map_err(Failure::from)?;
        let scopes = scopes::SIGN_IN.map(str::to_owned);
        let url = self.authorize_url(None, &scopes, &attempt, Prompt::SelectAccount)?;
        Ok(url)
    }

    /// The address at Entra where an attempt continues.
    pub(crate) fn authorize_url(
        &self,
        tenant: Option<TenantId>,
        scopes: &[String],
        attempt: &Attempt,
        prompt: Prompt,
    ) -> Result<String, Failure> {
        Ok(self.microsoft().authorize_url(&Authorize {
            tenant,
            redirect_uri: &self.redirect_uri(),
            scopes,
            state: &attempt.state,
            nonce: &attempt.nonce,
            challenge: &attempt.challenge,
            prompt: Some(prompt),
            login_hint: None,
            domain_hint: None,
        })?)
    }
}

/// A new attempt: random state, nonce and verifier.
pub(crate) fn fresh_attempt() -> Attempt {
    new_attempt(&mut rand::rng())
}

/// Whether the text is a path of this portal, short enough for an address.
pub(crate) fn is_local(path: &str) -> bool {
    domain::path::is_local(path) && path.len() <= 2000
}

/// The problem of an attempt that has expired.
pub(crate) fn expired(since: Timestamp, now: Timestamp) -> Problem {
    Problem::new(
        "sign_in.expired",
        domain::problem::Remedy::Act,
        format!(
            "The sign-in took {}.",
            domain::time::span(now.millis_since(since))
        ),
        "An attempt is good for ten minutes, so that nobody finishes it later in your place.",
        "Start again.",
    )
}
