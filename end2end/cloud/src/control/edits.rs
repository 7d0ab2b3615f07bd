//! Accounts and tenants that tests add or change.

use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{Fields, directory_roles, resolve, resource};
use super::{Refusal, directory, habits, mailbox};
use crate::clock::wall_now;
use crate::entra::consent;
use crate::journal::{Actor, Change, Deed, Thing};
use crate::permissions::Resource;
use crate::seed::{self, Role};
use crate::world::World;
use crate::world::tenant::{Mailbox, MailboxKind, User};

/// `POST /_cloud/users`: changes or creates the account `upn`.
pub fn user(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::read(
        body,
        &[
            "upn",
            "tenant",
            "create",
            "remove",
            "revoke",
            "roles",
            "password",
            "enabled",
            "display_name",
            "mailbox",
            "guest_of",
            "activate",
            "age_tokens",
            "smtp",
            "aliases",
            "inactive",
            "send_as",
            "send_quota",
            "user_agents",
        ],
    )?;
    let upn = fields.must("upn")?;
    let tenant = match fields.text("tenant") {
        Some(text) => resolve(world, text)?,
        None => world
            .tenants
            .of_account(upn)
            .ok_or_else(|| format!("no tenant has the domain of \"{upn}\""))?,
    };
    let roles = match fields.texts("roles") {
        Some(names) => Some(directory_roles(&names)?),
        None => None,
    };
    let guest_of = match fields.text("guest_of") {
        None => None,
        Some(home_upn) => {
            let home = world
                .tenants
                .of_account(home_upn)
                .ok_or_else(|| format!("no tenant has the domain of \"{home_upn}\""))?;
            let id = world
                .tenants
                .get(home)
                .and_then(|tenant| tenant.user(home_upn).map(|user| user.id))
                .ok_or_else(|| format!("there is no account \"{home_upn}\""))?;
            Some((home, id))
        }
    };
    let now = world.dice.now();
    let (id, guid) = (world.dice.guid(), world.dice.guid());
    let rid = u32::try_from(world.dice.draw([50_000_000, 59_000_000])).unwrap_or(50_000_000);
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    if fields.flag("create") == Some(true) {
        if state.user(upn).is_some() {
            return Err(format!("the account \"{upn}\" exists already"));
        }
        let kind = match fields.text("mailbox").unwrap_or("user") {
            "none" => None,
            other => Some(
                MailboxKind::from_name(other)
                    .ok_or_else(|| format!("\"{other}\" is no kind of mailbox"))?,
            ),
        };
        let local = upn.split('@').next().unwrap_or(upn).to_owned();
        let display_name = fields.text("display_name").unwrap_or(&local).to_owned();
        state.users.insert(
            id,
            User {
                id,
                upn: upn.to_owned(),
                given_name: String::new(),
                surname: String::new(),
                job_title: String::new(),
                password: "demo".to_owned(),
                enabled: true,
                guest_of,
                roles: Vec::new(),
                created: now,
                tokens_valid_from: None,
                mailbox: kind.map(|kind| Mailbox {
                    kind,
                    guid,
                    alias: local,
                    smtp: upn.to_owned(),
                    aliases: Vec::new(),
                    rid,
                    hidden: false,
                    custom_attributes: std::collections::BTreeMap::new(),
                }),
                display_name,
            },
        );
    }
    let found = state
        .user(upn)
        .map(|user| user.id)
        .ok_or_else(|| format!("there is no account \"{upn}\""))?;
    if fields.flag("remove") == Some(true) {
        state.users.remove(&found);
        let mut changes = Vec::new();
        for group in state.groups.values_mut() {
            if group.has_member(found) {
                changes.push(Change::new(
                    Deed::Removed,
                    Thing::Member,
                    format!("{}/{found}", group.id),
                    &group.name,
                    json!({"group": group.id, "member": found}),
                ));
            }
            group.members.retain(|entry| entry.member != found);
        }
        let by = Actor::control("users");
        world.journal.note(now, tenant, &by, changes);
        return Ok(json!({"id": found, "removed": true}));
    }
    let user = state.users.get_mut(&found).ok_or("the account is gone")?;
    if let Some(roles) = roles {
        user.roles = roles;
    }
    if let Some(password) = fields.text("password") {
        password.clone_into(&mut user.password);
    }
    if let Some(enabled) = fields.flag("enabled") {
        user.enabled = enabled;
    }
    if let Some(name) = fields.text("display_name") {
        name.clone_into(&mut user.display_name);
    }
    if fields.flag("revoke") == Some(true) {
        // On the wall clock, like the tokens that this outdates.
        user.tokens_valid_from = Some(wall_now());
    }
    if let Some(roles) = fields.texts("activate") {
        directory::activate(world, tenant, found, &roles)?;
    }
    if let Some(seconds) = fields.0.get("age_tokens").and_then(Value::as_i64) {
        directory::age_tokens(world, found, seconds);
    }
    mailbox::change(world, tenant, found, &fields)?;
    let user = world
        .tenants
        .get(tenant)
        .and_then(|state| state.users.get(&found))
        .ok_or("the account is gone")?;
    Ok(json!({
        "id": user.id,
        "upn": user.upn,
        "roles": user.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
        "enabled": user.enabled,
    }))
}

/// What a GDAP relationship can be (MICROSOFT.md §6.5); only an active or expiring one gives rights.
const RELATIONSHIP_STATUSES: [&str; 9] = [
    "activating",
    "active",
    "approvalPending",
    "approved",
    "created",
    "expired",
    "expiring",
    "terminated",
    "terminating",
];

/// `POST /_cloud/tenants`: changes or creates the tenant `tenant` (an id or a domain).
pub fn tenant(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let mut known = vec![
        "tenant",
        "create",
        "name",
        "remove_consent",
        "consent",
        "dehydrated",
        "licensed",
        "name_suffix",
        "gdap",
        "remove_gdap",
    ];
    known.extend(directory::TENANT_FIELDS);
    known.extend(habits::TENANT_FIELDS);
    known.extend(mailbox::TENANT_FIELDS);
    let fields = Fields::read(body, &known)?;
    let text = fields.must("tenant")?;
    if text == "*" {
        return consent_everywhere(world, &fields);
    }
    if fields.flag("create") == Some(true) {
        if world.tenants.resolve(text).is_some() {
            return Err(format!("the tenant \"{text}\" exists already"));
        }
        if !text.contains('.') || Uuid::parse_str(text).is_ok() {
            return Err("a new tenant needs a domain".to_owned());
        }
        let name = fields.text("name").unwrap_or(text);
        let start = world.dice.now();
        let summary = seed::summary(world.seed_number, start, name, text, Role::Bare);
        world.tenants.announce(summary);
    }
    let id = resolve(world, text)?;
    if let Some(app_id) = fields.text("remove_consent") {
        let app_id = Uuid::parse_str(app_id).map_err(|_| "\"remove_consent\" is no GUID")?;
        remove_application(world, id, app_id)?;
    }
    if let Some(consent) = fields.object("consent") {
        give_consent(world, id, consent)?;
    }
    if let Some(gdap) = fields.object("gdap") {
        let gdap = Fields::read(gdap, &["partner", "roles", "status"])?;
        let partner = match gdap.text("partner") {
            Some(text) => resolve(world, text)?,
            None => world.partner,
        };
        let roles = directory_roles(&gdap.texts("roles").unwrap_or_default())?;
        let start = world.dice.now();
        world
            .relationships
            .retain(|known| known.partner != partner || known.customer != id);
        if let Some(mut found) = seed::relationship(&world.tenants, partner, id, &roles, start) {
            if let Some(status) = gdap.text("status") {
                found.status = RELATIONSHIP_STATUSES
                    .iter()
                    .find(|known| **known == status)
                    .ok_or_else(|| format!("\"{status}\": {}", RELATIONSHIP_STATUSES.join(", ")))?;
            }
            world.relationships.push(found);
        }
    }
    if fields.flag("remove_gdap") == Some(true) {
        world.relationships.retain(|known| known.customer != id);
    }
    directory::change(world, id, &fields)?;
    habits::change(world, id, &fields)?;
    mailbox::change_organisation(world, id, &fields)?;
    let now = world.dice.now();
    let state = world.tenants.get(id).ok_or("the tenant is gone")?;
    if let Some(dehydrated) = fields.flag("dehydrated") {
        state.exchange.customised = (!dehydrated).then_some(now);
        state.exchange.unpacking = None;
        state.exchange.delegation_starts = None;
    }
    if let Some(licensed) = fields.flag("licensed") {
        state.exchange.licensed = licensed;
    }
    if let Some(suffix) = fields.flag("name_suffix") {
        state.exchange.name_suffix = suffix;
    }
    Ok(json!({"id": id, "name": state.name, "domain": state.domain}))
}

/// `"tenant": "*"`: the same consent in every customer, which makes them all.
fn consent_everywhere(world: &mut World, fields: &Fields<'_>) -> Result<Value, Refusal> {
    let consent = fields
        .object("consent")
        .ok_or("all tenants at once can get a consent, nothing else")?;
    let customers: Vec<Uuid> = world
        .tenants
        .summaries()
        .filter(|summary| summary.recipe.is_customer())
        .map(|summary| summary.id)
        .collect();
    let mut given = 0;
    for id in customers {
        if world.tenants.get(id).is_some() {
            give_consent(world, id, consent)?;
            given += 1;
        }
    }
    Ok(json!({ "tenants": given }))
}

/// Deletes an application's service principal: consents, grants, pointer and role assignments go
/// with it, management scopes stay (MICROSOFT.md §3.2).
fn remove_application(world: &mut World, tenant: Uuid, app_id: Uuid) -> Result<(), Refusal> {
    let state = world.tenants.get(tenant).ok_or("the tenant is gone")?;
    let principal = state
        .principal_by_app(app_id)
        .map(|found| found.id)
        .ok_or_else(|| format!("the application {app_id} is not in the tenant"))?;
    let name = state
        .principals
        .remove(&principal)
        .map_or_else(String::new, |found| found.display_name);
    let mut gone = vec![(Thing::ServicePrincipal, principal.to_string())];
    state.scope_grants.retain(|grant| {
        let stays = grant.client != principal;
        if !stays {
            gone.push((Thing::Consent, grant.id.clone()));
        }
        stays
    });
    state.assignments.retain(|assignment| {
        let stays = assignment.principal != principal;
        if !stays && assignment.live() {
            gone.push((Thing::AppRoleAssignment, assignment.id.clone()));
        }
        stays
    });
    state.exchange.pointers.retain(|pointer| {
        let stays = pointer.object_id != principal;
        if !stays {
            gone.push((Thing::Pointer, pointer.object_id.to_string()));
        }
        stays
    });
    let roles = &mut state.directory.roles.assignments;
    roles.retain(|grant| grant.principal != principal);
    state.directory.agents.children.remove(&principal);
    state.directory.credentials.of_principals.remove(&principal);
    let exchange = &mut state.exchange;
    exchange.rights.retain(|entry| entry.holder != principal);
    exchange
        .role_groups
        .members
        .retain(|entry| entry.member != principal);
    state.exchange.role_assignments.retain(|assignment| {
        let stays = assignment.assignee != principal;
        if !stays {
            gone.push((Thing::RoleAssignment, assignment.guid.to_string()));
        }
        stays
    });
    let changes = gone
        .into_iter()
        .map(|(thing, object)| Change::new(Deed::Removed, thing, object, &name, json!({})))
        .collect();
    let now = world.dice.now();
    let by = Actor::control("tenants");
    world.journal.note(now, tenant, &by, changes);
    Ok(())
}

/// Consents for everybody, honoured at once: delegated scopes such as `graph:User.Read.All` or
/// `exchange:Exchange.Manage`, and app roles in the same form.
fn give_consent(world: &mut World, tenant: Uuid, body: &Value) -> Result<(), Refusal> {
    let fields = Fields::read(body, &["app_id", "scopes", "roles"])?;
    let app_id = fields.id("app_id")?;
    if consent_target(world, app_id, tenant).is_none() {
        return Err(format!("there is no application {app_id}"));
    }
    let mut request = consent::Request::default();
    let split = |text: &String| -> Result<(Resource, String), Refusal> {
        let (name, value) = text.split_once(':').unwrap_or(("graph", text));
        Ok((resource(Some(name))?, value.to_owned()))
    };
    for text in fields.texts("scopes").unwrap_or_default() {
        let (resource, value) = split(&text)?;
        let scope = resource
            .scope(&value)
            .ok_or_else(|| format!("there is no scope \"{value}\""))?;
        request.scopes.push((resource, scope.value.to_owned()));
    }
    for text in fields.texts("roles").unwrap_or_default() {
        let (resource, value) = split(&text)?;
        let role = resource
            .role_id(&value)
            .ok_or_else(|| format!("there is no app role \"{value}\""))?;
        request.app_roles.push((resource, role));
    }
    let usual = std::mem::take(&mut world.dice.delays.consent);
    let by = Actor::control("tenants");
    consent::give(world, tenant, app_id, None, &request, &by);
    world.dice.delays.consent = usual;
    Ok(())
}

fn consent_target(world: &mut World, app_id: Uuid, tenant: Uuid) -> Option<Uuid> {
    world.app_home(app_id, Some(tenant))
}
