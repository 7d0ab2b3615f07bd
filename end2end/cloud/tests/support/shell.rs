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
