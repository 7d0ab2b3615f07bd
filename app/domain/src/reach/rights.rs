//! What else decides who reaches a mailbox: rights of service principals on mailboxes, the
//! organisation's EWS switch, and what applications may do for whoever signs in to them.

use serde::{Deserialize, Serialize};

use super::reading::Reading;
use crate::{
    id::{AppId, ObjectId},
    permission::Resource,
};

/// What was read of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsSeen {
    /// Rights that service principals hold on mailboxes: all of those principals that hold an
    /// IMAP, POP or SMTP permission (MICROSOFT.md §2.6).
    pub mailbox_rights: Reading<Vec<MailboxRight>>,
    /// The organisation's switch and list for EWS (MICROSOFT.md §2.8).
    pub ews: Reading<EwsSwitch>,
    /// `oauth2PermissionGrants` of clients with a scope that reaches mail (MICROSOFT.md §10.5).
    pub delegated: Reading<Vec<DelegatedGrant>>,
}

impl RightsSeen {
    /// All of it was read: no right, no delegated grant, and EWS as it is by default.
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

/// What the organisation says of EWS (MICROSOFT.md §2.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwsSwitch {
    /// `EwsEnabled`; none: null, which Microsoft treats as it sees fit at the time.
    pub enabled: Option<bool>,
    /// `EwsAllowedAppIDs`; none: null. An empty list is a list.
    pub allowed: Option<Vec<AppId>>,
}

/// What an application may do for whoever signs in to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DelegatedGrant {
    /// The client's service principal.
    pub client: ObjectId,
    pub resource: Resource,
    /// For everybody of the tenant (`AllPrincipals`), given by an administrator. Else for
    /// `people` users.
    pub for_all: bool,
    /// How many users it was granted for one by one.
    pub people: u32,
    /// Only the scopes that reach mail or administer Exchange, in order.
    pub scopes: Vec<String>,
}
