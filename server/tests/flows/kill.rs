//! A worker that is killed in the middle of a step: another one ends the setup, and nothing is
//! there twice.

use std::process::Stdio;

use secrecy::ExposeSecret as _;
use serde_json::json;
use store::testing::TestDatabase;
use tokio::process::{Child, Command};

use crate::support::{
    SPEED, Stack,
    setups::{Made, made},
    start_cloud, until,
};

const DOMAIN: &str = "fabrikam.example";
/// The key ring of `store::testing`, as a setting.
const KEYS: &str = store::testing::RING;

/// `postern serve --role worker` as a process of its own.
fn worker(stack: &Stack) -> Child {
    let cloud = stack.cloud.url();
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .args(["serve", "--role", "worker", "--log", "text"])
        .env_clear()
        .envs(std::env::var("PATH").map(|path| ("PATH", path)))
        .env("RUST_LOG", "warn")
        .env("DATABASE_URL", stack.database.server_url.expose_secret())
        .env("POSTERN_CLIENT_ID", &stack.accounts.client_id)
        .env("POSTERN_CLIENT_SECRET", &stack.accounts.client_secret)
        .env("POSTERN_PARTNER_TENANTS", &stack.accounts.partner_tenant)
        .env("POSTERN_FIRST_OWNER", stack.accounts.owner())
        .env("POSTERN_MASTER_KEYS", KEYS)
        .env("POSTERN_PACE", SPEED.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    for name in ["POSTERN_AUTHORITY", "POSTERN_GRAPH", "POSTERN_EXCHANGE"] {
        command.env(name, cloud);
    }
    command.spawn().expect("a worker")
}

/// A stack whose own process only serves pages.
async fn without_worker() -> Stack {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    Stack::beside(cloud, accounts, database).await
}

async fn killed_at(operation: &str, when: &str) {
    let stack = without_worker().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let chosen = stack
        .choose(&mut owner, &customer, DOMAIN, "Reception Mailer")
        .await;
    // The review looks too: the fault is for the worker.
    let reviewed = chosen.review(&mut owner).await;
    let fault = json!({
        "id": "hang",
        "operation": operation,
        "times": 1,
        "action": { "hang": when },
    });
    stack.cloud.fault(fault).expect("a fault");
    let setup = chosen
        .start_reviewed(&mut owner, &reviewed, &chosen.application.secret)
        .await;

    let mut first = worker(&stack);
    until("a call that hangs", || {
        let report = stack.cloud.with_world(|world| world.faults.report());
        async move { report.to_string().contains("\"hanging\":1").then_some(()) }
    })
    .await;
    first.start_kill().expect("a kill");
    let ended = first.wait().await.expect("an end");
    assert!(!ended.success());
    stack.cloud.with_world(|world| world.faults.disarm("hang"));

    let mut second = worker(&stack);
    let view = stack.settled(&owner, &customer, &setup, &["done"]).await;
    second.start_kill().expect("a kill");
    assert_eq!(view["proof"], "proven", "{operation} {when}");
    let expected = Made::once(std::slice::from_ref(&chosen.sender));
    assert_eq!(
        made(&stack.tenant(DOMAIN).await, &setup),
        expected,
        "{operation} {when}"
    );
    assert_eq!(stack.count("secrets").await, 0);
}

macro_rules! killed {
    ($($name:ident $operation:literal $when:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            killed_at($operation, $when).await;
        }
    )*};
}

killed! {
    before_it_looks_whether_all_is_ready "Get-OrganizationConfig" "before";
    while_it_looks_whether_all_is_ready "Get-OrganizationConfig" "after";
    before_the_group_is_made "New-DistributionGroup" "before";
    after_the_group_was_made "New-DistributionGroup" "after";
    before_the_group_is_hidden "Set-DistributionGroup" "before";
    after_the_group_was_hidden "Set-DistributionGroup" "after";
    before_it_looks_for_the_group "GET /groups*" "before";
    while_it_waits_for_the_group "GET /groups*" "after";
    before_a_sender_is_added "Add-DistributionGroupMember" "before";
    after_a_sender_was_added "Add-DistributionGroupMember" "after";
    before_the_policy_is_made "New-ApplicationAccessPolicy" "before";
    after_the_policy_was_made "New-ApplicationAccessPolicy" "after";
    before_it_checks "Test-ApplicationAccessPolicy" "before";
    while_it_checks "Test-ApplicationAccessPolicy" "after";
    before_real_mail_is_sent "POST /users/*/sendMail" "before";
    after_real_mail_was_sent "POST /users/*/sendMail" "after";
}

/// Killed while it rolls back: another one ends that, and nothing of the setup is left.
async fn killed_undoing(operation: &str, when: &str) {
    let stack = without_worker().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, DOMAIN).await;
    let mut chosen = stack
        .choose(&mut owner, &customer, DOMAIN, "Reception Mailer")
        .await;
    chosen.prove = false;
    let setup = chosen.start(&mut owner, "").await;
    let mut first = worker(&stack);
    stack.settled(&owner, &customer, &setup, &["done"]).await;
    let fault = json!({
        "id": "hang", "operation": operation, "times": 1, "action": { "hang": when },
    });
    stack.cloud.fault(fault).expect("a fault");
    let fields = [
        ("customer", customer.as_str()),
        ("setup", setup.as_str()),
        ("confirm", "Reception Mailer"),
    ];
    let (status, told) = owner.call_form("/api/roll_back", &fields).await;
    assert_eq!(status, 200, "{told}");
    until("a call that hangs", || {
        let report = stack.cloud.with_world(|world| world.faults.report());
        async move { report.to_string().contains("\"hanging\":1").then_some(()) }
    })
    .await;
    first.start_kill().expect("a kill");
    first.wait().await.expect("an end");
    stack.cloud.with_world(|world| world.faults.disarm("hang"));
    let mut second = worker(&stack);
    let view = stack
        .settled(&owner, &customer, &setup, &["rolled_back"])
        .await;
    second.start_kill().expect("a kill");
    assert_eq!(view["proof"], "none", "{operation} {when}");
    let nothing = Made::NOTHING;
    let left = made(&stack.tenant(DOMAIN).await, &setup);
    assert_eq!(left, nothing, "{operation} {when}");
}

macro_rules! killed_undoing {
    ($($name:ident $operation:literal $when:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            killed_undoing($operation, $when).await;
        }
    )*};
}

killed_undoing! {
    before_the_policy_is_removed "Remove-ApplicationAccessPolicy" "before";
    after_the_policy_was_removed "Remove-ApplicationAccessPolicy" "after";
    before_the_group_is_removed "Remove-DistributionGroup" "before";
    after_the_group_was_removed "Remove-DistributionGroup" "after";
}
