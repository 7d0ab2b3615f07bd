#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::{
    Part,
    test_data::{NOW, World, event, plan, setup_id},
};

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
        // Numbers that the database writes in another form, and a character that it cannot store.
        before: Some(json!({"z": 1e16, "a": [1.0, -0.0, 0.1, 1e-7, u64::MAX, "\0"]})),
        after: Some(json!(null)),
        requests: vec!["r\0a".into(), "r2".into()],
        what: "Changed\0.".into(),
        ..event(&world.a.owner, "")
    };
    assert_eq!(tx.append(access, &entry).await.unwrap(), 1);
    // The right to read suffices to write history: the system records page views.
    let noted = NewEvent {
        actor: Actor::System,
        ..event(&world.a.owner, "noted")
    };
    assert_eq!(tx.append(&world.a.reader(), &noted).await.unwrap(), 2);
    tx.commit().await.unwrap();

    let vault = crate::testing::vault().unwrap();
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let events = tx
        .export(access, &Default::default(), Part::ALL)
        .await
        .unwrap();
    let [first, second] = events.try_into().unwrap();
    assert_eq!(first.previous_hash, FIRST);
    assert_eq!(first.key.as_deref(), Some("test"));
    assert_eq!(Some(&first.hash), keyed_hash_of(&first, &vault).as_ref());
    assert_eq!(second.previous_hash, first.hash);
    assert_eq!(Some(&second.hash), keyed_hash_of(&second, &vault).as_ref());
    assert_eq!((first.at, first.setup), (NOW, Some(setup)));
    assert_eq!(first.what, "Changed\u{fffd}.");
    assert_eq!(first.requests, ["r\u{fffd}a", "r2"]);
    assert_eq!(first.actor, Actor::from(&world.a.owner));
    assert_eq!(second.actor, Actor::System);
    let found = tx.verify_history().await.unwrap();
    // The count includes the partner's own history: the first person signed in, and became an
    // owner.
    assert_eq!((found.entries, found.broken), (4, vec![]));
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
            // A rolled-back entry leaves no gap.
            if round != 3 {
                tx.commit().await.unwrap();
            }
        }
    };
    futures::future::join_all((0..6).map(add)).await;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let found = tx.verify_history().await.unwrap();
    assert_eq!((found.entries, found.broken), (50, vec![]));
    let head = found.heads.first().unwrap();
    assert_eq!(
        (head.seq, head.chain),
        (48, Chain::Customer(access.record().id))
    );
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
        "update partner_events set what = 'y'",
        "delete from partner_events",
        "truncate partner_events",
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
            // Neither the partner's name nor switching off triggers for the session helps.
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

/// A process of an older version, which knows no key, must not continue a keyed chain.
#[tokio::test]
async fn security_f09_a_keyed_chain_never_goes_back() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    tx.append(access, &event(&world.a.owner, "x"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut server = world.database.server().await.unwrap();
    sqlx::query("select set_config('postern.partner', $1, false)")
        .bind(access.partner().to_string())
        .execute(&mut server)
        .await
        .unwrap();
    let error = sqlx::query(
        "insert into events
             (customer_id, seq, partner_id, at, actor, actor_name, kind, what, requests,
              previous_hash, hash)
         select customer_id, seq + 1, partner_id, at, actor, actor_name, kind, what, requests,
                hash, hash
         from events",
    )
    .execute(&mut server)
    .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("keyed hashes"), "{error}");
}

/// Only a committed entry may serve as an anchor.
#[tokio::test]
async fn security_f09_a_transaction_tells_the_newest_head_of_each_chain() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    for what in ["x", "y"] {
        let entry = event(&world.a.owner, what);
        tx.append(access, &entry).await.unwrap();
        tx.append_own(&entry).await.unwrap();
    }
    let heads: Vec<(Chain, i64)> = tx.heads.iter().map(|head| (head.chain, head.seq)).collect();
    assert_eq!(
        heads,
        [
            (Chain::Customer(access.record().id), 2),
            (Chain::Partner(access.partner()), 4),
        ]
    );
    let hashes: Vec<String> = tx.heads.iter().map(|head| head.hash.clone()).collect();
    let found = tx.verify_history().await.unwrap();
    let verified: Vec<String> = found.heads.iter().map(|head| head.hash.clone()).collect();
    assert_eq!(hashes, verified);
}

#[tokio::test]
async fn security_f09_the_partners_history_is_its_own() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.b.owner.partner).await.unwrap();
    tx.append_own(&event(&world.b.owner, "theirs"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let own = tx.own_export(&Default::default(), Part::ALL).await.unwrap();
    let kinds: Vec<EventKind> = own.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::FirstSignIn, EventKind::RoleGiven]);
    assert!(
        own.iter()
            .all(|event| event.partner == world.a.owner.partner)
    );
    assert_eq!(
        tx.own_history(&Default::default(), 1).await.unwrap().total,
        2
    );
    // The text form of a chain's name parses to the same chain.
    for chain in [
        Chain::Partner(world.a.owner.partner),
        Chain::Customer(world.a.customer.record().id),
    ] {
        assert_eq!(chain.to_string().parse(), Ok(chain));
    }
    assert_eq!("somebody:1".parse::<Chain>(), Err(NoChain));
}
