#![allow(clippy::unwrap_used)]
use domain::{
    proof::{SeenBy, Verdict},
    step::{StepKind, StepState},
};

use super::*;
use crate::test_data::{NOW, World, plan, setup_id};

/// A setup of application 1 whose steps are all done, and which is proven.
async fn proven(world: &World) -> SetupId {
    let access = &world.a.customer;
    let id = setup_id();
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    tx.start_setup(access, id, &plan(1), &world.a.owner, NOW)
        .await
        .unwrap();
    let mut record = tx.lock_setup(access, id).await.unwrap().unwrap();
    for step in &mut record.steps {
        step.state = StepState::Done;
    }
    record.ended_at = Some(NOW);
    tx.save_setup(access, &record, "").await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn field_b26_what_a_reading_contradicts_is_proven_in_no_list() {
    let world = World::new().await;
    let access = &world.a.customer;
    proven(&world).await;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let claim = tx.claims(access, None).await.unwrap().remove(0);
    assert_eq!((claim.showed, &claim.judged), (Proof::Proven, &None));
    assert_eq!(tx.proven_senders(access).await.unwrap().len(), 1);
    let more = Judged::new(
        NOW,
        SeenBy::Reading,
        Verdict::More {
            open: vec!["Everybody.".into()],
        },
    );
    assert!(tx.judge(access, &claim, &more).await.unwrap());
    let row = tx.setups_of_customer(access).await.unwrap().remove(0);
    assert_eq!(row.proof, Proof::MoreOpen);
    let page = tx
        .customers(&domain::view::CustomersQuery::default())
        .await
        .unwrap();
    assert!(page.rows.iter().all(|row| row.proven == 0));
    assert_eq!(tx.proven_senders(access).await.unwrap(), []);
    // The same judgement again is not new.
    let claim = tx.claims(access, None).await.unwrap().remove(0);
    assert!(!tx.judge(access, &claim, &more).await.unwrap());
}

#[tokio::test]
async fn live_x3_an_undone_policy_of_another_setup_is_known() {
    let world = World::new().await;
    let access = &world.a.customer;
    let id = proven(&world).await;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let app = plan(1).application.app_id;
    let none = tx.other_policies(access, app, setup_id(), NOW).await;
    assert_eq!(none.unwrap(), OtherPolicies::default());
    let mut record = tx.lock_setup(access, id).await.unwrap().unwrap();
    for step in &mut record.steps {
        if step.kind == StepKind::Policy {
            step.state = StepState::Undone;
            step.ended = Some(NOW.plus_seconds(5));
        }
        if step.kind == StepKind::Readiness {
            step.noted.push(OTHER_POLICY.to_owned());
        }
    }
    tx.save_setup(access, &record, "").await.unwrap();
    let known = |since| (app, setup_id(), since);
    for (since, seen) in [(NOW, true), (NOW.plus_seconds(1), false)] {
        let (app, except, since) = known(since);
        let found = tx.other_policies(access, app, except, since).await.unwrap();
        let expected = OtherPolicies {
            undone: Some(NOW.plus_seconds(5)),
            seen,
        };
        assert_eq!(found, expected);
    }
    let own = tx.other_policies(access, app, id, NOW).await.unwrap();
    assert_eq!(own.undone, None);
}
