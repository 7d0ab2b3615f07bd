//! Reads from a scan what else a plan changes, apart from sending: makes [`domain::effects`].

use domain::{
    Timestamp,
    effects::{Appearances, Effects},
    exposure::ActsAs,
    reach::{ApplicationReach, GrantFate, Route},
};
use microsoft::Scan;

use crate::scan::acts_as;

/// Title of the evidence of the read of Send As and Send on Behalf.
pub(crate) const TITLE: &str = "Send As and Send on Behalf of the permitted mailboxes";

/// The effects of a plan, as far as a scan of the application says them. Not included: as whom mail
/// may appear (`appears`), which is read by other calls.
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

/// All permissions that access policies govern, other than sending through Graph. Sending is the
/// subject of the plan itself.
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

/// Whether the route is a grant that access policies narrow, or would narrow if there were one.
pub(crate) fn is_governed(route: &Route) -> bool {
    matches!(
        route,
        Route::Grant {
            fate: GrantFate::NoPolicy | GrantFate::Narrowed | GrantFate::PoliciesNotRead,
            ..
        }
    )
}

/// Example: “Mail.Read, Mail.Send of Microsoft Graph, for everybody who signs in to it”.
fn line(one: &ActsAs) -> String {
    format!(
        "{} of {}, for {}",
        one.scopes.join(", "),
        one.resource,
        one.who
    )
}
