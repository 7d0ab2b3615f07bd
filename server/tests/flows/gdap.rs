//! The third way into a customer: the operator's own account, through GDAP.

use serde_json::{Value, json};

use crate::support::{Browser, Stack, setups::made};

const DOMAIN: &str = "fabrikam.example";

async fn connection(owner: &mut Browser, id: &str) -> Value {
    let view = owner
        .read("/api/customer", &json!({ "customer": id }))
        .await;
    view["connection"].clone()
}

async fn through_gdap(owner: &mut Browser, customer: &str, upn: &str) -> crate::support::Page {
    let fields = [("customer", customer), ("way", "gdap")];
    let page = owner.send_form("/api/reconnect", &fields).await;
    owner.consent(page, upn, "accept").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_consent_at_the_customer_gdap_is_refused_with_what_to_do() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let fields = [("tenant", DOMAIN), ("way", "gdap")];
    let page = owner.send_form("/api/connect", &fields).await;
    let page = owner.consent(page, &stack.accounts.owner(), "accept").await;
    assert!(
        page.text().contains("AADSTS90099") || page.text().contains("AADSTS65001"),
        "{}",
        page.text()
    );
    let query = json!({ "search": "", "sort": "name", "page": 1 });
    let list = owner
        .read("/api/customers", &json!({ "query": query }))
        .await;
    let row = &list["rows"][0];
    assert_eq!(row["connection"]["health"]["health"], "never", "{list}");
    // Signing in for it asked for no right in the partner's own tenant.
    let home = stack.accounts.tenant_of("northwind-it.example");
    let consents = stack.cloud_state(&home).await["tenants"][0]["consents"].to_string();
    assert!(!consents.contains("Exchange.Manage"), "{consents}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_gdap_the_operators_own_account_confines_an_application() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, DOMAIN).await;
    let page = through_gdap(&mut owner, &id, &stack.accounts.owner()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let now = connection(&mut owner, &id).await;
    assert_eq!(now["way"], "gdap", "{now}");
    assert_eq!(now["account"], stack.accounts.owner(), "{now}");
    assert_eq!(now["health"]["health"], "good", "{now}");

    // Nothing of it rests on what is in memory.
    let stack = stack.restarted().await;
    let chosen = stack
        .choose(&mut owner, &id, DOMAIN, "Reception Mailer")
        .await;
    let setup = chosen.start(&mut owner, &chosen.application.secret).await;
    let view = stack.settled(&owner, &id, &setup, &["done"]).await;
    assert_eq!(view["state"], "done", "{view}");
    assert_eq!(view["proof"], "proven", "{view}");
    let tenant = stack.tenant(DOMAIN).await;
    assert_eq!(made(&tenant, &setup).policies, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_the_operators_own_account_will_do() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, DOMAIN).await;
    let page = through_gdap(&mut owner, &id, &stack.accounts.engineer()).await;
    assert_eq!(page.problem().as_deref(), Some("connect.somebody_else"));
    let said = page.text();
    assert!(said.contains(&stack.accounts.engineer()), "{said}");
    let now = connection(&mut owner, &id).await;
    assert_eq!(now["way"], "admin", "what was there stays: {now}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_way_that_is_none_is_refused() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, DOMAIN).await;
    for way in ["link", "nonsense"] {
        let fields = [("customer", id.as_str()), ("way", way)];
        let (answered, told) = owner.call_form("/api/reconnect", &fields).await;
        assert_eq!(answered, 422, "{way}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn consenting_again_ends_where_it_was_asked_for() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, DOMAIN).await;
    let here = format!("/customers/{id}/history");
    for (return_to, ends) in [
        (here.as_str(), here.clone()),
        ("https://evil.example/", format!("/customers/{id}")),
    ] {
        let fields = [("customer", id.as_str()), ("return_to", return_to)];
        let page = owner.send_form("/api/reconnect", &fields).await;
        let page = owner
            .consent(page, "admin@fabrikam.example", "accept")
            .await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.url.ends_with(&ends), "{} for {return_to}", page.url);
    }
}
