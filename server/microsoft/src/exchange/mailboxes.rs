//! Lists mailboxes to choose from (MICROSOFT.md §2.5).

use std::collections::{HashMap, VecDeque};

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
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// Some mailboxes, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailboxes {
    pub list: Vec<Mailbox>,
    /// There are more mailboxes than requested.
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
    /// User and shared mailboxes whose name, alias or address begins with `search`. An empty text
    /// matches all. Returns at most `limit`.
    pub async fn mailboxes(&self, search: &str, limit: usize) -> Result<Call<Mailboxes>> {
        let asked = limit.saturating_add(1);
        let search = search.trim();
        let mut cmdlet = Cmdlet::new("Get-Mailbox");
        if !search.is_empty() {
            // `Anr` is plain text, unlike `-Filter`: no input can break out of it.
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
            // A mailbox without an object in Entra cannot be named in a plan, so it is left out.
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

    /// The mailbox with this address, of any kind. None when there is none.
    ///
    /// # Errors
    /// [`Kind::Mismatch`] when the returned mailbox has another address, or no object in Entra yet.
    pub async fn mailbox(&self, address: &MailAddress) -> Result<Call<Option<Mailbox>>> {
        let call = none_if_missing(self.rows(&at(address), How::read(MAILBOX)).await)?;
        the_mailbox(address, call)
    }

    /// The mailbox with each of these addresses, of any kind, in the order of the addresses. None
    /// where there is none. Needs few calls for many addresses.
    ///
    /// # Errors
    /// As [`Customer::mailbox`].
    pub async fn mailboxes_at(
        &self,
        addresses: &[MailAddress],
    ) -> Result<Call<Vec<Option<Mailbox>>>> {
        let mut found: Vec<Option<Mailbox>> = vec![None; addresses.len()];
        let mut traces = Vec::new();
        if addresses.len() > LISTED_FROM {
            let how = How::read(MAILBOX).at_most(LISTED);
            let rows = self.rows(&list(LISTED), how).await?;
            let rows_at = by_address(&rows.value);
            for (place, address) in found.iter_mut().zip(addresses) {
                let row = rows_at.get(&address.as_str().to_lowercase());
                *place = row.copied().flatten().and_then(mailbox);
            }
            traces.push(Trace {
                answer: String::new(),
                ..rows.trace
            });
        }
        let open: Vec<&MailAddress> = addresses
            .iter()
            .zip(&found)
            .filter_map(|(address, found)| found.is_none().then_some(address))
            .collect();
        let mut singly = VecDeque::new();
        if !open.is_empty() {
            let cmdlets: Vec<Cmdlet> = open.iter().map(|address| at(address)).collect();
            let call = self.rows_of_each(&cmdlets, MAILBOX).await?;
            for (address, rows) in open.into_iter().zip(call.value) {
                let call = Call {
                    value: rows.unwrap_or_default(),
                    trace: call.trace.clone(),
                };
                singly.push_back(the_mailbox(address, call)?.value);
            }
            traces.push(call.trace);
        }
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = singly.pop_front().flatten();
        }
        let count = found.iter().flatten().count();
        let answer = format!("{count} of {} are mailboxes", addresses.len());
        Ok(Call {
            value: found,
            trace: Trace::join(traces, answer),
        })
    }

    /// The number of user and shared mailboxes, counted up to `most`, and whether there are more.
    pub async fn mailbox_count(&self, most: usize) -> Result<Call<(usize, bool)>> {
        let asked = most.saturating_add(1);
        let call = self
            .rows(&list(asked), How::read(&["Guid"]).at_most(asked))
            .await?;
        Ok(call.map(|rows| (rows.len().min(most), rows.len() > most)))
    }
}

/// From this number of addresses on, one list saves more calls than it costs.
const LISTED_FROM: usize = 20;
/// One page: the list is only a short cut, and is not read to the end.
const LISTED: usize = 1_000;

/// The cmdlet that lists up to `most` user and shared mailboxes.
fn list(most: usize) -> Cmdlet {
    Cmdlet::new("Get-Mailbox")
        .with(
            "RecipientTypeDetails",
            vec!["UserMailbox".to_owned(), "SharedMailbox".to_owned()],
        )
        .with("ResultSize", i64::try_from(most).unwrap_or(i64::MAX))
}

fn at(address: &MailAddress) -> Cmdlet {
    Cmdlet::new("Get-Mailbox").with("Identity", address.as_str())
}

/// The properties that hold a mailbox's addresses.
const ADDRESSES: &[&str] = &["PrimarySmtpAddress", "EmailAddresses", "UserPrincipalName"];

/// Rows by each of their addresses, in lower case. None for an address that several rows have.
fn by_address(rows: &[Row]) -> HashMap<String, Option<&Row>> {
    let mut all: HashMap<String, Option<&Row>> = HashMap::new();
    for row in rows {
        for address in ADDRESSES.iter().flat_map(|property| row.list(property)) {
            let address = address.trim().to_lowercase();
            let bare = address.strip_prefix("smtp:").map(str::to_owned);
            let place = all.entry(bare.unwrap_or(address)).or_insert(Some(row));
            if place.is_some_and(|other| !std::ptr::eq(other, row)) {
                *place = None;
            }
        }
    }
    all
}

/// The mailbox with this address among the returned rows.
fn the_mailbox(address: &MailAddress, call: Call<Vec<Row>>) -> Result<Call<Option<Mailbox>>> {
    let (row, trace) = the_one(call, |row| row.is(address.as_str(), ADDRESSES))?;
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

fn mailbox(row: &Row) -> Option<Mailbox> {
    let address: MailAddress = row.text("PrimarySmtpAddress")?.parse().ok()?;
    Some(Mailbox {
        object: row.id("ExternalDirectoryObjectId").map(ObjectId)?,
        name: row
            .name("DisplayName")
            .or_else(|| row.name("Name"))
            .unwrap_or_else(|| address.as_str().to_owned()),
        kind: MailboxKind::from_details(row.text("RecipientTypeDetails").unwrap_or_default()),
        address,
    })
}
