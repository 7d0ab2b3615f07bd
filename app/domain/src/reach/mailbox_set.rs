//! A set of mailboxes as runs of positions: small in memory and in JSON.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Positions in [`super::Reach::mailboxes`]. As text, for example `0-3,7`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailboxSet {
    /// The first and last position of each run, in order. Two runs never touch.
    runs: Vec<(u32, u32)>,
    len: u32,
}

impl MailboxSet {
    /// `positions`: in ascending order.
    pub(super) fn from_sorted(positions: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::default();
        for position in positions {
            match set.runs.last_mut() {
                Some((_, last)) if *last + 1 == position => *last = position,
                _ => set.runs.push((position, position)),
            }
            set.len += 1;
        }
        set
    }

    pub const fn len(&self) -> u32 {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn contains(&self, position: u32) -> bool {
        let after = self.runs.partition_point(|(first, _)| *first <= position);
        after
            .checked_sub(1)
            .and_then(|index| self.runs.get(index))
            .is_some_and(|(_, last)| position <= *last)
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs.iter().flat_map(|(first, last)| *first..=*last)
    }
}

/// The text is not a list of runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a set of mailboxes")]
pub struct NotASet;

impl fmt::Display for MailboxSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for MailboxSet {
    type Err = NotASet;

    fn from_str(text: &str) -> Result<Self, NotASet> {
        let mut set = Self::default();
        let mut least = 0;
        for run in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            let number = |text: &str| text.parse::<u32>().map_err(|_| NotASet);
            let (first, last) = (number(first)?, number(last)?);
            if first < least || last < first || last == u32::MAX {
                return Err(NotASet);
            }
            set.runs.push((first, last));
            set.len += last - first + 1;
            // Two runs that touch would be one run.
            least = last + 2;
        }
        Ok(set)
    }
}

impl From<MailboxSet> for String {
    fn from(set: MailboxSet) -> Self {
        set.to_string()
    }
}

impl TryFrom<String> for MailboxSet {
    type Error = NotASet;

    fn try_from(text: String) -> Result<Self, NotASet> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_runs_and_reads_them_again() {
        for (positions, text) in [
            (vec![], ""),
            (vec![4], "4"),
            (vec![0, 1, 2, 3, 7], "0-3,7"),
            (vec![2, 4, 5, 6, 90], "2,4-6,90"),
        ] {
            let set = MailboxSet::from_sorted(positions.clone());
            assert_eq!(set.to_string(), text);
            assert_eq!(text.parse(), Ok(set.clone()));
            assert_eq!(set.iter().collect::<Vec<_>>(), positions);
            assert_eq!(set.len() as usize, positions.len());
            for position in 0..100 {
                assert_eq!(set.contains(position), positions.contains(&position));
            }
        }
        for wrong in ["3-1", "1,2", "5,1", "a", "1,,4", ",", "0-4294967295", "-1"] {
            assert_eq!(wrong.parse::<MailboxSet>(), Err(NotASet), "{wrong}");
        }
    }
}
