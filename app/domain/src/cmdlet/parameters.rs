//! The types of the parameters of Exchange's cmdlets, from the published parameter tables
//! (MICROSOFT.md §0, key PS).
//!
//! The table has only the cmdlets that Postern runs or writes into its scripts. Of these it has
//! only the parameters that Exchange Online accepts and that a setup or a scan could need.

/// How the value of a parameter is written in PowerShell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The name alone switches it on. A word after the name would be the next argument.
    Switch,
    /// `$true` or `$false` must follow the name.
    Boolean,
    /// One value or several.
    List,
    /// One value.
    Value,
}

/// The parameters of one cmdlet.
pub(super) struct Parameters {
    pub(super) cmdlet: &'static str,
    switches: &'static [&'static str],
    booleans: &'static [&'static str],
    lists: &'static [&'static str],
    values: &'static [&'static str],
}

/// The type of a parameter. None: the table does not have the cmdlet or the parameter. Case is
/// ignored, as in PowerShell.
pub fn takes(cmdlet: &str, parameter: &str) -> Option<Takes> {
    let known = CMDLETS
        .iter()
        .find(|known| known.cmdlet.eq_ignore_ascii_case(cmdlet))?;
    [
        (known.switches, Takes::Switch),
        (known.booleans, Takes::Boolean),
        (known.lists, Takes::List),
        (known.values, Takes::Value),
    ]
    .into_iter()
    .find(|(names, _)| {
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(parameter))
    })
    .map(|(_, takes)| takes)
}

#[rustfmt::skip]
pub(super) const CMDLETS: &[Parameters] = &[
    Parameters {
        cmdlet: "Add-DistributionGroupMember",
        switches: &["BypassSecurityGroupManagerCheck", "Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity", "Member"],
    },
    Parameters {
        cmdlet: "Enable-OrganizationCustomization",
        switches: &["Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &[],
    },
    Parameters {
        cmdlet: "Get-ApplicationAccessPolicy",
        switches: &[],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Get-DistributionGroup",
        switches: &[],
        booleans: &[],
        lists: &["RecipientTypeDetails"],
        values: &[
            "Anr", "Filter", "Identity", "ManagedBy", "OrganizationalUnit", "ResultSize", "SortBy",
        ],
    },
    Parameters {
        cmdlet: "Get-DistributionGroupMember",
        switches: &[],
        booleans: &[],
        lists: &[],
        values: &["Identity", "ResultSize"],
    },
    Parameters {
        cmdlet: "Get-Group",
        switches: &[],
        booleans: &[],
        lists: &["RecipientTypeDetails"],
        values: &["Anr", "Filter", "Identity", "OrganizationalUnit", "ResultSize", "SortBy"],
    },
    Parameters {
        cmdlet: "Get-Mailbox",
        switches: &["Archive", "GroupMailbox", "Migration", "PublicFolder"],
        booleans: &[],
        lists: &["RecipientTypeDetails"],
        values: &[
            "Anr", "Filter", "Identity", "MailboxPlan", "OrganizationalUnit", "ResultSize",
            "SortBy",
        ],
    },
    Parameters {
        cmdlet: "Get-MailboxPermission",
        switches: &["GroupMailbox", "IncludeUnresolvedPermissions", "Owner", "UseCustomRouting"],
        booleans: &[],
        lists: &[],
        values: &["Identity", "ResultSize", "User"],
    },
    Parameters {
        cmdlet: "Get-ManagementRoleAssignment",
        switches: &["GetEffectiveUsers"],
        booleans: &["Delegating", "Enabled", "Exclusive"],
        lists: &["AssignmentMethod"],
        values: &[
            "ConfigWriteScope", "CustomRecipientWriteScope", "ExclusiveRecipientWriteScope",
            "Identity", "RecipientAdministrativeUnitScope", "RecipientGroupScope",
            "RecipientOrganizationalUnitScope", "RecipientWriteScope", "Role", "RoleAssignee",
            "RoleAssigneeType", "WritableRecipient",
        ],
    },
    Parameters {
        cmdlet: "Get-ManagementScope",
        switches: &["Orphan"],
        booleans: &["Exclusive"],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Get-OrganizationConfig",
        switches: &["RetrieveEwsOperationAccessPolicy"],
        booleans: &[],
        lists: &[],
        values: &[],
    },
    Parameters {
        cmdlet: "Get-Recipient",
        switches: &[],
        booleans: &["IncludeBookmarkObject"],
        lists: &["Capabilities", "Properties", "RecipientType", "RecipientTypeDetails"],
        values: &[
            "Anr", "AuthenticationType", "Filter", "Identity", "OrganizationalUnit", "PropertySet",
            "RecipientPreviewFilter", "ResultSize", "SortBy",
        ],
    },
    Parameters {
        cmdlet: "Get-RecipientPermission",
        switches: &[],
        booleans: &[],
        lists: &["AccessRights"],
        values: &["Identity", "ResultSize", "Trustee"],
    },
    Parameters {
        cmdlet: "Get-RoleGroup",
        switches: &["ShowPartnerLinked"],
        booleans: &[],
        lists: &[],
        values: &["Filter", "Identity", "ResultSize", "SortBy"],
    },
    Parameters {
        cmdlet: "Get-RoleGroupMember",
        switches: &[],
        booleans: &[],
        lists: &[],
        values: &["Identity", "ResultSize"],
    },
    Parameters {
        cmdlet: "Get-ServicePrincipal",
        switches: &[],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "New-ApplicationAccessPolicy",
        switches: &["Confirm", "WhatIf"],
        booleans: &[],
        lists: &["AppId"],
        values: &["AccessRight", "Description", "PolicyScopeGroupID"],
    },
    Parameters {
        cmdlet: "New-DistributionGroup",
        switches: &[
            "Confirm", "CopyOwnerToMember", "HiddenGroupMembershipEnabled", "IgnoreNamingPolicy",
            "RoomList", "WhatIf",
        ],
        booleans: &[
            "BccBlocked", "BypassNestedModerationEnabled", "ModerationEnabled",
            "RequireSenderAuthenticationEnabled",
        ],
        lists: &["Description", "ManagedBy", "Members", "ModeratedBy"],
        values: &[
            "Alias", "MemberDepartRestriction", "MemberJoinRestriction", "Name", "Notes",
            "OrganizationalUnit", "PrimarySmtpAddress", "SendModerationNotifications", "Type",
        ],
    },
    Parameters {
        cmdlet: "New-ManagementRoleAssignment",
        switches: &["Confirm", "Delegating", "Force", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &[
            "App", "CustomRecipientWriteScope", "CustomResourceScope",
            "ExclusiveRecipientWriteScope", "Name", "Policy", "RecipientAdministrativeUnitScope",
            "RecipientGroupScope", "RecipientOrganizationalUnitScope",
            "RecipientRelativeWriteScope", "Role", "SecurityGroup", "User",
        ],
    },
    Parameters {
        cmdlet: "New-ManagementScope",
        switches: &["Confirm", "Exclusive", "Force", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Name", "RecipientRestrictionFilter", "RecipientRoot"],
    },
    Parameters {
        cmdlet: "New-ServicePrincipal",
        switches: &["Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["AppId", "ObjectId", "ServiceId"],
    },
    Parameters {
        cmdlet: "Remove-ApplicationAccessPolicy",
        switches: &["Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Remove-DistributionGroup",
        switches: &["BypassSecurityGroupManagerCheck", "Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Remove-DistributionGroupMember",
        switches: &["BypassSecurityGroupManagerCheck", "Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity", "Member"],
    },
    Parameters {
        cmdlet: "Remove-ManagementRoleAssignment",
        switches: &["Confirm", "Force", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Remove-ManagementScope",
        switches: &["Confirm", "Force", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Remove-ServicePrincipal",
        switches: &["Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity"],
    },
    Parameters {
        cmdlet: "Set-DistributionGroup",
        switches: &[
            "BypassSecurityGroupManagerCheck", "Confirm", "ForceUpgrade",
            "HiddenGroupMembershipEnabled", "IgnoreNamingPolicy", "ResetMigrationToUnifiedGroup",
            "RoomList", "UpdateMemberCount", "WhatIf",
        ],
        booleans: &[
            "BccBlocked", "BypassNestedModerationEnabled", "HiddenFromAddressListsEnabled",
            "ModerationEnabled", "ReportToManagerEnabled", "ReportToOriginatorEnabled",
            "RequireSenderAuthenticationEnabled", "SendOofMessageToOriginatorEnabled",
        ],
        lists: &[
            "AcceptMessagesOnlyFrom", "AcceptMessagesOnlyFromDLMembers",
            "AcceptMessagesOnlyFromSendersOrMembers", "BypassModerationFromSendersOrMembers",
            "Description", "EmailAddresses", "GrantSendOnBehalfTo", "ManagedBy", "ModeratedBy",
            "RejectMessagesFrom", "RejectMessagesFromDLMembers",
            "RejectMessagesFromSendersOrMembers",
        ],
        values: &[
            "Alias", "Identity", "MemberDepartRestriction", "MemberJoinRestriction", "Name",
            "PrimarySmtpAddress", "SendModerationNotifications", "WindowsEmailAddress",
        ],
    },
    Parameters {
        cmdlet: "Test-ApplicationAccessPolicy",
        switches: &[],
        booleans: &[],
        lists: &[],
        values: &["AppId", "Identity"],
    },
    Parameters {
        cmdlet: "Test-ServicePrincipalAuthorization",
        switches: &["Confirm", "WhatIf"],
        booleans: &[],
        lists: &[],
        values: &["Identity", "Resource"],
    },
];
