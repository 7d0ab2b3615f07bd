//! Rights on single mailboxes: full access, send as, send on behalf (MICROSOFT.md §2.6).

use uuid::Uuid;

use super::tenant::{GroupKind, Tenant};

/// What `Add-MailboxPermission` and `Add-RecipientPermission` give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    ChangeOwner,
    ChangePermission,
    DeleteItem,
    ExternalAccount,
    FullAccess,
    ReadPermission,
    SendAs,
}

impl Right {
    pub const ALL: [Self; 7] = [
        Self::ChangeOwner,
        Self::ChangePermission,
        Self::DeleteItem,
        Self::ExternalAccount,
        Self::FullAccess,
        Self::ReadPermission,
        Self::SendAs,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ChangeOwner => "ChangeOwner",
            Self::ChangePermission => "ChangePermission",
            Self::DeleteItem => "DeleteItem",
            Self::ExternalAccount => "ExternalAccount",
            Self::FullAccess => "FullAccess",
            Self::ReadPermission => "ReadPermission",
            Self::SendAs => "SendAs",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|right| right.name().eq_ignore_ascii_case(name))
    }
}

/// One right of somebody on a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRight {
    /// Object id of the mailbox's owner, or of the Microsoft 365 group.
    pub mailbox: Uuid,
    /// Object id of a person, a group or a service principal.
    pub holder: Uuid,
    pub right: Right,
    pub deny: bool,
    pub inherited: bool,
}

/// Whether somebody holds a right on a mailbox, themselves or as a member of a mail-enabled
/// security group. What is denied is not held.
pub fn holds(tenant: &Tenant, holder: Uuid, mailbox: Uuid, right: Right) -> bool {
    let mut held = false;
    for entry in &tenant.exchange.rights {
        if entry.mailbox != mailbox || entry.right != right {
            continue;
        }
        let theirs = entry.holder == holder
            || tenant
                .groups
                .get(&entry.holder)
                .is_some_and(|group| group.kind == GroupKind::MailSecurity)
                && tenant.contains_nested(entry.holder, holder, &|member| member.removed.is_none());
        if theirs && entry.deny {
            return false;
        }
        held |= theirs;
    }
    held
}

/// Whether somebody may send on behalf of a mailbox.
pub fn sends_on_behalf(tenant: &Tenant, holder: Uuid, mailbox: Uuid) -> bool {
    tenant
        .exchange
        .extras
        .get(&mailbox)
        .is_some_and(|extras| extras.send_on_behalf.contains(&holder))
}
