//! How a tenant's Exchange is where the sources disagree, and what its recipients are beside
//! their names.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Refusal;
use super::fields::{Fields, resolve};
use crate::world::World;
use crate::world::habits::{GroupScopeShape, Nesting, PrincipalShown, SoftDeleted};
use crate::world::recipients::Recipient;
use crate::world::tenant::{Change, Group, GroupKind, Membership};

/// The fields of `POST /_cloud/tenants` that this module takes.
pub const TENANT_FIELDS: [&str; 7] = [
    "nested_groups",
    "group_scopes",
    "principals_as",
    "app_rbac_required",
    "ews_unknown",
    "ews_empty_list_blocks",
    "relocate",
];

/// Applies them to a tenant.
pub fn change(world: &mut World, id: Uuid, fields: &Fields<'_>) -> Result<(), Refusal> {
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    let habits = &mut state.exchange.habits;
    if let Some(name) = fields.text("nested_groups") {
        habits.nesting = Nesting::from_name(name)
            .ok_or_else(|| format!("\"{name}\": honoured, security_only or ignored"))?;
    }
    if let Some(name) = fields.text("group_scopes") {
        habits.group_scopes = GroupScopeShape::from_name(name)
            .ok_or_else(|| format!("\"{name}\": name or automatic"))?;
    }
    if let Some(name) = fields.text("principals_as") {
        habits.principals = PrincipalShown::from_name(name)
            .ok_or_else(|| format!("\"{name}\": object_id, name or sid"))?;
    }
    for (name, flag) in [
        ("app_rbac_required", &mut habits.app_rbac_required),
        ("ews_unknown", &mut habits.ews_unknown),
        ("ews_empty_list_blocks", &mut habits.ews_empty_list_blocks),
    ] {
        if let Some(value) = fields.flag(name) {
            *flag = value;
        }
    }
    if fields.flag("relocate") == Some(true) {
        habits.relocations += 1;
    }
    Ok(())
}

/// `POST /_cloud/recipients`: makes a group that no cmdlet makes, or changes what a recipient is.
///
/// `{"tenant", "recipient", "create": "GroupMailbox", "members", "dir_synced",
/// "custom_attributes": {"1": "x"}, "soft_delete"}`.
pub fn recipient(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::read(
        body,
        &[
            "tenant",
            "recipient",
            "create",
            "members",
            "dir_synced",
            "custom_attributes",
            "soft_delete",
        ],
    )?;
    let tenant = resolve(world, fields.must("tenant")?)?;
    let key = fields.must("recipient")?;
    let now = world.dice.now();
    if let Some(kind) = fields.text("create") {
        create(world, tenant, key, kind, &fields)?;
    }
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let found = state
        .recipient(key, now)
        .map(|found| {
            let deleted = SoftDeleted {
                id: found.id(),
                display_name: found.display_name().to_owned(),
                details: found.details(),
                smtp: found.smtp().to_owned(),
                aliases: found.other_addresses().to_vec(),
            };
            (matches!(found, Recipient::Person(..)), deleted)
        })
        .ok_or_else(|| format!("there is no recipient \"{key}\""))?;
    let (person, deleted) = found;
    let id = deleted.id;
    let name = deleted.display_name.clone();
    if fields.flag("soft_delete") == Some(true) {
        state.users.remove(&id);
        state.groups.remove(&id);
        for group in state.groups.values_mut() {
            group.members.retain(|entry| entry.member != id);
        }
        state.exchange.rights.retain(|entry| entry.mailbox != id);
        state.exchange.soft_deleted.push(deleted);
        return Ok(json!({"id": id, "name": name, "soft_deleted": true}));
    }
    if let Some(synced) = fields.flag("dir_synced") {
        state.exchange.extras.entry(id).or_default().dir_synced = synced;
    }
    if let Some(sent) = fields
        .object("custom_attributes")
        .and_then(Value::as_object)
    {
        let attributes = attributes(sent)?;
        let own = match state.users.get_mut(&id) {
            Some(user) if person => user.mailbox.as_mut().map(|own| &mut own.custom_attributes),
            _ => Some(
                &mut state
                    .exchange
                    .extras
                    .entry(id)
                    .or_default()
                    .custom_attributes,
            ),
        };
        if let Some(own) = own {
            own.extend(attributes);
        }
    }
    Ok(json!({"id": id, "name": name}))
}

fn attributes(sent: &Map<String, Value>) -> Result<Vec<(u8, String)>, Refusal> {
    sent.iter()
        .map(|(number, value)| {
            let number = number
                .parse::<u8>()
                .ok()
                .filter(|number| (1..=15).contains(number))
                .ok_or("custom_attributes are numbered 1 to 15")?;
            let value = value.as_str().ok_or("a custom attribute is a text")?;
            Ok((number, value.to_owned()))
        })
        .collect()
}

fn create(
    world: &mut World,
    tenant: Uuid,
    address: &str,
    kind: &str,
    fields: &Fields<'_>,
) -> Result<(), Refusal> {
    let kind = [
        GroupKind::MailSecurity,
        GroupKind::Distribution,
        GroupKind::Microsoft365,
        GroupKind::Security,
    ]
    .into_iter()
    .find(|known| known.details().eq_ignore_ascii_case(kind))
    .ok_or_else(|| format!("\"{kind}\" is no kind of group"))?;
    let now = world.dice.now();
    let (id, guid) = (world.dice.guid(), world.dice.guid());
    let rid = u32::try_from(world.dice.draw([60_000_000, 69_000_000])).unwrap_or(60_000_000);
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    if state.holder_of_address(address, None).is_some() {
        return Err(format!("\"{address}\" is taken"));
    }
    let alias = address.split('@').next().unwrap_or(address).to_owned();
    let mut members = Vec::new();
    for text in fields.texts("members").unwrap_or_default() {
        let member = state
            .recipient(&text, now)
            .map(|found| found.id())
            .ok_or_else(|| format!("there is no \"{text}\""))?;
        members.push(Membership {
            member,
            added: Change::known(now),
            removed: None,
        });
    }
    state.groups.insert(
        id,
        Group {
            id,
            guid,
            kind,
            name: alias.clone(),
            display_name: alias.clone(),
            alias,
            description: String::new(),
            smtp: address.to_owned(),
            aliases: Vec::new(),
            rid,
            owners: Vec::new(),
            foreign_owners: vec![crate::decisions::FOREIGN_OWNER.to_owned()],
            hidden: false,
            require_sender_authentication: true,
            hidden_membership: false,
            join_restriction: "Closed".to_owned(),
            depart_restriction: "Closed".to_owned(),
            members,
            created: now,
            in_exchange: now,
            in_graph: now,
        },
    );
    Ok(())
}
