#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use domain::{
    Problem, Timestamp,
    connection::Way,
    exposure::{By, ExposureQuery, Standing, Tally},
    id::ObjectId,
    reach::{Answer, Level, Reach},
};
use secrecy::SecretString;
use uuid::Uuid;

use super::*;
use crate::test_data::{NOW, Side, World};

pub(crate) fn later(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

pub(crate) fn nothing() -> Reach {
    Reach {
        without_exchange: false,
        mailbox_count: Some(0),
        powers_unseen: Vec::new(),
        delegated_unseen: Vec::new(),
        stray_policies: Vec::new(),
        mailboxes: Vec::new(),
        sets: Vec::new(),
        policies: Vec::new(),
        assignments: Vec::new(),
        gaps: Vec::new(),
        applications: Vec::new(),
        unlisted: Answer::Nothing,
    }
}

fn entry(number: u128, level: Level) -> ReachEntry {
    ReachEntry {
        object: ObjectId(Uuid::from_u128(number)),
        app_id: Some(Uuid::from_u128(number)),
        name: format!("O'Neill \"{number}\" <b>\0"),
        publisher: None,
        owner: serde_json::json!({ "owner": "not_told" }),
        level,
        as_proven: false,
        can_be_confined: level <= Level::Unknown,
        permissions: vec![
            ("Mail.Send".to_owned(), level),
            ("Mail.Read".to_owned(), Level::Nothing),
        ],
        powers: Vec::new(),
        acts_as: Vec::new(),
        may_still: None,
        details: None,
    }
}

pub(crate) fn result(levels: &[Level]) -> ScanResult {
    ScanResult {
        whole: true,
        reach: nothing(),
        names: BTreeMap::new(),
        entries: (1_u128..)
            .zip(levels)
            .map(|(number, level)| entry(number, *level))
            .collect(),
        delegated: vec![DelegatedEntry {
            object: ObjectId(Uuid::from_u128(4711)),
            app_id: Some(Uuid::from_u128(4711)),
            name: "Notes \0".to_owned(),
            publisher: None,
            acts_as: vec!["Mail.Send on Microsoft Graph, for everybody".to_owned()],
        }],
        parts: Vec::new(),
        problem: None,
        changes: Vec::new(),
        mailboxes: None,
        kept: Kept::default(),
        known: Known::default(),
    }
}

async fn connected(world: &World, side: &Side) {
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    connected_to(&mut tx, &side.customer).await;
    tx.commit().await.unwrap();
}

/// Connects a customer, and requests a scan of it.
pub(crate) async fn connected_to(tx: &mut Tx, customer: &CustomerAccess) {
    tx.save_consent(
        customer,
        Way::Admin,
        "admin",
        ObjectId(Uuid::nil()),
        &["x"],
        &SecretString::from("x"),
        NOW,
    )
    .await
    .unwrap();
    tx.ask_scan(customer, NOW).await.unwrap();
}

pub(crate) async fn world() -> World {
    let world = World::new().await;
    connected(&world, &world.a).await;
    connected(&world, &world.b).await;
    world
}

#[tokio::test]
async fn a_turn_is_taken_once_until_its_lease_ends() {
    let world = world().await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let (store, turns) = (&world.store, 10);
    let taken = store
        .claim_scans(&world.homes, one, later(1), later(60), turns)
        .await
        .unwrap();
    assert_eq!(taken.len(), 2, "one of each partner");
    let again = store
        .claim_scans(&world.homes, other, later(2), later(60), turns)
        .await
        .unwrap();
    assert_eq!(again, []);
    // A renewed lease is held longer. The other customers become free.
    store
        .renew_scans(one, &taken[..1], later(120))
        .await
        .unwrap();
    let rest = store
        .claim_scans(&world.homes, other, later(61), later(120), turns)
        .await
        .unwrap();
    assert_eq!(rest, taken[1..]);
    // A process that lost the lease stores nothing.
    let side = [&world.a, &world.b]
        .into_iter()
        .find(|side| side.owner.partner == rest[0].partner)
        .unwrap();
    let mut tx = store.begin(side.owner.partner).await.unwrap();
    let result = result(&[Level::Unrestricted]);
    let late = tx.save_scan(&side.customer, one, &result, later(62), later(900));
    assert!(!late.await.unwrap());
    let kept = tx.save_scan(&side.customer, other, &result, later(63), later(900));
    assert!(kept.await.unwrap());
    tx.commit().await.unwrap();
    let due = store
        .claim_scans(&world.homes, one, later(899), later(960), turns)
        .await;
    assert!(!due.unwrap().contains(&rest[0]), "it is not due yet");
}

/// A change during a scan may come after the part that it concerns was read.
#[tokio::test]
async fn asked_for_while_it_is_read_it_is_read_once_more() {
    let world = world().await;
    let side = &world.a;
    let lease = Uuid::new_v4();
    let claim = async |now: i64| {
        let taken = world
            .store
            .claim_scans(&world.homes, lease, later(now), later(now + 10), 9);
        let taken = taken.await.unwrap();
        taken.iter().any(|turn| turn.partner == side.owner.partner)
    };
    let ask = async |now: i64| {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        tx.ask_scan(&side.customer, later(now)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let save = async |now: i64| {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        let next = Next {
            due: later(now + 1000),
            tries: 1,
        };
        let read = result(&[]);
        let kept = tx.save_scan(&side.customer, lease, &read, later(now), next);
        assert!(kept.await.unwrap());
        let state = tx.scan_state(&side.customer, later(now)).await.unwrap();
        tx.commit().await.unwrap();
        state.unwrap().under_way
    };
    let fail = async |now: i64| {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        let next = later(now + 1000);
        let problem = Problem::not_found();
        let kept = tx.fail_scan(&side.customer, lease, &problem, &[], later(now), next);
        assert!(kept.await.unwrap());
        tx.commit().await.unwrap();
    };

    assert!(claim(1).await);
    ask(2).await;
    assert!(save(3).await, "somebody still waits for it");
    assert!(claim(4).await);
    assert!(!save(5).await, "once more, and not for ever");
    assert!(!claim(6).await);
    // The same holds where nothing could be read.
    ask(7).await;
    assert!(claim(8).await);
    ask(9).await;
    fail(10).await;
    assert!(claim(11).await);
    fail(12).await;
    assert!(!claim(13).await);
    // A scan that begins after the request covers the request, also where the process before it
    // died.
    ask(14).await;
    assert!(claim(15).await);
    ask(16).await;
    assert!(claim(27).await, "its reader died");
    assert!(!save(28).await);
}

#[tokio::test]
async fn what_a_reader_lets_go_is_taken_up_at_once() {
    let world = world().await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let taken = world
        .store
        .claim_scans(&world.homes, one, later(1), later(60), 9)
        .await;
    let taken = taken.unwrap();
    assert_eq!(taken.len(), 2);
    // Only the holder of the lease can release it.
    world.store.release_scans(other, &taken).await.unwrap();
    let still = world
        .store
        .claim_scans(&world.homes, other, later(2), later(60), 9)
        .await;
    assert_eq!(still.unwrap(), []);
    world.store.release_scans(one, &taken).await.unwrap();
    let again = world
        .store
        .claim_scans(&world.homes, other, later(2), later(60), 9)
        .await;
    assert_eq!(again.unwrap().len(), 2);
}

#[tokio::test]
async fn a_few_places_are_shared_among_partners() {
    let world = world().await;
    let lease = Uuid::new_v4();
    let first = world
        .store
        .claim_scans(&world.homes, lease, later(1), later(60), 1)
        .await;
    let second = world
        .store
        .claim_scans(&world.homes, lease, later(1), later(60), 1)
        .await;
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].partner, second[0].partner);
}

#[tokio::test]
async fn what_was_known_stays_when_nothing_is_read() {
    let world = world().await;
    let side = &world.a;
    let lease = Uuid::new_v4();
    let claim = |now| {
        world
            .store
            .claim_scans(&world.homes, lease, now, now.plus_seconds(60), 9)
    };
    claim(later(1)).await.unwrap();
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    let known = result(&[Level::Confined, Level::Unrestricted]);
    assert!(
        tx.save_scan(&side.customer, lease, &known, later(2), later(10))
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    claim(later(11)).await.unwrap();
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    let problem = Problem::not_found();
    assert!(
        tx.fail_scan(&side.customer, lease, &problem, &[], later(12), later(99))
            .await
            .unwrap()
    );
    let state = tx
        .scan_state(&side.customer, later(13))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(state.read, Some(later(2)));
    assert_eq!(state.problem, Some(problem));
    assert!(!state.under_way);
    let reach = tx.reach(&side.customer).await.unwrap().unwrap();
    assert_eq!(reach.read, later(2));
    let totals = tx.exposure_totals(5).await.unwrap();
    assert_eq!((totals.tally.confined, totals.tally.unrestricted), (1, 1));
    assert_eq!((totals.not_read_count, totals.open_customers), (1, 1));
}

#[tokio::test]
async fn the_exposure_adds_up_however_it_is_grouped_and_stays_with_its_partner() {
    let world = world().await;
    let lease = Uuid::new_v4();
    world
        .store
        .claim_scans(&world.homes, lease, later(1), later(60), 9)
        .await
        .unwrap();
    for side in [&world.a, &world.b] {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        let levels = [
            Level::Unrestricted,
            Level::Unknown,
            Level::Confined,
            Level::Nothing,
        ];
        tx.save_scan(&side.customer, lease, &result(&levels), later(2), later(99))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let all = Tally {
        unrestricted: 1,
        unknown: 1,
        confined: 1,
        nothing: 1,
        ..Tally::default()
    };
    for (by, rows) in [(By::Application, 4), (By::Customer, 1), (By::Each, 4)] {
        let query = ExposureQuery {
            by,
            page: 1,
            ..ExposureQuery::default()
        };
        let found = tx.exposure(&query).await.unwrap();
        assert_eq!(found.matching, rows, "{by:?}");
        let mut sum = Tally::default();
        for row in &found.rows {
            for standing in Standing::ALL {
                for _ in 0..row.tally.of(standing) {
                    sum.add(standing);
                }
            }
        }
        assert_eq!(sum, all, "{by:?}");
    }
    // Grouped by permission, an application counts for every permission that it holds, at the level
    // of that permission.
    let query = ExposureQuery {
        by: By::Permission,
        page: 1,
        ..ExposureQuery::default()
    };
    let found = tx.exposure(&query).await.unwrap();
    let of = |name: &str| found.rows.iter().find(|row| row.name == name).unwrap();
    assert_eq!(of("Mail.Send").tally, all);
    assert_eq!(of("Mail.Read").tally.nothing, 4);
    // The search text is plain text, also when it looks like a pattern.
    for (search, matching) in [
        ("o'neill \"1\" <B>", 1),
        ("%", 0),
        ("'; drop table reaches; --", 0),
        // Names with a NUL character are stored with the same replacement character.
        ("\0", 4),
    ] {
        let query = ExposureQuery {
            by: By::Each,
            search: search.to_owned(),
            page: 1,
            ..ExposureQuery::default()
        };
        let found = tx.exposure(&query).await.unwrap();
        assert_eq!(found.matching, matching, "{search:?}");
    }
    tx.after_scan(later(3)).await.unwrap();
    let days = tx.reach_days(None, 9).await.unwrap();
    assert_eq!(days.len(), 1);
    assert_eq!(days[0].tally, all);
    let days = tx.reach_days(Some(&world.a.customer), 9).await.unwrap();
    assert_eq!(days[0].tally, all);
    assert!(tx.reach_days(Some(&world.b.customer), 9).await.is_err());
}

#[tokio::test]
async fn what_waits_or_is_read_is_under_way_and_what_a_dead_reader_left_is_not() {
    let world = world().await;
    let side = &world.a;
    let state = async |now| {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        let state = tx.scan_state(&side.customer, now).await.unwrap().unwrap();
        (state.under_way, state.reading)
    };
    assert_eq!(
        state(later(1)).await,
        (true, false),
        "somebody waits for it"
    );
    let lease = Uuid::new_v4();
    world
        .store
        .claim_scans(&world.homes, lease, later(2), later(60), 9)
        .await
        .unwrap();
    assert_eq!(state(later(3)).await, (true, true));
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    tx.save_scan(&side.customer, lease, &result(&[]), later(4), later(99))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state(later(5)).await, (false, false));
    // The nightly scan: nobody requested it, and the process that reads dies.
    world
        .store
        .claim_scans(&world.homes, lease, later(100), later(160), 9)
        .await
        .unwrap();
    assert_eq!(state(later(101)).await, (true, true));
    assert_eq!(state(later(161)).await, (false, false));
    // A scan is requested, and then the customer is disconnected.
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    tx.ask_scan(&side.customer, later(170)).await.unwrap();
    tx.disconnect(&side.customer, later(171)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state(later(172)).await, (false, false));
}
