//! Credentials beyond a registration's own secrets and certificates: federated ones, and those of
//! a service principal (MICROSOFT.md §10.6).

use std::collections::BTreeMap;

use uuid::Uuid;

use super::tenant::{Secret, Tenant};

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// By the object id of the registration.
    pub federated: BTreeMap<Uuid, Vec<FederatedCredential>>,
    /// By the object id of the service principal.
    pub of_principals: BTreeMap<Uuid, PrincipalKeys>,
}

/// Whoever gets a token of that subject from that issuer signs in as the application.
#[derive(Debug, Clone)]
pub struct FederatedCredential {
    pub id: Uuid,
    pub name: String,
    pub issuer: String,
    pub subject: String,
}

/// What can be added to a service principal, of Microsoft's own applications too.
#[derive(Debug, Clone, Default)]
pub struct PrincipalKeys {
    pub secrets: Vec<Secret>,
    /// Public keys (PEM).
    pub certificates: Vec<String>,
}

impl Tenant {
    /// The keys of a service principal; most have none.
    pub fn keys_of(&self, principal: Uuid) -> PrincipalKeys {
        let known = &self.directory.credentials.of_principals;
        known.get(&principal).cloned().unwrap_or_default()
    }
}
