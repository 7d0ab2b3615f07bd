#![allow(clippy::unwrap_used)]

use crate::{
    Error,
    test_data::{NOW, World},
};

#[tokio::test]
async fn a_link_works_once_until_its_time_is_over() {
    let world = World::new().await;
    let (store, record) = (&world.store, world.a.customer.record());
    let end = NOW.plus_seconds(3600);
    let mut tx = store.begin(record.partner).await.unwrap();
    let refused = tx
        .make_link(&world.a.reader(), "no", world.a.owner.id, NOW, end)
        .await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    for token in ["one", "two"] {
        tx.make_link(&world.a.customer, token, world.a.owner.id, NOW, end)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    assert!(store.take_link("unknown", NOW).await.unwrap().is_none());
    // Dropped before it was committed: the link was not used.
    drop(store.take_link("one", NOW).await.unwrap().unwrap());
    let (tx, customer) = store.take_link("one", NOW).await.unwrap().unwrap();
    assert_eq!((tx.partner(), customer), (record.partner, record.id));
    tx.commit().await.unwrap();
    assert!(store.take_link("one", NOW).await.unwrap().is_none());
    assert!(store.take_link("two", end).await.unwrap().is_none());
    let mut server = world.database.server().await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from links")
        .fetch_one(&mut server)
        .await
        .unwrap();
    assert_eq!(seen, 0);
}
