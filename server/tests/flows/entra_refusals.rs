//! Entra refuses Postern's own tokens: what is known stays, and what is said names the cause.

use serde_json::{Value, json};

use crate::support::{
    Browser, Stack,
    begun::{Begun, DOMAIN, MAILER},
    field::failed,
    setups::{Made, made},
    until,
};

/// Entra refuses every refresh token of the customer so. What a server has in memory
/// serves on, so the caller starts it anew.
fn refuse(stack: &Stack, tenant: &str, code: &str) {
    let fault = json!({
        "host": "entra", "operation": "token:refresh_token", "tenant": tenant,
        "action": { "entra_error": code },
    });
    stack.cloud.fault(fault).expect("a fault");
}

fn accept(stack: &Stack) {
    stack.cloud.with_world(|world| world.faults.disarm_all());
}

async fn health(owner: &mut Browser, customer: &str) -> Value {
    let view = owner
        .read("/api/customer", &json!({ "customer": customer }))
        .await;
    view["connection"]["health"].clone()
}

async fn exposure(owner: &mut Browser) -> Vec<Value> {
    let file = owner.open("/exposure.json?by=each").await;
    assert_eq!(file.status, 200, "{}", file.body);
    serde_json::from_str(&file.body).expect("JSON")
}

async fn drawn(owner: &mut Browser, page: &str) -> String {
    let drawn = owner.read("/api/drawn", &json!({ "page": page })).await;
    drawn["html"].as_str().expect("markup").to_owned()
}

/// So many customers were read, with this outcome.
async fn outcomes(stack: &Stack, outcome: &str, count: i64) {
    let which = format!("scans where outcome = '{outcome}' and lease is null and not asked");
    until(&format!("{count} readings that end {outcome}"), || {
        let which = &which;
        async move { (stack.count(which).await == count).then_some(()) }
    })
    .await;
}

async fn read_again(owner: &mut Browser, customer: &str) {
    owner
        .send_form("/api/scan_one", &[("customer", customer)])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b25_what_is_off_empties_nothing_and_is_shown_on_the_connection() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    outcomes(&stack, "whole", 1).await;
    let known = exposure(&mut owner).await;
    assert!(!known.is_empty());
    let read = stack
        .number("select extract(epoch from read_at)::bigint from scans")
        .await;

    refuse(&stack, DOMAIN, "AADSTS500014");
    let stack = stack.restarted().await;
    read_again(&mut owner, &customer).await;
    outcomes(&stack, "failed", 1).await;
    assert_eq!(exposure(&mut owner).await, known);
    let kept = "select extract(epoch from read_at)::bigint from scans";
    assert_eq!(stack.number(kept).await, read);
    let page = drawn(&mut owner, "/exposure").await;
    assert!(page.contains("is off in this tenant"), "{page}");
    let told = health(&mut owner, &customer).await;
    assert_eq!(told["health"], "broken", "{told}");
    let problem = &told["problem"];
    assert_eq!(problem["key"], "entra.service_off", "{problem}");
    assert_eq!(problem["microsoft"]["code"], "AADSTS500014", "{problem}");
    assert!(!problem.to_string().contains("licence"), "{problem}");
    let body = json!({ "customer": customer, "draft": {
        "application": uuid::Uuid::nil(), "senders": [], "refused": [], "group": "", "prove": true,
    }});
    let (status, answer) = owner.call("/api/wizard", &body).await;
    assert_ne!(status, 200, "{answer}");
    assert_eq!(answer["problem"]["key"], "entra.service_off", "{answer}");

    accept(&stack);
    read_again(&mut owner, &customer).await;
    outcomes(&stack, "whole", 1).await;
    assert_eq!(health(&mut owner, &customer).await["health"], "good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b25_postern_switched_off_is_not_the_customers_application() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    outcomes(&stack, "whole", 1).await;
    refuse(&stack, DOMAIN, "AADSTS7000112");
    let stack = stack.restarted().await;
    read_again(&mut owner, &customer).await;
    outcomes(&stack, "failed", 1).await;
    let told = health(&mut owner, &customer).await;
    assert_eq!(told["health"], "broken", "{told}");
    assert_eq!(told["problem"]["key"], "entra.own_app_disabled", "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b12_token_protection_asks_nobody_to_connect_again() {
    let mut begun = Begun::new().await;
    let setup = begun.started("").await;
    begun.settled(&setup, "needs_secret").await;
    refuse(&begun.stack, DOMAIN, "AADSTS530084");
    let mut begun = begun.restarted().await;
    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    let view = begun.settled(&setup, "failed").await;
    let problem = failed(&view);
    assert_eq!(problem["key"], "entra.token_protection", "{problem}");
    assert_eq!(problem["remedy"], "act", "{problem}");
    let told = health(&mut begun.owner, &begun.chosen.customer).await;
    assert_eq!(told["problem"]["key"], "entra.token_protection", "{told}");

    // The rule was changed, nobody signed in anew: the same token does.
    accept(&begun.stack);
    begun.ask("retry_setup", &setup, None).await;
    begun.settled(&setup, "rolled_back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b12_a_claims_challenge_in_mid_setup_is_met_and_doubles_nothing() {
    for cmdlet in [
        "New-DistributionGroup",
        "Add-DistributionGroupMember",
        "New-ApplicationAccessPolicy",
    ] {
        let mut begun = Begun::new().await;
        begun.fault(cmdlet, 0, json!({ "claims_challenge": true }));
        let secret = begun.chosen.application.secret.clone();
        let setup = begun.start(&secret).await;
        let view = begun.settled(&setup, "done").await;
        assert_eq!(view["proof"], "proven", "{cmdlet}");
        assert!(begun.fired(), "{cmdlet}");
        let expected = Made::once(&begun.senders);
        let tenant = begun.stack.tenant(DOMAIN).await;
        assert_eq!(made(&tenant, &setup), expected, "{cmdlet}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b12_one_trouble_at_five_customers_is_one_notice() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let domains = [
        DOMAIN,
        "litware.example",
        "adventure-works.example",
        "alpineskihouse.example",
        "margiestravel.example",
    ];
    let mut customers = Vec::new();
    for domain in domains {
        customers.push(stack.connect(&mut owner, domain).await);
    }
    let ended = "scans where ended_at is not null and lease is null and not asked";
    until("all five to be read", || {
        let stack = &stack;
        async move { (stack.count(ended).await == 5).then_some(()) }
    })
    .await;
    // At the customers: whoever is signed in may stay so.
    for domain in domains {
        refuse(&stack, domain, "AADSTS530034");
    }
    let stack = stack.restarted().await;
    for customer in &customers {
        read_again(&mut owner, customer).await;
    }
    outcomes(&stack, "failed", 5).await;

    let query = json!({ "search": "", "sort": "name", "page": 1 });
    let list = owner
        .read("/api/customers", &json!({ "query": query }))
        .await;
    let troubles = list["troubles"].as_array().expect("troubles");
    assert_eq!(troubles.len(), 1, "{list}");
    assert_eq!(troubles[0]["count"], 5, "{list}");
    let named = troubles[0]["customers"].as_array().expect("customers");
    assert_eq!(named.len(), 5, "{list}");
    let notice = "5 customers: The partner's delegated access is blocked in this tenant.";
    let page = owner.open("/customers").await.text();
    assert_eq!(page.matches(notice).count(), 1, "{page}");
    let page = drawn(&mut owner, "/exposure").await;
    let page = page.replace("&#x27;", "'");
    assert_eq!(page.matches(notice).count(), 1, "{page}");
}
