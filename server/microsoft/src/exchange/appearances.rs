//! Finds as whom mail from some mailboxes may appear: Send As and Send on Behalf (MICROSOFT.md
//! §2.6).
//!
//! `Get-RecipientPermission` lists all rights of one trustee in one call. Send on Behalf is stored
//! on the mailbox that grants it, so the list of mailboxes is read once for all holders.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    cmdlet::Cmdlet,
    effects::{AppearRight, Appearance, Appearances},
    id::ObjectId,
    plan::Mailbox,
};

use super::{invoke::How, row::Row};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::Result,
    scan::{by_name_alone, gives},
};

/// The maximum number of mailboxes that are checked: ten in one call.
const MAILBOXES: usize = 50;
/// The maximum number of mailboxes that are read to see who grants Send on Behalf: five pages.
const LISTED: usize = 5_000;
/// The maximum number of recipients whose address is read. For the others the name is used.
const NAMED: usize = 50;

const SEND_AS: &[&str] = &[
    "Identity",
    "Trustee",
    "AccessRights",
    "AccessControlType",
    "Deny",
];
/// The holders of Send on Behalf, and the properties that identify one recipient of the
/// organisation. A display name does not identify a recipient.
const ON_BEHALF: &[&str] = &[
    HOLDERS,
    "Identity",
    "Name",
    "Alias",
    "DistinguishedName",
    "Guid",
    "PrimarySmtpAddress",
    "UserPrincipalName",
    "ExternalDirectoryObjectId",
];
const HOLDERS: &str = "GrantSendOnBehalfTo";

/// The result of one of the two checks, and what it could not read.
#[derive(Default)]
struct Part {
    /// How many of the requested holders are known.
    looked: usize,
    found: Vec<Appearance>,
    unread: Vec<String>,
}

impl Customer {
    /// Send As and Send on Behalf that these mailboxes hold on others. A part that could not be
    /// read is reported in the result and does not stop the rest.
    pub async fn appearances(&self, mailboxes: &[Mailbox]) -> Call<Appearances> {
        let some: Vec<&Mailbox> = mailboxes.iter().take(MAILBOXES).collect();
        let (send_as, on_behalf) = futures::join!(self.send_as(&some), self.on_behalf(&some));
        let mut all = Appearances {
            asked: u32::try_from(some.len()).unwrap_or(u32::MAX),
            ..Appearances::default()
        };
        let mut traces = Vec::new();
        let looks = [
            (AppearRight::SendAs, send_as),
            (AppearRight::SendOnBehalf, on_behalf),
        ];
        for (right, look) in looks {
            match look {
                Ok(call) => {
                    if call.value.looked > 0 {
                        all.read.push(right);
                    }
                    all.found.extend(call.value.found);
                    all.unread.extend(call.value.unread);
                    traces.push(call.trace);
                }
                Err(error) => {
                    traces.push(error.trace().clone());
                    all.unread.push(format!(
                        "{} of the permitted mailboxes could not be read: {}",
                        right.word(),
                        error.problem().happened
                    ));
                }
            }
        }
        if mailboxes.len() > some.len() {
            all.unread.push(format!(
                "These rights were looked at for {} of {} permitted mailboxes.",
                some.len(),
                mailboxes.len()
            ));
        }
        let lines: Vec<String> = all
            .found
            .iter()
            .map(|one| format!("{}: {} on {}", one.mailbox, one.right.word(), one.other))
            .collect();
        let answer = match lines.as_slice() {
            [] => "none that could be read".to_owned(),
            lines => lines.join("\n"),
        };
        Call {
            value: all,
            trace: Trace::join(traces, answer),
        }
    }

    async fn send_as(&self, mailboxes: &[&Mailbox]) -> Result<Call<Part>> {
        let cmdlets: Vec<Cmdlet> = mailboxes
            .iter()
            .map(|mailbox| {
                Cmdlet::new("Get-RecipientPermission")
                    .with("Trustee", mailbox.object.to_string())
                    .with("ResultSize", "Unlimited")
            })
            .collect();
        let call = self.outcome_of_each(&cmdlets, SEND_AS).await?;
        let mut part = Part::default();
        let mut held: Vec<(&Mailbox, String)> = Vec::new();
        for (mailbox, outcome) in mailboxes.iter().zip(call.value) {
            let Some(rows) = outcome? else {
                part.unread.push(format!(
                    "Exchange does not know {} as a holder of Send As.",
                    mailbox.address
                ));
                continue;
            };
            part.looked = part.looked.saturating_add(1);
            let others = rows
                .iter()
                .filter(|row| gives(row, "SendAs") && !is_owner(row));
            for row in others {
                match row.text("Identity") {
                    Some(name) => held.push((mailbox, name.to_owned())),
                    None => part.unread.push(format!(
                        "Exchange names no recipient in a Send As right of {}.",
                        mailbox.address
                    )),
                }
            }
        }
        let mut traces = vec![call.trace];
        let named = self
            .addresses(held.iter().map(|(_, name)| name.as_str()))
            .await?;
        traces.extend(named.trace);
        for (mailbox, name) in held {
            let (object, other) = match named.value.get(&name) {
                Some((object, address)) => (*object, address.clone()),
                None => (None, name),
            };
            if object != Some(mailbox.object) {
                part.found.push(Appearance {
                    mailbox: mailbox.address.clone(),
                    right: AppearRight::SendAs,
                    other,
                });
            }
        }
        Ok(Call {
            value: part,
            trace: Trace::join(traces, String::new()),
        })
    }

    /// The objects and addresses of recipients that rows name. A recipient that is not found by its
    /// name alone is left out.
    async fn addresses(&self, names: impl Iterator<Item = &str>) -> Result<Named> {
        let names: Vec<&str> = names
            .collect::<BTreeSet<_>>()
            .into_iter()
            .take(NAMED)
            .collect();
        if names.is_empty() {
            return Ok(Named::default());
        }
        let call = by_name_alone(self, &names).await?;
        let mut found = BTreeMap::new();
        for (name, row) in names.into_iter().zip(&call.value) {
            if let Some(row) = row {
                found.insert(name.to_owned(), (object(row), called(row, name)));
            }
        }
        Ok(Named {
            value: found,
            trace: Some(call.trace),
        })
    }

    async fn on_behalf(&self, mailboxes: &[&Mailbox]) -> Result<Call<Part>> {
        let asked = LISTED.saturating_add(1);
        let cmdlet =
            Cmdlet::new("Get-Mailbox").with("ResultSize", i64::try_from(asked).unwrap_or(i64::MAX));
        let call = self
            .rows(&cmdlet, How::read(ON_BEHALF).at_most(asked))
            .await?;
        let mut part = Part::default();
        if call.value.len() > LISTED {
            part.unread.push(format!(
                "Send on Behalf was looked at on {LISTED} mailboxes; this customer has more."
            ));
        }
        let rows = call.value.get(..LISTED).unwrap_or(&call.value);
        let holders = by_name(rows);
        part.looked = rows.len();
        let asked: HashMap<ObjectId, &Mailbox> = mailboxes
            .iter()
            .map(|mailbox| (mailbox.object, *mailbox))
            .collect();
        let mut unclear = 0_usize;
        for row in rows {
            let own = object(row);
            let mut not_told = false;
            for name in row.list(HOLDERS) {
                let Some(holder) = holders.get(&name.trim().to_lowercase()) else {
                    not_told = true;
                    continue;
                };
                let Some(mailbox) = asked.get(holder).filter(|_| Some(*holder) != own) else {
                    continue;
                };
                part.found.push(Appearance {
                    mailbox: mailbox.address.clone(),
                    right: AppearRight::SendOnBehalf,
                    other: called(row, "a mailbox without a name"),
                });
            }
            unclear = unclear.saturating_add(usize::from(not_told));
        }
        if unclear > 0 {
            part.unread.push(format!(
                "On {unclear} of the customer's mailboxes somebody holds Send on Behalf who is no mailbox, such as a group: who that is was not looked at."
            ));
        }
        Ok(Call {
            value: part,
            trace: Trace {
                answer: String::new(),
                ..call.trace
            },
        })
    }
}

#[derive(Default)]
struct Named {
    value: BTreeMap<String, (Option<ObjectId>, String)>,
    trace: Option<Trace>,
}

/// Whether the row is for the mailbox's own user, who holds every right on it.
fn is_owner(row: &Row) -> bool {
    row.text("Trustee")
        .is_some_and(|trustee| trustee.eq_ignore_ascii_case("NT AUTHORITY\\SELF"))
}

fn object(row: &Row) -> Option<ObjectId> {
    row.id("ExternalDirectoryObjectId").map(ObjectId)
}

fn called(row: &Row, else_this: &str) -> String {
    row.text("PrimarySmtpAddress")
        .or(row.text("Name"))
        .unwrap_or(else_this)
        .to_owned()
}

/// Mailboxes by each of their names, in lower case. A name that two mailboxes have is left out.
fn by_name(rows: &[Row]) -> HashMap<String, ObjectId> {
    let mut all: HashMap<String, Option<ObjectId>> = HashMap::new();
    for row in rows {
        let Some(own) = object(row) else { continue };
        let names = ON_BEHALF.iter().filter(|property| **property != HOLDERS);
        for name in names.filter_map(|property| row.text(property)) {
            let place = all.entry(name.to_lowercase()).or_insert(Some(own));
            if *place != Some(own) {
                *place = None;
            }
        }
    }
    all.into_iter()
        .filter_map(|(name, own)| Some((name, own?)))
        .collect()
}
