//! What Exchange refuses in the middle of a setup: what passes is waited for, what was done all the
//! same is found, nothing is made twice, and what stays has a name.

use serde_json::{Value, json};

use crate::support::{
    begun::{Begun, DOMAIN},
    field::{failed, text},
    setups::{Made, made},
};

async fn begin() -> Begun {
    let mut begun = Begun::new().await;
    begun.chosen.prove = false;
    begun
}

/// One group with its one member, and one policy, each made once.
async fn all_there_once(begun: &Begun, setup: &str) {
    let expected = Made::once(std::slice::from_ref(&begun.chosen.sender));
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, setup), expected);
    for kind in ["group", "policy", "member"] {
        assert_eq!(begun.created(kind).await, 1, "{kind}");
    }
}

fn not_found() -> Value {
    json!({
        "exchange_error": "The operation couldn't be performed because object 'CN=x' couldn't be found on 'SV0P279A02DC004.SWEP279A002.PROD.OUTLOOK.COM'.",
        "type": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
    })
}

async fn waits(operation: &str, error: Value) {
    let mut begun = begin().await;
    begun.refusal(operation, Some(3), &error);
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    all_there_once(&begun, &setup).await;
}

macro_rules! waits {
    ($($name:ident $operation:literal $error:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            waits($operation, $error).await;
        }
    )*};
}

/// The directory refused the write, and made it all the same.
fn done_all_the_same() -> Value {
    let mut error = refused_write();
    error["after"] = json!(true);
    error
}

fn refused_write() -> Value {
    json!({
        "exchange_error": "Active Directory operation failed on x. The user 'y' doesn't have write permission to target DC z.",
        "type": "Microsoft.Exchange.Data.Directory.InsufficientPermissionsException",
    })
}

waits! {
    field_b04_hiding_waits_for_the_group "Set-DistributionGroup" not_found();
    field_b04_adding_a_member_waits_for_the_group "Add-DistributionGroupMember" not_found();
    field_b04_listing_members_waits_for_the_group "Get-DistributionGroupMember" not_found();
    field_b04_the_policy_waits_for_the_group "New-ApplicationAccessPolicy" not_found();
    field_b04_the_test_waits_for_the_mailbox "Test-ApplicationAccessPolicy" not_found();
    field_b21_a_group_that_was_refused_is_asked_for_again "New-DistributionGroup" refused_write();
    field_b21_a_member_that_was_refused_is_asked_for_again "Add-DistributionGroupMember" refused_write();
    field_b21_a_policy_that_was_refused_is_asked_for_again "New-ApplicationAccessPolicy" refused_write();
    field_b21_a_group_that_was_made_all_the_same_is_found "New-DistributionGroup" done_all_the_same();
    field_b21_hiding_that_was_done_all_the_same_is_found "Set-DistributionGroup" done_all_the_same();
    field_b21_a_member_that_was_added_all_the_same_is_found "Add-DistributionGroupMember" done_all_the_same();
    field_b21_a_policy_that_was_made_all_the_same_is_found "New-ApplicationAccessPolicy" done_all_the_same();
    field_b16_a_refusal_after_customising_is_waited_for "New-ApplicationAccessPolicy" json!({
        "exchange_error": "The command you tried to run isn't currently allowed in your organization. To run this command, you first need to run the command: Enable-OrganizationCustomization.",
        "type": "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException",
    });
    field_b24_a_role_that_has_not_arrived_is_waited_for "Set-DistributionGroup" json!({
        "exchange_error": "The user \"admin@fabrikam.example\" isn't assigned to any management roles.",
        "type": "Microsoft.Exchange.Configuration.Authorization.CmdletAccessDeniedException",
    });
    field_b24_an_answer_of_nul_bytes_is_waited_for "Set-DistributionGroup" json!({ "nul": 512 });
}

/// What is read after a change can be older than the change: nobody is added twice for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b04_a_member_that_is_listed_late_is_added_once() {
    // Two minutes as in the field, and so long that several looks find the old list.
    for late in [120, 1800] {
        let mut begun = begin().await;
        let slow = json!({ "member": [late, late] });
        begun.stack.control("delays", &slow).await;
        let setup = begun.start("").await;
        begun.settled(&setup, "done").await;
        all_there_once(&begun, &setup).await;
        assert_eq!(begun.log("Add-DistributionGroupMember").await.len(), 1);
        let failed = begun
            .rows("select what from events where kind = 'step.failed'")
            .await;
        assert!(failed.is_empty(), "{failed:?}");
    }
}

/// An unknown error of a change is looked into once before it is believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b21_an_error_that_nobody_knows_is_looked_into_by_every_step() {
    for operation in [
        "New-DistributionGroup",
        "Set-DistributionGroup",
        "Add-DistributionGroupMember",
        "New-ApplicationAccessPolicy",
    ] {
        let mut begun = begin().await;
        let error = json!({ "exchange_error": "Something new.", "after": true });
        begun.refusal(operation, Some(1), &error);
        let setup = begun.start("").await;
        begun.settled(&setup, "done").await;
        all_there_once(&begun, &setup).await;
    }
}

/// What stays has three lines of its own, and nothing is made by a refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b22_texts_that_stay_are_each_called_by_their_name() {
    let mut begun = begin().await;
    let texts = [
        (
            "The identity of the policy scope is not a security principal.",
            "exchange.not_security_principal",
        ),
        (
            "The action 'New-ApplicationAccessPolicy', 'x', can't be performed on the object 'y' because the object is being synchronized from your on-premises organization.",
            "exchange.synced",
        ),
        (
            "You don't have sufficient permissions. This operation can only be performed by a manager of the group.",
            "exchange.not_owner",
        ),
        (
            "The user 'x' doesn't have write permission to target DC y.",
            "exchange.directory_refused",
        ),
        (
            "The user \"x\" isn't assigned to any management roles.",
            "exchange.no_roles",
        ),
        (
            "The total size of App Access Policies exceeded the limit.",
            "exchange.policies_full",
        ),
        (
            "You must be assigned a delegating role assignment to the management role or its parent in the hierarchy without a scope restriction.",
            "exchange.not_delegating",
        ),
        (
            "To run this command, you first need to run the command: Enable-OrganizationCustomization.",
            "exchange.dehydrated",
        ),
        ("Something new.", "exchange.cmdlet_failed"),
    ];
    let mut setup = String::new();
    for (said, key) in texts {
        begun.refusal(
            "New-ApplicationAccessPolicy",
            None,
            &json!({ "exchange_error": said }),
        );
        if setup.is_empty() {
            setup = begun.start("").await;
        } else {
            begun.ask("retry_setup", &setup, None).await;
        }
        let view = begun.settled(&setup, "failed").await;
        let told = failed(&view);
        assert_eq!(told["key"], key, "{told}");
        assert_eq!(text(&told["microsoft"], "message"), said, "{told}");
        begun.no_refusal();
    }
    begun.ask("retry_setup", &setup, None).await;
    begun.settled(&setup, "done").await;
    all_there_once(&begun, &setup).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b30_a_name_that_is_taken_meanwhile_fails_at_once_and_names_the_holder() {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    let name = begun.chosen.group.clone();
    let setup = begun.start("").await;
    let user = json!({ "upn": format!("{name}@{DOMAIN}"), "create": true, "mailbox": "shared" });
    begun.stack.control("users", &user).await;
    let worker = begun.worker().await;
    let view = begun.settled(&setup, "failed").await;
    let told = failed(&view);
    assert_eq!(told["key"], "group.taken", "{told}");
    assert!(
        text(told, "happened").contains("the shared mailbox"),
        "{told}"
    );
    assert_eq!(begun.log("New-DistributionGroup").await.len(), 0);
    worker.stop().await;
}

/// Taken between the look and the call.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b30_a_name_that_exchange_calls_taken_is_asked_about_at_once() {
    for (said, class) in [
        (
            "The proxy address \"smtp:x\" is already being used by the proxy addresses or LegacyExchangeDN of \"y\". Please choose another proxy address.",
            "Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
        ),
        (
            "The name \"x\" is already being used. Please try another name.",
            "Microsoft.Exchange.Configuration.Tasks.TaskException",
        ),
    ] {
        let mut begun = begin().await;
        let error = json!({ "exchange_error": said, "type": class });
        begun.refusal("New-DistributionGroup", None, &error);
        let setup = begun.start("").await;
        let view = begun.settled(&setup, "failed").await;
        let told = failed(&view);
        assert_eq!(told["key"], "group.taken_unseen", "{told}");
        // It is looked for, and not asked for again and again.
        assert_eq!(begun.log("New-DistributionGroup").await.len(), 1);
        // Nobody has it any more: a person's try makes it.
        begun.no_refusal();
        begun.ask("retry_setup", &setup, None).await;
        begun.settled(&setup, "done").await;
        all_there_once(&begun, &setup).await;
    }
}

/// What an earlier try made is adopted, and made once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m12_the_group_of_an_earlier_try_is_adopted() {
    let mut begun = begin().await;
    let slow = json!({ "group_exchange": [1200, 1200] });
    begun.stack.control("delays", &slow).await;
    begun.fault("New-DistributionGroup", 0, json!({ "cut": "after" }));
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    assert!(begun.fired());
    all_there_once(&begun, &setup).await;
}

/// A group that Exchange shows late is asked for once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_b30_a_group_that_shows_late_is_not_made_again_at_each_look() {
    let mut begun = begin().await;
    let slow = json!({ "group_exchange": [6000, 6000] });
    begun.stack.control("delays", &slow).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "done").await;
    assert_eq!(begun.log("New-DistributionGroup").await.len(), 1);
}

/// A setup through GDAP, at its first step.
async fn through_gdap() -> Begun {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    let customer = begun.chosen.customer.clone();
    let fields = [("customer", customer.as_str()), ("way", "gdap")];
    let page = begun.owner.send_form("/api/reconnect", &fields).await;
    let owner = begun.stack.accounts.owner();
    let page = begun.owner.consent(page, &owner, "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    begun
}

fn no_roles() -> Value {
    json!({ "exchange_error": "The user \"x\" isn't assigned to any management roles." })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b24_under_gdap_exchange_that_does_not_know_yet_is_waited_for_then_named() {
    let mut begun = through_gdap().await;
    let setup = begun.start("").await;
    begun.refusal("*-*", Some(4), &no_roles());
    let worker = begun.worker().await;
    begun.settled(&setup, "done").await;
    worker.stop().await;

    for error in [no_roles(), json!({ "nul": 512 })] {
        let mut begun = through_gdap().await;
        let setup = begun.start("").await;
        begun.refusal("Get-OrganizationConfig", None, &error);
        let worker = begun.worker().await;
        let view = begun.settled(&setup, "failed").await;
        let told = failed(&view);
        assert_eq!(told["key"], "gdap.exchange_unaware", "{told}");
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b24_under_gdap_a_role_that_is_not_in_the_relationship_is_named() {
    let mut begun = through_gdap().await;
    let setup = begun.start("").await;
    let gdap = json!({ "tenant": DOMAIN, "gdap": { "roles": ["Helpdesk Administrator"] } });
    begun.stack.control("tenants", &gdap).await;
    // The worker is a process of its own, with tokens of its own.
    let worker = begun.worker().await;
    let view = begun.settled(&setup, "failed").await;
    let told = failed(&view);
    assert_eq!(told["key"], "gdap.role_not_in_relationship", "{told}");
    assert!(
        text(told, "todo").contains("Exchange Administrator"),
        "{told}"
    );
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b24_a_relationship_that_ends_says_what_is_left_behind() {
    let mut begun = through_gdap().await;
    let setup = begun.start("").await;
    begun.refusal(
        "New-ApplicationAccessPolicy",
        None,
        &json!({ "exchange_error": "Something new." }),
    );
    let worker = begun.worker().await;
    begun.settled(&setup, "failed").await;
    worker.stop().await;
    begun.no_refusal();
    let ended = json!({ "tenant": DOMAIN, "gdap": { "roles": ["Exchange Administrator"], "status": "terminated" } });
    begun.stack.control("tenants", &ended).await;
    let worker = begun.worker().await;
    begun.ask("retry_setup", &setup, None).await;
    let view = begun.settled(&setup, "failed").await;
    let told = failed(&view);
    let means = text(told, "means");
    assert!(means.contains("its group stays"), "{told}");
    assert!(means.contains("senders that were added stay"), "{told}");
    worker.stop().await;
}
