//! What a scan reads of one customer: the input of the judgement.
//!
//! Nothing here is judged. What could not be read says so in its own place, so that leaving a part
//! out is never the same as its being empty.

use serde::{Deserialize, Serialize};

use super::{powers::PowersSeen, reading::Reading, rights::RightsSeen};
use crate::{
    application::AccessPolicy,
    id::{AppId, AppRoleId, ObjectId, TenantId},
    permission::Resource,
};

/// One customer, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// All service principals, or at least all that hold a grant or an assignment as far as those
    /// were read.
    pub principals: Reading<Vec<Principal>>,
    /// `principals` are all of the tenant. Else they are those that something names which was
    /// read: then a part that was not read may be about one that is not listed.
    pub all_principals: bool,
    /// Who holds app roles of Microsoft Graph (`appRoleAssignedTo`).
    pub graph_grants: Reading<Vec<Grant>>,
    /// Who holds app roles of Office 365 Exchange Online.
    pub exchange_grants: Reading<Vec<Grant>>,
    pub policies: Reading<Vec<AccessPolicy>>,
    /// Exchange's own pointers to service principals.
    pub pointers: Reading<Vec<Pointer>>,
    /// Those whose assignee is a service principal, and no others.
    pub assignments: Reading<Vec<Assignment>>,
    pub scopes: Reading<Vec<ManagementScope>>,
    /// Every group that a policy or an assignment names, and, where members are followed, the
    /// groups inside them.
    pub groups: Vec<Group>,
    /// Every administrative unit that an assignment names.
    pub units: Vec<AdministrativeUnit>,
    /// All mailboxes of whatever kind, by their object ids in Entra.
    pub mailboxes: Reading<Vec<ObjectId>>,
    /// Of those, every one that is no person's, and what it is; none: nobody told them apart.
    #[serde(default)]
    pub special: Option<Vec<(ObjectId, MailboxKind)>>,
    /// Policies whose id is no client id of the tenant; none: the reader did not look. Where all
    /// principals were read, the judgement finds them itself.
    #[serde(default)]
    pub stray_policies: Option<Vec<StrayPolicy>>,
    /// What can give an application a power.
    pub powers: PowersSeen,
    pub rights: RightsSeen,
}

/// A mailbox that is no person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    Shared,
    Room,
    Equipment,
    /// Of a Microsoft 365 group.
    Group,
    /// Of Bookings.
    Scheduling,
    Other,
}

/// A policy whose id is no client id of the tenant: it has no effect (MICROSOFT.md §2.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StrayPolicy {
    pub identity: String,
    /// What stands in the policy.
    pub app_id: AppId,
    /// Whose object id that is. None: nothing's; it is left over of a deleted application.
    pub meant: Option<Meant>,
}

/// The application that a stray policy was probably meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "meant", rename_all = "snake_case")]
pub enum Meant {
    /// The id is the object id of this service principal.
    Principal { object: ObjectId },
    /// The id is the object id of the registration with this client id.
    Registration { app_id: AppId },
}

impl Seen {
    pub const fn grants(&self, resource: Resource) -> &Reading<Vec<Grant>> {
        match resource {
            Resource::Graph => &self.graph_grants,
            Resource::Exchange => &self.exchange_grants,
        }
    }

    /// Whether all is read that applications were granted. A tenant without Exchange has nothing of it.
    pub fn grants_are_read(&self) -> bool {
        self.graph_grants.is_read()
            && (self.exchange_grants.is_read() || self.exchange_grants.is_not_licensed())
    }

    /// The tenant has no Exchange. Only when all its parts say so: one that says so alone
    /// contradicts the others, and then it is a part that was not read.
    pub const fn has_no_exchange(&self) -> bool {
        self.policies.is_not_licensed()
            && self.assignments.is_not_licensed()
            && self.pointers.is_not_licensed()
            && self.mailboxes.is_not_licensed()
    }
}

/// A service principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    pub object: ObjectId,
    pub app_id: AppId,
    pub name: String,
    pub kind: PrincipalKind,
    /// None: Entra did not say.
    pub enabled: Option<bool>,
    /// The tenant in which it is registered; none for managed identities.
    pub owner_tenant: Option<TenantId>,
    pub publisher: Option<String>,
}

/// `servicePrincipalType`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PrincipalKind {
    Application,
    ManagedIdentity,
    Legacy,
    Other(String),
}

impl PrincipalKind {
    /// An agent identity, which inherits from its blueprint (MICROSOFT.md §10.8).
    pub fn is_agent(&self) -> bool {
        matches!(self, Self::Other(kind) if kind == "ServiceIdentity")
    }
}

impl From<String> for PrincipalKind {
    fn from(text: String) -> Self {
        match text.as_str() {
            "Application" => Self::Application,
            "ManagedIdentity" => Self::ManagedIdentity,
            "Legacy" => Self::Legacy,
            _ => Self::Other(text),
        }
    }
}

impl From<PrincipalKind> for String {
    fn from(kind: PrincipalKind) -> Self {
        match kind {
            PrincipalKind::Application => "Application".to_owned(),
            PrincipalKind::ManagedIdentity => "ManagedIdentity".to_owned(),
            PrincipalKind::Legacy => "Legacy".to_owned(),
            PrincipalKind::Other(text) => text,
        }
    }
}

/// An app-role assignment of the resource in whose list it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub principal: ObjectId,
    pub role: AppRoleId,
    /// What the tenant's own principal of the resource calls the role; none when it did not tell.
    pub value: Option<String>,
}

/// `Get-ServicePrincipal` (MICROSOFT.md §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The object that it points to. Exchange lets an application in by this id alone (§5).
    pub object: ObjectId,
    pub app_id: Option<AppId>,
    /// Its name, display name or identity: whatever assignments may call it.
    pub names: Vec<String>,
}

/// `Get-ManagementRoleAssignment` for a service principal (MICROSOFT.md §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub name: String,
    /// `Application Mail.Send` …
    pub role: String,
    /// As Exchange says it: an object id as a rule, else a name of the pointer.
    pub assignee: String,
    pub scope: AssignmentScope,
    pub enabled: bool,
    /// It lets the assignee give the role to any application, itself included, and does not let it
    /// use the role (MICROSOFT.md §10.4).
    #[serde(default)]
    pub delegating: bool,
}

/// Where a role assignment reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum AssignmentScope {
    /// Exchange says that nothing narrows it.
    Organisation,
    /// A management scope, by its name.
    Custom { name: String },
    /// The direct members of a group; without an object where the group was not found.
    Group {
        object: Option<ObjectId>,
        name: String,
    },
    /// An Entra administrative unit.
    Unit { object: ObjectId },
    /// Exchange says something else.
    Other { text: String },
}

/// `Get-ManagementScope` (MICROSOFT.md §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagementScope {
    pub name: String,
    /// Exclusive scopes do not restrict applications (§3.2).
    pub exclusive: bool,
    /// The recipient filter as Exchange stores it.
    pub filter: String,
    /// The mailboxes that the filter matches, as Exchange itself answers.
    pub mailboxes: Reading<Vec<ObjectId>>,
}

/// Members of a group or unit, by their object ids in Entra.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Everything that is no group: mailboxes, users without one, contacts.
    pub recipients: Vec<ObjectId>,
    pub groups: Vec<ObjectId>,
}

/// A group that narrows or allows something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub object: ObjectId,
    pub name: String,
    pub direct: Reading<Members>,
    /// Members of members too, where the directory was asked for them; none: the judgement
    /// follows the direct members through [`Seen::groups`].
    pub nested: Option<Reading<Vec<ObjectId>>>,
    /// Whether Graph can change its members: yes for Microsoft 365 and security groups, no for
    /// mail-enabled security groups (MICROSOFT.md §7.2); none: not told.
    #[serde(default)]
    pub writable: Option<bool>,
    /// The rule by which it grows by itself.
    #[serde(default)]
    pub rule: Option<String>,
}

/// An Entra administrative unit. A group in a unit does not bring its members along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministrativeUnit {
    pub object: ObjectId,
    pub name: String,
    pub members: Reading<Vec<ObjectId>>,
    /// The rule by which it grows by itself.
    #[serde(default)]
    pub rule: Option<String>,
}
