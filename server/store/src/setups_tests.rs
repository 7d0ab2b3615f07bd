#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use domain::{
    Problem,
    problem::Remedy,
    proof::Proof,
    setup::SetupState,
    step::{Evidence, WaitFor, Waiting},
};

use super::*;
use crate::{
    NewEvent,
    test_data::{NOW, World, event, plan, setup_id},
};

async fn start(world: &World, tx: &mut Tx, application: u128) -> SetupId {
    let id = setup_id();
    tx.start_setup(
        &world.a.customer,
        id,
        &plan(application),
        &world.a.owner,
        NOW,
    )
    .await
    .unwrap();
    id
}

#[tokio::test]
async fn starts_locks_and_saves() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let id = start(&world, &mut tx, 1).await;
    let started = tx.setup(&world.a.reader(), id).await.unwrap().unwrap();
    assert_eq!(started.plan, plan(1));
    assert_eq!(started.steps.len(), StepKind::ALL.len());
    assert_eq!(
        (started.version, started.started_at, started.intent),
        (1, NOW, Intent::Forward)
    );
    assert_eq!(started.secret, SecretState::None);
    // Only a locked setup can be saved.
    let unlocked = tx.save_setup(access, &started, "x").await;
    assert!(matches!(unlocked, Err(Error::Forbidden)));
    let refused = tx.lock_setup(&world.a.reader(), id).await;
    assert!(matches!(refused, Err(Error::Forbidden)));

    let mut record = tx.lock_setup(access, id).await.unwrap().unwrap();
    assert_eq!(record, started);
    let step = &mut record.steps[0];
    step.state = StepState::Waiting(Waiting {
        what: WaitFor::Microsoft,
        why: "It is not there yet.".into(),
        since: NOW,
        next_look: Some(NOW.plus_seconds(60)),
        latest: NOW.plus_seconds(3600),
        usually: None,
        interrupted: None,
    });
    // Exchange's answers may hold NUL characters.
    step.evidence.push(Evidence {
        at: NOW,
        title: "Answer".into(),
        sent: "Get-X".into(),
        answer: "\0\0\0".into(),
        request_id: None,
        took_millis: 12,
        change: false,
    });
    assert_eq!(tx.save_setup(access, &record, "Waits.").await.unwrap(), 2);
    let mut saved = tx.setup(access, id).await.unwrap().unwrap();
    assert_eq!(saved.version, 2);
    assert_eq!(saved.steps[0].evidence[0].answer, "\u{fffd}".repeat(3));
    saved.steps[0].evidence[0].answer = "\0\0\0".into();
    assert_eq!(saved.steps, record.steps);
    let row = tx.setups_of_customer(access).await.unwrap().remove(0);
    assert_eq!(
        (row.state, row.doing.as_str()),
        (SetupState::Waiting, "Waits.")
    );
    let (next, rewritten): (Option<DateTime<Utc>>, i64) = sqlx::query_as(
        "select next_look_at, (select count(*) from steps where xmax <> 0) from setups",
    )
    .fetch_one(tx.conn())
    .await
    .unwrap();
    assert_eq!(next.map(Timestamp::from), Some(NOW.plus_seconds(60)));
    assert_eq!(rewritten, 1, "steps that did not change are left alone");

    for step in &mut record.steps {
        step.state = StepState::Done;
    }
    record.ended_at = Some(NOW.plus_seconds(99));
    assert_eq!(tx.save_setup(access, &record, "").await.unwrap(), 3);
    let row = tx.setups_of_customer(access).await.unwrap().remove(0);
    assert_eq!((row.state, row.proof), (SetupState::Done, Proof::Proven));
    assert_eq!(row.ended, Some(NOW.plus_seconds(99)));
    let missing = tx.lock_setup(access, setup_id()).await.unwrap();
    assert_eq!(missing, None);
}

#[tokio::test]
async fn of_many_that_start_at_once_one_does() {
    let world = World::new().await;
    let begin = async |_: i32| {
        let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
        let id = setup_id();
        let started = tx
            .start_setup(&world.a.customer, id, &plan(1), &world.a.owner, NOW)
            .await;
        match started {
            Ok(()) => {
                tx.append(
                    &world.a.customer,
                    &NewEvent {
                        setup: Some(id),
                        ..event(&world.a.owner, "started")
                    },
                )
                .await
                .unwrap();
                tx.commit().await.unwrap();
                Ok(id)
            }
            Err(StartError::AlreadyActive(row)) => Err(row.id),
            Err(StartError::Store(error)) => panic!("{error}"),
        }
    };
    let all = futures::future::join_all((0..8).map(begin)).await;
    let winners: Vec<_> = all.iter().filter_map(|one| one.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "{all:?}");
    assert!(
        all.iter()
            .filter_map(|one| one.as_ref().err())
            .all(|row| row == winners[0])
    );
}

#[tokio::test]
async fn another_application_or_an_ended_setup_is_not_in_the_way() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let first = start(&world, &mut tx, 1).await;
    start(&world, &mut tx, 2).await;
    let app = plan(1).application.app_id;
    let active = tx.active_setup_for(access, app).await.unwrap().unwrap();
    assert_eq!((active.id, active.app_id), (first, app));

    let mut record = tx.lock_setup(access, first).await.unwrap().unwrap();
    record.intent = Intent::Cancel;
    tx.save_setup(access, &record, "").await.unwrap();
    assert_eq!(tx.active_setup_for(access, app).await.unwrap(), None);
    start(&world, &mut tx, 1).await;

    // The first setup cannot become active again while the second is active.
    tx.lock_setup(access, first).await.unwrap().unwrap();
    record.intent = Intent::RollBack;
    record.steps[1].state = StepState::Done;
    let refused = tx.save_setup(access, &record, "").await;
    let Err(Error::Conflict { what }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(what, "Another setup for Mailer 1 is active.");
}

#[tokio::test]
async fn a_failed_step_keeps_the_application() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let id = start(&world, &mut tx, 1).await;
    let mut record = tx.lock_setup(access, id).await.unwrap().unwrap();
    record.steps[2].state = StepState::Failed {
        problem: Problem::new("x", Remedy::Act, "a", "b", "c"),
    };
    tx.save_setup(access, &record, "").await.unwrap();
    let again = tx
        .start_setup(access, setup_id(), &plan(1), &world.a.owner, NOW)
        .await;
    assert!(
        matches!(again, Err(StartError::AlreadyActive(row)) if row.state == SetupState::Failed)
    );
    let counts = tx.counts().await.unwrap();
    assert_eq!((counts.running, counts.needs_you), (0, 1));
}

#[tokio::test]
async fn a_plan_never_changes() {
    let world = World::new().await;
    let mut tx = world.store.begin(world.a.owner.partner).await.unwrap();
    let id = start(&world, &mut tx, 1).await;
    tx.commit().await.unwrap();
    let mut superuser = world.database.superuser().await.unwrap();
    for change in [
        "update setups set plan = '{}' where id = $1",
        "update setups set started_by_name = 'somebody else' where id = $1",
    ] {
        let error = sqlx::query(change)
            .bind(id.0)
            .execute(&mut superuser)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("never changes"), "{error}");
    }
    let mut server = world.database.server().await.unwrap();
    let error = sqlx::query("update setups set plan = '{}'")
        .execute(&mut server)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}

/// The generated column lists the same states that the domain calls active.
#[tokio::test]
async fn the_column_knows_the_active_states() {
    let world = World::new().await;
    let mut owner = world.database.owner().await.unwrap();
    let column: String = sqlx::query_scalar(
        "select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
         join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
         where d.adrelid = 'setups'::regclass and a.attname = 'active'",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    for state in SetupState::ALL {
        let named = column.contains(&format!("'{}'", state.as_str()));
        assert_eq!(named, state.is_active(), "{} in {column}", state.as_str());
    }
}

/// Two transactions that change the same setup take turns, and no change is lost.
#[tokio::test]
async fn changes_take_turns() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let id = start(&world, &mut tx, 1).await;
    tx.commit().await.unwrap();
    let change = async |_: i32| {
        let mut tx = world.store.begin(access.partner()).await.unwrap();
        let mut record = tx.lock_setup(access, id).await.unwrap().unwrap();
        record.steps[0].attempts += 1;
        tx.save_setup(access, &record, "").await.unwrap();
        tx.commit().await.unwrap();
    };
    futures::future::join_all((0..10).map(change)).await;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    let record = tx.setup(access, id).await.unwrap().unwrap();
    assert_eq!((record.steps[0].attempts, record.version), (10, 11));
}
