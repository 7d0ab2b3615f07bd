#![allow(clippy::unwrap_used)]

use futures::StreamExt as _;
use tokio::time::timeout;

use super::*;
use crate::test_data::{NOW, World, plan, setup_id};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn tells_of_committed_changes_and_of_lost_connections() {
    let world = World::new().await;
    let (store, access) = (&world.store, &world.a.customer);
    let mut notices = std::pin::pin!(store.listen());
    let next = timeout(LONG, notices.next()).await.unwrap();
    assert_eq!(next, Some(Notice::Missed));

    let setup = setup_id();
    let mut tx = store.begin(access.partner()).await.unwrap();
    tx.start_setup(access, setup_id(), &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    drop(tx);
    let mut tx = store.begin(access.partner()).await.unwrap();
    tx.start_setup(access, setup, &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    let record = tx.lock_setup(access, setup).await.unwrap().unwrap();
    tx.save_setup(access, &record, "").await.unwrap();
    tx.commit().await.unwrap();
    let told = |version| Notice::Setup {
        partner: access.partner(),
        customer: access.record().id,
        setup,
        version,
    };
    for version in [1, 2] {
        let next = timeout(LONG, notices.next()).await.unwrap();
        assert_eq!(next, Some(told(version)));
    }

    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query like 'LISTEN%'",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let next = timeout(LONG, notices.next()).await.unwrap();
    assert_eq!(next, Some(Notice::Missed));
    let mut tx = store.begin(access.partner()).await.unwrap();
    let record = tx.lock_setup(access, setup).await.unwrap().unwrap();
    tx.save_setup(access, &record, "").await.unwrap();
    tx.commit().await.unwrap();
    let next = timeout(LONG, notices.next()).await.unwrap();
    assert_eq!(next, Some(told(3)));

    let (ended, ()) = tokio::join!(timeout(LONG, notices.next()), store.close());
    assert_eq!(ended.unwrap(), None);
}

#[test]
fn what_cannot_be_read_counts_as_missed() {
    assert_eq!(read("{\"v\": 2}"), Notice::Missed);
    assert_eq!(read(""), Notice::Missed);
}
