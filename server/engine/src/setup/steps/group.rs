//! Step 1: the group of permitted senders.

use domain::{
    Problem,
    plan::{Group, Plan, marker},
    problem::Remedy,
};
use microsoft::{Fault, exchange::ExGroup};
use serde_json::json;

use super::super::{
    look::{self, GROUP, HIDDEN},
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
            return Outcome::done(format!("{address} is taken as it is."));
        }
        (Group::Existing { .. }, _) => return Ok(Outcome::Failed(existing_gone(address.as_str()))),
        (Group::New { .. }, Some(group)) if is_ours(work, &group) => {
            look::group(work, &group);
            group
        }
        (Group::New { .. }, Some(_)) => return Ok(Outcome::Failed(taken(address.as_str()))),
        (Group::New { .. }, None) => match create(work).await? {
            Some(group) => group,
            None => {
                return Outcome::wait(
                    format!("Exchange has taken the group {address} and does not show it yet."),
                    pace::VISIBLE,
                    USUALLY,
                );
            }
        },
    };
    hide(work, group).await
}

fn is_ours(work: &Work<'_>, group: &ExGroup) -> bool {
    group.is_described(&marker(work.setup))
}

/// Makes the group and reads it back; none while Exchange does not show it.
async fn create(work: &mut Work<'_>) -> Result<Option<ExGroup>, Failure> {
    let plan = work.plan;
    let Some(cmdlet) = plan.new_group(work.setup) else {
        return Ok(None);
    };
    match work.tenant.run(&cmdlet).await {
        Ok(call) => {
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
        // Made by a run that did not live to note it, and not shown yet. Whose it is, is looked at
        // as soon as it shows.
        Err(error) if error.fault() == Some(Fault::AlreadyExists) => {
            work.notes.evidence.push(super::super::work::evidence(
                "The name is taken already",
                error.trace(),
                false,
            ));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    }
    let back = work.tenant.group(plan.group.address().as_str()).await?;
    Ok(work.saw("Group read back", back))
}

/// Hides the group from the address lists, which cannot be asked for when it is made.
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
    Outcome::done(format!(
        "{}, a mail-enabled security group, hidden from the address lists.",
        group.address
    ))
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
