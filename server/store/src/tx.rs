//! The store, and transactions that carry one partner.

use std::{collections::HashSet, fmt, net::IpAddr, str::FromStr, time::Duration};

use domain::id::{PartnerId, SetupId};
use graphile_worker::WorkerOptions;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::{
    Error, Result, SessionStore, Vault, guard,
    history::{self, NewHead},
    jobs,
};

/// How long anybody waits for a free connection, or for a database that is away.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connections of the job queue, of which one listens.
const QUEUE_CONNECTIONS: u32 = 8;

/// The database, as the server's role. Cheap to clone. The pool never leaves this crate, but for
/// the driver of the job queue.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    /// The job queue's own; connects when a worker starts.
    pub(crate) queue: PgPool,
    pub(crate) vault: Vault,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Connects with `url`, at most `max` connections at a time (at least 4: two of them listen).
    ///
    /// Refuses ([`Error::Refused`]) to work as a role that could see past row-level security: a
    /// superuser, one with `BYPASSRLS`, an owner of the tables, or a member of such a role; and
    /// in a database whose migrations are not those of this binary.
    pub async fn connect(url: &SecretString, max: u32, vault: Vault) -> Result<Self> {
        let options = options(url)?.options([
            // No page and no step needs a statement that takes longer.
            ("statement_timeout", "30s"),
            // A process that hangs must not hold a setup's lock for ever.
            ("idle_in_transaction_session_timeout", "60s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(max.max(4))
            .acquire_timeout(ACQUIRE)
            .connect_with(options)
            .await?;
        guard::check(&pool).await?;
        let queue = PgPoolOptions::new()
            .max_connections(QUEUE_CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .connect_lazy_with(pool.connect_options().as_ref().clone());
        Ok(Self { pool, queue, vault })
    }

    /// What seals and opens.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// A transaction that sees `partner` and nothing else. Dropping it rolls back.
    pub async fn begin(&self, partner: PartnerId) -> Result<Tx> {
        // One trip for both. A UUID's text has nothing that SQL could mistake.
        let begin = format!("begin; set local postern.partner = '{partner}'");
        Ok(Tx::of(
            self.begun(begin).await?,
            partner,
            self.vault.clone(),
        ))
    }

    /// A transaction without partner, for what has a key of its own: a state, a link, a home
    /// tenant. `name` is the setting without its prefix.
    pub(crate) async fn begin_with_key(
        &self,
        name: &str,
        value: &str,
    ) -> Result<Transaction<'static, Postgres>> {
        let mut tx = self.begun("begin".to_owned()).await?;
        set(&mut tx, name, value).await?;
        Ok(tx)
    }

    /// Begins with `statement`, in a task of its own: who asks may be given up at any moment (a
    /// browser goes away), and a `begin` that the driver was not let finish would go back to the
    /// pool as an open transaction.
    async fn begun(&self, statement: String) -> Result<Transaction<'static, Postgres>> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await });
        // It panics only while the runtime ends, and with it whoever asks.
        Ok(begun.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
    }

    /// Goes on in a transaction with a key as one of the partner that the key led to.
    pub(crate) async fn carry_on(
        &self,
        tx: Transaction<'static, Postgres>,
        partner: PartnerId,
    ) -> Result<Tx> {
        let mut tx = Tx::of(tx, partner, self.vault.clone());
        tx.carries().await?;
        Ok(tx)
    }

    /// Where the cookie's sessions are kept.
    pub fn sessions(&self) -> SessionStore {
        SessionStore::new(self.pool.clone())
    }

    /// Options of the job queue's worker with its database set: the one way in which a pool
    /// leaves this crate. Jobs carry their partner in their payload.
    ///
    /// The queue has connections of its own: each of its places asks for a job by itself, all at
    /// the same moment, and would spread the pages over as many connections as there are places,
    /// each of which plans every query anew.
    pub fn worker_options(&self) -> WorkerOptions {
        WorkerOptions::default()
            .schema(jobs::SCHEMA)
            .pg_pool(self.queue.clone())
    }

    /// Closes all connections, after what runs has ended.
    pub async fn close(&self) {
        self.queue.close().await;
        self.pool.close().await;
    }
}

/// Who can read what travels to the database, and answer in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseTls {
    /// Nobody: it does not leave this machine.
    ThisMachine,
    /// Nobody: the certificate must fit the host's name.
    Verified,
    /// Whoever stands between.
    Unverified,
}

/// What a database URL says about encryption. A URL of another machine that does not say
/// anything is held to a certificate.
pub fn database_tls(url: &SecretString) -> Result<DatabaseTls> {
    Ok(tls_of(&options(url)?))
}

fn tls_of(options: &PgConnectOptions) -> DatabaseTls {
    let host = options.get_host();
    let loopback = host == "localhost"
        || host.starts_with('/')
        || IpAddr::from_str(host.trim_matches(['[', ']'])).is_ok_and(|ip| ip.is_loopback());
    match options.get_ssl_mode() {
        _ if loopback || options.get_socket().is_some() => DatabaseTls::ThisMachine,
        PgSslMode::VerifyFull => DatabaseTls::Verified,
        _ => DatabaseTls::Unverified,
    }
}

/// Reads a database URL. The error never repeats it: it holds a password.
pub(crate) fn options(url: &SecretString) -> Result<PgConnectOptions> {
    let text = url.expose_secret();
    let says = ["sslmode=", "ssl-mode="]
        .iter()
        .any(|word| text.contains(word))
        || std::env::var_os("PGSSLMODE").is_some();
    let known = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    // The driver itself takes any scheme.
    known
        .then(|| PgConnectOptions::from_str(text).ok())
        .flatten()
        .map(|options| options.application_name("postern"))
        .map(|options| match tls_of(&options) {
            DatabaseTls::Unverified if !says => options.ssl_mode(PgSslMode::VerifyFull),
            _ => options,
        })
        .ok_or_else(|| Error::Refused {
            why: "the database URL is not of the form postgres://user:password@host:port/database"
                .into(),
        })
}

/// Sets `postern.<name>` until the end of the transaction.
pub(crate) async fn set(connection: &mut PgConnection, name: &str, value: &str) -> Result<()> {
    sqlx::query("select set_config('postern.' || $1, $2, true)")
        .bind(name)
        .bind(value)
        .execute(connection)
        .await?;
    Ok(())
}

/// A transaction that carries one partner. Nothing is kept until [`Tx::commit`].
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    partner: PartnerId,
    pub(crate) vault: Vault,
    /// Setups that this transaction holds the lock of.
    pub(crate) locked: HashSet<SetupId>,
    /// New ends of histories, for the log.
    pub(crate) heads: Vec<NewHead>,
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("partner", &self.partner)
            .finish_non_exhaustive()
    }
}

impl Tx {
    /// `inner` as one of a partner, which the database is told by [`Self::carries`] or was already.
    pub(crate) fn of(
        inner: Transaction<'static, Postgres>,
        partner: PartnerId,
        vault: Vault,
    ) -> Self {
        Self {
            inner,
            partner,
            vault,
            locked: HashSet::new(),
            heads: Vec::new(),
        }
    }

    /// Tells the database whose transaction this is.
    pub(crate) async fn carries(&mut self) -> Result<()> {
        let partner = self.partner.to_string();
        set(self.conn(), "partner", &partner).await
    }

    /// Whose data this transaction sees.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    /// Keeps all that was written, sends the notices, and tells the log of new ends of histories.
    pub async fn commit(self) -> Result<()> {
        let Self { inner, heads, .. } = self;
        inner.commit().await?;
        history::tell(&heads);
        Ok(())
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

#[cfg(test)]
#[path = "tx_tests.rs"]
mod tests;
