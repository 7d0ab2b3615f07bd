//! Problems of forms that were sent without JavaScript. The redirect back to the page carries the
//! problem in its address. It is sealed, because a page must show only text that Postern wrote.

use domain::{Timestamp, id::SessionRef};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::Engine;

/// How long a browser may take to follow the redirect. Milliseconds.
const LIVES: i64 = 10 * 60_000;

/// The browser in which the form failed. In any other browser the sealed text cannot be opened.
#[derive(Clone, Debug)]
pub enum FormHolder {
    Session(SessionRef),
    /// The secret cookie of a browser in which nobody is signed in.
    Browser(String),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The path of the form's server function.
    form: String,
    /// The problem, as the form's server function wrote it.
    error: String,
    at: Timestamp,
}

impl Engine {
    /// Seals the problem of a form on the page `page`. None: it cannot be sealed, and then the page
    /// shows nothing.
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

    /// Opens a sealed text: the form and its problem. None: this Postern did not seal the text for
    /// this browser and this page, or too long ago.
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

/// Holder and page as one text. Different pairs give different texts.
fn place(holder: &FormHolder, page: &str) -> String {
    match holder {
        FormHolder::Session(session) => format!("session {session} {page}"),
        FormHolder::Browser(secret) => format!("browser {secret} {page}"),
    }
}
