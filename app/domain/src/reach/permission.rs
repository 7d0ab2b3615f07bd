//! Which mailbox permission a grant in Entra is (MICROSOFT.md §4).

use std::{borrow::Cow, cmp::Ordering};

use serde::{Deserialize, Serialize};

use super::seen::Grant;
use crate::permission::{self, Coverage, MAILBOX_PERMISSIONS, Place, Resource, Weight};

/// A mailbox permission: what is asked for at which API. Grants in Entra and roles of Exchange
/// that let an application do the same are the same permission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Permission {
    pub resource: Resource,
    /// Such as `Mail.Send`; the app role's id where its name is not known.
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

    /// What lists and pages call it. Exchange Online has roles of its own with the names of
    /// Graph's: those say so.
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

    /// Whether something can leave the mailbox in its name: mail, invitations, what a rule
    /// forwards (MICROSOFT.md §10.7).
    pub fn sends(&self) -> bool {
        self.weight().sends()
    }

    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        permission::find_value(self.resource, &self.value).map_or_else(
            || permission::weight_by_name(&self.value),
            |known| known.weight,
        )
    }

    /// Which mailboxes it is about.
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

    /// Whether it reaches through SMTP, which wants the right to send too.
    pub(super) fn is_smtp(&self) -> bool {
        self.resource == Resource::Exchange && self.value.starts_with("SMTP.")
    }

    /// To end “it can …”.
    pub fn can(&self) -> &'static str {
        permission::find_value(self.resource, &self.value)
            .map_or("reach into mailboxes", |known| known.can)
    }

    /// Whether an access policy governs every grant of it, also one that nobody has seen
    /// (MICROSOFT.md §4). What is not known to be governed is not; and EWS has a second name that
    /// is not on the list.
    pub(super) fn unseen_coverage(&self) -> Coverage {
        permission::find_value(self.resource, &self.value)
            .filter(|_| *self != Self::EWS)
            .map_or(Coverage::Beyond, |known| known.coverage)
    }

    /// Whether it belongs to the Outlook API that Microsoft has retired: Exchange Online has such
    /// roles of its own, which no role of Exchange replaces (§3.5).
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

    /// Whether it can have only the app role id that the table has: then a role without a name
    /// and with another id is not this permission. Some of Exchange's ids have one source only,
    /// and EWS may have a second name (§4).
    pub(super) fn has_certain_id(&self) -> bool {
        self.resource == Resource::Graph
            && permission::find_value(self.resource, &self.value).is_some()
    }

    /// Its place in the list of permissions, the worst first; legacy Outlook roles stand where
    /// Graph's role of that name does, and what is in no list stands last.
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

/// What a grant is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Mailbox {
        permission: Permission,
        coverage: Coverage,
    },
    /// It reaches no mailbox.
    Elsewhere,
    /// The tenant did not tell what the role is called, and its id is not a known one.
    Unnamed { permission: Permission },
}

/// What a grant of a resource is as a mailbox permission. The name that the tenant's own principal of the resource gives
/// to the role wins over the table of ids: some of those ids have one source only (§4).
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
        // The same access as `full_access_as_app`, but not on the list of what policies govern.
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
