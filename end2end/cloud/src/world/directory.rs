//! What Entra keeps beside people, groups and grants: roles, credentials, agents, hidden units.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::agents::Agents;
use super::credentials::Credentials;
use super::directory_roles::DirectoryRoles;
use super::mail_rules::MailRules;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct DirectoryState {
    pub roles: DirectoryRoles,
    pub credentials: Credentials,
    pub agents: Agents,
    pub mail: MailRules,
    /// Administrative units whose members are hidden (MICROSOFT.md §7.5).
    pub hidden_units: BTreeSet<Uuid>,
    pub hidden_members: HiddenMembers,
}

/// What Graph answers when somebody lists hidden members without `Member.Read.Hidden`. UNVERIFIED
/// (MICROSOFT.md §7.5), so both worlds can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HiddenMembers {
    #[default]
    Empty,
    Refused,
}

impl HiddenMembers {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "empty" => Some(Self::Empty),
            "refused" => Some(Self::Refused),
            _ => None,
        }
    }
}
