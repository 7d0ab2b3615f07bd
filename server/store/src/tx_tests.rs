#![allow(clippy::unwrap_used)]

use super::*;
use crate::test_data::{NOW, World, plan, setup_id};

#[tokio::test]
async fn what_is_not_committed_never_was() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    tx.start_setup(access, setup_id(), &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    assert_eq!(tx.partner(), access.partner());
    drop(tx);
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    assert_eq!(tx.setups_of_customer(access).await.unwrap(), []);
}

#[tokio::test]
async fn a_lost_connection_is_told_apart_and_the_next_one_works() {
    let world = World::new().await;
    let partner = world.a.owner.partner;
    let mut tx = world.store.begin(partner).await.unwrap();
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let lost = tx.counts().await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    drop(tx);
    let mut tx = world.store.begin(partner).await.unwrap();
    assert_eq!(tx.counts().await.unwrap().customers, 1);
    tx.commit().await.unwrap();
    world.store.close().await;
    let closed = world.store.ping().await;
    assert!(matches!(closed, Err(Error::Unavailable(_))), "{closed:?}");
}

/// A process that hangs in the middle of a change must not hold its lock for ever, and a statement
/// must not run for ever.
#[tokio::test]
async fn sessions_have_time_limits() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    for (name, expected) in [
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "1min"),
    ] {
        let set: String = sqlx::query_scalar("select current_setting($1)")
            .bind(name)
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(set, expected);
    }
}

/// A request may be cancelled at any moment, also while its transaction begins.
#[tokio::test]
async fn who_gives_up_while_it_begins_leaves_no_open_transaction() {
    let world = World::new().await;
    let partner = world.a.owner.partner;
    let mut superuser = world.database.superuser().await.unwrap();
    let mut given_up = 0;
    for turn in 0..120 {
        let mut begun = Box::pin(world.store.begin(partner));
        let mut is_there = false;
        for _ in 0..turn % 8 {
            is_there = futures::poll!(&mut begun).is_ready();
            if is_there {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(begun);
        if is_there {
            continue;
        }
        given_up += 1;
        // The connection is back in the pool before another caller gets it.
        let pool = &world.store.pool;
        for _ in 0..1000 {
            if pool.num_idle() == usize::try_from(pool.size()).unwrap() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // A transaction that begins only now ends at once. A transaction that nobody holds stays
        // open.
        let mut open = -1;
        for _ in 0..200 {
            open = sqlx::query_scalar::<_, i64>(
                "select count(*) from pg_stat_activity
                 where datname = current_database() and state like 'idle in transaction%'",
            )
            .fetch_one(&mut superuser)
            .await
            .unwrap();
            if open == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(open, 0, "nobody holds it, and it is open: turn {turn}");
    }
    assert!(given_up > 10, "{given_up} of 120 were given up");
}
