//! A customer's applications by reach, read live: what there is to confine.

use std::cmp::Reverse;

use domain::{
    Problem,
    application::{Application, Grant},
    exposure::Standing,
    id::{CustomerId, ObjectId},
    permission::Resource,
    person::{Operator, Right},
    problem::Remedy,
    proof::Proof,
    reach::{ApplicationReach, Judge, PartResult, Seen, Why},
    setup::SetupState,
    view::{ApplicationRow, ApplicationsView, SetupRow},
};
use microsoft::scan::Scan;

use crate::{
    Answer, Engine, Failure,
    scan::{Words, name_of},
};

impl Engine {
    /// What holds mailbox permissions, judged, the worst first. A part that cannot be read is told
    /// and makes nothing look safer.
    pub async fn applications(
        &self,
        operator: &Operator,
        customer: CustomerId,
    ) -> Answer<ApplicationsView> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let setups = tx.setups_of_customer(&access).await?;
            tx.commit().await?;
            Ok::<_, Failure>((access, setups))
        };
        let (access, setups) = load.await.map_err(Problem::from)?;
        let tenant = match self.tenant(&access).await {
            Ok(tenant) => tenant,
            // Nobody is connected: nothing was read, and that is what the page says.
            Err(Failure::Told(problem)) => {
                return Ok(ApplicationsView {
                    problems: vec![*problem],
                    rows: Vec::new(),
                });
            }
            Err(failure) => return Err(failure.into()),
        };
        let scan = tenant.scan().await;
        self.note_scan(&access, &scan).await;
        if access.record().name == access.record().domain {
            self.learn_name(&access).await;
        }
        Ok(ApplicationsView {
            problems: problems(&scan),
            rows: rows(&scan, &setups),
        })
    }

    /// Remembers whether the consent did what it must.
    pub(crate) async fn note_scan(&self, access: &store::CustomerAccess, scan: &Scan) {
        let consent = unread(scan).find(|problem| problem.remedy == Remedy::Consent);
        match consent {
            Some(problem) => self.note_problem(access, Some(problem)).await,
            None if nothing_read(scan).is_none() => self.note_problem(access, None).await,
            None => {}
        }
    }
}

/// What could not be read, part by part.
pub(crate) fn unread(scan: &Scan) -> impl Iterator<Item = &Problem> {
    scan.parts.iter().filter_map(|part| match &part.result {
        PartResult::Read { .. } => None,
        // What the tenant does not have is known.
        PartResult::Unread {
            why: Why::NotLicensed { .. },
            ..
        } => None,
        PartResult::Unread { problem, .. } => Some(problem.as_ref()),
    })
}

/// The problem for which nothing is known of any application.
pub(crate) fn nothing_read(scan: &Scan) -> Option<Problem> {
    let any = scan.seen.graph_grants.is_read()
        || scan.seen.exchange_grants.is_read()
        || scan.seen.assignments.is_read();
    (!any).then(|| unread(scan).next().cloned()).flatten()
}

/// Each problem once: several parts can fail for one reason.
fn problems(scan: &Scan) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for problem in unread(scan) {
        if !problems.iter().any(|one| one.key == problem.key) {
            problems.push(problem.clone());
        }
    }
    problems
}

fn rows(scan: &Scan, setups: &[SetupRow]) -> Vec<ApplicationRow> {
    let reach = Judge::new(&scan.seen).reach();
    let words = Words {
        reach: &reach,
        names: &scan.names,
    };
    let mut found: Vec<&ApplicationReach> = reach.applications.iter().collect();
    // Among those alike, whoever can send first.
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
            standing: Standing::of(one.level(), is_proven(one, setups)),
            sentence: words.sentence(one),
            can_be_confined: one.can_be_confined(),
        })
        .collect()
}

/// Whether real mail showed that a setup confined it.
pub(crate) fn is_proven(application: &ApplicationReach, setups: &[SetupRow]) -> bool {
    setups.iter().any(|setup| {
        Some(setup.app_id) == application.app_id
            && setup.state == SetupState::Done
            && setup.proof == Proof::Proven
    })
}

/// One application of a reading of it alone, with its reach; none: it holds no mailbox permission.
pub(crate) fn one(
    scan: &Scan,
    object: ObjectId,
    setups: &[SetupRow],
) -> Option<(Application, Standing, String)> {
    let reach = Judge::new(&scan.seen).reach();
    let found = reach.application(object)?;
    let words = Words {
        reach: &reach,
        names: &scan.names,
    };
    let standing = Standing::of(found.level(), is_proven(found, setups));
    Some((
        application(&scan.seen, object)?,
        standing,
        words.sentence(found),
    ))
}

/// The application as Entra has it.
fn application(seen: &Seen, object: ObjectId) -> Option<Application> {
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
