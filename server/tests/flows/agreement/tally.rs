//! What comes of comparing, and how much of it was certain.

use std::collections::{BTreeMap, BTreeSet};

use domain::reach::{Because, Verdict, Why};
use uuid::Uuid;

/// What came of comparing.
#[derive(Debug, Default)]
pub struct Tally {
    /// A permission of an application on a mailbox, one by one.
    pub single: Answers,
    /// A way into a mailbox, for which any of some permissions is enough.
    pub ways: Answers,
    /// Application and mailbox, of applications that hold something.
    pub pairs: BTreeSet<(Uuid, Uuid)>,
    /// Applications that reach some mailboxes and not others.
    pub divided: BTreeSet<Uuid>,
    pub made: Made,
    /// Clients with grants for whoever signs in.
    pub delegated: usize,
    /// Mailboxes of groups that an application is let into.
    pub groups: usize,
    pub wrong: Vec<String>,
    /// Called allowed, and the cloud refuses: wrong, and on the safe side.
    pub overstated: Vec<String>,
}

/// How answers compare.
#[derive(Debug, Default)]
pub struct Answers {
    pub allowed: usize,
    pub refused: usize,
    /// Of what Postern does not know, the cloud allowed so many and refused so many.
    pub unknown: (usize, usize),
    /// Not known although everything was read, by what nobody documents.
    pub undocumented: BTreeMap<String, usize>,
    /// Not known, and every part was read that would tell.
    pub lazy: Vec<String>,
}

/// Of pairs where an application is kept out, and could make itself a way in.
#[derive(Debug, Default)]
pub struct Made {
    /// Postern names its power.
    pub named: usize,
    /// Postern says that it cannot rule one out.
    pub perhaps: usize,
    /// Postern names a power, and the cloud sees no way into this mailbox by it.
    pub more: BTreeMap<String, usize>,
    /// Applications with such a pair.
    pub applications: BTreeSet<Uuid>,
}

impl Answers {
    pub fn certain(&self) -> usize {
        self.allowed + self.refused
    }

    /// Counts an answer that is so, or is not known.
    fn count(&mut self, verdict: Verdict, does: bool) {
        match (verdict, does) {
            (Verdict::Allowed, _) => self.allowed += 1,
            (Verdict::Refused, _) => self.refused += 1,
            (Verdict::Unknown, true) => self.unknown.0 += 1,
            (Verdict::Unknown, false) => self.unknown.1 += 1,
        }
    }

    /// Why an answer is not known: each reason is a part that was not read, or one that nobody
    /// documents.
    pub fn doubt(&mut self, because: &[Because], line: &dyn Fn() -> String) {
        let mut gaps = because.iter().filter_map(|one| match one {
            Because::NotKnown { gap } => Some(gap),
            _ => None,
        });
        let Some(gap) = gaps.next() else {
            self.lazy.push(line());
            return;
        };
        if gap.why == Why::NotUnderstood && gaps.all(|gap| gap.why == Why::NotUnderstood) {
            let name = serde_json::to_value(&gap.part).expect("a part")["part"].to_string();
            *self.undocumented.entry(name).or_default() += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.unknown.0 += other.unknown.0;
        self.unknown.1 += other.unknown.1;
        for (part, count) in other.undocumented {
            *self.undocumented.entry(part).or_default() += count;
        }
        self.lazy.extend(other.lazy);
    }
}

impl std::fmt::Display for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (let_in, kept_out) = self.unknown;
        let all = self.certain() + let_in + kept_out;
        write!(
            f,
            "{all} answers, {} certain ({} allowed, {} refused), {} not known ({let_in} let in)",
            self.certain(),
            self.allowed,
            self.refused,
            let_in + kept_out,
        )?;
        if !self.undocumented.is_empty() {
            write!(f, ", of those not documented: {:?}", self.undocumented)?;
        }
        Ok(())
    }
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.single.add(other.single);
        self.ways.add(other.ways);
        self.pairs.extend(other.pairs);
        self.divided.extend(other.divided);
        self.made.named += other.made.named;
        self.made.perhaps += other.made.perhaps;
        for (power, count) in other.made.more {
            *self.made.more.entry(power).or_default() += count;
        }
        self.made.applications.extend(other.made.applications);
        self.delegated += other.delegated;
        self.groups += other.groups;
        self.wrong.extend(other.wrong);
        self.overstated.extend(other.overstated);
    }

    /// Compares an answer; `which` finds where it is counted, `line` tells of it.
    pub fn note(
        &mut self,
        which: fn(&mut Self) -> &mut Answers,
        verdict: Verdict,
        does: bool,
        line: &dyn Fn() -> String,
    ) {
        match (verdict, does) {
            (Verdict::Allowed, false) => self.overstated.push(line()),
            (Verdict::Refused, true) => self.wrong.push(line()),
            _ => which(self).count(verdict, does),
        }
    }

    /// The worst of some verdicts: one way in is enough.
    pub fn any(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().min().unwrap_or(Verdict::Refused)
    }
}
