//! What a scan tells beside what is judged: how each part went, and what pages say about an
//! application.

use serde::{Deserialize, Serialize};

use super::reading::{Reading, Why};
use crate::{
    Problem, Timestamp,
    id::{ObjectId, TenantId},
};

/// One part of a scan, and how reading it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRead {
    pub part: ScanPart,
    /// From its first call to its last answer, waiting for a free place included.
    pub took_millis: i64,
    /// Calls that were sent for it, each try by itself.
    pub calls: u32,
    /// When what is used instead was read, where it was not read now; none: nothing is.
    #[serde(default)]
    pub kept: Option<Timestamp>,
    #[serde(flatten)]
    pub result: PartResult,
}

impl PartRead {
    /// Why it was not read. What the tenant does not have is known.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.result {
            PartResult::Read { .. }
            | PartResult::Unread {
                why: Why::NotLicensed { .. },
                ..
            } => None,
            PartResult::Unread { problem, .. } => Some(problem),
        }
    }
}

/// A part of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanPart {
    GraphGrants,
    ExchangeGrants,
    Policies,
    Assignments,
    Pointers,
    Mailboxes,
    Scopes,
    Groups,
    Units,
    Principals,
    /// The registrations of the tenant's own applications, for the expiry of their credentials.
    Registrations,
    /// Roles in the directory that service principals hold.
    DirectoryRoles,
    /// Role groups of Exchange with their members.
    RoleGroups,
    /// What service principals own.
    Owners,
    /// What agent identities inherit.
    Inherited,
    /// What applications may do for whoever signs in.
    Delegated,
    /// Rights of service principals on mailboxes.
    MailboxRights,
    /// The organisation's switch and list for EWS.
    Ews,
    /// Federated credentials and owners of the tenant's own applications.
    Federated,
    /// What the policies are about whose id is no client id of an application that was read.
    PolicyTargets,
    /// Roles of other resources that reach mail, and keys of Exchange's own service principal.
    Others,
}

impl ScanPart {
    /// To begin a line.
    pub const fn words(self) -> &'static str {
        match self {
            Self::GraphGrants => "Permissions on Microsoft Graph",
            Self::ExchangeGrants => "Permissions on Exchange Online",
            Self::Policies => "Application access policies",
            Self::Assignments => "Role assignments",
            Self::Pointers => "Exchange's service principals",
            Self::Mailboxes => "Mailboxes",
            Self::Scopes => "Management scopes",
            Self::Groups => "Groups and their members",
            Self::Units => "Administrative units",
            Self::Principals => "Applications",
            Self::Registrations => "Credentials of own applications",
            Self::DirectoryRoles => "Directory roles of applications",
            Self::RoleGroups => "Role groups of Exchange",
            Self::Owners => "What applications own",
            Self::Inherited => "What agent identities inherit",
            Self::Delegated => "What applications do for whoever signs in",
            Self::MailboxRights => "Rights of applications on mailboxes",
            Self::Ews => "The switch and the list for EWS",
            Self::Federated => "Federated credentials and owners of own applications",
            Self::PolicyTargets => "Applications that policies name",
            Self::Others => {
                "Permissions on Purview, Defender and the audit feed, and keys of Exchange itself"
            }
        }
    }
}

/// What came of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum PartResult {
    /// All of it: so many objects.
    Read { count: u32 },
    /// Not all of it. `why` is what the judgement is told, `problem` what a person reads.
    Unread {
        #[serde(flatten)]
        why: Why,
        problem: Box<Problem>,
    },
}

/// What is known of an application beside its reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalDetails {
    /// As Microsoft verified it; none: not verified.
    pub verified_publisher: Option<String>,
    /// The tenant in which it is registered; none for managed identities.
    pub owner_tenant: Option<TenantId>,
    /// Since when it is in this tenant.
    pub created_at: Option<Timestamp>,
    /// What somebody of the customer wrote about it.
    pub notes: Option<String>,
    /// Those that end first, first; those without an end last.
    pub credentials: Vec<AppCredential>,
    /// Why the credentials of its registration are missing; none: there is none in this tenant,
    /// or they are not.
    pub registration_unread: Option<Why>,
    /// Identities of other issuers that sign in as it without a secret (MICROSOFT.md §10.6). None:
    /// nobody could ask here, because its registration is not in this tenant, or an earlier version
    /// did not: that is not the same as having none.
    #[serde(default)]
    pub federated: Option<Reading<Vec<FederatedIdentity>>>,
    /// Who owns its service principal, and its registration where that is in this tenant: each can
    /// give it a credential. None: an earlier version did not ask.
    #[serde(default)]
    pub owners: Option<Reading<Vec<AppOwner>>>,
}

/// Whoever gets a token of this subject from this issuer signs in as the application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FederatedIdentity {
    pub name: String,
    pub issuer: String,
    /// None: a pattern stands in its place, which Postern does not read.
    pub subject: Option<String>,
}

/// Somebody who owns an application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppOwner {
    pub object: ObjectId,
    /// Which of the two objects is owned.
    pub of: CredentialOf,
    pub kind: OwnerKind,
    /// None: Graph did not tell.
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    User,
    ServicePrincipal,
    Other,
}

/// Something with which an application signs in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppCredential {
    pub kind: CredentialKind,
    pub of: CredentialOf,
    pub name: Option<String>,
    /// None: Graph did not tell.
    pub ends_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    Secret,
    Certificate,
}

/// Which object it belongs to: the credentials of both count when the application signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialOf {
    /// The service principal.
    Principal,
    /// The registration.
    Registration,
}
