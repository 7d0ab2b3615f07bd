//! Ids and names that are the same for the same seed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rsa::sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::Time;

/// The name space of a seed number.
pub fn space(seed_number: u64) -> Uuid {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("https://simulated-cloud.example/{seed_number}").as_bytes(),
    )
}

/// An id made of the seed and a name.
pub fn id(seed_number: u64, name: &str) -> Uuid {
    Uuid::new_v5(&space(seed_number), name.as_bytes())
}

pub fn tenant_id(seed_number: u64, domain: &str) -> Uuid {
    id(seed_number, &format!("tenant/{domain}"))
}

/// Postern's own application: the same client id in every world of a seed number.
pub fn postern_app_id(seed_number: u64) -> Uuid {
    id(seed_number, "application/postern")
}

/// The application id of a registration, by its home's domain and its name.
pub fn app_id(seed_number: u64, domain: &str, name: &str) -> Uuid {
    id(seed_number, &format!("application/{domain}/{name}"))
}

/// The object id of an application's service principal in a tenant.
pub fn principal_id(tenant: Uuid, app_id: Uuid) -> Uuid {
    Uuid::new_v5(&tenant, format!("principal/{app_id}").as_bytes())
}

/// The id of an app-role assignment: 43 characters of base64url, new for every new assignment.
pub fn assignment_id(principal: Uuid, resource: Uuid, role: Uuid, created: Time) -> String {
    let text = format!(
        "{principal}/{resource}/{role}/{}",
        created.timestamp_micros()
    );
    BASE64.encode(Sha256::digest(text.as_bytes()))
}

/// The id of a delegated consent.
pub fn grant_id(client: Uuid, resource: Uuid, person: Option<Uuid>) -> String {
    let text = format!("{client}/{resource}/{person:?}");
    BASE64.encode(Sha256::digest(text.as_bytes()))
}

/// A client secret in the shape of Entra's. It protects nothing.
pub fn secret_of(app_id: Uuid) -> String {
    let text = BASE64.encode(Sha256::digest(format!("secret/{app_id}").as_bytes()));
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
    format!("{}8Q~{}", part(0, 3), part(3, 37))
}

/// What somebody is in the demo, by the beginning of their address.
pub fn part_of(upn: &str) -> Option<&'static str> {
    match upn.split('@').next().unwrap_or("") {
        "olivia" => Some("the partner's owner: signs in first"),
        "nora" => Some("the partner's engineer"),
        "aksel" => Some("the partner's auditor"),
        "wilma" => Some("owner of another partner"),
        "user" => Some("somebody without any role"),
        _ => None,
    }
}

/// The id of a directory role's assignment.
pub fn role_grant_id(principal: Uuid, role: Uuid, scope: &str) -> String {
    let text = format!("{principal}/{role}/{scope}");
    let digest = BASE64.encode(Sha256::digest(text.as_bytes()));
    format!("{}-1", digest.get(..40).unwrap_or(&digest))
}
