//! Identifiers. Each kind has a type of its own, so that one kind is never taken for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text was not a GUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is not an id: 32 hexadecimal digits in the form 00000000-0000-0000-0000-000000000000"
)]
pub struct NotAnId(pub String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text.trim()).map(Self).map_err(|_| NotAnId(text.to_owned()))
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A partner: the organisation that uses Postern. Postern makes this id.
    PartnerId;
    /// An operator: a person of the partner. Postern makes this id.
    OperatorId;
    /// A customer: one customer tenant of one partner. Postern makes this id.
    CustomerId;
    /// An invitation for a customer's own admin, in pages and forms. It is not the secret in the
    /// invitation's address. Postern makes this id.
    LinkId;
    /// A setup. Postern makes this id.
    SetupId;
    /// A scan of all customers of a partner. Postern makes this id.
    FleetId;
    /// A session of an operator in one browser, in the session list. It is not the secret in the
    /// cookie. Postern makes this id.
    SessionRef;
    /// An Entra tenant (`tid`). Microsoft makes this id.
    TenantId;
    /// An application's client id (`appId`), the same in every tenant. Microsoft makes this id.
    AppId;
    /// An Entra directory object: user, group or service principal. Microsoft makes this id.
    ObjectId;
    /// An app role of a resource. Two resources can use the same id: see [`crate::permission`].
    /// Microsoft makes this id.
    AppRoleId;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_and_writes_guids() {
        let text = "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";
        assert_eq!(text.parse::<AppId>().unwrap().to_string(), text);
        assert_eq!(
            "  6F1C02B7-41F5-4A0E-9C55-0D3BE1F7A2D4 "
                .parse::<AppId>()
                .unwrap()
                .to_string(),
            text
        );
    }

    #[test]
    fn refuses_what_is_no_guid() {
        assert!("fabrikam".parse::<TenantId>().is_err());
        assert!("".parse::<TenantId>().is_err());
    }
}
