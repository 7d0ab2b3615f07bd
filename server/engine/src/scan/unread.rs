//! What a scan could not read, and how it is reported.

use domain::{Problem, Timestamp, problem::Remedy, reach::PartRead};
use microsoft::scan::Scan;
use store::CustomerAccess;

use super::again;
use crate::Engine;

impl Engine {
    /// Records from a scan whether the connection works. `consented`: when the consent was given.
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

    /// The problem as it is reported. A missing consent right after it was given becomes “it has
    /// not reached all servers yet”.
    pub(crate) fn said(&self, problem: &Problem, consented: Option<Timestamp>) -> Problem {
        again::spreading(self.inner.pace, problem, consented, self.now())
            .unwrap_or_else(|| problem.clone())
    }
}

/// Whether the problem keeps Postern out of the tenant, or out of one of its services, until a
/// person acts. Postern asks Entra only for its own tokens, so every refusal by Entra is about the
/// connection.
fn is_about_connection(problem: &Problem) -> bool {
    match problem.remedy {
        Remedy::Consent => true,
        Remedy::Act | Remedy::Never => problem.key.starts_with("entra."),
        Remedy::Wait => false,
    }
}

/// The problems of the parts that could not be read.
pub(crate) fn unread(parts: &[PartRead]) -> impl Iterator<Item = &Problem> {
    parts.iter().filter_map(PartRead::problem)
}

/// The problem because of which nothing is known of any application. None: something is known.
pub(crate) fn nothing_read(scan: &Scan) -> Option<&Problem> {
    let any = scan.seen.graph_grants.is_read()
        || scan.seen.exchange_grants.is_read()
        || scan.seen.assignments.is_read();
    (!any).then(|| unread(&scan.parts).next()).flatten()
}
