//! Faults on demand: rules that a test sets, and that change what the cloud answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use crate::books::Host;
use crate::campaign::Campaign;
use crate::clock::Dice;
use crate::world::Tenants;

/// When a request stops answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hang {
    /// Nothing has happened yet.
    Before,
    /// The change took place, the answer stays away.
    After,
}

/// What a fault does. Several fields together are applied together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Action {
    /// Answers with this status instead of doing anything, with an error body of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After` in seconds, beside `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// A plain-text body beside `status` (429 when there is none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Beside `status` or `text`: does the work first, and says that it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<bool>,
    /// Never answers, until the fault is deleted or the connection drops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang: Option<Hang>,
    /// Beside `hang`: drops the connection after so many milliseconds of the wall clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang_ms: Option<u64>,
    /// `"body"`: does the work, sends half of the body and drops the connection. `"before"`,
    /// `"after"`: drops it without any answer, before or after the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// Does the work and sends half of the body as if it were all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncate: Option<bool>,
    /// The body trickles for that many milliseconds of the wall clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_ms: Option<u64>,
    /// Waits that many milliseconds of the wall clock before it does anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Says that the body is of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// A cmdlet's answer carries that text in `@adminapi.errors`, beside what it gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_error: Option<String>,
    /// 403 with that many NUL bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nul: Option<usize>,
    /// Beside `nul`: declares the body as gzip, which it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gzip_lie: Option<bool>,
    /// `AADSTS53003` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entra_error: Option<String>,
    /// A cmdlet error with that text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_error: Option<String>,
    /// Beside `exchange_error`: the exception's type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Reads show another tenant's data; what changes something is done as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong_tenant: Option<bool>,
    /// Seconds by which the clock of this answer is wrong: its `Date`, and the times in a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew: Option<i64>,
    /// Entra signs with a new key from this request on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roll_keys: Option<bool>,
    /// 401 of Graph or Exchange with a claims challenge: the token was revoked meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims_challenge: Option<bool>,
    /// A Graph error with that code; `status` (400 when absent) and `text` go with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_error: Option<String>,
}

/// A rule as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default)]
    pub id: Option<String>,
    /// `entra`, `graph` or `exchange`; none = all.
    #[serde(default)]
    pub host: Option<String>,
    /// A tenant's id or domain.
    #[serde(default)]
    pub tenant: Option<String>,
    /// As in the log; `*` stands for anything.
    #[serde(default)]
    pub operation: Option<String>,
    /// A user principal name or an application id.
    #[serde(default)]
    pub user: Option<String>,
    /// The mailbox that a request is about, by address, user principal name or object id; it fits
    /// whichever of them the request uses.
    #[serde(default)]
    pub mailbox: Option<String>,
    /// The share of the matching requests that it fires for, 0 to 1; `share` is the same.
    #[serde(default, alias = "share")]
    pub probability: Option<f64>,
    /// Fires that often, then no more.
    #[serde(default)]
    pub times: Option<u64>,
    /// Lets that many matching requests pass first.
    #[serde(default)]
    pub skip: Option<u64>,
    pub action: Action,
}

/// What a request is, as far as faults and the log care.
#[derive(Debug, Clone)]
pub struct Target {
    pub host: Host,
    pub tenant: Option<Uuid>,
    pub operation: String,
    pub user: Option<String>,
    /// What the request calls the mailbox that it is about.
    pub mailbox: Option<String>,
}

#[derive(Debug)]
struct Armed {
    id: String,
    rule: Rule,
    matched: u64,
    fired: u64,
    hanging: Arc<AtomicUsize>,
    /// Dropped with the rule, which releases everybody who hangs.
    release: watch::Sender<()>,
}

/// A fault that was picked for a request.
#[derive(Debug, Clone)]
pub struct Fired {
    pub id: String,
    pub action: Action,
    hanging: Arc<AtomicUsize>,
    release: watch::Receiver<()>,
}

impl Fired {
    pub fn new(
        id: String,
        action: Action,
        hanging: Arc<AtomicUsize>,
        release: watch::Receiver<()>,
    ) -> Self {
        Self {
            id,
            action,
            hanging,
            release,
        }
    }

    /// Waits until the rule is deleted. Dropping the future, as a lost connection does, counts
    /// the request out.
    ///
    /// With `hang_ms` it ends after that time at the latest.
    /// Says whether the request may go on, which it may not once that time is over.
    pub async fn hang(&self) -> bool {
        struct Counted(Arc<AtomicUsize>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.hanging.fetch_add(1, Ordering::SeqCst);
        let _counted = Counted(Arc::clone(&self.hanging));
        let mut release = self.release.clone();
        let released = async { while release.changed().await.is_ok() {} };
        match self.action.hang_ms {
            None => {
                released.await;
                true
            }
            Some(millis) => tokio::time::timeout(Duration::from_millis(millis), released)
                .await
                .is_ok(),
        }
    }
}

/// All rules.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
    made: u64,
    /// The rules of `--faults`, which a reset brings back.
    initial: Vec<Rule>,
    /// The random campaign under way, or the last one.
    pub campaign: Option<Campaign>,
}

impl Faults {
    /// Sets the rules that a reset returns to.
    pub fn start_with(&mut self, rules: Vec<Rule>) -> Result<(), String> {
        self.initial = rules;
        self.restart()
    }

    /// Deletes all rules (releasing who hangs) and arms the initial ones.
    pub fn restart(&mut self) -> Result<(), String> {
        self.armed.clear();
        self.campaign = None;
        for rule in self.initial.clone() {
            self.arm(rule)?;
        }
        Ok(())
    }

    /// Adds a rule, or replaces the one of the same id. Gives the id; the error says what is
    /// wrong with the rule.
    pub fn arm(&mut self, rule: Rule) -> Result<String, String> {
        if rule.action == Action::default() {
            return Err("a fault needs an action".to_owned());
        }
        if let Some(host) = &rule.host
            && !["entra", "graph", "exchange"].contains(&host.as_str())
        {
            return Err(format!("\"{host}\" is no host: entra, graph or exchange"));
        }
        if rule
            .action
            .cut
            .as_deref()
            .is_some_and(|cut| !["body", "before", "after"].contains(&cut))
        {
            return Err("cut knows \"body\", \"before\" and \"after\"".to_owned());
        }
        if rule
            .action
            .status
            .is_some_and(|status| !(200..600).contains(&status))
        {
            return Err("status must be 200 to 599".to_owned());
        }
        if rule
            .action
            .content_type
            .as_ref()
            .is_some_and(|text| axum::http::HeaderValue::from_str(text).is_err())
        {
            return Err("content_type is no header value".to_owned());
        }
        self.made += 1;
        let id = rule
            .id
            .clone()
            .unwrap_or_else(|| format!("fault-{}", self.made));
        self.disarm(&id);
        let (release, _) = watch::channel(());
        self.armed.push(Armed {
            id: id.clone(),
            rule,
            matched: 0,
            fired: 0,
            hanging: Arc::default(),
            release,
        });
        Ok(id)
    }

    /// Deletes a rule; says whether there was one.
    pub fn disarm(&mut self, id: &str) -> bool {
        let before = self.armed.len();
        self.armed.retain(|armed| armed.id != id);
        self.armed.len() != before
    }

    /// Deletes all rules.
    pub fn disarm_all(&mut self) {
        self.armed.clear();
    }

    /// What happens to the request: the first rule that fires, or the campaign's draw.
    ///
    /// `at_once`: one of a `$batch`, to which the campaign does only what answers at once.
    pub fn pick_for(
        &mut self,
        target: &Target,
        tenants: &Tenants,
        dice: &mut Dice,
        at_once: bool,
    ) -> Option<Fired> {
        self.pick(target, tenants, dice).or_else(|| {
            self.campaign
                .as_mut()
                .and_then(|campaign| campaign.pick(target, tenants, at_once))
        })
    }

    /// The first rule that fires for the request.
    pub fn pick(&mut self, target: &Target, tenants: &Tenants, dice: &mut Dice) -> Option<Fired> {
        for armed in &mut self.armed {
            if !matches(&armed.rule, target, tenants) {
                continue;
            }
            armed.matched += 1;
            if armed.matched <= armed.rule.skip.unwrap_or(0)
                || armed.rule.times.is_some_and(|times| armed.fired >= times)
                || armed
                    .rule
                    .probability
                    .is_some_and(|probability| !dice.chance(probability))
            {
                continue;
            }
            armed.fired += 1;
            return Some(Fired {
                id: armed.id.clone(),
                action: armed.rule.action.clone(),
                hanging: Arc::clone(&armed.hanging),
                release: armed.release.subscribe(),
            });
        }
        None
    }

    /// How often each fired, and how many requests hang now.
    pub fn report(&self) -> Value {
        let rules: Vec<Value> = self
            .armed
            .iter()
            .map(|armed| {
                json!({
                    "id": armed.id,
                    "rule": armed.rule,
                    "matched": armed.matched,
                    "fired": armed.fired,
                    "hanging": armed.hanging.load(Ordering::SeqCst),
                })
            })
            .collect();
        let hanging: usize = self
            .armed
            .iter()
            .map(|armed| armed.hanging.load(Ordering::SeqCst))
            .sum();
        json!({ "faults": rules, "hanging": hanging })
    }
}

fn matches(rule: &Rule, target: &Target, tenants: &Tenants) -> bool {
    let host = rule
        .host
        .as_deref()
        .is_none_or(|host| host == target.host.name());
    let tenant = rule
        .tenant
        .as_deref()
        .is_none_or(|text| target.tenant.is_some() && tenants.resolve(text) == target.tenant);
    let operation = rule
        .operation
        .as_deref()
        .is_none_or(|pattern| glob(pattern, &target.operation));
    let user = rule.user.as_deref().is_none_or(|wanted| {
        target
            .user
            .as_deref()
            .is_some_and(|user| user.eq_ignore_ascii_case(wanted))
    });
    let mailbox = rule.mailbox.as_deref().is_none_or(|wanted| {
        target
            .mailbox
            .as_deref()
            .is_some_and(|named| same_mailbox(target, tenants, wanted, named))
    });
    host && tenant && operation && user && mailbox
}

/// Whether two names are of one recipient of the request's tenant.
fn same_mailbox(target: &Target, tenants: &Tenants, wanted: &str, named: &str) -> bool {
    if wanted.eq_ignore_ascii_case(named) {
        return true;
    }
    let Some(tenant) = target.tenant.and_then(|id| tenants.made(id)) else {
        return false;
    };
    let find = |key: &str| {
        tenant
            .user(key)
            .map(|user| user.id)
            .or_else(|| tenant.known_recipient(key))
    };
    find(wanted).is_some_and(|wanted| find(named) == Some(wanted))
}

/// Matches with `*` for anything, whatever the case.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let parts: Vec<&str> = parts.collect();
    let Some((tail, middle)) = parts.split_last() else {
        return true;
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::decisions::Delays;

    #[test]
    fn globs() {
        assert!(glob("token:*", "token:refresh_token"));
        assert!(glob("new-distributiongroup", "New-DistributionGroup"));
        assert!(glob("*sendMail", "POST /users/{id}/sendMail"));
        assert!(glob("POST *Mail*", "POST /users/{id}/sendMail"));
        assert!(!glob("token", "token:refresh_token"));
        assert!(!glob("Get-*Policy", "Get-Mailbox"));
    }

    #[test]
    fn skips_then_fires_so_often() {
        let mut faults = Faults::default();
        let rule = serde_json::from_value(json!({
            "operation": "Get-*", "skip": 1, "times": 2, "action": {"status": 503}
        }))
        .unwrap();
        faults.arm(rule).unwrap();
        let target = Target {
            host: Host::Exchange,
            tenant: None,
            operation: "Get-Mailbox".to_owned(),
            user: None,
            mailbox: None,
        };
        let mut dice = Dice::new(1.0, Delays::default(), 1);
        let fired: Vec<bool> = (0..5)
            .map(|_| {
                faults
                    .pick(&target, &Tenants::default(), &mut dice)
                    .is_some()
            })
            .collect();
        assert_eq!(fired, [false, true, true, false, false]);
    }

    #[test]
    fn rules_without_sense_are_refused() {
        let mut faults = Faults::default();
        for rule in [
            json!({"action": {}}),
            json!({"host": "dns", "action": {"status": 500}}),
            json!({"action": {"status": 99}}),
            json!({"action": {"cut": "head"}}),
        ] {
            assert!(faults.arm(serde_json::from_value(rule).unwrap()).is_err());
        }
        assert!(serde_json::from_value::<Rule>(json!({"action": {"explode": 1}})).is_err());
    }
}
