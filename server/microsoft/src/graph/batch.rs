//! Many small reads in one batch request (MICROSOFT.md §7.3).

use std::{collections::BTreeMap, time::Duration};

use domain::Timestamp;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{address, post, refusal, understood};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
    http::transport::pause_in,
};

#[derive(Deserialize)]
struct Envelope {
    responses: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
}

/// Graph's maximum number of requests per batch.
const MOST: usize = 20;
/// How often throttled items are sent.
const ROUNDS: usize = 4;

/// The result of one read: the body, or none for an object that does not exist.
pub(crate) type Answered = Result<Option<Value>>;

impl Customer {
    /// Reads each of these paths below `/v1.0`, in their order. None for an object that does not
    /// exist.
    pub(super) async fn graph_batch(&self, paths: &[String]) -> Result<Call<Vec<Option<Value>>>> {
        let call = self.graph_batch_each(paths).await?;
        let found: Result<Vec<Option<Value>>> = call.value.into_iter().collect();
        Ok(Call {
            value: found?,
            trace: call.trace,
        })
    }

    /// Like [`Self::graph_batch`], but one read may fail and the others not.
    ///
    /// # Errors
    /// When a request with many reads fails as a whole.
    pub(crate) async fn graph_batch_each(&self, paths: &[String]) -> Result<Call<Vec<Answered>>> {
        let mut found: BTreeMap<usize, Answered> = BTreeMap::new();
        let mut traces = Vec::new();
        let mut waiting: Vec<usize> = (0..paths.len()).collect();
        for round in 0..ROUNDS {
            let mut again = Vec::new();
            let mut pause = Duration::ZERO;
            for some in waiting.chunks(MOST) {
                let call = self.batch(paths, some).await?;
                let now = self.microsoft.clock().now();
                let mut missing: Vec<usize> = some.to_vec();
                for item in call.value.responses {
                    let Some(index) = item.id.parse().ok().filter(|index| some.contains(index))
                    else {
                        continue;
                    };
                    missing.retain(|&other| other != index);
                    let answer = item.answer(&call.trace);
                    if item.may_pass() {
                        let asked = item.asked(now);
                        // The batch itself has status 200, so the transport does not see the pause.
                        if let Some(asked) = asked {
                            self.hold_back(Service::Graph, asked);
                        }
                        pause = pause.max(asked.unwrap_or_else(|| doubled(round)));
                        again.push(index);
                    }
                    found.insert(index, answer);
                }
                if !missing.is_empty() {
                    return Err(Error::new(Service::Graph, Kind::Malformed, call.trace)
                        .with_message("the batch does not answer all that it was asked"));
                }
                traces.push(call.trace);
            }
            let last = round.saturating_add(1) == ROUNDS;
            let too_long = pause > self.microsoft.0.transport.options().deadline;
            if again.is_empty() || last || too_long {
                let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                let until = self.microsoft.clock().now().plus_millis(millis);
                for index in again {
                    if let Some(Err(error)) = found.get_mut(&index)
                        && matches!(error.kind(), Kind::Throttled { .. })
                    {
                        let until = Some(until);
                        *error = error.clone().with_kind(Kind::Throttled { until });
                    }
                }
                let read = found.values().filter(|one| matches!(one, Ok(Some(_))));
                let answer = format!("{} objects", read.count());
                return Ok(Call {
                    value: found.into_values().collect(),
                    trace: Trace::join(traces, answer),
                });
            }
            waiting = again;
            tokio::time::sleep(pause).await;
        }
        Err(Error::unsent(
            Service::Graph,
            Kind::Throttled { until: None },
            "the batch was throttled each time",
        ))
    }

    async fn batch(&self, paths: &[String], some: &[usize]) -> Result<Call<Envelope>> {
        let requests: Vec<Value> = some
            .iter()
            .filter_map(|&index| {
                let path = paths.get(index)?;
                Some(json!({"id": index.to_string(), "method": "GET", "url": path}))
            })
            .collect();
        let address = address(self.microsoft.endpoints().graph(), &["$batch"], &[]);
        let body = json!({ "requests": requests });
        // The batch holds only reads, so it may be sent again.
        let reply = self
            .send(Service::Graph, |_| {
                let mut request = post(&address, &body, true);
                request.sent = format!("POST /v1.0/$batch ({} reads)", some.len());
                request
            })
            .await?;
        understood(reply)
    }
}

impl Item {
    /// Whether the item was throttled or the server failed for a moment. A batch holds only reads,
    /// so they are retried.
    fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
    }

    fn answer(&self, trace: &Trace) -> Answered {
        match self.status {
            200 => Ok(Some(self.body.clone())),
            404 => Ok(None),
            status => {
                let code =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let body = self.body.to_string();
                let error = refusal(code, body.as_bytes(), trace.clone());
                Err(match status {
                    503 => error.with_kind(Kind::Throttled { until: None }),
                    500 | 502 | 504 => error.with_kind(Kind::Unreachable { maybe_done: false }),
                    _ => error,
                })
            }
        }
    }

    /// The pause that Microsoft asks for.
    fn asked(&self, now: Timestamp) -> Option<Duration> {
        pause_in(&self.headers, now)
    }
}

/// The back-off when Microsoft names no pause.
fn doubled(round: usize) -> Duration {
    let seconds = 1_u64.checked_shl(u32::try_from(round).unwrap_or(0));
    Duration::from_secs(seconds.unwrap_or(1))
}
