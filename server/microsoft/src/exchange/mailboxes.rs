//! Mailboxes to choose from (MICROSOFT.md §2.5).

use domain::{
    address::MailAddress,
    cmdlet::Cmdlet,
    id::ObjectId,
    plan::{Mailbox, MailboxKind},
};

use super::{
    groups::{none_if_missing, the_one},
    invoke::How,
    row::Row,
};
use crate::{
    call::Call,
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// Some mailboxes, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailboxes {
    pub list: Vec<Mailbox>,
    /// There are more than were asked for.
    pub more: bool,
}

const MAILBOX: &[&str] = &[
    "DisplayName",
    "Name",
    "PrimarySmtpAddress",
    "EmailAddresses",
    "UserPrincipalName",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];

impl Customer {
    /// User and shared mailboxes whose name, alias or address begins with `search`; all for an
    /// empty one. At most `limit`.
    pub async fn mailboxes(&self, search: &str, limit: usize) -> Result<Call<Mailboxes>> {
        let asked = limit.saturating_add(1);
        let search = search.trim();
        let mut cmdlet = Cmdlet::new("Get-Mailbox");
        if !search.is_empty() {
            // A plain text, unlike `-Filter`: there is nothing in it to break out of.
            cmdlet = cmdlet.with("Anr", search);
        }
        let cmdlet = cmdlet
            .with(
                "RecipientTypeDetails",
                vec!["UserMailbox".to_owned(), "SharedMailbox".to_owned()],
            )
            .with("ResultSize", i64::try_from(asked).unwrap_or(i64::MAX));
        let call = self
            .rows(&cmdlet, How::read(MAILBOX).at_most(asked))
            .await?;
        Ok(call.map(|rows| {
            let more = rows.len() > limit;
            // One without an object in Entra cannot be named in a plan, so it is no choice.
            let mut list: Vec<Mailbox> = rows
                .iter()
                .take(limit)
                .filter_map(mailbox)
                .filter(|mailbox| mailbox.kind.can_send())
                .collect();
            list.sort_by(|one, other| one.address.cmp(&other.address));
            Mailboxes { list, more }
        }))
    }

    /// The mailbox with this address, of whatever kind; none when there is none.
    ///
    /// # Errors
    /// [`Kind::Mismatch`] when what came back has another address, or no object in Entra yet.
    pub async fn mailbox(&self, address: &MailAddress) -> Result<Call<Option<Mailbox>>> {
        let cmdlet = Cmdlet::new("Get-Mailbox").with("Identity", address.as_str());
        let call = none_if_missing(self.rows(&cmdlet, How::read(MAILBOX)).await)?;
        let (row, trace) = the_one(call, |row| {
            row.is(
                address.as_str(),
                &["PrimarySmtpAddress", "EmailAddresses", "UserPrincipalName"],
            )
        })?;
        let value = match row {
            None => None,
            Some(row) => match mailbox(&row) {
                Some(mailbox) => Some(mailbox),
                None => {
                    return Err(Error::new(Service::Exchange, Kind::Mismatch, trace)
                        .with_subject(address.as_str())
                        .with_message("the mailbox has no object in Entra, or no usable address"));
                }
            },
        };
        Ok(Call { value, trace })
    }

    /// How many user and shared mailboxes there are, counted up to `most`; whether there are more.
    pub async fn mailbox_count(&self, most: usize) -> Result<Call<(usize, bool)>> {
        let asked = most.saturating_add(1);
        let cmdlet = Cmdlet::new("Get-Mailbox")
            .with(
                "RecipientTypeDetails",
                vec!["UserMailbox".to_owned(), "SharedMailbox".to_owned()],
            )
            .with("ResultSize", i64::try_from(asked).unwrap_or(i64::MAX));
        let call = self
            .rows(&cmdlet, How::read(&["Guid"]).at_most(asked))
            .await?;
        Ok(call.map(|rows| (rows.len().min(most), rows.len() > most)))
    }
}

fn mailbox(row: &Row) -> Option<Mailbox> {
    let address: MailAddress = row.text("PrimarySmtpAddress")?.parse().ok()?;
    Some(Mailbox {
        object: row.id("ExternalDirectoryObjectId").map(ObjectId)?,
        name: row
            .text("DisplayName")
            .or(row.text("Name"))
            .unwrap_or(address.as_str())
            .to_owned(),
        kind: MailboxKind::from_details(row.text("RecipientTypeDetails").unwrap_or_default()),
        address,
    })
}
