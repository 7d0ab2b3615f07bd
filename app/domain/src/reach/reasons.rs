//! Reasons: what decided an answer, as data from which a page makes sentences.

use serde::{Deserialize, Serialize};

use super::{permission::Permission, reading::Why};
use crate::{
    id::{AppRoleId, ObjectId},
    permission::Resource,
};

/// Something that is not known, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    pub part: Part,
    #[serde(flatten)]
    pub why: Why,
}

/// What should have been read or understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// The list of service principals.
    Principals,
    /// One service principal that a grant or an assignment names.
    Principal { object: ObjectId },
    /// Who holds app roles of a resource.
    Grants { resource: Resource },
    /// What a resource calls one of its app roles.
    AppRole { resource: Resource, role: AppRoleId },
    /// The access policies.
    Policies,
    /// Whether one policy is in force: Exchange reports it as invalid.
    Policy { identity: String },
    /// The scope of a policy.
    PolicyScope {
        identity: String,
        object: Option<ObjectId>,
    },
    /// Exchange's pointers to service principals.
    Pointers,
    /// The pointer that an assignment needs.
    Pointer { assignee: String },
    /// The role assignments.
    Assignments,
    /// What a role of that name lets an application do.
    Role { name: String },
    /// The list of management scopes.
    Scopes,
    /// One management scope.
    Scope { name: String },
    /// Which mailboxes the filter of a scope matches.
    Filter { scope: String },
    /// The scope of an assignment, in Exchange's words.
    AssignmentScope { text: String },
    /// The members of a group.
    Members { group: ObjectId },
    /// The members of an administrative unit.
    Unit { object: ObjectId },
    /// Whether members of groups in this group count: Microsoft's documents and reports differ.
    Nested { group: ObjectId },
    /// The list of mailboxes. Without it nobody knows whether some mailboxes are all.
    Mailboxes,
    /// Which mailboxes are those of groups or of Bookings.
    Kinds,
    /// The reach of a permission that depends on something Postern cannot see.
    Elsewhere { value: String },
    /// Rights of service principals on mailboxes.
    MailboxRights,
    /// Whether one of the two rights is enough for SMTP.
    SmtpRight,
    /// The organisation's switch and list for EWS.
    Ews,
    /// Roles in the directory.
    DirectoryRoles,
    /// Role groups of Exchange.
    RoleGroups,
    /// The members of one role group.
    RoleGroup { name: String },
    /// What service principals own.
    Ownerships,
    /// What agent identities inherit.
    Inherited,
    /// App roles of resources other than Graph and Exchange, and keys of Exchange itself.
    Others,
    /// Whether a policy for an agent identity's blueprint narrows the agent identity.
    BlueprintPolicy { identity: String },
    /// Delegated grants: what applications may do for people who sign in.
    Delegated,
    /// The mailbox of the question is not in the list of mailboxes.
    Mailbox { object: ObjectId },
}

/// The answer for one application, one permission and one mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allowed,
    /// The use cannot be ruled out.
    Unknown,
    Refused,
}

/// A [`Verdict`] with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct May {
    pub verdict: Verdict,
    /// For an allowed use: every route. For a refused use: what refuses it. For an unknown use:
    /// what is missing.
    pub because: Vec<Because>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// Allowed: the grant in Entra, which no policy governs.
    GrantNotGoverned { role: AppRoleId },
    /// Allowed: the grant in Entra, and there is no RestrictAccess policy for the application.
    GrantUnrestricted { role: AppRoleId },
    /// Allowed: the grant in Entra, and the mailbox is in what this RestrictAccess policy names.
    GrantInPolicy { role: AppRoleId, policy: String },
    /// Allowed: the grant in Entra reaches mailboxes on which Exchange gives the application
    /// rights, and it has them on this mailbox.
    GrantWithRight { role: AppRoleId },
    /// Allowed: the grant in Entra is about mailboxes of a kind, and this mailbox is of that kind.
    GrantForKind { role: AppRoleId },
    /// Allowed: an Exchange role with the mailbox in its scope.
    Assignment { assignment: String },
    /// Refused: the principal is switched off.
    Disabled,
    /// Refused: there is no such service principal.
    NoPrincipal,
    /// Refused: the organisation has switched EWS off.
    EwsOff,
    /// Refused: EWS is on for a list of applications, and this one is not on it.
    EwsNotListed,
    /// Refused: the grant in Entra needs rights on the mailbox, and the application has none here.
    NoRight { role: AppRoleId },
    /// Refused: the grant in Entra is about mailboxes of another kind.
    OtherKind { role: AppRoleId },
    /// Refused: no grant and no role confers the permission.
    NotHeld,
    /// Refused: this DenyAccess policy refuses the grant in Entra.
    DeniedByPolicy { policy: String },
    /// Refused: none of the RestrictAccess policies for the grant in Entra contains the mailbox.
    OutsidePolicies { policies: Vec<String> },
    /// Refused: the mailbox is outside the scope of this Exchange role.
    OutsideScope { assignment: String },
    /// Refused: this role assignment is switched off.
    AssignmentDisabled { assignment: String },
    /// Unknown: this gap.
    NotKnown { gap: Gap },
}

/// One use of a permission on a mailbox that is allowed or cannot be ruled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub application: ObjectId,
    /// None: a permission that may exist unseen.
    pub permission: Option<Permission>,
    /// Allowed or unknown.
    pub may: May,
}
