//! What a proof proves: one round of real mail after everything else has lapsed, compared with all
//! that the application reaches, and only as long as nothing contradicts it.

use std::time::Duration;

use cloud::world::{
    enforcement::{View, policies_allow},
    exchange::{Policy, PolicyScope},
    tenant::{Change, Membership},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    SPEED,
    begun::{Begun, DOMAIN, MAILER},
    field,
    setups::{Chosen, made, reviewed},
    until,
};

const RAOP: &str = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";
/// Two hours of Microsoft's time, within which a policy that was removed can still refuse.
const LAPSE_MILLIS: i64 = 2 * 3_600_000;

impl Begun {
    pub async fn secret(&mut self, setup: &str) {
        let secret = self.chosen.application.secret.clone();
        self.ask("give_secret", setup, Some(("secret", &secret)))
            .await;
    }

    /// Mail through Graph is answered so until it is disarmed; the first `skip` as the cloud likes.
    fn answers(&self, skip: u64, status: u16, code: &str, text: &str) {
        let fault = json!({
            "id": "answers", "operation": "POST /users/*/sendMail", "skip": skip,
            "action": { "graph_error": code, "status": status, "text": text },
        });
        self.stack.cloud.fault(fault).expect("a fault");
    }

    pub fn as_it_likes(&self) {
        self.stack
            .cloud
            .with_world(|world| world.faults.disarm("answers"));
    }

    pub async fn enforced_after(&self, from: u64, to: u64) {
        self.stack
            .control("delays", &json!({ "policy_enforcement": [from, to] }))
            .await;
    }

    /// The policy of the setup was made long ago: what was there before has lapsed.
    async fn policy_is_old(&self) {
        self.execute(&format!(
            "update steps set body = jsonb_set(body, '{{ended}}',
                 to_jsonb((body ->> 'ended')::bigint - {LAPSE_MILLIS})) where kind = 'policy'"
        ))
        .await;
    }

    /// The proof is given up an hour of this machine's time later.
    async fn patient(&self, setup: &str) {
        let later = format!(
            "update steps set body = jsonb_set(body, '{{latest}}',
                 to_jsonb((body ->> 'latest')::bigint + 3600000))
             where kind = 'prove' and setup_id = '{setup}' and body ->> 'state' = 'waiting'
               and (body ->> 'latest')::bigint < extract(epoch from now()) * 1000 + 1800000"
        );
        until("a wait that is long enough", || async {
            self.execute(&later).await;
            let view = self.view(setup).await;
            let latest = step(&view, "prove")["latest"].as_i64()?;
            // A look under way may write its own.
            let left = latest - view["now"].as_i64()?;
            (left > 1_800_000 && step(&view, "prove")["state"] == "waiting").then_some(())
        })
        .await;
    }

    fn client_id(&self) -> Uuid {
        let object = self.chosen.object.parse().expect("an id");
        self.change(|tenant| tenant.principals[&object].app_id)
    }

    /// Whether mail as this mailbox goes through now.
    pub fn goes_through(&self, upn: &str) -> bool {
        let app = self.client_id();
        self.stack.cloud.with_world(|world| {
            let now = world.dice.now();
            let id = world.tenants.resolve(DOMAIN).expect("a tenant");
            let tenant = world.tenants.get(id).expect("a tenant");
            let mailbox = tenant.user(upn).expect("an account").id;
            policies_allow(tenant, app, mailbox, View::InForce, now)
        })
    }

    pub async fn waits_with(&self, setup: &str, words: &str) -> Value {
        until(words, || async {
            let view = self.view(setup).await;
            let said = step(&view, "prove")["why"].as_str()?.to_owned();
            said.contains(words).then_some(view)
        })
        .await
    }

    async fn grant(&self, grants: &[&str]) {
        let app = self.client_id().to_string();
        let body = json!({ "tenant": DOMAIN, "app_id": app, "grants": grants });
        self.stack.control("applications", &body).await;
    }

    /// An application that only this test knows.
    async fn other_application(&mut self, name: &str, grants: &[&str]) {
        let body = json!({ "tenant": DOMAIN, "name": name, "grants": grants });
        self.stack.control("applications", &body).await;
        let object = self
            .change(|tenant| {
                let mut all = tenant.principals.values();
                all.find(|one| one.display_name == name).map(|one| one.id)
            })
            .expect("the application");
        self.chosen.object = object.to_string();
        self.chosen.group = format!("postern-{}", name.to_lowercase().replace(' ', "-"));
    }

    async fn prove_again(&mut self, setup: &str, mailboxes: &[&str]) -> (u16, Value) {
        let secret = self.chosen.application.secret.clone();
        let mut fields = vec![
            ("customer", self.chosen.customer.as_str()),
            ("setup", setup),
            ("secret", secret.as_str()),
        ];
        fields.extend(mailboxes.iter().map(|one| ("mailbox[]", *one)));
        self.owner.call_form("/api/prove_again", &fields).await
    }

    /// What the lists say of the customer: its setups' proofs, and how many are called proven.
    async fn lists(&mut self) -> (Vec<String>, i64) {
        let all = json!({ "filter": "all", "before": null });
        let setups = self.owner.read("/api/setups", &all).await;
        let proofs = setups["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["proof"].as_str().expect("a proof").to_owned())
            .collect();
        let query = json!({ "query": { "search": "", "sort": "name", "page": 1 } });
        let customers = self.owner.read("/api/customers", &query).await;
        let proven = customers["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["proven"].as_i64().expect("a number"))
            .sum();
        (proofs, proven)
    }
}

fn step<'v>(view: &'v Value, kind: &str) -> &'v Value {
    let steps = view["steps"].as_array().expect("steps");
    steps
        .iter()
        .find(|step| step["kind"] == kind)
        .unwrap_or_else(|| panic!("no {kind} in {view}"))
}

/// Somebody else's policy for the application, in force from the beginning.
fn foreign_policy(begun: &Begun, member: &str) {
    let app = begun.client_id().to_string();
    begun.change(|tenant| {
        let created = tenant.created;
        let mailbox = tenant.user(member).expect("an account").id;
        let (sid, name) = (tenant.sid(77_002), "Somebody else's".to_owned());
        tenant.exchange.policies.push(Policy {
            app_id: app,
            deny: false,
            description: "somebody else's".to_owned(),
            // A policy can be about one mailbox.
            scope: PolicyScope {
                id: mailbox,
                sid,
                name: name.clone(),
                display_name: name,
            },
            created,
            visible: created,
            enforced: created,
            removed: None,
        });
    });
}

/// An admin removes policies; what they refused they refuse for so many seconds more.
fn remove_policies(begun: &Begun, seconds: u64, which: impl Fn(&Policy) -> bool) {
    begun.stack.cloud.with_world(|world| {
        let now = world.dice.now();
        let id = world.tenants.resolve(DOMAIN).expect("a tenant");
        let tenant = world.tenants.get(id).expect("a tenant");
        for policy in tenant.exchange.policies.iter_mut().filter(|one| which(one)) {
            policy.removed = Some((now, now + Duration::from_secs(seconds)));
        }
    });
}

fn all_refused(begun: &Begun) {
    for address in &begun.chosen.refused {
        assert!(
            !begun.goes_through(address),
            "proven, and a mail as {address} goes through"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_x3_after_a_roll_back_the_old_policys_refusal_proves_nothing() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let secret = begun.chosen.application.secret.clone();
    let first = begun.start(&secret).await;
    begun.settled(&first, "done").await;
    // The worst case: the old one goes on for as long as it can, the new one comes late.
    begun.enforced_after(5_400, 6_600).await;
    begun
        .ask("roll_back", &first, Some(("confirm", MAILER)))
        .await;
    begun.settled(&first, "rolled_back").await;
    // However slow this machine is, the proof begins soon after it.
    let undone_later = |millis: i64| {
        format!(
            "update steps set body = jsonb_set(body, '{{ended}}',
                 to_jsonb((body ->> 'ended')::bigint + {millis}))
             where kind = 'policy' and setup_id = '{first}'"
        )
    };
    begun.execute(&undone_later(3_600_000)).await;
    let sent = begun.stack.outbox().await.len();
    begun.chosen.group = "postern-second".to_owned();
    let second = begun.start(&secret).await;
    let view = begun
        .waits_with(&second, "Another access policy for this application")
        .await;
    let counts_from = &step(&view, "prove")["proving"]["counts_from"];
    assert!(counts_from.is_number(), "{view}");
    assert!(begun.page(&second).await.contains("A refusal counts from"));
    // Nothing is sent before: it would say nothing.
    begun.ask("look_now", &second, None).await;
    assert_eq!(begun.stack.outbox().await.len(), sent);
    assert_eq!(step(&view, "prove")["proving"]["tried"], 0);
    begun.execute(&undone_later(-3_600_000)).await;
    begun.ask("look_now", &second, None).await;
    let view = begun.settled(&second, "done").await;
    assert_eq!(view["proof"], "proven", "{view}");
    all_refused(&begun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_x4_after_somebody_elses_policy_was_removed_its_refusal_proves_nothing() {
    let mut begun = Begun::new().await;
    foreign_policy(&begun, "info@fabrikam.example");
    begun.enforced_after(5_400, 6_600).await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "failed").await;
    assert!(view.to_string().contains("other_policy"), "{view}");
    remove_policies(&begun, 5_400, |_| true);
    begun.ask("retry_setup", &setup, None).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven", "{view}");
    all_refused(&begun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_x1_a_policy_that_is_gone_ends_never_as_proven() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    // It refuses for two hours more.
    remove_policies(&begun, 7_200, |_| true);
    begun.secret(&setup).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "more_open", "{view}");
    assert_eq!(view["judged"]["says"]["verdict"], "more");
    assert!(begun.stack.outbox().await.is_empty());
    let page = begun.page(&setup).await;
    assert!(
        page.contains("More is open than the plan permits"),
        "{page}"
    );
    assert!(page.contains("every mailbox"), "{page}");
    assert_eq!(begun.lists().await, (vec!["more_open".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_x2_a_group_that_was_widened_ends_never_as_proven() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    let more = begun.chosen.refused[0].clone();
    begun.change(|tenant| {
        let member = tenant.user(&more).expect("an account").id;
        let added = Change::known(tenant.created);
        let group = tenant
            .groups
            .values_mut()
            .find(|group| group.description.contains(&setup))
            .expect("the group");
        group.members.push(Membership {
            member,
            added,
            removed: None,
        });
    });
    begun.secret(&setup).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "more_open", "{view}");
    let open = view["judged"]["says"]["open"].to_string();
    assert!(open.contains(&more), "{open}");
    assert!(begun.stack.outbox().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m2_a_door_that_opens_meanwhile_ends_never_as_proven() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    begun.grant(&["graph:MailboxItem.Export.All"]).await;
    begun.secret(&setup).await;
    let view = begun.settled(&setup, "done").await;
    assert_ne!(view["proof"], "proven", "{view}");
    let said = view["judged"].to_string();
    assert!(said.contains("MailboxItem.Export.All"), "{said}");
}

/// Exactly who is reached beside the plan is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m2_a_wider_policy_that_comes_meanwhile_ends_never_as_proven() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    let app = begun.client_id().to_string();
    begun.change(|tenant| {
        let wider = field::group(tenant, "somebody-elses", &["info@fabrikam.example"]);
        field::policy(tenant, &app, wider, false);
    });
    begun.secret(&setup).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "more_open", "{view}");
    let says = &view["judged"]["says"];
    assert_eq!(says["verdict"], "more", "{says}");
    let open = says["open"].to_string();
    for part in ["Mail.Send", "info@fabrikam.example", &begun.chosen.sender] {
        assert!(open.contains(part), "{part} is not in {open}");
    }
    let refused = begun.chosen.refused.iter();
    for refused in refused.filter(|one| !one.starts_with("info@")) {
        assert!(!open.contains(refused), "{open}");
    }
    let why = step(&view, "prove")["why"].as_str().expect("a reason");
    assert!(why.contains("somebody-elses"), "{why}");
}

/// A policy can be about one mailbox. A reading of one application lists no mailboxes, so that it
/// cannot tell which one this is: then it is not known, and never proven.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m2_a_policy_about_one_mailbox_that_comes_meanwhile_is_not_known() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    foreign_policy(&begun, "info@fabrikam.example");
    begun.secret(&setup).await;
    let view = begun.settled(&setup, "done").await;
    assert_ne!(view["proof"], "proven", "{view}");
    // The page may show what the reading after the setup says by now.
    let done = begun
        .rows("select what from events where kind = 'setup.done'")
        .await;
    let said = done[0]["what"].as_str().expect("words");
    for part in ["could not be read", "What a policy is about"] {
        assert!(said.contains(part), "{said}");
    }
    let why = step(&view, "prove")["why"].as_str().expect("a reason");
    assert!(why.contains("Somebody else's"), "{why}");
}

/// An outage longer than a few looks says nothing of what is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trouble_in_the_last_look_is_waited_for() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    // One of them is enough to rule roles of Exchange out.
    let unread = ["Get-ServicePrincipal", "Get-ManagementRoleAssignment"];
    for operation in unread {
        let fault = json!({ "id": operation, "operation": operation, "action": { "status": 503 } });
        begun.stack.cloud.fault(fault).expect("a fault");
    }
    begun.ask("skip_proof", &setup, None).await;
    // However slow this machine is, it is not given up meanwhile.
    let later = format!(
        "update steps set body = jsonb_set(body, '{{latest}}',
             to_jsonb((body ->> 'latest')::bigint + 3600000))
         where kind = 'last_look' and setup_id = '{setup}' and body ->> 'state' = 'waiting'
           and (body ->> 'latest')::bigint < extract(epoch from now()) * 1000 + 1800000"
    );
    let view = until("looks that are spoilt", || async {
        begun.execute(&later).await;
        let view = begun.view(&setup).await;
        let looks = step(&view, "last_look")["attempts"].as_u64()?;
        (looks > 3 || view["state"] == "done").then_some(view)
    })
    .await;
    let last = step(&view, "last_look");
    assert_eq!(last["state"], "waiting", "{view}");
    let why = last["why"].as_str().expect("a reason");
    assert!(why.contains("Not all of it could be read"), "{why}");
    for id in unread {
        begun
            .stack
            .cloud
            .with_world(|world| world.faults.disarm(id));
    }
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    assert_eq!(view["judged"]["says"]["verdict"], "holds", "{view}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b06_a_user_agent_list_is_no_access_policy() {
    let mut begun = Begun::new().await;
    // Nothing is enforced for two days.
    begun.enforced_after(172_800, 172_800).await;
    begun.answers(0, 403, "ErrorAccessDenied", "Access to OData is disabled.");
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.waits_with(&setup, "EwsApplicationAccessPolicy").await;
    assert_eq!(view["proof"], "checked");
    let why = step(&view, "prove")["why"].as_str().expect("a reason");
    assert!(!why.contains("still refuses"), "{why}");
    assert!(begun.stack.outbox().await.is_empty());
    begun.as_it_likes();
    begun
        .waits_with(&setup, "does not enforce the policy yet")
        .await;
    // Only the first one is tried, and named.
    let view = begun.view(&setup).await;
    for probe in step(&view, "prove")["probes"].as_array().expect("probes") {
        let first = probe["mailbox"] == begun.chosen.refused[0].as_str();
        let tried = !probe["looks"].as_array().expect("looks").is_empty();
        assert_eq!(first, tried, "{probe}");
    }
}

/// Each answer of `sendMail` that is not the policy's leaves the proof open, on a mailbox that must
/// be refused and on a sender, with words of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b34_no_other_answer_proves_or_disproves() {
    let rows = [
        (
            403,
            "ErrorAccessDenied",
            "Access to OData is disabled.",
            "user agents",
        ),
        (
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
            "another reason than the policy",
        ),
        (
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.",
            "the sender that the mail names",
        ),
        (
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            "no mailbox here that Graph opens",
        ),
        (
            404,
            "ErrorInvalidUser",
            "The requested user 'x' is invalid.",
            "does not know the mailbox",
        ),
        (
            404,
            "Request_ResourceNotFound",
            "x",
            "does not know the mailbox",
        ),
        (
            403,
            "ErrorExceededMessageLimit",
            "x",
            "sent as much mail as it may",
        ),
    ];
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    begun.chosen.refused.truncate(1);
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    begun.policy_is_old().await;
    // First on the mailbox that must be refused, then on the sender: what did not behave comes
    // first.
    for round in 0..2 {
        if round == 0 {
            let (status, code, text, _) = rows[0];
            begun.answers(0, status, code, text);
            begun.secret(&setup).await;
            begun.patient(&setup).await;
        }
        for (status, code, text, words) in rows {
            begun.answers(0, status, code, text);
            // It may look by itself just then.
            begun.try_ask("look_now", &setup, None).await;
            let view = begun.waits_with(&setup, words).await;
            assert_eq!(view["proof"], "checked", "{code}");
            let prove = step(&view, "prove");
            let why = prove["why"].as_str().expect("a reason");
            let mailbox = if round == 0 {
                begun.chosen.refused[0].as_str()
            } else {
                begun.chosen.sender.as_str()
            };
            assert!(why.contains(mailbox), "{code}: {why}");
            assert!(!why.contains("still refuses mail"), "{code}: {why}");
        }
        if round == 0 {
            // The refused one behaves, and the sender is refused by somebody.
            begun.answers(0, 403, "ErrorAccessDenied", RAOP);
            begun.waits_with(&setup, "still refuses mail").await;
        }
    }
    begun.as_it_likes();
    assert_eq!(begun.settled(&setup, "done").await["proof"], "proven");
}

/// Continuous access evaluation: the application's token is fetched once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b12_a_token_of_the_application_that_is_not_taken_is_renewed_once() {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let setup = begun.start("").await;
    begun.settled(&setup, "needs_secret").await;
    begun.policy_is_old().await;
    begun.fault(
        "POST /users/*/sendMail",
        0,
        json!({ "graph_error": "TokenCreatedWithOutdatedPolicies", "status": 401, "text": "x" }),
    );
    begun.secret(&setup).await;
    assert_eq!(begun.settled(&setup, "done").await["proof"], "proven");
    assert!(begun.fired());

    begun.answers(0, 401, "TokenCreatedWithOutdatedPolicies", "x");
    let sender = begun.chosen.sender.clone();
    let (status, told) = begun.prove_again(&setup, &[&sender]).await;
    assert_eq!(status, 200, "{told}");
    let view = begun.settled(&setup, "failed").await;
    let problem = &step(&view, "prove")["problem"];
    assert_eq!(problem["key"], "send.token", "{problem}");
    assert_eq!(problem["remedy"], "act", "{problem}");
    // What was proven before is not forgotten for that.
    assert_eq!(view["proof"], "proven");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b01_a_day_without_enforcement_ends_as_checked_and_is_proven_later() {
    let mut begun = Begun::new().await;
    begun.answers(0, 403, "ErrorAccessDenied", RAOP);
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    let why = step(&view, "prove")["why"]
        .as_str()
        .expect("a reason")
        .to_owned();
    for words in [
        "Not yet proven",
        "Exchange's own test agrees",
        "took longer than a day in other tenants",
        "EnforceExoAppRbacPermissions",
        "prove again",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    let page = begun.page(&setup).await;
    assert!(page.contains("checked, not yet proven"), "{page}");
    assert_eq!(begun.stack.count("secrets").await, 0);
    assert!(begun.stack.outbox().await.is_empty());
    begun.as_it_likes();
    let sender = begun.chosen.sender.clone();
    let (status, told) = begun.prove_again(&setup, &[&sender]).await;
    assert_eq!(status, 200, "{told}");
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven", "{view}");
    assert_eq!(begun.log("New-DistributionGroup").await.len(), 1);
    assert_eq!(begun.log("New-ApplicationAccessPolicy").await.len(), 1);
    assert_eq!(made(&begun.stack.tenant(DOMAIN).await, &setup).policies, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_b01_a_day_of_open_mail_sends_a_dozen_as_one_mailbox() {
    let mut begun = Begun::new().await;
    begun.enforced_after(172_800, 172_800).await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    let mails = begun.stack.outbox().await;
    // One a day more, at the very end of it.
    assert!((2..=13).contains(&mails.len()), "{} mails", mails.len());
    for mail in &mails {
        assert_eq!(mail["from"], begun.chosen.refused[0].as_str(), "{mail}");
    }
    let counted = format!("{} of them accepted", mails.len());
    let page = begun.page(&setup).await;
    assert!(page.contains(&counted), "{counted} is not in {page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b02_an_untried_sender_is_named_and_tried_alone() {
    let mut begun = Begun::new().await;
    for more in ["info", "support"] {
        let upn = format!("{more}@{DOMAIN}");
        begun.chosen.refused.retain(|one| *one != upn);
        begun.senders.push(upn);
    }
    let third = begun.senders[2].clone();
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven", "{view}");
    let named = format!("2 of 3 senders tried; not tried: {third}");
    let page = begun.page(&setup).await;
    assert!(page.contains(&named), "{page}");
    let proven = begun
        .rows("select what, after from events where kind = 'proof.proven'")
        .await;
    let what = proven[0]["what"].as_str().expect("words");
    assert!(what.contains(&named), "{what}");
    assert_eq!(proven[0]["after"]["not_tried"], json!([third]));

    // It is refused for days, the others are not concerned.
    begun.answers(1, 403, "ErrorAccessDenied", RAOP);
    let (status, told) = begun.prove_again(&setup, &[&third]).await;
    assert_eq!(status, 200, "{told}");
    let view = begun
        .waits_with(&setup, &format!("still refuses mail as {third}"))
        .await;
    assert_eq!(view["proof"], "proven", "what was proven stands");
    begun.as_it_likes();
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven");
    let page = begun.page(&setup).await;
    assert!(page.contains("as 3 of 3 permitted accepted"), "{page}");
    assert_eq!(begun.log("New-ApplicationAccessPolicy").await.len(), 1);
    let again = begun
        .rows("select what from events where kind = 'proof.again'")
        .await;
    assert!(again[0]["what"].as_str().expect("words").contains(&third));

    let (status, told) = begun
        .prove_again(&setup, &["nobody@fabrikam.example"])
        .await;
    assert_eq!(status, 422, "{told}");
    let (status, told) = begun.prove_again(&setup, &[]).await;
    assert_eq!(status, 422, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m07_all_mailboxes_hold_in_two_rounds() {
    let mut begun = Begun::new().await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "proven");
    let probes = step(&view, "prove")["probes"].as_array().expect("probes");
    assert_eq!(probes.len(), begun.chosen.refused.len() + 1);
    let between = Duration::from_secs(600).div_f64(SPEED);
    let mut rounds: Vec<(u64, u64)> = Vec::new();
    for probe in probes {
        let looks = probe["looks"].as_array().expect("looks");
        let [.., one, other] = looks.as_slice() else {
            panic!("one look: {probe}");
        };
        let part = |look: &Value, name: &str| look[name].as_u64().expect("a number");
        rounds.push((part(one, "run"), part(other, "run")));
        let apart = part(other, "at") - part(one, "at");
        assert!(u128::from(apart) + 1 >= between.as_millis(), "{apart} ms");
        let wanted = if probe["must"] == "arrive" {
            "accepted"
        } else {
            "refused"
        };
        assert_eq!(
            (&one["outcome"], &other["outcome"]),
            (&json!(wanted), &json!(wanted))
        );
    }
    rounds.dedup();
    assert_eq!(rounds.len(), 1, "all in the same two rounds: {rounds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ux_u03_who_receives_what_is_said_and_can_be_chosen() {
    let mut begun = Begun::new().await;
    let query = format!("{}&to=me%40msp.example&step=review", begun.chosen.query());
    let path = format!("/customers/{}/setups/new?{query}", begun.chosen.customer);
    let page = begun.owner.open(&path).await.text();
    for words in [
        "me@msp.example receives test mails",
        "12 in a day at most",
        "Postern tests who this application may send as",
        "not to whom",
        "RBAC for Applications",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    let mut draft = begun.chosen.draft();
    draft["recipient"] = json!("me@msp.example");
    let [digest, shown] = reviewed(&mut begun.owner, &begun.chosen.customer, &draft).await;
    let fields = [
        ("customer", begun.chosen.customer.as_str()),
        ("draft", query.as_str()),
        ("digest", digest.as_str()),
        ("shown", shown.as_str()),
        ("secret", begun.chosen.application.secret.as_str()),
    ];
    let (status, told) = begun.owner.call_form("/api/start_setup", &fields).await;
    assert_eq!(status, 200, "{told}");
    let rows = begun.rows("select id from setups").await;
    let setup = rows[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(begun.settled(&setup, "done").await["proof"], "proven");
    for mail in begun.stack.outbox().await {
        assert_eq!(mail["to"], json!(["me@msp.example"]), "{mail}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m06_what_sends_through_ews_alone_ends_as_checked() {
    let mut begun = Begun::new().await;
    begun
        .other_application("Only EWS", &["exchange:full_access_as_app"])
        .await;
    let review = begun.reviewed().await;
    assert_eq!(review["plan"]["unprovable"], "only_ews", "{review}");
    assert_eq!(review["plan"]["prove"], false);
    let setup = begun.start("").await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    assert_eq!(view["can"]["prove_again"], false);
    let page = begun.page(&setup).await;
    assert!(page.contains("EWS alone"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b27_a_managed_identity_is_asked_for_no_secret() {
    let mut begun = Begun::new().await;
    begun
        .other_application("In Azure", &["graph:Mail.Send"])
        .await;
    let object: Uuid = begun.chosen.object.parse().expect("an id");
    begun.change(|tenant| {
        let found = tenant.principals.get_mut(&object).expect("the application");
        found.kind = "ManagedIdentity";
    });
    let Chosen { customer, .. } = begun.chosen.clone();
    for (screen, without) in [("details", "name=\"prove\""), ("review", "name=\"secret\"")] {
        let path = format!(
            "/customers/{customer}/setups/new?{}&step={screen}",
            begun.chosen.query()
        );
        let page = begun.owner.open(&path).await.text();
        assert!(page.contains("managed identity"), "{page}");
        assert!(page.contains("What is left is weaker"), "{page}");
        assert!(!page.contains(without), "{screen}: {page}");
    }
    let setup = begun.start("").await;
    let view = begun.settled(&setup, "done").await;
    assert_eq!(view["proof"], "checked", "{view}");
    assert!(begun.page(&setup).await.contains("managed identity"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b26_what_a_reading_contradicts_is_proven_nowhere() {
    let mut begun = Begun::new().await;
    let secret = begun.chosen.application.secret.clone();
    let setup = begun.start(&secret).await;
    begun.settled(&setup, "done").await;
    assert_eq!(begun.lists().await, (vec!["proven".to_owned()], 1));
    remove_policies(&begun, 0, |_| true);
    let customer = begun.chosen.customer.clone();
    until("a reading that contradicts it", || {
        let (begun, customer) = (&begun, customer.clone());
        let setup = setup.clone();
        async move {
            begun
                .owner
                .clone()
                .send_form("/api/scan_one", &[("customer", &customer)])
                .await;
            let view = begun.view(&setup).await;
            (view["proof"] == "more_open").then_some(())
        }
    })
    .await;
    assert_eq!(begun.lists().await, (vec!["more_open".to_owned()], 0));
    let fell = begun
        .rows("select what from events where kind = 'proof.fell'")
        .await;
    assert_eq!(fell.len(), 1, "{fell:?}");
    let page = begun.page(&setup).await;
    assert!(page.contains("contradicts the plan"), "{page}");
}

/// Two proven setups on one group, with one policy. Gives their ids.
async fn two_on_one_group() -> (Begun, String, String) {
    let mut begun = Begun::new().await;
    begun.enforced_after(0, 0).await;
    let secret = begun.chosen.application.secret.clone();
    let first = begun.start(&secret).await;
    begun.settled(&first, "done").await;
    begun.chosen.group = format!("{}@{DOMAIN}", begun.chosen.group);
    let second = begun.start(&secret).await;
    assert_eq!(begun.settled(&second, "done").await["proof"], "proven");
    assert_eq!(begun.lists().await.1, 2);
    (begun, first, second)
}

fn standing(tenant: &Value) -> usize {
    let policies = tenant["policies"].as_array().expect("policies");
    policies
        .iter()
        .filter(|policy| policy["configured"] == true && policy["removed"].is_null())
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m3_a_roll_back_leaves_the_policy_and_the_proof_of_the_other_setup() {
    let (mut begun, first, second) = two_on_one_group().await;
    begun
        .ask("roll_back", &first, Some(("confirm", MAILER)))
        .await;
    begun.settled(&first, "rolled_back").await;
    assert_eq!(standing(&begun.stack.tenant(DOMAIN).await), 1);
    all_refused(&begun);
    let (proofs, proven) = begun.lists().await;
    assert_eq!(proven, 1, "{proofs:?}");
    assert_eq!(begun.view(&second).await["proof"], "proven");
}

/// The policy on which both stood is gone when the first is rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_m3_a_roll_back_takes_the_proof_of_the_other_setup_with_it() {
    let (mut begun, first, second) = two_on_one_group().await;
    remove_policies(&begun, 0, |_| true);
    begun
        .ask("roll_back", &first, Some(("confirm", MAILER)))
        .await;
    begun.settled(&first, "rolled_back").await;
    assert_eq!(standing(&begun.stack.tenant(DOMAIN).await), 0);
    let (proofs, proven) = begun.lists().await;
    assert_eq!(proven, 0, "{proofs:?}");
    let view = begun.view(&second).await;
    assert_eq!(view["proof"], "more_open", "{view}");
    let page = begun.page(&second).await;
    assert!(page.contains("contradicts the plan"), "{page}");
}
