#![allow(clippy::unwrap_used)]

use domain::setup::Intent;

use super::*;
use crate::test_data::{NOW, World, plan, setup_id};

#[tokio::test]
async fn pages_miss_none_that_started_at_once() {
    let world = World::new().await;
    let access = &world.a.customer;
    let mut tx = world.store.begin(access.partner()).await.unwrap();
    for (application, later) in [(1, 0), (2, 5), (3, 5), (4, 5), (5, 9)] {
        let at = NOW.plus_seconds(later);
        tx.start_setup(access, setup_id(), &plan(application), &world.a.owner, at)
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = tx.setups(SetupsFilter::All, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.started);
        seen.extend(page.into_iter().map(|row| row.application));
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.first().unwrap(), "Mailer 5");
    assert_eq!(seen.last().unwrap(), "Mailer 1");

    let first = tx.setups_of_customer(access).await.unwrap().remove(0);
    assert_eq!(first.customer_name, "fabrikam.example");
    let mut record = tx.lock_setup(access, first.id).await.unwrap().unwrap();
    record.intent = Intent::Cancel;
    tx.save_setup(access, &record, "").await.unwrap();
    let active = tx.setups(SetupsFilter::Active, None, 50).await.unwrap();
    assert_eq!(active.len(), 4);
    assert!(active.iter().all(|row| row.id != first.id));
    tx.commit().await.unwrap();

    let mut other = world.store.begin(world.b.owner.partner).await.unwrap();
    assert_eq!(other.setups(SetupsFilter::All, None, 50).await.unwrap(), []);
}
