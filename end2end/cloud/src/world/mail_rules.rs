//! What decides about a mail beside grants, rights and switches: which mailboxes live, and what
//! they may appear as (MICROSOFT.md §2.6, §5.1).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::rights::{Right, holds, sends_on_behalf};
use super::tenant::Tenant;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct MailRules {
    /// Mailboxes of leavers: kept, and closed to Graph.
    pub inactive: BTreeSet<Uuid>,
    /// Whether the organisation lets people send from their aliases.
    pub from_aliases: bool,
    /// How many mails a mailbox may still send today; who is not in it may send any number.
    pub quotas: BTreeMap<Uuid, u64>,
}

impl Tenant {
    /// The recipient that has an address, as its primary one or another.
    pub fn holder_of(&self, address: &str) -> Option<Uuid> {
        let same = |other: &String| other.eq_ignore_ascii_case(address);
        let person = self.users.values().find(|user| {
            let mailbox = user.mailbox.as_ref();
            mailbox.is_some_and(|it| same(&it.smtp) || it.aliases.iter().any(same))
        });
        let group = self.groups.values().find(|group| {
            group.kind.has_mail() && (same(&group.smtp) || group.aliases.iter().any(same))
        });
        let group = group.map(|group| group.id);
        person.map(|user| user.id).or(group)
    }

    /// Whether somebody may send as another recipient, or on its behalf.
    pub fn may_appear_as(&self, holder: Uuid, recipient: Uuid) -> bool {
        holds(self, holder, recipient, Right::SendAs) || sends_on_behalf(self, holder, recipient)
    }
}
