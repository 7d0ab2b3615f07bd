//! The table of cmdlets about who may do what: role groups, rights on mailboxes, switches.

use super::cmdlet::Kind::{Choice, Choices, Flag, Multi, Size, Texts};
use super::cmdlet::{Cmdlet, Power, must, must_be, of, text};
use super::{mailboxes, organization, rights, role_assignments, role_groups, switches};

const MAILBOX_RIGHTS: &[&str] = &[
    "ChangeOwner",
    "ChangePermission",
    "DeleteItem",
    "ExternalAccount",
    "FullAccess",
    "ReadPermission",
];
const RECIPIENT_RIGHTS: &[&str] = &["SendAs"];
const INHERITANCE: &[&str] = &["All", "Children", "Descendents", "None", "SelfAndChildren"];
const INHERITANCE_TYPE: &str = "System.DirectoryServices.ActiveDirectorySecurityInheritance";
const RIGHTS_TYPE: &str = "Microsoft.Exchange.Management.RecipientTasks.MailboxRights";
const EXTENDED_TYPE: &str = "Microsoft.Exchange.Management.RecipientTasks.RecipientAccessRight";
const AGENT_POLICIES: &[&str] = &["EnforceAllowList", "EnforceBlockList"];
const AGENT_TYPE: &str =
    "Microsoft.Exchange.Data.Directory.SystemConfiguration.EwsApplicationAccessPolicy";

pub static CMDLETS: &[Cmdlet] = &[
    // Role groups
    Cmdlet {
        name: "Get-RoleGroup",
        power: Power::ViewConfiguration,
        run: role_groups::get,
        params: &[
            text("Identity"),
            text("SortBy"),
            of("ShowPartnerLinked", Flag),
            of("ResultSize", Size),
        ],
    },
    Cmdlet {
        name: "Get-RoleGroupMember",
        power: Power::ViewConfiguration,
        run: role_groups::members,
        params: &[must("Identity"), of("ResultSize", Size)],
    },
    Cmdlet {
        name: "Add-RoleGroupMember",
        power: Power::Roles,
        run: role_groups::add,
        params: &[
            must("Identity"),
            must("Member"),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    Cmdlet {
        name: "Remove-RoleGroupMember",
        power: Power::Roles,
        run: role_groups::remove,
        params: &[
            must("Identity"),
            must("Member"),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    Cmdlet {
        name: "New-RoleGroup",
        power: Power::Roles,
        run: role_groups::new,
        params: &[
            must("Name"),
            text("Description"),
            of("Roles", Texts),
            of("Members", Texts),
        ],
    },
    Cmdlet {
        name: "Remove-RoleGroup",
        power: Power::Roles,
        run: role_groups::delete,
        params: &[
            must("Identity"),
            of("BypassSecurityGroupManagerCheck", Flag),
        ],
    },
    Cmdlet {
        name: "Set-ManagementRoleAssignment",
        power: Power::Roles,
        run: role_assignments::set,
        params: &[
            must("Identity"),
            text("CustomResourceScope"),
            text("RecipientAdministrativeUnitScope"),
            text("RecipientGroupScope"),
            of("Enabled", Flag),
            of("Force", Flag),
        ],
    },
    // Rights on mailboxes
    Cmdlet {
        name: "Get-MailboxPermission",
        power: Power::ViewRecipients,
        run: rights::get_mailbox,
        params: &[
            must("Identity"),
            text("User"),
            of("GroupMailbox", Flag),
            of("ResultSize", Size),
        ],
    },
    Cmdlet {
        name: "Add-MailboxPermission",
        power: Power::Recipients,
        run: rights::add_mailbox,
        params: &[
            must("Identity"),
            must("User"),
            must_be("AccessRights", Choices(RIGHTS_TYPE, MAILBOX_RIGHTS)),
            of("AutoMapping", Flag),
            of("Deny", Flag),
            of("GroupMailbox", Flag),
            of("InheritanceType", Choice(INHERITANCE_TYPE, INHERITANCE)),
        ],
    },
    Cmdlet {
        name: "Remove-MailboxPermission",
        power: Power::Recipients,
        run: rights::remove_mailbox,
        params: &[
            must("Identity"),
            must("User"),
            must_be("AccessRights", Choices(RIGHTS_TYPE, MAILBOX_RIGHTS)),
            of("Deny", Flag),
            of("GroupMailbox", Flag),
            of("InheritanceType", Choice(INHERITANCE_TYPE, INHERITANCE)),
        ],
    },
    Cmdlet {
        name: "Get-RecipientPermission",
        power: Power::ViewRecipients,
        run: rights::get_recipient,
        params: &[
            text("Identity"),
            text("Trustee"),
            of("AccessRights", Choices(EXTENDED_TYPE, RECIPIENT_RIGHTS)),
            of("ResultSize", Size),
        ],
    },
    Cmdlet {
        name: "Add-RecipientPermission",
        power: Power::Recipients,
        run: rights::add_recipient,
        params: &[
            must("Identity"),
            must("Trustee"),
            must_be("AccessRights", Choices(EXTENDED_TYPE, RECIPIENT_RIGHTS)),
        ],
    },
    Cmdlet {
        name: "Remove-RecipientPermission",
        power: Power::Recipients,
        run: rights::remove_recipient,
        params: &[
            must("Identity"),
            must("Trustee"),
            must_be("AccessRights", Choices(EXTENDED_TYPE, RECIPIENT_RIGHTS)),
            of("Deny", Flag),
        ],
    },
    Cmdlet {
        name: "Set-Mailbox",
        power: Power::Recipients,
        run: mailboxes::set_mailbox,
        params: &[
            must("Identity"),
            of("GrantSendOnBehalfTo", Multi),
            of("GroupMailbox", Flag),
            text("CustomAttribute1"),
            text("CustomAttribute2"),
            text("CustomAttribute3"),
        ],
    },
    // Switches
    Cmdlet {
        name: "Get-OrganizationConfig",
        power: Power::ViewRecipients,
        run: organization::get,
        params: &[of("RetrieveEwsOperationAccessPolicy", Flag)],
    },
    Cmdlet {
        name: "Set-OrganizationConfig",
        power: Power::Configuration,
        run: switches::set_organization,
        params: &[
            of("EwsEnabled", Flag),
            text("EwsAllowedAppIDs"),
            of(
                "EwsApplicationAccessPolicy",
                Choice(AGENT_TYPE, AGENT_POLICIES),
            ),
            of("EwsAllowList", Multi),
            of("EwsBlockList", Multi),
            of("EnforceExoAppRbacPermissions", Flag),
        ],
    },
    Cmdlet {
        name: "Get-CASMailbox",
        power: Power::ViewRecipients,
        run: switches::get_cas,
        params: &[
            text("Identity"),
            text("Anr"),
            text("Filter"),
            of("ResultSize", Size),
        ],
    },
    Cmdlet {
        name: "Set-CASMailbox",
        power: Power::Recipients,
        run: switches::set_cas,
        params: &[
            must("Identity"),
            of("EwsEnabled", Flag),
            of(
                "EwsApplicationAccessPolicy",
                Choice(AGENT_TYPE, AGENT_POLICIES),
            ),
            of("EwsAllowList", Multi),
            of("EwsBlockList", Multi),
        ],
    },
];
