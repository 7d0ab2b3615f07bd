#![allow(clippy::unwrap_used)]

use domain::{
    Problem,
    connection::{Health, Way},
    id::{ObjectId, TenantId},
};
use secrecy::SecretString;

use super::*;
use crate::{
    CustomerAccess, NewEvent,
    test_data::{NOW, World, event, plan, setup_id},
};

fn query(search: &str, sort: CustomerSort, page: i64) -> CustomersQuery {
    CustomersQuery {
        search: search.into(),
        sort,
        page,
    }
}

async fn add(tx: &mut Tx, world: &World, number: u128, domain: &str) -> CustomerAccess {
    let tenant = TenantId(Uuid::from_u128(number));
    tx.add_customer(&world.a.owner, tenant, domain, NOW)
        .await
        .unwrap()
        .0
}

async fn connect(tx: &mut Tx, customer: &CustomerAccess) {
    tx.save_consent(
        customer,
        Way::Admin,
        "admin@example",
        ObjectId(Uuid::nil()),
        &["Directory.Read.All"],
        &SecretString::from("token"),
        NOW,
    )
    .await
    .unwrap();
}

async fn names(tx: &mut Tx, search: &str, sort: CustomerSort) -> Vec<String> {
    let page = tx.customers(&query(search, sort, 1)).await.unwrap();
    page.rows.into_iter().map(|row| row.name).collect()
}

#[tokio::test]
async fn searches_and_sorts() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let adatum = add(&mut tx, &world, 0xa1, "adatum.example").await;
    let broken = add(&mut tx, &world, 0xa2, "Contoso.example").await;
    let gone = add(&mut tx, &world, 0xa3, "100%_real.example").await;
    for customer in [&adatum, &broken, &gone] {
        connect(&mut tx, customer).await;
    }
    let problem = Problem::not_found();
    tx.connection_broken(&broken, &problem).await.unwrap();
    tx.disconnect(&gone, NOW).await.unwrap();
    for (customer, later) in [(&gone, 5), (&adatum, 9)] {
        let entry = NewEvent {
            at: NOW.plus_seconds(later),
            ..event(&world.a.owner, "x")
        };
        tx.append(customer, &entry).await.unwrap();
    }
    tx.start_setup(&adatum, setup_id(), &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();

    use CustomerSort::{Health as ByHealth, Name, NameDown, Recent};
    let all = [
        "100%_real.example",
        "adatum.example",
        "Contoso.example",
        "fabrikam.example",
    ];
    assert_eq!(names(&mut tx, "", Name).await, all);
    let mut down = all;
    down.reverse();
    assert_eq!(names(&mut tx, " ", NameDown).await, down);
    assert_eq!(
        names(&mut tx, "", ByHealth).await,
        [
            "Contoso.example",
            "fabrikam.example",
            "100%_real.example",
            "adatum.example"
        ]
    );
    assert_eq!(
        names(&mut tx, "", Recent).await,
        [
            "adatum.example",
            "100%_real.example",
            "Contoso.example",
            "fabrikam.example"
        ]
    );
    assert_eq!(names(&mut tx, "CONTO", Name).await, ["Contoso.example"]);
    assert_eq!(names(&mut tx, "%_", Name).await, ["100%_real.example"]);
    assert_eq!(names(&mut tx, "0000A2", Name).await, ["Contoso.example"]);
    assert_eq!(names(&mut tx, "n'; drop\0", Name).await, [""; 0]);

    let page = tx.customers(&query("a", Name, 1)).await.unwrap();
    assert_eq!((page.matching, page.total), (4, 4));
    let row = |name: &str| page.rows.iter().find(|row| row.name == name).unwrap();
    let adatum = row("adatum.example");
    assert_eq!((adatum.active_setups, adatum.proven), (1, 0));
    assert_eq!(adatum.last_event, Some(NOW.plus_seconds(9)));
    assert_eq!(adatum.connection.health, Health::Good);
    assert_eq!(adatum.connection.scopes, ["Directory.Read.All"]);
    assert_eq!(
        row("Contoso.example").connection.health,
        Health::Broken { problem }
    );
    let never = row("fabrikam.example");
    assert_eq!(never.connection.health, Health::Never);
    assert_eq!(never.last_event, None);
    let counts = tx.counts().await.unwrap();
    assert_eq!((counts.customers, counts.broken, counts.running), (4, 1, 1));
}

#[tokio::test]
async fn a_page_beyond_the_end_is_the_last_one() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    for number in 0..=CUSTOMERS_PER_PAGE {
        let number = u128::try_from(number).unwrap();
        add(
            &mut tx,
            &world,
            1000 + number,
            &format!("c{number:03}.example"),
        )
        .await;
    }
    let page = tx
        .customers(&query("c0", CustomerSort::Name, 99))
        .await
        .unwrap();
    assert_eq!((page.page, page.pages), (2, 2));
    assert_eq!((page.matching, page.total), (51, 52));
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.rows.first().unwrap().name, "c050.example");
    for wrong in [0, -5, i64::MIN] {
        let page = tx
            .customers(&query("c0", CustomerSort::Name, wrong))
            .await
            .unwrap();
        assert_eq!((page.page, page.rows.len()), (1, 50));
    }
    let page = tx
        .customers(&query("nobody", CustomerSort::Recent, 3))
        .await
        .unwrap();
    assert_eq!(
        (
            page.rows.len(),
            page.matching,
            page.total,
            page.page,
            page.pages
        ),
        (0, 0, 52, 1, 1)
    );
}

/// The number of history rows that this transaction has read.
async fn rows_read(tx: &mut Tx) -> i64 {
    sqlx::query_scalar(
        "select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint
         from pg_stat_xact_user_tables where relname = 'events'",
    )
    .fetch_one(tx.conn())
    .await
    .unwrap()
}

#[tokio::test]
async fn lists_a_thousand_without_reading_their_histories() {
    let world = World::new().await;
    let partner = world.a.owner.partner;
    let mut tx = world.store.begin(partner).await.unwrap();
    sqlx::query(
        "with added as (
             insert into customers (id, partner_id, tid, name, domain, created_at)
             select gen_random_uuid(), $1, gen_random_uuid(), 'Customer ' || i,
                    'customer' || i || '.example', now()
             from generate_series(1, 1000) i returning id)
         insert into events (customer_id, seq, partner_id, at, actor, actor_name, kind, what,
                             requests, previous_hash, hash)
         select id, seq, $1, now() + seq * interval '1 second', '{}', 'x', 'customer.added', 'x',
                '{}', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
         from added, generate_series(1, 20) seq",
    )
    .bind(partner.0)
    .execute(tx.conn())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("analyze customers, events")
        .execute(&mut superuser)
        .await
        .unwrap();
    let mut tx = world.store.begin(partner).await.unwrap();
    for sort in CustomerSort::ALL {
        let before = rows_read(&mut tx).await;
        let page = tx.customers(&query("custom", sort, 3)).await.unwrap();
        assert_eq!((page.rows.len(), page.matching), (50, 1000));
        let read = rows_read(&mut tx).await - before;
        // There are 20,000 entries. The newest is read for each customer on the page, and for all
        // customers when the list is sorted by it.
        let most = if sort == CustomerSort::Recent {
            1050
        } else {
            50
        };
        assert!(read > 0, "nothing is counted");
        assert!(read <= most, "{sort:?} read {read} rows of the history");
    }
}
