//! How directory objects look in Graph's JSON.

use serde_json::{Value, json};

use crate::clock::{Time, iso};
use crate::permissions::{DirectoryRole, Resource};
use crate::world::Relationship;
use crate::world::credentials::FederatedCredential;
use crate::world::recipients::Recipient;
use crate::world::tenant::{
    AppRoleAssignment, Application, Group, GroupKind, ScopeGrant, Secret, ServicePrincipal, Tenant,
    User,
};

/// Optional text: empty is null in Graph.
fn text(value: &str) -> Value {
    if value.is_empty() {
        Value::Null
    } else {
        value.into()
    }
}

pub fn user(user: &User) -> Value {
    let mail = user
        .mailbox
        .as_ref()
        .map_or_else(String::new, |mailbox| mailbox.smtp.clone());
    let addresses: Vec<String> = user.mailbox.as_ref().map_or_else(Vec::new, |mailbox| {
        Recipient::Person(user, mailbox)
            .email_addresses()
            .into_iter()
            .filter(|address| address.to_ascii_lowercase().starts_with("smtp:"))
            .collect()
    });
    json!({
        "id": user.id,
        "businessPhones": [],
        "displayName": user.display_name,
        "givenName": text(&user.given_name),
        "jobTitle": text(&user.job_title),
        "mail": text(&mail),
        "mailNickname": user.mailbox.as_ref().map(|mailbox| mailbox.alias.clone()),
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
        "surname": text(&user.surname),
        "userPrincipalName": user.upn,
        "accountEnabled": user.enabled,
        "createdDateTime": iso(user.created),
        "userType": if user.guest_of.is_some() { "Guest" } else { "Member" },
        "proxyAddresses": addresses,
    })
}

/// Whether Graph hides who is in a group. Of mail-enabled security groups it is not known
/// (MICROSOFT.md §7.5); here it shows them.
pub fn hides_members(group: &Group) -> bool {
    group.hidden_membership && group.kind == GroupKind::Microsoft365
}

pub fn group(group: &Group) -> Value {
    let mut addresses = Vec::new();
    if group.kind.has_mail() {
        addresses.push(format!("SMTP:{}", group.smtp));
        addresses.extend(group.aliases.iter().map(|alias| format!("smtp:{alias}")));
    }
    let security = matches!(group.kind, GroupKind::MailSecurity | GroupKind::Security);
    let types: &[&str] = match group.kind {
        GroupKind::Microsoft365 => &["Unified"],
        _ => &[],
    };
    json!({
        "id": group.id,
        "deletedDateTime": null,
        "createdDateTime": iso(group.created),
        "description": text(&group.description),
        "displayName": group.display_name,
        "groupTypes": types,
        "mail": if group.kind.has_mail() { text(&group.smtp) } else { Value::Null },
        "mailEnabled": group.kind.has_mail(),
        "mailNickname": group.alias,
        "membershipRule": null,
        "onPremisesSyncEnabled": null,
        "proxyAddresses": addresses,
        "securityEnabled": security,
        "visibility": if hides_members(group) { json!("HiddenMembership") } else { Value::Null },
    })
}

pub fn directory_role(tenant: &Tenant, role: DirectoryRole) -> Value {
    let name = format!("directory-role/{}", role.name());
    json!({
        "@odata.type": "#microsoft.graph.directoryRole",
        "id": uuid::Uuid::new_v5(&tenant.id, name.as_bytes()),
        "displayName": role.name(),
        "roleTemplateId": role.template(),
        "description": null,
    })
}

/// Any member of a group, with its type.
pub fn member(tenant: &Tenant, id: uuid::Uuid) -> Option<Value> {
    let (kind, mut value) = if let Some(found) = tenant.users.get(&id) {
        match found.mailbox.as_ref().map(|mailbox| mailbox.kind) {
            Some(crate::world::tenant::MailboxKind::MailContact) => {
                ("#microsoft.graph.orgContact", user(found))
            }
            _ => ("#microsoft.graph.user", user(found)),
        }
    } else if let Some(found) = tenant.principals.get(&id) {
        (PRINCIPAL, principal(tenant, found))
    } else {
        ("#microsoft.graph.group", group(tenant.groups.get(&id)?))
    };
    if let Some(map) = value.as_object_mut() {
        map.entry("@odata.type").or_insert_with(|| kind.into());
    }
    Some(value)
}

/// `@odata.type` of a service principal in a list of mixed objects.
pub const PRINCIPAL: &str = "#microsoft.graph.servicePrincipal";

/// The blueprint that an agent identity names; a property of its type alone, which a list of all
/// service principals cannot select.
pub const BLUEPRINT_ID: &str = "agentIdentityBlueprintId";

fn secret(secret: &Secret, since: Time) -> Value {
    json!({
        "keyId": secret.id,
        "displayName": secret.name,
        "hint": secret.value.get(..3).unwrap_or(""),
        "secretText": null,
        "startDateTime": iso(since),
        "endDateTime": iso(secret.expires),
    })
}

fn certificate(owner: uuid::Uuid, pem: &str, since: Time) -> Value {
    json!({
        "keyId": uuid::Uuid::new_v5(&owner, pem.as_bytes()),
        "displayName": null,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": null,
        "startDateTime": iso(since),
        "endDateTime": iso(since + chrono::TimeDelta::days(730)),
    })
}

pub fn federated(credential: &FederatedCredential) -> Value {
    json!({
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": null,
        "audiences": ["api://AzureADTokenExchange"],
    })
}

pub fn principal(tenant: &Tenant, principal: &ServicePrincipal) -> Value {
    let keys = tenant.keys_of(principal.id);
    let (roles, scopes) = principal.resource.map_or_else(
        || (json!([]), json!([])),
        |resource| (app_roles(resource), permission_scopes(resource)),
    );
    let mut names = vec![principal.app_id.to_string()];
    if let Some(resource) = principal.resource {
        names.push(resource.identifier().to_owned());
    }
    let mut row = json!({
        "id": principal.id,
        "deletedDateTime": null,
        "accountEnabled": principal.enabled,
        "alternativeNames": [],
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "appOwnerOrganizationId": principal.owner_tenant,
        "appRoleAssignmentRequired": false,
        "createdDateTime": iso(principal.created),
        "displayName": principal.display_name,
        "homepage": null,
        "notes": null,
        "publisherName": text(&principal.publisher),
        "replyUrls": [],
        "servicePrincipalNames": names,
        "servicePrincipalType": principal.kind,
        "signInAudience": "AzureADMultipleOrgs",
        "tags": if principal.kind == "Application" {
            json!(["WindowsAzureActiveDirectoryIntegratedApp"])
        } else {
            json!([])
        },
        "verifiedPublisher": {"displayName": null, "verifiedPublisherId": null, "addedDateTime": null},
        "appRoles": roles,
        "oauth2PermissionScopes": scopes,
        "keyCredentials": keys.certificates.iter()
            .map(|pem| certificate(principal.id, pem, principal.created)).collect::<Vec<_>>(),
        "passwordCredentials": keys.secrets.iter()
            .map(|key| secret(key, principal.created)).collect::<Vec<_>>(),
    });
    let agent = tenant.blueprint_of(principal.id);
    let kind = match agent {
        Some(_) => Some("#microsoft.graph.agentIdentity"),
        None if tenant.is_blueprint(principal.app_id) => {
            Some("#microsoft.graph.agentIdentityBlueprintPrincipal")
        }
        None => None,
    };
    if let (Some(map), Some(kind)) = (row.as_object_mut(), kind) {
        map.insert("@odata.type".to_owned(), kind.into());
        if let Some(blueprint) = agent {
            map.insert(BLUEPRINT_ID.to_owned(), blueprint.to_string().into());
        }
    }
    row
}

fn app_roles(resource: Resource) -> Value {
    resource
        .app_roles()
        .map(|(value, _)| {
            json!({
                "allowedMemberTypes": ["Application"],
                "description": format!("Allows the app to use {value} without a signed-in user."),
                "displayName": value,
                "id": resource.role_id(value),
                "isEnabled": true,
                "origin": "Application",
                "value": value,
            })
        })
        .collect()
}

fn permission_scopes(resource: Resource) -> Value {
    resource
        .scopes()
        .iter()
        .map(|scope| {
            json!({
                "adminConsentDescription": format!("Allows the app to use {} on behalf of the signed-in user.", scope.value),
                "adminConsentDisplayName": scope.value,
                "id": resource.scope_id(scope),
                "isEnabled": true,
                "type": if scope.admin { "Admin" } else { "User" },
                "userConsentDescription": null,
                "userConsentDisplayName": null,
                "value": scope.value,
            })
        })
        .collect()
}

pub fn application(application: &Application, publisher_domain: &str) -> Value {
    let mut resources: Vec<Value> = Vec::new();
    for resource in [Resource::Graph, Resource::Exchange] {
        let access: Vec<Value> = application
            .required
            .iter()
            .filter(|(found, _, _)| *found == resource)
            .map(|(_, id, is_role)| {
                json!({"id": id, "type": if *is_role { "Role" } else { "Scope" }})
            })
            .collect();
        if !access.is_empty() {
            resources.push(json!({
                "resourceAppId": resource.app_id(),
                "resourceAccess": access,
            }));
        }
    }
    let secrets: Vec<Value> = application
        .secrets
        .iter()
        .map(|key| secret(key, application.created))
        .collect();
    json!({
        "id": application.id,
        "deletedDateTime": null,
        "appId": application.app_id,
        "createdDateTime": iso(application.created),
        "displayName": application.display_name,
        "publisherDomain": publisher_domain,
        "signInAudience": if application.multi_tenant { "AzureADMultipleOrgs" } else { "AzureADMyOrg" },
        "requiredResourceAccess": resources,
        "passwordCredentials": secrets,
        "keyCredentials": application.certificates.iter()
            .map(|pem| certificate(application.id, pem, application.created)).collect::<Vec<_>>(),
        "web": {"redirectUris": application.redirect_uris, "homePageUrl": null},
    })
}

pub fn assignment(tenant: &Tenant, assignment: &AppRoleAssignment) -> Value {
    let name = |id: &uuid::Uuid| {
        tenant
            .principals
            .get(id)
            .map(|principal| principal.display_name.clone())
    };
    json!({
        "id": assignment.id,
        "deletedDateTime": null,
        "appRoleId": assignment.role,
        "createdDateTime": assignment.created.format("%Y-%m-%dT%H:%M:%S%.6f0Z").to_string(),
        "principalDisplayName": name(&assignment.principal),
        "principalId": assignment.principal,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": name(&assignment.resource),
        "resourceId": assignment.resource,
    })
}

pub fn consent(tenant: &Tenant, grant: &ScopeGrant, now: Time) -> Value {
    let scopes: Vec<&str> = grant
        .scopes
        .iter()
        .filter(|(_, since)| *since <= now)
        .map(|(scope, _)| scope.as_str())
        .collect();
    json!({
        "id": grant.id,
        "clientId": grant.client,
        "consentType": if grant.principal.is_some() { "Principal" } else { "AllPrincipals" },
        "principalId": grant.principal,
        "resourceId": tenant.resource_principal(grant.resource).map(|found| found.id),
        "scope": format!("{}{}", if grant.leading_blank { " " } else { "" }, scopes.join(" ")),
    })
}

pub fn relationship(relationship: &Relationship) -> Value {
    let roles: Vec<Value> = relationship
        .roles
        .iter()
        .map(|role| json!({"roleDefinitionId": role.template()}))
        .collect();
    json!({
        "@odata.type": "#microsoft.graph.delegatedAdminRelationship",
        "@odata.etag": format!("W/\"{}\"", relationship.id),
        "id": relationship.id,
        "displayName": relationship.name,
        "duration": "P730D",
        "customer": {
            "tenantId": relationship.customer,
            "displayName": relationship.customer_name,
        },
        "accessDetails": {"unifiedRoles": roles},
        "status": relationship.status,
        "autoExtendDuration": "PT0S",
        "createdDateTime": iso(relationship.created),
        "lastModifiedDateTime": iso(relationship.created),
        "activatedDateTime": iso(relationship.created),
        "endDateTime": iso(relationship.ends),
    })
}
