//! Answers that are lost, spoilt or about somebody else: what happened at Microsoft is told in
//! history exactly once, and nothing is believed that was not read.

use serde_json::{Value, json};

use crate::{
    campaign::events,
    support::{
        begun::{Begun, DOMAIN, MAILER},
        setups::{Made, made},
        until,
    },
};

/// With two senders and without real mail.
async fn begin() -> Begun {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    begun.senders.push(format!("info@{DOMAIN}"));
    let senders = begun.senders.clone();
    begun
        .chosen
        .refused
        .retain(|refused| !senders.contains(refused));
    begun
}

/// Every change has its event, and every event its change. Gives the deeds.
async fn all_told(begun: &Begun, setup: &str) -> Vec<String> {
    let app_id = begun.rows("select app_id from setups").await[0]["app_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let told = begun
        .rows(&format!(
            "select what, requests from events
             where setup_id = '{setup}' and kind = 'cloud.change' order by seq"
        ))
        .await;
    let (cloud, postern) = (&begun.stack.cloud, &begun.stack.accounts.client_id);
    let entries = events::of_postern(cloud, postern, DOMAIN);
    let deeds = events::in_cloud(&begun.chosen.group, &app_id, &[], &entries);
    let differences = events::differences(&deeds, &events::in_history(&told));
    assert!(differences.is_empty(), "{differences:?} in {told:?}");
    deeds.into_keys().collect()
}

async fn a_lost_answer(operation: &str, skip: u64) {
    let mut begun = begin().await;
    begun.fault(operation, skip, json!({ "cut": "after" }));
    let setup = begun.start("").await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked");
    assert!(begun.fired(), "no answer was lost");
    assert_eq!(all_told(&begun, &setup).await.len(), 5);
}

macro_rules! lost {
    ($($name:ident $operation:literal $skip:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            a_lost_answer($operation, $skip).await;
        }
    )*};
}

lost! {
    a_group_whose_answer_was_lost_is_told "New-DistributionGroup" 0;
    hiding_whose_answer_was_lost_is_told "Set-DistributionGroup" 0;
    the_first_sender_whose_answer_was_lost_is_told "Add-DistributionGroupMember" 0;
    the_second_sender_whose_answer_was_lost_is_told "Add-DistributionGroupMember" 1;
    a_policy_whose_answer_was_lost_is_told "New-ApplicationAccessPolicy" 0;
}

async fn rolled_back_under(operation: &str, action: Value) {
    let mut begun = begin().await;
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    begun.fault(operation, 0, action);
    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    begun.settled(&setup, "rolled_back").await;
    assert!(begun.fired(), "the fault did not fire");
    let left = made(&begun.stack.tenant(DOMAIN).await, &setup);
    let nothing = Made::NOTHING;
    assert_eq!(left, nothing);
    assert_eq!(all_told(&begun, &setup).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removed_policy_whose_answer_was_lost_is_told() {
    rolled_back_under("Remove-ApplicationAccessPolicy", json!({ "cut": "after" })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removed_group_whose_answer_was_lost_is_told() {
    rolled_back_under("Remove-DistributionGroup", json!({ "cut": "after" })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_another_tenant_does_not_have_is_not_taken_for_gone() {
    rolled_back_under(
        "Get-ApplicationAccessPolicy",
        json!({ "wrong_tenant": true }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_made_while_somebody_cancelled_is_told() {
    let mut begun = begin().await;
    begun.fault("New-DistributionGroup", 0, json!({ "hang": "after" }));
    let setup = begun.start("").await;
    begun.hangs().await;
    begun.ask("cancel_setup", &setup, None).await;
    // Its connection breaks, and the answer with it.
    let dropped = json!({ "cut": "before" });
    begun.fault("Get-DistributionGroup", 0, dropped);
    let view = until("its last look", || {
        let begun = &begun;
        let setup = setup.clone();
        async move {
            let view = begun.settled(&setup, "cancelled").await;
            let running = view["steps"].as_array().expect("steps").iter().any(|step| {
                ["running", "waiting"].contains(&step["state"].as_str().expect("a state"))
            });
            (!running).then_some(view)
        }
    })
    .await;
    assert_eq!(view["proof"], "none");
    assert!(
        all_told(&begun, &setup)
            .await
            .contains(&"group created".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_spoilt_answer_fails_nothing() {
    for action in [json!({ "truncate": true }), json!({ "status": 500 })] {
        let mut begun = begin().await;
        begun.fault("Get-DistributionGroup", 1, action);
        let setup = begun.start("").await;
        // It is never seen as failed.
        begun.settled(&setup, "done").await;
        assert!(begun.fired());
    }
}
