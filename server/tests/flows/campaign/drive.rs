//! One run: an operator starts a setup, interferes with it, and waits for its end.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cloud::clock::{Time, wall_now};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::{
    before::{self, Before},
    block::{Shared, id},
    disturb::{self, Disturbed, Mark},
    failures, mails,
    plan::{Meddling, Plan, Secret, Trap},
    trap::{self, Planted},
    watch::{Claimed, watch},
};

/// After the faults have ended, each setup must change within this time. A busy machine may need
/// long for all runs together.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(300);
/// When a setup polls next only after this time, its operator requests a poll.
const SOON: Duration = Duration::from_secs(6);
/// Interval between two polls that the operator requests: each sends mail, and only a dozen mails
/// are sent per day.
const BETWEEN_LOOKS: Duration = Duration::from_secs(12);
/// After this time an operator recognises that a step waits because of somebody's change.
const SEES_THROUGH: Duration = Duration::from_secs(15);
/// How often the operator retries a failed setup before giving up.
const RETRIES: u32 = 6;

/// The result of a run.
pub struct Driven {
    pub plan: Plan,
    pub app_id: Uuid,
    pub object: Uuid,
    pub group: String,
    pub senders: Vec<String>,
    pub refused: Vec<String>,
    /// The application's client secret.
    pub secret: String,
    pub planted: Planted,
    /// The actions that the operator requested.
    pub asked: BTreeSet<&'static str>,
    /// All claims that the setup ever made.
    pub called: BTreeSet<String>,
    /// When the setup's policy took effect.
    pub enforced: Option<Time>,
    /// None when the setup was never started.
    pub setup: Option<Uuid>,
    /// The state at the end.
    pub end: String,
    /// Keys of the problems shown to the operator.
    pub problems: Vec<String>,
    pub violations: Vec<String>,
    /// The change that somebody made during the setup.
    pub disturbed: Option<Disturbed>,
    /// Another setup for the same application, which was rolled back.
    pub before: Option<Before>,
}

pub struct Drive {
    shared: Arc<Shared>,
    customer: String,
    run: Driven,
    mark: Mark,
    /// Whether the rollback does not wait for the end of the faults.
    at_once: bool,
}

/// Runs the plan. Returns the result of the run, and of the setup before it if there was one.
pub async fn drive(shared: Arc<Shared>, plan: Plan) -> Vec<Driven> {
    let (senders, refused) = plan.people(&shared.mailboxes(plan.domain));
    let registered = register(&shared, &plan).await;
    let mut run = Driven {
        app_id: id(&registered["app_id"]),
        object: id(&registered["object_id"]),
        group: format!("postern-mailer-{}", plan.seed),
        senders,
        refused,
        secret: registered["secret"].as_str().expect("a secret").to_owned(),
        planted: Planted::default(),
        asked: BTreeSet::new(),
        called: BTreeSet::new(),
        enforced: None,
        setup: None,
        end: "never started".to_owned(),
        problems: Vec::new(),
        violations: Vec::new(),
        disturbed: None,
        before: None,
        plan,
    };
    trap::plant(&shared, &mut run);
    mails::arm(&shared, &run);
    sleep(run.plan.delay).await;
    let first = if run.plan.follows {
        let (first, before) = before::run(&shared, &run).await;
        run.before = before;
        Some(first)
    } else {
        None
    };
    let run = Drive::of(&shared, run, false).finished().await;
    first.into_iter().chain([run]).collect()
}

async fn register(shared: &Shared, plan: &Plan) -> Value {
    let url = format!("{}/_cloud/applications", shared.cloud.url());
    let body = json!({
        "tenant": plan.domain, "name": plan.application, "grants": plan.grants,
    });
    let answer = reqwest::Client::new().post(url).json(&body).send().await;
    let text = answer.expect("an answer").text().await.expect("text");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("not registered: {text}"))
}

/// Whether the proof waits for Microsoft and its next poll is later than an operator would wait.
fn waits_long(row: &Value) -> bool {
    let steps = row["steps"].as_array().into_iter().flatten();
    let now = wall_now().timestamp_millis();
    let soon = i64::try_from(SOON.as_millis()).expect("a short while");
    steps
        .filter(|step| step["kind"] == "prove" && step["what"] == "microsoft")
        .filter(|step| step["proving"]["counts_from"].is_null())
        .any(|step| {
            step["next_look"]
                .as_i64()
                .is_some_and(|next| next - now > soon)
        })
}

/// What a problem lacks in order to help its reader.
pub fn unhelpful(problem: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["key", "happened", "means", "todo"] {
        if problem[part].as_str().is_none_or(str::is_empty) {
            found.push(format!("a problem without \"{part}\": {problem}"));
        }
    }
    let remedies = ["wait", "act", "consent", "never"];
    if !remedies.iter().any(|one| problem["remedy"] == *one) {
        found.push(format!("a problem without a remedy: {problem}"));
    }
    found
}

impl Drive {
    pub fn of(shared: &Arc<Shared>, run: Driven, at_once: bool) -> Self {
        Self {
            customer: shared.customers[run.plan.domain].clone(),
            shared: shared.clone(),
            run,
            mark: Mark::default(),
            at_once,
        }
    }

    pub async fn finished(mut self) -> Driven {
        if !self.start().await {
            return self.run;
        }
        trap::plant_later(&self.shared, &mut self.run);
        let (ended, has_ended) = tokio::sync::watch::channel(false);
        let run = &self.run;
        let claimed = Claimed {
            domain: run.plan.domain,
            app_id: run.app_id,
            senders: run.senders.clone(),
            disturbed: self.mark.clone(),
            lapses: run.before.and_then(|before| before.lapses),
        };
        let setup = run.setup.expect("a setup");
        let watching = watch(self.shared.clone(), setup, claimed, has_ended.clone());
        let watched = tokio::spawn(watching);
        let disturbed = run.plan.disturbance.map(|disturbance| {
            let place = disturb::Place {
                domain: run.plan.domain,
                app_id: run.app_id,
                object: run.object,
                setup,
                seed: run.plan.seed,
                group: run.group.clone(),
                existing: run.plan.existing,
                senders: run.senders.clone(),
                refused: run.refused.clone(),
                named: run.plan.shuffle.is_multiple_of(2),
            };
            let (shared, mark) = (self.shared.clone(), self.mark.clone());
            tokio::spawn(disturb::disturb(
                shared,
                place,
                disturbance,
                mark,
                has_ended,
            ))
        });
        self.meddle().await;
        self.finish().await;
        ended.send_replace(true);
        if let Some(disturbed) = disturbed {
            let planted = disturbed.await.expect("what was changed");
            self.run.planted.add(planted);
        }
        let seen = watched.await.expect("what was seen");
        self.run.disturbed = self.mark.get().copied();
        self.run.violations.extend(seen.violations);
        self.run.called = seen.called;
        self.run.enforced = seen.enforced;
        self.run
    }

    fn calm(&self) -> bool {
        *self.shared.calm.borrow()
    }

    fn wrong(&mut self, why: String) {
        self.run.violations.push(why);
    }

    /// Records a problem shown to the operator. It must be helpful.
    fn told(&mut self, problem: &Value) {
        let key = problem["key"].as_str().unwrap_or("?").to_owned();
        self.run.violations.extend(unhelpful(problem));
        if key != "conflict" {
            self.run.problems.push(key);
        }
    }

    /// Starts the setup, with retries. Returns false when the start was refused for a good reason.
    async fn start(&mut self) -> bool {
        let run = &self.run;
        let group = if run.plan.existing {
            format!("{}@{}", run.group, run.plan.domain)
        } else {
            run.group.clone()
        };
        let mut query = format!("app={}&group={group}", run.object);
        for sender in &run.senders {
            query.push_str(&format!("&sender={sender}"));
        }
        for refused in &run.refused {
            query.push_str(&format!("&refused={refused}"));
        }
        if run.plan.prove {
            query.push_str("&prove=1");
        }
        let secret = match run.plan.secret {
            Secret::AtOnce => self.run.secret.clone(),
            Secret::WrongFirst => "this~is~not~the~secret".to_owned(),
            Secret::Later | Secret::Never => String::new(),
        };
        let customer = self.customer.clone();
        let draft = json!({
            "application": self.run.object, "senders": self.run.senders,
            "refused": self.run.refused, "group": group, "prove": self.run.plan.prove,
        });
        let mut ends = None;
        loop {
            let shared = self.shared.clone();
            let [owner, engineer] = &shared.operators;
            let [digest, shown] = owner.reviewed(&customer, &draft).await;
            let fields = [
                ("customer", customer.as_str()),
                ("draft", query.as_str()),
                ("digest", digest.as_str()),
                ("shown", shown.as_str()),
                ("secret", secret.as_str()),
            ];
            let mut answers = Vec::new();
            if self.run.plan.twice {
                let both = tokio::join!(
                    owner.ask("start_setup", &fields),
                    engineer.ask("start_setup", &fields)
                );
                answers.extend([both.0, both.1]);
            } else {
                answers.push(owner.ask("start_setup", &fields).await);
            }
            // The database decides, whatever the answers said.
            if self.setup_of_application().await {
                return true;
            }
            if self.calm() {
                let ends = *ends.get_or_insert_with(|| Instant::now() + PATIENCE);
                if Instant::now() >= ends {
                    self.wrong(format!("it cannot be started: {answers:?}"));
                    return false;
                }
            }
            for (status, told) in answers.into_iter().flatten() {
                if status == 200 {
                    self.wrong(format!("started, and nothing is there: {told}"));
                }
                // The customer cannot have this plan. The problem is reported before anything is
                // made.
                let problem = told["problem"].clone();
                if problem.is_object() {
                    self.told(&problem);
                    let taken =
                        self.run.plan.trap == Some(Trap::Taken) && problem["key"] == "input.group";
                    if taken || (self.calm() && self.run.plan.is_sick()) {
                        self.run.end = "refused".to_owned();
                        return false;
                    }
                }
            }
            sleep(LOOK).await;
        }
    }

    async fn setup_of_application(&mut self) -> bool {
        // The setup that was rolled back before is left out.
        let before = self.run.before.map_or(Uuid::nil(), |before| before.setup);
        let query = format!(
            "select id from setups where app_id = '{}' and id <> '{before}'",
            self.run.app_id
        );
        let rows = self.shared.rows(&query).await;
        if rows.len() > 1 {
            self.wrong(format!("{} setups for one application", rows.len()));
        }
        self.run.setup = rows.first().map(|row| id(&row["id"]));
        self.run.setup.is_some()
    }

    async fn ask(&mut self, what: &'static str, more: Option<(&str, &str)>) -> Option<u16> {
        self.run.asked.insert(what);
        let setup = self.run.setup.expect("a setup").to_string();
        let mut fields = vec![
            ("customer", self.customer.as_str()),
            ("setup", setup.as_str()),
        ];
        fields.extend(more);
        let (status, told) = self.shared.operators[0].ask(what, &fields).await?;
        if told["problem"].is_object() {
            self.told(&told["problem"].clone());
        }
        Some(status)
    }

    /// Cancels or rolls back during the setup, as the plan says, once.
    async fn meddle(&mut self) {
        let Some((meddling, when)) = self.run.plan.meddling else {
            return;
        };
        let (what, more) = match meddling {
            Meddling::Cancel => ("cancel_setup", None),
            Meddling::RollBack => {
                let name = self.run.plan.application.clone();
                ("roll_back", Some(name))
            }
            Meddling::RollBackLater => return,
        };
        sleep_until(Instant::now() + when).await;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let more = more.as_deref().map(|name| ("confirm", name));
            match self.ask(what, more).await {
                Some(200) => return,
                // The setup has ended already, or there is nothing to roll back (yet).
                Some(400..=499) => {
                    let row = self.row().await;
                    if meddling == Meddling::Cancel || row["intent"] != "forward" {
                        return;
                    }
                    if row["state"] == "done" {
                        // The rollback is then done after the end.
                        self.run.plan.meddling = Some((Meddling::RollBackLater, when));
                        return;
                    }
                }
                _ => {}
            }
            sleep(LOOK).await;
        }
    }

    async fn row(&self) -> Value {
        let setup = self.run.setup.expect("a setup");
        let query = format!(
            "select s.state, s.intent, s.proof, s.version,
                    (select jsonb_agg(body order by position) from steps where setup_id = s.id) steps
             from setups s where s.id = '{setup}'"
        );
        self.shared.rows(&query).await.remove(0)
    }

    /// Does what the setup asks of its operator, until the setup has ended.
    async fn finish(&mut self) {
        let mut calm = self.shared.calm.clone();
        let mut ends: Option<Instant> = None;
        let mut version = Value::Null;
        let mut retries = 0;
        let mut looked = Instant::now();
        loop {
            let row = self.row().await;
            if self.calm() && (ends.is_none() || row["version"] != version) {
                ends = Some(Instant::now() + PATIENCE);
            }
            version.clone_from(&row["version"]);
            let state = row["state"].as_str().expect("a state").to_owned();
            self.run.end.clone_from(&state);
            if ends.is_some_and(|ends| Instant::now() >= ends) {
                let steps: Vec<String> = row["steps"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|step| format!("{} {} {}", step["kind"], step["state"], step["why"]))
                    .collect();
                self.wrong(format!("stuck as {state}: {}", steps.join("; ")));
                return;
            }
            let patient = !self.calm() && !self.run.plan.impatient;
            match state.as_str() {
                "done" if self.rolls_back_later() && (self.calm() || self.at_once) => {
                    if self.at_once {
                        before::is_enforced(&self.shared, &self.run);
                    }
                    let name = self.run.plan.application.clone();
                    self.ask("roll_back", Some(("confirm", &name))).await;
                }
                "done" | "rolled_back" | "cancelled" => {
                    let over = row["steps"].as_array().is_some_and(|steps| {
                        let open = ["running", "waiting"];
                        steps.iter().all(|step| {
                            step["state"]
                                .as_str()
                                .is_none_or(|one| !open.contains(&one))
                        })
                    });
                    if (self.calm() || (self.at_once && state == "rolled_back")) && over {
                        return;
                    }
                }
                "waiting" if self.is_seen_through(&row) => {
                    self.ask("cancel_setup", None).await;
                }
                "waiting" if !patient && looked.elapsed() > BETWEEN_LOOKS && waits_long(&row) => {
                    looked = Instant::now();
                    self.ask("look_now", None).await;
                }
                "failed" | "needs_secret" if patient => {
                    calm.changed().await.ok();
                }
                "failed" => self.mend(&row, &mut retries).await,
                "needs_secret" => self.give_secret().await,
                _ => {}
            }
            sleep(LOOK).await;
        }
    }

    /// Whether somebody's change blocks a step and will not pass by itself.
    fn is_seen_through(&self, row: &Value) -> bool {
        let Some(disturbed) = self.opened() else {
            return false;
        };
        let since = wall_now().timestamp_millis() - disturbed.at;
        let mut steps = row["steps"].as_array().into_iter().flatten();
        let waits = steps.find(|step| step["state"] == "waiting");
        self.calm()
            && u128::try_from(since).is_ok_and(|since| since > SEES_THROUGH.as_millis())
            && waits.is_some_and(|step| {
                ["senders", "policy", "check"]
                    .iter()
                    .any(|one| step["kind"] == *one)
            })
    }

    /// A change after which more is open than the plan permits.
    fn opened(&self) -> Option<&Disturbed> {
        self.mark.get().filter(|disturbed| disturbed.what.opens())
    }

    fn rolls_back_later(&self) -> bool {
        matches!(self.run.plan.meddling, Some((Meddling::RollBackLater, _)))
    }

    async fn mend(&mut self, row: &Value, retries: &mut u32) {
        let problem = row["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|step| step["state"] == "failed")
            .map(|step| (step["kind"].clone(), step["problem"].clone()));
        let Some((kind, problem)) = problem else {
            self.wrong(format!("failed without a failed step: {row}"));
            return;
        };
        self.told(&problem);
        let step = kind.as_str().unwrap_or("?");
        let disturbed = self.mark.get();
        if let Some(why) = failures::wrong(&self.shared, &self.run, disturbed, step, &problem) {
            self.wrong(why);
        }
        if let (Some(key), Some(kind)) = (self.run.problems.pop(), kind.as_str()) {
            self.run.problems.push(format!("{kind}:{key}"));
        }
        *retries += 1;
        let stopped = self.run.plan.trap.is_some_and(Trap::stops) || self.opened().is_some();
        if (*retries <= RETRIES && !stopped) || !self.calm() {
            self.ask("retry_setup", None).await;
            return;
        }
        if !self.run.plan.is_sick() && !stopped {
            self.wrong(format!("it cannot be finished: {problem}"));
        }
        if row["intent"] == "forward" {
            self.ask("cancel_setup", None).await;
        }
    }

    async fn give_secret(&mut self) {
        if self.run.plan.secret == Secret::Never {
            self.ask("skip_proof", None).await;
            return;
        }
        let secret = self.run.secret.clone();
        self.ask("give_secret", Some(("secret", &secret))).await;
    }
}
