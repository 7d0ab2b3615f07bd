//! Mailboxes and recipients (MICROSOFT.md §2.5).

use serde_json::{Map, Value};

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::groups::{ambiguous_name, parse_filter};
use super::{opath, rows};
use crate::world::recipients::Recipient;
use crate::world::tenant::Tenant;

pub fn get_mailbox(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let groups = run.args.flag("GroupMailbox") == Some(true);
    let is_mailbox = move |recipient: &Recipient<'_>| match recipient {
        Recipient::Person(_, mailbox) => mailbox.kind.is_mailbox() && !groups,
        Recipient::Group(group) => groups && group.kind.details() == "GroupMailbox",
    };
    list(run, &is_mailbox, |tenant, recipient| match recipient {
        Recipient::Person(..) => rows::mailbox(tenant, recipient),
        Recipient::Group(_) => rows::recipient(tenant, recipient),
    })
}

pub fn get_recipient(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    list(run, &|_| true, rows::recipient)
}

fn list(
    run: &mut Run<'_>,
    wanted: &dyn Fn(&Recipient<'_>) -> bool,
    row: fn(&Tenant, &Recipient<'_>) -> Map<String, Value>,
) -> Result<Output, CmdletError> {
    let now = run.now();
    let filter = parse_filter(run.args.text("Filter"))?;
    let details = run.args.texts("RecipientTypeDetails");
    let anr = run.args.text("Anr").map(str::to_lowercase);
    if let Some(identity) = run.args.text("Identity") {
        let found = run
            .tenant
            .recipient(identity, now)
            .filter(|recipient| wanted(recipient))
            .map(|recipient| row(run.tenant, &recipient));
        let identity = identity.to_owned();
        return match found {
            Some(row) => Ok(Output::Rows(vec![row])),
            None => Err(run.not_found(&identity)),
        };
    }
    let out = run
        .tenant
        .recipients(now)
        .filter(|recipient| wanted(recipient))
        .filter(|recipient| {
            details.is_none_or(|kinds| kinds.iter().any(|kind| kind == recipient.details()))
                && anr
                    .as_deref()
                    .is_none_or(|term| ambiguous_name(recipient, term))
                && filter.as_ref().is_none_or(|filter| {
                    filter.matches(&|property| {
                        opath::recipient_property(run.tenant, recipient, property, now)
                    })
                })
        })
        .map(|recipient| row(run.tenant, &recipient))
        .collect();
    Ok(Output::Rows(out))
}
