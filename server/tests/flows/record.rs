//! What was reviewed is what starts, and what happened is in the record.

use serde_json::{Value, json};

use crate::support::{
    Browser, Stack,
    begun::{Begun, DOMAIN},
    field::{group, text},
    setups::reviewed,
};

async fn begin() -> Begun {
    let mut begun = Begun::without_worker().await;
    begun.chosen.prove = false;
    begun
}

/// The review's form as it was shown now.
async fn form(begun: &mut Begun) -> Vec<(&'static str, String)> {
    let mut draft = begun.chosen.draft();
    draft["senders"] = json!(begun.senders);
    let [digest, shown] = reviewed(&mut begun.owner, &begun.chosen.customer, &draft).await;
    assert_eq!(digest.len(), 64);
    vec![
        ("customer", begun.chosen.customer.clone()),
        ("draft", begun.chosen.query()),
        ("digest", digest),
        ("shown", shown),
        ("secret", String::new()),
    ]
}

fn as_text<'f>(form: &'f [(&'static str, String)]) -> Vec<(&'static str, &'f str)> {
    form.iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

async fn nothing_started(begun: &Begun) {
    assert_eq!(begun.stack.count("setups").await, 0);
}

/// Removes an account and makes one with the same address.
async fn made_anew(begun: &Begun, upn: &str) {
    for change in [
        json!({ "upn": upn, "remove": true }),
        json!({ "upn": upn, "create": true, "mailbox": "user" }),
    ] {
        begun.stack.control("users", &change).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f08_another_mailbox_under_the_address_starts_nothing() {
    let mut begun = begin().await;
    let upn = format!("hired@{DOMAIN}");
    let hired = json!({ "upn": upn, "create": true, "mailbox": "user" });
    begun.stack.control("users", &hired).await;
    begun.chosen.sender.clone_from(&upn);
    begun.senders = vec![upn.clone()];
    let form = form(&mut begun).await;
    made_anew(&begun, &upn).await;
    // As the hydrated page asks.
    let (status, told) = begun
        .owner
        .call_form("/api/start_setup", &as_text(&form))
        .await;
    assert_eq!(status, 409, "{told}");
    assert_eq!(told["problem"]["key"], "setup.not_the_reviewed", "{told}");
    let happened = text(&told["problem"], "happened");
    assert!(
        happened.contains(&format!("{upn} is another mailbox now")),
        "{happened}"
    );
    nothing_started(&begun).await;
    // As a browser without JavaScript does: back on the review, with what is different.
    let page = begun
        .owner
        .send_form("/api/start_setup", &as_text(&form))
        .await;
    assert_eq!(page.status, 200, "{}", page.url);
    assert!(page.url.contains("step=review"), "{}", page.url);
    assert!(
        page.text()
            .contains("the plan is not the one that you reviewed"),
        "{}",
        page.text()
    );
    assert!(
        page.text()
            .contains(&format!("{upn} is another mailbox now")),
        "{}",
        page.text()
    );
    nothing_started(&begun).await;
    // What the page shows now can be started.
    let setup = begun.start("").await;
    let view = begun.view(&setup).await;
    let shown: Value = serde_json::from_str(&form[3].1).expect("JSON");
    assert_ne!(
        view["plan"]["senders"][0]["object"],
        shown["plan"]["senders"][0]["object"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f08_another_group_under_the_address_starts_nothing() {
    let mut begun = begin().await;
    let sender = begun.chosen.sender.clone();
    begun.change(|tenant| group(tenant, "mailers", &[&sender]));
    begun.chosen.group = format!("mailers@{DOMAIN}");
    let form = form(&mut begun).await;
    begun.change(|tenant| {
        let old = tenant
            .groups
            .iter()
            .find(|(_, group)| group.smtp == format!("mailers@{DOMAIN}"))
            .map(|(id, _)| *id);
        tenant.groups.remove(&old.expect("the group"));
        group(tenant, "mailers", &[&sender])
    });
    let (status, told) = begun
        .owner
        .call_form("/api/start_setup", &as_text(&form))
        .await;
    assert_eq!(status, 409, "{told}");
    let happened = text(&told["problem"], "happened");
    assert!(happened.contains("is another group now"), "{happened}");
    nothing_started(&begun).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f08_a_form_that_says_nothing_of_the_review_starts_nothing() {
    let mut begun = begin().await;
    let mut form = form(&mut begun).await;
    form.retain(|(name, _)| *name != "digest" && *name != "shown");
    let (status, told) = begun
        .owner
        .call_form("/api/start_setup", &as_text(&form))
        .await;
    assert_eq!(status, 409, "{told}");
    let happened = text(&told["problem"], "happened");
    assert!(happened.contains("did not say which plan"), "{happened}");
    nothing_started(&begun).await;
}

/// An address can say anything: only what Postern sealed for this person is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f08_a_made_up_difference_is_not_told() {
    let mut begun = begin().await;
    let path = format!(
        "/customers/{}/setups/new?{}&step=review&changed=U1BPT0ZFRA",
        begun.chosen.customer,
        begun.chosen.query()
    );
    let page = begun.owner.open(&path).await;
    assert!(page.text().contains("Start the setup"), "{}", page.text());
    assert!(!page.text().contains("not the one that you reviewed"));
    assert!(!page.text().contains("SPOOFED"));
}

/// A second click of the same form is the same start.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f08_a_second_click_is_still_the_first_start() {
    let mut begun = begin().await;
    let form = form(&mut begun).await;
    for _ in 0..2 {
        let (status, told) = begun
            .owner
            .call_form("/api/start_setup", &as_text(&form))
            .await;
        assert_eq!(status, 200, "{told}");
    }
    assert_eq!(begun.stack.count("setups").await, 1);
}

/// Another group takes the address of the one that the setup made, after its step.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f21_another_group_under_the_address_stops_with_its_own_lines() {
    let mut begun = begin().await;
    let setup = begun.start("").await;
    // The policy is refused until the group was replaced.
    begun.refusal(
        "New-ApplicationAccessPolicy",
        None,
        &json!({ "exchange_error": "Something new." }),
    );
    let worker = begun.worker().await;
    begun.settled(&setup, "failed").await;
    let description = begun.change(|tenant| {
        let (id, old) = tenant
            .groups
            .iter()
            .find(|(_, group)| group.smtp.starts_with("postern-"))
            .map(|(id, group)| (*id, group.clone()))
            .expect("the group");
        tenant.groups.remove(&id);
        let alias = old.smtp.split('@').next().expect("a name").to_owned();
        let new = group(tenant, &alias, &[]);
        let new = tenant.groups.get_mut(&new).expect("the group");
        // All that a name or a description can say is the same.
        new.description.clone_from(&old.description);
        new.members.clone_from(&old.members);
        old.description
    });
    begun.no_refusal();
    begun.ask("retry_setup", &setup, None).await;
    let view = begun.settled(&setup, "failed").await;
    let policy = view["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .find(|step| step["kind"] == "policy")
        .expect("a step");
    assert_eq!(policy["problem"]["key"], "group.another", "{policy}");
    assert!(
        text(&policy["problem"], "happened").contains("belongs to another group now"),
        "{policy}"
    );
    assert_eq!(begun.created("policy").await, 0, "{description:?}");
    worker.stop().await;
}

/// Somebody becomes a member between the step of the senders and the policy.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f21_the_members_are_read_again_right_before_the_policy() {
    let mut begun = begin().await;
    let setup = begun.start("").await;
    begun.refusal(
        "New-ApplicationAccessPolicy",
        None,
        &json!({ "exchange_error": "Something new." }),
    );
    let worker = begun.worker().await;
    begun.settled(&setup, "failed").await;
    begun.change(|tenant| {
        let ceo = tenant
            .users
            .iter()
            .find(|(_, user)| user.upn == format!("info@{DOMAIN}"))
            .map(|(id, _)| *id)
            .expect("somebody");
        let other = group(tenant, "other", &[&format!("info@{DOMAIN}")]);
        let member = tenant.groups.get(&other).expect("a group").members.clone();
        let made = tenant
            .groups
            .values_mut()
            .find(|group| group.smtp.starts_with("postern-"))
            .expect("the group");
        made.members.extend(member);
        ceo
    });
    begun.no_refusal();
    begun.ask("retry_setup", &setup, None).await;
    let view = begun.settled(&setup, "failed").await;
    let told = view["steps"].to_string();
    assert!(told.contains("senders.strangers"), "{told}");
    assert_eq!(begun.created("policy").await, 0);
    worker.stop().await;
}

async fn own(owner: &mut Browser) -> Vec<Value> {
    let query = json!({ "kind": "", "person": "", "from": "", "to": "", "before": null });
    let page = owner
        .read("/api/own_history", &json!({ "query": query }))
        .await;
    page["rows"].as_array().expect("rows").clone()
}

fn of_kind<'r>(rows: &'r [Value], kind: &str) -> Vec<&'r Value> {
    rows.iter().filter(|row| row["kind"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_the_partners_history_tells_who_came_and_who_may_what() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let engineer = stack.accounts.engineer();
    let _signed_in = stack.with_role(&mut owner, &engineer, "engineer").await;
    let customer = stack.connect(&mut owner, "contoso.example").await;
    let (status, link) = owner
        .call_form("/api/make_link", &[("customer", &customer)])
        .await;
    assert_eq!(status, 200, "{link}");
    let token = link
        .as_str()
        .and_then(|link| link.rsplit('/').next())
        .expect("a link")
        .to_owned();
    let mut admin = stack.browser();
    admin.open(&format!("/join/{token}")).await;
    let sent = admin.submit_once("/api/join", &[("token", &token)]).await;
    let page = admin.follow(sent).await;
    let page = admin.consent(page, "admin@contoso.example", "accept").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let people = owner.read("/api/people", &json!({})).await;
    let person = people
        .as_array()
        .expect("people")
        .iter()
        .find(|person| person["upn"] == engineer.as_str())
        .expect("the engineer")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let ended = owner
        .call_form("/api/end_sessions_of", &[("person", &person)])
        .await;
    assert_eq!(ended.0, 200, "{}", ended.1);
    let taken = owner
        .call_form("/api/set_role", &[("person", &person), ("role", "")])
        .await;
    assert_eq!(taken.0, 200, "{}", taken.1);
    let rows = own(&mut owner).await;
    for (kind, least) in [
        ("sign_in.first", 2),
        ("sign_in.done", 2),
        ("role.given", 2),
        ("role.taken", 1),
        ("sessions.ended", 1),
        ("customer.added", 1),
        ("link.made", 1),
        ("link.used", 1),
    ] {
        assert!(of_kind(&rows, kind).len() >= least, "{kind}: {rows:#?}");
    }
    let given = of_kind(&rows, "role.given")[0];
    assert_eq!(given["after"]["upn"], engineer.as_str());
    assert_eq!(given["actor"]["upn"], stack.accounts.owner().as_str());
    assert!(given["actor"]["object"].is_string(), "{given}");
    assert!(given["key"].is_string() && given["customer"].is_null());
    let used = of_kind(&rows, "link.used")[0];
    assert_eq!(used["actor"]["upn"], "admin@contoso.example", "{used}");
    assert_eq!(used["after"]["customer"], customer.as_str());
    let made = of_kind(&rows, "link.made")[0];
    assert_eq!(made["after"]["customer"], customer.as_str());
    // The page, and the downloads with account and ids.
    let page = owner.open("/people/history").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains(&engineer), "{}", page.text());
    assert!(
        page.text().contains("the program itself"),
        "{}",
        page.text()
    );
    let csv = owner.open("/people/history.csv").await.body;
    let head = csv.lines().next().expect("a head");
    for column in ["\"upn\"", "\"object id\"", "\"who id\"", "\"key\""] {
        assert!(head.contains(column), "{head}");
    }
    assert!(csv.contains(&engineer));
    let file = owner.open("/people/history.json").await.body;
    let file: Vec<Value> = serde_json::from_str(&file).expect("JSON");
    assert_eq!(file.len(), rows.len());
    // One person alone, by id.
    let me = given["actor"]["id"].as_str().expect("an id");
    let mine = owner
        .open(&format!("/people/history.json?person={me}"))
        .await
        .body;
    let mine: Vec<Value> = serde_json::from_str(&mine).expect("JSON");
    assert!(!mine.is_empty() && mine.len() < file.len());
    assert!(mine.iter().all(|row| row["actor"]["id"] == me));
    // Nothing that opens anything.
    let all = serde_json::to_string(&file).expect("text");
    assert!(!all.contains(&token), "{all}");
}

/// A guest who is refused belongs to the partner's tenant; somebody of another tenant to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_who_is_refused_is_told_where_it_belongs() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let before = own(&mut owner).await.len();
    let mut foreign = stack.browser();
    let page = foreign.sign_in("admin@fabrikam.example").await;
    assert_eq!(page.problem().as_deref(), Some("sign_in.foreign_tenant"));
    assert_eq!(own(&mut owner).await.len(), before);
}

/// A process that starts with the same settings adds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_settings_at_start_are_noted_when_they_changed() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    assert_eq!(of_kind(&own(&mut owner).await, "settings.changed").len(), 0);
    for _ in 0..2 {
        let partners = [stack.accounts.partner_tenant.clone()];
        let other = crate::support::Portal::with_role(
            &stack.cloud,
            &stack.accounts,
            &stack.database,
            &partners,
            server::config::Role::Web,
        )
        .await;
        other.stop().await;
    }
    let rows = own(&mut owner).await;
    let noted = of_kind(&rows, "settings.changed");
    assert_eq!(noted.len(), 1, "{noted:#?}");
    assert_eq!(noted[0]["after"]["tenant may sign in"], true);
    assert_eq!(noted[0]["after"]["guests may sign in"], false);
}
