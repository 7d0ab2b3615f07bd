//! Step 4: the access policy.

use domain::{
    application::{AccessPolicy, AccessRight},
    id::ObjectId,
    plan::Plan,
};
use microsoft::{Fault, exchange::ExGroup};
use serde_json::{Value, json};

use super::super::{
    look::{self, Held, POLICY},
    work::{Outcome, Work},
};
use super::senders::{is_member, strangers};
use crate::{Failure, pace};

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let group = match look::held(work, "Group").await? {
        Held::There(group) => *group,
        Held::Hidden => {
            return Outcome::wait(
                "Exchange does not show the group at the moment.",
                pace::READ_BACK,
                "a few seconds",
            );
        }
        Held::Another(problem) => return Ok(Outcome::Failed(problem)),
    };
    let policies = work.tenant.policies().await?;
    let policies = work.saw("Policies before", policies);
    if let Some(policy) = wanted(work, &policies, &group) {
        look::policy(work, policy);
        return Outcome::done(sentence(work, &group));
    }
    // From here on the policy permits every member, so the members are read once more.
    let members = work.tenant.group_members(&group.identity()).await?;
    let members = work.saw("Members right before the policy", members);
    if let Some(problem) = strangers(&members, work.plan) {
        return Ok(Outcome::Failed(problem));
    }
    let senders = &work.plan.senders;
    let present = senders.iter().filter(|sender| is_member(&members, sender));
    let present = present.count();
    if present < senders.len() {
        return Outcome::wait(
            format!(
                "Exchange shows {present} of {} permitted senders in the group. The policy waits for all of them: it would refuse the others.",
                senders.len()
            ),
            pace::READ_BACK,
            "a few seconds",
        );
    }
    match work
        .tenant
        .run(&work.plan.new_policy(work.setup, &group.identity()))
        .await
    {
        Ok(call) => {
            let (what, after) = made(work.plan, group.object);
            work.changed(POLICY, what, None, Some(after), &call.trace);
        }
        Err(error) if error.fault() == Some(Fault::AlreadyExists) => {
            work.notes
                .evidence
                .push(error.trace().evidence("The policy is there already", false));
        }
        // Not all of Exchange's directory servers know the new group yet. That passes.
        Err(error) if error.fault() == Some(Fault::NotFound) => {
            work.notes.evidence.push(
                error
                    .trace()
                    .evidence("Exchange does not know the group here yet", false),
            );
            return Outcome::wait(
                "Exchange does not take the group for a policy yet.",
                pace::VISIBLE,
                "a few minutes",
            );
        }
        Err(error) => return Err(error.into()),
    }
    let back = work.tenant.policies().await?;
    let back = work.saw("Policies read back", back);
    let Some(policy) = wanted(work, &back, &group) else {
        return Outcome::wait(
            "Exchange does not show the policy yet.",
            pace::READ_BACK,
            "a few seconds",
        );
    };
    look::policy(work, policy);
    Outcome::done(sentence(work, &group))
}

/// What history tells of the policy that a setup made: its sentence, and what is there from then on. The
/// same whether the answer came, or the policy was found later.
pub(crate) fn made(plan: &Plan, group: Option<ObjectId>) -> (String, Value) {
    let what = format!(
        "An access policy confines {} to {}.",
        plan.application.name,
        plan.group.address()
    );
    let after = json!({
        "application": plan.application.app_id,
        "group": group,
        "right": AccessRight::RestrictAccess.as_str(),
    });
    (what, after)
}

fn wanted<'p>(
    work: &Work<'_>,
    policies: &'p [AccessPolicy],
    group: &ExGroup,
) -> Option<&'p AccessPolicy> {
    policies.iter().find(|policy| {
        policy.app_id == Some(work.plan.application.app_id)
            && policy.right == AccessRight::RestrictAccess
            && policy.scope_object.is_some()
            && policy.scope_object == group.object
    })
}

fn sentence(work: &Work<'_>, group: &ExGroup) -> String {
    format!(
        "RestrictAccess for {} and {}.",
        work.plan.application.name, group.address
    )
}
