//! Undoes a step as far as that is safe, and says what it keeps.
//!
//! A run records what it is going to remove before the next run removes it. Otherwise a removal
//! would leave no trace when its answer is lost or its run is killed.

use domain::{
    plan::Group,
    step::{StepKind, told::REMOVED},
};
use microsoft::Call;
use serde_json::json;

use super::{
    look,
    siblings::Sibling,
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

/// The outcome when the step's work is not there. After a recorded removal the step is undone.
/// Otherwise what was just made may not be visible yet, so only a second look that finds nothing
/// counts.
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

/// Records a removal: this call made it, or an earlier call whose answer was lost.
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
    let end = "The policy is gone from Exchange. Opening is slow too: until Microsoft stops enforcing it, which takes up to 2 hours and sometimes longer, mail may still be refused.";
    let found = look::ours(work, &policies).or_else(|| look::inherited(work, &policies));
    let Some(policy) = found else {
        if let Some(policy) = look::unmarked(work, &policies).await? {
            return Outcome::left(format!(
                "An access policy for {} and the group {} stays, and has effect. Its description does not name this setup: somebody changed it, or made the policy. If it is to go, remove it in Exchange: {}.",
                work.plan.application.name, policy.scope_name, policy.identity
            ));
        }
        return gone(work, removed, end, "There is no policy of this setup.");
    };
    look::policy(work, policy);
    let app_id = work.plan.application.app_id;
    let others = standing(work, |sibling| sibling.app_id == app_id);
    if !others.is_empty() {
        return Outcome::left(format!(
            "The access policy of {} stays: {} stands on it. Roll that back too, and the policy goes.",
            work.plan.application.name,
            others.join(", ")
        ));
    }
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
    Outcome::undone(
        "It takes nobody out: the members stay in the group as long as the group is there.",
    )
}

/// The names of our setups that use the same group and still stand.
fn standing(work: &Work<'_>, counts: impl Fn(&Sibling) -> bool) -> Vec<String> {
    work.siblings
        .iter()
        .filter(|sibling| sibling.stands && counts(sibling))
        .map(|sibling| sibling.name.clone())
        .collect()
}

async fn group(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    if matches!(work.plan.group, Group::Existing { .. }) {
        return Outcome::undone("The group was there before, and stays.");
    }
    let address = work.plan.group.address();
    let removed = format!("The group {address} was removed.");
    let end = "The group is gone, and its members go with it. Rights on mailboxes and transport rules that named it were not looked at.";
    let found = work.tenant.group(address.as_str()).await?;
    let Some(group) = work.saw("Group before", found) else {
        return gone(work, removed, end, "There is no group of this setup.");
    };
    if !look::is_ours(work, &group) {
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
    let others = standing(work, |_| true);
    if !others.is_empty() {
        return Outcome::left(format!(
            "The group {address} stays: {} stands on it.",
            others.join(", ")
        ));
    }
    let uses = work.tenant.group_uses(&group).await?;
    let uses = work.saw("What else names the group", uses);
    if !uses.found.is_empty() {
        return Outcome::left(format!(
            "The group {address} stays: {}. Without the group that would change without a word.",
            uses.found.join(", ")
        ));
    }
    if !uses.unread.is_empty() {
        let parts: Vec<String> = uses
            .unread
            .iter()
            .map(|(part, error)| format!("{part}: {}", error.problem().happened))
            .collect();
        return Outcome::left(format!(
            "The group {address} stays, because Postern could not look whether something else names it. {}",
            parts.join(" ")
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
