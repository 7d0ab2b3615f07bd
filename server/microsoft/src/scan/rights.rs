//! Rights of service principals on single mailboxes. IMAP, POP and SMTP reach mailboxes only by
//! these rights (MICROSOFT.md §2.6).
//!
//! `Get-RecipientPermission` lists all mailboxes of a trustee in one call. `Get-MailboxPermission`
//! covers one mailbox at a time. It is called for one holder at a time, because it is not known how
//! a service principal appears in the rows.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    cmdlet::Cmdlet,
    id::ObjectId,
    reach::{InheritedGrant, MailboxRight, MailboxRightKind, Pointer, ScanPart},
};

use super::{
    Part,
    grants::Grants,
    log::Log,
    mailboxes::{self, Mailbox},
};
use crate::{
    call::Call,
    customer::Customer,
    error::{Error, Kind, Result, Service},
    exchange::Row,
};

/// The maximum number of pairs of mailbox and holder that are read, ten in one call. With more
/// pairs the part fails.
const MOST: usize = 200;

const SEND_AS: &[&str] = &["Identity", "AccessRights", "AccessControlType", "Deny"];
const FULL_ACCESS: &[&str] = &["AccessRights", "Deny"];
const RECIPIENT: &[&str] = &[
    "Identity",
    "Name",
    "DistinguishedName",
    "Guid",
    "PrimarySmtpAddress",
    "ExternalDirectoryObjectId",
];

/// The applications whose permission works only with rights on mailboxes. An application without a
/// service principal in Exchange (pointer) can hold no such rights, and is left out.
pub(super) fn holders(
    grants: &Grants,
    inherited: &[InheritedGrant],
    pointers: &[Pointer],
    only: Option<ObjectId>,
) -> Result<Vec<ObjectId>> {
    let ids: BTreeSet<ObjectId> = grants
        .held_at_exchange(inherited)?
        .filter(|(principal, value)| {
            only.is_none_or(|only| only == *principal)
                && needs_rights(*value)
                && pointers.iter().any(|pointer| pointer.object == *principal)
        })
        .map(|(principal, _)| principal)
        .collect();
    Ok(ids.into_iter().collect())
}

fn needs_rights(value: Option<&str>) -> bool {
    match value {
        Some(value) => ["IMAP.", "POP.", "SMTP."]
            .iter()
            .any(|protocol| value.starts_with(protocol)),
        // A role without a known name may be one of these.
        None => true,
    }
}

/// `mailboxes`: the mailboxes that a scan reads anyway.
pub(super) async fn read(
    log: &Log<'_>,
    holders: &[ObjectId],
    mailboxes: Option<&Part<Vec<Mailbox>>>,
) -> Result<Vec<MailboxRight>> {
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let mailboxes = match mailboxes {
        Some(part) => Some(part.as_ref().map_err(Clone::clone)?.as_slice()),
        None => None,
    };
    let running = log.begin(ScanPart::MailboxRights);
    let found = list(&running.customer, holders, mailboxes).await;
    log.end(&running, found.as_ref().map(Vec::len).map_err(Clone::clone));
    found
}

async fn list(
    customer: &Customer,
    holders: &[ObjectId],
    mailboxes: Option<&[Mailbox]>,
) -> Result<Vec<MailboxRight>> {
    let read;
    let mailboxes = match mailboxes {
        Some(list) => list,
        None => {
            read = mailboxes::read(customer.clone()).await?.1;
            read.as_slice()
        }
    };
    // Full access to the mailbox of a Microsoft 365 group cannot be granted.
    let own: Vec<ObjectId> = mailboxes
        .iter()
        .filter(|mailbox| !mailbox.of_group)
        .map(|mailbox| mailbox.object)
        .collect();
    if own.len().saturating_mul(holders.len()) > MOST {
        let message = format!(
            "Exchange tells rights of one mailbox at a time, and this tenant has more than {MOST}"
        );
        return Err(Error::unsent(Service::Exchange, Kind::TooMany, message));
    }
    let (full, sends) = futures::join!(
        full_access(customer, holders, &own),
        send_as(customer, holders)
    );
    let mut found = full?;
    found.extend(sends?);
    found.sort_by_key(|right| (right.holder, right.mailbox, right.right));
    found.dedup();
    Ok(found)
}

async fn full_access(
    customer: &Customer,
    holders: &[ObjectId],
    mailboxes: &[ObjectId],
) -> Result<Vec<MailboxRight>> {
    let pairs: Vec<(ObjectId, ObjectId)> = holders
        .iter()
        .flat_map(|holder| mailboxes.iter().map(move |mailbox| (*holder, *mailbox)))
        .collect();
    let cmdlets: Vec<Cmdlet> = pairs
        .iter()
        .map(|(holder, mailbox)| {
            Cmdlet::new("Get-MailboxPermission")
                .with("Identity", mailbox.to_string())
                .with("User", holder.to_string())
        })
        .collect();
    let outcomes = customer.outcome_of_each(&cmdlets, FULL_ACCESS).await?.value;
    let mut missing = 0_usize;
    let mut found = Vec::new();
    for ((holder, mailbox), outcome) in pairs.iter().zip(outcomes) {
        let Some(rows) = outcome? else {
            missing = missing.saturating_add(1);
            continue;
        };
        if rows.iter().any(|row| gives(row, "FullAccess")) {
            found.push(MailboxRight {
                mailbox: *mailbox,
                holder: *holder,
                right: MailboxRightKind::FullAccess,
            });
        }
    }
    // A single mailbox can be deleted meanwhile. If all are missing, Exchange does not know the
    // holder.
    if missing > 0 && missing == pairs.len() {
        let message = "Exchange does not know the service principal whose rights were asked for";
        return Err(Error::unsent(Service::Exchange, Kind::NotFound, message));
    }
    Ok(found)
}

async fn send_as(customer: &Customer, holders: &[ObjectId]) -> Result<Vec<MailboxRight>> {
    let cmdlets: Vec<Cmdlet> = holders
        .iter()
        .map(|holder| {
            Cmdlet::new("Get-RecipientPermission")
                .with("Trustee", holder.to_string())
                .with("ResultSize", "Unlimited")
        })
        .collect();
    let outcomes = customer.outcome_of_each(&cmdlets, SEND_AS).await?.value;
    let mut named: Vec<(ObjectId, String)> = Vec::new();
    for (holder, outcome) in holders.iter().zip(outcomes) {
        let Some(rows) = outcome? else {
            let message =
                "Exchange does not know the service principal whose rights were asked for";
            return Err(Error::unsent(Service::Exchange, Kind::NotFound, message));
        };
        for row in rows.iter().filter(|row| gives(row, "SendAs")) {
            let Some(identity) = row.text("Identity") else {
                let message = "a right to send names no mailbox";
                return Err(Error::unsent(Service::Exchange, Kind::Malformed, message));
            };
            named.push((*holder, identity.to_owned()));
        }
    }
    let objects = recipients(customer, named.iter().map(|(_, name)| name.as_str())).await?;
    Ok(named
        .into_iter()
        .filter_map(|(holder, name)| {
            Some(MailboxRight {
                mailbox: *objects.get(&name)?,
                holder,
                right: MailboxRightKind::SendAs,
            })
        })
        .collect())
}

/// The objects of recipients that rows name. A recipient without an object in Entra is not a
/// mailbox. A name that several recipients have is left out.
async fn recipients(
    customer: &Customer,
    names: impl Iterator<Item = &str>,
) -> Result<BTreeMap<String, ObjectId>> {
    let names: Vec<&str> = names.collect::<BTreeSet<_>>().into_iter().collect();
    let rows = by_name_alone(customer, &names).await?.value;
    let mut found = BTreeMap::new();
    for (name, row) in names.into_iter().zip(rows) {
        let Some(row) = row else {
            return Err(Error::unsent(
                Service::Exchange,
                Kind::Mismatch,
                "a right to send names a mailbox that is not found by that name alone",
            )
            .with_subject(name));
        };
        if let Some(object) = row.id("ExternalDirectoryObjectId") {
            found.insert(name.to_owned(), ObjectId(object));
        }
    }
    Ok(found)
}

/// The recipients that rows name, in the order of the names. None where no recipient has the name,
/// or several have.
pub(crate) async fn by_name_alone(
    customer: &Customer,
    names: &[&str],
) -> Result<Call<Vec<Option<Row>>>> {
    let cmdlets: Vec<Cmdlet> = names
        .iter()
        .map(|name| Cmdlet::new("Get-Recipient").with("Identity", *name))
        .collect();
    let call = customer.outcome_of_each(&cmdlets, RECIPIENT).await?;
    let mut found = Vec::with_capacity(names.len());
    for (name, outcome) in names.iter().zip(call.value) {
        let mut rows = outcome?.unwrap_or_default();
        rows.retain(|row| row.is(name, RECIPIENT));
        let one = rows.len() == 1;
        found.push(rows.pop().filter(|_| one));
    }
    Ok(Call {
        value: found,
        trace: call.trace,
    })
}

/// Whether a row grants a right. A row that denies the right does not cancel another row that
/// grants it: the result may overstate the rights, but never understates them.
pub(crate) fn gives(row: &Row, right: &str) -> bool {
    let denied = row.flag("Deny") == Some(true)
        || row
            .text("AccessControlType")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("Deny"));
    !denied
        && row
            .list("AccessRights")
            .iter()
            .flat_map(|text| text.split(','))
            .any(|one| one.trim().eq_ignore_ascii_case(right))
}
