//! Sets of mailboxes, stored as bits, and the bounds of a set that was not read completely.

use std::rc::Rc;

use super::reasons::Gap;

/// A set of mailboxes, or of all mailboxes but some (`inverted`). An inverted set also contains
/// mailboxes that nobody listed and those made tomorrow.
///
/// A mailbox is a position in the list of the customer's mailboxes. Trailing empty words are
/// removed, so equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Set {
    pub inverted: bool,
    bits: Vec<u64>,
}

impl Set {
    pub const fn nothing() -> Self {
        Self {
            inverted: false,
            bits: Vec::new(),
        }
    }

    pub const fn everything() -> Self {
        Self {
            inverted: true,
            bits: Vec::new(),
        }
    }

    pub fn of(positions: impl IntoIterator<Item = u32>) -> Self {
        let mut bits = Vec::new();
        for position in positions {
            let word = (position / 64) as usize;
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            if let Some(slot) = bits.get_mut(word) {
                *slot |= 1_u64 << (position % 64);
            }
        }
        Self {
            inverted: false,
            bits,
        }
    }

    pub fn is_everything(&self) -> bool {
        self.inverted && self.bits.is_empty()
    }

    pub fn contains(&self, position: u32) -> bool {
        let listed = self
            .bits
            .get((position / 64) as usize)
            .is_some_and(|word| word >> (position % 64) & 1 == 1);
        listed != self.inverted
    }

    /// The listed mailboxes: the members, or for an inverted set the mailboxes that it leaves out.
    pub fn listed(&self) -> impl Iterator<Item = u32> + '_ {
        self.bits.iter().zip(0_u32..).flat_map(|(word, index)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }

    pub fn complement(mut self) -> Self {
        self.inverted = !self.inverted;
        self
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (inverted, bits) = match (self.inverted, other.inverted) {
            (false, false) => (false, zip(&self.bits, &other.bits, |a, b| a | b)),
            (false, true) => (true, zip(&other.bits, &self.bits, |a, b| a & !b)),
            (true, false) => (true, zip(&self.bits, &other.bits, |a, b| a & !b)),
            (true, true) => (true, zip(&self.bits, &other.bits, |a, b| a & b)),
        };
        Self { inverted, bits }
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (inverted, bits) = match (self.inverted, other.inverted) {
            (false, false) => (false, zip(&self.bits, &other.bits, |a, b| a & b)),
            (false, true) => (false, zip(&self.bits, &other.bits, |a, b| a & !b)),
            (true, false) => (false, zip(&other.bits, &self.bits, |a, b| a & !b)),
            (true, true) => (true, zip(&self.bits, &other.bits, |a, b| a | b)),
        };
        Self { inverted, bits }
    }

    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let (inverted, bits) = match (self.inverted, other.inverted) {
            (false, false) => (false, zip(&self.bits, &other.bits, |a, b| a & !b)),
            (false, true) => (false, zip(&self.bits, &other.bits, |a, b| a & b)),
            (true, false) => (true, zip(&self.bits, &other.bits, |a, b| a | b)),
            (true, true) => (false, zip(&other.bits, &self.bits, |a, b| a & !b)),
        };
        Self { inverted, bits }
    }
}

fn zip(one: &[u64], other: &[u64], merge: impl Fn(u64, u64) -> u64) -> Vec<u64> {
    let longest = one.len().max(other.len());
    let padded = |words: &[u64], index: usize| words.get(index).copied().unwrap_or(0);
    let mut bits: Vec<u64> = (0..longest)
        .map(|index| merge(padded(one, index), padded(other, index)))
        .collect();
    while bits.last() == Some(&0) {
        bits.pop();
    }
    bits
}

/// The bounds of a set: it contains at least `lo` and at most `hi`. `gaps`: why the two differ.
///
/// Reading less can only lower `lo` and raise `hi`. So *unknown* never looks safe.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub lo: Set,
    pub hi: Set,
    pub gaps: Vec<Rc<Gap>>,
}

impl Span {
    pub fn exact(set: Set) -> Self {
        Self {
            lo: set.clone(),
            hi: set,
            gaps: Vec::new(),
        }
    }

    pub fn nothing() -> Self {
        Self::exact(Set::nothing())
    }

    pub fn everything() -> Self {
        Self::exact(Set::everything())
    }

    /// A set of which nothing is known: between nothing and everything.
    pub fn unknown(gap: &Rc<Gap>) -> Self {
        Self {
            lo: Set::nothing(),
            hi: Set::everything(),
            gaps: vec![Rc::clone(gap)],
        }
    }

    /// The same set, where it is not certain that it counts.
    #[must_use]
    pub fn perhaps(&self, gaps: &[Rc<Gap>]) -> Self {
        let mut all = self.gaps.clone();
        all.extend(gaps.iter().cloned());
        Self {
            lo: Set::nothing(),
            hi: self.hi.clone(),
            gaps: all,
        }
    }

    pub fn is_exact(&self) -> bool {
        self.lo == self.hi
    }

    pub fn add(&mut self, other: &Self) {
        self.lo = self.lo.union(&other.lo);
        self.hi = self.hi.union(&other.hi);
        if !other.is_exact() {
            self.gaps.extend(other.gaps.iter().cloned());
        }
    }

    /// Whether a mailbox is in the set. `position`: none stands for a mailbox that nobody listed.
    pub fn holds(&self, position: Option<u32>) -> Truth {
        let in_set = |set: &Set| position.map_or(set.inverted, |position| set.contains(position));
        match (in_set(&self.lo), in_set(&self.hi)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Perhaps,
            (false, false) => Truth::No,
        }
    }
}

/// Yes, no, or not known. With this order, *and* is the minimum of two values and *or* is the
/// maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Perhaps,
    Yes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_algebra_holds_for_every_kind_of_set() {
        let samples = [
            Set::nothing(),
            Set::everything(),
            Set::of([0, 5, 70]),
            Set::of([5, 200]),
            Set::of([70, 5]).complement(),
            Set::of([199, 0]).complement(),
        ];
        for one in &samples {
            for other in &samples {
                for position in [0, 5, 63, 64, 70, 199, 200, 4000] {
                    let (a, b) = (one.contains(position), other.contains(position));
                    assert_eq!(one.union(other).contains(position), a || b);
                    assert_eq!(one.intersection(other).contains(position), a && b);
                    assert_eq!(one.minus(other).contains(position), a && !b);
                }
                assert_eq!(
                    one.minus(other),
                    one.intersection(&other.clone().complement())
                );
            }
            assert_eq!(one.minus(one), Set::nothing());
        }
    }

    #[test]
    fn lists_what_it_was_made_of() {
        let set = Set::of([130, 0, 64, 63]);
        assert_eq!(set.listed().collect::<Vec<_>>(), [0, 63, 64, 130]);
    }
}
