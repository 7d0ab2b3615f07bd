//! Step 0: checks everything that the other steps need. Each hurdle gets one plain action.

use domain::problem::Remedy;

use super::super::{
    hurdles::{self, Of, one_of},
    passing::{lacks_role, of_delegation},
    work::{Outcome, Work},
};
use crate::{Failure, pace};

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let of = Of::Setup(work.setup);
    let mut found = hurdles::look(&work.tenant, work.plan, of, work.engine.now()).await;
    work.notes.evidence.append(&mut found.evidence);
    work.notes.effects = found.effects.take();
    if found.other_policy {
        work.mark(domain::step::told::OTHER_POLICY);
    }
    if !found.hurdles.is_empty() {
        let problems = found.problems();
        return Ok(one_of(problems).map_or(Outcome::Again, Outcome::Failed));
    }
    if let Some(error) = found.failures.into_iter().next() {
        return Err(error.into());
    }
    if let Some(problem) = found.unread.into_iter().next() {
        if lacks_role(&problem) {
            let named = of_delegation(&work.tenant, problem.clone()).await;
            return Ok(Outcome::Passing {
                why: problem.happened.clone(),
                wait: pace::ROLE,
                problem: Box::new(named.unwrap_or(problem)),
            });
        }
        return Ok(match problem.remedy {
            Remedy::Consent => Outcome::Failed(problem),
            Remedy::Wait | Remedy::Act | Remedy::Never => Outcome::Passing {
                why: problem.happened.clone(),
                wait: if problem.remedy == Remedy::Wait {
                    pace::TROUBLE
                } else {
                    pace::SPOILT
                },
                problem: Box::new(problem),
            },
        });
    }
    let able = if work.tenant.is_delegated() {
        "to the partner's account"
    } else {
        "with the Exchange role that this needs"
    };
    let senders = if work.plan.senders.len() == 1 {
        "The sender is a mailbox".into()
    } else {
        format!("All {} senders are mailboxes", work.plan.senders.len())
    };
    let organization = found.organization.unwrap_or_default();
    let mut summary = vec![format!("{organization} answers {able}. {senders}.")];
    summary.append(&mut found.open);
    summary.append(&mut found.said);
    Outcome::done(summary.join(" "))
}
