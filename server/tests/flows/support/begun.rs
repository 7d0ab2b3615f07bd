//! A setup that is about to start, with helpers for tests.

use cloud::world::tenant::Tenant;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use store::testing::TestDatabase;

use super::{
    Browser, Portal, Stack, get_json,
    setups::{Chosen, reviewed},
    start_cloud, until,
};
use server::config::Role;

pub const DOMAIN: &str = "fabrikam.example";
pub const MAILER: &str = "Reception Mailer";

pub struct Begun {
    pub stack: Stack,
    pub owner: Browser,
    pub chosen: Chosen,
    /// The chosen sender comes first.
    pub senders: Vec<String>,
}

impl Begun {
    /// A setup with one sender and real mail, as the wizard suggests it.
    pub async fn new() -> Self {
        Self::on(Stack::start().await).await
    }

    /// A setup without a worker: no job runs before [`Begun::worker`].
    pub async fn without_worker() -> Self {
        let (cloud, accounts) = start_cloud().await;
        let database = TestDatabase::create().await.expect("a database");
        Self::on(Stack::beside(cloud, accounts, database).await).await
    }

    async fn on(stack: Stack) -> Self {
        let mut owner = stack.owner().await;
        let customer = stack.connect(&mut owner, DOMAIN).await;
        let chosen = stack.choose(&mut owner, &customer, DOMAIN, MAILER).await;
        let senders = vec![chosen.sender.clone()];
        Self {
            stack,
            owner,
            chosen,
            senders,
        }
    }

    pub async fn worker(&self) -> Portal {
        let partners = [self.stack.accounts.partner_tenant.clone()];
        let Stack {
            cloud,
            accounts,
            database,
            ..
        } = &self.stack;
        Portal::with_role(cloud, accounts, database, &partners, Role::Worker).await
    }

    /// Starts the setup. Returns its id.
    pub async fn start(&mut self, secret: &str) -> String {
        self.start_accepting(secret, &[]).await
    }

    /// Starts the setup with the items in `open`, which the review says stay open, confirmed.
    pub async fn start_accepting(&mut self, secret: &str, open: &[String]) -> String {
        let mut query = self.chosen.query();
        for more in self.senders.iter().skip(1) {
            query.push_str("&sender=");
            query.push_str(more);
        }
        let mut draft = self.chosen.draft();
        draft["senders"] = json!(self.senders);
        let [digest, shown] = reviewed(&mut self.owner, &self.chosen.customer, &draft).await;
        let mut fields = vec![
            ("customer", self.chosen.customer.as_str()),
            ("draft", query.as_str()),
            ("digest", digest.as_str()),
            ("shown", shown.as_str()),
            ("secret", secret),
        ];
        fields.extend(open.iter().map(|one| ("accept[]", one.as_str())));
        let (status, told) = self.owner.call_form("/api/start_setup", &fields).await;
        assert_eq!(status, 200, "{told}");
        self.rows("select id from setups order by started_at desc limit 1")
            .await[0]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Starts the setup as a person without JavaScript does, with one sender.
    pub async fn started(&mut self, secret: &str) -> String {
        self.chosen.start(&mut self.owner, secret).await
    }

    /// Restarts the portal, which loses its memory.
    pub async fn restarted(self) -> Self {
        Self {
            stack: self.stack.restarted().await,
            ..self
        }
    }

    /// Sends an action for the setup. Returns the status and the answer.
    pub async fn try_ask(
        &mut self,
        what: &str,
        setup: &str,
        more: Option<(&str, &str)>,
    ) -> (u16, Value) {
        let mut fields = vec![
            ("customer", self.chosen.customer.as_str()),
            ("setup", setup),
        ];
        fields.extend(more);
        self.owner.call_form(&format!("/api/{what}"), &fields).await
    }

    pub async fn ask(&mut self, what: &str, setup: &str, more: Option<(&str, &str)>) {
        let (status, told) = self.try_ask(what, setup, more).await;
        assert_eq!(status, 200, "{what}: {told}");
    }

    pub async fn settled(&self, setup: &str, state: &str) -> Value {
        self.stack
            .settled(&self.owner, &self.chosen.customer, setup, &[state])
            .await
    }

    pub async fn view(&self, setup: &str) -> Value {
        let body = json!({ "customer": self.chosen.customer, "setup": setup });
        self.owner.clone().read("/api/setup", &body).await
    }

    /// The page of the setup, as the server renders it.
    pub async fn page(&self, setup: &str) -> String {
        let path = format!("/customers/{}/setups/{setup}", self.chosen.customer);
        let page = self.owner.clone().open(&path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        page.text()
    }

    /// Rows of a query, as the superuser sees them.
    pub async fn rows(&self, query: &str) -> Vec<Value> {
        let mut database = self.stack.database.superuser().await.expect("a connection");
        let query = format!("select to_jsonb(found) from ({query}) found");
        let rows = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&mut database)
            .await
            .expect("rows");
        sqlx::Connection::close(database).await.expect("an end");
        rows
    }

    pub async fn execute(&self, statement: &str) {
        let mut database = self.stack.database.superuser().await.expect("a connection");
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut database)
            .await
            .expect("an answer");
        sqlx::Connection::close(database).await.expect("an end");
    }

    /// Makes one call of `operation` behave as `action` says, after `skip` normal calls.
    pub fn fault(&self, operation: &str, skip: u64, action: Value) {
        let fault = json!({
            "id": "fault", "operation": operation, "skip": skip, "times": 1, "action": action,
        });
        self.stack.cloud.fault(fault).expect("a fault");
    }

    fn faults(&self) -> String {
        self.stack
            .cloud
            .with_world(|world| world.faults.report().to_string())
    }

    pub fn fired(&self) -> bool {
        self.faults().contains("\"fired\":1")
    }

    /// The cloud's log entries of one operation.
    pub async fn log(&self, operation: &str) -> Vec<Value> {
        let url = format!(
            "{}/_cloud/log?operation={operation}",
            self.stack.cloud.url()
        );
        let log = get_json(&url).await;
        log["log"].as_array().expect("a log").clone()
    }

    pub async fn hangs(&self) {
        until("a call that hangs", || {
            let hangs = self.faults().contains("\"hanging\":1");
            async move { hangs.then_some(()) }
        })
        .await;
    }

    /// Changes the customer's tenant without Postern.
    pub fn change<T>(&self, change: impl FnOnce(&mut Tenant) -> T) -> T {
        self.stack.cloud.with_world(|world| {
            let id = world.tenants.resolve(DOMAIN).expect("a tenant");
            change(world.tenants.get(id).expect("a tenant"))
        })
    }
}
