//! Whether a plan fits the customer as it is: one look for the review, before anybody approves the
//! plan, and for the first step, before anything is made.

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

/// Directory roles that may do all that the setup does (MICROSOFT.md §1.6): Global Administrator,
/// Exchange Administrator.
pub(crate) const ENOUGH: [uuid::Uuid; 2] = [
    uuid::uuid!("62e90394-69f5-4237-9190-012177145e10"),
    uuid::uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
];

/// What the look found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The customer's name, where Graph told it.
    pub organization: Option<String>,
    /// Each with what to do about it.
    pub hurdles: Vec<Problem>,
    /// What stands in nobody's way, and should be known before the plan is approved.
    pub said: Vec<String>,
    /// Powers of the application, which go on beside the policy.
    pub beside: Vec<String>,
    /// What the plan means beside sending; none: the look did not get so far.
    pub effects: Option<Effects>,
    /// All that stays open beside the policy, those powers too: what a person confirms before the
    /// setup starts.
    pub open: Vec<String>,
    /// What could not be looked at, and why; what was found beside it holds all the same.
    pub failures: Vec<microsoft::Error>,
    /// The same of a part that is read together with others.
    pub unread: Vec<Problem>,
    pub evidence: Vec<Evidence>,
    /// Another policy is about the application. What it refuses outlives it, so a proof has to
    /// know of it (MICROSOFT.md §2.4).
    pub other_policy: bool,
}

impl Found {
    /// Everything that keeps the plan from being carried out, what could not be looked at last.
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

/// Whose plan is looked at.
pub(crate) enum Of {
    /// That of a setup which has started: all is read anew.
    Setup(SetupId),
    /// That of a draft, a moment ago: what the plan was made of is not read again.
    Draft(Box<Read>),
}

/// What a plan was made of. Its mailboxes, and a group that exists, were found as it names them; of
/// a new group, that nobody has its name and its address.
pub(crate) struct Read {
    pub scan: Scan,
    /// The group that exists, as Exchange has it.
    pub group: Option<ExGroup>,
}

/// Looks at everything. `now`: when the look began.
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
    /// None: the plan is of a draft, which named its mailboxes and its group a moment ago.
    setup: Option<SetupId>,
    /// None: the look reads it.
    scan: Option<Scan>,
    /// The same of the group that exists.
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
            // The role is named already: what Exchange refuses for the want of it is no news.
            if role && !self.found.hurdles.is_empty() {
                return;
            }
            // The rest would fail alike, and take as long.
            let stop = role || error.is_transient() || is_about_consent(&error);
            self.found.failures.push(error);
            if stop {
                return;
            }
        }
    }

    /// Keeps what was read as evidence and hands the value on.
    fn saw<T>(&mut self, title: &str, call: Call<T>) -> T {
        self.found
            .evidence
            .push(call.trace.evidence(title, false));
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

    /// Nobody is kept from anything by what is not known of it.
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
        // Under GDAP the account is nobody of the tenant, so nobody's roles can be read: Exchange,
        // which refuses to list anything without a role, answers instead.
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

    /// A policy needs no customised organisation (MICROSOFT.md §2.4), so that is not asked about.
    async fn exchange(&mut self) -> Looked {
        let config = self.tenant.organization_config().await?;
        self.saw("Exchange answers", config);
        Ok(())
    }
}

/// Several hurdles become one problem that names an action for each.
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
