//! Seals text that travels in a URL and must come back unchanged.

use secrecy::SecretString;

use crate::{KeyUse, Place, Result, Store};

fn place(row: &str) -> Place<'_> {
    Place {
        key_use: KeyUse::Forms,
        table: "addresses",
        column: "form_error",
        partner: None,
        row: row.as_bytes(),
    }
}

impl Store {
    /// Encrypts `text` for a URL. `belongs` names the owner and the page of the text.
    pub fn seal_for_address(&self, belongs: &str, text: &SecretString) -> Result<Vec<u8>> {
        self.vault.seal(place(belongs), text)
    }

    /// Decrypts a text that [`Self::seal_for_address`] sealed for the same `belongs`. Fails for any
    /// other.
    pub fn open_from_address(&self, belongs: &str, sealed: &[u8]) -> Result<SecretString> {
        self.vault.open(place(belongs), sealed)
    }
}
