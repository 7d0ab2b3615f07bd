//! Every change of the cloud: what, when, by whom, in which request.
//!
//! A campaign compares it with what its clients wrote down, so nothing is ever dropped from it
//! but by a reset, and a change that a handler makes without noting it here is a defect.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Time;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    Created,
    Changed,
    Removed,
}

/// What kind of thing an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    Group,
    /// One membership: the object is `group id/member id`.
    Member,
    Policy,
    Pointer,
    Scope,
    RoleAssignment,
    AppRoleAssignment,
    /// Delegated scopes given to an application.
    Consent,
    ServicePrincipal,
    Organization,
    User,
    Application,
    AdministrativeUnit,
    /// A directory role that somebody holds.
    DirectoryRole,
    Relationship,
    Mail,
    Mailbox,
    /// A right on a mailbox: the object is `mailbox/holder/right`.
    MailboxRight,
    RoleGroup,
    /// The object is `role group/member id`.
    RoleGroupMember,
}

/// A change as the code that makes it knows it.
#[derive(Debug, Clone)]
pub struct Change {
    pub deed: Deed,
    pub thing: Thing,
    /// Stable for the object's life: its id, or an access policy's identity.
    pub object: String,
    pub name: String,
    /// What was set, or what else identifies it; an object of JSON.
    pub detail: Value,
}

impl Change {
    pub fn new(
        deed: Deed,
        thing: Thing,
        object: impl ToString,
        name: impl Into<String>,
        detail: Value,
    ) -> Self {
        Self {
            deed,
            thing,
            object: object.to_string(),
            name: name.into(),
            detail,
        }
    }
}

/// Who made a change, and with which request.
#[derive(Debug, Clone, Serialize)]
pub struct Actor {
    /// `exchange`, `graph`, `entra`, or `control` for the control paths.
    pub host: &'static str,
    /// As in the log: `New-DistributionGroup`, `POST /users/{id}/sendMail` …
    pub operation: String,
    /// The application that acted, for itself or for a person.
    pub app_id: Option<Uuid>,
    /// The person that it acted for.
    pub user: Option<String>,
    /// As in the answer's `request-id`.
    pub request_id: String,
    pub client_request_id: Option<String>,
}

impl Actor {
    /// A test that turns a knob.
    pub fn control(operation: &str) -> Self {
        Self {
            host: "control",
            operation: operation.to_owned(),
            app_id: None,
            user: None,
            request_id: String::new(),
            client_request_id: None,
        }
    }
}

/// One change as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    pub number: u64,
    /// The cloud's time.
    pub time: Time,
    pub tenant: Uuid,
    pub deed: Deed,
    pub kind: Thing,
    pub object: String,
    pub name: String,
    pub detail: Value,
    #[serde(flatten)]
    pub by: Actor,
}

/// All changes, by tenant.
#[derive(Debug, Default)]
pub struct Journal {
    entries: BTreeMap<Uuid, Vec<Entry>>,
    next: u64,
}

impl Journal {
    /// Writes changes of one request down, in order.
    pub fn note(&mut self, time: Time, tenant: Uuid, by: &Actor, changes: Vec<Change>) {
        for change in changes {
            self.next += 1;
            self.entries.entry(tenant).or_default().push(Entry {
                number: self.next,
                time,
                tenant,
                deed: change.deed,
                kind: change.thing,
                object: change.object,
                name: change.name,
                detail: change.detail,
                by: by.clone(),
            });
        }
    }

    /// The changes of one tenant, the oldest first.
    pub fn of(&self, tenant: Uuid) -> &[Entry] {
        self.entries.get(&tenant).map_or(&[], Vec::as_slice)
    }

    /// The changes of all tenants, the oldest first.
    pub fn all(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.values().flatten().collect();
        all.sort_by_key(|entry| entry.number);
        all
    }
}
