//! Everything that was read, put in order once, to answer questions about it.

use std::rc::Rc;

use super::{
    assignments::Assignments,
    members::{Index, Membership},
    policies::Policies,
    reasons::Gap,
    seen::Seen,
    set::{Set, Span},
    subjects::{Subject, Subjects},
};

/// Answers questions about the reach of a customer's applications.
#[derive(Debug)]
pub struct Judge<'a> {
    pub(super) seen: &'a Seen,
    pub(super) index: Index,
    pub(super) policies: Policies<'a>,
    pub(super) assignments: Assignments<'a>,
    pub(super) subjects: Subjects<'a>,
}

impl<'a> Judge<'a> {
    pub fn new(seen: &'a Seen) -> Self {
        let index = Index::new(seen);
        let mut membership = Membership::new(seen, &index);
        let policies = Policies::new(seen, &mut membership);
        let assignments = Assignments::new(seen, &membership);
        let subjects = Subjects::new(seen, assignments.objects(seen));
        Self {
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
            .chain(
                subject
                    .grants
                    .iter()
                    .filter_map(|held| held.unnamed.as_ref()),
            )
    }

    /// What an application may hold that is not listed at all.
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
            .chain(self.assignments.may_be_anyones());
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
