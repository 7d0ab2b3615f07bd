#![allow(clippy::unwrap_used)]

use domain::problem::Remedy;
use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    Error, Store, Vault,
    test_data::{NOW, World},
};

async fn consent(tx: &mut Tx, access: &CustomerAccess, token: &str) -> Timestamp {
    tx.save_consent(
        access,
        Way::Link,
        "admin@fabrikam.example",
        ObjectId(Uuid::from_u128(3)),
        &["a".to_owned(), "b".to_owned()],
        &SecretString::from(token),
        NOW,
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn each_consent_is_later_than_the_one_before() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let first = consent(&mut tx, access, "first").await;
    assert_eq!(first, NOW);
    // The second consent comes at the same moment, or from a clock that is behind. Readers still
    // tell the two apart.
    let second = consent(&mut tx, access, "second").await;
    assert!(second > first);
    let stored = tx.stored_consent(access).await.unwrap().unwrap();
    assert_eq!(stored.consented_at, second);
    tx.disconnect(access, NOW).await.unwrap();
    assert!(consent(&mut tx, access, "third").await > second);
}

fn problem(key: &str) -> Problem {
    Problem::new(key, Remedy::Consent, "It\0 broke.", "b", "c")
}

#[tokio::test]
async fn lives_from_consent_to_disconnect() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let never = tx.connection(access).await.unwrap();
    assert_eq!((never.health, never.account), (Health::Never, None));
    assert_eq!(tx.stored_consent(access).await.unwrap(), None);
    assert!(tx.refresh_token(access).await.unwrap().is_none());
    assert!(!tx.connection_ok(access, NOW).await.unwrap());
    assert!(!tx.connection_broken(access, &problem("x")).await.unwrap());
    assert!(!tx.disconnect(access, NOW).await.unwrap());

    consent(&mut tx, access, "first").await;
    let good = tx.connection(access).await.unwrap();
    assert_eq!(good.health, Health::Good);
    assert_eq!(good.way, Some(Way::Link));
    assert_eq!(good.account.as_deref(), Some("admin@fabrikam.example"));
    assert_eq!((good.consented, good.last_success), (Some(NOW), None));
    let stored = tx.stored_consent(access).await.unwrap().unwrap();
    assert_eq!(stored.account_object, ObjectId(Uuid::from_u128(3)));
    assert_eq!(stored.scopes, ["a", "b"]);
    let scopes = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    for (audience, granted) in [
        ("https://one.example", ["https://one.example/Read"]),
        ("https://two.example", ["https://two.example/Manage"]),
        // The old scopes of this resource are gone. The other resource keeps its scopes.
        ("https://one.example", ["https://one.example/Write"]),
    ] {
        tx.note_scopes(access, audience, &scopes(&granted))
            .await
            .unwrap();
    }
    let stored = tx.stored_consent(access).await.unwrap().unwrap();
    assert_eq!(
        stored.scopes,
        [
            "a",
            "b",
            "https://one.example/Write",
            "https://two.example/Manage"
        ]
    );

    // A problem is reported as new once, and so is the recovery.
    assert!(!tx.connection_ok(access, NOW).await.unwrap());
    assert!(tx.connection_broken(access, &problem("x")).await.unwrap());
    assert!(!tx.connection_broken(access, &problem("x")).await.unwrap());
    assert!(tx.connection_broken(access, &problem("y")).await.unwrap());
    let broken = tx.connection(access).await.unwrap();
    let Health::Broken { problem: told } = broken.health else {
        unreachable!("it was just broken");
    };
    assert_eq!(
        (told.key.as_str(), told.happened.as_str()),
        ("y", "It\u{fffd} broke.")
    );
    assert!(tx.connection_ok(access, NOW.plus_seconds(1)).await.unwrap());
    assert!(!tx.connection_ok(access, NOW.plus_seconds(2)).await.unwrap());
    let seen = tx.connection(access).await.unwrap().last_success;
    assert_eq!(seen, Some(NOW.plus_seconds(1)), "noted every ten seconds");
    assert!(
        !tx.connection_ok(access, NOW.plus_seconds(12))
            .await
            .unwrap()
    );
    let seen = tx.connection(access).await.unwrap().last_success;
    assert_eq!(seen, Some(NOW.plus_seconds(12)));

    assert!(tx.connection_broken(access, &problem("x")).await.unwrap());
    assert!(tx.disconnect(access, NOW).await.unwrap());
    assert!(!tx.disconnect(access, NOW).await.unwrap());
    let cut = tx.connection(access).await.unwrap();
    assert_eq!(cut.health, Health::Disconnected);
    assert!(tx.refresh_token(access).await.unwrap().is_none());
    assert_eq!(tx.stored_consent(access).await.unwrap(), None);
    assert!(!tx.connection_broken(access, &problem("z")).await.unwrap());

    consent(&mut tx, access, "second").await;
    assert_eq!(tx.connection(access).await.unwrap().health, Health::Good);
}

#[tokio::test]
async fn the_newest_token_wins() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    consent(&mut tx, access, "first").await;
    // The right to read suffices to rotate: a page view makes Postern redeem tokens too.
    let reader = world.a.reader();
    let (token, version) = tx.refresh_token(&reader).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), "first");
    let new = SecretString::from("second");
    assert!(tx.rotate_token(&reader, &new, version).await.unwrap());
    let late = SecretString::from("late");
    assert!(!tx.rotate_token(&reader, &late, version).await.unwrap());
    let (token, next) = tx.refresh_token(&reader).await.unwrap().unwrap();
    assert_eq!((token.expose_secret(), next), ("second", version + 1));
    // A token of the previous consent must not replace the token of the new consent.
    consent(&mut tx, access, "third").await;
    assert!(!tx.rotate_token(access, &late, next).await.unwrap());
    tx.disconnect(access, NOW).await.unwrap();
    assert!(!tx.rotate_token(access, &late, next + 2).await.unwrap());
    assert!(tx.refresh_token(access).await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_does_not_open_in_another_row() {
    let world = World::new().await;
    for side in [&world.a, &world.b] {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        consent(&mut tx, &side.customer, "token").await;
        tx.commit().await.unwrap();
    }
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query(
        "update connections c set refresh_token = o.refresh_token
         from connections o where o.customer_id <> c.customer_id",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let swapped = tx.refresh_token(&world.a.customer).await;
    assert!(matches!(swapped, Err(Error::Corrupt { .. })), "{swapped:?}");
}

#[tokio::test]
async fn tokens_move_to_the_newest_key() {
    let world = World::new().await;
    for side in [&world.a, &world.b] {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        consent(&mut tx, &side.customer, "token").await;
        tx.commit().await.unwrap();
    }
    // This key was made for this test.
    let newest = "new:pV0sZJq3xkL9cTfWm2YhRb8uGdN5oXiE1aKvQj7SwHM=";
    let ring = |keys: &str| Vault::parse(&SecretString::from(keys)).unwrap();
    let with = async |vault: Vault| {
        Store::connect(&world.database.server_url, 4, vault)
            .await
            .unwrap()
    };
    let both = with(ring(&format!("{newest} {}", crate::testing::RING))).await;
    assert_eq!(both.reseal_tokens().await.unwrap(), 2);
    assert_eq!(both.reseal_tokens().await.unwrap(), 0);
    let new = with(ring(newest)).await;
    let mut tx = new.begin(world.b.owner.partner).await.unwrap();
    let (token, _) = tx.refresh_token(&world.b.customer).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), "token");
    let mut tx = world.store.begin(world.b.owner.partner).await.unwrap();
    assert!(tx.refresh_token(&world.b.customer).await.is_err());
}
