//! Setups, from the wizard to the proof and back.

use serde_json::{Value, json};
use store::verify_all;

use crate::support::{
    Browser, Stack,
    begun::{Begun, DOMAIN, MAILER},
    setups::{Chosen, Made, made},
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_whole_way_to_proven() {
    let Begun {
        stack,
        mut owner,
        chosen,
        ..
    } = Begun::new().await;
    assert!(!chosen.refused.is_empty());
    let review = json!({ "customer": chosen.customer, "draft": chosen.draft() });
    let review = owner.read("/api/review", &review).await;
    let cmdlets: Vec<&str> = review["cmdlets"]
        .as_array()
        .expect("cmdlets")
        .iter()
        .filter_map(|cmdlet| cmdlet["name"].as_str())
        .collect();
    assert_eq!(
        cmdlets,
        [
            "New-DistributionGroup",
            "Set-DistributionGroup",
            "Add-DistributionGroupMember",
            "New-ApplicationAccessPolicy"
        ]
    );
    assert!(review["script"].as_str().expect("a script").is_ascii());

    let secret = chosen.application.secret.clone();
    let setup = chosen.start(&mut owner, &secret).await;
    let path = format!("/live/setups/{}/{setup}", chosen.customer);
    let mut events = owner.events(&path, None).await.expect("a stream");
    let mut versions = Vec::new();
    let last = loop {
        let event = events.next().await.expect("an event");
        assert_eq!(event.event, "setup");
        versions.push(event.id.parse::<i64>().expect("a number"));
        let view: Value = serde_json::from_str(&event.data).expect("JSON");
        assert_eq!(view["version"], event.id.parse::<i64>().expect("a number"));
        assert!(!event.data.contains(&secret), "the secret is in the stream");
        assert_ne!(view["state"], "failed", "{}", view["steps"]);
        if view["state"] == "done" {
            break view;
        }
    };
    assert!(versions.len() >= 3 && versions.is_sorted(), "{versions:?}");
    assert_eq!(last["proof"], "proven");
    assert_eq!(last["secret"]["secret"], "gone");
    let states: Vec<&str> = last["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|step| step["state"].as_str())
        .collect();
    assert_eq!(states, ["done"; 8]);

    let tenant = stack.tenant(DOMAIN).await;
    let expected = Made::once(std::slice::from_ref(&chosen.sender));
    assert_eq!(made(&tenant, &setup), expected);
    assert_eq!(stack.count("secrets").await, 0);
    // The last job ends a moment after what it did.
    until("no job to be left", || async {
        let jobs = "graphile_worker._private_jobs where payload ->> 'setup' is not null";
        (stack.count(jobs).await == 0).then_some(())
    })
    .await;
    let mails = stack.outbox().await;
    assert!(!mails.is_empty());
    // Until Microsoft enforces the policy, mails as those who must be refused go through. After
    // the first as the permitted sender none may.
    let proven = mails
        .iter()
        .position(|mail| mail["from"] == chosen.sender.as_str())
        .expect("no mail as the permitted sender");
    for mail in &mails[proven..] {
        assert_eq!(mail["from"], chosen.sender.as_str(), "{mail}");
    }
    read_the_history(&stack, &mut owner, &chosen, &setup, &secret).await;
}

async fn read_the_history(
    stack: &Stack,
    owner: &mut Browser,
    chosen: &Chosen,
    setup: &str,
    secret: &str,
) {
    // The customer is read again after a setup, and history tells what that changed.
    until("the reading after it", || async {
        let reading = stack.count("scans where asked or lease is not null").await;
        (reading == 0).then_some(())
    })
    .await;
    let path = format!("/customers/{}", chosen.customer);
    let page = owner.open_once(&format!("{path}/history.json")).await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-disposition")
            .starts_with("attachment; filename=")
    );
    let events: Vec<Value> = serde_json::from_str(&page.body).expect("JSON");
    let kinds: Vec<&str> = events.iter().filter_map(|e| e["kind"].as_str()).collect();
    for kind in [
        "customer.added",
        "consent.given",
        "setup.started",
        "secret.given",
        "step.done",
        "proof.proven",
        "secret.forgotten",
        "setup.done",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not among {kinds:?}");
    }
    assert!(
        events.iter().any(|event| event["requests"]
            .as_array()
            .is_some_and(|ids| !ids.is_empty())),
        "no request ids"
    );
    assert!(!page.body.contains(secret));

    let page = owner
        .open_once(&format!("{path}/history.csv?kind=setup.started"))
        .await;
    assert_eq!(page.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = page.body.lines().collect();
    assert_eq!(lines.len(), 2, "{}", page.body);
    assert!(lines[1].contains("\"setup.started\""), "{}", page.body);
    assert!(lines[1].contains(setup), "{}", page.body);

    let page = owner
        .open_once(&format!("{path}/setups/{setup}/script.ps1"))
        .await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("New-ApplicationAccessPolicy"),
        "{}",
        page.body
    );
    assert!(page.header("content-disposition").contains(".ps1\""));
    assert!(page.body.is_ascii(), "{}", page.body);

    let vault = store::testing::vault().expect("a ring");
    let verified = verify_all(&stack.database.owner_url, Some(&vault), &[])
        .await
        .expect("chains");
    assert!(verified.broken.is_empty(), "{:?}", verified.broken);
    // The customer's, and the partner's own.
    assert_eq!(verified.heads.len(), 2);
    assert_eq!(
        verified.heads[0].seq,
        i64::try_from(events.len()).expect("few")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_real_mail_it_ends_as_checked() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let setup = begun.started("").await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked");
    assert_eq!(view["secret"]["secret"], "none");
    assert!(begun.stack.outbox().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_secret_can_come_later() {
    let mut begun = Begun::new().await;
    let setup = begun.started("").await;
    begun.settled(&setup, "needs_secret").await;
    let wrong = Some(("secret", "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4"));
    let (status, told) = begun.try_ask("give_secret", &setup, wrong).await;
    assert_eq!(status, 422, "{told}");
    assert_eq!(told["problem"]["key"], "input.secret");
    let secret = begun.chosen.application.secret.clone();
    begun
        .ask("give_secret", &setup, Some(("secret", &secret)))
        .await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven");
    assert_eq!(begun.stack.count("secrets").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_second_operator_is_told_about_the_first() {
    let mut begun = Begun::new().await;
    let Begun { stack, owner, .. } = &mut begun;
    let engineer = stack.accounts.engineer();
    let mut nora = stack.with_role(owner, &engineer, "engineer").await;
    let setup = begun.started("").await;
    // Everything that both would make is there by now.
    begun.settled(&setup, "needs_secret").await;
    let (status, told) = begun.chosen.try_start(&mut nora, "").await;
    assert!(status >= 400, "{told}");
    assert_eq!(told["problem"]["key"], "setup.already_active", "{told}");
    assert!(told.to_string().contains("Olivia Berg"), "{told}");
    let wizard = json!({ "customer": begun.chosen.customer, "draft": begun.chosen.draft() });
    let wizard = nora.read("/api/wizard", &wizard).await;
    assert_eq!(wizard["active"]["id"], setup.as_str());
    assert_eq!(begun.stack.count("setups").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_it_leaves_things_as_they_are() {
    let mut begun = Begun::new().await;
    let setup = begun.started("").await;
    begun.settled(&setup, "needs_secret").await;
    begun.ask("cancel_setup", &setup, None).await;
    let view = begun.settled(&setup, "cancelled").await;
    assert_eq!(view["proof"], "checked");
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, &setup).policies, 1);
    let (status, _) = begun.try_ask("cancel_setup", &setup, None).await;
    assert!(status >= 400, "cancelled twice");
    // The application is free again.
    let Begun { owner, chosen, .. } = &mut begun;
    let again = chosen.try_start(owner, "").await;
    assert_ne!(again.1["problem"]["key"], "setup.already_active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_step_is_tried_again() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let error =
        json!({ "exchange_error": "The policy is refused today.", "type": "Some.Exception" });
    begun.refusal("New-ApplicationAccessPolicy", None, &error);
    let setup = begun.started("").await;
    let view = begun.settled(&setup, "failed").await;
    assert!(
        view["steps"].to_string().contains("refused today"),
        "{view}"
    );
    assert_eq!(view["can"]["retry"], true);
    begun.no_refusal();
    begun.ask("retry_setup", &setup, None).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked");
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, &setup).policies, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rolled_back_nothing_is_left() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let setup = begun.started("").await;
    begun.settled(&setup, "done").await;
    let wrong = Some(("confirm", "Something else"));
    let (status, told) = begun.try_ask("roll_back", &setup, wrong).await;
    assert_eq!(status, 422, "{told}");
    let right = Some(("confirm", MAILER));
    begun.ask("roll_back", &setup, right).await;
    let view = begun.settled(&setup, "rolled_back").await;
    assert_eq!(view["proof"], "none", "{view}");
    let left = made(&begun.stack.tenant(DOMAIN).await, &setup);
    assert_eq!(left, Made::NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_secret_is_told_and_can_be_replaced() {
    let mut begun = Begun::new().await;
    let setup = begun.started("this~is~not~the~secret").await;
    let view = begun.settled(&setup, "failed").await;
    assert!(
        view["steps"].to_string().contains("AADSTS7000215"),
        "{}",
        view["steps"]
    );
    let secret = begun.chosen.application.secret.clone();
    begun
        .ask("give_secret", &setup, Some(("secret", &secret)))
        .await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_read_is_told_and_never_safe() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    // Its admin may consent, but has no role in Exchange.
    let domain = "cohowinery.example";
    let customer = stack.connect(&mut owner, domain).await;
    let list = owner
        .read("/api/applications", &json!({ "customer": customer }))
        .await;
    let problems = list["problems"].as_array().expect("problems");
    assert!(!problems.is_empty(), "{list}");
    for row in list["rows"].as_array().expect("rows") {
        let standing = row["standing"].as_str().expect("a standing");
        assert!(
            ["unrestricted", "unknown"].contains(&standing),
            "nothing that was not read makes it safe: {row}"
        );
    }
}
