//! Agent identities (MICROSOFT.md §10.8): blueprints, and the children that inherit their grants.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::tenant::{AppRoleAssignment, ServicePrincipal, Tenant};
use crate::permissions::Resource;

/// The blueprints and agents of a tenant.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    /// By the blueprint's application id.
    pub blueprints: BTreeMap<Uuid, Blueprint>,
    /// Each agent identity's object id, with the application id of its blueprint.
    pub children: BTreeMap<Uuid, Uuid>,
}

/// What the children of a blueprint inherit.
#[derive(Debug, Clone, Default)]
pub struct Blueprint {
    pub inheritable: Vec<Inheritable>,
}

/// One resource that is listed as inheritable: all of its app roles or none, its scopes alike.
#[derive(Debug, Clone, Copy)]
pub struct Inheritable {
    pub resource: Resource,
    pub roles: bool,
    pub scopes: bool,
}

/// `servicePrincipalType` of an agent identity.
pub const AGENT: &str = "ServiceIdentity";

impl Tenant {
    /// The blueprint's application id, when the service principal is an agent identity.
    pub fn blueprint_of(&self, principal: Uuid) -> Option<Uuid> {
        self.directory.agents.children.get(&principal).copied()
    }

    /// Whether the application is a blueprint of agents.
    pub fn is_blueprint(&self, app_id: Uuid) -> bool {
        self.directory.agents.blueprints.contains_key(&app_id)
    }

    /// The agent identity with that client id.
    pub fn agent(&self, app_id: Uuid) -> Option<&ServicePrincipal> {
        self.principal_by_app(app_id)
            .filter(|found| self.blueprint_of(found.id).is_some())
    }

    /// Whether children of that blueprint inherit what it holds on a resource.
    pub fn inherits(&self, blueprint: Uuid, resource: Uuid, roles: bool) -> bool {
        let listed = self.directory.agents.blueprints.get(&blueprint);
        let kind = self.principals.get(&resource).and_then(|it| it.resource);
        listed.is_some_and(|blueprint| {
            blueprint.inheritable.iter().any(|entry| {
                Some(entry.resource) == kind && if roles { entry.roles } else { entry.scopes }
            })
        })
    }

    /// The app roles that an agent identity has by its blueprint; none for anybody else.
    pub fn inherited_roles(&self, principal: Uuid) -> Vec<&AppRoleAssignment> {
        let Some(blueprint) = self.blueprint_of(principal) else {
            return Vec::new();
        };
        let Some(parent) = self.principal_by_app(blueprint).map(|found| found.id) else {
            return Vec::new();
        };
        self.assignments
            .iter()
            .filter(|entry| entry.live() && entry.principal == parent)
            .filter(|entry| self.inherits(blueprint, entry.resource, true))
            .collect()
    }
}
