//! The application permissions that reach into mailboxes (MICROSOFT.md §4), and those that reach
//! mail through another door (§10.2, class E). [`power`] has those that go around every
//! confinement.
//!
//! The key is the resource *and* the app role: `Calendars.ReadWrite` of Graph and
//! `Calendars.ReadWrite.All` of Exchange Online have the same id.

use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use crate::id::AppRoleId;

pub mod other;
pub mod power;
pub mod role;

/// The API that a permission belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    Graph,
    Exchange,
}

impl Resource {
    pub const ALL: [Self; 2] = [Self::Graph, Self::Exchange];

    /// The resource's own application id, the same in every tenant.
    pub const fn app_id(self) -> Uuid {
        match self {
            Self::Graph => uuid!("00000003-0000-0000-c000-000000000000"),
            Self::Exchange => uuid!("00000002-0000-0ff1-ce00-000000000000"),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "Microsoft Graph",
            Self::Exchange => "Office 365 Exchange Online",
        }
    }
}

/// Whether an access policy narrows a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// The permission is on Microsoft's list of permissions that access policies govern.
    Policy,
    /// The permission reaches mailboxes past every access policy.
    Beyond,
}

/// How dangerous a permission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Sends mail.
    Sends,
    /// Sends invitations: an event with guests is mail in the mailbox's name (MICROSOFT.md §10.7).
    Invites,
    /// Makes rules that forward mail, answers automatically, or forwards what it reads.
    Forwards,
    /// Reads or changes mail.
    Mail,
    /// Reads or changes anything else in a mailbox: calendars, contacts, tasks, settings.
    Content,
    /// Tells who wrote to whom and when, and shows no content.
    Metadata,
    /// Shows neither mail nor who wrote it: mail tips, when people are busy, hours of work.
    Harmless,
}

impl Weight {
    /// Whether something can leave the mailbox in its name.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Sends | Self::Invites | Self::Forwards)
    }

    /// Whether it sends or reads mail. For such a permission it matters that nothing confines it.
    pub const fn touches_mail(self) -> bool {
        matches!(
            self,
            Self::Sends | Self::Invites | Self::Forwards | Self::Mail
        )
    }

    /// Whether an application with this permission for every mailbox counts as one that can act as
    /// anyone. It does not if the permission reads no content.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Metadata | Self::Harmless)
    }
}

/// The mailboxes that a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// All mailboxes.
    Mailboxes,
    /// The conversations of Microsoft 365 groups, which are their mailboxes.
    Groups,
    /// The mailboxes of Bookings.
    Bookings,
    /// All mailboxes, through another service: remediation, backup.
    Elsewhere,
    /// It depends on something that Postern cannot read: a role in Purview, a migration endpoint.
    Unclear,
}

/// One mailbox permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxPermission {
    pub resource: Resource,
    /// The permission's value, for example `Mail.Send`. The value that a tenant's own service
    /// principal gives for an id wins over this table.
    pub value: &'static str,
    pub id: Uuid,
    pub coverage: Coverage,
    /// What the permission allows. The text follows “it can”.
    pub can: &'static str,
    pub weight: Weight,
    pub place: Place,
}

impl MailboxPermission {
    /// Whether it sends mail, so that a proof by real mail can try it.
    pub const fn sends(&self) -> bool {
        matches!(self.weight, Weight::Sends)
    }
}

macro_rules! table {
    ($($resource:ident $value:literal $id:literal $coverage:ident $weight:ident $place:ident $can:literal;)*) => {
        /// Every mailbox permission that Postern looks for, the worst first.
        pub static MAILBOX_PERMISSIONS: &[MailboxPermission] = &[$(
            MailboxPermission {
                resource: Resource::$resource,
                value: $value,
                id: uuid!($id),
                coverage: Coverage::$coverage,
                can: $can,
                weight: Weight::$weight,
                place: Place::$place,
            },
        )*];
    };
}

table! {
    Exchange "full_access_as_app" "dc890d15-9560-4a4c-9b7f-a736ec74ec40" Policy Sends Mailboxes "do everything with mailboxes through EWS";
    Graph "Mail.Send" "b633e1c5-b582-4048-a93e-9f11b44c7e96" Policy Sends Mailboxes "send mail";
    Graph "Mail-Advanced.ReadWrite.All" "e118f1da-5c1c-46cf-bff6-8858d786f46f" Beyond Mail Mailboxes "read and change mail, protected parts included";
    Graph "Mail.ReadWrite" "e2a3a72e-5f79-4c64-b1b1-878b674786c9" Policy Mail Mailboxes "read and change mail";
    Graph "Mail.Read" "810c84a8-4a9e-49e6-bf7d-12d183f40d01" Policy Mail Mailboxes "read mail";
    Graph "Mail.ReadBasic" "6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a" Policy Metadata Mailboxes "read who wrote to whom and when";
    Graph "Mail.ReadBasic.All" "693c5e45-0940-467d-9b8a-1022fb9d42ef" Policy Metadata Mailboxes "read who wrote to whom and when";
    Graph "MailboxItem.ImportExport.All" "76577085-e73d-4f1d-b26a-85fb33892327" Beyond Mail Mailboxes "export and import mailbox contents";
    Graph "MailboxItem.Export.All" "937550e9-33a3-494b-88ae-d9cd394b1fbb" Beyond Mail Mailboxes "export mailbox contents";
    Graph "MailboxItem.ReadWrite.All" "1583d471-fede-4e7c-b062-57e9d60cfb49" Beyond Mail Mailboxes "read and change mailbox contents";
    Graph "MailboxItem.Read.All" "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce" Beyond Mail Mailboxes "read mailbox contents";
    Graph "MailboxFolder.ReadWrite.All" "fef87b92-8391-4589-9da7-eb93dab7dc8a" Beyond Content Mailboxes "change mail folders";
    Graph "MailboxFolder.Read.All" "99280d24-a782-4793-93cc-0888549957f6" Beyond Content Mailboxes "read mail folders";
    Graph "MailboxConfigItem.ReadWrite" "aa6d92d4-b25a-4640-aefe-3e3231e5e736" Beyond Content Mailboxes "change mailbox configuration";
    Graph "MailboxConfigItem.Read" "27d9d776-f4d2-426d-80ad-5f22f2b01b0a" Beyond Content Mailboxes "read mailbox configuration";
    Graph "MailTips.ReadBasic.All" "a2c9652d-4d7f-4e4e-9d75-ac32fdc6f413" Beyond Harmless Mailboxes "read mail tips";
    Graph "MailboxSettings.ReadWrite" "6931bccd-447a-43d1-b442-00a195474933" Policy Forwards Mailboxes "change mailbox settings and make rules that forward mail";
    Graph "MailboxSettings.Read" "40f97065-369a-49f4-947c-6a255697ae91" Policy Content Mailboxes "read mailbox settings";
    Graph "Calendars.ReadWrite" "ef54d2bf-783f-4e0f-bca1-3210c0444d99" Policy Invites Mailboxes "change calendars and send invitations";
    Graph "Calendars.ReadWrite.All" "d91697b0-a708-4c11-a712-8fb2dc081aa2" Beyond Harmless Mailboxes "change hours and places of work";
    Graph "Calendars.Read" "798ee544-9d2d-430c-a058-570e29e34338" Policy Content Mailboxes "read calendars";
    Graph "Calendars.Read.All" "470229df-a15a-4b08-9d95-8c534862b362" Beyond Harmless Mailboxes "read hours and places of work";
    Graph "Calendars.ReadBasic.All" "8ba4a692-bc31-4128-9094-475872af8a53" Beyond Harmless Mailboxes "read when people are busy";
    Graph "Contacts.ReadWrite" "6918b873-d17a-4dc1-b314-35f528134491" Policy Content Mailboxes "change contacts";
    Graph "Contacts.Read" "089fe4d0-434a-44c5-8827-41ba8a0b17f5" Policy Content Mailboxes "read contacts";
    Exchange "SMTP.SendAsApp" "7146a1f0-8703-45b3-9eae-527a64c00995" Beyond Sends Mailboxes "send mail through SMTP";
    Exchange "IMAP.AccessAsApp" "5e5addcd-3e8d-4e90-baf5-964efab2b20a" Beyond Mail Mailboxes "read and change mail through IMAP";
    Exchange "POP.AccessAsApp" "cb842b43-da6e-4506-86fe-bb12199c656d" Beyond Mail Mailboxes "read mail through POP";
    Exchange "Calendars.ReadWrite.All" "ef54d2bf-783f-4e0f-bca1-3210c0444d99" Beyond Invites Mailboxes "change calendars and send invitations through the retired Outlook API";
    Exchange "MailboxSettings.ReadWrite" "f9156939-25cd-4ba8-abfe-7fabcf003749" Beyond Forwards Mailboxes "change mailbox settings and make rules that forward mail through the retired Outlook API";
    Graph "Group.ReadWrite.All" "62a82d76-70ea-41e2-9197-370581804d09" Beyond Forwards Groups "read, answer, forward and delete the conversations of groups";
    Graph "Group-Conversation.ReadWrite.All" "6679c91b-820a-4900-ab47-e97b197a89c4" Beyond Forwards Groups "read, answer, forward and delete the conversations of groups";
    Graph "Group.Read.All" "5b567255-7703-4780-807c-7be8301ae99b" Beyond Mail Groups "read the conversations of groups";
    Graph "Group-Conversation.Read.All" "4f0a8235-6f6f-4ec7-9500-34b452a4a0c3" Beyond Mail Groups "read the conversations of groups";
    Graph "SecurityAnalyzedMessage.ReadWrite.All" "04c55753-2244-4c25-87fc-704ab82a4f69" Beyond Mail Elsewhere "move and delete mail in any mailbox through Defender, without reading it";
    Graph "BackupRestore-Restore.ReadWrite.All" "bebd0841-a3d8-4313-a51d-731112c8ee41" Beyond Mail Elsewhere "put mailboxes back to an older state through Microsoft 365 Backup";
    Graph "eDiscovery.ReadWrite.All" "b2620db1-3bf7-4c5b-9cb9-576d29eac736" Beyond Mail Unclear "search and export mailboxes through eDiscovery, once it has a role in Purview";
    Graph "eDiscovery.Read.All" "50180013-6191-4d1e-a373-e590ff4e66af" Beyond Mail Unclear "read what eDiscovery found, once it has a role in Purview";
    Graph "BackupRestore-Configuration.ReadWrite.All" "18133149-5489-40ac-80f0-4b6fa85f6cdc" Beyond Content Unclear "choose what Microsoft 365 Backup keeps";
    Graph "User.Export.All" "405a51b5-8d8d-430b-9842-8be4b0e9f324" Beyond Mail Unclear "export the data of a person, of which nobody says how much mail it holds";
    Exchange "Mailbox.Migration" "f7264778-fba9-422d-8e9e-2675a2c4b513" Beyond Mail Unclear "move mailboxes to another organisation, where both sides agreed to it";
    Graph "Bookings.Manage.All" "6b22000a-1228-42ec-88db-b8c00399aecb" Beyond Invites Bookings "manage bookings, and with them send confirmations";
    Graph "Bookings.ReadWrite.All" "0c4b2d20-7919-468d-8668-c54b09d4dee8" Beyond Invites Bookings "change bookings, and with them send confirmations";
    Graph "BookingsAppointment.ReadWrite.All" "9769393e-5a9f-4302-9e3d-7e018ecb64a7" Beyond Invites Bookings "change bookings, and with them send confirmations";
    Graph "Bookings.Read.All" "6e98f277-b046-4193-a4f2-6bf6a78cd491" Beyond Content Bookings "read bookings";
}

/// Prefixes of values by which roles of the Exchange resource that are in no table are known to
/// reach mailboxes.
const EXCHANGE_PREFIXES: [&str; 9] = [
    "Mail.",
    "Mailbox",
    "Calendars.",
    "Contacts.",
    "Tasks.",
    "EWS.",
    "IMAP.",
    "POP.",
    "SMTP.",
];

/// Such prefixes for Graph.
const GRAPH_PREFIXES: [&str; 7] = [
    "Mail.",
    "Mail-",
    "MailTips.",
    "Mailbox",
    "Calendars.",
    "Contacts.",
    "Tasks.",
];

/// Such prefixes for permissions of Graph that reach mail through another door (MICROSOFT.md
/// §10.2).
const ELSEWHERE_PREFIXES: [&str; 5] = [
    "Group-Conversation.",
    "SecurityAnalyzedMessage.",
    "BackupRestore-",
    "eDiscovery.",
    "Bookings",
];

/// Permissions that tell who mailed whom and when, and show no content (MICROSOFT.md §10.2, class
/// M). [`other`] has those of other resources than Graph and Exchange.
static METADATA: &[(Resource, &str, Uuid)] = &[
    (
        Resource::Graph,
        "ExchangeMessageTrace.Read.All",
        uuid!("89b20d8a-76e2-4057-867b-9961f800b9a4"),
    ),
    (
        Resource::Graph,
        "SecurityAnalyzedMessage.Read.All",
        uuid!("b48f7ac2-044d-4281-b02f-75db744d6f5f"),
    ),
    (
        Resource::Graph,
        "ThreatHunting.Read.All",
        uuid!("dd98c7f5-2d42-42d3-a0e4-633161547251"),
    ),
    (
        Resource::Graph,
        "ThreatSubmission.ReadWrite.All",
        uuid!("d72bdbf4-a59b-405c-8b04-5995895819ac"),
    ),
    (
        Resource::Graph,
        "BackupRestore-Search.Read.All",
        uuid!("f6135c51-c766-4be1-9638-ed90c2ed2443"),
    ),
    (
        Resource::Graph,
        "AuditLogsQuery-Exchange.Read.All",
        uuid!("6b0d2622-d34e-4470-935b-b96550e5ca8d"),
    ),
    (
        Resource::Graph,
        "AuditLogsQuery.Read.All",
        uuid!("5e1e9171-754d-478c-812c-f1755a9a4c2d"),
    ),
    (
        Resource::Graph,
        "People.Read.All",
        uuid!("b528084d-ad10-4598-8b93-929746b4d7d6"),
    ),
    (
        Resource::Graph,
        "Reports.Read.All",
        uuid!("230c1aed-a721-4c5d-9cb4-a90514e508ef"),
    ),
    (
        Resource::Exchange,
        "ReportingWebService.Read.All",
        uuid!("b4d5a5c7-c085-487f-b922-ef0d6ebde6b1"),
    ),
];

/// The metadata permission with this value. None: it is none.
pub fn metadata(resource: Resource, value: &str) -> Option<&'static str> {
    METADATA
        .iter()
        .find(|(own, name, _)| *own == resource && *name == value)
        .map(|(_, name, _)| *name)
}

/// The metadata permission with this id, for a role whose name is not known.
pub fn metadata_by_id(resource: Resource, id: AppRoleId) -> Option<&'static str> {
    METADATA
        .iter()
        .find(|(own, _, known)| *own == resource && *known == id.0)
        .map(|(_, name, _)| *name)
}

/// Whether a permission matters to who reaches mail: it reaches into mailboxes, reaches mail
/// through another door, goes around every confinement, or shows metadata. An unknown permission of
/// one of these families matters too: a reader keeps it, and the evaluator calls it unknown.
pub fn matters(resource: Resource, value: &str) -> bool {
    resource == Resource::Exchange
        || find_value(resource, value).is_some()
        || looks_like_mailbox(resource, value)
        || looks_elsewhere(resource, value)
        || metadata(resource, value).is_some()
        || power::find_value(resource, value).is_some()
        || power::looks_like_power(resource, value)
}

/// Whether a role that is in no table reaches mail through another door, judged by its value.
pub fn looks_elsewhere(resource: Resource, value: &str) -> bool {
    resource == Resource::Graph
        && metadata(resource, value).is_none()
        && ELSEWHERE_PREFIXES
            .iter()
            .any(|prefix| value.starts_with(prefix))
}

/// How dangerous a permission is that is in no table: as dangerous as its name allows.
pub fn weight_by_name(value: &str) -> Weight {
    if value.ends_with(".Send") {
        Weight::Sends
    } else if value.starts_with("Calendars.") && value.contains("Write") {
        Weight::Invites
    } else if ["Calendars.", "Contacts.", "Tasks."]
        .iter()
        .any(|prefix| value.starts_with(prefix))
    {
        Weight::Content
    } else {
        Weight::Mail
    }
}

/// The mailbox permission with this resource and app role. None: it is none.
pub fn find(resource: Resource, id: AppRoleId) -> Option<&'static MailboxPermission> {
    MAILBOX_PERMISSIONS
        .iter()
        .find(|permission| permission.resource == resource && permission.id == id.0)
}

/// The mailbox permission with this resource and value. None: it is none.
pub fn find_value(resource: Resource, value: &str) -> Option<&'static MailboxPermission> {
    MAILBOX_PERMISSIONS
        .iter()
        .find(|permission| permission.resource == resource && permission.value == value)
}

/// Whether a role that is in no table reaches mailboxes, judged by its value: the retired Outlook
/// REST roles of Exchange Online, the mail protocols under another id, and roles that Microsoft
/// adds later.
pub fn looks_like_mailbox(resource: Resource, value: &str) -> bool {
    let prefixes: &[&str] = match resource {
        Resource::Exchange => &EXCHANGE_PREFIXES,
        Resource::Graph => &GRAPH_PREFIXES,
    };
    prefixes.iter().any(|prefix| value.starts_with(prefix))
}

/// Graph's delegated scopes that reach mail and have other names than the rest, or that administer
/// when an administrator signs in (MICROSOFT.md §10.5).
const GRAPH_SCOPES: [&str; 16] = [
    "EWS.AccessAsUser.All",
    "IMAP.AccessAsUser.All",
    "POP.AccessAsUser.All",
    "SMTP.Send",
    "EAS.AccessAsUser.All",
    "Group-Conversation.Read.All",
    "Group-Conversation.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "RoleManagement.ReadWrite.Exchange",
    "RoleManagement.ReadWrite.Directory",
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];

/// Prefixes of Exchange's own delegated scopes (MICROSOFT.md §10.5).
const EXCHANGE_SCOPES: [&str; 2] = ["Exchange.", "EAS."];

/// Whether a delegated scope reaches mail, or administers Exchange or applications when an
/// administrator signs in (MICROSOFT.md §10.5).
pub fn delegated_matters(resource: Resource, scope: &str) -> bool {
    looks_like_mailbox(resource, scope)
        || match resource {
            Resource::Graph => {
                GRAPH_SCOPES.contains(&scope) || scope == "ExchangeMessageTrace.Read.All"
            }
            Resource::Exchange => EXCHANGE_SCOPES
                .iter()
                .any(|prefix| scope.starts_with(prefix)),
        }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_id_on_two_resources_is_two_permissions() {
        let id = AppRoleId(uuid!("ef54d2bf-783f-4e0f-bca1-3210c0444d99"));
        assert_eq!(
            find(Resource::Graph, id).unwrap().coverage,
            Coverage::Policy
        );
        assert_eq!(
            find(Resource::Exchange, id).unwrap().coverage,
            Coverage::Beyond
        );
    }

    #[test]
    fn no_key_stands_twice() {
        for (index, one) in MAILBOX_PERMISSIONS.iter().enumerate() {
            for other in MAILBOX_PERMISSIONS.iter().skip(index + 1) {
                assert!(
                    (one.resource, one.id) != (other.resource, other.id),
                    "{}",
                    one.value
                );
                assert!(
                    (one.resource, one.value) != (other.resource, other.value),
                    "{}",
                    one.value
                );
            }
        }
    }

    #[test]
    fn reach_r01_what_decides_a_confinement_is_kept_and_the_rest_is_not() {
        for value in [
            "Mail.Send",
            "AppRoleAssignment.ReadWrite.All",
            "Application.ReadWrite.All",
            "Group.Read.All",
        ] {
            assert!(matters(Resource::Graph, value), "{value}");
        }
        assert!(matters(Resource::Exchange, "Exchange.ManageAsApp"));
        assert!(!matters(Resource::Graph, "User.Read.All"));
        for value in [
            "Mail.Send.Shared",
            "SMTP.Send",
            "Directory.AccessAsUser.All",
        ] {
            assert!(delegated_matters(Resource::Graph, value), "{value}");
        }
        assert!(delegated_matters(Resource::Exchange, "Exchange.Manage"));
        assert!(!delegated_matters(Resource::Graph, "User.Read"));
    }

    #[test]
    fn knows_mailbox_roles_by_value() {
        assert!(looks_like_mailbox(Resource::Exchange, "Mail.Send"));
        assert!(!looks_like_mailbox(
            Resource::Exchange,
            "Exchange.ManageAsApp"
        ));
        // Its id has one source only (MICROSOFT.md §4), so a tenant may have another one.
        assert!(looks_like_mailbox(Resource::Exchange, "IMAP.AccessAsApp"));
        assert!(looks_like_mailbox(Resource::Graph, "Tasks.ReadWrite.All"));
        assert!(!looks_like_mailbox(Resource::Graph, "User.Read.All"));
    }

    #[test]
    fn reach_r01_keeps_what_goes_around_confinements() {
        for (resource, value) in [
            (Resource::Exchange, "Exchange.ManageAsApp"),
            (Resource::Exchange, "Exchange.ManageAsAppV2"),
            (Resource::Exchange, "Something.New"),
            (Resource::Graph, "AppRoleAssignment.ReadWrite.All"),
            (Resource::Graph, "RoleManagement.ReadWrite.Cloud"),
            (Resource::Graph, "User.ReadWrite.All"),
            (Resource::Graph, "Group.Read.All"),
            (Resource::Graph, "eDiscovery.SomethingNew"),
            (Resource::Graph, "ExchangeMessageTrace.Read.All"),
        ] {
            assert!(matters(resource, value), "{value}");
        }
        for (resource, value) in [
            (Resource::Graph, "User.Read.All"),
            (Resource::Graph, "RoleManagement.Read.Directory"),
            (Resource::Graph, "Application.Read.All"),
            (
                Resource::Graph,
                "Contacts-OnPremisesSyncBehavior.ReadWrite.All",
            ),
        ] {
            assert!(!matters(resource, value), "{value}");
        }
    }

    #[test]
    fn reach_m03_hours_of_work_are_no_calendars() {
        for value in ["Calendars.Read.All", "Calendars.ReadWrite.All"] {
            let known = find_value(Resource::Graph, value).unwrap();
            assert_eq!(known.weight, Weight::Harmless);
            assert!(known.can.contains("hours"));
        }
        let real = find_value(Resource::Exchange, "Calendars.ReadWrite.All").unwrap();
        assert_eq!(real.weight, Weight::Invites);
    }

    #[test]
    fn reach_m05_invitations_and_forwarding_leave_the_mailbox() {
        let weight = |value| find_value(Resource::Graph, value).unwrap().weight;
        assert!(weight("Calendars.ReadWrite").sends());
        assert!(weight("MailboxSettings.ReadWrite").sends());
        assert!(!weight("Mail.ReadWrite").sends());
    }

    #[test]
    fn reach_r05_scopes_that_reach_mail_or_administer_matter_and_others_do_not() {
        for scope in [
            "Mail.Send.Shared",
            "Calendars.Read",
            "SMTP.Send",
            "Directory.AccessAsUser.All",
        ] {
            assert!(delegated_matters(Resource::Graph, scope), "{scope}");
        }
        for scope in ["Exchange.Manage", "EAS.AccessAsUser.All", "Mail.Read.All"] {
            assert!(delegated_matters(Resource::Exchange, scope), "{scope}");
        }
        for scope in ["User.Read", "openid", "offline_access"] {
            assert!(!delegated_matters(Resource::Graph, scope), "{scope}");
        }
    }
}
