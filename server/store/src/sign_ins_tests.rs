#![allow(clippy::unwrap_used, clippy::panic)]

use secrecy::ExposeSecret as _;

use super::*;
use crate::test_data::{NOW, World};

fn sign_in(purpose: Purpose) -> SignIn {
    SignIn {
        purpose,
        nonce: "nonce".into(),
        verifier: SecretString::from("verifier"),
        return_to: "/customers".into(),
        created_at: NOW,
        expires_at: NOW.plus_seconds(600),
    }
}

#[tokio::test]
async fn works_once_and_only_where_it_began() {
    let world = World::new().await;
    let store = &world.store;
    store
        .put_sign_in(&sign_in(Purpose::SignIn), "state", "browser")
        .await
        .unwrap();
    let take = async |state: &str, browser: &str| {
        store
            .take_sign_in(state, browser, NOW.plus_seconds(30))
            .await
            .unwrap()
    };
    assert!(matches!(
        take("other", "browser").await,
        TakenSignIn::Unknown
    ));
    assert!(matches!(take("state", "other").await, TakenSignIn::Unknown));
    // The wrong browser did not use up the round trip.
    let TakenSignIn::Found(found) = take("state", "browser").await else {
        panic!("it was begun in this browser");
    };
    assert_eq!(found.purpose, Purpose::SignIn);
    assert_eq!(found.nonce, "nonce");
    assert_eq!(found.verifier.expose_secret(), "verifier");
    assert_eq!(found.return_to, "/customers");
    assert_eq!(found.expires_at, NOW.plus_seconds(600));
    assert!(matches!(
        take("state", "browser").await,
        TakenSignIn::Unknown
    ));
}

#[tokio::test]
async fn of_two_that_come_back_at_once_one_is_taken() {
    let world = World::new().await;
    let store = &world.store;
    store
        .put_sign_in(&sign_in(Purpose::SignIn), "state", "browser")
        .await
        .unwrap();
    let take = async || {
        let taken = store.take_sign_in("state", "browser", NOW).await.unwrap();
        matches!(taken, TakenSignIn::Found(_))
    };
    let (one, other) = tokio::join!(take(), take());
    assert!(one != other);
}

#[tokio::test]
async fn says_that_it_is_too_late() {
    let world = World::new().await;
    let store = &world.store;
    let put = async |state: &str| {
        store
            .put_sign_in(&sign_in(Purpose::SignIn), state, "browser")
            .await
            .unwrap();
    };
    put("one").await;
    put("two").await;
    let late = NOW.plus_seconds(600);
    let TakenSignIn::Expired { created_at } =
        store.take_sign_in("one", "browser", late).await.unwrap()
    else {
        panic!("it is over its time");
    };
    assert_eq!(created_at, NOW);
    let early = late.plus_seconds(-1);
    assert_eq!(store.purge_sign_ins(early).await.unwrap(), 0);
    assert_eq!(store.purge_sign_ins(late).await.unwrap(), 1);
    let gone = store.take_sign_in("two", "browser", NOW).await.unwrap();
    assert!(matches!(gone, TakenSignIn::Unknown));
}

#[tokio::test]
async fn a_consent_comes_back_with_what_it_is_for() {
    let world = World::new().await;
    let record = world.a.customer.record();
    let purpose = Purpose::Connect {
        partner: record.partner,
        customer: record.id,
        expected: record.tenant,
        operator: Some(world.a.owner.id),
        way: Way::Admin,
        link: None,
        replaces: false,
    };
    let mut tx = world.store.begin(record.partner).await.unwrap();
    tx.put_sign_in(&sign_in(purpose), "state", "browser")
        .await
        .unwrap();
    drop(tx);
    let take = async || {
        world
            .store
            .take_sign_in("state", "browser", NOW)
            .await
            .unwrap()
    };
    assert!(
        matches!(take().await, TakenSignIn::Unknown),
        "rolled back with the rest"
    );
    let mut tx = world.store.begin(record.partner).await.unwrap();
    tx.put_sign_in(&sign_in(purpose), "state", "browser")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let TakenSignIn::Found(found) = take().await else {
        panic!("it was committed");
    };
    assert_eq!(found.purpose, purpose);
}

#[tokio::test]
async fn a_query_that_names_no_state_sees_none() {
    let world = World::new().await;
    world
        .store
        .put_sign_in(&sign_in(Purpose::SignIn), "state", "browser")
        .await
        .unwrap();
    let mut server = world.database.server().await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from sign_ins")
        .fetch_one(&mut server)
        .await
        .unwrap();
    assert_eq!(count, 0);
    let gone = sqlx::query("delete from sign_ins")
        .execute(&mut server)
        .await
        .unwrap();
    assert_eq!(gone.rows_affected(), 0);
}

#[tokio::test]
async fn security_f03_a_browser_has_few_round_trips_open() {
    let world = World::new().await;
    let store = &world.store;
    let put = async |state: String, browser: &str| {
        store
            .put_sign_in(&sign_in(Purpose::SignIn), &state, browser)
            .await
            .unwrap();
    };
    let found = async |state: &str, browser: &str| {
        let taken = store.take_sign_in(state, browser, NOW).await.unwrap();
        matches!(taken, TakenSignIn::Found(_))
    };
    put("other".to_owned(), "another browser").await;
    for number in 0..40 {
        put(format!("state {number}"), "browser").await;
    }
    // All attempts at once, as a script makes them.
    futures::future::join_all((0..20).map(|number| put(format!("at once {number}"), "browser")))
        .await;
    put("last".to_owned(), "browser").await;
    let mut database = world.database.superuser().await.unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from sign_ins")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(rows, OPEN_PER_BROWSER + 1);
    assert!(found("last", "browser").await, "the newest stays");
    assert!(!found("state 0", "browser").await, "the oldest goes");
    assert!(
        found("other", "another browser").await,
        "nobody else's goes"
    );
}

#[tokio::test]
async fn security_f03_a_consent_that_is_late_is_told_so_for_a_day() {
    let world = World::new().await;
    let record = world.a.customer.record();
    let purpose = Purpose::Connect {
        partner: record.partner,
        customer: record.id,
        expected: record.tenant,
        operator: Some(world.a.owner.id),
        way: Way::Admin,
        link: None,
        replaces: false,
    };
    world
        .store
        .put_sign_in(&sign_in(purpose), "state", "browser")
        .await
        .unwrap();
    let late = NOW.plus_seconds(3600);
    assert_eq!(world.store.purge_sign_ins(late).await.unwrap(), 0);
    let taken = world.store.take_sign_in("state", "browser", late).await;
    assert!(matches!(taken.unwrap(), TakenSignIn::Expired { .. }));
}
