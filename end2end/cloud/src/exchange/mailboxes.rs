//! Mailboxes and recipients (MICROSOFT.md §2.5).

use serde_json::{Map, Value};
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::groups::{ambiguous_name, parse_filter};
use super::{opath, rows};
use crate::journal::{Deed, Thing};
use crate::world::recipients::Recipient;
use crate::world::tenant::{GroupKind, Tenant};

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

/// Microsoft 365 groups come only when their kind is asked for (§2.5), or one of them by name.
pub fn get_recipient(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let asked = run.args.text("Identity").is_some()
        || run
            .args
            .texts("RecipientTypeDetails")
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "GroupMailbox"));
    let outcome = list(
        run,
        &move |recipient| asked || recipient.details() != "GroupMailbox",
        rows::recipient,
    );
    if run.args.flag("IncludeSoftDeletedRecipients") != Some(true) {
        return outcome;
    }
    with_soft_deleted(run, outcome)
}

/// Adds those that were deleted and still hold their addresses.
fn with_soft_deleted(
    run: &Run<'_>,
    outcome: Result<Output, CmdletError>,
) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").map(str::to_lowercase);
    let mut deleted: Vec<Map<String, Value>> = run
        .tenant
        .exchange
        .soft_deleted
        .iter()
        .filter(|gone| {
            identity.as_deref().is_none_or(|identity| {
                gone.id.to_string() == identity
                    || gone.smtp.to_lowercase() == identity
                    || gone
                        .aliases
                        .iter()
                        .any(|one| one.to_lowercase() == identity)
            })
        })
        .map(|gone| rows::soft_deleted(run.tenant, gone))
        .collect();
    match outcome {
        Ok(Output::Rows(mut rows)) if identity.is_none() => {
            rows.append(&mut deleted);
            Ok(Output::Rows(rows))
        }
        Err(error) if error.is_not_found() && !deleted.is_empty() => Ok(Output::Rows(deleted)),
        other => other,
    }
}

/// Send on behalf, and the attributes that scopes filter by.
pub fn set_mailbox(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let groups = run.args.flag("GroupMailbox") == Some(true);
    let found = run
        .tenant
        .recipient(&identity, now)
        .filter(|found| match found {
            Recipient::Person(_, mailbox) => mailbox.kind.is_mailbox(),
            Recipient::Group(group) => groups && group.kind == GroupKind::Microsoft365,
        })
        .map(|found| (found.id(), found.smtp().to_owned(), found.name()));
    let Some((id, smtp, name)) = found else {
        return Err(run.not_found(&identity));
    };
    check_synced(run, id, &name)?;
    if let Some(change) = run.args.multi("GrantSendOnBehalfTo").cloned() {
        let mut names: Vec<String> = run
            .tenant
            .exchange
            .extras
            .get(&id)
            .map(|extras| extras.send_on_behalf.iter().map(Uuid::to_string).collect())
            .unwrap_or_default();
        let mut resolved = change;
        for list in [&mut resolved.add, &mut resolved.remove]
            .into_iter()
            .chain(resolved.all.as_mut())
        {
            for one in list {
                *one = person(run, one)?.to_string();
            }
        }
        resolved.apply(&mut names);
        let extras = run.tenant.exchange.extras.entry(id).or_default();
        extras.send_on_behalf = names
            .iter()
            .filter_map(|text| Uuid::parse_str(text).ok())
            .collect();
    }
    for number in 1..=3_u8 {
        let attribute = format!("CustomAttribute{number}");
        let Some(value) = run.args.raw_text(&attribute).map(str::to_owned) else {
            continue;
        };
        let attributes = match run.tenant.users.get_mut(&id) {
            Some(user) => user.mailbox.as_mut().map(|own| &mut own.custom_attributes),
            None => Some(
                &mut run
                    .tenant
                    .exchange
                    .extras
                    .entry(id)
                    .or_default()
                    .custom_attributes,
            ),
        };
        if let Some(attributes) = attributes {
            attributes.insert(number, value);
        }
    }
    let sent = run.sent();
    run.changed(Deed::Changed, Thing::Mailbox, id, smtp, sent);
    Ok(Output::Nothing)
}

fn person(run: &mut Run<'_>, identity: &str) -> Result<Uuid, CmdletError> {
    let now = run.now();
    let found = run.tenant.recipient(identity, now).map(|found| found.id());
    found.ok_or_else(|| run.not_found(identity))
}

/// What is managed on premises is not changed here (§1.7). The parameter that is named is the
/// first that was sent beside those that say what and how.
pub fn check_synced(run: &Run<'_>, object: Uuid, name: &str) -> Result<(), CmdletError> {
    if !run.tenant.exchange.is_dir_synced(object) {
        return Ok(());
    }
    let parameter = run
        .args
        .names()
        .find(|name| {
            ![
                "Identity",
                "Confirm",
                "ErrorAction",
                "BypassSecurityGroupManagerCheck",
            ]
            .contains(name)
        })
        .unwrap_or("Identity");
    Err(CmdletError::failed(
        "Microsoft.Exchange.Data.Directory.ADInvalidOperationException",
        format!(
            "The action '{}', '{parameter}', can't be performed on the object '{name}' because the object is being synchronized from your on-premises organization. This action should be performed on the object in your on-premises organization.",
            run.cmdlet
        ),
    ))
}

/// The recipients that identity, name search, filter and kind leave, as rows.
pub fn list(
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
