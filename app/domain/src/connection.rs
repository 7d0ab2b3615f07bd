//! The delegated consent with which Postern acts in a customer.

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp, id::CustomerId};

/// The consent that an action needs. Postern asks for one after the other, and never for more than
/// needed (DESIGN §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Reading: directory, applications, mailboxes, policies.
    Reading,
    /// Reading, and changing groups and policies.
    Changing,
}

impl Consent {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Changing => "changing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Reading, Self::Changing]
            .into_iter()
            .find(|consent| consent.as_str() == text)
    }
}

/// How Postern got its access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// An admin of the customer signed in there.
    Admin,
    /// The customer's own admin followed a one-time link.
    Link,
    /// The partner has granular delegated admin privileges (GDAP).
    Gdap,
}

impl Way {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Link => "link",
            Self::Gdap => "gdap",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::Link, Self::Gdap]
            .into_iter()
            .find(|way| way.as_str() == text)
    }

    pub const fn explained(self) -> &'static str {
        match self {
            Self::Admin => "an admin of the customer signed in",
            Self::Link => "the customer's admin followed a link",
            Self::Gdap => "delegated admin privileges (GDAP)",
        }
    }
}

/// The health of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum Health {
    /// Nobody has consented yet.
    Never,
    Good,
    /// The connection does not work. The problem says what to do.
    Broken {
        problem: Problem,
    },
    /// An operator has disconnected the customer. The token is deleted, and the history stays.
    Disconnected,
}

impl Health {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Never => "not connected",
            Self::Good => "connected",
            Self::Broken { .. } => "needs attention",
            Self::Disconnected => "disconnected",
        }
    }
}

/// One kind of problem, with all customers that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub happened: String,
    /// What to do; empty: nothing.
    pub todo: String,
    /// The first few customers, by name.
    pub customers: Vec<Troubled>,
    pub count: i64,
}

/// A customer that has a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Troubled {
    pub customer: CustomerId,
    pub name: String,
    /// When the customer was last scanned. None: never.
    pub read: Option<Timestamp>,
}

/// What the customer's page says about its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub health: Health,
    pub way: Option<Way>,
    /// The account that consented, by its user principal name.
    pub account: Option<String>,
    pub consented: Option<Timestamp>,
    pub scopes: Vec<String>,
    pub last_success: Option<Timestamp>,
    /// A note on a connection that works: the account lacks a role, or another account wanted to
    /// replace it.
    #[serde(default)]
    pub note: Option<Problem>,
}
