#![allow(clippy::unwrap_used, clippy::panic)]

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::test_data::{NOW, World};

async fn run(database: &mut PgConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(database)
        .await
        .unwrap();
}

async fn count(database: &mut PgConnection, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(database)
        .await
        .unwrap()
}

/// Sign-ins that expired an hour before, many of them at the same moment, and one that has not
/// expired.
async fn put_sign_ins(database: &mut PgConnection, many: i64) {
    run(
        database,
        &format!(
            "insert into sign_ins (state_hash, browser_hash, purpose, nonce, pkce_verifier, return_to,
                                   created_at, expires_at)
             select sha256(g::text::bytea), sha256(g::text::bytea), 'sign_in', 'n', '', '/', at, at
             from generate_series(0, {many}) g,
                  lateral (select to_timestamp({0} + case when g = 0 then 60 else -3600 - g % 3 end)) t(at)",
            NOW.millis() / 1000
        ),
    )
    .await;
}

async fn put_sessions(database: &mut PgConnection, many: i64) {
    run(
        database,
        &format!(
            "insert into sessions (id_hash, record, expires_at)
             select sha256(g::text::bytea), '', to_timestamp({0} + case when g = 0 then 60 else -3600 - g % 3 end)
             from generate_series(0, {many}) g",
            NOW.millis() / 1000
        ),
    )
    .await;
}

/// Makes the database refuse to delete one row, and so the portion that contains it.
async fn hold_on_to(database: &mut PgConnection, table: &str, column: &str, number: i64) {
    run(
        database,
        "create function stays() returns trigger language plpgsql as
             $$ begin raise exception 'this one stays'; end $$",
    )
    .await;
    run(
        database,
        &format!(
            "create trigger stays before delete on {table} for each row
             when (old.{column} = sha256('{number}'::bytea)) execute function stays()"
        ),
    )
    .await;
}

#[tokio::test]
async fn security_f03_sign_ins_are_purged_in_portions_until_none_is_left() {
    let world = World::new().await;
    let mut database = world.database.superuser().await.unwrap();
    put_sign_ins(&mut database, 23).await;
    assert_eq!(world.store.purge_sign_ins_by(4, NOW).await.unwrap(), 23);
    assert_eq!(count(&mut database, "sign_ins").await, 1, "it is not over");
    database.close().await.unwrap();
}

#[tokio::test]
async fn security_f03_a_portion_that_fails_keeps_no_other_from_going() {
    let world = World::new().await;
    let mut database = world.database.superuser().await.unwrap();
    put_sign_ins(&mut database, 23).await;
    hold_on_to(&mut database, "sign_ins", "state_hash", 11).await;
    assert!(
        world.store.purge_sign_ins_by(4, NOW).await.is_err(),
        "what failed is told"
    );
    let left = count(&mut database, "sign_ins").await;
    assert!((2..=5).contains(&left), "{left} are left");
    run(&mut database, "drop trigger stays on sign_ins").await;
    world.store.purge_sign_ins_by(4, NOW).await.unwrap();
    assert_eq!(count(&mut database, "sign_ins").await, 1);
    database.close().await.unwrap();
}

#[tokio::test]
async fn security_f03_sessions_are_purged_in_portions_until_none_is_left() {
    let world = World::new().await;
    let mut database = world.database.superuser().await.unwrap();
    put_sessions(&mut database, 23).await;
    // The lists name sessions that never existed, and one session that exists.
    let me = world.a.owner.id;
    run(
        &mut database,
        &format!(
            "insert into operator_sessions (id, partner_id, operator_id, session_hash, device,
                                            signed_in_at, last_use_at, asked_at)
             select gen_random_uuid(), '{}', '{me}', sha256((case when g = 0 then '0' else 'gone ' || g end)::bytea),
                    '', at, at, at
             from generate_series(0, 9) g, lateral (select to_timestamp({}) - interval '2 days') t(at)",
            world.a.owner.partner,
            NOW.millis() / 1000
        ),
    )
    .await;
    hold_on_to(&mut database, "sessions", "id_hash", 11).await;
    assert!(world.store.purge_sessions_by(4, NOW).await.is_err());
    let left = count(&mut database, "sessions").await;
    assert!((2..=5).contains(&left), "{left} are left");
    assert_eq!(
        count(&mut database, "operator_sessions").await,
        1,
        "what failed keeps nothing else from going"
    );
    run(&mut database, "drop trigger stays on sessions").await;
    world.store.purge_sessions_by(4, NOW).await.unwrap();
    assert_eq!(count(&mut database, "sessions").await, 1);
    database.close().await.unwrap();
}
