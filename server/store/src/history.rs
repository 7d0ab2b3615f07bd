//! Adding to a customer's history.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    history::{Event, EventKind},
    id::{CustomerId, SetupId},
    person::Actor,
};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, Error, Result, Tx,
    clean::{self, moment},
    history_hash::{FIRST, from_hex, hash_of},
    sign_ins::hex,
};

/// An entry to add. Number and hashes come with it being added.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub at: Timestamp,
    pub actor: Actor,
    pub kind: EventKind,
    pub setup: Option<SetupId>,
    /// One sentence.
    pub what: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Microsoft's request ids.
    pub requests: Vec<String>,
}

/// An entry as it is stored.
#[derive(FromRow)]
pub(crate) struct EventRow {
    pub(crate) customer_id: Uuid,
    pub(crate) seq: i64,
    at: DateTime<Utc>,
    actor: Value,
    pub(crate) actor_name: String,
    kind: String,
    setup_id: Option<Uuid>,
    what: String,
    before: Option<Value>,
    after: Option<Value>,
    requests: Vec<String>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl EventRow {
    pub(crate) fn hash_hex(&self) -> String {
        hex(&self.hash)
    }

    pub(crate) fn event(self) -> Result<Event> {
        Ok(Event {
            customer: CustomerId(self.customer_id),
            seq: self.seq,
            at: self.at.into(),
            actor: clean::from_json("events.actor", self.actor)?,
            kind: clean::word("events.kind", &self.kind, EventKind::parse)?,
            setup: self.setup_id.map(SetupId),
            what: self.what,
            before: self.before,
            after: self.after,
            requests: self.requests,
            previous_hash: hex(&self.previous_hash),
            hash: hex(&self.hash),
        })
    }
}

/// The end of a chain, and the new entry's values as the database will give them back.
#[derive(FromRow)]
struct Head {
    seq: Option<i64>,
    hash: Option<Vec<u8>>,
    actor: Value,
    before: Option<Value>,
    after: Option<Value>,
}

impl Tx {
    /// Adds an entry to the customer's history and gives its number. Others who add to the same
    /// history wait until this transaction ends, so that the chain has no fork and no gap.
    pub async fn append(&mut self, access: &CustomerAccess, event: &NewEvent) -> Result<i64> {
        let (partner, customer) = self.reads(access)?;
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('postern.history:' || $1, 0))")
            .bind(customer.to_string())
            .execute(self.conn())
            .await?;
        // A statement of its own: it must see what the holder of the lock committed. The values
        // go through the database once, because it may write a number in another way, and the
        // hash must be of what will be read.
        let head: Head = sqlx::query_as(
            "select h.seq, h.hash, $2::jsonb as actor, $3::jsonb as before, $4::jsonb as after
             from (select) as one
             left join lateral (select seq, hash from events
                                where customer_id = $1 order by seq desc limit 1) h on true",
        )
        .bind(customer.0)
        .bind(clean::to_json(&event.actor)?)
        .bind(event.before.clone().map(clean::json))
        .bind(event.after.clone().map(clean::json))
        .fetch_one(self.conn())
        .await?;
        let mut entry = Event {
            customer,
            seq: head.seq.unwrap_or_default() + 1,
            at: event.at,
            actor: clean::from_json("events.actor", head.actor.clone())?,
            kind: event.kind,
            setup: event.setup,
            what: clean::text(&event.what).into_owned(),
            before: head.before,
            after: head.after,
            requests: event
                .requests
                .iter()
                .map(|request| clean::text(request).into_owned())
                .collect(),
            previous_hash: head.hash.as_deref().map_or_else(|| FIRST.to_owned(), hex),
            hash: String::new(),
        };
        entry.hash = hash_of(&entry);
        let bytes = |text: &str| from_hex(text).ok_or_else(|| Error::corrupt("a hash is no hash"));
        sqlx::query(
            "insert into events
                 (customer_id, seq, partner_id, at, actor, actor_name, kind, setup_id, what,
                  before, after, requests, previous_hash, hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(customer.0)
        .bind(entry.seq)
        .bind(partner.0)
        .bind(moment(entry.at))
        .bind(head.actor)
        .bind(entry.actor.name())
        .bind(entry.kind.as_str())
        .bind(entry.setup.map(|setup| setup.0))
        .bind(&entry.what)
        .bind(&entry.before)
        .bind(&entry.after)
        .bind(&entry.requests)
        .bind(bytes(&entry.previous_hash)?)
        .bind(bytes(&entry.hash)?)
        .execute(self.conn())
        .await?;
        Ok(entry.seq)
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
