//! Applications of a customer, and what they hold.

use serde::{Deserialize, Serialize};

use crate::{
    id::{AppId, AppRoleId, ObjectId, TenantId},
    permission::{self, Coverage, Place, Resource, Weight},
};

/// An app-role assignment in Entra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub resource: Resource,
    pub role: AppRoleId,
    /// For example `Mail.Send`: the name that the tenant's own resource principal gives the role.
    pub value: String,
}

impl Grant {
    /// Whether it reaches into mailboxes. False where it reaches mail through another door.
    pub fn reaches_mailboxes(&self) -> bool {
        permission::find(self.resource, self.role)
            .or_else(|| permission::find_value(self.resource, &self.value))
            .map_or_else(
                || permission::looks_like_mailbox(self.resource, &self.value),
                |known| known.place == Place::Mailboxes,
            )
    }

    /// How dangerous the permission is.
    pub fn weight(&self) -> Weight {
        permission::find(self.resource, self.role)
            .or_else(|| permission::find_value(self.resource, &self.value))
            .map_or_else(
                || permission::weight_by_name(&self.value),
                |known| known.weight,
            )
    }

    /// Whether access policies govern it. It counts as governed only if that is known.
    pub fn coverage(&self) -> Coverage {
        permission::find(self.resource, self.role)
            .or_else(|| permission::find_value(self.resource, &self.value))
            .map_or(Coverage::Beyond, |known| known.coverage)
    }

    /// Whether mail can be sent with it.
    pub fn sends(&self) -> bool {
        permission::find(self.resource, self.role).is_some_and(permission::MailboxPermission::sends)
            || self.value.ends_with(".Send")
    }
}

/// A service principal in a customer tenant that holds a mailbox permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The service principal's object id in the customer tenant.
    pub object: ObjectId,
    pub app_id: AppId,
    pub name: String,
    /// The tenant in which the application is registered. None for managed identities.
    pub owner_tenant: Option<TenantId>,
    pub publisher: Option<String>,
    /// For example `Application`, `ManagedIdentity`, `Legacy`.
    pub kind: String,
    pub enabled: bool,
    pub grants: Vec<Grant>,
}

/// An Application Access Policy as Exchange stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPolicy {
    /// Exchange's identity: `{organisation}\{app id}:{group SID};{group object id}`.
    pub identity: String,
    /// None for `*`: the policy is for every application.
    pub app_id: Option<AppId>,
    pub right: AccessRight,
    /// The group's display name.
    pub scope_name: String,
    /// The group's Entra object id, where the identity contains it.
    pub scope_object: Option<ObjectId>,
    pub description: String,
    pub valid: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccessRight {
    RestrictAccess,
    DenyAccess,
}

impl AccessRight {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RestrictAccess => "RestrictAccess",
            Self::DenyAccess => "DenyAccess",
        }
    }
}

/// An Exchange RBAC role assignment of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssignment {
    pub name: String,
    /// For example `Application Mail.Send`.
    pub role: String,
    pub assignee: ObjectId,
    /// The scope, as Exchange names it. None: the whole organisation.
    pub scope: Option<String>,
}
