//! Management scopes, and the mailboxes that their filters match (MICROSOFT.md §3.2).

use std::collections::BTreeSet;

use domain::{
    cmdlet::Cmdlet,
    id::ObjectId,
    reach::{ManagementScope, Reading, ScanPart},
};

use super::{
    Part,
    assignments::{Named, Raw},
    log::Log,
    unread::Unread,
};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    exchange::{Row, invoke::How},
};

const SCOPE: &[&str] = &[
    "Name",
    "Exclusive",
    "RecipientFilter",
    "RecipientRoot",
    "ScopeRestrictionType",
];

/// A scope that an assignment names.
#[derive(Debug)]
pub(super) struct Scope {
    name: String,
    exclusive: bool,
    filter: String,
    mailboxes: Result<Vec<ObjectId>>,
}

impl Scope {
    pub(super) fn seen(self, unread: &Unread) -> ManagementScope {
        ManagementScope {
            name: self.name,
            exclusive: self.exclusive,
            filter: self.filter,
            mailboxes: match self.mailboxes {
                Ok(list) => Reading::read(list),
                Err(error) => unread.reading(&error),
            },
        }
    }
}

/// Reads the scopes that assignments name. Nothing is read where no assignment names a scope.
///
/// `groups`: awaited only after the scopes themselves were read.
pub(super) async fn read(
    log: &Log<'_>,
    assignments: &Part<Vec<Raw>>,
    groups: impl Future<Output = Groups>,
) -> Result<Vec<Scope>> {
    let assignments = match assignments {
        Ok(assignments) => assignments,
        // The assignments failed, so this part fails with the same error.
        Err(error) => return Err(error.clone()),
    };
    let named: BTreeSet<String> = assignments
        .iter()
        .filter_map(|raw| match &raw.scope {
            Named::Scope(name) => Some(name.to_lowercase()),
            _ => None,
        })
        .collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let running = log.begin(ScanPart::Scopes);
    let scopes = list(&running.customer, &named, groups).await;
    let result = match &scopes {
        Err(error) => Err(error.clone()),
        Ok(scopes) => scopes
            .iter()
            .find_map(|scope| scope.mailboxes.as_ref().err().cloned())
            .map_or(Ok(scopes.len()), Err),
    };
    log.end(&running, result);
    scopes
}

async fn list(
    customer: &Customer,
    named: &BTreeSet<String>,
    groups: impl Future<Output = Groups>,
) -> Result<Vec<Scope>> {
    let cmdlet = Cmdlet::new("Get-ManagementScope");
    let call = customer.rows(&cmdlet, How::read(SCOPE)).await?;
    let malformed = |what: &str| {
        Error::new(Service::Exchange, Kind::Malformed, call.trace.clone())
            .with_subject(&cmdlet.name)
            .with_message(format!("a management scope has no usable {what}"))
    };
    let mut wanted = Vec::new();
    for row in &call.value {
        let name = row.text("Name").ok_or_else(|| malformed("Name"))?;
        if named.contains(&name.to_lowercase()) {
            let exclusive = row
                .flag("Exclusive")
                .ok_or_else(|| malformed("Exclusive"))?;
            wanted.push((name, exclusive, row));
        }
    }
    let groups = groups.await;
    Ok(
        futures::future::join_all(wanted.into_iter().map(|(name, exclusive, row)| async move {
            Scope {
                name: name.to_owned(),
                exclusive,
                filter: row.text("RecipientFilter").unwrap_or_default().to_owned(),
                // Exclusive scopes do not restrict applications, so their matches do not matter.
                mailboxes: if exclusive {
                    Ok(Vec::new())
                } else {
                    matches(customer, name, row, groups).await
                },
            }
        }))
        .await,
    )
}

/// The mailboxes that the filter of a scope matches, evaluated by Exchange itself.
async fn matches(
    customer: &Customer,
    name: &str,
    row: &Row,
    groups: Groups,
) -> Result<Vec<ObjectId>> {
    let unusable = |what: &str| {
        Err(Error::unsent(Service::Exchange, Kind::Malformed, what).with_subject(name))
    };
    if row
        .text("ScopeRestrictionType")
        .is_some_and(|kind| kind != "RecipientScope")
    {
        return unusable("the scope is not one of recipients");
    }
    if row.text("RecipientRoot").is_some() {
        return unusable("the scope is limited to a part of the directory");
    }
    // Exchange would take an empty filter for “all”.
    let Some(filter) = row.text("RecipientFilter") else {
        return unusable("the scope has no filter");
    };
    let ask = |cmdlet: &str| {
        Cmdlet::new(cmdlet)
            .with("Filter", filter)
            .with("ResultSize", "Unlimited")
    };
    // Mailboxes of Microsoft 365 groups are returned only when requested (§2.5).
    let people = either(customer, ask("Get-Recipient"), ask("Get-Mailbox"));
    let of_groups = async {
        if groups == Groups::None {
            return Ok(Vec::new());
        }
        let of_kind =
            ask("Get-Recipient").with("RecipientTypeDetails", vec!["GroupMailbox".to_owned()]);
        let of_mailboxes = ask("Get-Mailbox").with("GroupMailbox", true);
        either(customer, of_kind, of_mailboxes).await
    };
    let (people, of_groups) = futures::join!(people, of_groups);
    let mut all = people?;
    all.extend(of_groups?);
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Runs the filter with `recipients`, and with `mailboxes` if that fails: some properties, such as
/// the user principal name, can be filtered by for mailboxes only. Mailboxes of groups have none of
/// these properties.
async fn either(
    customer: &Customer,
    recipients: Cmdlet,
    mailboxes: Cmdlet,
) -> Result<Vec<ObjectId>> {
    let how = How::read(&["ExternalDirectoryObjectId"]);
    let call = match customer.rows(&recipients, how).await {
        Err(error) if error.fault().is_some() => customer.rows(&mailboxes, how).await?,
        other => other?,
    };
    Ok(call
        .value
        .iter()
        .filter_map(|row| row.id("ExternalDirectoryObjectId").map(ObjectId))
        .collect())
}

/// Whether the tenant has mailboxes of Microsoft 365 groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Groups {
    Some,
    None,
}
