//! Sends one request: with a deadline, a size limit for the response, and retries where they are
//! safe.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable as _};
use domain::Timestamp;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Url;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::gate::Gate;
use crate::{
    call::{Trace, shorten_to},
    endpoints::Endpoints,
    error::{Error, Kind, Result, Service},
    microsoft::{HttpOptions, NotUsable},
};

/// This part of the whole time is reserved for the last try: a tenth.
const LEAST_SHARE: u32 = 10;

pub(crate) struct Transport {
    client: reqwest::Client,
    options: HttpOptions,
}

/// One request to any of the services.
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Sensitive headers are marked as such.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    /// The request may be sent twice without harm.
    pub(crate) safe: bool,
    /// The description of the request in the trace.
    pub(crate) sent: String,
}

/// A response that is neither throttling nor a gateway's.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The caller that parses the body fills in the trace's `answer`.
    pub(crate) trace: Trace,
}

/// A try that gave no reply.
struct Failure {
    error: Error,
    again: bool,
    /// The pause that Microsoft asked for.
    pause: Option<Duration>,
}

/// No response of these services is larger. A thousand mailboxes with all properties take 20 MB.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Exchange sends this as plain text with various statuses (MICROSOFT.md §1.4).
const THROTTLED_TEXT: &str = "maximum number of concurrent requests";

impl Transport {
    pub(crate) fn new(
        endpoints: &Endpoints,
        options: HttpOptions,
    ) -> std::result::Result<Self, NotUsable> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")));
        if endpoints.all_loopback() {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
            options,
        })
    }

    pub(crate) fn options(&self) -> &HttpOptions {
        &self.options
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Converts a past instant to a timestamp.
    fn at(&self, then: Instant) -> Timestamp {
        let ago = i64::try_from(then.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.now().plus_millis(ago.saturating_neg())
    }

    fn after(&self, pause: Duration) -> Timestamp {
        self.now()
            .plus_millis(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
    }

    fn deadline_of(&self, service: Service) -> Duration {
        match service {
            Service::Exchange => self.options.exchange_deadline,
            Service::Entra | Service::Graph => self.options.deadline,
        }
    }

    /// Sends a request. Retries while that is safe and the deadline allows it.
    ///
    /// # Errors
    /// `Throttled`, `Unreachable`, `TooLarge`, `ForeignLink` for a redirect. Every other status is
    /// a reply.
    pub(crate) async fn send(&self, request: Request, gate: &Gate) -> Result<Reply> {
        let at = self.now();
        let began = Instant::now();
        let whole = self.deadline_of(request.service);
        let deadline = began.checked_add(whole).unwrap_or(began);
        // A try without enough time for its response would be useless, and would not hear of a
        // pause either.
        let last_start = deadline
            .checked_sub(whole / LEAST_SHARE)
            .unwrap_or(deadline);
        let tries = AtomicU32::new(0);
        let took = || i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.options.first_pause)
            .with_factor(3.0)
            .with_max_times(self.options.tries.saturating_sub(1))
            .with_jitter();
        let outcome = (|| async {
            let number = tries.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            let trace = Trace {
                sent: request.sent.clone(),
                at,
                attempts: number,
                client_request_id: Some(Uuid::new_v4().to_string()),
                ..Trace::default()
            };
            let mut outcome = self
                .attempt(&request, gate, trace, [began, last_start, deadline])
                .await;
            match &mut outcome {
                Ok(reply) => reply.trace.took_millis = took(),
                Err(failure) => failure.error.took(took()),
            }
            outcome
        })
        .retry(pauses)
        .when(|failure: &Failure| failure.again)
        .adjust(|failure, pause| {
            let pause = pause?.max(failure.pause.unwrap_or_default());
            let next = Instant::now().checked_add(pause)?;
            (next < last_start).then_some(pause)
        })
        .notify(|failure, pause| {
            tracing::debug!(error = %failure.error, pause_millis = pause.as_millis(), "again");
        })
        .await;
        outcome.map_err(|failure| failure.error)
    }

    async fn attempt(
        &self,
        request: &Request,
        gate: &Gate,
        mut trace: Trace,
        [began, last_start, deadline]: [Instant; 3],
    ) -> std::result::Result<Reply, Failure> {
        let service = request.service;
        let place = match gate.pass(last_start).await {
            Ok(place) => place,
            Err(full) => {
                // The request was not sent in this try.
                trace.attempts = trace.attempts.saturating_sub(1);
                let until = full.closed_for.map(|pause| self.after(pause));
                return Err(Failure {
                    error: Error::new(service, Kind::Throttled { until }, trace)
                        .with_message("there was no free place in time"),
                    again: false,
                    pause: None,
                });
            }
        };
        // Two times in the log show whether pauses are respected: this one, and the time when a
        // pause was requested.
        if let Some(id) = &trace.client_request_id {
            tracing::debug!(client_request_id = %id, looked = self.at(place.looked).0, "a request goes out");
        }
        // A safe call leaves time for another try in case this one hangs.
        let half = deadline.duration_since(began) / 2;
        let end = match Instant::now().checked_add(half) {
            Some(end) if request.safe => end.min(deadline),
            _ => deadline,
        };
        let mut sending = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(id) = &trace.client_request_id {
            sending = sending.header("client-request-id", id.as_str());
        }
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let lost = |error: Option<&reqwest::Error>, trace: Trace| {
            let never_left = error.is_some_and(reqwest::Error::is_connect);
            let why = match error {
                None => "no answer in time".to_owned(),
                Some(error) => cause(error),
            };
            Failure {
                error: Error::new(
                    service,
                    Kind::Unreachable {
                        maybe_done: !request.safe && !never_left,
                    },
                    trace,
                )
                .with_message(why),
                again: request.safe || never_left,
                pause: None,
            }
        };
        let response = match timeout_at(end, sending.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(lost(Some(&error), trace)),
            Err(_) => return Err(lost(None, trace)),
        };
        let status = response.status();
        let headers = response.headers().clone();
        trace.status = Some(status.as_u16());
        trace.request_id = ["request-id", "x-ms-request-id"]
            .into_iter()
            .find_map(|name| text_of(headers.get(name)));
        let body = match timeout_at(end, read(response)).await {
            Ok(Ok(body)) => body,
            Ok(Err(Unread::TooLarge)) => {
                return Err(Failure {
                    error: Error::new(service, Kind::TooLarge, trace)
                        .with_message("the answer is larger than 64 MB"),
                    again: false,
                    pause: None,
                });
            }
            Ok(Err(Unread::Lost(error))) => return Err(lost(Some(&error), trace)),
            Err(_) => return Err(lost(None, trace)),
        };
        let reply = Reply {
            status,
            headers,
            body,
            trace,
        };
        self.judge(request, gate, reply)
    }

    /// Distinguishes a response of the service from throttling and from gateways.
    fn judge(
        &self,
        request: &Request,
        gate: &Gate,
        mut reply: Reply,
    ) -> std::result::Result<Reply, Failure> {
        let service = request.service;
        let status = reply.status;
        let heard = self.now();
        let asked = retry_after(&reply.headers, heard);
        let throttled = status == StatusCode::TOO_MANY_REQUESTS
            // Only for safe requests: a 503 may come from a gateway after the service did its work,
            // with a pause or without.
            || (status == StatusCode::SERVICE_UNAVAILABLE && request.safe)
            || says_throttled(&reply);
        let gateway = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ) || (service != Service::Exchange
            && status == StatusCode::INTERNAL_SERVER_ERROR
            && request.safe);
        if throttled || gateway || status.is_redirection() {
            let shown = shorten_to(&String::from_utf8_lossy(&reply.body), 300);
            reply.trace.answer = format!("{status} {shown}").trim().to_owned();
        }
        let until = asked.map(|pause| self.after(pause));
        if (throttled || gateway)
            && let Some(until) = asked.and_then(|pause| Instant::now().checked_add(pause))
        {
            gate.close_until(until);
        }
        if asked.is_some()
            && let Some(id) = &reply.trace.client_request_id
        {
            tracing::debug!(client_request_id = %id, heard = heard.0, closed = self.now().0, "told to pause");
        }
        if throttled {
            return Err(Failure {
                error: Error::new(service, Kind::Throttled { until }, reply.trace)
                    .with_code(status.as_u16().to_string()),
                again: true,
                pause: asked,
            });
        }
        if gateway {
            return Err(Failure {
                error: Error::new(
                    service,
                    Kind::Unreachable {
                        maybe_done: !request.safe,
                    },
                    reply.trace,
                )
                .with_code(status.as_u16().to_string())
                .with_pause(until),
                again: request.safe,
                pause: asked,
            });
        }
        if status.is_redirection() {
            return Err(Failure {
                error: Error::new(service, Kind::ForeignLink, reply.trace)
                    .with_message("a redirect is not followed"),
                again: false,
                pause: None,
            });
        }
        Ok(reply)
    }
}

enum Unread {
    TooLarge,
    Lost(reqwest::Error),
}

async fn read(mut response: reqwest::Response) -> std::result::Result<Vec<u8>, Unread> {
    let announced = response.content_length().unwrap_or(0);
    if announced > LARGEST_ANSWER as u64 {
        return Err(Unread::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Lost)? {
        if body.len().saturating_add(chunk.len()) > LARGEST_ANSWER {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn says_throttled(reply: &Reply) -> bool {
    let head = reply.body.get(..2_000).unwrap_or(&reply.body);
    let head = String::from_utf8_lossy(head);
    // The match is for plain text only, not for a cmdlet's response that happens to quote it.
    !head.trim_start().starts_with(['{', '[']) && head.contains(THROTTLED_TEXT)
}

/// The longest wait for the `Retry-After` of one response. A wrong value must not block a customer
/// until the process is restarted.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    pause_of(headers.get(http::header::RETRY_AFTER)?.to_str().ok()?, now)
}

/// The pause that an item of a batch asks for. Its headers are JSON.
pub(crate) fn pause_in(headers: &BTreeMap<String, Value>, now: Timestamp) -> Option<Duration> {
    let (_, value) = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    match value {
        Value::String(text) => pause_of(text, now),
        other => pause_of(&other.to_string(), now),
    }
}

/// Parses `Retry-After`, in seconds or as a date. The result is an hour at most. None when it
/// cannot be parsed.
pub(crate) fn pause_of(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let pause = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_nan() => return None,
        Ok(seconds) => Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST_PAUSE),
        Err(_) => {
            let date: Timestamp = chrono::DateTime::parse_from_rfc2822(text)
                .ok()?
                .to_utc()
                .into();
            Duration::from_millis(u64::try_from(date.millis_since(now)).unwrap_or(0))
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

pub(crate) fn text_of(value: Option<&HeaderValue>) -> Option<String> {
    Some(shorten_to(value?.to_str().ok()?, 200)).filter(|text| !text.is_empty())
}

/// The innermost cause, without the address, which can hold a code or a name.
fn cause(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(
        || "the connection failed".to_owned(),
        |cause| shorten_to(&cause.to_string(), 200),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_bounded_whatever_is_asked_for() {
        let now = Timestamp(1_795_464_245_000);
        let seconds = |text| pause_of(text, now).map(|pause| pause.as_secs_f64());
        for (text, pause) in [
            ("7", Some(7.0)),
            (" 1.5 ", Some(1.5)),
            ("0", Some(0.0)),
            ("-30", Some(0.0)),
            ("3600", Some(3_600.0)),
            ("86400", Some(3_600.0)),
            ("99999999999999999999999999", Some(3_600.0)),
            ("1e308", Some(3_600.0)),
            ("inf", Some(3_600.0)),
            ("NaN", None),
            ("soon", None),
            ("", None),
            ("Mon, 23 Nov 2026 20:04:35 GMT", Some(30.0)),
            ("Mon, 23 Nov 2026 20:00:00 GMT", Some(0.0)),
            ("Tue, 23 Nov 2027 20:04:35 GMT", Some(3_600.0)),
        ] {
            assert_eq!(seconds(text), pause, "{text}");
        }
    }
}
