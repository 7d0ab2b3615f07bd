//! Nobody becomes owner by coming first, and guests do not come in.

use engine::FirstOwner;
use serde_json::{Value, json};

use crate::support::{Accounts, Browser, Choices, Portal, Stack, start_cloud};
use store::testing::TestDatabase;
use tokio::net::TcpListener;

const GUEST: &str = "mallory#EXT#@northwind-it.example";
const GUEST_AT_HOME: &str = "user@contoso.example";

/// A portal that names these as first owners.
async fn naming(named: &[&str]) -> Stack {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let choices = choices(&accounts, named);
    let portal = Portal::with_choices(listener, &cloud, &accounts, &database, choices).await;
    Stack {
        portal,
        cloud,
        accounts,
        database,
    }
}

fn choices(accounts: &Accounts, named: &[&str]) -> Choices {
    let owners = named.iter().map(|upn| FirstOwner::Upn((*upn).to_owned()));
    Choices {
        first_owners: Some(owners.collect()),
        ..Choices::of(std::slice::from_ref(&accounts.partner_tenant))
    }
}

async fn role(browser: &mut Browser) -> Value {
    browser.read("/api/me", &json!({})).await["role"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f02_nobody_becomes_owner_unless_named() {
    let stack = naming(&[]).await;
    let mut first = stack.browser();
    let page = first.sign_in(&stack.accounts.owner()).await;
    assert!(page.url.ends_with("/waiting"), "{}", page.url);
    assert_eq!(role(&mut first).await, Value::Null);
    let (status, told) = first.call("/api/people", &json!({})).await;
    assert_eq!(status, 403, "{told}");
    let (status, told) = first
        .call_form("/api/connect", &[("tenant", "fabrikam.example")])
        .await;
    assert_eq!(status, 403, "{told}");
    assert_eq!(stack.count("operators where role is not null").await, 0);

    // Named afterwards: the next sign-in of that person, and of nobody else.
    let olivia = stack.accounts.owner();
    let nora = stack.accounts.engineer();
    let choices = choices(&stack.accounts, &[&olivia]);
    let stack = stack.restarted_with(choices).await;
    let mut other = stack.signed_in(&nora).await;
    assert_eq!(role(&mut other).await, Value::Null);
    assert_eq!(
        role(&mut first).await,
        Value::Null,
        "she has not signed in again"
    );
    let mut owner = stack.signed_in(&olivia).await;
    assert_eq!(role(&mut owner).await, "owner");
    assert_eq!(stack.count("operators where role is not null").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f02_with_an_owner_nobody_else_becomes_one_by_being_named() {
    let stack = naming(&["olivia@northwind-it.example"]).await;
    let mut owner = stack.owner().await;
    assert_eq!(role(&mut owner).await, "owner");
    let nora = stack.accounts.engineer();
    let choices = choices(&stack.accounts, &[&nora]);
    let stack = stack.restarted_with(choices).await;
    let mut other = stack.signed_in(&nora).await;
    assert_eq!(role(&mut other).await, Value::Null);
}

/// Signs in at the tenant itself, where guests have an account, instead of everybody's address.
pub async fn at_the_tenant(browser: &mut Browser, tenant: &str, upn: &str) -> crate::support::Page {
    let begun = browser.open_once("/auth/sign-in").await;
    let to = begun.header("location").to_owned();
    assert!(
        to.contains("/organizations/") || to.contains(tenant),
        "{to}"
    );
    let to = to.replace("/organizations/", &format!("/{tenant}/"));
    let page = browser.open(&to).await;
    browser.consent(page, upn, "accept").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f02_a_guest_of_the_partners_tenant_is_refused() {
    let stack = naming(&[GUEST, GUEST_AT_HOME]).await;
    let guest = json!({
        "upn": GUEST, "tenant": "northwind-it.example", "create": true, "mailbox": "none",
        "guest_of": GUEST_AT_HOME,
    });
    stack.control("users", &guest).await;
    let tenant = stack.accounts.partner_tenant.clone();
    let mut browser = stack.browser();
    let page = at_the_tenant(&mut browser, &tenant, GUEST_AT_HOME).await;
    assert_eq!(
        page.problem().as_deref(),
        Some("sign_in.guest"),
        "{}",
        page.text()
    );
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(!browser.portal_cookies().contains_key("__Host-postern"));
    assert_eq!(browser.call("/api/me", &json!({})).await.0, 401);
    assert_eq!(stack.count("operators").await, 0);
    // The same address is good for those who are at home there.
    let mut member = stack.browser();
    let page = at_the_tenant(&mut member, &tenant, &stack.accounts.owner()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(role(&mut member).await, Value::Null);
}
