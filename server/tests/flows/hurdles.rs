//! What stands in a setup's way is found before anything is made, and told as one plain action.

use cloud::{
    permissions::{DirectoryRole, Resource},
    world::{
        exchange::AssignmentScope,
        tenant::{Change, Membership, Tenant},
    },
};

use crate::support::{
    begun::{Begun, DOMAIN, MAILER},
    field::{group, made_group, mailer, policy, role},
    setups::made,
};

fn admin(tenant: &mut Tenant, role: DirectoryRole) {
    let admin = format!("admin@{DOMAIN}");
    let found = tenant.users.values_mut().find(|user| user.upn == admin);
    found.expect("the admin").roles = vec![role];
}

/// The plan is approved, then the tenant changes, and only then a worker looks at it.
async fn refused(key: &str, change: impl FnOnce(&mut Tenant, &Begun)) {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    let setup = begun.start("").await;
    begun.change(|tenant| change(tenant, &begun));
    let worker = begun.worker().await;
    let view = begun.settled(&setup, "failed").await;
    let problem = &view["steps"][0]["problem"];
    assert_eq!(problem["key"], key, "{problem}");
    for line in ["happened", "means", "todo"] {
        assert!(!problem[line].as_str().expect("a text").is_empty());
    }
    let page = begun.page(&setup).await;
    assert!(
        page.contains(problem["todo"].as_str().expect("a text")),
        "{page}"
    );
    let left = made(&begun.stack.tenant(DOMAIN).await, &setup);
    assert!(left.groups.is_empty() && left.policies == 0, "{left:?}");
    // It can be tried again, or ended.
    assert_eq!(view["can"]["retry"], true);
    begun.ask("cancel_setup", &setup, None).await;
    worker.stop().await;
}

macro_rules! hurdles {
    ($($name:ident $key:literal $change:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            refused($key, $change).await;
        }
    )*};
}

hurdles! {
    an_admin_who_may_only_read "readiness.role_missing"
        |tenant, _| admin(tenant, DirectoryRole::GlobalReader);
    an_application_that_lost_its_permission "readiness.application_gone" |tenant, _| {
        let (object, _) = mailer(tenant);
        tenant.assignments.retain(|one| one.principal != object);
    };
    a_permission_that_no_policy_governs "readiness.beyond_policies" |tenant, _| {
        let (object, _) = mailer(tenant);
        let mut more = tenant.assignments.iter().find(|one| one.principal == object)
            .expect("its grant").clone();
        more.id = "beyond".to_owned();
        more.role = Resource::Graph.role_id("MailboxItem.Read.All").expect("a role");
        tenant.assignments.push(more);
    };
    another_policy_of_the_application "readiness.other_policy" |tenant, _| {
        let (_, app_id) = mailer(tenant);
        let group = group(tenant, "elsewhere", &[]);
        policy(tenant, &app_id.to_string(), group, false);
    };
    mailboxes_that_somebody_elses_policy_refuses_already "readiness.refused_already" |tenant, begun| {
        let (_, app_id) = mailer(tenant);
        let refused: Vec<&str> = begun.chosen.refused.iter().map(String::as_str).collect();
        let group = group(tenant, "never", &refused);
        policy(tenant, &app_id.to_string(), group, true);
    };
    an_exchange_role_of_the_application "readiness.exchange_role" |tenant, _| {
        role(tenant, MAILER, "everywhere", AssignmentScope::Organisation);
    };
    a_sender_that_is_gone "readiness.mailbox_gone" |tenant, begun| {
        let sender = tenant.user(&begun.chosen.sender).expect("the sender").id;
        tenant.users.remove(&sender);
    };
}

/// Two at once become one problem that names both actions.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_hurdles_are_told_together() {
    refused("readiness.several", |tenant, begun| {
        let sender = tenant.user(&begun.chosen.sender).expect("the sender").id;
        tenant.users.remove(&sender);
        let (_, app_id) = mailer(tenant);
        let group = group(tenant, "elsewhere", &[]);
        policy(tenant, &app_id.to_string(), group, false);
    })
    .await;
}

/// A group with the plan's address that somebody made meanwhile is never adopted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_of_somebody_else_is_not_adopted() {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    let name = begun.chosen.group.clone();
    let setup = begun.start("").await;
    let foreign = begun.change(|tenant| group(tenant, &name, &[]));
    let worker = begun.worker().await;
    let view = begun.settled(&setup, "failed").await;
    assert_eq!(view["steps"][0]["problem"]["key"], "group.taken", "{view}");
    begun.change(|tenant| {
        let group = &tenant.groups[&foreign];
        assert_eq!(group.description, "somebody else's");
        assert!(group.members.is_empty() && !group.hidden);
    });
    worker.stop().await;
}

/// The whole way with a group that was there before: Postern makes the policy and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_existing_group_is_used_and_never_changed() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let sender = begun.chosen.sender.clone();
    let id = begun.change(|tenant| group(tenant, "own-mailers", &[&sender]));
    begun.chosen.group = format!("own-mailers@{DOMAIN}");
    let review = begun.reviewed().await;
    let cmdlets: Vec<&str> = review["cmdlets"]
        .as_array()
        .expect("cmdlets")
        .iter()
        .filter_map(|cmdlet| cmdlet["name"].as_str())
        .collect();
    assert_eq!(cmdlets, ["New-ApplicationAccessPolicy"]);
    let setup = begun.start("").await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked");
    let script = format!(
        "/customers/{}/setups/{setup}/script.ps1",
        begun.chosen.customer
    );
    let script = begun.owner.open_once(&script).await.body;
    assert!(!script.contains("Add-DistributionGroupMember"), "{script}");

    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    let view = begun.settled(&setup, "rolled_back").await;
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, &setup).policies, 0);
    begun.change(|tenant| {
        let group = &tenant.groups[&id];
        assert_eq!(group.description, "somebody else's");
        assert!(!group.hidden);
        assert_eq!(group.members.len(), 1);
        assert!(group.members[0].removed.is_none());
    });
    let told = begun
        .rows("select what from events where kind = 'cloud.change' order by seq")
        .await;
    assert_eq!(told.len(), 2, "{told:?} {view}");
}

/// Its members must fit, because Postern does not change what it did not make.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_existing_group_with_other_members_is_refused() {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    let sender = begun.chosen.sender.clone();
    let id = begun.change(|tenant| group(tenant, "own-mailers", &[&sender]));
    begun.chosen.group = format!("own-mailers@{DOMAIN}");
    let setup = begun.start("").await;
    begun.change(|tenant| {
        tenant
            .groups
            .get_mut(&id)
            .expect("the group")
            .members
            .clear();
    });
    let worker = begun.worker().await;
    let view = begun.settled(&setup, "failed").await;
    let problem = &view["steps"][0]["problem"];
    assert_eq!(problem["key"], "readiness.group_members", "{problem}");
    worker.stop().await;
}

/// A member that somebody added to the setup's group keeps the group from being deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_that_somebody_uses_is_left_and_told() {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    begun.change(|tenant| {
        let stranger = tenant
            .user(&format!("info@{DOMAIN}"))
            .expect("an account")
            .id;
        let at = Change::known(tenant.created);
        made_group(tenant, &setup).members.push(Membership {
            member: stranger,
            added: at,
            removed: None,
        });
    });
    begun
        .ask("roll_back", &setup, Some(("confirm", MAILER)))
        .await;
    let view = begun.settled(&setup, "rolled_back").await;
    let left = view["steps"][1]["left"].as_str().expect("what is left");
    assert!(left.contains("somebody added"), "{left}");
    let there = made(&begun.stack.tenant(DOMAIN).await, &setup);
    assert_eq!((there.groups.len(), there.policies), (1, 0));
    assert!(begun.page(&setup).await.contains(left));
}
