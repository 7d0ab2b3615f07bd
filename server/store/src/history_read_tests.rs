#![allow(clippy::unwrap_used)]

use domain::{Timestamp, person::Actor};

use super::*;
use crate::{
    NewEvent,
    test_data::{World, event},
};

/// 2026-11-22T23:59:59.999Z, and a millisecond later.
const EVE: Timestamp = Timestamp(1_795_391_999_999);

async fn five(world: &World, tx: &mut Tx) {
    let owner = &world.a.owner;
    let new = |kind, actor: Actor, at| NewEvent {
        kind,
        actor,
        at,
        ..event(owner, "x")
    };
    let day = EVE.plus_millis(1);
    for entry in [
        new(EventKind::CustomerAdded, owner.into(), EVE),
        new(EventKind::Change, Actor::System, day),
        new(EventKind::Change, owner.into(), day.plus_seconds(86_399)),
        new(EventKind::StepDone, Actor::System, day.plus_seconds(86_400)),
        new(EventKind::StepDone, Actor::System, day.plus_seconds(90_000)),
    ] {
        tx.append(&world.a.customer, &entry).await.unwrap();
    }
}

fn query(kind: &str, person: &str, from: &str, to: &str) -> HistoryQuery {
    HistoryQuery {
        kind: kind.into(),
        person: person.into(),
        from: from.into(),
        to: to.into(),
        before: None,
    }
}

#[tokio::test]
async fn filters_by_kind_person_and_day() {
    let world = World::new().await;
    let access = &world.a.customer;
    let me = Actor::from(&world.a.owner);
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    five(&world, &mut tx).await;
    let table: [(HistoryQuery, &[i64]); 10] = [
        (query("", "", "", ""), &[5, 4, 3, 2, 1]),
        (query("cloud.change", "", "", ""), &[3, 2]),
        (query("", &me.key(), "", ""), &[3, 1]),
        (query("step.done", &me.key(), "", ""), &[]),
        (query("step.done", "system", "", ""), &[5, 4]),
        // The filter matches by id, never by name.
        (query("", "Person 1", "", ""), &[]),
        (query("", "", "2026-11-23", "2026-11-23"), &[3, 2]),
        (query("", "", "", "2026-11-22"), &[1]),
        (query("", "", " 2026-11-24 ", ""), &[5, 4]),
        (query("", "O'Neill\0", "", ""), &[]),
    ];
    for (query, expected) in table {
        let found = tx.history(access, &query, 50).await.unwrap();
        let seqs: Vec<i64> = found.rows.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, expected, "{query:?}");
        assert_eq!((found.next, found.total), (None, 5));
        assert_eq!(found.people, [me.clone(), Actor::System]);
        let mut whole: Vec<i64> = tx
            .export(access, &query, Part::ALL)
            .await
            .unwrap()
            .iter()
            .map(|event| event.seq)
            .collect();
        whole.reverse();
        assert_eq!(whole, expected);
    }
}

#[tokio::test]
async fn goes_on_where_the_page_ended() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let empty = tx
        .history(access, &HistoryQuery::default(), 2)
        .await
        .unwrap();
    assert_eq!(
        (empty.rows, empty.next, empty.people, empty.total),
        (vec![], None, vec![], 0)
    );
    five(&world, &mut tx).await;
    let mut query = HistoryQuery::default();
    let mut pages = Vec::new();
    loop {
        let found = tx.history(access, &query, 2).await.unwrap();
        pages.push(found.rows.iter().map(|event| event.seq).collect::<Vec<_>>());
        query.before = found.next;
        if query.before.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
}

#[tokio::test]
async fn says_which_filter_makes_no_sense() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    for (query, expected) in [
        (query("nothing", "", "", ""), "kind"),
        (query("", "", "yesterday", ""), "from"),
        (query("", "", "2026-02-30", ""), "from"),
        (query("", "", "", "+262142-12-31"), "to"),
        (query("", "", "0000-01-01", ""), "from"),
    ] {
        for wrong in [
            tx.history(access, &query, 50).await.map(|_| ()),
            tx.export(access, &query, Part::ALL).await.map(|_| ()),
        ] {
            assert!(
                matches!(wrong, Err(Error::Invalid { field, .. }) if field == expected),
                "{query:?}"
            );
        }
    }
}

/// Two operators with the same name, and one operator named like the program.
#[tokio::test]
async fn security_f09_people_of_one_name_are_found_one_by_one() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let named = |number: u128, name: &str| {
        Actor::from(&domain::person::Operator {
            id: domain::id::OperatorId(Uuid::from_u128(number)),
            name: name.to_owned(),
            upn: format!("somebody{number}@partner.example"),
            ..world.a.owner.clone()
        })
    };
    let actors = [
        named(1, "Olivia Berg"),
        named(2, "Olivia Berg"),
        named(3, "Postern"),
        Actor::System,
    ];
    for actor in &actors {
        let entry = NewEvent {
            actor: actor.clone(),
            ..event(&world.a.owner, "x")
        };
        tx.append(access, &entry).await.unwrap();
        tx.append_own(&entry).await.unwrap();
    }
    for (number, actor) in (1..).zip(&actors) {
        let query = query("", &actor.key(), "", "");
        let found = tx.history(access, &query, 50).await.unwrap();
        let seqs: Vec<i64> = found.rows.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, [number], "{actor:?}");
        assert_eq!(found.people.len(), 4);
        assert!(found.people.contains(actor));
        let found = tx.own_export(&query, Part::ALL).await.unwrap();
        // The partner's own history begins with the first sign-in.
        let found: Vec<_> = found
            .into_iter()
            .filter(|event| event.what == "x")
            .collect();
        assert!(
            found
                .iter()
                .all(|event| event.actor == *actor && event.customer.is_none())
        );
        assert_eq!(found.len(), 1, "{actor:?}");
    }
}
