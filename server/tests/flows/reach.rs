//! What is known of a customer's reach, and what pages may say of it: while a part cannot be read,
//! after it was widened, and for mailboxes that nobody read.

use std::collections::BTreeMap;

use cloud::world::tenant::{Change, Membership};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Browser, Stack, until};

const DOMAIN: &str = "fabrikam.example";
const MAILER: &str = "Reception Mailer";
const GRANTS: &str = "GET /servicePrincipals/{id}/appRoleAssignedTo";

async fn drawn(browser: &mut Browser, page: &str) -> String {
    let drawn = browser.read("/api/drawn", &json!({ "page": page })).await;
    drawn["html"].as_str().expect("markup").to_owned()
}

/// Every application at every customer: its name with what it counts as.
async fn standings(browser: &mut Browser) -> BTreeMap<String, String> {
    let file = browser.open("/exposure.json?by=each").await;
    assert_eq!(file.status, 200, "{}", file.body);
    let rows: Vec<Value> = serde_json::from_str(&file.body).expect("JSON");
    rows.iter()
        .filter_map(|row| {
            let tally = row["tally"].as_object().expect("numbers");
            let standing = tally.iter().find(|(_, number)| **number == json!(1));
            // Whoever only acts for people has none.
            let (standing, _) = standing?;
            Some((
                row["name"].as_str().expect("a name").to_owned(),
                standing.clone(),
            ))
        })
        .collect()
}

fn is_safe(standing: &str) -> bool {
    ["confined", "proven", "nothing"].contains(&standing)
}

/// When the newest scan ended. Microseconds.
async fn ended(stack: &Stack) -> i64 {
    stack
        .number(
            "select coalesce(max(extract(epoch from ended_at) * 1000000), 0)::bigint from scans",
        )
        .await
}

async fn first_read(stack: &Stack) {
    until("the first reading", || async {
        (ended(stack).await > 0).then_some(())
    })
    .await;
}

/// Reads a customer again, and waits for it.
async fn read_again(stack: &Stack, browser: &mut Browser, customer: &str) {
    let before = ended(stack).await;
    browser
        .send_form("/api/scan_one", &[("customer", customer)])
        .await;
    until("another reading", || async {
        (ended(stack).await > before).then_some(())
    })
    .await;
}

/// What the history says of reach, newest first.
async fn changes(browser: &mut Browser, customer: &str) -> Vec<String> {
    let query =
        json!({ "kind": "reach.changed", "person": "", "from": "", "to": "", "before": null });
    let body = json!({ "customer": customer, "query": query });
    let history = browser.read("/api/history", &body).await;
    let rows = history["rows"].as_array().expect("rows");
    rows.iter()
        .map(|row| row["what"].as_str().expect("a sentence").to_owned())
        .collect()
}

async fn outcomes(stack: &Stack, outcome: &str) -> i64 {
    stack
        .count(&format!("scans where outcome = '{outcome}'"))
        .await
}

/// Graph refuses something: nothing that passes by itself.
fn refused(id: &str, operation: &str) -> Value {
    json!({
        "id": id, "host": "graph", "operation": operation,
        "action": { "graph_error": "Authorization_RequestDenied", "status": 403 },
    })
}

fn no_policies() -> Value {
    json!({
        "id": "policies", "operation": "Get-ApplicationAccessPolicy",
        "action": { "exchange_error": "The operation could not be performed.",
                    "type": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException" },
    })
}

/// With one part faulted at a time: nobody is forgotten, nothing becomes safe, nothing is told that
/// did not happen.
async fn takes_nothing_away(domain: &str, worst: &str) {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, domain).await;
    first_read(&stack).await;
    let known = standings(&mut owner).await;
    assert!(!known.is_empty());
    for (id, fault, part) in [
        (
            "grants",
            refused("grants", GRANTS),
            "Permissions on Microsoft Graph",
        ),
        (
            "batch",
            refused("batch", "POST /$batch"),
            "Permissions on Microsoft Graph",
        ),
        ("policies", no_policies(), "Application access policies"),
    ] {
        stack.cloud.fault(fault).expect("a fault");
        read_again(&stack, &mut owner, &customer).await;
        assert_eq!(outcomes(&stack, "partial").await, 1, "{id}");
        let now = standings(&mut owner).await;
        for (name, before) in &known {
            let standing = now
                .get(name)
                .unwrap_or_else(|| panic!("{id}: {name} is gone from {now:?}"));
            assert!(
                !is_safe(standing) || is_safe(before),
                "{id}: {name} was {before} and is {standing}"
            );
        }
        assert_eq!(
            changes(&mut owner, &customer).await,
            [] as [String; 0],
            "{id}"
        );
        let page = drawn(&mut owner, &format!("/customers/{customer}")).await;
        for said in ["Not all of this customer could be read", part] {
            assert!(page.contains(said), "{id}: {said} is not in {page}");
        }
        let as_of = page.contains("What is shown of them was read");
        assert_eq!(as_of, id != "policies", "{id}: {page}");
        let page = drawn(&mut owner, "/exposure").await;
        let said = format!("{part} could not be read");
        assert!(page.contains(&said), "{id}: {said} is not in {page}");
        if id != "policies" {
            assert_eq!(now.get(worst).map(String::as_str), Some("unrestricted"));
            let nobody = Uuid::from_u128(7);
            let page = format!("/customers/{customer}/mailboxes?mailbox={nobody}");
            let page = drawn(&mut owner, &page).await;
            assert!(page.contains("cannot be ruled out"), "{page}");
        }
        stack.cloud.with_world(|world| world.faults.disarm(id));
    }
    read_again(&stack, &mut owner, &customer).await;
    assert_eq!(outcomes(&stack, "whole").await, 1);
    assert_eq!(standings(&mut owner).await, known);
    assert_eq!(changes(&mut owner, &customer).await, [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_part_that_cannot_be_read_takes_nothing_away() {
    takes_nothing_away(DOMAIN, MAILER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_part_that_cannot_be_read_makes_nothing_safe_beside_policies() {
    takes_nothing_away("adventure-works.example", MAILER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mailbox_that_was_not_read_is_outside_nothing() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "adventure-works.example").await;
    first_read(&stack).await;
    let confined = standings(&mut owner).await;
    let confined: Vec<&String> = confined
        .iter()
        .filter(|(_, standing)| *standing == "confined")
        .map(|(name, _)| name)
        .collect();
    assert!(!confined.is_empty());
    let nobody = Uuid::from_u128(7);
    let page = format!("/customers/{customer}/mailboxes?mailbox={nobody}");
    let page = drawn(&mut owner, &page).await;
    let (who, _) = page
        .split_once("Search mailboxes")
        .expect("the search below");
    assert!(who.contains("was not among those that were read"), "{who}");
    for name in confined {
        assert!(who.contains(name), "{name} is not in {who}");
    }

    // Nobody is connected any more: what was read is there to choose from.
    let state = stack.cloud_state("adventure-works.example").await;
    let mailboxes = state["tenants"][0]["mailboxes"].as_i64().expect("a number");
    let words = [
        ("customer", customer.as_str()),
        ("confirm", "Adventure Works"),
    ];
    let (status, told) = owner.call_form("/api/disconnect", &words).await;
    assert_eq!(status, 200, "{told}");
    let page = format!("/customers/{customer}/mailboxes?search=reception");
    let page = drawn(&mut owner, &page).await;
    assert!(page.contains("as they were read"), "{page}");
    assert!(page.contains("reception@adventure-works.example"), "{page}");
    let kept = stack
        .number("select jsonb_array_length(mailboxes)::bigint from scans")
        .await;
    assert!(kept >= mailboxes.min(5), "{kept} of {mailboxes}");
    let chosen = page
        .split_once("mailbox=")
        .and_then(|(_, rest)| rest.split_once(['&', '"']))
        .map(|(object, _)| object.to_owned())
        .expect("a link to a mailbox");
    let page = format!("/customers/{customer}/mailboxes?mailbox={chosen}");
    let page = drawn(&mut owner, &page).await;
    assert!(
        !page.contains("was not among those that were read"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_widened_group_takes_the_proof_away_and_is_told() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    first_read(&stack).await;
    let chosen = stack.choose(&mut owner, &customer, DOMAIN, MAILER).await;
    let setup = chosen.start(&mut owner, &chosen.application.secret).await;
    stack.settled(&owner, &customer, &setup, &["done"]).await;
    until("the reading after the setup", || {
        let mut owner = owner.clone();
        async move {
            let now = standings(&mut owner).await;
            (now.get(MAILER).map(String::as_str) == Some("proven")).then_some(())
        }
    })
    .await;
    let object = &chosen.object;
    let path = format!("/customers/{customer}/applications/{object}");
    let page = drawn(&mut owner, &path).await;
    assert!(page.contains("proven"), "{page}");

    // Somebody adds another sender to the group.
    let tenant: Uuid = stack.accounts.tenant_of(DOMAIN).parse().expect("an id");
    stack.cloud.with_world(|world| {
        let now = world.dice.now();
        let tenant = world.tenants.get(tenant).expect("a tenant");
        let refused = chosen.refused.first().expect("one that is refused");
        let member = tenant.user(refused).expect("a user").id;
        let group = tenant
            .groups
            .values_mut()
            .find(|group| group.description.contains(&setup))
            .expect("the setup's group");
        group.members.push(Membership {
            member,
            added: Change::known(now),
            removed: None,
        });
    });
    read_again(&stack, &mut owner, &customer).await;
    let now = standings(&mut owner).await;
    assert_eq!(now.get(MAILER).map(String::as_str), Some("confined"));
    let wider = "Reception Mailer: Mail.Send reached 1 mailbox, now 2 mailboxes.";
    assert_eq!(
        changes(&mut owner, &customer).await,
        [wider, "Reception Mailer: unrestricted, now confined."]
    );
    let page = drawn(&mut owner, &path).await;
    assert!(!page.contains("confined and proven"), "{page}");
    // The application's own page tells both, the newer one first, and the setup.
    let (_, history) = page
        .split_once("How its reach changed")
        .expect("its history");
    let places = [wider, "Reception Mailer: unrestricted, now confined."]
        .map(|said| history.find(said).unwrap_or_else(|| panic!("{history}")));
    assert!(places[0] < places[1], "{history}");
    assert!(page.contains("Setups of this application"), "{page}");
    assert!(page.contains("Its vendor holds the credentials"), "{page}");
    assert!(page.contains("not verified"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_application_shows_its_credentials_and_two_permissions_of_one_name() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let grants = [
        "graph:Mail.Send",
        "graph:MailboxSettings.ReadWrite",
        "exchange:MailboxSettings.ReadWrite",
    ];
    let body = json!({ "tenant": DOMAIN, "name": "Our Own", "grants": grants });
    stack.control("applications", &body).await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    first_read(&stack).await;
    let file = owner.open("/exposure.json?by=each&search=our+own").await;
    let rows: Vec<Value> = serde_json::from_str(&file.body).expect("JSON");
    let [row] = rows.as_slice() else {
        panic!("one row, not {rows:?}");
    };
    let name = "MailboxSettings.ReadWrite (Exchange Online)";
    assert_eq!(
        row["permissions"],
        json!(["Mail.Send", "MailboxSettings.ReadWrite", name])
    );
    let query = "by=each&permission=MailboxSettings.ReadWrite";
    let file = owner.open(&format!("/exposure.json?{query}")).await;
    let of_graph: Vec<Value> = serde_json::from_str(&file.body).expect("JSON");
    assert_eq!(of_graph.len(), 1, "counted once: {of_graph:?}");
    let object = row["object"].as_str().expect("an object");
    let page = drawn(
        &mut owner,
        &format!("/customers/{customer}/applications/{object}"),
    )
    .await;
    assert!(page.contains(name), "{page}");
    let (_, credentials) = page
        .split_once("id=\"credentials\"")
        .expect("its credentials");
    for said in ["secret", "deployment", "registration", "works"] {
        assert!(credentials.contains(said), "{said} is not in {credentials}");
    }
    assert!(page.contains("In this tenant since"), "{page}");
    assert!(page.contains("Its reach did not change"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_passes_by_itself_is_tried_again_without_being_asked() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    first_read(&stack).await;
    let fault = json!({
        "id": "away", "host": "exchange", "operation": "Get-ApplicationAccessPolicy",
        "action": { "cut": "before" },
    });
    stack.cloud.fault(fault).expect("a fault");
    read_again(&stack, &mut owner, &customer).await;
    let soon = "scans where outcome = 'partial' and tries > 0
                and due_at < ended_at + interval '1 minute'";
    assert_eq!(stack.count(soon).await, 1);
    stack.cloud.with_world(|world| world.faults.disarm("away"));
    until("a whole reading that nobody asked for", || async {
        let whole = "scans where outcome = 'whole' and tries = 0 and problem is null
                     and due_at > ended_at + interval '11 hours'";
        (stack.count(whole).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_consent_that_still_spreads_breaks_nothing() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    first_read(&stack).await;
    let fault = json!({
        "id": "spreads", "host": "entra", "tenant": DOMAIN, "operation": "token:refresh_token",
        "action": { "entra_error": "AADSTS65001" },
    });
    // What was had in memory is gone, so that tokens are asked for.
    let stack = stack.restarted().await;
    // Just given, however long the restart took: at the pace of the tests ten minutes are a second.
    let given = async |when: &str| {
        let mut database = stack.database.superuser().await.expect("a connection");
        let update = format!("update connections set consented_at = now() + interval '{when}'");
        sqlx::query(sqlx::AssertSqlSafe(update))
            .execute(&mut database)
            .await
            .expect("an update");
    };
    given("1 hour").await;
    stack.cloud.fault(fault.clone()).expect("a fault");
    read_again(&stack, &mut owner, &customer).await;
    assert_eq!(outcomes(&stack, "failed").await, 1);
    let spreads = "scans where problem ->> 'key' = 'scan.consent_spreads'";
    assert_eq!(stack.count(spreads).await, 1);
    let body = json!({ "customer": customer });
    let view = owner.read("/api/customer", &body).await;
    assert_eq!(view["connection"]["health"]["health"], "good", "{view}");
    let broken = "events where kind = 'connection.broken'";
    assert_eq!(stack.count(broken).await, 0);
    stack
        .cloud
        .with_world(|world| world.faults.disarm("spreads"));
    until("a reading that nobody asked for", || async {
        (outcomes(&stack, "whole").await == 1).then_some(())
    })
    .await;

    // Later, the same answer is what it says.
    given("-1 hour").await;
    let stack = stack.restarted().await;
    stack.cloud.fault(fault).expect("a fault");
    read_again(&stack, &mut owner, &customer).await;
    until("the broken connection", || async {
        (stack.count(broken).await == 1).then_some(())
    })
    .await;
}
