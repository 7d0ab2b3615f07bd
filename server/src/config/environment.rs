//! The environment: known names, and secrets.

use std::{collections::BTreeMap, fmt, fs};

use secrecy::SecretString;

use super::wrong::Mistakes;

/// Shown at the end of `--help`.
pub const SECRETS_HELP: &str = "\
Secrets, from the environment only. Each may also come from a file: NAME_FILE holds its path.
  DATABASE_URL           Postgres, as the server's role
  DATABASE_OWNER_URL     Postgres, as the owner: for migrate and verify-history
  POSTERN_CLIENT_SECRET  client secret of Postern's own registration in Entra
  POSTERN_CLIENT_CERTIFICATE
                         instead of it: certificate and private key, as PEM
  POSTERN_MASTER_KEYS    key ring of stored tokens and secrets: id:base64, newest first
  POSTERN_MASTER_KEYS_COMMAND
                         instead of it: a command that prints the ring, for example one
                         that asks a key management service

The connection to Postgres is encrypted and its certificate checked, unless it is on this machine.
  POSTERN_DATABASE_TLS   unverified: take what the URL's sslmode says; default verified";

/// Settings that may come from a file. Each name stands with its file variant.
const SECRETS: [(&str, &str); 5] = [
    ("DATABASE_URL", "DATABASE_URL_FILE"),
    ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"),
    ("POSTERN_CLIENT_SECRET", "POSTERN_CLIENT_SECRET_FILE"),
    (
        "POSTERN_CLIENT_CERTIFICATE",
        "POSTERN_CLIENT_CERTIFICATE_FILE",
    ),
    ("POSTERN_MASTER_KEYS", "POSTERN_MASTER_KEYS_FILE"),
];

const PLAIN: [&str; 23] = [
    "POSTERN_ROLE",
    "POSTERN_LISTEN",
    "POSTERN_PUBLIC_URL",
    "POSTERN_METRICS_LISTEN",
    "POSTERN_CLIENT_ID",
    "POSTERN_AUTHORITY",
    "POSTERN_GRAPH",
    "POSTERN_EXCHANGE",
    "POSTERN_PARTNER_TENANTS",
    "POSTERN_FIRST_OWNER",
    "POSTERN_GUESTS",
    "POSTERN_INVITATION_HOURS",
    "POSTERN_PARTNER_NAMES",
    "POSTERN_SESSION_IDLE_MINUTES",
    "POSTERN_SESSION_HOURS",
    "POSTERN_TRUSTED_PROXIES",
    "POSTERN_PACE",
    "POSTERN_SITE",
    "POSTERN_WORKERS",
    "POSTERN_CALL_SECONDS",
    "POSTERN_LOG",
    DATABASE_TLS,
    MASTER_KEYS_COMMAND,
];

/// Whether a database on another machine must show a certificate.
pub(super) const DATABASE_TLS: &str = "POSTERN_DATABASE_TLS";
/// A command that prints the key ring.
pub(super) const MASTER_KEYS_COMMAND: &str = "POSTERN_MASTER_KEYS_COMMAND";

/// Settings of `./dev`, which may be in the same shell.
const OF_DEV: [&str; 2] = ["POSTERN_PG_PORT", "POSTERN_TEST_DATABASE_URL"];

const PREFIX: &str = "POSTERN_";

/// Minimum similarity of two names for a suggestion, from 0 to 1.
const ALIKE: f64 = 0.8;

/// Every name that Postern reads.
pub fn known_names() -> impl Iterator<Item = &'static str> {
    PLAIN
        .into_iter()
        .chain(SECRETS.into_iter().flat_map(|(name, file)| [name, file]))
}

/// The environment's variables. They are passed in so that tests need not change their own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Shows names only, because values may be secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The environment of this process. Characters that are not Unicode are replaced.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.trim().is_empty())
    }

    /// Reports names that look like settings and are unknown. A mistyped name would otherwise be
    /// ignored silently.
    pub(super) fn check_names(&self, mistakes: &mut Mistakes) {
        let unknown = self.0.keys().filter(|name| {
            name.starts_with(PREFIX)
                && !known_names().any(|known| known == *name)
                && !OF_DEV.contains(&name.as_str())
        });
        for name in unknown {
            let alike = known_names()
                .map(|known| (strsim::jaro_winkler(tail(name), tail(known)), known))
                .filter(|(likeness, known)| *likeness >= ALIKE && known.starts_with(PREFIX))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, known)| known);
            let what = alike.map_or_else(
                || "there is no such setting.".to_owned(),
                |known| format!("there is no such setting. Did you mean {known}?"),
            );
            mistakes.add(name, what, format!("unset {name}"));
        }
    }

    /// A secret from `name`, or from the file that `name_FILE` names. A missing secret is a
    /// mistake.
    pub(super) fn secret(
        &self,
        name: &str,
        example: &str,
        mistakes: &mut Mistakes,
    ) -> Option<SecretString> {
        let found = self.optional_secret(name, mistakes)?;
        if found.is_none() {
            mistakes.add(name, "it is not set.", format!("{name}={example}"));
        }
        found
    }

    /// Returns None when a mistake was recorded, and `Some(None)` when the secret is not set.
    #[expect(
        clippy::option_option,
        reason = "not set and set wrongly are two things"
    )]
    pub(super) fn optional_secret(
        &self,
        name: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Option<SecretString>> {
        let file_name = format!("{name}_FILE");
        match (self.get(name), self.get(&file_name)) {
            (Some(_), Some(_)) => {
                mistakes.add(
                    name,
                    format!("both {name} and {file_name} are set; which one counts is a guess."),
                    format!("unset {name}"),
                );
                None
            }
            (Some(value), None) => Some(Some(SecretString::from(value.trim().to_owned()))),
            (None, Some(path)) => match fs::read_to_string(path) {
                Ok(text) if text.trim().is_empty() => {
                    mistakes.add(
                        &file_name,
                        format!("the file {path} is empty."),
                        format!("{file_name}=/run/secrets/{}", name.to_lowercase()),
                    );
                    None
                }
                Ok(text) => Some(Some(SecretString::from(text.trim().to_owned()))),
                Err(error) => {
                    mistakes.add(
                        &file_name,
                        format!("the file {path} cannot be read: {error}."),
                        format!("{file_name}=/run/secrets/{}", name.to_lowercase()),
                    );
                    None
                }
            },
            (None, None) => Some(None),
        }
    }
}

fn tail(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
