//! What Graph's gateway does to every request and every answer, whoever serves it.

use serde_json::Value;

use super::errors::GraphError;
use super::routes::Route;
use crate::http_parts::{Call, Reply};

/// Writes must say that they are JSON; `sendMail` takes MIME as plain text too.
pub fn check_content_type(call: &Call, route: &Route) -> Result<(), GraphError> {
    if !["POST", "PUT", "PATCH"].contains(&call.method.as_str()) {
        return Ok(());
    }
    let refuse = |text: &str| Err(GraphError::new(400, "BadRequest", text));
    let Some(kind) = call.header("content-type") else {
        return refuse(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
        );
    };
    let kind = kind.split(';').next().unwrap_or(kind).trim();
    let json = kind.eq_ignore_ascii_case("application/json");
    let mime = route.outlook && kind.eq_ignore_ascii_case("text/plain");
    if json || mime {
        Ok(())
    } else {
        refuse("Entity only allows writes with a JSON Content-Type header.")
    }
}

/// The headers of the answer, and the annotations that the client wants.
pub fn dress(reply: Reply, call: &Call, base: &str) -> Reply {
    let reply = reply.header("Cache-Control", "no-cache");
    if reply.status == 401 {
        return reply.set_header(
            "WWW-Authenticate",
            &format!(
                "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\""
            ),
        );
    }
    let is_json = reply
        .headers
        .iter()
        .any(|(name, value)| name == "Content-Type" && value.starts_with("application/json"));
    if !is_json || reply.status >= 400 {
        return reply;
    }
    let bare = call
        .header("accept")
        .is_some_and(|accept| accept.replace(' ', "").contains("odata.metadata=none"));
    let level = if bare { "none" } else { "minimal" };
    let mut reply = reply.set_header(
        "Content-Type",
        &format!(
            "application/json; odata.metadata={level}; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"
        ),
    );
    if bare && let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) {
        strip(&mut body);
        reply.body = body.to_string().into_bytes();
    }
    reply
}

/// Leaves the annotations that carry data: the next page and the count.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| {
                !key.contains("@odata.")
                    || ["@odata.nextLink", "@odata.count"].contains(&key.as_str())
            });
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
