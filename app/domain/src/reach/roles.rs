//! The permissions that Exchange's application roles give (MICROSOFT.md §3.4).

use std::borrow::Cow;

use super::permission::Permission;
use crate::permission::{Resource, looks_like_mailbox, role};

/// What a role confers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confers {
    Permissions(Vec<Permission>),
    /// Postern does not know the role, so it may confer any permission.
    Anything,
}

impl Confers {
    pub(super) fn holds(&self, permission: &Permission) -> bool {
        matches!(self, Self::Permissions(list) if list.contains(permission))
    }
}

const PREFIX: &str = "Application ";

macro_rules! roles {
    ($($role:literal => [$($permission:expr),*];)*) => {
        /// The roles' names, without the `Application ` at their beginning.
        const ROLES: &[(&str, &[Permission])] = &[$(($role, &[$($permission),*]),)*];
    };
}

const fn graph(value: &'static str) -> Permission {
    Permission::graph(value)
}

roles! {
    "Mail.Read" => [graph("Mail.Read")];
    "Mail.ReadBasic" => [graph("Mail.ReadBasic")];
    "Mail.ReadWrite" => [graph("Mail.ReadWrite")];
    "Mail.Send" => [graph("Mail.Send")];
    "MailboxSettings.Read" => [graph("MailboxSettings.Read")];
    "MailboxSettings.ReadWrite" => [graph("MailboxSettings.ReadWrite")];
    "Calendars.Read" => [graph("Calendars.Read")];
    "Calendars.ReadWrite" => [graph("Calendars.ReadWrite")];
    "Contacts.Read" => [graph("Contacts.Read")];
    "Contacts.ReadWrite" => [graph("Contacts.ReadWrite")];
    "MailboxFolder.Read" => [graph("MailboxFolder.Read.All")];
    "MailboxFolder.ReadWrite" => [graph("MailboxFolder.ReadWrite.All")];
    "MailboxItem.Read" => [graph("MailboxItem.Read.All")];
    "MailboxItem.ReadWrite" => [graph("MailboxItem.ReadWrite.All")];
    "MailboxItem.Export" => [graph("MailboxItem.Export.All")];
    "MailboxItem.ImportExport" => [graph("MailboxItem.ImportExport.All")];
    "MailboxConfigItem.Read" => [graph("MailboxConfigItem.Read")];
    "MailboxConfigItem.ReadWrite" => [graph("MailboxConfigItem.ReadWrite")];
    "MailTips.ReadBasic.All" => [graph("MailTips.ReadBasic.All")];
    "Mail-Advanced.ReadWrite.All" => [graph("Mail-Advanced.ReadWrite.All")];
    "Mail Full Access" => [graph("Mail.ReadWrite"), graph("Mail.Send")];
    "Exchange Full Access" => [
        graph("Mail.ReadWrite"),
        graph("Mail.Send"),
        graph("MailboxSettings.ReadWrite"),
        graph("Calendars.ReadWrite"),
        graph("Contacts.ReadWrite")
    ];
    "EWS.AccessAsApp" => [Permission::EWS];
    "SMTP.SendAsApp" => [Permission::exchange("SMTP.SendAsApp")];
}

/// Roles of administrators that an application can hold too, and that only read (§1.6).
const VIEW_ONLY: [&str; 2] = ["View-Only Configuration", "View-Only Recipients"];

/// The permissions that a role confers to read and send mail, by its name in any case. What an
/// administrator's role confers apart from that is a power.
///
/// A role that Microsoft adds later is understood by its name. A role that somebody made, or one of
/// an administrator, may confer anything.
pub fn confers(role: &str) -> Confers {
    let role = role.trim();
    if VIEW_ONLY.iter().any(|name| name.eq_ignore_ascii_case(role)) {
        return Confers::Permissions(Vec::new());
    }
    if role::management(role) == role::Management::Decides {
        return Confers::Permissions(Vec::new());
    }
    let Some(name) = role
        .get(..PREFIX.len())
        .filter(|start| start.eq_ignore_ascii_case(PREFIX))
        .and_then(|_| role.get(PREFIX.len()..))
    else {
        return Confers::Anything;
    };
    if let Some((_, permissions)) = ROLES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
    {
        return Confers::Permissions(permissions.to_vec());
    }
    if looks_like_mailbox(Resource::Graph, name) && !name.contains(' ') {
        return Confers::Permissions(vec![Permission {
            resource: Resource::Graph,
            value: Cow::Owned(name.to_owned()),
        }]);
    }
    Confers::Anything
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composite_roles_hold_each_of_their_permissions() {
        let full = confers("application EXCHANGE full access");
        for value in [
            "Mail.ReadWrite",
            "Mail.Send",
            "MailboxSettings.ReadWrite",
            "Calendars.ReadWrite",
            "Contacts.ReadWrite",
        ] {
            assert!(full.holds(&Permission::graph(value)), "{value}");
        }
        assert!(!full.holds(&Permission::graph("MailboxItem.Export.All")));
        let mail = confers("Application Mail Full Access");
        assert!(mail.holds(&Permission::graph("Mail.Send")));
        assert!(!mail.holds(&Permission::graph("Contacts.ReadWrite")));
    }

    #[test]
    fn a_role_that_nobody_knows_may_hold_anything() {
        for role in [
            "Our mailers",
            "ApplicationImpersonation",
            "Application Mail Something",
            "",
        ] {
            assert_eq!(confers(role), Confers::Anything, "{role}");
        }
        assert!(confers("Application Mail.Archive").holds(&Permission::graph("Mail.Archive")));
        assert_eq!(
            confers("View-Only Recipients"),
            Confers::Permissions(Vec::new())
        );
    }

    #[test]
    fn every_permission_of_a_role_is_a_known_one() {
        for (role, permissions) in ROLES {
            for permission in *permissions {
                assert!(
                    crate::permission::find_value(permission.resource, &permission.value).is_some(),
                    "{role}"
                );
            }
        }
    }
}
