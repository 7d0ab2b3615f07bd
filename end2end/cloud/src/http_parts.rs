//! Requests and replies as plain values.
//!
//! Every host of the cloud answers with a function from a [`Call`] to a [`Reply`], under the one
//! lock. That makes `$batch` a recursion, and lets faults change a reply after the work is done.

use std::io::Write;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// One request, read to its end.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The decoded path segments, without empty ones.
    pub segments: Vec<String>,
    /// The decoded query pairs, in order.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// Builds a call; `target` is a path with an optional query.
    pub fn new(method: Method, target: &str, headers: HeaderMap, body: Bytes) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            segments: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|part| percent_decode(part, false))
                .collect(),
            query: parse_pairs(query),
            headers,
            body,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first query value of that exact name.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    pub fn segment(&self, index: usize) -> &str {
        self.segments.get(index).map_or("", String::as_str)
    }

    /// The body as form pairs; empty when it is not UTF-8.
    pub fn form(&self) -> Vec<(String, String)> {
        std::str::from_utf8(&self.body)
            .map(parse_pairs)
            .unwrap_or_else(|_| Vec::new())
    }

    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The client's own id of this request, if it sent one.
    pub fn client_request_id(&self) -> Option<&str> {
        self.header("client-request-id")
    }

    /// Whether the client says that it unpacks gzip.
    pub fn takes_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|list| {
            list.split(',').any(|entry| {
                let mut parts = entry.split(';').map(str::trim);
                let gzip = parts
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
                gzip && !parts.any(|weight| weight == "q=0")
            })
        })
    }

    /// The bearer token, if there is one.
    pub fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim())
            .filter(|token| !token.is_empty())
    }
}

/// The first value of that name among decoded pairs.
pub fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// Splits and decodes `a=b&c=d`.
pub fn parse_pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name, true), percent_decode(value, true))
        })
        .collect()
}

/// Decodes `%41`; with `plus`, a plus sign is a space as in forms. Broken escapes stay as they are.
pub fn percent_decode(text: &str, plus: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' if plus => out.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let mut ahead = bytes.clone();
                let code = digit(ahead.next())
                    .zip(digit(ahead.next()))
                    .and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                match code {
                    Some(code) => {
                        out.push(code);
                        bytes.next();
                        bytes.next();
                    }
                    None => out.push(b'%'),
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes everything but unreserved characters.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Appends query pairs to an address that may have a query already.
pub fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = address.to_owned();
    for (name, value) in pairs {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(name);
        out.push('=');
        out.push_str(&percent_encode(value));
    }
    out
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self::typed(
            status,
            "application/json; charset=utf-8",
            value.to_string().into_bytes(),
        )
    }

    pub fn html(status: u16, page: String) -> Self {
        Self::typed(status, "text/html; charset=utf-8", page.into_bytes())
            .header("Cache-Control", "no-store")
    }

    pub fn text(status: u16, text: &str) -> Self {
        Self::typed(
            status,
            "text/plain; charset=utf-8",
            text.as_bytes().to_vec(),
        )
    }

    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn redirect(address: &str) -> Self {
        Self::empty(302)
            .header("Location", address)
            .header("Cache-Control", "no-store")
    }

    pub fn typed(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer in gzip, where that is shorter.
    #[must_use]
    pub fn packed(mut self) -> Self {
        let encoded = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
        if encoded {
            return self;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        match encoder
            .write_all(&self.body)
            .and_then(|()| encoder.finish())
        {
            Ok(packed) if packed.len() < self.body.len() => {
                self.body = packed;
                self.header("Content-Encoding", "gzip")
                    .header("Vary", "Accept-Encoding")
            }
            _ => self,
        }
    }

    /// Seconds of `Retry-After`, if it asks for a pause.
    pub fn retry_after(&self) -> Option<u64> {
        self.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
            .and_then(|(_, value)| value.parse().ok())
    }

    /// `request-id`, by which clients name an answer.
    pub fn request_id(&self) -> Option<String> {
        self.headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("request-id"))
            .map(|(_, value)| value.clone())
    }

    /// Replaces a header, whatever case it was set with.
    #[must_use]
    pub fn set_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.header(name, value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn decodes_and_encodes() {
        assert_eq!(percent_decode("a%20b+c%zz%4", true), "a b c%zz%4");
        assert_eq!(percent_decode("a+b", false), "a+b");
        assert_eq!(percent_encode("a b/ø~"), "a%20b%2F%C3%B8~");
        assert_eq!(
            with_query("http://x/?a=1", &[("b", "2 3")]),
            "http://x/?a=1&b=2%203"
        );
    }

    #[test]
    fn call_splits_path_and_query() {
        let call = Call::new(
            Method::GET,
            "/v1.0/users('a%40b')/x?$top=5&%24select=id",
            HeaderMap::new(),
            Bytes::new(),
        );
        assert_eq!(call.segments, ["v1.0", "users('a@b')", "x"]);
        assert_eq!(call.query("$select"), Some("id"));
        assert_eq!(call.query("$top"), Some("5"));
    }
}
