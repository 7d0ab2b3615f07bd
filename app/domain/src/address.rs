//! Mail addresses and tenant names as people type them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Problem;

/// An SMTP address of a mailbox, in lower case, because Exchange ignores case in addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

impl MailAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.0
    }
}

impl TryFrom<String> for MailAddress {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        text.parse()
    }
}

impl FromStr for MailAddress {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let text = text.trim().to_lowercase();
        let wrong = || {
            Problem::input(
                "address",
                format!("“{text}” is not a mail address."),
                "Write it in full, like reception@example.com.",
            )
        };
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let local_ok = !local.is_empty()
            && local.len() <= 64
            && !local
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "@<>()[]\\,;:\"".contains(c));
        if local_ok && is_domain(domain) {
            Ok(Self(text))
        } else {
            Err(wrong())
        }
    }
}

/// A DNS name with at least one dot.
pub fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// What an operator types to name a customer's tenant: its id, or one of its verified domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantName {
    Id(crate::id::TenantId),
    Domain(String),
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Domain(domain) => f.write_str(domain),
        }
    }
}

impl FromStr for TenantName {
    type Err = Problem;

    /// Also accepts a mail address, and uses its domain.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let text = text.trim().to_lowercase();
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let domain = text
            .rsplit_once('@')
            .map_or(text.as_str(), |(_, domain)| domain);
        if is_domain(domain) {
            Ok(Self::Domain(domain.to_owned()))
        } else {
            Err(Problem::input(
                "tenant",
                format!("“{text}” is neither a domain nor a tenant id."),
                "Write the customer's domain, like fabrikam.com, or its tenant id.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_addresses() {
        assert_eq!(
            " CEO@Fabrikam.DK ".parse::<MailAddress>().unwrap().as_str(),
            "ceo@fabrikam.dk"
        );
        assert_eq!(
            "o'neil+x@a.example"
                .parse::<MailAddress>()
                .unwrap()
                .domain(),
            "a.example"
        );
        for wrong in [
            "",
            "ceo",
            "@a.example",
            "a@b",
            "a b@c.example",
            "a@-x.example",
            "<a>@b.example",
            "a@b..c",
        ] {
            assert!(wrong.parse::<MailAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_tenant_names() {
        assert_eq!(
            "Fabrikam.dk".parse(),
            Ok(TenantName::Domain("fabrikam.dk".into()))
        );
        assert_eq!(
            "admin@fabrikam.dk".parse(),
            Ok(TenantName::Domain("fabrikam.dk".into()))
        );
        assert!(matches!(
            "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4".parse(),
            Ok(TenantName::Id(_))
        ));
        assert!("fabrikam".parse::<TenantName>().is_err());
        assert!("https://fabrikam.dk/".parse::<TenantName>().is_err());
    }
}
