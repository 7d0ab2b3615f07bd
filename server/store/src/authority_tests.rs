#![allow(clippy::unwrap_used)]

use domain::{
    connection::Way,
    id::{ObjectId, TenantId},
};
use secrecy::SecretString;

use super::*;
use crate::{
    Part, Purpose, SignIn, TakenSignIn,
    test_data::{NOW, World},
};

fn problem() -> Problem {
    Problem::not_found()
}

fn attempt(world: &World, operator: OperatorId) -> SignIn {
    let record = world.a.customer.record();
    SignIn {
        purpose: Purpose::Connect {
            partner: record.partner,
            customer: record.id,
            expected: TenantId(record.tenant.0),
            operator: Some(operator),
            way: Way::Admin,
            link: None,
            replaces: false,
        },
        nonce: "nonce".into(),
        verifier: SecretString::from("verifier"),
        return_to: "/".into(),
        created_at: NOW,
        expires_at: NOW.plus_seconds(600),
    }
}

async fn stands(world: &World, token: &str) -> bool {
    let (_, link) = world.store.peek_link(token).await.unwrap().unwrap();
    link.stands()
}

#[tokio::test]
async fn security_f05_links_attempts_and_the_own_account_end_with_the_right_to_change() {
    let world = World::new().await;
    let record = world.a.customer.record().clone();
    for role in [None, Some(Role::Auditor)] {
        let engineer = world
            .a
            .colleague(&world.store, 2, Some(Role::Engineer))
            .await;
        let end = NOW.plus_seconds(3600);
        let mut tx = world.store.begin(record.partner).await.unwrap();
        let state = format!("state {role:?}");
        tx.put_sign_in(&attempt(&world, engineer.id), &state, "browser")
            .await
            .unwrap();
        let (theirs, others) = (format!("theirs {role:?}"), format!("others {role:?}"));
        for (token, maker) in [(&theirs, engineer.id), (&others, world.a.owner.id)] {
            tx.make_link(&world.a.customer, token, maker, NOW, end)
                .await
                .unwrap();
        }
        // At home the account keeps its object id and name. As a guest of the customer it has
        // others.
        let (object, upn) = match role {
            None => (engineer.object, engineer.upn.as_str()),
            Some(_) => (
                ObjectId(Uuid::from_u128(77)),
                "nora_a#EXT#@customer.example",
            ),
        };
        let token = SecretString::from("0.token");
        let customer = &world.a.customer;
        tx.save_consent(customer, Way::Gdap, upn, object, &["x"], &token, NOW)
            .await
            .unwrap();
        if role.is_some() {
            tx.consent_is_own(customer, engineer.id).await.unwrap();
        }
        tx.commit().await.unwrap();

        let mut tx = world.store.begin(record.partner).await.unwrap();
        let ended = tx
            .end_authority(engineer.id, role, &problem(), &Actor::System, NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!((ended.attempts, ended.links), (1, 1), "{role:?}");
        assert_eq!(ended.customers, [record.id]);
        let taken = world.store.take_sign_in(&state, "browser", NOW).await;
        assert!(matches!(taken.unwrap(), TakenSignIn::Unknown));
        assert!(!stands(&world, &theirs).await);
        assert!(stands(&world, &others).await);
        let mut tx = world.store.begin(record.partner).await.unwrap();
        assert!(tx.refresh_token(&world.a.customer).await.unwrap().is_none());
        let told = tx.own_export(&Default::default(), Part::ALL).await.unwrap();
        let told = told.last().unwrap();
        assert_eq!(told.kind, EventKind::AuthorityEnded, "{role:?}");
        assert_eq!(told.after.as_ref().unwrap()["links"], 1);
    }
}

#[tokio::test]
async fn another_role_that_may_change_ends_nothing() {
    let world = World::new().await;
    let owner = &world.a.owner;
    let mut tx = world.store.begin(owner.partner).await.unwrap();
    tx.make_link(
        &world.a.customer,
        "kept",
        owner.id,
        NOW,
        NOW.plus_seconds(60),
    )
    .await
    .unwrap();
    let ended = tx
        .end_authority(
            owner.id,
            Some(Role::Engineer),
            &problem(),
            &Actor::System,
            NOW,
        )
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended, AuthorityEnded::default());
    assert!(stands(&world, "kept").await);
}

#[tokio::test]
async fn another_partners_person_is_not_touched() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.b.owner.partner).await.unwrap();
    tx.make_link(
        &world.b.customer,
        "theirs",
        world.b.owner.id,
        NOW,
        NOW.plus_seconds(60),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let ended = tx
        .end_authority(world.b.owner.id, None, &problem(), &Actor::System, NOW)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended, AuthorityEnded::default());
    assert!(stands(&world, "theirs").await);
}
