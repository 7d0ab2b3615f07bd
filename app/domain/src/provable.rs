//! Whether real mail can show what an application may send as: said before anything is made.

use serde::{Deserialize, Serialize};

use crate::{
    application::{Application, Grant},
    id::TenantId,
    permission::{self, Coverage, Resource},
    plan::Plan,
};

/// Why Postern cannot send as an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unprovable {
    /// Azure signs it in.
    ManagedIdentity,
    /// Its blueprint signs it in.
    AgentIdentity,
    /// Its vendor holds its credentials, and none was given to it in the customer's tenant.
    Vendor,
    /// It sends through EWS alone.
    OnlyEws,
    /// It sends nothing through Graph.
    SendsNothing,
}

impl Unprovable {
    /// Why real mail cannot be tried. One or two sentences.
    pub const fn why(self) -> &'static str {
        match self {
            Self::ManagedIdentity => {
                "It is a managed identity: Azure signs it in, and there is no client secret with which Postern could send as it does."
            }
            Self::AgentIdentity => {
                "It is an agent identity: its blueprint signs it in, and there is no client secret of its own with which Postern could send as it does."
            }
            Self::Vendor => {
                "It is registered in another tenant, whose people hold its credentials, and it was given none in this tenant. Without a client secret from them real mail cannot be tried."
            }
            Self::OnlyEws => {
                "It sends through EWS alone (full_access_as_app), and real mail is tried through Graph. Microsoft documents no way to see whether EWS obeys the policy."
            }
            Self::SendsNothing => {
                "It holds no permission to send through Graph (Mail.Send), so no mail of it shows anything."
            }
        }
    }

    /// The same for a row of a list.
    pub const fn short(self) -> &'static str {
        match self {
            Self::ManagedIdentity => "Not tried with real mail: it is a managed identity.",
            Self::AgentIdentity => "Not tried with real mail: it is an agent identity.",
            Self::Vendor => "Not tried with real mail: people of another tenant hold its secret.",
            Self::OnlyEws => "Not tried with real mail: it sends through EWS alone.",
            Self::SendsNothing => "Not tried with real mail: it may not send through Graph.",
        }
    }

    /// The evidence that there is instead.
    pub const WEAKER: &'static str = "What is left is weaker: Exchange's own test, which reads the configuration. Such a setup ends as checked.";

    /// No secret can exist. Of somebody else's application there is one, and perhaps it can be had.
    pub const fn is_certain(self) -> bool {
        !matches!(self, Self::Vendor)
    }

    /// The rule. `homes`: tenants whose people hold the secrets of what is registered there, the
    /// customer's own and the partner's. `own_credential`: whether the application was given a
    /// credential in the customer's tenant; none: that was not read.
    pub fn of(
        application: &Application,
        homes: &[TenantId],
        own_credential: Option<bool>,
    ) -> Option<Self> {
        match application.kind.as_str() {
            "ManagedIdentity" => return Some(Self::ManagedIdentity),
            "ServiceIdentity" => return Some(Self::AgentIdentity),
            _ => {}
        }
        let holds = |resource: Resource, value: &str| {
            application
                .grants
                .iter()
                .any(|grant| grant.resource == resource && grant.value == value)
        };
        if !holds(Resource::Graph, "Mail.Send") {
            return Some(if holds(Resource::Exchange, "full_access_as_app") {
                Self::OnlyEws
            } else {
                Self::SendsNothing
            });
        }
        let elsewhere = application
            .owner_tenant
            .is_some_and(|owner| !homes.contains(&owner));
        (elsewhere && own_credential == Some(false)).then_some(Self::Vendor)
    }
}

/// What a plan takes from its application beside sending, what it leaves, and what it does not
/// limit: for the review. `grants`: what the application was granted.
pub fn takes(plan: &Plan, grants: &[Grant]) -> Vec<String> {
    let name = &plan.application.name;
    let mut also: Vec<&str> = grants
        .iter()
        .filter(|grant| grant.coverage() == Coverage::Policy)
        .filter_map(|grant| {
            permission::find(grant.resource, grant.role)
                .or_else(|| permission::find_value(grant.resource, &grant.value))
        })
        .filter(|known| known.value != "Mail.Send")
        .map(|known| known.can)
        .collect();
    also.dedup();
    let mut said = Vec::new();
    if let Some(list) = and(&also) {
        said.push(format!(
            "The policy is about all that {name} may do with mailboxes, not about sending alone: from then on it can {list} only in these mailboxes too."
        ));
    }
    said.extend([
        format!(
            "Until all of Microsoft's servers know the policy, mail of {name} can be refused in permitted mailboxes as well. Choose a time at which that does little harm."
        ),
        "A mail from a permitted mailbox can name another sender where that mailbox holds Send As or Send on Behalf. Postern did not look at these rights.".to_owned(),
        "The policy limits from which mailboxes it sends, not to whom. For recipients Exchange has transport rules.".to_owned(),
        format!(
            "Only what {name} does by itself is limited. Other applications are not touched, nor is what people do who sign in themselves, through {name} too."
        ),
        "Access policies are Microsoft's older way to do this; it advises Exchange's roles for applications (RBAC for Applications) for what is new. Access policies work, and no date for their end is known.".to_owned(),
    ]);
    said
}

fn and(words: &[&str]) -> Option<String> {
    match words {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        application::Grant,
        id::{AppId, AppRoleId, ObjectId},
    };

    fn application(kind: &str, owner: u128, grants: &[(Resource, &str)]) -> Application {
        Application {
            object: ObjectId(Uuid::nil()),
            app_id: AppId(Uuid::nil()),
            name: "Mailer".into(),
            owner_tenant: Some(TenantId(Uuid::from_u128(owner))),
            publisher: None,
            kind: kind.into(),
            enabled: true,
            grants: grants
                .iter()
                .map(|(resource, value)| Grant {
                    resource: *resource,
                    role: AppRoleId(Uuid::nil()),
                    value: (*value).to_owned(),
                })
                .collect(),
        }
    }

    #[test]
    fn field_b27_what_cannot_be_proven_is_known_beforehand() {
        const SENDS: &[(Resource, &str)] = &[(Resource::Graph, "Mail.Send")];
        const EWS: &[(Resource, &str)] = &[(Resource::Exchange, "full_access_as_app")];
        const OUTLOOK: &[(Resource, &str)] = &[(Resource::Exchange, "Mail.Send")];
        let homes = [1, 2].map(|id| TenantId(Uuid::from_u128(id)));
        let cases = [
            (application("Application", 1, SENDS), None, None),
            (application("Application", 2, SENDS), Some(false), None),
            (
                application("Application", 3, SENDS),
                Some(false),
                Some(Unprovable::Vendor),
            ),
            (application("Application", 3, SENDS), Some(true), None),
            // Not read: nothing is claimed.
            (application("Application", 3, SENDS), None, None),
            (
                application("ManagedIdentity", 1, SENDS),
                None,
                Some(Unprovable::ManagedIdentity),
            ),
            (
                application("ServiceIdentity", 1, SENDS),
                None,
                Some(Unprovable::AgentIdentity),
            ),
            (
                application("Application", 1, EWS),
                None,
                Some(Unprovable::OnlyEws),
            ),
            (
                application("Application", 1, OUTLOOK),
                None,
                Some(Unprovable::SendsNothing),
            ),
        ];
        for (application, own, expected) in cases {
            assert_eq!(
                Unprovable::of(&application, &homes, own),
                expected,
                "{application:?}"
            );
        }
    }
}
