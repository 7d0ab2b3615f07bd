#![allow(clippy::unwrap_used)]

use sqlx::{AssertSqlSafe, Connection as _};

use crate::{
    Error, Store, migrate, role_of,
    test_data::World,
    testing::{TestDatabase, vault},
    tx::options,
};

async fn why(url: &secrecy::SecretString) -> String {
    match Store::connect(url, 2, vault().unwrap()).await {
        Err(Error::Refused { why }) => why,
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn refuses_roles_that_see_past_security() {
    let database = TestDatabase::create().await.unwrap();
    assert!(why(&database.superuser_url()).await.contains("superuser"));
    assert!(why(&database.owner_url).await.contains("owns the table"));
    database.store().await.unwrap().ping().await.unwrap();

    let suffix = uuid::Uuid::new_v4().simple();
    let (bypass, member) = (format!("bypass_{suffix}"), format!("member_{suffix}"));
    let mut superuser = database.superuser().await.unwrap();
    let mut run = async |statement: String| {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut superuser)
            .await
            .unwrap();
    };
    run(format!(
        "create role {bypass} login bypassrls password 'test'"
    ))
    .await;
    run(format!("create role {member} login password 'test'")).await;
    let as_role = |role: &str| {
        use sqlx::ConnectOptions as _;
        let url = options(&database.server_url)
            .unwrap()
            .username(role)
            .to_url_lossy();
        secrecy::SecretString::from(url.to_string())
    };
    assert!(why(&as_role(&bypass)).await.contains("BYPASSRLS"));
    assert!(why(&as_role(&member)).await.contains("postern migrate"));
    run(format!("grant {bypass} to {member}")).await;
    assert!(why(&as_role(&member)).await.contains("BYPASSRLS"));
    run(format!("drop role {member}")).await;
    run(format!("drop role {bypass}")).await;
}

#[tokio::test]
async fn refuses_a_database_that_is_not_fit() {
    let database = TestDatabase::create().await.unwrap();
    let mut owner = database.owner().await.unwrap();
    sqlx::query("alter table setups no force row level security")
        .execute(&mut owner)
        .await
        .unwrap();
    assert!(why(&database.server_url).await.contains("setups"));
    sqlx::query("alter table setups force row level security")
        .execute(&mut owner)
        .await
        .unwrap();
    sqlx::query(
        "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    assert!(why(&database.server_url).await.contains("postern migrate"));
    let nothing = secrecy::SecretString::from("mysql://user:hunter2@host/db");
    let message = why(&nothing).await;
    assert!(message.contains("postgres://") && !message.contains("hunter2"));
    let nobody = secrecy::SecretString::from("postgres://a:b@127.0.0.1:1/x");
    assert!(why(&nobody).await.contains("Unavailable"));
}

#[tokio::test]
async fn migrates_again_and_refuses_wrong_roles() {
    let world = World::new().await;
    let role = role_of(&world.database.server_url).unwrap();
    migrate(&world.database.owner_url, &role).await.unwrap();
    world.store.begin(world.a.owner.partner).await.unwrap();
    for (role, part) in [
        ("nobody_has_this_role", "there is no database role"),
        ("postern_test_owner", "owner's own role"),
    ] {
        let error = migrate(&world.database.owner_url, role).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// Every table that has a partner is secured, so that a new migration cannot forget it.
#[tokio::test]
async fn every_table_with_a_partner_is_secured() {
    let database = TestDatabase::create().await.unwrap();
    let mut owner = database.owner().await.unwrap();
    let open: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
           and c.relname not in ('_sqlx_migrations', 'sessions')
           and not (c.relrowsecurity and c.relforcerowsecurity)",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(open, Vec::<String>::new());
    owner.close().await.unwrap();
}
