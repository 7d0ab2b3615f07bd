//! What a reading could not read, and what is said of it.

use domain::{Problem, Timestamp, problem::Remedy, reach::PartRead};
use microsoft::scan::Scan;
use store::CustomerAccess;

use super::again;
use crate::Engine;

impl Engine {
    /// Remembers whether the consent, given at `consented`, did what it must.
    pub(crate) async fn note_scan(
        &self,
        access: &CustomerAccess,
        scan: &Scan,
        consented: Option<Timestamp>,
    ) {
        let mut problems = unread(&scan.parts).map(|problem| self.said(problem, consented));
        match problems.find(is_about_connection) {
            Some(problem) => self.note_problem(access, Some(&problem)).await,
            None if nothing_read(scan).is_none() => self.note_problem(access, None).await,
            None => {}
        }
    }

    /// A consent that is missing right after it was given is on its way.
    pub(crate) fn said(&self, problem: &Problem, consented: Option<Timestamp>) -> Problem {
        again::spreading(self.inner.pace, problem, consented, self.now()).unwrap_or_else(|| problem.clone())
    }
}

/// It keeps Postern out of the tenant, or of one of its services, until somebody does something.
/// Entra is asked for Postern's own tokens only, so what it refuses is about the connection.
fn is_about_connection(problem: &Problem) -> bool {
    match problem.remedy {
        Remedy::Consent => true,
        Remedy::Act | Remedy::Never => problem.key.starts_with("entra."),
        Remedy::Wait => false,
    }
}

/// What could not be read, part by part.
pub(crate) fn unread(parts: &[PartRead]) -> impl Iterator<Item = &Problem> {
    parts.iter().filter_map(PartRead::problem)
}

/// The problem for which nothing is known of any application.
pub(crate) fn nothing_read(scan: &Scan) -> Option<&Problem> {
    let any = scan.seen.graph_grants.is_read()
        || scan.seen.exchange_grants.is_read()
        || scan.seen.assignments.is_read();
    (!any).then(|| unread(&scan.parts).next()).flatten()
}
