#![allow(clippy::unwrap_used)]

use domain::reach::Level;

use super::*;
use crate::{
    exposure::tests::{all_rows, another, by, read},
    scans::tests::{later, world},
    test_data::World,
};

/// Reads a download in parts of at most `limit` rows.
async fn parts(world: &World, query: &ExposureQuery, limit: u32) -> Vec<ExposureRow> {
    let tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let mut parts = tx.exposure_parts(query).await.unwrap();
    let mut found = Vec::new();
    while let Some(part) = parts.next(limit).await.unwrap() {
        assert!(!part.is_empty() && part.len() <= usize::try_from(limit).unwrap());
        found.extend(part);
    }
    assert_eq!(parts.next(limit).await.unwrap(), None);
    found
}

/// The rows of a download for applications that only act for people.
async fn delegated(world: &World, query: &ExposureQuery) -> Vec<ExposureRow> {
    let rows = parts(world, query, 100).await.into_iter();
    rows.filter(|row| row.tally == Tally::default()).collect()
}

#[tokio::test]
async fn security_f11_the_parts_of_a_download_are_the_whole() {
    let world = world().await;
    let other = another(&world.store, &world.a, 1).await;
    let many = vec![Level::Unrestricted; 11];
    read(&world, &world.a.customer, later(10), &many).await;
    read(&world, &other, later(20), &many).await;
    for kind in By::ALL {
        for search in ["", "neill", "nobody is called so"] {
            let query = ExposureQuery {
                search: search.to_owned(),
                ..by(kind)
            };
            let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
            let page = all_rows(&mut tx, &query).await;
            drop(tx);
            let mut whole = page.clone();
            whole.extend(delegated(&world, &query).await);
            for limit in [1, 3, 100] {
                assert_eq!(parts(&world, &query, limit).await, whole, "{query:?}");
            }
        }
    }
}

/// An application that acts for people at two customers gives one row grouped by application, and
/// two rows grouped by both.
#[tokio::test]
async fn reach_r05_who_only_acts_for_people_is_one_row_by_application() {
    let world = world().await;
    let other = another(&world.store, &world.a, 1).await;
    read(&world, &world.a.customer, later(10), &[Level::Unrestricted]).await;
    let one = delegated(&world, &by(By::Application)).await;
    let [row] = one.as_slice() else {
        panic!("{one:?}")
    };
    assert_eq!(row.customer, Some(world.a.customer.record().id));
    read(&world, &other, later(20), &[Level::Unrestricted]).await;
    let both = delegated(&world, &by(By::Application)).await;
    let [row] = both.as_slice() else {
        panic!("{both:?}")
    };
    assert_eq!((row.customers, row.customer, row.object), (2, None, None));
    assert_eq!((&row.name, &row.acts_as), (&one[0].name, &one[0].acts_as));
    assert_eq!(delegated(&world, &by(By::Customer)).await, []);
    assert_eq!(delegated(&world, &by(By::Permission)).await, []);
}

/// Such applications are in the download, and in no count.
#[tokio::test]
async fn reach_r05_who_only_acts_for_people_is_found_apart() {
    let world = world().await;
    let other = another(&world.store, &world.a, 1).await;
    read(&world, &world.a.customer, later(10), &[Level::Unrestricted]).await;
    read(&world, &other, later(20), &[Level::Unrestricted]).await;
    let found = delegated(&world, &by(By::Each)).await;
    assert_eq!(found.len(), 2);
    for row in &found {
        assert!(row.name.starts_with("Notes"), "{row:?}");
        assert_eq!(row.acts_as.len(), 1, "{row:?}");
        assert_eq!(row.tally, Tally::default());
    }
    for (query, expected) in [
        (
            ExposureQuery {
                search: "NOTES".to_owned(),
                ..by(By::Each)
            },
            2,
        ),
        (
            ExposureQuery {
                search: "no such thing".to_owned(),
                ..by(By::Each)
            },
            0,
        ),
        (
            ExposureQuery {
                customer: Some(other.record().id),
                ..by(By::Each)
            },
            1,
        ),
        (
            ExposureQuery {
                application: Some(AppId(Uuid::from_u128(1))),
                ..by(By::Each)
            },
            0,
        ),
    ] {
        let found = delegated(&world, &query).await;
        assert_eq!(found.len(), expected, "{query:?}");
    }
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let each = all_rows(&mut tx, &by(By::Each)).await;
    assert_eq!(each.len(), 2);
    assert!(each.iter().all(|row| row.tally.total() == 1));
}
