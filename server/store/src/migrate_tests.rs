#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{SERVER, TestDatabase};

/// A row in every table, as version 24 wrote them.
const FILLED: &str = include_str!("migrate_filled_24.sql");

async fn counts(connection: &mut PgConnection) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables
         where schemaname = 'public' and tablename <> '_sqlx_migrations' order by 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        let count = sqlx::query_scalar(count).fetch_one(&mut *connection).await;
        counts.push((table, count.unwrap()));
    }
    counts
}

/// The owner is no superuser: where row-level security is forced, the owner sees and changes no
/// row.
#[tokio::test]
async fn security_f16_a_database_in_use_is_brought_to_the_newest_version() {
    let database = TestDatabase::of_version(24).await.unwrap();
    let mut all = database.superuser().await.unwrap();
    sqlx::raw_sql(FILLED).execute(&mut all).await.unwrap();
    let before = counts(&mut all).await;
    for (table, count) in &before {
        assert_eq!(*count, 1, "{table}");
    }

    migrate(&database.owner_url, SERVER).await.unwrap();
    let after = counts(&mut all).await;
    for row in &before {
        assert!(after.contains(row), "{row:?} became {after:?}");
    }
    let right: bool = sqlx::query_scalar(
        "select (select bool_and(made_at = expires_at - interval '7 days') from links)
            and (select bool_and(asked_at = signed_in_at and unanswered_at is null)
                 from operator_sessions)
            and (select bool_and(actor_key = '7b0b3c52-5b0a-4b7e-8d86-000000000003') from events)
            and (select bool_and(c.relforcerowsecurity) from pg_class c
                 where c.oid in ('links'::regclass, 'operator_sessions'::regclass))",
    )
    .fetch_one(&mut all)
    .await
    .unwrap();
    assert!(right);
    // The server accepts the database, and a second migration changes nothing.
    database.store().await.unwrap();
    migrate(&database.owner_url, SERVER).await.unwrap();
}
