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

/// Every table with a partner is secured. A new migration cannot forget it.
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

/// `guard_expected.txt` matches the migrations, and the grants are all rights that the role has.
#[tokio::test]
async fn security_f16_the_guard_knows_the_whole_database() {
    let database = TestDatabase::create().await.unwrap();
    let pool = sqlx::PgPool::connect_with(options(&database.server_url).unwrap())
        .await
        .unwrap();
    let found = super::shape(&pool).await.unwrap();
    let text = found
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    if std::env::var_os("POSTERN_WRITE_EXPECTED").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guard_expected.txt");
        std::fs::write(file, &text).unwrap();
    } else {
        assert_eq!(text, super::EXPECTED);
    }
    assert_eq!(super::rights(&pool).await.unwrap(), super::allowed());
}

#[tokio::test]
async fn security_f16_whatever_is_more_or_less_is_refused() {
    let database = TestDatabase::create().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let role = role_of(&database.server_url).unwrap();
    // Each case: the change, the statement that undoes it, and what the refusal names.
    let cases = [
        (
            format!("grant delete on events to {role}"),
            format!("revoke delete on events from {role}"),
            "events delete",
        ),
        (
            "grant update (what) on events to public".into(),
            "revoke update (what) on events from public".into(),
            "events update(what)",
        ),
        (
            format!("revoke insert on setups from {role}"),
            format!("grant insert on setups to {role}"),
            "setups insert",
        ),
        (
            format!("grant truncate on sessions to {role}"),
            format!("revoke truncate on sessions from {role}"),
            "sessions truncate",
        ),
        (
            "create table notes (text text); grant select on notes to public".into(),
            "drop table notes".into(),
            "notes select",
        ),
        (
            "create policy everybody on customers using (true)".into(),
            "drop policy everybody on customers".into(),
            "policy customers everybody",
        ),
        (
            "alter table events disable trigger final_rows".into(),
            "alter table events enable always trigger final_rows".into(),
            "trigger events final_rows",
        ),
        (
            "alter table events enable trigger final_table".into(),
            "alter table events enable always trigger final_table".into(),
            "trigger events final_table",
        ),
        (
            format!("grant create on schema public to {role}"),
            format!("revoke create on schema public from {role}"),
            "schema public",
        ),
        (
            format!("alter policy of_partner on customers to {role} using (true)"),
            "alter policy of_partner on customers to public using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)".into(),
            "policy customers of_partner",
        ),
    ];
    for (change, undo, part) in cases {
        for statement in change.split("; ") {
            sqlx::query(AssertSqlSafe(statement.to_owned()))
                .execute(&mut superuser)
                .await
                .unwrap();
        }
        let message = why(&database.server_url).await;
        assert!(message.contains(part), "{change}: {message}");
        sqlx::query(AssertSqlSafe(undo))
            .execute(&mut superuser)
            .await
            .unwrap();
        database.store().await.unwrap();
    }
    // `migrate` revokes additional rights that it finds.
    for extra in [
        format!("grant all on all tables in schema public to {role}"),
        "grant all on all tables in schema public to public".into(),
    ] {
        sqlx::query(AssertSqlSafe(extra))
            .execute(&mut superuser)
            .await
            .unwrap();
        assert!(why(&database.server_url).await.contains("did not make"));
        migrate(&database.owner_url, &role).await.unwrap();
        database.store().await.unwrap();
    }
}

/// The checks on a database that others use too, or that a monitoring tool watches.
#[tokio::test]
async fn security_f16_what_is_an_extensions_or_somebody_elses_is_left_alone() {
    let database = TestDatabase::create().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let role = role_of(&database.server_url).unwrap();
    let mut run = async |statement: &str| {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut superuser)
            .await
            .unwrap();
    };
    // A view that is open to everybody, as an extension's views are. It belongs to no extension at
    // first.
    run("create view watched as select 1 as one").await;
    run("grant select on watched to public").await;
    assert!(why(&database.server_url).await.contains("watched select"));
    run("create extension pg_trgm").await;
    run("alter extension pg_trgm add view watched").await;
    database.store().await.unwrap();
    // A right that the owner cannot revoke does not stop the migration, in either schema.
    for schema in ["public", "graphile_worker"] {
        run(&format!("create table {schema}.private (text text)")).await;
    }
    run("alter table graphile_worker.private enable row level security").await;
    migrate(&database.owner_url, &role).await.unwrap();
    database.store().await.unwrap();
    // An owner of all objects revokes nothing from an extension.
    migrate(&database.superuser_url(), &role).await.unwrap();
    let kept: bool = sqlx::query_scalar("select has_table_privilege($1, 'watched', 'select')")
        .bind(&role)
        .fetch_one(&mut database.owner().await.unwrap())
        .await
        .unwrap();
    assert!(kept);
    // A right that somebody else grants to the server is reported.
    let mut superuser = database.superuser().await.unwrap();
    sqlx::query("grant select on private to public")
        .execute(&mut superuser)
        .await
        .unwrap();
    migrate(&database.owner_url, &role).await.unwrap();
    assert!(why(&database.server_url).await.contains("private select"));
}

#[tokio::test]
async fn security_f16_roles_that_manage_the_cluster_are_refused() {
    let database = TestDatabase::create().await.unwrap();
    let suffix = uuid::Uuid::new_v4().simple();
    let mut superuser = database.superuser().await.unwrap();
    for attribute in ["createrole", "replication"] {
        let role = format!("{attribute}_{suffix}");
        sqlx::query(AssertSqlSafe(format!(
            "create role {role} login {attribute} password 'test'"
        )))
        .execute(&mut superuser)
        .await
        .unwrap();
        use sqlx::ConnectOptions as _;
        let url = options(&database.server_url)
            .unwrap()
            .username(&role)
            .to_url_lossy();
        let message = why(&secrecy::SecretString::from(url.to_string())).await;
        assert!(message.contains("CREATEROLE or REPLICATION"), "{message}");
        sqlx::query(AssertSqlSafe(format!("drop role {role}")))
            .execute(&mut superuser)
            .await
            .unwrap();
    }
}

#[test]
fn security_f10_a_database_elsewhere_must_show_its_certificate() {
    use crate::{DatabaseTls, database_tls};
    let of = |url: &str| database_tls(&secrecy::SecretString::from(url)).unwrap();
    for here in [
        "postgres://a:b@127.0.0.1:5432/x",
        "postgres://a:b@localhost/x",
        "postgres://a:b@[::1]/x?sslmode=disable",
        "postgres://a:b@%2Fvar%2Frun%2Fpostgresql/x",
        "postgres:///x?host=/var/run/postgresql",
    ] {
        assert_eq!(of(here), DatabaseTls::ThisMachine, "{here}");
    }
    for checked in [
        "postgres://a:b@db.example/x",
        "postgres://a:b@10.0.0.7:5432/x?application_name=y",
        "postgres://a:b@db.example/x?sslmode=verify-full",
    ] {
        assert_eq!(of(checked), DatabaseTls::Verified, "{checked}");
    }
    for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
        let url = format!("postgres://a:b@db.example/x?sslmode={mode}");
        assert_eq!(of(&url), DatabaseTls::Unverified, "{url}");
    }
}
