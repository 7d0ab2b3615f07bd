//! Step 0: everything is there that the rest needs; else one plain action per hurdle.

use domain::{
    Problem,
    address::MailAddress,
    application::{AccessPolicy, AccessRight},
    plan::{Group, Mailbox},
    problem::Remedy,
};

use microsoft::exchange::TestAnswer;

use super::super::work::{Outcome, Work};
use crate::Failure;

/// Directory roles that may do all that the setup does (MICROSOFT.md §1.6): Global Administrator,
/// Exchange Administrator.
const ENOUGH: [uuid::Uuid; 2] = [
    uuid::uuid!("62e90394-69f5-4237-9190-012177145e10"),
    uuid::uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
];

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let mut hurdles = Vec::new();
    let organization = work.tenant.organization().await?;
    let organization = work.saw("Graph answers", organization);
    role(work, &mut hurdles).await?;
    let config = work.tenant.organization_config().await?;
    if work.saw("Exchange answers", config).is_dehydrated {
        hurdles.push(Problem::new(
            "readiness.dehydrated",
            Remedy::Act,
            "This organisation was never customised in Exchange.",
            "Exchange takes no policies until its configuration has been unpacked once.",
            "Run Enable-OrganizationCustomization there once, wait an hour, then try again.",
        ));
    }
    application(work, &mut hurdles).await?;
    let plan = work.plan;
    mailboxes(work, &mut hurdles).await?;
    group(work, &mut hurdles).await?;
    if let Some(problem) = one_of(hurdles) {
        return Ok(Outcome::Failed(problem));
    }
    let able = if work.tenant.is_delegated() {
        "to the partner's account"
    } else {
        "with the Exchange role that this needs"
    };
    let senders = if plan.senders.len() == 1 {
        "The sender is a mailbox".into()
    } else {
        format!("All {} senders are mailboxes", plan.senders.len())
    };
    Outcome::done(format!("{} answers {able}. {senders}.", organization.name))
}

async fn role(work: &mut Work<'_>, hurdles: &mut Vec<Problem>) -> Result<(), Failure> {
    // Under GDAP the account is nobody of the tenant, so nobody's roles can be read: the list of
    // policies, which Exchange refuses without a role, answers instead.
    if work.tenant.is_delegated() {
        return Ok(());
    }
    let roles = work.tenant.my_roles().await?;
    let roles = work.saw("Roles of the admin who consented", roles);
    if !roles.iter().any(|role| ENOUGH.contains(role)) {
        hurdles.push(Problem::new(
            "readiness.role_missing",
            Remedy::Act,
            "The admin who consented holds neither Exchange Administrator nor Global Administrator.",
            "Exchange would refuse to create the group and the policy.",
            "Give the role in Entra (and activate it, where it must be), then connect again and try again.",
        ));
    }
    Ok(())
}

async fn application(work: &mut Work<'_>, hurdles: &mut Vec<Problem>) -> Result<(), Failure> {
    let plan = work.plan;
    let applications = work.tenant.applications().await?;
    let applications = work.saw("Applications with mailbox permissions", applications);
    let Some(application) = applications
        .iter()
        .find(|application| application.object == plan.application.object)
    else {
        hurdles.push(Problem::new(
            "readiness.application_gone",
            Remedy::Act,
            format!(
                "{} no longer holds a mailbox permission here.",
                plan.application.name
            ),
            "There is nothing to confine: somebody removed the permission or the application.",
            "Cancel this setup.",
        ));
        return Ok(());
    };
    if let Some(hurdle) = application.hurdle() {
        hurdles.push(hurdle.problem(&application.name));
    }
    let assignments = work.tenant.role_assignments().await?;
    let assignments = work.saw("Exchange roles of applications", assignments);
    if let Some(assignment) = assignments
        .iter()
        .find(|assignment| assignment.assignee == plan.application.object)
    {
        hurdles.push(Problem::new(
            "readiness.exchange_role",
            Remedy::Act,
            format!(
                "{} also holds the Exchange role “{}”.",
                plan.application.name, assignment.role
            ),
            "Exchange roles add to what an access policy leaves: the policy would not confine it.",
            "Remove the role assignment in Exchange, then try again.",
        ));
    }
    let policies = work.tenant.policies().await?;
    let policies = work.saw("Access policies", policies);
    let about_it = |policy: &AccessPolicy, right: AccessRight| {
        policy.right == right
            && policy
                .app_id
                .is_none_or(|app_id| app_id == plan.application.app_id)
    };
    let other = |policy: &&AccessPolicy| {
        about_it(policy, AccessRight::RestrictAccess)
            && !policy
                .description
                .starts_with(&domain::plan::marker(work.setup))
            && !matches!(&plan.group, Group::Existing { object, .. } if policy.scope_object == Some(*object))
    };
    if let Some(policy) = policies.iter().find(other) {
        hurdles.push(Problem::new(
            "readiness.other_policy",
            Remedy::Act,
            format!(
                "Another access policy already lets it act for the members of {}.",
                policy.scope_name
            ),
            "Several such policies add up, so those mailboxes would stay open too.",
            "Remove that policy in Exchange, or use its group, then try again.",
        ));
    }
    // Its refusals outlive it: the proof has to know (MICROSOFT.md §2.4).
    let deny = policies
        .iter()
        .any(|policy| about_it(policy, AccessRight::DenyAccess));
    if deny || policies.iter().any(|policy| other(&policy)) {
        work.mark(domain::step::told::OTHER_POLICY);
    }
    let first = |right| policies.iter().find(|policy| about_it(policy, right));
    // Beside a policy that restricts it, everybody else is refused already.
    if let (Some(denies), None) = (
        first(AccessRight::DenyAccess),
        first(AccessRight::RestrictAccess),
    ) {
        already_refused(work, &denies.scope_name, hurdles).await?;
    }
    Ok(())
}

/// Where every mailbox that must be refused is refused before anything was made, neither Exchange's
/// test nor real mail says anything about the new policy.
async fn already_refused(
    work: &mut Work<'_>,
    scope: &str,
    hurdles: &mut Vec<Problem>,
) -> Result<(), Failure> {
    let plan = work.plan;
    for mailbox in &plan.refused {
        let call = work
            .tenant
            .test_policy(plan.application.app_id, &mailbox.address)
            .await?;
        if work.saw(&format!("Test for {}", mailbox.address), call) != TestAnswer::Denied {
            return Ok(());
        }
    }
    hurdles.push(Problem::new(
        "readiness.refused_already",
        Remedy::Act,
        format!(
            "Every mailbox that must be refused is refused already: an access policy denies the members of {scope}."
        ),
        "Neither Exchange's test nor real mail could show that the new policy holds.",
        "Cancel this setup and start one with a mailbox that must be refused and is not a member there.",
    ));
    Ok(())
}

async fn mailboxes(work: &mut Work<'_>, hurdles: &mut Vec<Problem>) -> Result<(), Failure> {
    let plan = work.plan;
    let planned: Vec<&Mailbox> = plan.senders.iter().chain(&plan.refused).collect();
    let addresses: Vec<MailAddress> = planned
        .iter()
        .map(|mailbox| mailbox.address.clone())
        .collect();
    let call = work.tenant.mailboxes_at(&addresses).await?;
    let found = work.saw("Mailboxes of the plan", call);
    for (planned, found) in planned.into_iter().zip(found) {
        if found.is_some_and(|mailbox| mailbox.object == planned.object) {
            continue;
        }
        hurdles.push(Problem::new(
            "readiness.mailbox_gone",
            Remedy::Act,
            format!(
                "{} is not the mailbox any more that was approved.",
                planned.address
            ),
            "It was removed, or its address belongs to somebody else now.",
            "Cancel this setup and start one with the mailboxes as they are.",
        ));
    }
    Ok(())
}

/// An existing group must hold the senders and nobody else: Postern does not change what it did
/// not make.
async fn group(work: &mut Work<'_>, hurdles: &mut Vec<Problem>) -> Result<(), Failure> {
    let plan = work.plan;
    let Group::Existing {
        object, address, ..
    } = &plan.group
    else {
        return Ok(());
    };
    let members = work.tenant.group_members(&object.to_string()).await?;
    let members = work.saw("Members of the existing group", members);
    let fits = members.len() == plan.senders.len()
        && plan.senders.iter().all(|sender| {
            members
                .iter()
                .any(|member| member.object == Some(sender.object))
        });
    if !fits {
        hurdles.push(Problem::new(
            "readiness.group_members",
            Remedy::Act,
            format!("{address} does not hold exactly the permitted senders."),
            "Postern changes nothing in a group that it did not make.",
            "Make its members fit, or start a setup with a new group.",
        ));
    }
    Ok(())
}

/// Several hurdles become one problem that names an action for each.
fn one_of(mut hurdles: Vec<Problem>) -> Option<Problem> {
    if hurdles.len() < 2 {
        return hurdles.pop();
    }
    let list = |pick: fn(&Problem) -> &str| {
        hurdles
            .iter()
            .enumerate()
            .map(|(index, hurdle)| format!("({}) {}", index + 1, pick(hurdle)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    Some(Problem::new(
        "readiness.several",
        Remedy::Act,
        list(|hurdle| &hurdle.happened),
        list(|hurdle| &hurdle.means),
        list(|hurdle| &hurdle.todo),
    ))
}
