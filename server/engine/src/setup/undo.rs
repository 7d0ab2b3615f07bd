//! Undoing a step, as far as that is safe. What is left is said.
//!
//! What is to be removed is noted first, in a run of its own: a removal whose answer is lost, or
//! whose run is killed, leaves nothing behind that could tell of it.

use domain::{
    plan::{Group, marker},
    step::{StepKind, told::REMOVED},
};
use microsoft::Call;
use serde_json::json;

use super::{
    look,
    work::{Outcome, Work},
};
use crate::{Failure, pace};

const REMOVES: &str = "removes";

pub(crate) async fn undo(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    match work.step.kind {
        StepKind::Readiness
        | StepKind::Visible
        | StepKind::Check
        | StepKind::Prove
        | StepKind::LastLook => Outcome::undone("It changed nothing."),
        StepKind::Policy => policy(work).await,
        StepKind::Senders => senders(work).await,
        StepKind::Group => group(work).await,
    }
}

/// It is not there. After a removal that was answered that is the end; else what was just made may
/// only not be shown yet, so that it takes two looks to believe it.
fn gone(
    work: &mut Work<'_>,
    removed: String,
    end: &'static str,
    nothing: &'static str,
) -> Result<Outcome, Failure> {
    if work.is_noted(REMOVED) {
        return Outcome::undone(end);
    }
    if let Some(wait) = look::once_more(work) {
        return wait;
    }
    if work.is_noted(REMOVES) {
        work.found_changed(REMOVED, removed, None, None);
        return Outcome::undone(end);
    }
    Outcome::undone(nothing)
}

/// Tells of a removal: by this call, or by one before whose answer was lost.
fn removed_by(work: &mut Work<'_>, call: &Call<bool>, what: String, before: serde_json::Value) {
    if call.value {
        work.changed(REMOVED, what, Some(before), None, &call.trace);
    } else {
        work.found_changed(REMOVED, what, Some(before), None);
    }
}

async fn policy(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let policies = work.tenant.policies().await?;
    let policies = work.saw("Policies before", policies);
    let removed = format!(
        "The access policy of {} was removed.",
        work.plan.application.name
    );
    let end = "The policy is gone. Microsoft stops enforcing it within 2 hours.";
    let Some(policy) = look::ours(work, &policies) else {
        return gone(work, removed, end, "There is no policy of this setup.");
    };
    look::policy(work, policy);
    if work.mark(REMOVES) {
        return Ok(Outcome::Again);
    }
    let call = work.tenant.remove_policy(&policy.identity).await?;
    let before = json!({ "identity": policy.identity, "group": policy.scope_object });
    removed_by(work, &call, removed, before);
    let back = work.tenant.policies().await?;
    let back = work.saw("Policies read back", back);
    if look::ours(work, &back).is_some() {
        return Outcome::wait(
            "Exchange still shows the policy.",
            pace::READ_BACK,
            "a few seconds",
        );
    }
    Outcome::undone(end)
}

async fn senders(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    if matches!(work.plan.group, Group::Existing { .. }) {
        return Outcome::undone("It changed nothing.");
    }
    let found = work
        .tenant
        .group(work.plan.group.address().as_str())
        .await?;
    if let Some(group) = work.saw("Group", found) {
        let members = work.tenant.group_members(&group.identity()).await?;
        let members = work.saw("Members", members);
        look::members(work, &group, &members);
    }
    if !look::all_told(work)
        && let Some(wait) = look::once_more(work)
    {
        return wait;
    }
    Outcome::undone("The members go with the group.")
}

async fn group(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    if matches!(work.plan.group, Group::Existing { .. }) {
        return Outcome::undone("The group was there before, and stays.");
    }
    let address = work.plan.group.address();
    let removed = format!("The group {address} was removed.");
    let end = "The group is gone.";
    let found = work.tenant.group(address.as_str()).await?;
    let Some(group) = work.saw("Group before", found) else {
        return gone(work, removed, end, "There is no group of this setup.");
    };
    if !group.is_described(&marker(work.setup)) {
        return Outcome::left(format!(
            "The group {address} stays: it is not the one that this setup made."
        ));
    }
    look::group(work, &group);
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
    if work.mark(REMOVES) {
        return Ok(Outcome::Again);
    }
    let call = work.tenant.remove_group(&group.identity()).await?;
    let before = json!({
        "group": group.object,
        "address": group.address,
        "members": members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(),
    });
    removed_by(work, &call, removed, before);
    let back = work.tenant.group(address.as_str()).await?;
    if work.saw("Group read back", back).is_some() {
        return Outcome::wait(
            "Exchange still shows the group.",
            pace::READ_BACK,
            "a few seconds",
        );
    }
    Outcome::undone(end)
}
