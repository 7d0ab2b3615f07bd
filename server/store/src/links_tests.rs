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
        .make_link(&world.a.reader(), "no", world.a.owner.id, end)
        .await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    for token in ["one", "two"] {
        tx.make_link(&world.a.customer, token, world.a.owner.id, end)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let expected = Some((record.partner, record.id));
    assert_eq!(store.take_link("unknown", NOW).await.unwrap(), None);
    assert_eq!(store.take_link("one", NOW).await.unwrap(), expected);
    assert_eq!(store.take_link("one", NOW).await.unwrap(), None);
    assert_eq!(store.take_link("two", end).await.unwrap(), None);
    let mut server = world.database.server().await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from links")
        .fetch_one(&mut server)
        .await
        .unwrap();
    assert_eq!(seen, 0);
}
