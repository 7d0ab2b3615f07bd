//! Access policies and RBAC that were set up long ago.

use uuid::Uuid;

use super::build::Build;
use crate::world::exchange::{
    AssignmentScope, ManagementScope, Pointer, Policy, PolicyScope, RoleAssignment,
};

impl Build {
    /// An access policy that has been in force for long.
    pub fn policy(&mut self, app_id: Uuid, group: Uuid, deny: bool, description: Option<&str>) {
        let created = self.past();
        let Some(scope) = self.tenant.groups.get(&group).map(|group| PolicyScope {
            id: group.id,
            sid: self.tenant.sid(group.rid),
            name: group.name.clone(),
            display_name: group.display_name.clone(),
        }) else {
            return;
        };
        let app_id = app_id.to_string();
        let right = if deny { "DenyAccess" } else { "RestrictAccess" };
        let description = description.map_or_else(
            || Policy::default_description(&app_id, &scope.sid, scope.id, right),
            str::to_owned,
        );
        self.tenant.exchange.policies.push(Policy {
            app_id,
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
        let created = self.past();
        let Some((object_id, display_name)) = self
            .tenant
            .principal_by_app(app_id)
            .map(|found| (found.id, found.display_name.clone()))
        else {
            return;
        };
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
        let pointer_id = self.id(&format!("pointer/{app_id}"));
        let scope_id = self.id(&format!("scope/{scope_name}"));
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
        exchange.scopes.push(ManagementScope {
            guid: scope_id,
            name: scope_name.to_owned(),
            filter,
            exclusive: false,
            created,
        });
        exchange.role_assignments.push(RoleAssignment {
            guid: assignment_id,
            name: format!("{role}-{object_id}").chars().take(64).collect(),
            role: role.to_owned(),
            assignee: object_id,
            scope: AssignmentScope::Custom(scope_name.to_owned()),
            enabled: true,
            created,
        });
    }
}
