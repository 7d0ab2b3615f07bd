//! What a setup made, found again: by a later run, before it is undone, or when it was cancelled.
//!
//! A change whose answer was lost, or whose run was killed, is in the tenant all the same. History
//! tells each exactly once.

use domain::{
    Problem,
    application::AccessPolicy,
    id::ObjectId,
    plan::{Group, Plan, marker},
    problem::Remedy,
    step::{Step, StepKind},
};
use microsoft::exchange::{ExGroup, Member};
use serde_json::json;
use uuid::Uuid;

use super::{
    steps::policy::made,
    work::{CANCELLED, Outcome, Work},
};
use crate::{Failure, pace};

pub(crate) use domain::step::told::{GROUP, HIDDEN, POLICY, member};

/// Before Exchange's own id of the group that was made, among what the step noted.
const GUID: &str = "guid ";

/// What notes that Exchange answered with this id when the group was made.
pub(crate) fn guid(guid: Uuid) -> String {
    format!("{GUID}{guid}")
}

/// The group that the setup made, by the id with which Exchange answered; none: its answer was
/// lost, or it was made before ids were noted.
pub(crate) fn noted_group(steps: &[Step]) -> Option<Uuid> {
    let mut notes = steps.iter().flat_map(|step| &step.noted);
    notes.find_map(|note| note.strip_prefix(GUID)?.parse().ok())
}

/// Before the directory's id of the setup's group, among what a step noted.
const OBJECT: &str = "object ";

/// The object id of the setup's group; none: no step has kept it.
pub(crate) fn held_object(plan: &Plan, steps: &[Step]) -> Option<ObjectId> {
    if let Group::Existing { object, .. } = &plan.group {
        return Some(*object);
    }
    let mut notes = steps.iter().flat_map(|step| &step.noted);
    notes.find_map(|note| note.strip_prefix(OBJECT)?.parse().ok())
}

/// Keeps the group's object id for all steps that come.
pub(crate) fn hold(work: &mut Work<'_>, object: ObjectId) {
    work.mark(&format!("{OBJECT}{object}"));
    work.held = Some(object);
}

/// What has the group's address.
pub(crate) enum Held {
    /// The setup's group.
    There(Box<ExGroup>),
    /// Exchange does not show it, or not all of it.
    Hidden,
    /// Another group than the one that the setup began with.
    Another(Problem),
}

/// Looks for the setup's group by its address, and tells it by its object id from another that has
/// taken the address since.
pub(crate) async fn held(work: &mut Work<'_>, title: &str) -> Result<Held, Failure> {
    let address = work.plan.group.address();
    let found = work.tenant.group(address.as_str()).await?;
    let Some(group) = work.saw(title, found) else {
        return Ok(Held::Hidden);
    };
    let Some(object) = group.object else {
        return Ok(Held::Hidden);
    };
    Ok(match work.held {
        Some(held) if held == object => Held::There(Box::new(group)),
        // Begun in an older version, which kept no id.
        None if is_ours(work, &group) => {
            hold(work, object);
            Held::There(Box::new(group))
        }
        held => Held::Another(another(&group, held, object)),
    })
}

fn another(group: &ExGroup, held: Option<ObjectId>, object: ObjectId) -> Problem {
    let began = held.map_or_else(
        || "this setup began with is not known by its object id".to_owned(),
        |held| format!("this setup began with has the object id {held}"),
    );
    Problem::new(
        "group.another",
        Remedy::Act,
        format!(
            "The address {} belongs to another group now: the group that {began}, and this one has the object id {object}.",
            group.address
        ),
        "Whoever is a member of the other group would be permitted, or the policy would not be about the group that was reviewed. Postern has stopped, and changed nothing in that group.",
        "Find out who replaced the group. Then cancel this setup or roll it back, and start one with the group as it is.",
    )
}

/// Whether this setup made the group: by the mark in its description, or by Exchange's own id,
/// which stays when somebody edits the description. Never one with another object id than the group's
/// step kept.
pub(crate) fn is_ours(work: &Work<'_>, group: &ExGroup) -> bool {
    if let (Some(held), Some(object)) = (work.held, group.object)
        && held != object
    {
        return false;
    }
    work.group == Some(group.guid) || group.is_described(&marker(work.setup))
}

const NOT_SEEN: &str = "not seen";

/// A step that was cut short when the setup was cancelled: looks once more at what it made.
pub(crate) async fn last(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let address = work.plan.group.address().to_string();
    match work.step.kind {
        StepKind::Group => {
            let found = work.tenant.group(&address).await?;
            if let Some(found) = work.saw("Group after the cancel", found) {
                group(work, &found);
            }
        }
        StepKind::Senders => {
            let found = work.tenant.group(&address).await?;
            if let Some(found) = work.saw("Group after the cancel", found) {
                let there = work.tenant.group_members(&found.identity()).await?;
                let there = work.saw("Members after the cancel", there);
                members(work, &found, &there);
            }
        }
        StepKind::Policy => {
            let found = work.tenant.policies().await?;
            let found = work.saw("Policies after the cancel", found);
            if let Some(found) = ours(work, &found) {
                policy(work, found);
            }
        }
        StepKind::Readiness
        | StepKind::Visible
        | StepKind::Check
        | StepKind::Prove
        | StepKind::LastLook => {}
    }
    if all_told(work) {
        return Outcome::done("It was there when the cancel took effect, and stays.");
    }
    if let Some(wait) = once_more(work) {
        return wait;
    }
    Ok(Outcome::Skipped {
        why: CANCELLED.into(),
    })
}

/// Everything that the step makes is told, so that there is nothing more to find.
pub(crate) fn all_told(work: &Work<'_>) -> bool {
    let makes_no_group = matches!(work.plan.group, Group::Existing { .. });
    match work.step.kind {
        StepKind::Group | StepKind::Senders if makes_no_group => true,
        StepKind::Group => work.is_told(GROUP) && work.is_told(HIDDEN),
        StepKind::Senders => work
            .plan
            .senders
            .iter()
            .all(|sender| work.is_told(&member(sender))),
        StepKind::Policy => work.is_told(POLICY),
        StepKind::Readiness
        | StepKind::Visible
        | StepKind::Check
        | StepKind::Prove
        | StepKind::LastLook => true,
    }
}

/// What was just made may not be shown yet: it takes two looks to believe that nothing is there.
pub(crate) fn once_more(work: &mut Work<'_>) -> Option<Result<Outcome, Failure>> {
    work.mark(NOT_SEEN).then(|| {
        Outcome::wait(
            "Exchange does not show all that this setup makes here; it looks once more, because what was just made can take a while to show.",
            pace::ABSENT,
            "a minute",
        )
    })
}

/// This setup's own policy.
pub(crate) fn ours<'p>(work: &Work<'_>, policies: &'p [AccessPolicy]) -> Option<&'p AccessPolicy> {
    policies
        .iter()
        .find(|policy| policy.description.starts_with(&marker(work.setup)))
}

/// The policy for the same application and group that another setup of ours made, and left there
/// because this one stood on it.
pub(crate) fn inherited<'p>(
    work: &Work<'_>,
    policies: &'p [AccessPolicy],
) -> Option<&'p AccessPolicy> {
    policies.iter().find(|policy| {
        policy.app_id == Some(work.plan.application.app_id)
            && work.siblings.iter().any(|sibling| {
                sibling.app_id == work.plan.application.app_id
                    && policy.description.starts_with(&marker(sibling.id))
            })
    })
}

/// A policy for the same application and group that does not say whose it is: somebody changed its
/// description, or made it.
pub(crate) async fn unmarked<'p>(
    work: &mut Work<'_>,
    policies: &'p [AccessPolicy],
) -> Result<Option<&'p AccessPolicy>, Failure> {
    let app_id = Some(work.plan.application.app_id);
    if !policies.iter().any(|policy| policy.app_id == app_id) {
        return Ok(None);
    }
    let object = match work.held {
        Some(held) => Some(held),
        None => {
            let address = work.plan.group.address();
            let found = work.tenant.group(address.as_str()).await?;
            let found = work.saw("The setup's group", found);
            found.and_then(|group| group.object)
        }
    };
    Ok(policies.iter().find(|policy| {
        policy.app_id == app_id && object.is_some() && policy.scope_object == object
    }))
}

/// Tells of the group, if this setup made it. True: that is news.
pub(crate) fn group(work: &mut Work<'_>, group: &ExGroup) -> bool {
    if matches!(work.plan.group, Group::Existing { .. }) || !is_ours(work, group) {
        return false;
    }
    let facts = json!({
        "group": group.object, "name": group.name, "address": group.address, "dn": group.dn,
    });
    let address = work.plan.group.address();
    let made = work.found_changed(
        GROUP,
        format!("The group {address} was made."),
        None,
        Some(facts),
    );
    // It is born visible.
    let hidden = group.hidden
        && work.found_changed(
            HIDDEN,
            format!("The group {address} was hidden from the address lists."),
            Some(json!({ "hidden": false })),
            Some(json!({ "hidden": true })),
        );
    made || hidden
}

/// Tells of the senders that are members of the group that this setup made. True: some are news.
pub(crate) fn members(work: &mut Work<'_>, group: &ExGroup, there: &[Member]) -> bool {
    if matches!(work.plan.group, Group::Existing { .. }) || !is_ours(work, group) {
        return false;
    }
    let plan = work.plan;
    let mut news = false;
    for sender in plan
        .senders
        .iter()
        .filter(|sender| there.iter().any(|one| one.object == Some(sender.object)))
    {
        news |= work.found_changed(
            &member(sender),
            format!("{} was added to {}.", sender.address, group.address),
            None,
            Some(json!({ "member": sender.address })),
        );
    }
    news
}

/// Tells of the policy, if this setup made it. True: that is news.
pub(crate) fn policy(work: &mut Work<'_>, policy: &AccessPolicy) -> bool {
    if !policy.description.starts_with(&marker(work.setup)) {
        return false;
    }
    let (what, after) = made(work.plan, policy.scope_object);
    work.found_changed(POLICY, what, None, Some(after))
}
