//! Invitations: what a customer's own admin reads before consenting, and what becomes of them.

use serde_json::{Value, json};

use crate::support::{Browser, Page, Stack};

const CONTOSO: &str = "contoso.example";
const ADMIN: &str = "admin@contoso.example";
const OTHER: &str = "woodgrove-it.example";
/// May consent, and has no role in Exchange.
const APP_ADMIN: &str = "apps@contoso.example";

/// Adds a customer to which nobody has consented. Gives its id.
async fn added(operator: &mut Browser, domain: &str) -> String {
    operator
        .send_form("/api/connect", &[("tenant", domain)])
        .await;
    let query = json!({ "search": domain, "sort": "name", "page": 1 });
    let list = operator
        .read("/api/customers", &json!({ "query": query }))
        .await;
    list["rows"][0]["id"].as_str().expect("an id").to_owned()
}

/// A new invitation: its random part.
async fn invited(operator: &mut Browser, customer: &str) -> String {
    let (status, link) = operator
        .call_form("/api/make_link", &[("customer", customer)])
        .await;
    assert_eq!(status, 200, "{link}");
    let link = link.as_str().expect("a link");
    link.rsplit('/').next().expect("a token").to_owned()
}

async fn customer(operator: &mut Browser, id: &str) -> Value {
    operator
        .read("/api/customer", &json!({ "customer": id }))
        .await
}

async fn kinds(operator: &mut Browser, id: &str) -> Vec<String> {
    let query = json!({ "kind": "", "person": "", "from": "", "to": "", "before": null });
    let history = operator
        .read("/api/history", &json!({ "customer": id, "query": query }))
        .await;
    let rows = history["rows"].as_array().expect("rows");
    rows.iter()
        .map(|row| row["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

/// From the invitation's page to Microsoft's first page.
async fn begun(stack: &Stack, token: &str) -> (Browser, Page) {
    let mut browser = stack.browser();
    browser.open(&format!("/join/{token}")).await;
    let sent = browser.submit_once("/api/join", &[("token", token)]).await;
    let address = sent.header("location").to_owned();
    for part in ["scope=", "prompt=consent"] {
        assert!(address.contains(part), "{part} is not in {address}");
    }
    let page = browser.follow(sent).await;
    (browser, page)
}

/// The whole way as somebody of the customer. Gives the last page.
async fn joined(stack: &Stack, token: &str, upn: &str, decision: &str) -> Page {
    let (mut browser, page) = begun(stack, token).await;
    browser.consent(page, upn, decision).await
}

/// The same, up to the moment before the browser comes back.
async fn joined_until_back(stack: &Stack, token: &str, upn: &str) -> (Browser, Page) {
    let (mut browser, page) = begun(stack, token).await;
    let back = browser.through_entra(page, upn, "accept").await;
    (browser, back)
}

/// An admin of applications at Contoso.
async fn app_admin(stack: &Stack) {
    let person = json!({
        "upn": APP_ADMIN, "create": true, "password": "demo",
        "roles": ["Cloud Application Administrator"],
    });
    stack.control("users", &person).await;
}

async fn offered(stack: &Stack, token: &str) -> (Page, bool) {
    let page = stack.browser().open(&format!("/join/{token}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let form = page.forms().iter().any(|form| form.action == "/api/join");
    (page, form)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f01_whoever_is_asked_reads_which_partner_asks_and_sees_microsofts_page() {
    let stack = Stack::with_more_partners(&[OTHER]).await;
    let mut ours = stack.owner().await;
    stack.connect(&mut ours, CONTOSO).await;
    let mut theirs = stack.signed_in(&format!("wilma@{OTHER}")).await;
    let id = added(&mut theirs, CONTOSO).await;
    let token = invited(&mut theirs, &id).await;

    let (page, form) = offered(&stack, &token).await;
    let read = page.text();
    for part in [
        OTHER,
        CONTOSO,
        &format!("wilma@{OTHER}"),
        "good until",
        "Exchange Administrator or Global Administrator",
        "Read the directory.",
        "Stay connected.",
    ] {
        assert!(read.contains(part), "{part} is not in {read}");
    }
    assert!(!read.contains("Northwind"), "{read}");
    assert!(form, "{read}");

    // The tenant has the consent already, by the other partner. Microsoft asks all the same.
    let (mut admin, page) = begun(&stack, &token).await;
    let form = page.forms().remove(0);
    let mut fields: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.extend([("login", ADMIN), ("password", "demo")]);
    let page = admin.submit(&form.action, &fields).await;
    let asked = page.text();
    assert!(asked.contains("Permissions requested"), "{asked}");
    let page = admin.consent(page, ADMIN, "accept").await;
    let said = page.text();
    assert!(said.contains("Your organisation is connected"), "{said}");
    assert!(said.contains(OTHER) && said.contains(ADMIN), "{said}");
    assert!(!said.contains("Northwind"), "{said}");
    // A partner that the settings name is called by name and domain.
    let id = added(&mut ours, "fabrikam.example").await;
    let token = invited(&mut ours, &id).await;
    let (page, _) = offered(&stack, &token).await;
    let said = page.text();
    assert!(
        said.contains("Northwind IT (northwind-it.example) asks"),
        "{said}"
    );
    let page = ours.open("/customers/connect").await;
    let said = page.text();
    assert!(
        said.contains("to Northwind IT (northwind-it.example)"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f01_an_invitation_that_is_over_says_so_and_has_no_form() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let mut engineer = stack
        .with_role(&mut owner, &stack.accounts.engineer(), "engineer")
        .await;
    let id = added(&mut owner, CONTOSO).await;
    let used = invited(&mut owner, &id).await;
    joined(&stack, &used, ADMIN, "accept").await;
    let expired = invited(&mut owner, &id).await;
    let past = "with over as (update links set expires_at = made_at where used_at is null
                returning 1) select count(*) from over";
    assert_eq!(stack.number(past).await, 1);
    let revoked = invited(&mut owner, &id).await;
    let open = customer(&mut owner, &id).await["invitations"].clone();
    assert_eq!(open.as_array().expect("rows").len(), 1, "{open}");
    assert_eq!(open[0]["maker_upn"], stack.accounts.owner(), "{open}");
    let link = open[0]["id"].as_str().expect("an id");
    let fields = [("customer", id.as_str()), ("link", link)];
    for _ in 0..2 {
        let (status, told) = owner.call_form("/api/revoke_link", &fields).await;
        assert_eq!(status, 200, "{told}");
    }
    let role = invited(&mut engineer, &id).await;
    let people = owner.read("/api/people", &json!({})).await;
    let person = people
        .as_array()
        .expect("people")
        .iter()
        .find(|person| person["role"] == "engineer")
        .and_then(|person| person["id"].as_str())
        .expect("an engineer");
    owner
        .send_form("/api/set_role", &[("person", person), ("role", "auditor")])
        .await;
    let disconnected = invited(&mut owner, &id).await;
    let name = customer(&mut owner, &id).await["head"]["name"].clone();
    let fields = [
        ("customer", id.as_str()),
        ("confirm", name.as_str().expect("a name")),
    ];
    let (status, told) = owner.call_form("/api/disconnect", &fields).await;
    assert_eq!(status, 200, "{told}");

    for (token, key) in [
        (used.as_str(), "link.used_up"),
        (&expired, "link.expired"),
        (&revoked, "link.revoked"),
        (&role, "link.role"),
        (&disconnected, "link.disconnected"),
        ("no-such-token", "link.unknown"),
        (&"x".repeat(5000), "link.unknown"),
    ] {
        let (page, form) = offered(&stack, token).await;
        assert_eq!(page.problem().as_deref(), Some(key), "{}", page.text());
        assert!(!form, "{key}: {}", page.text());
        let (status, told) = stack
            .browser()
            .call_form("/api/join", &[("token", token)])
            .await;
        assert_eq!(
            (status, &told["problem"]["key"]),
            (409, &json!(key)),
            "{told}"
        );
    }
    let open = customer(&mut owner, &id).await["invitations"].clone();
    assert_eq!(open, json!([]));
    let kinds = kinds(&mut owner, &id).await;
    let revoked = kinds.iter().filter(|kind| *kind == "link.revoked").count();
    assert_eq!(revoked, 1, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f01_an_attempt_ends_with_the_invitation_that_it_came_from() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let mut engineer = stack
        .with_role(&mut owner, &stack.accounts.engineer(), "engineer")
        .await;
    let id = added(&mut owner, CONTOSO).await;

    let token = invited(&mut owner, &id).await;
    let (mut admin, back) = joined_until_back(&stack, &token, ADMIN).await;
    let open = customer(&mut owner, &id).await["invitations"].clone();
    let link = open[0]["id"].as_str().expect("an id");
    let fields = [("customer", id.as_str()), ("link", link)];
    let (status, told) = owner.call_form("/api/revoke_link", &fields).await;
    assert_eq!(status, 200, "{told}");
    let page = admin.follow(back).await;
    assert_eq!(page.problem().as_deref(), Some("link.revoked"));

    let token = invited(&mut engineer, &id).await;
    let (mut admin, back) = joined_until_back(&stack, &token, ADMIN).await;
    let people = owner.read("/api/people", &json!({})).await;
    let person = people
        .as_array()
        .expect("people")
        .iter()
        .find(|person| person["role"] == "engineer")
        .and_then(|person| person["id"].as_str())
        .expect("an engineer");
    owner
        .send_form("/api/set_role", &[("person", person), ("role", "")])
        .await;
    let page = admin.follow(back).await;
    assert_eq!(page.problem().as_deref(), Some("link.role"));

    // Of two who were at Microsoft with the same one, the first is taken.
    let token = invited(&mut owner, &id).await;
    let (mut first, first_back) = joined_until_back(&stack, &token, ADMIN).await;
    let (mut second, second_back) = joined_until_back(&stack, &token, ADMIN).await;
    let view = customer(&mut owner, &id).await;
    assert_eq!(view["connection"]["health"]["health"], "never", "{view}");
    let page = first.follow(first_back).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let page = second.follow(second_back).await;
    assert_eq!(page.problem().as_deref(), Some("link.used_up"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b23_an_invitation_is_used_up_by_a_consent_alone() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = added(&mut owner, CONTOSO).await;
    let token = invited(&mut owner, &id).await;
    let page = owner.open(&format!("/customers/{id}")).await;
    assert!(
        page.text().contains("nobody has gone to Microsoft with it"),
        "{}",
        page.text()
    );

    // Somebody who may not consent is asked for an administrator, and never comes back.
    let page = joined(&stack, &token, "user@contoso.example", "accept").await;
    assert!(page.text().contains("admin"), "{}", page.text());
    let page = owner.open(&format!("/customers/{id}")).await;
    assert!(
        page.text().contains("waiting for an administrator"),
        "{}",
        page.text()
    );
    let (page, form) = offered(&stack, &token).await;
    assert!(form, "{}", page.text());

    // Somebody declines: told on both sides, and still good.
    let page = joined(&stack, &token, ADMIN, "cancel").await;
    let said = page.text();
    assert_eq!(
        page.problem().as_deref(),
        Some("link.not_consented"),
        "{said}"
    );
    assert!(
        said.contains("You asked an administrator for approval, or declined.")
            && said.contains("still good until")
            && said.contains("Northwind IT"),
        "{said}"
    );
    assert!(!page.body.contains("/auth/sign-in"), "{}", page.body);
    let page = owner.open(&format!("/customers/{id}")).await;
    let said = page.text();
    assert!(said.contains("asked for approval, or declined"), "{said}");

    let page = joined(&stack, &token, ADMIN, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let view = customer(&mut owner, &id).await;
    assert_eq!(view["connection"]["way"], "link", "{view}");
    assert_eq!(view["invitations"], json!([]), "{view}");
    // Going there twice within the hour is one line of the history.
    let kinds = kinds(&mut owner, &id).await;
    let asked = kinds.iter().filter(|kind| *kind == "consent.asked").count();
    assert_eq!(asked, 2, "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f06_an_account_without_the_role_never_replaces_one_that_works() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = stack.connect(&mut owner, CONTOSO).await;
    app_admin(&stack).await;
    let token = invited(&mut owner, &id).await;
    let page = joined(&stack, &token, APP_ADMIN, "accept").await;
    let said = page.text();
    assert_eq!(page.problem().as_deref(), Some("connect.kept"), "{said}");
    assert!(
        said.contains(ADMIN) && said.contains("still good"),
        "{said}"
    );
    let view = customer(&mut owner, &id).await;
    let connection = &view["connection"];
    assert_eq!(connection["account"], ADMIN, "{view}");
    assert_eq!(connection["way"], "admin", "{view}");
    assert_eq!(connection["health"]["health"], "good", "{view}");
    assert_eq!(connection["note"]["key"], "connection.kept", "{view}");
    assert!(
        kinds(&mut owner, &id)
            .await
            .contains(&"consent.refused".to_owned())
    );
    let page = owner.open(&format!("/customers/{id}")).await;
    assert!(page.text().contains(APP_ADMIN), "{}", page.text());
    // What works is asked as before.
    let list = owner
        .read("/api/applications", &json!({ "customer": id }))
        .await;
    assert!(!list["rows"].as_array().expect("rows").is_empty());

    // The same at the operator's own screen, until the operator says so.
    let fields = [("customer", id.as_str()), ("way", "admin")];
    let page = owner.send_form("/api/reconnect", &fields).await;
    let page = owner.consent(page, APP_ADMIN, "accept").await;
    assert_eq!(page.problem().as_deref(), Some("connect.kept"));
    assert_eq!(
        customer(&mut owner, &id).await["connection"]["account"],
        ADMIN
    );
    let fields = [fields[0], fields[1], ("replaces", "true")];
    let page = owner.send_form("/api/reconnect", &fields).await;
    let page = owner.consent(page, APP_ADMIN, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let connection = customer(&mut owner, &id).await["connection"].clone();
    assert_eq!(connection["account"], APP_ADMIN, "{connection}");
    assert_eq!(connection["note"]["key"], "connection.role_missing");

    // An account that has the role needs nobody's word, and what was to be said is over.
    let page = joined(&stack, &token, ADMIN, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let connection = customer(&mut owner, &id).await["connection"].clone();
    assert_eq!(connection["account"], ADMIN, "{connection}");
    assert_eq!(connection["note"], Value::Null, "{connection}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f06_where_nothing_is_connected_it_is_taken_and_both_sides_read_what_it_lacks() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    app_admin(&stack).await;
    let id = added(&mut owner, CONTOSO).await;
    let token = invited(&mut owner, &id).await;
    let page = joined(&stack, &token, APP_ADMIN, "accept").await;
    let said = page.text();
    assert_eq!(page.status, 200, "{said}");
    assert!(
        said.contains("neither Exchange Administrator nor Global Administrator"),
        "{said}"
    );
    let view = customer(&mut owner, &id).await;
    assert_eq!(view["connection"]["account"], APP_ADMIN, "{view}");
    assert_eq!(view["connection"]["note"]["key"], "connection.role_missing");
    // For the admin who has the role, the same invitation is still good.
    assert_eq!(view["invitations"].as_array().expect("rows").len(), 1);
    let page = joined(&stack, &token, ADMIN, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let view = customer(&mut owner, &id).await;
    assert_eq!(view["connection"]["account"], ADMIN, "{view}");
    assert_eq!(view["connection"]["note"], Value::Null, "{view}");
    assert_eq!(view["invitations"], json!([]), "{view}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f06_a_guest_never_gets_in_by_an_invitation() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let guest = json!({
        "upn": "mallory#EXT#@contoso.example", "tenant": CONTOSO, "create": true,
        "mailbox": "none", "guest_of": "user@fabrikam.example",
        "roles": ["Global Administrator"],
    });
    stack.control("users", &guest).await;
    let id = added(&mut owner, CONTOSO).await;
    let token = invited(&mut owner, &id).await;
    let page = joined(&stack, &token, "user@fabrikam.example", "accept").await;
    assert_eq!(
        page.problem().as_deref(),
        Some("link.guest"),
        "{}",
        page.text()
    );
    let view = customer(&mut owner, &id).await;
    assert_eq!(view["connection"]["health"]["health"], "never", "{view}");
    assert_eq!(view["invitations"].as_array().expect("rows").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f19_an_invitation_is_good_for_two_days() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = added(&mut owner, CONTOSO).await;
    invited(&mut owner, &id).await;
    let row = customer(&mut owner, &id).await["invitations"][0].clone();
    let moment = |name: &str| row[name].as_i64().expect("a moment");
    assert_eq!(moment("until") - moment("made"), 48 * 3_600_000, "{row}");
}

/// Whoever holds an invitation has no account, and a history is kept for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_refusals_by_an_invitation_do_not_fill_the_history() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let id = added(&mut owner, CONTOSO).await;
    let token = invited(&mut owner, &id).await;
    let other = invited(&mut owner, &id).await;
    let refused = async |owner: &mut Browser| {
        let kinds = kinds(owner, &id).await;
        kinds
            .iter()
            .filter(|kind| *kind == "consent.refused")
            .count()
    };
    let come_back = async |token: &str, with: &str| {
        let mut browser = stack.browser();
        browser.open(&format!("/join/{token}")).await;
        let sent = browser.submit_once("/api/join", &[("token", token)]).await;
        let to = reqwest::Url::parse(sent.header("location")).expect("an address");
        let state = to.query_pairs().find(|(name, _)| name == "state");
        let state = state.expect("a state").1.into_owned();
        let back = format!("/auth/callback?state={state}&{with}");
        browser.open(&back).await.problem()
    };
    for with in [
        "error=access_denied",
        "error=access_denied",
        "error=server_error",
        "code=junk",
    ] {
        let problem = come_back(&token, with).await;
        assert!(problem.is_some(), "{with}");
        assert_eq!(refused(&mut owner).await, 1, "{with}");
    }
    let mut crowd = Vec::new();
    for _ in 0..6 {
        crowd.push(come_back(&other, "error=access_denied"));
    }
    futures::future::join_all(crowd).await;
    assert_eq!(refused(&mut owner).await, 2, "each invitation for itself");
    // The page says when it happened last all the same.
    let view = customer(&mut owner, &id).await;
    for row in view["invitations"].as_array().expect("rows") {
        assert!(row["refused"].is_i64() || row["asked"].is_i64(), "{row}");
    }
    // An hour later it is told again.
    let mut database = stack.database.superuser().await.expect("a connection");
    for statement in [
        "alter table events disable trigger all",
        "update events set at = at - interval '1 hour' where kind = 'consent.refused'",
    ] {
        sqlx::query(statement)
            .execute(&mut database)
            .await
            .expect("a change");
    }
    come_back(&token, "error=access_denied").await;
    assert_eq!(refused(&mut owner).await, 3);
}
