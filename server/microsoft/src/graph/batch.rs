//! Many small reads in one request (MICROSOFT.md §7.3).

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{address, post, refusal, understood};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
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

/// Graph takes no more at once.
const MOST: usize = 20;
/// How often items that were throttled are asked for again.
const ROUNDS: usize = 4;

impl Customer {
    /// Reads each of these paths below `/v1.0`; none for what does not exist, in their order.
    pub(super) async fn graph_batch(&self, paths: &[String]) -> Result<Call<Vec<Option<Value>>>> {
        let mut found: BTreeMap<usize, Option<Value>> = BTreeMap::new();
        let mut traces = Vec::new();
        let mut waiting: Vec<usize> = (0..paths.len()).collect();
        for round in 0..ROUNDS {
            let mut throttled = Vec::new();
            let mut pause = Duration::ZERO;
            for some in waiting.chunks(MOST) {
                let call = self.batch(paths, some).await?;
                let mut missing: Vec<usize> = some.to_vec();
                for item in call.value.responses {
                    let Some(index) = item.id.parse().ok().filter(|index| some.contains(index))
                    else {
                        continue;
                    };
                    missing.retain(|&other| other != index);
                    match item.status {
                        200 => {
                            found.insert(index, Some(item.body));
                        }
                        404 => {
                            found.insert(index, None);
                        }
                        429 | 503 => {
                            pause = pause.max(item.pause(round));
                            throttled.push(index);
                        }
                        status => {
                            let status = StatusCode::from_u16(status)
                                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                            let body = item.body.to_string();
                            return Err(refusal(status, body.as_bytes(), call.trace));
                        }
                    }
                }
                if !missing.is_empty() {
                    return Err(Error::new(Service::Graph, Kind::Malformed, call.trace)
                        .with_message("the batch does not answer all that it was asked"));
                }
                traces.push(call.trace);
            }
            if throttled.is_empty() {
                let answer = format!("{} objects", found.values().flatten().count());
                return Ok(Call {
                    value: found.into_values().collect(),
                    trace: Trace::join(traces, answer),
                });
            }
            waiting = throttled;
            let last = round.saturating_add(1) == ROUNDS;
            if last || pause > self.microsoft.0.transport.options().deadline {
                let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                let until = Some(self.microsoft.clock().now().plus_millis(millis));
                return Err(Error::new(
                    Service::Graph,
                    Kind::Throttled { until },
                    traces.pop().unwrap_or_default(),
                ));
            }
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
        // Only reads are in it, so it may be sent again.
        let reply = self
            .send(|| {
                let mut request = post(&address, &body, true);
                request.sent = format!("POST /v1.0/$batch ({} reads)", some.len());
                request
            })
            .await?;
        understood(reply)
    }
}

impl Item {
    fn pause(&self, round: usize) -> Duration {
        let asked = self
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
            .and_then(|(_, value)| match value {
                Value::String(text) => text.trim().parse().ok(),
                other => other.as_u64(),
            });
        let doubled = 1_u64
            .checked_shl(u32::try_from(round).unwrap_or(0))
            .unwrap_or(1);
        Duration::from_secs(asked.unwrap_or(doubled))
    }
}
