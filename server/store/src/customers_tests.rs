#![allow(clippy::unwrap_used)]

use domain::person::Role;

use super::*;
use crate::test_data::{NOW, World};

#[tokio::test]
async fn adds_each_tenant_once_per_partner() {
    let world = World::new().await;
    let (a, b) = (world.a.customer.record(), world.b.customer.record());
    assert_eq!(a.tenant, b.tenant);
    assert_ne!(a.id, b.id);
    let mut tx = world.store.begin(a.partner).await.unwrap();
    let (again, new) = tx
        .add_customer(&world.a.owner, a.tenant, "other.example", NOW)
        .await
        .unwrap();
    assert!(!new);
    assert_eq!(again.record(), a);
    assert_eq!(
        tx.customer_by_tenant(a.tenant).await.unwrap().as_ref(),
        Some(a)
    );
    let auditor = Operator {
        role: Some(Role::Auditor),
        ..world.a.owner.clone()
    };
    let refused = tx.add_customer(&auditor, a.tenant, "x", NOW).await;
    assert!(matches!(refused, Err(AccessError::Forbidden)));
    tx.rename_customer(&again, "Fabrikam\0", "fabrikam.example")
        .await
        .unwrap();
    let renamed = tx.customer(a.id).await.unwrap().unwrap();
    assert_eq!(renamed.name, "Fabrikam\u{fffd}");
    assert_eq!(tx.counts().await.unwrap().customers, 1);
}

/// Two transactions add the same tenant. Both get the same customer.
#[tokio::test]
async fn adding_at_once_adds_one() {
    let world = World::new().await;
    let tenant = TenantId(Uuid::from_u128(555));
    let add = async || {
        let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
        let (access, new) = tx
            .add_customer(&world.a.owner, tenant, "new.example", NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        (access.record().id, new)
    };
    let (one, other) = tokio::join!(add(), add());
    assert_eq!(one.0, other.0);
    assert!(one.1 != other.1);
}
