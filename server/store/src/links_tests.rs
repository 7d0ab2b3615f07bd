#![allow(clippy::unwrap_used)]

use crate::{
    Error, Link, Voided,
    test_data::{NOW, World},
};

async fn peek(world: &World, token: &str) -> Link {
    world.store.peek_link(token).await.unwrap().unwrap().1
}

#[tokio::test]
async fn security_f01_a_link_is_read_by_whoever_holds_it_and_changed_only_by_its_partner() {
    let world = World::new().await;
    let (store, record) = (&world.store, world.a.customer.record());
    let end = NOW.plus_seconds(3600);
    let mut tx = store.begin(record.partner).await.unwrap();
    let refused = tx
        .make_link(&world.a.reader(), "no", world.a.owner.id, NOW, end)
        .await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    tx.make_link(&world.a.customer, "one", world.a.owner.id, NOW, end)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(store.peek_link("unknown").await.unwrap().is_none());
    let (tx, link) = store.peek_link("one").await.unwrap().unwrap();
    assert_eq!((tx.partner(), link.customer), (record.partner, record.id));
    assert_eq!((link.made, link.until), (NOW, end));
    assert!(link.stands());
    // Reading did not use the link.
    assert!(peek(&world, "one").await.stands());
    let mut server = world.database.server().await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from links")
        .fetch_one(&mut server)
        .await
        .unwrap();
    assert_eq!(seen, 0);
    // The link alone does not permit a change.
    let changed = sqlx::query(
        "with key as (select set_config('postern.link', encode(sha256('one'), 'hex'), false) as k)
         update links set used_at = now() from key where token_hash = decode(key.k, 'hex')",
    )
    .execute(&mut server)
    .await
    .unwrap();
    assert_eq!(changed.rows_affected(), 0);
    assert!(peek(&world, "one").await.stands());
}

#[tokio::test]
async fn security_f01_a_link_is_used_once_or_taken_back() {
    let world = World::new().await;
    let access = &world.a.customer;
    let end = NOW.plus_seconds(3600);
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    for token in ["used", "revoked", "gone"] {
        tx.make_link(access, token, world.a.owner.id, NOW, end)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let id = async |token| peek(&world, token).await.id;
    let (used, revoked) = (id("used").await, id("revoked").await);

    let mut tx = world.store.begin(access.partner()).await.unwrap();
    tx.note_link_asked(access, used, NOW).await.unwrap();
    tx.note_link_refused(access, used, NOW).await.unwrap();
    let open = tx.open_links(access, NOW).await.unwrap();
    assert_eq!(open.len(), 3);
    let row = open.iter().find(|row| row.id == used).unwrap();
    assert_eq!((row.asked, row.refused), (Some(NOW), Some(NOW)));
    assert!(tx.open_links(access, end).await.unwrap().is_empty());
    assert!(tx.use_link(access, used, NOW).await.unwrap());
    assert!(!tx.use_link(access, used, NOW).await.unwrap());
    assert!(!tx.revoke_link(access, used, NOW).await.unwrap());
    assert!(tx.revoke_link(access, revoked, NOW).await.unwrap());
    assert!(!tx.use_link(access, revoked, NOW).await.unwrap());
    assert_eq!(tx.void_links_of_customer(access, NOW).await.unwrap(), 1);
    assert!(tx.open_links(access, NOW).await.unwrap().is_empty());
    // A proof for another customer does not open the link.
    let other = tx.link(&world.b.customer, used).await;
    assert!(matches!(other, Err(Error::NotFound)));
    tx.commit().await.unwrap();

    assert_eq!(peek(&world, "used").await.used, Some(NOW));
    let voided = async |token| peek(&world, token).await.voided;
    assert_eq!(voided("revoked").await, Some((NOW, Voided::Revoked)));
    assert_eq!(voided("gone").await, Some((NOW, Voided::Disconnected)));
}
