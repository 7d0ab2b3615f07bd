//! Says in words who can sign in as an application: what was found, and what was not read
//! (MICROSOFT.md §10.6).

use std::collections::BTreeMap;

use domain::{
    id::{ObjectId, TenantId},
    reach::{AppOwner, ApplicationReach, CredentialOf, FederatedIdentity, Owner, PrincipalDetails},
};

/// Maximum number of owners that a line names. More are only counted.
const NAMED: usize = 5;

/// What the list of secrets and certificates itself does not say: who else can sign in as the
/// application, why the list is empty, or that it is incomplete.
pub(super) fn about_credentials(
    application: &ApplicationReach,
    details: Option<&PrincipalDetails>,
    customer: TenantId,
) -> Vec<String> {
    let Some(details) = details else {
        if application.only_delegated() {
            return vec![
                "Its credentials are not kept here: they reach no mailbox without somebody who signed in to it.".to_owned(),
            ];
        }
        return vec![
            "Its credentials were not read: who can sign in as it is not known.".to_owned(),
        ];
    };
    let own = matches!(application.owner, Owner::Tenant { tenant } if tenant == customer);
    let mut said = Vec::new();
    match application.owner {
        Owner::ManagedIdentity => said.push(
            "Azure signs it in. Who may use the Azure resource gets its token, and that resource was not read here.".to_owned(),
        ),
        Owner::Microsoft => {
            said.push("Microsoft holds its credentials, in a tenant of its own.".to_owned());
            said.extend(added_here(details));
        }
        Owner::Tenant { .. } if !own => {
            said.push("Its vendor holds the credentials of its registration, in another tenant: whoever has them can use what it is given here, and nobody here sees which there are and when they end.".to_owned());
            said.extend(added_here(details));
        }
        Owner::NotTold => said.push(
            "Nobody says where it is registered: who holds credentials there is not known."
                .to_owned(),
        ),
        Owner::Tenant { .. } => {
            if let Some(why) = &details.registration_unread {
                said.push(format!(
                    "The credentials of its registration could not be read: {why}."
                ));
            }
            said.extend(federated(details));
        }
    }
    said.extend(owners(details));
    if own && details.credentials.is_empty() && details.registration_unread.is_none() {
        let none = is_empty(details);
        said.insert(
            0,
            if none {
                "It has no secret, no certificate, no federated credential and no owner: as it is, nobody can sign in as it. Whoever administers applications in this tenant can give it a credential.".to_owned()
            } else {
                "It has no secret and no certificate.".to_owned()
            },
        );
    }
    said
}

/// Whether federated credentials and owners were both read, and there are none.
fn is_empty(details: &PrincipalDetails) -> bool {
    let federated = details.federated.as_ref().map(|read| read.get());
    let owners = details.owners.as_ref().map(|read| read.get());
    matches!((federated, owners), (Some(Ok(one)), Some(Ok(other))) if one.is_empty() && other.is_empty())
}

/// Credentials that were added in this tenant. Who holds one can sign in, like those who registered
/// the application.
fn added_here(details: &PrincipalDetails) -> Option<String> {
    let added = details
        .credentials
        .iter()
        .filter(|one| one.of == CredentialOf::Principal)
        .count();
    let what = match added {
        0 => return None,
        1 => "A credential was".to_owned(),
        many => format!("{many} credentials were"),
    };
    Some(format!(
        "{what} added to it in this customer's tenant: whoever holds one can sign in as it too."
    ))
}

fn federated(details: &PrincipalDetails) -> Vec<String> {
    let list = match details.federated.as_ref().map(|read| read.get()) {
        None => return vec!["Its federated credentials were not read.".to_owned()],
        Some(Err(why)) => {
            return vec![format!(
                "Its federated credentials could not be read: {why}."
            )];
        }
        Some(Ok(list)) => list,
    };
    let line = |one: &FederatedIdentity| {
        let whose = match &one.subject {
            Some(subject) => format!("Whoever is “{subject}”"),
            None => "Whoever fits a pattern that was not read".to_owned(),
        };
        format!(
            "{whose} for {} signs in as it without a secret (federated credential “{}”).",
            one.issuer, one.name
        )
    };
    list.iter().map(line).collect()
}

fn owners(details: &PrincipalDetails) -> Option<String> {
    let list = match details.owners.as_ref().map(|read| read.get()) {
        None => {
            return Some("Who owns it was not read. An owner can add a secret to it.".to_owned());
        }
        Some(Err(why)) => {
            return Some(format!(
                "Who owns it could not be read: {why}. An owner can add a secret to it."
            ));
        }
        Some(Ok(list)) => list,
    };
    // One person often owns both the registration and the service principal.
    let people: BTreeMap<ObjectId, &AppOwner> = list.iter().map(|one| (one.object, one)).collect();
    let mut names: Vec<String> = people
        .values()
        .map(|one| one.name.clone().unwrap_or_else(|| one.object.to_string()))
        .collect();
    names.sort_unstable();
    let count = names.len();
    let shown = names
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = match count.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match count {
        0 => None,
        1 => Some(format!(
            "It has 1 owner, who can add a secret to it and then sign in as it: {shown}."
        )),
        _ => Some(format!(
            "It has {count} owners, each of whom can add a secret to it and then sign in as it: {shown}{more}."
        )),
    }
}

#[cfg(test)]
mod tests {
    use domain::reach::{Answer, AppCredential, CredentialKind, OwnerKind, Powers, Reading};
    use uuid::Uuid;

    use super::*;

    const HERE: TenantId = TenantId(Uuid::from_u128(1));
    const ELSEWHERE: TenantId = TenantId(Uuid::from_u128(2));
    const NOBODY: &str = "nobody can sign in as it";

    fn application(owner: Owner) -> ApplicationReach {
        ApplicationReach {
            object: ObjectId(Uuid::from_u128(3)),
            app_id: None,
            name: None,
            owner,
            kind: None,
            publisher: None,
            enabled: None,
            narrowing: None,
            permissions: Vec::new(),
            others: Answer::Nothing,
            notes: Vec::new(),
            powers: Powers::default(),
            delegated: Vec::new(),
        }
    }

    fn said(owner: Owner, details: &PrincipalDetails) -> String {
        about_credentials(&application(owner), Some(details), HERE).join(" ")
    }

    fn all_read() -> PrincipalDetails {
        PrincipalDetails {
            federated: Some(Reading::read(Vec::new())),
            owners: Some(Reading::read(Vec::new())),
            ..PrincipalDetails::default()
        }
    }

    fn workflow(subject: Option<&str>) -> FederatedIdentity {
        FederatedIdentity {
            name: "gh-main".to_owned(),
            issuer: "https://issuer.example".to_owned(),
            subject: subject.map(str::to_owned),
        }
    }

    fn owner(number: u128, of: CredentialOf) -> AppOwner {
        AppOwner {
            object: ObjectId(Uuid::from_u128(number)),
            of,
            kind: OwnerKind::User,
            name: Some(format!("Person {number}")),
        }
    }

    #[test]
    fn reach_r08_nobody_signs_in_only_where_all_was_read_and_is_empty() {
        let own = Owner::Tenant { tenant: HERE };
        assert!(said(own, &all_read()).contains(NOBODY));
        let failed = || "time-out".to_owned();
        let unlike = [
            PrincipalDetails::default(),
            PrincipalDetails {
                federated: None,
                ..all_read()
            },
            PrincipalDetails {
                owners: None,
                ..all_read()
            },
            PrincipalDetails {
                federated: Some(Reading::Failed { reason: failed() }),
                ..all_read()
            },
            PrincipalDetails {
                owners: Some(Reading::NotPermitted { reason: failed() }),
                ..all_read()
            },
            PrincipalDetails {
                registration_unread: Some(domain::reach::Why::Missing),
                ..all_read()
            },
            PrincipalDetails {
                federated: Some(Reading::read(vec![workflow(None)])),
                ..all_read()
            },
            PrincipalDetails {
                owners: Some(Reading::read(vec![owner(5, CredentialOf::Principal)])),
                ..all_read()
            },
        ];
        for details in unlike {
            let said = said(own, &details);
            assert!(!said.contains(NOBODY), "{said}");
            assert!(!said.is_empty());
        }
        for other in [
            Owner::ManagedIdentity,
            Owner::Microsoft,
            Owner::NotTold,
            Owner::Tenant { tenant: ELSEWHERE },
        ] {
            let said = said(other, &all_read());
            assert!(!said.contains(NOBODY), "{other:?}: {said}");
        }
        assert!(!about_credentials(&application(own), None, HERE).is_empty());
    }

    #[test]
    fn reach_r08_federated_credentials_and_owners_are_told() {
        let details = PrincipalDetails {
            federated: Some(Reading::read(vec![
                workflow(Some("repo:margie/releases")),
                workflow(None),
            ])),
            owners: Some(Reading::read(vec![
                owner(5, CredentialOf::Principal),
                owner(5, CredentialOf::Registration),
                owner(6, CredentialOf::Registration),
            ])),
            ..PrincipalDetails::default()
        };
        let said = said(Owner::Tenant { tenant: HERE }, &details);
        for part in [
            "It has no secret and no certificate.",
            "Whoever is “repo:margie/releases” for https://issuer.example signs in as it",
            "a pattern that was not read",
            "It has 2 owners, each of whom can add a secret",
            "Person 5, Person 6",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    #[test]
    fn reach_r08_what_was_added_here_to_another_tenants_application_is_told() {
        let details = PrincipalDetails {
            credentials: vec![AppCredential {
                kind: CredentialKind::Secret,
                of: CredentialOf::Principal,
                name: None,
                ends_at: None,
            }],
            ..all_read()
        };
        for owner in [Owner::Microsoft, Owner::Tenant { tenant: ELSEWHERE }] {
            let said = said(owner, &details);
            assert!(
                said.contains("A credential was added to it in this customer's tenant"),
                "{said}"
            );
        }
        let said = said(Owner::ManagedIdentity, &all_read());
        assert!(
            said.contains("Who may use the Azure resource gets its token"),
            "{said}"
        );
    }
}
