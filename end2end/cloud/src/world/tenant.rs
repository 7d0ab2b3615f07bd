//! What one tenant holds: people, groups, applications, and its Exchange organisation.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::access::{AccessRule, Activation, AdministrativeUnit};
use super::directory::DirectoryState;
use super::exchange::ExchangeOrganisation;
use crate::clock::Time;
use crate::permissions::{DirectoryRole, Resource};

/// One Entra tenant with its Exchange organisation.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub id: Uuid,
    pub name: String,
    /// The custom domain that people see.
    pub domain: String,
    /// The `.onmicrosoft.com` counterpart.
    pub initial_domain: String,
    pub country: String,
    pub created: Time,
    pub users: BTreeMap<Uuid, User>,
    pub groups: BTreeMap<Uuid, Group>,
    pub principals: BTreeMap<Uuid, ServicePrincipal>,
    pub applications: BTreeMap<Uuid, Application>,
    pub assignments: Vec<AppRoleAssignment>,
    pub scope_grants: Vec<ScopeGrant>,
    pub exchange: ExchangeOrganisation,
    pub units: BTreeMap<Uuid, AdministrativeUnit>,
    /// Conditional Access for the clients of this tenant.
    pub access_rules: Vec<AccessRule>,
    /// Seconds of the wall clock after which a person must sign in again (70043).
    pub sign_in_frequency: Option<i64>,
    /// Activations that Exchange may not know yet.
    pub activations: Vec<Activation>,
    pub directory: DirectoryState,
    /// Why the tenant exists, for `/_cloud/accounts`.
    pub note: String,
}

/// The kinds of recipient that are not groups. The directory's people without a mailbox have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxKind {
    User,
    Shared,
    Room,
    Equipment,
    Discovery,
    MailUser,
    MailContact,
}

impl MailboxKind {
    /// `RecipientTypeDetails` (MICROSOFT.md §2.5).
    pub fn details(self) -> &'static str {
        match self {
            Self::User => "UserMailbox",
            Self::Shared => "SharedMailbox",
            Self::Room => "RoomMailbox",
            Self::Equipment => "EquipmentMailbox",
            Self::Discovery => "DiscoveryMailbox",
            Self::MailUser => "MailUser",
            Self::MailContact => "MailContact",
        }
    }

    /// `RecipientType`.
    pub fn recipient_type(self) -> &'static str {
        match self {
            Self::MailUser => "MailUser",
            Self::MailContact => "MailContact",
            _ => "UserMailbox",
        }
    }

    pub fn is_mailbox(self) -> bool {
        !matches!(self, Self::MailUser | Self::MailContact)
    }

    /// Whether the directory (Graph's `/users`) knows it.
    pub fn is_directory_user(self) -> bool {
        !matches!(self, Self::Discovery | Self::MailContact)
    }

    /// Graph's `userPurpose`.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Room => "room",
            Self::Equipment => "equipment",
            _ => "others",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "user" => Some(Self::User),
            "shared" => Some(Self::Shared),
            "room" => Some(Self::Room),
            "equipment" => Some(Self::Equipment),
            "mailuser" => Some(Self::MailUser),
            "contact" => Some(Self::MailContact),
            _ => None,
        }
    }
}

/// A person, a shared mailbox, a room, a guest.
#[derive(Debug, Clone)]
pub struct User {
    pub id: Uuid,
    pub upn: String,
    pub display_name: String,
    pub given_name: String,
    pub surname: String,
    pub job_title: String,
    pub password: String,
    pub enabled: bool,
    /// Guests carry the tenant and object that they really are.
    pub guest_of: Option<(Uuid, Uuid)>,
    pub roles: Vec<DirectoryRole>,
    pub created: Time,
    /// Refresh tokens issued before (wall clock) are dead.
    pub tokens_valid_from: Option<Time>,
    pub mailbox: Option<Mailbox>,
}

/// The Exchange side of a user.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub kind: MailboxKind,
    pub guid: Uuid,
    pub alias: String,
    pub smtp: String,
    /// Further addresses, without prefix.
    pub aliases: Vec<String>,
    /// The last part of its security identifier.
    pub rid: u32,
    pub hidden: bool,
    pub custom_attributes: BTreeMap<u8, String>,
}

/// What a group is in Entra and in Exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    MailSecurity,
    Distribution,
    Microsoft365,
    /// A security group without mail: Exchange does not list it.
    Security,
}

impl GroupKind {
    pub fn details(self) -> &'static str {
        match self {
            Self::MailSecurity => "MailUniversalSecurityGroup",
            Self::Distribution => "MailUniversalDistributionGroup",
            Self::Microsoft365 => "GroupMailbox",
            Self::Security => "UniversalSecurityGroup",
        }
    }

    pub fn has_mail(self) -> bool {
        self != Self::Security
    }
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// The Entra object id (`ExternalDirectoryObjectId`).
    pub id: Uuid,
    /// Exchange's own id.
    pub guid: Uuid,
    pub kind: GroupKind,
    pub name: String,
    pub alias: String,
    pub display_name: String,
    pub description: String,
    pub smtp: String,
    pub aliases: Vec<String>,
    pub rid: u32,
    pub owners: Vec<Uuid>,
    /// Owners that are not people of the tenant.
    pub foreign_owners: Vec<String>,
    pub hidden: bool,
    pub require_sender_authentication: bool,
    pub hidden_membership: bool,
    pub join_restriction: String,
    pub depart_restriction: String,
    pub members: Vec<Membership>,
    pub created: Time,
    /// From when on Exchange's reads show it.
    pub in_exchange: Time,
    /// From when on Graph shows it.
    pub in_graph: Time,
}

impl Group {
    /// Whether the configuration has the member now, whatever the reads show.
    pub fn has_member(&self, member: Uuid) -> bool {
        self.members
            .iter()
            .any(|entry| entry.member == member && entry.removed.is_none())
    }
}

/// A change moment and when each side notices it.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub at: Time,
    pub exchange: Time,
    pub graph: Time,
    pub enforcement: Time,
}

impl Change {
    /// A change that everybody knows already.
    pub fn known(at: Time) -> Self {
        Self {
            at,
            exchange: at,
            graph: at,
            enforcement: at,
        }
    }
}

/// One member of a group, kept for a while after its removal because reads lag.
#[derive(Debug, Clone)]
pub struct Membership {
    pub member: Uuid,
    pub added: Change,
    pub removed: Option<Change>,
}

impl Membership {
    /// Whether a side that notices changes at the given moments sees it.
    pub fn seen(&self, now: Time, side: fn(&Change) -> Time) -> bool {
        side(&self.added) <= now && self.removed.as_ref().is_none_or(|gone| side(gone) > now)
    }
}

/// A service principal ("enterprise application").
#[derive(Debug, Clone)]
pub struct ServicePrincipal {
    pub id: Uuid,
    pub app_id: Uuid,
    pub display_name: String,
    /// The tenant where the application is registered; managed identities have none.
    pub owner_tenant: Option<Uuid>,
    pub publisher: String,
    /// `Application`, `ManagedIdentity`, `Legacy`, `ServiceIdentity`.
    pub kind: &'static str,
    pub enabled: bool,
    pub created: Time,
    pub resource: Option<Resource>,
    /// Directory roles that the application itself holds.
    pub roles: Vec<DirectoryRole>,
    /// Object ids of owners.
    pub owners: Vec<Uuid>,
}

/// A client secret. The value is shown once in reality; here `/_cloud/accounts` shows it.
#[derive(Debug, Clone)]
pub struct Secret {
    pub id: Uuid,
    pub value: String,
    pub name: String,
    pub expires: Time,
}

/// An application registration.
#[derive(Debug, Clone)]
pub struct Application {
    pub id: Uuid,
    pub app_id: Uuid,
    pub display_name: String,
    pub multi_tenant: bool,
    pub redirect_uris: Vec<String>,
    pub secrets: Vec<Secret>,
    /// Public keys (PEM) of certificates for client assertions.
    pub certificates: Vec<String>,
    /// Declared permissions: resource, permission id, whether it is an app role.
    pub required: Vec<(Resource, Uuid, bool)>,
    pub created: Time,
    pub owners: Vec<Uuid>,
    pub note: String,
}

/// An app role held by a service principal, for the whole tenant.
#[derive(Debug, Clone)]
pub struct AppRoleAssignment {
    pub id: String,
    pub principal: Uuid,
    /// Object id of the resource's service principal.
    pub resource: Uuid,
    pub role: Uuid,
    pub created: Time,
    /// From when on `appRoleAssignedTo` of the resource shows it.
    pub listed: Time,
    /// When it was removed, and until when the lagging list still shows it.
    pub removed: Option<(Time, Time)>,
}

impl AppRoleAssignment {
    pub fn live(&self) -> bool {
        self.removed.is_none()
    }

    /// Whether the lagging list shows it.
    pub fn listed(&self, now: Time) -> bool {
        self.listed <= now && self.removed.is_none_or(|(_, until)| until > now)
    }
}

/// A delegated consent (`oauth2PermissionGrant`).
#[derive(Debug, Clone)]
pub struct ScopeGrant {
    pub id: String,
    /// Object id of the client's service principal.
    pub client: Uuid,
    pub resource: Resource,
    /// One person, or everybody.
    pub principal: Option<Uuid>,
    pub scopes: Vec<(String, Time)>,
    /// Whether `scope` begins with a blank, as it often does (MICROSOFT.md §10.5).
    pub leading_blank: bool,
}

impl Tenant {
    pub fn principal_by_app(&self, app_id: Uuid) -> Option<&ServicePrincipal> {
        self.principals
            .values()
            .find(|principal| principal.app_id == app_id)
    }

    pub fn application_by_app(&self, app_id: Uuid) -> Option<&Application> {
        self.applications
            .values()
            .find(|application| application.app_id == app_id)
    }

    pub fn resource_principal(&self, resource: Resource) -> Option<&ServicePrincipal> {
        self.principals
            .values()
            .find(|principal| principal.resource == Some(resource))
    }

    /// A user by object id or user principal name.
    pub fn user(&self, key: &str) -> Option<&User> {
        match Uuid::parse_str(key) {
            Ok(id) => self.users.get(&id),
            Err(_) => self
                .users
                .values()
                .find(|user| user.upn.eq_ignore_ascii_case(key)),
        }
    }

    /// The app roles that a service principal has on a resource, by value: those that it was
    /// given, and those that an agent identity inherits.
    pub fn app_roles_of(&self, principal: Uuid, resource: Resource) -> Vec<&'static str> {
        let Some(resource_id) = self.resource_principal(resource).map(|found| found.id) else {
            return Vec::new();
        };
        let mut roles: Vec<&'static str> = Vec::new();
        let given = self
            .assignments
            .iter()
            .filter(|entry| entry.live() && entry.principal == principal);
        for entry in given.chain(self.inherited_roles(principal)) {
            if entry.resource == resource_id
                && let Some(role) = resource.role_value(entry.role)
                && !roles.contains(&role)
            {
                roles.push(role);
            }
        }
        roles
    }

    /// Delegated scopes consented for a client, with the moment from which each is honoured.
    pub fn consented(
        &self,
        client: Uuid,
        resource: Resource,
        person: Uuid,
    ) -> impl Iterator<Item = &(String, Time)> {
        self.scope_grants
            .iter()
            .filter(move |grant| {
                grant.client == client
                    && grant.resource == resource
                    && grant.principal.is_none_or(|only| only == person)
            })
            .flat_map(|grant| grant.scopes.iter())
    }

    /// Exchange's name of a security identifier in this tenant.
    pub fn sid(&self, rid: u32) -> String {
        let (a, b, c, _) = self.id.to_fields_le_parts();
        format!("S-1-5-21-{a}-{b}-{c}-{rid}")
    }

    /// `NAMPR00A001`-like forest part of distinguished names, stable until the tenant is relocated.
    pub fn forest(&self) -> String {
        let moved = u128::from(self.exchange.habits.relocations);
        format!(
            "EURPR{:02}A{:03}",
            (self.id.as_u128() % 100 + moved) % 100,
            self.id.as_u128() % 7
        )
    }

    /// A distinguished name for an object of that name.
    pub fn distinguished_name(&self, name: &str) -> String {
        let escaped = name.replace('\\', "\\\\").replace(',', "\\,");
        format!(
            "CN={escaped},OU={},OU=Microsoft Exchange Hosted Organizations,DC={},DC=prod,DC=outlook,DC=com",
            self.initial_domain,
            self.forest()
        )
    }
}

/// Three stable 32-bit parts of a GUID, for security identifiers.
trait SidParts {
    fn to_fields_le_parts(&self) -> (u32, u32, u32, u32);
}

impl SidParts for Uuid {
    fn to_fields_le_parts(&self) -> (u32, u32, u32, u32) {
        let value = self.as_u128();
        let part = |shift: u32| u32::try_from((value >> shift) & 0xFFFF_FFFF).unwrap_or(1);
        (part(96), part(64), part(32), part(0))
    }
}
