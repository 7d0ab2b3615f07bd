//! Which ways into a mailbox are open to an application, by what the cloud knows itself.

use serde_json::{Value, json};

use super::World;

/// By way; `more` says which ways are asked, and how.
pub async fn ways(world: &World, domain: &str, app_id: &str, mailbox: &str, more: Value) -> Value {
    let mut body = json!({"tenant": domain, "applications": [app_id], "mailboxes": [mailbox]});
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    let answer = world.control("probe", body).await;
    answer["may"][app_id][mailbox].clone()
}
