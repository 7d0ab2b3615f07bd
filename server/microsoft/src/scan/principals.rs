//! The principals that hold something, and their details for pages (MICROSOFT.md §7.1).

mod owners;
mod registration;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    id::{AppId, ObjectId, TenantId},
    reach::{
        AppCredential, AppOwner, CredentialKind, CredentialOf, FederatedIdentity, OwnerKind,
        Ownership, Pointer, Principal, PrincipalDetails, PrincipalKind, ScanPart,
    },
};
use serde::Deserialize;
use uuid::Uuid;

use self::owners::OwnerRow;
pub(super) use self::owners::of_one as owned_by;
use super::{Part, assignments::Raw, grants::Grants, log::Log, unread::Unread};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

/// The principals, and the details of each.
#[derive(Debug)]
pub(super) struct Principals {
    pub(super) list: Result<Vec<Principal>>,
    pub(super) details: BTreeMap<ObjectId, Found>,
    /// Which principals own which of these principals.
    pub(super) ownerships: Result<Vec<Ownership>>,
}

/// Details of a principal. The errors are not interpreted yet.
#[derive(Debug)]
pub(super) struct Found {
    details: PrincipalDetails,
    registration: Result<()>,
    /// None when there is no registration in this tenant that could have federated credentials.
    federated: Option<Result<Vec<FederatedIdentity>>>,
    /// None when the owners were not requested.
    owners: Option<Result<Vec<AppOwner>>>,
}

impl Found {
    pub(super) fn seen(self, unread: &Unread) -> PrincipalDetails {
        let mut details = self.details;
        details
            .credentials
            .sort_by_key(|one| (one.ends_at.is_none(), one.ends_at, one.clone()));
        PrincipalDetails {
            registration_unread: self.registration.err().map(|error| unread.why(&error)),
            federated: self.federated.map(|found| unread.part(found)),
            owners: self.owners.map(|found| unread.part(found)),
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
    #[serde(default, deserialize_with = "crate::names::name")]
    display_name: Option<String>,
    #[serde(default)]
    app_owner_organization_id: Option<TenantId>,
    #[serde(default, deserialize_with = "crate::names::name")]
    publisher_name: Option<String>,
    #[serde(default)]
    service_principal_type: Option<String>,
    #[serde(default)]
    account_enabled: Option<bool>,
    #[serde(default)]
    verified_publisher: Option<Publisher>,
    #[serde(default)]
    created_date_time: Option<String>,
    #[serde(default, deserialize_with = "crate::names::text")]
    notes: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
    /// 20 at most, however many there are (MICROSOFT.md §7.5).
    #[serde(default)]
    owners: Option<Vec<OwnerRow>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Publisher {
    #[serde(default, deserialize_with = "crate::names::name")]
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
    #[serde(default, deserialize_with = "crate::names::name")]
    display_name: Option<String>,
    #[serde(default)]
    end_date_time: Option<String>,
}

/// The object id of a service principal and its credentials, from a response that holds only these.
pub(super) fn credentials(body: serde_json::Value) -> Result<(ObjectId, Vec<AppCredential>)> {
    #[derive(Deserialize)]
    struct Only {
        id: ObjectId,
        #[serde(flatten)]
        credentials: Credentials,
    }
    let Only { id, credentials } = serde_json::from_value(body)
        .map_err(|error| Error::unsent(Service::Graph, Kind::Malformed, error.to_string()))?;
    Ok((id, credentials.of(CredentialOf::Principal).collect()))
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
            ..PrincipalDetails::default()
        };
        (principal, details)
    }
}

/// How many times the owners of owners are followed.
const ROUNDS: usize = 4;

/// Reads one application without its registration, its owners, and the applications that it owns.
pub(super) async fn read_some(log: &Log<'_>, ids: &[ObjectId]) -> Principals {
    let rows = log
        .part(ScanPart::Principals, |customer| async move {
            let rows = rows(&customer, ids, false).await?;
            Ok((rows.len(), rows))
        })
        .await;
    let mut found = Principals::new();
    match rows {
        Ok(rows) => {
            found.take(rows);
        }
        Err(error) => found.list = Err(error),
    }
    found
}

/// Reads all these principals with their registrations and their owners.
pub(super) async fn read(log: &Log<'_>, ids: &[ObjectId]) -> Principals {
    let principals = log.begin(ScanPart::Principals);
    let registered = log.begin(ScanPart::Registrations);
    let owned = log.begin(ScanPart::Owners);
    let mut found = Principals::new();
    let outside = log.begin(ScanPart::Federated);
    // The results for registrations and federated credentials. None where no application is
    // registered in this tenant.
    let mut registrations: Option<(Result<usize>, Result<usize>)> = None;
    let mut owners: Result<usize> = Ok(0);
    let mut known: BTreeSet<ObjectId> = ids.iter().copied().collect();
    let mut waiting = ids.to_vec();
    let mut rounds = ROUNDS;
    while !waiting.is_empty() {
        if rounds == 0 {
            let message = "applications own applications that own applications, and so on";
            owners = Err(Error::unsent(Service::Graph, Kind::TooMany, message));
            break;
        }
        rounds = rounds.saturating_sub(1);
        let rows = match rows(&principals.customer, &waiting, true).await {
            Ok(rows) => rows,
            Err(error) => {
                owners = owners.and(Err(error.clone()));
                found.list = found.list.and(Err(error));
                break;
            }
        };
        let new = found.take(rows);
        let own: Vec<&Principal> = new
            .iter()
            .map(|(principal, _)| principal)
            .filter(|one| {
                one.owner_tenant == Some(log.tenant()) && one.kind == PrincipalKind::Application
            })
            .collect();
        let mut answers = registration::read(&registered.customer, &own).await;
        if !own.is_empty() {
            let (read, outside) = registrations.get_or_insert((Ok(0), Ok(0)));
            for one in answers.values() {
                let count = |so_far: &Result<usize>, outcome: Result<usize>| {
                    so_far
                        .clone()
                        .and_then(|sum| outcome.map(|more| sum.saturating_add(more)))
                };
                *read = count(read, one.read().map(|()| 1));
                *outside = count(outside, one.identities());
            }
        }
        // The lists of owners that may be incomplete.
        let mut lists: Vec<owners::Told> = Vec::new();
        for (principal, told) in &new {
            let at = format!("/servicePrincipals/{}", principal.object);
            lists.push((principal.object, CredentialOf::Principal, at, told.clone()));
            if let Some(one) = answers.get_mut(&principal.object)
                && let Some(told) = one.owners.take()
            {
                let at = registration::path(principal.app_id);
                lists.push((principal.object, CredentialOf::Registration, at, told));
            }
        }
        let told = owners::complete(&owned.customer, lists).await;
        let mut next = BTreeSet::new();
        for (object, _) in new.iter().map(|(one, told)| (one.object, told)) {
            let all = told.get(&object).cloned().unwrap_or_else(|| Ok(Vec::new()));
            // If the registration could not be read, the owners fail with the same error.
            let all = match answers.get(&object).map(|one| one.read()) {
                Some(Err(error)) => Err(error),
                _ => all,
            };
            match &all {
                Ok(list) => {
                    owners = owners.map(|count| count.saturating_add(list.len()));
                    for owner in list
                        .iter()
                        .filter(|one| one.kind == OwnerKind::ServicePrincipal)
                    {
                        if owner.object == object {
                            continue;
                        }
                        if let Ok(ownerships) = &mut found.ownerships {
                            ownerships.push(Ownership {
                                owner: owner.object,
                                owned: object,
                            });
                        }
                        if known.insert(owner.object) {
                            next.insert(owner.object);
                        }
                    }
                }
                Err(error) => owners = owners.and(Err(error.clone())),
            }
            if let Some(details) = found.details.get_mut(&object) {
                details.owners = Some(all);
                if let Some(one) = answers.remove(&object) {
                    one.put(details);
                }
            }
        }
        waiting = next.into_iter().collect();
    }
    if let Err(error) = &owners {
        found.ownerships = Err(error.clone());
    } else if let Ok(list) = &mut found.ownerships {
        list.sort_unstable_by_key(|one| (one.owner, one.owned));
        list.dedup();
    }
    let count = found.list.as_ref().map(Vec::len).map_err(Clone::clone);
    log.end(&principals, count);
    log.end(&owned, owners);
    if let Some((read, identities)) = registrations {
        // These were read in the same requests.
        log.end(&registered, read);
        log.end(&outside, identities);
    }
    found
}

impl Principals {
    const fn new() -> Self {
        Self {
            list: Ok(Vec::new()),
            details: BTreeMap::new(),
            ownerships: Ok(Vec::new()),
        }
    }

    /// Adds the new principals. Returns them with the owners in the response.
    fn take(&mut self, rows: Vec<Row>) -> Vec<(Principal, Option<Vec<OwnerRow>>)> {
        let mut new = Vec::new();
        for mut row in rows {
            let told = row.owners.take();
            let (principal, details) = row.split();
            let found = Found {
                details,
                registration: Ok(()),
                federated: None,
                owners: None,
            };
            self.details.insert(principal.object, found);
            if let Ok(list) = &mut self.list {
                list.push(principal.clone());
            }
            new.push((principal, told));
        }
        new
    }
}

/// The holders of the grants, assignments and roles that were read.
pub(super) fn holders(
    grants: &Grants,
    assignments: &Part<Vec<Raw>>,
    pointers: &Part<Vec<Pointer>>,
    others: impl Iterator<Item = ObjectId>,
) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = grants.all().map(|(_, grant)| grant.principal).collect();
    ids.extend(others);
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

/// The existing principals. Deleted ones are left out. `owned`: with their owners.
async fn rows(customer: &Customer, ids: &[ObjectId], owned: bool) -> Result<Vec<Row>> {
    let select = format!("$select={PROPERTIES}");
    let asks: Vec<Vec<String>> = ids
        .iter()
        .map(|id| {
            let at = format!("/servicePrincipals/{id}");
            if owned {
                vec![
                    format!("{at}?{select}&{OWNERS}"),
                    format!("{at}?{OWNERS}"),
                    at,
                ]
            } else {
                vec![format!("{at}?{select}"), at]
            }
        })
        .collect();
    let answers = objects(customer, &asks).await?;
    let mut rows = Vec::new();
    for (asked, answer) in ids.iter().zip(answers) {
        let Some(body) = answer? else { continue };
        match serde_json::from_value::<Row>(body) {
            Ok(row) if row.id == *asked => rows.push(row),
            _ => {
                let message = format!("the service principal {asked} is unreadable");
                return Err(Error::unsent(Service::Graph, Kind::Malformed, message));
            }
        }
    }
    Ok(rows)
}

/// Expands the owners of an object in the same read. The result may be incomplete (MICROSOFT.md
/// §7.5).
const OWNERS: &str = "$expand=owners($select=id,displayName)";

/// Reads objects. Graph's versions differ in properties, so each object has several paths: the
/// first that Graph accepts counts, and later paths request less.
async fn objects(customer: &Customer, asks: &[Vec<String>]) -> Result<Vec<Answered>> {
    let mut found: Vec<Option<Answered>> = asks.iter().map(|_| None).collect();
    for number in 0.. {
        let waiting: Vec<(usize, &String)> = asks
            .iter()
            .zip(&found)
            .enumerate()
            .filter(|(_, (_, found))| found.as_ref().is_none_or(is_refused_query))
            .filter_map(|(place, (paths, _))| Some((place, paths.get(number)?)))
            .collect();
        if waiting.is_empty() {
            break;
        }
        let paths: Vec<String> = waiting.iter().map(|(_, path)| (*path).clone()).collect();
        let answers = customer.graph_batch_each(&paths).await?.value;
        for ((place, _), answer) in waiting.into_iter().zip(answers) {
            if let Some(found) = found.get_mut(place) {
                *found = Some(answer);
            }
        }
    }
    let missing = || Error::unsent(Service::Graph, Kind::Malformed, "an answer is missing");
    Ok(found
        .into_iter()
        .map(|answer| answer.unwrap_or_else(|| Err(missing())))
        .collect())
}

fn is_refused_query(answer: &Answered) -> bool {
    answer
        .as_ref()
        .is_err_and(|error| *error.kind() == Kind::Other && error.code() == Some("BadRequest"))
}
