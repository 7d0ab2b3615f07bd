//! The three sentences about a failure: what happened, what it means, what to do.
//!
//! They are written for a person. [`crate::Error::problem`] adds Microsoft's own code and request
//! id.

mod entra;
mod exchange;
mod identity;

use domain::{
    Problem,
    problem::Remedy::{Act, Consent, Never, Wait},
};

use crate::error::{Error, Kind, Service};

pub(crate) fn problem(error: &Error) -> Problem {
    match error.kind() {
        Kind::Identity(fault) => identity::problem(fault),
        Kind::Cmdlet(fault) => exchange::problem(*fault, error),
        Kind::ExchangeRoleMissing => exchange::role_missing(error),
        Kind::ConsentMissing
        | Kind::Declined
        | Kind::PartnerNotAuthorised
        | Kind::TokenDead
        | Kind::InteractionRequired
        | Kind::SignInRefused
        | Kind::CodeSpent
        | Kind::SecretWrong
        | Kind::SecretExpired
        | Kind::AppNotFound
        | Kind::AppDisabled
        | Kind::TenantNotFound
        | Kind::NotInTenant
        | Kind::DelegationEnded
        | Kind::ServiceMissing
        | Kind::ServiceOff
        | Kind::Registration
        | Kind::NotConnected
        | Kind::Store => entra::problem(error),
        _ => common(error),
    }
}

/// Problems that can occur with each of the three services.
fn common(error: &Error) -> Problem {
    let name = error.service().name();
    let key = |what: &str| format!("{}.{what}", name.to_lowercase());
    match error.kind() {
        Kind::Throttled { .. } => Problem::new(
            key("throttled"),
            Wait,
            format!("{name} asked Postern to pause."),
            "Too many requests reached this tenant in a short time, from Postern or from others; nothing was changed.",
            "Wait: Postern goes on by itself when the pause is over.",
        ),
        Kind::Unreachable { maybe_done: true } => Problem::new(
            key("unclear"),
            Wait,
            format!("{name} did not answer in time."),
            "What was asked for may have happened or not.",
            "Wait: Postern looks first, and asks again only if nothing happened.",
        ),
        Kind::Unreachable { maybe_done: false } => Problem::new(
            key("unreachable"),
            Wait,
            format!("{name} could not be reached."),
            "The connection failed, or Microsoft has an outage; nothing was changed.",
            "Wait: Postern tries again by itself. If it lasts, look at the server's way to the internet and at Microsoft's service health.",
        ),
        Kind::Unauthorized => Problem::new(
            key("token_refused"),
            Consent,
            format!("{name} refused Postern's token, and a fresh one too."),
            "The account that consented holds no rights there that count, or they have not spread yet.",
            "Check the roles of the account that consented, then connect the customer again.",
        ),
        Kind::Forbidden => Problem::new(
            key("forbidden"),
            Act,
            format!("{name} refused the request."),
            "The account that consented may not do this in the customer's tenant, or consent for it is missing.",
            "Give the account the role it needs, then connect the customer again.",
        ),
        Kind::NotFound => Problem::new(
            key("not_found"),
            Act,
            format!("{name} does not know what was asked for."),
            "It was removed, or it is so new that not all of Microsoft's servers show it.",
            "Read the customer again; if it is still missing, choose another.",
        ),
        Kind::PageLost => Problem::new(
            key("page_lost"),
            Wait,
            format!("{name} stopped in the middle of a list."),
            "Only a part of the list was read, and a part proves nothing.",
            "Wait: Postern reads the list again from the beginning.",
        ),
        Kind::ForeignLink => Problem::new(
            key("foreign_link"),
            Act,
            format!("{name} pointed to another address than the configured one."),
            "Postern does not follow, because its token must not travel anywhere else.",
            "Check the settings POSTERN_AUTHORITY, POSTERN_GRAPH and POSTERN_EXCHANGE: all three must belong to the same cloud.",
        ),
        Kind::TooLarge => Problem::new(
            key("too_large"),
            Never,
            format!("{name} sent more than Postern takes in one answer."),
            "The answer was dropped; nothing was changed.",
            "Report it with the request id, so that the limit can be looked at.",
        ),
        Kind::TooMany => Problem::new(
            key("too_many"),
            Never,
            error.message().map_or_else(
                || format!("{name} would have to be asked too often."),
                |message| format!("Postern did not ask all of it: {message}."),
            ),
            "What was not asked is not known; nothing was changed.",
            "Look at it in the customer's admin center, where it matters.",
        ),
        Kind::Malformed => Problem::new(
            key("malformed"),
            Act,
            format!("{name} answered with something that Postern does not understand."),
            "Something between Postern and Microsoft changed the answer, or Microsoft changed its own.",
            "Try again; if it stays, report it with the request id.",
        ),
        Kind::Mismatch => Problem::new(
            key("mismatch"),
            Act,
            about(
                error,
                &format!("{name} answered about something else than was asked for"),
            ),
            "Postern does not go on with an object that is not the one that was meant.",
            "Check that the name or address is unique and fully created in the customer's tenant, then try again.",
        ),
        Kind::NotSent => Problem::new(
            key("not_sent"),
            Never,
            about(error, "The request was not sent"),
            "It was incomplete, and what was missing would have changed its meaning; nothing was changed.",
            "Report it with the text below; trying again does not help.",
        ),
        _ => Problem::new(
            key("refused"),
            Act,
            format!("{name} refused the request."),
            "Postern does not know this answer; what Microsoft said stands below.",
            match error.service() {
                Service::Entra => {
                    "Look the code up in Microsoft's list of AADSTS codes, then try again."
                }
                _ => {
                    "Read what Microsoft said; if it does not help, report it with the request id."
                }
            },
        ),
    }
}

/// The sentence with the subject of the error, if that is known.
fn about(error: &Error, sentence: &str) -> String {
    error.subject().map_or_else(
        || format!("{sentence}."),
        |subject| format!("{sentence}: {subject}."),
    )
}

#[cfg(test)]
#[path = "problems/tests.rs"]
mod tests;
