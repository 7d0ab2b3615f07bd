//! What the cloud writes down: every request that it answered, and every mail that was sent.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Time;

/// More entries than any test makes; the oldest go first.
const MOST: usize = 200_000;

/// Which of the three hosts answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    Entra,
    Graph,
    Exchange,
}

impl Host {
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Graph => "graph",
            Self::Exchange => "exchange",
        }
    }
}

/// One request. Never holds a token, a secret or a code.
#[derive(Debug, Clone, Serialize)]
pub struct LogEntry {
    pub number: u64,
    /// When it was answered, in the cloud's time.
    pub time: Time,
    pub host: Host,
    pub tenant: Option<Uuid>,
    /// `New-DistributionGroup`, `POST /users/{id}/sendMail`, `token:refresh_token` …
    pub operation: String,
    /// The user's name or the application's id, as far as the request shows it.
    pub user: Option<String>,
    /// The mailbox that an Outlook request names: an id or an address, in lower case.
    pub mailbox: Option<String>,
    pub status: u16,
    /// Seconds of `Retry-After` in the answer.
    pub retry_after: Option<u64>,
    pub client_request_id: Option<String>,
    /// The answer's own, where it has one.
    pub request_id: Option<String>,
    /// The fault that was applied, if any.
    pub fault: Option<String>,
    /// Whether the request was one of a `$batch`.
    pub batched: bool,
}

/// One mail that was accepted.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    pub number: u64,
    pub time: Time,
    pub tenant: Uuid,
    /// The application that sent it.
    pub app_id: Uuid,
    /// The person on whose behalf, for delegated sends.
    pub user: Option<String>,
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub body: String,
    pub save_to_sent_items: bool,
    pub client_request_id: Option<String>,
}

/// Log and outbox.
#[derive(Debug, Default)]
pub struct Books {
    log: VecDeque<LogEntry>,
    outbox: VecDeque<Mail>,
    next_entry: u64,
    next_mail: u64,
}

impl Books {
    /// Writes an entry; its number is given here.
    pub fn note(&mut self, mut entry: LogEntry) {
        self.next_entry += 1;
        entry.number = self.next_entry;
        self.log.push_back(entry);
        if self.log.len() > MOST {
            self.log.pop_front();
        }
    }

    /// Keeps a mail; its number is given here.
    pub fn post(&mut self, mut mail: Mail) -> u64 {
        self.next_mail += 1;
        mail.number = self.next_mail;
        self.outbox.push_back(mail);
        if self.outbox.len() > MOST {
            self.outbox.pop_front();
        }
        self.next_mail
    }

    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.iter()
    }

    pub fn outbox(&self) -> impl Iterator<Item = &Mail> {
        self.outbox.iter()
    }

    /// Forgets the log, not the numbers.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }
}

/// Serialises anything of this crate; a failure would be a defect, and shows as one.
pub fn to_value(thing: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(thing).unwrap_or_else(|error| Value::String(error.to_string()))
}
