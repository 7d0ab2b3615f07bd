//! The registrations of the tenant's own applications: credentials, federated credentials, owners
//! (MICROSOFT.md §10.6).

use std::collections::BTreeMap;

use domain::{
    id::{AppId, ObjectId},
    reach::{CredentialOf, FederatedIdentity, Principal},
};
use serde::Deserialize;

use super::{Credentials, Found, OWNERS, objects, owners::OwnerRow};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    credentials: Credentials,
    #[serde(default)]
    owners: Option<Vec<OwnerRow>>,
}

#[derive(Deserialize)]
struct Federated {
    #[serde(default)]
    name: String,
    issuer: String,
    #[serde(default)]
    subject: Option<String>,
}

/// The data of one registration.
pub(super) struct Registration {
    /// None when there is no registration: a principal can outlive it.
    credentials: Result<Option<Credentials>>,
    federated: Result<Vec<FederatedIdentity>>,
    /// The owners in the response. None when there is no registration, or when it was not read.
    pub(super) owners: Option<Option<Vec<OwnerRow>>>,
}

impl Registration {
    pub(super) fn read(&self) -> Result<()> {
        match &self.credentials {
            Ok(_) => Ok(()),
            Err(error) => Err(error.clone()),
        }
    }

    /// The number of federated credentials.
    pub(super) fn identities(&self) -> Result<usize> {
        self.federated.as_ref().map(Vec::len).map_err(Clone::clone)
    }

    pub(super) fn put(self, found: &mut Found) {
        match self.credentials {
            Ok(credentials) => found.details.credentials.extend(
                credentials
                    .unwrap_or_default()
                    .of(CredentialOf::Registration),
            ),
            Err(error) => found.registration = Err(error),
        }
        found.federated = Some(self.federated);
    }
}

pub(super) fn path(app: AppId) -> String {
    format!("/applications(appId='{app}')")
}

/// Reads registrations. The keys are the object ids of the service principals.
pub(super) async fn read(
    customer: &Customer,
    own: &[&Principal],
) -> BTreeMap<ObjectId, Registration> {
    if own.is_empty() {
        return BTreeMap::new();
    }
    let select = "?$select=id,appId,keyCredentials,passwordCredentials";
    // Both objects of an application are read in the same requests.
    let asks: Vec<Vec<String>> = own
        .iter()
        .flat_map(|principal| {
            let at = path(principal.app_id);
            [
                vec![
                    format!("{at}{select}&{OWNERS}"),
                    format!("{at}?{OWNERS}"),
                    format!("{at}{select}"),
                ],
                vec![format!("{at}/federatedIdentityCredentials")],
            ]
        })
        .collect();
    let answers = match objects(customer, &asks).await {
        Ok(answers) => answers,
        Err(error) => asks.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut answers = answers.into_iter();
    let mut found = BTreeMap::new();
    for principal in own {
        let (Some(row), Some(federated)) = (answers.next(), answers.next()) else {
            break;
        };
        let one = registration(customer, row, federated).await;
        found.insert(principal.object, one);
    }
    found
}

async fn registration(customer: &Customer, row: Answered, federated: Answered) -> Registration {
    let broken = |error: serde_json::Error| {
        Error::unsent(Service::Graph, Kind::Malformed, error.to_string())
    };
    let row = row.and_then(|body| {
        body.map(|body| serde_json::from_value::<Row>(body).map_err(broken))
            .transpose()
    });
    let (credentials, owners) = match row {
        Ok(Some(row)) => (Ok(Some(row.credentials)), Some(row.owners)),
        Ok(None) => (Ok(None), None),
        Err(error) => (Err(error), None),
    };
    let federated = match (federated, &credentials) {
        (Ok(Some(first)), _) => customer.rest_of_list::<Federated>(first).await,
        // Without a registration there are no federated credentials.
        (Ok(None), Ok(None)) => Ok(Vec::new()),
        (Ok(None), _) => Err(Error::unsent(
            Service::Graph,
            Kind::NotFound,
            "Graph does not know the federated credentials of a registration",
        )),
        (Err(error), _) => Err(error),
    };
    Registration {
        credentials,
        federated: federated.map(|rows| {
            let mut list: Vec<FederatedIdentity> = rows
                .into_iter()
                .map(|row| FederatedIdentity {
                    name: row.name,
                    issuer: row.issuer,
                    subject: row.subject.filter(|subject| !subject.is_empty()),
                })
                .collect();
            list.sort_unstable();
            list
        }),
        owners,
    }
}
