#![allow(clippy::unwrap_used)]

use domain::id::SessionRef;
use secrecy::{ExposeSecret as _, SecretString};
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    SessionStore as _,
    session::{Id, Record},
};

use crate::{
    Store, session_hash,
    test_data::{NOW, World},
};

async fn signed_in_browser(store: &Store, expires: Duration) -> Record {
    let mut record = Record {
        id: Id::default(),
        data: std::collections::HashMap::new(),
        expiry_date: OffsetDateTime::now_utc() + expires,
    };
    store.sessions().create(&mut record).await.unwrap();
    record
}

#[tokio::test]
async fn lists_and_ends_sessions() {
    let world = World::new().await;
    let (store, me) = (&world.store, world.a.owner.id);
    let browsers = [
        signed_in_browser(store, Duration::hours(1)).await,
        signed_in_browser(store, Duration::hours(1)).await,
        signed_in_browser(store, Duration::hours(-1)).await,
    ];
    let mut tx = store.begin(world.a.owner.partner).await.unwrap();
    let mut refs: Vec<SessionRef> = Vec::new();
    for browser in &browsers {
        refs.push(
            tx.session_opened(
                me,
                &session_hash(&browser.id),
                "Firefox on Linux",
                None,
                NOW,
            )
            .await
            .unwrap(),
        );
    }
    let [first, second, expired] = refs.try_into().unwrap();
    let soon = NOW.plus_seconds(10);
    let later = NOW.plus_seconds(90);
    assert!(tx.session_used(me, first, true, soon).await.unwrap());
    assert!(tx.session_used(me, second, true, later).await.unwrap());
    assert_eq!(
        tx.people(me).await.unwrap().first().unwrap().last_seen,
        later
    );
    let rows = tx.sessions_of(me, Some(first)).await.unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.id, row.last_use, row.current))
        .collect();
    // A use within a minute is not noted, and what expired is not shown.
    assert_eq!(seen, [(second, later, false), (first, NOW, true)]);
    tx.commit().await.unwrap();

    // Somebody else's session is none.
    let mut other = store.begin(world.b.owner.partner).await.unwrap();
    assert!(!other.session_used(me, first, true, later).await.unwrap());
    assert!(!other.end_session(me, first).await.unwrap());
    other.commit().await.unwrap();

    let mut tx = store.begin(world.a.owner.partner).await.unwrap();
    assert!(!tx.end_session(world.b.owner.id, first).await.unwrap());
    assert!(tx.end_session(me, first).await.unwrap());
    assert!(!tx.session_used(me, first, true, later).await.unwrap());
    tx.commit().await.unwrap();
    let load = async |at: usize| {
        store
            .sessions()
            .load(&browsers.get(at).unwrap().id)
            .await
            .unwrap()
    };
    assert_eq!(load(0).await, None);
    assert!(load(1).await.is_some());

    let mut tx = store.begin(world.a.owner.partner).await.unwrap();
    assert_eq!(tx.end_all_sessions(me).await.unwrap(), 2);
    assert!(!tx.session_used(me, expired, true, later).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(load(1).await, None);
}

#[tokio::test]
async fn purges_what_expired() {
    let world = World::new().await;
    let (store, me) = (&world.store, world.a.owner.id);
    let alive = signed_in_browser(store, Duration::days(30)).await;
    let dead = signed_in_browser(store, Duration::hours(-1)).await;
    let now = domain::Timestamp(OffsetDateTime::now_utc().unix_timestamp() * 1000);
    let mut tx = store.begin(world.a.owner.partner).await.unwrap();
    let kept = tx
        .session_opened(me, &session_hash(&alive.id), "here", None, now)
        .await
        .unwrap();
    let gone = tx
        .session_opened(me, &session_hash(&dead.id), "there", None, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.purge_sessions(now).await.unwrap(), 1);
    assert_eq!(
        store
            .purge_sessions(now.plus_seconds(25 * 3600))
            .await
            .unwrap(),
        0
    );
    let mut tx = store.begin(world.a.owner.partner).await.unwrap();
    assert!(tx.session_used(me, kept, true, now).await.unwrap());
    assert!(!tx.session_used(me, gone, true, now).await.unwrap());
}

#[tokio::test]
async fn security_f23_what_a_page_does_by_itself_is_no_use() {
    let world = World::new().await;
    let me = world.a.owner.id;
    let browser = signed_in_browser(&world.store, Duration::hours(1)).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let session = tx
        .session_opened(me, &session_hash(&browser.id), "here", None, NOW)
        .await
        .unwrap();
    let later = NOW.plus_seconds(600);
    assert!(tx.session_used(me, session, false, later).await.unwrap());
    let rows = tx.sessions_of(me, None).await.unwrap();
    assert_eq!(rows.first().unwrap().last_use, NOW);
}

#[tokio::test]
async fn entra_is_asked_by_one_process_at_a_time() {
    let world = World::new().await;
    let me = world.a.owner.id;
    let browser = signed_in_browser(&world.store, Duration::hours(1)).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let token = SecretString::from("1.home");
    let session = tx
        .session_opened(me, &session_hash(&browser.id), "here", Some(&token), NOW)
        .await
        .unwrap();
    let before = NOW.plus_seconds(-1);
    let now = NOW.plus_seconds(900);
    assert!(
        tx.ask_home(me, session, before, now)
            .await
            .unwrap()
            .is_none()
    );
    let home = tx.ask_home(me, session, NOW, now).await.unwrap().unwrap();
    assert_eq!(home.token.unwrap().expose_secret(), "1.home");
    assert_eq!(home.confirmed, NOW);
    assert!(tx.ask_home(me, session, NOW, now).await.unwrap().is_none());
    let rotated = SecretString::from("1.rotated");
    tx.home_confirmed(me, session, Some(&rotated), now)
        .await
        .unwrap();
    let home = tx.ask_home(me, session, now, now).await.unwrap().unwrap();
    assert_eq!(home.token.unwrap().expose_secret(), "1.rotated");
    assert_eq!(home.confirmed, now);
}
