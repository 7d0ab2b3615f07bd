//! Step 3: the group's members are the permitted senders, all of them and nobody else.

use domain::{
    Problem,
    plan::{Group, Mailbox, Plan},
    problem::Remedy,
    step::StepState,
};
use microsoft::exchange::Member;
use serde_json::json;

use super::super::{
    look::{self, Held, member},
    work::{Outcome, Work},
};
use crate::{Failure, pace};

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let plan = work.plan;
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
    let identity = group.identity();
    let members = work.tenant.group_members(&identity).await?;
    let members = work.saw("Members before", members);
    look::members(work, &group, &members);
    if let Some(problem) = strangers(&members, plan) {
        return Ok(Outcome::Failed(problem));
    }
    let missing: Vec<&Mailbox> = plan
        .senders
        .iter()
        .filter(|sender| !is_member(&members, sender))
        .collect();
    if missing.is_empty() {
        return Outcome::done(format!(
            "{} of {}, read back.",
            plan.senders.len(),
            plan.senders.len()
        ));
    }
    if matches!(plan.group, Group::Existing { .. }) {
        return Ok(Outcome::Failed(no_longer_fits(plan)));
    }
    // A poll continues from the run before. Only a first run adds again what Exchange has accepted.
    let first = work.step.attempts <= 1;
    for sender in missing {
        if !first && (work.is_told(&member(sender)) || work.is_noted(&accepted(sender))) {
            continue;
        }
        let cmdlet = Plan::add_sender(&identity, sender);
        let call = work.tenant.add_member(&cmdlet).await?;
        if call.value {
            work.changed(
                member(sender),
                format!("{} was added to {}.", sender.address, group.address),
                None,
                Some(json!({ "member": sender.address })),
                &call.trace,
            );
        } else {
            // The sender was added before and is not shown yet. The members that are read back
            // decide.
            work.saw("Is a member already", call);
            work.mark(&accepted(sender));
        }
    }
    let back = work.tenant.group_members(&identity).await?;
    let back = work.saw("Members read back", back);
    look::members(work, &group, &back);
    let present = plan
        .senders
        .iter()
        .filter(|sender| is_member(&back, sender))
        .count();
    if present < plan.senders.len() {
        if waited(work) >= work.engine.inner.pace.of(LISTED_WITHIN) {
            return Ok(Outcome::Failed(not_listed(plan, &back)));
        }
        return Outcome::wait(
            format!(
                "Exchange shows {present} of {} members.",
                plan.senders.len()
            ),
            pace::READ_BACK,
            "a few seconds",
        );
    }
    Outcome::done(format!("{present} of {present}, read back."))
}

/// How long an accepted member may be missing from the list. Exchange accepts some recipients and
/// never lists them (MICROSOFT.md §2.3). Milliseconds.
const LISTED_WITHIN: i64 = 3_600_000;

/// How long the step has waited for accepted members to be listed. Milliseconds.
fn waited(work: &Work<'_>) -> i64 {
    match &work.step.state {
        StepState::Waiting(waiting) => work.engine.now().millis_since(waiting.since),
        _ => 0,
    }
}

/// The note that Exchange called a sender a member without listing it.
fn accepted(sender: &Mailbox) -> String {
    format!("accepted {}", sender.object)
}

fn not_listed(plan: &Plan, members: &[Member]) -> Problem {
    let names: Vec<&str> = plan
        .senders
        .iter()
        .filter(|sender| !is_member(members, sender))
        .map(|sender| sender.address.as_str())
        .collect();
    Problem::new(
        "senders.not_listed",
        Remedy::Act,
        format!(
            "Exchange accepted {} as a member and does not list it.",
            names.join(", ")
        ),
        "It does so with recipients of a kind that it does not take, or that it is still making. The policy would not let the application send as such a mailbox.",
        "Look at the group's members in Exchange. Once it is listed, try again; or cancel, and start a setup with another sender.",
    )
}

pub(super) fn is_member(members: &[Member], mailbox: &Mailbox) -> bool {
    members
        .iter()
        .any(|member| member.object == Some(mailbox.object))
}

pub(super) fn strangers(members: &[Member], plan: &Plan) -> Option<Problem> {
    let names: Vec<&str> = members
        .iter()
        .filter(|member| {
            !plan
                .senders
                .iter()
                .any(|sender| member.object == Some(sender.object))
        })
        .map(|member| member.name.as_str())
        .collect();
    if names.is_empty() {
        return None;
    }
    Some(Problem::new(
        "senders.strangers",
        Remedy::Act,
        format!(
            "The group has members that the plan does not name: {}.",
            names.join(", ")
        ),
        "The application could send as them too.",
        "Remove them from the group, then try again; or cancel, and start a setup that permits them.",
    ))
}

fn no_longer_fits(plan: &Plan) -> Problem {
    Problem::new(
        "senders.existing_group",
        Remedy::Act,
        format!(
            "{} no longer holds all permitted senders.",
            plan.group.address()
        ),
        "Postern changes nothing in a group that it did not make.",
        "Add them there, then try again.",
    )
}
