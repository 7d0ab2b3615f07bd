//! What faults do to answers: in place of the host, or on the way out.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::TimeDelta;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::books::Host;
use crate::clock::wall_now;
use crate::entra::errors::EntraError;
use crate::exchange::errors::{CmdletError, nul_reply};
use crate::faults::{Action, Target};
use crate::graph::errors::GraphError;
use crate::http_parts::{Call, Reply};
use crate::server::{build, plain};
use crate::world::World;
use crate::{entra, graph};

/// The answer that a fault gives in place of the host; none when the host is to do its work.
pub fn forced_reply(
    world: &mut World,
    call: &Call,
    target: &Target,
    action: &Action,
) -> Option<Reply> {
    let id = world.dice.guid().to_string();
    let client = call.client_request_id().unwrap_or(&id).to_owned();
    if let Some(length) = action.nul {
        return Some(nul_reply(Some(length), action.gzip_lie == Some(true)));
    }
    if let Some(name) = &action.entra_error {
        let error = EntraError::from_name(name);
        return Some(if entra::is_page(call) {
            error.page(&mut world.dice, call)
        } else {
            error.reply(&world.base, &mut world.dice, call)
        });
    }
    if let Some(text) = &action.exchange_error {
        let kind = action
            .exception
            .as_deref()
            .unwrap_or("Microsoft.Exchange.Configuration.Tasks.TaskException");
        let mut error = CmdletError::failed(kind, text);
        error.status = Some(action.status.unwrap_or(400));
        return Some(error.reply(&mut world.dice).header("request-id", &id));
    }
    if let Some(code) = &action.graph_error {
        let message = action.text.as_deref().unwrap_or("A fault was asked for.");
        let mut error = GraphError::new(action.status.unwrap_or(400), code, message);
        error.retry_after = action.retry_after;
        return Some(graph::decorate(error.reply(&id, &client), &id, &client));
    }
    if action.claims_challenge == Some(true) && target.host != Host::Entra {
        return Some(challenge().header("request-id", &id));
    }
    if action.status.is_none() && action.text.is_none() {
        return None;
    }
    let status = action.status.unwrap_or(429);
    let reply = match (&action.text, target.host) {
        (Some(text), _) => Reply::text(status, text),
        (None, Host::Graph) => {
            let code = match status {
                429 => "TooManyRequests",
                503 => "ServiceUnavailable",
                504 => "GatewayTimeout",
                401 => "InvalidAuthenticationToken",
                403 => "Authorization_RequestDenied",
                404 => "Request_ResourceNotFound",
                _ => "UnknownError",
            };
            GraphError::new(status, code, "A fault was asked for.").reply(&id, &client)
        }
        (None, Host::Entra) if status == 429 || status >= 500 => {
            let error = EntraError::from_name("AADSTS90055");
            Reply {
                status,
                ..error.reply(&world.base, &mut world.dice, call)
            }
        }
        (None, _) => Reply::empty(status),
    };
    let reply = match action.retry_after {
        Some(seconds) => reply.set_header("Retry-After", &seconds.to_string()),
        None => reply,
    };
    Some(match target.host {
        Host::Graph => graph::decorate(reply, &id, &client),
        Host::Exchange => reply.header("request-id", &id),
        Host::Entra => reply,
    })
}

/// 401 with the claims that the next token must be asked for with (MICROSOFT.md §1.4).
fn challenge() -> Reply {
    let since = wall_now().timestamp().to_string();
    let claims = json!({"access_token": {"nbf": {"essential": true, "value": since}}});
    Reply::json(
        401,
        &json!({"error": {
            "code": "InvalidAuthenticationToken",
            "message": "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
        }}),
    )
    .header(
        "WWW-Authenticate",
        &format!(
            "Bearer realm=\"\", authorization_uri=\"/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{}\"",
            BASE64.encode(claims.to_string())
        ),
    )
}

/// A connection that breaks before anything was sent.
pub fn dropped() -> Response {
    let broken: Vec<Result<Bytes, std::io::Error>> =
        vec![Err(std::io::Error::other("the connection is dropped"))];
    build(
        200,
        Vec::new(),
        Body::from_stream(futures::stream::iter(broken)),
    )
}

/// What a fault does to an answer on its way out.
pub fn mangle(mut reply: Reply, action: &Action) -> Response {
    if action.cut.as_deref() == Some("after") {
        return dropped();
    }
    if let Some(seconds) = action.skew {
        let wrong = wall_now() + TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::zero());
        reply = reply.set_header(
            "Date",
            &wrong.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        );
    }
    if let Some(text) = &action.admin_error
        && let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body)
    {
        // The module reads it as an array (§1.3).
        body.insert("@adminapi.errors".to_owned(), json!([text]));
        reply.body = Value::Object(body).to_string().into_bytes();
    }
    if let Some(kind) = &action.content_type {
        reply = reply.set_header("Content-Type", kind);
    }
    if action.truncate == Some(true) {
        reply.body.truncate(reply.body.len() / 2);
    }
    if action.cut.is_some() {
        let whole = reply.body.len().max(2);
        reply.body.truncate(whole / 2);
        let half = Bytes::from(std::mem::take(&mut reply.body));
        let pieces: Vec<Result<Bytes, std::io::Error>> = vec![
            Ok(half),
            Err(std::io::Error::other("the connection is cut")),
        ];
        // The first half has to be on its way before the connection breaks.
        let stream = futures::stream::iter(pieces).then(|piece| async {
            if piece.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            piece
        });
        let reply = reply.set_header("Content-Length", &whole.to_string());
        return build(reply.status, reply.headers, Body::from_stream(stream));
    }
    if let Some(millis) = action.slow_ms {
        let body = std::mem::take(&mut reply.body);
        let size = (body.len() / 10).max(1);
        let chunks: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
        let pause = Duration::from_millis(millis / u64::try_from(chunks.len()).unwrap_or(1).max(1));
        let stream = futures::stream::iter(chunks).then(move |chunk| async move {
            tokio::time::sleep(pause).await;
            Ok::<Bytes, Infallible>(chunk)
        });
        return build(reply.status, reply.headers, Body::from_stream(stream));
    }
    plain(reply)
}
