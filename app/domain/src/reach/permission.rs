//! Tells which mailbox permission a grant in Entra is (MICROSOFT.md §4).

use std::{borrow::Cow, cmp::Ordering};

use serde::{Deserialize, Serialize};

use super::seen::Grant;
use crate::permission::{self, Coverage, MAILBOX_PERMISSIONS, Place, Resource, Weight};

/// A mailbox permission: a resource (API) and a value. A grant in Entra and a role of Exchange that
/// permit the same thing are the same permission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Permission {
    pub resource: Resource,
    /// For example `Mail.Send`; the app role's id where its name is not known.
    pub value: Cow<'static, str>,
}

impl Permission {
    pub const fn new(resource: Resource, value: &'static str) -> Self {
        Self {
            resource,
            value: Cow::Borrowed(value),
        }
    }

    pub const fn graph(value: &'static str) -> Self {
        Self::new(Resource::Graph, value)
    }

    pub const fn exchange(value: &'static str) -> Self {
        Self::new(Resource::Exchange, value)
    }

    /// Everything through EWS: `full_access_as_app` in Entra, `Application EWS.AccessAsApp` in
    /// Exchange.
    pub const EWS: Self = Self::exchange("full_access_as_app");

    /// The permission's name on pages. Some roles of Exchange Online have the same names as
    /// Graph's: those get “(Exchange Online)” added.
    pub fn name(&self) -> String {
        let only_exchange = permission::find_value(Resource::Graph, &self.value).is_none()
            && permission::find_value(Resource::Exchange, &self.value).is_some();
        match self.resource {
            Resource::Exchange if !only_exchange => {
                format!("{} (Exchange Online)", self.value)
            }
            _ => self.value.to_string(),
        }
    }

    /// Whether something can leave the mailbox in its name: mail, invitations, mail that a rule
    /// forwards (MICROSOFT.md §10.7).
    pub fn sends(&self) -> bool {
        self.weight().sends()
    }

    /// How dangerous the permission is.
    pub fn weight(&self) -> Weight {
        permission::find_value(self.resource, &self.value).map_or_else(
            || permission::weight_by_name(&self.value),
            |known| known.weight,
        )
    }

    /// The mailboxes that the permission is about.
    pub fn place(&self) -> Place {
        permission::find_value(self.resource, &self.value).map_or_else(
            || {
                if permission::looks_elsewhere(self.resource, &self.value) {
                    Place::Unclear
                } else {
                    Place::Mailboxes
                }
            },
            |known| known.place,
        )
    }

    /// Whether the grant in Entra reaches only the mailboxes on which Exchange gave the service
    /// principal rights (MICROSOFT.md §2.6).
    pub fn needs_rights(&self) -> bool {
        self.resource == Resource::Exchange
            && ["IMAP.", "POP.", "SMTP."]
                .iter()
                .any(|prefix| self.value.starts_with(prefix))
    }

    /// Whether it reaches mailboxes through SMTP, which also needs the right to send.
    pub(super) fn is_smtp(&self) -> bool {
        self.resource == Resource::Exchange && self.value.starts_with("SMTP.")
    }

    /// What the permission allows. The text follows “it can”.
    pub fn can(&self) -> &'static str {
        permission::find_value(self.resource, &self.value)
            .map_or("reach into mailboxes", |known| known.can)
    }

    /// Whether an access policy governs every grant of this permission, also a grant that was not
    /// read (MICROSOFT.md §4). A permission counts as governed only if that is known. EWS does not,
    /// because it has a second name that is not on the list.
    pub(super) fn unseen_coverage(&self) -> Coverage {
        permission::find_value(self.resource, &self.value)
            .filter(|_| *self != Self::EWS)
            .map_or(Coverage::Beyond, |known| known.coverage)
    }

    /// Whether it belongs to the Outlook API that Microsoft has retired. Exchange Online has app
    /// roles of its own for it, which no role of Exchange replaces (§3.5).
    pub fn is_retired_outlook(&self) -> bool {
        self.resource == Resource::Exchange
            && [
                "Mail.",
                "MailboxSettings.",
                "Calendars.",
                "Contacts.",
                "Tasks.",
            ]
            .iter()
            .any(|prefix| self.value.starts_with(prefix))
    }

    /// Whether the table's app role id is the only one that this permission can have. An unnamed
    /// role with another id is then a different permission. False for every permission of Exchange:
    /// some of Exchange's ids have one source only, and EWS may have a second name (§4).
    pub(super) fn has_certain_id(&self) -> bool {
        self.resource == Resource::Graph
            && permission::find_value(self.resource, &self.value).is_some()
    }

    /// The position in the list of permissions, the worst first. Legacy Outlook roles have the
    /// position of Graph's role of the same name. What is in no list comes last.
    fn rank(&self) -> usize {
        let place = |same: &dyn Fn(&permission::MailboxPermission) -> bool| {
            MAILBOX_PERMISSIONS.iter().position(same)
        };
        place(&|known| known.resource == self.resource && known.value == self.value)
            .or_else(|| place(&|known| known.value == self.value))
            .unwrap_or(MAILBOX_PERMISSIONS.len())
    }
}

impl PartialOrd for Permission {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Permission {
    /// The worst first.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.rank(), one.resource);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.value.cmp(&other.value))
    }
}

/// The meaning of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Mailbox {
        permission: Permission,
        coverage: Coverage,
    },
    /// The grant reaches no mailbox.
    Elsewhere,
    /// The tenant gave no name for the role, and the role's id is not in the table.
    Unnamed { permission: Permission },
}

/// The mailbox permission that a grant of a resource gives. The name that the tenant's own
/// principal of the resource gives the role wins over the table of ids, because some of those ids
/// have one source only (§4).
pub(super) fn meaning(resource: Resource, grant: &Grant) -> Meaning {
    let known = |known: &permission::MailboxPermission| Meaning::Mailbox {
        permission: Permission::new(resource, known.value),
        coverage: known.coverage,
    };
    let Some(value) = grant.value.as_deref().filter(|value| !value.is_empty()) else {
        return permission::find(resource, grant.role).map_or_else(
            || Meaning::Unnamed {
                permission: Permission {
                    resource,
                    value: Cow::Owned(grant.role.to_string()),
                },
            },
            known,
        );
    };
    if let Some(listed) = permission::find_value(resource, value) {
        return known(listed);
    }
    if resource == Resource::Exchange && value == "EWS.AccessAsApp" {
        // The same access as `full_access_as_app`, but not on the list of permissions that policies
        // govern.
        return Meaning::Mailbox {
            permission: Permission::EWS,
            coverage: Coverage::Beyond,
        };
    }
    if permission::looks_like_mailbox(resource, value)
        || permission::looks_elsewhere(resource, value)
    {
        return Meaning::Mailbox {
            permission: Permission {
                resource,
                value: Cow::Owned(value.to_owned()),
            },
            coverage: Coverage::Beyond,
        };
    }
    Meaning::Elsewhere
}
