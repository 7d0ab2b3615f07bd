//! Who holds which mailbox permission (MICROSOFT.md §4, §7.1).

use std::collections::BTreeMap;

use domain::{
    application::{Application, Grant},
    id::{AppId, AppRoleId, ObjectId, TenantId},
    permission::{self, Resource},
};
use serde::Deserialize;

use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// The service principal of Graph or Exchange in the tenant, and the names of its app roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePrincipal {
    pub object: ObjectId,
    pub roles: BTreeMap<AppRoleId, String>,
}

/// One app-role assignment that reaches mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxGrant {
    pub principal: ObjectId,
    /// The name in the assignment. The principal's own name may be newer.
    pub name: String,
    pub grant: Grant,
}

/// A service principal: an application as it exists in the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    pub id: ObjectId,
    pub app_id: AppId,
    #[serde(default, deserialize_with = "crate::names::name")]
    pub display_name: Option<String>,
    /// The tenant in which the application is registered. None for managed identities.
    #[serde(default)]
    pub app_owner_organization_id: Option<TenantId>,
    #[serde(default, deserialize_with = "crate::names::name")]
    pub publisher_name: Option<String>,
    #[serde(default)]
    pub service_principal_type: Option<String>,
    #[serde(default)]
    pub account_enabled: Option<bool>,
}

const PRINCIPAL_PROPERTIES: &str =
    "id,appId,displayName,appOwnerOrganizationId,publisherName,servicePrincipalType,accountEnabled";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceRow {
    id: ObjectId,
    #[serde(default)]
    app_roles: Vec<AppRole>,
}

#[derive(Deserialize)]
struct AppRole {
    id: AppRoleId,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    pub(crate) app_role_id: AppRoleId,
    pub(crate) principal_id: ObjectId,
    #[serde(default)]
    pub(crate) principal_type: Option<String>,
    #[serde(default, deserialize_with = "crate::names::name")]
    principal_display_name: Option<String>,
    pub(crate) resource_id: ObjectId,
}

impl From<ResourceRow> for ResourcePrincipal {
    fn from(row: ResourceRow) -> Self {
        Self {
            object: row.id,
            roles: row
                .app_roles
                .into_iter()
                .filter_map(|role| Some((role.id, role.value?)))
                .collect(),
        }
    }
}

impl Customer {
    /// The service principal of a resource. None when the tenant does not have the service, for
    /// example without an Exchange licence.
    pub async fn resource_principal(
        &self,
        resource: Resource,
    ) -> Result<Call<Option<ResourcePrincipal>>> {
        let call: Call<Option<ResourceRow>> = self
            .graph_object_if_any(
                &[&by_app_id(resource.app_id())],
                &[("$select", "id,appId,appRoles")],
            )
            .await?;
        Ok(call.map(|row| row.map(ResourcePrincipal::from)))
    }

    /// All app-role assignments of Graph and Exchange that reach mailboxes.
    pub async fn mailbox_grants(&self) -> Result<Call<Vec<MailboxGrant>>> {
        let mut grants = Vec::new();
        let mut traces = Vec::new();
        for resource in Resource::ALL {
            let principal = self.resource_principal(resource).await?;
            traces.push(principal.trace);
            let Some(principal) = principal.value else {
                continue;
            };
            let assigned: Call<Vec<Assignment>> = self
                .graph_list(
                    &[&by_app_id(resource.app_id()), "appRoleAssignedTo"],
                    &[("$top", "999")],
                )
                .await?;
            if assigned
                .value
                .iter()
                .any(|assignment| assignment.resource_id != principal.object)
            {
                return Err(Error::new(Service::Graph, Kind::Mismatch, assigned.trace)
                    .with_message("an assignment belongs to another resource"));
            }
            traces.push(assigned.trace);
            grants.extend(
                assigned
                    .value
                    .into_iter()
                    .filter_map(|assignment| mailbox_grant(resource, &principal, assignment)),
            );
        }
        let answer = format!("{} mailbox permissions", grants.len());
        Ok(Call {
            value: grants,
            trace: Trace::join(traces, answer),
        })
    }

    /// These service principals, in no particular order. Deleted ones are left out.
    pub async fn service_principals(
        &self,
        principals: &[ObjectId],
    ) -> Result<Call<Vec<ServicePrincipal>>> {
        let paths: Vec<String> = principals
            .iter()
            .map(|id| format!("/servicePrincipals/{id}?$select={PRINCIPAL_PROPERTIES}"))
            .collect();
        let call = self.graph_batch(&paths).await?;
        let mut found = Vec::new();
        for (asked, body) in principals.iter().zip(call.value) {
            let Some(body) = body else { continue };
            match serde_json::from_value::<ServicePrincipal>(body) {
                Ok(principal) if principal.id == *asked => found.push(principal),
                _ => {
                    return Err(Error::new(Service::Graph, Kind::Malformed, call.trace)
                        .with_message(format!("the service principal {asked} is unreadable")));
                }
            }
        }
        Ok(Call {
            value: found,
            trace: call.trace,
        })
    }

    /// One service principal by its object id.
    pub async fn service_principal(
        &self,
        principal: ObjectId,
    ) -> Result<Call<Option<ServicePrincipal>>> {
        self.graph_object_if_any(
            &["servicePrincipals", &principal.to_string()],
            &[("$select", PRINCIPAL_PROPERTIES)],
        )
        .await
    }

    /// All applications that hold a mailbox permission, by name.
    pub async fn applications(&self) -> Result<Call<Vec<Application>>> {
        let grants = self.mailbox_grants().await?;
        let mut held: BTreeMap<ObjectId, Vec<Grant>> = BTreeMap::new();
        for grant in grants.value {
            held.entry(grant.principal).or_default().push(grant.grant);
        }
        let ids: Vec<ObjectId> = held.keys().copied().collect();
        let principals = self.service_principals(&ids).await?;
        let mut applications: Vec<Application> = principals
            .value
            .into_iter()
            .map(|principal| {
                let mut grants = held.remove(&principal.id).unwrap_or_default();
                grants.sort_by(|one, other| {
                    (one.resource, &one.value).cmp(&(other.resource, &other.value))
                });
                principal.into_application(grants)
            })
            .collect();
        applications.sort_by_cached_key(|application| {
            (application.name.to_lowercase(), application.object)
        });
        let answer = format!("{} applications", applications.len());
        Ok(Call {
            value: applications,
            trace: Trace::join(vec![grants.trace, principals.trace], answer),
        })
    }
}

impl ServicePrincipal {
    /// Converts to an application with the grants that it holds.
    pub fn into_application(self, grants: Vec<Grant>) -> Application {
        Application {
            object: self.id,
            app_id: self.app_id,
            name: self
                .display_name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| self.app_id.to_string()),
            owner_tenant: self.app_owner_organization_id,
            publisher: self.publisher_name.filter(|name| !name.is_empty()),
            kind: self
                .service_principal_type
                .unwrap_or_else(|| "Application".to_owned()),
            // An unknown value counts as enabled, because disabled would look safe.
            enabled: self.account_enabled.unwrap_or(true),
            grants,
        }
    }
}

pub(crate) fn by_app_id(app_id: uuid::Uuid) -> String {
    format!("servicePrincipals(appId='{app_id}')")
}

/// Parses a grant. None for users and groups, which can hold app roles but are not applications.
fn mailbox_grant(
    resource: Resource,
    principal: &ResourcePrincipal,
    assignment: Assignment,
) -> Option<MailboxGrant> {
    if assignment
        .principal_type
        .is_some_and(|kind| kind != "ServicePrincipal")
    {
        return None;
    }
    let role = assignment.app_role_id;
    let value = principal
        .roles
        .get(&role)
        .cloned()
        .or_else(|| permission::find(resource, role).map(|known| known.value.to_owned()))
        .unwrap_or_else(|| role.to_string());
    let grant = Grant {
        resource,
        role,
        value,
    };
    grant.reaches_mailboxes().then(|| MailboxGrant {
        principal: assignment.principal_id,
        name: assignment.principal_display_name.unwrap_or_default(),
        grant,
    })
}
