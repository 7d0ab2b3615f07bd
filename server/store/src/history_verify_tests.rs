#![allow(clippy::unwrap_used)]

use sqlx::AssertSqlSafe;

use super::*;
use crate::test_data::{World, event};

async fn history(world: &World, entries: usize) {
    for side in [&world.a, &world.b] {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        for number in 1..=entries {
            let entry = event(&side.owner, &format!("entry {number}"));
            tx.append(&side.customer, &entry).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// What somebody could do who owns the database.
async fn tamper(world: &World, statement: &str) {
    let mut superuser = world.database.superuser().await.unwrap();
    for statement in [
        "alter table events disable trigger all",
        statement,
        "alter table events enable always trigger final_rows",
    ] {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut superuser)
            .await
            .unwrap();
    }
}

async fn broken(world: &World) -> Vec<(i64, Why)> {
    let found = verify_all(&world.database.owner_url).await.unwrap();
    let customer = world.a.customer.record().id;
    assert!(
        found
            .broken
            .iter()
            .all(|broken| broken.customer == customer)
    );
    found
        .broken
        .into_iter()
        .map(|broken| (broken.seq, broken.why))
        .collect()
}

fn of_a(world: &World, statement: &str) -> String {
    format!(
        "{statement} customer_id = '{}'",
        world.a.customer.record().id
    )
}

#[tokio::test]
async fn the_owner_checks_all_partners() {
    let world = World::new().await;
    history(&world, 3).await;
    let found = verify_all(&world.database.owner_url).await.unwrap();
    assert_eq!((found.entries, found.broken), (6, vec![]));
    assert_eq!(found.heads.len(), 2);
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let own = tx.verify_history().await.unwrap();
    assert_eq!((own.entries, own.heads.len()), (3, 1));
    // A role that is shown nothing must not say that all is well.
    let refused = verify_all(&world.database.server_url).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    let superuser = verify_all(&world.database.superuser_url()).await.unwrap();
    assert_eq!(superuser.entries, 6);
}

#[tokio::test]
async fn finds_a_changed_entry() {
    let world = World::new().await;
    history(&world, 3).await;
    for (change, why) in [
        ("what = 'nothing happened'", Why::Hash),
        ("at = at + interval '1 second'", Why::Hash),
        ("after = '{}'", Why::Hash),
        ("actor_name = 'Somebody'", Why::ActorName),
        ("kind = 'invented'", Why::Unreadable(String::new())),
    ] {
        let before = "create table if not exists copy as select * from events";
        tamper(&world, before).await;
        tamper(
            &world,
            &of_a(
                &world,
                &format!("update events set {change} where seq = 2 and"),
            ),
        )
        .await;
        let found = broken(&world).await;
        let [(seq, found)] = found.try_into().unwrap();
        assert_eq!(seq, 2, "{change}");
        assert_eq!(
            std::mem::discriminant(&found),
            std::mem::discriminant(&why),
            "{change}: {found}"
        );
        tamper(&world, "delete from events").await;
        tamper(&world, "insert into events select * from copy").await;
    }
    assert_eq!(broken(&world).await, []);
}

#[tokio::test]
async fn finds_gaps_and_forged_entries() {
    let world = World::new().await;
    history(&world, 5).await;
    tamper(
        &world,
        &of_a(&world, "delete from events where seq = 3 and"),
    )
    .await;
    assert_eq!(broken(&world).await, [(4, Why::Gap { from: 3 })]);
    // Closing the gap by counting anew changes the entries.
    for seq in [4, 5] {
        let renumber = format!("update events set seq = seq - 1 where seq = {seq} and");
        tamper(&world, &of_a(&world, &renumber)).await;
    }
    assert_eq!(
        broken(&world).await,
        [(3, Why::Link), (3, Why::Hash), (4, Why::Hash)]
    );
    tamper(
        &world,
        &of_a(&world, "delete from events where seq <= 2 and"),
    )
    .await;
    assert_eq!(
        broken(&world).await,
        [(3, Why::Gap { from: 1 }), (3, Why::Hash), (4, Why::Hash)]
    );
}

#[tokio::test]
async fn finds_an_entry_that_was_hashed_anew() {
    let world = World::new().await;
    history(&world, 3).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let events = tx
        .export_all(&world.a.customer, &Default::default())
        .await
        .unwrap();
    let mut forged = events.get(1).unwrap().clone();
    forged.what = "forged".into();
    let hash = hash_of(&forged);
    drop(tx);
    tamper(
        &world,
        &of_a(
            &world,
            &format!(
                "update events set what = 'forged', hash = decode('{hash}', 'hex') where seq = 2 and"
            ),
        ),
    )
    .await;
    assert_eq!(broken(&world).await, [(3, Why::Link)]);
}
