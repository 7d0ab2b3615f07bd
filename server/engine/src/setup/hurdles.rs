//! Checks whether a plan fits the customer as it is now. The review runs the check before anybody
//! approves the plan; the first step runs it before anything is made.

mod application;
mod places;

use domain::{
    Problem, Timestamp,
    effects::Effects,
    id::{ObjectId, SetupId},
    plan::Plan,
    problem::Remedy,
    step::Evidence,
};
use microsoft::{Call, Customer, Fault, Kind, exchange::ExGroup, scan::Scan};

use super::effects;
use crate::tenant::is_about_consent;

/// Directory roles that permit all that a setup does (MICROSOFT.md §1.6): Global Administrator,
/// Exchange Administrator.
pub(crate) const ENOUGH: [uuid::Uuid; 2] = [
    uuid::uuid!("62e90394-69f5-4237-9190-012177145e10"),
    uuid::uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
];

/// The result of the check.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The customer's name, where Graph gave it.
    pub organization: Option<String>,
    /// What keeps the plan from being carried out, each with what to do about it.
    pub hurdles: Vec<Problem>,
    /// What hinders nothing and should be known before the plan is approved.
    pub said: Vec<String>,
    /// Powers of the application, which no policy limits.
    pub beside: Vec<String>,
    /// What the plan changes apart from sending. None: the check ended before that was read.
    pub effects: Option<Effects>,
    /// All that stays open beside the policy, the powers included. A person confirms it before the
    /// setup starts.
    pub open: Vec<String>,
    /// Requests that failed. What the other requests found holds all the same.
    pub failures: Vec<microsoft::Error>,
    /// Problems of scan parts that could not be read.
    pub unread: Vec<Problem>,
    pub evidence: Vec<Evidence>,
    /// Another policy is about the application. Its refusals last longer than the policy itself, so
    /// a proof has to know of it (MICROSOFT.md §2.4).
    pub other_policy: bool,
}

impl Found {
    /// All reasons against carrying out the plan: hurdles first, then what could not be read.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.hurdles.clone();
        let unread = self.failures.iter().map(microsoft::Error::problem);
        for problem in unread.chain(self.unread.iter().cloned()) {
            if !problems.iter().any(|one| one.key == problem.key) {
                problems.push(problem);
            }
        }
        problems
    }
}

/// Whose plan is checked.
pub(crate) enum Of {
    /// The plan of a setup that has started: everything is read again.
    Setup(SetupId),
    /// The plan of a draft that was made a moment ago: what was read to make it is not read again.
    Draft(Box<Read>),
}

/// What was read to make a plan. Its mailboxes and an existing group were found just before. For a
/// new group, the name and the address were found to be free.
pub(crate) struct Read {
    pub scan: Scan,
    /// The existing group, as Exchange shows it.
    pub group: Option<ExGroup>,
}

/// Runs the whole check. `now`: when the check began.
pub(crate) async fn look(tenant: &Customer, plan: &Plan, of: Of, now: Timestamp) -> Found {
    let (setup, scan, group) = match of {
        Of::Setup(setup) => (Some(setup), None, None),
        Of::Draft(read) => (None, Some(read.scan), read.group),
    };
    let mut look = Look {
        tenant,
        plan,
        setup,
        scan,
        group,
        now,
        found: Found::default(),
    };
    look.all().await;
    look.found
}

struct Look<'a> {
    tenant: &'a Customer,
    plan: &'a Plan,
    /// None: the plan is of a draft, whose mailboxes and group were read a moment ago.
    setup: Option<SetupId>,
    /// None: the check reads it.
    scan: Option<Scan>,
    /// The existing group of a draft. None: the check reads it.
    group: Option<ExGroup>,
    now: Timestamp,
    found: Found,
}

type Looked = Result<(), microsoft::Error>;

impl Look<'_> {
    async fn all(&mut self) {
        for part in 0..7 {
            let looked = match part {
                0 => self.organization().await,
                1 => self.role().await,
                2 => self.exchange().await,
                3 => self.application().await,
                4 => self.mailboxes().await,
                5 => self.group().await,
                _ => {
                    self.appearances().await;
                    Ok(())
                }
            };
            let Err(error) = looked else { continue };
            let role = matches!(
                error.kind(),
                Kind::ExchangeRoleMissing | Kind::Cmdlet(Fault::NoRoles)
            );
            // The missing role is a hurdle already. A refusal by Exchange for lack of that role
            // says nothing new.
            if role && !self.found.hurdles.is_empty() {
                return;
            }
            // The remaining requests would fail for the same reason, and take as long.
            let stop = role || error.is_transient() || is_about_consent(&error);
            self.found.failures.push(error);
            if stop {
                return;
            }
        }
    }

    /// Records a read as evidence and returns its value.
    fn saw<T>(&mut self, title: &str, call: Call<T>) -> T {
        self.found.evidence.push(call.trace.evidence(title, false));
        call.value
    }

    fn hurdle(
        &mut self,
        key: &str,
        happened: impl Into<String>,
        means: impl Into<String>,
        todo: impl Into<String>,
    ) {
        let key = format!("readiness.{key}");
        let problem = Problem::new(key, Remedy::Act, happened, means, todo);
        self.found.hurdles.push(problem);
    }

    /// Reads as whom mail may appear. A failure of this read is no hurdle.
    async fn appearances(&mut self) {
        if self.found.effects.is_none() {
            return;
        }
        let call = self.tenant.appearances(&self.plan.senders).await;
        let appears = self.saw(effects::TITLE, call);
        if let Some(effects) = &mut self.found.effects {
            effects.appears = appears;
        }
    }

    fn name(&self) -> &str {
        &self.plan.application.name
    }

    fn is_sender(&self, object: ObjectId) -> bool {
        self.plan.senders.iter().any(|one| one.object == object)
    }

    async fn organization(&mut self) -> Looked {
        let call = self.tenant.organization().await?;
        self.found.organization = Some(self.saw("Graph answers", call).name);
        Ok(())
    }

    async fn role(&mut self) -> Looked {
        // Under GDAP the account is no member of the tenant, so it has no roles there that could be
        // read. Exchange answers instead: it refuses every list to an account without a role.
        if self.tenant.is_delegated() {
            return Ok(());
        }
        let roles = self.tenant.my_roles().await?;
        let roles = self.saw("Roles of the admin who consented", roles);
        if !roles.iter().any(|role| ENOUGH.contains(role)) {
            self.hurdle(
                "role_missing",
                "The admin who consented holds neither Exchange Administrator nor Global Administrator.",
                "Exchange would refuse to create the group and the policy.",
                "Give the role in Entra (and activate it, where it must be), then connect again and try again.",
            );
        }
        Ok(())
    }

    /// Checks that Exchange answers. Whether the organisation is customised is not checked, because
    /// a policy does not need that (MICROSOFT.md §2.4).
    async fn exchange(&mut self) -> Looked {
        let config = self.tenant.organization_config().await?;
        self.saw("Exchange answers", config);
        Ok(())
    }
}

/// Makes one problem of several hurdles, with an action for each.
pub(super) fn one_of(mut hurdles: Vec<Problem>) -> Option<Problem> {
    if hurdles.len() < 2 {
        return hurdles.pop();
    }
    let list = |pick: fn(&Problem) -> &str| {
        hurdles
            .iter()
            .enumerate()
            .map(|(index, hurdle)| format!("({}) {}", index + 1, pick(hurdle)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    Some(Problem::new(
        "readiness.several",
        Remedy::Act,
        list(|hurdle| &hurdle.happened),
        list(|hurdle| &hurdle.means),
        list(|hurdle| &hurdle.todo),
    ))
}
