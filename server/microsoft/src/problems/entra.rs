//! Sign-in, consent and tokens (MICROSOFT.md §6.1).

use domain::{
    Problem,
    problem::Remedy::{Act, Consent, Never, Wait},
};

use crate::{
    entra::adapter::OWN,
    error::{Error, Kind},
};

pub(super) fn problem(error: &Error) -> Problem {
    match error.kind() {
        Kind::ConsentMissing => Problem::new(
            "entra.consent_missing",
            Consent,
            "Nobody in this tenant has consented to what Postern asked for.",
            "The connection itself is good, but this part of it was never allowed, was taken back, or has not spread yet.",
            "Have an admin of the customer consent; right after a consent, wait a minute and try again.",
        ),
        Kind::Declined => Problem::new(
            "entra.consent_declined",
            Consent,
            "The consent was declined on Microsoft's page.",
            "Postern got no access, and nothing was changed.",
            "Start again and choose “Accept”, or ask an admin of the customer to do it.",
        ),
        Kind::PartnerNotAuthorised => Problem::new(
            "entra.partner_not_authorised",
            Consent,
            "Postern is not authorised in this tenant for delegated admins of the partner.",
            "With GDAP an application must be consented to in the customer's tenant before partners can use it there.",
            "Have an admin of the customer consent once, or authorise Postern's application through Partner Center.",
        ),
        Kind::TokenDead => Problem::new(
            "entra.token_dead",
            Consent,
            "The sign-in that Postern was using has ended.",
            "It was not used for too long, or it was revoked: by a password reset, by an admin, or because the account is gone.",
            "Connect the customer again.",
        ),
        Kind::InteractionRequired => interaction(error),
        Kind::CodeSpent => Problem::new(
            "entra.code_spent",
            Act,
            "This sign-in was used already, or it took too long.",
            "Each sign-in works once and for a few minutes, in the browser in which it began.",
            "Start the sign-in again.",
        ),
        Kind::SecretWrong | Kind::SecretExpired if error.subject() == Some(OWN) => Problem::new(
            "entra.own_secret",
            Act,
            "Entra does not accept Postern's own secret or certificate.",
            "It has expired, was deleted, or does not belong to POSTERN_CLIENT_ID; no customer can be reached until it is replaced.",
            "Create a new one in Postern's app registration, set POSTERN_CLIENT_SECRET, and restart Postern.",
        ),
        Kind::SecretWrong => Problem::new(
            "entra.secret_wrong",
            Act,
            "Entra does not accept the secret.",
            "It was mistyped, it is the secret's id instead of its value, or it was deleted in Entra.",
            "Paste the column “Value” of a current client secret of this application.",
        ),
        Kind::SecretExpired => Problem::new(
            "entra.secret_expired",
            Act,
            "The secret has expired.",
            "Entra takes a secret only until its end date.",
            "Create a new client secret for the application in Entra and paste its value.",
        ),
        Kind::AppNotFound => Problem::new(
            "entra.app_not_found",
            Act,
            "The application does not exist in this tenant.",
            "It was removed, it was never consented to here, or the tenant is not the one that was meant.",
            "Check the tenant, and that the application stands under “Enterprise applications” there.",
        ),
        Kind::AppDisabled => Problem::new(
            "entra.app_disabled",
            Act,
            "The application is switched off in this tenant.",
            "Entra gives it no tokens, so it reaches no mailbox and nothing can be tried with it.",
            "Switch it on under “Enterprise applications” if it is meant to work.",
        ),
        Kind::TenantNotFound => {
            let name = error.subject().unwrap_or("this name");
            Problem::input(
                "tenant",
                format!("No Microsoft tenant was found for {name}."),
                "Check the spelling; use a domain that the customer has verified in Microsoft 365, or the tenant id.",
            )
        }
        Kind::NotInTenant => Problem::new(
            "entra.not_in_tenant",
            Consent,
            "This account does not belong to the tenant, or may not use Postern there.",
            "A guest or partner account works only where it was invited, or where a GDAP relationship and its group cover it.",
            "Sign in with an account of the customer, or add the account to the group of the GDAP relationship.",
        ),
        Kind::ServiceMissing => Problem::new(
            "entra.service_missing",
            Never,
            "The tenant does not have the service that was asked for.",
            "Without a licence with Exchange Online there are no mailboxes in this tenant that could be reached.",
            "If the customer should have Exchange Online, assign a licence and try again in an hour.",
        ),
        Kind::Registration => Problem::new(
            "entra.registration",
            Act,
            "Postern's own registration in Entra does not fit.",
            "Its redirect address or its supported account types differ from what Postern uses.",
            "In Postern's app registration set the redirect address to POSTERN_PUBLIC_URL followed by /auth/callback, and allow accounts of any organisation.",
        ),
        Kind::NotConnected => Problem::new(
            "entra.not_connected",
            Consent,
            "This customer is not connected.",
            "Nobody consented yet, or the customer was disconnected and the sign-in forgotten.",
            "Connect the customer.",
        ),
        _ => Problem::new(
            "entra.store",
            Wait,
            "Postern could not read or keep its own sign-in for this customer.",
            "Its database or its keys had a fault; the customer's tenant was not touched.",
            "Try again; if it stays, look at the server's log.",
        ),
    }
}

/// Entra wants the person; the number says why.
fn interaction(error: &Error) -> Problem {
    let (key, happened, means, todo) = match error.code().unwrap_or_default() {
        "AADSTS50076" | "AADSTS50078" | "AADSTS50079" | "AADSTS50072" | "AADSTS50074" => (
            "entra.mfa_required",
            "Entra asks for a second factor.",
            "The tenant now demands it from the account that consented, or the last one is too long ago.",
            "Connect the customer again, and complete the second factor.",
        ),
        "AADSTS70043" | "AADSTS70044" => (
            "entra.sign_in_frequency",
            "Entra asks the account to sign in again.",
            "A policy of the tenant limits how long a sign-in lasts, and Postern's has reached that limit.",
            "Connect the customer again; an exception for Postern in that policy keeps it from coming back.",
        ),
        "AADSTS530034" => (
            "entra.delegation_blocked",
            "Microsoft has blocked the partner's delegated access.",
            "It saw suspicious activity in the partner's tenant.",
            "Look into Partner Center's security alerts; until they are solved use an admin account of the customer.",
        ),
        "AADSTS53000" | "AADSTS53001" | "AADSTS53002" | "AADSTS53003" | "AADSTS53004"
        | "AADSTS530032" => (
            "entra.conditional_access",
            "Conditional Access refused the sign-in.",
            "A policy of the tenant does not let this account in from where Postern runs, or from such a device.",
            "Have an admin of the customer look at the sign-in log, allow Postern, and connect again.",
        ),
        _ => (
            "entra.interaction_required",
            "Entra wants the person who consented to sign in again.",
            "A policy of the tenant or a change of the account asks for it.",
            "Connect the customer again.",
        ),
    };
    Problem::new(key, Consent, happened, means, todo)
}
