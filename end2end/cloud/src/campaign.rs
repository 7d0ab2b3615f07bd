//! Random faults over everything, from a seed: what a fault campaign installs with one call.
//!
//! A share of the requests is hit; which, and with what, the seed decides. Rules that a test has
//! set come first. Everything that was injected is counted by kind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::books::Host;
use crate::exchange::errors::BUSY_TEXT;
use crate::faults::{Action, Fired, Hang, Target, glob};
use crate::world::Tenants;

/// What can be injected, with its usual weight.
const KINDS: &[(&str, u32)] = &[
    // Answers of a busy service (MICROSOFT.md §1.5, §7.3).
    ("busy", 4),
    ("busy_without_hint", 2),
    ("busy_text", 1),
    // Errors instead of the work.
    ("error_500", 2),
    ("error_502", 1),
    ("error_503", 2),
    ("error_503_hint", 1),
    ("error_504", 1),
    // The work is done, the answer says that it is not.
    ("late_500", 1),
    ("late_503", 1),
    ("late_504", 2),
    ("late_503_hint", 1),
    // No answer, before and after the change took place.
    ("hang_before", 1),
    ("hang_after", 2),
    ("drop_before", 2),
    ("drop_after", 3),
    // Answers that are spoilt on their way.
    ("cut", 2),
    ("truncated", 2),
    ("slow", 2),
    ("html", 1),
    ("nul", 2),
    ("nul_gzip", 1),
    ("wrong_tenant", 1),
    ("skew", 1),
    // Refusals of sendMail that say nothing of an access policy (MICROSOFT.md §5.1).
    ("mail_odata", 3),
    ("mail_denied", 3),
    ("mail_send_as", 2),
    ("mail_not_enabled", 2),
    ("mail_invalid_user", 2),
    ("mail_quota", 2),
    // Only for who asks for it: Graph's answers do not say whose they are.
    ("wrong_tenant_graph", 0),
    // Making a key takes a moment, during which everybody waits.
    ("key_roll", 0),
];

/// The kinds that are answers of `sendMail`.
pub const MAIL_KINDS: [&str; 6] = [
    "mail_odata",
    "mail_denied",
    "mail_send_as",
    "mail_not_enabled",
    "mail_invalid_user",
    "mail_quota",
];

/// What `sendMail` answers to a kind: status, code, text.
pub fn refusal_of_mail(kind: &str) -> Option<(u16, &'static str, &'static str)> {
    Some(match kind {
        "mail_odata" => (403, "ErrorAccessDenied", "Access to OData is disabled."),
        "mail_denied" => (
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ),
        "mail_send_as" => (
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to \
             send mail on behalf of the specified sending account.",
        ),
        "mail_not_enabled" => (
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        ),
        "mail_invalid_user" => (404, "ErrorInvalidUser", "The requested user is invalid."),
        "mail_quota" => (
            403,
            "ErrorExceededMessageLimit",
            "Cannot send mail. The message limit was exceeded.",
        ),
        _ => return None,
    })
}

/// What `POST /_cloud/campaign` takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    pub seed: u64,
    /// The share of requests that is hit, 0 to 1.
    pub share: f64,
    /// `entra`, `graph`, `exchange`; none = all.
    pub hosts: Option<Vec<String>>,
    /// A tenant's id or domain; none = all.
    pub tenant: Option<String>,
    /// As in the log, with `*`; none = all.
    pub operations: Option<Vec<String>>,
    /// Kinds with their weights in place of the usual ones.
    pub kinds: Option<BTreeMap<String, u32>>,
    /// Ends by itself after so many.
    pub times: Option<u64>,
    /// Seconds of `Retry-After`.
    pub retry_after: [u64; 2],
    /// Milliseconds of the wall clock after which a request that hangs loses its connection.
    pub hang_ms: [u64; 2],
    /// Milliseconds over which a slow body trickles.
    pub slow_ms: [u64; 2],
    /// Seconds by which a skewed answer's clock is wrong, to either side.
    pub skew: [u64; 2],
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            share: 0.05,
            hosts: None,
            tenant: None,
            operations: None,
            kinds: None,
            times: None,
            retry_after: [1, 3],
            hang_ms: [2000, 10_000],
            slow_ms: [200, 2000],
            skew: [30, 240],
        }
    }
}

/// A campaign under way, or the last one.
#[derive(Debug)]
pub struct Campaign {
    plan: Plan,
    rng: StdRng,
    running: bool,
    seen: u64,
    injected: u64,
    by_kind: BTreeMap<&'static str, u64>,
    by_host: BTreeMap<&'static str, u64>,
    hanging: Arc<AtomicUsize>,
    /// Dropped with the campaign's end, which releases everybody who hangs.
    release: Option<watch::Sender<()>>,
}

impl Campaign {
    /// Begins.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the plan.
    pub fn begin(plan: Plan) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&plan.share) {
            return Err("share must be between 0 and 1".to_owned());
        }
        for host in plan.hosts.iter().flatten() {
            if !["entra", "graph", "exchange"].contains(&host.as_str()) {
                return Err(format!("\"{host}\" is no host: entra, graph or exchange"));
            }
        }
        if let Some(kinds) = &plan.kinds {
            if let Some(other) = kinds
                .keys()
                .find(|kind| !KINDS.iter().any(|(known, _)| known == kind))
            {
                let known: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
                return Err(format!("\"{other}\" is no kind: {}", known.join(", ")));
            }
            if kinds.values().all(|weight| *weight == 0) {
                return Err("no kind has a weight".to_owned());
            }
        }
        Ok(Self {
            rng: StdRng::seed_from_u64(plan.seed),
            plan,
            running: true,
            seen: 0,
            injected: 0,
            by_kind: BTreeMap::new(),
            by_host: BTreeMap::new(),
            hanging: Arc::default(),
            release: Some(watch::channel(()).0),
        })
    }

    /// No more faults; who hangs goes on. The counts stay.
    pub fn end(&mut self) {
        self.running = false;
        self.release = None;
    }

    /// What the request is hit with, if it is.
    ///
    /// `at_once`: one of a `$batch`, which cannot hang or break alone.
    pub fn pick(&mut self, target: &Target, tenants: &Tenants, at_once: bool) -> Option<Fired> {
        let release = self.release.as_ref()?.subscribe();
        if !self.running || !self.concerns(target, tenants) {
            return None;
        }
        self.seen += 1;
        if !self.rng.random_bool(self.plan.share) {
            return None;
        }
        let kind = self.draw_kind(target, at_once)?;
        let action = self.action(kind);
        self.injected += 1;
        *self.by_kind.entry(kind).or_default() += 1;
        *self.by_host.entry(target.host.name()).or_default() += 1;
        if self.plan.times.is_some_and(|times| self.injected >= times) {
            self.running = false;
        }
        Some(Fired::new(
            format!("campaign:{kind}"),
            action,
            Arc::clone(&self.hanging),
            release,
        ))
    }

    fn concerns(&self, target: &Target, tenants: &Tenants) -> bool {
        let plan = &self.plan;
        // Pages for people are left alone: nobody would retry them.
        let program = target.host != Host::Entra
            || target.operation.starts_with("token:")
            || ["discovery", "keys"].contains(&target.operation.as_str());
        let host = plan
            .hosts
            .as_ref()
            .is_none_or(|hosts| hosts.iter().any(|host| host == target.host.name()));
        let tenant = plan
            .tenant
            .as_deref()
            .is_none_or(|text| target.tenant.is_some() && tenants.resolve(text) == target.tenant);
        let operation = plan.operations.as_ref().is_none_or(|patterns| {
            patterns
                .iter()
                .any(|pattern| glob(pattern, &target.operation))
        });
        program && host && tenant && operation
    }

    fn draw_kind(&mut self, target: &Target, at_once: bool) -> Option<&'static str> {
        let weights: Vec<(&'static str, u32)> = KINDS
            .iter()
            .filter(|(kind, _)| fits(kind, target, at_once))
            .map(|(kind, usual)| {
                let weight = match &self.plan.kinds {
                    None => *usual,
                    Some(kinds) => kinds.get(*kind).copied().unwrap_or(0),
                };
                (*kind, weight)
            })
            .collect();
        let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
        if total == 0 {
            return None;
        }
        let mut left = self.rng.random_range(0..total);
        for (kind, weight) in weights {
            if left < weight {
                return Some(kind);
            }
            left -= weight;
        }
        None
    }

    fn draw(&mut self, [low, high]: [u64; 2]) -> u64 {
        self.rng.random_range(low.min(high)..=low.max(high))
    }

    fn action(&mut self, kind: &str) -> Action {
        let hint = self.draw(self.plan.retry_after);
        let hang = self.draw(self.plan.hang_ms);
        let slow = self.draw(self.plan.slow_ms);
        let skew = i64::try_from(self.draw(self.plan.skew)).unwrap_or(0);
        let earlier = self.rng.random_bool(0.5);
        let mut action = Action::default();
        if let Some((status, code, text)) = refusal_of_mail(kind) {
            action.status = Some(status);
            action.graph_error = Some(code.to_owned());
            action.text = Some(text.to_owned());
            return action;
        }
        let (what, status) = kind.rsplit_once('_').unwrap_or((kind, ""));
        match kind {
            "busy" => {
                action.status = Some(429);
                action.retry_after = Some(hint);
            }
            "busy_without_hint" => action.status = Some(429),
            "busy_text" => {
                action.status = Some(429);
                action.text = Some(BUSY_TEXT.to_owned());
            }
            "error_503_hint" | "late_503_hint" => {
                action.status = Some(503);
                action.retry_after = Some(hint);
                action.after = (kind == "late_503_hint").then_some(true);
            }
            "hang_before" | "hang_after" => {
                let before = kind == "hang_before";
                action.hang = Some(if before { Hang::Before } else { Hang::After });
                action.hang_ms = Some(hang);
            }
            "drop_before" => action.cut = Some("before".to_owned()),
            "drop_after" => action.cut = Some("after".to_owned()),
            "cut" => action.cut = Some("body".to_owned()),
            "truncated" => action.truncate = Some(true),
            "slow" => action.slow_ms = Some(slow),
            "html" => action.content_type = Some("text/html; charset=utf-8".to_owned()),
            "nul" | "nul_gzip" => {
                action.nul = Some(crate::decisions::NUL_BODY);
                action.gzip_lie = (kind == "nul_gzip").then_some(true);
            }
            "wrong_tenant" | "wrong_tenant_graph" => action.wrong_tenant = Some(true),
            "key_roll" => action.roll_keys = Some(true),
            "skew" => action.skew = Some(if earlier { -skew } else { skew }),
            // `error_502`, `late_504` and the like.
            _ => {
                action.status = status.parse().ok();
                action.after = (what == "late").then_some(true);
            }
        }
        action
    }

    /// The plan and the counts.
    pub fn report(&self) -> Value {
        json!({
            "running": self.running,
            "plan": self.plan,
            "seen": self.seen,
            "injected": self.injected,
            "by_kind": self.by_kind,
            "by_host": self.by_host,
            "hanging": self.hanging.load(Ordering::SeqCst),
        })
    }
}

/// Whether a kind can happen to that request.
fn fits(kind: &str, target: &Target, at_once: bool) -> bool {
    let exchange = target.host == Host::Exchange;
    let read = ["Get-", "Test-", "GET "]
        .iter()
        .any(|start| target.operation.starts_with(start));
    let instant = kind.starts_with("busy") || kind.starts_with("error_");
    let host = match kind {
        "busy_text" | "nul" | "nul_gzip" => exchange,
        "key_roll" => target.operation.starts_with("token:"),
        mail if refusal_of_mail(mail).is_some() => target.operation.ends_with("/sendMail"),
        "wrong_tenant" => exchange && read,
        "wrong_tenant_graph" => target.host == Host::Graph && read,
        _ => true,
    };
    host && (!at_once || instant || kind == "nul")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hits(seed: u64) -> Vec<Option<String>> {
        let plan = Plan {
            seed,
            share: 0.5,
            ..Plan::default()
        };
        let mut campaign = Campaign::begin(plan).unwrap();
        let target = Target {
            host: Host::Exchange,
            tenant: None,
            operation: "Get-Mailbox".to_owned(),
            user: None,
            mailbox: None,
        };
        (0..200)
            .map(|_| {
                campaign
                    .pick(&target, &Tenants::default(), false)
                    .map(|fired| fired.id)
            })
            .collect()
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(2));
        let share = hits(1).iter().flatten().count();
        assert!((70..130).contains(&share), "{share}");
    }

    #[test]
    fn every_kind_does_something() {
        for (kind, _) in KINDS {
            let mut campaign = Campaign::begin(Plan::default()).unwrap();
            assert_ne!(campaign.action(kind), Action::default(), "{kind}");
            assert_eq!(MAIL_KINDS.contains(kind), refusal_of_mail(kind).is_some());
        }
    }
}
