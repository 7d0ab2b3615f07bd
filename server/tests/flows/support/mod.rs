//! A whole Postern on free ports: a new database, the simulated cloud and the real server, and
//! browsers that talk to it over HTTP.

pub mod accounts;
pub mod begun;
pub mod browser;
pub mod events;
pub mod field;
pub mod made_up;
pub mod made_up_around;
pub mod page;
pub mod portal;
pub mod scans;
pub mod setups;

use std::{future::Future, time::Duration};

pub use accounts::Accounts;
pub use browser::Browser;
use cloud::{Cloud, Config, Delays};
pub use page::Page;
pub use portal::{Choices, Portal};
use serde_json::Value;
use server::config::{Role, Strangers};
use store::testing::TestDatabase;
use tokio::net::TcpListener;

/// How much faster the cloud's clock runs than the real clock. A policy that takes effect after 90
/// minutes needs less than a second.
pub const SPEED: f64 = 7200.0;

/// Timeout that is longer than any operation here takes. Only a failure waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Stack {
    // The fields are dropped in this order: the server before the services that it uses.
    pub portal: Portal,
    pub cloud: Cloud,
    pub accounts: Accounts,
    pub database: TestDatabase,
}

impl Stack {
    /// A whole stack with the demo's tenants.
    pub async fn start() -> Self {
        Self::with_more_partners(&[]).await
    }

    /// A stack in which the people of these tenants (by domain) may sign in too.
    pub async fn with_more_partners(domains: &[&str]) -> Self {
        let (cloud, accounts) = start_cloud().await;
        let database = TestDatabase::create().await.expect("a database");
        let mut partners = vec![accounts.partner_tenant.clone()];
        partners.extend(domains.iter().map(|domain| accounts.tenant_of(domain)));
        let portal = Portal::start(&cloud, &accounts, &database, &partners).await;
        Self {
            portal,
            cloud,
            accounts,
            database,
        }
    }

    /// A stack with other limits for people who are not signed in.
    pub async fn with_strangers(strangers: Strangers) -> Self {
        let (cloud, accounts) = start_cloud().await;
        let database = TestDatabase::create().await.expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let partners = [accounts.partner_tenant.clone()];
        let choices = Choices {
            strangers,
            ..Choices::of(&partners)
        };
        let portal = Portal::with_choices(listener, &cloud, &accounts, &database, choices).await;

        Self {
            portal,
            cloud,
            accounts,
            database,
        }
    }

    /// A stack next to a server that runs as a separate process. The tests do not use the server in
    /// this stack.
    pub async fn beside(cloud: Cloud, accounts: Accounts, database: TestDatabase) -> Self {
        let partners = [accounts.partner_tenant.clone()];
        let portal = Portal::with_role(&cloud, &accounts, &database, &partners, Role::Web).await;
        Self {
            portal,
            cloud,
            accounts,
            database,
        }
    }

    /// Restarts the server at the same address. It loses its memory.
    pub async fn restarted(self) -> Self {
        let partners = [self.accounts.partner_tenant.clone()];
        self.restarted_with(Choices::of(&partners)).await
    }

    /// Restarts the server with other settings.
    pub async fn restarted_with(self, choices: Choices) -> Self {
        let port = self.portal.port();
        self.portal.stop().await;
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("the port");
        let (cloud, accounts, database) = (self.cloud, self.accounts, self.database);
        let portal = Portal::with_choices(listener, &cloud, &accounts, &database, choices).await;
        Self {
            portal,
            cloud,
            accounts,
            database,
        }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.portal.url)
    }

    /// A browser in which the partner's owner is signed in. The first person to sign in becomes
    /// owner.
    pub async fn owner(&self) -> Browser {
        self.signed_in(&self.accounts.owner()).await
    }

    pub async fn signed_in(&self, upn: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(upn).await;
        assert_eq!(
            page.status,
            200,
            "{upn} could not sign in: {} {}",
            page.url,
            page.text()
        );
        browser
    }

    /// Signs a person in and has the owner give a role.
    pub async fn with_role(&self, owner: &mut Browser, upn: &str, role: &str) -> Browser {
        let browser = self.signed_in(upn).await;
        let people = owner.read("/api/people", &serde_json::json!({})).await;
        let person = people
            .as_array()
            .expect("people")
            .iter()
            .find(|person| {
                person["upn"]
                    .as_str()
                    .is_some_and(|found| found.eq_ignore_ascii_case(upn))
            })
            .unwrap_or_else(|| panic!("{upn} is not among {people}"));
        let id = person["id"].as_str().expect("an id").to_owned();
        let page = owner
            .send_form("/api/set_role", &[("person", &id), ("role", role)])
            .await;
        assert!(page.problem().is_none(), "{}", page.text());
        browser
    }

    /// Connects a customer by the consent of its admin. Returns the customer's id.
    pub async fn connect(&self, browser: &mut Browser, domain: &str) -> String {
        let page = browser
            .send_form("/api/connect", &[("tenant", domain)])
            .await;
        let admin = format!("admin@{domain}");
        let page = browser.consent(page, &admin, "accept").await;
        assert_eq!(
            page.status,
            200,
            "{domain} could not be connected: {}",
            page.text()
        );
        page.customer_id()
    }

    /// Sends a control request to the cloud.
    pub async fn control(&self, path: &str, body: &Value) {
        let url = format!("{}/_cloud/{path}", self.cloud.url());
        let request = reqwest::Client::new().post(url).json(body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{path}: {text}");
    }

    /// The number of rows of a table, read as the superuser. A condition may follow the table's
    /// name.
    pub async fn count(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) from {table}")).await
    }

    /// The single number that a query returns, read as the superuser.
    pub async fn number(&self, query: &str) -> i64 {
        let mut database = self.database.superuser().await.expect("a connection");
        let number = sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut database)
            .await
            .expect("a number");
        sqlx::Connection::close(database).await.expect("an end");
        number
    }

    /// The mails that the cloud has sent.
    pub async fn outbox(&self) -> Vec<Value> {
        let url = format!("{}/_cloud/outbox", self.cloud.url());
        let outbox = get_json(&url).await;
        outbox["outbox"].as_array().expect("mails").clone()
    }

    /// The cloud's state of a tenant.
    pub async fn cloud_state(&self, tenant: &str) -> Value {
        let url = format!("{}/_cloud/state?tenant={tenant}", self.cloud.url());
        get_json(&url).await
    }
}

/// With `RUST_LOG` set, tests show what the server and the cloud log.
fn show_log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_default_env() {
        // Only the first test of a process can start the log.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).try_init();
    }
}

/// The cloud's delays, with one delay that would be a fault: even the account that made a group
/// waits until Exchange shows it. So the step that waits for Exchange has something to wait for.
pub fn patient() -> Delays {
    Delays {
        group_exchange_maker: [5, 30],
        ..Delays::without_latency()
    }
}

pub async fn start_cloud() -> (Cloud, Accounts) {
    show_log();
    let config = Config {
        clock_speed: SPEED,
        delays: patient(),
        ..Config::default()
    };
    let cloud = Cloud::start(config).await.expect("a cloud");
    let accounts = Accounts::of(get_json(&format!("{}/_cloud/accounts", cloud.url())).await);
    (cloud, accounts)
}

pub async fn get_json(url: &str) -> Value {
    reqwest::get(url)
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON")
}

/// A free port. It lies below the range of outgoing connections, so none of these takes it before a
/// test listens on it.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(15_000..30_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks until there is an answer, no more often than the database and the cloud can bear.
pub async fn until<T, F, R>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> R,
    R: Future<Output = Option<T>>,
{
    let ended = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < ended,
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
