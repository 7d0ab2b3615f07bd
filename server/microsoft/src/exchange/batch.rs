//! Many small reads in one batch request (MICROSOFT.md §1.2).

use std::{collections::BTreeMap, time::Duration};

use domain::cmdlet::Cmdlet;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    fault::refusal,
    invoke::{How, body, name_objects, page},
    row::{Row, shown},
};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Fault, Kind, Result, Service},
    http::transport::{Reply, Request, pause_in},
    tokens::AccessToken,
};

/// A batch size that is known to work. The service's maximum is not documented.
const MOST: usize = 10;

#[derive(Deserialize)]
struct Envelope {
    responses: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
}

/// How long all calls are delayed when an item was throttled without a `Retry-After`.
const HELD_BACK: Duration = Duration::from_secs(2);

/// The rows of each cmdlet, in the order of the cmdlets. None for an object that does not exist.
pub(super) type Each = Vec<Option<Vec<Row>>>;

/// The result of one cmdlet of a batch. None for an object that does not exist.
pub(crate) type Outcome = Result<Option<Vec<Row>>>;

impl Customer {
    /// Runs cmdlets that change nothing and name one object each, so that one page has all rows.
    /// Runs many at once, within the customer's limits.
    ///
    /// A cmdlet that a batch leaves unanswered or throttled is called alone, with the retries of a
    /// single call, because batches are not documented.
    pub(super) async fn rows_of_each(
        &self,
        cmdlets: &[Cmdlet],
        select: &'static [&'static str],
    ) -> Result<Call<Each>> {
        let call = self.outcome_of_each(cmdlets, select).await?;
        let all: Result<Each> = call.value.into_iter().collect();
        let all = all?;
        let rows: Vec<Row> = all.iter().flatten().flatten().cloned().collect();
        Ok(Call {
            value: all,
            trace: Trace {
                answer: shown(&rows),
                ..call.trace
            },
        })
    }

    /// Like [`Self::rows_of_each`], but one cmdlet may fail and the others not.
    ///
    /// # Errors
    /// When none of the cmdlets of a batch could be called.
    pub(crate) async fn outcome_of_each(
        &self,
        cmdlets: &[Cmdlet],
        select: &'static [&'static str],
    ) -> Result<Call<Vec<Outcome>>> {
        for cmdlet in cmdlets {
            name_objects(cmdlet)?;
        }
        let how = How::read(select);
        let at_once = self.microsoft.0.transport.options().cmdlets.max(1);
        let batches: Vec<_> = cmdlets
            .chunks(MOST)
            .map(|some| self.some_of_each(some, how))
            .collect();
        let calls: Vec<Call<Vec<Outcome>>> = futures::stream::iter(batches)
            .buffered(at_once)
            .try_collect()
            .await?;
        let mut all = Vec::with_capacity(cmdlets.len());
        let mut traces = Vec::with_capacity(calls.len());
        for call in calls {
            all.extend(call.value);
            traces.push(call.trace);
        }
        Ok(Call {
            value: all,
            trace: Trace::join(traces, String::new()),
        })
    }

    async fn some_of_each(&self, cmdlets: &[Cmdlet], how: How) -> Result<Call<Vec<Outcome>>> {
        let (mut answers, trace) = match cmdlets {
            // A batch of one cmdlet is only a detour.
            [_] => (vec![None], None),
            _ => match self.batch_of(cmdlets, how).await {
                Ok(call) => (call.value, Some(call.trace)),
                Err(error) if is_of_the_batch(&error) => {
                    tracing::debug!(%error, "a batch was not taken; its cmdlets are run singly");
                    (cmdlets.iter().map(|_| None).collect(), None)
                }
                Err(error) => return Err(error),
            },
        };
        let mut traces: Vec<Trace> = trace.into_iter().collect();
        for (answer, cmdlet) in answers.iter_mut().zip(cmdlets) {
            if answer.is_some() {
                continue;
            }
            match self.rows(cmdlet, how).await {
                Ok(call) => {
                    traces.push(call.trace);
                    *answer = Some(Ok(call.value));
                }
                Err(error) => *answer = Some(Err(error)),
            }
        }
        let mut each = Vec::with_capacity(answers.len());
        for answer in answers {
            match answer {
                Some(Ok(rows)) => each.push(Ok(Some(rows))),
                Some(Err(error)) if error.fault() == Some(Fault::NotFound) => {
                    if traces.is_empty() {
                        traces.push(error.trace().clone());
                    }
                    each.push(Ok(None));
                }
                Some(Err(error)) => each.push(Err(error)),
                None => each.push(Ok(None)),
            }
        }
        Ok(Call {
            value: each,
            trace: Trace::join(traces, String::new()),
        })
    }

    /// Runs one batch. None for a cmdlet without an answer, or without a final answer.
    async fn batch_of(
        &self,
        cmdlets: &[Cmdlet],
        how: How,
    ) -> Result<Call<Vec<Option<Result<Vec<Row>>>>>> {
        let reply = self
            .send(Service::Exchange, |token| {
                self.batch_request(cmdlets, how, token)
            })
            .await?;
        let Reply {
            status,
            headers,
            body,
            mut trace,
        } = reply;
        if !status.is_success() {
            return Err(refusal(status, &headers, &body, trace));
        }
        let envelope: Envelope = serde_json::from_slice(&body).map_err(|error| {
            Error::new(Service::Exchange, Kind::Malformed, trace.clone())
                .with_message(error.to_string())
        })?;
        trace.answer = format!("{} answers", envelope.responses.len());
        let mut answers: Vec<Option<Result<Vec<Row>>>> = cmdlets.iter().map(|_| None).collect();
        for item in envelope.responses {
            let place = item.id.parse::<usize>().ok();
            let Some((cmdlet, answer)) =
                place.and_then(|at| Some((cmdlets.get(at)?, answers.get_mut(at)?)))
            else {
                continue;
            };
            if item.is_throttled() {
                let pause = pause_in(&item.headers, self.microsoft.clock().now());
                self.hold_back(Service::Exchange, pause.unwrap_or(HELD_BACK));
            }
            let trace = Trace {
                sent: cmdlet.line(),
                ..trace.clone()
            };
            match page(item.reply(trace), true, self.tenant) {
                Ok((rows, None, _)) => *answer = Some(Ok(rows)),
                Err(error) if error.fault() == Some(Fault::NotFound) => *answer = Some(Err(error)),
                // For further pages, throttling or a missing role, a single call has the right
                // handling.
                Ok((_, Some(_), _)) | Err(_) => {}
            }
        }
        Ok(Call {
            value: answers,
            trace,
        })
    }

    fn batch_request(&self, cmdlets: &[Cmdlet], how: How, token: &AccessToken) -> Request {
        let address = self.address(how.select);
        let requests: Vec<Value> = cmdlets
            .iter()
            .enumerate()
            .map(|(index, cmdlet)| {
                let mut headers: Map<String, Value> = self
                    .headers(cmdlet)
                    .iter()
                    .map(|(name, value)| {
                        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                        (name.as_str().to_owned(), Value::String(text))
                    })
                    .collect();
                // Each item is a request of its own and needs the headers: those of the outer
                // request do not apply to it.
                let bearer = format!("Bearer {}", token.secret.expose_secret());
                headers.insert("authorization".to_owned(), Value::String(bearer));
                json!({
                    "id": index.to_string(),
                    "method": "POST",
                    "url": address.as_str(),
                    "headers": headers,
                    "body": body(cmdlet),
                })
            })
            .collect();
        let mut url = self.microsoft.endpoints().exchange().clone();
        url.set_path(&format!("adminapi/beta/{}/$batch", self.tenant));
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json.clone());
        headers.insert(header::ACCEPT, json);
        if let Ok(anchor) = HeaderValue::from_bytes(self.anchor().as_bytes()) {
            headers.insert("x-anchormailbox", anchor);
        }
        let lines: Vec<String> = cmdlets.iter().map(Cmdlet::line).collect();
        Request {
            service: Service::Exchange,
            method: Method::POST,
            url,
            headers,
            body: Some(json!({ "requests": requests }).to_string().into_bytes()),
            safe: true,
            sent: lines.join("\n"),
        }
    }
}

/// Whether Exchange refused the batch as such. Single calls may still work.
fn is_of_the_batch(error: &Error) -> bool {
    !matches!(
        error.kind(),
        Kind::Throttled { .. }
            | Kind::Unreachable { .. }
            | Kind::Unauthorized
            | Kind::ExchangeRoleMissing
            | Kind::Mismatch
    ) && error.service() == Service::Exchange
}

impl Item {
    const fn is_throttled(&self) -> bool {
        matches!(self.status, Some(429 | 503))
    }

    /// The item as the reply of a single call.
    fn reply(self, trace: Trace) -> Reply {
        let failed = self.body.get("error").is_some_and(|error| !error.is_null());
        let fallback = if failed {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        Reply {
            status: self
                .status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .unwrap_or(fallback),
            headers: HeaderMap::new(),
            body: self.body.to_string().into_bytes(),
            trace,
        }
    }
}
