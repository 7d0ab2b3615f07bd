//! The organisation: whether it can be configured yet, and making it so.

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use crate::journal::{Deed, Thing};

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    super::switches::check_known(run)?;
    let now = run.now();
    let listed = run.args.flag("RetrieveEwsOperationAccessPolicy") == Some(true);
    let tenant = &run.tenant;
    let switches = &tenant.exchange.switches;
    let row = Row::default()
        .text("Identity", &tenant.initial_domain)
        .text("Id", &tenant.initial_domain)
        .text("Name", &tenant.initial_domain)
        .text("DisplayName", &tenant.name)
        .text("OrganizationalUnitRoot", &tenant.initial_domain)
        .guid("Guid", tenant.id)
        .guid("ExternalDirectoryOrganizationId", tenant.id)
        .flag("IsDehydrated", tenant.exchange.is_dehydrated(now))
        .flag("IsMixedMode", false)
        .flag("AutoExpandingArchiveEnabled", false)
        .flag("AuditDisabled", false)
        .flag("OAuth2ClientProfileEnabled", true)
        .flag("RejectDirectSend", false)
        .flag("SendFromAliasEnabled", false)
        .flag("EnforceExoAppRbacPermissions", switches.enforce_app_rbac)
        .flag("AutodiscoverPartialDirSync", false)
        .flag("MailTipsAllTipsEnabled", true)
        .flag("FocusedInboxOn", true)
        .flag("HierarchicalAddressBookEnabled", false)
        .flag("CustomerLockboxEnabled", false)
        .text("DefaultAuthenticationPolicy", "")
        .text("DistributionGroupNamingPolicy", "")
        .text("DistributionGroupDefaultOU", "")
        .text("DefaultGroupAccessType", "Private")
        .text("AdminDisplayVersion", "0.20 (15.20.9999.009)")
        .text("RBACConfigurationVersion", "0.1 (15.20.9999.9)")
        .text("PublicFoldersEnabled", "Local")
        .text("DefaultMailboxRegion", "")
        .list("DistributionGroupNameBlockedWordsList", Vec::new())
        .list("AllowedMailboxRegions", Vec::new())
        .number("MailTipsLargeAudienceThreshold", 25)
        .date("WhenCreated", tenant.created)
        .flag("IsValid", true)
        .text("ObjectState", "Changed");
    let row = match tenant.exchange.habits.ews_unknown {
        true => row,
        false => super::switches::show(row, &switches.organisation, None),
    };
    // One text with commas, and only for who asks (§2.8).
    let row = match (listed, &switches.allowed_app_ids) {
        (false, _) => row,
        (true, None) => row.null("EwsAllowedAppIDs"),
        (true, Some(ids)) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            row.text("EwsAllowedAppIDs", ids.join(","))
        }
    };
    Ok(Output::Rows(vec![row.done()]))
}

pub fn enable_customization(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    if run.tenant.exchange.customised.is_some() {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.InvalidOperationException",
            "This operation is not required. Organization is already enabled for customization.",
        ));
    }
    let since = run.dice.later(run.dice.delays.customization);
    run.tenant.exchange.customised = Some(since);
    // The flag is no sign of being ready: creates are refused for a while longer, and then
    // nobody may delegate roles yet (§3.1).
    let lag = |range: [u64; 2], dice: &mut crate::clock::Dice| {
        let seconds = i64::try_from(dice.draw(range)).unwrap_or(0);
        chrono::TimeDelta::try_seconds(seconds).unwrap_or_default()
    };
    let unpacking = since + lag(run.dice.delays.customization_lag, run.dice);
    let delegation = unpacking + lag(run.dice.delays.delegation_lag, run.dice);
    run.tenant.exchange.unpacking = Some(unpacking);
    run.tenant.exchange.delegation_starts = Some(delegation);
    let (id, name) = (run.tenant.id, run.tenant.name.clone());
    run.changed(
        Deed::Changed,
        Thing::Organization,
        id,
        name,
        serde_json::json!({"customised_from": since}),
    );
    Ok(Output::Nothing)
}
