//! What a plan means beside whom the application may send as: said in the review, on the page of
//! the setup, in its history and downloads, and on the page of the application.

use cloud::world::tenant::Tenant;
use serde_json::{Value, json};

use crate::support::{
    Stack,
    begun::{Begun, DOMAIN},
    field::{application, mailer},
    get_json,
    setups::Chosen,
    until,
};

fn at(name: &str) -> String {
    format!("{name}@{DOMAIN}")
}

impl Begun {
    /// The review as a page.
    async fn review_page(&mut self) -> String {
        let page = format!(
            "/customers/{}/setups/new?{}&step=review",
            self.chosen.customer,
            self.chosen.query()
        );
        self.owner.open(&page).await.text()
    }

    async fn download(&mut self, path: &str) -> String {
        let path = format!("/customers/{}/{path}", self.chosen.customer);
        let file = self.owner.open(&path).await;
        assert_eq!(file.status, 200, "{path}");
        file.body
    }

    /// The page of the application, as the server draws it.
    async fn application_page(&mut self) -> String {
        let Chosen {
            customer, object, ..
        } = self.chosen.clone();
        let page = format!("/customers/{customer}/applications/{object}");
        let page = self
            .owner
            .read("/api/drawn", &json!({ "page": page }))
            .await;
        page["html"].as_str().expect("markup").to_owned()
    }

    async fn done_event(&self) -> Value {
        let rows = self
            .rows("select what, after from events where kind = 'setup.done'")
            .await;
        rows.last().expect("the end").clone()
    }
}

fn takes(review: &Value) -> String {
    review["takes"].to_string()
}

/// Who may send on behalf of a mailbox.
fn on_behalf(tenant: &mut Tenant, of: &str, holder: &str) {
    let of = tenant.user(of).expect("an account").id;
    let holder = tenant.user(holder).expect("an account").id;
    let extras = tenant.exchange.extras.entry(of).or_default();
    extras.send_on_behalf.push(holder);
}

async fn send_as(stack: &Stack, holder: &str, others: &[String]) {
    let body = json!({ "upn": holder, "send_as": others });
    stack.control("users", &body).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b20_as_whom_permitted_mail_may_appear_is_said_everywhere() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let sender = begun.chosen.sender.clone();
    send_as(&begun.stack, &sender, &[at("admin"), at("everyone")]).await;
    begun.change(|tenant| on_behalf(tenant, &at("user"), &sender));
    let held = format!(
        "{sender} holds Send As on {} and {}",
        at("admin"),
        at("everyone")
    );
    let behalf = format!("{sender} holds Send on Behalf on {}", at("user"));
    let told = |text: &str| {
        for words in [
            held.as_str(),
            &behalf,
            "reported both ways",
            "as a member of a group",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(!text.contains("did not look at these rights"), "{text}");
    };
    let before = begun.log("*-*").await.len();
    told(&takes(&begun.reviewed().await));
    let log = begun.log("*-*").await;
    let asked = |operation: &str| {
        let new = log.iter().skip(before);
        new.filter(|entry| entry["operation"] == operation).count()
    };
    assert_eq!(
        asked("Get-RecipientPermission"),
        1,
        "one call for one sender"
    );
    told(&begun.review_page().await);

    let setup = begun.start("").await;
    let view = begun.settled(&setup, "done").await;
    told(&view["means"].to_string());
    told(&begun.page(&setup).await);
    let done = begun.done_event().await;
    told(done["what"].as_str().expect("words"));
    told(&done["after"].to_string());
    told(&begun.download("history.csv").await);
    let page = begun.application_page().await;
    told(&page);
    assert!(page.contains("As whom its mail may appear"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b20_rights_that_nobody_could_read_are_said_and_stop_nothing() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    begun.refusal(
        "Get-RecipientPermission",
        None,
        &json!({ "exchange_error": "Something new." }),
    );
    let not_read = "Send As of the permitted mailboxes could not be read";
    let none = "As far as could be read, no permitted mailbox holds Send on Behalf on another";
    let told = |text: &str| {
        assert!(text.contains(not_read), "{text}");
        // The other half was read, and nothing is said of the first.
        assert!(text.contains(none), "{text}");
        assert!(!text.contains("holds Send As"), "{text}");
    };
    told(&takes(&begun.reviewed().await));
    let setup = begun.start("").await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    told(&begun.page(&setup).await);
    told(begun.done_event().await["what"].as_str().expect("words"));
    told(&begun.application_page().await);
}

/// A setup of an older version looked at none of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b20_a_setup_that_never_looked_says_so() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    begun
        .execute("update steps set body = body - 'effects'")
        .await;
    let page = begun.page(&setup).await;
    assert!(page.contains("did not look at these rights"), "{page}");
    assert!(!page.contains("does not hold"), "{page}");
    // The reading after the setup says that it is confined.
    let page = until("a confined application", || {
        let mut begun = (begun.owner.clone(), begun.chosen.clone());
        async move {
            let (customer, object) = (&begun.1.customer, &begun.1.object);
            let page = format!("/customers/{customer}/applications/{object}");
            let page = begun.0.read("/api/drawn", &json!({ "page": page })).await;
            let html = page["html"].as_str()?.to_owned();
            html.contains("narrowed by access policies").then_some(html)
        }
    })
    .await;
    assert!(page.contains("did not look at these rights"), "{page}");
}

/// The proof shows from which mailboxes it sends; it never says that nobody else can appear.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m14_a_proof_stands_beside_the_senders_that_a_mail_may_name() {
    let mut begun = Begun::new().await;
    let (sender, refused) = (begun.chosen.sender.clone(), begun.chosen.refused[0].clone());
    send_as(&begun.stack, &sender, std::slice::from_ref(&refused)).await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven", "{view}");
    let page = begun.page(&setup).await;
    let held = format!("{sender} holds Send As on {refused}");
    assert!(page.contains(&held), "{page}");
    assert!(page.contains("Postern did not try it"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b29_it_is_said_that_recipients_are_not_limited() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let told = |text: &str| {
        for words in ["not to whom", "transport rules"] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    };
    told(&takes(&begun.reviewed().await));
    told(&begun.review_page().await);
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    told(&begun.page(&setup).await);
    told(&begun.download("history.csv").await);
    told(&begun.download("history.json").await);
    let script = begun.download(&format!("setups/{setup}/script.ps1")).await;
    told(&script.replace("\r\n# ", " "));
    // Of a policy that is gone nothing is said.
    begun
        .ask("roll_back", &setup, Some(("confirm", "Reception Mailer")))
        .await;
    begun.settled(&setup, "rolled_back").await;
    assert!(!begun.page(&setup).await.contains("not to whom"));
}

/// Sends a mail as an application, with its own secret. Gives the status.
async fn send(stack: &Stack, app: &str, secret: &str, from: &str) -> u16 {
    let http = reqwest::Client::new();
    let url = stack.cloud.url();
    let tenant = stack.accounts.tenant_of(DOMAIN);
    let form = [
        ("client_id", app),
        ("client_secret", secret),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let token: Value = http
        .post(format!("{url}/{tenant}/oauth2/v2.0/token"))
        .form(&form)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let token = token["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token: {token}"));
    let mail = json!({ "message": {
        "subject": "From the other one",
        "body": { "contentType": "Text", "content": "x" },
        "toRecipients": [{ "emailAddress": { "address": at("info") } }],
    }});
    let sent = http
        .post(format!("{url}/v1.0/users/{from}/sendMail"))
        .bearer_auth(token)
        .json(&mail)
        .send()
        .await
        .expect("an answer");
    sent.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b32_only_this_application_is_limited_and_its_delegated_grants_are_not() {
    let mut begun = Begun::new().await;
    let register = json!({
        "tenant": DOMAIN, "name": "Second Mailer", "grants": ["graph:Mail.Send"],
        "secret": "of the second mailer",
    });
    begun.stack.control("applications", &register).await;
    let (other, own) = begun.change(|tenant| {
        (
            application(tenant, "Second Mailer").1.to_string(),
            mailer(tenant).0.to_string(),
        )
    });
    let consent = json!({
        "tenant": DOMAIN, "to": own, "resource": "graph", "scope": "Mail.Read", "users": ["*"],
    });
    begun.stack.control("consents", &consent).await;
    let told = |text: &str| {
        for words in [
            "Other applications are not touched",
            "people do who sign in themselves",
            "Not limited: the delegated permissions of Reception Mailer",
            "Mail.Read of Microsoft Graph",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    };
    told(&takes(&begun.reviewed().await));
    told(&begun.review_page().await);

    let secret = "of the second mailer";
    let admin = at("admin");
    let mut sent = 0;
    let setup = begun.start("").await;
    // Before the policy, while it waits for the secret, and after the proof.
    for state in ["needs_secret", "done"] {
        assert_eq!(send(&begun.stack, &other, secret, &admin).await, 202);
        begun.settled(&setup, state).await;
        assert_eq!(send(&begun.stack, &other, secret, &admin).await, 202);
        sent += 2;
        if state == "needs_secret" {
            let secret = begun.chosen.application.secret.clone();
            begun
                .ask("give_secret", &setup, Some(("secret", &secret)))
                .await;
        }
    }
    let view = begun.view(&setup).await;
    assert_eq!(view["proof"], "proven", "{view}");
    told(&begun.page(&setup).await);
    told(&begun.download("history.csv").await);
    let script = begun.download(&format!("setups/{setup}/script.ps1")).await;
    let script = script.replace("\r\n# ", " ");
    assert!(
        script.contains("Other applications are not touched"),
        "{script}"
    );
    assert!(
        script.contains("delegated permissions are not limited"),
        "{script}"
    );

    let url = format!("{}/_cloud/outbox", begun.stack.cloud.url());
    let outbox = get_json(&url).await;
    let mails = outbox["outbox"].as_array().expect("mails");
    let of_the_other = mails
        .iter()
        .filter(|mail| mail["from"] == admin.as_str() && mail["subject"] == "From the other one");
    assert_eq!(of_the_other.count(), sent, "{mails:?}");
    // What the other one reaches is what it reached before.
    let customer = begun.chosen.customer.clone();
    begun
        .owner
        .send_form("/api/scan_one", &[("customer", customer.as_str())])
        .await;
    let row = until("a reading with the other one", || {
        let mut owner = begun.owner.clone();
        async move {
            let rows = owner.open("/exposure.json?by=each").await.body;
            let rows: Value = serde_json::from_str(&rows).expect("JSON");
            let mut rows = rows.as_array().expect("rows").iter();
            rows.find(|row| row["name"] == "Second Mailer").cloned()
        }
    })
    .await;
    assert_eq!(row["tally"]["unrestricted"], 1, "{row}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m11_everything_that_the_policy_narrows_is_said_before_and_after() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let app = begun.change(|tenant| mailer(tenant).1.to_string());
    let more = json!({
        "tenant": DOMAIN, "app_id": app,
        "grants": ["graph:Calendars.Read", "graph:Mail.ReadWrite", "graph:MailTips.ReadBasic.All"],
    });
    begun.stack.control("applications", &more).await;
    let told = |text: &str| {
        let (_, said) = text
            .split_once("from then on it can ")
            .unwrap_or_else(|| panic!("not said in {text}"));
        let (said, _) = said
            .split_once(" only in the permitted mailboxes too")
            .unwrap_or_else(|| panic!("not said in {text}"));
        assert!(said.contains("(Calendars.Read)"), "{said}");
        assert!(said.contains("(Mail.ReadWrite)"), "{said}");
        // Sending is what the plan is about; tips no policy governs.
        assert!(!said.contains("Mail.Send"), "{said}");
        assert!(!said.contains("MailTips"), "{said}");
    };
    let review = begun.reviewed().await;
    told(&takes(&review));
    assert!(takes(&review).contains("Choose a time"), "{review}");
    told(&begun.review_page().await);
    // The tips, which no policy governs, are confirmed.
    let open = review["confirm"].as_array().expect("what stays open");
    assert_eq!(open.len(), 1, "{open:?}");
    let open: Vec<String> = open
        .iter()
        .map(|one| one.as_str().expect("a sentence").to_owned())
        .collect();
    let setup = begun.start_accepting("", &open).await;
    begun.settled(&setup, "done").await;
    told(&begun.page(&setup).await);
    told(&begun.done_event().await["after"].to_string());
}
