#![allow(clippy::unwrap_used)]

use secrecy::ExposeSecret as _;
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    SessionStore as _,
    session::{Id, Record},
};

use super::*;
use crate::{
    Store, Vault, session_hash,
    test_data::{NOW, World},
    testing::RING,
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
    // A use within a minute is not recorded, and an expired session is not shown.
    assert_eq!(seen, [(second, later, false), (first, NOW, true)]);
    tx.commit().await.unwrap();

    // Another operator's session is not found.
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

/// A session of the owner with a token, in a transaction that is still open.
async fn opened(world: &World) -> (Tx, SessionRef) {
    let browser = signed_in_browser(&world.store, Duration::hours(1)).await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let (me, hash) = (world.a.owner.id, session_hash(&browser.id));
    let token = SecretString::from("1.home");
    let opened = tx.session_opened(me, &hash, "here", Some(&token), NOW);
    let session = opened.await.unwrap();
    (tx, session)
}

#[tokio::test]
async fn entra_is_asked_by_one_process_at_a_time() {
    let world = World::new().await;
    let me = world.a.owner.id;
    let (mut tx, session) = opened(&world).await;
    let now = NOW.plus_seconds(900);
    let early = [NOW.plus_seconds(-1); 2];
    assert!(
        tx.ask_home(me, session, early, now)
            .await
            .unwrap()
            .is_none()
    );
    let due = [NOW, NOW.plus_seconds(840)];
    let home = tx.ask_home(me, session, due, now).await.unwrap().unwrap();
    assert_eq!(token_of(&home), "1.home");
    assert_eq!(home.unanswered, now);
    assert!(tx.ask_home(me, session, due, now).await.unwrap().is_none());
    let rotated = SecretString::from("1.rotated");
    tx.home_confirmed(me, session, Some(&rotated))
        .await
        .unwrap();
    let home = tx.ask_home(me, session, [now; 2], now).await.unwrap();
    assert_eq!(token_of(&home.unwrap()), "1.rotated");
}

fn token_of(home: &HomeToken) -> &str {
    match &home.token {
        Some(HomeTokenRead::Token(token)) => token.expose_secret(),
        other => panic!("{other:?}"),
    }
}

/// A question without an answer is asked again soon. The time without an answer counts from the
/// first such question.
#[tokio::test]
async fn security_f04_a_question_without_an_answer_is_put_again_soon() {
    let world = World::new().await;
    let me = world.a.owner.id;
    let (mut tx, session) = opened(&world).await;
    let since = |now: Timestamp| [now.plus_seconds(-900), now.plus_seconds(-60)];
    let first = NOW.plus_seconds(3000);
    for (seconds, asked) in [
        (0, true),
        (59, false),
        (60, true),
        (119, false),
        (120, true),
    ] {
        let now = first.plus_seconds(seconds);
        let home = tx.ask_home(me, session, since(now), now).await.unwrap();
        assert_eq!(home.is_some(), asked, "{seconds}");
        assert!(home.is_none_or(|home| home.unanswered == first));
    }
    tx.home_confirmed(me, session, None).await.unwrap();
    for (seconds, asked) in [(180, false), (1019, false), (1020, true)] {
        let now = first.plus_seconds(seconds);
        let home = tx.ask_home(me, session, since(now), now).await.unwrap();
        assert_eq!(home.is_some(), asked, "{seconds}");
        assert!(home.is_none_or(|home| home.unanswered == now));
    }
}

/// The token's key left the ring, or another process has a newer key. The browser stays signed in.
#[tokio::test]
async fn security_f12_a_token_without_its_key_is_said_and_renewed_in_time() {
    let world = World::new().await;
    let me = world.a.owner.id;
    let (tx, session) = opened(&world).await;
    tx.commit().await.unwrap();
    let newer = "newer:Z+FZhbYsLJGyH10yHoFEbovi0LeitiZ9wsriBkii7B4=";
    let both = Vault::parse(&format!("{newer},{RING}").into()).unwrap();
    let only = Vault::parse(&newer.into()).unwrap();
    let with = async |vault: Vault| {
        Store::connect(&world.database.server_url, 4, vault)
            .await
            .unwrap()
    };
    let now = NOW.plus_seconds(900);
    let asked = async |store: &Store| {
        let mut tx = store.begin(world.a.owner.partner).await.unwrap();
        let home = tx.ask_home(me, session, [NOW, NOW], now).await.unwrap();
        home.unwrap().token.unwrap()
    };
    let without = with(only).await;
    assert!(matches!(asked(&without).await, HomeTokenRead::NoKey));
    assert_eq!(with(both).await.reseal_tokens().await.unwrap(), 1);
    assert!(matches!(asked(&without).await, HomeTokenRead::Token(_)));
}
