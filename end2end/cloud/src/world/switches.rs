//! Switches of a tenant's Exchange that close ways for applications, whatever they were granted
//! (MICROSOFT.md §2.8, §3.9).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// `EwsApplicationAccessPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentPolicy {
    EnforceAllowList,
    EnforceBlockList,
}

impl AgentPolicy {
    pub fn name(self) -> &'static str {
        match self {
            Self::EnforceAllowList => "EnforceAllowList",
            Self::EnforceBlockList => "EnforceBlockList",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::EnforceAllowList, Self::EnforceBlockList]
            .into_iter()
            .find(|policy| policy.name().eq_ignore_ascii_case(name))
    }
}

/// The switches that the organisation and each mailbox have alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EwsSwitches {
    /// Null works as true.
    pub enabled: Option<bool>,
    pub policy: Option<AgentPolicy>,
    /// User agents, with `*`.
    pub allow_list: Vec<String>,
    pub block_list: Vec<String>,
}

impl EwsSwitches {
    /// Whether the lists let a user agent through: EWS, REST and Graph alike.
    pub fn admits(&self, user_agent: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|one| crate::faults::glob(one, user_agent));
        match self.policy {
            None => true,
            Some(AgentPolicy::EnforceAllowList) => listed(&self.allow_list),
            Some(AgentPolicy::EnforceBlockList) => !listed(&self.block_list),
        }
    }
}

/// Why EWS is closed; the words stand in `X-EWS-Policy-Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EwsClosed {
    Disabled,
    ByPolicy,
}

impl EwsClosed {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Disabled => "EWS is disabled for this user or tenant",
            Self::ByPolicy => "EWS is blocked by policy for this user or tenant",
        }
    }
}

/// All switches of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    pub organisation: EwsSwitches,
    /// Those of single mailboxes, by object id; who is not in it has the defaults.
    pub mailboxes: BTreeMap<Uuid, EwsSwitches>,
    /// `EwsAllowedAppIDs`: none = null.
    pub allowed_app_ids: Option<Vec<Uuid>>,
    /// `EnforceExoAppRbacPermissions` of the organisation.
    pub enforce_app_rbac: bool,
    /// Service principals with `OverrideEnforceExoAppRbacPermissions`.
    pub override_app_rbac: BTreeSet<Uuid>,
}

impl Switches {
    /// Whether the lists of the organisation and of the mailbox let a user agent through. Graph
    /// refuses with `Access to OData is disabled.` where they do not (§5.1).
    pub fn user_agent_allowed(&self, mailbox: Uuid, user_agent: &str) -> bool {
        self.organisation.admits(user_agent)
            && self
                .mailboxes
                .get(&mailbox)
                .is_none_or(|switches| switches.admits(user_agent))
    }

    /// Whether EWS answers an application for a mailbox.
    ///
    /// # Errors
    ///
    /// Why it does not. Without a user agent the lists of user agents are not asked.
    pub fn ews(
        &self,
        mailbox: Uuid,
        app_id: Uuid,
        user_agent: Option<&str>,
        empty_list_blocks: bool,
    ) -> Result<(), EwsClosed> {
        let own = self.mailboxes.get(&mailbox);
        if self.organisation.enabled == Some(false)
            || own.is_some_and(|switches| switches.enabled == Some(false))
        {
            return Err(EwsClosed::Disabled);
        }
        // The list counts only where EWS was switched on by name (§2.8).
        let listed = match &self.allowed_app_ids {
            _ if self.organisation.enabled != Some(true) => true,
            Some(ids) if !ids.is_empty() => ids.contains(&app_id),
            _ => !empty_list_blocks,
        };
        let admitted = user_agent.is_none_or(|agent| self.user_agent_allowed(mailbox, agent));
        if listed && admitted {
            Ok(())
        } else {
            Err(EwsClosed::ByPolicy)
        }
    }
}
