//! Secrets in memory.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// A client secret as a person typed it. It is never printed. It is serialised only from the form
/// to the server, and overwritten in memory when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Maximum length. Entra's secrets have about 40 characters; the bound only refuses texts that
    /// cannot be one.
    pub const LONGEST: usize = 512;

    pub fn parse(text: &str) -> Result<Self, crate::Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(crate::Problem::input(
                "secret",
                "No client secret was given.",
                "Paste the secret's value, or leave the proof out.",
            ));
        }
        if text.len() > Self::LONGEST || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(crate::Problem::input(
                "secret",
                "This does not look like a client secret.",
                "Paste the secret's value from Entra: one word, no spaces.",
            ));
        }
        // Entra shows the secret's id beside its value, and people copy the id by mistake.
        if uuid::Uuid::try_parse(text).is_ok() {
            return Err(crate::Problem::input(
                "secret",
                "This is the id of a secret, not the secret.",
                "Paste the column “Value” of the secret, not “Secret ID”.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret in plain text, for the vault and for Entra only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for ClientSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for ClientSecret {}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn never_shows_itself() {
        let secret = ClientSecret::parse("abc~Q8~something").unwrap();
        assert!(!format!("{secret:?}").contains("abc"));
    }

    #[test]
    fn security_f18_is_overwritten_when_it_is_dropped() {
        const fn overwrites<T: ZeroizeOnDrop>() {}
        overwrites::<ClientSecret>();
    }

    #[test]
    fn tells_the_id_from_the_value() {
        let problem = ClientSecret::parse("6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4").unwrap_err();
        assert_eq!(
            problem.happened,
            "This is the id of a secret, not the secret."
        );
        assert!(ClientSecret::parse("two words").is_err());
        assert!(ClientSecret::parse(" ").is_err());
    }
}
