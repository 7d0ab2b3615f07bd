//! What travels in an address and must come back unchanged.

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
    /// Seals a text that belongs somewhere: whose it is, and on which page.
    pub fn seal_for_address(&self, belongs: &str, text: &SecretString) -> Result<Vec<u8>> {
        self.vault.seal(place(belongs), text)
    }

    /// Opens what was sealed here for the same place, and nothing else.
    pub fn open_from_address(&self, belongs: &str, sealed: &[u8]) -> Result<SecretString> {
        self.vault.open(place(belongs), sealed)
    }
}
