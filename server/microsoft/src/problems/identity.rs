//! Problems of invalid ID tokens (MICROSOFT.md §6.3).

use domain::{
    Problem,
    problem::Remedy::{Act, Never},
};

use crate::error::IdentityFault;

pub(super) fn problem(fault: &IdentityFault) -> Problem {
    let not_believed = "Entra's word about who signed in was not believed; nobody was signed in.";
    let (key, remedy, happened, todo) = match fault {
        IdentityFault::WrongTenant { came, meant } => {
            return Problem::new(
                "identity.wrong_tenant",
                Act,
                format!("The account belongs to the tenant {came}, not to {meant}."),
                "Another tenant was meant; nothing was connected, and the consent given there was not used.",
                "Sign in again with an admin account of the customer that was meant.",
            );
        }
        IdentityFault::Consumer => {
            return Problem::new(
                "identity.consumer",
                Act,
                "This is a personal Microsoft account.",
                "Postern takes work accounts only, because only those belong to a tenant.",
                "Sign in with a work account.",
            );
        }
        IdentityFault::NotAToken => (
            "identity.no_token",
            Never,
            "The ID token is none.",
            "Start the sign-in again.",
        ),
        IdentityFault::Algorithm => (
            "identity.algorithm",
            Never,
            "The ID token is signed in another way than Entra signs.",
            "Check POSTERN_AUTHORITY; the answer did not come from Entra.",
        ),
        IdentityFault::UnknownKey => (
            "identity.unknown_key",
            Act,
            "The ID token is signed with a key that Entra does not publish.",
            "Try again in five minutes: Entra may have changed its keys.",
        ),
        IdentityFault::Signature => (
            "identity.signature",
            Never,
            "The signature of the ID token is wrong.",
            "Check POSTERN_AUTHORITY; the answer was changed on its way.",
        ),
        IdentityFault::Audience => (
            "identity.audience",
            Never,
            "The ID token was issued for another application.",
            "Check POSTERN_CLIENT_ID, then start the sign-in again.",
        ),
        IdentityFault::Nonce => (
            "identity.nonce",
            Act,
            "The ID token answers another sign-in than the one of this browser.",
            "Start the sign-in again, in one tab only.",
        ),
        IdentityFault::Expired => (
            "identity.expired",
            Act,
            "The ID token has expired.",
            "Start the sign-in again; if it stays, compare the server's clock with the true time.",
        ),
        IdentityFault::NotYetValid => (
            "identity.not_yet_valid",
            Act,
            "The ID token is from the future.",
            "Compare the server's clock with the true time: it is more than five minutes slow.",
        ),
        IdentityFault::NoTenant => (
            "identity.no_tenant",
            Act,
            "The ID token names no tenant.",
            "Sign in with a work account.",
        ),
        IdentityFault::Issuer => (
            "identity.issuer",
            Never,
            "The ID token was not issued by the tenant that it names.",
            "Check POSTERN_AUTHORITY; the answer did not come from Entra.",
        ),
        IdentityFault::NoObject => (
            "identity.no_object",
            Act,
            "The ID token does not say which account it is about.",
            "Start the sign-in again, and sign in with a work account.",
        ),
    };
    Problem::new(key, remedy, happened, not_believed, todo)
}
