//! Says in words which access policies have no effect (MICROSOFT.md §2.4).

use domain::{
    exposure::StrayLine,
    reach::{Meant, Reach},
};

use super::{application::name_of, words::Names};

/// The policies whose application id is no client id of the tenant, with the application that each
/// was probably meant for.
pub(super) fn strays(reach: &Reach, names: &Names) -> Vec<StrayLine> {
    reach
        .stray_policies
        .iter()
        .map(|stray| {
            let node = reach
                .policies
                .iter()
                .find(|node| node.identity == stray.identity);
            let about = match node {
                Some(node) if !node.scope_name.is_empty() => {
                    format!("The policy about the members of {}", node.scope_name)
                }
                _ => format!("The policy {}", stray.identity),
            };
            let found = match stray.meant {
                Some(Meant::Principal { object }) => reach.application(object),
                Some(Meant::Registration { app_id }) => reach
                    .applications
                    .iter()
                    .find(|one| one.app_id == Some(app_id)),
                None => None,
            };
            let client = match (stray.meant, found) {
                (Some(Meant::Registration { app_id }), _) => Some(app_id),
                (_, found) => found.and_then(|one| one.app_id),
            };
            let name = match (found, stray.meant) {
                (Some(found), _) => Some(name_of(found)),
                (None, Some(Meant::Principal { object })) => names.get(&object).cloned(),
                _ => None,
            };
            let todo = match client {
                Some(client) => format!("Make it again with the client id {client}"),
                None => "Make it again with the client id of that application".to_owned(),
            };
            let meant = match (stray.meant, name) {
                (None, _) => "Nothing in this tenant has that id: it is left over of a deleted application, or was made with a wrong id. It can be removed.".to_owned(),
                (Some(Meant::Principal { .. }), Some(name)) => format!(
                    "It is the object id of {name}, for which it was probably meant. {todo}, and remove this one."
                ),
                (Some(Meant::Principal { .. }), None) => format!(
                    "It is the object id of an application of this tenant, for which it was probably meant. {todo}, and remove this one."
                ),
                (Some(Meant::Registration { .. }), Some(name)) => format!(
                    "It is the object id of the registration of {name}, for which it was probably meant. {todo}, and remove this one."
                ),
                (Some(Meant::Registration { .. }), None) => format!(
                    "It is the object id of a registration of this tenant, for which it was probably meant. {todo}, and remove this one."
                ),
            };
            StrayLine {
                happened: format!(
                    "{about} has no effect: {} is the client id of no application here.",
                    stray.app_id
                ),
                meant,
                object: found.map(|one| one.object),
            }
        })
        .collect()
}
