//! Exchange's role groups: who administers it (MICROSOFT.md §1.6, §2.7, §10.4).

use uuid::Uuid;

use super::tenant::Tenant;
use crate::clock::Time;

/// A role group that comes with Exchange: name, roles, and the prefix of the linked groups in it
/// that stand for directory roles.
pub struct BuiltIn {
    pub name: &'static str,
    pub roles: &'static [&'static str],
    pub linked: &'static [&'static str],
    pub partner: bool,
}

/// Those that matter to access, and one of partners.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "Organization Management",
        roles: &[
            "Organization Configuration",
            "View-Only Configuration",
            "Distribution Groups",
            "Security Group Creation and Membership",
            "Mail Recipients",
            "Mail Recipient Creation",
            "View-Only Recipients",
            "Role Management",
        ],
        linked: &["TenantAdmins_", "ExchangeServiceAdmins_"],
        partner: false,
    },
    BuiltIn {
        name: "View-Only Organization Management",
        roles: &["View-Only Configuration", "View-Only Recipients"],
        linked: &["GlobalReaders_"],
        partner: false,
    },
    BuiltIn {
        name: "Recipient Management",
        roles: &[
            "Distribution Groups",
            "Mail Recipients",
            "Mail Recipient Creation",
            "View-Only Recipients",
        ],
        linked: &[],
        partner: false,
    },
    BuiltIn {
        name: "Help Desk",
        roles: &["View-Only Recipients", "User Options", "Reset Password"],
        linked: &["HelpdeskAdmins_"],
        partner: false,
    },
    BuiltIn {
        name: "Discovery Management",
        roles: &["Legal Hold", "Mailbox Search"],
        linked: &[],
        partner: false,
    },
    BuiltIn {
        name: "Compliance Management",
        roles: &[
            "View-Only Configuration",
            "View-Only Recipients",
            "Journaling",
        ],
        linked: &["ComplianceAdmins_"],
        partner: false,
    },
    BuiltIn {
        name: "Hygiene Management",
        roles: &["View-Only Configuration", "View-Only Recipients"],
        linked: &[],
        partner: false,
    },
    BuiltIn {
        name: "Security Administrator",
        roles: &["View-Only Configuration", "View-Only Recipients"],
        linked: &["SecurityAdmins_"],
        partner: false,
    },
    BuiltIn {
        name: "Partner Administrators",
        roles: &["View-Only Configuration", "View-Only Recipients"],
        linked: &[],
        partner: true,
    },
];

/// Management roles that can be given to an application directly, beside the application roles.
/// Their powers are in `exchange::cmdlet::Power`.
pub const MANAGEMENT_ROLES: &[&str] = &[
    "Distribution Groups",
    "Journaling",
    "Legal Hold",
    "Mail Recipient Creation",
    "Mail Recipients",
    "Mailbox Import Export",
    "Mailbox Search",
    "Migration",
    "Move Mailboxes",
    "Organization Configuration",
    "Recipient Policies",
    "Remote and Accepted Domains",
    "Reset Password",
    "Role Management",
    "Security Group Creation and Membership",
    "Transport Rules",
    "User Options",
    "View-Only Configuration",
    "View-Only Recipients",
];

/// A role group that somebody made.
#[derive(Debug, Clone)]
pub struct CustomRoleGroup {
    pub guid: Uuid,
    pub name: String,
    pub description: String,
    pub roles: Vec<String>,
    pub created: Time,
}

/// One membership, of a person, a group or a service principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleGroupMember {
    /// The role group's name.
    pub group: String,
    pub member: Uuid,
}

/// What a tenant added to the role groups that come with Exchange.
#[derive(Debug, Clone, Default)]
pub struct RoleGroups {
    pub custom: Vec<CustomRoleGroup>,
    pub members: Vec<RoleGroupMember>,
}

/// A role group as it is, whoever made it.
#[derive(Debug, Clone)]
pub struct RoleGroup {
    pub guid: Uuid,
    pub name: String,
    pub description: String,
    pub roles: Vec<String>,
    pub members: Vec<Uuid>,
    /// Names of the linked groups in it.
    pub linked: Vec<String>,
    pub partner: bool,
    pub created: Time,
}

impl RoleGroup {
    /// The names of the assignments that its roles hang on.
    pub fn assignments(&self) -> Vec<String> {
        self.roles
            .iter()
            .map(|role| format!("{role}-{}", self.name))
            .collect()
    }
}

/// A linked group's name: the number is the tenant's.
pub fn linked_name(tenant: &Tenant, prefix: &str) -> String {
    format!("{prefix}{}", tenant.id.as_u128() % 2_000_000_000)
}

/// All role groups of a tenant; the linked ones last.
pub fn all(tenant: &Tenant) -> Vec<RoleGroup> {
    let state = &tenant.exchange.role_groups;
    let members = |name: &str| -> Vec<Uuid> {
        state
            .members
            .iter()
            .filter(|entry| entry.group.eq_ignore_ascii_case(name))
            .map(|entry| entry.member)
            .collect()
    };
    let guid = |name: &str| Uuid::new_v5(&tenant.id, format!("role-group/{name}").as_bytes());
    let built_in = BUILT_IN.iter().map(|group| RoleGroup {
        guid: guid(group.name),
        name: group.name.to_owned(),
        description: format!("Members of {} have the rights of its roles.", group.name),
        roles: group.roles.iter().map(|role| (*role).to_owned()).collect(),
        members: members(group.name),
        linked: group
            .linked
            .iter()
            .map(|prefix| linked_name(tenant, prefix))
            .collect(),
        partner: group.partner,
        created: tenant.created,
    });
    let custom = state.custom.iter().map(|group| RoleGroup {
        guid: group.guid,
        name: group.name.clone(),
        description: group.description.clone(),
        roles: group.roles.clone(),
        members: members(&group.name),
        linked: Vec::new(),
        partner: false,
        created: group.created,
    });
    // Exchange cannot list who is in these (§1.6).
    let linked = BUILT_IN
        .iter()
        .flat_map(|group| group.linked)
        .map(|prefix| {
            let name = linked_name(tenant, prefix);
            RoleGroup {
                guid: guid(&name),
                description: "Membership in this role group is managed centrally.".to_owned(),
                name,
                roles: Vec::new(),
                members: Vec::new(),
                linked: Vec::new(),
                partner: false,
                created: tenant.created,
            }
        });
    built_in.chain(custom).chain(linked).collect()
}

/// The management roles that somebody has as a member of role groups, or that a service principal
/// was given directly. What is only delegated is not theirs to use.
pub fn roles_of(tenant: &Tenant, object: Uuid) -> Vec<String> {
    let by_groups = all(tenant)
        .into_iter()
        .filter(|group| {
            group.members.iter().any(|member| {
                *member == object
                    || tenant.contains_nested(*member, object, &|entry| entry.removed.is_none())
            })
        })
        .flat_map(|group| group.roles);
    let direct = tenant
        .exchange
        .role_assignments
        .iter()
        .filter(|assignment| {
            assignment.assignee == object
                && assignment.enabled
                && !tenant.exchange.delegates(assignment)
        })
        .map(|assignment| assignment.role.clone())
        .filter(|role| MANAGEMENT_ROLES.contains(&role.as_str()));
    by_groups.chain(direct).collect()
}
