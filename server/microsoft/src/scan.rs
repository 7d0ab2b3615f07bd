//! Reads everything that decides which applications reach whose mailboxes at one customer, in few
//! calls.
//!
//! The parts are read concurrently, each as soon as its input is there. A part that cannot be read
//! reports why and does not affect the others. A part with a missing page counts as unread.
//!
//! | part | calls |
//! |---|---|
//! | app roles of Graph and Exchange, and of others that reach mail, and who holds them; keys of Exchange itself; directory roles; delegated permissions; agent identities | 1, and 1 for each further page |
//! | what the holders of directory roles and the blueprints of agents are, if there are some | 1 each |
//! | policies; role assignments; Exchange's service principals | 1 each |
//! | mailboxes; those of groups | 1 for each 1,000 |
//! | management scopes, if an assignment names one | 1, and 1 or 2 for each filter |
//! | members of role groups, if Exchange points to a service principal | 1 for each 10 |
//! | groups that policies or assignments name | 1 for each 6, and 1 for each 10 that an assignment names |
//! | administrative units, if an assignment names one | 2 |
//! | the principals that hold something, with their owners | 1 for each 20 |
//! | registrations of those of the tenant's own, with owners and federated credentials | 1 for each 10 |
//! | the targets of policies that no principal explains | 1 for each 6 |
//! | rights on mailboxes, if an application has a protocol for its permission and a pointer | 1 for each 10 mailboxes, 2 more |
//! | the EWS switch, if somebody holds a permission for EWS | 1 |

mod agents;
mod assignments;
mod delegated;
mod directory_roles;
mod ews;
mod first;
mod grants;
mod groups;
mod known_roles;
mod log;
mod mailboxes;
mod others;
mod policy_targets;
mod principals;
mod rights;
mod role_groups;
mod scope_names;
mod scopes;
mod units;
mod unread;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use domain::{
    id::ObjectId,
    permission::Resource,
    reach::{
        DelegatedGrant, DirectoryRole, InheritedGrant, OtherHeld, Ownership, PowersSeen,
        PrincipalDetails, Reading, RightsSeen, ScanPart, Seen,
    },
};
use futures::FutureExt as _;

pub use domain::reach::{PartRead, PartResult};

pub(crate) use self::rights::{by_name_alone, gives};
use self::{log::Log, mailboxes::Mailbox, unread::Unread};
use crate::{
    call::{Call, Trace},
    customer::Customer,
    error::{Error, Kind, Result, Service},
};

/// The result of reading one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub seen: Seen,
    /// The names of mailboxes, groups and administrative units for pages: an address, otherwise a
    /// name.
    pub names: BTreeMap<ObjectId, String>,
    /// Details of each service principal that holds something.
    pub details: BTreeMap<ObjectId, PrincipalDetails>,
    /// The result of each part, in a fixed order.
    pub parts: Vec<PartRead>,
    /// The call that read the policies, as evidence. None when the policies were not read.
    pub policies_call: Option<Trace>,
    /// The number of calls of Graph and Exchange that were sent. Each try counts, token requests do
    /// not.
    pub calls: u32,
}

/// A part that other parts need. It is shared, not copied.
type Part<T> = Result<Arc<T>>;

impl Customer {
    /// Reads the customer, as input for the evaluation of effective access (MICROSOFT.md §§2.4, 3,
    /// 4, 7.1). Never fails as a whole: each part reports whether it was read.
    ///
    /// Needs only the scopes with which customers are connected.
    pub async fn scan(&self) -> Scan {
        self.read(None).await
    }

    /// Reads the customer for one application. It skips the other principals, the registrations and
    /// the list of mailboxes, which make a scan long where there are many. The result is valid for
    /// that application only, and for each mailbox that a group, unit or scope names.
    pub async fn scan_application(&self, object: ObjectId) -> Scan {
        self.read(Some(object)).await
    }

    async fn read(&self, only: Option<ObjectId>) -> Scan {
        let log = Log::new(self);
        // Without a token for Exchange every cmdlet would fail with the same error.
        let door = async { self.access_token(Resource::Exchange).await.map(|_| ()) };
        let door = door.boxed().shared();
        let first = self.first(&log, only).boxed().shared();
        let policies_call = OnceLock::new();
        let kept = &policies_call;
        let policies = exchange(
            &log,
            ScanPart::Policies,
            door.clone(),
            |customer| async move {
                let Call { value, trace } = customer.policies().await?;
                kept.get_or_init(|| trace);
                Ok((value.len(), value))
            },
        );
        let policies = policies.boxed().shared();
        let rows = exchange(&log, ScanPart::Assignments, door.clone(), assignments::read);
        let rows = rows.boxed().shared();
        let assignments = rows
            .clone()
            .map(|rows| rows.map(|rows| rows.applications.clone()))
            .boxed()
            .shared();
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
        let mailboxes = mailboxes.boxed().shared();
        let role_groups = async {
            let (pointers, rows) = futures::join!(pointers.clone(), rows.clone());
            Arc::new(role_groups::read(&log, &pointers, &rows, only).await)
        };
        let role_groups = role_groups.boxed().shared();

        let scopes = async {
            let of_groups = async {
                match mailboxes.clone().await {
                    Ok(list) if list.iter().all(|mailbox| !mailbox.of_group) => {
                        scopes::Groups::None
                    }
                    _ => scopes::Groups::Some,
                }
            };
            scopes::read(&log, &assignments.clone().await, of_groups).await
        };
        let groups = async {
            let (policies, assignments) = futures::join!(policies.clone(), assignments.clone());
            groups::read(&log, &policies, &assignments).await
        };
        let units = async { units::read(&log, &assignments.clone().await).await };
        let principals = async {
            let (first, assignments, pointers, role_groups) = futures::join!(
                first.clone(),
                assignments.clone(),
                pointers.clone(),
                role_groups.clone()
            );
            let principals = match only {
                Some(object) => {
                    let owned = first.owned.iter().flatten().flatten().copied();
                    let ids: Vec<ObjectId> = std::iter::once(object).chain(owned).collect();
                    principals::read_some(&log, &ids).await
                }
                None => {
                    let members = role_groups.iter().flatten();
                    let members = members.flat_map(|group| group.members.iter().flatten().copied());
                    let others = first.principals().chain(members);
                    let ids = principals::holders(&first.grants, &assignments, &pointers, others);
                    principals::read(&log, &ids).await
                }
            };
            let policies = policies.clone().await;
            let targets = policy_targets::read(&log, &policies, &principals.list, only).await;
            (principals, targets)
        };
        let rights = async {
            let (first, pointers) = futures::join!(first.clone(), pointers.clone());
            let pointers = pointers?;
            let inherited = first.inherited.as_deref().unwrap_or_default();
            let holders = rights::holders(&first.grants, inherited, &pointers, only)?;
            let mailboxes = match only {
                // Read only where an application needs rights on mailboxes.
                _ if holders.is_empty() => None,
                Some(_) => None,
                None => Some(mailboxes.clone().await),
            };
            rights::read(&log, &holders, mailboxes.as_ref()).await
        };
        let ews = async {
            let (first, assignments) = futures::join!(first.clone(), assignments.clone());
            let inherited = first.inherited.as_deref().unwrap_or_default();
            if ews::is_held(&first.grants, inherited, &assignments?, only)? {
                let read = exchange(&log, ScanPart::Ews, door.clone(), ews::read).await?;
                Ok((*read).clone())
            } else {
                let message = "nobody holds a permission for EWS, so nobody asked";
                Err(Error::unsent(Service::Exchange, Kind::NotSent, message))
            }
        };
        let (
            scopes,
            groups,
            units,
            (principals, targets),
            rights,
            ews,
            first,
            policies,
            assignments,
            pointers,
            mailboxes,
            role_groups,
        ) = futures::join!(
            scopes,
            groups,
            units,
            principals,
            rights,
            ews,
            first.clone(),
            policies.clone(),
            assignments.clone(),
            pointers.clone(),
            mailboxes.clone(),
            role_groups.clone()
        );

        let unread = Unread {
            no_exchange: matches!(first.grants.exchange, Ok(None)),
        };
        let mut names = groups.names;
        names.extend(units.names);
        if let Ok(list) = &mailboxes {
            names.extend(list.iter().map(Mailbox::name));
        }
        let special = match &mailboxes {
            Ok(list) => mailboxes::special(list),
            Err(_) => None,
        };
        let assignments =
            assignments.map(|rows| assignments::resolved(&rows, &groups.by_name, &units.by_name));
        let ownerships = match &first.owned {
            Some(owned) => only_owner(only, owned),
            None => principals.ownerships,
        };
        let seen = Seen {
            principals: unread.part(principals.list),
            all_principals: false,
            graph_grants: unread.part(first.grants.graph.clone()),
            exchange_grants: match first.grants.exchange.clone() {
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
            mailboxes: match only {
                Some(_) => Reading::NotAsked,
                None => unread.part(
                    mailboxes.map(|list| list.iter().map(|mailbox| mailbox.object).collect()),
                ),
            },
            special,
            stray_policies: targets.ok(),
            powers: PowersSeen {
                directory_roles: unread.part(first.roles.clone()),
                role_groups: match &*role_groups {
                    Ok(list) => {
                        Reading::read(list.iter().map(|group| group.seen(&unread)).collect())
                    }
                    Err(error) => unread.reading(error),
                },
                ownerships: unread.part(ownerships),
                inherited: unread.part(first.inherited.clone()),
                others: unread.part(first.others.clone()),
            },
            rights: RightsSeen {
                mailbox_rights: unread.part(rights),
                ews: unread.part(ews),
                delegated: unread.part(first.delegated.clone()),
            },
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
            policies_call: policies_call.get().cloned(),
            calls: parts.iter().map(|part| part.calls).sum(),
            parts,
        }
    }

    /// The parts that Graph answers for the whole tenant, each as soon as its pages are there.
    async fn first(&self, log: &Log<'_>, only: Option<ObjectId>) -> Arc<FirstParts> {
        let grants = Resource::ALL.map(|resource| log.begin(grants::part(resource)));
        let roles = log.begin(ScanPart::DirectoryRoles);
        let delegated = log.begin(ScanPart::Delegated);
        let agents = log.begin(ScanPart::Inherited);
        let others = log.begin(ScanPart::Others);
        let [of_graph, _] = &grants;
        // The calls of this request count for the first of these parts.
        let first = first::read(&of_graph.customer, only).await;
        let grants = grants::read(log, grants, [first.graph, first.exchange]);
        let grants = async { Arc::new(grants.await) }.boxed().shared();
        let delegated = async {
            let grants = grants.clone().await;
            delegated::read(log, delegated, first.delegated, &grants).await
        };
        let owned = async {
            match (only, first.owned) {
                (Some(object), Some(answer)) => {
                    Some(principals::owned_by(log, object, answer).await)
                }
                _ => None,
            }
        };
        let (roles, delegated, inherited, others, owned, grants) = futures::join!(
            directory_roles::read(log, roles, first.roles),
            delegated,
            agents::read(log, agents, first.agents, only, grants.clone()),
            others::read(log, others, first.others, first.exchange_keys),
            owned,
            grants.clone()
        );
        Arc::new(FirstParts {
            grants,
            roles,
            delegated,
            inherited,
            others,
            owned,
        })
    }
}

/// The parts that depend on no other part.
struct FirstParts {
    grants: Arc<grants::Grants>,
    roles: Result<Vec<DirectoryRole>>,
    delegated: Result<Vec<DelegatedGrant>>,
    inherited: Result<Vec<InheritedGrant>>,
    others: Result<Vec<OtherHeld>>,
    /// When one application is read: what it owns.
    owned: Option<Result<Vec<ObjectId>>>,
}

impl FirstParts {
    /// The principals in these parts, apart from the holders of app roles.
    fn principals(&self) -> impl Iterator<Item = ObjectId> {
        let roles = self.roles.iter().flatten().map(|role| role.principal);
        let clients = self.delegated.iter().flatten().map(|grant| grant.client);
        let children = self.inherited.iter().flatten().map(|grant| grant.principal);
        let others = self.others.iter().flatten().map(|one| one.principal);
        roles.chain(clients).chain(children).chain(others)
    }
}

fn only_owner(owner: Option<ObjectId>, owned: &Result<Vec<ObjectId>>) -> Result<Vec<Ownership>> {
    let owned = owned.as_ref().map_err(Clone::clone)?;
    Ok(owner
        .into_iter()
        .flat_map(|owner| owned.iter().map(move |owned| (owner, *owned)))
        .map(|(owner, owned)| Ownership { owner, owned })
        .collect())
}

/// The error for mailboxes that were not requested, so that none of them is known.
fn not_asked() -> Error {
    Error::unsent(
        Service::Exchange,
        Kind::Other,
        "the mailboxes were not asked for",
    )
}

/// Reads a part that consists of one or a few cmdlets.
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
