//! The configuration of a tenant's Exchange organisation: access policies and RBAC.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::habits::{Extras, Habits, SoftDeleted};
use super::new_groups::NewGroup;
use super::rights::MailboxRight;
use super::role_groups::RoleGroups;
use super::switches::Switches;
use crate::clock::Time;

/// Exchange's configuration of one tenant.
#[derive(Debug, Clone, Default)]
pub struct ExchangeOrganisation {
    /// Without a licence there is no Exchange at all.
    pub licensed: bool,
    /// When `Enable-OrganizationCustomization` takes (or took) effect; none = still dehydrated.
    pub customised: Option<Time>,
    pub policies: Vec<Policy>,
    pub pointers: Vec<Pointer>,
    pub scopes: Vec<ManagementScope>,
    pub role_assignments: Vec<RoleAssignment>,
    /// What the enforcement of RBAC remembers, by service principal object id.
    pub rbac_cache: BTreeMap<Uuid, RbacCache>,
    /// New groups get a time stamp appended to their name.
    pub name_suffix: bool,
    /// `RecipientTypeDetails` that groups accept as members and never list (MICROSOFT.md §2.3).
    pub unlisted_members: Vec<String>,
    /// How the test cmdlets write their results.
    pub check_words: CheckWords,
    /// Groups that their makers may see before others do.
    pub new_groups: Vec<NewGroup>,
    /// Until when the cmdlets of RBAC refuse although `IsDehydrated` is false already (§3.1).
    pub unpacking: Option<Time>,
    /// Until when nobody may delegate roles yet (§3.1).
    pub delegation_starts: Option<Time>,
    /// From when on other cmdlets find a new pointer, scope or assignment, by its id (§11.4).
    pub appears: BTreeMap<Uuid, Time>,
    /// Assignments that let their holder give the role to others, and nothing else.
    pub delegating: BTreeSet<Uuid>,
    pub rights: Vec<MailboxRight>,
    pub role_groups: RoleGroups,
    pub switches: Switches,
    pub habits: Habits,
    pub extras: BTreeMap<Uuid, Extras>,
    pub soft_deleted: Vec<SoftDeleted>,
}

impl ExchangeOrganisation {
    /// `IsDehydrated`, which is no sign of being ready.
    pub fn is_dehydrated(&self, now: Time) -> bool {
        self.customised.is_none_or(|since| since > now)
    }

    /// Whether scopes and assignments are refused for want of customization.
    pub fn refuses_configuration(&self, now: Time) -> bool {
        self.is_dehydrated(now) || self.unpacking.is_some_and(|until| until > now)
    }

    /// Whether cmdlets find the object of that id by now.
    pub fn appeared(&self, id: Uuid, now: Time) -> bool {
        self.appears.get(&id).is_none_or(|since| *since <= now)
    }

    /// Whether an assignment only lets its holder give the role to others.
    pub fn delegates(&self, assignment: &RoleAssignment) -> bool {
        self.delegating.contains(&assignment.guid)
    }

    /// Whether the object is managed on premises.
    pub fn is_dir_synced(&self, object: Uuid) -> bool {
        self.extras
            .get(&object)
            .is_some_and(|extras| extras.dir_synced)
    }
}

/// How `AccessCheckResult` and `InScope` come: UNVERIFIED (MICROSOFT.md §2.4, §3.2), and words of
/// a display language are what a tenant may send where English is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckWords {
    #[default]
    English,
    German,
    Danish,
    /// JSON booleans instead of words.
    Boolean,
}

impl CheckWords {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "english" => Some(Self::English),
            "german" => Some(Self::German),
            "danish" => Some(Self::Danish),
            "boolean" => Some(Self::Boolean),
            _ => None,
        }
    }

    /// `AccessCheckResult`.
    pub fn granted(self, granted: bool) -> Value {
        match (self, granted) {
            (Self::English, true) => "Granted".into(),
            (Self::English, false) => "Denied".into(),
            (Self::German, true) => "Gewährt".into(),
            (Self::German, false) => "Verweigert".into(),
            (Self::Danish, true) => "Tildelt".into(),
            (Self::Danish, false) => "Afvist".into(),
            (Self::Boolean, granted) => granted.into(),
        }
    }

    /// `InScope` of a mailbox that was looked at.
    pub fn in_scope(self, inside: bool) -> Value {
        match (self, inside) {
            (Self::English, true) => "True".into(),
            (Self::English, false) => "False".into(),
            (Self::German, true) => "Wahr".into(),
            (Self::German, false) => "Falsch".into(),
            (Self::Danish, true) => "Sand".into(),
            (Self::Danish, false) => "Falsk".into(),
            (Self::Boolean, inside) => inside.into(),
        }
    }
}

/// Application Access Policy (MICROSOFT.md §2.4).
#[derive(Debug, Clone)]
pub struct Policy {
    /// Lower-case application id, or `*`.
    pub app_id: String,
    pub deny: bool,
    pub description: String,
    /// What the policy is about: a group, a user mailbox or a mail user.
    pub scope: PolicyScope,
    pub created: Time,
    /// From when on the configuration's reads show it.
    pub visible: Time,
    /// From when on `sendMail` obeys it.
    pub enforced: Time,
    /// When it was removed, and until when `sendMail` still obeys it.
    pub removed: Option<(Time, Time)>,
}

/// The recipient that a policy names, remembered as it was.
#[derive(Debug, Clone)]
pub struct PolicyScope {
    /// Entra object id.
    pub id: Uuid,
    pub sid: String,
    pub name: String,
    pub display_name: String,
}

impl Policy {
    pub fn configured(&self, now: Time) -> bool {
        self.removed.is_none() && self.visible <= now
    }

    pub fn in_force(&self, now: Time) -> bool {
        self.enforced <= now && self.removed.is_none_or(|(_, until)| until > now)
    }

    pub fn names(&self, app_id: Uuid) -> bool {
        self.app_id == "*" || self.app_id == app_id.to_string()
    }

    pub fn right(&self) -> &'static str {
        if self.deny {
            "DenyAccess"
        } else {
            "RestrictAccess"
        }
    }

    pub fn scope_raw(&self) -> String {
        format!("{};{}", self.scope.sid, self.scope.id)
    }

    pub fn identity(&self, tenant: Uuid) -> String {
        format!("{tenant}\\{}:{}", self.app_id, self.scope_raw())
    }

    /// The description that Exchange writes when none is given (§2.4).
    pub fn default_description(app_id: &str, sid: &str, object_id: Uuid, right: &str) -> String {
        format!(
            "AppId: {app_id};\nScopeIdentitySid: {sid};\nScopeIdentityOid: {object_id};\nAccessRight: {right}; ShardType: All"
        )
    }
}

/// Exchange's pointer to a service principal of Entra (§3.2).
#[derive(Debug, Clone)]
pub struct Pointer {
    pub id: Uuid,
    pub object_id: Uuid,
    pub app_id: Uuid,
    pub display_name: String,
    pub created: Time,
}

/// A management scope.
#[derive(Debug, Clone)]
pub struct ManagementScope {
    pub guid: Uuid,
    pub name: String,
    pub filter: String,
    pub exclusive: bool,
    pub created: Time,
}

/// Where a role assignment reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentScope {
    Organisation,
    /// A management scope, by its name.
    Custom(String),
    /// A group's Entra object id: direct members only.
    Group(Uuid),
    /// An administrative unit: its direct members.
    AdministrativeUnit(Uuid),
}

/// A management role assignment of an application.
#[derive(Debug, Clone)]
pub struct RoleAssignment {
    pub guid: Uuid,
    pub name: String,
    /// `Application Mail.Send` and the like.
    pub role: String,
    /// The service principal's object id, as in the pointer.
    pub assignee: Uuid,
    pub scope: AssignmentScope,
    pub enabled: bool,
    pub created: Time,
}

/// What the enforcement knew when it last loaded an application's assignments: the role and, for
/// custom scopes, the filter of that moment.
#[derive(Debug, Clone)]
pub struct RbacCache {
    pub loaded: Time,
    pub last_used: Time,
    pub idle_seconds: i64,
    pub active_seconds: i64,
    pub grants: Vec<(String, RbacReach)>,
}

/// A scope as the cache keeps it.
#[derive(Debug, Clone)]
pub enum RbacReach {
    Everyone,
    Filter(String),
    GroupMembers(Uuid),
    UnitMembers(Uuid),
    Nobody,
}

/// The application roles that exist, with the Graph or EWS permissions that each is worth (§3.4).
pub const APPLICATION_ROLES: &[(&str, &[&str])] = &[
    ("Application Mail.Read", &["Mail.Read"]),
    ("Application Mail.ReadBasic", &["Mail.ReadBasic"]),
    ("Application Mail.ReadWrite", &["Mail.ReadWrite"]),
    ("Application Mail.Send", &["Mail.Send"]),
    (
        "Application MailboxSettings.Read",
        &["MailboxSettings.Read"],
    ),
    (
        "Application MailboxSettings.ReadWrite",
        &["MailboxSettings.ReadWrite"],
    ),
    ("Application Calendars.Read", &["Calendars.Read"]),
    ("Application Calendars.ReadWrite", &["Calendars.ReadWrite"]),
    ("Application Contacts.Read", &["Contacts.Read"]),
    ("Application Contacts.ReadWrite", &["Contacts.ReadWrite"]),
    (
        "Application MailboxFolder.Read",
        &["MailboxFolder.Read.All"],
    ),
    (
        "Application MailboxFolder.ReadWrite",
        &["MailboxFolder.ReadWrite.All"],
    ),
    ("Application MailboxItem.Read", &["MailboxItem.Read.All"]),
    (
        "Application MailboxItem.ReadWrite",
        &["MailboxItem.ReadWrite.All"],
    ),
    (
        "Application MailboxItem.Export",
        &["MailboxItem.Export.All"],
    ),
    (
        "Application MailboxItem.ImportExport",
        &["MailboxItem.ImportExport.All"],
    ),
    (
        "Application Mail Full Access",
        &["Mail.ReadWrite", "Mail.Send"],
    ),
    (
        "Application Exchange Full Access",
        &[
            "Mail.ReadWrite",
            "Mail.Send",
            "MailboxSettings.ReadWrite",
            "Calendars.ReadWrite",
            "Contacts.ReadWrite",
        ],
    ),
    ("Application EWS.AccessAsApp", &["EWS.AccessAsApp"]),
    ("Application SMTP.SendAsApp", &["SMTP.SendAsApp"]),
    (
        "Application MailboxConfigItem.Read",
        &["MailboxConfigItem.Read"],
    ),
    (
        "Application MailboxConfigItem.ReadWrite",
        &["MailboxConfigItem.ReadWrite"],
    ),
    (
        "Application MailTips.ReadBasic.All",
        &["MailTips.ReadBasic.All"],
    ),
    (
        "Application Mail-Advanced.ReadWrite.All",
        &["Mail-Advanced.ReadWrite.All"],
    ),
];

/// The permissions of an application role, by its name in any case.
pub fn role_permissions(role: &str) -> Option<&'static [&'static str]> {
    APPLICATION_ROLES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(role))
        .map(|(_, permissions)| *permissions)
}
