//! Everything that decides who reaches whose mailboxes, read of one customer in few calls.
//!
//! The parts are read side by side, each as soon as what it needs is there. A part that cannot be
//! read says why and leaves the others alone; of a part of which a page is missing, nothing is
//! taken for the whole.
//!
//! | part | calls |
//! |---|---|
//! | who holds app roles of Graph and Exchange, and what these are called | 1, and 1 for each further page |
//! | policies; role assignments; Exchange's service principals | 1 each |
//! | mailboxes; those of groups | 1 for each 1,000 |
//! | management scopes, if an assignment names one | 1, and 1 for each filter |
//! | groups that policies or assignments name | 1 for each 6, and 1 for each that an assignment names |
//! | administrative units, if an assignment names one | 2 |
//! | the principals that hold something | 1 for each 20 |
//! | registrations of those of the tenant's own | 1 for each 20 |

mod assignments;
mod grants;
mod groups;
mod log;
mod mailboxes;
mod principals;
mod scopes;
mod units;
mod unread;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    id::ObjectId,
    permission::Resource,
    reach::{PrincipalDetails, Reading, ScanPart, Seen},
};
use futures::FutureExt as _;

pub use domain::reach::{PartRead, PartResult};

use self::{log::Log, mailboxes::Mailbox, unread::Unread};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// What was read of one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub seen: Seen,
    /// What pages call mailboxes, groups and administrative units: an address, else a name.
    pub names: BTreeMap<ObjectId, String>,
    /// Of each service principal that holds something.
    pub details: BTreeMap<ObjectId, PrincipalDetails>,
    /// How each part went, in a fixed order.
    pub parts: Vec<PartRead>,
    /// Calls of Graph and Exchange that were sent, each try by itself; token requests not counted.
    pub calls: u32,
}

/// A part that others need: shared, not copied.
type Part<T> = Result<Arc<T>>;

impl Customer {
    /// Reads the customer for the judgement of its reach (MICROSOFT.md §§2.4, 3, 4, 7.1). Never
    /// fails as a whole: each part says for itself whether it was read.
    ///
    /// Needs no scopes beside those with which customers are connected.
    pub async fn scan(&self) -> Scan {
        self.read(None).await
    }

    /// The same for one application: the other principals, registrations and the list of mailboxes,
    /// which make a scan long where there are many, are left alone. What follows holds for that
    /// application only, and for each mailbox that a group, unit or scope names.
    pub async fn scan_application(&self, object: ObjectId) -> Scan {
        self.read(Some(object)).await
    }

    async fn read(&self, only: Option<ObjectId>) -> Scan {
        let log = Log::new(self);
        // Without a token for Exchange each cmdlet would fail alike.
        let door = async { self.access_token(Resource::Exchange).await.map(|_| ()) };
        let door = door.boxed().shared();
        let grants = grants::read(&log).boxed().shared();
        let policies = exchange(
            &log,
            ScanPart::Policies,
            door.clone(),
            |customer| async move {
                let policies = customer.policies().await?.value;
                Ok((policies.len(), policies))
            },
        );
        let policies = policies.boxed().shared();
        let assignments = exchange(&log, ScanPart::Assignments, door.clone(), assignments::read);
        let assignments = assignments.boxed().shared();
        let pointers = exchange(
            &log,
            ScanPart::Pointers,
            door.clone(),
            assignments::pointers,
        );
        let pointers = pointers.boxed().shared();
        let mailboxes = async {
            match only {
                Some(_) => Err(not_asked()),
                None => exchange(&log, ScanPart::Mailboxes, door.clone(), mailboxes::read).await,
            }
        };

        let scopes = async { scopes::read(&log, &assignments.clone().await).await };
        let groups = async {
            let (policies, assignments) = futures::join!(policies.clone(), assignments.clone());
            groups::read(&log, &policies, &assignments).await
        };
        let units = async { units::read(&log, &assignments.clone().await).await };
        let principals = async {
            let (grants, assignments, pointers) =
                futures::join!(grants.clone(), assignments.clone(), pointers.clone());
            let holders = match only {
                Some(object) => vec![object],
                None => principals::holders(&grants, &assignments, &pointers),
            };
            principals::read(&log, &holders, only.is_none()).await
        };
        let (mailboxes, scopes, groups, units, principals, grants, policies, assignments, pointers) = futures::join!(
            mailboxes,
            scopes,
            groups,
            units,
            principals,
            grants.clone(),
            policies.clone(),
            assignments.clone(),
            pointers.clone()
        );

        let unread = Unread {
            no_exchange: matches!(grants.exchange, Ok(None)),
        };
        let mut names = groups.names;
        names.extend(units.names);
        if let Ok(list) = &mailboxes {
            names.extend(list.iter().map(Mailbox::name));
        }
        let special = (mailboxes.as_ref().ok())
            .map(|list| list.iter().filter_map(Mailbox::special).collect());
        let assignments =
            assignments.map(|rows| assignments::resolved(&rows, &groups.by_name, &units.by_name));
        let seen = Seen {
            principals: unread.part(principals.list),
            all_principals: false,
            graph_grants: unread.part(grants.graph.clone()),
            exchange_grants: match grants.exchange.clone() {
                Ok(Some(list)) => Reading::read(list),
                Ok(None) => unread.no_resource(),
                Err(error) => unread.reading(&error),
            },
            policies: unread.part(policies.map(|list| list.to_vec())),
            pointers: unread.part(pointers.map(|list| list.to_vec())),
            assignments: unread.part(assignments),
            scopes: match scopes {
                Ok(list) => {
                    Reading::read(list.into_iter().map(|scope| scope.seen(&unread)).collect())
                }
                Err(error) => unread.reading(&error),
            },
            groups: groups
                .list
                .into_iter()
                .map(|group| group.seen(&unread))
                .collect(),
            units: units
                .list
                .into_iter()
                .map(|unit| unit.seen(&unread))
                .collect(),
            mailboxes: unread
                .part(mailboxes.map(|list| list.iter().map(|mailbox| mailbox.object).collect())),
            special,
            stray_policies: None,
            powers: domain::reach::PowersSeen::none(),
            rights: domain::reach::RightsSeen::none(),
        };
        let parts = log.parts(&unread);
        Scan {
            seen,
            names,
            details: principals
                .details
                .into_iter()
                .map(|(object, found)| (object, found.seen(&unread)))
                .collect(),
            calls: parts.iter().map(|part| part.calls).sum(),
            parts,
        }
    }
}

/// Nobody asked for the mailboxes, so none of them is known.
fn not_asked() -> Error {
    Error::unsent(
        Service::Exchange,
        Kind::Other,
        "the mailboxes were not asked for",
    )
}

/// A part that is one or a few cmdlets.
async fn exchange<T, F>(
    log: &Log<'_>,
    part: ScanPart,
    door: impl Future<Output = Result<()>>,
    read: impl FnOnce(Customer) -> F,
) -> Part<T>
where
    F: Future<Output = Result<(usize, T)>>,
{
    log.part(part, |customer| async move {
        door.await?;
        read(customer).await
    })
    .await
    .map(Arc::new)
}
