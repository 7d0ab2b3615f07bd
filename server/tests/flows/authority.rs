//! Authority ends when it ends: every way in which it ends against everything that it reached.
//!
//! Nora is an engineer. She is signed in, watches two streams at a second process, made a link,
//! began a consent, and Postern acts in the customer with her own account. Then it ends.

use std::time::Duration;

use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};
use server::config::{Role, SessionLimits};
use tokio::time::{Instant, timeout_at};

use crate::support::{Browser, Choices, Page, Portal, Stack, events::Events, get_json, until};

const DOMAIN: &str = "fabrikam.example";
const OTHER: &str = "woodgrove-it.example";
const ADMIN: &str = "admin@fabrikam.example";
/// Nothing answers later than this after the end.
const AT_MOST: Duration = Duration::from_secs(2);

/// What is left to her.
#[derive(Clone, Copy)]
struct Left {
    /// Pages, reads, downloads and streams.
    reading: bool,
    /// Links that she made, and Postern's use of her own account.
    role: bool,
}

const NOTHING: Left = Left {
    reading: false,
    role: false,
};

/// What her authority reaches before it ends.
struct Held {
    nora: Browser,
    streams: Vec<Events>,
    /// The end of the consent that she began.
    attempt: String,
    /// Of a link that nobody followed.
    link: String,
    /// Somebody at the customer who followed another link, with the end of that consent.
    admin: Browser,
    followed: String,
}

/// The customer and a setup of somebody else that waits.
struct Scene {
    stack: Stack,
    owner: Browser,
    customer: String,
    setup: String,
}

impl Scene {
    async fn new() -> Self {
        let stack = Stack::with_more_partners(&[OTHER]).await;
        let mut owner = stack.owner().await;
        let customer = stack.connect(&mut owner, DOMAIN).await;
        let chosen = stack
            .choose(&mut owner, &customer, DOMAIN, "Reception Mailer")
            .await;
        let setup = chosen.start(&mut owner, "").await;
        stack
            .settled(&owner, &customer, &setup, &["needs_secret"])
            .await;
        Self {
            stack,
            owner,
            customer,
            setup,
        }
    }

    async fn second(&self) -> Portal {
        let Stack {
            cloud,
            accounts,
            database,
            ..
        } = &self.stack;
        let partners = [accounts.partner_tenant.clone(), accounts.tenant_of(OTHER)];
        Portal::with_role(cloud, accounts, database, &partners, Role::Web).await
    }

    fn upn(&self) -> String {
        self.stack.accounts.engineer()
    }

    async fn person(&mut self) -> Value {
        let people = self.owner.read("/api/people", &json!({})).await;
        let upn = self.upn();
        let found = people
            .as_array()
            .expect("people")
            .iter()
            .find(|person| person["upn"] == upn.as_str());
        found
            .unwrap_or_else(|| panic!("no {upn}: {people}"))
            .clone()
    }

    async fn set_role(&mut self, role: &str) {
        let person = self.person().await["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let (status, told) = self
            .owner
            .call_form("/api/set_role", &[("person", &person), ("role", role)])
            .await;
        assert_eq!(status, 200, "{told}");
    }

    /// Nothing reads the customers.
    async fn rest(&self) {
        let stack = &self.stack;
        until("the readings to rest", || async move {
            // Without a token nothing is read.
            let under_way = "scans s join connections n using (customer_id)
                             where (s.asked or s.lease is not null or s.due_at < now())
                               and (s.lease is not null or n.refresh_token is not null)";
            (stack.count(under_way).await == 0).then_some(())
        })
        .await;
    }

    async fn link(&self, browser: &mut Browser) -> String {
        let fields = [("customer", self.customer.as_str())];
        let (status, link) = browser.call_form("/api/make_link", &fields).await;
        assert_eq!(status, 200, "{link}");
        let link = link.as_str().expect("an address");
        link.rsplit('/').next().expect("a token").to_owned()
    }

    fn paths(&self) -> [String; 2] {
        [
            "/live/setups".to_owned(),
            format!("/live/setups/{}/{}", self.customer, self.setup),
        ]
    }

    /// She takes up her work. The streams are watched at `portal`.
    async fn prepare(&mut self, portal: &str) -> Held {
        let upn = self.upn();
        let mut nora = self
            .stack
            .with_role(&mut self.owner, &upn, "engineer")
            .await;
        let fields = [("customer", self.customer.as_str()), ("way", "gdap")];
        let page = nora.send_form("/api/reconnect", &fields).await;
        let page = nora.consent(page, &upn, "accept").await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.rest().await;

        let link = self.link(&mut nora).await;
        let other = self.link(&mut nora).await;
        let mut admin = self.stack.browser();
        admin.open(&format!("/join/{other}")).await;
        let page = admin.submit("/api/join", &[("token", &other)]).await;
        let page = admin.through_entra(page, ADMIN, "accept").await;
        let followed = admin.follow_until_back(page).await;
        // In the same browser as she works in.
        let fields = [("customer", self.customer.as_str()), ("way", "admin")];
        let page = nora.send_form("/api/reconnect", &fields).await;
        let page = nora.through_entra(page, ADMIN, "accept").await;
        let attempt = nora.follow_until_back(page).await;

        let elsewhere = nora.moved_to(portal);
        let mut streams = Vec::new();
        for path in self.paths() {
            streams.push(elsewhere.events(&path, None).await.expect("a stream"));
        }
        Held {
            nora,
            streams,
            attempt,
            link,
            admin,
            followed,
        }
    }

    /// The number of the cloud's last answer.
    async fn mark(&self) -> u64 {
        let log = get_json(&format!("{}/_cloud/log", self.stack.cloud.url())).await;
        let last = log["log"].as_array().expect("a log").last();
        last.and_then(|entry| entry["number"].as_u64()).unwrap_or(0)
    }

    /// What was asked of Graph and Exchange in her name since.
    async fn in_her_name(&self, since: u64) -> Vec<Value> {
        let url = format!(
            "{}/_cloud/log?since={since}&user={}&tenant={DOMAIN}",
            self.stack.cloud.url(),
            self.upn()
        );
        let log = get_json(&url).await;
        let entries = log["log"].as_array().expect("a log").iter();
        entries
            .filter(|entry| entry["host"] != "entra")
            .cloned()
            .collect()
    }

    /// Somebody else reads the customer live: in her name, or not any more.
    async fn live_read(&mut self) -> (u16, Value, usize) {
        let since = self.mark().await;
        let body = json!({ "customer": self.customer });
        let (status, told) = self.owner.call("/api/applications", &body).await;
        (status, told, self.in_her_name(since).await.len())
    }

    /// Each surface, once her authority has ended at `end`.
    async fn ended(&mut self, way: &str, held: &mut Held, end: Instant, left: Left) {
        if !left.reading {
            for (stream, path) in held.streams.iter_mut().zip(self.paths()) {
                let to_its_end = async { while stream.next().await.is_some() {} };
                timeout_at(end + AT_MOST, to_its_end)
                    .await
                    .unwrap_or_else(|_| panic!("{way}: {path} goes on"));
            }
        }
        let customer = self.customer.clone();
        let nora = &mut held.nora;
        let reads = if left.reading { 200 } else { 401 };
        let page = nora.open_once("/customers").await;
        let expected = if left.reading { 200 } else { 303 };
        assert_eq!(page.status, expected, "{way}: {}", page.text());
        let query = json!({ "search": "", "sort": "name", "page": 1 });
        let (status, told) = nora
            .call("/api/customers", &json!({ "query": query }))
            .await;
        assert_eq!(status, reads, "{way}: a read: {told}");
        let (status, told) = nora.call("/api/me", &json!({})).await;
        assert_eq!(status, reads, "{way}: {told}");
        for download in [
            "/exposure.csv".to_owned(),
            "/exposure.json".to_owned(),
            format!("/customers/{customer}/history.csv"),
            format!("/customers/{customer}/history.json"),
            format!("/customers/{customer}/setups/{}/script.ps1", self.setup),
        ] {
            let request = nora.bare(Method::GET, &download).header(ACCEPT, "*/*");
            let answer = nora.once(request).await;
            // Below a page the way leads to where one signs in.
            let refused = if download.starts_with("/customers") {
                303
            } else {
                401
            };
            let expected = if left.reading { 200 } else { refused };
            assert_eq!(answer.status, expected, "{way}: {download}");
            assert!(
                left.reading || !answer.body.contains(DOMAIN),
                "{way}: {}",
                answer.body
            );
        }
        for path in self.paths() {
            let opened = nora.events(&path, None).await;
            assert_eq!(
                opened.err(),
                (!left.reading).then_some(401),
                "{way}: {path}"
            );
        }
        let changes = if left.reading { 403 } else { 401 };
        for path in ["/api/scan_one", "/api/make_link", "/api/reconnect"] {
            let (status, told) = nora.call_form(path, &[("customer", &customer)]).await;
            assert_eq!(status, changes, "{way}: {path}: {told}");
        }
        if left.reading {
            // Nothing of what she may still see was cut off.
            let fields = [("customer", customer.as_str())];
            let (status, told) = self.owner.call_form("/api/scan_one", &fields).await;
            assert_eq!(status, 200, "{way}: {told}");
            let event = held.streams[0].next().await;
            assert!(event.is_some(), "{way}: her stream was ended");
            self.rest().await;
        }

        let (status, told, requests) = self.live_read().await;
        if left.role {
            assert_eq!(status, 200, "{way}: {told}");
            assert!(requests > 0, "{way}: nothing is read in her name: {told}");
        } else {
            assert_eq!(requests, 0, "{way}: read in her name");
            let said = told.to_string();
            assert!(
                said.contains("connection.role_gone") || said.contains("connection.account_gone"),
                "{way}: {status} {said}"
            );
        }
        self.consents(way, held, left).await;
    }

    /// What was on its way, and what was sent.
    async fn consents(&mut self, way: &str, held: &mut Held, left: Left) {
        let consents = "events where kind = 'consent.given'";
        let given = self.stack.count(consents).await;
        let page = held.nora.open(&held.attempt).await;
        assert!(page.status >= 400, "{way}: {} {}", page.url, page.text());
        assert!(page.problem().is_some(), "{way}: {}", page.text());
        assert_eq!(self.stack.count(consents).await, given, "{way}");

        let join = [("token", held.link.as_str())];
        let (status, told) = self.stack.browser().call_form("/api/join", &join).await;
        if left.role {
            assert_eq!(status, 200, "{way}: {told}");
        } else {
            assert!(status >= 400, "{way}: {told}");
            assert_eq!(told["problem"]["key"], "link.role", "{way}: {told}");
        }

        let page: Page = held.admin.open(&held.followed).await;
        let now = self.stack.count(consents).await;
        if left.role {
            assert_eq!(page.status, 200, "{way}: {}", page.text());
            assert_eq!(now, given + 1, "{way}");
        } else {
            assert!(page.status >= 400, "{way}: {}", page.text());
            assert_eq!(now, given, "{way}: {}", page.text());
        }
    }

    /// The setup of somebody else goes on, and nothing of it is done in her name.
    async fn setup_stops(&mut self, way: &str) {
        let since = self.mark().await;
        let fields = [
            ("customer", self.customer.as_str()),
            ("setup", self.setup.as_str()),
        ];
        let (status, told) = self.owner.call_form("/api/skip_proof", &fields).await;
        assert_eq!(status, 200, "{way}: {told}");
        let states = ["failed"];
        let view = self
            .stack
            .settled(&self.owner, &self.customer, &self.setup, &states)
            .await;
        assert!(view.to_string().contains("connection."), "{way}: {view}");
        let asked = self.in_her_name(since).await;
        assert!(asked.is_empty(), "{way}: {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f05_a_reading_under_way_goes_no_further_in_her_name() {
    let mut scene = Scene::new().await;
    let second = scene.second().await;
    scene.prepare(&second.url).await;
    // All that is asked of Exchange waits, in the process that works.
    let hang = json!({ "host": "exchange", "action": { "hang": "before" } });
    let fault = scene.stack.cloud.fault(hang).expect("a fault");
    let fields = [("customer", scene.customer.as_str())];
    let (status, told) = scene.owner.call_form("/api/scan_one", &fields).await;
    assert_eq!(status, 200, "{told}");
    let cloud = &scene.stack.cloud;
    until("Exchange to be asked", || async move {
        let report = cloud.with_world(|world| world.faults.report());
        (report["hanging"].as_u64() > Some(0)).then_some(())
    })
    .await;
    // Her role is taken at another process.
    scene.owner = scene.owner.moved_to(&second.url);
    scene.set_role("").await;
    let under_way = "connections where refresh_token is not null";
    assert_eq!(scene.stack.count(under_way).await, 0);
    let worker = scene.owner.moved_to(&scene.stack.portal.url);
    scene.owner = worker;
    // The process that works has heard of it by when it hears of what came later.
    let mut later = scene
        .owner
        .events("/live/setups", None)
        .await
        .expect("a stream");
    let fields = [("customer", scene.customer.as_str())];
    let (status, told) = scene.owner.call_form("/api/scan_one", &fields).await;
    assert_eq!(status, 200, "{told}");
    assert!(later.next().await.is_some());
    let since = scene.mark().await;
    let hung = scene.stack.cloud.with_world(|world| {
        let hung = world.faults.report()["hanging"].as_u64().unwrap_or(0);
        assert!(world.faults.disarm(&fault));
        hung
    });
    let stack = &scene.stack;
    until("the reading to end", || async move {
        (stack.count("scans where lease is not null").await == 0).then_some(())
    })
    .await;
    let asked = scene.in_her_name(since).await;
    let more = usize::try_from(hung).expect("a number");
    assert!(
        asked.len() <= more,
        "{} more than {hung}: {asked:#?}",
        asked.len()
    );
}

const SIGNED_OUT: Left = Left {
    reading: false,
    role: true,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f14_whoever_is_signed_out_has_nothing_left_of_the_session() {
    let mut scene = Scene::new().await;
    let second = scene.second().await;
    for way in ["sign out", "everywhere", "another browser", "the owner"] {
        let mut held = scene.prepare(&second.url).await;
        let mut by = held.nora.clone();
        let person = scene.person().await["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        match way {
            "sign out" => {
                by.send_form("/auth/sign-out", &[]).await;
            }
            "everywhere" => {
                let mut other = scene.stack.signed_in(&scene.upn()).await;
                other.send_form("/auth/sign-out-everywhere", &[]).await;
            }
            "another browser" => {
                let mut other = scene.stack.signed_in(&scene.upn()).await;
                let sessions = other.read("/api/sessions", &json!({})).await;
                for session in sessions.as_array().expect("sessions") {
                    if session["current"] == false {
                        let id = session["id"].as_str().expect("an id");
                        let (status, told) = other
                            .call_form("/api/end_session", &[("session", id)])
                            .await;
                        assert_eq!(status, 200, "{told}");
                    }
                }
            }
            _ => {
                let (status, told) = scene
                    .owner
                    .call_form("/api/end_sessions_of", &[("person", &person)])
                    .await;
                assert_eq!(status, 200, "{told}");
            }
        }
        scene
            .ended(way, &mut held, Instant::now(), SIGNED_OUT)
            .await;
        scene.rest().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f05_whoever_has_lost_the_role_has_nothing_left_of_it() {
    let mut scene = Scene::new().await;
    let second = scene.second().await;
    let mut held = scene.prepare(&second.url).await;
    scene.set_role("auditor").await;
    let left = Left {
        reading: true,
        role: false,
    };
    scene
        .ended("auditor", &mut held, Instant::now(), left)
        .await;

    let mut held = scene.prepare(&second.url).await;
    scene.set_role("").await;
    scene
        .ended("no role", &mut held, Instant::now(), NOTHING)
        .await;
    scene.setup_stops("no role").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f04_an_account_that_entra_disabled_has_nothing_left() {
    let mut scene = Scene::new().await;
    let second = scene.second().await;
    let mut held = scene.prepare(&second.url).await;
    let disabled = json!({ "upn": scene.upn(), "enabled": false, "revoke": true });
    scene.stack.control("users", &disabled).await;
    // Entra is asked again at the next use of the session, when it was not just asked.
    until("Entra to be asked", || {
        let mut nora = held.nora.clone();
        async move { (nora.call("/api/me", &json!({})).await.0 == 401).then_some(()) }
    })
    .await;
    scene
        .ended("disabled", &mut held, Instant::now(), NOTHING)
        .await;
    scene.setup_stops("disabled").await;
    let person = scene.person().await;
    assert_eq!(person["sessions"], json!([]), "{person}");
}

/// Entra does not answer the next question of this kind until [`Hangs::release`].
struct Hangs<'s>(&'s Stack);

impl<'s> Hangs<'s> {
    fn at(stack: &'s Stack, operation: &str, tenant: &str) -> Self {
        let fault = json!({
            "id": "hang", "host": "entra", "tenant": tenant, "operation": operation, "times": 1,
            "action": { "hang": "before" },
        });
        stack.cloud.fault(fault).expect("a fault");
        Self(stack)
    }

    async fn asked(&self) {
        until("a question that hangs", || {
            let report = self.0.cloud.with_world(|world| world.faults.report());
            async move { report.to_string().contains("\"hanging\":1").then_some(()) }
        })
        .await;
    }

    fn release(self) {
        self.0.cloud.with_world(|world| world.faults.disarm("hang"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f04_whoever_leaves_before_entras_answer_is_signed_out_all_the_same() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let upn = stack.accounts.engineer();
    let nora = stack.with_role(&mut owner, &upn, "engineer").await;
    let disabled = json!({ "upn": upn, "enabled": false, "revoke": true });
    stack.control("users", &disabled).await;
    let hangs = Hangs::at(&stack, "token:refresh_token", "northwind-it.example");
    let uses = tokio::spawn(async move {
        let mut nora = nora;
        // Until one of them is the one that asks Entra.
        loop {
            nora.call("/api/me", &json!({})).await;
        }
    });
    hangs.asked().await;
    uses.abort();
    assert!(uses.await.expect_err("an end").is_cancelled());
    hangs.release();
    let sessions = format!(
        "operator_sessions s join operators o on o.id = s.operator_id where o.upn = '{upn}'"
    );
    until("her session to end", || async {
        (stack.count(&sessions).await == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f04_a_deleted_account_has_nothing_left() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let upn = stack.accounts.engineer();
    let mut nora = stack.with_role(&mut owner, &upn, "engineer").await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let fields = [("customer", customer.as_str())];
    let (status, told) = nora.call_form("/api/make_link", &fields).await;
    assert_eq!(status, 200, "{told}");
    let gone = json!({ "upn": upn, "remove": true });
    stack.control("users", &gone).await;
    until("Entra to be asked", || {
        let mut nora = nora.clone();
        async move { (nora.call("/api/me", &json!({})).await.0 == 401).then_some(()) }
    })
    .await;
    let ended = "partner_events where kind = 'authority.ended'";
    assert_eq!(stack.count(ended).await, 1);
    let open = "links where used_at is null and voided_at is null";
    assert_eq!(stack.count(open).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f05_a_consent_is_not_kept_for_whoever_was_signed_out_meanwhile() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let upn = stack.accounts.engineer();
    let mut nora = stack.with_role(&mut owner, &upn, "engineer").await;
    let page = nora.send_form("/api/connect", &[("tenant", DOMAIN)]).await;
    let page = nora.through_entra(page, ADMIN, "accept").await;
    let attempt = nora.follow_until_back(page).await;
    let hangs = Hangs::at(&stack, "token:authorization_code", DOMAIN);
    let back = tokio::spawn(async move {
        let mut nora = nora;
        nora.open(&attempt).await
    });
    hangs.asked().await;
    let people = owner.read("/api/people", &json!({})).await;
    let mut people = people.as_array().expect("people").iter();
    let person = people.find(|person| person["upn"] == upn.as_str());
    let person = person.expect("her")["id"].as_str().expect("an id");
    let (status, told) = owner
        .call_form("/api/end_sessions_of", &[("person", person)])
        .await;
    assert_eq!(status, 200, "{told}");
    hangs.release();
    let page = back.await.expect("a page");
    assert_eq!(page.problem().as_deref(), Some("connect.signed_out"));
    assert_eq!(stack.count("connections").await, 0);
}

/// The portal again, with limits that end her session soon. Gives when that is.
async fn restarted_to_end(mut scene: Scene, held: &mut Held, choose: Choose) -> (Scene, Instant) {
    let signed_in = scene
        .stack
        .number(
            "select (extract(epoch from clock_timestamp() - max(signed_in_at)) * 1000)::bigint
             from operator_sessions s join operators o on o.id = s.operator_id
             where o.upn like 'nora@%'",
        )
        .await;
    let age = Duration::from_millis(signed_in.unsigned_abs());
    let lasts = Duration::from_secs(4);
    let end = Instant::now() + lasts;
    let partners = [scene.stack.accounts.partner_tenant.clone()];
    let choices = Choices {
        sessions: choose(age + lasts),
        ..Choices::of(&partners)
    };
    scene.stack = scene.stack.restarted_with(choices).await;
    held.streams.clear();
    for path in scene.paths() {
        let stream = held.nora.events(&path, None).await;
        held.streams
            .push(stream.expect("a stream before the limit"));
    }
    (scene, end)
}

type Choose = fn(Duration) -> SessionLimits;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f04_the_limits_end_streams_too() {
    let choices: [(&str, Choose); 2] = [
        ("idle", |idle| SessionLimits {
            idle,
            ..SessionLimits::default()
        }),
        ("absolute", |longest| SessionLimits {
            longest,
            ..SessionLimits::default()
        }),
    ];
    for (way, choose) in choices {
        let mut scene = Scene::new().await;
        let url = scene.stack.portal.url.clone();
        let mut held = scene.prepare(&url).await;
        let (mut scene, end) = restarted_to_end(scene, &mut held, choose).await;
        let streams = std::mem::take(&mut held.streams);
        for mut stream in streams {
            let to_its_end = async { while stream.next().await.is_some() {} };
            timeout_at(end + AT_MOST, to_its_end)
                .await
                .unwrap_or_else(|_| panic!("{way}: a stream goes on"));
        }
        scene.owner = scene.stack.owner().await;
        scene
            .ended(way, &mut held, Instant::now(), SIGNED_OUT)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f04_a_tenant_that_left_the_settings_has_nothing_left() {
    let mut scene = Scene::new().await;
    let url = scene.stack.portal.url.clone();
    let mut held = scene.prepare(&url).await;
    let other = scene.stack.accounts.tenant_of(OTHER);
    let since = scene.mark().await;
    scene.stack = scene.stack.restarted_with(Choices::of(&[other])).await;
    let end = Instant::now();
    for mut stream in std::mem::take(&mut held.streams) {
        let to_its_end = async { while stream.next().await.is_some() {} };
        timeout_at(end + AT_MOST, to_its_end)
            .await
            .expect("a stream goes on");
    }
    // Before anybody of the tenant has come: the links are dead already.
    scene.consents("removed", &mut held, NOTHING).await;
    for browser in [&mut held.nora, &mut scene.owner] {
        let page = browser.open_once("/customers").await;
        assert_eq!(page.status, 303, "{}", page.text());
        let (status, told) = browser.call("/api/me", &json!({})).await;
        assert_eq!(status, 401, "{told}");
        for path in ["/exposure.csv", "/exposure.json", "/live/setups"] {
            let request = browser.bare(Method::GET, path).header(ACCEPT, "*/*");
            assert_eq!(browser.once(request).await.status, 401, "{path}");
        }
        let page = browser.sign_in(&scene.stack.accounts.owner()).await;
        assert_eq!(page.problem().as_deref(), Some("sign_in.foreign_tenant"));
    }
    // Others are read, and whoever has left is not, however long it is due.
    let mut database = scene
        .stack
        .database
        .superuser()
        .await
        .expect("a connection");
    sqlx::query("update scans set due_at = now() - interval '1 day'")
        .execute(&mut database)
        .await
        .expect("an update");
    sqlx::Connection::close(database).await.expect("an end");
    let mut wilma = scene.stack.signed_in(&format!("wilma@{OTHER}")).await;
    scene.stack.connect(&mut wilma, DOMAIN).await;
    let stack = &scene.stack;
    until("the other partner's customer to be read", || async move {
        let read = "scans s join partners p on p.id = s.partner_id
                    where p.name like '%woodgrove%' and s.read_at is not null";
        (stack.count(read).await == 1).then_some(())
    })
    .await;
    let asked = scene.in_her_name(since).await;
    assert!(asked.is_empty(), "{asked:?}");
}
