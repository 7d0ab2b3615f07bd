//! Chooses, starts and watches setups.

use serde_json::{Value, json};

use super::{Browser, Stack, accounts::Application, until};

/// A draft in the form of the wizard's last page.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub customer: String,
    pub application: Application,
    /// The application's service principal.
    pub object: String,
    pub sender: String,
    pub refused: Vec<String>,
    pub group: String,
    pub prove: bool,
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array()
        .unwrap_or_else(|| panic!("{list} is no list"))
        .iter()
        .map(|row| row[field].as_str().expect("a text").to_owned())
        .collect()
}

/// The review's form fields `digest` and `text`. Empty texts when the plan does not work.
pub async fn reviewed(browser: &mut Browser, customer: &str, draft: &Value) -> [String; 2] {
    let body = json!({ "customer": customer, "draft": draft });
    let (_, review) = browser.call("/api/review", &body).await;
    shown(&review)
}

/// The form fields of a review's answer.
pub fn shown(review: &Value) -> [String; 2] {
    ["digest", "text"].map(|name| {
        review["shown"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    })
}

impl Chosen {
    pub fn draft(&self) -> Value {
        json!({
            "application": self.object,
            "senders": [self.sender],
            "refused": self.refused,
            "group": self.group,
            "prove": self.prove,
        })
    }

    /// The wizard's query string.
    pub fn query(&self) -> String {
        let mut query = format!(
            "app={}&sender={}&group={}",
            self.object, self.sender, self.group
        );
        for refused in &self.refused {
            query.push_str("&refused=");
            query.push_str(refused);
        }
        if self.prove {
            query.push_str("&prove=1");
        }
        query
    }

    /// The review's form fields for this draft.
    pub async fn review(&self, browser: &mut Browser) -> [String; 2] {
        reviewed(browser, &self.customer, &self.draft()).await
    }

    /// Sends the start form as a program does. Returns the status and the answer.
    pub async fn try_start(&self, browser: &mut Browser, secret: &str) -> (u16, Value) {
        let [digest, shown] = self.review(browser).await;
        let query = self.query();
        let fields = self.fields(&query, &digest, &shown, secret);
        browser.call_form("/api/start_setup", &fields).await
    }

    /// Reviews and starts as a person without JavaScript does. Returns the setup's id.
    pub async fn start(&self, browser: &mut Browser, secret: &str) -> String {
        let shown = self.review(browser).await;
        self.start_reviewed(browser, &shown, secret).await
    }

    /// Starts the reviewed plan.
    pub async fn start_reviewed(
        &self,
        browser: &mut Browser,
        [digest, shown]: &[String; 2],
        secret: &str,
    ) -> String {
        let query = self.query();
        let fields = self.fields(&query, digest, shown, secret);
        let page = browser.send_form("/api/start_setup", &fields).await;
        assert_eq!(page.status, 200, "{}: {}", page.url, page.text());
        let (_, setup) = page
            .url
            .split_once("/setups/")
            .unwrap_or_else(|| panic!("not started: {} {}", page.url, page.text()));
        setup.to_owned()
    }

    fn fields<'a>(
        &'a self,
        query: &'a str,
        digest: &'a str,
        shown: &'a str,
        secret: &'a str,
    ) -> [(&'a str, &'a str); 5] {
        [
            ("customer", &self.customer),
            ("draft", query),
            ("digest", digest),
            ("shown", shown),
            ("secret", secret),
        ]
    }
}

impl Stack {
    /// The wizard's suggestion for an application, with `reception` as the sender.
    pub async fn choose(
        &self,
        browser: &mut Browser,
        customer: &str,
        domain: &str,
        application: &str,
    ) -> Chosen {
        let list = browser
            .read("/api/applications", &json!({ "customer": customer }))
            .await;
        let object = list["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .find(|found| found["name"] == application)
            .unwrap_or_else(|| panic!("{application} is not in {list}"))["object"]
            .as_str()
            .expect("an id")
            .to_owned();
        let mut chosen = Chosen {
            customer: customer.to_owned(),
            application: self.accounts.application(domain, application),
            object,
            sender: format!("reception@{domain}"),
            refused: Vec::new(),
            group: String::new(),
            prove: true,
        };
        let body = json!({ "customer": customer, "draft": chosen.draft() });
        let wizard = browser.read("/api/wizard", &body).await;
        chosen.refused = texts(&wizard["suggested_refused"], "address");
        wizard["suggested_group"]
            .as_str()
            .expect("a name")
            .clone_into(&mut chosen.group);
        chosen
    }

    /// Waits until the setup is in one of the states. Returns the data of its page.
    pub async fn settled(
        &self,
        browser: &Browser,
        customer: &str,
        setup: &str,
        states: &[&str],
    ) -> Value {
        let body = json!({ "customer": customer, "setup": setup });
        let what = format!("{states:?}");
        let found = until(&what, || {
            let (mut browser, body) = (browser.clone(), body.clone());
            async move {
                let view = browser.read("/api/setup", &body).await;
                let state = view["state"].as_str().expect("a state");
                assert!(
                    state != "failed" || states.contains(&"failed"),
                    "it failed: {}",
                    view["steps"]
                );
                let there = states.contains(&state);
                there.then_some(view)
            }
        });
        found.await
    }

    /// The cloud's state of the tenant.
    pub async fn tenant(&self, domain: &str) -> Value {
        let state = self.cloud_state(domain).await;
        state["tenants"][0].clone()
    }
}

/// The objects that a setup made: groups and policies that carry its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The members of each group.
    pub groups: Vec<Vec<String>>,
    pub policies: usize,
}

impl Made {
    pub const NOTHING: Self = Self {
        groups: Vec::new(),
        policies: 0,
    };

    /// One group with these members, and one policy.
    pub fn once(members: &[String]) -> Self {
        Self {
            groups: vec![members.to_vec()],
            policies: 1,
        }
    }
}

pub fn made(tenant: &Value, setup: &str) -> Made {
    let of_setup = |row: &&Value| {
        row["description"]
            .as_str()
            .is_some_and(|text| text.contains(setup))
    };
    let groups = tenant["groups"].as_array().expect("groups");
    let policies = tenant["policies"].as_array().expect("policies");
    Made {
        groups: groups
            .iter()
            .filter(of_setup)
            .map(|group| {
                let members = group["members"].as_array().expect("members");
                members
                    .iter()
                    .map(|member| member.as_str().expect("an address").to_owned())
                    .collect()
            })
            .collect(),
        policies: policies
            .iter()
            .filter(of_setup)
            .filter(|policy| policy["configured"] == true)
            .count(),
    }
}
