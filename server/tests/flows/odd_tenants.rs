//! Tenants in which something is unlike elsewhere: a setup ends well there, or says what to do.

use cloud::world::tenant::Tenant;
use serde_json::{Value, json};

use crate::support::{
    Browser, Stack,
    begun::{Begun, DOMAIN, MAILER},
    setups::{Chosen, Made, made},
    until,
};

const ADMIN: &str = "admin@fabrikam.example";

async fn begin() -> (Stack, Browser, Chosen) {
    let begun = Begun::new().await;
    (begun.stack, begun.owner, begun.chosen)
}

/// Starts, and waits for one of the states.
async fn run(stack: &Stack, owner: &mut Browser, chosen: &Chosen, states: &[&str]) -> Value {
    let secret = chosen.application.secret.clone();
    let setup = chosen.start(owner, &secret).await;
    let view = stack.settled(owner, &chosen.customer, &setup, states).await;
    let done = view["state"] == "done";
    let made = made(&stack.tenant(DOMAIN).await, &setup);
    if done {
        let expected = Made {
            groups: vec![vec![chosen.sender.clone()]],
            policies: 1,
        };
        assert_eq!(made, expected);
    }
    view
}

/// The step that failed, and its problem.
fn failed(view: &Value) -> (&str, &Value) {
    let steps = view["steps"].as_array().expect("steps");
    let step = steps
        .iter()
        .find(|step| step["state"] == "failed")
        .unwrap_or_else(|| panic!("nothing failed: {view}"));
    (step["kind"].as_str().expect("a kind"), &step["problem"])
}

fn says_what_to_do(problem: &Value) {
    for part in ["happened", "means", "todo"] {
        let text = problem[part].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "no {part}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_that_exchange_changes_does_not_matter() {
    let (stack, mut owner, chosen) = begin().await;
    let suffix = json!({ "tenant": DOMAIN, "name_suffix": true });
    stack.control("tenants", &suffix).await;
    let view = run(&stack, &mut owner, &chosen, &["done"]).await;
    assert_eq!(view["proof"], "proven");
    let tenant = stack.tenant(DOMAIN).await;
    let names = tenant["groups"].as_array().expect("groups").iter();
    let ours = |name: &str| name.starts_with(&chosen.group) && name != chosen.group;
    assert!(
        names.filter_map(|group| group["name"].as_str()).any(ours),
        "no name was changed: {}",
        tenant["groups"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_that_list_everything_mislead_nobody() {
    let (stack, mut owner, chosen) = begin().await;
    let everything = json!({ "unknown_identity_lists_all": true });
    stack.control("delays", &everything).await;
    // Whatever is listed for the group that is not there yet, none of it is taken for it.
    let view = run(&stack, &mut owner, &chosen, &["done"]).await;
    assert_eq!(view["proof"], "proven");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_is_never_listed_is_told() {
    let (stack, mut owner, chosen) = begin().await;
    let unlisted = json!({ "tenant": DOMAIN, "unlisted_members": ["SharedMailbox"] });
    stack.control("tenants", &unlisted).await;
    let view = run(&stack, &mut owner, &chosen, &["failed"]).await;
    let (kind, problem) = failed(&view);
    assert_eq!(kind, "senders");
    assert_eq!(problem["key"], "senders.not_listed", "{problem}");
    let happened = problem["happened"].as_str().expect("a sentence");
    assert!(happened.contains(&chosen.sender), "{happened}");
    says_what_to_do(problem);
    assert_eq!(view["proof"], "none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_in_other_words_proves_nothing_and_is_quoted() {
    let (stack, mut owner, chosen) = begin().await;
    let german = json!({ "tenant": DOMAIN, "check_words": "german" });
    stack.control("tenants", &german).await;
    let view = run(&stack, &mut owner, &chosen, &["failed"]).await;
    let (kind, problem) = failed(&view);
    assert_eq!(kind, "check");
    let happened = problem["happened"].as_str().expect("a sentence");
    assert!(happened.contains("Gewährt"), "{happened}");
    says_what_to_do(problem);
    // The policy stands, and nothing more is claimed of it.
    assert_eq!(view["proof"], "configured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_without_words_is_understood() {
    let (stack, mut owner, chosen) = begin().await;
    let boolean = json!({ "tenant": DOMAIN, "check_words": "boolean" });
    stack.control("tenants", &boolean).await;
    let view = run(&stack, &mut owner, &chosen, &["done"]).await;
    assert_eq!(view["proof"], "proven");
}

/// A setup that waits for its secret when Entra begins to demand something: going on says so.
async fn demanded(tenant: Value, user: Option<Value>) -> Value {
    let (stack, mut owner, chosen) = begin().await;
    let setup = chosen.start(&mut owner, "").await;
    stack
        .settled(&owner, &chosen.customer, &setup, &["needs_secret"])
        .await;
    stack.control("tenants", &tenant).await;
    if let Some(user) = user {
        stack.control("users", &user).await;
    }
    // Access tokens are in memory only, and would do for an hour.
    let stack = stack.restarted().await;
    let fields = [
        ("customer", chosen.customer.as_str()),
        ("setup", setup.as_str()),
        ("confirm", MAILER),
    ];
    let (status, told) = owner.call_form("/api/roll_back", &fields).await;
    assert_eq!(status, 200, "{told}");
    let view = stack
        .settled(&owner, &chosen.customer, &setup, &["failed"])
        .await;
    let (_, problem) = failed(&view);
    says_what_to_do(problem);
    assert_eq!(problem["remedy"], "consent", "{problem}");
    let problem = problem.clone();

    // Whoever signs in anew, with what is asked for, lets it go on.
    let page = owner
        .send_form("/api/reconnect", &[("customer", &chosen.customer)])
        .await;
    let page = owner.consent(page, ADMIN, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let (status, told) = owner.call_form("/api/retry_setup", &fields[..2]).await;
    assert_eq!(status, 200, "{told}");
    stack
        .settled(&owner, &chosen.customer, &setup, &["rolled_back"])
        .await;
    let nothing = Made {
        groups: Vec::new(),
        policies: 0,
    };
    assert_eq!(made(&stack.tenant(DOMAIN).await, &setup), nothing);
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
        let tenant: &mut Tenant = world.tenants.get(id).expect("a tenant");
        let found = tenant
            .principals
            .values()
            .find(|principal| principal.display_name == MAILER);
        found.expect("an application").id.to_string()
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
    let view = run(&stack, &mut owner, &chosen, &["done"]).await;
    assert_eq!(view["proof"], "proven");
}
