//! The principals that hold something, and what pages tell of them (MICROSOFT.md §7.1).

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    id::{AppId, ObjectId, TenantId},
    reach::{
        AppCredential, CredentialKind, CredentialOf, Pointer, Principal, PrincipalDetails,
        PrincipalKind, ScanPart,
    },
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Part, assignments::Raw, grants::Grants, log::Log, unread::Unread};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// The principals, and the details of each.
#[derive(Debug)]
pub(super) struct Principals {
    pub(super) list: Result<Vec<Principal>>,
    pub(super) details: BTreeMap<ObjectId, Found>,
}

/// Details before it is known what a failure means.
#[derive(Debug)]
pub(super) struct Found {
    details: PrincipalDetails,
    registration: Result<()>,
}

impl Found {
    pub(super) fn seen(self, unread: &Unread) -> PrincipalDetails {
        let mut details = self.details;
        details
            .credentials
            .sort_by_key(|one| (one.ends_at.is_none(), one.ends_at, one.clone()));
        PrincipalDetails {
            registration_unread: self.registration.err().map(|error| unread.why(&error)),
            ..details
        }
    }
}

const PROPERTIES: &str = "id,appId,displayName,appOwnerOrganizationId,publisherName,servicePrincipalType,accountEnabled,verifiedPublisher,createdDateTime,notes,keyCredentials,passwordCredentials";

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: ObjectId,
    app_id: AppId,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    app_owner_organization_id: Option<TenantId>,
    #[serde(default)]
    publisher_name: Option<String>,
    #[serde(default)]
    service_principal_type: Option<String>,
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default)]
    verified_publisher: Option<Publisher>,
    #[serde(default)]
    created_date_time: Option<String>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Publisher {
    #[serde(default)]
    display_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    #[serde(default)]
    key_credentials: Vec<Credential>,
    #[serde(default)]
    password_credentials: Vec<Credential>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    end_date_time: Option<String>,
}

impl Credentials {
    fn of(self, of: CredentialOf) -> impl Iterator<Item = AppCredential> {
        let one = move |kind| {
            move |found: Credential| AppCredential {
                kind,
                of,
                name: found.display_name.filter(|name| !name.is_empty()),
                ends_at: found.end_date_time.as_deref().and_then(time),
            }
        };
        let keys = self.key_credentials.into_iter();
        let secrets = self.password_credentials.into_iter();
        keys.map(one(CredentialKind::Certificate))
            .chain(secrets.map(one(CredentialKind::Secret)))
    }
}

fn time(text: &str) -> Option<Timestamp> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.to_utc().into())
}

impl Row {
    fn split(self) -> (Principal, PrincipalDetails) {
        let principal = Principal {
            object: self.id,
            app_id: self.app_id,
            name: self
                .display_name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| self.app_id.to_string()),
            kind: PrincipalKind::from(
                self.service_principal_type
                    .unwrap_or_else(|| "Application".to_owned()),
            ),
            enabled: self.account_enabled,
            owner_tenant: self.app_owner_organization_id,
            publisher: self.publisher_name.filter(|name| !name.is_empty()),
        };
        let details = PrincipalDetails {
            verified_publisher: self
                .verified_publisher
                .and_then(|publisher| publisher.display_name)
                .filter(|name| !name.is_empty()),
            owner_tenant: self.app_owner_organization_id,
            created_at: self.created_date_time.as_deref().and_then(time),
            notes: self.notes.filter(|text| !text.is_empty()),
            credentials: self.credentials.of(CredentialOf::Principal).collect(),
            registration_unread: None,
            federated: None,
            owners: None,
        };
        (principal, details)
    }
}

/// `registered`: whether to read the registrations of the tenant's own as well.
pub(super) async fn read(log: &Log<'_>, ids: &[ObjectId], registered: bool) -> Principals {
    let rows = log
        .part(ScanPart::Principals, |customer| async move {
            let rows = rows(&customer, ids).await?;
            Ok((rows.len(), rows))
        })
        .await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            return Principals {
                list: Err(error),
                details: BTreeMap::new(),
            };
        }
    };
    let mut list = Vec::new();
    let mut details = BTreeMap::new();
    for row in rows {
        let (principal, found) = row.split();
        let found = Found {
            details: found,
            registration: Ok(()),
        };
        details.insert(principal.object, found);
        list.push(principal);
    }
    if registered {
        registrations(log, &list, &mut details).await;
    }
    Principals {
        list: Ok(list),
        details,
    }
}

/// Whoever holds something that was read.
pub(super) fn holders(
    grants: &Grants,
    assignments: &Part<Vec<Raw>>,
    pointers: &Part<Vec<Pointer>>,
) -> Vec<ObjectId> {
    let of_graph = grants.graph.iter().flatten();
    let of_exchange = grants.exchange.iter().flatten().flatten();
    let mut ids: Vec<ObjectId> = of_graph
        .chain(of_exchange)
        .map(|grant| grant.principal)
        .collect();
    let pointers: &[Pointer] = pointers.as_ref().map_or(&[], |list| list.as_slice());
    for raw in assignments.iter().flat_map(|list| list.iter()) {
        let assignee = raw.assignee.trim();
        let id = Uuid::try_parse(assignee).ok();
        let before = ids.len();
        ids.extend(
            pointers
                .iter()
                .filter(|pointer| {
                    id.is_some_and(|id| {
                        pointer.object.0 == id || pointer.app_id.is_some_and(|app| app.0 == id)
                    }) || pointer
                        .names
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(assignee))
                })
                .map(|pointer| pointer.object),
        );
        if ids.len() == before {
            ids.extend(id.map(ObjectId));
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Those that exist; a principal that is gone is left out.
async fn rows(customer: &Customer, ids: &[ObjectId]) -> Result<Vec<Row>> {
    let mut query = format!("?$select={PROPERTIES}");
    let mut waiting: Vec<ObjectId> = ids.to_vec();
    let mut rows = Vec::new();
    while !waiting.is_empty() {
        let paths: Vec<String> = waiting
            .iter()
            .map(|id| format!("/servicePrincipals/{id}{query}"))
            .collect();
        let answers = customer.graph_batch_each(&paths).await?;
        let mut again = Vec::new();
        for (asked, answer) in waiting.iter().zip(answers.value) {
            let body = match answer {
                Ok(Some(body)) => body,
                Ok(None) => continue,
                // Some of the properties are not in every version of Graph: then all that it has.
                Err(error) if is_bad_request(&error) && !query.is_empty() => {
                    again.push(*asked);
                    continue;
                }
                Err(error) => return Err(error),
            };
            match serde_json::from_value::<Row>(body) {
                Ok(row) if row.id == *asked => rows.push(row),
                _ => {
                    return Err(Error::new(Service::Graph, Kind::Malformed, answers.trace)
                        .with_message(format!("the service principal {asked} is unreadable")));
                }
            }
        }
        query.clear();
        waiting = again;
    }
    Ok(rows)
}

fn is_bad_request(error: &Error) -> bool {
    *error.kind() == Kind::Other && error.code() == Some("BadRequest")
}

/// Adds the credentials of the registrations of those that are the tenant's own.
async fn registrations(
    log: &Log<'_>,
    principals: &[Principal],
    details: &mut BTreeMap<ObjectId, Found>,
) {
    let own: Vec<&Principal> = principals
        .iter()
        .filter(|principal| {
            principal.owner_tenant == Some(log.tenant())
                && principal.kind == PrincipalKind::Application
        })
        .collect();
    if own.is_empty() {
        return;
    }
    let running = log.begin(ScanPart::Registrations);
    let paths: Vec<String> = own
        .iter()
        .map(|principal| {
            let app = principal.app_id;
            format!(
                "/applications(appId='{app}')?$select=id,appId,keyCredentials,passwordCredentials"
            )
        })
        .collect();
    let answers = match running.customer.graph_batch_each(&paths).await {
        Ok(call) => call.value,
        Err(error) => own.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut count: Result<usize> = Ok(0);
    for (principal, answer) in own.iter().zip(answers) {
        let found = answer.and_then(|body| match body {
            // A principal can outlive its registration.
            None => Ok(None),
            Some(body) => serde_json::from_value::<Credentials>(body)
                .map(Some)
                .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string())),
        });
        let Some(details) = details.get_mut(&principal.object) else {
            continue;
        };
        match found {
            Ok(found) => {
                let credentials = found.unwrap_or_default();
                details
                    .details
                    .credentials
                    .extend(credentials.of(CredentialOf::Registration));
                count = count.map(|count| count.saturating_add(1));
            }
            Err(error) => {
                details.registration = Err(error.clone());
                count = count.and(Err(error));
            }
        }
    }
    log.end(&running, count);
}
