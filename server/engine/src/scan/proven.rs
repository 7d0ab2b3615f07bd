//! Whether an application is still what real mail showed of it.

use std::collections::BTreeSet;

use domain::{
    id::{AppId, ObjectId},
    reach::{Answer, ApplicationReach, Extent, Level, Reach},
};

/// Whether an application is confined to no more than a setup proved: with every permission, the
/// unseen ones included.
pub(crate) fn is_as_proven(
    reach: &Reach,
    application: &ApplicationReach,
    proven: &[(AppId, Vec<ObjectId>)],
) -> bool {
    if application.level() != Level::Confined {
        return false;
    }
    let mut reached = BTreeSet::new();
    let answers = application.permissions.iter().map(|one| &one.answer);
    for answer in answers.chain([&application.others]) {
        match (answer, answer.at_most()) {
            (Answer::Unknown { .. }, _) | (_, Extent::Everything | Extent::AllExcept { .. }) => {
                return false;
            }
            (_, Extent::Nothing) => {}
            (_, Extent::Only { mailboxes }) => reached.extend(reach.members(mailboxes)),
        }
    }
    proven.iter().any(|(app_id, senders)| {
        Some(*app_id) == application.app_id && reached.iter().all(|one| senders.contains(one))
    })
}
