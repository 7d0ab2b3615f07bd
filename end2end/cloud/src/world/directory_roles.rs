//! Who holds which directory role: people, service principals, and groups that hold either
//! (MICROSOFT.md §10.3).

use std::collections::BTreeMap;

use uuid::Uuid;

use super::tenant::Tenant;
use crate::permissions::DirectoryRole;
use crate::seed::names;

/// What [`super::tenant::User::roles`] and [`super::tenant::ServicePrincipal::roles`] cannot say:
/// custom roles, roles of groups, roles for a part of the tenant.
#[derive(Debug, Clone, Default)]
pub struct DirectoryRoles {
    pub custom: BTreeMap<Uuid, CustomRole>,
    pub assignments: Vec<RoleGrant>,
}

/// A role that the tenant made itself.
#[derive(Debug, Clone)]
pub struct CustomRole {
    pub id: Uuid,
    pub name: String,
    pub actions: Vec<String>,
}

/// A role that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleGrant {
    pub principal: Uuid,
    /// The definition's id; that of a built-in role is its template id.
    pub role: Uuid,
    /// `/` for the whole tenant, or `/{object id}`.
    pub scope: String,
}

impl RoleGrant {
    /// Stable for the grant's life.
    pub fn id(&self) -> String {
        names::role_grant_id(self.principal, self.role, &self.scope)
    }

    pub fn is_tenant_wide(&self) -> bool {
        self.scope == "/"
    }
}

/// The scope of the whole tenant.
pub const EVERYWHERE: &str = "/";

impl Tenant {
    /// All role assignments of the tenant.
    pub fn role_grants(&self) -> Vec<RoleGrant> {
        let people = self.users.values().map(|user| (user.id, &user.roles));
        let apps = self
            .principals
            .values()
            .map(|found| (found.id, &found.roles));
        people
            .chain(apps)
            .flat_map(|(principal, roles)| {
                roles.iter().map(move |role| RoleGrant {
                    principal,
                    role: role.template(),
                    scope: EVERYWHERE.to_owned(),
                })
            })
            .chain(self.directory.roles.assignments.iter().cloned())
            .collect()
    }

    /// What an object holds itself and through groups that hold it.
    pub fn role_grants_reaching(&self, object: Uuid) -> Vec<RoleGrant> {
        let mut all = self.role_grants();
        all.retain(|grant| {
            grant.principal == object
                || self.contains_nested(grant.principal, object, &|entry| entry.removed.is_none())
        });
        all
    }

    /// The built-in roles that an object has in the whole tenant, by itself or through groups.
    pub fn directory_roles_of(&self, object: Uuid) -> Vec<DirectoryRole> {
        let mut out = Vec::new();
        for grant in self.role_grants_reaching(object) {
            if grant.is_tenant_wide()
                && let Some(role) = DirectoryRole::from_template(grant.role)
                && !out.contains(&role)
            {
                out.push(role);
            }
        }
        out
    }

    /// Gives a role, or takes it away. Whether that changed anything.
    pub fn set_role(&mut self, grant: RoleGrant, held: bool) -> bool {
        // Where a person or an application has a list of its own, a role is kept there.
        let own = DirectoryRole::from_template(grant.role).filter(|_| grant.is_tenant_wide());
        if let Some(role) = own {
            let list = match self.users.get_mut(&grant.principal) {
                Some(user) => Some(&mut user.roles),
                None => self
                    .principals
                    .get_mut(&grant.principal)
                    .map(|found| &mut found.roles),
            };
            if let Some(list) = list {
                let known = list.contains(&role);
                match held {
                    true if !known => list.push(role),
                    false => list.retain(|other| *other != role),
                    true => {}
                }
                return known != held;
            }
        }
        let list = &mut self.directory.roles.assignments;
        let known = list.contains(&grant);
        match held {
            true if !known => list.push(grant),
            false => list.retain(|other| *other != grant),
            true => {}
        }
        known != held
    }
}
