//! Cmdlets that failed, and roles that are missing (MICROSOFT.md §1.4, §1.6, §2).

use domain::{
    Problem,
    problem::Remedy::{Act, Never, Wait},
};

use crate::error::{Error, Fault};

pub(super) fn problem(fault: Fault, error: &Error) -> Problem {
    let cmdlet = error.subject().unwrap_or("the cmdlet");
    let failed = format!("Exchange ran {cmdlet} and refused it.");
    match fault {
        Fault::NotFound => Problem::new(
            "exchange.not_found",
            Act,
            format!("Exchange does not find what {cmdlet} names."),
            "It was removed, it is no recipient of the kind that is needed, or it is so new that not all of Exchange's servers know it.",
            "Check in the customer's Exchange that it is there, then try again.",
        ),
        Fault::AlreadyExists => Problem::new(
            "exchange.already_exists",
            Act,
            "Exchange has something with this name or address already.",
            "Postern takes over nothing that it did not make itself.",
            "Choose another name, or remove what is there.",
        ),
        Fault::AlreadyMember => Problem::new(
            "exchange.already_member",
            Wait,
            "The mailbox is a member of the group already.",
            "Somebody else added it, or an earlier try did.",
            "Nothing: Postern reads the members back and goes on.",
        ),
        Fault::NotMember => Problem::new(
            "exchange.not_member",
            Wait,
            "The mailbox is no member of the group.",
            "Somebody else took it out, or an earlier try did.",
            "Nothing: Postern reads the members back and goes on.",
        ),
        Fault::WrongOrganization => Problem::new(
            "exchange.wrong_organization",
            Act,
            "Exchange takes the account for a stranger in this organisation.",
            "This happens to partners that change a security group of which they are no owner.",
            "Connect with an admin account of the customer, or give the account the role group Organization Management there.",
        ),
        Fault::DelegationNotMapped => Problem::new(
            "exchange.delegation_not_mapped",
            Act,
            "The partner's delegated rights do not reach Exchange in this tenant.",
            "The GDAP relationship lacks the Exchange role, or the account is not in the group that it is assigned to.",
            "Add the role Exchange Administrator to the GDAP relationship, put the account into its group, and try again in an hour.",
        ),
        Fault::PoliciesFull => Problem::new(
            "exchange.policies_full",
            Act,
            "The tenant has no room left for another access policy.",
            "All policies together share one small space, descriptions included.",
            "Remove policies that are no longer needed, or shorten their descriptions.",
        ),
        Fault::Dehydrated => Problem::new(
            "exchange.dehydrated",
            Act,
            "The organisation was never customised.",
            "Exchange refuses such changes until that was done once; it alters nothing that anybody sees.",
            "Run Enable-OrganizationCustomization in the customer's Exchange, and try again in an hour.",
        ),
        Fault::BadParameter => Problem::new(
            "exchange.bad_parameter",
            Never,
            failed,
            "A parameter or its value is not what Exchange takes; nothing was changed.",
            "Report it with the request id: Microsoft may have changed the cmdlet.",
        ),
        Fault::Other => Problem::new(
            "exchange.cmdlet_failed",
            Act,
            failed,
            "What Exchange said stands below.",
            "Read what Exchange said, put it right in the customer's tenant, and try again.",
        ),
    }
}

pub(super) fn role_missing(error: &Error) -> Problem {
    let cmdlet = error.subject().unwrap_or("this cmdlet");
    Problem::new(
        "exchange.role_missing",
        Act,
        format!("The account that consented has no Exchange role that contains {cmdlet}."),
        "Exchange decides by its own roles, whatever was consented to; a role that was given just now takes a while to arrive.",
        "Give the account the role Exchange Administrator in Entra, or Organization Management in Exchange, and try again in half an hour.",
    )
}
