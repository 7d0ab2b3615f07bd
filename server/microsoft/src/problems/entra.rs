//! Problems of sign-in, consent and tokens (MICROSOFT.md §6.1).

use domain::{
    Problem,
    problem::Remedy::{Act, Consent, Wait},
};

use crate::{
    entra::adapter::OWN,
    error::{Error, Kind},
};

pub(super) fn problem(error: &Error) -> Problem {
    match error.kind() {
        Kind::ConsentMissing => Problem::new(
            Problem::CONSENT_MISSING,
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
            "It was not used for too long, or it was revoked: by a password reset, by an admin, or because the account is switched off or gone.",
            "Connect the customer again.",
        ),
        Kind::InteractionRequired => interaction(error),
        Kind::SignInRefused => Problem::new(
            "entra.sign_in_refused",
            Consent,
            "Entra refused Postern's sign-in with a code that Postern does not know.",
            "The sign-in may have ended, or a rule of the tenant refuses it; then connecting again does not help.",
            "Look the code below up in Microsoft's list of AADSTS codes, and connect the customer again only if it says that the sign-in has ended.",
        ),
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
        Kind::AppDisabled if error.subject() == Some(OWN) => Problem::new(
            "entra.own_app_disabled",
            Act,
            "Postern itself is switched off in this tenant.",
            "Entra gives Postern no tokens there, so nothing new is known of the tenant; its applications go on as they are.",
            "Have an admin of the customer switch Postern on again under “Enterprise applications”; if every customer shows this, look at Postern's own registration.",
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
        Kind::DelegationEnded => Problem::new(
            "entra.delegation_ended",
            Consent,
            "The partner's delegated access (GDAP) does not reach this tenant.",
            "The relationship has ended, or this account is not in the security group that the relationship gives a role; what Postern made in the tenant stays as it is.",
            "Look in Partner Center at the relationship and at its groups, or have an admin of the customer sign in instead.",
        ),
        Kind::ServiceMissing => Problem::new(
            "entra.service_missing",
            Act,
            format!("{} is not known in this tenant.", service(error)),
            "The service was never set up there, or its service principal was removed; Entra gives no token for it.",
            "Have an admin of the customer look at the subscriptions and at “Enterprise applications”, then read the customer again; connecting again does not help.",
        ),
        Kind::ServiceOff => Problem::new(
            "entra.service_off",
            Act,
            format!("{} is off in this tenant.", service(error)),
            "Its subscription has ended, or an administrator of the tenant has disabled it; Entra gives no token for it and does not say which of the two it is.",
            "Have an admin of the customer look at the subscriptions and at “Enterprise applications”, then read the customer again; connecting again does not help.",
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

/// The service for which a token was requested.
fn service(error: &Error) -> &str {
    error
        .subject()
        .filter(|subject| *subject != OWN)
        .unwrap_or("A service of Microsoft 365")
}

/// Entra requires the person, or a rule of the tenant refuses. The AADSTS number says why.
fn interaction(error: &Error) -> Problem {
    let (key, remedy, happened, means, todo) = match error.code().unwrap_or_default() {
        "AADSTS50076" | "AADSTS50078" | "AADSTS50079" | "AADSTS50072" | "AADSTS50074" => (
            "entra.mfa_required",
            Consent,
            "Entra asks for a second factor.",
            "The tenant now demands it from the account that consented, or the last one is too long ago.",
            "Connect the customer again, and complete the second factor.",
        ),
        "AADSTS70043" | "AADSTS70044" | "AADSTS70046" => (
            "entra.sign_in_frequency",
            Consent,
            "Entra asks the account to sign in again: a policy of the tenant limits how long a sign-in lasts.",
            "Postern's sign-in has reached the limit, and will reach it again as long after each new one.",
            "Have an admin of the customer exclude this account or Postern from the sign-in frequency of that policy, then connect the customer again.",
        ),
        "AADSTS530084" => (
            "entra.token_protection",
            Act,
            "Conditional Access of the tenant demands token protection.",
            "It wants a token that is bound to a device, which no server can have, so connecting again does not help.",
            "Have an admin of the customer exclude this account or Postern from that policy, then read the customer again.",
        ),
        "AADSTS50158" => (
            "entra.external_challenge",
            Act,
            "Conditional Access of the tenant demands a check by another provider.",
            "A person passes it while signing in; Postern renews its sign-in without a person, so connecting again does not help for long.",
            "Have an admin of the customer exclude this account or Postern from that policy, then read the customer again.",
        ),
        "AADSTS530034" => (
            "entra.delegation_blocked",
            Act,
            "The partner's delegated access is blocked in this tenant.",
            "Microsoft saw suspicious activity, or a Conditional Access policy of the tenant applies to service provider users; connecting again with the partner's account does not help.",
            "Look at the security alerts in Partner Center, and have an admin of the customer exclude “service provider users” of your organisation from the policy; until then an admin of the customer can sign in instead.",
        ),
        "AADSTS53000" | "AADSTS53001" | "AADSTS53002" | "AADSTS53003" | "AADSTS53004"
        | "AADSTS53009" | "AADSTS53010" | "AADSTS53011" | "AADSTS530021" | "AADSTS530032" => (
            "entra.conditional_access",
            Consent,
            "Conditional Access refused the sign-in.",
            "A policy of the tenant does not let this account in from where Postern runs, or from such a device.",
            "Have an admin of the customer look at the sign-in log, allow Postern, and connect again.",
        ),
        _ => (
            "entra.interaction_required",
            Consent,
            "Entra wants the person who consented to sign in again.",
            "A policy of the tenant or a change of the account asks for it.",
            "Connect the customer again.",
        ),
    };
    Problem::new(key, remedy, happened, means, todo)
}
