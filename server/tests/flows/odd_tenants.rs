//! Tenants in which something is unlike elsewhere: a setup ends well there, or says what to do.

use serde_json::{Value, json};

use crate::support::{
    Stack,
    begun::{Begun, DOMAIN, MAILER},
    field::{failed, mailer, text},
    setups::{Chosen, Made, made},
    until,
};

const ADMIN: &str = "admin@fabrikam.example";

/// Starts, and waits for one of the states.
async fn run(begun: &mut Begun, states: &[&str]) -> Value {
    let Begun {
        stack,
        owner,
        chosen,
        ..
    } = begun;
    let secret = chosen.application.secret.clone();
    let setup = chosen.start(owner, &secret).await;
    let view = stack.settled(owner, &chosen.customer, &setup, states).await;
    let done = view["state"] == "done";
    let made = made(&stack.tenant(DOMAIN).await, &setup);
    if done {
        assert_eq!(made, Made::once(std::slice::from_ref(&chosen.sender)));
    }
    view
}

/// The kind of the step that failed.
fn failed_step(view: &Value) -> &str {
    let steps = view["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["state"] == "failed");
    text(step.expect("a failed step"), "kind")
}

fn says_what_to_do(problem: &Value) {
    for part in ["happened", "means", "todo"] {
        let text = problem[part].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "no {part}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_that_exchange_changes_does_not_matter() {
    let mut begun = Begun::new().await;
    let suffix = json!({ "tenant": DOMAIN, "name_suffix": true });
    begun.stack.control("tenants", &suffix).await;
    let view = run(&mut begun, &["done"]).await;
    assert_eq!(view["proof"], "proven");
    let tenant = begun.stack.tenant(DOMAIN).await;
    let group = begun.chosen.group.as_str();
    let names = tenant["groups"].as_array().expect("groups").iter();
    let ours = |name: &str| name.starts_with(group) && name != group;
    assert!(
        names.filter_map(|group| group["name"].as_str()).any(ours),
        "no name was changed: {}",
        tenant["groups"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_that_list_everything_mislead_nobody() {
    let mut begun = Begun::new().await;
    let everything = json!({ "unknown_identity_lists_all": true });
    begun.stack.control("delays", &everything).await;
    // Whatever is listed for the group that is not there yet, none of it is taken for it.
    let view = run(&mut begun, &["done"]).await;
    assert_eq!(view["proof"], "proven");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_is_never_listed_is_told() {
    let mut begun = Begun::new().await;
    let unlisted = json!({ "tenant": DOMAIN, "unlisted_members": ["SharedMailbox"] });
    begun.stack.control("tenants", &unlisted).await;
    let view = run(&mut begun, &["failed"]).await;
    let problem = failed(&view);
    assert_eq!(failed_step(&view), "senders");
    assert_eq!(problem["key"], "senders.not_listed", "{problem}");
    let happened = problem["happened"].as_str().expect("a sentence");
    assert!(happened.contains(&begun.chosen.sender), "{happened}");
    says_what_to_do(problem);
    assert_eq!(view["proof"], "none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_in_other_words_proves_nothing_and_is_quoted() {
    let mut begun = Begun::new().await;
    let german = json!({ "tenant": DOMAIN, "check_words": "german" });
    begun.stack.control("tenants", &german).await;
    let view = run(&mut begun, &["failed"]).await;
    let problem = failed(&view);
    assert_eq!(failed_step(&view), "check");
    let happened = problem["happened"].as_str().expect("a sentence");
    assert!(happened.contains("Gewährt"), "{happened}");
    says_what_to_do(problem);
    // The policy stands, and nothing more is claimed of it.
    assert_eq!(view["proof"], "configured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_without_words_is_understood() {
    let mut begun = Begun::new().await;
    let boolean = json!({ "tenant": DOMAIN, "check_words": "boolean" });
    begun.stack.control("tenants", &boolean).await;
    let view = run(&mut begun, &["done"]).await;
    assert_eq!(view["proof"], "proven");
}

/// A setup that waits for its secret when Entra begins to demand something: going on says so.
async fn demanded(tenant: Value, user: Option<Value>) -> Value {
    let mut begun = Begun::new().await;
    let setup = begun.started("").await;
    begun.settled(&setup, "needs_secret").await;
    begun.stack.control("tenants", &tenant).await;
    if let Some(user) = user {
        begun.stack.control("users", &user).await;
    }
    // Access tokens are in memory only, and would do for an hour.
    let mut begun = begun.restarted().await;
    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    let view = begun.settled(&setup, "failed").await;
    let problem = failed(&view);
    says_what_to_do(problem);
    assert_eq!(problem["remedy"], "consent", "{problem}");
    let problem = problem.clone();

    // Whoever signs in anew, with what is asked for, lets it go on.
    let fields = [("customer", begun.chosen.customer.as_str())];
    let page = begun.owner.send_form("/api/reconnect", &fields).await;
    let page = begun.owner.consent(page, ADMIN, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    begun.ask("retry_setup", &setup, None).await;
    begun.settled(&setup, "rolled_back").await;
    assert_eq!(
        made(&begun.stack.tenant(DOMAIN).await, &setup),
        Made::NOTHING
    );
    problem
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conditional_access_is_told_and_met_by_signing_in() {
    let problem = demanded(
        json!({ "tenant": DOMAIN, "conditional_access": 50076 }),
        None,
    )
    .await;
    assert_eq!(problem["key"], "entra.mfa_required", "{problem}");
    assert_eq!(problem["microsoft"]["code"], "AADSTS50076", "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_in_that_is_too_long_ago_is_told_and_renewed() {
    let problem = demanded(
        json!({ "tenant": DOMAIN, "sign_in_frequency": 3600 }),
        Some(json!({ "upn": ADMIN, "age_tokens": 7200 })),
    )
    .await;
    assert_eq!(problem["key"], "entra.sign_in_frequency", "{problem}");
    assert_eq!(problem["microsoft"]["code"], "AADSTS70043", "{problem}");
}

/// Far longer than a test takes, at whatever pace. Seconds.
const MONTH: u64 = 30 * 24 * 3600;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_consent_that_spreads_slowly_is_waited_for() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let slow = json!({ "consent": [MONTH, MONTH] });
    stack.control("delays", &slow).await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let application = stack.accounts.application(DOMAIN, MAILER);
    let object = stack.cloud.with_world(|world| {
        let id = world.tenants.resolve(DOMAIN).expect("a tenant");
        mailer(world.tenants.get(id).expect("a tenant"))
            .0
            .to_string()
    });
    let chosen = Chosen {
        customer,
        application,
        object,
        sender: format!("reception@{DOMAIN}"),
        refused: vec![format!("info@{DOMAIN}")],
        group: "postern-slow-consent".to_owned(),
        prove: true,
    };
    let secret = chosen.application.secret.clone();
    let (status, told) = chosen.try_start(&mut owner, &secret).await;
    assert_ne!(status, 200, "the consent was there at once");
    assert_eq!(told["problem"]["key"], "entra.consent_missing", "{told}");
    says_what_to_do(&told["problem"]);
    // Nothing but waiting is needed, and nothing was lost: the connection stands.
    stack.cloud.advance(MONTH);
    until("what was consented to", || {
        let (mut owner, chosen) = (owner.clone(), chosen.clone());
        async move {
            let body = json!({ "customer": chosen.customer, "draft": chosen.draft() });
            let (status, _) = owner.call("/api/review", &body).await;
            (status == 200).then_some(())
        }
    })
    .await;
    let mut begun = Begun {
        senders: vec![chosen.sender.clone()],
        stack,
        owner,
        chosen,
    };
    let view = run(&mut begun, &["done"]).await;
    assert_eq!(view["proof"], "proven");
}
