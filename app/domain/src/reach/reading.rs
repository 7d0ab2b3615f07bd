//! The result of reading one part of a customer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The result of reading one part: its value, or why it was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reading", rename_all = "snake_case")]
pub enum Reading<T> {
    /// The whole part was read. A part of which only some pages came counts as not read.
    Read { value: T },
    /// The account that consented may not read the part.
    NotPermitted { reason: String },
    /// The read was tried and failed.
    Failed { reason: String },
    /// The part was not requested: a scan of one application leaves it out.
    NotAsked,
    /// The tenant does not have the service.
    NotLicensed { reason: String },
    /// The part was not read now; `value` is the last known value, from an earlier scan. It can
    /// show who held what. It can never show that nobody does.
    Kept { value: T, at: Timestamp, why: Why },
}

impl<T> Reading<T> {
    pub const fn read(value: T) -> Self {
        Self::Read { value }
    }

    /// The value of this read, or why there is none.
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

    /// The last known value, where this read failed.
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
    /// It was not requested.
    NotAsked,
    /// A part that was read names it, and the list that should contain it does not.
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
