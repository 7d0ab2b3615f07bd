//! What no wait helps against is said at once; a pause that Microsoft asks for is kept.

use serde_json::{Value, json};

use crate::support::{
    SPEED,
    begun::{Begun, DOMAIN, MAILER},
    get_json,
    setups::made,
};

impl Begun {
    async fn give_secret(&mut self, setup: &str) {
        let secret = self.chosen.application.secret.clone();
        self.ask("give_secret", setup, Some(("secret", &secret)))
            .await;
    }

    async fn enable_application(&self, enabled: bool) {
        let app_id = self.app_id().await;
        let body = json!({ "tenant": DOMAIN, "app_id": app_id, "enabled": enabled });
        self.stack.control("applications", &body).await;
    }

    async fn app_id(&self) -> String {
        let accounts = get_json(&format!("{}/_cloud/accounts", self.stack.cloud.url())).await;
        let tenant = self.stack.accounts.tenant_of(DOMAIN);
        let found = accounts["applications"]
            .as_array()
            .expect("applications")
            .iter()
            .find(|found| found["tenant_id"] == tenant.as_str() && found["name"] == MAILER)
            .expect("the application")
            .clone();
        found["app_id"].as_str().expect("an id").to_owned()
    }

    async fn health(&mut self) -> Value {
        let body = json!({ "customer": self.chosen.customer });
        let view = self.owner.read("/api/customer", &body).await;
        view["connection"]["health"]["health"].clone()
    }
}

/// The problem of the failed step.
fn problem(view: &Value) -> &Value {
    view["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .find(|step| step["state"] == "failed")
        .map(|step| &step["problem"])
        .unwrap_or_else(|| panic!("nothing failed: {view}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_application_that_cannot_sign_in_does_not_break_the_connection() {
    let mut begun = Begun::new().await;
    let setup = begun.chosen.start(&mut begun.owner, "").await;
    begun.settled(&setup, "needs_secret").await;
    let refusals = [
        ("AADSTS7000112", "prove.application_disabled"),
        ("AADSTS700016", "prove.application_not_found"),
        ("AADSTS53003", "prove.conditional_access"),
        ("AADSTS65001", "prove.sign_in_refused"),
        ("AADSTS7000222", "entra.secret_expired"),
    ];
    for (code, key) in refusals {
        let fault = json!({
            "id": "refused", "operation": "token:client_credentials",
            "action": { "entra_error": code },
        });
        begun.stack.cloud.fault(fault).expect("a fault");
        begun.give_secret(&setup).await;
        let view = begun.settled(&setup, "failed").await;
        let told = problem(&view);
        assert_eq!(told["key"], key, "{told}");
        assert_eq!(told["remedy"], "act", "{told}");
        assert_eq!(told["microsoft"]["code"], code, "{told}");
        assert_eq!(begun.health().await, "good", "{code}");
        // The secret of the next round comes while this one's run may not have ended yet.
        begun.ask("retry_setup", &setup, None).await;
    }
    let broken = "events where kind = 'connection.broken'";
    assert_eq!(begun.stack.count(broken).await, 0);
    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("refused"));

    // As Entra does it of its own.
    begun.enable_application(false).await;
    begun.give_secret(&setup).await;
    let view = begun.settled(&setup, "failed").await;
    assert_eq!(problem(&view)["key"], "prove.application_disabled");
    assert_eq!(begun.health().await, "good");
    begun.enable_application(true).await;
    begun.ask("retry_setup", &setup, None).await;
    begun.give_secret(&setup).await;
    assert_eq!(begun.settled(&setup, "done").await["proof"], "proven");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_throttled_proof_sends_nothing_before_the_pause_is_over() {
    let mut begun = Begun::new().await;
    assert!(begun.chosen.refused.len() > 1);
    let fault = json!({
        "id": "busy", "operation": "*sendMail", "times": 1,
        "action": { "status": 503, "retry_after": 2 },
    });
    begun.stack.cloud.fault(fault).expect("a fault");
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.chosen.start(&mut begun.owner, &secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven");
    // The run ended with that mail: the others were not even tried.
    let tried = view["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .flat_map(|step| step["probes"].as_array().expect("probes"))
        .flat_map(|probe| probe["looks"].as_array().expect("looks"))
        .filter(|look| look["run"] == 1);
    assert_eq!(tried.count(), 1, "{}", view["steps"]);
    let mut sent: Vec<(u64, u16, i64)> = begun.stack.cloud.with_world(|world| {
        let entries = world.books.log();
        entries
            .filter(|entry| entry.operation.ends_with("sendMail"))
            .map(|entry| (entry.number, entry.status, entry.time.timestamp_millis()))
            .collect()
    });
    sent.sort_by_key(|(number, ..)| *number);
    assert_eq!(sent[0].1, 503);
    let pause = std::time::Duration::from_millis((sent[1].2 - sent[0].2).unsigned_abs());
    let pause = pause.div_f64(SPEED);
    assert!(
        pause.as_millis() >= 1_900,
        "the next mail left after {pause:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_permission_that_is_gone_is_told_at_once() {
    let mut begun = Begun::new().await;
    let setup = begun.chosen.start(&mut begun.owner, "").await;
    begun.settled(&setup, "needs_secret").await;
    let tenant = begun.stack.accounts.tenant_of(DOMAIN);
    let object = begun.chosen.object.clone();
    begun.stack.cloud.with_world(|world| {
        let id = tenant.parse().expect("an id");
        let tenant = world.tenants.get(id).expect("a tenant");
        let before = tenant.assignments.len();
        tenant
            .assignments
            .retain(|grant| grant.principal.to_string() != object);
        assert!(tenant.assignments.len() < before);
    });
    begun.give_secret(&setup).await;
    let view = begun.settled(&setup, "failed").await;
    let told = problem(&view);
    assert_eq!(told["key"], "prove.permission_gone", "{told}");
    assert!(begun.stack.outbox().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_test_in_another_language_is_told_at_once() {
    let mut begun = Begun::new().await;
    let words = json!({ "tenant": DOMAIN, "check_words": "german" });
    begun.stack.control("tenants", &words).await;
    begun.chosen.prove = false;
    let setup = begun.chosen.start(&mut begun.owner, "").await;
    let view = begun.settled(&setup, "failed").await;
    let told = problem(&view);
    assert_eq!(told["key"], "check.not_understood", "{told}");
    let happened = told["happened"].as_str().expect("words");
    assert!(happened.contains('“'), "{happened}");
    // Once the account speaks English it goes on.
    let words = json!({ "tenant": DOMAIN, "check_words": "english" });
    begun.stack.control("tenants", &words).await;
    begun.ask("retry_setup", &setup, None).await;
    assert_eq!(begun.settled(&setup, "done").await["proof"], "checked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_is_never_listed_is_added_once_and_told() {
    let mut begun = Begun::new().await;
    let unlisted = |kinds: &[&str]| json!({ "tenant": DOMAIN, "unlisted_members": kinds });
    begun
        .stack
        .control("tenants", &unlisted(&["SharedMailbox"]))
        .await;
    begun.chosen.prove = false;
    let setup = begun.chosen.start(&mut begun.owner, "").await;
    let view = begun.settled(&setup, "failed").await;
    let told = problem(&view);
    assert_eq!(told["key"], "senders.not_listed", "{told}");
    let happened = told["happened"].as_str().expect("words");
    assert!(happened.contains(&begun.chosen.sender), "{happened}");
    let added = begun.log("Add-DistributionGroupMember").await;
    assert_eq!(added.len(), 1, "{added:?}");
    let looks = begun.log("Get-DistributionGroupMember").await;
    // Before, after the change, and then again: how often, the machine decides, for the hour that it
    // is given is half a second here.
    assert!(looks.len() >= 3, "it looked {} times", looks.len());

    begun.stack.control("tenants", &unlisted(&[])).await;
    begun.ask("retry_setup", &setup, None).await;
    assert_eq!(begun.settled(&setup, "done").await["proof"], "checked");
    let members = made(&begun.stack.tenant(DOMAIN).await, &setup).groups;
    assert_eq!(members, [[begun.chosen.sender.clone()]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_senders_are_looked_up_in_a_few_calls() {
    // Nobody else asks anything meanwhile.
    let mut begun = Begun::without_worker().await;
    let mut senders = vec![begun.chosen.sender.clone()];
    for number in 1..200 {
        let upn = format!("sender{number}@{DOMAIN}");
        let user = json!({ "upn": upn, "create": true, "mailbox": "shared" });
        begun.stack.control("users", &user).await;
        senders.push(upn);
    }
    let mut draft = begun.chosen.draft();
    draft["senders"] = json!(senders);
    let body = json!({ "customer": begun.chosen.customer, "draft": draft });
    for path in ["/api/wizard", "/api/review"] {
        let before = calls(&begun).await;
        let page = begun.owner.read(path, &body).await;
        let told = page["senders"]
            .as_array()
            .or(page["plan"]["senders"].as_array());
        assert_eq!(told.expect("senders").len(), 200, "{path}");
        let calls = calls(&begun).await - before;
        assert!(calls < 40, "{path} took {calls} calls");
    }
}

/// Requests that Exchange answered; those of a batch are one.
async fn calls(begun: &Begun) -> usize {
    let url = format!("{}/_cloud/log?host=exchange", begun.stack.cloud.url());
    let log = get_json(&url).await;
    let entries = log["log"].as_array().expect("a log");
    entries
        .iter()
        .filter(|entry| entry["batched"] != true)
        .count()
}

/// It was there a moment ago: one answer that does not know it ends nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mailbox_that_the_test_does_not_find_is_looked_for_again() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let misled = json!({ "wrong_tenant": true });
    begun.fault("Test-ApplicationAccessPolicy", 0, misled);
    let setup = begun.chosen.start(&mut begun.owner, "").await;
    let view = begun.settled(&setup, "done").await;
    assert!(begun.fired());
    assert_eq!(view["proof"], "checked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mailbox_that_is_gone_is_named() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let gone = json!({
        "id": "gone", "operation": "Test-ApplicationAccessPolicy",
        "action": {
            "exchange_error": "The operation couldn't be performed because object 'x' couldn't be found on 'y'.",
            "type": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
        },
    });
    begun.stack.cloud.fault(gone).expect("a fault");
    let setup = begun.chosen.start(&mut begun.owner, "").await;
    let view = begun.settled(&setup, "failed").await;
    let told = problem(&view);
    let happened = told["happened"].as_str().expect("words");
    let named = format!("Exchange's test does not find {}", begun.chosen.sender);
    assert!(happened.contains(&named), "{told}");
    assert_eq!(view["proof"], "configured");

    begun
        .stack
        .cloud
        .with_world(|world| world.faults.disarm("gone"));
    begun.ask("retry_setup", &setup, None).await;
    assert_eq!(begun.settled(&setup, "done").await["proof"], "checked");
}
