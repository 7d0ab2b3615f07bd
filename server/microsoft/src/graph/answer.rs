//! Builds addresses at Graph, and interprets its responses.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    call::{Call, Trace, shorten, shorten_to},
    customer::Customer,
    error::{Error, Kind, Result, Service},
    http::transport::{Reply, Request},
};

/// A path below `/v1.0/` with its query. Values are encoded. The trace stays readable.
pub(super) struct Address {
    pub(super) url: Url,
    pub(super) shown: String,
}

/// `segments` are encoded, so that typed text never becomes a path.
pub(super) fn address(root: &Url, segments: &[&str], query: &[(&str, &str)]) -> Address {
    let mut url = root.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().push("v1.0").extend(segments);
    }
    let mut shown = format!("/v1.0/{}", segments.join("/"));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
        // Not every service reads a plus sign as a space. A literal plus sign is already encoded.
        let encoded = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&encoded));
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        shown.push('?');
        shown.push_str(&pairs.join("&"));
    }
    Address { url, shown }
}

/// A string literal in an OData filter: in single quotes, with inner quotes doubled.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(super) fn get(address: &Address) -> Request {
    Request {
        service: Service::Graph,
        method: Method::GET,
        url: address.url.clone(),
        headers: accept_json(),
        body: None,
        safe: true,
        sent: format!("GET {}", address.shown),
    }
}

pub(super) fn post(address: &Address, body: &serde_json::Value, safe: bool) -> Request {
    let mut headers = accept_json();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Request {
        service: Service::Graph,
        method: Method::POST,
        url: address.url.clone(),
        headers,
        body: Some(body.to_string().into_bytes()),
        safe,
        sent: format!("POST {}", address.shown),
    }
}

fn accept_json() -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))])
}

#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(rename = "innerError", alias = "innererror")]
    inner: Option<Ids>,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(rename = "request-id")]
    request: Option<String>,
}

/// The error for a status other than success.
pub(super) fn refusal(status: StatusCode, body: &[u8], mut trace: Trace) -> Error {
    let kind = match status {
        StatusCode::UNAUTHORIZED => Kind::Unauthorized,
        StatusCode::FORBIDDEN => Kind::Forbidden,
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Kind::Throttled { until: None },
        _ => Kind::Other,
    };
    let Ok(Body { error }) = serde_json::from_slice::<Body>(body) else {
        trace.answer = format!(
            "{status} {}",
            shorten_to(&String::from_utf8_lossy(body), 300)
        );
        return Error::new(Service::Graph, kind, trace).with_code(status.as_u16().to_string());
    };
    if trace.request_id.is_none() {
        trace.request_id = error.inner.and_then(|ids| ids.request);
    }
    let message = shorten_to(&error.message, 400);
    trace.answer = format!("{status} {}: {message}", error.code);
    Error::new(Service::Graph, kind, trace)
        .with_code(shorten_to(&error.code, 100))
        .with_message(message)
}

/// The value in a successful response, with the response in the trace.
pub(super) fn understood<T: DeserializeOwned>(reply: Reply) -> Result<Call<T>> {
    if !reply.status.is_success() {
        return Err(refusal(reply.status, &reply.body, reply.trace));
    }
    let mut trace = reply.trace;
    trace.answer = shorten(&String::from_utf8_lossy(&reply.body));
    match serde_json::from_slice(&reply.body) {
        Ok(value) => Ok(Call { value, trace }),
        Err(error) => Err(Error::new(Service::Graph, Kind::Malformed, trace)
            .with_message(shorten_to(&error.to_string(), 200))),
    }
}

impl Customer {
    /// One object of Graph.
    pub(super) async fn graph_object<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Call<T>> {
        let address = address(self.microsoft.endpoints().graph(), segments, query);
        understood(self.send(Service::Graph, |_| get(&address)).await?)
    }

    /// One object of Graph. None when it does not exist.
    pub(super) async fn graph_object_if_any<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Call<Option<T>>> {
        match self.graph_object(segments, query).await {
            Ok(call) => Ok(call.map(Some)),
            Err(error) if *error.kind() == Kind::NotFound => Ok(Call {
                value: None,
                trace: error.trace().clone(),
            }),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_typed_stays_one_segment() {
        let root = Url::parse("https://graph.microsoft.com").unwrap();
        let made = address(&root, &["users", "a/../b?x#y@z.example", "sendMail"], &[]);
        assert_eq!(
            made.url.path(),
            "/v1.0/users/a%2F..%2Fb%3Fx%23y@z.example/sendMail"
        );
        assert_eq!(made.url.query(), None);
    }

    #[test]
    fn filters_are_quoted_and_encoded() {
        let root = Url::parse("https://graph.microsoft.com").unwrap();
        let filter = format!("mail eq {}", quoted("o'neil+x@a.example"));
        let made = address(&root, &["groups"], &[("$filter", &filter)]);
        assert_eq!(
            made.url.query(),
            Some("%24filter=mail%20eq%20%27o%27%27neil%2Bx%40a.example%27")
        );
        assert_eq!(
            made.shown,
            "/v1.0/groups?$filter=mail eq 'o''neil+x@a.example'"
        );
    }
}
