//! Tests the checks themselves: in a deliberately broken world, each check must report the
//! violation.

use std::{collections::BTreeSet, path::Path, time::Duration};

use cloud::{
    books::Mail,
    clock::Time,
    journal::{Actor, Change as Noted, Deed, Thing},
    permissions::Resource,
    world::{
        exchange::{AssignmentScope, Pointer, Policy, RoleAssignment},
        rights::{MailboxRight, Right},
        tenant::{AppRoleAssignment, Change, Group, Membership, Tenant},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    before::Before,
    block::{Block, PACE_IN_CALM, Tempo},
    check,
    disturb::Disturbed,
    drive::{Driven, unhelpful},
    failures, leftovers,
    plan::{Disturbance, Plan, Secret, Trap},
    watch,
};
use crate::support::SPEED;

/// Indices of the runs of the stage, by their result.
const PROVEN: usize = 0;
const CHECKED: usize = 1;
/// Proven next to another owner's group and policy.
const BESIDE: usize = 2;

fn plan(seed: u64, domain: &'static str, prove: bool, trap: Option<Trap>) -> Plan {
    Plan {
        domain,
        prove,
        trap,
        grants: vec!["graph:Mail.Send"],
        senders: 1,
        refused: 1,
        secret: Secret::AtOnce,
        meddling: None,
        twice: false,
        existing: false,
        impatient: true,
        delay: Duration::ZERO,
        disturbance: None,
        follows: false,
        unclear: Vec::new(),
        ..Plan::of(seed)
    }
}

fn must_say(found: &[String], words: &str) {
    let said = found.iter().any(|why| why.contains(words));
    assert!(said, "nobody said \"{words}\", but {found:#?}");
}

/// Three setups that ended well, in a world that does not change any more.
struct Stage {
    block: Block,
    runs: Vec<Driven>,
}

impl Stage {
    async fn set() -> Self {
        let plans = vec![
            plan(1, "fabrikam.example", true, None),
            plan(2, "litware.example", false, None),
            plan(3, "contoso.example", true, Some(Trap::Deny)),
        ];
        let (block, runs) = Block::in_calm(plans, Tempo::of(PACE_IN_CALM)).await;
        Self { block, runs }
    }

    async fn look(&self) -> Vec<String> {
        let logs = self.block.logs();
        let looked = check::look(&self.block.shared, &self.runs, &logs).await;
        looked.violations
    }

    fn setup(&self, run: usize) -> Uuid {
        self.runs[run].setup.expect("a setup")
    }

    /// Breaks the customer of a run, runs the checks, and restores the customer.
    async fn customer(&self, run: usize, words: &str, spoil: impl FnOnce(&mut Tenant, Time)) {
        must_say(&self.spoilt(run, spoil).await, words);
    }

    async fn spoilt(&self, run: usize, spoil: impl FnOnce(&mut Tenant, Time)) -> Vec<String> {
        let domain = self.runs[run].plan.domain;
        let cloud = &self.block.shared.cloud;
        let was = cloud.with_world(|world| {
            let now = world.dice.now();
            let id = world.tenants.resolve(domain).expect("a tenant");
            let tenant = world.tenants.get(id).expect("a tenant");
            let was = tenant.clone();
            spoil(tenant, now);
            was
        });
        let found = self.look().await;
        cloud.with_world(|world| {
            let id = was.id;
            *world.tenants.get(id).expect("a tenant") = was;
        });
        found
    }

    /// Breaks the database, runs the checks, and repairs the database.
    async fn database(&self, words: &str, spoil: &str, mend: &str) {
        self.block.shared.execute(spoil).await;
        let found = self.look().await;
        self.block.shared.execute(mend).await;
        must_say(&found, words);
    }

    /// Changes the recorded end of a run, runs the checks, and restores the end.
    async fn told(&mut self, run: usize, words: &str, end: &str) {
        let was = std::mem::replace(&mut self.runs[run].end, end.to_owned());
        let found = self.look().await;
        self.runs[run].end = was;
        must_say(&found, words);
    }

    /// The policy and the group that a run made.
    fn made<'a>(&self, run: usize, tenant: &'a mut Tenant) -> (&'a mut Policy, &'a mut Group) {
        let setup = self.setup(run).to_string();
        let policy = tenant
            .exchange
            .policies
            .iter_mut()
            .find(|policy| policy.description.contains(&setup));
        let group = tenant
            .groups
            .values_mut()
            .find(|group| group.description.contains(&setup));
        (policy.expect("a policy"), group.expect("a group"))
    }
}

async fn customers(stage: &Stage) {
    let own = stage.setup(PROVEN).to_string();
    stage
        .customer(PROVEN, "and the policy is []", |tenant, _| {
            let policies = &mut tenant.exchange.policies;
            policies.retain(|policy| !policy.description.contains(&own));
        })
        .await;
    stage
        .customer(PROVEN, "and the policy is [", |tenant, _| {
            stage.made(PROVEN, tenant).0.deny = true;
        })
        .await;
    stage
        .customer(PROVEN, "2 policies of one setup", |tenant, _| {
            let twin = stage.made(PROVEN, tenant).0.clone();
            tenant.exchange.policies.push(twin);
        })
        .await;
    stage
        .customer(
            PROVEN,
            "2 groups and 1 policies of one setup",
            |tenant, _| {
                let mut twin = stage.made(PROVEN, tenant).1.clone();
                twin.id = Uuid::new_v5(&twin.id, b"twin");
                tenant.groups.insert(twin.id, twin);
            },
        )
        .await;
    let mut more = |tenant: &mut Tenant, now: Time| {
        let (_, group) = stage.made(PROVEN, tenant);
        let is_member: BTreeSet<Uuid> = group.members.iter().map(|one| one.member).collect();
        let other = tenant
            .users
            .values()
            .find(|user| user.mailbox.is_some() && !is_member.contains(&user.id))
            .expect("somebody else")
            .id;
        stage.made(PROVEN, tenant).1.members.push(Membership {
            member: other,
            added: Change::known(now),
            removed: None,
        });
    };
    stage
        .customer(PROVEN, "and the group is [", &mut more)
        .await;
    stage
        .customer(PROVEN, "it may: true (Configured)", &mut more)
        .await;
    stage
        .customer(PROVEN, "it may: true (InForce)", |tenant, now| {
            stage.made(PROVEN, tenant).0.enforced = now + Duration::from_secs(86_400);
        })
        .await;
    // No policy restricts a role of Exchange.
    let (object, app_id) = (stage.runs[PROVEN].object, stage.runs[PROVEN].app_id);
    stage
        .customer(PROVEN, "and it sends as", |tenant, now| {
            tenant.exchange.pointers.push(Pointer {
                id: Uuid::new_v5(&object, b"pointer"),
                object_id: object,
                app_id,
                display_name: "Spoilt".to_owned(),
                created: now,
            });
            tenant.exchange.role_assignments.push(RoleAssignment {
                guid: Uuid::new_v5(&object, b"role"),
                name: "Spoilt".to_owned(),
                role: "Application Mail.Send".to_owned(),
                assignee: object,
                scope: AssignmentScope::Organisation,
                enabled: true,
                created: now,
            });
            tenant.exchange.rbac_cache.clear();
        })
        .await;
    stage
        .customer(PROVEN, "and the group is [", |tenant, _| {
            stage.made(PROVEN, tenant).1.hidden = false;
        })
        .await;
    stage
        .customer(BESIDE, "somebody else's group was", |tenant, _| {
            for group in tenant.groups.values_mut() {
                group.description.push('!');
            }
        })
        .await;
    stage
        .customer(BESIDE, "somebody else's policy was", |tenant, _| {
            tenant.exchange.policies.retain(|policy| !policy.deny);
        })
        .await;
}

async fn rows(stage: &Stage) {
    let own = stage.setup(PROVEN);
    let set = |what: &str, setup: Uuid| format!("update setups set {what} where id = '{setup}'");
    stage
        .database(
            "rolled back, and 1 groups and 1 policies are there",
            &set("state = 'rolled_back'", own),
            &set("state = 'done'", own),
        )
        .await;
    stage
        .database(
            "it ended as checked instead of proven",
            &set("proof = 'checked'", own),
            &set("proof = 'proven'", own),
        )
        .await;
    let checked = stage.setup(CHECKED);
    stage
        .database(
            "it ended as proven instead of checked",
            &set("proof = 'proven'", checked),
            &set("proof = 'checked'", checked),
        )
        .await;
    let left = |left: &str| {
        format!(
            "update steps set body = jsonb_set(body, '{{left}}', '{left}')
             where setup_id = '{own}' and position = 1"
        )
    };
    stage
        .database("something was left", &left("\"a group\""), &left("null"))
        .await;
    stage
        .database(
            "a secret is left of the setup",
            &format!(
                "insert into secrets (setup_id, partner_id, sealed, expires_at)
                 select id, partner_id, '', now() from setups where id = '{own}'"
            ),
            "delete from secrets",
        )
        .await;
    let secret = &stage.runs[PROVEN].secret;
    let doing = |text: &str| set(&format!("doing = '{text}'"), own);
    stage
        .database(
            "hold a secret as it is",
            &doing(&format!("with {secret} it")),
            &doing("Done."),
        )
        .await;
}

async fn jobs(stage: &Stage) {
    let shared = &stage.block.shared;
    let due = |when: &str| format!("update scans set lease = null, due_at = {when}");
    shared.execute(&due("now() - interval '1 hour'")).await;
    must_say(&leftovers::left(shared).await, "due_at");
    shared.execute(&due("now() + interval '1 day'")).await;
    shared
        .execute("delete from graphile_worker._private_jobs")
        .await;
    assert!(leftovers::left(shared).await.is_empty());
    shared
        .execute("select graphile_worker.add_job('nobody knows it', '{}'::json, job_key => 'key')")
        .await;
    must_say(&leftovers::left(shared).await, "task_id");
    shared
        .execute(
            "update graphile_worker._private_jobs
             set run_at = now() + interval '1 day', attempts = max_attempts",
        )
        .await;
    must_say(&leftovers::left(shared).await, "task_id");
    shared
        .execute("delete from graphile_worker._private_jobs")
        .await;
}

/// A change during a setup excuses only claims made before the change.
async fn disturbances(stage: &mut Stage) {
    let shared = stage.block.shared.clone();
    let at = |what, at| {
        Some(Disturbed {
            what,
            at,
            there: shared.cloud.with_world(|world| world.dice.now()),
            group: Uuid::nil(),
        })
    };
    stage.runs[PROVEN].disturbed = at(Disturbance::MemberAdded, 0);
    must_say(&stage.look().await, "its last look came after MemberAdded");
    // A change that opens nothing is no excuse either.
    stage.runs[PROVEN].disturbed = at(Disturbance::GroupInRole, i64::MAX);
    let own = stage.setup(PROVEN).to_string();
    let drop = |tenant: &mut Tenant, _: Time| {
        let policies = &mut tenant.exchange.policies;
        policies.retain(|policy| !policy.description.contains(&own));
    };
    stage.customer(PROVEN, "and the policy is []", drop).await;
    stage.runs[PROVEN].disturbed = at(Disturbance::PolicyDropped, i64::MAX);
    assert_eq!(stage.spoilt(PROVEN, drop).await, Vec::<String>::new());
    stage.runs[PROVEN].disturbed = None;

    let (object, app_id) = (stage.runs[PROVEN].object, stage.runs[PROVEN].app_id);
    let imap = |tenant: &mut Tenant, now: Time| {
        let exchange = tenant.resource_principal(Resource::Exchange);
        tenant.assignments.push(AppRoleAssignment {
            id: "spoilt".to_owned(),
            principal: object,
            resource: exchange.expect("Exchange").id,
            role: Resource::Exchange
                .role_id("IMAP.AccessAsApp")
                .expect("IMAP"),
            created: now,
            listed: now,
            removed: None,
        });
        tenant.exchange.pointers.push(Pointer {
            id: Uuid::new_v5(&object, b"pointer"),
            object_id: object,
            app_id,
            display_name: "Spoilt".to_owned(),
            created: now,
        });
        let mailboxes = tenant.users.values().filter(|user| user.mailbox.is_some());
        let rights = mailboxes.map(|user| MailboxRight {
            mailbox: user.id,
            holder: object,
            right: Right::FullAccess,
            deny: false,
            inherited: false,
        });
        tenant.exchange.rights.extend(rights);
    };
    stage.customer(PROVEN, "by imap: true", imap).await;

    stage.runs[PROVEN].before = Some(Before {
        setup: Uuid::nil(),
        lapses: Some(Time::MAX_UTC),
    });
    let found = stage.look().await;
    must_say(&found, "what refuses may be the policy before");
    must_say(&found, "and no mail as");
    stage.runs[PROVEN].before = None;
}

/// Violations that cannot be undone. They are checked at the end.
async fn for_good(stage: &mut Stage) {
    let shared = stage.block.shared.clone();
    let (app_id, group) = (stage.runs[PROVEN].app_id, stage.runs[PROVEN].group.clone());
    let postern: Uuid = shared.accounts.client_id.parse().expect("an id");
    let tenant = shared
        .cloud
        .with_world(|world| world.tenants.resolve("fabrikam.example").expect("a tenant"));

    // Postern changes another owner's group.
    let by = Actor {
        host: "exchange",
        operation: "Set-DistributionGroup".to_owned(),
        app_id: Some(postern),
        user: None,
        request_id: Uuid::nil().to_string(),
        client_request_id: None,
    };
    let note = |change: Noted| {
        shared.cloud.with_world(|world| {
            let now = world.dice.now();
            world.journal.note(now, tenant, &by, vec![change]);
        });
    };
    let other = Uuid::new_v5(&tenant, b"other");
    note(Noted::new(
        Deed::Changed,
        Thing::Group,
        other,
        "other",
        json!({}),
    ));
    must_say(&stage.look().await, "something that Postern did not make");
    // A group that somebody else used is removed.
    stage.runs[PROVEN].disturbed = Some(Disturbed {
        what: Disturbance::GroupInRole,
        at: 0,
        there: Time::UNIX_EPOCH,
        group: other,
    });
    note(Noted::new(
        Deed::Removed,
        Thing::Group,
        other,
        "other",
        json!({}),
    ));
    let found = stage.look().await;
    must_say(&found, "the group was removed after GroupInRole");
    stage.runs[PROVEN].disturbed = None;
    // The setup's policy is made again, without an event.
    let detail = json!({ "app_id": app_id.to_string() });
    note(Noted::new(
        Deed::Created,
        Thing::Policy,
        other,
        "policy",
        detail,
    ));
    let found = stage.look().await;
    must_say(&found, "\"policy created\" was done 2 times");
    must_say(&found, "happened 2 times in the cloud, and history tells 1");

    let stranger = Mail {
        number: 0,
        time: shared.cloud.with_world(|world| world.dice.now()),
        tenant,
        app_id,
        user: None,
        from: "stranger@fabrikam.example".to_owned(),
        to: Vec::new(),
        subject: group,
        body: String::new(),
        save_to_sent_items: false,
        client_request_id: None,
    };
    shared.cloud.with_world(|world| world.books.post(stranger));
    must_say(&stage.look().await, "a mail was sent as stranger@");

    stage.runs[CHECKED].called.insert("proven".to_owned());
    must_say(&stage.look().await, "was refused");
    stage.runs[CHECKED].enforced = None;
    must_say(&stage.look().await, "proven, and there never was a policy");
    stage.runs[CHECKED].called.remove("proven");
    shared.cloud.with_world(|world| world.books.clear_log());
    let found = stage.look().await;
    must_say(
        &found,
        &format!(
            "seed {}: proven, and no mail as",
            stage.runs[PROVEN].plan.seed
        ),
    );

    let own = stage.setup(PROVEN);
    for (words, spoil) in [
        (
            "which made no such change",
            format!(
                "update events set requests = array['not-a-request']
                 where setup_id = '{own}' and kind = 'cloud.change'"
            ),
        ),
        (
            "and history tells 0",
            format!("delete from events where setup_id = '{own}' and kind = 'cloud.change'"),
        ),
    ] {
        shared
            .execute("alter table events disable trigger user")
            .await;
        shared.execute(&spoil).await;
        let found = stage.look().await;
        must_say(&found, words);
        must_say(&found, "a chain is broken");
    }
}

fn logs(stage: &Stage) {
    let logs: Vec<&Path> = stage.block.logs();
    assert_eq!(leftovers::logged(&logs, &stage.runs), Vec::<String>::new());
    let folder = tempfile();
    let secret = &stage.runs[PROVEN].secret;
    std::fs::write(&folder, format!("the secret is {secret}\n")).expect("a file");
    must_say(
        &leftovers::logged(&[folder.as_path()], &stage.runs),
        "its secret is in",
    );
    std::fs::write(&folder, "").expect("a file");
    must_say(
        &leftovers::logged(&[folder.as_path()], &stage.runs),
        "nobody wrote a log",
    );
    std::fs::remove_file(folder).expect("an end");
}

fn tempfile() -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sabotage-{}.log", std::process::id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_check_sees_what_it_is_for() {
    let mut stage = Stage::set().await;
    let ends: Vec<&str> = stage.runs.iter().map(|run| run.end.as_str()).collect();
    assert_eq!(ends, ["done", "done", "done"]);
    assert_eq!(stage.look().await, Vec::<String>::new());

    customers(&stage).await;
    rows(&stage).await;
    stage.told(PROVEN, "nobody cancelled it", "cancelled").await;
    stage
        .told(PROVEN, "nobody rolled it back", "rolled_back")
        .await;
    stage
        .told(PROVEN, "refused without a reason", "refused")
        .await;
    let was = stage.runs[PROVEN].plan.trap.replace(Trap::Restrict);
    must_say(&stage.look().await, "it is done in spite of Some(Restrict)");
    stage.runs[PROVEN].plan.trap = was;
    disturbances(&mut stage).await;
    // Everything was restored, so each violation was found on its own.
    assert_eq!(stage.look().await, Vec::<String>::new());

    jobs(&stage).await;
    logs(&stage);
    let run = &stage.runs[PROVEN];
    for (kind, key) in [("policy", "throttled"), ("prove", "entra.secret_wrong")] {
        let problem = json!({ "key": key });
        let why = failures::wrong(&stage.block.shared, run, None, kind, &problem);
        must_say(&Vec::from_iter(why), "failed instead of waiting");
    }
    for_good(&mut stage).await;
}

/// Postern expects a removed policy to refuse for two hours of the cloud's time. Here the policy
/// continues to refuse for a day, and its group stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_x3_a_proof_that_rests_on_the_policy_before_is_seen() {
    let follows = Plan {
        follows: true,
        existing: true,
        ..plan(4, "fabrikam.example", true, None)
    };
    let tempo = Tempo {
        lags: 72,
        ..Tempo::of(SPEED)
    };
    let (_block, runs) = Block::in_calm(vec![follows], tempo).await;
    let [before, run] = runs.as_slice() else {
        panic!("{} setups", runs.len());
    };
    assert_eq!(before.end, "rolled_back");
    assert!(run.called.contains("proven"), "{:?}", run.called);
    must_say(&run.violations, "what refuses may be the policy before");
}

#[test]
fn a_wait_without_a_name_and_a_problem_that_does_not_help_are_seen() {
    let good = json!({
        "state": "waiting", "what": "microsoft", "why": "It takes a while.",
        "since": 1, "latest": 2,
    });
    let waits = |step: &Value| watch::waits(&json!({ "steps": [step] })).len();
    assert_eq!(waits(&good), 0);
    let bad = [
        ("what", json!("?")),
        ("why", json!("")),
        ("since", Value::Null),
        ("latest", Value::Null),
    ];
    for (part, value) in bad {
        let mut step = good.clone();
        step[part] = value;
        assert_eq!(waits(&step), 1, "{part}");
    }
    let good = json!({
        "key": "k", "happened": "a", "means": "b", "todo": "c", "remedy": "wait",
    });
    assert_eq!(unhelpful(&good), Vec::<String>::new());
    for part in ["key", "happened", "means", "todo", "remedy"] {
        let mut problem = good.clone();
        problem[part] = json!("");
        assert_eq!(unhelpful(&problem).len(), 1, "{part}");
    }
}
