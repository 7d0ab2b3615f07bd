//! Finds the recipient with a name or an address, of any kind (MICROSOFT.md §2.1, §2.5).

use domain::{address::MailAddress, cmdlet::Cmdlet, id::ObjectId, recipient::kind_of};

use super::{groups::none_if_missing, invoke::How, row::Row};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::Result,
};

/// A person or an object with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub object: Option<ObjectId>,
    /// The display name.
    pub name: String,
    pub address: Option<MailAddress>,
    /// `RecipientTypeDetails`.
    pub details: String,
}

impl Recipient {
    /// A description, as in “the shared mailbox Support (support@…)”.
    pub fn told(&self) -> String {
        let kind = kind_of(&self.details);
        match &self.address {
            Some(address) if address.as_str() != self.name => {
                format!("the {kind} {} ({address})", self.name)
            }
            _ => format!("the {kind} {}", self.name),
        }
    }
}

/// A value that a new group cannot have, because a recipient has it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The address or the name.
    pub what: String,
    pub by: Recipient,
}

const RECIPIENT: &[&str] = &[
    "Name",
    "Alias",
    "DisplayName",
    "PrimarySmtpAddress",
    "EmailAddresses",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];
const ADDRESSES: &[&str] = &["PrimarySmtpAddress", "EmailAddresses"];
/// Properties that are unique. Two recipients can have the same display name, but not one of these.
const NAMES: &[&str] = &["Name", "Alias"];

impl Customer {
    /// The recipient with this address, of any kind. None when there is none, or when Exchange does
    /// not show it, for example because it was deleted and can be restored.
    pub async fn recipient(&self, address: &MailAddress) -> Result<Call<Option<Recipient>>> {
        self.recipient_with(address.as_str(), ADDRESSES).await
    }

    /// The deleted recipient with this address, which can be restored or is kept as an inactive
    /// mailbox. Such a recipient still holds its addresses (MICROSOFT.md §2.1).
    pub async fn deleted_recipient(
        &self,
        address: &MailAddress,
    ) -> Result<Call<Option<Recipient>>> {
        let cmdlet = Cmdlet::new("Get-Recipient")
            .with("Identity", address.as_str())
            .with("IncludeSoftDeletedRecipients", true);
        let call = none_if_missing(self.rows(&cmdlet, How::read(RECIPIENT)).await)?;
        Ok(call.map(|rows| {
            rows.iter()
                .find(|row| row.is(address.as_str(), ADDRESSES))
                .map(recipient)
        }))
    }

    /// The recipient that has the address, the name or the alias of a new group. None when Exchange
    /// shows no such recipient.
    pub async fn taken(&self, address: &MailAddress, name: &str) -> Result<Call<Option<Taken>>> {
        let mut traces = Vec::new();
        for (what, properties) in [(address.as_str(), ADDRESSES), (name, NAMES)] {
            let found = self.recipient_with(what, properties).await?;
            if let Some(by) = found.value {
                let what = what.to_owned();
                return Ok(Call {
                    value: Some(Taken { what, by }),
                    trace: found.trace,
                });
            }
            traces.push(found.trace);
        }
        Ok(Call {
            value: None,
            trace: Trace::join(traces, "nobody has them".to_owned()),
        })
    }

    async fn recipient_with(
        &self,
        identity: &str,
        properties: &[&str],
    ) -> Result<Call<Option<Recipient>>> {
        let ask = Cmdlet::new("Get-Recipient").with("Identity", identity);
        // Microsoft 365 groups are returned only when requested (§2.5).
        let groups = ask
            .clone()
            .with("RecipientTypeDetails", vec!["GroupMailbox".to_owned()]);
        let mut traces = Vec::new();
        for cmdlet in [ask, groups] {
            let call = none_if_missing(self.rows(&cmdlet, How::read(RECIPIENT)).await)?;
            // For an identity that it cannot use, Exchange returns other objects (§2).
            let found = call.value.iter().find(|row| row.is(identity, properties));
            if let Some(row) = found {
                return Ok(Call {
                    value: Some(recipient(row)),
                    trace: call.trace,
                });
            }
            traces.push(call.trace);
        }
        Ok(Call {
            value: None,
            trace: Trace::join(traces, "no recipient has it".to_owned()),
        })
    }
}

fn recipient(row: &Row) -> Recipient {
    let address = row.text("PrimarySmtpAddress");
    Recipient {
        object: row.id("ExternalDirectoryObjectId").map(ObjectId),
        name: row
            .name("DisplayName")
            .or_else(|| row.name("Name"))
            .or_else(|| address.map(str::to_owned))
            .unwrap_or_default(),
        address: address.and_then(|text| text.parse().ok()),
        details: row
            .text("RecipientTypeDetails")
            .unwrap_or_default()
            .to_owned(),
    }
}
