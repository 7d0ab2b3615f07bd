//! Watches a setup during its run: every claim must be true at that moment, and every wait must
//! name its cause.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cloud::{
    clock::Time,
    world::{
        World,
        enforcement::{View, policies_allow},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    block::Shared,
    disturb::{Mark, is_excused},
    mails,
};
use crate::support::scans::ask;

const LOOK: Duration = Duration::from_millis(150);

/// The setup's confinement: the application, and the mailboxes that it may use.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub domain: &'static str,
    pub app_id: Uuid,
    pub senders: Vec<String>,
    pub disturbed: Mark,
    /// Until when the policy of the previous setup continues to refuse.
    pub lapses: Option<Time>,
}

impl Claimed {
    /// Checks that the cloud lets the application send as its senders, and as nobody else.
    pub fn holds(&self, shared: &Shared, view: View, said: &str) -> Vec<String> {
        shared.cloud.with_world(|world| {
            let now = world.dice.now();
            let id = world.tenants.resolve(self.domain).expect("a tenant");
            let tenant = world.tenants.get(id).expect("a tenant");
            let mut wrong = Vec::new();
            for user in tenant.users.values() {
                let Some(mailbox) = &user.mailbox else {
                    continue;
                };
                let address = mailbox.smtp.to_lowercase();
                let allowed = policies_allow(tenant, self.app_id, user.id, view, now);
                if allowed != self.senders.contains(&address) {
                    wrong.push(format!(
                        "{said}, and as {address} it may: {allowed} ({view:?})"
                    ));
                }
            }
            if view == View::InForce {
                wrong.extend(self.enforced(world, id, said, "graph_send"));
                if self.lapses.is_some_and(|lapses| now < lapses) {
                    wrong.push(format!("{said}, and what refuses may be the policy before"));
                }
            }
            wrong
        })
    }

    /// Checks every way of access: the application opens no mailboxes other than its senders'.
    pub fn opens_no_other(&self, shared: &Shared, said: &str) -> Vec<String> {
        const WAYS: [&str; 6] = ["graph_send", "graph_read", "ews", "imap", "pop", "smtp"];
        shared.cloud.with_world(|world| {
            let id = world.tenants.resolve(self.domain).expect("a tenant");
            let ways = WAYS.iter().flat_map(|way| {
                let found = self.enforced(world, id, said, way);
                // A sender's mailbox need not be open.
                found.into_iter().filter(|why| why.ends_with(": true"))
            });
            ways.collect()
        })
    }

    /// Compares with everything that decides in the cloud, including roles of Exchange, for every
    /// mailbox of the tenant, including those of groups.
    fn enforced(&self, world: &mut World, tenant: Uuid, said: &str, way: &str) -> Vec<String> {
        let body = json!({
            "tenant": tenant, "applications": [self.app_id], "ways": [way],
        });
        let answer = ask(world, "/_cloud/probe", &body);
        let Some(may) = answer["may"][self.app_id.to_string()].as_object() else {
            return vec![format!("{said}, and the cloud says {answer}")];
        };
        may.iter()
            .map(|(address, ways)| (address.to_lowercase(), ways[way] == true))
            .filter(|(address, opens)| *opens != self.senders.contains(address))
            .map(|(address, opens)| match way {
                "graph_send" => format!("{said}, and it sends as {address}: {opens}"),
                _ => format!("{said}, and it opens {address} by {way}: {opens}"),
            })
            .collect()
    }
}

/// When the policy of a setup took effect.
fn enforced_since(shared: &Shared, setup: Uuid, claimed: &Claimed) -> Option<Time> {
    let setup = setup.to_string();
    shared.cloud.with_world(|world| {
        let id = world.tenants.resolve(claimed.domain)?;
        let tenant = world.tenants.get(id)?;
        let mut policies = tenant.exchange.policies.iter();
        let found = policies
            .find(|policy| policy.names(claimed.app_id) && policy.description.contains(&setup))?;
        Some(found.enforced)
    })
}

/// The observations.
#[derive(Debug, Default)]
pub struct Seen {
    /// All claims that the setup ever made.
    pub called: BTreeSet<String>,
    /// When the setup's policy took effect. The cloud forgets removed policies.
    pub enforced: Option<Time>,
    pub violations: BTreeSet<String>,
}

async fn row(shared: &Shared, setup: Uuid) -> Value {
    let query = format!(
        "select s.proof, s.state, (select jsonb_agg(body order by position) from steps
                          where setup_id = s.id) steps
         from setups s where s.id = '{setup}'"
    );
    shared.rows(&query).await.remove(0)
}

/// Watches until it is dropped or the setup has ended, which `ended` signals.
pub async fn watch(
    shared: Arc<Shared>,
    setup: Uuid,
    claimed: Claimed,
    mut ended: tokio::sync::watch::Receiver<bool>,
) -> Seen {
    let mut seen = Seen::default();
    let mut told = Vec::new();
    loop {
        let over = *ended.borrow();
        seen.enforced = seen
            .enforced
            .or_else(|| enforced_since(&shared, setup, &claimed));
        let now = row(&shared, setup).await;
        let said = now["proof"].as_str().expect("a proof").to_owned();
        seen.violations.extend(waits(&now));
        let mails = mails::tried(&now);
        if mails != told {
            told = mails;
            let answers = mails::answers(&shared, claimed.app_id);
            seen.violations.extend(mails::misread(&now, &answers));
        }
        let view = match said.as_str() {
            "checked" => Some(View::Configured),
            "proven" => Some(View::InForce),
            _ => None,
        };
        if let Some(view) = view {
            let wrong = claimed.holds(&shared, view, &said);
            // Between the two reads the setup may have been rolled back, or changed by its owner.
            if !wrong.is_empty() {
                let then = row(&shared, setup).await;
                let excused = [&now, &then]
                    .iter()
                    .any(|row| is_excused(row, claimed.disturbed.get()));
                if then["proof"] == said && !excused {
                    seen.violations.extend(wrong);
                }
            }
        }
        seen.called.insert(said);
        if over {
            return seen;
        }
        // A dropped sender counts as the end, too.
        let _ = tokio::time::timeout(LOOK, ended.changed()).await;
    }
}

/// Violations: waits that do not say for whom, for what, since when or until when.
pub fn waits(row: &Value) -> Vec<String> {
    let steps = row["steps"].as_array().into_iter().flatten();
    steps
        .filter(|step| step["state"] == "waiting")
        .filter(|step| {
            let named = ["microsoft", "throttle", "secret"]
                .iter()
                .any(|what| step["what"] == *what);
            let why = step["why"].as_str().is_some_and(|why| !why.is_empty());
            let (since, latest) = (step["since"].to_string(), step["latest"].to_string());
            !named || !why || since == "null" || latest == "null"
        })
        .map(|step| format!("a wait does not say what for: {step}"))
        .collect()
}
