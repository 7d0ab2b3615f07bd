//! Powers: what lets an application go around every confinement (MICROSOFT.md §10). It administers
//! Exchange, grants itself more, acts as others, or moves the boundary of a confinement.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    answer::{GapId, Level},
    reading::Reading,
};
use crate::{
    id::{AppRoleId, ObjectId},
    permission::{Resource, other::OtherResource},
};

/// The parts of a snapshot that can give an application a power.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowersSeen {
    /// Directory roles of service principals, also those held through a group
    /// (`roleManagement/directory/roleAssignments`, MICROSOFT.md §10.3).
    pub directory_roles: Reading<Vec<DirectoryRole>>,
    /// Role groups of Exchange with their roles and members (MICROSOFT.md §10.4).
    pub role_groups: Reading<Vec<RoleGroup>>,
    /// Service principals that own a registration or a service principal (MICROSOFT.md §10.6).
    pub ownerships: Reading<Vec<Ownership>>,
    /// App roles that agent identities inherit from their blueprint (MICROSOFT.md §10.8).
    pub inherited: Reading<Vec<InheritedGrant>>,
    /// App roles of resources other than Graph and Exchange, and keys of Exchange's own principal
    /// (MICROSOFT.md §10.2, §10.6).
    pub others: Reading<Vec<OtherHeld>>,
}

impl PowersSeen {
    /// The parts of a customer where all was read and nothing was found.
    pub const fn none() -> Self {
        Self {
            directory_roles: Reading::read(Vec::new()),
            role_groups: Reading::read(Vec::new()),
            ownerships: Reading::read(Vec::new()),
            inherited: Reading::read(Vec::new()),
            others: Reading::read(Vec::new()),
        }
    }
}

/// A directory role that a service principal holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryRole {
    /// The service principal.
    pub principal: ObjectId,
    /// `roleDefinitionId`: the template's id of a built-in role.
    pub role: Uuid,
    /// The tenant's name for the role. None: the tenant gave none.
    pub name: Option<String>,
    /// The allowed actions of a custom role. None: the role is built in.
    pub actions: Option<Vec<String>>,
    /// `directoryScopeId`: `/` for the whole tenant, else one object or unit.
    pub scope: String,
    /// The group through which the role is held. None: it is held directly.
    pub through: Option<ObjectId>,
}

/// A role group of Exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGroup {
    pub name: String,
    /// The management roles of its members, by name.
    pub roles: Vec<String>,
    /// Service principals among its members, by object id.
    pub members: Reading<Vec<ObjectId>>,
}

/// An ownership: a service principal owns a registration, or another service principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The owner: a service principal.
    pub owner: ObjectId,
    /// The service principal of the owned application.
    pub owned: ObjectId,
}

/// An app role that an agent identity inherits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InheritedGrant {
    /// The agent identity's service principal.
    pub principal: ObjectId,
    /// The blueprint's service principal, to which the role was granted.
    pub blueprint: ObjectId,
    pub resource: Resource,
    pub role: AppRoleId,
    pub value: Option<String>,
}

/// Something that a service principal holds beside roles of Graph and Exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherHeld {
    pub principal: ObjectId,
    pub what: Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "other", rename_all = "snake_case")]
pub enum Other {
    /// An app role of another resource. `value`: none where the resource gives the role no name.
    Role {
        resource: OtherResource,
        role: AppRoleId,
        value: Option<String>,
    },
    /// The service principal is Exchange's own, and in this tenant `count` keys and secrets that
    /// still work were added to it. Who holds one of them signs in as Exchange.
    Keys { count: u32 },
}

/// What a power lets an application do, the worst first (MICROSOFT.md §10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerKind {
    /// Changes policies, scopes, rights on mailboxes, rules, forwarding (class A).
    AdministersExchange,
    /// Gives itself app roles, directory roles, Exchange roles (class G).
    GrantsItself,
    /// Signs in as another application or as a user (class O).
    ActsAsOthers,
    /// Changes who is inside a scope, without changing a policy or role (class B).
    MovesBoundary,
    /// Reaches mail through another service (class E), by a role of another resource than Graph
    /// and Exchange.
    ReachesElsewhere,
}

impl PowerKind {
    /// The kind in words, for example “it administers Exchange”.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AdministersExchange => "administers Exchange",
            Self::GrantsItself => "can grant itself more",
            Self::ActsAsOthers => "can act as other applications or people",
            Self::MovesBoundary => "can change who is inside what confines",
            Self::ReachesElsewhere => "reaches mail through another service",
        }
    }
}

/// One power of an application, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Power {
    pub kind: PowerKind,
    pub from: PowerSource,
    /// The power is possible and not certain. It counts only together with something that was not
    /// read, or Microsoft does not document how far it goes.
    #[serde(default)]
    pub perhaps: bool,
}

/// Where a power comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum PowerSource {
    /// An app role in Entra.
    Grant { resource: Resource, value: String },
    /// A directory role, by its name. `scope`: the object to which it is limited.
    DirectoryRole {
        name: String,
        scope: Option<String>,
        through: Option<ObjectId>,
    },
    /// Membership of a role group of Exchange.
    RoleGroup { name: String },
    /// A management role of Exchange that was assigned directly.
    ManagementRole { role: String },
    /// The application owns another application, and can add a secret to that one.
    Owner { owned: ObjectId, name: String },
    /// An app role that the application inherits from its blueprint.
    Inherited {
        blueprint: ObjectId,
        resource: Resource,
        value: String,
    },
    /// An app role of another resource.
    OtherGrant {
        resource: OtherResource,
        value: String,
    },
    /// Keys of the service principal of Exchange itself.
    Keys { count: u32 },
}

impl PowerSource {
    /// Example: “the directory role Exchange Administrator”.
    pub fn words(&self) -> String {
        match self {
            Self::Grant { resource, value } => format!("{value} on {}", resource.name()),
            Self::DirectoryRole {
                name,
                scope,
                through,
            } => {
                let only = scope
                    .as_ref()
                    .map_or("", |_| ", for a part of the directory");
                let through = through.map_or("", |_| ", through a group");
                format!("the directory role {name}{only}{through}")
            }
            Self::RoleGroup { name } => format!("the role group {name} of Exchange"),
            Self::ManagementRole { role } => format!("the role {role} of Exchange"),
            Self::Owner { name, .. } => format!("it owns {name}"),
            Self::Inherited { value, .. } => format!("{value}, inherited from its blueprint"),
            Self::OtherGrant { resource, value } => format!("{value} on {}", resource.name()),
            Self::Keys { .. } => "keys that were added to Exchange itself".to_owned(),
        }
    }
}

/// What is known of an application's powers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Powers {
    /// Ordered, the worst first.
    pub held: Vec<Power>,
    /// The powers of a principal that is switched off. They count as soon as somebody switches it
    /// on.
    #[serde(default)]
    pub dormant: Vec<Power>,
    /// What was not read and may hide a power: positions in `Reach::gaps`.
    pub gaps: Vec<GapId>,
}

impl Powers {
    /// Whether it holds no power, and none can be hidden.
    pub const fn is_none(&self) -> bool {
        self.held.is_empty() && self.dormant.is_empty()
    }

    /// The level of its powers: a certain power, a possible one, or none.
    pub fn level(&self) -> Level {
        if self.held.iter().any(|power| !power.perhaps) {
            Level::Power
        } else if self.held.is_empty() && self.gaps.is_empty() {
            Level::Nothing
        } else {
            Level::Unknown
        }
    }
}
