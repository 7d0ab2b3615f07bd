//! The evaluator: prepares a snapshot once, and answers questions about it.

use std::rc::Rc;

use super::{
    around::Around,
    assignments::Assignments,
    boundary::Boundary,
    gates::Gates,
    members::{Index, Membership},
    policies::Policies,
    reasons::Gap,
    rights::DelegatedGrant,
    seen::Seen,
    set::{Set, Span},
    subjects::{Subject, Subjects},
};
use crate::id::ObjectId;

/// Evaluates what a customer's applications reach.
#[derive(Debug)]
pub struct Judge<'a> {
    pub(super) seen: &'a Seen,
    pub(super) index: Index,
    pub(super) policies: Policies<'a>,
    pub(super) assignments: Assignments<'a>,
    pub(super) subjects: Subjects<'a>,
    pub(super) gates: Gates<'a>,
    pub(super) around: Around<'a>,
    pub(super) boundary: Boundary,
}

impl<'a> Judge<'a> {
    pub fn new(seen: &'a Seen) -> Self {
        let index = Index::new(seen);
        let mut membership = Membership::new(seen, &index);
        let policies = Policies::new(seen, &mut membership);
        let assignments = Assignments::new(seen, &membership);
        let around = Around::new(seen);
        let named: Vec<ObjectId> = assignments
            .objects(seen)
            .into_iter()
            .chain(around.objects())
            .chain(delegated(seen).map(|grant| grant.client))
            .collect();
        let subjects = Subjects::new(seen, named);
        let gates = Gates::new(seen, &index);
        let boundary = Boundary::new(seen, &assignments);
        Self {
            gates,
            around,
            boundary,
            seen,
            index,
            policies,
            assignments,
            subjects,
        }
    }

    /// What an application may hold unseen, beside its known permissions.
    pub(super) fn others(&self, subject: &Subject<'_>) -> Span {
        let mut span = Span::nothing();
        if subject.is_disabled() {
            return span;
        }
        for gap in self.unseen(subject) {
            span.add(&Span::unknown(gap));
        }
        for ready in &self.assignments.list {
            let is_of = ready.is_of(subject) > super::set::Truth::No;
            if let Some(gap) = ready.role_gap.as_ref()
                && is_of
                && ready.assignment.enabled
            {
                span.add(&ready.reaches.perhaps(std::slice::from_ref(gap)));
            }
        }
        span
    }

    /// The parts that may hide any permission of an application.
    fn unseen<'s>(&'s self, subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Rc<Gap>> {
        self.subjects
            .grants_unread()
            .iter()
            .map(|(_, gap)| gap)
            .chain(self.assignments.unread_for(subject))
            .chain(self.subjects.inherited_unread_for(subject))
            .chain(
                subject
                    .grants
                    .iter()
                    .filter_map(|held| held.unnamed.as_ref()),
            )
    }

    /// What an application that is not listed may hold.
    pub(super) fn unlisted(&self) -> Span {
        let mut span = Span::nothing();
        let principals = self.subjects.unread();
        if principals.is_none() && self.seen.all_principals {
            return span;
        }
        let hidden = self
            .subjects
            .grants_unread()
            .iter()
            .map(|(_, gap)| gap)
            .chain(self.assignments.may_be_anyones())
            .chain(self.subjects.inherited_unread());
        for gap in hidden {
            span.add(&Span {
                lo: Set::nothing(),
                hi: Set::everything(),
                gaps: principals.into_iter().chain([gap]).cloned().collect(),
            });
        }
        span
    }
}

/// The delegated grants, from this scan or else the last known ones.
pub(super) fn delegated(seen: &Seen) -> impl Iterator<Item = &DelegatedGrant> {
    let reading = &seen.rights.delegated;
    reading
        .get()
        .ok()
        .or_else(|| reading.kept())
        .into_iter()
        .flatten()
}
