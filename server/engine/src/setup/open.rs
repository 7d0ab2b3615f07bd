//! What stays open beside the policy, as one list. The review shows it for confirmation, the start
//! refuses a list that was not confirmed in full, and the first step lists it in its summary.

use domain::{
    id::ObjectId,
    reach::{Judge, PartRead, ScanPart},
};
use microsoft::scan::Scan;

use crate::scan::Words;

/// Lists three things: powers of the application; what no policy governs and no hurdle names; and
/// parts that could not be read. Each sentence is kept by itself, so each names its application or
/// its part.
pub(crate) fn open(scan: &Scan, object: ObjectId, name: &str) -> Vec<String> {
    let reach = Judge::new(&scan.seen).reach();
    let mut open = Vec::new();
    if let Some(found) = reach.application(object) {
        let words = Words {
            reach: &reach,
            names: &scan.names,
        };
        open.extend(
            words
                .beside_policy(found)
                .into_iter()
                .map(|power| format!("No policy holds this of {name}. {power}")),
        );
        open.extend(found.beside_policies().map(|one| {
            format!(
                "No access policy governs {} of {name}. It can {} with it, and reaches {}: that stays as it is.",
                one.permission.name(),
                one.permission.can(),
                words.answer(&one.answer)
            )
        }));
    }
    open.extend(not_read(&scan.parts));
    open
}

fn not_read(parts: &[PartRead]) -> Option<String> {
    let parts: Vec<&str> = parts
        .iter()
        .filter(|part| part.problem().is_some() && !decides(part.part))
        .map(|part| part.part.words())
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "Could not be read, and may go around the policy: {}.",
            parts.join(", ")
        )
    })
}

/// Whether the part decides what an access policy leaves to the application. There is no plan
/// without such a part, so nobody is asked to confirm that it was not read.
pub(super) const fn decides(part: ScanPart) -> bool {
    matches!(
        part,
        ScanPart::GraphGrants
            | ScanPart::ExchangeGrants
            | ScanPart::Policies
            | ScanPart::Assignments
            | ScanPart::Pointers
            | ScanPart::Scopes
            | ScanPart::Groups
            | ScanPart::Units
            | ScanPart::Principals
    )
}
