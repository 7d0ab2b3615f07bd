//! Delegated permissions: those that Postern asks for, and those that reach mail (MICROSOFT.md §10.5).

use super::Scope;

const fn admin(value: &'static str, id: &'static str) -> Scope {
    Scope {
        value,
        id,
        admin: true,
    }
}

const fn user(value: &'static str, id: &'static str) -> Scope {
    Scope {
        value,
        id,
        admin: false,
    }
}

/// Graph's.
pub const GRAPH: &[Scope] = &[
    user("openid", ""),
    user("profile", ""),
    user("email", ""),
    user("offline_access", ""),
    user("User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"),
    user("User.ReadBasic.All", ""),
    user("Mail.Send", "e383f46e-2787-4529-855e-0e479a3ffac0"),
    user("Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca"),
    user("Mail.ReadWrite", "024d486e-b451-40bb-833d-3e66d98c5c73"),
    user(
        "MailboxSettings.Read",
        "87f447af-9fa4-4c32-9dfa-4a57a73d18ce",
    ),
    admin("User.Read.All", ""),
    admin("Application.Read.All", ""),
    admin(
        "Application.ReadWrite.All",
        "bdfbf15f-ee85-4955-8675-146e8e5296b5",
    ),
    admin(
        "AppRoleAssignment.ReadWrite.All",
        "84bccea3-f856-4a8a-967b-dbe0a3d53a64",
    ),
    admin(
        "DelegatedPermissionGrant.ReadWrite.All",
        "41ce6ca6-6826-4807-84f1-1c82854f7ee5",
    ),
    admin("Directory.Read.All", ""),
    admin(
        "Directory.ReadWrite.All",
        "c5366453-9fb0-48a5-a156-24f0c49a4b84",
    ),
    admin(
        "Directory.AccessAsUser.All",
        "0e263e50-5827-48a4-b97c-d940288653c7",
    ),
    admin("Group.Read.All", "5f8c59db-677d-491f-a6b8-5f174b11ec1d"),
    admin("GroupMember.Read.All", ""),
    admin("Organization.Read.All", ""),
    admin("Domain.Read.All", ""),
    admin("AuditLog.Read.All", ""),
    admin(
        "RoleManagement.Read.Directory",
        "741c54c3-0c1e-44a1-818b-3f97ab4e8c83",
    ),
    admin("RoleManagement.Read.Exchange", ""),
    admin(
        "RoleManagement.ReadWrite.Exchange",
        "c1499fe0-52b1-4b22-bed2-7a244e0e879f",
    ),
    admin("DelegatedAdminRelationship.Read.All", ""),
    admin("DelegatedAdminRelationship.ReadWrite.All", ""),
    admin(
        "ExchangeMessageTrace.Read.All",
        "b2e7d27e-14e7-41ad-bb15-a88ceb9c3e90",
    ),
    user("Mail.ReadBasic", "a4b8392a-d8d1-4954-a029-8e668a39a170"),
    user("Mail.Read.Shared", "7b9103a5-4610-446b-9670-80643382c1fa"),
    user(
        "Mail.ReadBasic.Shared",
        "b11fa0e7-fdb7-4dc9-b1f1-59facd463480",
    ),
    user(
        "Mail.ReadWrite.Shared",
        "5df07973-7d5d-46ed-9847-1271055cbd51",
    ),
    user("Mail.Send.Shared", "a367ab51-6b49-43bf-a716-a1fb06d2a174"),
    user(
        "Mail-Advanced.ReadWrite",
        "f3af82f6-18e0-4a41-8dc8-a03c11854a8d",
    ),
    user(
        "Mail-Advanced.ReadWrite.Shared",
        "bebf0bb6-2ff3-4295-a17d-f3561da294fb",
    ),
    user(
        "MailboxSettings.ReadWrite",
        "818c620a-27a9-40bd-a6a5-d96f7d610b4b",
    ),
    user("MailboxFolder.Read", "52dc2051-4958-4636-8f2a-281d39c6981c"),
    user(
        "MailboxFolder.ReadWrite",
        "077fde41-7e0b-4c5b-bcd1-e9d743a30c80",
    ),
    user("MailboxItem.Read", "82305458-296d-4edd-8b0b-74dd74c34526"),
    user(
        "MailboxItem.ReadWrite",
        "ec1ade38-5268-4bc8-87fa-b230e42f7a88",
    ),
    admin("MailboxItem.Export", "58d3e7fa-3ce9-4a0c-9baa-0971f64709d9"),
    admin(
        "MailboxItem.ImportExport",
        "df96e8a0-f4e1-4ecf-8d83-a429f822cbd6",
    ),
    user(
        "EWS.AccessAsUser.All",
        "9769c687-087d-48ac-9cb3-c37dde652038",
    ),
    user(
        "IMAP.AccessAsUser.All",
        "652390e4-393a-48de-9484-05f9b1212954",
    ),
    user(
        "POP.AccessAsUser.All",
        "d7b7f2d9-0f45-4ea1-9d42-e50810c06991",
    ),
    user("SMTP.Send", "258f6531-6087-4cc4-bb90-092c5fb3ed3f"),
    user(
        "EAS.AccessAsUser.All",
        "ff91d191-45a0-43fd-b837-bd682c4a0b0f",
    ),
    admin(
        "Group-Conversation.Read.All",
        "c92fbbc2-50e0-4842-93ef-385c3293ea3d",
    ),
    admin(
        "Group-Conversation.ReadWrite.All",
        "302bcbb5-855a-4e49-ae20-94a331b0281e",
    ),
    admin(
        "Group.ReadWrite.All",
        "4e46008b-f24c-477d-8fff-7bb4ec7aafe0",
    ),
    admin(
        "RoleManagement.ReadWrite.Directory",
        "d01b97e9-cbc0-49fe-810a-750afd5527a3",
    ),
    admin("Member.Read.Hidden", "f6a3db3e-f7e8-4ed2-a414-557c8c9830be"),
    user("Calendars.Read", ""),
    user("Calendars.ReadWrite", ""),
    user("Calendars.Read.Shared", ""),
    user("Calendars.ReadWrite.Shared", ""),
    user("Contacts.Read", ""),
    user("Contacts.ReadWrite", ""),
    user("Contacts.Read.Shared", ""),
    user("Contacts.ReadWrite.Shared", ""),
    admin("AgentIdentity.Read.All", ""),
    admin("AgentIdentityBlueprint.Read.All", ""),
    admin("AdministrativeUnit.Read.All", ""),
];

/// Office 365 Exchange Online's.
pub const EXCHANGE: &[Scope] = &[
    admin("Exchange.Manage", "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c"),
    admin("Exchange.ManageV2", ""),
    admin("Exchange.AdminAPI.Manage", ""),
    user(
        "EWS.AccessAsUser.All",
        "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5",
    ),
    user(
        "IMAP.AccessAsUser.All",
        "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
    ),
    user(
        "POP.AccessAsUser.All",
        "fb698133-92fa-453e-a9ed-688e10f2e5ac",
    ),
    user("SMTP.Send", "76faac2a-0f20-42f1-928a-50de5b9dbe52"),
    user(
        "EAS.AccessAsUser.All",
        "266d2589-20b5-4f91-9a03-89247d1be8da",
    ),
    user("Mail.Read", ""),
    user("Mail.ReadWrite", ""),
    user("Mail.Send", ""),
    user("MailboxSettings.ReadWrite", ""),
];
