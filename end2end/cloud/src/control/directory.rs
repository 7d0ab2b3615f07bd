//! What a tenant's directory demands and lacks: conditional access, sign-in frequency,
//! administrative units, and how its Exchange words things.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Refusal;
use super::fields::{Fields, directory_roles};
use crate::journal::{Actor, Change, Deed, Thing};
use crate::world::World;
use crate::world::access::{AccessRule, Activation, AdministrativeUnit};
use crate::world::directory::HiddenMembers;
use crate::world::exchange::CheckWords;

/// The fields of `POST /_cloud/tenants` that this module takes.
pub const TENANT_FIELDS: [&str; 6] = [
    "hidden_members",
    "conditional_access",
    "sign_in_frequency",
    "unlisted_members",
    "check_words",
    "unit",
];

/// Codes that a Conditional Access rule can refuse with (MICROSOFT.md §6.1).
const ACCESS_CODES: [u64; 7] = [50076, 50078, 50079, 53000, 53001, 53003, 530_034];

/// Applies them to a tenant.
pub fn change(world: &mut World, id: Uuid, fields: &Fields<'_>) -> Result<(), Refusal> {
    let rule = match fields.0.get("conditional_access") {
        None => None,
        // Nothing is demanded any more.
        Some(Value::Null) => Some(None),
        Some(Value::Number(code)) => {
            let code = code
                .as_u64()
                .filter(|code| ACCESS_CODES.contains(code))
                .and_then(|code| u32::try_from(code).ok())
                .ok_or_else(|| format!("conditional_access knows the codes {ACCESS_CODES:?}"))?;
            let id = world.dice.guid();
            Some(Some(AccessRule { id, code }))
        }
        Some(_) => return Err("conditional_access is a code, or null".to_owned()),
    };
    let words = match fields.text("check_words") {
        None => None,
        Some(name) => Some(
            CheckWords::from_name(name)
                .ok_or_else(|| format!("\"{name}\": english, german, danish or boolean"))?,
        ),
    };
    let hidden = match fields.text("hidden_members") {
        None => None,
        Some(name) => Some(
            HiddenMembers::from_name(name)
                .ok_or_else(|| format!("\"{name}\": empty or refused"))?,
        ),
    };
    let frequency = match fields.0.get("sign_in_frequency") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => {
            Some(Some(value.as_i64().filter(|seconds| *seconds >= 0).ok_or(
                "sign_in_frequency is a number of seconds, or null",
            )?))
        }
    };
    if let Some(unit) = fields.object("unit") {
        change_unit(world, id, unit)?;
    }
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    if let Some(rule) = rule {
        state.access_rules = rule.into_iter().collect();
    }
    if let Some(frequency) = frequency {
        state.sign_in_frequency = frequency;
    }
    if let Some(hidden) = hidden {
        state.directory.hidden_members = hidden;
    }
    if let Some(words) = words {
        state.exchange.check_words = words;
    }
    if let Some(kinds) = fields.texts("unlisted_members") {
        state.exchange.unlisted_members = kinds;
    }
    Ok(())
}

/// `{"name", "members": ["reception@…"], "hidden": true, "remove": true}`: makes a unit, sets its
/// members and whether they are hidden, or removes it.
fn change_unit(world: &mut World, tenant: Uuid, body: &Value) -> Result<(), Refusal> {
    let fields = Fields::read(body, &["name", "members", "remove", "hidden"])?;
    let name = fields.must("name")?.to_owned();
    let fresh = world.dice.guid();
    let now = world.dice.now();
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let known = crate::exchange::units::find(state, &name);
    let mut members = Vec::new();
    for text in fields.texts("members").unwrap_or_default() {
        let found = state
            .user(&text)
            .map(|user| user.id)
            .or_else(|| state.recipient(&text, now).map(|found| found.id()))
            .ok_or_else(|| format!("there is no \"{text}\""))?;
        members.push(found);
    }
    let (deed, id) = match known {
        Some(id) if fields.flag("remove") == Some(true) => {
            state.units.remove(&id);
            (Deed::Removed, id)
        }
        None if fields.flag("remove") == Some(true) => {
            return Err(format!("there is no unit \"{name}\""));
        }
        Some(id) => (Deed::Changed, id),
        None => (Deed::Created, fresh),
    };
    if deed != Deed::Removed {
        let unit = AdministrativeUnit {
            id,
            name: name.clone(),
            members,
        };
        state.units.insert(id, unit);
        match fields.flag("hidden") {
            Some(true) => state.directory.hidden_units.insert(id),
            Some(false) => state.directory.hidden_units.remove(&id),
            None => false,
        };
    }
    let change = Change::new(deed, Thing::AdministrativeUnit, id, name, json!({}));
    world
        .journal
        .note(now, tenant, &Actor::control("tenants"), vec![change]);
    Ok(())
}

/// `activate` of `POST /_cloud/users`: directory roles that tokens have from now on, and that
/// Exchange believes later.
pub fn activate(
    world: &mut World,
    tenant: Uuid,
    object: Uuid,
    names: &[String],
) -> Result<(), Refusal> {
    let roles = directory_roles(names)?;
    let exchange = world.dice.later(world.dice.delays.role_activation);
    let now = world.dice.now();
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let user = state.users.get_mut(&object).ok_or("the account is gone")?;
    for role in roles {
        if !user.roles.contains(&role) {
            user.roles.push(role);
        }
        state.activations.push(Activation {
            object,
            role,
            exchange,
        });
    }
    // What Exchange knows by now need not be kept.
    state.activations.retain(|entry| entry.exchange > now);
    Ok(())
}

/// `age_tokens`: the person's refresh tokens were issued, and the person signed in, that many
/// seconds earlier.
pub fn age_tokens(world: &mut World, object: Uuid, seconds: i64) {
    let earlier = chrono::TimeDelta::try_seconds(seconds).unwrap_or(chrono::TimeDelta::zero());
    for refresh in world.entra.refresh.values_mut() {
        if refresh.person.1 == object {
            refresh.issued -= earlier;
            refresh.signed_in -= earlier;
        }
    }
}
