//! The organisation's switches and those of mailboxes: `Set-OrganizationConfig`, `…-CASMailbox`
//! (MICROSOFT.md §2.8).

use serde_json::{Map, Value};
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use crate::journal::{Deed, Thing};
use crate::world::recipients::Recipient;
use crate::world::switches::{AgentPolicy, EwsSwitches};
use crate::world::tenant::Tenant;

/// Parameters that a tenant may not have yet.
const EWS_PARAMETERS: [&str; 6] = [
    "RetrieveEwsOperationAccessPolicy",
    "EwsEnabled",
    "EwsAllowedAppIDs",
    "EwsApplicationAccessPolicy",
    "EwsAllowList",
    "EwsBlockList",
];

/// Refuses them as unknown where the tenant does not have them.
pub fn check_known(run: &Run<'_>) -> Result<(), CmdletError> {
    let sent = run.args.names().find(|name| EWS_PARAMETERS.contains(name));
    match sent {
        Some(name) if run.tenant.exchange.habits.ews_unknown => {
            Err(CmdletError::unknown_parameter(name))
        }
        _ => Ok(()),
    }
}

/// Adds what both the organisation and mailboxes show.
pub fn show(row: Row, switches: &EwsSwitches, default: Option<bool>) -> Row {
    let row = match switches.enabled.or(default) {
        Some(enabled) => row.flag("EwsEnabled", enabled),
        None => row.null("EwsEnabled"),
    };
    let row = match switches.policy {
        Some(policy) => row.text("EwsApplicationAccessPolicy", policy.name()),
        None => row.null("EwsApplicationAccessPolicy"),
    };
    row.list("EwsAllowList", switches.allow_list.clone())
        .list("EwsBlockList", switches.block_list.clone())
}

/// Takes what a cmdlet sets. Null is a value of its own.
fn apply(run: &Run<'_>, switches: &mut EwsSwitches) {
    let args = &run.args;
    if args.is_null("EwsEnabled") {
        switches.enabled = None;
    } else if let Some(enabled) = args.flag("EwsEnabled") {
        switches.enabled = Some(enabled);
    }
    if args.is_null("EwsApplicationAccessPolicy") {
        switches.policy = None;
    } else if let Some(name) = args.text("EwsApplicationAccessPolicy") {
        switches.policy = AgentPolicy::from_name(name);
    }
    for (name, list) in [
        ("EwsAllowList", &mut switches.allow_list),
        ("EwsBlockList", &mut switches.block_list),
    ] {
        if args.is_null(name) {
            list.clear();
        } else if let Some(change) = args.multi(name) {
            change.apply(list);
        }
    }
}

pub fn set_organization(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    check_known(run)?;
    // Set replaces the whole list; it is one text with commas (§2.8).
    let ids = match (
        run.args.is_null("EwsAllowedAppIDs"),
        run.args.raw_text("EwsAllowedAppIDs"),
    ) {
        (true, _) => Some(None),
        (false, None) => None,
        (false, Some(text)) => {
            let mut ids = Vec::new();
            for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                let id = Uuid::parse_str(one).map_err(|_| {
                    CmdletError::failed(
                        "Microsoft.Exchange.Data.DataValidationException",
                        format!("The application id '{one}' isn't valid."),
                    )
                })?;
                ids.push(id);
            }
            Some(Some(ids))
        }
    };
    let mut fresh = run.tenant.exchange.switches.organisation.clone();
    apply(run, &mut fresh);
    let enforce = run.args.flag("EnforceExoAppRbacPermissions");
    let switches = &mut run.tenant.exchange.switches;
    switches.organisation = fresh;
    if let Some(ids) = ids {
        switches.allowed_app_ids = ids;
    }
    if let Some(enforce) = enforce {
        switches.enforce_app_rbac = enforce;
    }
    let (id, name) = (run.tenant.id, run.tenant.name.clone());
    let sent = run.sent();
    run.changed(Deed::Changed, Thing::Organization, id, name, sent);
    Ok(Output::Nothing)
}

fn row(tenant: &Tenant, recipient: &Recipient<'_>) -> Map<String, Value> {
    let default = EwsSwitches::default();
    let switches = tenant
        .exchange
        .switches
        .mailboxes
        .get(&recipient.id())
        .unwrap_or(&default);
    let row = Row::default()
        .text("Identity", recipient.name())
        .text("Id", recipient.name())
        .text("Name", recipient.name())
        .text("DisplayName", recipient.display_name())
        .text("PrimarySmtpAddress", recipient.smtp())
        .list("EmailAddresses", recipient.email_addresses())
        .text("ExternalDirectoryObjectId", recipient.id().to_string())
        .guid("Guid", recipient.guid())
        .flag("ActiveSyncEnabled", true)
        .flag("ImapEnabled", true)
        .flag("MAPIEnabled", true)
        .flag("OWAEnabled", true)
        .flag("PopEnabled", true)
        .null("SmtpClientAuthenticationDisabled");
    let row = if tenant.exchange.habits.ews_unknown {
        row
    } else {
        show(row, switches, Some(true))
    };
    row.flag("IsValid", true)
        .text("ObjectState", "Changed")
        .done()
}

fn is_mailbox(recipient: &Recipient<'_>) -> bool {
    matches!(recipient, Recipient::Person(_, mailbox) if mailbox.kind.is_mailbox())
}

pub fn get_cas(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    super::mailboxes::list(run, &is_mailbox, row)
}

pub fn set_cas(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    check_known(run)?;
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let found = run
        .tenant
        .recipient(&identity, now)
        .filter(is_mailbox)
        .map(|found| (found.id(), found.smtp().to_owned()));
    let Some((id, smtp)) = found else {
        return Err(run.not_found(&identity));
    };
    let mailboxes = &run.tenant.exchange.switches.mailboxes;
    let mut fresh = mailboxes.get(&id).cloned().unwrap_or_default();
    apply(run, &mut fresh);
    run.tenant.exchange.switches.mailboxes.insert(id, fresh);
    let sent = run.sent();
    run.changed(Deed::Changed, Thing::Mailbox, id, smtp, sent);
    Ok(Output::Nothing)
}
