//! Two partners in one database: what row-level security separates even when a query forgets its
//! partner.
#![allow(clippy::unwrap_used)]

use domain::{
    connection::Way,
    id::{FleetId, ObjectId},
    reach::Level,
    secret::ClientSecret,
};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgConnection};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore as _,
    session::{Id, Record},
};
use uuid::Uuid;

use crate::{
    scans::tests::result,
    session_hash,
    test_data::{NOW, Side, World, event, plan, setup_id},
};

/// Every table that belongs to a partner.
const TABLES: [&str; 17] = [
    "partners",
    "operators",
    "operator_sessions",
    "customers",
    "connections",
    "links",
    "setups",
    "steps",
    "secrets",
    "events",
    "partner_events",
    "fleet_scans",
    "scans",
    "reaches",
    "reach_sums",
    "reach_days",
    "reach_delegated",
];

/// One row or more in every table.
async fn fill(world: &World, side: &Side) {
    let access = &side.customer;
    let setup = setup_id();
    let mut record = Record {
        id: Id::default(),
        data: Default::default(),
        expiry_date: OffsetDateTime::now_utc(),
    };
    world.store.sessions().create(&mut record).await.unwrap();
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    tx.session_opened(side.owner.id, &session_hash(&record.id), "x", None, NOW)
        .await
        .unwrap();
    tx.save_consent(
        access,
        Way::Admin,
        "admin",
        ObjectId(Uuid::nil()),
        &["x"],
        &SecretString::from("x"),
        NOW,
    )
    .await
    .unwrap();
    tx.make_link(access, &setup.to_string(), side.owner.id, NOW, NOW)
        .await
        .unwrap();
    tx.start_setup(access, setup, &plan(1), &side.owner, NOW)
        .await
        .unwrap();
    let secret = ClientSecret::parse("x").unwrap();
    tx.put_secret(access, setup, &secret, NOW).await.unwrap();
    tx.append(access, &event(&side.owner, "x")).await.unwrap();
    tx.start_fleet(FleetId(Uuid::new_v4()), "Olivia", NOW)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let lease = Uuid::new_v4();
    let until = NOW.plus_seconds(60);
    world
        .store
        .claim_scans(&world.homes, lease, NOW, until, 1)
        .await
        .unwrap();
    let mut tx = world.store.begin(side.owner.partner).await.unwrap();
    let read = result(&[Level::Unrestricted]);
    let kept = tx.save_scan(access, lease, &read, NOW, until).await;
    assert!(kept.unwrap());
    tx.commit().await.unwrap();
}

async fn world() -> World {
    let world = World::new().await;
    fill(&world, &world.a).await;
    fill(&world, &world.b).await;
    world
}

async fn count(connection: &mut PgConnection, table: &str, condition: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!(
        "select count(*) from {table} where {condition}"
    )))
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_query_without_partner_sees_its_own_only() {
    let world = world().await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let partner = world.a.owner.partner;
    for table in TABLES {
        let key = if table == "partners" {
            "id"
        } else {
            "partner_id"
        };
        let own = count(tx.conn(), table, &format!("{key} = '{partner}'")).await;
        let all = count(tx.conn(), table, "true").await;
        assert!(own > 0, "{table} was not filled");
        assert_eq!(own, all, "{table}");
    }
}

#[tokio::test]
async fn without_a_partner_there_is_nothing() {
    let world = world().await;
    let mut server = world.database.server().await.unwrap();
    for setting in [None, Some(""), Some(&*Uuid::nil().to_string())] {
        if let Some(value) = setting {
            sqlx::query("select set_config('postern.partner', $1, false)")
                .bind(value)
                .execute(&mut server)
                .await
                .unwrap();
        }
        for table in TABLES {
            assert_eq!(count(&mut server, table, "true").await, 0, "{table}");
        }
    }
    // After a partner's transaction the pooled connection belongs to no partner.
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    assert!(count(tx.conn(), "customers", "true").await > 0);
    tx.commit().await.unwrap();
    for _ in 0..8 {
        let mut connection = world.store.pool.acquire().await.unwrap();
        assert_eq!(count(&mut connection, "customers", "true").await, 0);
    }
}

#[tokio::test]
async fn nothing_can_be_written_for_another_partner() {
    let world = world().await;
    let (a, b) = (&world.a, &world.b);
    let foreign = b.owner.partner;
    for statement in [
        format!(
            "insert into partners (id, home_tid, name, created_at) values ('{foreign}', gen_random_uuid(), 'x', now())"
        ),
        format!(
            "insert into customers (id, partner_id, tid, name, domain, created_at) values (gen_random_uuid(), '{foreign}', gen_random_uuid(), 'x', 'x', now())"
        ),
        format!(
            "insert into operators (id, partner_id, tid, oid, name, upn, created_at, last_seen_at) values (gen_random_uuid(), '{foreign}', gen_random_uuid(), gen_random_uuid(), 'x', 'x', now(), now())"
        ),
    ] {
        let mut tx = world.store.begin(a.owner.partner).await.unwrap();
        let error = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(tx.conn())
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("row-level security"),
            "{statement}: {error}"
        );
    }
    // A partner's own row that points to another partner's customer.
    let mut tx = world.store.begin(a.owner.partner).await.unwrap();
    let error = sqlx::query(
        "insert into links (token_hash, partner_id, customer_id, made_by, made_at, expires_at)
         values (sha256('x'), $1, $2, $3, now(), now())",
    )
    .bind(a.owner.partner.0)
    .bind(b.customer.record().id.0)
    .bind(a.owner.id.0)
    .execute(tx.conn())
    .await
    .unwrap_err();
    assert!(error.to_string().contains("foreign key"), "{error}");
    // Another partner's rows cannot be changed or removed.
    let mut tx = world.store.begin(a.owner.partner).await.unwrap();
    for statement in [
        "update customers set name = 'x'",
        "update connections set problem = null",
        "delete from secrets",
        "delete from operator_sessions",
        "update setups set doing = 'x'",
        "update scans set asked = true",
        "delete from reaches",
    ] {
        let changed = sqlx::query(AssertSqlSafe(format!(
            "{statement} {} partner_id <> '{}'",
            "where", a.owner.partner
        )))
        .execute(tx.conn())
        .await
        .unwrap();
        assert_eq!(changed.rows_affected(), 0, "{statement}");
    }
}

#[tokio::test]
async fn the_keys_of_sign_in_and_purge_open_no_more_than_they_should() {
    let world = world().await;
    let store = &world.store;
    let home = world.a.owner.tenant.to_string();
    for (name, value, partners) in [("home_tid", home.as_str(), 1), ("housekeeping", "on", 2)] {
        let mut tx = store.begin_with_key(name, value).await.unwrap();
        for table in TABLES {
            let expected = if table == "partners" { partners } else { 0 };
            assert_eq!(
                count(&mut tx, table, "true").await,
                expected,
                "{table} with {name}"
            );
        }
    }
    // The purge can read the partners' ids. It cannot change a partner.
    let mut tx = store.begin_with_key("housekeeping", "on").await.unwrap();
    let changed = sqlx::query("update partners set name = 'x'")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 0);
}
