//! Problems of forms that were sent without JavaScript. They travel in the address to which the
//! browser is sent back, sealed: what a page of ours says must come from us.

use domain::{Timestamp, id::SessionRef};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::Engine;

/// How long a browser may take to come back to its page. Milliseconds.
const LIVES: i64 = 10 * 60_000;

/// In whose browser a form failed. In any other the sealed text opens nothing.
#[derive(Clone, Debug)]
pub enum FormHolder {
    Session(SessionRef),
    /// The secret cookie of somebody who is not signed in.
    Browser(String),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The form's own path.
    form: String,
    /// The problem, as the form's server function told it.
    error: String,
    at: Timestamp,
}

impl Engine {
    /// Seals what a form that stands on the page `page` was told. None: it cannot be sealed, and then
    /// nothing is shown.
    pub fn seal_form_error(
        &self,
        holder: &FormHolder,
        page: &str,
        form: &str,
        error: &str,
    ) -> Option<Vec<u8>> {
        let kept = Kept {
            form: form.to_owned(),
            error: error.to_owned(),
            at: self.now(),
        };
        let text = serde_json::to_string(&kept).ok()?;
        let sealed = self
            .store()
            .seal_for_address(&place(holder, page), &SecretString::from(text));
        sealed
            .inspect_err(|error| tracing::error!(%error, "a problem could not be sealed"))
            .ok()
    }

    /// Form and problem, if this Postern sealed them for this browser and this page a while ago.
    pub fn open_form_error(
        &self,
        holder: &FormHolder,
        page: &str,
        sealed: &[u8],
    ) -> Option<(String, String)> {
        let opened = self.store().open_from_address(&place(holder, page), sealed);
        let kept: Kept = serde_json::from_str(opened.ok()?.expose_secret()).ok()?;
        let age = self.now().millis_since(kept.at);
        (age <= LIVES).then_some((kept.form, kept.error))
    }
}

/// Holder and page as one text that no other two give.
fn place(holder: &FormHolder, page: &str) -> String {
    match holder {
        FormHolder::Session(session) => format!("session {session} {page}"),
        FormHolder::Browser(secret) => format!("browser {secret} {page}"),
    }
}
