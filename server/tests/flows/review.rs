//! The review looks at all that the first step looks at: what stands in the way is said before
//! anybody approves the plan, and before anything is made.

use std::collections::BTreeMap;

use cloud::{
    permissions::Resource,
    world::{exchange::AssignmentScope, tenant::GroupKind},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    begun::{Begun, DOMAIN},
    field::{group, group_of, mailer, policy, role, text},
    get_json,
};

async fn begin() -> Begun {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    begun
}

fn keys(review: &Value) -> Vec<&str> {
    let hurdles = review["hurdles"].as_array().expect("hurdles");
    hurdles.iter().map(|hurdle| text(hurdle, "key")).collect()
}

fn hurdle<'r>(review: &'r Value, key: &str) -> &'r Value {
    review["hurdles"]
        .as_array()
        .expect("hurdles")
        .iter()
        .find(|hurdle| hurdle["key"] == key)
        .unwrap_or_else(|| panic!("no {key} in {}", review["hurdles"]))
}

fn notes(review: &Value) -> String {
    review["notes"].to_string()
}

/// Nothing of Postern's own changed anything.
async fn nothing_written(begun: &Begun) {
    for kind in ["group", "policy", "member"] {
        assert_eq!(begun.created(kind).await, 0, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m09_the_review_names_every_other_policy_and_never_opens_other_applications() {
    let mut begun = begin().await;
    begun.change(|tenant| {
        let (_, app_id) = mailer(tenant);
        for name in ["first-robots", "second-robots"] {
            let group = group(tenant, name, &[]);
            policy(tenant, &app_id.to_string(), group, false);
        }
        let everybody = group(tenant, "all-robots", &[]);
        policy(tenant, "*", everybody, false);
    });
    let review = begun.reviewed().await;
    assert_eq!(keys(&review), ["readiness.other_policy"]);
    let told = hurdle(&review, "readiness.other_policy");
    for name in ["first-robots", "second-robots", "all-robots"] {
        assert!(text(told, "happened").contains(name), "{told}");
    }
    assert!(text(told, "happened").contains("AppId *"), "{told}");
    let todo = text(told, "todo");
    assert!(
        todo.contains("Leave the policy for all applications"),
        "{todo}"
    );
    // The page shows it, and offers no start.
    let page = format!(
        "/customers/{}/setups/new?{}&step=review",
        begun.chosen.customer,
        begun.chosen.query()
    );
    let page = begun.owner.open(&page).await.text();
    assert!(page.contains("What stands in the way"), "{page}");
    assert!(page.contains("all-robots"), "{page}");
    assert!(!page.contains("Start the setup"), "{page}");
}

/// One policy of all applications is not “that policy”.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m01_a_policy_for_all_applications_is_named_as_such_and_never_to_be_removed() {
    let mut begun = begin().await;
    begun.change(|tenant| {
        let group = group(tenant, "all-robots", &[]);
        policy(tenant, "*", group, false);
    });
    let review = begun.reviewed().await;
    let told = hurdle(&review, "readiness.other_policy");
    assert!(
        text(told, "happened").contains("all applications"),
        "{told}"
    );
    assert!(!text(told, "todo").contains("remove that policy"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m08_a_permitted_sender_that_a_policy_denies_is_found_before_anything_is_made() {
    for app in ["own", "*"] {
        let mut begun = begin().await;
        let sender = begun.chosen.sender.clone();
        begun.change(|tenant| {
            let (_, app_id) = mailer(tenant);
            let never = group(tenant, "never-these", &[&sender]);
            let app_id = if app == "*" {
                "*".to_owned()
            } else {
                app_id.to_string()
            };
            policy(tenant, &app_id, never, true);
        });
        let review = begun.reviewed().await;
        let told = hurdle(&review, "readiness.sender_denied");
        assert!(text(told, "happened").contains(&sender), "{told}");
        assert!(text(told, "happened").contains("never-these"), "{told}");
        nothing_written(&begun).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b14_a_role_that_reaches_exactly_the_senders_is_said_and_may_stay() {
    let mut begun = begin().await;
    let sender = begun.chosen.sender.clone();
    begun.change(|tenant| {
        let senders = group(tenant, "role-scope", &[&sender]);
        role(
            tenant,
            crate::support::begun::MAILER,
            "narrow",
            AssignmentScope::Group(senders),
        );
    });
    let review = begun.reviewed().await;
    assert_eq!(keys(&review), [""; 0], "{}", review["hurdles"]);
    let said = notes(&review);
    assert!(
        said.contains("narrow") && said.contains("role-scope"),
        "{said}"
    );
    let setup = begun.start("").await;
    let worker = begun.worker().await;
    let view = begun.settled(&setup, "done").await;
    let ready = text(&view["steps"][0], "summary");
    assert!(ready.contains("narrow"), "{ready}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b14_a_role_that_reaches_anybody_else_is_a_hurdle_that_names_it() {
    let mut begun = begin().await;
    let sender = begun.chosen.sender.clone();
    begun.change(|tenant| {
        let info = format!("info@{DOMAIN}");
        let wider = group(tenant, "role-scope", &[&sender, &info]);
        role(
            tenant,
            crate::support::begun::MAILER,
            "wide",
            AssignmentScope::Group(wider),
        );
    });
    let review = begun.reviewed().await;
    let told = hurdle(&review, "readiness.exchange_role");
    for part in ["Application Mail.Send", "wide", "role-scope"] {
        assert!(text(told, "happened").contains(part), "{told}");
    }
}

/// A policy needs no customised organisation, so nobody is asked for one (MICROSOFT.md §2.4).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b16_an_organisation_that_was_never_customised_is_no_hurdle() {
    let mut begun = begin().await;
    begun.change(|tenant| tenant.exchange.customised = None);
    let review = begun.reviewed().await;
    assert_eq!(keys(&review), [""; 0], "{}", review["hurdles"]);
}

/// The same rule in the list that offers an application and in the review: what nobody has named is
/// not known to be governed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m10_a_role_without_a_name_is_a_hurdle_everywhere() {
    let mut begun = begin().await;
    begun.change(|tenant| {
        let (object, _) = mailer(tenant);
        let resource = tenant
            .resource_principal(Resource::Exchange)
            .expect("Exchange");
        let resource = resource.id;
        let mut more = tenant
            .assignments
            .iter()
            .find(|one| one.principal == object)
            .expect("its grant")
            .clone();
        more.id = "unnamed".to_owned();
        more.resource = resource;
        more.role = Uuid::new_v4();
        tenant.assignments.push(more);
    });
    let body = json!({ "customer": begun.chosen.customer });
    let list = begun.owner.read("/api/applications", &body).await;
    let rows = list["rows"].as_array().expect("rows");
    let row = rows
        .iter()
        .find(|row| row["object"] == begun.chosen.object.as_str())
        .expect("the application");
    assert_eq!(row["can_be_confined"], false, "{row}");
    let (_, told) = begun.try_review().await;
    assert_eq!(
        told["problem"]["key"], "readiness.beyond_policies",
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m12_a_name_or_an_address_that_is_taken_is_told_with_its_holder() {
    let mut begun = begin().await;
    let contact = json!({ "upn": format!("outside.auditor@{DOMAIN}"), "create": true, "mailbox": "mailuser" });
    begun.stack.control("users", &contact).await;
    begun.change(|tenant| {
        group_of(tenant, GroupKind::Microsoft365, "atlas-team", &[]);
        group_of(tenant, GroupKind::Distribution, "weekly-list", &[]);
        // Its name and alias are taken, its address is not.
        let other = group(tenant, "robots", &[]);
        let other = tenant.groups.get_mut(&other).expect("the group");
        other.smtp = format!("elsewhere@{DOMAIN}");
    });
    for (name, kind) in [
        ("support", "shared mailbox"),
        ("outside.auditor", "mail user"),
        ("atlas-team", "Microsoft 365 group"),
        ("weekly-list", "distribution list"),
        ("robots", "mail-enabled security group"),
    ] {
        begun.chosen.group = name.to_owned();
        let (status, told) = begun.try_review().await;
        assert_ne!(status, 200, "{name}: {told}");
        let problem = &told["problem"];
        assert_eq!(problem["key"], "input.group", "{name}: {told}");
        let happened = text(problem, "happened");
        assert!(
            happened.contains("is taken by") && happened.contains(kind),
            "{name}: {happened}"
        );
    }
    nothing_written(&begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b03_a_group_of_the_wrong_kind_is_named_before_anything_is_made() {
    let mut begun = begin().await;
    begun.change(|tenant| {
        group_of(tenant, GroupKind::Distribution, "weekly-list", &[]);
        group_of(tenant, GroupKind::Microsoft365, "atlas-team", &[]);
    });
    for (address, kind) in [
        ("weekly-list", "distribution list"),
        ("atlas-team", "Microsoft 365 group"),
        ("reception", "shared mailbox"),
    ] {
        begun.chosen.group = format!("{address}@{DOMAIN}");
        let (_, told) = begun.try_review().await;
        let problem = &told["problem"];
        assert_eq!(problem["key"], "input.group", "{address}: {told}");
        let happened = text(problem, "happened");
        assert!(happened.contains(kind), "{address}: {happened}");
        assert!(!happened.contains("There is no group"), "{happened}");
    }
    nothing_written(&begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b11_what_is_no_mailbox_here_is_told_with_the_reason() {
    let mut begun = begin().await;
    let ceo = format!("ceo.onprem@{DOMAIN}");
    let user = json!({ "upn": ceo, "create": true, "mailbox": "mailuser" });
    begun.stack.control("users", &user).await;
    let sender = begun.chosen.sender.clone();
    begun.senders = vec![sender.clone(), ceo.clone()];
    let (_, told) = begun.try_review().await;
    let problem = &told["problem"];
    assert_eq!(problem["key"], "input.senders", "{told}");
    assert!(
        text(problem, "happened").contains("hosted on premises"),
        "{told}"
    );

    begun.senders = vec![sender];
    begun.chosen.refused = vec![ceo];
    let (_, told) = begun.try_review().await;
    let problem = &told["problem"];
    assert_eq!(problem["key"], "input.refused", "{told}");
    assert!(
        text(problem, "happened").contains("hosted on premises"),
        "{told}"
    );
}

/// Whoever has no mailbox here is neither a sender nor a mailbox that could be refused, and the
/// reason is told by its kind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b11_a_guest_and_a_leaver_are_told_by_their_kind() {
    let mut begun = begin().await;
    let guest = format!("olivia.guest@{DOMAIN}");
    let user = json!({
        "upn": guest, "create": true, "mailbox": "mailuser",
        "guest_of": "olivia@northwind-it.example",
    });
    begun.stack.control("users", &user).await;
    let leaver = format!("leaver@{DOMAIN}");
    let user = json!({ "upn": leaver, "create": true, "mailbox": "user" });
    begun.stack.control("users", &user).await;
    let gone = json!({ "tenant": DOMAIN, "recipient": leaver, "soft_delete": true });
    begun.stack.control("recipients", &gone).await;
    let sender = begun.chosen.sender.clone();
    let refused = begun.chosen.refused.clone();
    for (who, kind) in [(guest, "is a guest"), (leaver, "is a deleted user mailbox")] {
        begun.senders = vec![sender.clone(), who.clone()];
        begun.chosen.refused.clone_from(&refused);
        let (_, told) = begun.try_review().await;
        let problem = &told["problem"];
        assert_eq!(problem["key"], "input.senders", "{told}");
        assert!(text(problem, "happened").contains(kind), "{told}");

        begun.senders = vec![sender.clone()];
        begun.chosen.refused = vec![who];
        let (_, told) = begun.try_review().await;
        let problem = &told["problem"];
        assert_eq!(problem["key"], "input.refused", "{told}");
        assert!(text(problem, "happened").contains(kind), "{told}");
    }
    nothing_written(&begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b11_a_group_that_is_managed_on_premises_is_told_beforehand() {
    let mut begun = begin().await;
    let sender = begun.chosen.sender.clone();
    begun.change(|tenant| group(tenant, "dl-scan", &[&sender]));
    let synced = json!({ "tenant": DOMAIN, "recipient": "dl-scan", "dir_synced": true });
    begun.stack.control("recipients", &synced).await;
    begun.chosen.group = format!("dl-scan@{DOMAIN}");
    let review = begun.reviewed().await;
    assert_eq!(keys(&review), [""; 0], "{}", review["hurdles"]);
    assert!(notes(&review).contains("managed on premises"), "{review}");

    // With other members it has to be put right there, and not here.
    begun.senders = vec![format!("info@{DOMAIN}")];
    begun.chosen.refused.retain(|one| !one.starts_with("info@"));
    let review = begun.reviewed().await;
    let told = hurdle(&review, "readiness.group_members");
    assert!(
        text(told, "means").contains("managed on premises"),
        "{told}"
    );
    nothing_written(&begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b19_an_alias_is_told_as_the_mailbox_behind_it() {
    let mut begun = begin().await;
    let info = format!("info@{DOMAIN}");
    let alias = format!("donotreply@{DOMAIN}");
    begun.change(|tenant| {
        let found = tenant.users.values_mut().find(|user| user.upn == info);
        let mailbox = found.expect("an account").mailbox.as_mut();
        mailbox.expect("a mailbox").aliases.push(alias.clone());
    });
    begun.senders = vec![alias.clone()];
    begun.chosen.refused.retain(|one| *one != info);
    let review = begun.reviewed().await;
    let said = notes(&review);
    assert!(
        said.contains(&format!("{alias} is an address of {info}")),
        "{said}"
    );
    assert!(said.contains(&format!("allowed all of {info}")), "{said}");

    // The permitted mailbox by its other address cannot be refused.
    begun.senders = vec![info.clone()];
    begun.chosen.refused = vec![alias.clone()];
    let (_, told) = begun.try_review().await;
    let problem = &told["problem"];
    assert_eq!(problem["key"], "input.refused", "{told}");
    let happened = text(problem, "happened");
    assert!(
        happened.contains(&format!(
            "{alias} is an address of {info}, which is permitted"
        )),
        "{happened}"
    );
}

/// The members are open for everything that policies govern, and that is said before.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b09_the_review_lists_what_membership_opens() {
    let mut begun = begin().await;
    let app_id = begun.change(|tenant| mailer(tenant).1);
    let more =
        json!({ "tenant": DOMAIN, "app_id": app_id, "grants": ["graph:Calendars.ReadWrite"] });
    begun.stack.control("applications", &more).await;
    let review = begun.reviewed().await;
    let said = notes(&review);
    assert!(
        said.contains("Calendars.ReadWrite") && said.contains("Mail.Send"),
        "{said}"
    );
}

/// A part that cannot be read is said beside what was found, and empties nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m01_what_cannot_be_looked_at_is_said_beside_what_was_found() {
    let mut begun = begin().await;
    begun.change(|tenant| {
        let (_, app_id) = mailer(tenant);
        let group = group(tenant, "robots", &[]);
        policy(tenant, &app_id.to_string(), group, false);
    });
    let error = json!({ "exchange_error": "Something new." });
    begun.refusal("Get-ManagementRoleAssignment", None, &error);
    let review = begun.reviewed().await;
    let keys = keys(&review);
    assert_eq!(keys.first(), Some(&"readiness.other_policy"), "{keys:?}");
    assert!(keys.contains(&"exchange.cmdlet_failed"), "{keys:?}");
}

/// What no policy governs and neither sends nor reads mail keeps nobody from confining the rest; but
/// a person has to say that it may stay, and what is kept is what was so.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m04_what_stays_open_is_confirmed_or_nothing_starts() {
    let mut begun = begin().await;
    let app_id = begun.change(|tenant| mailer(tenant).1);
    let more = json!({
        "tenant": DOMAIN,
        "app_id": app_id,
        "grants": ["graph:MailTips.ReadBasic.All", "graph:MailboxFolder.Read.All"],
    });
    begun.stack.control("applications", &more).await;
    let review = begun.reviewed().await;
    assert_eq!(keys(&review), [""; 0], "{}", review["hurdles"]);
    let open: Vec<String> =
        serde_json::from_value(review["confirm"].clone()).expect("what stays open");
    assert_eq!(open.len(), 2, "{open:?}");
    for value in ["MailTips.ReadBasic.All", "MailboxFolder.Read.All"] {
        assert!(open.iter().any(|one| one.contains(value)), "{open:?}");
    }
    // One list: what is to be confirmed is not noted a second time.
    assert!(!notes(&review).contains("MailTips"), "{review}");
    let page = format!(
        "/customers/{}/setups/new?{}&step=review",
        begun.chosen.customer,
        begun.chosen.query()
    );
    let page = begun.owner.open(&page).await.body;
    assert_eq!(page.matches("name=\"accept[]\"").count(), 2, "{page}");

    let query = begun.chosen.query();
    let customer = begun.chosen.customer.clone();
    let [digest, shown] = begun.chosen.review(&mut begun.owner).await;
    let fields = |accept: &[&str]| {
        let mut fields = vec![
            ("customer", customer.clone()),
            ("draft", query.clone()),
            ("digest", digest.clone()),
            ("shown", shown.clone()),
            ("secret", String::new()),
        ];
        fields.extend(accept.iter().map(|one| ("accept[]", (*one).to_owned())));
        fields
    };
    // Neither without a tick, nor with one of two, nor with something else.
    for accept in [vec![], vec![open[0].as_str()], vec!["Everything is fine."]] {
        let fields = fields(&accept);
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (status, told) = begun.owner.call_form("/api/start_setup", &fields).await;
        assert_eq!(status, 422, "{told}");
        assert_eq!(told["problem"]["key"], "input.accept", "{told}");
        assert_eq!(begun.rows("select id from setups").await.len(), 0);
    }
    let fields = fields(&[open[0].as_str(), open[1].as_str(), "Everything is fine."]);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (status, told) = begun.owner.call_form("/api/start_setup", &fields).await;
    assert_eq!(status, 200, "{told}");
    let plan = begun.rows("select plan from setups").await.remove(0);
    assert_eq!(plan["plan"]["accepted"], json!(open), "{plan}");
    let event = begun
        .rows("select what, after from events where kind = 'setup.started'")
        .await
        .remove(0);
    assert!(
        text(&event, "what").contains("Confirmed as staying open"),
        "{event}"
    );
    assert_eq!(event["after"]["accepted"], json!(open), "{event}");
}

/// Two requests that differ in the group, the proof or who receives its mails are two.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m05_another_request_is_not_taken_for_a_second_click() {
    let mut begun = begin().await;
    let setup = begun.start("").await;
    // The same once more: the button was pressed twice.
    assert_eq!(begun.chosen.start(&mut begun.owner, "").await, setup);
    let same = begun.chosen.clone();
    for change in ["group", "prove"] {
        let mut other = same.clone();
        match change {
            "group" => other.group = "another-group".to_owned(),
            _ => other.prove = true,
        }
        let (status, told) = other.try_start(&mut begun.owner, "").await;
        assert_eq!(status, 409, "{change}: {told}");
        assert_eq!(
            told["problem"]["key"], "setup.already_active",
            "{change}: {told}"
        );
    }
    assert_eq!(begun.rows("select id from setups").await.len(), 1);
}

/// What Graph and Exchange were asked since an entry of the cloud's log: each cmdlet and each path with
/// how often. The parts of a batch are entries of their own.
async fn asked_since(begun: &Begun, since: u64) -> BTreeMap<String, usize> {
    let url = format!("{}/_cloud/log?since={since}", begun.stack.cloud.url());
    let mut asked = BTreeMap::new();
    for entry in get_json(&url).await["log"].as_array().expect("a log") {
        if entry["host"] != "entra" {
            *asked
                .entry(text(entry, "operation").to_owned())
                .or_default() += 1;
        }
    }
    asked
}

async fn last_entry(begun: &Begun) -> u64 {
    let log = get_json(&format!("{}/_cloud/log", begun.stack.cloud.url())).await;
    let last = log["log"].as_array().and_then(|entries| entries.last());
    last.and_then(|entry| entry["number"].as_u64())
        .expect("a number")
}

/// The plan is made of a reading and looked at with the same: nothing is asked twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn review_reads_each_thing_once() {
    let mut begun = begin().await;
    begun.chosen.refused.truncate(2);
    let since = last_entry(&begun).await;
    begun.reviewed().await;
    let expected = [
        // The application: who holds what, what it is, what it owns.
        ("GET /roleManagement/directory/roleAssignments", 1),
        ("GET /servicePrincipals/microsoft.graph.agentIdentity", 1),
        // Graph, Exchange with its keys, three other resources, and the application itself.
        ("GET /servicePrincipals/{id}", 7),
        ("GET /servicePrincipals/{id}/appRoleAssignedTo", 5),
        ("GET /servicePrincipals/{id}/oauth2PermissionGrants", 1),
        ("GET /servicePrincipals/{id}/ownedObjects", 1),
        ("POST /$batch", 2),
        ("Get-ApplicationAccessPolicy", 1),
        ("Get-ManagementRoleAssignment", 1),
        ("Get-ServicePrincipal", 1),
        // The sender; those that must be refused, in one batch; and once more as whom the sender may
        // appear, with who holds Send As.
        ("Get-Mailbox", 4),
        ("Get-RecipientPermission", 1),
        ("POST $batch", 1),
        // Whether the new group's address and its name are free: among recipients, and among Microsoft
        // 365 groups, which are asked for apart.
        ("Get-Recipient", 4),
        // Whether the account can do it.
        ("GET /organization", 1),
        (
            "GET /me/transitiveMemberOf/microsoft.graph.directoryRole",
            1,
        ),
        ("Get-OrganizationConfig", 1),
    ];
    let expected: BTreeMap<String, usize> = expected
        .into_iter()
        .map(|(operation, times)| (operation.to_owned(), times))
        .collect();
    assert_eq!(asked_since(&begun, since).await, expected);
}
