//! What decides about mail: addresses, who may appear as whom, which programs are let in.

use serde_json::Value;
use uuid::Uuid;

use super::Refusal;
use super::fields::Fields;
use crate::world::World;
use crate::world::mail_rules::AgentRule;
use crate::world::tenant::Tenant;

/// The fields of `POST /_cloud/tenants` that this module takes.
pub const TENANT_FIELDS: [&str; 2] = ["send_from_alias", "user_agents"];

/// Applies the fields of `POST /_cloud/users` that are about a mailbox: `smtp` and `aliases` (the
/// user principal name stays), `inactive`, `send_as` (the addresses that it may appear as),
/// `send_quota`, `user_agents`.
pub fn change(
    world: &mut World,
    tenant: Uuid,
    user: Uuid,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    if let Some(texts) = fields.texts("send_as") {
        let others = texts
            .iter()
            .map(|text| recipient(state, text))
            .collect::<Result<Vec<_>, _>>()?;
        let pairs = &mut state.directory.mail.send_as;
        pairs.retain(|(holder, _)| *holder != user);
        pairs.extend(others.into_iter().map(|other| (user, other)));
    }
    let rules = &mut state.directory.mail;
    match fields.flag("inactive") {
        Some(true) => rules.inactive.insert(user),
        Some(false) => rules.inactive.remove(&user),
        None => false,
    };
    match fields.0.get("send_quota") {
        Some(Value::Null) => rules.quotas.remove(&user),
        Some(left) => rules.quotas.insert(user, left.as_u64().unwrap_or(0)),
        None => None,
    };
    match agents(fields)? {
        Some(Some(rule)) => rules.agents_of.insert(user, rule),
        Some(None) => rules.agents_of.remove(&user),
        None => None,
    };
    let (smtp, aliases) = (fields.text("smtp"), fields.texts("aliases"));
    if smtp.is_none() && aliases.is_none() {
        return Ok(());
    }
    let mailbox = state
        .users
        .get_mut(&user)
        .and_then(|user| user.mailbox.as_mut())
        .ok_or("the account has no mailbox")?;
    if let Some(smtp) = smtp {
        smtp.clone_into(&mut mailbox.smtp);
    }
    if let Some(aliases) = aliases {
        mailbox.aliases = aliases;
    }
    Ok(())
}

/// Applies those of `POST /_cloud/tenants`.
pub fn change_organisation(
    world: &mut World,
    tenant: Uuid,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let rules = &mut state.directory.mail;
    if let Some(may) = fields.flag("send_from_alias") {
        rules.from_aliases = may;
    }
    if let Some(rule) = agents(fields)? {
        rules.agents = rule;
    }
    Ok(())
}

/// Whoever has the address, a group too.
fn recipient(tenant: &Tenant, address: &str) -> Result<Uuid, Refusal> {
    tenant
        .holder_of(address)
        .ok_or_else(|| format!("nobody has the address \"{address}\""))
}

/// `{"allow": ["Outlook*"]}` or `{"block": [...]}`; null ends it.
fn agents(fields: &Fields<'_>) -> Result<Option<Option<AgentRule>>, Refusal> {
    let rule = match fields.0.get("user_agents") {
        None => return Ok(None),
        Some(Value::Null) => return Ok(Some(None)),
        Some(value) => Fields::read(value, &["allow", "block"])?,
    };
    let (allows, list) = match (rule.texts("allow"), rule.texts("block")) {
        (Some(list), None) => (true, list),
        (None, Some(list)) => (false, list),
        _ => return Err("user_agents has either \"allow\" or \"block\"".to_owned()),
    };
    Ok(Some(Some(AgentRule { allows, list })))
}
