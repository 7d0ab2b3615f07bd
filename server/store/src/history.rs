//! Adds entries to a customer's history and to the partner's own history.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    history::{Event, EventKind},
    id::{CustomerId, PartnerId, SetupId},
    person::Actor,
};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, Error, Result, Tx,
    clean::{self, moment},
    history_hash::{FIRST, from_hex, keyed_hash_of},
    sign_ins::hex,
};

/// The owner of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chain {
    Customer(CustomerId),
    /// The partner's own history.
    Partner(PartnerId),
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(id) => write!(f, "customer:{id}"),
            Self::Partner(id) => write!(f, "partner:{id}"),
        }
    }
}

/// The text names no history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a history's name: customer:ID or partner:ID")]
pub struct NoChain;

impl FromStr for Chain {
    type Err = NoChain;

    fn from_str(text: &str) -> Result<Self, NoChain> {
        let (kind, id) = text.split_once(':').ok_or(NoChain)?;
        let id: Uuid = id.parse().map_err(|_| NoChain)?;
        match kind {
            "customer" => Ok(Self::Customer(CustomerId(id))),
            "partner" => Ok(Self::Partner(PartnerId(id))),
            _ => Err(NoChain),
        }
    }
}

/// An entry to add. The store assigns its number and its hashes.
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
    pub(crate) partner_id: Uuid,
    pub(crate) customer_id: Option<Uuid>,
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
    pub(crate) key_id: Option<String>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// The columns of [`EventRow`] in a customer's history and in a partner's.
macro_rules! columns {
    (customer) => {
        "partner_id, customer_id, seq, at, actor, actor_name, kind, setup_id, what, before, after,
         requests, key_id, previous_hash, hash"
    };
    (partner) => {
        "partner_id, null::uuid as customer_id, seq, at, actor, actor_name, kind,
         null::uuid as setup_id, what, before, after, '{}'::text[] as requests, key_id,
         previous_hash, hash"
    };
}
pub(crate) use columns;

impl EventRow {
    pub(crate) fn hash_hex(&self) -> String {
        hex(&self.hash)
    }

    pub(crate) fn chain(&self) -> Chain {
        match self.customer_id {
            Some(id) => Chain::Customer(CustomerId(id)),
            None => Chain::Partner(PartnerId(self.partner_id)),
        }
    }

    pub(crate) fn event(self) -> Result<Event> {
        Ok(Event {
            partner: PartnerId(self.partner_id),
            customer: self.customer_id.map(CustomerId),
            seq: self.seq,
            at: self.at.into(),
            actor: clean::from_json("events.actor", self.actor)?,
            kind: clean::word("events.kind", &self.kind, EventKind::parse)?,
            setup: self.setup_id.map(SetupId),
            what: self.what,
            before: self.before,
            after: self.after,
            requests: self.requests,
            key: self.key_id,
            previous_hash: hex(&self.previous_hash),
            hash: hex(&self.hash),
        })
    }
}

/// The last entry of a chain, and the new entry's values as the database will give them back.
#[derive(FromRow)]
struct Head {
    seq: Option<i64>,
    hash: Option<Vec<u8>>,
    actor: Value,
    before: Option<Value>,
    after: Option<Value>,
}

/// A new last entry of a chain. The log gets it after the commit.
pub(crate) struct NewHead {
    pub chain: Chain,
    pub seq: i64,
    pub hash: String,
}

/// Writes new last entries of chains to the log, so that shipped logs hold them outside the
/// database. The log gets no names: the content of an entry stays in the history.
pub(crate) fn tell(heads: &[NewHead]) {
    for NewHead { chain, seq, hash } in heads {
        tracing::info!(target: "history.head", %chain, seq, hash, "a history has a new head");
    }
}

impl Tx {
    /// Adds an entry to the customer's history and returns its number. Other writers to the same
    /// history wait until this transaction ends, so that the chain has no fork and no gap.
    pub async fn append(&mut self, access: &CustomerAccess, event: &NewEvent) -> Result<i64> {
        let (_, customer) = self.reads(access)?;
        self.add(Chain::Customer(customer), event).await
    }

    /// Adds an entry to the partner's own history and returns its number. This history has no
    /// setups and no request ids.
    pub async fn append_own(&mut self, event: &NewEvent) -> Result<i64> {
        let chain = Chain::Partner(self.partner());
        self.add(chain, event).await
    }

    /// Locks the partner's own history against other writers until this transaction ends. A caller
    /// that writes to both histories, or revokes links, calls this first: two transactions that
    /// took the same locks in different orders would deadlock.
    pub async fn lock_own(&mut self) -> Result<()> {
        self.lock_chain(Chain::Partner(self.partner())).await
    }

    /// Takes the lock of a history until the end of this transaction. Waits for other writers.
    async fn lock_chain(&mut self, chain: Chain) -> Result<()> {
        let id = match chain {
            Chain::Customer(id) => id.to_string(),
            Chain::Partner(id) => id.to_string(),
        };
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('postern.history:' || $1, 0))")
            .bind(id)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    async fn add(&mut self, chain: Chain, event: &NewEvent) -> Result<i64> {
        self.lock_chain(chain).await?;
        // This is a separate statement because it must see what the previous holder of the lock
        // committed. The values make a round trip through the database: Postgres may write a number
        // in another form, and the hash must be of the form that will be read.
        let (end, id) = match chain {
            Chain::Customer(id) => (
                "select h.seq, h.hash, $2::jsonb as actor, $3::jsonb as before, $4::jsonb as after
                 from (select) as one
                 left join lateral (select seq, hash from events
                                    where customer_id = $1 order by seq desc limit 1) h on true",
                id.0,
            ),
            Chain::Partner(id) => (
                "select h.seq, h.hash, $2::jsonb as actor, $3::jsonb as before, $4::jsonb as after
                 from (select) as one
                 left join lateral (select seq, hash from partner_events
                                    where partner_id = $1 order by seq desc limit 1) h on true",
                id.0,
            ),
        };
        let head: Head = sqlx::query_as(end)
            .bind(id)
            .bind(clean::to_json(&event.actor)?)
            .bind(event.before.clone().map(clean::json))
            .bind(event.after.clone().map(clean::json))
            .fetch_one(self.conn())
            .await?;
        let mut entry = Event {
            partner: self.partner(),
            customer: match chain {
                Chain::Customer(id) => Some(id),
                Chain::Partner(_) => None,
            },
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
            key: Some(self.vault.newest().to_owned()),
            previous_hash: head.hash.as_deref().map_or_else(|| FIRST.to_owned(), hex),
            hash: String::new(),
        };
        entry.hash = keyed_hash_of(&entry, &self.vault)
            .ok_or_else(|| Error::corrupt("the key ring has no key for the history"))?;
        self.insert(chain, &entry, head.actor).await?;
        self.heads.retain(|head| head.chain != chain);
        self.heads.push(NewHead {
            chain,
            seq: entry.seq,
            hash: entry.hash,
        });
        Ok(entry.seq)
    }

    async fn insert(&mut self, chain: Chain, entry: &Event, actor: Value) -> Result<()> {
        let bytes = |text: &str| from_hex(text).ok_or_else(|| Error::corrupt("a hash is no hash"));
        let statement = match chain {
            Chain::Customer(_) => {
                "insert into events
                     (partner_id, seq, at, actor, actor_name, kind, what, before, after, key_id,
                      previous_hash, hash, customer_id, setup_id, requests)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
            }
            Chain::Partner(_) => {
                "insert into partner_events
                     (partner_id, seq, at, actor, actor_name, kind, what, before, after, key_id,
                      previous_hash, hash)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            }
        };
        let query = sqlx::query(statement)
            .bind(entry.partner.0)
            .bind(entry.seq)
            .bind(moment(entry.at))
            .bind(actor)
            .bind(entry.actor.name())
            .bind(entry.kind.as_str())
            .bind(&entry.what)
            .bind(&entry.before)
            .bind(&entry.after)
            .bind(&entry.key)
            .bind(bytes(&entry.previous_hash)?)
            .bind(bytes(&entry.hash)?);
        let query = match chain {
            Chain::Customer(id) => query
                .bind(id.0)
                .bind(entry.setup.map(|setup| setup.0))
                .bind(&entry.requests),
            Chain::Partner(_) => query,
        };
        query.execute(self.conn()).await?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
