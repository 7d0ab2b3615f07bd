//! App roles of resources other than Graph and Exchange that reach mail, or tell who wrote to whom
//! (MICROSOFT.md §10.2). Only these roles of such resources matter. No access policy governs one of
//! them, and none has a scoped role.

use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

use crate::id::AppRoleId;

/// The API that an app role belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherResource {
    /// Downloads the exports of eDiscovery.
    PurviewEdiscovery,
    /// The older API of Defender.
    ThreatProtection,
    /// The audit feed.
    ManagementApis,
}

impl OtherResource {
    pub const ALL: [Self; 3] = [
        Self::PurviewEdiscovery,
        Self::ThreatProtection,
        Self::ManagementApis,
    ];

    /// The resource's own application id, the same in every tenant.
    pub const fn app_id(self) -> Uuid {
        match self {
            Self::PurviewEdiscovery => uuid!("b26e684c-5068-4120-a679-64a5d2c909d9"),
            Self::ThreatProtection => uuid!("8ee8fdad-f234-4243-8f3b-15c294843740"),
            Self::ManagementApis => uuid!("c5393580-f805-4401-95e8-94b7a6ef2fc2"),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::PurviewEdiscovery => "Microsoft Purview eDiscovery",
            Self::ThreatProtection => "Microsoft Threat Protection",
            Self::ManagementApis => "Office 365 Management APIs",
        }
    }
}

/// What an app role of such a resource allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherRole {
    /// It reaches mail, together with something that Postern cannot read: a case, a role in
    /// Purview.
    ReachesMail,
    /// It tells who wrote to whom.
    Metadata,
}

/// What a role allows. None: nothing about mail. `value`: the tenant's name for the role.
pub fn other(resource: OtherResource, role: AppRoleId, value: Option<&str>) -> Option<OtherRole> {
    let named = |name: &str, id: Uuid| value.map_or(role.0 == id, |value| value == name);
    match resource {
        // One role of this resource is known, and its id is not. Any other role of it is for
        // exports too.
        OtherResource::PurviewEdiscovery => Some(OtherRole::ReachesMail),
        OtherResource::ThreatProtection => named(
            "AdvancedHunting.Read.All",
            uuid!("7734e8e5-8dde-42fc-b5ae-6eafea078693"),
        )
        .then_some(OtherRole::Metadata),
        OtherResource::ManagementApis => (named(
            "ActivityFeed.Read",
            uuid!("594c1fb6-4f81-4475-ae41-0c394909246c"),
        ) || named(
            "ActivityFeed.ReadDlp",
            uuid!("4807a72c-ad38-4250-94c9-4eabfe26cd55"),
        ))
        .then_some(OtherRole::Metadata),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_r11_roles_of_other_resources_are_known_by_name_and_by_id() {
        use OtherResource::{ManagementApis, PurviewEdiscovery, ThreatProtection};
        let id = |text: &str| AppRoleId(text.parse().unwrap());
        let any = id("00000000-0000-0000-0000-000000000001");
        let hunting = id("7734e8e5-8dde-42fc-b5ae-6eafea078693");
        for (resource, role, value, expected) in [
            (
                PurviewEdiscovery,
                any,
                Some("eDiscovery.Download.Read"),
                Some(OtherRole::ReachesMail),
            ),
            (PurviewEdiscovery, any, None, Some(OtherRole::ReachesMail)),
            (
                ThreatProtection,
                any,
                Some("AdvancedHunting.Read.All"),
                Some(OtherRole::Metadata),
            ),
            (ThreatProtection, hunting, None, Some(OtherRole::Metadata)),
            (ThreatProtection, hunting, Some("Incident.Read.All"), None),
            (
                ManagementApis,
                any,
                Some("ActivityFeed.ReadDlp"),
                Some(OtherRole::Metadata),
            ),
            (ManagementApis, any, Some("ServiceHealth.Read"), None),
        ] {
            assert_eq!(other(resource, role, value), expected, "{value:?}");
        }
    }
}
