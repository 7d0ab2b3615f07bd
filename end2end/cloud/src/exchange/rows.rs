//! Rows: PowerShell objects as JSON, with the sidecars that tell types (MICROSOFT.md §1.3).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::{Time, exchange_time};
use crate::world::habits::SoftDeleted;
use crate::world::recipients::Recipient;
use crate::world::tenant::{Change, Group, GroupKind, Tenant};

/// A row under construction.
#[derive(Debug, Default)]
pub struct Row(Map<String, Value>);

impl Row {
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), Value::String(value.into()));
        self
    }

    #[must_use]
    pub fn flag(mut self, name: &str, value: bool) -> Self {
        self.0
            .insert(format!("{name}@data.type"), "System.Boolean".into());
        self.0.insert(name.to_owned(), Value::Bool(value));
        self
    }

    #[must_use]
    pub fn number(mut self, name: &str, value: i64) -> Self {
        self.0
            .insert(format!("{name}@data.type"), "System.Int32".into());
        self.0.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn guid(mut self, name: &str, value: Uuid) -> Self {
        self.0
            .insert(format!("{name}@data.type"), "System.Guid".into());
        self.0.insert(name.to_owned(), value.to_string().into());
        self
    }

    #[must_use]
    pub fn date(mut self, name: &str, value: Time) -> Self {
        self.0
            .insert(format!("{name}@data.type"), "System.DateTime".into());
        self.0.insert(name.to_owned(), exchange_time(value).into());
        self
    }

    #[must_use]
    pub fn list(mut self, name: &str, values: Vec<String>) -> Self {
        self.0
            .insert(format!("{name}@odata.type"), "#Collection(String)".into());
        self.0.insert(name.to_owned(), json!(values));
        self
    }

    /// A value as it is, without a sidecar.
    #[must_use]
    pub fn any(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    #[must_use]
    pub fn null(mut self, name: &str) -> Self {
        self.0.insert(name.to_owned(), Value::Null);
        self
    }

    pub fn done(self) -> Map<String, Value> {
        self.0
    }
}

/// What every object of the directory ends with.
fn object(row: Row, tenant: &Tenant, created: Time) -> Row {
    row.text("ExchangeVersion", "0.20 (15.0.0.0)")
        .text(
            "OrganizationId",
            format!(
                "{}.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/{0} - {0}",
                tenant.initial_domain
            ),
        )
        .text(
            "ObjectCategory",
            format!("{}.PROD.OUTLOOK.COM/Configuration/Schema", tenant.forest()),
        )
        .text(
            "OriginatingServer",
            format!("{}A01DC001.PROD.OUTLOOK.COM", tenant.forest()),
        )
        .text(
            "OrganizationalUnit",
            format!("eur.prod.outlook.com/{}", tenant.initial_domain),
        )
        .date("WhenCreated", created)
        .date("WhenCreatedUTC", created)
        .date("WhenChanged", created)
        .date("WhenChangedUTC", created)
        .flag("IsValid", true)
        .text("ObjectState", "Changed")
}

/// `Get-Mailbox`: a big row, though not all 336 keys of the real one.
pub fn mailbox(tenant: &Tenant, recipient: &Recipient<'_>) -> Map<String, Value> {
    let Recipient::Person(user, mailbox) = recipient else {
        return Map::new();
    };
    let kind = mailbox.kind;
    let details = kind.details();
    let resource = matches!(details, "RoomMailbox" | "EquipmentMailbox");
    let mut row = Row::default()
        .text("Identity", user.id.to_string())
        .text("Id", user.id.to_string())
        .text("Name", recipient.name())
        .text("Alias", &mailbox.alias)
        .text("DisplayName", &user.display_name)
        .text("SimpleDisplayName", "")
        .text("DistinguishedName", tenant.distinguished_name(&recipient.name()))
        .guid("Guid", mailbox.guid)
        .guid("ExchangeGuid", Uuid::new_v5(&mailbox.guid, b"exchange"))
        .guid("ArchiveGuid", Uuid::nil())
        .text(
            "ExternalDirectoryObjectId",
            if kind.is_directory_user() { user.id.to_string() } else { String::new() },
        )
        .text("PrimarySmtpAddress", &mailbox.smtp)
        .text("WindowsEmailAddress", &mailbox.smtp)
        .text("UserPrincipalName", &user.upn)
        .text("MicrosoftOnlineServicesID", &user.upn)
        .text("SamAccountName", format!("$S{}-{}", mailbox.rid, mailbox.alias.chars().take(8).collect::<String>()))
        .text("Sid", tenant.sid(mailbox.rid))
        .list("EmailAddresses", recipient.email_addresses())
        .text("RecipientType", recipient.recipient_type())
        .text("RecipientTypeDetails", details)
        .flag("IsMailboxEnabled", true)
        // True for discovery mailboxes as well: the details tell, not this (MICROSOFT.md §2.5).
        .flag("IsShared", matches!(details, "SharedMailbox" | "DiscoveryMailbox"))
        .flag("IsResource", resource)
        .flag("IsLinked", false)
        .flag("IsRootPublicFolderMailbox", false)
        .flag("IsInactiveMailbox", false)
        .flag("IsSoftDeletedByRemove", false)
        .flag("IsSoftDeletedByDisable", false)
        .flag("IsDirSynced", tenant.exchange.is_dir_synced(user.id))
        .flag("IsMonitoringMailbox", false)
        .flag("AccountDisabled", !user.enabled)
        .flag("HiddenFromAddressListsEnabled", mailbox.hidden)
        .flag("RequireSenderAuthenticationEnabled", false)
        .flag("DeliverToMailboxAndForward", false)
        .flag("LitigationHoldEnabled", false)
        .flag("RetentionHoldEnabled", false)
        .flag("SingleItemRecoveryEnabled", true)
        .flag("AuditEnabled", true)
        .flag("MessageCopyForSentAsEnabled", false)
        .flag("MessageCopyForSendOnBehalfEnabled", false)
        .flag("ModerationEnabled", false)
        .flag("SKUAssigned", kind.details() == "UserMailbox")
        .flag("UseDatabaseQuotaDefaults", false)
        .text("MailboxPlan", if details == "UserMailbox" {
            format!("ExchangeOnlineEnterprise-{}", Uuid::new_v5(&tenant.id, b"plan"))
        } else {
            String::new()
        })
        .text("Office", "")
        .text("CustomAttribute", "")
        .text("UsageLocation", &tenant.country)
        .list("Languages", vec!["en-US".to_owned()])
        .text("ResourceType", match details {
            "RoomMailbox" => "Room",
            "EquipmentMailbox" => "Equipment",
            _ => "",
        })
        .null("ForwardingAddress")
        .null("ForwardingSmtpAddress")
        .null("ArchiveName")
        .null("LitigationHoldDate")
        .text("ArchiveStatus", "None")
        .text("ArchiveState", "None")
        .text("ArchiveQuota", "110 GB (118,111,600,640 bytes)")
        .text("ProhibitSendQuota", "99 GB (106,300,440,576 bytes)")
        .text("ProhibitSendReceiveQuota", "100 GB (107,374,182,400 bytes)")
        .text("IssueWarningQuota", "98 GB (105,226,698,752 bytes)")
        .text("RecoverableItemsQuota", "30 GB (32,212,254,720 bytes)")
        .text("RulesQuota", "256 KB (262,144 bytes)")
        .text("MaxSendSize", "35 MB (36,700,160 bytes)")
        .text("MaxReceiveSize", "36 MB (37,748,736 bytes)")
        .text("RecipientLimits", "Unlimited")
        .text("RetainDeletedItemsFor", "14.00:00:00")
        .text("AuditLogAgeLimit", "90.00:00:00")
        .text("RetentionPolicy", "Default MRM Policy")
        .text("AddressBookPolicy", "")
        .text("RoleAssignmentPolicy", "Default Role Assignment Policy")
        .text("Database", format!("{}DG001-db001", tenant.forest()))
        .text("ServerName", format!("{}mb0001", tenant.forest().to_lowercase()))
        .text("LegacyExchangeDN", format!("/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={}", user.id.simple()))
        .list("GrantSendOnBehalfTo", on_behalf(tenant, user.id))
        .list("InPlaceHolds", Vec::new())
        .list("ModeratedBy", Vec::new())
        .list("AuditAdmin", vec!["Update".to_owned(), "SendAs".to_owned(), "SendOnBehalf".to_owned()])
        .list("PoliciesIncluded", Vec::new())
        .list("PoliciesExcluded", Vec::new())
        .number("ResourceCapacity", 0);
    for number in 1..=15_u8 {
        let value = mailbox
            .custom_attributes
            .get(&number)
            .cloned()
            .unwrap_or_default();
        row = row.text(&format!("CustomAttribute{number}"), value);
    }
    object(row, tenant, user.created).done()
}

/// Who may send on behalf, by the names that Exchange has for them.
fn on_behalf(tenant: &Tenant, mailbox: Uuid) -> Vec<String> {
    tenant
        .exchange
        .extras
        .get(&mailbox)
        .map(|extras| {
            extras
                .send_on_behalf
                .iter()
                .filter_map(|id| tenant.recipient_by_id(*id))
                .map(|found| found.name())
                .collect()
        })
        .unwrap_or_default()
}

/// `Get-Recipient -IncludeSoftDeletedRecipients`: what was deleted and holds its addresses.
pub fn soft_deleted(tenant: &Tenant, gone: &SoftDeleted) -> Map<String, Value> {
    let addresses = std::iter::once(format!("SMTP:{}", gone.smtp))
        .chain(gone.aliases.iter().map(|alias| format!("smtp:{alias}")))
        .collect();
    let name = format!("Soft Deleted Objects\\{}", gone.id);
    Row::default()
        .text("Identity", &name)
        .text("Name", gone.id.to_string())
        .text("DisplayName", &gone.display_name)
        .text("DistinguishedName", tenant.distinguished_name(&name))
        .text("ExternalDirectoryObjectId", gone.id.to_string())
        .text("PrimarySmtpAddress", &gone.smtp)
        .list("EmailAddresses", addresses)
        .text("RecipientType", "UserMailbox")
        .text("RecipientTypeDetails", gone.details)
        .flag("IsSoftDeletedByRemove", true)
        .flag("IsValidSecurityPrincipal", false)
        .flag("IsValid", true)
        .text("ObjectState", "Changed")
        .done()
}

/// `Get-Recipient`.
pub fn recipient(tenant: &Tenant, recipient: &Recipient<'_>) -> Map<String, Value> {
    let created = match recipient {
        Recipient::Person(user, _) => user.created,
        Recipient::Group(group) => group.created,
    };
    let title = match recipient {
        Recipient::Person(user, _) => user.job_title.clone(),
        Recipient::Group(_) => String::new(),
    };
    let row = Row::default()
        .text("Identity", recipient.name())
        .text("Id", recipient.name())
        .text("Name", recipient.name())
        .text("Alias", recipient.alias())
        .text("DisplayName", recipient.display_name())
        .text(
            "DistinguishedName",
            tenant.distinguished_name(&recipient.name()),
        )
        .guid("Guid", recipient.guid())
        .text("ExternalDirectoryObjectId", recipient.id().to_string())
        .text("PrimarySmtpAddress", recipient.smtp())
        .list("EmailAddresses", recipient.email_addresses())
        .text("RecipientType", recipient.recipient_type())
        .text("RecipientTypeDetails", recipient.details())
        .flag("HiddenFromAddressListsEnabled", recipient.hidden())
        .flag(
            "IsValidSecurityPrincipal",
            recipient.is_security_principal(),
        )
        .flag("IsDirSynced", tenant.exchange.is_dir_synced(recipient.id()))
        .text("Title", title)
        .text("Company", "")
        .text("Department", "")
        .text("City", "")
        .text("Notes", "");
    object(row, tenant, created).done()
}

/// `Get-DistributionGroup`. Owners are ids unless their names are asked for (§2.2).
pub fn group(tenant: &Tenant, group: &Group, names: bool, now: Time) -> Map<String, Value> {
    let recipient = Recipient::Group(group);
    // A group that is not there yet has no distinguished name yet (§2.1).
    let settled = group.in_exchange <= now;
    let owner = |id: &Uuid| match tenant.users.get(id) {
        Some(user) if names => user.display_name.clone(),
        _ => id.to_string(),
    };
    let owners = group
        .owners
        .iter()
        .map(owner)
        .chain(group.foreign_owners.iter().cloned())
        .collect();
    let row = Row::default()
        .text("Identity", &group.name)
        .text("Id", &group.name)
        .text("Name", &group.name)
        .text("Alias", &group.alias)
        .text("DisplayName", &group.display_name)
        .text("Description", &group.description)
        .guid("Guid", group.guid)
        .text("ExternalDirectoryObjectId", group.id.to_string())
        .text("PrimarySmtpAddress", &group.smtp)
        .text("WindowsEmailAddress", &group.smtp)
        .list("EmailAddresses", recipient.email_addresses())
        .text("RecipientType", recipient.recipient_type())
        .text("RecipientTypeDetails", recipient.details())
        .text(
            "GroupType",
            match group.kind {
                GroupKind::MailSecurity | GroupKind::Security => "Universal, SecurityEnabled",
                _ => "Universal",
            },
        )
        .text("SamAccountName", format!("{}-{}", group.alias, group.rid))
        .text("Sid", tenant.sid(group.rid))
        .list("ManagedBy", owners)
        .text("MemberJoinRestriction", &group.join_restriction)
        .text("MemberDepartRestriction", &group.depart_restriction)
        .flag("HiddenFromAddressListsEnabled", group.hidden)
        .flag("HiddenGroupMembershipEnabled", group.hidden_membership)
        .flag(
            "RequireSenderAuthenticationEnabled",
            group.require_sender_authentication,
        )
        .flag("ModerationEnabled", false)
        .flag("BypassNestedModerationEnabled", false)
        .flag("IsDirSynced", tenant.exchange.is_dir_synced(group.id))
        .flag("BccBlocked", false)
        .flag("ReportToManagerEnabled", false)
        .flag("ReportToOriginatorEnabled", true)
        .flag("SendOofMessageToOriginatorEnabled", false)
        .list("ModeratedBy", Vec::new())
        .list("GrantSendOnBehalfTo", Vec::new())
        .list("AcceptMessagesOnlyFrom", Vec::new())
        .list("RejectMessagesFrom", Vec::new())
        .text("MailTip", "")
        .text("MaxSendSize", "Unlimited")
        .text("MaxReceiveSize", "Unlimited")
        .text("SendModerationNotifications", "Always");
    let row = if settled {
        row.text("DistinguishedName", tenant.distinguished_name(&group.name))
    } else {
        row
    };
    object(row, tenant, group.created).done()
}

/// `Get-Group`.
pub fn any_group(tenant: &Tenant, one: &Group, now: Time) -> Map<String, Value> {
    let members: Vec<String> = tenant
        .members_seen(one, now, |change: &Change| change.exchange)
        .filter_map(|id| tenant.recipient_by_id(id).map(|member| member.name()))
        .collect();
    let mut row = group(tenant, one, false, now);
    // `Get-Group` does not have it (§2.5); `Get-Recipient` and `Get-DistributionGroup` do.
    row.remove("ExternalDirectoryObjectId");
    row.extend(
        Row::default()
            .list("Members", members)
            .text(
                "RecipientType",
                match one.kind {
                    GroupKind::Security => "Group",
                    _ => Recipient::Group(one).recipient_type(),
                },
            )
            .done(),
    );
    row
}
