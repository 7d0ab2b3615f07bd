//! Effective access: which mailboxes each application can really touch, with which permission, and
//! why (DESIGN.md §5; MICROSOFT.md §§2.4, 3, 4, 5).
//!
//! [`Seen`] is a snapshot of one customer. It says of each part whether that part was read at all.
//! [`Judge`] is the evaluator: it answers from the snapshot, for the whole tenant
//! ([`Judge::reach`]) and for one mailbox ([`Judge::may`], [`Judge::who`]). Both answers apply the
//! same rules in separate code, so that one can be tested against the other:
//!
//! - Entra's grants and Exchange's role assignments are a union. Access policies narrow grants in
//!   Entra only, and of those only the permissions on Microsoft's list (§2.4, §3.5, §4).
//! - `full_access_as_app` opens everything through EWS, whatever other permissions are confined to.
//!   Access policies narrow it (§4), and nothing else does.
//! - Legacy Outlook permissions of Exchange Online, and IMAP, POP and SMTP, are outside access
//!   policies. IMAP, POP and SMTP reach the mailboxes on which Exchange gives the service principal
//!   rights (§2.6), and no others.
//! - The organisation's switch for EWS applies after everything that opens EWS (§2.8).
//! - Powers (§10) come before everything: an application with a power goes around every
//!   confinement.
//! - Permissions that reach mail through another door (§10.2, class E) have mailboxes of their own.
//! - The policies of one application, those for `*` included, are evaluated together: DenyAccess
//!   first, then any RestrictAccess that matches, then whether there is a RestrictAccess at all.
//! - Whether policies count members of members is disputed (§2.4): such members may be inside, and
//!   are not surely so. Scopes of role assignments count direct members only.
//! - Exclusive scopes do not restrict applications.
//!
//! A part that was not read becomes a set of which only a lower bound and an upper bound are known.
//! Reading less can only lower the one and raise the other, so *unknown* cannot look safe. What is
//! certain in spite of a missing part stays certain.

mod answer;
mod around;
mod assignments;
mod boundary;
mod changes;
mod gates;
mod judge;
mod kept;
mod lists;
mod lost;
mod mailbox;
mod mailbox_set;
mod members;
mod notes;
mod permission;
mod policies;
mod powers;
mod reading;
mod reasons;
mod rights;
mod roles;
mod scanned;
mod seen;
mod set;
mod subjects;
mod tenant;

#[cfg(test)]
mod beside;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod made_up;
#[cfg(test)]
mod missing;
#[cfg(test)]
mod powers_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod size;

pub use answer::{
    Answer, ApplicationReach, AssignmentNode, Count, Extent, GapId, GrantFate, Level, Narrowing,
    Note, Owner, PermissionReach, PolicyNode, Reach, Route, SetId,
};
pub use changes::{Change, Changed, Direction, Known, Mailboxes};
pub use judge::Judge;
pub use kept::Kept;
pub use lost::Lingering;
pub use mailbox_set::MailboxSet;
pub use permission::Permission;
pub use powers::{
    DirectoryRole, InheritedGrant, Other, OtherHeld, Ownership, Power, PowerKind, PowerSource,
    Powers, PowersSeen, RoleGroup,
};
pub use reading::{Reading, Why};
pub use reasons::{Access, Because, Gap, May, Part, Verdict};
pub use rights::{DelegatedGrant, EwsSwitch, MailboxRight, MailboxRightKind, RightsSeen};
pub use roles::{Confers, confers};
pub use scanned::{
    AppCredential, AppOwner, CredentialKind, CredentialOf, FederatedIdentity, OwnerKind, PartRead,
    PartResult, PrincipalDetails, ScanPart,
};
pub use seen::{
    AdministrativeUnit, Assignment, AssignmentScope, Grant, Group, MailboxKind, ManagementScope,
    Meant, Members, Pointer, Principal, PrincipalKind, Seen, StrayPolicy,
};
