//! What a plan means beside sending, of what was read: [`domain::effects`].

use domain::{
    Timestamp,
    effects::{Appearances, Effects},
    exposure::ActsAs,
    reach::{ApplicationReach, GrantFate, Route},
};
use microsoft::Scan;

use crate::scan::acts_as;

/// The evidence of the look at Send As and Send on Behalf.
pub(crate) const TITLE: &str = "Send As and Send on Behalf of the permitted mailboxes";

/// What a reading of the application says of it; as whom mail may appear is read apart.
pub(crate) fn held(scan: &Scan, found: Option<&ApplicationReach>, now: Timestamp) -> Effects {
    let seen = &scan.seen;
    Effects {
        at: now,
        also: seen.grants_are_read().then(|| also(found)),
        delegated: seen.rights.delegated.is_read().then(|| {
            let held = found.map(|found| acts_as(&found.delegated));
            held.iter().flatten().map(line).collect()
        }),
        appears: Appearances::default(),
    }
}

/// Everything that policies govern beside sending through Graph, which the whole plan is about.
fn also(found: Option<&ApplicationReach>) -> Vec<String> {
    let mut also: Vec<String> = found
        .into_iter()
        .flat_map(|found| &found.permissions)
        .filter(|one| one.permission.value != "Mail.Send")
        .filter(|one| one.routes.iter().any(is_governed))
        .map(|one| format!("{} ({})", one.permission.can(), one.permission.name()))
        .collect();
    also.dedup();
    also
}

/// Whether it is a grant that policies narrow, or would.
pub(crate) fn is_governed(route: &Route) -> bool {
    matches!(
        route,
        Route::Grant {
            fate: GrantFate::NoPolicy | GrantFate::Narrowed | GrantFate::PoliciesNotRead,
            ..
        }
    )
}

/// “Mail.Read, Mail.Send of Microsoft Graph, for everybody who signs in to it”.
fn line(one: &ActsAs) -> String {
    format!(
        "{} of {}, for {}",
        one.scopes.join(", "),
        one.resource,
        one.who
    )
}
