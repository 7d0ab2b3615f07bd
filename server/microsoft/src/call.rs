//! The request and the response behind every value.

use domain::{Timestamp, step::Evidence};

/// A request to Microsoft and its response, without tokens and secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// A cmdlet as PowerShell reads it, or `GET /v1.0/…`.
    pub sent: String,
    /// The response, shortened.
    pub answer: String,
    /// The HTTP status. None when there was no response.
    pub status: Option<u16>,
    /// Microsoft's `request-id`, or Entra's trace id.
    pub request_id: Option<String>,
    /// The `client-request-id` that Postern sent with the last try.
    pub client_request_id: Option<String>,
    /// When the first try began.
    pub at: Timestamp,
    /// The duration of all tries and the pauses between them.
    pub took_millis: i64,
    /// How often the request was sent. 0: never.
    pub attempts: u32,
}

impl Trace {
    /// The trace as a step stores it. `change`: the request changed something at the customer.
    pub fn evidence(&self, title: impl Into<String>, change: bool) -> Evidence {
        Evidence {
            at: self.at,
            title: title.into(),
            sent: self.sent.clone(),
            answer: self.answer.clone(),
            request_id: self
                .request_id
                .clone()
                .or_else(|| self.client_request_id.clone()),
            took_millis: self.took_millis,
            change,
        }
    }

    /// Joins the traces of several requests that together gave one value.
    pub(crate) fn join(traces: Vec<Self>, answer: String) -> Self {
        let mut all = Self {
            answer,
            ..Self::default()
        };
        let mut ended = Timestamp::default();
        for (index, trace) in traces.into_iter().enumerate() {
            if index == 0 {
                all.at = trace.at;
            } else {
                all.sent.push('\n');
            }
            all.sent.push_str(&trace.sent);
            all.status = trace.status;
            all.request_id = trace.request_id;
            all.client_request_id = trace.client_request_id;
            all.attempts = all.attempts.saturating_add(trace.attempts);
            ended = ended.max(trace.at.plus_millis(trace.took_millis));
        }
        all.took_millis = ended.millis_since(all.at).max(0);
        all
    }
}

/// A value from Microsoft, with its trace.
#[derive(Clone, Debug)]
pub struct Call<T> {
    pub value: T,
    pub trace: Trace,
}

impl<T> Call<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Call<U> {
        Call {
            value: change(self.value),
            trace: self.trace,
        }
    }
}

/// The longest response that is stored as evidence, in characters.
const LONGEST_ANSWER: usize = 4_000;

/// Shortens a text for evidence at a character boundary, and marks the cut.
pub(crate) fn shorten(text: &str) -> String {
    shorten_to(text, LONGEST_ANSWER)
}

pub(crate) fn shorten_to(text: &str, longest: usize) -> String {
    let clean = |c: char| {
        if c.is_control() && c != '\n' && c != '\t' {
            ' '
        } else {
            c
        }
    };
    let mut short: String = text.trim().chars().take(longest).map(clean).collect();
    if text.trim().chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}
