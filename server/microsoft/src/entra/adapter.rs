//! Sends the `oauth2` crate's requests over Postern's own transport, which has the limits.

use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError};
use reqwest::Url;

use super::refusal::Refusal;
use crate::{
    call::Trace,
    error::{Error, Kind, Service},
    http::transport::Request,
    microsoft::Microsoft,
};

pub(super) const CODE: &str = "authorization_code";
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";

/// The subject of errors that are about Postern's own registration.
pub(crate) const OWN: &str = "Postern";

/// An HTTP client for one token request.
pub(super) struct Adapter<'a> {
    microsoft: &'a Microsoft,
    grant: &'static str,
    safe: bool,
    last: Mutex<Trace>,
}

impl<'a> Adapter<'a> {
    /// `safe`: the request may be sent twice.
    pub(super) fn new(microsoft: &'a Microsoft, grant: &'static str, safe: bool) -> Self {
        Self {
            microsoft,
            grant,
            safe,
            last: Mutex::default(),
        }
    }

    /// The trace of the last answered request. It never holds a token.
    pub(super) fn trace(&self) -> Trace {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let (parts, body) = request.into_parts();
        let unusable = || {
            Error::unsent(
                Service::Entra,
                Kind::NotSent,
                "the request has no usable address",
            )
        };
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| unusable())?;
        let gate = match self.grant {
            CODE => &self.microsoft.0.codes,
            _ => &self.microsoft.0.gate,
        };
        let reply = self
            .microsoft
            .0
            .transport
            .send(
                Request {
                    service: Service::Entra,
                    sent: format!("POST {} ({})", url.path(), self.grant),
                    method: Method::POST,
                    url,
                    headers: headers_of(&parts.headers),
                    body: Some(body),
                    safe: self.safe,
                },
                gate,
            )
            .await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Trace {
            answer: reply.status.to_string(),
            ..reply.trace
        };
        let mut response = HttpResponse::new(reply.body);
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        Ok(response)
    }
}

fn headers_of(headers: &HeaderMap) -> HeaderMap {
    let pairs = headers.iter().map(|(name, value)| {
        let pair: (HeaderName, HeaderValue) = (name.clone(), value.clone());
        pair
    });
    pairs.collect()
}

impl<'c> AsyncHttpClient<'c> for Adapter<'_> {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse, Error>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.carry(request).boxed()
    }
}

/// Maps a failed token request to an error.
pub(super) fn failed(adapter: &Adapter<'_>, error: RequestTokenError<Error, Refusal>) -> Error {
    let malformed = |what: String| {
        Error::new(Service::Entra, Kind::Malformed, adapter.trace()).with_message(what)
    };
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let error = refusal.into_error(adapter.trace());
            match (adapter.grant, error.kind()) {
                // The error is about the application whose secret was given.
                (CLIENT_CREDENTIALS, _) => error,
                // A customer's admin removed Postern from the tenant, and the consent with it.
                (REFRESH_TOKEN, Kind::AppNotFound) => error.with_kind(Kind::ConsentMissing),
                _ => error.with_subject(OWN),
            }
        }
        RequestTokenError::Request(error) => error,
        // The body is not shown, because it may hold a token.
        RequestTokenError::Parse(error, _) => {
            malformed(format!("{} at {}", kind_of(error.inner()), error.path()))
        }
        RequestTokenError::Other(what) => malformed(what),
    }
}

/// The kind of a JSON error, without any text of the body.
fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "no JSON",
        serde_json::error::Category::Data => "another shape than expected",
        serde_json::error::Category::Eof => "cut off",
    }
}
