//! Addresses of the admin API that are no invocations.

use axum::http::Method;

use super::errors::{CmdletError, unauthorized};
use crate::entra::token;
use crate::http_parts::{Call, Reply};
use crate::permissions::Resource;
use crate::world::World;

/// Those of the entity sets and functions whose names are known (§1.2).
const ENTITY_SETS: [&str; 13] = [
    "CasMailbox",
    "EXOBanner",
    "EXOModuleFile",
    "Mailbox",
    "MailboxFolder",
    "MailboxFolderPermission",
    "MailboxFolderStatistics",
    "MailboxPermission",
    "MailboxStatistics",
    "MobileDevice",
    "MobileDeviceStatistics",
    "Recipient",
    "RecipientPermission",
];

/// An address that is no invocation: what the module asks for when it connects, the entity sets,
/// and version 2.0, all of which are not simulated; or nothing that exists.
pub fn answer(world: &mut World, call: &Call) -> Reply {
    let set = call.segment(3).split('(').next().unwrap_or_default();
    let exists = match call.segment(1) {
        "v2.0" => call.segments.len() > 2,
        "beta" | "v1.0" => match call.segments.len() {
            3 => call.method == Method::GET,
            _ => ENTITY_SETS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(set)),
        },
        _ => false,
    };
    if !exists {
        return Reply::empty(404);
    }
    if token::verify_access(world, call, Resource::Exchange).is_err() {
        return unauthorized();
    }
    let error = CmdletError {
        status: Some(501),
        ..CmdletError::not_simulated(&format!("{} {}", call.method, call.path))
    };
    error.reply(&mut world.dice)
}
