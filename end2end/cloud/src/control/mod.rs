//! The control paths under `/_cloud`: looking into the cloud, and moving it. No authentication,
//! which is why the cloud listens on loopback addresses only.

mod accounts;
mod applications;
mod credentials;
mod directory;
mod edits;
mod fields;
mod habits;
mod mailbox;
mod powers;
mod principals;
mod probe;
mod state;

use axum::http::Method;
use serde_json::{Value, json};

use crate::books::to_value;
use crate::campaign::{Campaign, Plan};
use crate::faults::{Rule, glob};
use crate::http_parts::{Call, Reply};
use crate::journal::{Actor, Change, Deed, Thing};
use crate::seed::Seed;
use crate::server::Shared;
use crate::world::World;

/// What went wrong with a control request: a sentence.
type Refusal = String;

/// Answers a request.
pub fn handle(shared: &Shared, call: &Call) -> Reply {
    // A page in a browser elsewhere must not be able to drive the cloud through its visitor.
    if call.method != Method::GET && call.header("origin").is_some() {
        return Reply::json(403, &json!({"error": "control paths are not for browsers"}));
    }
    answer(&mut shared.world(), call)
}

/// The same for who holds the world already.
pub fn answer(world: &mut World, call: &Call) -> Reply {
    let path: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
    let answer = match (call.method.as_str(), path.as_slice()) {
        ("GET", ["state"]) => state::show(world, call.query("tenant")),
        ("GET", ["accounts"]) => Ok(accounts::show(world)),
        ("GET", ["outbox"]) => Ok(outbox(world, call)),
        ("GET", ["log"]) => Ok(log(world, call)),
        ("GET", ["journal"]) => Ok(journal(world, call)),
        ("DELETE", ["log"]) => {
            world.books.clear_log();
            Ok(json!({}))
        }
        ("GET", ["clock"]) => Ok(clock(world)),
        ("POST", ["clock"]) => body(call).and_then(|body| set_clock(world, &body)),
        ("GET", ["delays"]) => Ok(to_value(&world.dice.delays)),
        ("POST", ["delays"]) => body(call).and_then(|body| set_delays(world, &body)),
        ("GET", ["faults"]) => Ok(world.faults.report()),
        ("POST", ["faults"]) => body(call).and_then(|body| arm(world, body)),
        ("DELETE", ["faults"]) => disarm(world, call.query("id")),
        ("DELETE", ["faults", id]) => disarm(world, Some(id)),
        ("GET", ["campaign"]) => Ok(campaign(world)),
        ("POST", ["campaign"]) => body(call).and_then(|body| begin_campaign(world, body)),
        ("DELETE", ["campaign"]) => {
            if let Some(campaign) = &mut world.faults.campaign {
                campaign.end();
            }
            Ok(campaign(world))
        }
        ("POST", ["probe"]) => body(call).and_then(|body| probe::probe(world, call, &body)),
        ("POST", ["reset"]) => reset(world, call.query("seed")),
        ("POST", ["users"]) => edit(world, call, "users", edits::user),
        ("GET", ["tenants"]) => Ok(accounts::tenants(world)),
        ("POST", ["tenants"]) => edit(world, call, "tenants", edits::tenant),
        ("POST", ["recipients"]) => edit(world, call, "recipients", habits::recipient),
        ("POST", ["applications"]) => edit(world, call, "applications", applications::change),
        ("POST", ["roles"]) => body(call).and_then(|body| principals::role(world, &body)),
        ("POST", ["consents"]) => body(call).and_then(|body| principals::consent(world, &body)),
        ("POST", ["groups"]) => body(call).and_then(|body| principals::group(world, &body)),
        ("POST", ["powers"]) => body(call).and_then(|body| powers::show(world, &body)),
        ("POST", ["keys"]) => body(call).map(|body| {
            world
                .entra
                .keys
                .roll(body.get("forget").and_then(Value::as_bool) == Some(true));
            json!({})
        }),
        _ => return Reply::json(404, &json!({"error": "there is no such control path"})),
    };
    match answer {
        Ok(value) => Reply::json(200, &value),
        Err(why) => Reply::json(400, &json!({ "error": why })),
    }
}

fn body(call: &Call) -> Result<Value, Refusal> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    call.json()
        .map_err(|error| format!("the body is no JSON: {error}"))
}

/// Makes an edit and notes it: changes by tests are changes too.
fn edit(
    world: &mut World,
    call: &Call,
    operation: &str,
    change: fn(&mut World, &Value) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let sent = body(call)?;
    let answer = change(world, &sent)?;
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| sent.get(name).and_then(Value::as_bool) == Some(true);
    let (thing, object, name) = match operation {
        "users" => (Thing::User, text(&answer, "id"), text(&sent, "upn")),
        "tenants" => (
            Thing::Organization,
            text(&answer, "id"),
            text(&answer, "name"),
        ),
        "recipients" => (Thing::Mailbox, text(&answer, "id"), text(&answer, "name")),
        _ => (
            Thing::Application,
            text(&answer, "app_id"),
            text(&sent, "name"),
        ),
    };
    let tenant = text(&sent, "tenant")
        .and_then(|text| world.tenants.resolve(&text))
        .or_else(|| text(&sent, "upn").and_then(|upn| world.tenants.of_account(&upn)));
    // A consent for all customers at once is noted in each of them, where it is given.
    if let (Some(tenant), Some(object)) = (tenant, object) {
        let registers = thing == Thing::Application && sent.get("app_id").is_none();
        let deed = if flag("remove") {
            Deed::Removed
        } else if flag("create") || registers {
            Deed::Created
        } else {
            Deed::Changed
        };
        let fields: Vec<&String> = sent
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys())
            .collect();
        let detail = json!({ "set": fields });
        let change = Change::new(deed, thing, object, name.unwrap_or_default(), detail);
        let now = world.dice.now();
        let by = Actor::control(operation);
        world.journal.note(now, tenant, &by, vec![change]);
    }
    Ok(answer)
}

fn begin_campaign(world: &mut World, body: Value) -> Result<Value, Refusal> {
    let plan: Plan = serde_json::from_value(body).map_err(|error| error.to_string())?;
    if let Some(tenant) = &plan.tenant
        && world.tenants.resolve(tenant).is_none()
    {
        return Err(format!("there is no tenant \"{tenant}\""));
    }
    world.faults.campaign = Some(Campaign::begin(plan)?);
    Ok(campaign(world))
}

fn campaign(world: &World) -> Value {
    match &world.faults.campaign {
        Some(campaign) => campaign.report(),
        None => json!({"running": false, "seen": 0, "injected": 0, "by_kind": {}, "by_host": {}}),
    }
}

fn clock(world: &World) -> Value {
    json!({
        "now": world.dice.now(),
        "speed": world.dice.clock.speed(),
    })
}

fn set_clock(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let known = ["advance_seconds", "speed"];
    let map = body.as_object().ok_or("the body must be an object")?;
    if let Some(other) = map.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("\"{other}\" is unknown: advance_seconds or speed"));
    }
    if let Some(speed) = map.get("speed") {
        let speed = speed
            .as_f64()
            .filter(|speed| *speed >= 0.001)
            .ok_or("speed must be a number above zero")?;
        world.dice.clock.set_speed(speed);
    }
    if let Some(seconds) = map.get("advance_seconds") {
        let seconds = seconds
            .as_u64()
            .ok_or("advance_seconds must be a whole number: time does not run backwards")?;
        world.dice.clock.advance(seconds);
    }
    Ok(clock(world))
}

/// Merges the sent fields into the present ones.
fn set_delays(world: &mut World, body: &Value) -> Result<Value, Refusal> {
    let mut merged = to_value(&world.dice.delays);
    let map = merged.as_object_mut().ok_or("the delays cannot be read")?;
    for (name, value) in body.as_object().ok_or("the body must be an object")? {
        map.insert(name.clone(), value.clone());
    }
    world.dice.delays = serde_json::from_value(merged).map_err(|error| error.to_string())?;
    Ok(to_value(&world.dice.delays))
}

/// One rule or a list of them.
fn arm(world: &mut World, body: Value) -> Result<Value, Refusal> {
    let rules: Vec<Rule> = match body {
        Value::Array(_) => serde_json::from_value(body),
        other => serde_json::from_value(other).map(|rule| vec![rule]),
    }
    .map_err(|error| error.to_string())?;
    for rule in &rules {
        if let Some(tenant) = &rule.tenant
            && world.tenants.resolve(tenant).is_none()
        {
            return Err(format!("there is no tenant \"{tenant}\""));
        }
    }
    let mut ids = Vec::new();
    for rule in rules {
        ids.push(world.faults.arm(rule)?);
    }
    Ok(json!({ "ids": ids }))
}

fn disarm(world: &mut World, id: Option<&str>) -> Result<Value, Refusal> {
    match id {
        None => world.faults.disarm_all(),
        Some(id) if world.faults.disarm(id) => {}
        Some(id) => return Err(format!("there is no fault \"{id}\"")),
    }
    Ok(world.faults.report())
}

fn reset(world: &mut World, seed: Option<&str>) -> Result<Value, Refusal> {
    let seed = match seed {
        None => world.seed.clone(),
        Some(text) => text.parse::<Seed>()?,
    };
    world.reset(seed)?;
    Ok(json!({"seed": world.seed.to_string(), "tenants": world.tenants.len()}))
}

/// Entries of a listing that a query leaves: `host`, `tenant`, `operation` (with `*`), `user`,
/// `since` (a number; only later ones).
fn wanted(world: &World, call: &Call, entry: &Value) -> bool {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("");
    let tenant = call.query("tenant").is_none_or(|tenant| {
        world
            .tenants
            .resolve(tenant)
            .is_some_and(|id| text("tenant") == id.to_string())
    });
    let since = call
        .query("since")
        .and_then(|since| since.parse::<u64>().ok())
        .is_none_or(|since| entry.get("number").and_then(Value::as_u64) > Some(since));
    tenant
        && since
        && call.query("host").is_none_or(|host| text("host") == host)
        && call
            .query("operation")
            .is_none_or(|pattern| glob(pattern, text("operation")))
        && call
            .query("user")
            .is_none_or(|user| text("user").eq_ignore_ascii_case(user))
}

fn log(world: &World, call: &Call) -> Value {
    let entries: Vec<Value> = world
        .books
        .log()
        .map(to_value)
        .filter(|entry| wanted(world, call, entry))
        .collect();
    json!({ "log": entries })
}

/// `?tenant= &host= &kind= &deed= &user= &operation= &since=N`.
fn journal(world: &World, call: &Call) -> Value {
    let matches = |entry: &Value, name: &str| {
        call.query(name)
            .is_none_or(|wanted| entry.get(name).and_then(Value::as_str) == Some(wanted))
    };
    let changes: Vec<Value> = world
        .journal
        .all()
        .into_iter()
        .map(to_value)
        .filter(|entry| {
            wanted(world, call, entry) && matches(entry, "kind") && matches(entry, "deed")
        })
        .collect();
    json!({ "changes": changes })
}

fn outbox(world: &World, call: &Call) -> Value {
    let mails: Vec<Value> = world
        .books
        .outbox()
        .map(to_value)
        .filter(|mail| wanted(world, call, mail))
        .collect();
    json!({ "outbox": mails })
}
