//! What somebody can do who has not signed in, or who may do little: fill tables, keep others waiting,
//! put words into a page.

use reqwest::{
    Method,
    header::{ACCEPT, COOKIE},
};
use serde_json::{Value, json};
use server::config::{Allowance, Strangers};

use crate::{
    bootstrap::at_the_tenant,
    support::{
        Browser, Page, Stack,
        begun::{Begun, DOMAIN, MAILER},
        get_json, until,
    },
};

/// Not one that Entra wrote, but of its form.
const CODE: &str = "1.AXoAtwLG-0qBjunkjunkjunk.AgABAAIAAAD_junk~junk";

/// Begins to sign in. Gives the state of the attempt.
async fn begin(browser: &mut Browser) -> String {
    let page = browser.open_once("/auth/sign-in").await;
    assert_eq!(page.status, 303, "{}", page.text());
    let to = reqwest::Url::parse(page.header("location")).expect("an address");
    let state = to.query_pairs().find(|(name, _)| name == "state");
    state.expect("a state").1.into_owned()
}

/// Requests that the cloud has answered.
async fn answered(stack: &Stack, query: &str) -> usize {
    let url = format!("{}/_cloud/log?{query}", stack.cloud.url());
    get_json(&url).await["log"].as_array().expect("a log").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_sign_ins_that_nobody_finishes_leave_few_rows() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let mut last = String::new();
    for _ in 0..60 {
        last = begin(&mut browser).await;
    }
    assert_eq!(stack.count("sign_ins").await, 5);
    // The newest attempt is still good: what it brings reaches Entra, which refuses it.
    let page = browser
        .open(&format!("/auth/callback?state={last}&code={CODE}"))
        .await;
    assert!(
        page.problem().is_some_and(|key| key.starts_with("entra.")),
        "{}",
        page.text()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_entra_is_not_asked_about_what_is_no_code() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    for code in ["junk", "%3Cscript%3Ealert(1)%3C/script%3E", "a%20b"] {
        let state = begin(&mut browser).await;
        let page = browser
            .open(&format!("/auth/callback?state={state}&code={code}"))
            .await;
        assert_eq!(page.status, 400, "{}", page.text());
        assert_eq!(page.problem().as_deref(), Some("sign_in.no_code"), "{code}");
    }
    assert_eq!(answered(&stack, "operation=token:*").await, 0);
}

/// Strangers bring codes that Entra takes its time to refuse. Whoever is signed in, and whose account is
/// asked about, and the customer's own work need refreshes, which do not wait behind them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_a_storm_of_codes_holds_up_no_refresh() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    // What was in memory is gone, so that each token is asked for anew.
    let stack = stack.restarted().await;
    stack
        .cloud
        .fault(json!({
            "id": "held", "host": "entra", "operation": "token:authorization_code",
            "action": { "hang": "before" },
        }))
        .expect("a fault");
    let mut storm = Vec::new();
    for _ in 0..60 {
        let mut stranger = stack.browser();
        let state = begin(&mut stranger).await;
        storm.push(tokio::spawn(async move {
            let back = format!("/auth/callback?state={state}&code={CODE}");
            stranger.open(&back).await;
        }));
    }
    until("codes on their way", || async {
        let held = stack.number("select count(*) from sign_ins").await;
        (held == 0).then_some(())
    })
    .await;
    let view = owner
        .read("/api/applications", &json!({ "customer": customer }))
        .await;
    assert_eq!(view["problems"], json!([]), "{view}");
    assert_eq!(owner.open("/customers").await.status, 200);
    for stranger in storm {
        stranger.abort();
    }
    stack.cloud.with_world(|world| world.faults.disarm("held"));
}

/// A guest has an account, but not here; and the partner's history is kept for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_a_guest_who_is_not_let_in_is_told_once_an_hour() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let at_home = "admin@wingtiptoys.example";
    let guest = json!({
        "upn": "mallory#EXT#@northwind-it.example", "tenant": "northwind-it.example",
        "create": true, "mailbox": "none", "guest_of": at_home,
    });
    stack.control("users", &guest).await;
    for _ in 0..3 {
        let tenant = stack.accounts.partner_tenant.clone();
        let page = at_the_tenant(&mut stack.browser(), &tenant, at_home).await;
        assert_eq!(page.problem().as_deref(), Some("sign_in.guest"));
    }
    let query = json!({
        "kind": "sign_in.refused", "person": "", "from": "", "to": "", "before": null,
    });
    let history = owner
        .read("/api/own_history", &json!({ "query": query }))
        .await;
    assert_eq!(history["rows"].as_array().expect("rows").len(), 1);
}

fn few() -> Strangers {
    let few = Allowance {
        a_second: 1,
        burst: 6,
    };
    Strangers {
        sign_in: few,
        ready: few,
        ..Strangers::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_an_address_that_asks_too_often_waits() {
    let stack = Stack::with_strangers(few()).await;
    let mut browser = stack.browser();
    let mut refused = None;
    for _ in 0..40 {
        let page = browser.open_once("/auth/sign-in").await;
        if page.status == 429 {
            refused = Some(page);
            break;
        }
        assert_eq!(page.status, 303);
    }
    let page = refused.expect("an end");
    assert_eq!(page.problem().as_deref(), Some("request.too_often"));
    let wait: u64 = page.header("retry-after").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(page.header("cache-control"), "no-store");
    for path in ["/auth/callback?state=x&code=y", "/join/abc"] {
        let page = browser.open_once(path).await;
        assert_eq!(page.status, 429, "{path}: {}", page.text());
    }
    let (status, told) = browser.call_form("/api/join", &[("token", "x")]).await;
    assert_eq!(status, 429);
    assert_eq!(told["problem"]["key"], "request.too_often", "{told}");
    let token = json!({ "token": "x" });
    let (status, told) = browser.call("/api/invitation", &token).await;
    assert_eq!(status, 429, "{told}");
    // What is behind a session, or costs nothing, has no such limit.
    assert_eq!(browser.open_once("/").await.status, 200);
    for _ in 0..20 {
        assert_eq!(browser.open_once("/healthz").await.status, 200);
    }
    let mut ready = 0;
    for _ in 0..40 {
        ready += usize::from(browser.open_once("/readyz").await.status == 200);
    }
    assert!(ready < 40, "readiness has a limit");
}

/// Each cookie that could name a session is looked for in the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_who_makes_up_sessions_waits_and_keeps_nobody_else_out() {
    let stack = Stack::with_strangers(few()).await;
    let owner = stack.owner().await;
    let stranger = stack.browser();
    let ask = async |cookie: String| {
        let request = stranger.bare(Method::GET, "/").header(COOKIE, cookie);
        request.send().await.expect("an answer")
    };
    let made_up = |number: u32| {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let id = URL_SAFE_NO_PAD.encode(u128::from(number).to_le_bytes());
        format!("__Host-postern={id}")
    };
    let mut refused = None;
    for number in 0..40 {
        let answer = ask(made_up(number)).await;
        if answer.status() == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status(), 200);
    }
    let refused = refused.expect("an end");
    assert!(refused.headers().contains_key("retry-after"));
    // At the same address: whoever is signed in, and whoever has no cookie, or one that names nothing.
    for _ in 0..10 {
        let page = owner.clone().open_once("/customers").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(stranger.clone().open_once("/").await.status, 200);
        assert_eq!(ask("__Host-postern=nothing".to_owned()).await.status(), 200);
    }
    // And whoever signs in now.
    stack.signed_in(&stack.accounts.engineer()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_behind_a_trusted_proxy_each_client_has_its_own_allowance() {
    let strangers = Strangers {
        trusted_proxies: 1,
        ..few()
    };
    let stack = Stack::with_strangers(strangers).await;
    let browser = stack.browser();
    let ask = async |forwarded: &str| {
        let request = browser
            .bare(Method::GET, "/auth/sign-in")
            .header("x-forwarded-for", forwarded);
        request.send().await.expect("an answer").status().as_u16()
    };
    let mut statuses = Vec::new();
    for number in 0..40 {
        // The client invents what stands before; the proxy adds whom it saw.
        statuses.push(ask(&format!("203.0.113.{number}, 198.51.100.1")).await);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(ask("198.51.100.2").await, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f11_a_session_has_ten_streams() {
    let stack = Stack::start().await;
    let owner = stack.owner().await;
    let other = stack.owner().await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(owner.events("/live/setups", None).await.expect("a stream"));
    }
    let refused = owner
        .bare(Method::GET, "/live/setups")
        .header(ACCEPT, "application/json")
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), 503);
    let told: Value = refused.json().await.expect("JSON");
    assert_eq!(told["problem"]["key"], "live.too_many", "{told}");
    assert!(other.events("/live/setups", None).await.is_ok());
    open.pop();
    until("the place of a stream that was closed", || async {
        owner.events("/live/setups", None).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f11_a_draft_with_too_many_mailboxes_is_refused_before_anybody_is_asked() {
    let mut begun = Begun::new().await;
    let customer = begun.chosen.customer.clone();
    let waiting = begun.stack.accounts.engineer();
    let mut without_role = begun.stack.signed_in(&waiting).await;
    let many = |name: &str, count: usize| -> String {
        (0..count)
            .map(|number| format!("&{name}=m{number}%40{DOMAIN}"))
            .collect()
    };
    let asked = |host: &'static str| {
        let url = format!("{}/_cloud/log?host={host}", begun.stack.cloud.url());
        async move { get_json(&url).await["log"].as_array().expect("a log").len() }
    };
    let before = (asked("graph").await, asked("exchange").await);
    for (name, field, count) in [("sender", "senders", 501), ("refused", "refused", 11)] {
        let draft = format!("{}{}", begun.chosen.query(), many(name, count));
        let fields = [
            ("customer", customer.as_str()),
            ("draft", draft.as_str()),
            ("secret", ""),
        ];
        let (status, told) = begun.owner.call_form("/api/start_setup", &fields).await;
        assert_eq!(status, 422, "{told}");
        assert_eq!(told["problem"]["key"], format!("input.{field}"), "{told}");
        let (status, told) = without_role.call_form("/api/start_setup", &fields).await;
        assert_eq!(status, 403, "the role is asked first: {told}");
        let list: Vec<String> = (0..=count).map(|n| format!("m{n}@{DOMAIN}")).collect();
        for path in ["/api/wizard", "/api/review"] {
            let mut draft = begun.chosen.draft();
            draft[field] = json!(list);
            let body = json!({ "customer": customer, "draft": draft });
            let (status, told) = begun.owner.call(path, &body).await;
            assert_eq!(status, 422, "{path}: {told}");
            let (status, _) = without_role.call(path, &body).await;
            assert_eq!(status, 403, "{path}");
        }
    }
    assert_eq!((asked("graph").await, asked("exchange").await), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f11_ten_who_read_a_tenant_at_once_read_it_once() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let body = json!({ "customer": customer });
    let of_applications = "host=graph&operation=GET /servicePrincipals*";
    owner.read("/api/applications", &body).await;
    let before = answered(&stack, of_applications).await;
    owner.read("/api/applications", &body).await;
    let once = answered(&stack, of_applications).await - before;
    assert!(once > 0, "a reading asks for applications");
    // Long enough that all ten have come before the first answer.
    stack
        .cloud
        .fault(json!({
            "id": "slow", "host": "graph", "action": { "hang": "before" },
        }))
        .expect("a fault");
    let before = answered(&stack, of_applications).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (mut browser, body) = (owner.clone(), body.clone());
        asked.spawn(async move { browser.call("/api/applications", &body).await });
    }
    until("a reading under way", || async {
        let faults = stack.cloud.with_world(|world| world.faults.report());
        let hangs = !faults.to_string().contains("\"hanging\":0");
        hangs.then_some(())
    })
    .await;
    // What was sent before these has arrived by then.
    for _ in 0..10 {
        assert_eq!(owner.open("/customers").await.status, 200);
    }
    stack.cloud.with_world(|world| world.faults.disarm("slow"));
    let mut answers = Vec::new();
    while let Some(answer) = asked.join_next().await {
        let (status, view) = answer.expect("an end");
        assert_eq!(status, 200, "{view}");
        answers.push(view);
    }
    assert!(answers.iter().all(|view| view == &answers[0]));
    let read = answered(&stack, of_applications).await - before;
    // Who came after the first answer read anew, and the one that hung was asked again.
    assert!(read <= 3 * once + 1, "{read} instead of {once}");
}

fn made_up(form: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE};
    let error = json!({ "problem": {
        "key": "spoofed", "happened": "SPOOFED happened", "means": "SPOOFED means",
        "todo": "SPOOFED todo", "remedy": "act",
        "microsoft": { "code": "SPOOFED", "message": "SPOOFED", "request_id": null, "client_request_id": null },
    }});
    format!(
        "__path={}&__err={}",
        form.replace('/', "%2F"),
        URL_SAFE.encode(error.to_string())
    )
}

fn says_nothing(page: &Page, what: &str) {
    let lower = page.body.to_lowercase();
    assert!(!lower.contains("spoofed"), "{what}: {}", page.body);
}

const FORMS: [&str; 19] = [
    "connect",
    "reconnect",
    "make_link",
    "join",
    "disconnect",
    "set_role",
    "end_session",
    "end_sessions_of",
    "start_setup",
    "cancel_setup",
    "retry_setup",
    "look_now",
    "skip_proof",
    "roll_back",
    "give_secret",
    "prove_again",
    "scan_all",
    "cancel_scan_all",
    "scan_one",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f07_no_page_shows_what_somebody_wrote_into_its_address() {
    let mut begun = Begun::new().await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    let customer = format!("/customers/{}", begun.chosen.customer);
    let pages = [
        "/customers".to_owned(),
        "/customers/connect".to_owned(),
        customer.clone(),
        format!("{customer}/setups/new?{}&step=review", begun.chosen.query()),
        format!("{customer}/setups/{setup}"),
        "/people".to_owned(),
        "/account".to_owned(),
        "/running".to_owned(),
        "/exposure".to_owned(),
        "/join/abc".to_owned(),
        "/".to_owned(),
    ];
    for page in pages {
        let joint = if page.contains('?') { '&' } else { '?' };
        // Beside a form of the page's own, a problem would be drawn.
        let opened = begun.owner.open(&page).await;
        let own: Vec<String> = opened.forms().into_iter().map(|form| form.action).collect();
        for form in FORMS.map(|name| format!("/api/{name}")) {
            let address = format!("{page}{joint}{}", made_up(&form));
            let shown = begun.owner.open(&address).await;
            says_nothing(&shown, &format!("{form} on {page}"));
            if own.contains(&form) {
                assert_eq!(shown.status, opened.status, "{form} on {page}");
                let problems = (
                    shown.count("[data-problem]"),
                    opened.count("[data-problem]"),
                );
                assert_eq!(problems.0, problems.1, "{form} on {page}");
            }
        }
    }
    let mut nobody = begun.stack.browser();
    for page in ["/join/abc", "/", "/customers"] {
        let address = format!("{page}?{}", made_up("/api/join"));
        says_nothing(&nobody.open(&address).await, page);
    }
}

/// The real problem is shown, to the browser that sent the form, on the page that it stands on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f07_a_problem_is_shown_where_the_form_failed_and_nowhere_else() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let page = format!("/customers/{customer}");
    owner.open(&page).await;
    let fields = [("customer", customer.as_str()), ("confirm", "another name")];
    let answer = owner.submit_once("/api/disconnect", &fields).await;
    let to = answer.header("location").to_owned();
    assert!(to.contains("__err=") && !to.contains("__path="), "{to}");
    let shown = owner.follow(answer).await;
    let problem = |page: &Page| page.text().contains(MISTYPED);
    assert!(problem(&shown), "{}", shown.text());
    // A form that fails on a page with a problem brings its own.
    let again = owner.submit("/api/disconnect", &fields).await;
    assert!(problem(&again), "{}", again.text());
    assert_eq!(again.url.matches("__err=").count(), 1, "{}", again.url);

    let (_, query) = to.split_once('?').expect("a query");
    let mut other = stack.owner().await;
    assert!(!problem(&other.open(&to).await), "another browser");
    let elsewhere = owner.open(&format!("/people?{query}")).await;
    assert!(!problem(&elsewhere), "another page");
    let mut changed = to.clone();
    let last = changed.pop();
    changed.push(if last == Some('A') { 'B' } else { 'A' });
    let changed = changed.replacen("__err=A", "__err=B", 1);
    assert!(!problem(&owner.open(&changed).await), "changed");

    // Whoever has no session has the cookie that binds an attempt.
    let (status, link) = owner
        .call_form("/api/make_link", &[("customer", &customer)])
        .await;
    assert_eq!(status, 200, "{link}");
    let mut nobody = stack.browser();
    let good = nobody.open(link.as_str().expect("an address")).await;
    assert_eq!(good.problem(), None, "{}", good.text());
    let shown = nobody
        .submit("/api/join", &[("token", "no-such-token")])
        .await;
    assert_eq!(shown.problem().as_deref(), Some("link.unknown"));
    let mut another = stack.browser();
    let link = another.open(&shown.url).await;
    assert_eq!(link.problem(), None, "{}", link.text());
    // The name of the application is no part of this.
    assert!(!shown.body.contains(MAILER));
}

/// Beside the field of *Disconnect*.
const MISTYPED: &str = "“another name” is not the name of this customer.";
