#![allow(clippy::unwrap_used)]

use domain::{
    history::{Event, EventKind},
    id::CustomerId,
};
use sqlx::AssertSqlSafe;

use super::*;
use crate::{
    Part,
    test_data::{World, event},
};

/// All columns except those that the database computes.
const COLUMNS: &str = "customer_id, seq, partner_id, at, actor, actor_name, kind, setup_id, what, before, after, requests, key_id, previous_hash, hash";

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

/// All entries of the first customer's history.
async fn entries_of_a(world: &World) -> Vec<Event> {
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    tx.export(&world.a.customer, &Default::default(), Part::ALL)
        .await
        .unwrap()
}

/// Changes the database as its owner could.
async fn tamper(world: &World, statement: &str) {
    let mut superuser = world.database.superuser().await.unwrap();
    for statement in [
        "alter table events disable trigger all",
        statement,
        "alter table events enable always trigger final_rows",
        "alter table events enable always trigger final_table",
    ] {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut superuser)
            .await
            .unwrap();
    }
}

async fn verified(world: &World, kept: &[KeptHead]) -> Verification {
    let vault = crate::testing::vault().unwrap();
    verify_all(&world.database.owner_url, Some(&vault), kept)
        .await
        .unwrap()
}

/// The current heads, as somebody would store them elsewhere.
fn kept(found: &Verification) -> Vec<KeptHead> {
    let heads = found.heads.iter().cloned();
    heads
        .map(|head| KeptHead {
            chain: head.chain,
            seq: head.seq,
            hash: head.hash,
        })
        .collect()
}

async fn broken(world: &World) -> Vec<(i64, Why)> {
    let found = verified(world, &[]).await;
    let chain = Chain::Customer(world.a.customer.record().id);
    assert!(found.broken.iter().all(|broken| broken.chain == chain));
    assert_eq!(found.unchecked, []);
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
    let found = verified(&world, &[]).await;
    // The count includes each partner's own history: the first person signed in, and became an
    // owner.
    assert_eq!((found.entries, found.broken), (6 + 4, vec![]));
    assert_eq!(found.heads.len(), 4);
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let own = tx.verify_history().await.unwrap();
    assert_eq!((own.entries, own.heads.len()), (3 + 2, 2));
    // A role that sees no rows must not report that all is well.
    let refused = verify_all(&world.database.server_url, None, &[]).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    let superuser = verify_all(&world.database.superuser_url(), None, &[])
        .await
        .unwrap();
    assert_eq!(superuser.entries, 10);
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
        tamper(
            &world,
            &format!("insert into events ({COLUMNS}) select {COLUMNS} from copy"),
        )
        .await;
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
    // Renumbering to close the gap changes the entries.
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
    let events = entries_of_a(&world).await;
    let mut forged = events.get(1).unwrap().clone();
    forged.what = "forged".into();
    let hash = keyed_hash_of(&forged, &crate::testing::vault().unwrap()).unwrap();
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

/// Entries as an older version wrote them: without a key.
async fn old_entries(world: &World, customer: CustomerId, entries: i64) {
    let mut previous = FIRST.to_owned();
    for seq in 1..=entries {
        let mut event = Event {
            partner: world.a.owner.partner,
            customer: Some(customer),
            seq,
            at: crate::test_data::NOW,
            actor: serde_json::from_value(serde_json::json!({
                "kind": "operator", "id": world.a.owner.id, "name": "Olivia Berg",
            }))
            .unwrap(),
            kind: EventKind::CustomerAdded,
            setup: None,
            what: format!("old {seq}"),
            before: None,
            after: None,
            requests: vec![],
            key: None,
            previous_hash: previous,
            hash: String::new(),
        };
        event.hash = hash_of(&event);
        let mut superuser = world.database.superuser().await.unwrap();
        sqlx::query(
            "insert into events (customer_id, seq, partner_id, at, actor, actor_name, kind, what,
                                 requests, previous_hash, hash)
             values ($1, $2, $3, to_timestamp($4 / 1000.0), $5, 'Olivia Berg', $6, $7, '{}',
                     decode($8, 'hex'), decode($9, 'hex'))",
        )
        .bind(customer.0)
        .bind(seq)
        .bind(event.partner.0)
        .bind(event.at.millis() as f64)
        .bind(serde_json::to_value(&event.actor).unwrap())
        .bind(event.kind.as_str())
        .bind(&event.what)
        .bind(&event.previous_hash)
        .bind(&event.hash)
        .execute(&mut superuser)
        .await
        .unwrap();
        previous = event.hash;
    }
}

#[tokio::test]
async fn security_f09_an_old_chain_verifies_as_it_is_and_goes_on_with_a_key() {
    let world = World::new().await;
    old_entries(&world, world.a.customer.record().id, 2).await;
    history(&world, 2).await;
    assert_eq!(broken(&world).await, []);
    let keyless = verified(&world, &[]).await.keyless;
    let [part] = keyless.try_into().unwrap();
    assert_eq!((part.from, part.to), (1, 2));
    // Without the ring the old entries are checked, and the others are reported.
    let found = verify_all(&world.database.owner_url, None, &[])
        .await
        .unwrap();
    assert_eq!(found.broken, []);
    let part = found
        .unchecked
        .iter()
        .find(|part| part.chain == Chain::Customer(world.a.customer.record().id))
        .unwrap();
    assert_eq!((part.from, part.to, part.key.as_str()), (3, 4, "test"));
    assert_eq!(found.unchecked.len(), 4);
    // A ring without that key gives the same result: it does not count as the right ring.
    let other = Vault::new(vec![("other".into(), [7; 32])]).unwrap();
    let found = verify_all(&world.database.owner_url, Some(&other), &[])
        .await
        .unwrap();
    assert_eq!((found.broken.len(), found.unchecked.len()), (0, 4));
    // A return to form 1 is found, even where the trigger was switched off.
    let forget = "update events set key_id = null where seq = 4 and";
    tamper(&world, &of_a(&world, forget)).await;
    assert_eq!(broken(&world).await, [(4, Why::WithoutKey), (4, Why::Hash)]);
}

/// Anybody who can write into the database can rewrite a whole chain in the form without a key.
#[tokio::test]
async fn security_f09_a_chain_without_a_key_is_not_called_whole() {
    let world = World::new().await;
    history(&world, 3).await;
    let heads = kept(&verified(&world, &[]).await);
    let customer = world.a.customer.record().id;
    let chain = Chain::Customer(customer);
    assert_eq!(verified(&world, &[]).await.keyless, []);
    // The chain is forged from its first entry to its last. Nothing in it is broken.
    tamper(&world, &of_a(&world, "delete from events where")).await;
    old_entries(&world, customer, 3).await;
    let found = verified(&world, &[]).await;
    assert_eq!((&found.broken, &found.unchecked), (&vec![], &vec![]));
    let part = |from, to| Keyless { chain, from, to };
    assert_eq!(found.keyless, [part(1, 3)]);
    // A stored head tells the forged chain from the real chain.
    let found = verified(&world, &heads).await;
    assert_eq!(found.differs, [Compared::Another { chain, seq: 3 }]);
    assert_eq!(found.keyless, [part(1, 3)]);
    // A later entry with a key proves nothing about the entries before it.
    history(&world, 1).await;
    assert_eq!(verified(&world, &[]).await.keyless, [part(1, 3)]);

    // For an older version's entries, the most that can be shown is that they have not changed
    // since.
    let found = verified(&world, &[]).await;
    let of_chain = |head: &&ChainHead| head.chain == chain;
    let newest = found.heads.iter().find(of_chain).unwrap().clone();
    let at = |seq, hash: String| [KeptHead { chain, seq, hash }];
    let anchor = at(newest.seq, newest.hash);
    assert_eq!(verified(&world, &anchor).await.keyless, []);
    history(&world, 1).await;
    assert_eq!(verified(&world, &anchor).await.keyless, []);
    // A head in the middle confirms only the entries before it.
    let events = entries_of_a(&world).await;
    let second = events.iter().find(|event| event.seq == 2).unwrap();
    let found = verified(&world, &at(2, second.hash.clone())).await;
    assert_eq!(found.keyless, [part(3, 3)]);
}

/// A partner's own history began with a key.
#[tokio::test]
async fn security_f09_a_partners_own_history_has_no_entry_without_a_key() {
    let world = World::new().await;
    let partner = world.a.owner.partner;
    let mut tx = world.store.begin(partner).await.unwrap();
    let events = tx.own_export(&Default::default(), Part::ALL).await.unwrap();
    drop(tx);
    // The whole chain is computed anew without a key.
    let mut superuser = world.database.superuser().await.unwrap();
    for statement in [
        "alter table partner_events disable trigger all",
        "alter table partner_events alter column key_id drop not null",
    ] {
        sqlx::query(statement)
            .execute(&mut superuser)
            .await
            .unwrap();
    }
    let mut previous = FIRST.to_owned();
    for seq in 1..=events.len() {
        let event = events
            .iter()
            .find(|event| event.seq == i64::try_from(seq).unwrap())
            .unwrap();
        let mut event = Event {
            key: None,
            previous_hash: previous,
            ..event.clone()
        };
        event.hash = hash_of(&event);
        sqlx::query(
            "update partner_events set key_id = null, previous_hash = decode($3, 'hex'),
                                       hash = decode($4, 'hex')
             where partner_id = $1 and seq = $2",
        )
        .bind(partner.0)
        .bind(event.seq)
        .bind(&event.previous_hash)
        .bind(&event.hash)
        .execute(&mut superuser)
        .await
        .unwrap();
        previous = event.hash;
    }
    let found = verified(&world, &[]).await;
    let expected: Vec<_> = (1..=i64::try_from(events.len()).unwrap())
        .map(|seq| Broken {
            chain: Chain::Partner(partner),
            seq,
            why: Why::NeverWithoutKey,
        })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(found.broken, expected);
}

#[tokio::test]
async fn security_f09_who_owns_the_database_cannot_compute_a_keyed_entry_anew() {
    let world = World::new().await;
    history(&world, 2).await;
    let events = entries_of_a(&world).await;
    let mut forged = events.last().unwrap().clone();
    forged.what = "forged".into();
    let hash = hash_of(&forged);
    let forge = format!(
        "update events set what = 'forged', hash = decode('{hash}', 'hex') where seq = 2 and"
    );
    tamper(&world, &of_a(&world, &forge)).await;
    assert_eq!(broken(&world).await, [(2, Why::Hash)]);
}

#[tokio::test]
async fn security_f09_heads_that_were_kept_find_what_a_chain_cannot_show() {
    let world = World::new().await;
    history(&world, 3).await;
    let heads = kept(&verified(&world, &[]).await);
    history(&world, 1).await;
    let found = verified(&world, &heads).await;
    assert_eq!((found.broken, found.differs), (vec![], vec![]));

    let chain = Chain::Customer(world.a.customer.record().id);
    // The tail is cut off. The chain itself looks complete.
    tamper(
        &world,
        &of_a(&world, "delete from events where seq >= 3 and"),
    )
    .await;
    let found = verified(&world, &heads).await;
    assert_eq!(found.broken, []);
    let cut = Compared::CutOff {
        chain,
        last: 2,
        kept: 3,
    };
    assert_eq!(found.differs, [cut]);
    // The chain continues from there with the key, as a chain that was computed anew.
    history(&world, 1).await;
    let found = verified(&world, &heads).await;
    assert_eq!(found.broken, []);
    assert_eq!(found.differs, [Compared::Another { chain, seq: 3 }]);
    // No entry is left.
    tamper(&world, &of_a(&world, "delete from events where")).await;
    let found = verified(&world, &heads).await;
    assert_eq!(found.differs, [Compared::Missing { chain, kept: 3 }]);
    for differs in [
        Compared::CutOff {
            chain,
            last: 2,
            kept: 3,
        },
        Compared::Another { chain, seq: 3 },
        Compared::Missing { chain, kept: 3 },
    ] {
        assert!(differs.to_string().contains(&chain.to_string()));
    }
}
