#![allow(clippy::unwrap_used)]

use serde_json::json;
use time::Duration;
use tower_sessions::SessionStore as _;

use super::*;
use crate::test_data::World;

fn record(expires: Duration) -> Record {
    Record {
        id: Id::default(),
        data: HashMap::from([("operator".to_owned(), json!("x"))]),
        expiry_date: (OffsetDateTime::now_utc() + expires)
            .replace_nanosecond(0)
            .unwrap(),
    }
}

#[tokio::test]
async fn keeps_loads_and_deletes() {
    let world = World::new().await;
    let store = world.store.sessions();
    let mut kept = record(Duration::hours(1));
    store.create(&mut kept).await.unwrap();
    assert_eq!(store.load(&kept.id).await.unwrap(), Some(kept.clone()));
    kept.data.insert("more".into(), json!([1, null]));
    kept.expiry_date += Duration::hours(1);
    store.save(&kept).await.unwrap();
    assert_eq!(store.load(&kept.id).await.unwrap(), Some(kept.clone()));
    store.delete(&kept.id).await.unwrap();
    assert_eq!(store.load(&kept.id).await.unwrap(), None);
}

#[tokio::test]
async fn an_ended_session_does_not_come_back() {
    let world = World::new().await;
    let store = world.store.sessions();
    let mut ended = record(Duration::hours(1));
    store.create(&mut ended).await.unwrap();
    store.delete(&ended.id).await.unwrap();
    store.save(&ended).await.unwrap();
    assert_eq!(store.load(&ended.id).await.unwrap(), None);
}

#[tokio::test]
async fn expired_sessions_are_none_and_ids_are_never_shared() {
    let world = World::new().await;
    let store = world.store.sessions();
    let mut old = record(Duration::seconds(-2));
    store.create(&mut old).await.unwrap();
    assert_eq!(store.load(&old.id).await.unwrap(), None);
    let mut second = record(Duration::hours(1));
    second.id = old.id;
    store.create(&mut second).await.unwrap();
    assert_ne!(second.id, old.id);
    assert!(store.load(&second.id).await.unwrap().is_some());
}

#[tokio::test]
async fn the_table_does_not_hold_the_id() {
    let world = World::new().await;
    let mut kept = record(Duration::hours(1));
    world.store.sessions().create(&mut kept).await.unwrap();
    let mut owner = world.database.owner().await.unwrap();
    let hash: Vec<u8> = sqlx::query_scalar("select id_hash from sessions")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(hash, session_hash(&kept.id));
    assert!(!hash.windows(16).any(|part| part == kept.id.0.to_le_bytes()));
}
