//! Exchange's view of a tenant: recipients, who they are called, and who is in which group.

use uuid::Uuid;

use super::tenant::{Change, Group, GroupKind, Mailbox, MailboxKind, Tenant, User};
use crate::clock::Time;

/// A recipient: somebody with a mailbox or an address, or a group with one.
#[derive(Debug, Clone, Copy)]
pub enum Recipient<'a> {
    Person(&'a User, &'a Mailbox),
    Group(&'a Group),
}

impl<'a> Recipient<'a> {
    /// The Entra object id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Person(user, _) => user.id,
            Self::Group(group) => group.id,
        }
    }

    /// Exchange's own id.
    pub fn guid(&self) -> Uuid {
        match self {
            Self::Person(_, mailbox) => mailbox.guid,
            Self::Group(group) => group.guid,
        }
    }

    /// The unique name. That of mailboxes is the Entra object id in current tenants
    /// (MICROSOFT.md §2.5).
    pub fn name(&self) -> String {
        match self {
            Self::Person(user, _) => user.id.to_string(),
            Self::Group(group) => group.name.clone(),
        }
    }

    pub fn alias(&self) -> &'a str {
        match *self {
            Self::Person(_, mailbox) => &mailbox.alias,
            Self::Group(group) => &group.alias,
        }
    }

    pub fn display_name(&self) -> &'a str {
        match *self {
            Self::Person(user, _) => &user.display_name,
            Self::Group(group) => &group.display_name,
        }
    }

    pub fn smtp(&self) -> &'a str {
        match *self {
            Self::Person(_, mailbox) => &mailbox.smtp,
            Self::Group(group) => &group.smtp,
        }
    }

    pub fn other_addresses(&self) -> &'a [String] {
        match *self {
            Self::Person(_, mailbox) => &mailbox.aliases,
            Self::Group(group) => &group.aliases,
        }
    }

    pub fn details(&self) -> &'static str {
        match self {
            Self::Person(user, mailbox)
                if mailbox.kind == MailboxKind::MailUser && user.guest_of.is_some() =>
            {
                "GuestMailUser"
            }
            Self::Person(_, mailbox) => mailbox.kind.details(),
            Self::Group(group) => group.kind.details(),
        }
    }

    /// `RecipientType`.
    pub fn recipient_type(&self) -> &'static str {
        match self {
            Self::Person(_, mailbox) => mailbox.kind.recipient_type(),
            Self::Group(group) => match group.kind {
                GroupKind::Microsoft365 => "MailUniversalDistributionGroup",
                kind => kind.details(),
            },
        }
    }

    pub fn rid(&self) -> u32 {
        match self {
            Self::Person(_, mailbox) => mailbox.rid,
            Self::Group(group) => group.rid,
        }
    }

    pub fn hidden(&self) -> bool {
        match self {
            Self::Person(_, mailbox) => mailbox.hidden,
            Self::Group(group) => group.hidden,
        }
    }

    pub fn custom_attribute(&self, tenant: &Tenant, number: u8) -> Option<String> {
        match self {
            Self::Person(_, mailbox) => mailbox.custom_attributes.get(&number).cloned(),
            Self::Group(group) => tenant
                .exchange
                .extras
                .get(&group.id)
                .and_then(|extras| extras.custom_attributes.get(&number).cloned()),
        }
    }

    /// Whether it can be the scope of an access policy by its nature (§2.4).
    pub fn is_security_principal(&self) -> bool {
        matches!(
            self.details(),
            "UserMailbox" | "MailUser" | "MailUniversalSecurityGroup" | "LinkedMailbox"
        )
    }

    /// All addresses with their prefixes, the primary one in capitals.
    pub fn email_addresses(&self) -> Vec<String> {
        let mut out = vec![format!("SMTP:{}", self.smtp())];
        out.extend(
            self.other_addresses()
                .iter()
                .map(|address| format!("smtp:{address}")),
        );
        if let Self::Person(user, mailbox) = self
            && mailbox.kind.is_mailbox()
        {
            out.push(format!("SIP:{}", user.upn));
            out.push(format!("SPO:SPO_{}", user.id));
        }
        out
    }

    /// Whether the text is one of the names that Exchange accepts as identity (§2.2).
    pub fn answers_to(&self, tenant: &Tenant, identity: &str) -> bool {
        if let Ok(id) = Uuid::parse_str(identity) {
            return id == self.id() || id == self.guid();
        }
        let same = |text: &str| text.eq_ignore_ascii_case(identity);
        if identity.starts_with("CN=") || identity.starts_with("cn=") {
            return same(&tenant.distinguished_name(&self.name()));
        }
        let address = strip_smtp(identity);
        same(&self.name())
            || same(self.alias())
            || same(self.display_name())
            || self.smtp().eq_ignore_ascii_case(address)
            || self
                .other_addresses()
                .iter()
                .any(|other| other.eq_ignore_ascii_case(address))
            || matches!(self, Self::Person(user, _) if same(&user.upn))
            || same(&tenant.sid(self.rid()))
            || same(&format!("{}/{}", tenant.initial_domain, self.name()))
    }
}

/// Takes a leading `smtp:` away, whatever its case.
fn strip_smtp(text: &str) -> &str {
    match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("smtp:") => text.get(5..).unwrap_or(text),
        _ => text,
    }
}

impl Tenant {
    /// Every recipient that Exchange's reads show now, people first.
    pub fn recipients(&self, now: Time) -> impl Iterator<Item = Recipient<'_>> {
        let people = self.users.values().filter_map(|user| {
            user.mailbox
                .as_ref()
                .map(|mailbox| Recipient::Person(user, mailbox))
        });
        let groups = self
            .groups
            .values()
            .filter(move |group| group.kind.has_mail() && group.in_exchange <= now)
            .map(Recipient::Group);
        people.chain(groups)
    }

    /// The recipient of that identity, if reads show it.
    pub fn recipient(&self, identity: &str, now: Time) -> Option<Recipient<'_>> {
        // Ids are by far the most frequent and need no search.
        if let Ok(id) = Uuid::parse_str(identity) {
            if let Some(user) = self.users.get(&id)
                && let Some(mailbox) = &user.mailbox
            {
                return Some(Recipient::Person(user, mailbox));
            }
            if let Some(group) = self.groups.get(&id)
                && group.kind.has_mail()
                && group.in_exchange <= now
            {
                return Some(Recipient::Group(group));
            }
        }
        self.recipients(now)
            .find(|recipient| recipient.answers_to(self, identity))
    }

    /// The object id of the recipient of that identity, seen by Exchange's reads or not.
    pub fn known_recipient(&self, identity: &str) -> Option<Uuid> {
        self.recipients(Time::MAX_UTC)
            .find(|recipient| recipient.answers_to(self, identity))
            .map(|recipient| recipient.id())
    }

    /// The recipient with that Entra object id, visible or not.
    pub fn recipient_by_id(&self, id: Uuid) -> Option<Recipient<'_>> {
        if let Some(group) = self.groups.get(&id) {
            return Some(Recipient::Group(group));
        }
        let user = self.users.get(&id)?;
        user.mailbox
            .as_ref()
            .map(|mailbox| Recipient::Person(user, mailbox))
    }

    /// Whether a group of another object has the name, visible or not.
    pub fn group_name_is_taken(&self, name: &str, own: Option<Uuid>) -> bool {
        self.groups
            .values()
            .filter(|group| Some(group.id) != own && group.kind.has_mail())
            .any(|group| group.name.eq_ignore_ascii_case(name))
    }

    pub fn alias_is_taken(&self, alias: &str, own: Option<Uuid>) -> bool {
        let same = |other: &str| other.eq_ignore_ascii_case(alias);
        let people = self
            .users
            .values()
            .filter(|user| Some(user.id) != own)
            .filter_map(|user| user.mailbox.as_ref())
            .any(|mailbox| same(&mailbox.alias));
        people
            || self
                .groups
                .values()
                .filter(|group| Some(group.id) != own && group.kind.has_mail())
                .any(|group| same(&group.alias))
    }

    /// The name of whatever holds an address, visible or not, deleted a while ago or not.
    pub fn holder_of_address(&self, address: &str, own: Option<Uuid>) -> Option<String> {
        let same = |other: &String| other.eq_ignore_ascii_case(address);
        let person = self
            .users
            .values()
            .filter(|user| Some(user.id) != own)
            .find(|user| {
                same(&user.upn)
                    || user.mailbox.as_ref().is_some_and(|mailbox| {
                        same(&mailbox.smtp) || mailbox.aliases.iter().any(same)
                    })
            })
            .map(|user| user.id.to_string());
        let group = || {
            self.groups
                .values()
                .filter(|group| Some(group.id) != own && group.kind.has_mail())
                .find(|group| same(&group.smtp) || group.aliases.iter().any(same))
                .map(|group| group.name.clone())
        };
        let deleted = || {
            self.exchange
                .soft_deleted
                .iter()
                .find(|gone| same(&gone.smtp) || gone.aliases.iter().any(same))
                .map(|gone| format!("Soft Deleted Objects\\{}", gone.id))
        };
        person.or_else(group).or_else(deleted)
    }

    /// Members that a side sees now. Ids may be of users or groups.
    pub fn members_seen<'a>(
        &'a self,
        group: &'a Group,
        now: Time,
        side: fn(&Change) -> Time,
    ) -> impl Iterator<Item = Uuid> + 'a {
        group
            .members
            .iter()
            .filter(move |entry| entry.seen(now, side))
            .map(|entry| entry.member)
    }

    /// Whether `target` is in the group, directly or through groups inside it. `counts` decides
    /// which memberships hold.
    pub fn contains_nested(
        &self,
        group: Uuid,
        target: Uuid,
        counts: &dyn Fn(&super::tenant::Membership) -> bool,
    ) -> bool {
        let mut open = vec![group];
        let mut seen = Vec::new();
        while let Some(next) = open.pop() {
            if seen.contains(&next) {
                continue;
            }
            seen.push(next);
            let Some(group) = self.groups.get(&next) else {
                continue;
            };
            for entry in group.members.iter().filter(|entry| counts(entry)) {
                if entry.member == target {
                    return true;
                }
                if self.groups.contains_key(&entry.member) {
                    open.push(entry.member);
                }
            }
        }
        false
    }

    /// All people in the group, directly or through groups inside it.
    pub fn people_nested(
        &self,
        group: Uuid,
        counts: &dyn Fn(&super::tenant::Membership) -> bool,
    ) -> Vec<Uuid> {
        let mut open = vec![group];
        let mut seen = Vec::new();
        let mut out = Vec::new();
        while let Some(next) = open.pop() {
            if seen.contains(&next) {
                continue;
            }
            seen.push(next);
            let members = self.groups.get(&next).into_iter().flat_map(|group| {
                group
                    .members
                    .iter()
                    .filter(|entry| counts(entry))
                    .map(|entry| entry.member)
            });
            for member in members {
                if self.groups.contains_key(&member) {
                    open.push(member);
                } else if !out.contains(&member) {
                    out.push(member);
                }
            }
        }
        out
    }
}
