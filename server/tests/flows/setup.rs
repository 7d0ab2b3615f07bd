//! Setups, from the wizard to the proof and back.

use serde_json::{Value, json};
use store::verify_all;

use crate::support::{
    Browser, Stack,
    begun::{Begun, DOMAIN, MAILER},
    setups::{Chosen, Made, made},
    until,
};

fn form<'a>(chosen: &'a Chosen, setup: &'a str, more: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("customer", chosen.customer.as_str()), ("setup", setup)];
    if let Some((name, value)) = more.split_once('=') {
        fields.push((name, value));
    }
    fields
}

async fn ask(owner: &mut Browser, what: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    owner.call_form(&format!("/api/{what}"), fields).await
}

async fn must(owner: &mut Browser, what: &str, fields: &[(&str, &str)]) {
    let (status, told) = ask(owner, what, fields).await;
    assert_eq!(status, 200, "{what}: {told}");
}

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
    let expected = Made {
        groups: vec![vec![chosen.sender.clone()]],
        policies: 1,
    };
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
    let Begun {
        stack,
        mut owner,
        mut chosen,
        ..
    } = Begun::new().await;
    chosen.prove = false;
    let setup = chosen.start(&mut owner, "").await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["done"])
        .await;
    assert_eq!(view["proof"], "checked");
    assert_eq!(view["secret"]["secret"], "none");
    assert!(stack.outbox().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_secret_can_come_later() {
    let Begun {
        stack,
        mut owner,
        chosen,
        ..
    } = Begun::new().await;
    let setup = chosen.start(&mut owner, "").await;
    stack
        .settled(&owner, &chosen.customer, &setup, &["needs_secret"])
        .await;
    let wrong = "secret=6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";
    let (status, told) = ask(&mut owner, "give_secret", &form(&chosen, &setup, wrong)).await;
    assert_eq!(status, 422, "{told}");
    assert_eq!(told["problem"]["key"], "input.secret");
    let right = format!("secret={}", chosen.application.secret);
    must(&mut owner, "give_secret", &form(&chosen, &setup, &right)).await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["done"])
        .await;
    assert_eq!(view["proof"], "proven");
    assert_eq!(stack.count("secrets").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_second_operator_is_told_about_the_first() {
    let Begun {
        stack,
        mut owner,
        chosen,
        ..
    } = Begun::new().await;
    let mut nora = stack
        .with_role(&mut owner, &stack.accounts.engineer(), "engineer")
        .await;
    let setup = chosen.start(&mut owner, "").await;
    // Everything that both would make is there by now.
    stack
        .settled(&owner, &chosen.customer, &setup, &["needs_secret"])
        .await;
    let (status, told) = chosen.try_start(&mut nora, "").await;
    assert!(status >= 400, "{told}");
    assert_eq!(told["problem"]["key"], "setup.already_active", "{told}");
    assert!(told.to_string().contains("Olivia Berg"), "{told}");
    let wizard = json!({ "customer": chosen.customer, "draft": chosen.draft() });
    let wizard = nora.read("/api/wizard", &wizard).await;
    assert_eq!(wizard["active"]["id"], setup.as_str());
    assert_eq!(stack.count("setups").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_it_leaves_things_as_they_are() {
    let Begun {
        stack,
        mut owner,
        chosen,
        ..
    } = Begun::new().await;
    let setup = chosen.start(&mut owner, "").await;
    stack
        .settled(&owner, &chosen.customer, &setup, &["needs_secret"])
        .await;
    must(&mut owner, "cancel_setup", &form(&chosen, &setup, "")).await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["cancelled"])
        .await;
    assert_eq!(view["proof"], "checked");
    assert_eq!(made(&stack.tenant(DOMAIN).await, &setup).policies, 1);
    let (status, _) = ask(&mut owner, "cancel_setup", &form(&chosen, &setup, "")).await;
    assert!(status >= 400, "cancelled twice");
    // The application is free again.
    let again = chosen.try_start(&mut owner, "").await;
    assert_ne!(again.1["problem"]["key"], "setup.already_active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_step_is_tried_again() {
    let Begun {
        stack,
        mut owner,
        mut chosen,
        ..
    } = Begun::new().await;
    chosen.prove = false;
    let fault = json!({
        "id": "refusal",
        "operation": "New-ApplicationAccessPolicy",
        "action": { "exchange_error": "The policy is refused today.", "type": "Some.Exception" },
    });
    stack.cloud.fault(fault).expect("a fault");
    let setup = chosen.start(&mut owner, "").await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["failed"])
        .await;
    assert!(
        view["steps"].to_string().contains("refused today"),
        "{view}"
    );
    assert_eq!(view["can"]["retry"], true);
    stack
        .cloud
        .with_world(|world| world.faults.disarm("refusal"));
    must(&mut owner, "retry_setup", &form(&chosen, &setup, "")).await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["done"])
        .await;
    assert_eq!(view["proof"], "checked");
    assert_eq!(made(&stack.tenant(DOMAIN).await, &setup).policies, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rolled_back_nothing_is_left() {
    let Begun {
        stack,
        mut owner,
        mut chosen,
        ..
    } = Begun::new().await;
    chosen.prove = false;
    let setup = chosen.start(&mut owner, "").await;
    stack
        .settled(&owner, &chosen.customer, &setup, &["done"])
        .await;
    let wrong = form(&chosen, &setup, "confirm=Something else");
    let (status, told) = ask(&mut owner, "roll_back", &wrong).await;
    assert_eq!(status, 422, "{told}");
    let right = format!("confirm={MAILER}");
    must(&mut owner, "roll_back", &form(&chosen, &setup, &right)).await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["rolled_back"])
        .await;
    assert_eq!(view["proof"], "none", "{view}");
    let left = made(&stack.tenant(DOMAIN).await, &setup);
    assert_eq!(
        left,
        Made {
            groups: vec![],
            policies: 0
        }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_secret_is_told_and_can_be_replaced() {
    let Begun {
        stack,
        mut owner,
        chosen,
        ..
    } = Begun::new().await;
    let setup = chosen.start(&mut owner, "this~is~not~the~secret").await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["failed"])
        .await;
    assert!(
        view["steps"].to_string().contains("AADSTS7000215"),
        "{}",
        view["steps"]
    );
    let right = format!("secret={}", chosen.application.secret);
    must(&mut owner, "give_secret", &form(&chosen, &setup, &right)).await;
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["done"])
        .await;
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
