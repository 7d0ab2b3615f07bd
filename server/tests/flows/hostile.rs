//! A tenant whose every text is an attack: pages, drawings and downloads have the same elements,
//! attributes, columns and commands as with a tame one.

use std::collections::{BTreeMap, BTreeSet};

use cloud::world::{exchange::AssignmentScope, tenant::Tenant};
use reqwest::{Method, header::ACCEPT};
use scraper::Html;
use serde_json::{Value, json};

use crate::support::{Browser, Stack, setups::Chosen, until};

const DOMAIN: &str = "fabrikam.example";
const MAILER: &str = "Reception Mailer";

const ATTACKS: [&str; 12] = [
    "\"><img src=x onerror=1>",
    "</title><script>alert(1)</script>",
    "<!--",
    "{{}}",
    "'; Remove-Mailbox x #",
    "x;=1+1;y",
    "=1+1",
    "\u{202e}\u{2066}\u{200b}gnp.exe",
    "a\u{0}b\u{7}\u{1b}[31m\u{85}\r\n\u{2028}\n# c",
    "</textarea></style></script><svg onload=1>",
    "$(Remove-Mailbox x) `n \u{2019}; Remove-Mailbox y #",
    "",
];

/// The texts of a tenant, one after the other.
struct Words {
    hostile: bool,
    number: usize,
}

impl Words {
    /// No two are the same: names tell things apart.
    fn next(&mut self) -> String {
        self.number += 1;
        let number = self.number;
        let attack = ATTACKS[number % ATTACKS.len()];
        match (self.hostile, attack.is_empty()) {
            (false, _) => format!("word {number}"),
            (true, true) => format!("{}{number}", "m".repeat(10_000)),
            (true, false) => format!("{attack}{number}"),
        }
    }

    fn put(&mut self, place: &mut String) {
        *place = self.next();
    }
}

/// Every text that somebody in the tenant may choose, but for addresses, and what has a meaning.
fn speak(tenant: &mut Tenant, words: &mut Words) {
    words.put(&mut tenant.name);
    for user in tenant.users.values_mut() {
        words.put(&mut user.display_name);
        words.put(&mut user.given_name);
        words.put(&mut user.surname);
        words.put(&mut user.job_title);
        if let Some(mailbox) = &mut user.mailbox {
            for value in mailbox.custom_attributes.values_mut() {
                words.put(value);
            }
        }
    }
    let mut group_names = BTreeMap::new();
    for group in tenant.groups.values_mut() {
        words.put(&mut group.name);
        words.put(&mut group.display_name);
        words.put(&mut group.description);
        group_names.insert(group.id, (group.name.clone(), group.display_name.clone()));
    }
    for principal in tenant.principals.values_mut() {
        // Microsoft's own say what they are by their names.
        if principal.resource.is_none() {
            words.put(&mut principal.display_name);
            words.put(&mut principal.publisher);
        }
    }
    for application in tenant.applications.values_mut() {
        words.put(&mut application.display_name);
        words.put(&mut application.note);
        for secret in &mut application.secrets {
            words.put(&mut secret.name);
        }
    }
    let credentials = &mut tenant.directory.credentials;
    for federated in credentials.federated.values_mut().flatten() {
        words.put(&mut federated.name);
        words.put(&mut federated.issuer);
        words.put(&mut federated.subject);
    }
    for keys in credentials.of_principals.values_mut() {
        for secret in &mut keys.secrets {
            words.put(&mut secret.name);
        }
    }
    for unit in tenant.units.values_mut() {
        words.put(&mut unit.name);
    }
    for policy in &mut tenant.exchange.policies {
        words.put(&mut policy.description);
        if let Some((name, display)) = group_names.get(&policy.scope.id) {
            policy.scope.name.clone_from(name);
            policy.scope.display_name.clone_from(display);
        }
    }
    for pointer in &mut tenant.exchange.pointers {
        words.put(&mut pointer.display_name);
    }
    let mut renamed = BTreeMap::new();
    for scope in &mut tenant.exchange.scopes {
        let before = scope.name.clone();
        words.put(&mut scope.name);
        renamed.insert(before, scope.name.clone());
    }
    for assignment in &mut tenant.exchange.role_assignments {
        words.put(&mut assignment.name);
        if let AssignmentScope::Custom(name) = &mut assignment.scope
            && let Some(now) = renamed.get(name)
        {
            name.clone_from(now);
        }
    }
    for grant in &mut tenant.scope_grants {
        let since = grant.scopes.first().map(|(_, since)| *since);
        grant
            .scopes
            .extend(since.map(|since| (words.next(), since)));
    }
}

/// Names of elements, each with the names of its attributes, and where its addresses lead.
fn elements(html: &Html) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for element in html.root_element().descendants() {
        let Some(element) = element.value().as_element() else {
            continue;
        };
        let mut names: Vec<&str> = element.attrs().map(|(name, _)| name).collect();
        names.sort_unstable();
        for name in ["href", "src", "action", "formaction"] {
            if let Some(to) = element.attr(name) {
                // The icon and the script stand in the document itself.
                let own = to.starts_with("data:image/svg+xml,")
                    || to.starts_with("data:text/plain;charset=us-ascii,")
                        && element.attr("download").is_some();
                let beginning: String = to.chars().take(60).collect();
                assert!(
                    own || to.starts_with(['/', '#', '?']),
                    "{name} of {} leads to {beginning}",
                    element.name()
                );
            }
        }
        found.insert(format!("{} {names:?}", element.name()));
    }
    found
}

/// Rows of a file with commas and quotes, as RFC 4180 has them.
fn table(file: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = file.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted, "a quote is left open");
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// What each place consists of.
type Seen = BTreeMap<String, BTreeSet<String>>;

struct Visit {
    stack: Stack,
    owner: Browser,
    customer: String,
    words: Words,
    seen: Seen,
    /// Answers that carried an attack, as the text that it is.
    carried: usize,
}

impl Visit {
    async fn new(hostile: bool) -> Self {
        let stack = Stack::start().await;
        let mut words = Words { hostile, number: 0 };
        stack.cloud.with_world(|world| {
            for domain in [DOMAIN, "northwind-it.example"] {
                let id = world.tenants.resolve(domain).expect("a tenant");
                speak(world.tenants.get(id).expect("a tenant"), &mut words);
            }
        });
        let mut owner = stack.owner().await;
        let customer = stack.connect(&mut owner, DOMAIN).await;
        Self {
            stack,
            owner,
            customer,
            words,
            seen: Seen::new(),
            carried: 0,
        }
    }

    fn tenant<T>(&self, look: impl FnOnce(&mut Tenant) -> T) -> T {
        self.stack.cloud.with_world(|world| {
            let id = world.tenants.resolve(DOMAIN).expect("a tenant");
            look(world.tenants.get(id).expect("a tenant"))
        })
    }

    /// The service principal of the application that sends for the reception.
    fn mailer(&self) -> String {
        let app_id = self.stack.accounts.application_id(DOMAIN, MAILER);
        self.tenant(|tenant| {
            let app_id = app_id.parse().expect("an id");
            let found = tenant.principal_by_app(app_id);
            found.expect("a service principal").id.to_string()
        })
    }

    fn count(&mut self, body: &str) {
        let attacks = ["onerror", "Remove-Mailbox", "x;=1+1;y", "{{}}"];
        if attacks.iter().any(|attack| body.contains(attack)) {
            self.carried += 1;
        }
    }

    async fn page(&mut self, what: &str, path: &str) {
        let page = self.owner.open_once(path).await;
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}: {}",
            page.status
        );
        self.count(&page.body);
        let html = Html::parse_document(&page.body);
        self.note(&format!("{what} {}", page.status), elements(&html));
    }

    async fn drawn(&mut self, what: &str, path: &str) {
        let body = json!({ "page": path });
        let drawn = self.owner.read("/api/drawn", &body).await;
        let markup = drawn["html"].as_str().expect("markup");
        self.count(markup);
        self.note(
            &format!("drawn {what}"),
            elements(&Html::parse_fragment(markup)),
        );
    }

    async fn file(&mut self, path: &str) -> String {
        let request = self.owner.bare(Method::GET, path).header(ACCEPT, "*/*");
        let file = self.owner.once(request).await;
        assert_eq!(file.status, 200, "{path}: {}", file.body);
        self.count(&file.body);
        file.body
    }

    fn note(&mut self, what: &str, shape: impl IntoIterator<Item = String>) {
        let place = self.seen.entry(what.to_owned()).or_default();
        place.extend(shape);
    }

    /// Rows and columns; and no cell is a formula.
    async fn csv(&mut self, what: &str, path: &str) {
        let file = self.file(path).await;
        let rows = table(file.trim_start_matches('\u{feff}'));
        assert!(rows.len() > 1, "{path}: {file}");
        for row in rows {
            for cell in &row {
                let begins = cell.trim_start().chars().next();
                assert!(
                    !begins.is_some_and(|first| "=+-@\t\r".contains(first)),
                    "{path}: a formula: {cell}"
                );
            }
            self.note(what, [format!("{} columns", row.len())]);
        }
    }

    async fn json(&mut self, what: &str, path: &str) {
        let file = self.file(path).await;
        let rows: Vec<Value> = serde_json::from_str(&file).expect("JSON");
        assert!(!rows.is_empty(), "{path}");
        for row in rows {
            let mut names: Vec<&String> = row.as_object().expect("a row").keys().collect();
            names.sort();
            self.note(what, [format!("{names:?}")]);
        }
    }

    /// The first word of each line that is no comment.
    async fn script(&mut self, what: &str, path: &str) {
        let file = self.file(path).await;
        let words = file
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect::<Vec<_>>();
        assert!(!words.is_empty(), "{file}");
        self.note(what, words);
    }

    async fn setup(&mut self, states: &[&str]) -> String {
        let chosen = Chosen {
            customer: self.customer.clone(),
            application: self.stack.accounts.application(DOMAIN, MAILER),
            object: self.mailer(),
            sender: format!("reception@{DOMAIN}"),
            refused: vec![format!("info@{DOMAIN}")],
            group: "postern-hostile".to_owned(),
            prove: false,
        };
        let new = format!("/customers/{}/setups/new", self.customer);
        let stages = [
            String::new(),
            format!("?app={}", chosen.object),
            format!("?app={}&sender={}", chosen.object, chosen.sender),
            format!("?{}", chosen.query()),
            format!("?{}&step=review", chosen.query()),
        ];
        for (number, query) in stages.iter().enumerate() {
            self.page(&format!("wizard {number}"), &format!("{new}{query}"))
                .await;
        }
        let setup = chosen.start(&mut self.owner, "").await;
        self.stack
            .settled(&self.owner, &self.customer, &setup, states)
            .await;
        setup
    }

    /// Everything there is to see.
    async fn all(mut self) -> (Seen, usize) {
        let customer = self.customer.clone();
        // In Microsoft's own words, as an error says them.
        let said = self.words.next();
        let refused = json!({
            "id": "words", "operation": "New-ApplicationAccessPolicy", "times": 1,
            "action": { "exchange_error": format!("It was refused: {said}") },
        });
        self.stack.cloud.fault(refused).expect("a fault");
        let setup = self.setup(&["failed", "done"]).await;
        let path = format!("/customers/{customer}/setups/{setup}");
        self.page("a setup that failed", &path).await;
        let fields = [("customer", customer.as_str()), ("setup", setup.as_str())];
        let (status, told) = self.owner.call_form("/api/retry_setup", &fields).await;
        assert!([200, 409].contains(&status), "{told}");
        self.stack
            .settled(&self.owner, &customer, &setup, &["done"])
            .await;
        self.page("a setup", &path).await;
        self.script("script.ps1", &format!("{path}/script.ps1"))
            .await;

        let page = self
            .owner
            .send_form("/api/scan_one", &[("customer", &customer)])
            .await;
        assert_eq!(page.status, 200, "{}", page.text());
        let stack = &self.stack;
        until("the customer to be read", || async move {
            let waits = "scans where asked or lease is not null or read_at is null";
            (stack.count(waits).await == 0).then_some(())
        })
        .await;
        let applications: Vec<String> = self.tenant(|tenant| {
            let ids = tenant
                .assignments
                .iter()
                .map(|entry| entry.principal.to_string());
            ids.collect::<BTreeSet<_>>().into_iter().collect()
        });
        assert!(applications.len() > 3, "{applications:?}");
        for object in applications {
            let path = format!("/customers/{customer}/applications/{object}");
            let (status, _) = self
                .owner
                .call("/api/drawn", &json!({ "page": path }))
                .await;
            if status == 200 {
                self.page("an application", &path).await;
                self.drawn("an application", &path).await;
            }
        }
        for (what, path) in [
            ("customers", "/customers".to_owned()),
            ("a customer", format!("/customers/{customer}")),
            ("mailboxes", format!("/customers/{customer}/mailboxes")),
            ("history", format!("/customers/{customer}/history")),
            ("exposure", "/exposure".to_owned()),
            ("exposure by each", "/exposure?by=each".to_owned()),
            ("exposure by customer", "/exposure?by=customer".to_owned()),
            ("running", "/running?filter=all".to_owned()),
            ("people", "/people".to_owned()),
            ("account", "/account".to_owned()),
        ] {
            self.page(what, &path).await;
        }
        for (what, path) in [
            ("a customer", format!("/customers/{customer}")),
            ("mailboxes", format!("/customers/{customer}/mailboxes")),
            ("exposure", "/exposure".to_owned()),
            ("exposure by each", "/exposure?by=each".to_owned()),
            ("exposure by customer", "/exposure?by=customer".to_owned()),
        ] {
            self.drawn(what, &path).await;
        }
        for by in ["each", "application", "customer"] {
            self.csv("exposure.csv", &format!("/exposure.csv?by={by}"))
                .await;
            self.json(
                &format!("exposure.json {by}"),
                &format!("/exposure.json?by={by}"),
            )
            .await;
        }
        let history = format!("/customers/{customer}/history");
        self.csv("history.csv", &format!("{history}.csv")).await;
        self.json("history.json", &format!("{history}.json")).await;

        // What Graph says while a page asks it.
        let refused = json!({
            "id": "graph", "host": "graph",
            "action": { "status": 403, "graph_error": "Authorization_RequestDenied", "text": self.words.next() },
        });
        self.stack.cloud.fault(refused).expect("a fault");
        let new = format!("/customers/{customer}/setups/new");
        self.page("a wizard that is refused", &new).await;
        self.page("a customer that refuses", &format!("/customers/{customer}"))
            .await;
        // What Entra says, and what anybody may make it seem to say.
        let words: Vec<String> = (0..ATTACKS.len()).map(|_| self.words.next()).collect();
        for said in words {
            let mut browser = self.stack.browser();
            let begun = browser.open_once("/auth/sign-in").await;
            let (_, rest) = begun
                .header("location")
                .split_once("state=")
                .expect("a state");
            let state = rest.split('&').next().expect("a state").to_owned();
            let query = [
                ("state", state.as_str()),
                ("error", "access_denied"),
                ("error_description", said.as_str()),
            ];
            let request = browser
                .bare(Method::GET, "/auth/callback")
                .header(ACCEPT, "text/html")
                .query(&query);
            let page = browser.once(request).await;
            let what = format!("a refused sign-in {}", page.status);
            let html = Html::parse_document(&page.body);
            self.note(&what, elements(&html));
        }
        (self.seen, self.carried)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_hostile_texts_of_a_tenant_add_no_element_and_no_attribute() {
    let (tame, carried) = Visit::new(false).await.all().await;
    assert_eq!(carried, 0);
    let (hostile, carried) = Visit::new(true).await.all().await;
    assert!(carried > 20, "{carried} answers carried an attack");
    let places: Vec<&String> = tame.keys().collect();
    assert_eq!(places, hostile.keys().collect::<Vec<_>>());
    for (place, shape) in &hostile {
        let more: Vec<_> = shape.difference(&tame[place]).collect();
        let less: Vec<_> = tame[place].difference(shape).collect();
        assert!(
            more.is_empty() && less.is_empty(),
            "{place}: more {more:#?}, less {less:#?}"
        );
    }
}
