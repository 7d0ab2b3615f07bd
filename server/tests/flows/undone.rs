//! Undoing widens nothing elsewhere: what else stands on the group is looked at before it goes, and
//! what stays is said.

use cloud::world::{
    exchange::AssignmentScope,
    tenant::{GroupKind, Tenant},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    begun::{Begun, DOMAIN, MAILER},
    field::{group_with, made_group, policy, role, scope, text},
    setups::{Made, made},
};

/// A setup that is done, without real mail.
async fn done() -> (Begun, String) {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    (begun, setup)
}

async fn roll_back(begun: &mut Begun, setup: &str) -> Value {
    begun
        .ask("roll_back", setup, Some(("confirm", MAILER)))
        .await;
    begun.settled(setup, "rolled_back").await
}

/// What is left of a step.
fn left<'v>(view: &'v Value, kind: &str) -> &'v str {
    let steps = view["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["kind"] == kind);
    text(step.expect("a step"), "left")
}

async fn left_for(change: impl FnOnce(&mut Tenant, Uuid), said: &str) {
    let (mut begun, setup) = done().await;
    begun.change(|tenant| {
        let group = made_group(tenant, &setup).id;
        change(tenant, group);
    });
    let view = roll_back(&mut begun, &setup).await;
    let why = left(&view, "group");
    assert!(why.contains(said), "{why}");
    let there = made(&begun.stack.tenant(DOMAIN).await, &setup);
    assert_eq!((there.groups.len(), there.policies), (1, 0), "{there:?}");
    // Nobody says that the members are gone with a group that is there.
    assert!(!view.to_string().contains("go with"), "{view}");
    assert!(begun.page(&setup).await.contains(said));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m03_a_group_that_limits_a_role_of_another_application_stays() {
    left_for(
        |tenant, group| {
            let other = tenant
                .principals
                .values()
                .find(|one| one.display_name != MAILER && one.owner_tenant == Some(tenant.id))
                .expect("another application")
                .display_name
                .clone();
            role(tenant, &other, "other-mail", AssignmentScope::Group(group));
        },
        "the role assignment other-mail is limited to it",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m15_a_group_that_a_management_scope_filters_by_stays() {
    left_for(
        |tenant, group| {
            let name = tenant.groups[&group].name.clone();
            let dn = tenant.distinguished_name(&name);
            scope(tenant, "robots-scope", format!("MemberOfGroup -eq '{dn}'"));
        },
        "the management scope robots-scope takes in its members",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m15_a_group_inside_another_policys_group_stays() {
    left_for(
        |tenant, group| {
            let outer = group_with(tenant, GroupKind::MailSecurity, "never-these", &[group]);
            policy(tenant, "*", outer, true);
        },
        "it is a member of the group never-these@",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m15_a_group_that_another_policy_denies_by_stays() {
    left_for(
        |tenant, group| policy(tenant, &Uuid::new_v4().to_string(), group, true),
        "another access policy uses it",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m15_what_could_not_be_looked_at_keeps_the_group_and_is_said() {
    let (mut begun, setup) = done().await;
    begun.refusal(
        "Get-ManagementScope",
        None,
        &json!({ "exchange_error": "Something new." }),
    );
    let view = roll_back(&mut begun, &setup).await;
    let why = left(&view, "group");
    assert!(
        why.contains("could not look") && why.contains("Management scopes"),
        "{why}"
    );
    assert_eq!(
        made(&begun.stack.tenant(DOMAIN).await, &setup).groups.len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m15_a_policy_whose_description_somebody_edited_is_not_called_gone() {
    let (mut begun, setup) = done().await;
    begun.change(|tenant| {
        for policy in &mut tenant.exchange.policies {
            "Approved in the board meeting".clone_into(&mut policy.description);
        }
    });
    let view = roll_back(&mut begun, &setup).await;
    let why = left(&view, "policy");
    assert!(why.contains("stays, and has effect"), "{why}");
    assert!(left(&view, "group").contains("another access policy uses it"));
    let standing = begun.change(|tenant| {
        let policies = &tenant.exchange.policies;
        policies.iter().filter(|one| one.removed.is_none()).count()
    });
    assert!(standing >= 1);
    assert!(begun.page(&setup).await.contains("stays, and has effect"));
}

/// The group is known by the id with which Exchange answered, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m12_a_group_whose_description_somebody_edited_is_still_this_setups() {
    let (mut begun, setup) = done().await;
    begun.change(|tenant| {
        "Robots".clone_into(&mut made_group(tenant, &setup).description);
    });
    let view = roll_back(&mut begun, &setup).await;
    let steps = view["steps"].as_array().expect("steps");
    let group = steps.iter().find(|step| step["kind"] == "group");
    assert_eq!(group.expect("a step")["state"], "undone", "{view}");
    let name = begun.chosen.group.clone();
    assert!(begun.change(|tenant| tenant.groups.values().all(|group| group.alias != name)));
}

/// Two setups on one group: the first leaves what the second stands on, and the second takes it
/// along.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m03_a_group_on_which_another_setup_stands_stays() {
    let (mut begun, first) = done().await;
    begun.chosen.group = format!("{}@{DOMAIN}", begun.chosen.group);
    let second = begun.start("").await;
    begun.settled(&second, "done").await;

    let view = roll_back(&mut begun, &first).await;
    assert!(left(&view, "policy").contains("stands on it"), "{view}");
    assert!(left(&view, "group").contains("stays"), "{view}");
    let nothing_gone = Made::once(std::slice::from_ref(&begun.chosen.sender));
    assert_eq!(
        made(&begun.stack.tenant(DOMAIN).await, &first),
        nothing_gone
    );
    assert_eq!(begun.view(&second).await["state"], "done");

    roll_back(&mut begun, &second).await;
    let there = made(&begun.stack.tenant(DOMAIN).await, &first);
    assert_eq!((there.groups.len(), there.policies), (1, 0), "{there:?}");
}

/// Opening is slow too, and is said to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m15_a_roll_back_says_that_opening_takes_as_long() {
    let (mut begun, setup) = done().await;
    let view = roll_back(&mut begun, &setup).await;
    let steps = view["steps"].as_array().expect("steps");
    let summary = |kind: &str| {
        let step = steps.iter().find(|step| step["kind"] == kind);
        text(step.expect("a step"), "summary").to_owned()
    };
    assert!(summary("policy").contains("Opening is slow too"), "{view}");
    assert!(
        summary("group").contains("its members go with it"),
        "{view}"
    );
    assert!(summary("group").contains("were not looked at"), "{view}");
    assert!(!summary("senders").contains("go with"), "{view}");
}
