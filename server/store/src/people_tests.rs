#![allow(clippy::unwrap_used)]

use domain::id::TenantId;

use super::*;
use crate::test_data::{NOW, World, sign_in};

#[tokio::test]
async fn whom_the_settings_name_becomes_owner_and_others_wait() {
    let world = World::new().await;
    assert_eq!(world.a.owner.role, Some(Role::Owner));
    assert_eq!(world.b.owner.role, Some(Role::Owner));
    let second = sign_in(&world.store, world.a.owner.tenant, 2).await;
    assert_eq!(second.role, None);
    assert_eq!(second.partner, world.a.owner.partner);
    let again = world
        .store
        .sign_in(
            &SignedIn {
                home: second.tenant,
                object: second.object,
                name: "New\0 name",
                upn: "new@partner.example",
                guest: false,
                first_owner: true,
                partner_name: "ignored",
            },
            NOW.plus_seconds(60),
        )
        .await
        .unwrap();
    assert_eq!(again.id, second.id);
    let mut tx = world.store.begin(second.partner).await.unwrap();
    assert_eq!(tx.partner_name().await.unwrap(), "partner.example");
    let people = tx.people(second.id).await.unwrap();
    let seen: Vec<_> = people
        .iter()
        .map(|person| (person.name.as_str(), person.role, person.me))
        .collect();
    assert_eq!(
        seen,
        [
            ("New\u{fffd} name", None, true),
            ("Person 1", Some(Role::Owner), false)
        ]
    );
    let me = people.first().unwrap();
    assert_eq!((me.first_seen, me.last_seen), (NOW, NOW.plus_seconds(60)));
}

#[tokio::test]
async fn many_first_sign_ins_at_once_give_one_owner() {
    let world = World::new().await;
    let home = TenantId(Uuid::from_u128(77));
    let all =
        futures::future::join_all((1..=12).map(|object| sign_in(&world.store, home, object))).await;
    let owners = all
        .iter()
        .filter(|operator| operator.role == Some(Role::Owner))
        .count();
    assert_eq!(owners, 1);
    let partner = all.first().unwrap().partner;
    assert!(all.iter().all(|operator| operator.partner == partner));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let world = World::new().await;
    let owner = &world.a.owner;
    let engineer = world
        .a
        .colleague(&world.store, 2, Some(Role::Engineer))
        .await;
    let mut tx = world.store.begin(owner.partner).await.unwrap();
    for role in [None, Some(Role::Engineer), Some(Role::Auditor)] {
        let refused = tx.set_role(owner.id, role).await;
        assert!(matches!(refused, Err(Error::Conflict { .. })), "{role:?}");
    }
    tx.set_role(owner.id, Some(Role::Owner)).await.unwrap();
    tx.set_role(engineer.id, Some(Role::Owner)).await.unwrap();
    tx.set_role(owner.id, None).await.unwrap();
    let left = tx.set_role(engineer.id, None).await;
    assert!(matches!(left, Err(Error::Conflict { .. })));
    let nobody = tx
        .set_role(OperatorId(Uuid::from_u128(5)), Some(Role::Auditor))
        .await;
    assert!(matches!(nobody, Err(Error::NotFound)));
    assert_eq!(tx.operator(owner.id).await.unwrap().unwrap().role, None);
    let others = tx.set_role(world.b.owner.id, None).await;
    assert!(matches!(others, Err(Error::NotFound)));
}

#[tokio::test]
async fn two_owners_who_depose_each_other_leave_one() {
    let world = World::new().await;
    let first = world.a.owner.clone();
    let second = world.a.colleague(&world.store, 2, Some(Role::Owner)).await;
    let depose = async |person: OperatorId| {
        let mut tx = world.store.begin(first.partner).await?;
        tx.set_role(person, None).await?;
        tx.commit().await
    };
    let (one, other) = tokio::join!(depose(first.id), depose(second.id));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

#[tokio::test]
async fn security_f02_nobody_becomes_owner_by_coming_first() {
    let world = World::new().await;
    let who = |object: u128, guest: bool, first_owner: bool| SignedIn {
        home: TenantId(Uuid::from_u128(78)),
        object: ObjectId(Uuid::from_u128(object)),
        name: "Somebody",
        upn: "somebody@partner.example",
        guest,
        first_owner,
        partner_name: "partner.example",
    };
    let sign_in = async |who| world.store.sign_in(&who, NOW).await.unwrap();
    assert_eq!(sign_in(who(1, true, false)).await.role, None);
    assert_eq!(sign_in(who(2, false, false)).await.role, None);
    // The settings name this person later, while the person waits for a role. Nobody else becomes
    // owner then.
    let owner = sign_in(who(2, false, true)).await;
    assert_eq!(owner.role, Some(Role::Owner));
    assert_eq!(sign_in(who(3, false, true)).await.role, None);
    assert_eq!(sign_in(who(2, false, false)).await.role, Some(Role::Owner));
    let mut tx = world.store.begin(owner.partner).await.unwrap();
    let people = tx.people(owner.id).await.unwrap();
    assert_eq!(people.iter().filter(|person| person.guest).count(), 1);
}

/// The role in the database at the time of the write decides (F22).
#[tokio::test]
async fn security_f22_a_role_that_was_taken_opens_no_customer_for_a_change() {
    let world = World::new().await;
    let engineer = world
        .a
        .colleague(&world.store, 2, Some(Role::Engineer))
        .await;
    let customer = world.a.customer.record().id;
    let mut tx = world.store.begin(engineer.partner).await.unwrap();
    tx.access(&engineer, customer, Right::Change).await.unwrap();
    drop(tx);
    for (role, expected) in [(Some(Role::Auditor), "Forbidden"), (None, "NoRole")] {
        let mut tx = world.store.begin(engineer.partner).await.unwrap();
        tx.set_role(engineer.id, role).await.unwrap();
        tx.commit().await.unwrap();
        // The operator comes from a request that began earlier.
        let mut tx = world.store.begin(engineer.partner).await.unwrap();
        let refused = tx.access(&engineer, customer, Right::Change).await;
        assert_eq!(format!("{:?}", refused.unwrap_err()), expected);
    }
}
