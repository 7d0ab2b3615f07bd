//! What decides about mail: addresses, who may appear as whom, which programs are let in.

use serde_json::Value;
use uuid::Uuid;

use super::Refusal;
use super::fields::Fields;
use crate::world::World;
use crate::world::rights::{MailboxRight, Right};
use crate::world::switches::{AgentPolicy, EwsSwitches};
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
        let rights = &mut state.exchange.rights;
        rights.retain(|entry| entry.holder != user || entry.right != Right::SendAs);
        rights.extend(others.into_iter().map(|mailbox| MailboxRight {
            mailbox,
            holder: user,
            right: Right::SendAs,
            deny: false,
            inherited: false,
        }));
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
    let switches = &mut state.exchange.switches;
    agents(fields, switches.mailboxes.entry(user).or_default())?;
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
    if let Some(may) = fields.flag("send_from_alias") {
        state.directory.mail.from_aliases = may;
    }
    agents(fields, &mut state.exchange.switches.organisation)
}

/// Whoever has the address, a group too.
fn recipient(tenant: &Tenant, address: &str) -> Result<Uuid, Refusal> {
    tenant
        .holder_of(address)
        .ok_or_else(|| format!("nobody has the address \"{address}\""))
}

/// `{"allow": ["Outlook*"]}` or `{"block": [...]}`, as `EwsApplicationAccessPolicy` and its lists;
/// null ends it.
fn agents(fields: &Fields<'_>, switches: &mut EwsSwitches) -> Result<(), Refusal> {
    let rule = match fields.0.get("user_agents") {
        None => return Ok(()),
        Some(Value::Null) => {
            switches.policy = None;
            return Ok(());
        }
        Some(value) => Fields::read(value, &["allow", "block"])?,
    };
    match (rule.texts("allow"), rule.texts("block")) {
        (Some(list), None) => {
            switches.policy = Some(AgentPolicy::EnforceAllowList);
            switches.allow_list = list;
        }
        (None, Some(list)) => {
            switches.policy = Some(AgentPolicy::EnforceBlockList);
            switches.block_list = list;
        }
        _ => return Err("user_agents has either \"allow\" or \"block\"".to_owned()),
    }
    Ok(())
}
