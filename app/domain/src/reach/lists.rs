//! The lists that all applications of a customer share: sets of mailboxes, and gaps.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use super::{
    answer::{Answer, Extent, GapId, Route, SetId},
    mailbox_set::MailboxSet,
    members::Index,
    reasons::Gap,
    set::{Set, Span},
};
use crate::id::ObjectId;

/// The lists while they are built.
#[derive(Default)]
pub(super) struct Lists {
    sets: Vec<Set>,
    set_ids: HashMap<Set, SetId>,
    gaps: Vec<Rc<Gap>>,
    gap_ids: BTreeMap<Rc<Gap>, GapId>,
}

impl Lists {
    pub fn answer(&mut self, span: &Span) -> Answer {
        let at_most = self.extent(&span.hi);
        if !span.is_exact() {
            // Ordered by content, so that the order in which the parts were read makes no
            // difference.
            let gaps: BTreeSet<&Rc<Gap>> = span.gaps.iter().collect();
            let gaps = gaps.into_iter().map(|gap| self.gap(gap)).collect();
            return Answer::Unknown {
                at_least: self.extent(&span.lo),
                at_most,
                gaps,
            };
        }
        match at_most {
            Extent::Everything => Answer::Unrestricted,
            Extent::AllExcept { mailboxes } => Answer::AllExcept { mailboxes },
            Extent::Only { mailboxes } => Answer::ConfinedTo { mailboxes },
            Extent::Nothing => Answer::Nothing,
        }
    }

    fn extent(&mut self, set: &Set) -> Extent {
        if set.is_everything() {
            return Extent::Everything;
        }
        if *set == Set::nothing() {
            return Extent::Nothing;
        }
        let mailboxes = self.set(set);
        if set.inverted {
            Extent::AllExcept { mailboxes }
        } else {
            Extent::Only { mailboxes }
        }
    }

    /// The id of the mailboxes that the set lists. A set and its complement share one id.
    fn set(&mut self, set: &Set) -> SetId {
        let listed = if set.inverted {
            set.clone().complement()
        } else {
            set.clone()
        };
        if let Some(id) = self.set_ids.get(&listed) {
            return *id;
        }
        let id = SetId(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        self.sets.push(listed.clone());
        self.set_ids.insert(listed, id);
        id
    }

    fn gap(&mut self, gap: &Rc<Gap>) -> GapId {
        if let Some(id) = self.gap_ids.get(gap) {
            return *id;
        }
        let id = GapId(u32::try_from(self.gaps.len()).unwrap_or(u32::MAX));
        self.gaps.push(Rc::clone(gap));
        self.gap_ids.insert(Rc::clone(gap), id);
        id
    }

    /// The ids of the gaps, without duplicates, ordered by content.
    pub fn gaps_of(&mut self, gaps: &[Rc<Gap>]) -> Vec<GapId> {
        let gaps: BTreeSet<&Rc<Gap>> = gaps.iter().collect();
        gaps.into_iter().map(|gap| self.gap(gap)).collect()
    }

    pub fn unseen(&mut self, gap: &Rc<Gap>, span: &Span) -> Route {
        Route::Unseen {
            gap: self.gap(gap),
            leaves: self.answer(span),
        }
    }

    /// The sets, renumbered so that only mailboxes in some set are listed.
    pub fn sets(&self, index: &Index) -> (Vec<ObjectId>, Vec<MailboxSet>) {
        let named = self
            .sets
            .iter()
            .fold(Set::nothing(), |all, set| all.union(set));
        let mut mailboxes = Vec::new();
        let mut places = vec![0_u32; index.len()];
        for (position, place) in named.listed().zip(0_u32..) {
            mailboxes.extend(index.object(position));
            if let Some(slot) = places.get_mut(position as usize) {
                *slot = place;
            }
        }
        let sets = self
            .sets
            .iter()
            .map(|set| {
                MailboxSet::from_sorted(
                    set.listed()
                        .filter_map(|position| places.get(position as usize).copied()),
                )
            })
            .collect();
        (mailboxes, sets)
    }

    pub fn gaps(&self) -> Vec<Gap> {
        self.gaps.iter().map(|gap| Gap::clone(gap)).collect()
    }
}
