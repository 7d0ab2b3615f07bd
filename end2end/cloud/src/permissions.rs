//! Identifiers that Microsoft fixed: resources, app roles, delegated scopes, directory roles
//! (MICROSOFT.md §4, §6.5).

mod directory_role;
mod powers;
mod scopes;

use uuid::Uuid;

use crate::decisions;
pub use directory_role::DirectoryRole;

/// Microsoft Graph's application id.
pub const GRAPH: Uuid = uuid::uuid!("00000003-0000-0000-c000-000000000000");
/// Office 365 Exchange Online's application id.
pub const EXCHANGE: Uuid = uuid::uuid!("00000002-0000-0ff1-ce00-000000000000");
/// The tenant that owns Microsoft's own applications.
pub const MICROSOFT_TENANT: Uuid = uuid::uuid!("f8cdef31-a31e-4b4a-93e4-5f571e91255a");
/// Appears in every `wids` claim (§6.3).
pub const DEFAULT_WID: Uuid = uuid::uuid!("b79fbf4d-3ef9-4689-8143-76b194e85509");

/// A resource that tokens are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    Graph,
    Exchange,
}

impl Resource {
    pub fn app_id(self) -> Uuid {
        match self {
            Self::Graph => GRAPH,
            Self::Exchange => EXCHANGE,
        }
    }

    /// The identifier in scopes and in the `aud` of tokens, without a slash at its end.
    pub fn identifier(self) -> &'static str {
        match self {
            Self::Graph => "https://graph.microsoft.com",
            Self::Exchange => "https://outlook.office365.com",
        }
    }

    pub fn display_name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Exchange => "Office 365 Exchange Online",
        }
    }

    pub fn from_app_id(app_id: Uuid) -> Option<Self> {
        [Self::Graph, Self::Exchange]
            .into_iter()
            .find(|resource| resource.app_id() == app_id)
    }

    /// Recognises the identifiers that may stand before a scope.
    pub fn from_identifier(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        match text.as_str() {
            "https://graph.microsoft.com" | "00000003-0000-0000-c000-000000000000" => {
                Some(Self::Graph)
            }
            "https://outlook.office365.com"
            | "https://outlook.office.com"
            | "00000002-0000-0ff1-ce00-000000000000" => Some(Self::Exchange),
            _ => None,
        }
    }

    /// Value and id of every app role; the id is empty where MICROSOFT.md has none.
    pub fn app_roles(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let (mail, powers) = match self {
            Self::Graph => (GRAPH_ROLES, powers::GRAPH),
            Self::Exchange => (EXCHANGE_ROLES, powers::EXCHANGE),
        };
        mail.iter().chain(powers)
    }

    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Graph => scopes::GRAPH,
            Self::Exchange => scopes::EXCHANGE,
        }
    }

    /// The app role's id, by its value.
    pub fn role_id(self, value: &str) -> Option<Uuid> {
        self.app_roles()
            .find(|(name, _)| *name == value)
            .map(|(name, id)| parse_or_derive(id, "app-role", self, name))
    }

    /// The app role's value, by its id.
    pub fn role_value(self, id: Uuid) -> Option<&'static str> {
        self.app_roles()
            .find(|(name, text)| parse_or_derive(text, "app-role", self, name) == id)
            .map(|(name, _)| *name)
    }

    pub fn scope(self, value: &str) -> Option<&'static Scope> {
        self.scopes()
            .iter()
            .find(|scope| scope.value.eq_ignore_ascii_case(value))
    }

    /// Whether access policies narrow an app role of this resource (§4).
    pub fn is_governed(self, role: &str) -> bool {
        match self {
            Self::Graph => GOVERNED.contains(&role),
            Self::Exchange => role == "full_access_as_app",
        }
    }

    pub fn scope_id(self, scope: &Scope) -> Uuid {
        parse_or_derive(scope.id, "scope", self, scope.value)
    }
}

/// A delegated permission.
#[derive(Debug)]
pub struct Scope {
    pub value: &'static str,
    /// Empty where MICROSOFT.md has none: then derived.
    pub id: &'static str,
    /// Whether only an administrator can consent.
    pub admin: bool,
}

/// Ids that no source gives are derived, so that nobody can rely on a guessed one.
fn parse_or_derive(id: &str, kind: &str, resource: Resource, value: &str) -> Uuid {
    Uuid::parse_str(id).unwrap_or_else(|_| {
        let name = format!("{kind}/{}/{value}", resource.identifier());
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    })
}

/// Graph's app roles that access policies govern: Microsoft's list, and nothing else (§4).
const GOVERNED: &[&str] = &[
    "Mail.Read",
    "Mail.ReadBasic",
    "Mail.ReadBasic.All",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.Read",
    "MailboxSettings.ReadWrite",
    "Calendars.Read",
    "Calendars.ReadWrite",
    "Contacts.Read",
    "Contacts.ReadWrite",
];

const GRAPH_ROLES: &[(&str, &str)] = &[
    ("Mail.Send", "b633e1c5-b582-4048-a93e-9f11b44c7e96"),
    ("Mail.Read", "810c84a8-4a9e-49e6-bf7d-12d183f40d01"),
    ("Mail.ReadBasic", "6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a"),
    ("Mail.ReadBasic.All", "693c5e45-0940-467d-9b8a-1022fb9d42ef"),
    ("Mail.ReadWrite", "e2a3a72e-5f79-4c64-b1b1-878b674786c9"),
    (
        "Mail-Advanced.ReadWrite.All",
        "e118f1da-5c1c-46cf-bff6-8858d786f46f",
    ),
    (
        "MailboxSettings.Read",
        "40f97065-369a-49f4-947c-6a255697ae91",
    ),
    (
        "MailboxSettings.ReadWrite",
        "6931bccd-447a-43d1-b442-00a195474933",
    ),
    ("Calendars.Read", "798ee544-9d2d-430c-a058-570e29e34338"),
    (
        "Calendars.ReadWrite",
        "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    ),
    (
        "Calendars.ReadBasic.All",
        "8ba4a692-bc31-4128-9094-475872af8a53",
    ),
    ("Calendars.Read.All", "470229df-a15a-4b08-9d95-8c534862b362"),
    (
        "Calendars.ReadWrite.All",
        "d91697b0-a708-4c11-a712-8fb2dc081aa2",
    ),
    ("Contacts.Read", "089fe4d0-434a-44c5-8827-41ba8a0b17f5"),
    ("Contacts.ReadWrite", "6918b873-d17a-4dc1-b314-35f528134491"),
    (
        "MailboxFolder.Read.All",
        "99280d24-a782-4793-93cc-0888549957f6",
    ),
    (
        "MailboxFolder.ReadWrite.All",
        "fef87b92-8391-4589-9da7-eb93dab7dc8a",
    ),
    (
        "MailboxItem.Read.All",
        "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce",
    ),
    (
        "MailboxItem.ReadWrite.All",
        "1583d471-fede-4e7c-b062-57e9d60cfb49",
    ),
    (
        "MailboxItem.Export.All",
        "937550e9-33a3-494b-88ae-d9cd394b1fbb",
    ),
    (
        "MailboxItem.ImportExport.All",
        "76577085-e73d-4f1d-b26a-85fb33892327",
    ),
    (
        "MailboxConfigItem.Read",
        "27d9d776-f4d2-426d-80ad-5f22f2b01b0a",
    ),
    (
        "MailboxConfigItem.ReadWrite",
        "aa6d92d4-b25a-4640-aefe-3e3231e5e736",
    ),
    (
        "MailTips.ReadBasic.All",
        "a2c9652d-4d7f-4e4e-9d75-ac32fdc6f413",
    ),
    (
        "Application.Read.All",
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    ),
    (
        "Application.ReadWrite.All",
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    ),
    (
        "AppRoleAssignment.ReadWrite.All",
        "06b708a9-e830-4db3-a914-8e69da51d44f",
    ),
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
    (
        "AuditLogsQuery-Exchange.Read.All",
        "6b0d2622-d34e-4470-935b-b96550e5ca8d",
    ),
    (
        "ExchangeMessageTrace.Read.All",
        "89b20d8a-76e2-4057-867b-9961f800b9a4",
    ),
    (
        "DelegatedAdminRelationship.Read.All",
        "f6e9e124-4586-492f-adc0-c6f96e4823fd",
    ),
    (
        "DelegatedAdminRelationship.ReadWrite.All",
        "cc13eba4-8cd8-44c6-b4d4-f93237adce58",
    ),
    (
        "Organization.Read.All",
        "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    ),
    ("Domain.Read.All", "dbb9058a-0e50-45d7-ae91-66909b5d4664"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    ("Group.Read.All", "5b567255-7703-4780-807c-7be8301ae99b"),
    (
        "GroupMember.Read.All",
        "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    ),
    (
        "RoleManagement.ReadWrite.Exchange",
        "025d3225-3f02-4882-b4c0-cd5b541a4e80",
    ),
    (
        "RoleManagement.Read.Exchange",
        "c769435f-f061-4d0b-8ff1-3d39870e5f85",
    ),
];

const EXCHANGE_ROLES: &[(&str, &str)] = &[
    ("full_access_as_app", "dc890d15-9560-4a4c-9b7f-a736ec74ec40"),
    (
        "Exchange.ManageAsApp",
        "dc50a0fb-09a3-484d-be87-e023b12c6440",
    ),
    ("Exchange.ManageAsAppV2", ""),
    ("Exchange.AdminAPI.ManageAsApp", ""),
    ("IMAP.AccessAsApp", decisions::IMAP_ROLE),
    ("POP.AccessAsApp", decisions::POP_ROLE),
    ("SMTP.SendAsApp", decisions::SMTP_ROLE),
    // The same id as Graph's Calendars.ReadWrite: ids are not unique across resources (§4).
    (
        "Calendars.ReadWrite.All",
        "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    ),
    (
        "MailboxSettings.ReadWrite",
        "f9156939-25cd-4ba8-abfe-7fabcf003749",
    ),
    ("Mail.Read", "810c84a8-4a9e-49e6-bf7d-12d183f40d01"),
    ("Mail.ReadWrite", "e2a3a72e-5f79-4c64-b1b1-878b674786c9"),
    ("Mail.Send", "b633e1c5-b582-4048-a93e-9f11b44c7e96"),
];

/// The scopes that are about the sign-in itself.
pub const OIDC_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn role_ids_go_both_ways() {
        let id = Resource::Graph.role_id("Mail.Send").unwrap();
        assert_eq!(id.to_string(), "b633e1c5-b582-4048-a93e-9f11b44c7e96");
        assert_eq!(Resource::Graph.role_value(id), Some("Mail.Send"));
        let derived = Resource::Exchange
            .role_id("Exchange.ManageAsAppV2")
            .unwrap();
        assert_eq!(
            Resource::Exchange.role_value(derived),
            Some("Exchange.ManageAsAppV2")
        );
    }

    #[test]
    fn every_id_stands_once_on_its_resource() {
        for resource in [Resource::Graph, Resource::Exchange] {
            let mut ids = Vec::new();
            for (value, _) in resource.app_roles() {
                let id = resource.role_id(value).unwrap();
                assert_eq!(resource.role_value(id), Some(*value));
                assert!(!ids.contains(&id), "{value}");
                ids.push(id);
            }
        }
        for role in DirectoryRole::all() {
            assert_eq!(DirectoryRole::from_template(role.template()), Some(role));
            assert_eq!(DirectoryRole::from_name(role.name()), Some(role));
        }
    }

    #[test]
    fn one_id_means_two_things() {
        let id = Resource::Graph.role_id("Calendars.ReadWrite").unwrap();
        assert_eq!(
            Resource::Exchange.role_value(id),
            Some("Calendars.ReadWrite.All")
        );
    }

    #[test]
    fn resources_are_recognised_by_their_identifiers() {
        assert_eq!(
            Resource::from_identifier("https://graph.microsoft.com/"),
            Some(Resource::Graph)
        );
        assert_eq!(Resource::from_identifier("http://127.0.0.1:4000"), None);
    }
}
