//! The organisation: whether it can be configured yet, and making it so.

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use crate::journal::{Deed, Thing};

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let tenant = &run.tenant;
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
        .flag("EnforceExoAppRbacPermissions", false)
        .flag("AutodiscoverPartialDirSync", false)
        .flag("MailTipsAllTipsEnabled", true)
        .flag("FocusedInboxOn", true)
        .flag("HierarchicalAddressBookEnabled", false)
        .flag("CustomerLockboxEnabled", false)
        .text("EwsEnabled", "")
        .text("EwsApplicationAccessPolicy", "")
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
        .text("ObjectState", "Changed")
        .done();
    Ok(Output::Rows(vec![row]))
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
