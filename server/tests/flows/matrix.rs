//! Every server function and route, called as everybody: who gets what is a committed snapshot.

use std::fmt::Write as _;

use leptos::server_fn::axum::server_fn_paths;
use reqwest::{
    Method,
    header::{ACCEPT, ORIGIN},
};
use serde_json::{Value, json};
use server::config::{Allowance, Strangers};

use crate::{
    bootstrap::at_the_tenant,
    support::{Browser, Choices, Stack, setups::Chosen, until},
};

const DOMAIN: &str = "fabrikam.example";
const OTHER: &str = "woodgrove-it.example";
/// A partner that leaves the settings.
const LEAVES: &str = "contoso.example";
const GUEST_AT_HOME: &str = "admin@wingtiptoys.example";
/// An id that nothing has.
const NONE: &str = "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";

/// What is sent.
enum Input {
    Json(Value),
    /// Name and value of each field.
    Form(Vec<(&'static str, String)>),
}

struct Ids {
    setup: String,
    /// Of an application that was read.
    object: String,
    engineer: String,
    /// The random parts of invitations: one that can be used, one that was revoked.
    open_link: String,
    revoked_link: String,
    chosen: Chosen,
}

/// A call of each server function that is allowed to whoever has the right, and that leaves
/// everything as it is: confirmations are wrong, and what has ended cannot be cancelled.
fn input(path: &str, ids: &Ids) -> Option<Input> {
    let customer = ids.chosen.customer.clone();
    let of_customer = || json!({ "customer": ids.chosen.customer });
    let of_setup = || json!({ "customer": ids.chosen.customer, "setup": ids.setup });
    let draft = || json!({ "customer": ids.chosen.customer, "draft": ids.chosen.draft() });
    let setup = |more: &[(&'static str, &str)]| {
        let mut fields = vec![("customer", customer.clone()), ("setup", ids.setup.clone())];
        fields.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        Input::Form(fields)
    };
    Some(match path {
        "/api/me" | "/api/people" | "/api/sessions" => Input::Json(json!({})),
        "/api/customers" => {
            Input::Json(json!({ "query": { "search": "", "sort": "name", "page": 1 } }))
        }
        "/api/customer" | "/api/applications" => Input::Json(of_customer()),
        "/api/mailboxes" => {
            Input::Json(json!({ "customer": ids.chosen.customer, "search": "reception" }))
        }
        "/api/history" => {
            let query = json!({ "kind": "", "person": "", "from": "", "to": "", "before": null });
            Input::Json(json!({ "customer": ids.chosen.customer, "query": query }))
        }
        "/api/own_history" => {
            let query = json!({ "kind": "", "person": "", "from": "", "to": "", "before": null });
            Input::Json(json!({ "query": query }))
        }
        "/api/wizard" | "/api/review" => Input::Json(draft()),
        "/api/setup" => Input::Json(of_setup()),
        "/api/setups" => Input::Json(json!({ "filter": "all", "before": null })),
        "/api/connect" => Input::Form(vec![("tenant", "nobody.example".to_owned())]),
        "/api/reconnect" | "/api/make_link" => Input::Form(vec![("customer", customer)]),
        "/api/revoke_link" => Input::Form(vec![("customer", customer), ("link", NONE.to_owned())]),
        "/api/invitation" => Input::Json(json!({ "token": ids.open_link })),
        "/api/join" => Input::Form(vec![("token", "no-such-token".to_owned())]),
        "/api/disconnect" => Input::Form(vec![
            ("customer", customer),
            ("confirm", "another name".to_owned()),
        ]),
        "/api/set_role" => Input::Form(vec![
            ("person", ids.engineer.clone()),
            ("role", "engineer".to_owned()),
        ]),
        "/api/end_sessions_of" => Input::Form(vec![
            ("person", ids.engineer.clone()),
            ("session", NONE.to_owned()),
        ]),
        "/api/end_session" => Input::Form(vec![("session", NONE.to_owned())]),
        "/api/start_setup" => Input::Form(vec![
            ("customer", customer),
            ("draft", "app=".to_owned()),
            ("secret", String::new()),
        ]),
        "/api/cancel_setup" | "/api/retry_setup" | "/api/look_now" | "/api/skip_proof" => {
            setup(&[])
        }
        "/api/roll_back" => setup(&[("confirm", "another name")]),
        "/api/drawn" => Input::Json(json!({
            "page": format!("/customers/{}/mailboxes", ids.chosen.customer),
        })),
        "/api/scan_all" | "/api/cancel_scan_all" => Input::Form(Vec::new()),
        "/api/scan_one" => Input::Form(vec![("customer", customer)]),
        "/api/give_secret" => setup(&[("secret", "some~secret")]),
        "/api/prove_again" => setup(&[
            ("secret", "some~secret"),
            ("mailbox[]", "nobody@fabrikam.example"),
        ]),
        _ => return None,
    })
}

/// The routes that are no server functions, as a browser asks for them.
fn routes(ids: &Ids) -> Vec<(String, String)> {
    let customer = format!("/customers/{}", ids.chosen.customer);
    let setup = format!("{customer}/setups/{}", ids.setup);
    let pages = [
        ("/", "/".to_owned()),
        ("/waiting", "/waiting".to_owned()),
        ("/join/{token}", "/join/no-such-token".to_owned()),
        ("/join/{token}, open", format!("/join/{}", ids.open_link)),
        (
            "/join/{token}, revoked",
            format!("/join/{}", ids.revoked_link),
        ),
        ("/customers", "/customers".to_owned()),
        ("/customers/connect", "/customers/connect".to_owned()),
        ("/customers/{id}", customer.clone()),
        (
            "/customers/{id}/setups/new",
            format!("{customer}/setups/new?{}", ids.chosen.query()),
        ),
        ("/customers/{id}/setups/{setup}", setup.clone()),
        (
            "/customers/{id}/setups/{setup}/script.ps1",
            format!("{setup}/script.ps1"),
        ),
        ("/customers/{id}/history", format!("{customer}/history")),
        (
            "/customers/{id}/history.csv",
            format!("{customer}/history.csv"),
        ),
        (
            "/customers/{id}/history.json",
            format!("{customer}/history.json"),
        ),
        (
            "/customers/{id}/applications/{object}",
            format!("{customer}/applications/{}", ids.object),
        ),
        (
            "/customers/{customer}/reach",
            format!("{customer}/reach?standing=unknown"),
        ),
        ("/customers/{id}/mailboxes", format!("{customer}/mailboxes")),
        ("/exposure", "/exposure".to_owned()),
        ("/exposure.csv", "/exposure.csv".to_owned()),
        ("/exposure.json", "/exposure.json".to_owned()),
        ("/running", "/running".to_owned()),
        ("/people", "/people".to_owned()),
        ("/people/history", "/people/history".to_owned()),
        ("/people/history.csv", "/people/history.csv".to_owned()),
        ("/people/history.json", "/people/history.json".to_owned()),
        ("/account", "/account".to_owned()),
        ("/live/setups", "/live/setups".to_owned()),
        (
            "/live/setups/{customer}/{setup}",
            format!("/live/setups/{}/{}", ids.chosen.customer, ids.setup),
        ),
        ("/auth/sign-in", "/auth/sign-in".to_owned()),
        ("/auth/callback", "/auth/callback".to_owned()),
        ("/favicon.svg", "/favicon.svg".to_owned()),
        ("/healthz", "/healthz".to_owned()),
        ("/readyz", "/readyz".to_owned()),
        ("/no/such/page", "/no/such/page".to_owned()),
    ];
    pages
        .into_iter()
        .map(|(name, path)| (name.to_owned(), path))
        .collect()
}

/// Routes of axum that are in the sources, so that a new one cannot be left out here.
fn routes_in_sources() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let text = std::fs::read_to_string(entry.expect("a file").path()).expect("a text");
        for rest in text.split(".route(").skip(1) {
            let path = rest.split('"').nth(1).expect("a path");
            if path.starts_with('/') {
                found.push(path.to_owned());
            }
        }
    }
    found
}

/// The same place, whatever its parts are called.
fn shape(route: &str) -> String {
    let parts = route.split('/').map(|part| {
        if part.starts_with('{') || part.starts_with(':') {
            "{}"
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Every kind of page that only the server draws.
fn drawn(ids: &Ids) -> Vec<(&'static str, String)> {
    let customer = format!("/customers/{}", ids.chosen.customer);
    vec![
        ("exposure", "/exposure".to_owned()),
        ("exposure, each", "/exposure?by=each".to_owned()),
        ("customer", customer.clone()),
        (
            "application",
            format!("{customer}/applications/{}", ids.object),
        ),
        ("mailboxes", format!("{customer}/mailboxes")),
        ("another page", "/people".to_owned()),
    ]
}

/// A guest of the partner's tenant who tried to sign in.
async fn refused_guest(stack: &Stack) -> Browser {
    let guest = json!({
        "upn": "mallory#EXT#@northwind-it.example", "tenant": "northwind-it.example",
        "create": true, "mailbox": "none", "guest_of": GUEST_AT_HOME,
    });
    stack.control("users", &guest).await;
    let mut browser = stack.browser();
    let tenant = stack.accounts.partner_tenant.clone();
    let page = at_the_tenant(&mut browser, &tenant, GUEST_AT_HOME).await;
    assert_eq!(
        page.problem().as_deref(),
        Some("sign_in.guest"),
        "{}",
        page.text()
    );
    browser
}

async fn take_role(owner: &mut Browser, upn: &str) {
    let people = owner.read("/api/people", &json!({})).await;
    let mut people = people.as_array().expect("people").iter();
    let person = people
        .find(|person| person["upn"] == upn)
        .expect("a person");
    let fields = [
        ("person", person["id"].as_str().expect("an id")),
        ("role", ""),
    ];
    let (status, told) = owner.call_form("/api/set_role", &fields).await;
    assert_eq!(status, 200, "{told}");
}

const SIGN_OUTS: [&str; 2] = ["/auth/sign-out", "/auth/sign-out-everywhere"];

async fn call(browser: &Browser, portal: &str, path: &str, input: &Input) -> u16 {
    let request = browser
        .bare(Method::POST, path)
        .header(ACCEPT, "application/json")
        .header(ORIGIN, portal);
    let request = match input {
        Input::Json(value) => request.json(value),
        Input::Form(fields) => request.form(fields),
    };
    request.send().await.expect("an answer").status().as_u16()
}

/// A new invitation: its random part.
async fn invited(owner: &mut Browser, customer: &str) -> String {
    let (status, link) = owner
        .call_form("/api/make_link", &[("customer", customer)])
        .await;
    assert_eq!(status, 200, "{link}");
    let link = link.as_str().expect("a link");
    link.rsplit('/').next().expect("a token").to_owned()
}

/// The service principal of the application that was confined, once the customer has been read.
async fn read_mailer(owner: &mut Browser) -> Option<String> {
    let file = owner.open("/exposure.json?by=each").await;
    let rows: Vec<Value> = serde_json::from_str(&file.body).expect("JSON");
    rows.iter()
        .find(|row| row["name"] == "Reception Mailer")
        .and_then(|row| row["object"].as_str())
        .map(str::to_owned)
}

async fn get(browser: &Browser, path: &str) -> String {
    let response = browser
        .bare(Method::GET, path)
        .header(ACCEPT, "text/html")
        .send()
        .await
        .expect("an answer");
    let status = response.status().as_u16();
    let to = response
        .headers()
        .get("location")
        .map(|value| value.to_str().expect("an address").to_owned());
    if !path.starts_with("/live/") {
        // To its end: a browser that goes away in the middle is another matter.
        response.bytes().await.expect("a whole answer");
    }
    match to.as_deref() {
        // Only where to, not with what: that differs each time.
        Some(to) if to.starts_with('/') => {
            let path = to.split('?').next().expect("a path");
            let parts = path.split('/').map(|part| {
                if uuid::Uuid::parse_str(part).is_ok() {
                    "{id}"
                } else {
                    part
                }
            });
            format!("{status} {}", parts.collect::<Vec<_>>().join("/"))
        }
        Some(_) => format!("{status} Entra"),
        None => status.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_gets_what_is_theirs() {
    let stack = Stack::with_more_partners(&[OTHER, LEAVES]).await;
    let mut owner = stack.owner().await;
    let engineer = stack
        .with_role(&mut owner, &stack.accounts.engineer(), "engineer")
        .await;
    let auditor = stack
        .with_role(&mut owner, &stack.accounts.auditor(), "auditor")
        .await;
    stack
        .control(
            "users",
            &json!({ "upn": "nils@northwind-it.example", "create": true, "password": "demo" }),
        )
        .await;
    let waiting = stack.signed_in("nils@northwind-it.example").await;
    let mut stranger = stack.signed_in(&format!("wilma@{OTHER}")).await;
    let foreigner = format!("will@{OTHER}");
    let taken = "tove@northwind-it.example";
    for upn in [&foreigner, taken] {
        stack
            .control(
                "users",
                &json!({ "upn": upn, "create": true, "password": "demo" }),
            )
            .await;
    }
    let foreign = stack.with_role(&mut stranger, &foreigner, "engineer").await;
    let nobody = stack.browser();
    let guest = refused_guest(&stack).await;
    let left = stack.signed_in(&format!("user@{LEAVES}")).await;
    let taken = stack.with_role(&mut owner, taken, "engineer").await;

    let customer = stack.connect(&mut owner, DOMAIN).await;
    let mut chosen = stack
        .choose(&mut owner, &customer, DOMAIN, "Reception Mailer")
        .await;
    chosen.prove = false;
    let setup = chosen.start(&mut owner, "").await;
    stack.settled(&owner, &customer, &setup, &["done"]).await;
    let people = owner.read("/api/people", &json!({})).await;
    let engineer_id = people
        .as_array()
        .expect("people")
        .iter()
        .find(|person| person["role"] == "engineer")
        .and_then(|person| person["id"].as_str())
        .expect("an engineer")
        .to_owned();
    let object = until("the customer to be read", || {
        let mut owner = owner.clone();
        async move { read_mailer(&mut owner).await }
    })
    .await;
    let revoked_link = invited(&mut owner, &customer).await;
    let view = owner
        .read("/api/customer", &json!({ "customer": customer }))
        .await;
    let link = view["invitations"][0]["id"].as_str().expect("an id");
    let (status, told) = owner
        .call_form(
            "/api/revoke_link",
            &[("customer", &customer), ("link", link)],
        )
        .await;
    assert_eq!(status, 200, "{told}");
    let open_link = invited(&mut owner, &customer).await;
    let ids = Ids {
        open_link,
        revoked_link,
        setup,
        object,
        engineer: engineer_id,
        chosen,
    };
    take_role(&mut owner, "tove@northwind-it.example").await;
    let before = stack.count("events where kind <> 'reach.changed'").await;
    let stays = [
        stack.accounts.partner_tenant.clone(),
        stack.accounts.tenant_of(OTHER),
    ];
    let stack = stack.restarted_with(Choices::of(&stays)).await;

    let everybody = [
        ("nobody", &nobody),
        ("guest", &guest),
        ("role taken", &taken),
        ("tenant left", &left),
        ("waiting", &waiting),
        ("stranger", &stranger),
        ("foreign engineer", &foreign),
        ("auditor", &auditor),
        ("engineer", &engineer),
        ("owner", &owner),
    ];
    let mut table = String::new();
    let width = 50;
    let mut line = |name: &str, cells: &[String]| {
        write!(table, "{name:width$}").expect("text");
        for cell in cells {
            write!(table, "{cell:<21}").expect("text");
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    };
    line("", &everybody.map(|(name, _)| name.to_owned()));
    let mut functions: Vec<(&str, http::Method)> = server_fn_paths().collect();
    functions.sort_by_key(|(path, _)| *path);
    assert!(functions.len() >= 25, "{functions:?}");
    for (path, method) in functions {
        assert_eq!(method, http::Method::POST, "{path} can be linked to");
        let input = input(path, &ids).unwrap_or_else(|| panic!("{path} is not in the matrix"));
        let mut cells = Vec::new();
        for (_, browser) in everybody {
            let status = call(browser, &stack.portal.url, path, &input).await;
            cells.push(status.to_string());
        }
        line(&format!("POST {path}"), &cells);
    }
    for (name, page) in drawn(&ids) {
        let input = Input::Json(json!({ "page": page }));
        let mut cells = Vec::new();
        for (_, browser) in everybody {
            let status = call(browser, &stack.portal.url, "/api/drawn", &input).await;
            cells.push(status.to_string());
        }
        line(&format!("POST /api/drawn {name}"), &cells);
    }
    let routes = routes(&ids);
    for page in leptos_axum::generate_route_list(app::App) {
        assert!(
            routes.iter().any(|(name, _)| name == page.path()),
            "{} is not in the matrix",
            page.path()
        );
    }
    let shapes: Vec<String> = routes.iter().map(|(name, _)| shape(name)).collect();
    let sources = routes_in_sources();
    assert!(sources.len() > 10, "{sources:?}");
    for route in sources {
        // The numbers have an address of their own.
        let known = route == "/metrics" || SIGN_OUTS.contains(&route.as_str());
        assert!(
            known || shapes.contains(&shape(&route)),
            "{route} is not in the matrix"
        );
    }
    for (name, path) in routes {
        let mut cells = Vec::new();
        for (_, browser) in everybody {
            cells.push(get(browser, &path).await);
        }
        line(&format!("GET  {name}"), &cells);
    }
    // The last: afterwards nobody is signed in any more.
    for path in SIGN_OUTS.into_iter().rev() {
        let mut cells = Vec::new();
        for (name, browser) in everybody {
            let upn = match name {
                "owner" => stack.accounts.owner(),
                "engineer" => stack.accounts.engineer(),
                "auditor" => stack.accounts.auditor(),
                "waiting" => "nils@northwind-it.example".to_owned(),
                "stranger" => format!("wilma@{OTHER}"),
                "foreign engineer" => foreigner.clone(),
                _ => String::new(),
            };
            let again;
            let browser = if upn.is_empty() {
                browser
            } else {
                again = stack.signed_in(&upn).await;
                &again
            };
            let form = Input::Form(Vec::new());
            let status = call(browser, &stack.portal.url, path, &form).await;
            cells.push(status.to_string());
            let account = get(browser, "/account").await;
            assert_ne!(account, "200", "{name} is still signed in after {path}");
        }
        line(&format!("POST {path}"), &cells);
    }
    for (name, browser) in everybody {
        let account = get(browser, "/account").await;
        assert_ne!(account, "200", "{name} is signed in somewhere");
    }
    insta::assert_snapshot!("everybody", table);

    // What was asked for by those who may is all that was written.
    let asked = "events where kind in ('consent.asked', 'link.made')";
    let harmless = stack.count(asked).await;
    let after = stack.count("events where kind <> 'reach.changed'").await;
    let asked_before = 3;
    assert_eq!(
        after - before,
        harmless - asked_before,
        "something was changed"
    );
}

/// What answers whoever asks, and asks nothing of the database: what stands in this process's memory.
const FREE: [&str; 4] = ["/", "/favicon.svg", "/healthz", "/no/such/page"];

/// Whatever does something for somebody who has not signed in has a limit for each client.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_whatever_answers_strangers_has_a_limit() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let chosen = stack
        .choose(&mut owner, &customer, DOMAIN, "Reception Mailer")
        .await;
    let open_link = invited(&mut owner, &customer).await;
    let ids = Ids {
        open_link,
        revoked_link: "no-such-token".to_owned(),
        setup: NONE.to_owned(),
        object: NONE.to_owned(),
        engineer: NONE.to_owned(),
        chosen,
    };
    let few = Allowance {
        a_second: 1,
        burst: 1,
    };
    let partners = [stack.accounts.partner_tenant.clone()];
    let choices = Choices {
        strangers: Strangers {
            sign_in: few,
            ready: few,
            ..Strangers::default()
        },
        ..Choices::of(&partners)
    };
    let stack = stack.restarted_with(choices).await;
    let nobody = stack.browser();
    let portal = stack.portal.url.as_str();
    let mut unlimited = Vec::new();
    // The first answer that tells: a refusal, the way to sign in, or that it is too often.
    let known = |answer: &str| {
        let status = answer.split(' ').next().unwrap_or_default();
        matches!(status, "401" | "403" | "429") || answer == "303 /"
    };
    for (path, _) in server_fn_paths() {
        let input = input(path, &ids).unwrap_or_else(|| panic!("{path} is not in the matrix"));
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(call(&nobody, portal, path, &input).await.to_string());
            if answers.last().is_some_and(|answer| known(answer)) {
                break;
            }
        }
        if !answers.iter().any(|answer| known(answer)) {
            unlimited.push(format!("{path}: {answers:?}"));
        }
    }
    let mut free = Vec::new();
    for (_, path) in routes(&ids) {
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(get(&nobody, &path).await);
            if answers.last().is_some_and(|answer| known(answer)) {
                break;
            }
        }
        if answers.iter().any(|answer| known(answer)) {
            continue;
        }
        if FREE.contains(&path.as_str()) {
            free.push(path);
        } else {
            unlimited.push(format!("{path}: {answers:?}"));
        }
    }
    assert_eq!(unlimited, Vec::<String>::new());
    assert_eq!(free.len(), FREE.len(), "{free:?}");
}
