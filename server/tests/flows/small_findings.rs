//! What a browser keeps, what names from tenants look like, and who is told about health.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, Stack, until};

/// What is left of ours in a browser.
fn ours(browser: &Browser) -> Vec<String> {
    browser
        .portal_cookies()
        .into_keys()
        .filter(|name| name.starts_with("__Host-postern"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f13_no_cookie_outlives_what_it_was_for() {
    let stack = Stack::start().await;
    for way_out in ["/auth/sign-out", "/auth/sign-out-everywhere"] {
        let mut owner = stack.browser();
        let page = owner.open("/auth/sign-in").await;
        assert_eq!(ours(&owner), ["__Host-postern-signin"]);
        let page = owner.consent(page, &stack.accounts.owner(), "accept").await;
        assert_eq!(page.status, 200, "{}", page.text());
        // The attempt is over, and so is what bound it to this browser.
        assert_eq!(ours(&owner), ["__Host-postern"]);

        // One that was begun and left is taken away as well.
        owner.open_once("/auth/sign-in").await;
        assert_eq!(ours(&owner).len(), 2);
        owner.send_form(way_out, &[]).await;
        assert!(ours(&owner).is_empty(), "{way_out}: {:?}", ours(&owner));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f13_a_session_that_is_gone_leaves_no_cookie() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let mut elsewhere = stack.owner().await;
    owner.send_form("/auth/sign-out-everywhere", &[]).await;
    assert_eq!(ours(&elsewhere), ["__Host-postern"]);
    elsewhere.open("/customers").await;
    assert!(ours(&elsewhere).is_empty(), "{:?}", ours(&elsewhere));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f13_a_customers_admin_keeps_no_cookie() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "contoso.example").await;
    // Others of the operator's tabs may wait for their own customers.
    assert_eq!(ours(&owner).len(), 2, "{:?}", ours(&owner));
    let (_, link) = owner
        .call_form("/api/make_link", &[("customer", &customer)])
        .await;
    let link = link.as_str().expect("a link").to_owned();
    let mut admin = stack.browser();
    admin.open(&link).await;
    let token = link.rsplit('/').next().expect("a token");
    let page = admin.submit("/api/join", &[("token", token)]).await;
    assert_eq!(ours(&admin), ["__Host-postern-signin"]);
    let page = admin.consent(page, "admin@contoso.example", "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(ours(&admin).is_empty(), "{:?}", ours(&admin));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f24_signing_out_empties_the_browser() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let page = owner.open("/customers").await;
    assert_eq!(page.header("clear-site-data"), "");
    for way_out in ["/auth/sign-out", "/auth/sign-out-everywhere"] {
        let page = owner.submit_once(way_out, &[]).await;
        assert_eq!(page.header("clear-site-data"), "\"cache\", \"storage\"");
    }
}

/// Words in which nothing is seen that turns what follows around or parts it.
const TENANT: &str = "Fabri\u{200b}kam\u{202e}\u{a0}A/S\u{2028}";
const APPLICATION: &str = "Recep\u{2066}tion\u{200d} Bot\u{2069}";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f17_names_from_tenants_are_what_is_seen() {
    let stack = Stack::start().await;
    stack.cloud.with_world(|world| {
        let id = world.tenants.resolve("fabrikam.example").expect("a tenant");
        let tenant = world.tenants.get(id).expect("a tenant");
        tenant.name = TENANT.to_owned();
    });
    let application = json!({
        "tenant": "fabrikam.example",
        "name": APPLICATION,
        "grants": ["graph:Mail.Send"],
    });
    stack.control("applications", &application).await;

    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, "fabrikam.example").await;
    let applications = owner
        .read("/api/applications", &json!({ "customer": id }))
        .await
        .to_string();
    assert!(applications.contains("Reception Bot"), "{applications}");
    let page = owner.open(&format!("/customers/{id}")).await;
    for text in [&applications, &page.body] {
        for hidden in [
            '\u{200b}', '\u{200d}', '\u{202e}', '\u{2028}', '\u{2066}', '\u{2069}',
        ] {
            assert!(!text.contains(hidden), "{hidden:?} in {text}");
        }
    }
    assert!(page.text().contains("Fabrikam\u{a0}A/S"), "{}", page.text());

    // As somebody reads it and types it, with a space from the keyboard.
    let disconnect =
        |confirm: &'static str| [("customer", id.clone()), ("confirm", confirm.to_owned())];
    for (typed, status) in [("Contoso", 422), ("", 422), ("Fabrikam A/S", 200)] {
        let fields = disconnect(typed);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (got, told) = owner.call_form("/api/disconnect", &fields).await;
        assert_eq!(got, status, "{typed}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f17_a_customer_is_also_named_by_its_domain() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, "contoso.example").await;
    let fields = [("customer", id.as_str()), ("confirm", " Contoso.example ")];
    let (status, told) = owner.call_form("/api/disconnect", &fields).await;
    assert_eq!(status, 200, "{told}");
}

/// Names that were stored before this rule are compared by the same measure.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f17_an_old_name_can_be_typed() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, "contoso.example").await;
    // The reading learns the tenant's own name.
    let under_way = "scans where read_at is null or asked or lease is not null";
    until("the reading to end", || async {
        (stack.count(under_way).await == 0).then_some(())
    })
    .await;
    let mut database = stack.database.superuser().await.expect("a connection");
    sqlx::query("update customers set name = $1")
        .bind("Con\u{200b}toso\u{202c} Ltd")
        .execute(&mut database)
        .await
        .expect("an update");
    sqlx::Connection::close(database).await.expect("an end");
    let fields = [("customer", id.as_str()), ("confirm", "Contoso Ltd")];
    let (status, told) = owner.call_form("/api/disconnect", &fields).await;
    assert_eq!(status, 200, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f24_pages_make_markup_by_one_policy_only() {
    let stack = Stack::start().await;
    let mut nobody = stack.browser();
    let page = nobody.open("/").await;
    let policy = page.header("content-security-policy");
    for part in [
        "require-trusted-types-for 'script'",
        "trusted-types default",
    ] {
        assert!(policy.contains(part), "{part} is missing in {policy}");
    }
    // The portal of this test is not reached by https.
    assert!(!policy.contains("upgrade-insecure-requests"), "{policy}");
    let health = nobody.bare(Method::GET, "/healthz");
    assert_eq!(nobody.once(health).await.status, 200);
}
