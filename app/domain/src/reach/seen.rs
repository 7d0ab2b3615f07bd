//! The snapshot of one customer, which a scan reads and the evaluator takes.
//!
//! Nothing here is evaluated. A part that could not be read says so in its own place, so a missing
//! part is never the same as an empty one.

use serde::{Deserialize, Serialize};

use super::{powers::PowersSeen, reading::Reading, rights::RightsSeen};
use crate::{
    application::AccessPolicy,
    id::{AppId, AppRoleId, ObjectId, TenantId},
    permission::Resource,
};

/// The snapshot of one customer, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// All service principals, or at least all that hold a grant or an assignment in a part that
    /// was read.
    pub principals: Reading<Vec<Principal>>,
    /// Whether `principals` are all of the tenant's. Otherwise they are only those that a part
    /// which was read names. A part that was not read may then name others.
    pub all_principals: bool,
    /// Who holds app roles of Microsoft Graph (`appRoleAssignedTo`).
    pub graph_grants: Reading<Vec<Grant>>,
    /// Who holds app roles of Office 365 Exchange Online.
    pub exchange_grants: Reading<Vec<Grant>>,
    pub policies: Reading<Vec<AccessPolicy>>,
    /// Exchange's own pointers to service principals.
    pub pointers: Reading<Vec<Pointer>>,
    /// Role assignments whose assignee is a service principal, and no others.
    pub assignments: Reading<Vec<Assignment>>,
    pub scopes: Reading<Vec<ManagementScope>>,
    /// Every group that a policy or an assignment names. Where members are followed, also the
    /// groups inside these.
    pub groups: Vec<Group>,
    /// Every administrative unit that an assignment names.
    pub units: Vec<AdministrativeUnit>,
    /// All mailboxes of every kind, by their object ids in Entra.
    pub mailboxes: Reading<Vec<ObjectId>>,
    /// All mailboxes that are no person's, with their kinds. None: the kinds were not read.
    #[serde(default)]
    pub special: Option<Vec<(ObjectId, MailboxKind)>>,
    /// Policies whose application id is no client id of the tenant. None: the reader did not look.
    /// Where all principals were read, the evaluator finds these policies itself.
    #[serde(default)]
    pub stray_policies: Option<Vec<StrayPolicy>>,
    /// What can give an application a power.
    pub powers: PowersSeen,
    pub rights: RightsSeen,
}

/// The kind of a mailbox that is no person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    Shared,
    Room,
    Equipment,
    /// The mailbox of a Microsoft 365 group.
    Group,
    /// The mailbox of Bookings.
    Scheduling,
    Other,
}

/// A policy whose application id is no client id of the tenant, so it has no effect (MICROSOFT.md
/// §2.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StrayPolicy {
    pub identity: String,
    /// The id in the policy.
    pub app_id: AppId,
    /// The application whose object id it is. None: no application has this id; it is left over
    /// from a deleted one.
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

    /// Whether all grants of applications were read. In a tenant without Exchange, Exchange's
    /// grants need not be read.
    pub fn grants_are_read(&self) -> bool {
        self.graph_grants.is_read()
            && (self.exchange_grants.is_read() || self.exchange_grants.is_not_licensed())
    }

    /// Whether the tenant has no Exchange. All parts of Exchange must say so. If only some say so,
    /// they contradict the others and count as not read.
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

/// An app-role assignment. Its resource is that of the list that contains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub principal: ObjectId,
    pub role: AppRoleId,
    /// The name that the tenant's own principal of the resource gives the role. None: it gave none.
    pub value: Option<String>,
}

/// Exchange's record of a service principal, from `Get-ServicePrincipal` (MICROSOFT.md §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The object that the record points to. Exchange lets an application in by this id alone (§5).
    pub object: ObjectId,
    pub app_id: Option<AppId>,
    /// Its name, display name and identity: an assignment may use any of them.
    pub names: Vec<String>,
}

/// A role assignment of a service principal, from `Get-ManagementRoleAssignment` (MICROSOFT.md
/// §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub name: String,
    /// For example `Application Mail.Send`.
    pub role: String,
    /// The assignee as Exchange gives it: usually an object id, else a name of the pointer.
    pub assignee: String,
    pub scope: AssignmentScope,
    pub enabled: bool,
    /// The assignee may give the role to any application, itself included, but may not use the role
    /// (MICROSOFT.md §10.4).
    #[serde(default)]
    pub delegating: bool,
}

/// The scope of a role assignment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum AssignmentScope {
    /// Exchange says that nothing narrows the assignment.
    Organisation,
    /// A management scope, by its name.
    Custom { name: String },
    /// The direct members of a group. `object`: none where the group was not found.
    Group {
        object: Option<ObjectId>,
        name: String,
    },
    /// An Entra administrative unit.
    Unit { object: ObjectId },
    /// Anything else that Exchange says.
    Other { text: String },
}

/// A management scope, from `Get-ManagementScope` (MICROSOFT.md §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagementScope {
    pub name: String,
    /// Exclusive scopes do not restrict applications (§3.2).
    pub exclusive: bool,
    /// The recipient filter as Exchange stores it.
    pub filter: String,
    /// The mailboxes that the filter matches, evaluated by Exchange itself.
    pub mailboxes: Reading<Vec<ObjectId>>,
}

/// Members of a group or unit, by their object ids in Entra.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// All members that are no groups: mailboxes, users without a mailbox, contacts.
    pub recipients: Vec<ObjectId>,
    pub groups: Vec<ObjectId>,
}

/// A group that narrows or permits something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub object: ObjectId,
    pub name: String,
    pub direct: Reading<Members>,
    /// The members of members too, where the directory was asked for them. None: the evaluator
    /// follows the direct members through [`Seen::groups`].
    pub nested: Option<Reading<Vec<ObjectId>>>,
    /// Whether Graph can change the group's members: yes for Microsoft 365 and security groups, no
    /// for mail-enabled security groups (MICROSOFT.md §7.2). None: not known.
    #[serde(default)]
    pub writable: Option<bool>,
    /// The rule by which the group's membership changes by itself.
    #[serde(default)]
    pub rule: Option<String>,
}

/// An Entra administrative unit. A group in a unit does not bring its members into the unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministrativeUnit {
    pub object: ObjectId,
    pub name: String,
    pub members: Reading<Vec<ObjectId>>,
    /// The rule by which the unit's membership changes by itself.
    #[serde(default)]
    pub rule: Option<String>,
}
