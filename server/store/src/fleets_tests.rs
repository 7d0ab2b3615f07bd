#![allow(clippy::unwrap_used)]

use domain::{id::TenantId, reach::Level};

use super::*;
use crate::{
    scans::tests::{connected_to, later, result, world},
    test_data::World,
};

/// The first partner with more customers, all connected.
async fn many(world: &World, count: u128) -> Vec<crate::CustomerAccess> {
    let mut all = vec![world.a.customer.clone()];
    for number in 1..count {
        let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
        let tenant = TenantId(Uuid::from_u128(1000 + number));
        let domain = format!("customer{number}.example");
        let (customer, _) = tx
            .add_customer(&world.a.owner, tenant, &domain, later(0))
            .await
            .unwrap();
        connected_to(&mut tx, &customer).await;
        tx.commit().await.unwrap();
        all.push(customer);
    }
    all
}

#[tokio::test]
async fn a_scan_of_all_ends_when_the_last_is_done_and_is_one_at_a_time() {
    let world = world().await;
    let side = &world.a;
    let (lease, fleet) = (Uuid::new_v4(), FleetId(Uuid::new_v4()));
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    assert_eq!(
        tx.start_fleet(fleet, "Olivia", later(1)).await.unwrap(),
        fleet
    );
    let other = FleetId(Uuid::new_v4());
    assert_eq!(
        tx.start_fleet(other, "Nora", later(2)).await.unwrap(),
        fleet
    );
    tx.commit().await.unwrap();
    world
        .store
        .claim_scans(&world.homes, lease, later(3), later(60), 9)
        .await
        .unwrap();
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    let seen = tx.fleet(later(4)).await.unwrap().unwrap();
    assert_eq!((seen.total, seen.done, seen.running), (1, 0, 1));
    tx.end_fleet(later(4)).await.unwrap();
    assert_eq!(
        tx.fleet(later(4)).await.unwrap().unwrap().ended,
        None,
        "one is still read"
    );
    tx.save_scan(&side.customer, lease, &result(&[]), later(5), later(99))
        .await
        .unwrap();
    tx.end_fleet(later(6)).await.unwrap();
    let seen = tx.fleet(later(7)).await.unwrap().unwrap();
    assert_eq!((seen.done, seen.running, seen.failed), (1, 0, 0));
    assert_eq!(seen.ended, Some(later(6)));
    // After a cancel, waiting customers get back their nightly schedule.
    tx.start_fleet(other, "Nora", later(10)).await.unwrap();
    assert!(tx.cancel_fleet(later(11), |_| later(5000)).await.unwrap());
    assert!(!tx.cancel_fleet(later(12), |_| later(5000)).await.unwrap());
    tx.commit().await.unwrap();
    let taken = world
        .store
        .claim_scans(&world.homes, lease, later(13), later(60), 9)
        .await;
    assert!(
        taken
            .unwrap()
            .iter()
            .all(|turn| turn.partner != side.owner.partner)
    );
}

/// A scan of all customers must show the state at the moment of the request.
#[tokio::test]
async fn who_is_being_read_when_it_begins_is_read_once_more() {
    let world = world().await;
    let side = &world.a;
    let lease = Uuid::new_v4();
    let claim = async |now: i64| {
        let turns = world
            .store
            .claim_scans(&world.homes, lease, later(now), later(now + 60), 9);
        let turns = turns.await.unwrap();
        turns.iter().any(|turn| turn.partner == side.owner.partner)
    };
    let fleet = async |now: i64| {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        tx.fleet(later(now)).await.unwrap().unwrap()
    };
    let save = async |now: i64| {
        let mut tx = world.store.begin(side.owner.partner).await.unwrap();
        let read = result(&[]);
        let kept = tx.save_scan(&side.customer, lease, &read, later(now), later(900));
        assert!(kept.await.unwrap());
        tx.after_scan(later(now)).await.unwrap();
        tx.commit().await.unwrap();
    };
    assert!(claim(1).await);
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    let id = FleetId(Uuid::new_v4());
    tx.start_fleet(id, "Olivia", later(2)).await.unwrap();
    tx.commit().await.unwrap();
    save(3).await;
    let seen = fleet(4).await;
    assert_eq!((seen.done, seen.ended), (0, None));
    assert!(claim(5).await);
    save(6).await;
    let seen = fleet(7).await;
    assert_eq!((seen.done, seen.ended), (1, Some(later(6))));
    // A later request does not change how the scan ended.
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    tx.ask_scan(&side.customer, later(8)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fleet(9).await.done, 1);
}

#[tokio::test]
async fn two_that_begin_at_once_begin_one() {
    let world = world().await;
    let partner = world.a.owner.partner;
    let (one, other) = (FleetId(Uuid::new_v4()), FleetId(Uuid::new_v4()));
    let mut first = world.store.begin(partner).await.unwrap();
    assert_eq!(
        first.start_fleet(one, "Olivia", later(1)).await.unwrap(),
        one
    );
    let second = async {
        let mut tx = world.store.begin(partner).await.unwrap();
        // The second transaction sees no scan yet, and waits for the first transaction to end.
        let begun = tx.start_fleet(other, "Nora", later(1)).await;
        tx.commit().await.unwrap();
        begun
    };
    let waits = async {
        let mut watch = world.database.superuser().await.unwrap();
        loop {
            let blocked: i64 = sqlx::query_scalar(
                "select count(*) from pg_locks l join pg_stat_activity a using (pid)
                 where not l.granted and a.datname = current_database()",
            )
            .fetch_one(&mut watch)
            .await
            .unwrap();
            if blocked > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        first.commit().await.unwrap();
    };
    let (begun, ()) = tokio::join!(second, waits);
    assert_eq!(begun.unwrap(), one);
}

#[tokio::test]
async fn cancelled_each_waits_for_its_own_night_and_the_dead_readers_too() {
    let world = world().await;
    let customers = many(&world, 4).await;
    let partner = world.a.owner.partner;
    let claim = async |now| {
        let lease = Uuid::new_v4();
        let taken = world
            .store
            .claim_scans(&world.homes, lease, later(now), later(now + 60), 9)
            .await
            .unwrap();
        let ours = taken.into_iter().filter(|turn| turn.partner == partner);
        ours.collect::<Vec<_>>()
    };
    // The customers' own requests are done first, so that only the scan of all customers is left.
    let lease = Uuid::new_v4();
    world
        .store
        .claim_scans(&world.homes, lease, later(1), later(60), 9)
        .await
        .unwrap();
    let mut tx = world.store.begin(partner).await.unwrap();
    for customer in &customers {
        tx.save_scan(customer, lease, &result(&[]), later(2), later(9_000))
            .await
            .unwrap();
    }
    tx.start_fleet(FleetId(Uuid::new_v4()), "Olivia", later(10))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // One process claimed all customers, and dies.
    assert_eq!(claim(11).await.len(), 4);
    let mut tx = world.store.begin(partner).await.unwrap();
    let order = |id: CustomerId| {
        let place = customers.iter().position(|one| one.record().id == id);
        i64::try_from(place.unwrap()).unwrap()
    };
    assert!(
        tx.cancel_fleet(later(100), |id| later(1_000 + 1_000 * order(id)))
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    assert_eq!(claim(101).await, []);
    // Nothing reads the customers claimed here, so each is claimed again in the next round.
    for place in 0..4 {
        let due = claim(1_000 + 1_000 * place).await;
        let mut places: Vec<i64> = due.iter().map(|turn| order(turn.customer)).collect();
        places.sort_unstable();
        assert_eq!(places, (0..=place).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_is_read_after_a_cancel_does_not_count_for_it() {
    let world = world().await;
    let customers = many(&world, 2).await;
    let partner = world.a.owner.partner;
    let lease = Uuid::new_v4();
    let mut tx = world.store.begin(partner).await.unwrap();
    tx.start_fleet(FleetId(Uuid::new_v4()), "Olivia", later(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world
        .store
        .claim_scans(&world.homes, lease, later(2), later(60), 9)
        .await
        .unwrap();
    let mut tx = world.store.begin(partner).await.unwrap();
    let levels = [Level::Confined];
    let save = [later(3), later(5)];
    tx.save_scan(&customers[0], lease, &result(&levels), save[0], later(99))
        .await
        .unwrap();
    tx.cancel_fleet(later(4), |_| later(99)).await.unwrap();
    tx.save_scan(&customers[1], lease, &result(&levels), save[1], later(99))
        .await
        .unwrap();
    let seen = tx.fleet(later(6)).await.unwrap().unwrap();
    assert!(seen.cancelled);
    assert_eq!((seen.total, seen.done, seen.running), (2, 1, 0));
}
