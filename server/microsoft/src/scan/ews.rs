//! The organisation's switch and list for EWS (MICROSOFT.md §2.8).

use domain::{
    cmdlet::Cmdlet,
    id::{AppId, ObjectId},
    reach::{Confers, EwsSwitch, InheritedGrant, Permission, confers},
};
use serde_json::Value;

use super::{assignments::Raw, grants::Grants};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    exchange::{Row, invoke::How},
};

/// Whether a principal holds a permission that works through EWS, as far as was read.
pub(super) fn is_held(
    grants: &Grants,
    inherited: &[InheritedGrant],
    assignments: &[Raw],
    only: Option<ObjectId>,
) -> Result<bool> {
    let granted = grants
        .held_at_exchange(inherited)?
        .any(|(principal, value)| {
            only.is_none_or(|only| only == principal)
            // A role whose name is not known may be this one.
            && value.is_none_or(|value| value == Permission::EWS.value || value.starts_with("EWS."))
        });
    Ok(granted
        || assignments.iter().any(|raw| match confers(&raw.role) {
            Confers::Permissions(list) => list.contains(&Permission::EWS),
            // A custom role may contain the permission.
            Confers::Anything => true,
        }))
}

/// Reads the switch. The parameter makes Exchange show the list. A tenant that does not know the
/// parameter does not show it.
pub(super) async fn read(customer: Customer) -> Result<(usize, EwsSwitch)> {
    let cmdlet =
        Cmdlet::new("Get-OrganizationConfig").with("RetrieveEwsOperationAccessPolicy", true);
    let how = How::read(&["EwsEnabled", "EwsAllowedAppIDs"]);
    let call = customer.rows(&cmdlet, how).await?;
    let malformed = |what: &str| {
        Error::new(Service::Exchange, Kind::Malformed, call.trace.clone())
            .with_subject(&cmdlet.name)
            .with_message(what)
    };
    let [row] = call.value.as_slice() else {
        return Err(malformed("the organisation's settings are not one row"));
    };
    let enabled = match row.get("EwsEnabled") {
        None => return Err(malformed("Exchange does not tell the switch for EWS")),
        Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(_) => Some(
            row.flag("EwsEnabled")
                .ok_or_else(|| malformed("the switch for EWS is not understood"))?,
        ),
    };
    let allowed = match row.get("EwsAllowedAppIDs") {
        None => return Err(malformed("Exchange does not tell the list for EWS")),
        Some(Value::Null) => None,
        Some(_) => Some(list(row).ok_or_else(|| malformed("the list for EWS is not understood"))?),
    };
    Ok((1, EwsSwitch { enabled, allowed }))
}

/// The list, as one text with commas or as several texts.
fn list(row: &Row) -> Option<Vec<AppId>> {
    row.list("EwsAllowedAppIDs")
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().ok())
        .collect()
}
