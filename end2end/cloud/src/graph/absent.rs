//! What Graph has and this cloud has not: an answer of its own, so that nobody takes it for a path
//! that does not exist or a right that is missing.

use serde_json::Value;

use super::errors::GraphError;
use crate::http_parts::Call;

/// What Graph's public metadata of v1.0 has at its root.
const ROOTS: &str =
    "admin agreementAcceptances agreements appCatalogs applicationTemplates applications
auditLogs authenticationMethodConfigurations authenticationMethodsPolicy
certificateBasedAuthConfiguration chats communications compliance connections contacts
contracts copilot dataPolicyOperations deviceAppManagement deviceManagement devices
directory directoryObjects directoryRoleTemplates directoryRoles domainDnsRecords
domains drives education employeeExperience external filterOperators functions
groupLifecyclePolicies groupSettingTemplates groupSettings groups identity
identityGovernance identityProtection identityProviders informationProtection
invitations me oauth2PermissionGrants organization permissionGrants places planner
policies print privacy reports roleManagement schemaExtensions scopedRoleMemberships
search security servicePrincipals shares sites solutions storage subscribedSkus
subscriptions teams teamsTemplates teamwork tenantRelationships users $metadata";

/// Collections whose objects can be made, changed and removed at Microsoft: what their objects
/// lead to, their actions and their functions, by the same metadata.
const COLLECTIONS: &[(&str, &str)] = &[
    (
        "users",
        "activities adhocCalls agreementAcceptances appRoleAssignments assignLicense
authentication calendar calendarGroups calendarView calendars changePassword chats
checkMemberGroups checkMemberObjects cloudClipboard cloudPCs contactFolders contacts
createdObjects dataSecurityAndGovernance delta deviceManagementTroubleshootingEvents
directReports drive drives employeeExperience events exportDeviceAndAppManagementData
exportPersonalData extensions findMeetingTimes followedSites
getAvailableExtensionProperties getByIds getMailTips getManagedAppDiagnosticStatuses
getManagedAppPolicies getManagedDevicesWithAppFailures getMemberGroups getMemberObjects
inferenceClassification insights joinedTeams licenseDetails mailFolders
managedAppRegistrations managedDevices manager memberOf messages oauth2PermissionGrants
onPremisesSyncBehavior onenote onlineMeetings outlook ownedDevices ownedObjects people
permissionGrants photo photos planner presence registeredDevices reminderView
removeAllDevicesFromManagement reprocessLicenseAssignment restore
retryServiceProvisioning revokeSignInSessions scopedRoleMemberOf sendMail settings
solutions sponsorOf sponsors teamwork todo transitiveMemberOf translateExchangeIds
validateProperties wipeManagedAppRegistrationsByDeviceTag",
    ),
    (
        "groups",
        "acceptedSenders addFavorite appRoleAssignments assignLicense calendar calendarView
checkGrantedPermissionsForApp checkMemberGroups checkMemberObjects conversations
createdOnBehalfOf delta drive drives events extensions getAvailableExtensionProperties
getByIds getMemberGroups getMemberObjects groupLifecyclePolicies memberOf members
membersWithLicenseErrors onPremisesSyncBehavior onenote owners permissionGrants photo
photos planner rejectedSenders removeFavorite renew resetUnseenCount restore
retryServiceProvisioning settings sites subscribeByMail team threads transitiveMemberOf
transitiveMembers unsubscribeByMail validateProperties",
    ),
    (
        "applications",
        "addKey addPassword appManagementPolicies checkMemberGroups checkMemberObjects
createdOnBehalfOf delta extensionProperties federatedIdentityCredentials
getAvailableExtensionProperties getByIds getMemberGroups getMemberObjects
homeRealmDiscoveryPolicies owners removeKey removePassword restore setVerifiedPublisher
synchronization tokenIssuancePolicies tokenLifetimePolicies unsetVerifiedPublisher
validateProperties",
    ),
    (
        "servicePrincipals",
        "addKey addPassword addTokenSigningCertificate appManagementPolicies appRoleAssignedTo
appRoleAssignments checkMemberGroups checkMemberObjects claimsMappingPolicies
createdObjects delegatedPermissionClassifications delta endpoints
federatedIdentityCredentials getAvailableExtensionProperties getByIds getMemberGroups
getMemberObjects homeRealmDiscoveryPolicies memberOf oauth2PermissionGrants ownedObjects
owners remoteDesktopSecurityConfiguration removeKey removePassword restore
synchronization tokenIssuancePolicies tokenLifetimePolicies transitiveMemberOf
validateProperties",
    ),
    (
        "organization",
        "branding certificateBasedAuthConfiguration checkMemberGroups checkMemberObjects delta
extensions getAvailableExtensionProperties getByIds getMemberGroups getMemberObjects
restore setMobileDeviceManagementAuthority validateProperties",
    ),
    (
        "domains",
        "domainNameReferences federationConfiguration forceDelete promote rootDomain
serviceConfigurationRecords verificationDnsRecords verify",
    ),
    ("oauth2PermissionGrants", "delta"),
    (
        "contracts",
        "checkMemberGroups checkMemberObjects delta getAvailableExtensionProperties getByIds
getMemberGroups getMemberObjects restore validateProperties",
    ),
    (
        "directoryRoles",
        "checkMemberGroups checkMemberObjects delta getAvailableExtensionProperties getByIds
getMemberGroups getMemberObjects members restore scopedMembers validateProperties",
    ),
];

/// Collections that the cloud shows in part: their root alone is no reason.
const SHOWN: &[&str] = &[
    "me",
    "organization",
    "domains",
    "subscribedSkus",
    "users",
    "groups",
    "directory",
    "servicePrincipals",
    "applications",
    "oauth2PermissionGrants",
    "tenantRelationships",
    "contracts",
];

/// Below `directory` and `tenantRelationships`, which the cloud shows in part.
const BELOW: &[(&str, &str)] = &[
    (
        "directory",
        "administrativeUnits attributeSets authenticationMethodDevices certificateAuthorities customSecurityAttributeDefinitions deletedItems deviceLocalCredentials externalUserProfiles federationConfigurations onPremisesSynchronization pendingExternalUserProfiles publicKeyInfrastructure recovery subscriptions",
    ),
    (
        "tenantRelationships",
        "delegatedAdminCustomers delegatedAdminRelationships findTenantInformationByDomainName findTenantInformationByTenantId multiTenantOrganization",
    ),
];

fn named(list: &str, name: &str) -> bool {
    let bare = name.split('(').next().unwrap_or(name);
    let bare = bare.strip_prefix("microsoft.graph.").unwrap_or(bare);
    list.split_whitespace()
        .any(|known| known.eq_ignore_ascii_case(bare))
}

fn collection(name: &str) -> Option<&'static str> {
    COLLECTIONS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, parts)| *parts)
}

/// Whether the second segment is a function of the collection, which looks like a key.
pub fn is_function(call: &Call) -> bool {
    let bare = call.segment(2).split('(').next().unwrap_or_default();
    call.segments.len() == 3
        && collection(call.segment(1)).is_some()
        && [
            "delta",
            "getByIds",
            "validateProperties",
            "getAvailableExtensionProperties",
        ]
        .iter()
        .any(|name| bare.trim_start_matches("microsoft.graph.") == *name)
}

/// Whether Graph has it, as far as its metadata says.
fn exists(call: &Call, segments: &[String]) -> bool {
    let part = |index: usize| segments.get(index).map_or("", String::as_str);
    let root = part(0);
    if !named(ROOTS, root) {
        return false;
    }
    if !SHOWN.iter().any(|known| known.eq_ignore_ascii_case(root)) {
        return true;
    }
    if is_function(call) {
        return true;
    }
    if let Some((_, parts)) = BELOW.iter().find(|(known, _)| *known == root) {
        return named(parts, part(1));
    }
    let method = call.method.as_str();
    if root == "me" {
        return match part(1) {
            "" => method == "PATCH",
            next => collection("users").is_some_and(|parts| named(parts, next)),
        };
    }
    let Some(parts) = collection(root) else {
        return false;
    };
    match segments.len() {
        1 => method == "POST" && !["organization", "contracts"].contains(&root),
        2 => {
            method == "PATCH"
                || (method == "DELETE" && root != "organization" && root != "contracts")
        }
        _ => named(parts, part(2)),
    }
}

/// The refusal, if Graph has what is asked for. `segments` are the path's without the version,
/// with the keys taken apart.
pub fn refusal(call: &Call, segments: &[String]) -> Option<GraphError> {
    if !exists(call, segments) {
        return None;
    }
    let makes_group = call.method.as_str() == "POST"
        && segments.len() == 1
        && call.segment(1).eq_ignore_ascii_case("groups");
    if makes_group && makes_mail_enabled(call) {
        return Some(GraphError::bad(
            "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.",
        ));
    }
    Some(GraphError::not_simulated(&format!(
        "{} /{}",
        call.method,
        segments.join("/")
    )))
}

/// A mail-enabled group that is no Microsoft 365 group: nobody can make one here (MICROSOFT.md
/// §7.2).
fn makes_mail_enabled(call: &Call) -> bool {
    let Ok(body) = call.json() else {
        return false;
    };
    let unified = body
        .get("groupTypes")
        .and_then(Value::as_array)
        .is_some_and(|types| types.iter().any(|kind| kind == "Unified"));
    body.get("mailEnabled") == Some(&Value::Bool(true)) && !unified
}
