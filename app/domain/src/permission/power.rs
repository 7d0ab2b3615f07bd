//! The application permissions that go around every confinement (MICROSOFT.md §10.2, classes A, G,
//! O and B). No access policy governs one of them, and none has a scoped role in Exchange.

use uuid::{Uuid, uuid};

use super::Resource;
use crate::{id::AppRoleId, reach::PowerKind};

/// The condition under which a permission is a power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// No condition: the permission alone is a power.
    Alone,
    /// It may be a power: Microsoft does not document how far it goes, or it only prepares.
    Perhaps,
    /// It is a power together with a role in Exchange.
    WithExchangeRole,
    /// It may be a power together with a role in Exchange: how far it goes is not documented.
    PerhapsWithExchangeRole,
    /// It is a power over the applications that the holder owns.
    OverOwned,
    /// It is a power where a scope is built of the attributes of people.
    OverAttributes,
    /// It is a power where a scope is built of a group whose members Graph can change. Graph cannot
    /// change those of mail-enabled security groups (MICROSOFT.md §7.2).
    OverGroups,
    /// It is a power where a scope is built of an administrative unit.
    OverUnits,
    /// It decides whether attributes or members of synchronised objects can be changed at all.
    OverSync,
}

/// One permission that is a power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerPermission {
    pub resource: Resource,
    pub value: &'static str,
    /// None: no id of the permission is certain, so only its value identifies it.
    pub id: Option<Uuid>,
    pub kind: PowerKind,
    pub counts: Counts,
}

macro_rules! table {
    (@id "") => { None };
    (@id $id:literal) => { Some(uuid!($id)) };
    ($($resource:ident $value:literal $id:tt $kind:ident $counts:ident;)*) => {
        pub static POWER_PERMISSIONS: &[PowerPermission] = &[$(
            PowerPermission {
                resource: Resource::$resource,
                value: $value,
                id: table!(@id $id),
                kind: PowerKind::$kind,
                counts: Counts::$counts,
            },
        )*];
    };
}

table! {
    Exchange "Exchange.ManageAsApp" "dc50a0fb-09a3-484d-be87-e023b12c6440" AdministersExchange WithExchangeRole;
    Exchange "Exchange.ManageAsAppV2" "" AdministersExchange WithExchangeRole;
    Exchange "Exchange.AdminAPI.ManageAsApp" "" AdministersExchange PerhapsWithExchangeRole;
    Graph "AppRoleAssignment.ReadWrite.All" "06b708a9-e830-4db3-a914-8e69da51d44f" GrantsItself Alone;
    Graph "RoleManagement.ReadWrite.Exchange" "025d3225-3f02-4882-b4c0-cd5b541a4e80" GrantsItself Alone;
    Graph "RoleManagement.ReadWrite.Directory" "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8" GrantsItself Alone;
    Graph "RoleAssignmentSchedule.ReadWrite.Directory" "dd199f4a-f148-40a4-a2ec-f0069cc799ec" GrantsItself Alone;
    Graph "RoleEligibilitySchedule.ReadWrite.Directory" "fee28b28-e1f3-4841-818e-2704dc62245f" GrantsItself Perhaps;
    Graph "RoleManagementPolicy.ReadWrite.Directory" "31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad" GrantsItself Perhaps;
    Graph "PrivilegedAccess.ReadWrite.AzureAD" "854d9ab1-6657-4ec8-be45-823027bcd009" GrantsItself Perhaps;
    Graph "PrivilegedAccess.ReadWrite.AzureADGroup" "2f6817f8-7b12-4f0f-bc18-eeaf60705a9e" GrantsItself Perhaps;
    Graph "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup" "41202f2c-f7ab-45be-b001-85c9728b9d69" GrantsItself Alone;
    Graph "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup" "618b6020-bca8-4de6-99f6-ef445fa4d857" GrantsItself Perhaps;
    Graph "RoleManagementPolicy.ReadWrite.AzureADGroup" "b38dcc4d-a239-4ed6-aa84-6c65b284f97c" GrantsItself Perhaps;
    Graph "PrivilegedAssignmentSchedule.ReadWrite.EntraAppRole" "" GrantsItself Alone;
    Graph "PrivilegedEligibilitySchedule.ReadWrite.EntraAppRole" "" GrantsItself Perhaps;
    Graph "RoleManagementPolicy.ReadWrite.EntraAppRole" "" GrantsItself Perhaps;
    Graph "EntitlementManagement.ReadWrite.All" "9acd699f-1e81-4958-b001-93b1d2506e19" GrantsItself Alone;
    Graph "DelegatedPermissionGrant.ReadWrite.All" "8e8e4742-1d95-4f68-9d56-6ee75648c72a" GrantsItself Perhaps;
    Graph "Policy.ReadWrite.PermissionGrant" "a402ca1c-2696-4531-972d-6e5ee4aa11ea" GrantsItself Perhaps;
    Graph "Directory.ReadWrite.All" "19dbc75e-c2e2-444c-a770-ec69d8559fc7" GrantsItself Perhaps;
    Graph "LifecycleWorkflows.ReadWrite.All" "5c505cf4-8424-4b8e-aa14-ee06e3bb23e3" GrantsItself Perhaps;
    Graph "LifecycleWorkflows-Workflow.ReadWrite.All" "94c88098-1d9d-4c42-a356-4d5a95312554" GrantsItself Perhaps;
    Graph "RoleManagement.ReadWrite.Defender" "8b7e8c0a-7e9d-4049-97ec-04b5e1bcaf05" GrantsItself Perhaps;
    Graph "Application.ReadWrite.All" "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9" ActsAsOthers Alone;
    Graph "Application.ReadWrite.OwnedBy" "18a4783c-866b-4cc7-a460-3d5e5662c884" ActsAsOthers OverOwned;
    Graph "AgentIdentityBlueprint.AddRemoveCreds.All" "" ActsAsOthers Alone;
    Graph "AgentIdentityBlueprint.ReadWrite.All" "" ActsAsOthers Alone;
    Graph "AgentIdentityBlueprint.UpdateAuthProperties.All" "" GrantsItself Alone;
    Graph "AgentIdentity.ReadWrite.All" "" ActsAsOthers Alone;
    Graph "AgentIdentity.CreateAsManager" "" ActsAsOthers Alone;
    Graph "AgentIdUser.ReadWrite.All" "" ActsAsOthers Alone;
    Graph "UserAuthenticationMethod.ReadWrite.All" "50483e42-d915-4231-9639-7fdb7fd190e5" ActsAsOthers Alone;
    Graph "UserAuthMethod-TAP.ReadWrite.All" "627169a8-8c15-451c-861a-5b80e383de5c" ActsAsOthers Alone;
    Graph "UserAuthMethod-Passkey.ReadWrite.All" "0400e371-7db1-4338-a269-96069eb65227" ActsAsOthers Alone;
    Graph "UserAuthMethod-Password.ReadWrite.All" "f6d38dfd-ec08-4995-8f07-23e929df0936" ActsAsOthers Perhaps;
    Graph "UserAuthMethod-External.ReadWrite.All" "c7a22c2e-5b01-4129-8159-6c8be2c78f16" ActsAsOthers Perhaps;
    Graph "UserAuthMethod-Phone.ReadWrite.All" "6e85d483-7092-4375-babe-0a94a8213a58" ActsAsOthers Perhaps;
    Graph "UserAuthMethod-Email.ReadWrite.All" "e8ecb853-1435-4a49-95ba-ec5b31b11672" ActsAsOthers Perhaps;
    Graph "UserAuthMethod-SoftwareOATH.ReadWrite.All" "787442d4-3c6e-4e99-aa95-8ccca20a48ff" ActsAsOthers Perhaps;
    Graph "UserAuthMethod-HardwareOATH.ReadWrite.All" "7e9ebcc1-90aa-4471-8051-e68d6b4e9c89" ActsAsOthers Perhaps;
    Graph "User-PasswordProfile.ReadWrite.All" "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7" ActsAsOthers Alone;
    Graph "User.ManageIdentities.All" "c529cfca-c91b-489c-af2b-d92990b66ce6" ActsAsOthers Alone;
    Graph "Domain.ReadWrite.All" "7e05723c-0bb0-42da-be95-ae9f08a6e53c" ActsAsOthers Alone;
    Graph "Domain-InternalFederation.ReadWrite.All" "64d40371-8d58-4270-bc8a-b4a66de36b9a" ActsAsOthers Alone;
    Graph "Organization.ReadWrite.All" "292d869f-3427-49a8-9dab-8c70152b74e9" ActsAsOthers Perhaps;
    Graph "PublicKeyInfrastructure.ReadWrite.All" "a2b63618-5350-462d-b1b3-ba6eb3684e26" ActsAsOthers Perhaps;
    Graph "Policy.ReadWrite.AuthenticationMethod" "29c18626-4985-4dcd-85c0-193eef327366" ActsAsOthers Perhaps;
    Graph "Synchronization.ReadWrite.All" "9b50c33d-700f-43b1-b2eb-87e89b703581" ActsAsOthers Perhaps;
    Graph "OnPremDirectorySynchronization.ReadWrite.All" "c22a92cc-79bf-4bb1-8b6c-e0a05d3d80ce" ActsAsOthers Perhaps;
    Graph "SpiffeTrustDomain.ReadWrite.All" "17b78cfd-eeff-447d-8bab-2795af00055a" ActsAsOthers Perhaps;
    Graph "DeviceManagementConfiguration.ReadWrite.All" "9241abd9-d0e6-425a-bd4f-47ba86e767a4" ActsAsOthers Perhaps;
    Graph "DeviceManagementScripts.ReadWrite.All" "9255e99d-faf5-445e-bbf7-cb71482737c4" ActsAsOthers Perhaps;
    Graph "User.ReadWrite.All" "741f803b-c850-494e-b5df-cde7c675a1ca" MovesBoundary OverAttributes;
    Graph "User.ReadUpdate.All" "" MovesBoundary OverAttributes;
    Graph "Group.ReadWrite.All" "62a82d76-70ea-41e2-9197-370581804d09" MovesBoundary OverGroups;
    Graph "GroupMember.ReadWrite.All" "dbaae8cf-10b5-4b86-a4a1-f871c94c6695" MovesBoundary OverGroups;
    Graph "AdministrativeUnit.ReadWrite.All" "5eb59dd3-1da2-4329-8733-9dabdc435916" MovesBoundary OverUnits;
    Graph "Group-OnPremisesSyncBehavior.ReadWrite.All" "2d9bd318-b883-40be-9df7-63ec4fcdc424" MovesBoundary OverSync;
    Graph "User-OnPremisesSyncBehavior.ReadWrite.All" "a94a502d-0281-4d15-8cd2-682ac9362c4c" MovesBoundary OverSync;
}

/// Families of Graph's permissions. An unknown permission of a family that writes may be a power.
const FAMILIES: [(&str, PowerKind); 17] = [
    ("AppRoleAssignment.", PowerKind::GrantsItself),
    ("RoleManagement", PowerKind::GrantsItself),
    ("RoleAssignmentSchedule.", PowerKind::GrantsItself),
    ("RoleEligibilitySchedule.", PowerKind::GrantsItself),
    ("PrivilegedA", PowerKind::GrantsItself),
    ("PrivilegedE", PowerKind::GrantsItself),
    ("EntitlementManagement", PowerKind::GrantsItself),
    ("DelegatedPermissionGrant.", PowerKind::GrantsItself),
    ("Directory.", PowerKind::GrantsItself),
    ("LifecycleWorkflows", PowerKind::GrantsItself),
    ("Application.", PowerKind::ActsAsOthers),
    ("AgentId", PowerKind::ActsAsOthers),
    ("UserAuth", PowerKind::ActsAsOthers),
    ("User-Password", PowerKind::ActsAsOthers),
    ("Domain", PowerKind::ActsAsOthers),
    ("PublicKeyInfrastructure.", PowerKind::ActsAsOthers),
    ("AdministrativeUnit.", PowerKind::MovesBoundary),
];

/// Known roles of the Exchange resource that are no power.
const HARMLESS_OF_EXCHANGE: [&str; 3] = [
    "Organization.Read.All",
    "Place.Read.All",
    "ReportingWebService.Read.All",
];

/// The power with this resource and value. None: it is none.
pub fn find_value(resource: Resource, value: &str) -> Option<&'static PowerPermission> {
    POWER_PERMISSIONS
        .iter()
        .find(|power| power.resource == resource && power.value == value)
}

/// The power with this resource and app role. None: it is none.
pub fn find(resource: Resource, id: AppRoleId) -> Option<&'static PowerPermission> {
    POWER_PERMISSIONS
        .iter()
        .find(|power| power.resource == resource && power.id == Some(id.0))
}

/// The kind of power that a permission may be which is in no table, judged by its value: any
/// unknown role of Exchange, and any permission of a Graph family that writes. None: it is no
/// power.
pub fn family(resource: Resource, value: &str) -> Option<PowerKind> {
    if find_value(resource, value).is_some()
        || super::find_value(resource, value).is_some()
        || super::looks_like_mailbox(resource, value)
    {
        return None;
    }
    match resource {
        Resource::Exchange => {
            (!HARMLESS_OF_EXCHANGE.contains(&value)).then_some(PowerKind::AdministersExchange)
        }
        Resource::Graph => {
            let reads = value.contains(".Read.") || value.contains(".ReadBasic.");
            FAMILIES
                .iter()
                .find(|(prefix, _)| !reads && value.starts_with(prefix))
                .map(|(_, kind)| *kind)
        }
    }
}

pub fn looks_like_power(resource: Resource, value: &str) -> bool {
    family(resource, value).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice() {
        for (index, one) in POWER_PERMISSIONS.iter().enumerate() {
            for other in POWER_PERMISSIONS.iter().skip(index + 1) {
                assert_ne!(one.value, other.value);
                assert!(one.id.is_none() || one.id != other.id, "{}", one.value);
            }
        }
    }

    #[test]
    fn reach_r01_knows_every_class_of_powers() {
        for (value, kind, counts) in [
            (
                "AppRoleAssignment.ReadWrite.All",
                PowerKind::GrantsItself,
                Counts::Alone,
            ),
            (
                "Application.ReadWrite.All",
                PowerKind::ActsAsOthers,
                Counts::Alone,
            ),
            (
                "Directory.ReadWrite.All",
                PowerKind::GrantsItself,
                Counts::Perhaps,
            ),
            (
                "DelegatedPermissionGrant.ReadWrite.All",
                PowerKind::GrantsItself,
                Counts::Perhaps,
            ),
            (
                "Policy.ReadWrite.PermissionGrant",
                PowerKind::GrantsItself,
                Counts::Perhaps,
            ),
            (
                "User.ReadWrite.All",
                PowerKind::MovesBoundary,
                Counts::OverAttributes,
            ),
        ] {
            let known = find_value(Resource::Graph, value);
            assert_eq!(
                known.map(|known| (known.kind, known.counts)),
                Some((kind, counts)),
                "{value}"
            );
        }
    }

    #[test]
    fn reach_r01_an_unknown_role_of_a_family_is_not_harmless() {
        assert_eq!(
            family(Resource::Exchange, "Exchange.Something"),
            Some(PowerKind::AdministersExchange)
        );
        assert_eq!(family(Resource::Exchange, "Place.Read.All"), None);
        assert_eq!(
            family(Resource::Graph, "RoleManagement.ReadWrite.Everything"),
            Some(PowerKind::GrantsItself)
        );
        assert_eq!(family(Resource::Graph, "RoleManagement.Read.All"), None);
        // The table decides about the permissions that it has.
        assert_eq!(family(Resource::Exchange, "Exchange.ManageAsApp"), None);
        assert_eq!(family(Resource::Exchange, "Mail.Send"), None);
    }
}
