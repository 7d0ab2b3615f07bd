//! Reconciliation: finds what a setup has made in the tenant. A later run of the step, the undo and
//! the last look after a cancel use it.
//!
//! A change is in the tenant even when its answer was lost or its run was killed. History records
//! each change exactly once.

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

/// Prefix of a step's note: Exchange's own id of the group that the setup made.
const GUID: &str = "guid ";

/// The note that Exchange answered with this id when the group was made.
pub(crate) fn guid(guid: Uuid) -> String {
    format!("{GUID}{guid}")
}

/// Exchange's id of the group that the setup made, from the steps' notes. None: the answer was
/// lost, or an older version made the group.
pub(crate) fn noted_group(steps: &[Step]) -> Option<Uuid> {
    let mut notes = steps.iter().flat_map(|step| &step.noted);
    notes.find_map(|note| note.strip_prefix(GUID)?.parse().ok())
}

/// Prefix of a step's note: the directory's id of the setup's group.
const OBJECT: &str = "object ";

/// The object id of the setup's group. None: no step has recorded it.
pub(crate) fn held_object(plan: &Plan, steps: &[Step]) -> Option<ObjectId> {
    if let Group::Existing { object, .. } = &plan.group {
        return Some(*object);
    }
    let mut notes = steps.iter().flat_map(|step| &step.noted);
    notes.find_map(|note| note.strip_prefix(OBJECT)?.parse().ok())
}

/// Records the group's object id for this step and all later ones.
pub(crate) fn hold(work: &mut Work<'_>, object: ObjectId) {
    work.mark(&format!("{OBJECT}{object}"));
    work.held = Some(object);
}

/// What has the group's address.
pub(crate) enum Held {
    /// The setup's group.
    There(Box<ExGroup>),
    /// Exchange does not show the group, or shows it without its object id.
    Hidden,
    /// Another group than the one that the setup began with.
    Another(Problem),
}

/// Finds the setup's group by its address. The object id shows whether another group has taken that
/// address since.
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
        // The setup began in an older version, which recorded no object id.
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

/// Whether this setup made the group. Either its description has the setup's marker, or its
/// Exchange id is the recorded one: the id stays when somebody edits the description. A group with
/// another object id than the recorded one is never ours.
pub(crate) fn is_ours(work: &Work<'_>, group: &ExGroup) -> bool {
    if let (Some(held), Some(object)) = (work.held, group.object)
        && held != object
    {
        return false;
    }
    work.group == Some(group.guid) || group.is_described(&marker(work.setup))
}

const NOT_SEEN: &str = "not seen";

/// The last look of a step that a cancel cut short: reads once more what the step has made.
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

/// Whether everything that the step makes is recorded, so that there is nothing more to find.
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

/// Waits once before an absence is believed: what was just made may not be visible yet. None: this
/// step has waited before.
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

/// The policy that another setup of ours made for the same application and group. That setup's
/// rollback kept the policy because this setup needed it.
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

/// A policy for the same application and group without a marker of ours: somebody edited its
/// description, or made the policy.
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

/// Records the group, if this setup made it. True: it was not recorded before.
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
    // Exchange always makes a group visible in the address lists. A hidden group shows that the
    // second call, which hides it, was made.
    let hidden = group.hidden
        && work.found_changed(
            HIDDEN,
            format!("The group {address} was hidden from the address lists."),
            Some(json!({ "hidden": false })),
            Some(json!({ "hidden": true })),
        );
    made || hidden
}

/// Records the senders that are members of the group that this setup made. True: some were not
/// recorded before.
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

/// Records the policy, if this setup made it. True: it was not recorded before.
pub(crate) fn policy(work: &mut Work<'_>, policy: &AccessPolicy) -> bool {
    if !policy.description.starts_with(&marker(work.setup)) {
        return false;
    }
    let (what, after) = made(work.plan, policy.scope_object);
    work.found_changed(POLICY, what, None, Some(after))
}
