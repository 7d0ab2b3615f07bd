//! Asks what an application may do in a mailbox, for the protocols that are not simulated: EWS,
//! IMAP, POP, SMTP, the retired Outlook API, and Graph's calls that Postern has no use for.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Refusal;
use super::fields::{Fields, resolve, resource};
use crate::entra::token;
use crate::http_parts::Call;
use crate::permissions::Resource;
use crate::world::World;
use crate::world::enforcement::Caller;
use crate::world::powers;
use crate::world::recipients::Recipient;
use crate::world::tenant::{GroupKind, Tenant};
use crate::world::ways::{self, Way};

/// `POST /_cloud/probe` with the application's token for the `resource` (`graph` or `exchange`) as
/// bearer: whether it may use each of `permissions` in each of `mailboxes` (ids or addresses), and
/// with
/// `could` also what [`powers::report`] says.
///
/// # Errors
///
/// When the token is none of an application, or a mailbox does not exist.
pub fn probe(world: &mut World, call: &Call, body: &Value) -> Result<Value, Refusal> {
    if body.get("tenant").is_some() {
        return every_way(world, body);
    }
    let fields = Fields::read(
        body,
        &[
            "resource",
            "permissions",
            "mailboxes",
            "user_agent",
            "could",
        ],
    )?;
    let resource = resource(fields.text("resource"))?;
    let claims = token::verify_access(world, call, resource)?;
    if claims.delegated {
        return Err("a person's token: only applications are asked about".to_owned());
    }
    let now = world.dice.now();
    let tenant = world
        .tenants
        .get(claims.tenant)
        .ok_or("the tenant is gone")?;
    if !tenant.exchange.licensed {
        return Err("the tenant has no mailboxes".to_owned());
    }
    let mut mailboxes = Vec::new();
    for key in fields.texts("mailboxes").unwrap_or_default() {
        let found = mailbox(tenant, &key, now)?;
        mailboxes.push((key, found));
    }
    let agent = fields.text("user_agent");
    let caller = Caller {
        tenant: claims.tenant,
        app_id: claims.app_id,
        object: claims.object,
        roles: &claims.roles,
    };
    let permissions = fields.texts("permissions").unwrap_or_default();
    let mut report = match fields.flag("could") {
        Some(true) => powers::report(world, claims.tenant, claims.object, &mailboxes),
        _ => json!({}),
    };
    let mut answers = Map::new();
    for (key, mailbox) in mailboxes {
        let may: Map<String, Value> = permissions
            .iter()
            .map(|permission| {
                let may =
                    ways::may_use(world, caller, resource, permission, mailbox, agent).is_ok();
                (permission.clone(), Value::Bool(may))
            })
            .collect();
        answers.insert(key, Value::Object(may));
    }
    if let Some(map) = report.as_object_mut() {
        map.insert("may".to_owned(), Value::Object(answers));
    }
    Ok(report)
}

/// A mailbox by id, address or user principal name, group mailboxes included.
fn mailbox(tenant: &Tenant, key: &str, now: crate::clock::Time) -> Result<Uuid, Refusal> {
    tenant
        .user(key)
        .filter(|user| user.mailbox.is_some())
        .map(|user| user.id)
        .or_else(|| {
            tenant
                .recipient(key, now)
                .filter(is_open)
                .map(|found| found.id())
        })
        .ok_or_else(|| format!("there is no mailbox \"{key}\""))
}

fn is_open(recipient: &Recipient<'_>) -> bool {
    match recipient {
        Recipient::Person(_, mailbox) => mailbox.kind.is_mailbox(),
        Recipient::Group(group) => group.kind == GroupKind::Microsoft365,
    }
}

/// `{"tenant", "applications", "mailboxes", "ways", "user_agent"}`: what each application may do in
/// each mailbox with tokens that were issued now. Without `mailboxes`: in all of them.
///
/// With `could` each application's [`powers::report`] stands beside, under `powers`.
///
/// Asking leaves no trace: no cache is warmed by it.
fn every_way(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::read(
        body,
        &[
            "tenant",
            "applications",
            "mailboxes",
            "ways",
            "user_agent",
            "could",
        ],
    )?;
    let id = resolve(world, fields.must("tenant")?)?;
    let agent = fields.text("user_agent");
    let wanted = match fields.texts("ways") {
        None => Way::ALL.to_vec(),
        Some(names) => names
            .iter()
            .map(|name| Way::from_name(name).ok_or_else(|| format!("there is no way \"{name}\"")))
            .collect::<Result<_, _>>()?,
    };
    let now = world.dice.now();
    let tenant = world.tenants.get(id).ok_or("the tenant is gone")?;
    if !tenant.exchange.licensed {
        return Err("the tenant has no mailboxes".to_owned());
    }
    let mailboxes: Vec<(String, Uuid)> = match fields.texts("mailboxes") {
        Some(keys) => keys
            .into_iter()
            .map(|key| mailbox(tenant, &key, now).map(|found| (key, found)))
            .collect::<Result<_, _>>()?,
        None => tenant
            .recipients(now)
            .filter(is_open)
            .map(|found| (found.smtp().to_owned(), found.id()))
            .collect(),
    };
    let mut callers = Vec::new();
    for text in fields.texts("applications").unwrap_or_default() {
        let app_id = Uuid::parse_str(&text).map_err(|_| format!("\"{text}\" is no GUID"))?;
        let principal = tenant
            .principal_by_app(app_id)
            .ok_or_else(|| format!("the application {text} is not in the tenant"))?;
        let roles = |resource| -> Vec<String> {
            tenant
                .app_roles_of(principal.id, resource)
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        callers.push((
            text,
            app_id,
            principal.id,
            principal.enabled,
            roles(Resource::Graph),
            roles(Resource::Exchange),
        ));
    }
    let cache = tenant.exchange.rbac_cache.clone();
    let mut answers = Map::new();
    let mut reports = Map::new();
    for (text, app_id, object, enabled, graph, exchange) in callers {
        if fields.flag("could") == Some(true) {
            let report = powers::report(world, id, object, &mailboxes);
            reports.insert(text.clone(), report);
        }
        let mut reach = Map::new();
        for (key, mailbox) in &mailboxes {
            let mut open = Map::new();
            for way in &wanted {
                let roles = match way.resource() {
                    Resource::Graph => &graph,
                    Resource::Exchange => &exchange,
                };
                let caller = Caller {
                    tenant: id,
                    app_id,
                    object,
                    roles,
                };
                // Who is switched off gets no token at all.
                let may = enabled && ways::may(world, caller, *way, *mailbox, agent).is_ok();
                open.insert(way.name().to_owned(), Value::Bool(may));
            }
            reach.insert(key.clone(), Value::Object(open));
        }
        answers.insert(text, Value::Object(reach));
    }
    if let Some(tenant) = world.tenants.get(id) {
        tenant.exchange.rbac_cache = cache;
    }
    let mut out = json!({ "may": answers });
    if let Some(map) = out.as_object_mut()
        && !reports.is_empty()
    {
        map.insert("powers".to_owned(), Value::Object(reports));
    }
    Ok(out)
}
