//! Reading customers for the reach, one and all, and the pages that show it.

use serde_json::{Value, json};

use crate::support::{Browser, Stack, begun::Begun, until};

const DOMAIN: &str = "fabrikam.example";
const MAILER: &str = "Reception Mailer";

/// A page as the server draws it.
async fn drawn(browser: &mut Browser, page: &str) -> String {
    let drawn = browser.read("/api/drawn", &json!({ "page": page })).await;
    drawn["html"].as_str().expect("markup").to_owned()
}

/// The exposure as a file: one row for each.
async fn exposure(browser: &mut Browser, query: &str) -> Vec<Value> {
    let file = browser.open(&format!("/exposure.json?{query}")).await;
    assert_eq!(file.status, 200, "{}", file.body);
    serde_json::from_str(&file.body).expect("JSON")
}

/// The row of an application at a customer.
async fn mailer(browser: &mut Browser) -> Option<Value> {
    let rows = exposure(browser, "by=each").await;
    rows.into_iter().find(|row| row["name"] == MAILER)
}

/// How often customers were read to an end.
async fn ended(stack: &Stack) -> i64 {
    stack.count("scans where ended_at is not null").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_customer_is_read_when_it_is_connected_and_after_a_setup() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let row = until("the first reading", || {
        let mut owner = owner.clone();
        async move { mailer(&mut owner).await }
    })
    .await;
    assert_eq!(row["tally"]["unrestricted"], 1, "{row}");
    assert_eq!(row["permissions"], json!(["Mail.Send"]), "{row}");
    let object = row["object"].as_str().expect("an object").to_owned();
    let page = drawn(
        &mut owner,
        &format!("/customers/{customer}/applications/{object}"),
    )
    .await;
    assert!(page.contains("It can send mail"), "{page}");
    assert!(page.contains("no access policy names it"), "{page}");

    let chosen = stack.choose(&mut owner, &customer, DOMAIN, MAILER).await;
    let setup = chosen.start(&mut owner, &chosen.application.secret).await;
    stack.settled(&owner, &customer, &setup, &["done"]).await;
    let row = until("the reading after the setup", || {
        let mut owner = owner.clone();
        async move {
            mailer(&mut owner)
                .await
                .filter(|row| row["tally"]["proven"] == 1)
        }
    })
    .await;
    assert_eq!(row["tally"]["unrestricted"], 0, "{row}");
    let page = drawn(
        &mut owner,
        &format!("/customers/{customer}/applications/{object}"),
    )
    .await;
    assert!(page.contains("narrowed by access policies"), "{page}");
    assert!(page.contains(&chosen.sender), "{page}");
    let query =
        json!({ "kind": "reach.changed", "person": "", "from": "", "to": "", "before": null });
    let body = json!({ "customer": customer, "query": query });
    let history = owner.read("/api/history", &body).await;
    let what = history["rows"][0]["what"].as_str().unwrap_or_default();
    assert_eq!(
        what, "Reception Mailer: unrestricted, now confined.",
        "{history}"
    );

    // The other way round, for who may and who may not be sent as.
    let mut seen = Vec::new();
    for search in [&chosen.sender, &chosen.refused[0]] {
        let body = json!({ "customer": customer, "search": search });
        let found = owner.read("/api/mailboxes", &body).await;
        let mailbox = found["rows"][0]["object"]
            .as_str()
            .expect("a mailbox")
            .to_owned();
        let page = format!("/customers/{customer}/mailboxes?mailbox={mailbox}");
        let page = drawn(&mut owner, &page).await;
        let (who, _) = page
            .split_once("Search mailboxes")
            .expect("the search below");
        seen.push(who.contains(MAILER));
    }
    assert_eq!(seen, [true, false]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_ways_of_looking_add_up() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let domains = [DOMAIN, "litware.example", "adventure-works.example"];
    for domain in domains {
        stack.connect(&mut owner, domain).await;
    }
    until("all three to be read", || {
        let stack = &stack;
        async move { (ended(stack).await == 3).then_some(()) }
    })
    .await;
    let sum = |rows: &[Value]| -> i64 {
        rows.iter()
            .flat_map(|row| row["tally"].as_object().expect("numbers").values())
            .filter_map(Value::as_i64)
            .sum()
    };
    let file = exposure(&mut owner, "by=each").await;
    // Those that only act for people are in the file too, and count nowhere.
    let (each, apart): (Vec<Value>, Vec<Value>) = file
        .into_iter()
        .partition(|row| sum(std::slice::from_ref(row)) > 0);
    assert!(apart.iter().all(|row| row["acts_as"] != json!([])));
    assert_eq!(sum(&each), i64::try_from(each.len()).expect("a number"));
    assert_eq!(sum(&each), stack.count("reaches").await);
    assert_eq!(
        sum(&exposure(&mut owner, "by=application").await),
        sum(&each)
    );
    let customers = exposure(&mut owner, "by=customer").await;
    assert_eq!(sum(&customers), sum(&each));
    assert_eq!(customers.len(), domains.len());
    // Whoever is looked after and was never read is there as well, as unknown.
    owner
        .send_form("/api/connect", &[("tenant", "proseware.example")])
        .await;
    let customers = exposure(&mut owner, "by=customer").await;
    assert_eq!(customers.len(), domains.len() + 1);
    let never: Vec<_> = customers
        .iter()
        .filter(|row| row["never_read"] == 1)
        .collect();
    assert_eq!(never.len(), 1, "{customers:?}");
    let page = drawn(&mut owner, "/exposure?by=customer").await;
    assert!(page.contains("never read"), "{page}");
    assert!(page.contains("and 1 customer never read"), "{page}");
    // Parts of the whole, by standing.
    let mut parts = 0;
    for standing in [
        "unrestricted",
        "all_except",
        "unknown",
        "confined",
        "proven",
        "nothing",
    ] {
        parts += exposure(&mut owner, &format!("by=each&standing={standing}"))
            .await
            .len();
    }
    assert_eq!(parts, each.len());
    // One permission, judged by itself; searched for by name.
    let sending = exposure(&mut owner, "by=each&permission=Mail.Send").await;
    assert!(!sending.is_empty() && sending.len() < each.len());
    let found = exposure(&mut owner, "by=each&search=LITWARE").await;
    assert!(!found.is_empty());
    assert!(found.iter().all(|row| {
        row["customer_name"]
            .as_str()
            .is_some_and(|name| name.contains("Litware"))
    }));
    let file = owner.open("/exposure.csv?by=each").await;
    assert_eq!(
        file.body.lines().count(),
        each.len() + apart.len() + 1,
        "{}",
        file.body
    );
    // The number of the day comes to be what the page says: it is counted after the last reading.
    until("the number of the day", || async {
        let day = stack
            .number(
                "select coalesce(max(unrestricted + all_except + unknown + confined + proven
                                     + nothing), 0)::bigint
                 from reach_days where customer_id = '00000000-0000-0000-0000-000000000000'",
            )
            .await;
        (day == sum(&each)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_read_is_unknown_and_what_was_known_stays() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    until("the first reading", || {
        let mut owner = owner.clone();
        async move { mailer(&mut owner).await }
    })
    .await;
    let fault = json!({
        "id": "policies", "operation": "Get-ApplicationAccessPolicy",
        "action": { "exchange_error": "The operation could not be performed.",
                    "type": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException" },
    });
    stack.cloud.fault(fault).expect("a fault");
    owner
        .send_form("/api/scan_one", &[("customer", customer.as_str())])
        .await;
    let row = until("a reading without policies", || {
        let mut owner = owner.clone();
        async move {
            mailer(&mut owner)
                .await
                .filter(|row| row["tally"]["unknown"] == 1)
        }
    })
    .await;
    let object = row["object"].as_str().expect("an object");
    let page = drawn(
        &mut owner,
        &format!("/customers/{customer}/applications/{object}"),
    )
    .await;
    assert!(page.contains("What is not known"), "{page}");
    stack
        .cloud
        .with_world(|world| world.faults.disarm("policies"));

    // Nothing at all can be read: what is known stays, and the page says so.
    let known = mailer(&mut owner).await;
    stack
        .control(
            "users",
            &json!({ "upn": "admin@fabrikam.example", "revoke": true }),
        )
        .await;
    let stack = stack.restarted().await;
    owner
        .send_form("/api/scan_one", &[("customer", customer.as_str())])
        .await;
    until("a reading that fails", || {
        let stack = &stack;
        async move { (stack.count("scans where outcome = 'failed'").await == 1).then_some(()) }
    })
    .await;
    assert_eq!(mailer(&mut owner).await, known);
    let page = drawn(&mut owner, "/exposure").await;
    assert!(page.contains("1 customer could not be read"), "{page}");
    // The list of customers says what to do.
    let view = owner
        .read("/api/customer", &json!({ "customer": customer }))
        .await;
    assert_eq!(view["connection"]["health"]["health"], "broken", "{view}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_customers_are_read_on_demand_with_progress_and_can_be_stopped() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    for domain in [DOMAIN, "litware.example", "proseware.example"] {
        stack.connect(&mut owner, domain).await;
    }
    until("the first readings", || {
        let stack = &stack;
        async move { (ended(stack).await == 3).then_some(()) }
    })
    .await;
    let hang = json!({ "id": "slow", "operation": "Get-ServicePrincipal", "action": { "hang": "before" } });
    stack.cloud.fault(hang).expect("a fault");
    let page = owner.send_form("/api/scan_all", &[]).await;
    assert_eq!(page.status, 200, "{}", page.text());
    // Asked twice, it is one.
    owner.send_form("/api/scan_all", &[]).await;
    assert_eq!(stack.count("fleet_scans").await, 1);
    let page = until("all three to be under way", || {
        let mut owner = owner.clone();
        async move {
            let page = drawn(&mut owner, "/exposure").await;
            page.contains("3 at the moment").then_some(page)
        }
    })
    .await;
    assert!(page.contains("Reading all customers: 0 of 3"), "{page}");
    assert!(page.contains("Cancel"), "{page}");
    stack.cloud.with_world(|world| world.faults.disarm("slow"));
    until("its end", || {
        let stack = &stack;
        async move {
            let open = stack.count("fleet_scans where ended_at is null").await;
            (open == 0).then_some(())
        }
    })
    .await;
    let page = drawn(&mut owner, "/exposure").await;
    assert!(page.contains("3 of 3 read"), "{page}");

    // Stopped: it ends at once, and the customers wait for their night.
    owner.send_form("/api/scan_all", &[]).await;
    owner.send_form("/api/cancel_scan_all", &[]).await;
    let over = "fleet_scans where ended_at is not null";
    assert_eq!(stack.count(over).await, 2);
    let page = drawn(&mut owner, "/exposure").await;
    assert!(page.contains("Read all again"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_customers_page_shows_its_applications_by_reach() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let auditor = stack.accounts.auditor();
    let mut auditor = stack.with_role(&mut owner, &auditor, "auditor").await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    until("the first reading", || {
        let mut owner = owner.clone();
        async move { mailer(&mut owner).await }
    })
    .await;
    let at = format!("/customers/{customer}");
    let page = drawn(&mut owner, &at).await;
    for part in [
        "Applications that reach mailboxes",
        "as read",
        MAILER,
        "Mail.Send",
        "It can send mail; it reaches every mailbox",
        "No access policy names it.",
        "Confine Reception Mailer",
        "Read again",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The filters of the address.
    let page = drawn(&mut owner, &format!("{at}?search=no+such+thing")).await;
    assert!(
        !page.contains(MAILER) && page.contains("Nothing found"),
        "{page}"
    );
    // The worst first, where there is one of each kind.
    let other = stack.connect(&mut owner, "adventure-works.example").await;
    let page = until("the other customer to be read", || {
        let (mut owner, at) = (owner.clone(), format!("/customers/{other}"));
        async move {
            let page = drawn(&mut owner, &at).await;
            page.contains("</tbody>").then_some(page)
        }
    })
    .await;
    let (_, rows) = page.split_once("<tbody>").expect("rows");
    let order = [
        "unrestricted",
        "all except some",
        "unknown",
        "confined",
        "reaches no content",
    ];
    let (rows, _) = rows.split_once("</tbody>").expect("rows");
    let ranks: Vec<usize> = rows
        .split("<span>")
        .filter_map(|text| {
            let word = text.split('<').next()?;
            order.iter().position(|one| *one == word)
        })
        .collect();
    assert!(ranks.len() > 2 && ranks.is_sorted(), "{ranks:?}");
    assert!(ranks.first() != ranks.last(), "{ranks:?}");
    assert!(page.contains("Policy: "), "{page}");

    // An auditor looks, and reads nothing anew.
    let page = drawn(&mut auditor, &at).await;
    assert!(page.contains(MAILER), "{page}");
    assert!(
        !page.contains("Confine") && !page.contains("Read again"),
        "{page}"
    );
    let (status, told) = auditor
        .call_form("/api/scan_one", &[("customer", &customer)])
        .await;
    assert_eq!(status, 403, "{told}");

    // Where it stood before.
    let moved = owner
        .open_once(&format!("{at}/reach?standing=unknown"))
        .await;
    assert_eq!(moved.status, 308);
    let page = owner.open(&format!("{at}/reach?standing=unknown")).await;
    assert!(
        page.url.ends_with(&format!("{at}?standing=unknown")),
        "{}",
        page.url
    );
    // What a page asks is no page.
    let odd = owner
        .open(&format!("/customers/{customer}%2F..%2Fx/reach"))
        .await;
    assert_eq!(odd.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_wizard_the_lists_and_the_why_agree_on_what_can_be_confined() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let domains = [
        DOMAIN,
        "litware.example",
        "adventure-works.example",
        "oneill-soen.example",
    ];
    // Items are past every policy; a policy for the other permission would confine nothing.
    stack
        .control(
            "applications",
            &json!({ "tenant": DOMAIN, "name": "Old archiver",
                     "grants": ["graph:Mail.Read", "graph:MailboxItem.Read.All"] }),
        )
        .await;
    for domain in domains {
        stack.connect(&mut owner, domain).await;
    }
    until("all to be read", || {
        let stack = &stack;
        async move { (ended(stack).await == 4).then_some(()) }
    })
    .await;
    let rows = exposure(&mut owner, "by=each").await;
    let (mut yes, mut no) = (0, 0);
    for row in &rows {
        let level = row["tally"].as_object().expect("numbers");
        let open = ["unrestricted", "all_except", "unknown"]
            .iter()
            .any(|standing| level[*standing] == 1);
        if !open {
            continue;
        }
        let (customer, object) = (&row["customer"], row["object"].as_str().expect("an object"));
        let draft = json!({
            "application": object, "senders": [], "refused": [], "group": "x", "prove": false,
        });
        let (_, review) = owner
            .call(
                "/api/review",
                &json!({ "customer": customer, "draft": draft }),
            )
            .await;
        let told = review.to_string();
        let refused = told.contains("readiness.beyond_policies")
            || told.contains("This application holds no mailbox permission");
        let offered = row["confinable"] == 1;
        assert_eq!(offered, !refused, "{row}: {told}");
        let page = format!(
            "/customers/{}/applications/{object}",
            customer.as_str().expect("an id")
        );
        let why = drawn(&mut owner, &page).await;
        assert_eq!(why.contains("Confine…"), offered, "{row}");
        *(if offered { &mut yes } else { &mut no }) += 1;
    }
    assert!(yes > 2 && no > 0, "{yes} can be confined, {no} not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_that_dies_is_replaced() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    until("the first reading", || {
        let stack = &stack;
        async move { (ended(stack).await == 1).then_some(()) }
    })
    .await;
    // As a process leaves it behind that was killed in the middle.
    let mut database = stack.database.superuser().await.expect("a connection");
    sqlx::query(
        "update scans set lease = gen_random_uuid(), lease_until = now() - interval '1 second',
                due_at = now() - interval '1 minute', ended_at = null, outcome = null",
    )
    .execute(&mut database)
    .await
    .expect("an update");
    until("another reading", || {
        let stack = &stack;
        async move { (ended(stack).await == 1).then_some(()) }
    })
    .await;
    let left = stack.count("scans where lease is not null").await;
    assert_eq!(left, 0);
    let _ = customer;
}

/// A new version is rolled out in the middle of a reading: nobody waits until a lease ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_that_is_asked_to_stop_lets_go() {
    let begun = Begun::without_worker().await;
    begun.fault("Get-ServicePrincipal", 0, json!({ "hang": "before" }));
    let worker = begun.worker().await;
    begun.hangs().await;
    worker.stop().await;
    let held = "scans where lease is not null or lease_until is not null";
    assert_eq!(begun.stack.count(held).await, 0);
    assert_eq!(ended(&begun.stack).await, 0);

    let _worker = begun.worker().await;
    until("the reading to be taken up", || async {
        (ended(&begun.stack).await == 1).then_some(())
    })
    .await;
}

/// What is asked for in the middle of a reading is not answered by that reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reading_that_is_asked_for_during_another_follows_it() {
    let begun = Begun::without_worker().await;
    let reads = || begun.log("Get-ServicePrincipal");
    let before = reads().await.len();
    begun.fault("Get-ServicePrincipal", 0, json!({ "hang": "before" }));
    let _worker = begun.worker().await;
    begun.hangs().await;
    let mut owner = begun.owner.clone();
    let customer = [("customer", begun.chosen.customer.as_str())];
    let page = owner.send_form("/api/scan_one", &customer).await;
    assert_eq!(page.status, 200, "{}", page.text());
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("fault"));
    until("another reading", || async {
        let under_way = "scans where asked or lease is not null";
        let rests = begun.stack.count(under_way).await == 0;
        (rests && reads().await.len() == before + 2).then_some(())
    })
    .await;
}

/// A mailbox that somebody took out of the group can be sent from until Microsoft knows: that is
/// said in the row, on the page and in the file, beside a proof too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b09_a_mailbox_that_was_taken_out_may_still_be_sent_from() {
    let mut begun = Begun::new().await;
    let gone = format!("info@{DOMAIN}");
    begun.senders.push(gone.clone());
    begun.chosen.refused.retain(|one| *one != gone);
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    begun.settled(&setup, "done").await;
    let confined = |count: &'static str| {
        let owner = begun.owner.clone();
        move || {
            let mut owner = owner.clone();
            async move {
                let row = mailer(&mut owner).await?;
                let object = row["object"].as_str()?;
                let customer = row["customer"].as_str()?;
                let at = format!("/customers/{customer}/applications/{object}");
                let page = drawn(&mut owner, &at).await;
                // The row of the same reading, or of a later one.
                let row = mailer(&mut owner).await?;
                page.contains(count).then_some((row, page))
            }
        }
    };
    let (row, page) = until("the reading after the setup", confined("(2 of ")).await;
    assert_eq!(row["may_still"], Value::Null, "{row}");
    assert!(!page.contains("may still"), "{page}");
    // Eligible roles are not among what Postern reads, and the page says so.
    assert!(page.contains("Privileged Identity Management"), "{page}");

    begun.change(|tenant| {
        let info = tenant.user(&gone).expect("an account").id;
        let group = crate::support::field::made_group(tenant, &setup);
        group.members.retain(|entry| entry.member != info);
    });
    let mut owner = begun.owner.clone();
    let customer = begun.chosen.customer.clone();
    owner
        .send_form("/api/scan_one", &[("customer", customer.as_str())])
        .await;
    let (row, page) = until("the reading that shows it", confined("(1 of ")).await;
    let what = row["may_still"]["what"].as_str().unwrap_or_default();
    assert_eq!(what, format!("send mail in {gone}"), "{row}");
    assert!(
        page.contains(&format!("It may still send mail in {gone} until")),
        "{page}"
    );
    let page = drawn(&mut owner, &format!("/customers/{customer}")).await;
    assert!(
        page.contains(&format!("may still send mail in {gone}")),
        "{page}"
    );
    let page = drawn(&mut owner, "/exposure?by=each").await;
    assert!(
        page.contains(&format!("may still send mail in {gone}")),
        "{page}"
    );
    let file = owner.open("/exposure.csv?by=each").await.body;
    assert!(file.contains("may still until"), "{file}");
    assert!(file.contains(&format!("send mail in {gone}")), "{file}");
}

/// What only acts for people is in the file, apart from what is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_r05_who_only_acts_for_people_is_in_the_file() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "margiestravel.example").await;
    until("the first reading", || {
        let stack = &stack;
        async move { (ended(stack).await == 1).then_some(()) }
    })
    .await;
    let page = drawn(&mut owner, &format!("/customers/{customer}")).await;
    let rows = exposure(&mut owner, "by=each").await;
    let total = |row: &Value| -> i64 {
        let numbers = row["tally"].as_object().expect("numbers").values();
        numbers.filter_map(Value::as_i64).sum()
    };
    let apart: Vec<&Value> = rows.iter().filter(|row| total(row) == 0).collect();
    assert!(!apart.is_empty(), "{rows:?}");
    for row in &apart {
        let name = row["name"].as_str().expect("a name");
        assert!(page.contains(name), "{name}: {page}");
        assert_ne!(row["acts_as"], json!([]), "{row}");
    }
    let names: Vec<&str> = apart
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    for by in ["each", "application"] {
        let file = owner.open(&format!("/exposure.csv?by={by}")).await.body;
        assert!(names.iter().all(|name| file.contains(name)), "{by}: {file}");
    }
    // They have no standing and no permission of their own.
    let some = exposure(&mut owner, "by=each&standing=unrestricted").await;
    assert!(some.iter().all(|row| total(row) == 1), "{some:?}");
}
