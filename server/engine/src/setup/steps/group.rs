//! Step 1: the group of permitted senders.

use domain::{
    Problem,
    plan::{Group, Plan},
    problem::Remedy,
};
use microsoft::{
    Fault,
    exchange::{ExGroup, Recipient},
};
use serde_json::json;

use super::super::{
    look::{self, GROUP, HIDDEN},
    names,
    work::{Outcome, Work},
};
use crate::{Failure, pace};

const USUALLY: &str = "a few seconds";

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let plan = work.plan;
    let address = plan.group.address();
    let found = work.tenant.group(address.as_str()).await?;
    let found = work.saw("Is the group there?", found);
    let group = match (&plan.group, found) {
        (Group::Existing { object, .. }, Some(group)) if group.object == Some(*object) => {
            look::hold(work, *object);
            return Outcome::done(format!("{address} is taken as it is."));
        }
        (Group::Existing { .. }, _) => return Ok(Outcome::Failed(existing_gone(address.as_str()))),
        (Group::New { .. }, Some(group)) if look::is_ours(work, &group) => {
            look::group(work, &group);
            group
        }
        (Group::New { .. }, Some(_)) => return Ok(Outcome::Failed(taken(address.as_str()))),
        (Group::New { .. }, None) => match create(work).await? {
            Made::Shown(group) => *group,
            Made::Hidden => {
                return Outcome::wait(
                    format!("Exchange has taken the group {address} and does not show it yet."),
                    pace::VISIBLE,
                    USUALLY,
                );
            }
            Made::Otherwise(outcome) => return Ok(outcome),
        },
    };
    hide(work, group).await
}

/// The result of making the group.
enum Made {
    Shown(Box<ExGroup>),
    /// Exchange has accepted the group and does not show it yet.
    Hidden,
    Otherwise(Outcome),
}

/// Mark: Exchange said that the name is taken, and did not show who has it.
const TAKEN: &str = "the name is taken";

/// Makes the group and reads it back.
async fn create(work: &mut Work<'_>) -> Result<Made, Failure> {
    let plan = work.plan;
    let Some(cmdlet) = plan.new_group(work.setup) else {
        return Ok(Made::Hidden);
    };
    // A poll continues from the run before: a group that Exchange has accepted is not made again.
    if work.step.attempts > 1 && work.is_told(GROUP) {
        return Ok(Made::Hidden);
    }
    if work.step.attempts > 1 && work.is_noted(TAKEN) {
        return who_has_it(work).await;
    }
    match work.tenant.make_group(&cmdlet).await {
        Ok(call) => {
            if let Some(guid) = call.value {
                work.group = Some(guid);
                work.mark(&look::guid(guid));
            }
            let address = plan.group.address();
            let after = json!({ "address": address, "type": "mail-enabled security group" });
            work.changed(
                GROUP,
                format!("The group {address} was made."),
                None,
                Some(after),
                &call.trace,
            );
        }
        // Somebody else has the name, or a run of this step made the group and died before it
        // recorded that.
        Err(error) if error.fault() == Some(Fault::AlreadyExists) => {
            let evidence = error.trace().evidence("The name is taken already", false);
            work.notes.evidence.push(evidence);
            work.mark(TAKEN);
            return who_has_it(work).await;
        }
        Err(error) => return Err(error.into()),
    }
    let back = work.tenant.group(plan.group.address().as_str()).await?;
    Ok(shown(work.saw("Group read back", back)))
}

fn shown(group: Option<ExGroup>) -> Made {
    group.map_or(Made::Hidden, |group| Made::Shown(Box::new(group)))
}

/// Finds who has the name: this setup's own group of an earlier run, or somebody else.
async fn who_has_it(work: &mut Work<'_>) -> Result<Made, Failure> {
    let Group::New { address, name } = &work.plan.group else {
        return Ok(Made::Hidden);
    };
    let back = work.tenant.group(address.as_str()).await?;
    match work.saw("The group of that address", back) {
        Some(group) if look::is_ours(work, &group) => {
            look::group(work, &group);
            return Ok(shown(Some(group)));
        }
        Some(_) => return Ok(Made::Otherwise(Outcome::Failed(taken(address.as_str())))),
        None => {}
    }
    let holder = work.tenant.taken(address, name.as_str()).await?;
    let holder = work.saw("Who has the name?", holder);
    // A group with this very address that Exchange shows in one place and not in another is new. It
    // may be this setup's.
    let young = |by: &Recipient| {
        by.details == "MailUniversalSecurityGroup" && by.address.as_ref() == Some(address)
    };
    Ok(Made::Otherwise(match holder {
        Some(holder) if !young(&holder.by) => Outcome::Failed(names::taken(&holder)),
        _ => Outcome::Passing {
            why: format!(
                "Exchange says that {name} or {address} is taken, and shows nobody who has it. It may be the group that this setup made a moment ago.",
                name = name.as_str()
            ),
            wait: pace::TAKEN,
            problem: Box::new(taken_unseen(name.as_str(), address.as_str())),
        },
    }))
}

/// Hides the group from the address lists. Exchange has no option for that when the group is made.
async fn hide(work: &mut Work<'_>, group: ExGroup) -> Result<Outcome, Failure> {
    if group.dn.is_empty() || group.object.is_none() {
        return Outcome::wait(
            "Exchange shows the group without its distinguished name and its object id.",
            pace::VISIBLE,
            USUALLY,
        );
    }
    let mut group = group;
    if !group.hidden {
        let cmdlet = Plan::hide_group(&group.identity());
        let call = work.tenant.run(&cmdlet).await?;
        work.changed(
            HIDDEN,
            format!(
                "The group {} was hidden from the address lists.",
                group.address
            ),
            Some(json!({ "hidden": false })),
            Some(json!({ "hidden": true })),
            &call.trace,
        );
        let back = work
            .tenant
            .group(work.plan.group.address().as_str())
            .await?;
        match work.saw("Group read back", back) {
            Some(again) if again.hidden => group = again,
            _ => {
                return Outcome::wait(
                    "Exchange does not show yet that the group is hidden.",
                    pace::READ_BACK,
                    USUALLY,
                );
            }
        }
    }
    if let Some(object) = group.object {
        look::hold(work, object);
    }
    Outcome::done(format!(
        "{}, a mail-enabled security group, hidden from the address lists.",
        group.address
    ))
}

fn taken_unseen(name: &str, address: &str) -> Problem {
    Problem::new(
        "group.taken_unseen",
        Remedy::Act,
        format!("Exchange says that {name} or {address} is taken, and shows nobody who has it."),
        "Something that was deleted a while ago keeps its address as long as it can be restored. Postern asked for mailboxes, groups and contacts with that name and that address.",
        "Cancel this setup and start one with another group name. If the deleted object is removed for good, try again.",
    )
}

fn taken(address: &str) -> Problem {
    Problem::new(
        "group.taken",
        Remedy::Never,
        format!("Somebody else has made a group {address} in the meantime."),
        "Postern never takes over what it did not make.",
        "Cancel this setup and start one with another group name.",
    )
}

fn existing_gone(address: &str) -> Problem {
    Problem::new(
        "group.gone",
        Remedy::Never,
        format!("The group {address} is not there any more, or it is another one now."),
        "The plan names a group that does not exist.",
        "Cancel this setup and start one with a group that exists.",
    )
}
