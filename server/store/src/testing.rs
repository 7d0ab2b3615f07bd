//! A fresh, migrated database per test.
//!
//! `POSTERN_TEST_DATABASE_URL` names a Postgres and a superuser there. Tests work as two roles
//! without privileges, as in production: one owns the tables, the other serves.

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
/// Of both roles; they exist on test clusters only.
const PASSWORD: &str = "test";
/// One at a time prepares roles and the template.
const LOCK: i64 = 0x706f_7374_6572_6e02;

/// A database of its own, removed when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    admin: PgConnectOptions,
    name: String,
    /// As the owner of the tables.
    pub owner_url: SecretString,
    /// As the role of the server.
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
    /// Copies the migrated template, which the first test makes.
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

    /// A store as the server has it, with a key of its own.
    pub async fn store(&self) -> Result<Store> {
        Store::connect(&self.server_url, 8, vault()?).await
    }

    /// A connection as the owner, who sees past nothing but may read all.
    pub async fn owner(&self) -> Result<PgConnection> {
        connect(&self.owner_url).await
    }

    /// A connection as the server's role.
    pub async fn server(&self) -> Result<PgConnection> {
        connect(&self.server_url).await
    }

    /// A connection as the superuser, for what nobody else can do.
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

/// The key ring of test stores: the same for all, so that one can read what another wrote.
pub fn vault() -> Result<Vault> {
    Vault::parse(&SecretString::from(RING)).map_err(|error| refused(error.to_string()))
}

async fn connect(url: &SecretString) -> Result<PgConnection> {
    Ok(PgConnection::connect_with(&crate::tx::options(url)?).await?)
}

/// Makes roles and the template where they are not there. Gives the template's name.
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
    // Other migrations, another template.
    let template = format!("postern_template_{}", migrate::fingerprint());
    let there: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(&template)
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        // Built under another name first: a template that was cut short must not be taken.
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
    /// In a thread of its own: dropping happens within a runtime that cannot wait here. Whatever
    /// fails leaves a database on a test cluster, no more.
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
