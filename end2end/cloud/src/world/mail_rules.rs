//! What decides about a mail beside grants: who may appear as whom, which programs are let in,
//! which mailboxes live (MICROSOFT.md §2.6, §2.8, §5.1).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::tenant::Tenant;
use crate::faults::glob;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct MailRules {
    /// Mailboxes of leavers: kept, and closed to Graph.
    pub inactive: BTreeSet<Uuid>,
    /// Who may send as, or on behalf of, which recipient: holder and recipient.
    pub send_as: BTreeSet<(Uuid, Uuid)>,
    /// Whether the organisation lets people send from their aliases.
    pub from_aliases: bool,
    /// How many mails a mailbox may still send today; who is not in it may send any number.
    pub quotas: BTreeMap<Uuid, u64>,
    /// `EwsApplicationAccessPolicy` of the organisation.
    pub agents: Option<AgentRule>,
    /// … and of single mailboxes.
    pub agents_of: BTreeMap<Uuid, AgentRule>,
}

/// A list of user agents, with `*`.
#[derive(Debug, Clone)]
pub struct AgentRule {
    /// `EnforceAllowList`, or else `EnforceBlockList`.
    pub allows: bool,
    pub list: Vec<String>,
}

impl AgentRule {
    fn admits(&self, agent: &str) -> bool {
        self.list.iter().any(|pattern| glob(pattern, agent)) == self.allows
    }
}

impl Tenant {
    /// Whether the lists of the organisation and of the mailbox let a program in. Both must.
    pub fn admits_agent(&self, mailbox: Uuid, agent: &str) -> bool {
        let rules = &self.directory.mail;
        let own = rules.agents_of.get(&mailbox);
        rules
            .agents
            .iter()
            .chain(own)
            .all(|rule| rule.admits(agent))
    }

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
        self.directory.mail.send_as.contains(&(holder, recipient))
    }
}
