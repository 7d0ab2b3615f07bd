//! Whether real mail can show as whom an application may send. This is said before anything is
//! made.

use serde::{Deserialize, Serialize};

use crate::{application::Application, id::TenantId, permission::Resource};

/// Why Postern cannot send as an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unprovable {
    /// Azure signs the application in.
    ManagedIdentity,
    /// The application's blueprint signs it in.
    AgentIdentity,
    /// The application's vendor holds its credentials, and none was added to it in the customer's
    /// tenant.
    Vendor,
    /// The application sends through EWS only.
    OnlyEws,
    /// The application sends nothing through Graph.
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

    /// The reason in a few words, for a row of a list.
    pub const fn short(self) -> &'static str {
        match self {
            Self::ManagedIdentity => "Not tried with real mail: it is a managed identity.",
            Self::AgentIdentity => "Not tried with real mail: it is an agent identity.",
            Self::Vendor => "Not tried with real mail: people of another tenant hold its secret.",
            Self::OnlyEws => "Not tried with real mail: it sends through EWS alone.",
            Self::SendsNothing => "Not tried with real mail: it may not send through Graph.",
        }
    }

    /// The evidence that remains instead.
    pub const WEAKER: &'static str = "What is left is weaker: Exchange's own test, which reads the configuration. Such a setup ends as checked.";

    /// Whether no secret can exist. For an application of somebody else a secret exists, and
    /// perhaps can be obtained.
    pub const fn is_certain(self) -> bool {
        !matches!(self, Self::Vendor)
    }

    /// The rule. `homes`: the tenants whose people hold the secrets of applications that are
    /// registered there, the customer's own and the partner's. `own_credential`: whether a
    /// credential was added to the application in the customer's tenant. None: that was not read.
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
            // It was not read, so nothing is claimed.
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
