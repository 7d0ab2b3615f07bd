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
    /// Policies whose id is no client id of a principal that was read.
    pub unmatched_policies: Reading<Vec<UnmatchedPolicy>>,
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

impl Seen {
    pub const fn grants(&self, resource: Resource) -> &Reading<Vec<Grant>> {
        match resource {
            Resource::Graph => &self.graph_grants,
            Resource::Exchange => &self.exchange_grants,
        }
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

/// A policy whose id is not the client id of a principal that was read (MICROSOFT.md §2.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnmatchedPolicy {
    /// The policy's identity at Exchange.
    pub identity: String,
    pub names: PolicyNames,
}

/// What the id of a policy is instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "names", rename_all = "snake_case")]
pub enum PolicyNames {
    /// The client id of a service principal all the same, one that holds nothing that was read:
    /// the policy is about that one.
    Client { object: ObjectId, name: String },
    /// The object id of a service principal: the policy does nothing, and was probably meant for
    /// this application.
    PrincipalObject {
        object: ObjectId,
        app_id: AppId,
        name: String,
    },
    /// The object id of a registration: the same.
    RegistrationObject { app_id: AppId, name: String },
    /// Nothing in the tenant has this id: the application was deleted, or the id is a wrong one.
    Nothing,
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
    /// Its members follow from a rule: whoever fits is one without anybody's doing.
    #[serde(default)]
    pub grows: bool,
}

/// An Entra administrative unit. A group in a unit does not bring its members along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministrativeUnit {
    pub object: ObjectId,
    pub name: String,
    pub members: Reading<Vec<ObjectId>>,
    /// Its members follow from a rule.
    #[serde(default)]
    pub grows: bool,
}
