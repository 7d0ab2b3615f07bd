//! Which refusals of Exchange are final. Some pass by themselves, and some are not true: the change
//! is there all the same. So a refused change counts as refused only after a look at the tenant
//! (MICROSOFT.md §1.7).
//!
//! A step that runs again observes first, so that it makes nothing twice.

use domain::Problem;
use microsoft::{Customer, Error, Fault, Kind};

use super::{hurdles::ENOUGH, work::Outcome};
use crate::pace::{self, Wait};

/// For how long the step retries after this refusal, and what it says meanwhile. None: the refusal
/// is final.
fn patience(error: &Error) -> Option<(Wait, &'static str)> {
    Some(match error.kind() {
        Kind::ExchangeRoleMissing
        | Kind::Cmdlet(Fault::NoRoles | Fault::NotDelegating | Fault::DelegationNotMapped) => (
            pace::ROLE,
            "A role that was given a moment ago takes up to an hour until Exchange knows it.",
        ),
        Kind::Cmdlet(fault) => match fault {
            Fault::NotFound => (
                pace::REPLICATED,
                "What was made a moment ago is not on all of Exchange's servers yet.",
            ),
            Fault::DirectoryWrite => (
                pace::REFUSED_WRITE,
                "Such a change is often there all the same: Postern looks, and tries again only if it is not.",
            ),
            Fault::Dehydrated => (
                pace::CUSTOMISED,
                "Exchange says so for a while after it was done, too.",
            ),
            Fault::AlreadyExists | Fault::AlreadyMember | Fault::NotMember | Fault::Other => (
                pace::LOOKED_INTO,
                "Postern looks whether it happened all the same.",
            ),
            Fault::WrongOrganization
            | Fault::PoliciesFull
            | Fault::NotSecurityPrincipal
            | Fault::Synced
            | Fault::NotOwner
            | Fault::BadParameter
            | Fault::NoRoles
            | Fault::NotDelegating
            | Fault::DelegationNotMapped => return None,
        },
        _ => return None,
    })
}

/// The outcome for a refusal by Exchange: a retry where it may pass, else a failure.
pub(super) fn passing(error: &Error) -> Outcome {
    let problem = error.problem();
    match patience(error) {
        Some((wait, because)) => Outcome::Passing {
            why: format!("{} {because}", problem.happened),
            wait,
            problem: Box::new(problem),
        },
        None => Outcome::Failed(problem),
    }
}

/// The keys of the problems that say that the account lacks a role in Exchange.
const ROLES_MISSING: [&str; 3] = [
    "exchange.role_missing",
    "exchange.no_roles",
    "exchange.delegation_not_mapped",
];

/// Whether a problem says that the account lacks a role in Exchange.
pub(super) fn lacks_role(problem: &Problem) -> bool {
    ROLES_MISSING.contains(&problem.key.as_str())
}

/// A role that every token contains (MICROSOFT.md §6.3), so it says nothing about the account.
const EVERYBODY: uuid::Uuid = uuid::uuid!("b79fbf4d-3ef9-4689-8143-76b194e85509");

/// Why a partner's account lacks its role (MICROSOFT.md §6.5). There are three causes: the role is
/// not in the relationship, the account is not in the security group, or Exchange does not know of
/// it yet. None: the refusal is about something else.
pub(super) async fn of_delegation(tenant: &Customer, told: Problem) -> Option<Problem> {
    if !lacks_role(&told) || !tenant.is_delegated() {
        return None;
    }
    let roles = tenant.roles_in_token().await;
    let (key, happened, means, todo) = match &roles {
        Some(roles) if roles.iter().any(|role| ENOUGH.contains(role)) => (
            "gdap.exchange_unaware",
            "Exchange does not accept the partner's delegation.",
            "Entra's token names Exchange Administrator, so the relationship and the security group are right; Exchange has not heard of it, or has roles of its own that say no.",
            "Try again in an hour. If it stays, connect with an admin account of the customer instead.",
        ),
        Some(roles) if roles.iter().any(|role| *role != EVERYBODY) => (
            "gdap.role_not_in_relationship",
            "The partner's account has roles in this customer, and Exchange Administrator is not among them.",
            "The relationship (GDAP) does not contain the role Exchange Administrator, or assigns it to a security group in which the account is not.",
            "Look at the relationship in Partner Center. If Exchange Administrator is missing, ask the customer for a relationship with it; if it is there, put the account into the security group that it is assigned to. Then try again; or connect with an admin account of the customer.",
        ),
        Some(_) => (
            "gdap.not_in_group",
            "The partner's account has no role in this customer.",
            "The account is in none of the security groups to which the relationship (GDAP) assigns roles, or was put there minutes ago.",
            "Put the account into the security group that Exchange Administrator is assigned to, wait some minutes and try again; or connect with an admin account of the customer.",
        ),
        None => (
            "gdap.no_role",
            "Exchange does not accept the partner's delegation.",
            "There are three causes: the relationship (GDAP) does not contain Exchange Administrator, the account is not in the security group that the role is assigned to, or Exchange has not heard of it yet.",
            "Check the first two in Partner Center, and try again in an hour; or connect with an admin account of the customer.",
        ),
    };
    Some(
        Problem::new(key, told.remedy, happened, means, todo)
            .with_answer(told.microsoft.unwrap_or_default()),
    )
}
