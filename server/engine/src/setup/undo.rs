//! Undoing a step, as far as that is safe. What is left is said.

use domain::{
    application::AccessPolicy,
    plan::{Group, marker},
    step::StepKind,
};
use serde_json::json;

use super::work::{Outcome, Work};
use crate::{Failure, pace};

pub(crate) async fn undo(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    match work.step.kind {
        StepKind::Readiness | StepKind::Visible | StepKind::Check | StepKind::Prove => {
            Outcome::undone("It changed nothing.")
        }
        StepKind::Policy => policy(work).await,
        StepKind::Senders => senders(work),
        StepKind::Group => group(work).await,
    }
}

fn ours<'p>(work: &Work<'_>, policies: &'p [AccessPolicy]) -> Option<&'p AccessPolicy> {
    policies
        .iter()
        .find(|policy| policy.description.starts_with(&marker(work.setup)))
}

async fn policy(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let policies = work.tenant.policies().await?;
    let policies = work.saw("Policies before", policies);
    let Some(policy) = ours(work, &policies) else {
        return Outcome::undone("There is no policy of this setup.");
    };
    let call = work.tenant.remove_policy(&policy.identity).await?;
    work.changed(
        format!(
            "The access policy of {} was removed.",
            work.plan.application.name
        ),
        Some(json!({ "identity": policy.identity, "group": policy.scope_object })),
        None,
        &call.trace,
    );
    let back = work.tenant.policies().await?;
    let back = work.saw("Policies read back", back);
    if ours(work, &back).is_some() {
        return Outcome::wait(
            "Exchange still shows the policy.",
            pace::READ_BACK,
            "a few seconds",
        );
    }
    Outcome::undone("The policy is gone. Microsoft stops enforcing it within 2 hours.")
}

fn senders(work: &Work<'_>) -> Result<Outcome, Failure> {
    match work.plan.group {
        Group::New { .. } => Outcome::undone("The members go with the group."),
        Group::Existing { .. } => Outcome::undone("It changed nothing."),
    }
}

async fn group(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    if matches!(work.plan.group, Group::Existing { .. }) {
        return Outcome::undone("The group was there before, and stays.");
    }
    let address = work.plan.group.address();
    let found = work.tenant.group(address.as_str()).await?;
    let Some(group) = work.saw("Group before", found) else {
        return Outcome::undone("The group is gone.");
    };
    if !group.is_described(&marker(work.setup)) {
        return Outcome::left(format!(
            "The group {address} stays: it is not the one that this setup made."
        ));
    }
    let policies = work.tenant.policies().await?;
    let policies = work.saw("Policies that name the group", policies);
    if policies
        .iter()
        .any(|policy| group.object.is_some() && policy.scope_object == group.object)
    {
        return Outcome::left(format!(
            "The group {address} stays: another access policy uses it."
        ));
    }
    let members = work.tenant.group_members(&group.identity()).await?;
    let members = work.saw("Members before", members);
    let strangers = members
        .iter()
        .filter(|member| {
            !work
                .plan
                .senders
                .iter()
                .any(|sender| member.object == Some(sender.object))
        })
        .count();
    if strangers > 0 {
        return Outcome::left(format!(
            "The group {address} stays: somebody added {strangers} member(s) to it."
        ));
    }
    let call = work.tenant.remove_group(&group.identity()).await?;
    work.changed(
        format!("The group {address} was removed."),
        Some(json!({
            "group": group.object,
            "address": group.address,
            "members": members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(),
        })),
        None,
        &call.trace,
    );
    let back = work.tenant.group(address.as_str()).await?;
    if work.saw("Group read back", back).is_some() {
        return Outcome::wait(
            "Exchange still shows the group.",
            pace::READ_BACK,
            "a few seconds",
        );
    }
    Outcome::undone("The group is gone.")
}
