//! The plan of a setup: approved once, never changed afterwards.

pub mod compared;

use serde::{Deserialize, Serialize};

use crate::{
    Problem,
    address::MailAddress,
    cmdlet::Cmdlet,
    id::{AppId, ObjectId, SetupId},
    problem::Remedy,
    provable::Unprovable,
    proving::{MAILS_A_DAY, ROUNDS, SUBJECT, TRIED_SENDERS},
    step::Must,
};

/// A mailbox of the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its object id in Entra.
    pub object: ObjectId,
    pub address: MailAddress,
    pub name: String,
    pub kind: MailboxKind,
}

/// The kind of a mailbox. Only `RecipientTypeDetails` decides it: other properties mislead
/// (MICROSOFT.md §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    User,
    Shared,
    Room,
    Equipment,
    Other,
}

impl MailboxKind {
    /// The kind for a value of Exchange's `RecipientTypeDetails`.
    pub fn from_details(details: &str) -> Self {
        match details {
            "UserMailbox" | "LinkedMailbox" => Self::User,
            "SharedMailbox" => Self::Shared,
            "RoomMailbox" | "LinkedRoomMailbox" => Self::Room,
            "EquipmentMailbox" => Self::Equipment,
            _ => Self::Other,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Room => "room",
            Self::Equipment => "equipment",
            Self::Other => "other",
        }
    }

    /// Whether a plan may permit sending as such a mailbox.
    pub const fn can_send(self) -> bool {
        matches!(self, Self::User | Self::Shared)
    }
}

/// The application that a plan confines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confined {
    pub object: ObjectId,
    pub app_id: AppId,
    pub name: String,
}

/// The group of a plan. The application may send as the group's members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Group {
    /// The setup makes the group.
    New {
        name: GroupName,
        address: MailAddress,
    },
    /// The group exists: a mail-enabled security group that holds the senders and nobody else.
    Existing {
        object: ObjectId,
        name: String,
        address: MailAddress,
    },
}

impl Group {
    pub const fn address(&self) -> &MailAddress {
        match self {
            Self::New { address, .. } | Self::Existing { address, .. } => address,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::New { name, .. } => name.as_str(),
            Self::Existing { name, .. } => name,
        }
    }
}

/// The name of a group that Postern makes. It is also the group's alias.
///
/// It has at most 64 characters, all of them valid in an alias (MICROSOFT.md §2.1). Exchange would
/// replace any other character with `?`, and then nobody would find the group by the approved name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

impl GroupName {
    pub const LONGEST: usize = 64;

    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let wrong = |happened: &str, todo: &str| Err(Problem::input("group", happened, todo));
        if text.is_empty() {
            return wrong(
                "The group has no name.",
                "Give the group a name, such as postern-mailer.",
            );
        }
        if text.len() > Self::LONGEST {
            return wrong(
                "The group's name is longer than 64 characters.",
                "Choose a shorter name.",
            );
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !text.chars().all(allowed)
            || text.starts_with('.')
            || text.ends_with('.')
            || text.contains("..")
        {
            return wrong(
                "The group's name has characters that Exchange does not take in an alias.",
                "Use letters without accents, digits, dots, hyphens and underscores, no spaces.",
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// A name made from the application's: `postern-reception-mailer` for “Reception Mailer”.
    pub fn suggest(application: &str) -> Self {
        let mut slug = String::from("postern");
        let mut gap = true;
        for c in application.chars() {
            if c.is_ascii_alphanumeric() {
                if gap {
                    slug.push('-');
                    gap = false;
                }
                slug.push(c.to_ascii_lowercase());
            } else {
                gap = true;
            }
            if slug.len() >= 56 {
                break;
            }
        }
        if slug == "postern" {
            slug.push_str("-application");
        }
        Self(slug)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl TryFrom<String> for GroupName {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        Self::parse(&text)
    }
}

/// What a person chose in the wizard. Nothing of it has been checked against the tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Draft {
    /// The object id of the application's service principal.
    pub application: String,
    pub senders: Vec<String>,
    pub refused: Vec<String>,
    /// The name of a new group, or the address of an existing one. A text with an `@` is an
    /// address.
    pub group: String,
    /// Whether real mail is to be sent at the end.
    pub prove: bool,
    /// The recipient of the proof's mails. Empty: the first permitted sender.
    #[serde(default)]
    pub recipient: String,
}

/// An approved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub application: Confined,
    /// The mailboxes that the application may send as.
    pub senders: Vec<Mailbox>,
    /// The mailboxes that the application must not send as. The proof tries them.
    pub refused: Vec<Mailbox>,
    pub group: Group,
    /// Whether real mail is to be sent at the end.
    pub prove: bool,
    /// Why real mail cannot show anything. None: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unprovable: Option<Unprovable>,
    /// The recipient of the proof's mails. None: the first permitted sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<MailAddress>,
    /// What stays open beside the policy: each sentence in the words in which a person confirmed
    /// it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

/// Maximum number of senders. A person does not choose more by hand, and more members would take
/// several pages to read.
pub const MOST_SENDERS: usize = 500;
/// Maximum number of mailboxes that must be refused. Each of them is tried with real mail.
pub const MOST_REFUSED: usize = 10;

/// Fails when there are too many senders or too many mailboxes that must be refused.
fn check_counts(senders: usize, refused: usize) -> Result<(), Problem> {
    if senders > MOST_SENDERS {
        return Err(Problem::input(
            "senders",
            format!("{senders} senders were chosen; {MOST_SENDERS} are the most."),
            "Choose an existing group instead.",
        ));
    }
    if refused > MOST_REFUSED {
        return Err(Problem::input(
            "refused",
            format!("{refused} mailboxes must be refused; {MOST_REFUSED} are the most."),
            "Choose a few that matter.",
        ));
    }
    Ok(())
}

impl Draft {
    /// Checks the number of chosen mailboxes, without a request to the tenant.
    pub fn check_size(&self) -> Result<(), Problem> {
        check_counts(self.senders.len(), self.refused.len())
    }
}

impl Plan {
    /// Checks that the plan is consistent in itself.
    pub fn check(&self) -> Result<(), Problem> {
        let input =
            |field: &str, happened: String, todo: &str| Err(Problem::input(field, happened, todo));
        if self.senders.is_empty() {
            return input(
                "senders",
                "No permitted sender was chosen.".into(),
                "Choose at least one mailbox.",
            );
        }
        check_counts(self.senders.len(), 0)?;
        if let Some(wrong) = self.senders.iter().find(|mailbox| !mailbox.kind.can_send()) {
            return input(
                "senders",
                format!("{} is a {} mailbox.", wrong.address, wrong.kind.word()),
                "Choose user or shared mailboxes.",
            );
        }
        if self.refused.is_empty() {
            return input(
                "refused",
                "No mailbox was chosen that must be refused.".into(),
                "Choose at least one: without it nothing shows that the policy refuses anybody.",
            );
        }
        check_counts(0, self.refused.len())?;
        if let Some(other) = self
            .refused
            .iter()
            .find(|mailbox| mailbox.kind == MailboxKind::Other)
        {
            return input(
                "refused",
                format!("{} is a mailbox of Exchange's own.", other.address),
                "Choose the mailbox of a person or a shared one: nothing is shown by a refusal there.",
            );
        }
        if let Some(both) = self
            .refused
            .iter()
            .find(|one| self.senders.iter().any(|s| s.object == one.object))
        {
            return input(
                "refused",
                format!("{} cannot be permitted and refused.", both.address),
                "Take it out of one of the two lists.",
            );
        }
        for (field, list) in [("senders", &self.senders), ("refused", &self.refused)] {
            for (index, one) in list.iter().enumerate() {
                if list
                    .iter()
                    .skip(index + 1)
                    .any(|other| other.object == one.object)
                {
                    return input(
                        field,
                        format!("{} was chosen twice.", one.address),
                        "Choose it once.",
                    );
                }
            }
        }
        Ok(())
    }

    /// Checks that everything in `open` was confirmed in exactly these words. A sentence that was
    /// confirmed about an earlier state does not count for this one.
    pub fn confirms(&self, open: &[String]) -> Result<(), Problem> {
        let missing: Vec<&str> = open
            .iter()
            .filter(|one| !self.accepted.contains(one))
            .map(String::as_str)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Problem::new(
            "input.accept",
            Remedy::Act,
            format!(
                "What stays open beside the policy was not confirmed: {}",
                missing.join(" ")
            ),
            "The setup would not change it, so the application would be less confined than the setup's name says. Nothing was started.",
            "Load the review again, tick what is to stay open if that is right, and start. Else take it away in Entra or Exchange first.",
        ))
    }

    /// The recipient of the proof's mails.
    pub fn recipient(&self) -> Option<&MailAddress> {
        self.recipient
            .as_ref()
            .or_else(|| self.senders.first().map(|sender| &sender.address))
    }

    /// The mailboxes that the proof tries, senders last.
    pub fn probed(&self) -> impl Iterator<Item = (&Mailbox, Must)> {
        let refused = self.refused.iter().map(|one| (one, Must::BeRefused));
        let senders = self.senders.iter().take(TRIED_SENDERS);
        refused.chain(senders.map(|one| (one, Must::Arrive)))
    }

    /// Says in sentences which mails the proof sends, how many at most, and to whom.
    pub fn mails(&self) -> Vec<String> {
        let Some(to) = self.recipient() else {
            return Vec::new();
        };
        let refused: Vec<&Mailbox> = self.refused.iter().collect();
        let tried: Vec<&Mailbox> = self.senders.iter().take(TRIED_SENDERS).collect();
        let untried: Vec<&Mailbox> = self.senders.iter().skip(TRIED_SENDERS).collect();
        let first = refused.first().map_or("", |one| one.address.as_str());
        let mut said = vec![
            format!(
                "Until Microsoft enforces the policy (usually 30 minutes to 2 hours), {to} receives test mails as {first}: {MAILS_A_DAY} in a day at most. Every further mailbox that must be refused and is not refused yet is tried alone in the same way."
            ),
            format!(
                "Once it is refused, {ROUNDS} rounds follow, ten minutes apart: as {} ({to} receives these), and as {} (to be refused).",
                crate::proof::names(&tried).unwrap_or_default(),
                crate::proof::names(&refused).unwrap_or_default(),
            ),
            format!("Subject of every mail: “{SUBJECT}”."),
        ];
        if let Some(untried) = crate::proof::names(&untried) {
            said.push(format!(
                "{} of {} senders are tried. Not tried: {untried}. They can be tried later on the setup's page.",
                tried.len(),
                self.senders.len(),
            ));
        }
        said
    }

    /// The description of the group. It begins with [`marker`], by which Postern recognises its
    /// group, as every description does. It names the application by its id, because the owner of
    /// the application chooses the name.
    pub fn group_description(&self, setup: SetupId) -> String {
        format!(
            "{} Members may be sent as by the application {}.",
            marker(setup),
            self.application.app_id
        )
    }

    /// The description of the policy. It is short because all policies of a tenant share one small
    /// space (MICROSOFT.md §2.4).
    pub fn policy_description(setup: SetupId) -> String {
        marker(setup)
    }

    /// The cmdlet that makes the group. None: the group exists.
    pub fn new_group(&self, setup: SetupId) -> Option<Cmdlet> {
        match &self.group {
            Group::Existing { .. } => None,
            Group::New { name, address } => Some(
                Cmdlet::new("New-DistributionGroup")
                    .with("Name", name.as_str())
                    .with("Alias", name.as_str())
                    .with("PrimarySmtpAddress", address.as_str())
                    .with("Type", "Security")
                    .with("Description", self.group_description(setup)),
            ),
        }
    }

    /// The cmdlet that hides the group from the address lists. `identity`: the group's object id,
    /// or its address while the id is not known.
    pub fn hide_group(identity: &str) -> Cmdlet {
        Cmdlet::new("Set-DistributionGroup")
            .with("Identity", identity)
            .with("HiddenFromAddressListsEnabled", true)
            .with("BypassSecurityGroupManagerCheck", true)
    }

    pub fn add_sender(identity: &str, sender: &Mailbox) -> Cmdlet {
        Cmdlet::new("Add-DistributionGroupMember")
            .with("Identity", identity)
            .with("Member", sender.object.to_string())
            .with("BypassSecurityGroupManagerCheck", true)
    }

    pub fn new_policy(&self, setup: SetupId, identity: &str) -> Cmdlet {
        Cmdlet::new("New-ApplicationAccessPolicy")
            .with("AccessRight", "RestrictAccess")
            .with("AppId", vec![self.application.app_id.to_string()])
            .with("PolicyScopeGroupId", identity)
            .with("Description", Self::policy_description(setup))
    }

    pub fn test_policy(&self, mailbox: &Mailbox) -> Cmdlet {
        Cmdlet::new("Test-ApplicationAccessPolicy")
            .with("Identity", mailbox.address.as_str())
            .with("AppId", self.application.app_id.to_string())
    }

    /// All cmdlets of the plan in order. They name the group by its address.
    pub fn changes(&self, setup: SetupId) -> Vec<Cmdlet> {
        let group = self.group.address().as_str();
        let mut all: Vec<Cmdlet> = self.new_group(setup).into_iter().collect();
        // An existing group holds the senders already; the first step refuses the plan otherwise.
        if !all.is_empty() {
            all.push(Self::hide_group(group));
            all.extend(
                self.senders
                    .iter()
                    .map(|sender| Self::add_sender(group, sender)),
            );
        }
        all.push(self.new_policy(setup, group));
        all
    }
}

/// The text by which Postern recognises what a setup has made. Every description that Postern
/// writes begins with it.
pub fn marker(setup: SetupId) -> String {
    format!("Postern {setup}")
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
