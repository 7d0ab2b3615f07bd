//! A fresh, migrated database per test.
//!
//! `POSTERN_TEST_DATABASE_URL` names a Postgres and a superuser there. Tests use two roles without
//! privileges, as in production: one owns the tables, the other serves.

use std::{env, str::FromStr as _};

use secrecy::SecretString;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use uuid::Uuid;

use crate::{Error, Result, Store, Vault, migrate};

const SETTING: &str = "POSTERN_TEST_DATABASE_URL";
const OWNER: &str = "postern_test_owner";
pub(crate) const SERVER: &str = "postern_test_server";
/// The password of both roles. They exist on test clusters only.
const PASSWORD: &str = "test";
/// Advisory lock: one process at a time prepares the roles and the template.
const LOCK: i64 = 0x706f_7374_6572_6e02;

/// A database for one test. Dropping this value removes the database.
#[derive(Debug)]
pub struct TestDatabase {
    admin: PgConnectOptions,
    name: String,
    /// The URL of the tables' owner.
    pub owner_url: SecretString,
    /// The URL of the server's role.
    pub server_url: SecretString,
}

fn refused(why: impl Into<String>) -> Error {
    Error::Refused { why: why.into() }
}

fn url(admin: &PgConnectOptions, role: &str, database: &str) -> SecretString {
    let options = admin
        .clone()
        .username(role)
        .password(PASSWORD)
        .database(database);
    SecretString::from(options.to_url_lossy().to_string())
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await?;
    Ok(())
}

impl TestDatabase {
    /// Copies the migrated template. The first test creates the template.
    pub async fn create() -> Result<Self> {
        let setting = env::var(SETTING)
            .map_err(|_| refused(format!("{SETTING} is not set: `./dev test` sets it")))?;
        let admin = PgConnectOptions::from_str(&setting)?;
        let mut connection = PgConnection::connect_with(&admin).await?;
        sqlx::query("select pg_advisory_lock($1)")
            .bind(LOCK)
            .execute(&mut connection)
            .await?;
        let template = prepare(&mut connection, &admin).await?;
        let name = format!("postern_test_{}", Uuid::new_v4().simple());
        run(
            &mut connection,
            format!("create database {name} template {template} owner {OWNER}"),
        )
        .await?;
        connection.close().await?;
        Ok(Self {
            owner_url: url(&admin, OWNER, &name),
            server_url: url(&admin, SERVER, &name),
            admin,
            name,
        })
    }

    /// An empty database as an earlier version left it: with the migrations up to `newest`.
    #[cfg(test)]
    pub(crate) async fn of_version(newest: i64) -> Result<Self> {
        let database = Self::create().await?;
        let mut connection = PgConnection::connect_with(&database.admin).await?;
        let name = &database.name;
        run(
            &mut connection,
            format!("drop database {name} with (force)"),
        )
        .await?;
        run(
            &mut connection,
            format!("create database {name} owner {OWNER}"),
        )
        .await?;
        connection.close().await?;
        migrate::up_to(newest, &mut database.owner().await?).await?;
        Ok(database)
    }

    /// A store like the server's, with the test key ring.
    pub async fn store(&self) -> Result<Store> {
        Store::connect(&self.server_url, 8, vault()?).await
    }

    /// A connection as the owner, which may read all tables but does not bypass row-level security.
    pub async fn owner(&self) -> Result<PgConnection> {
        connect(&self.owner_url).await
    }

    /// A connection as the server's role.
    pub async fn server(&self) -> Result<PgConnection> {
        connect(&self.server_url).await
    }

    /// A connection as the superuser, for what no other role can do.
    pub async fn superuser(&self) -> Result<PgConnection> {
        let options = self.admin.clone().database(&self.name);
        Ok(PgConnection::connect_with(&options).await?)
    }

    /// The URL of the superuser.
    pub fn superuser_url(&self) -> SecretString {
        let options = self.admin.clone().database(&self.name);
        SecretString::from(options.to_url_lossy().to_string())
    }
}

/// The ring of [`vault`], as the setting of a process has it.
pub const RING: &str = "test:iSizq2GDdSHENlNMr7IU3rzZf7Mf3G8mdjqptlcjFPE=";

/// The key ring of test stores. All use the same ring, so that one store can read what another
/// wrote.
pub fn vault() -> Result<Vault> {
    Vault::parse(&SecretString::from(RING)).map_err(|error| refused(error.to_string()))
}

async fn connect(url: &SecretString) -> Result<PgConnection> {
    Ok(PgConnection::connect_with(&crate::tx::options(url)?).await?)
}

/// Creates the roles and the template where they are missing. Returns the template's name.
async fn prepare(connection: &mut PgConnection, admin: &PgConnectOptions) -> Result<String> {
    for role in [OWNER, SERVER] {
        let there: bool =
            sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
                .bind(role)
                .fetch_one(&mut *connection)
                .await?;
        if !there {
            run(
                connection,
                format!("create role {role} login password '{PASSWORD}' nosuperuser nobypassrls"),
            )
            .await?;
        }
    }
    // Other migrations need another template.
    let template = format!("postern_template_{}", migrate::fingerprint());
    let there: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(&template)
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        // The template is first built under another name, so that an interrupted build is never
        // used.
        let building = format!("{template}_building");
        run(
            connection,
            format!("drop database if exists {building} with (force)"),
        )
        .await?;
        run(
            connection,
            format!("create database {building} owner {OWNER}"),
        )
        .await?;
        migrate::migrate(&url(admin, OWNER, &building), SERVER).await?;
        run(
            connection,
            format!("alter database {building} rename to {template}"),
        )
        .await?;
    }
    Ok(template)
}

impl Drop for TestDatabase {
    /// Removes the database in a separate thread: dropping happens within a runtime that cannot
    /// wait here. A failure leaves a database on a test cluster, no more.
    fn drop(&mut self) {
        let admin = self.admin.clone();
        let statement = format!("drop database if exists {} with (force)", self.name);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let dropped = runtime.block_on(async {
                    let mut connection = PgConnection::connect_with(&admin).await?;
                    run(&mut connection, statement).await?;
                    connection.close().await?;
                    Ok::<_, Error>(())
                });
                if let Err(error) = dropped {
                    tracing::warn!(%error, "a test database was left behind");
                }
            }
        });
        let _ = thread.join();
    }
}
