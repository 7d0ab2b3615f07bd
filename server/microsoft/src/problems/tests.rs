#![allow(clippy::unwrap_used)]

use domain::{Timestamp, problem::Remedy};
use uuid::Uuid;

use super::*;
use crate::{
    call::Trace,
    error::{Fault, IdentityFault},
};

fn kinds() -> Vec<Kind> {
    let tenant = domain::id::TenantId(Uuid::from_u128(1));
    let mut all = vec![
        Kind::ConsentMissing,
        Kind::Declined,
        Kind::PartnerNotAuthorised,
        Kind::TokenDead,
        Kind::InteractionRequired,
        Kind::SignInRefused,
        Kind::CodeSpent,
        Kind::SecretWrong,
        Kind::SecretExpired,
        Kind::AppNotFound,
        Kind::AppDisabled,
        Kind::TenantNotFound,
        Kind::NotInTenant,
        Kind::DelegationEnded,
        Kind::ServiceMissing,
        Kind::ServiceOff,
        Kind::Registration,
        Kind::Throttled {
            until: Some(Timestamp(1)),
        },
        Kind::Unreachable { maybe_done: true },
        Kind::Unreachable { maybe_done: false },
        Kind::Unauthorized,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::ExchangeRoleMissing,
        Kind::PageLost,
        Kind::ForeignLink,
        Kind::TooLarge,
        Kind::Malformed,
        Kind::Mismatch,
        Kind::NotSent,
        Kind::NotConnected,
        Kind::Store,
        Kind::Other,
    ];
    all.extend(
        [
            Fault::NotFound,
            Fault::AlreadyExists,
            Fault::AlreadyMember,
            Fault::NotMember,
            Fault::WrongOrganization,
            Fault::DelegationNotMapped,
            Fault::PoliciesFull,
            Fault::Dehydrated,
            Fault::NotSecurityPrincipal,
            Fault::Synced,
            Fault::NotOwner,
            Fault::DirectoryWrite,
            Fault::NoRoles,
            Fault::NotDelegating,
            Fault::BadParameter,
            Fault::Other,
        ]
        .map(Kind::Cmdlet),
    );
    all.extend(
        [
            IdentityFault::NotAToken,
            IdentityFault::Algorithm,
            IdentityFault::UnknownKey,
            IdentityFault::Signature,
            IdentityFault::Audience,
            IdentityFault::Nonce,
            IdentityFault::Expired,
            IdentityFault::NotYetValid,
            IdentityFault::NoTenant,
            IdentityFault::Consumer,
            IdentityFault::Issuer,
            IdentityFault::WrongTenant {
                came: tenant,
                meant: tenant,
            },
            IdentityFault::NoObject,
        ]
        .map(Kind::Identity),
    );
    all
}

#[test]
fn every_failure_has_its_own_three_lines() {
    let mut keys = Vec::new();
    for kind in kinds() {
        let problem = Error::unsent(Service::Entra, kind.clone(), "").problem();
        for line in [&problem.happened, &problem.means, &problem.todo] {
            assert!(line.ends_with('.'), "{kind:?}: {line}");
            assert!(
                line.starts_with(|c: char| c.is_uppercase()),
                "{kind:?}: {line}"
            );
        }
        keys.push(problem.key);
    }
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn remedies_say_who_can_end_it() {
    let remedy = |kind| Error::unsent(Service::Graph, kind, "").problem().remedy;
    assert_eq!(remedy(Kind::ConsentMissing), Remedy::Consent);
    assert_eq!(remedy(Kind::TokenDead), Remedy::Consent);
    assert_eq!(remedy(Kind::Throttled { until: None }), Remedy::Wait);
    assert_eq!(remedy(Kind::SecretWrong), Remedy::Act);
    assert_eq!(remedy(Kind::NotSent), Remedy::Never);
}

#[test]
fn a_missing_tenant_is_a_problem_of_its_field() {
    let problem = Error::unsent(Service::Entra, Kind::TenantNotFound, "")
        .with_subject("fabrikam.example")
        .problem();
    assert_eq!(problem.field(), Some("tenant"));
    assert!(problem.happened.contains("fabrikam.example"));
}

#[test]
fn microsofts_words_come_along_only_when_it_spoke() {
    let silent = Error::unsent(Service::Entra, Kind::NotConnected, "").problem();
    assert_eq!(silent.microsoft, None);
    let trace = Trace {
        status: Some(400),
        request_id: Some("r-1".into()),
        client_request_id: Some("c-1".into()),
        attempts: 1,
        ..Trace::default()
    };
    let spoken = Error::new(Service::Entra, Kind::ConsentMissing, trace)
        .with_code("AADSTS65001")
        .with_message("not consented")
        .problem()
        .microsoft
        .unwrap();
    assert_eq!(spoken.code.as_deref(), Some("AADSTS65001"));
    assert_eq!(spoken.status, Some(400));
    assert_eq!(spoken.request_id.as_deref(), Some("r-1"));
    assert_eq!(spoken.client_request_id.as_deref(), Some("c-1"));
}

#[test]
fn posterns_own_secret_is_not_the_applications() {
    let key = |subject: Option<&str>| {
        let error = Error::unsent(Service::Entra, Kind::SecretExpired, "");
        match subject {
            Some(subject) => error.with_subject(subject).problem().key,
            None => error.problem().key,
        }
    };
    assert_eq!(key(None), "entra.secret_expired");
    assert_eq!(key(Some("Postern")), "entra.own_secret");
}
