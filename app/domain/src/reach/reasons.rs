//! Why: what decided, as data from which a page makes words and pictures.

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

/// What was to be read or understood.
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
    /// Whether one policy is in force: Exchange calls it invalid.
    Policy { identity: String },
    /// What a policy is about.
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
    /// What narrows an assignment, in Exchange's words.
    AssignmentScope { text: String },
    /// The members of a group.
    Members { group: ObjectId },
    /// The members of an administrative unit.
    Unit { object: ObjectId },
    /// Whether members of groups in this group count: Microsoft's documents and reports differ.
    Nested { group: ObjectId },
    /// The list of mailboxes: whether some of them are all that there are.
    Mailboxes,
    /// Which mailboxes are those of groups or of Bookings.
    Kinds,
    /// What a permission reaches that depends on something Postern cannot see.
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
    /// The members of one of them.
    RoleGroup { name: String },
    /// What service principals own.
    Ownerships,
    /// What agent identities inherit.
    Inherited,
    /// What is held of other resources than Graph and Exchange, and keys of Exchange itself.
    Others,
    /// Whether a policy for an agent identity's blueprint narrows the agent identity.
    BlueprintPolicy { identity: String },
    /// What applications may do for whoever signs in.
    Delegated,
    /// The mailbox that was asked about is not in the list of mailboxes.
    Mailbox { object: ObjectId },
}

/// The answer for one application, one permission and one mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allowed,
    /// Cannot be ruled out.
    Unknown,
    Refused,
}

/// [`Verdict`] with what decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct May {
    pub verdict: Verdict,
    /// Of an allowed use: every way in. Of a refused one: what stands in the way. Of an unknown
    /// one: what is missing.
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
    /// Allowed: the grant in Entra, which reaches what Exchange opens to it by rights on the
    /// mailbox, and it holds them here.
    GrantWithRight { role: AppRoleId },
    /// Allowed: the grant in Entra, which is about mailboxes of this kind, and this is one.
    GrantForKind { role: AppRoleId },
    /// Allowed: an Exchange role in whose scope the mailbox is.
    Assignment { assignment: String },
    /// Refused: the principal is switched off.
    Disabled,
    /// Refused: there is no such service principal.
    NoPrincipal,
    /// Refused: the organisation has switched EWS off.
    EwsOff,
    /// Refused: EWS is on for a list of applications, and this one is not on it.
    EwsNotListed,
    /// Refused: the grant in Entra, without rights on this mailbox.
    NoRight { role: AppRoleId },
    /// Refused: the grant in Entra, which is about mailboxes of another kind.
    OtherKind { role: AppRoleId },
    /// Refused: neither a grant nor a role holds the permission.
    NotHeld,
    /// Refused: the grant in Entra, by this DenyAccess policy.
    DeniedByPolicy { policy: String },
    /// Refused: the grant in Entra; the mailbox is in none of these RestrictAccess policies.
    OutsidePolicies { policies: Vec<String> },
    /// Refused: the mailbox is outside the scope of this Exchange role.
    OutsideScope { assignment: String },
    /// Refused: this role assignment is switched off.
    AssignmentDisabled { assignment: String },
    /// Unknown: this is missing.
    NotKnown { gap: Gap },
}

/// One use of a permission that cannot be ruled out for a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub application: ObjectId,
    /// None: some permission that may be there unseen.
    pub permission: Option<Permission>,
    /// Allowed or unknown.
    pub may: May,
}
