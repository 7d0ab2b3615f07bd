//! Administrative units as Exchange shows them (MICROSOFT.md §3.1, §3.2).

use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use crate::world::tenant::Tenant;

/// A unit by id or name.
pub fn find(tenant: &Tenant, identity: &str) -> Option<Uuid> {
    tenant
        .units
        .values()
        .find(|unit| {
            unit.id.to_string().eq_ignore_ascii_case(identity)
                || unit.name.eq_ignore_ascii_case(identity)
        })
        .map(|unit| unit.id)
}

/// The name of a unit, or the id of one that is gone.
pub fn name_of(tenant: &Tenant, id: Uuid) -> String {
    tenant
        .units
        .get(&id)
        .map_or_else(|| id.to_string(), |unit| unit.name.clone())
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let wanted = run.args.text("Identity").map(str::to_owned);
    let only = match &wanted {
        None => None,
        Some(identity) => match find(run.tenant, identity) {
            Some(id) => Some(id),
            None => return Err(run.not_found(identity)),
        },
    };
    let rows = run
        .tenant
        .units
        .values()
        .filter(|unit| only.is_none_or(|only| only == unit.id))
        .map(|unit| {
            Row::default()
                .text("Identity", unit.id.to_string())
                .text("Id", unit.id.to_string())
                .text("Name", unit.id.to_string())
                .text("DisplayName", &unit.name)
                .guid("Guid", unit.id)
                .text("ExternalDirectoryObjectId", unit.id.to_string())
                .flag("IsValid", true)
                .done()
        })
        .collect();
    Ok(Output::Rows(rows))
}
