#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::test_data::{NOW, World, event, plan, setup_id};

#[tokio::test]
async fn numbers_and_chains_entries() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let setup = setup_id();
    tx.start_setup(access, setup, &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    let entry = NewEvent {
        setup: Some(setup),
        kind: EventKind::Change,
        // Numbers that the database writes in another way, and what it cannot hold.
        before: Some(json!({"z": 1e16, "a": [1.0, -0.0, 0.1, 1e-7, u64::MAX, "\0"]})),
        after: Some(json!(null)),
        requests: vec!["r\0a".into(), "r2".into()],
        what: "Changed\0.".into(),
        ..event(&world.a.owner, "")
    };
    assert_eq!(tx.append(access, &entry).await.unwrap(), 1);
    // Who may only read makes history too: looking is noted by the system.
    let noted = NewEvent {
        actor: Actor::System,
        ..event(&world.a.owner, "noted")
    };
    assert_eq!(tx.append(&world.a.reader(), &noted).await.unwrap(), 2);
    tx.commit().await.unwrap();

    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let events = tx.export_all(access, &Default::default()).await.unwrap();
    let [first, second] = events.try_into().unwrap();
    assert_eq!(first.previous_hash, FIRST);
    assert_eq!(first.hash, hash_of(&first));
    assert_eq!(second.previous_hash, first.hash);
    assert_eq!(second.hash, hash_of(&second));
    assert_eq!((first.at, first.setup), (NOW, Some(setup)));
    assert_eq!(first.what, "Changed\u{fffd}.");
    assert_eq!(first.requests, ["r\u{fffd}a", "r2"]);
    assert_eq!(first.actor, Actor::from(&world.a.owner));
    assert_eq!(second.actor, Actor::System);
    let found = tx.verify_history().await.unwrap();
    assert_eq!((found.entries, found.broken), (2, vec![]));
}

#[tokio::test]
async fn an_entry_cannot_name_another_customers_setup() {
    let world = World::new().await;
    let (a, b) = (&world.a, &world.b);
    let mut tx = world.store.begin(b.owner.partner).await.unwrap();
    let foreign = setup_id();
    tx.start_setup(&b.customer, foreign, &plan(1), &b.owner, NOW)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.begin(a.owner.partner).await.unwrap();
    let entry = NewEvent {
        setup: Some(foreign),
        ..event(&a.owner, "x")
    };
    let refused = tx.append(&a.customer, &entry).await;
    assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
}

#[tokio::test]
async fn many_who_add_at_once_make_one_chain() {
    let world = World::new().await;
    // A second process.
    let other = world.database.store().await.unwrap();
    let access = &world.a.customer;
    let add = async |number: i32| {
        let store = if number % 2 == 0 {
            &world.store
        } else {
            &other
        };
        for round in 0..5 {
            let mut tx = store.begin(access.partner()).await.unwrap();
            let entry = event(&world.a.owner, &format!("{number} {round}"));
            tx.append(access, &entry).await.unwrap();
            tx.append(access, &entry).await.unwrap();
            // One that is rolled back leaves no gap.
            if round != 3 {
                tx.commit().await.unwrap();
            }
        }
    };
    futures::future::join_all((0..6).map(add)).await;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let found = tx.verify_history().await.unwrap();
    assert_eq!((found.entries, found.broken), (48, vec![]));
    let head = found.heads.first().unwrap();
    assert_eq!((head.seq, head.customer), (48, access.record().id));
}

#[tokio::test]
async fn nobody_changes_what_happened() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    tx.append(access, &event(&world.a.owner, "x"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let statements = [
        "update events set what = 'y'",
        "delete from events",
        "truncate events",
        "truncate events, setups, customers cascade",
    ];
    for statement in statements {
        let mut server = world.database.server().await.unwrap();
        sqlx::query("select set_config('postern.partner', $1, false)")
            .bind(access.partner().to_string())
            .execute(&mut server)
            .await
            .unwrap();
        let error = sqlx::query(statement).execute(&mut server).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{statement}: {error}");
        for mut connection in [
            world.database.owner().await.unwrap(),
            world.database.superuser().await.unwrap(),
        ] {
            // Neither does naming the partner help, nor switching triggers off for the session.
            sqlx::query("select set_config('postern.partner', $1, false)")
                .bind(access.partner().to_string())
                .execute(&mut connection)
                .await
                .unwrap();
            let _ = sqlx::query("set session_replication_role = replica")
                .execute(&mut connection)
                .await;
            let error = sqlx::query(statement).execute(&mut connection).await;
            let error = error.unwrap_err().to_string();
            assert!(error.contains("append only"), "{statement}: {error}");
        }
    }
}
