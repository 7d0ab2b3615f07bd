//! Three further parts that decide who reaches a mailbox: rights of service principals on
//! mailboxes, the organisation's EWS switch, and delegated grants (what applications may do for
//! people who sign in).

use serde::{Deserialize, Serialize};

use super::reading::Reading;
use crate::{
    id::{AppId, ObjectId},
    permission::Resource,
};

/// What was read of these parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsSeen {
    /// Rights that service principals hold on mailboxes, for all principals that hold an IMAP, POP
    /// or SMTP permission (MICROSOFT.md §2.6).
    pub mailbox_rights: Reading<Vec<MailboxRight>>,
    /// The organisation's switch and list for EWS (MICROSOFT.md §2.8).
    pub ews: Reading<EwsSwitch>,
    /// `oauth2PermissionGrants` of clients with a scope that reaches mail (MICROSOFT.md §10.5).
    pub delegated: Reading<Vec<DelegatedGrant>>,
}

impl RightsSeen {
    /// The parts where all was read: no right, no delegated grant, and EWS at its default.
    pub const fn none() -> Self {
        Self {
            mailbox_rights: Reading::read(Vec::new()),
            ews: Reading::read(EwsSwitch {
                enabled: None,
                allowed: None,
            }),
            delegated: Reading::read(Vec::new()),
        }
    }
}

/// A right of a service principal on one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRight {
    pub mailbox: ObjectId,
    /// The service principal in Entra.
    pub holder: ObjectId,
    pub right: MailboxRightKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxRightKind {
    /// `FullAccess` of `Get-MailboxPermission`.
    FullAccess,
    /// `SendAs` of `Get-RecipientPermission`.
    SendAs,
}

/// The organisation's settings for EWS (MICROSOFT.md §2.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwsSwitch {
    /// `EwsEnabled`. None: null, whose meaning Microsoft changes over time.
    pub enabled: Option<bool>,
    /// `EwsAllowedAppIDs`. None: null. An empty list is a list, and not null.
    pub allowed: Option<Vec<AppId>>,
}

/// A delegated grant: what an application may do for people who sign in to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DelegatedGrant {
    /// The client's service principal.
    pub client: ObjectId,
    pub resource: Resource,
    /// The grant is for everybody of the tenant (`AllPrincipals`), given by an administrator.
    /// Otherwise it is for `people` users.
    pub for_all: bool,
    /// The number of users who have a grant of their own.
    pub people: u32,
    /// Only the scopes that reach mail or administer Exchange, in order.
    pub scopes: Vec<String>,
}
