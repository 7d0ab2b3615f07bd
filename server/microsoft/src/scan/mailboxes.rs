//! Every mailbox of a customer (MICROSOFT.md §2.5).

use domain::{cmdlet::Cmdlet, id::ObjectId, reach::MailboxKind};

use crate::{
    customer::Customer,
    error::Result,
    exchange::{Row, invoke::How},
};

/// A mailbox that has an object in Entra. Others cannot be named at Graph.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    pub(super) object: ObjectId,
    /// The mailbox of a Microsoft 365 group.
    pub(super) of_group: bool,
    called: String,
    /// None: a person's.
    kind: Option<MailboxKind>,
}

const PROPERTIES: &[&str] = &[
    "DisplayName",
    "PrimarySmtpAddress",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];

impl Mailbox {
    fn of(row: &Row, of_group: bool) -> Option<Self> {
        let object = ObjectId(row.id("ExternalDirectoryObjectId")?);
        let called = row
            .text("PrimarySmtpAddress")
            .or_else(|| row.text("DisplayName"))
            .map_or_else(|| object.to_string(), str::to_owned);
        let kind = match row.text("RecipientTypeDetails") {
            _ if of_group => Some(MailboxKind::Group),
            None | Some("UserMailbox" | "LinkedMailbox" | "LegacyMailbox") => None,
            Some("SharedMailbox") => Some(MailboxKind::Shared),
            Some("RoomMailbox") => Some(MailboxKind::Room),
            Some("EquipmentMailbox") => Some(MailboxKind::Equipment),
            Some("GroupMailbox") => Some(MailboxKind::Group),
            Some("SchedulingMailbox") => Some(MailboxKind::Scheduling),
            Some(_) => Some(MailboxKind::Other),
        };
        Some(Self {
            object,
            of_group,
            called,
            kind,
        })
    }

    pub(super) fn special(&self) -> Option<(ObjectId, MailboxKind)> {
        self.kind.map(|kind| (self.object, kind))
    }

    pub(super) fn name(&self) -> (ObjectId, String) {
        (self.object, self.called.clone())
    }
}

/// Those of people, rooms and teams, and those of Microsoft 365 groups, which are asked for apart.
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
