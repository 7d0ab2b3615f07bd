//! The documented properties of Graph's types (its public metadata of v1.0): one without a value is
//! null in an answer, not an error.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// Per type, the names. `*` behind one: a collection, `[]` where it is empty. `=`: what it is
/// where nobody set it. `?` in front: given only to who selects it.
///
/// `createdDateTime` and `publisherName` of a service principal, and `creationOptions` of a group,
/// are not in the metadata; Graph gives them all the same.
const TABLE: &[(&str, &str)] = &[
    (
        "application",
        r#"id deletedDateTime addIns*
api={"acceptMappedClaims":null,"knownClientApplications":[],"oauth2PermissionScopes":[],"preAuthorizedApplications":[],"requestedAccessTokenVersion":null}
appId applicationTemplateId appRoles* authenticationBehaviors certification
?createdByAppId createdDateTime defaultRedirectUri description disabledByMicrosoftStatus
displayName groupMembershipClaims identifierUris*
info={"logoUrl":null,"marketingUrl":null,"privacyStatementUrl":null,"supportUrl":null,"termsOfServiceUrl":null}
isDeviceOnlyAuthSupported ?isDisabled isFallbackPublicClient keyCredentials* ?logo
managerApplications* nativeAuthenticationApisEnabled notes
oauth2RequirePostResponse=false optionalClaims
parentalControlSettings={"countriesBlockedForMinors":[],"legalAgeGroupRule":"Allow"}
passwordCredentials* publicClient={"redirectUris":[]} publisherDomain
requestSignatureVerification requiredResourceAccess* samlMetadataUrl
serviceManagementReference servicePrincipalLockConfiguration signInAudience
spa={"redirectUris":[]} tags* tokenEncryptionKeyId uniqueName
verifiedPublisher={"addedDateTime":null,"displayName":null,"verifiedPublisherId":null}
web"#,
    ),
    (
        "servicePrincipal",
        r#"id deletedDateTime accountEnabled addIns* alternativeNames* appDescription
appDisplayName appId applicationTemplateId appOwnerOrganizationId
appRoleAssignmentRequired=false appRoles* ?createdByAppId ?customSecurityAttributes
description disabledByMicrosoftStatus displayName homepage
info={"logoUrl":null,"marketingUrl":null,"privacyStatementUrl":null,"supportUrl":null,"termsOfServiceUrl":null}
?isDisabled keyCredentials* loginUrl logoutUrl notes notificationEmailAddresses*
oauth2PermissionScopes* passwordCredentials* preferredSingleSignOnMode
preferredTokenSigningKeyThumbprint replyUrls* resourceSpecificApplicationPermissions*
samlSingleSignOnSettings servicePrincipalNames* servicePrincipalType signInAudience
tags* tokenEncryptionKeyId verifiedPublisher createdDateTime publisherName"#,
    ),
    (
        "user",
        r#"id ?deletedDateTime ?aboutMe ?accountEnabled ?ageGroup ?assignedLicenses*
?assignedPlans* ?authorizationInfo ?birthday businessPhones* ?city ?companyName
?consentProvidedForMinor ?country ?createdDateTime ?creationType
?customSecurityAttributes ?department ?deviceEnrollmentLimit displayName
?employeeHireDate ?employeeId ?employeeLeaveDateTime ?employeeOrgData ?employeeType
?externalUserState ?externalUserStateChangeDateTime ?faxNumber givenName ?hireDate
?identities* ?identityParentId ?imAddresses* ?interests* ?isManagementRestricted
?isResourceAccount jobTitle ?lastPasswordChangeDateTime ?legalAgeGroupClassification
?licenseAssignmentStates* mail ?mailboxSettings ?mailNickname mobilePhone ?mySite
officeLocation ?onPremisesDistinguishedName ?onPremisesDomainName
?onPremisesExtensionAttributes ?onPremisesImmutableId ?onPremisesLastSyncDateTime
?onPremisesProvisioningErrors* ?onPremisesSamAccountName ?onPremisesSecurityIdentifier
?onPremisesSyncEnabled ?onPremisesUserPrincipalName ?otherMails* ?passwordPolicies
?passwordProfile ?pastProjects* ?postalCode ?preferredDataLocation preferredLanguage
?preferredName ?print ?provisionedPlans* ?proxyAddresses* ?responsibilities* ?schools*
?securityIdentifier ?serviceProvisioningErrors* ?showInAddressList ?signInActivity
?signInSessionsValidFromDateTime ?skills* ?state ?streetAddress surname ?usageLocation
userPrincipalName ?userType"#,
    ),
    (
        "group",
        r#"id deletedDateTime ?accessType ?allowExternalSenders ?assignedLabels* ?assignedLicenses*
?autoSubscribeNewMembers classification createdDateTime description displayName
expirationDateTime groupTypes* ?hasMembersWithLicenseErrors ?hideFromAddressLists
?hideFromOutlookClients ?infoCatalogs* ?isArchived isAssignableToRole ?isFavorite
?isManagementRestricted ?isSubscribedByMail ?licenseProcessingState mail mailEnabled
mailNickname membershipRule membershipRuleProcessingState onPremisesDomainName
?onPremisesExtensionAttributes onPremisesLastSyncDateTime onPremisesNetBiosName
onPremisesProvisioningErrors* onPremisesSamAccountName onPremisesSecurityIdentifier
onPremisesSyncEnabled ?organizationId preferredDataLocation preferredLanguage
proxyAddresses* renewedDateTime resourceBehaviorOptions* resourceProvisioningOptions*
securityEnabled securityIdentifier serviceProvisioningErrors* theme uniqueName
?unseenConversationsCount ?unseenCount ?unseenMessagesCount visibility
?welcomeMessageEnabled creationOptions*"#,
    ),
    (
        "organization",
        r#"id deletedDateTime assignedPlans* businessPhones* city country countryLetterCode
createdDateTime defaultUsageLocation displayName marketingNotificationEmails*
mobileDeviceManagementAuthority onPremisesLastSyncDateTime onPremisesSyncEnabled
partnerTenantType postalCode preferredLanguage privacyProfile provisionedPlans*
securityComplianceNotificationMails* securityComplianceNotificationPhones* state street
technicalNotificationMails* tenantType verifiedDomains*"#,
    ),
    (
        "domain",
        r#"id authenticationType availabilityStatus isAdminManaged=false isDefault=false
isInitial=false isRoot=false isVerified=false manufacturer model
passwordNotificationWindowInDays passwordValidityPeriodInDays state supportedServices*"#,
    ),
    (
        "subscribedSku",
        r#"id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits
servicePlans* skuId skuPartNumber subscriptionIds*"#,
    ),
    (
        "orgContact",
        r#"id deletedDateTime addresses* companyName department displayName givenName jobTitle mail
mailNickname onPremisesLastSyncDateTime onPremisesProvisioningErrors*
onPremisesSyncEnabled phones* proxyAddresses* serviceProvisioningErrors* surname"#,
    ),
    (
        "directoryRole",
        r#"id deletedDateTime description displayName roleTemplateId"#,
    ),
    (
        "administrativeUnit",
        r#"id deletedDateTime description displayName isMemberManagementRestricted membershipRule
membershipRuleProcessingState membershipType visibility"#,
    ),
    (
        "appRoleAssignment",
        r#"id deletedDateTime appRoleId createdDateTime principalDisplayName principalId
principalType resourceDisplayName resourceId"#,
    ),
    (
        "oAuth2PermissionGrant",
        r#"id clientId consentType principalId resourceId scope"#,
    ),
    (
        "contract",
        r#"id deletedDateTime contractType customerId defaultDomainName displayName"#,
    ),
    (
        "delegatedAdminRelationship",
        r#"id accessDetails activatedDateTime autoExtendDuration createdDateTime customer
displayName duration endDateTime lastModifiedDateTime status"#,
    ),
    ("delegatedAdminCustomer", r#"id displayName tenantId"#),
    (
        "delegatedAdminAccessAssignment",
        r#"id accessContainer accessDetails createdDateTime lastModifiedDateTime status"#,
    ),
];

/// A documented property.
#[derive(Debug)]
struct Property {
    name: &'static str,
    empty: Value,
    on_select: bool,
}

fn read(entry: &'static str) -> Property {
    let (on_select, entry) = match entry.strip_prefix('?') {
        Some(rest) => (true, rest),
        None => (false, entry),
    };
    let (name, empty) = match entry.split_once('=') {
        Some((name, value)) => (name, serde_json::from_str(value).unwrap_or(Value::Null)),
        None => match entry.strip_suffix('*') {
            Some(name) => (name, json!([])),
            None => (entry, Value::Null),
        },
    };
    Property {
        name,
        empty,
        on_select,
    }
}

fn table() -> &'static HashMap<&'static str, Vec<Property>> {
    static READ: OnceLock<HashMap<&str, Vec<Property>>> = OnceLock::new();
    READ.get_or_init(|| {
        TABLE
            .iter()
            .map(|(name, entries)| (*name, entries.split_whitespace().map(read).collect()))
            .collect()
    })
}

/// The members of a group, the owners of an application: of any type.
pub const ANY: &str = "directoryObject";

/// The type of a collection's rows, in the singular that Graph's errors use.
pub fn type_of(collection: &str) -> &str {
    match collection {
        "users" => "user",
        "groups" => "group",
        "applications" => "application",
        "servicePrincipals" => "servicePrincipal",
        "domains" => "domain",
        "subscribedSkus" => "subscribedSku",
        "directory/administrativeUnits" => "administrativeUnit",
        "directoryObjects" => ANY,
        "appRoleAssignments" | "appRoleAssignedTo" => "appRoleAssignment",
        "oauth2PermissionGrants" => "oAuth2PermissionGrant",
        "contracts" => "contract",
        "tenantRelationships/delegatedAdminRelationships" => "delegatedAdminRelationship",
        "tenantRelationships/delegatedAdminCustomers" => "delegatedAdminCustomer",
        "accessAssignments" => "delegatedAdminAccessAssignment",
        other => {
            let last = other.rsplit('/').next().unwrap_or(other);
            last.strip_suffix('s').unwrap_or(last)
        }
    }
}

/// Whether it is known what the type has.
pub fn is_known(kind: &str) -> bool {
    kind == ANY || table().contains_key(kind)
}

/// Whether the directory keeps it, where `id` is given only to who selects it.
pub fn is_of_directory(kind: &str) -> bool {
    is_known(kind) && !kind.starts_with("delegatedAdmin")
}

/// Whether a type has a property. Of any type: whether one of them has.
pub fn has(kind: &str, name: &str) -> bool {
    let named = |list: &Vec<Property>| list.iter().any(|property| property.name == name);
    match kind {
        ANY => table().values().any(named),
        _ => table().get(kind).is_some_and(named),
    }
}

/// The type that a row says it has; else the collection's.
fn kind_of<'a>(row: &'a Map<String, Value>, collection: &'a str) -> &'a str {
    row.get("@odata.type")
        .and_then(Value::as_str)
        .and_then(|name| name.strip_prefix("#microsoft.graph."))
        .unwrap_or(collection)
}

/// Gives a row the documented properties that it lacks: the selected ones, or those of an answer
/// without `$select`, which then has no others.
pub fn complete(row: &mut Value, collection: &str, select: Option<&[String]>) {
    let Some(map) = row.as_object_mut() else {
        return;
    };
    let Some(list) = table().get(kind_of(map, collection)) else {
        return;
    };
    for property in list {
        let wanted = match select {
            Some(names) => names
                .iter()
                .any(|name| name == property.name || name == "*"),
            None => !property.on_select,
        };
        if wanted {
            map.entry(property.name)
                .or_insert_with(|| property.empty.clone());
        } else if select.is_none() {
            map.remove(property.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_f4_the_table_is_read_as_it_is_meant() {
        assert!(has("application", "description"));
        assert!(has("servicePrincipal", "loginUrl"));
        assert!(!has("application", "shoeSize"));
        assert!(has(ANY, "groupTypes"));
        let mut row = json!({"id": "1", "displayName": "a"});
        complete(&mut row, "application", None);
        assert_eq!(row["spa"], json!({"redirectUris": []}));
        assert_eq!(row["tags"], json!([]));
        assert_eq!(row.get("notes"), Some(&Value::Null));
        assert!(row.get("logo").is_none());
        for (name, _) in TABLE {
            assert!(has(name, "id"), "{name}");
        }
    }
}
