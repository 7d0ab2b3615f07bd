//! The application permissions that reach into mailboxes (MICROSOFT.md §4).
//!
//! Keyed on resource *and* app role: `Calendars.ReadWrite` of Graph and
//! `Calendars.ReadWrite.All` of Exchange Online share one id.

use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use crate::id::AppRoleId;

/// The API that a permission belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    Graph,
    Exchange,
}

impl Resource {
    pub const ALL: [Self; 2] = [Self::Graph, Self::Exchange];

    /// The resource's own application id, the same in every tenant.
    pub const fn app_id(self) -> Uuid {
        match self {
            Self::Graph => uuid!("00000003-0000-0000-c000-000000000000"),
            Self::Exchange => uuid!("00000002-0000-0ff1-ce00-000000000000"),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Exchange => "Office 365 Exchange Online",
        }
    }
}

/// Whether an access policy narrows a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Named in Microsoft's list of permissions that access policies govern.
    Policy,
    /// Reaches mailboxes past every access policy.
    Beyond,
}

/// One mailbox permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxPermission {
    pub resource: Resource,
    /// Its value, such as `Mail.Send`. What a tenant's own service principal
    /// says about an id wins over the id in this table.
    pub value: &'static str,
    pub id: Uuid,
    pub coverage: Coverage,
    /// What an application can do with it, to end “it can …”.
    pub can: &'static str,
    pub sends: bool,
}

macro_rules! table {
    ($($resource:ident $value:literal $id:literal $coverage:ident $sends:literal $can:literal;)*) => {
        /// Every permission that Postern looks for, worst first.
        pub static MAILBOX_PERMISSIONS: &[MailboxPermission] = &[$(
            MailboxPermission {
                resource: Resource::$resource,
                value: $value,
                id: uuid!($id),
                coverage: Coverage::$coverage,
                can: $can,
                sends: $sends,
            },
        )*];
    };
}

table! {
    Exchange "full_access_as_app" "dc890d15-9560-4a4c-9b7f-a736ec74ec40" Policy true "do everything with mailboxes through EWS";
    Graph "Mail.Send" "b633e1c5-b582-4048-a93e-9f11b44c7e96" Policy true "send mail";
    Graph "Mail-Advanced.ReadWrite.All" "e118f1da-5c1c-46cf-bff6-8858d786f46f" Beyond false "read and change mail, protected parts included";
    Graph "Mail.ReadWrite" "e2a3a72e-5f79-4c64-b1b1-878b674786c9" Policy false "read and change mail";
    Graph "Mail.Read" "810c84a8-4a9e-49e6-bf7d-12d183f40d01" Policy false "read mail";
    Graph "Mail.ReadBasic" "6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a" Policy false "read who wrote to whom and when";
    Graph "Mail.ReadBasic.All" "693c5e45-0940-467d-9b8a-1022fb9d42ef" Policy false "read who wrote to whom and when";
    Graph "MailboxItem.ImportExport.All" "76577085-e73d-4f1d-b26a-85fb33892327" Beyond false "export and import mailbox contents";
    Graph "MailboxItem.Export.All" "937550e9-33a3-494b-88ae-d9cd394b1fbb" Beyond false "export mailbox contents";
    Graph "MailboxItem.ReadWrite.All" "1583d471-fede-4e7c-b062-57e9d60cfb49" Beyond false "read and change mailbox contents";
    Graph "MailboxItem.Read.All" "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce" Beyond false "read mailbox contents";
    Graph "MailboxFolder.ReadWrite.All" "fef87b92-8391-4589-9da7-eb93dab7dc8a" Beyond false "change mail folders";
    Graph "MailboxFolder.Read.All" "99280d24-a782-4793-93cc-0888549957f6" Beyond false "read mail folders";
    Graph "MailboxConfigItem.ReadWrite" "aa6d92d4-b25a-4640-aefe-3e3231e5e736" Beyond false "change mailbox configuration";
    Graph "MailboxConfigItem.Read" "27d9d776-f4d2-426d-80ad-5f22f2b01b0a" Beyond false "read mailbox configuration";
    Graph "MailTips.ReadBasic.All" "a2c9652d-4d7f-4e4e-9d75-ac32fdc6f413" Beyond false "read mail tips";
    Graph "MailboxSettings.ReadWrite" "6931bccd-447a-43d1-b442-00a195474933" Policy false "change mailbox settings";
    Graph "MailboxSettings.Read" "40f97065-369a-49f4-947c-6a255697ae91" Policy false "read mailbox settings";
    Graph "Calendars.ReadWrite" "ef54d2bf-783f-4e0f-bca1-3210c0444d99" Policy false "change calendars";
    Graph "Calendars.ReadWrite.All" "d91697b0-a708-4c11-a712-8fb2dc081aa2" Beyond false "change calendars";
    Graph "Calendars.Read" "798ee544-9d2d-430c-a058-570e29e34338" Policy false "read calendars";
    Graph "Calendars.Read.All" "470229df-a15a-4b08-9d95-8c534862b362" Beyond false "read calendars";
    Graph "Calendars.ReadBasic.All" "8ba4a692-bc31-4128-9094-475872af8a53" Beyond false "read when people are busy";
    Graph "Contacts.ReadWrite" "6918b873-d17a-4dc1-b314-35f528134491" Policy false "change contacts";
    Graph "Contacts.Read" "089fe4d0-434a-44c5-8827-41ba8a0b17f5" Policy false "read contacts";
    Exchange "SMTP.SendAsApp" "7146a1f0-8703-45b3-9eae-527a64c00995" Beyond true "send mail through SMTP";
    Exchange "IMAP.AccessAsApp" "5e5addcd-3e8d-4e90-baf5-964efab2b20a" Beyond false "read and change mail through IMAP";
    Exchange "POP.AccessAsApp" "cb842b43-da6e-4506-86fe-bb12199c656d" Beyond false "read mail through POP";
    Exchange "Calendars.ReadWrite.All" "ef54d2bf-783f-4e0f-bca1-3210c0444d99" Beyond false "change calendars through the retired Outlook API";
    Exchange "MailboxSettings.ReadWrite" "f9156939-25cd-4ba8-abfe-7fabcf003749" Beyond false "change mailbox settings through the retired Outlook API";
}

/// Value prefixes by which unlisted roles of the Exchange resource are known to reach mailboxes.
const EXCHANGE_PREFIXES: [&str; 9] = [
    "Mail.",
    "Mailbox",
    "Calendars.",
    "Contacts.",
    "Tasks.",
    "EWS.",
    "IMAP.",
    "POP.",
    "SMTP.",
];

/// The same for Graph.
const GRAPH_PREFIXES: [&str; 7] = [
    "Mail.",
    "Mail-",
    "MailTips.",
    "Mailbox",
    "Calendars.",
    "Contacts.",
    "Tasks.",
];

/// The mailbox permission with this resource and app role, if it is one.
pub fn find(resource: Resource, id: AppRoleId) -> Option<&'static MailboxPermission> {
    MAILBOX_PERMISSIONS
        .iter()
        .find(|permission| permission.resource == resource && permission.id == id.0)
}

/// The mailbox permission with this resource and value, if it is one.
pub fn find_value(resource: Resource, value: &str) -> Option<&'static MailboxPermission> {
    MAILBOX_PERMISSIONS
        .iter()
        .find(|permission| permission.resource == resource && permission.value == value)
}

/// Whether a role that is not in the table reaches mailboxes all the same, judged by its value:
/// the retired Outlook REST roles of Exchange Online, the mail protocols under another id, and roles
/// that Microsoft adds later.
pub fn looks_like_mailbox(resource: Resource, value: &str) -> bool {
    let prefixes: &[&str] = match resource {
        Resource::Exchange => &EXCHANGE_PREFIXES,
        Resource::Graph => &GRAPH_PREFIXES,
    };
    prefixes.iter().any(|prefix| value.starts_with(prefix))
}

/// Graph's permissions that go around a confinement, move its boundary, or reach mail through
/// another door (MICROSOFT.md §10.2).
const GRAPH_BESIDE: [&str; 79] = [
    "AppRoleAssignment.ReadWrite.All",
    "RoleManagement.ReadWrite.Exchange",
    "RoleManagement.ReadWrite.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagementPolicy.ReadWrite.Directory",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAccess.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.ReadWrite.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.EntraAppRole",
    "PrivilegedEligibilitySchedule.ReadWrite.EntraAppRole",
    "RoleManagementPolicy.ReadWrite.EntraAppRole",
    "EntitlementManagement.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Policy.ReadWrite.PermissionGrant",
    "Directory.ReadWrite.All",
    "LifecycleWorkflows.ReadWrite.All",
    "LifecycleWorkflows-Workflow.ReadWrite.All",
    "RoleManagement.ReadWrite.Defender",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "AgentIdentityBlueprint.AddRemoveCreds.All",
    "AgentIdentityBlueprint.ReadWrite.All",
    "AgentIdentityBlueprint.UpdateAuthProperties.All",
    "AgentIdentity.ReadWrite.All",
    "AgentIdentity.CreateAsManager",
    "AgentIdUser.ReadWrite.All",
    "UserAuthenticationMethod.ReadWrite.All",
    "UserAuthMethod-TAP.ReadWrite.All",
    "UserAuthMethod-Passkey.ReadWrite.All",
    "UserAuthMethod-Password.ReadWrite.All",
    "UserAuthMethod-External.ReadWrite.All",
    "UserAuthMethod-Phone.ReadWrite.All",
    "UserAuthMethod-Email.ReadWrite.All",
    "UserAuthMethod-SoftwareOATH.ReadWrite.All",
    "UserAuthMethod-HardwareOATH.ReadWrite.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.ManageIdentities.All",
    "Domain.ReadWrite.All",
    "Domain-InternalFederation.ReadWrite.All",
    "Organization.ReadWrite.All",
    "PublicKeyInfrastructure.ReadWrite.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "Synchronization.ReadWrite.All",
    "OnPremDirectorySynchronization.ReadWrite.All",
    "SpiffeTrustDomain.ReadWrite.All",
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementScripts.ReadWrite.All",
    "User.ReadWrite.All",
    "User.ReadUpdate.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "AdministrativeUnit.ReadWrite.All",
    "Group-OnPremisesSyncBehavior.ReadWrite.All",
    "User-OnPremisesSyncBehavior.ReadWrite.All",
    "Group.Read.All",
    "Group-Conversation.Read.All",
    "Group-Conversation.ReadWrite.All",
    "SecurityAnalyzedMessage.ReadWrite.All",
    "eDiscovery.ReadWrite.All",
    "eDiscovery.Read.All",
    "BackupRestore-Restore.ReadWrite.All",
    "BackupRestore-Configuration.ReadWrite.All",
    "User.Export.All",
    "Bookings.Read.All",
    "Bookings.ReadWrite.All",
    "Bookings.Manage.All",
    "BookingsAppointment.ReadWrite.All",
    "ExchangeMessageTrace.Read.All",
    "SecurityAnalyzedMessage.Read.All",
    "ThreatHunting.Read.All",
    "ThreatSubmission.ReadWrite.All",
    "BackupRestore-Search.Read.All",
    "AuditLogsQuery-Exchange.Read.All",
    "AuditLogsQuery.Read.All",
    "People.Read.All",
    "Reports.Read.All",
];

/// Whether a scan keeps a grant of this role: it reaches mailboxes, or it decides what a confinement
/// is worth (MICROSOFT.md §10.2). An unknown role of the Exchange resource is not taken for harmless.
pub fn matters(resource: Resource, value: &str) -> bool {
    match resource {
        Resource::Exchange => true,
        Resource::Graph => {
            find_value(resource, value).is_some()
                || looks_like_mailbox(resource, value)
                || GRAPH_BESIDE.contains(&value)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_id_on_two_resources_is_two_permissions() {
        let id = AppRoleId(uuid!("ef54d2bf-783f-4e0f-bca1-3210c0444d99"));
        assert_eq!(
            find(Resource::Graph, id).unwrap().coverage,
            Coverage::Policy
        );
        assert_eq!(
            find(Resource::Exchange, id).unwrap().coverage,
            Coverage::Beyond
        );
    }

    #[test]
    fn no_key_stands_twice() {
        for (index, one) in MAILBOX_PERMISSIONS.iter().enumerate() {
            for other in MAILBOX_PERMISSIONS.iter().skip(index + 1) {
                assert!(
                    (one.resource, one.id) != (other.resource, other.id),
                    "{}",
                    one.value
                );
                assert!(
                    (one.resource, one.value) != (other.resource, other.value),
                    "{}",
                    one.value
                );
            }
        }
    }

    #[test]
    fn reach_r01_what_decides_a_confinement_is_kept_and_the_rest_is_not() {
        for value in [
            "Mail.Send",
            "AppRoleAssignment.ReadWrite.All",
            "Application.ReadWrite.All",
            "Group.Read.All",
        ] {
            assert!(matters(Resource::Graph, value), "{value}");
        }
        assert!(matters(Resource::Exchange, "Exchange.ManageAsApp"));
        assert!(!matters(Resource::Graph, "User.Read.All"));
        for value in [
            "Mail.Send.Shared",
            "SMTP.Send",
            "Directory.AccessAsUser.All",
        ] {
            assert!(delegated_matters(Resource::Graph, value), "{value}");
        }
        assert!(delegated_matters(Resource::Exchange, "Exchange.Manage"));
        assert!(!delegated_matters(Resource::Graph, "User.Read"));
    }

    #[test]
    fn knows_mailbox_roles_by_value() {
        assert!(looks_like_mailbox(Resource::Exchange, "Mail.Send"));
        assert!(!looks_like_mailbox(
            Resource::Exchange,
            "Exchange.ManageAsApp"
        ));
        // Its id has one source only (MICROSOFT.md §4), so a tenant may name another.
        assert!(looks_like_mailbox(Resource::Exchange, "IMAP.AccessAsApp"));
        assert!(looks_like_mailbox(Resource::Graph, "Tasks.ReadWrite.All"));
        assert!(!looks_like_mailbox(Resource::Graph, "User.Read.All"));
    }
}
