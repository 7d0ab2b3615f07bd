//! A part of a customer that was read, or why it was not.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What came of reading one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reading", rename_all = "snake_case")]
pub enum Reading<T> {
    /// All of it. A part of which only some pages came is not read.
    Read { value: T },
    /// Whoever consented may not read it.
    NotPermitted { reason: String },
    /// It was tried, and did not work.
    Failed { reason: String },
    /// Nobody asked: what is read of one application leaves it alone.
    NotAsked,
    /// The tenant does not have the service.
    NotLicensed { reason: String },
    /// It was not read now, and this is what an earlier scan read. Good enough to say who held
    /// what, never to say that nobody does.
    Kept { value: T, at: Timestamp, why: Why },
}

impl<T> Reading<T> {
    pub const fn read(value: T) -> Self {
        Self::Read { value }
    }

    /// What was read, or why it was not.
    pub fn get(&self) -> Result<&T, Why> {
        match self {
            Self::Read { value } => Ok(value),
            Self::NotPermitted { reason } => Err(Why::NotPermitted {
                reason: reason.clone(),
            }),
            Self::Failed { reason } => Err(Why::Failed {
                reason: reason.clone(),
            }),
            Self::NotLicensed { reason } => Err(Why::NotLicensed {
                reason: reason.clone(),
            }),
            Self::NotAsked => Err(Why::NotAsked),
            Self::Kept { why, .. } => Err(why.clone()),
        }
    }

    /// What an earlier scan read, where this one could not.
    pub const fn kept(&self) -> Option<&T> {
        match self {
            Self::Kept { value, .. } => Some(value),
            _ => None,
        }
    }

    pub const fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. })
    }

    pub const fn is_not_licensed(&self) -> bool {
        matches!(self, Self::NotLicensed { .. })
    }
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    NotPermitted {
        reason: String,
    },
    Failed {
        reason: String,
    },
    NotLicensed {
        reason: String,
    },
    /// Nobody asked.
    NotAsked,
    /// Something that was read names it, and it is not in the list where it should be.
    Missing,
    /// It was read, and its meaning is not known.
    NotUnderstood,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted { reason } => write!(f, "not permitted: {reason}"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::NotLicensed { reason } => write!(f, "not licensed: {reason}"),
            Self::NotAsked => f.write_str("nobody asked"),
            Self::Missing => f.write_str("named, but not there"),
            Self::NotUnderstood => f.write_str("not understood"),
        }
    }
}
