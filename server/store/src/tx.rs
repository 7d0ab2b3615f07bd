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

/// How long a caller waits for a free connection, or for an unreachable database.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connections of the job queue. One of them listens.
const QUEUE_CONNECTIONS: u32 = 8;

/// The database, as the server's role. Cheap to clone. Only the driver of the job queue gets a pool
/// outside this crate.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    /// The job queue's own pool. It connects when a worker starts.
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
    /// Refuses ([`Error::Refused`]) to work as a role that could bypass row-level security: a
    /// superuser, a role with `BYPASSRLS`, an owner of the tables, or a member of such a role. Also
    /// refuses a database whose migrations are not those of this binary.
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

    /// The vault that encrypts and decrypts stored secrets.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// A transaction that sees only `partner`. Dropping it rolls back.
    pub async fn begin(&self, partner: PartnerId) -> Result<Tx> {
        // One round trip for both statements. The text of a UUID holds nothing that SQL could
        // misread.
        let begin = format!("begin; set local postern.partner = '{partner}'");
        Ok(Tx::of(
            self.begun(begin).await?,
            partner,
            self.vault.clone(),
        ))
    }

    /// A transaction without a partner, for rows with a key of their own: a state, a link, a home
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

    /// Begins a transaction with `statement`, in a separate task. The caller may be cancelled at
    /// any moment (a browser goes away), and a `begin` that the driver could not finish would go
    /// back to the pool as an open transaction.
    async fn begun(&self, statement: String) -> Result<Transaction<'static, Postgres>> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await });
        // The task panics only while the runtime shuts down, which ends the caller too.
        Ok(begun.await.map_err(|_| sqlx::Error::WorkerCrashed)??)
    }

    /// Turns a transaction with a key into a transaction of the partner that the key led to.
    pub(crate) async fn carry_on(
        &self,
        tx: Transaction<'static, Postgres>,
        partner: PartnerId,
    ) -> Result<Tx> {
        let mut tx = Tx::of(tx, partner, self.vault.clone());
        tx.carries().await?;
        Ok(tx)
    }

    /// The store of the cookie's sessions.
    pub fn sessions(&self) -> SessionStore {
        SessionStore::new(self.pool.clone())
    }

    /// Options of the job queue's worker with its database set. Only here does a pool leave this
    /// crate. Jobs carry their partner in their payload.
    ///
    /// The queue has connections of its own. All of its slots ask for a job independently, at the
    /// same moment. In a shared pool they would spread the pages over as many connections as there
    /// are slots, and each connection plans every query anew.
    pub fn worker_options(&self) -> WorkerOptions {
        WorkerOptions::default()
            .schema(jobs::SCHEMA)
            .pg_pool(self.queue.clone())
    }

    /// Closes all connections after the running queries have ended.
    pub async fn close(&self) {
        self.queue.close().await;
        self.pool.close().await;
    }
}

/// Who can read the traffic to the database, and answer in the database's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseTls {
    /// Nobody: the traffic does not leave this machine.
    ThisMachine,
    /// Nobody: the certificate must match the host's name.
    Verified,
    /// Anybody on the network path.
    Unverified,
}

/// What a database URL says about encryption. For another machine the default is a verified
/// certificate.
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

/// Reads a database URL. The error never repeats the URL, which holds a password.
pub(crate) fn options(url: &SecretString) -> Result<PgConnectOptions> {
    let text = url.expose_secret();
    let says = ["sslmode=", "ssl-mode="]
        .iter()
        .any(|word| text.contains(word))
        || std::env::var_os("PGSSLMODE").is_some();
    let known = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    // The driver itself accepts any scheme.
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

/// A transaction that carries one partner. Nothing is stored until [`Tx::commit`].
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    partner: PartnerId,
    pub(crate) vault: Vault,
    /// Setups whose lock this transaction holds.
    pub(crate) locked: HashSet<SetupId>,
    /// New last entries of histories, for the log.
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
    /// Makes `inner` a transaction of a partner. The database is told the partner by
    /// [`Self::carries`], or knows it already.
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

    /// Tells the database the partner of this transaction.
    pub(crate) async fn carries(&mut self) -> Result<()> {
        let partner = self.partner.to_string();
        set(self.conn(), "partner", &partner).await
    }

    /// The partner whose data this transaction sees.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    /// Commits, which sends the notices, and then writes new last entries of histories to the log.
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
