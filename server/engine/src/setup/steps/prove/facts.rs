//! Reads what decides who is refused, before any mail is sent: policy, group, members, and
//! everything else that can have refused.

use domain::{
    Problem,
    application::{AccessPolicy, AccessRight},
    proving::{Before, Proving},
    step::StepKind,
};
use microsoft::exchange::{ExGroup, Member};

use super::super::super::{
    look::{self, Held},
    work::Work,
};
use crate::Failure;

/// The state of the tenant.
pub(super) enum Facts {
    /// Policy and members are the plan's.
    AsPlanned(Before),
    /// The address belongs to another group.
    AnotherGroup(Box<Problem>),
    /// Policy or members are not the plan's. Each sentence names a difference.
    Other(Vec<String>),
}

pub(super) async fn read(work: &mut Work<'_>, proving: &mut Proving) -> Result<Facts, Failure> {
    let group = look::held(work, "Group").await?;
    let policies = work.tenant.policies().await?;
    let policies = work.saw("Access policies", policies);
    let group = match group {
        Held::There(group) => *group,
        Held::Hidden => {
            proving.disturbed = Some(work.engine.now());
            return Ok(Facts::Other(vec![format!(
                "Exchange does not show the group {} any more.",
                work.plan.group.address()
            )]));
        }
        Held::Another(problem) => {
            proving.disturbed = Some(work.engine.now());
            return Ok(Facts::AnotherGroup(Box::new(problem)));
        }
    };
    let members = work.tenant.group_members(&group.identity()).await?;
    let members = work.saw("Members of the group", members);
    let mut different = of_policies(work, &policies, &group);
    different.extend(of_members(work, &members));
    if !different.is_empty() {
        proving.disturbed = Some(work.engine.now());
        return Ok(Facts::Other(different));
    }
    before(work, proving, &policies, &group)
        .await
        .map(Facts::AsPlanned)
}

fn is_about(work: &Work<'_>, policy: &AccessPolicy) -> bool {
    policy
        .app_id
        .is_none_or(|app_id| app_id == work.plan.application.app_id)
}

fn is_ours(work: &Work<'_>, policy: &AccessPolicy, group: &ExGroup) -> bool {
    policy.app_id == Some(work.plan.application.app_id)
        && policy.right == AccessRight::RestrictAccess
        && policy.scope_object.is_some()
        && policy.scope_object == group.object
}

fn of_policies(work: &Work<'_>, policies: &[AccessPolicy], group: &ExGroup) -> Vec<String> {
    let name = &work.plan.application.name;
    let mut different = Vec::new();
    if !policies.iter().any(|one| is_ours(work, one, group)) {
        different.push(format!(
            "Exchange does not show the access policy for {name} and {} any more.",
            group.address
        ));
    }
    // A policy for the same group opens nothing more, whoever made it.
    let others = policies.iter().filter(|one| {
        is_about(work, one)
            && one.right == AccessRight::RestrictAccess
            && (one.scope_object.is_none() || one.scope_object != group.object)
    });
    different.extend(others.map(|one| {
        format!(
            "Another access policy lets {name} act for the members of {} as well.",
            one.scope_name
        )
    }));
    different
}

fn of_members(work: &Work<'_>, members: &[Member]) -> Vec<String> {
    let plan = work.plan;
    let mut different = Vec::new();
    let strangers: Vec<&str> = members
        .iter()
        .filter(|member| {
            !plan
                .senders
                .iter()
                .any(|sender| member.object == Some(sender.object))
        })
        .map(|member| member.name.as_str())
        .collect();
    if !strangers.is_empty() {
        different.push(format!(
            "The group has members that the plan does not name: {}.",
            strangers.join(", ")
        ));
    }
    let missing: Vec<&domain::plan::Mailbox> = plan
        .senders
        .iter()
        .filter(|sender| {
            !members
                .iter()
                .any(|member| member.object == Some(sender.object))
        })
        .collect();
    if let Some(names) = domain::proof::names(&missing) {
        different.push(format!(
            "These are no members of the group any more: {names}."
        ));
    }
    different
}

/// What can have refused before this setup's policy: policies of other setups, what setups saw, and
/// what the customer's last scan saw.
async fn before(
    work: &Work<'_>,
    proving: &mut Proving,
    policies: &[AccessPolicy],
    group: &ExGroup,
) -> Result<Before, Failure> {
    let now = work.engine.now();
    let lapse = work.engine.inner.pace.of(domain::proving::LAPSES_WITHIN);
    // The end of the step counts as the time at which the policy was made. It comes after the
    // policy was read back.
    let made = work
        .steps
        .iter()
        .find(|step| step.kind == StepKind::Policy)
        .and_then(|step| step.ended)
        .or(work.step.started)
        .unwrap_or(now);
    let app = work.plan.application.app_id;
    let mut tx = work.engine.store().begin(work.access.partner()).await?;
    let known = tx
        .other_policies(work.access, app, work.setup, made.plus_millis(-lapse))
        .await?;
    let reading = tx.reach(work.access).await?;
    tx.commit().await?;
    let mut other_known = known.seen
        || policies
            .iter()
            .any(|one| is_about(work, one) && !is_ours(work, one, group));
    if let Some(reading) = reading {
        let gone = reading.reach.policies.iter().any(|node| {
            node.app_id.is_none_or(|id| id == app)
                && (node.scope.is_none() || node.scope != group.object)
                && !policies.iter().any(|one| one.identity == node.identity)
        });
        other_known |= gone;
        // The last scan saw the other policy after this setup's policy was made. So somebody
        // removed the other policy since that scan.
        if gone && reading.read > made && proving.disturbed.is_none_or(|at| at < reading.read) {
            proving.disturbed = Some(now);
        }
    }
    Ok(Before {
        made,
        undone: known.undone,
        other_known,
    })
}
