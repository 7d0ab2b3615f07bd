#![allow(clippy::unwrap_used)]

use domain::{
    Problem,
    connection::Way,
    id::{ObjectId, TenantId},
    problem::Remedy,
};
use secrecy::SecretString;

use super::*;
use crate::test_data::{NOW, World};

fn problem(key: &str, happened: &str) -> Problem {
    Problem::new(key, Remedy::Act, happened, "It means that.", "Do this.")
}

fn shown(troubles: &[Trouble]) -> Vec<(&str, i64, Vec<&str>)> {
    troubles
        .iter()
        .map(|trouble| {
            let names = trouble.customers.iter().map(|one| one.name.as_str());
            (trouble.happened.as_str(), trouble.count, names.collect())
        })
        .collect()
}

#[tokio::test]
async fn field_b12_trouble_of_one_kind_is_one_with_all_whose_it_is() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let mut customers = Vec::new();
    for (number, domain) in ["e", "d", "c", "b", "a"].into_iter().enumerate() {
        let number = u128::try_from(number).unwrap();
        let tenant = TenantId(Uuid::from_u128(0xb0 + number));
        let domain = format!("{domain}.example");
        let (customer, _) = tx
            .add_customer(&world.a.owner, tenant, &domain, NOW)
            .await
            .unwrap();
        tx.save_consent(
            &customer,
            Way::Admin,
            "admin@example",
            ObjectId(Uuid::nil()),
            &["Directory.Read.All"],
            &SecretString::from("token"),
            NOW,
        )
        .await
        .unwrap();
        customers.push(customer);
    }
    assert!(tx.shared_troubles(9).await.unwrap().is_empty());
    let blocked = problem("entra.delegation_blocked", "It is blocked.");
    for customer in customers.iter().take(4) {
        tx.connection_broken(customer, &blocked).await.unwrap();
    }
    let alone = problem("entra.token_dead", "It has ended.");
    tx.connection_broken(customers.last().unwrap(), &alone)
        .await
        .unwrap();
    let troubles = tx.shared_troubles(3).await.unwrap();
    assert_eq!(
        shown(&troubles),
        [(
            "It is blocked.",
            4,
            vec!["b.example", "c.example", "d.example"]
        )]
    );
    assert_eq!(troubles.first().unwrap().todo, "Do this.");
    // A disconnected customer has no problem.
    tx.disconnect(customers.first().unwrap(), NOW)
        .await
        .unwrap();
    let troubles = tx.shared_troubles(9).await.unwrap();
    assert_eq!(troubles.first().unwrap().count, 3);
    // Customers that were never read form one kind for each reason.
    let (missing, total) = tx.not_read(2).await.unwrap();
    let named: i64 = missing.iter().map(|trouble| trouble.count).sum();
    assert_eq!(named, total);
    assert!(
        missing.iter().all(|trouble| trouble.customers.len() <= 2),
        "{missing:?}"
    );
    tx.commit().await.unwrap();
    let mut other = world.store.begin(world.b.owner.partner).await.unwrap();
    assert!(other.shared_troubles(9).await.unwrap().is_empty());
}
