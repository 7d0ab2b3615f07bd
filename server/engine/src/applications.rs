//! Reads a customer's applications live, by reach: the candidates for a setup.

use std::cmp::Reverse;

use domain::{
    Problem, Timestamp,
    application::{Application, Grant},
    exposure::Standing,
    id::{AppId, CustomerId, ObjectId},
    permission::Resource,
    person::{Operator, Right},
    reach::{ApplicationReach, Judge, PartRead, Reach, ScanPart, Seen},
    view::{ApplicationRow, ApplicationsView},
};
use microsoft::scan::Scan;

use crate::{
    Answer, Engine, Failure,
    scan::{Names, Words, is_as_proven, name_of, unread},
};

impl Engine {
    /// The applications that hold mailbox permissions, evaluated, the worst first. A part that
    /// cannot be read is reported, and makes nothing look safer.
    pub(crate) async fn applications_now(
        &self,
        operator: &Operator,
        customer: CustomerId,
    ) -> Answer<ApplicationsView> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let consented = tx.connection(&access).await?.consented;
            let proven = tx.proven_senders(&access).await?;
            tx.commit().await?;
            Ok::<_, Failure>((access, consented, proven))
        };
        let (access, consented, proven) = load.await.map_err(Problem::from)?;
        let tenant = match self.tenant(&access).await {
            Ok(tenant) => tenant,
            // Without a connection nothing was read, and the page says that.
            Err(Failure::Told(problem)) => {
                return Ok(ApplicationsView {
                    problems: vec![*problem],
                    rows: Vec::new(),
                });
            }
            Err(failure) => return Err(failure.into()),
        };
        let scan = tenant.scan().await;
        self.note_scan(&access, &scan, consented).await;
        if access.record().name == access.record().domain {
            self.learn_name(&access).await;
        }
        Ok(ApplicationsView {
            problems: self.problems(&scan, consented),
            rows: rows(&scan, &proven),
        })
    }

    /// The problems of a scan, without duplicates: several parts can fail for one reason.
    fn problems(&self, scan: &Scan, consented: Option<Timestamp>) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for problem in unread(&scan.parts) {
            let problem = self.said(problem, consented);
            if !problems.iter().any(|one| one.key == problem.key) {
                problems.push(problem);
            }
        }
        problems
    }
}

fn rows(scan: &Scan, proven: &[(AppId, Vec<ObjectId>)]) -> Vec<ApplicationRow> {
    let reach = Judge::new(&scan.seen).reach();
    let words = Words {
        reach: &reach,
        names: &scan.names,
    };
    let mut found: Vec<&ApplicationReach> = reach.applications.iter().collect();
    // Among equals, applications that can send come first.
    found.sort_by_cached_key(|one| {
        (
            one.level(),
            one.sending(),
            Reverse(one.can_be_confined()),
            name_of(one).to_lowercase(),
        )
    });
    found
        .into_iter()
        .map(|one| ApplicationRow {
            object: one.object,
            name: name_of(one),
            standing: Standing::of(one.level(), is_as_proven(&reach, one, proven)),
            sentence: words.sentence(one),
            can_be_confined: one.can_be_confined(),
        })
        .collect()
}

/// What is known of the customer's mailboxes. A scan of one application does not read them.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The names of the mailboxes, from the customer's last scan.
    pub mailboxes: &'a [(ObjectId, String)],
    /// The number of mailboxes now.
    pub count: Option<u32>,
}

/// Only the names that the application's reach needs, of thousands.
fn names(scan: &Scan, reach: &Reach, mailboxes: &[(ObjectId, String)]) -> Names {
    let mut names: Names = mailboxes
        .iter()
        .filter(|(object, _)| reach.mailboxes.binary_search(object).is_ok())
        .cloned()
        .collect();
    names.extend(scan.names.clone());
    names
}

/// The reach and the powers of one application, from a scan of that application. None: it holds no
/// mailbox permission.
pub(crate) fn one(
    scan: &Scan,
    object: ObjectId,
    proven: &[(AppId, Vec<ObjectId>)],
    known: Known<'_>,
) -> Option<(Standing, String, Vec<String>)> {
    let mut reach = Judge::new(&scan.seen).reach();
    reach.mailbox_count = reach.mailbox_count.or(known.count);
    let names = names(scan, &reach, known.mailboxes);
    let found = reach.application(object)?;
    let words = Words {
        reach: &reach,
        names: &names,
    };
    let standing = Standing::of(found.level(), is_as_proven(&reach, found, proven));
    let beside = words.beside_policy(found);
    // A power has a sentence of its own, above everything else.
    let sentence = if beside.is_empty() {
        words.sentence(found)
    } else {
        words.reaches(found)
    };
    Some((standing, sentence, beside))
}

/// The problem because of which nobody can say that an application holds no mailbox permission.
/// None: all that decides was read.
pub(crate) fn unread_holder(scan: &Scan) -> Option<&Problem> {
    let holds = [
        ScanPart::GraphGrants,
        ScanPart::ExchangeGrants,
        ScanPart::Principals,
    ];
    let mut parts = scan.parts.iter().filter(|part| holds.contains(&part.part));
    parts.find_map(PartRead::problem)
}

/// The application as Entra has it. None: it was not read, or holds no mailbox permission.
pub(crate) fn application(seen: &Seen, object: ObjectId) -> Option<Application> {
    let principal = seen
        .principals
        .get()
        .ok()?
        .iter()
        .find(|principal| principal.object == object)?;
    let grants = Resource::ALL
        .into_iter()
        .filter_map(|resource| Some((resource, seen.grants(resource).get().ok()?)))
        .flat_map(|(resource, list)| list.iter().map(move |grant| (resource, grant)))
        .filter(|(_, grant)| grant.principal == object)
        .map(|(resource, grant)| Grant {
            resource,
            role: grant.role,
            value: grant.value.clone().unwrap_or_default(),
        })
        .filter(Grant::reaches_mailboxes)
        .collect::<Vec<_>>();
    (!grants.is_empty()).then(|| Application {
        object,
        app_id: principal.app_id,
        name: principal.name.clone(),
        owner_tenant: principal.owner_tenant,
        publisher: principal.publisher.clone(),
        kind: principal.kind.clone().into(),
        enabled: principal.enabled.unwrap_or(true),
        grants,
    })
}
