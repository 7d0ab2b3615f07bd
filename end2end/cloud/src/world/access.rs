//! What a tenant's directory demands of people and gives to them over time: conditional access,
//! role activations, administrative units (MICROSOFT.md §1.6, §3.1, §6.1).

use uuid::Uuid;

use crate::clock::Time;
use crate::permissions::DirectoryRole;

/// A Conditional Access rule: tokens for the tenant are refused with `code` until the person signs
/// in again with the claims that the refusal names.
#[derive(Debug, Clone)]
pub struct AccessRule {
    pub id: Uuid,
    /// 50076, 50078, 50079 can be satisfied by signing in; 53000, 53003 … cannot.
    pub code: u32,
}

impl AccessRule {
    /// Whether signing in helps.
    pub fn can_be_met(&self) -> bool {
        matches!(self.code, 50076 | 50078 | 50079)
    }
}

/// A role that somebody has activated a moment ago: tokens have it at once, Exchange believes it
/// later.
#[derive(Debug, Clone)]
pub struct Activation {
    /// Object id of the person or service principal.
    pub object: Uuid,
    pub role: DirectoryRole,
    /// From when on Exchange knows.
    pub exchange: Time,
}

/// An administrative unit, with its direct members.
#[derive(Debug, Clone)]
pub struct AdministrativeUnit {
    pub id: Uuid,
    pub name: String,
    /// Object ids of people and groups.
    pub members: Vec<Uuid>,
}
