//! A PowerShell of sorts.

use serde_json::{Value, json};

use super::World;

/// Runs cmdlets as the admin of one tenant.
pub struct Shell<'a> {
    pub world: &'a World,
    pub token: String,
    pub domain: &'static str,
}

impl<'a> Shell<'a> {
    pub async fn open(world: &'a World, domain: &'static str) -> Self {
        let (_, token) = world.admin(domain).await;
        Self {
            world,
            token,
            domain,
        }
    }

    pub async fn run(&self, name: &str, parameters: Value) -> Result<Vec<Value>, String> {
        self.world
            .cmdlet(&self.token, self.domain, name, parameters)
            .await
    }

    /// Exchange learns of an application.
    pub async fn point(&self, app_id: &str, object_id: &str) {
        self.run(
            "New-ServicePrincipal",
            json!({"AppId": app_id, "ObjectId": object_id}),
        )
        .await
        .unwrap();
    }

    /// A new scope, and a role of an application within it.
    pub async fn give(&self, app: &str, role: &str, scope: &str, filter: &str) {
        for (name, parameters) in [
            (
                "New-ManagementScope",
                json!({"Name": scope, "RecipientRestrictionFilter": filter}),
            ),
            (
                "New-ManagementRoleAssignment",
                json!({"App": app, "Role": role, "CustomResourceScope": scope}),
            ),
        ] {
            self.run(name, parameters).await.unwrap();
        }
    }

    pub async fn test(&self, app_id: &str, mailbox: &str) -> String {
        let rows = self
            .run(
                "Test-ApplicationAccessPolicy",
                json!({"AppId": app_id, "Identity": mailbox}),
            )
            .await
            .unwrap();
        rows[0]["AccessCheckResult"].as_str().unwrap().to_owned()
    }
}
