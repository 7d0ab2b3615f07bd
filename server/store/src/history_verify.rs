//! Recomputing the chains of all histories.
//!
//! A chain shows that an entry was changed, taken out of the middle, or put in. It cannot show
//! that the newest entries were cut off, or that the whole chain was computed anew by somebody who
//! could switch off the triggers: for that, compare [`ChainHead`]s with ones that were kept
//! elsewhere.

use std::fmt;

use domain::{
    history::Event,
    id::{CustomerId, PartnerId},
};
use futures::{Stream, TryStreamExt as _};
use secrecy::SecretString;
use sqlx::{Connection as _, FromRow, PgConnection};
use uuid::Uuid;

use crate::{
    Error, Result, Tx,
    history::EventRow,
    history_hash::{FIRST, hash_of},
    migrate::owner_connection,
};

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Entries from `from` on are missing before this one.
    Gap { from: i64 },
    /// It does not name the hash of the entry before.
    Link,
    /// It was changed: its hash is not the one of what it says.
    Hash,
    /// The name for the filter is not the actor's.
    ActorName,
    /// It cannot even be read.
    Unreadable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from } => write!(f, "entries are missing from number {from} on"),
            Self::Link => f.write_str("it does not continue the entry before"),
            Self::Hash => f.write_str("it was changed after it was written"),
            Self::ActorName => f.write_str("the name for the filter is not the actor's"),
            Self::Unreadable(what) => write!(f, "it cannot be read: {what}"),
        }
    }
}

/// An entry with which a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub customer: CustomerId,
    pub seq: i64,
    pub why: Why,
}

/// The newest entry of a customer's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    pub partner: PartnerId,
    pub customer: CustomerId,
    pub seq: i64,
    /// Hexadecimal.
    pub hash: String,
}

/// What came of recomputing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many entries were recomputed.
    pub entries: i64,
    /// One per customer that has a history.
    pub heads: Vec<ChainHead>,
    pub broken: Vec<Broken>,
}

#[derive(FromRow)]
struct VerifiedRow {
    partner_id: Uuid,
    #[sqlx(flatten)]
    event: EventRow,
}

impl Verification {
    fn see(&mut self, row: VerifiedRow) {
        let customer = CustomerId(row.event.customer_id);
        let seq = row.event.seq;
        let actor_name = row.event.actor_name.clone();
        let before = self
            .heads
            .last()
            .filter(|head| head.customer == customer)
            .map(|head| (head.seq, head.hash.clone()));
        let (last, last_hash) = before.clone().unwrap_or((0, FIRST.to_owned()));
        self.entries += 1;
        let mut head = ChainHead {
            partner: PartnerId(row.partner_id),
            customer,
            seq,
            hash: row.event.hash_hex(),
        };
        let mut wrong = |why| self.broken.push(Broken { customer, seq, why });
        if seq != last + 1 {
            wrong(Why::Gap { from: last + 1 });
        }
        match row.event.event() {
            Ok(event) => {
                let event: Event = event;
                // Behind a gap the hash before is not known.
                if seq == last + 1 && event.previous_hash != last_hash {
                    wrong(Why::Link);
                }
                if hash_of(&event) != event.hash {
                    wrong(Why::Hash);
                }
                if event.actor.name() != actor_name {
                    wrong(Why::ActorName);
                }
                head.hash = event.hash;
            }
            Err(error) => wrong(Why::Unreadable(error.to_string())),
        }
        match self.heads.last_mut() {
            Some(last) if before.is_some() => *last = head,
            _ => self.heads.push(head),
        }
    }
}

const ENTRIES: &str = "select partner_id, customer_id, seq, at, actor, actor_name, kind, setup_id,
            what, before, after, requests, previous_hash, hash
     from events order by customer_id, seq";

async fn verify(connection: &mut PgConnection) -> Result<Verification> {
    let mut verification = Verification::default();
    let mut rows = std::pin::pin!(stream(connection));
    while let Some(row) = rows.try_next().await? {
        verification.see(row);
    }
    Ok(verification)
}

fn stream(
    connection: &mut PgConnection,
) -> impl Stream<Item = Result<VerifiedRow, sqlx::Error>> + '_ {
    sqlx::query_as(ENTRIES).fetch(connection)
}

impl Tx {
    /// Recomputes the histories of this partner's customers.
    pub async fn verify_history(&mut self) -> Result<Verification> {
        verify(self.conn()).await
    }
}

/// Recomputes the histories of all partners, as the owner of the tables. Refuses any role that
/// would not be shown all of them: that nothing is wrong would then mean nothing.
pub async fn verify_all(owner_url: &SecretString) -> Result<Verification> {
    let mut connection = owner_connection(owner_url).await?;
    let sees_all: Option<bool> = sqlx::query_scalar(
        "select r.rolsuper or r.rolbypassrls or exists (
                    select from pg_policies
                    where schemaname = 'public' and tablename = 'events'
                      and policyname = 'owner_reads' and current_user = any (roles))
         from pg_roles r where r.rolname = current_user and to_regclass('events') is not null",
    )
    .fetch_optional(&mut connection)
    .await?;
    if sees_all != Some(true) {
        return Err(Error::Refused {
            why: "this role is not shown the history of all partners: give the owner's URL, \
                  of a database that was migrated"
                .into(),
        });
    }
    let verification = verify(&mut connection).await?;
    connection.close().await?;
    Ok(verification)
}

#[cfg(test)]
#[path = "history_verify_tests.rs"]
mod tests;
