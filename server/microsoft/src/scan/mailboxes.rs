//! Every mailbox of a customer (MICROSOFT.md §2.5).

use domain::{cmdlet::Cmdlet, id::ObjectId, reach::MailboxKind};

use crate::{
    customer::Customer,
    error::Result,
    exchange::{Row, invoke::How},
};

/// A mailbox with an object in Entra. Graph cannot address other mailboxes.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    pub(super) object: ObjectId,
    /// The mailbox of a Microsoft 365 group.
    pub(super) of_group: bool,
    kind: Kind,
    called: String,
}

/// The owner of the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Person,
    Special(MailboxKind),
    /// Exchange did not say.
    NotTold,
}

const PROPERTIES: &[&str] = &[
    "DisplayName",
    "PrimarySmtpAddress",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];

impl Kind {
    fn of(details: Option<&str>) -> Self {
        match details {
            None => Self::NotTold,
            Some("UserMailbox" | "LinkedMailbox" | "LegacyMailbox") => Self::Person,
            Some("SharedMailbox") => Self::Special(MailboxKind::Shared),
            Some("RoomMailbox" | "LinkedRoomMailbox") => Self::Special(MailboxKind::Room),
            Some("EquipmentMailbox") => Self::Special(MailboxKind::Equipment),
            Some("GroupMailbox") => Self::Special(MailboxKind::Group),
            Some("SchedulingMailbox") => Self::Special(MailboxKind::Scheduling),
            Some(_) => Self::Special(MailboxKind::Other),
        }
    }
}

/// The mailboxes that belong to no person. None when Exchange did not give the kind of every
/// mailbox.
pub(super) fn special(list: &[Mailbox]) -> Option<Vec<(ObjectId, MailboxKind)>> {
    let mut found = Vec::new();
    for mailbox in list {
        match mailbox.kind {
            Kind::Person => {}
            Kind::Special(kind) => found.push((mailbox.object, kind)),
            Kind::NotTold => return None,
        }
    }
    Some(found)
}

impl Mailbox {
    fn of(row: &Row, of_group: bool) -> Option<Self> {
        let object = ObjectId(row.id("ExternalDirectoryObjectId")?);
        let kind = if of_group {
            Kind::Special(MailboxKind::Group)
        } else {
            Kind::of(row.text("RecipientTypeDetails"))
        };
        let called = row
            .text("PrimarySmtpAddress")
            .map(str::to_owned)
            .or_else(|| row.name("DisplayName"))
            .unwrap_or_else(|| object.to_string());
        Some(Self {
            object,
            of_group,
            kind,
            called,
        })
    }

    pub(super) fn name(&self) -> (ObjectId, String) {
        (self.object, self.called.clone())
    }
}

/// The mailboxes of people, rooms and teams, and those of Microsoft 365 groups, which need a
/// separate call.
pub(super) async fn read(customer: Customer) -> Result<(usize, Vec<Mailbox>)> {
    let all = Cmdlet::new("Get-Mailbox").with("ResultSize", "Unlimited");
    let groups = Cmdlet::new("Get-Mailbox")
        .with("GroupMailbox", true)
        .with("ResultSize", "Unlimited");
    let how = How::read(PROPERTIES);
    let (all, groups) = futures::join!(customer.rows(&all, how), customer.rows(&groups, how));
    let (all, groups) = (all?.value, groups?.value);
    let mut found: Vec<Mailbox> = all
        .iter()
        .filter_map(|row| Mailbox::of(row, false))
        .chain(groups.iter().filter_map(|row| Mailbox::of(row, true)))
        .collect();
    found.sort_by_key(|mailbox| mailbox.object);
    found.dedup_by_key(|mailbox| mailbox.object);
    Ok((found.len(), found))
}
