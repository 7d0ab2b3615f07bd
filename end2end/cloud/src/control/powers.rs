//! `POST /_cloud/powers`: what an application reaches now, and what it could.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Refusal;
use super::fields::{Fields, resolve};
use super::principals::principal;
use crate::world::World;
use crate::world::powers;

/// `{"tenant", "to", "mailboxes"}`: `reaches` (anything in the mailbox, now), `could` (by any way
/// that it can open itself), `powers` (class and by what), `delegated` (as whom, with which scopes).
pub fn show(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::read(body, &["tenant", "to", "mailboxes"])?;
    let id = resolve(world, fields.must("tenant")?)?;
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    let object = principal(state, fields.must("to")?)?;
    let mailboxes: Vec<(String, Uuid)> = match fields.texts("mailboxes") {
        None => state
            .users
            .values()
            .filter(|user| user.mailbox.as_ref().is_some_and(|it| it.kind.is_mailbox()))
            .map(|user| (user.upn.clone(), user.id))
            .collect(),
        Some(texts) => texts
            .into_iter()
            .map(|text| match state.user(&text) {
                Some(user) => Ok((text, user.id)),
                None => Err(format!("there is no mailbox \"{text}\"")),
            })
            .collect::<Result<_, _>>()?,
    };
    let reaches: Map<String, Value> = mailboxes
        .iter()
        .map(|(key, mailbox)| {
            let now = powers::reaches(world, id, object, *mailbox);
            (key.clone(), now.into())
        })
        .collect();
    let mut answer = powers::report(world, id, object, &mailboxes);
    if let Some(map) = answer.as_object_mut() {
        map.insert("reaches".to_owned(), json!(reaches));
    }
    Ok(answer)
}
