//! What operators ask in the middle of something: cancel, leave the proof out, a new secret.

use serde_json::json;

use crate::support::{
    begun::{Begun, DOMAIN, MAILER},
    setups::{Made, made},
    until,
};

/// Cancelled while the answer of a change hangs: what was made is found, shown, and can be undone.
async fn cancelled_under(operation: &str, position: usize, thing: &str) {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    begun.fault(operation, 0, json!({ "hang": "after" }));
    let setup = begun.start("").await;
    begun.hangs().await;
    begun.ask("cancel_setup", &setup, None).await;
    let said = begun
        .rows("select what from events where kind = 'setup.cancelled'")
        .await;
    let said = said[0]["what"].as_str().expect("a text").to_owned();
    assert!(said.contains("may have been"), "{said}");
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("fault"));
    let view = until("its last look", || {
        let (begun, setup) = (&begun, setup.clone());
        async move {
            let view = begun.view(&setup).await;
            let state = view["steps"][position]["state"].as_str()?.to_owned();
            (state != "running" && state != "waiting").then_some(view)
        }
    })
    .await;
    assert_eq!(view["state"], "cancelled");
    assert_eq!(view["can"]["roll_back"], true, "{view}");
    let page = begun.page(&setup).await;
    assert!(page.contains(thing), "{thing} is not in {page}");
    assert!(!page.contains("Nothing was made yet"), "{page}");

    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    begun.settled(&setup, "rolled_back").await;
    let nothing = Made::NOTHING;
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, &setup), nothing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_that_was_made_under_a_cancel_is_shown_and_undone() {
    cancelled_under("New-DistributionGroup", 1, "The group postern-").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_policy_that_was_made_under_a_cancel_is_shown_and_undone() {
    cancelled_under("New-ApplicationAccessPolicy", 4, "The access policy for").await;
}

/// The proof is left out while a mail is on its way: the setup is over, and stays so.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_proof_that_was_left_out_does_not_come_back() {
    let mut begun = Begun::new().await;
    // The mail of the first look goes through, because nothing is enforced for a day, so that it
    // waits; the next look hangs.
    let day = json!({ "policy_enforcement": [86_400, 86_400] });
    begun.stack.control("delays", &day).await;
    begun.fault("POST /users/*/sendMail", 1, json!({ "hang": "before" }));
    let setup = begun.start(&begun.chosen.application.secret.clone()).await;
    begun.hangs().await;
    begun.ask("skip_proof", &setup, None).await;
    // The last look follows as soon as the run that hangs is over.
    let view = begun.view(&setup).await;
    assert_eq!(view["steps"][6]["state"], "skipped");
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("fault"));
    // The run that hung ends, and its job with it.
    until("the end of the run", || {
        let begun = &begun;
        async move {
            let jobs = begun
                .stack
                .count("graphile_worker._private_jobs where payload ->> 'setup' is not null")
                .await;
            (jobs == 0).then_some(())
        }
    })
    .await;
    let view = begun.view(&setup).await;
    assert_eq!(view["state"], "done", "{}", view["steps"]);
    assert_eq!(view["proof"], "checked");
    assert_eq!(begun.stack.count("secrets").await, 0);
    // The application is free.
    let (status, told) = begun.chosen.clone().try_start(&mut begun.owner, "").await;
    assert_ne!(told["problem"]["key"], "setup.already_active", "{status}");
}

/// A secret that comes while the old one is tried is tried itself, and not thrown away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_that_comes_while_the_old_one_is_tried_counts() {
    let mut begun = Begun::new().await;
    begun.fault("POST /*/oauth2/v2.0/token", 0, json!({ "hang": "before" }));
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("fault"));
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    begun.fault("token:client_credentials", 0, json!({ "hang": "before" }));
    let wrong = "this~is~not~the~secret";
    begun
        .ask("give_secret", &setup, Some(("secret", wrong)))
        .await;
    begun.hangs().await;
    let right = begun.chosen.application.secret.clone();
    begun
        .ask("give_secret", &setup, Some(("secret", &right)))
        .await;
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("fault"));
    let view = until("a proof", || {
        let (begun, setup) = (&begun, setup.clone());
        async move {
            let view = begun.view(&setup).await;
            (view["state"] == "done").then_some(view)
        }
    })
    .await;
    assert_eq!(view["proof"], "proven");
    assert_eq!(begun.stack.count("secrets").await, 0);
}

/// 24 hours are the most that a secret is kept, whatever the setup waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_that_is_over_its_time_is_deleted_and_told() {
    let mut begun = Begun::new().await;
    // Everything before the proof takes longer than the secret lives.
    begun.fault(
        "New-ApplicationAccessPolicy",
        0,
        json!({ "hang": "before" }),
    );
    let setup = begun.start(&begun.chosen.application.secret.clone()).await;
    begun.hangs().await;
    let until_when = begun.view(&setup).await["secret"]["until"].clone();
    let now = begun
        .rows("select extract(epoch from now()) * 1000 as millis")
        .await;
    let left = until_when.as_f64().expect("a moment") - now[0]["millis"].as_f64().expect("millis");
    let hour = 3_600_000.0;
    assert!(left > 23.9 * hour && left <= 24.0 * hour, "{left}");
    begun
        .execute("update secrets set expires_at = now() - interval '1 second'")
        .await;
    begun
        .execute("select graphile_worker.add_job('purge', 'null'::json)")
        .await;
    until("its end", || {
        let begun = &begun;
        async move { (begun.stack.count("secrets").await == 0).then_some(()) }
    })
    .await;
    let told = begun
        .rows("select what from events where kind = 'secret.forgotten'")
        .await;
    assert_eq!(
        told[0]["what"],
        "The client secret was deleted: its 24 hours were over."
    );
    assert_eq!(begun.view(&setup).await["secret"]["secret"], "gone");
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("fault"));
    // Now it waits for a new one.
    begun.settled(&setup, "needs_secret").await;
}

/// History names Microsoft's requests for each step, and the mails of the proof.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn history_names_the_requests_of_each_step_and_the_mails_of_the_proof() {
    let mut begun = Begun::new().await;
    let setup = begun.start(&begun.chosen.application.secret.clone()).await;
    begun.settled(&setup, "done").await;
    let steps = begun
        .rows("select what, requests from events where kind in ('step.done', 'cloud.change') order by seq")
        .await;
    assert!(steps.len() >= 7, "{steps:?}");
    for step in &steps {
        let ids = step["requests"].as_array().expect("ids");
        assert!(!ids.is_empty(), "{step}");
    }
    let proven = begun
        .rows("select after, requests from events where kind = 'proof.proven'")
        .await;
    let mails = proven[0]["after"]["mails"].as_array().expect("mails");
    let accepted = mails
        .iter()
        .filter(|mail| mail["outcome"] == "accepted")
        .count();
    let refused = mails
        .iter()
        .filter(|mail| mail["outcome"] == "refused")
        .count();
    assert_eq!(
        (accepted, refused),
        (1, begun.chosen.refused.len()),
        "{mails:?}"
    );
    assert!(
        mails.iter().all(|mail| mail["request"].is_string()),
        "{mails:?}"
    );
}

/// A roll back that Exchange keeps refusing can be ended: what is left is said, and the
/// application is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_roll_back_that_cannot_go_on_can_be_ended() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    let refused = json!({ "exchange_error": "It is refused.", "type": "Some.Exception" });
    begun.refusal("Remove-ApplicationAccessPolicy", None, &refused);
    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    let view = begun.settled(&setup, "failed").await;
    assert_eq!(view["can"]["cancel"], true);
    begun.ask("cancel_setup", &setup, None).await;
    let view = until("its last look", || {
        let (begun, setup) = (&begun, setup.clone());
        async move {
            let view = begun.view(&setup).await;
            (view["steps"][4]["state"] == "done").then_some(view)
        }
    })
    .await;
    assert_eq!(view["state"], "cancelled");
    assert_eq!(view["proof"], "configured");
    assert!(begun.page(&setup).await.contains("The access policy for"));
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, &setup).policies, 1);
}

/// The button was pressed twice: both answers lead to the one setup.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_click_leads_to_the_setup_of_the_first() {
    let begun = Begun::new().await;
    let (mut one, mut other) = (begun.owner.clone(), begun.owner.clone());
    let (first, second) = tokio::join!(
        begun.chosen.start(&mut one, ""),
        begun.chosen.start(&mut other, "")
    );
    assert_eq!(first, second);
    assert_eq!(begun.stack.count("setups").await, 1);
    let told = begun
        .rows("select what from events where kind = 'setup.started'")
        .await;
    assert_eq!(told.len(), 1);
}

/// The same person starts another plan for the application a moment later: that is no second click.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m5_another_plan_is_not_taken_for_a_second_click() {
    let mut begun = Begun::new().await;
    let first = begun.start("").await;
    let mut other = begun.chosen.clone();
    other.group = "postern-another".to_owned();
    let (status, told) = other.try_start(&mut begun.owner, "").await;
    assert_ne!(status, 200, "{told}");
    assert_eq!(told["problem"]["key"], "setup.already_active", "{told}");
    // The very same plan is one.
    let again = begun.chosen.clone();
    assert_eq!(again.start(&mut begun.owner, "").await, first);
    assert_eq!(begun.stack.count("setups").await, 1);
}

/// Who may only read changes nothing, whatever is posted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m7_an_auditor_changes_nothing() {
    let mut begun = Begun::new().await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    let auditor = begun.stack.accounts.auditor();
    let mut owner = begun.owner.clone();
    let mut auditor = begun.stack.with_role(&mut owner, &auditor, "auditor").await;
    let query = begun.chosen.query();
    let fields = [
        ("customer", begun.chosen.customer.as_str()),
        ("setup", &setup),
        ("confirm", MAILER),
        ("secret", "x"),
        ("mailbox[]", &begun.chosen.sender),
        ("draft", &query),
        ("tenant", DOMAIN),
        ("person", "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4"),
        ("role", "owner"),
    ];
    let tables = ["events", "setups", "secrets", "links", "operators"];
    let mut before = Vec::new();
    for table in tables {
        before.push(begun.stack.count(table).await);
    }
    for what in [
        "connect",
        "reconnect",
        "make_link",
        "disconnect",
        "set_role",
        "start_setup",
        "cancel_setup",
        "retry_setup",
        "look_now",
        "skip_proof",
        "prove_again",
        "roll_back",
        "give_secret",
        "scan_all",
        "cancel_scan_all",
        "scan_one",
    ] {
        let (status, told) = auditor.call_form(&format!("/api/{what}"), &fields).await;
        assert_eq!(status, 403, "{what}: {told}");
    }
    for (table, before) in tables.into_iter().zip(before) {
        assert_eq!(begun.stack.count(table).await, before, "{table}");
    }
    let view = begun.view(&setup).await;
    assert_eq!(view["state"], "needs_secret", "{view}");
}
