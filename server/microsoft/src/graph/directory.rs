//! The organisation, its groups, and the roles of the account that consented.

use domain::{address::MailAddress, id::ObjectId};
use serde::Deserialize;
use serde_json::Value;
use uuid::{Uuid, uuid};

use super::answer::quoted;
use crate::{
    call::Call,
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// Role templates whose holders may do everything that a setup needs (MICROSOFT.md §6.5).
pub const EXCHANGE_ADMINISTRATOR: Uuid = uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de");
pub const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

/// A customer's organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub name: String,
    /// The domain for the addresses of new groups.
    pub default_domain: String,
    /// All verified domains.
    pub domains: Vec<String>,
}

/// A group as the directory shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryGroup {
    pub id: ObjectId,
    #[serde(default, deserialize_with = "crate::names::name")]
    pub display_name: Option<String>,
    #[serde(default)]
    pub mail: Option<String>,
    #[serde(default)]
    pub mail_enabled: Option<bool>,
    #[serde(default)]
    pub security_enabled: Option<bool>,
    /// Empty for a mail-enabled security group (MICROSOFT.md §7.2).
    #[serde(default)]
    pub group_types: Vec<String>,
}

impl DirectoryGroup {
    /// Whether the group is of the only kind that an access policy takes.
    pub fn is_mail_enabled_security(&self) -> bool {
        self.mail_enabled == Some(true)
            && self.security_enabled == Some(true)
            && self.group_types.is_empty()
    }
}

const GROUP_PROPERTIES: &str = "id,displayName,mail,mailEnabled,securityEnabled,groupTypes";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationRow {
    id: String,
    #[serde(default, deserialize_with = "crate::names::name")]
    display_name: Option<String>,
    #[serde(default)]
    verified_domains: Vec<Domain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    name: String,
    #[serde(default)]
    is_default: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    #[serde(default)]
    role_template_id: Option<Uuid>,
}

impl Customer {
    /// Name and domains of the organisation.
    ///
    /// # Errors
    /// [`Kind::Mismatch`] when the token belongs to another tenant, and the usual errors.
    pub async fn organization(&self) -> Result<Call<Organization>> {
        let call: Call<Vec<OrganizationRow>> = self
            .graph_list(
                &["organization"],
                &[("$select", "id,displayName,verifiedDomains")],
            )
            .await?;
        let trace = call.trace;
        let Some(row) = call.value.into_iter().next() else {
            return Err(Error::new(Service::Graph, Kind::Malformed, trace)
                .with_message("there is no organisation in the answer"));
        };
        if !row.id.eq_ignore_ascii_case(&self.tenant.to_string()) {
            return Err(Error::new(Service::Graph, Kind::Mismatch, trace)
                .with_message("the organisation is another tenant than was asked for"));
        }
        let default_domain = row
            .verified_domains
            .iter()
            .find(|domain| domain.is_default)
            .or(row.verified_domains.first())
            .map(|domain| domain.name.to_lowercase());
        let Some(default_domain) = default_domain else {
            return Err(Error::new(Service::Graph, Kind::Malformed, trace)
                .with_message("the organisation has no verified domain"));
        };
        Ok(Call {
            value: Organization {
                name: row
                    .display_name
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| default_domain.clone()),
                default_domain,
                domains: row
                    .verified_domains
                    .into_iter()
                    .map(|domain| domain.name.to_lowercase())
                    .collect(),
            },
            trace,
        })
    }

    /// A group by its object id. None while the directory does not show it.
    pub async fn directory_group(&self, group: ObjectId) -> Result<Call<Option<DirectoryGroup>>> {
        self.graph_object_if_any(
            &["groups", &group.to_string()],
            &[("$select", GROUP_PROPERTIES)],
        )
        .await
    }

    /// A group by its address. None while the directory does not show it.
    pub async fn directory_group_by_mail(
        &self,
        address: &MailAddress,
    ) -> Result<Call<Option<DirectoryGroup>>> {
        let filter = format!("mail eq {}", quoted(address.as_str()));
        let call: Call<Vec<DirectoryGroup>> = self
            .graph_list(
                &["groups"],
                &[("$filter", &filter), ("$select", GROUP_PROPERTIES)],
            )
            .await?;
        // The request filters by address, but the result is checked here as well.
        Ok(call.map(|groups| {
            groups.into_iter().find(|group| {
                group
                    .mail
                    .as_deref()
                    .is_some_and(|mail| mail.eq_ignore_ascii_case(address.as_str()))
            })
        }))
    }

    /// The directory roles of the account that consented, as template ids: see
    /// [`EXCHANGE_ADMINISTRATOR`] and [`GLOBAL_ADMINISTRATOR`]. A token issued before the role was
    /// assigned lacks the role (MICROSOFT.md §1.6).
    pub async fn my_roles(&self) -> Result<Call<Vec<Uuid>>> {
        let call: Call<Vec<Value>> = self
            .graph_list(
                &["me", "transitiveMemberOf", "microsoft.graph.directoryRole"],
                &[("$select", "id,displayName,roleTemplateId")],
            )
            .await?;
        Ok(call.map(|rows| {
            rows.into_iter()
                .filter_map(|row| serde_json::from_value::<Role>(row).ok())
                .filter_map(|role| role.role_template_id)
                .collect()
        }))
    }
}
