//! Migrations: Postern's tables, the job queue's tables, and the server role's rights on both.

use std::collections::BTreeSet;

use graphile_worker::WorkerUtils;
use secrecy::SecretString;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, migrate::Migrator, postgres::PgPoolOptions,
};

use crate::{Error, Result, jobs, tx::options};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// The server's role when no other is configured.
pub const SERVER_ROLE: &str = "postern_server";

/// Advisory lock: two processes that migrate at once take turns.
const LOCK: i64 = 0x706f_7374_6572_6e01;

/// The rights of the server's role, by table. The server has no other rights. History can be read
/// and added to. A plan cannot be changed.
const GRANTS: &[(&str, &str)] = &[
    ("_sqlx_migrations", "select"),
    ("partners", "select, insert, update (name)"),
    (
        "operators",
        "select, insert, update (name, upn, role, guest, last_seen_at)",
    ),
    (
        "operator_sessions",
        "select, insert, update (last_use_at, home_token, asked_at, unanswered_at), delete",
    ),
    ("sessions", "select, insert, update, delete"),
    ("sign_ins", "select, insert, delete"),
    ("customers", "select, insert, update (name, domain)"),
    (
        "connections",
        "select, insert, update (way, account_upn, account_oid, operator_id, scopes, refresh_token, key_id, \
         problem, note, consented_at, last_success_at, disconnected_at, token_version)",
    ),
    (
        "links",
        "select, insert, update (used_at, voided_at, voided_why, asked_at, refused_at)",
    ),
    (
        "setups",
        "select, insert, update (intent, state, proof, showed, judged, doing, ended_at, version, \
         next_look_at, secret_given)",
    ),
    ("steps", "select, insert, update (kind, body)"),
    (
        "secrets",
        "select, insert, update (sealed, expires_at), delete",
    ),
    ("events", "select, insert"),
    ("partner_events", "select, insert"),
    (
        "fleet_scans",
        "select, insert, update (ended_at, cancelled)",
    ),
    (
        "scans",
        "select, insert, update (due_at, asked, asked_again, lease, lease_until, fleet_id, ended_at, \
         outcome, problem, parts, read_at, reach, names, changes, mailboxes, mailboxes_at, kept, known, \
         tries)",
    ),
    ("reaches", "select, insert, delete"),
    ("reach_delegated", "select, insert, delete"),
    (
        "reach_sums",
        "select, insert, update (app_id, name, publisher, power, unrestricted, all_except, \
         unknown, confined, nothing, confinable), delete",
    ),
    (
        "reach_days",
        "select, insert, update (power, unrestricted, all_except, unknown, confined, proven, \
         nothing), delete",
    ),
];

/// The same rights as lines of `table right` and `table right(column)`, including the job queue's.
pub(crate) fn allowed() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (table, rights) in GRANTS {
        // `update (a, b)` is one right on two columns.
        let mut rest = *rights;
        while !rest.is_empty() {
            let end = match (rest.find(','), rest.find('(')) {
                (Some(comma), Some(bracket)) if bracket < comma => {
                    rest.find(')').map_or(rest.len(), |end| end + 1)
                }
                (Some(comma), _) => comma,
                (None, _) => rest.len(),
            };
            let (one, more) = rest.split_at(end);
            rest = more.trim_start_matches([',', ' ']);
            match one.split_once('(') {
                None => {
                    all.insert(format!("{table} {}", one.trim()));
                }
                Some((right, columns)) => {
                    for column in columns.trim_end_matches(')').split(',') {
                        all.insert(format!("{table} {}({})", right.trim(), column.trim()));
                    }
                }
            }
        }
    }
    for table in QUEUE_TABLES {
        for right in ["select", "insert", "update", "delete"] {
            all.insert(format!("{}.{table} {right}", jobs::SCHEMA));
        }
    }
    all.insert(format!("{}.migrations select", jobs::SCHEMA));
    all
}

/// The job queue's tables in the version that this binary uses, without its migrations table.
const QUEUE_TABLES: [&str; 7] = [
    "_private_job_queues",
    "_private_job_retirements",
    "_private_jobs",
    "_private_known_crontabs",
    "_private_tasks",
    "_private_workers",
    // A view of these tables.
    "jobs",
];

/// Number of the newest migration that this binary knows.
pub(crate) fn newest_migration() -> i64 {
    MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default()
}

/// Runs the migrations up to number `newest`, as an earlier version did.
#[cfg(test)]
pub(crate) async fn up_to(newest: i64, connection: &mut PgConnection) -> Result<()> {
    let some = MIGRATOR.iter().filter(|one| one.version <= newest);
    let migrator = Migrator::with_migrations(some.cloned().collect());
    migrator.run(connection).await.map_err(migration)
}

/// Identifies the migrations and grants of this binary: the same text means the same database.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn fingerprint() -> String {
    use sha2::{Digest as _, Sha256};
    let mut hasher = Sha256::new();
    for migration in MIGRATOR.iter() {
        hasher.update(&migration.checksum);
    }
    for (table, what) in GRANTS {
        hasher.update(table);
        hasher.update(what);
    }
    let all = crate::sign_ins::hex(&hasher.finalize());
    all.chars().take(16).collect()
}

/// Migrates the database to what this binary needs, as its owner, and grants `server_role` what the
/// server needs. Can be run again at any time, also while servers run.
///
/// The role must exist: creating a role needs a password, and is left to the database's
/// administrator.
pub async fn migrate(owner_url: &SecretString, server_role: &str) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect_with(options(owner_url)?)
        .await?;
    let done = run(&pool, server_role).await;
    pool.close().await;
    done
}

/// The role that a database URL names.
pub fn role_of(url: &SecretString) -> Result<String> {
    Ok(options(url)?.get_username().to_owned())
}

async fn run(pool: &PgPool, server_role: &str) -> Result<()> {
    let mut connection = pool.acquire().await?;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await?;
    check_role(&mut connection, server_role).await?;
    MIGRATOR.run(&mut *connection).await.map_err(migration)?;
    WorkerUtils::new(pool.clone(), jobs::SCHEMA)
        .migrate()
        .await
        .map_err(|error| Error::Refused {
            why: format!("the job queue's tables could not be made: {error}"),
        })?;
    grant(&mut connection, server_role).await
    // The pool is closed next, which releases the lock.
}

fn migration(error: sqlx::migrate::MigrateError) -> Error {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => error.into(),
        other => Error::Refused {
            why: format!("the migrations could not be run: {other}"),
        },
    }
}

async fn check_role(connection: &mut PgConnection, server_role: &str) -> Result<()> {
    let (exists, is_owner): (bool, bool) = sqlx::query_as(
        "select exists (select from pg_roles where rolname = $1), $1 = current_user::text",
    )
    .bind(server_role)
    .fetch_one(connection)
    .await?;
    if !exists {
        return Err(Error::Refused {
            why: format!(
                "there is no database role {server_role}: make one with LOGIN and a password, and nothing else"
            ),
        });
    }
    if is_owner {
        return Err(Error::Refused {
            why: format!(
                "{server_role} is the owner's own role; the server needs one that owns nothing"
            ),
        });
    }
    Ok(())
}

/// Revokes all rights of `role` and grants the needed ones, in one transaction.
async fn grant(connection: &mut PgConnection, server_role: &str) -> Result<()> {
    let role = quoted(server_role);
    let mut tx = connection.begin().await?;
    let mut statements = vec![
        "revoke create on schema public from public".to_owned(),
        format!("revoke create on schema public from {role}"),
        format!("grant usage on schema public to {role}"),
    ];
    for relation in ours(&mut tx).await? {
        statements.push(format!("revoke all on {relation} from public, {role}"));
    }
    for (table, what) in GRANTS {
        statements.push(format!("grant {what} on {table} to {role}"));
    }
    let schema = jobs::SCHEMA;
    statements.push(format!("grant usage on schema {schema} to {role}"));
    for table in QUEUE_TABLES {
        statements.push(format!(
            "grant select, insert, update, delete on {schema}.{table} to {role}"
        ));
    }
    // The worker runs the job queue but must not be able to fake a migration, so it may only read
    // this table.
    statements.push(format!("grant select on {schema}.migrations to {role}"));
    for sequence in sequences(&mut tx).await? {
        statements.push(format!("grant usage on sequence {sequence} to {role}"));
    }
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *tx)
            .await?;
    }
    // The queue's tables have row-level security switched on and no policy, which hides all rows
    // from everybody but the owner. A job belongs to whichever worker takes it.
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and c.relkind in ('r', 'p') and c.relrowsecurity
           and pg_has_role(c.relowner, 'usage')",
    )
    .bind(schema)
    .fetch_all(&mut *tx)
    .await?;
    for table in tables {
        for statement in [
            format!("drop policy if exists postern_server on {table}"),
            format!(
                "create policy postern_server on {table} to {role} using (true) with check (true)"
            ),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Tables and views of both schemas that this role owns. Only their owner may grant and revoke
/// rights on the others, and an extension's objects belong to the extension. The guard checks what
/// those let the server do.
async fn ours(connection: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "select c.oid::regclass::text
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('public', $1) and c.relkind in ('r', 'p', 'v', 'm', 'f')
           and pg_has_role(c.relowner, 'usage')
           and not exists (select from pg_depend d
                           where d.classid = 'pg_class'::regclass and d.objid = c.oid
                             and d.objsubid = 0 and d.deptype = 'e')
         order by 1",
    )
    .bind(jobs::SCHEMA)
    .fetch_all(connection)
    .await?)
}

/// The job queue's sequences.
async fn sequences(connection: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "select c.oid::regclass::text
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and c.relkind = 'S' and pg_has_role(c.relowner, 'usage')
         order by 1",
    )
    .bind(jobs::SCHEMA)
    .fetch_all(connection)
    .await?)
}

/// Quotes a name for SQL, whatever characters it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A connection as the owner, for what only the owner may read.
pub(crate) async fn owner_connection(owner_url: &SecretString) -> Result<PgConnection> {
    Ok(PgConnection::connect_with(&options(owner_url)?).await?)
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
