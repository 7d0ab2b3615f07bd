//! Access policies and RBAC that were set up long ago.

use uuid::Uuid;

use super::build::Build;
use crate::world::access::AdministrativeUnit;
use crate::world::exchange::{
    AssignmentScope, ManagementScope, Pointer, Policy, PolicyScope, RoleAssignment,
};

impl Build {
    /// An access policy that has been in force for long.
    pub fn policy(&mut self, app_id: Uuid, group: Uuid, deny: bool, description: Option<&str>) {
        self.policy_of(&app_id.to_string(), group, deny, description);
    }

    /// The same for every application there is.
    pub fn policy_for_all(&mut self, group: Uuid, deny: bool, description: &str) {
        self.policy_of("*", group, deny, Some(description));
    }

    fn policy_of(&mut self, app_id: &str, group: Uuid, deny: bool, description: Option<&str>) {
        let created = self.past();
        let Some(scope) = self.tenant.groups.get(&group).map(|group| PolicyScope {
            id: group.id,
            sid: self.tenant.sid(group.rid),
            name: group.name.clone(),
            display_name: group.display_name.clone(),
        }) else {
            return;
        };
        let right = if deny { "DenyAccess" } else { "RestrictAccess" };
        let description = description.map_or_else(
            || Policy::default_description(app_id, &scope.sid, scope.id, right),
            str::to_owned,
        );
        self.tenant.exchange.policies.push(Policy {
            app_id: app_id.to_owned(),
            deny,
            description,
            scope,
            created,
            visible: created,
            enforced: created,
            removed: None,
        });
    }

    /// RBAC for an application, confined to the direct members of a group by a management scope.
    pub fn rbac(&mut self, app_id: Uuid, role: &str, group: Uuid, scope_name: &str) {
        let Some(name) = self
            .tenant
            .groups
            .get(&group)
            .map(|group| group.name.clone())
        else {
            return;
        };
        let filter = format!(
            "MemberOfGroup -eq '{}'",
            self.tenant.distinguished_name(&name).replace('\'', "''")
        );
        let scope = self.scope(scope_name, filter, false);
        self.assign(app_id, role, scope);
    }

    /// A management scope; gives what an assignment names it by.
    pub fn scope(&mut self, name: &str, filter: String, exclusive: bool) -> AssignmentScope {
        let created = self.past();
        let guid = self.id(&format!("scope/{name}"));
        self.tenant.exchange.scopes.push(ManagementScope {
            guid,
            name: name.to_owned(),
            filter,
            exclusive,
            created,
        });
        AssignmentScope::Custom(name.to_owned())
    }

    /// A role of Exchange for an application, and Exchange's pointer to it where there is none.
    pub fn assign(&mut self, app_id: Uuid, role: &str, scope: AssignmentScope) {
        let created = self.past();
        let Some((object_id, display_name)) = self
            .tenant
            .principal_by_app(app_id)
            .map(|found| (found.id, found.display_name.clone()))
        else {
            return;
        };
        let pointer_id = self.id(&format!("pointer/{app_id}"));
        let assignment_id = self.id(&format!("role-assignment/{app_id}/{role}"));
        let exchange = &mut self.tenant.exchange;
        if !exchange
            .pointers
            .iter()
            .any(|pointer| pointer.app_id == app_id)
        {
            exchange.pointers.push(Pointer {
                id: pointer_id,
                object_id,
                app_id,
                display_name,
                created,
            });
        }
        exchange.role_assignments.push(RoleAssignment {
            guid: assignment_id,
            name: format!("{role}-{object_id}").chars().take(64).collect(),
            role: role.to_owned(),
            assignee: object_id,
            scope,
            enabled: true,
            created,
        });
    }

    /// Switches an application's role off.
    pub fn switch_off(&mut self, app_id: Uuid, role: &str) {
        let object = self.tenant.principal_by_app(app_id).map(|found| found.id);
        for assignment in &mut self.tenant.exchange.role_assignments {
            if Some(assignment.assignee) == object && assignment.role == role {
                assignment.enabled = false;
            }
        }
    }

    /// An administrative unit. Members by the local part of their address.
    pub fn unit(&mut self, name: &str, members: &[&str]) -> AssignmentScope {
        let id = self.id(&format!("unit/{name}"));
        let members = members
            .iter()
            .filter_map(|local| self.member(local))
            .collect();
        let name = name.to_owned();
        self.tenant
            .units
            .insert(id, AdministrativeUnit { id, name, members });
        AssignmentScope::AdministrativeUnit(id)
    }
}
