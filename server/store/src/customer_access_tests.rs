#![allow(clippy::unwrap_used)]

use domain::person::Role;
use uuid::Uuid;

use super::*;
use crate::test_data::World;

#[tokio::test]
async fn asks_for_role_and_partner() {
    let world = World::new().await;
    let id = world.a.customer.record().id;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let table = [
        (Some(Role::Owner), Right::Administer, "ok"),
        (Some(Role::Engineer), Right::Change, "ok"),
        (Some(Role::Engineer), Right::Administer, "forbidden"),
        (Some(Role::Auditor), Right::Read, "ok"),
        (Some(Role::Auditor), Right::Change, "forbidden"),
        (None, Right::Read, "no role"),
    ];
    let word = |result: Result<CustomerAccess, AccessError>| match result {
        Ok(_) => "ok",
        Err(AccessError::NotFound) => "not found",
        Err(AccessError::Forbidden) => "forbidden",
        Err(AccessError::NoRole) => "no role",
        Err(AccessError::Store(_)) => "error",
    };
    for (role, right, expected) in table {
        let operator = Operator {
            role,
            ..world.a.owner.clone()
        };
        let answer = word(tx.access(&operator, id, right).await);
        assert_eq!(answer, expected, "{role:?} {right:?}");
    }
    // A missing customer and another partner's customer give the same answer, whatever the role.
    let auditor = Operator {
        role: Some(Role::Auditor),
        ..world.a.owner.clone()
    };
    for customer in [CustomerId(Uuid::from_u128(9)), world.b.customer.record().id] {
        let answer = word(tx.access(&auditor, customer, Right::Change).await);
        assert_eq!(answer, "not found");
        assert_eq!(word(tx.for_system(customer).await), "not found");
    }
    // An operator of another partner, in this partner's transaction.
    let answer = word(tx.access(&world.b.owner, id, Right::Read).await);
    assert_eq!(answer, "not found");
    assert_eq!(word(tx.for_system(id).await), "ok");
}

#[tokio::test]
async fn a_proof_is_worth_nothing_elsewhere_or_beyond_its_right() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.b.owner.partner).await.unwrap();
    let foreign = tx.setups_of_customer(&world.a.customer).await;
    assert!(matches!(foreign, Err(Error::NotFound)));
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let refused = tx.disconnect(&world.a.reader(), domain::Timestamp(0)).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
}
