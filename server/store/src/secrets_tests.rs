#![allow(clippy::unwrap_used)]

use domain::view::SecretState;

use super::*;
use crate::test_data::{NOW, World, plan, setup_id};

#[tokio::test]
async fn is_kept_until_it_is_forgotten_or_over_its_time() {
    let world = World::new().await;
    let access = &world.a.customer;
    let until = NOW.plus_seconds(24 * 3600);
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let id = setup_id();
    tx.start_setup(access, id, &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    let given = ClientSecret::parse("Q~8x.secret").unwrap();
    tx.put_secret(access, id, &given, until).await.unwrap();
    let record = tx.setup(access, id).await.unwrap().unwrap();
    assert_eq!(record.secret, SecretState::KeptUntil { until });
    assert_eq!(record.version, 2);
    assert_eq!(
        tx.secret(access, id, NOW).await.unwrap(),
        Some((given, until))
    );
    assert_eq!(tx.secret(access, id, until).await.unwrap(), None);
    let reader = tx.secret(&world.a.reader(), id, NOW).await;
    assert!(matches!(reader, Err(Error::Forbidden)));
    let better = ClientSecret::parse("another").unwrap();
    tx.put_secret(access, id, &better, until).await.unwrap();
    assert_eq!(
        tx.secret(access, id, NOW).await.unwrap(),
        Some((better.clone(), until))
    );
    tx.commit().await.unwrap();

    let store = &world.store;
    assert_eq!(store.expired_secrets(NOW).await.unwrap(), []);
    assert_eq!(
        store.expired_secrets(until).await.unwrap(),
        [(access.partner(), access.record().id, id)]
    );
    let mut tx = store.begin(access.partner()).await.unwrap();
    assert!(tx.forget_secret(access, id).await.unwrap());
    assert!(!tx.forget_secret(access, id).await.unwrap());
    let record = tx.setup(access, id).await.unwrap().unwrap();
    assert_eq!(record.secret, SecretState::Gone);
    assert_eq!(record.version, 4);
    let nowhere = tx.put_secret(access, setup_id(), &better, until).await;
    assert!(matches!(nowhere, Err(Error::NotFound)));
    tx.commit().await.unwrap();

    let mut other = store.begin(world.b.owner.partner).await.unwrap();
    let foreign = other
        .put_secret(&world.b.customer, id, &better, until)
        .await;
    assert!(matches!(foreign, Err(Error::NotFound)));
}

#[tokio::test]
async fn lies_in_the_table_encrypted() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let id = setup_id();
    tx.start_setup(access, id, &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    let secret = ClientSecret::parse("findme").unwrap();
    tx.put_secret(access, id, &secret, NOW).await.unwrap();
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from secrets")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"findme"));
}
