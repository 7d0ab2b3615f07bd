//! The table of cmdlets.

use super::cmdlet::Kind::{Choice, Choices, Flag, Size, Texts};
use super::cmdlet::{Cmdlet, Power, must, must_be, of, text};
use super::{
    access_table, groups, mailboxes, members, organization, policies, role_assignments, scopes,
    service_principals, units,
};

const GROUP_TYPES: &[&str] = &["Distribution", "Security"];
const RESTRICTIONS: &[&str] = &["ApprovalRequired", "Closed", "Open"];
const MAILBOX_DETAILS: &[&str] = &[
    "DiscoveryMailbox",
    "EquipmentMailbox",
    "GroupMailbox",
    "LegacyMailbox",
    "LinkedMailbox",
    "LinkedRoomMailbox",
    "RoomMailbox",
    "SchedulingMailbox",
    "SharedMailbox",
    "TeamMailbox",
    "UserMailbox",
];
const RECIPIENT_DETAILS: &[&str] = &[
    "DiscoveryMailbox",
    "DynamicDistributionGroup",
    "EquipmentMailbox",
    "GroupMailbox",
    "MailContact",
    "MailUniversalDistributionGroup",
    "MailUniversalSecurityGroup",
    "MailUser",
    "RoomMailbox",
    "SharedMailbox",
    "UserMailbox",
];
const GROUP_DETAILS: &[&str] = &[
    "MailUniversalDistributionGroup",
    "MailUniversalSecurityGroup",
    "RoomList",
];
const ALL_GROUP_DETAILS: &[&str] = &[
    "GroupMailbox",
    "MailUniversalDistributionGroup",
    "MailUniversalSecurityGroup",
    "UniversalSecurityGroup",
];
const ACCESS_RIGHTS: &[&str] = &["DenyAccess", "RestrictAccess"];
const ASSIGNEE_TYPES: &[&str] = &[
    "LinkedRoleGroup",
    "PartnerLinkedRoleGroup",
    "RoleAssignmentPolicy",
    "RoleGroup",
    "SecurityGroup",
    "ServicePrincipal",
    "User",
];
const RECIPIENT_TYPE: &str = "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails";

static CMDLETS: &[Cmdlet] = &[
    // Groups
    Cmdlet {
        name: "Get-DistributionGroup",
        power: Power::ViewRecipients,
        run: groups::get,
        params: &[
            text("Identity"),
            text("Anr"),
            text("Filter"),
            text("ManagedBy"),
            text("SortBy"),
            text("OrganizationalUnit"),
            of(
                "RecipientTypeDetails",
                Choices(RECIPIENT_TYPE, GROUP_DETAILS),
            ),
            of("ResultSize", Size),
            of("IncludeManagedByWithDisplayNames", Flag),
            of("IncludeModeratedByWithDisplayNames", Flag),
            of(
                "IncludeAcceptMessagesOnlyFromSendersOrMembersWithDisplayNames",
                Flag,
            ),
            of(
                "IncludeBypassModerationFromSendersOrMembersWithDisplayNames",
                Flag,
            ),
            of("IncludeGrantSendOnBehalfToWithDisplayNames", Flag),
        ],
    },
    Cmdlet {
        name: "New-DistributionGroup",
        power: Power::Recipients,
        run: groups::new,
        params: &[
            must("Name"),
            text("Alias"),
            text("DisplayName"),
            of(
                "Type",
                Choice(
                    "Microsoft.Exchange.Management.RecipientTasks.GroupType",
                    GROUP_TYPES,
                ),
            ),
            text("PrimarySmtpAddress"),
            of("ManagedBy", Texts),
            of("Members", Texts),
            of(
                "MemberJoinRestriction",
                Choice(
                    "Microsoft.Exchange.Data.Directory.Recipient.MemberUpdateType",
                    RESTRICTIONS,
                ),
            ),
            of(
                "MemberDepartRestriction",
                Choice(
                    "Microsoft.Exchange.Data.Directory.Recipient.MemberUpdateType",
                    RESTRICTIONS,
                ),
            ),
            of("RequireSenderAuthenticationEnabled", Flag),
            of("HiddenGroupMembershipEnabled", Flag),
            of("IgnoreNamingPolicy", Flag),
            text("Description"),
            text("Notes"),
            of("CopyOwnerToMember", Flag),
            of("BccBlocked", Flag),
            of("ModerationEnabled", Flag),
            of("ModeratedBy", Texts),
            of("RoomList", Flag),
            of("BypassNestedModerationEnabled", Flag),
            text("OrganizationalUnit"),
            of(
                "SendModerationNotifications",
                Choice(
                    "Microsoft.Exchange.Data.Directory.Recipient.TransportModerationNotificationFlags",
                    &["Always", "Internal", "Never"],
                ),
            ),
        ],
    },
    Cmdlet {
        name: "Set-DistributionGroup",
        power: Power::Recipients,
        run: groups::set,
        params: &[
            must("Identity"),
            text("Name"),
            text("Alias"),
            text("DisplayName"),
            text("Description"),
            text("PrimarySmtpAddress"),
            text("MailTip"),
            of("ManagedBy", Texts),
            of("HiddenFromAddressListsEnabled", Flag),
            of("RequireSenderAuthenticationEnabled", Flag),
            of("BypassSecurityGroupManagerCheck", Flag),
            of("IgnoreNamingPolicy", Flag),
            of("ForceUpgrade", Flag),
            of(
                "MemberJoinRestriction",
                Choice(
                    "Microsoft.Exchange.Data.Directory.Recipient.MemberUpdateType",
                    RESTRICTIONS,
                ),
            ),
            of(
                "MemberDepartRestriction",
                Choice(
                    "Microsoft.Exchange.Data.Directory.Recipient.MemberUpdateType",
                    RESTRICTIONS,
                ),
            ),
        ],
    },
    Cmdlet {
        name: "Remove-DistributionGroup",
        power: Power::Recipients,
        run: groups::remove,
        params: &[
            must("Identity"),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    Cmdlet {
        name: "Get-Group",
        power: Power::ViewRecipients,
        run: groups::get_any,
        params: &[
            text("Identity"),
            text("Anr"),
            text("Filter"),
            of(
                "RecipientTypeDetails",
                Choices(RECIPIENT_TYPE, ALL_GROUP_DETAILS),
            ),
            of("ResultSize", Size),
        ],
    },
    Cmdlet {
        name: "Get-DistributionGroupMember",
        power: Power::ViewRecipients,
        run: members::get,
        params: &[must("Identity"), of("ResultSize", Size)],
    },
    Cmdlet {
        name: "Add-DistributionGroupMember",
        power: Power::Recipients,
        run: members::add,
        params: &[
            must("Identity"),
            must("Member"),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    Cmdlet {
        name: "Remove-DistributionGroupMember",
        power: Power::Recipients,
        run: members::remove,
        params: &[
            must("Identity"),
            must("Member"),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    Cmdlet {
        name: "Update-DistributionGroupMember",
        power: Power::Recipients,
        run: members::update,
        params: &[
            must("Identity"),
            must_be("Members", Texts),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    // Recipients
    Cmdlet {
        name: "Get-Mailbox",
        power: Power::ViewRecipients,
        run: mailboxes::get_mailbox,
        params: &[
            text("Identity"),
            text("Anr"),
            text("Filter"),
            text("SortBy"),
            of(
                "RecipientTypeDetails",
                Choices(RECIPIENT_TYPE, MAILBOX_DETAILS),
            ),
            of("ResultSize", Size),
            of("Archive", Flag),
            of("GroupMailbox", Flag),
        ],
    },
    Cmdlet {
        name: "Get-Recipient",
        power: Power::ViewRecipients,
        run: mailboxes::get_recipient,
        params: &[
            text("Identity"),
            text("Anr"),
            text("Filter"),
            text("SortBy"),
            of(
                "RecipientTypeDetails",
                Choices(RECIPIENT_TYPE, RECIPIENT_DETAILS),
            ),
            of("ResultSize", Size),
            of("IncludeSoftDeletedRecipients", Flag),
        ],
    },
    // Access policies
    Cmdlet {
        name: "Get-ApplicationAccessPolicy",
        power: Power::ViewConfiguration,
        run: policies::get,
        params: &[text("Identity")],
    },
    Cmdlet {
        name: "New-ApplicationAccessPolicy",
        power: Power::Configuration,
        run: policies::new,
        params: &[
            must_be(
                "AccessRight",
                Choice(
                    "Microsoft.Exchange.Data.Directory.SystemConfiguration.ApplicationAccessPolicyRight",
                    ACCESS_RIGHTS,
                ),
            ),
            must_be("AppId", Texts),
            must("PolicyScopeGroupId"),
            text("Description"),
        ],
    },
    Cmdlet {
        name: "Set-ApplicationAccessPolicy",
        power: Power::Configuration,
        run: policies::set,
        params: &[must("Identity"), text("Description")],
    },
    Cmdlet {
        name: "Remove-ApplicationAccessPolicy",
        power: Power::Configuration,
        run: policies::remove,
        params: &[must("Identity")],
    },
    Cmdlet {
        name: "Test-ApplicationAccessPolicy",
        power: Power::ViewConfiguration,
        run: policies::test,
        params: &[must("Identity"), must("AppId")],
    },
    // The organisation
    Cmdlet {
        name: "Enable-OrganizationCustomization",
        power: Power::Configuration,
        run: organization::enable_customization,
        params: &[],
    },
    // RBAC for Applications
    Cmdlet {
        name: "Get-ServicePrincipal",
        power: Power::ViewConfiguration,
        run: service_principals::get,
        params: &[text("Identity")],
    },
    Cmdlet {
        name: "New-ServicePrincipal",
        power: Power::Roles,
        run: service_principals::new,
        params: &[
            must("AppId"),
            text("ObjectId"),
            text("ServiceId"),
            text("DisplayName"),
        ],
    },
    Cmdlet {
        name: "Set-ServicePrincipal",
        power: Power::Roles,
        run: service_principals::set,
        params: &[
            must("Identity"),
            text("DisplayName"),
            of("OverrideEnforceExoAppRbacPermissions", Flag),
        ],
    },
    Cmdlet {
        name: "Remove-ServicePrincipal",
        power: Power::Roles,
        run: service_principals::remove,
        params: &[must("Identity")],
    },
    Cmdlet {
        name: "Test-ServicePrincipalAuthorization",
        power: Power::ViewConfiguration,
        run: service_principals::test,
        params: &[must("Identity"), text("Resource")],
    },
    Cmdlet {
        name: "Get-AdministrativeUnit",
        power: Power::ViewConfiguration,
        run: units::get,
        params: &[text("Identity")],
    },
    Cmdlet {
        name: "Get-ManagementScope",
        power: Power::ViewConfiguration,
        run: scopes::get,
        params: &[text("Identity"), of("Orphan", Flag), of("Exclusive", Flag)],
    },
    Cmdlet {
        name: "New-ManagementScope",
        power: Power::Roles,
        run: scopes::new,
        params: &[
            must("Name"),
            must("RecipientRestrictionFilter"),
            text("RecipientRoot"),
            of("Exclusive", Flag),
            of("Force", Flag),
        ],
    },
    Cmdlet {
        name: "Set-ManagementScope",
        power: Power::Roles,
        run: scopes::set,
        params: &[
            must("Identity"),
            text("Name"),
            text("RecipientRestrictionFilter"),
        ],
    },
    Cmdlet {
        name: "Remove-ManagementScope",
        power: Power::Roles,
        run: scopes::remove,
        params: &[must("Identity")],
    },
    Cmdlet {
        name: "Get-ManagementRoleAssignment",
        power: Power::ViewConfiguration,
        run: role_assignments::get,
        params: &[
            text("Identity"),
            text("Role"),
            text("RoleAssignee"),
            of(
                "RoleAssigneeType",
                Choice(
                    "Microsoft.Exchange.Data.Directory.SystemConfiguration.RoleAssigneeType",
                    ASSIGNEE_TYPES,
                ),
            ),
            text("CustomRecipientWriteScope"),
            text("RecipientWriteScope"),
            of("Delegating", Flag),
            of("GetEffectiveUsers", Flag),
            of("Enabled", Flag),
        ],
    },
    Cmdlet {
        name: "New-ManagementRoleAssignment",
        power: Power::Roles,
        run: role_assignments::new,
        params: &[
            text("Name"),
            must("Role"),
            must("App"),
            text("CustomResourceScope"),
            text("RecipientAdministrativeUnitScope"),
            text("RecipientGroupScope"),
            of("Delegating", Flag),
            of("Force", Flag),
        ],
    },
    Cmdlet {
        name: "Remove-ManagementRoleAssignment",
        power: Power::Roles,
        run: role_assignments::remove,
        params: &[must("Identity")],
    },
];

/// A cmdlet by its name, in any case.
pub fn find(name: &str) -> Option<&'static Cmdlet> {
    CMDLETS
        .iter()
        .chain(access_table::CMDLETS)
        .find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name))
}
