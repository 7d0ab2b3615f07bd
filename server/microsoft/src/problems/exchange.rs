//! Problems of failed cmdlets and missing roles (MICROSOFT.md §1.4, §1.6, §2).

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
            "Choose another name.",
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
            "Exchange says so to a partner's account that changes a security group which it does not own.",
            "Connect with an admin account of the customer, or give the account the role group Organization Management there.",
        ),
        Fault::DelegationNotMapped => Problem::new(
            "exchange.delegation_not_mapped",
            Act,
            "The partner's delegated rights do not reach Exchange in this tenant.",
            "The GDAP relationship lacks the Exchange role, the account is not in the group that it is assigned to, or Exchange has not heard of it yet.",
            "Look at the relationship in Partner Center: it must name Exchange Administrator, and the account must be in the security group that the role is assigned to. Then try again in an hour.",
        ),
        Fault::PoliciesFull => Problem::new(
            "exchange.policies_full",
            Act,
            "The tenant has no room left for another access policy.",
            "All policies together share one small space, descriptions included.",
            "Shorten the descriptions of policies in Exchange (Set-ApplicationAccessPolicy -Description ' '), then try again. Remove a policy only if its application is gone: the policy is what confines the application.",
        ),
        Fault::Dehydrated => Problem::new(
            "exchange.dehydrated",
            Act,
            "Exchange refuses the change because the organisation was never customised.",
            "That is done once for an organisation, cannot be undone, and takes about an hour; until then, and for a while after it, Exchange refuses alike.",
            "Ask the customer. If they agree, run Enable-OrganizationCustomization in their Exchange; if it was run already, wait an hour. Then try again.",
        ),
        Fault::NotSecurityPrincipal => Problem::new(
            "exchange.not_security_principal",
            Act,
            "Exchange takes no such group for an access policy: it is not a security principal.",
            "A policy needs a mail-enabled security group. A distribution list, a Microsoft 365 group or a shared mailbox cannot be one.",
            "Start a setup with a mail-enabled security group, or with a new group.",
        ),
        Fault::Synced => Problem::new(
            "exchange.synced",
            Act,
            format!("Exchange refused {cmdlet}: the object is managed on premises."),
            "It is synchronised from the customer's own directory, so that it can be changed only there.",
            "Change it on premises and wait for the synchronisation, or start a setup with a new group.",
        ),
        Fault::NotOwner => Problem::new(
            "exchange.not_owner",
            Act,
            format!("Exchange refused {cmdlet}: the account is not an owner of the group."),
            "Postern asked Exchange to pass over that. It does so only for Organization Management, or for who holds the role Security Group Creation and Membership.",
            "Make the account an owner of the group, or give it one of these in Exchange, then try again.",
        ),
        Fault::DirectoryWrite => Problem::new(
            "exchange.directory_refused",
            Act,
            format!("Exchange refused {cmdlet} at its directory, several times."),
            "This is no missing role: Exchange picked a directory server that does not let it write. Postern looked each time, and what was to be changed is not there.",
            "Try again later. If it stays, give Microsoft's support the request id below.",
        ),
        Fault::NoRoles => Problem::new(
            "exchange.no_roles",
            Act,
            "Exchange says that the account is assigned to no management role.",
            "Either the account has no Exchange role here, or Exchange has not heard of it yet; a new role takes up to an hour.",
            "Give the account the role Exchange Administrator in Entra (and activate it, where it must be), then try again. Under a partner's relationship (GDAP), check that the role is in the relationship and that the account is in the security group that it is assigned to.",
        ),
        Fault::NotDelegating => Problem::new(
            "exchange.not_delegating",
            Act,
            format!("Exchange refused {cmdlet}: the account may not hand this role on."),
            "It needs a delegating assignment of that role; in an organisation that was customised a moment ago Exchange is still making these.",
            "Give the account the role group Organization Management. If it has it, try again in an hour.",
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
