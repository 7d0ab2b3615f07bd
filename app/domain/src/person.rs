//! Operators, their roles, and what each role may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::{ObjectId, OperatorId, PartnerId, TenantId};

/// What an operator may do. Someone without a role may only wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, and gives roles to others.
    Owner,
    /// Connects customers and runs setups.
    Engineer,
    /// Reads only.
    Auditor,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Owner, Self::Engineer, Self::Auditor];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
        }
    }

    /// One sentence for the page on which owners give roles.
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Owner => "Does everything, and decides who may do what.",
            Self::Engineer => "Connects customers and runs setups.",
            Self::Auditor => "Reads everything, changes nothing.",
        }
    }

    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Read => true,
            Right::Change => matches!(self, Self::Owner | Self::Engineer),
            Right::Administer => matches!(self, Self::Owner),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a role: owner, engineer or auditor")]
pub struct NotARole(pub String);

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| NotARole(text.to_owned()))
    }
}

/// What an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// See customers, setups and history.
    Read,
    /// Connect, disconnect, start, cancel, retry, roll back.
    Change,
    /// Give and take roles.
    Administer,
}

/// A signed-in operator. The server makes one only from a valid session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub id: OperatorId,
    pub partner: PartnerId,
    pub tenant: TenantId,
    pub object: ObjectId,
    pub name: String,
    /// As Entra last said it; shown, never used to decide.
    pub upn: String,
    /// None: waits until an owner gives a role.
    pub role: Option<Role>,
}

/// Who did something, as history keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    Operator {
        id: OperatorId,
        name: String,
    },
    /// An admin of the customer who signed in there to consent.
    CustomerAdmin {
        object: ObjectId,
        upn: String,
    },
    /// Postern itself, carrying out what somebody started.
    System,
}

impl Actor {
    /// The name that pages and downloads show.
    pub fn name(&self) -> &str {
        match self {
            Self::Operator { name, .. } => name,
            Self::CustomerAdmin { upn, .. } => upn,
            Self::System => "Postern",
        }
    }
}

impl From<&Operator> for Actor {
    fn from(operator: &Operator) -> Self {
        Self::Operator {
            id: operator.id,
            name: operator.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_it_should() {
        let table = Role::ALL.map(|role| {
            [Right::Read, Right::Change, Right::Administer].map(|right| role.may(right))
        });
        assert_eq!(
            table,
            [
                [true, true, true],
                [true, true, false],
                [true, false, false]
            ]
        );
    }

    #[test]
    fn roles_survive_their_text() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
