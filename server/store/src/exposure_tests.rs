#![allow(clippy::unwrap_used)]

use domain::{
    Timestamp,
    exposure::{By, Standing},
    id::TenantId,
    reach::Level,
    step::StepState,
};

use super::*;
use crate::{
    ScanResult, Store,
    scans::tests::{connected_to, later, result, world},
    test_data::{NOW, Side, World, plan, setup_id},
};

pub(crate) async fn another(store: &Store, side: &Side, number: u128) -> CustomerAccess {
    let mut tx = store.begin(side.owner.partner).await.unwrap();
    let tenant = TenantId(Uuid::from_u128(2000 + number));
    let domain = format!("customer{number}.example");
    let (customer, _) = tx
        .add_customer(&side.owner, tenant, &domain, later(0))
        .await
        .unwrap();
    connected_to(&mut tx, &customer).await;
    tx.commit().await.unwrap();
    customer
}

pub(crate) async fn read(
    world: &World,
    customer: &CustomerAccess,
    now: Timestamp,
    levels: &[Level],
) {
    keep(world, customer, now, &result(levels)).await;
}

async fn keep(world: &World, customer: &CustomerAccess, now: Timestamp, result: &ScanResult) {
    let lease = Uuid::new_v4();
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    tx.ask_scan(customer, now).await.unwrap();
    tx.commit().await.unwrap();
    world
        .store
        .claim_scans(&world.homes, lease, now, now.plus_seconds(1), 50)
        .await
        .unwrap();
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let next = now.plus_seconds(9_999);
    assert!(
        tx.save_scan(customer, lease, result, now, next)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
}

pub(crate) fn by(by: By) -> ExposureQuery {
    ExposureQuery {
        by,
        page: 1,
        ..ExposureQuery::default()
    }
}

/// All rows that a list has.
pub(crate) async fn all_rows(tx: &mut Tx, query: &ExposureQuery) -> Vec<ExposureRow> {
    let rows = tx.exposure_rows(query, None).await.unwrap();
    rows.into_iter().filter_map(Row::exposure).collect()
}

#[tokio::test]
async fn what_is_kept_counted_is_what_counting_gives() {
    use Level::{AllExcept, Confined, Nothing, Power, Unknown, Unrestricted};
    let world = world().await;
    let other = another(&world.store, &world.a, 1).await;
    let readings: [(&CustomerAccess, &[Level]); 9] = [
        (&world.a.customer, &[Unrestricted, Confined, Unknown]),
        (&other, &[Confined, Confined, AllExcept, Nothing]),
        // In this order: unchanged, better, worse, one application less, no application.
        (&world.a.customer, &[Unrestricted, Confined, Unknown]),
        (&world.a.customer, &[Confined, Confined, Unknown]),
        (&other, &[Confined, Unrestricted, AllExcept, Nothing]),
        (&other, &[Power, Unrestricted, Power, Nothing]),
        (&other, &[Confined, Power, AllExcept, Nothing]),
        (&world.a.customer, &[Confined]),
        (&other, &[]),
    ];
    for (number, (customer, levels)) in (1_i64..).zip(readings) {
        read(&world, customer, later(10 * number), levels).await;
        let mut database = world.database.superuser().await.unwrap();
        let wrong: i64 = sqlx::query_scalar(
            "with held as (
                 select r.customer_id, coalesce(app_id, object) as app, h.permission, h.level,
                        can_be_confined and h.level <= 2 as confinable, r.partner_id
                 from reaches r, lateral (
                     select '' as permission, r.level union all
                     select * from unnest(r.permissions, r.levels)) h),
             counted as (
                 select partner_id, kind, subject, permission,
                        count(*) filter (where level = -1) as p,
                        count(*) filter (where level = 0) as a,
                        count(*) filter (where level = 1) as b,
                        count(*) filter (where level = 2) as c,
                        count(*) filter (where level = 3) as d,
                        count(*) filter (where level = 4) as e,
                        count(*) filter (where confinable) as f
                 from (select *, 'customer' as kind, customer_id as subject from held union all
                       select *, 'application', app from held) both_ways
                 group by partner_id, kind, subject, permission)
             select count(*) from counted n
             full join reach_sums s using (partner_id, kind, subject, permission)
             where (n.p, n.a, n.b, n.c, n.d, n.e, n.f)
                   is distinct from (s.power::bigint, s.unrestricted::bigint, s.all_except::bigint,
                                     s.unknown::bigint, s.confined::bigint, s.nothing::bigint,
                                     s.confinable::bigint)",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        assert_eq!(wrong, 0, "after reading {number}");
    }
}

#[tokio::test]
async fn customers_without_rows_are_clean_or_unknown_and_count() {
    let world = world().await;
    let clean = another(&world.store, &world.a, 1).await;
    let never = another(&world.store, &world.a, 2).await;
    let levels = [Level::Unrestricted, Level::Confined];
    read(&world, &world.a.customer, later(10), &levels).await;
    read(&world, &clean, later(20), &[]).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let totals = tx.exposure_totals(5).await.unwrap();
    let found = tx.exposure(&by(By::Customer)).await.unwrap();
    assert_eq!(found.matching, totals.customers);
    let never_read: i64 = found.rows.iter().map(|row| row.never_read).sum();
    assert_eq!((never_read, totals.never_read), (1, 1));
    let applications: i64 = found.rows.iter().map(|row| row.tally.total()).sum();
    assert_eq!(applications, totals.tally.total());
    let row = |customer: &CustomerAccess| {
        let id = Some(customer.record().id);
        found.rows.iter().find(|row| row.customer == id).unwrap()
    };
    assert_eq!((row(&clean).never_read, row(&clean).tally.total()), (0, 0));
    assert_eq!(row(&never).never_read, 1);
    // The customer of which nothing is known stands before the clean customer.
    let order: Vec<_> = found.rows.iter().map(|row| row.customer).collect();
    let expected = [&world.a.customer, &never, &clean].map(|one| Some(one.record().id));
    assert_eq!(order, expected);

    // The filter on unknown includes the customer never read. A filter on applications leaves out
    // both.
    let unknown = ExposureQuery {
        standing: Some(Standing::Unknown),
        ..by(By::Customer)
    };
    let found = tx.exposure(&unknown).await.unwrap();
    let ids: Vec<_> = found.rows.iter().map(|row| row.customer).collect();
    assert_eq!(ids, [Some(never.record().id)]);
    for (permission, search, matching) in
        [("Mail.Send", "", 1), ("", "customer1", 1), ("", "x-x", 0)]
    {
        let query = ExposureQuery {
            permission: permission.to_owned(),
            search: search.to_owned(),
            ..by(By::Customer)
        };
        assert_eq!(tx.exposure(&query).await.unwrap().matching, matching);
    }
}

#[tokio::test]
async fn rows_say_what_a_setup_can_confine() {
    let world = world().await;
    let other = another(&world.store, &world.a, 1).await;
    let levels = [Level::Unrestricted, Level::Confined];
    read(&world, &world.a.customer, later(10), &levels).await;
    read(&world, &other, later(20), &levels).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    for (kind, expected) in [
        (By::Application, vec![2, 0]),
        (By::Customer, vec![1, 1]),
        (By::Each, vec![1, 1, 0, 0]),
        (By::Permission, vec![2, 0]),
    ] {
        let found = tx.exposure(&by(kind)).await.unwrap();
        let confinable: Vec<i64> = found.rows.iter().map(|row| row.confinable).collect();
        assert_eq!(confinable, expected, "{kind:?}");
        // Filtered alone, the count is the same, and no other row appears.
        let only = ExposureQuery {
            confinable: true,
            ..by(kind)
        };
        let only = tx.exposure(&only).await.unwrap();
        let sum: i64 = only.rows.iter().map(|row| row.confinable).sum();
        assert_eq!(sum, expected.iter().sum::<i64>(), "{kind:?}");
        assert!(only.rows.iter().all(|row| row.confinable > 0), "{kind:?}");
    }
}

#[tokio::test]
async fn proven_is_only_what_a_setup_proved_and_what_reaches_no_more() {
    let world = world().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let id = setup_id();
    tx.start_setup(access, id, &plan(2), &world.a.owner, NOW)
        .await
        .unwrap();
    let mut record = tx.lock_setup(access, id).await.unwrap().unwrap();
    for step in &mut record.steps {
        step.state = StepState::Done;
    }
    record.ended_at = Some(NOW);
    tx.save_setup(access, &record, "").await.unwrap();
    let proven = tx.proven_senders(access).await.unwrap();
    assert_eq!(proven.len(), 1);
    assert_eq!(proven[0].0, AppId(Uuid::from_u128(2)));
    tx.commit().await.unwrap();

    // The third application has no setup, so its row's `as_proven` does not count.
    for (as_proven, now) in [(true, later(10)), (false, later(20))] {
        let mut reading = result(&[Level::Unrestricted, Level::Confined, Level::Confined]);
        for entry in &mut reading.entries {
            entry.as_proven = as_proven && entry.level == Level::Confined;
        }
        keep(&world, access, now, &reading).await;
        let expected = i64::from(as_proven);
        let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
        tx.after_scan(now).await.unwrap();
        let all = tx.exposure_totals(5).await.unwrap().tally;
        assert_eq!((all.proven, all.confined), (expected, 2 - expected));
        assert_eq!(tx.customer_totals(access).await.unwrap().0, all);
        for day in [None, Some(access)] {
            assert_eq!(tx.reach_days(day, 9).await.unwrap()[0].tally, all);
        }
        for kind in By::ALL {
            for search in ["", "neill"] {
                let counted = ExposureQuery {
                    search: search.to_owned(),
                    permission: "Mail.Send".to_owned(),
                    ..by(kind)
                };
                let only = ExposureQuery {
                    standing: Some(Standing::Proven),
                    ..counted.clone()
                };
                for query in [counted, only] {
                    let rows = all_rows(&mut tx, &query).await;
                    let sum: i64 = rows.iter().map(|row| row.tally.proven).sum();
                    assert_eq!(sum, expected, "{query:?}");
                }
            }
        }
        for entry in &reading.entries {
            let (_, proven) = tx.reach_details(access, entry.object).await.unwrap();
            let is_second = entry.app_id == Some(Uuid::from_u128(2));
            assert_eq!(proven, as_proven && is_second, "{}", entry.name);
        }
    }
}

#[tokio::test]
async fn every_combination_of_filters_is_a_query_and_pages_are_parts_of_the_whole() {
    let world = world().await;
    let other = another(&world.store, &world.a, 1).await;
    let many = [
        Level::Unrestricted,
        Level::AllExcept,
        Level::Unknown,
        Level::Confined,
    ];
    let many: Vec<Level> = many.into_iter().cycle().take(60).collect();
    read(&world, &world.a.customer, later(10), &many).await;
    read(&world, &other, later(20), &many).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    for kind in By::ALL {
        for sort in domain::exposure::ExposureSort::ALL {
            for filter in 0..64_u32 {
                let on = |bit: u32| filter & (1 << bit) != 0;
                let query = ExposureQuery {
                    sort,
                    search: if on(0) {
                        "neill".to_owned()
                    } else {
                        String::new()
                    },
                    permission: if on(1) {
                        "Mail.Send".to_owned()
                    } else {
                        String::new()
                    },
                    standing: on(2).then_some(Standing::Unrestricted),
                    application: on(3).then_some(AppId(Uuid::from_u128(1))),
                    customer: on(4).then_some(other.record().id),
                    confinable: on(5),
                    ..by(kind)
                };
                let all = all_rows(&mut tx, &query).await;
                let mut paged = Vec::new();
                let first = tx.exposure(&query).await.unwrap();
                for page in 1..=first.pages {
                    let query = ExposureQuery {
                        page,
                        ..query.clone()
                    };
                    paged.extend(tx.exposure(&query).await.unwrap().rows);
                }
                assert_eq!(all.len(), usize::try_from(first.matching).unwrap());
                assert_eq!(all, paged, "{query:?}");
                assert!(!all.is_empty(), "{query:?}");
            }
        }
    }
}

/// A removed permission is stored in the row with its time.
#[tokio::test]
async fn field_b09_what_may_still_work_is_kept_in_the_row() {
    let world = world().await;
    let mut reading = result(&[Level::Confined, Level::Confined]);
    let may_still = domain::exposure::MayStill {
        what: "send mail in info@fabrikam.example".to_owned(),
        until: later(90_000),
    };
    reading.entries[0].may_still = Some(may_still.clone());
    keep(&world, &world.a.customer, later(10), &reading).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let rows = tx.exposure(&by(By::Each)).await.unwrap().rows;
    let kept: Vec<_> = rows.into_iter().filter_map(|row| row.may_still).collect();
    assert_eq!(kept, [may_still]);
}
