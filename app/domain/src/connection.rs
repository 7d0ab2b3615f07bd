//! The delegated consent with which Postern acts in a customer.

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp, id::CustomerId};

/// Which consent an action needs. Asked for one after the other, never more than needed (DESIGN §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Look: directory, applications, mailboxes, policies.
    Reading,
    /// The same, and change groups and policies.
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

/// How Postern got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Somebody who is an admin in the customer signed in there.
    Admin,
    /// The customer's own admin followed a one-time link.
    Link,
    /// Granular delegated admin privileges of the partner.
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

/// How a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum Health {
    /// Nobody consented yet.
    Never,
    Good,
    /// It does not work; the problem says what to do.
    Broken {
        problem: Problem,
    },
    /// An operator disconnected it; the token is forgotten, the history kept.
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

/// One kind of trouble, with all customers that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub happened: String,
    /// What to do; empty: nothing.
    pub todo: String,
    /// The first few, by name.
    pub customers: Vec<Troubled>,
    pub count: i64,
}

/// A customer that has some trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Troubled {
    pub customer: CustomerId,
    pub name: String,
    /// When it was last read; none: never.
    pub read: Option<Timestamp>,
}

/// What the customer's page says about its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub health: Health,
    pub way: Option<Way>,
    /// Who consented, by user principal name.
    pub account: Option<String>,
    pub consented: Option<Timestamp>,
    pub scopes: Vec<String>,
    pub last_success: Option<Timestamp>,
    /// What is worth knowing although it works: the account lacks a role, or another account
    /// wanted to take its place.
    #[serde(default)]
    pub note: Option<Problem>,
}
