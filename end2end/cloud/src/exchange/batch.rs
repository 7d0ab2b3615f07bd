//! `$batch` of the admin API: invocations with their own headers (MICROSOFT.md §1.2).

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::errors::unauthorized;
use crate::books::LogEntry;
use crate::entra::token;
use crate::http_parts::{Call, Reply};
use crate::permissions::Resource;
use crate::world::World;

/// UNVERIFIED: the service's most. Ten is what is known to work.
const MOST: usize = 10;

pub fn run(world: &mut World, call: &Call) -> Reply {
    // The outer request needs a token too, whatever those inside bring.
    if token::verify_access(world, call, Resource::Exchange).is_err() {
        return unauthorized();
    }
    let refuse = |why: &str| {
        Reply::json(
            400,
            &json!({"error": {"code": "BadRequest", "message": why}}),
        )
    };
    let Ok(body) = call.json() else {
        return refuse("The batch is not valid JSON.");
    };
    let Some(requests) = body.get("requests").and_then(Value::as_array) else {
        return refuse("The batch has no requests.");
    };
    if requests.len() > MOST {
        return refuse("The batch has too many requests.");
    }
    let mut responses = Vec::new();
    for request in requests {
        let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or("");
        // Only the path counts; the host of the address is this one, whatever it says.
        let path = text("url")
            .find("/adminapi/")
            .and_then(|at| text("url").get(at..))
            .unwrap_or("");
        let inner = inner_call(call, request, path);
        let reply = match inner {
            Some(inner) if inner.segment(3) != "$batch" => answer(world, &inner),
            _ => refuse("The request of the batch is not valid."),
        };
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        // UNVERIFIED: as the batches of Graph do.
        let headers = match reply.retry_after() {
            Some(seconds) => json!({"Retry-After": seconds.to_string()}),
            None => json!({}),
        };
        responses.push(json!({
            "id": text("id"), "status": reply.status, "headers": headers, "body": body,
        }));
    }
    Reply::json(200, &json!({ "responses": responses }))
}

fn inner_call(outer: &Call, request: &Value, path: &str) -> Option<Call> {
    let method = Method::from_bytes(request.get("method")?.as_str()?.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    for name in ["authorization", "x-anchormailbox", "client-request-id"] {
        if let Some(value) = outer.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in request
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // CIPP sends true, not "true".
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => return None,
        };
        headers.insert(name, HeaderValue::from_str(&value).ok()?);
    }
    let body = request
        .get("body")
        .map(Value::to_string)
        .unwrap_or_default();
    Some(Call::new(method, path, headers, Bytes::from(body)))
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let target = super::target(world, call);
    let World {
        faults,
        tenants,
        dice,
        ..
    } = world;
    let fired = faults.pick_for(&target, tenants, dice, true);
    let reply = fired
        .as_ref()
        .and_then(|fired| crate::spoil::forced_reply(world, call, &target, &fired.action))
        .unwrap_or_else(|| super::handle(world, call));
    let time = world.dice.now();
    world.books.note(LogEntry {
        number: 0,
        time,
        host: target.host,
        tenant: target.tenant,
        operation: target.operation,
        user: target.user,
        mailbox: None,
        status: reply.status,
        retry_after: reply.retry_after(),
        client_request_id: call.client_request_id().map(str::to_owned),
        request_id: reply.request_id(),
        fault: fired.map(|fired| fired.id),
        batched: true,
    });
    reply
}
