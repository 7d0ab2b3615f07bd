//! What a scan reports beside the snapshot that is evaluated: how the read of each part went, and
//! details of applications for pages.

use serde::{Deserialize, Serialize};

use super::reading::{Reading, Why};
use crate::{
    Problem, Timestamp,
    id::{ObjectId, TenantId},
};

/// One part of a scan, and how its read went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRead {
    pub part: ScanPart,
    /// From the part's first request to its last answer. Waiting for the rate limiter is included.
    pub took_millis: i64,
    /// The number of requests for the part. Every retry counts.
    pub calls: u32,
    /// When the last known value that is used instead was read. None: there is no such value, or
    /// the part was read now.
    #[serde(default)]
    pub kept: Option<Timestamp>,
    #[serde(flatten)]
    pub result: PartResult,
}

impl PartRead {
    /// Why the part was not read. A part that the tenant does not have is no problem.
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
    /// The registrations of the tenant's own applications, which tell when their credentials
    /// expire.
    Registrations,
    /// Directory roles of service principals.
    DirectoryRoles,
    /// Role groups of Exchange with their members.
    RoleGroups,
    /// What service principals own.
    Owners,
    /// What agent identities inherit.
    Inherited,
    /// Delegated grants: what applications may do for people who sign in.
    Delegated,
    /// Rights of service principals on mailboxes.
    MailboxRights,
    /// The organisation's switch and list for EWS.
    Ews,
    /// Federated credentials and owners of the tenant's own applications.
    Federated,
    /// For which application a policy was meant, where the policy's id is no client id of an
    /// application that was read.
    PolicyTargets,
    /// App roles of other resources that reach mail, and keys of Exchange's own service principal.
    Others,
}

impl ScanPart {
    /// The part in words, for the beginning of a line.
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

/// The result of reading a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum PartResult {
    /// The whole part was read, with `count` objects.
    Read { count: u32 },
    /// The part was not read completely. `why` is for the evaluator, `problem` is for a person.
    Unread {
        #[serde(flatten)]
        why: Why,
        problem: Box<Problem>,
    },
}

/// Details of an application, apart from its reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalDetails {
    /// The publisher as Microsoft verified it. None: not verified.
    pub verified_publisher: Option<String>,
    /// The tenant in which the application is registered. None for managed identities.
    pub owner_tenant: Option<TenantId>,
    /// Since when the application is in this tenant.
    pub created_at: Option<Timestamp>,
    /// Notes that somebody of the customer wrote about the application.
    pub notes: Option<String>,
    /// Ordered by expiry, the earliest first. Credentials without an expiry come last.
    pub credentials: Vec<AppCredential>,
    /// Why the credentials of the registration could not be read. None: they were read, or the
    /// registration is not in this tenant.
    pub registration_unread: Option<Why>,
    /// Identities of other issuers that sign in as the application without a secret (MICROSOFT.md
    /// §10.6). None: the registration is not in this tenant, so it could not be asked, or an
    /// earlier version did not ask. None is not the same as an empty list.
    #[serde(default)]
    pub federated: Option<Reading<Vec<FederatedIdentity>>>,
    /// The owners of the service principal, and of the registration where that is in this tenant.
    /// Each owner can add a credential. None: an earlier version did not ask.
    #[serde(default)]
    pub owners: Option<Reading<Vec<AppOwner>>>,
}

/// A federated credential: who gets a token of this subject from this issuer can sign in as the
/// application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FederatedIdentity {
    pub name: String,
    pub issuer: String,
    /// None: the credential has a pattern instead, which Postern does not read.
    pub subject: Option<String>,
}

/// An owner of an application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppOwner {
    pub object: ObjectId,
    /// Which of the two objects this owner owns.
    pub of: CredentialOf,
    pub kind: OwnerKind,
    /// None: Graph gave no name.
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    User,
    ServicePrincipal,
    Other,
}

/// A secret or certificate with which an application signs in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppCredential {
    pub kind: CredentialKind,
    pub of: CredentialOf,
    pub name: Option<String>,
    /// None: Graph gave no expiry.
    pub ends_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    Secret,
    Certificate,
}

/// The object to which a credential belongs. The application can sign in with the credentials of
/// both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialOf {
    /// The service principal.
    Principal,
    /// The registration.
    Registration,
}
