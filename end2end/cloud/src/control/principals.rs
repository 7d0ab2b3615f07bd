//! Directory roles, delegated grants and groups that tests sow or take away.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Refusal;
use super::fields::{Fields, resolve, resource};
use crate::journal::{Actor, Change, Deed, Thing};
use crate::permissions::DirectoryRole;
use crate::seed::names;
use crate::world::World;
use crate::world::directory_roles::{CustomRole, EVERYWHERE, RoleGrant};
use crate::world::tenant::{self, Group, GroupKind, Membership, ScopeGrant, Tenant};

/// The object that a text names: a person by name, a service principal by object id, application
/// id or name, a group by id or name.
pub fn object(tenant: &Tenant, text: &str) -> Result<Uuid, Refusal> {
    if let Some(user) = tenant.user(text) {
        return Ok(user.id);
    }
    if let Ok(id) = principal(tenant, text) {
        return Ok(id);
    }
    tenant
        .groups
        .values()
        .find(|group| group.id.to_string() == text || group.name.eq_ignore_ascii_case(text))
        .map(|group| group.id)
        .ok_or_else(|| format!("there is no \"{text}\""))
}

/// A service principal by object id, application id or name.
pub fn principal(tenant: &Tenant, text: &str) -> Result<Uuid, Refusal> {
    tenant
        .principals
        .values()
        .find(|found| {
            found.id.to_string() == text
                || found.app_id.to_string() == text
                || found.display_name.eq_ignore_ascii_case(text)
        })
        .map(|found| found.id)
        .ok_or_else(|| format!("there is no service principal \"{text}\""))
}

fn note(world: &mut World, tenant: Uuid, operation: &str, change: Change) {
    let now = world.dice.now();
    let by = Actor::control(operation);
    world.journal.note(now, tenant, &by, vec![change]);
}

/// `POST /_cloud/roles`: `{"tenant", "role", "to", "scope", "remove"}` gives a role to a person, an
/// application or a group, or takes it away; `{"tenant", "role", "actions": […]}` makes a role of
/// the tenant's own.
pub fn role(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::read(
        body,
        &["tenant", "role", "to", "scope", "actions", "remove"],
    )?;
    let id = resolve(world, fields.must("tenant")?)?;
    let name = fields.must("role")?;
    let fresh = world.dice.guid();
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    if let Some(actions) = fields.texts("actions") {
        let custom = &mut state.directory.roles.custom;
        let role = CustomRole {
            id: fresh,
            name: name.to_owned(),
            actions,
        };
        custom.retain(|_, known| known.name != name);
        custom.insert(fresh, role);
    }
    let role = DirectoryRole::from_name(name)
        .map(DirectoryRole::template)
        .or_else(|| {
            let mut custom = state.directory.roles.custom.values();
            custom.find(|role| role.name == name).map(|role| role.id)
        })
        .ok_or_else(|| format!("there is no role \"{name}\""))?;
    let Some(to) = fields.text("to") else {
        return Ok(json!({"role": role}));
    };
    let grant = RoleGrant {
        principal: object(state, to)?,
        role,
        scope: fields.text("scope").unwrap_or(EVERYWHERE).to_owned(),
    };
    let held = fields.flag("remove") != Some(true);
    state.set_role(grant.clone(), held);
    let deed = if held { Deed::Created } else { Deed::Removed };
    let detail = json!({"principal": grant.principal, "role": role, "scope": grant.scope});
    let change = Change::new(deed, Thing::DirectoryRole, grant.id(), name, detail);
    note(world, id, "roles", change);
    Ok(json!({"role": role, "principal": grant.principal, "id": grant.id()}))
}

/// `POST /_cloud/consents`: `{"tenant", "to", "resource", "scope", "users", "remove"}` sets the
/// delegated scopes of an application, whatever they are called: for everybody, or with `users` one
/// row for each of them (`["*"]`: all who have a mailbox). A blank before the first scope stays.
pub fn consent(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let known = ["tenant", "to", "resource", "scope", "users", "remove"];
    let fields = Fields::read(body, &known)?;
    let id = resolve(world, fields.must("tenant")?)?;
    let resource = resource(fields.text("resource"))?;
    let now = world.dice.now();
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    let client = principal(state, fields.must("to")?)?;
    let people: Vec<Option<Uuid>> = match fields.texts("users") {
        None => vec![None],
        Some(all) if all == ["*"] => {
            let all = state.users.values();
            all.filter(|user| user.mailbox.is_some())
                .map(|user| Some(user.id))
                .collect()
        }
        Some(texts) => texts
            .iter()
            .map(|text| {
                let user = state.user(text).map(|user| Some(user.id));
                user.ok_or_else(|| format!("there is no account \"{text}\""))
            })
            .collect::<Result<_, _>>()?,
    };
    let scope = fields.text("scope").unwrap_or("");
    let removes = fields.flag("remove") == Some(true);
    if scope.trim().is_empty() && !removes {
        return Err("\"scope\" is missing".to_owned());
    }
    let mut ids = Vec::new();
    for person in people {
        let grant = ScopeGrant {
            id: names::grant_id(client, resource.app_id(), person),
            client,
            resource,
            principal: person,
            scopes: scope
                .split_whitespace()
                .map(|scope| (scope.to_owned(), now))
                .collect(),
            leading_blank: scope.starts_with(' '),
        };
        state.scope_grants.retain(|known| known.id != grant.id);
        ids.push(grant.id.clone());
        if !removes {
            state.scope_grants.push(grant);
        }
    }
    let deed = if removes {
        Deed::Removed
    } else {
        Deed::Created
    };
    for grant in &ids {
        let detail = json!({"resource": resource.display_name(), "scope": scope});
        let change = Change::new(deed, Thing::Consent, grant, "", detail);
        note(world, id, "consents", change);
    }
    Ok(json!({ "ids": ids }))
}

/// `POST /_cloud/groups`: `{"tenant", "name", "kind", "members", "hidden_membership", "remove"}`
/// makes a group that everybody knows at once, or sets the members of one. Members are people,
/// applications and groups; kinds are `security`, `mail_security`, `distribution`, `microsoft365`.
pub fn group(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let known = [
        "tenant",
        "name",
        "kind",
        "members",
        "hidden_membership",
        "remove",
    ];
    let fields = Fields::read(body, &known)?;
    let id = resolve(world, fields.must("tenant")?)?;
    let name = fields.must("name")?;
    let kind = match fields.text("kind").unwrap_or("security") {
        "security" => GroupKind::Security,
        "mail_security" => GroupKind::MailSecurity,
        "distribution" => GroupKind::Distribution,
        "microsoft365" => GroupKind::Microsoft365,
        other => return Err(format!("\"{other}\" is no kind of group")),
    };
    let now = world.dice.now();
    let (fresh, guid) = (world.dice.guid(), world.dice.guid());
    let rid = u32::try_from(world.dice.draw([60_000_000, 69_000_000])).unwrap_or(60_000_000);
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    let existing = state
        .groups
        .values()
        .find(|group| group.name.eq_ignore_ascii_case(name))
        .map(|group| group.id);
    if fields.flag("remove") == Some(true) {
        let gone = existing.ok_or_else(|| format!("there is no group \"{name}\""))?;
        state.groups.remove(&gone);
        let change = Change::new(Deed::Removed, Thing::Group, gone, name, json!({}));
        note(world, id, "groups", change);
        return Ok(json!({"id": gone, "removed": true}));
    }
    let members = match fields.texts("members") {
        None => None,
        Some(texts) => Some(
            texts
                .iter()
                .map(|text| {
                    object(state, text).map(|member| Membership {
                        member,
                        added: tenant::Change::known(now),
                        removed: None,
                    })
                })
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    let alias: String = name
        .to_lowercase()
        .chars()
        .map(|sign| {
            if sign.is_ascii_alphanumeric() {
                sign
            } else {
                '.'
            }
        })
        .collect();
    let smtp = format!("{alias}@{}", state.domain);
    let group = state
        .groups
        .entry(existing.unwrap_or(fresh))
        .or_insert_with(|| Group {
            id: fresh,
            guid,
            kind,
            name: name.to_owned(),
            alias,
            display_name: name.to_owned(),
            description: String::new(),
            smtp,
            aliases: Vec::new(),
            rid,
            owners: Vec::new(),
            foreign_owners: vec![crate::decisions::FOREIGN_OWNER.to_owned()],
            hidden: false,
            require_sender_authentication: true,
            hidden_membership: false,
            join_restriction: "Closed".to_owned(),
            depart_restriction: "Closed".to_owned(),
            members: Vec::new(),
            created: now,
            in_exchange: now,
            in_graph: now,
        });
    if let Some(members) = members {
        group.members = members;
    }
    if let Some(hidden) = fields.flag("hidden_membership") {
        group.hidden_membership = hidden;
    }
    let found = group.id;
    let deed = match existing {
        Some(_) => Deed::Changed,
        None => Deed::Created,
    };
    let change = Change::new(deed, Thing::Group, found, name, json!({}));
    note(world, id, "groups", change);
    Ok(json!({"id": found}))
}
