//! Change notifications to every process, over LISTEN and NOTIFY.

use std::time::Duration;

use domain::id::{CustomerId, OperatorId, PartnerId, SetupId};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, postgres::PgListener};

use crate::{Error, Result, Store, Tx};

const CHANNEL: &str = "postern";

/// A change notification. It names the place and carries no content: readers with the right to see
/// it query the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Setup {
        partner: PartnerId,
        customer: CustomerId,
        setup: SetupId,
        version: i64,
    },
    /// A scan was requested, began or ended.
    Scans { partner: PartnerId },
    /// A session of this person ended, or the person's role changed. Streams check at once again
    /// whether they may continue.
    Authority {
        partner: PartnerId,
        operator: OperatorId,
    },
    /// The token with which Postern acted in a customer was deleted with somebody's authority. No
    /// process may use a copy that it still has in memory.
    Account {
        partner: PartnerId,
        customer: CustomerId,
    },
    /// Anything may have changed: the listener has just begun to listen, for the first time or
    /// after a lost connection.
    Missed,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    partner: PartnerId,
    customer: CustomerId,
    setup: SetupId,
    version: i64,
}

#[derive(Serialize, Deserialize)]
struct ScansPayload {
    scans: PartnerId,
}

#[derive(Serialize, Deserialize)]
struct AuthorityPayload {
    authority: OperatorId,
    partner: PartnerId,
}

#[derive(Serialize, Deserialize)]
struct AccountPayload {
    account: CustomerId,
    partner: PartnerId,
}

/// Sent when the transaction commits.
pub(crate) async fn account_ended(tx: &mut Tx, customer: CustomerId) -> Result<()> {
    let payload = serde_json::to_string(&AccountPayload {
        account: customer,
        partner: tx.partner(),
    })
    .map_err(|error| Error::corrupt(error.to_string()))?;
    notify(tx.conn(), payload).await
}

/// Sent when the transaction commits.
pub(crate) async fn authority_changed(tx: &mut Tx, operator: OperatorId) -> Result<()> {
    let payload = serde_json::to_string(&AuthorityPayload {
        authority: operator,
        partner: tx.partner(),
    })
    .map_err(|error| Error::corrupt(error.to_string()))?;
    notify(tx.conn(), payload).await
}

/// Sent when the transaction commits.
pub(crate) async fn setup_changed(
    connection: &mut PgConnection,
    partner: PartnerId,
    customer: CustomerId,
    setup: SetupId,
    version: i64,
) -> Result<()> {
    let payload = serde_json::to_string(&Payload {
        partner,
        customer,
        setup,
        version,
    })
    .map_err(|error| Error::corrupt(error.to_string()))?;
    notify(connection, payload).await
}

/// Sent when the transaction commits. Postgres sends equal notices of one transaction once.
pub(crate) async fn scans_changed(connection: &mut PgConnection, partner: PartnerId) -> Result<()> {
    let payload = serde_json::to_string(&ScansPayload { scans: partner })
        .map_err(|error| Error::corrupt(error.to_string()))?;
    notify(connection, payload).await
}

async fn notify(connection: &mut PgConnection, payload: String) -> Result<()> {
    sqlx::query("select pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(payload)
        .execute(connection)
        .await?;
    Ok(())
}

/// Parses a notice. An unreadable notice (from another version of the server) counts as missed.
fn read(payload: &str) -> Notice {
    if let Ok(ScansPayload { scans }) = serde_json::from_str(payload) {
        return Notice::Scans { partner: scans };
    }
    if let Ok(AuthorityPayload { authority, partner }) = serde_json::from_str(payload) {
        return Notice::Authority {
            partner,
            operator: authority,
        };
    }
    if let Ok(AccountPayload { account, partner }) = serde_json::from_str(payload) {
        return Notice::Account {
            partner,
            customer: account,
        };
    }
    match serde_json::from_str(payload) {
        Ok(Payload {
            partner,
            customer,
            setup,
            version,
        }) => Notice::Setup {
            partner,
            customer,
            setup,
            version,
        },
        Err(_) => Notice::Missed,
    }
}

struct Listening {
    pool: PgPool,
    listener: Option<PgListener>,
    pause: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Store {
    /// Every notice from now on, of all partners. For one listener per process, which distributes
    /// the notices. The stream begins with [`Notice::Missed`] as soon as it listens. After a lost
    /// connection it reconnects by itself and sends [`Notice::Missed`] again. It ends when the
    /// store is closed.
    pub fn listen(&self) -> impl Stream<Item = Notice> + Send + use<> {
        let listening = Listening {
            pool: self.pool.clone(),
            listener: None,
            pause: FIRST_PAUSE,
        };
        stream::unfold(listening, |mut listening| async move {
            let notice = listening.next().await?;
            Some((notice, listening))
        })
    }
}

impl Listening {
    /// The next notice. None when the pool was closed.
    async fn next(&mut self) -> Option<Notice> {
        loop {
            if self.pool.is_closed() {
                return None;
            }
            let Some(listener) = &mut self.listener else {
                match self.connect().await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        self.pause = FIRST_PAUSE;
                        return Some(Notice::Missed);
                    }
                    Err(_) => {
                        tokio::time::sleep(self.pause).await;
                        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                        continue;
                    }
                }
            };
            match listener.try_recv().await {
                Ok(Some(notification)) => return Some(read(notification.payload())),
                Ok(None) | Err(_) => self.listener = None,
            }
        }
    }

    async fn connect(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        // This code reconnects by itself, so that it can report the gap.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }
}

#[cfg(test)]
#[path = "notices_tests.rs"]
mod tests;
