//! Operators, their roles, and what each role permits.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::{ObjectId, OperatorId, PartnerId, TenantId};

/// What an operator may do. A person without a role may only wait until an owner gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything, and gives roles to others.
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

/// The right that an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// See customers, setups and history.
    Read,
    /// Connect, disconnect, start, cancel, retry, roll back.
    Change,
    /// Give and take roles.
    Administer,
}

/// An operator who is signed in. The server makes this value only from a valid session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub id: OperatorId,
    pub partner: PartnerId,
    pub tenant: TenantId,
    pub object: ObjectId,
    pub name: String,
    /// The user name from the last sign-in at Entra. It is shown, and never decides anything.
    pub upn: String,
    /// None: the person waits until an owner gives a role.
    pub role: Option<Role>,
}

/// Who did something, as history records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    Operator {
        id: OperatorId,
        name: String,
        /// The user name at that time. None in entries of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upn: Option<String>,
        /// The account's object id in Entra. None in entries of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectId>,
    },
    /// An admin of the customer who signed in there to consent.
    CustomerAdmin { object: ObjectId, upn: String },
    /// A person whom Entra knows and who was refused.
    Visitor {
        object: ObjectId,
        name: String,
        upn: String,
    },
    /// Postern itself, when it carries out what an operator started.
    System,
}

impl Actor {
    /// The value of [`Self::key`] for Postern itself.
    pub const SYSTEM: &'static str = "system";

    /// The actor's name. Two actors may have the same name, and a person may have the name
    /// “Postern”, so always show it together with [`Self::is`].
    pub fn name(&self) -> &str {
        match self {
            Self::Operator { name, .. } | Self::Visitor { name, .. } => name,
            Self::CustomerAdmin { upn, .. } => upn,
            Self::System => "Postern",
        }
    }

    /// The account's user name, if it is known.
    pub fn upn(&self) -> Option<&str> {
        match self {
            Self::Operator { upn, .. } => upn.as_deref(),
            Self::CustomerAdmin { upn, .. } | Self::Visitor { upn, .. } => Some(upn),
            Self::System => None,
        }
    }

    /// The account's object id in Entra, if it is known.
    pub const fn object(&self) -> Option<ObjectId> {
        match self {
            Self::Operator { object, .. } => *object,
            Self::CustomerAdmin { object, .. } | Self::Visitor { object, .. } => Some(*object),
            Self::System => None,
        }
    }

    /// The id that all entries of one actor share, whatever the actor's name was.
    pub fn key(&self) -> String {
        match self {
            Self::Operator { id, .. } => id.to_string(),
            Self::CustomerAdmin { object, .. } | Self::Visitor { object, .. } => object.to_string(),
            Self::System => Self::SYSTEM.to_owned(),
        }
    }

    /// The kind of the actor, in words.
    pub const fn is(&self) -> &'static str {
        match self {
            Self::Operator { .. } => "operator",
            Self::CustomerAdmin { .. } => "customer's admin",
            Self::Visitor { .. } => "not let in",
            Self::System => "the program itself",
        }
    }

    /// Name, account and kind, as a list of actors shows them.
    pub fn told(&self) -> String {
        match self {
            Self::Operator {
                name,
                upn: Some(upn),
                ..
            } => format!("{name} ({upn})"),
            Self::Operator { name, id, .. } => format!("{name} (operator {id})"),
            Self::CustomerAdmin { upn, .. } => format!("{upn} (customer's admin)"),
            Self::Visitor { name, upn, .. } => format!("{name} ({upn}), not let in"),
            Self::System => "Postern, the program itself".to_owned(),
        }
    }
}

impl From<&Operator> for Actor {
    fn from(operator: &Operator) -> Self {
        Self::Operator {
            id: operator.id,
            name: operator.name.clone(),
            upn: Some(operator.upn.clone()),
            object: Some(operator.object),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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

    fn operator(name: &str, number: u128) -> Actor {
        Actor::Operator {
            id: OperatorId(uuid::Uuid::from_u128(number)),
            name: name.to_owned(),
            upn: Some(format!("somebody{number}@partner.example")),
            object: Some(ObjectId(uuid::Uuid::from_u128(number + 100))),
        }
    }

    #[test]
    fn security_f09_an_operator_called_postern_is_told_from_the_program() {
        let somebody = operator("Postern", 1);
        assert_eq!(somebody.name(), Actor::System.name());
        assert_ne!(somebody.told(), Actor::System.told());
        assert_ne!(somebody.is(), Actor::System.is());
        assert_ne!(somebody.key(), Actor::System.key());
        assert_ne!(
            operator("Olivia Berg", 1).told(),
            operator("Olivia Berg", 2).told()
        );
    }

    /// The hash of an old entry covers the text that was written then.
    #[test]
    fn security_f09_an_actor_of_an_older_version_is_written_as_it_was_read() {
        let old = serde_json::json!({
            "kind": "operator", "id": "00000000-0000-0000-0000-000000000001", "name": "Olivia Berg",
        });
        let read: Actor = serde_json::from_value(old.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), old);
        assert!(read.told().contains("00000000-0000-0000-0000-000000000001"));
    }

    #[test]
    fn roles_survive_their_text() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
