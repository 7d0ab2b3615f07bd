//! `$batch`: up to twenty requests in one (MICROSOFT.md §7.3).

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::Context;
use super::errors::GraphError;
use crate::books::LogEntry;
use crate::http_parts::{Call, Reply};
use crate::world::World;

const MOST: usize = 20;

pub fn run(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let body = context
        .call
        .json()
        .map_err(|_| GraphError::new(400, "BadRequest", "Invalid batch payload format."))?;
    let requests = body
        .get("requests")
        .and_then(Value::as_array)
        .ok_or_else(|| GraphError::new(400, "BadRequest", "Invalid batch payload format."))?;
    if requests.len() > MOST {
        return Err(GraphError::new(
            400,
            "MaximumValueExceeded",
            format!("Number of batch request steps exceeds the maximum value of {MOST}."),
        ));
    }
    let mut ids = Vec::new();
    for request in requests {
        let id = id_of(request)?;
        check_write(request, &id)?;
        if ids.contains(&id) {
            return Err(GraphError::new(
                400,
                "BadRequest",
                format!("Request Id '{id}' has to be unique in a batch."),
            ));
        }
        ids.push(id);
    }
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::new();
    for request in requests {
        let id = id_of(request)?;
        let blocked = request
            .get("dependsOn")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(|other| statuses.get(other).is_none_or(|status| *status >= 400));
        let reply = if blocked {
            GraphError::new(
                424,
                "FailedDependency",
                "The request could not be performed because another request it depends on failed.",
            )
            .reply("", "")
        } else {
            step(context, request)?
        };
        statuses.insert(id.clone(), reply.status);
        responses.push(shown(&id, &reply));
    }
    // The order is not guaranteed: turned round, so that nobody relies on it.
    responses.reverse();
    Ok(Reply::json(200, &json!({ "responses": responses })))
}

fn id_of(request: &Value) -> Result<String, GraphError> {
    request
        .get("id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| GraphError::new(400, "BadRequest", "A batch request lacks its id."))
}

/// A write without `Content-Type`, or without a body, refuses the whole batch: nothing of it runs.
fn check_write(request: &Value, id: &str) -> Result<(), GraphError> {
    let method = request.get("method").and_then(Value::as_str).unwrap_or("");
    let writes = ["POST", "PUT", "PATCH"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(method));
    let typed = request
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .any(|name| name.eq_ignore_ascii_case("content-type"));
    let filled = request.get("body").is_some_and(|body| !body.is_null());
    if writes && !(typed && filled) {
        return Err(GraphError::new(
            400,
            "BadRequest",
            format!("Write request id : {id} does not contain Content-Type header or body."),
        ));
    }
    Ok(())
}

fn step(context: &mut Context<'_>, request: &Value) -> Result<Reply, GraphError> {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or("");
    let method = Method::from_bytes(text("method").to_ascii_uppercase().as_bytes())
        .map_err(|_| GraphError::new(400, "BadRequest", "A batch request has no valid method."))?;
    let url = text("url").trim_start_matches('/');
    if url.is_empty() || url.starts_with("$batch") {
        return Err(GraphError::new(
            400,
            "BadRequest",
            "A batch request has no valid url.",
        ));
    }
    // The token is the outer one's, unless a request brings its own.
    let mut headers = axum::http::HeaderMap::new();
    for name in ["authorization", "client-request-id"] {
        if let Some(value) = context.call.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    if let Some(own) = request.get("headers").and_then(Value::as_object) {
        for (name, value) in own {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value.as_str().unwrap_or(""));
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
    }
    let body = match request.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(value) => Bytes::from(value.to_string()),
    };
    let target = format!("/{}/{url}", context.version);
    let call = Call::new(method, &target, headers, body);
    Ok(answer(context.world, &call))
}

/// One request of a batch: with its own faults (those that answer at once) and its own log entry.
fn answer(world: &mut World, call: &Call) -> Reply {
    let target = super::target(world, call);
    let World {
        faults,
        tenants,
        dice,
        ..
    } = world;
    let fired = faults.pick_for(&target, tenants, dice, true);
    let forced = fired
        .as_ref()
        .and_then(|fired| crate::spoil::forced_reply(world, call, &target, &fired.action));
    let reply = forced.unwrap_or_else(|| super::handle(world, call));
    let time = world.dice.now();
    world.books.note(LogEntry {
        number: 0,
        time,
        host: target.host,
        tenant: target.tenant,
        operation: target.operation,
        user: target.user,
        mailbox: super::mailbox_of(call),
        status: reply.status,
        retry_after: reply.retry_after(),
        client_request_id: call.client_request_id().map(str::to_owned),
        request_id: reply.request_id(),
        fault: fired.map(|fired| fired.id),
        batched: true,
    });
    reply
}

fn shown(id: &str, reply: &Reply) -> Value {
    let headers: Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    let mut out = json!({"id": id, "status": reply.status, "headers": headers});
    if let Some(map) = out.as_object_mut()
        && !reply.body.is_empty()
    {
        let body = serde_json::from_slice(&reply.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&reply.body).into_owned()));
        map.insert("body".to_owned(), body);
    }
    out
}
