//! How strong a claim is, and whether it still stands.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::ObjectId,
    plan::{Mailbox, Plan},
    step::{Must, Step},
};

/// What is known of a confinement, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing yet.
    None,
    /// What was read says that the application reaches more than the plan permits.
    MoreOpen,
    /// What it takes to say so could not be read.
    NotKnown,
    /// The policy was read back.
    Configured,
    /// Exchange's own test cmdlet agrees with the plan.
    Checked,
    /// Real sends behaved: the permitted one was accepted, the others were refused.
    Proven,
}

impl Proof {
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::MoreOpen,
        Self::NotKnown,
        Self::Configured,
        Self::Checked,
        Self::Proven,
    ];

    /// As the database has it. Never change one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MoreOpen => "more_open",
            Self::NotKnown => "not_known",
            Self::Configured => "configured",
            Self::Checked => "checked",
            Self::Proven => "proven",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.as_str() == text)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none yet",
            Self::MoreOpen => "more is open",
            Self::NotKnown => "not known",
            Self::Configured => "configured",
            Self::Checked => "checked",
            Self::Proven => "proven",
        }
    }

    pub const fn explained(self) -> &'static str {
        match self {
            Self::None => "Nothing has been confirmed yet.",
            Self::MoreOpen => {
                "The application reaches more than the plan permits, as far as was read."
            }
            Self::NotKnown => {
                "Whether the application reaches more than the plan permits could not be read."
            }
            Self::Configured => {
                "The policy was read in Exchange. Nothing was tried since it was made."
            }
            Self::Checked => "Exchange's own test agrees with the plan. Real mail did not show it.",
            Self::Proven => "Real mail was tried, and behaved as the plan says.",
        }
    }
}

/// What the newest look at a tenant says of a setup's claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    pub at: Timestamp,
    pub by: SeenBy,
    pub says: Verdict,
    /// More was open at some time since the last proof: what was tried before that says nothing of
    /// today.
    #[serde(default)]
    pub was_open: bool,
}

/// Where a standing comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    /// The end of the setup.
    LastLook,
    /// A later reading of the customer.
    Reading,
    /// Another setup of the application was rolled back.
    RollBack,
}

/// Whether an application is held to what a plan permits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that was read says more than the plan.
    Holds,
    /// These stand open: each a sentence.
    More { open: Vec<String> },
    /// It cannot be said, because of these.
    Unknown { why: Vec<String> },
}

impl Verdict {
    pub fn sentences(&self) -> &[String] {
        match self {
            Self::Holds => &[],
            Self::More { open } => open,
            Self::Unknown { why } => why,
        }
    }
}

impl Judged {
    pub const fn new(at: Timestamp, by: SeenBy, says: Verdict) -> Self {
        let was_open = matches!(says, Verdict::More { .. });
        Self {
            at,
            by,
            says,
            was_open,
        }
    }

    /// This one after an earlier one: what was open in between stays known.
    #[must_use]
    pub fn after(mut self, earlier: Option<&Self>) -> Self {
        self.was_open |= earlier.is_some_and(|earlier| earlier.was_open);
        self
    }

    /// To begin a line: which look it was.
    pub const fn look(&self) -> &'static str {
        match self.by {
            SeenBy::LastLook => "The look at the end of the setup",
            SeenBy::Reading => "The last reading of the customer",
            SeenBy::RollBack => "The roll back of another setup",
        }
    }

    /// What it says, in one sentence; the verdict's own sentences follow it.
    pub fn sentence(&self) -> String {
        let look = self.look();
        let at = self.at;
        match (&self.says, self.was_open) {
            (Verdict::Holds, false) => {
                format!("{look} ({at}) found nothing that reaches more than the plan permits.")
            }
            (Verdict::Holds, true) => format!(
                "{look} ({at}) found nothing that reaches more than the plan permits; but more was open since real mail was tried, so that it has to be tried again."
            ),
            (Verdict::More { .. }, _) => {
                format!("{look} ({at}) contradicts the plan:")
            }
            (Verdict::Unknown { .. }, _) => {
                format!("{look} ({at}) could not see all that it takes to say so:")
            }
        }
    }
}

/// The one rule for every page, list and download: what a setup's own steps showed, as far as the
/// newest look at the tenant leaves it.
pub fn stands(own: Proof, judged: Option<&Judged>) -> Proof {
    let Some(judged) = judged else {
        return own;
    };
    if own < Proof::Configured {
        return own;
    }
    match &judged.says {
        Verdict::More { .. } => Proof::MoreOpen,
        Verdict::Unknown { .. } => Proof::NotKnown,
        Verdict::Holds if judged.was_open => own.min(Proof::Configured),
        Verdict::Holds => own,
    }
}

/// What real mail showed: each mailbox that was tried, and when it behaved as planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    pub tried: Vec<Tried>,
}

/// One mailbox of a round in which all behaved as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub object: ObjectId,
    pub must: Must,
    pub at: Timestamp,
}

impl Proved {
    /// Adds a round: what it tried anew counts from now on.
    pub fn add(&mut self, round: impl IntoIterator<Item = Tried>) {
        for one in round {
            self.tried.retain(|old| old.object != one.object);
            self.tried.push(one);
        }
    }

    /// When the newest round was.
    pub fn newest(&self) -> Option<Timestamp> {
        self.tried.iter().map(|one| one.at).max()
    }

    fn oldest(&self) -> Option<Timestamp> {
        self.tried.iter().map(|one| one.at).min()
    }

    fn is_of(&self, mailbox: &Mailbox) -> bool {
        self.tried.iter().any(|one| one.object == mailbox.object)
    }

    /// The permitted senders as which no mail was tried.
    pub fn untried<'p>(&self, plan: &'p Plan) -> Vec<&'p Mailbox> {
        plan.senders
            .iter()
            .filter(|sender| !self.is_of(sender))
            .collect()
    }

    /// What was tried, when and through what; and what was not.
    pub fn sentence(&self, plan: &Plan) -> String {
        let count = |list: &[Mailbox]| list.iter().filter(|one| self.is_of(one)).count();
        let when = match (self.oldest(), self.newest()) {
            (Some(oldest), Some(newest)) if newest.millis_since(oldest) > 3_600_000 => {
                format!(", between {oldest} and {newest}")
            }
            (_, Some(newest)) => format!(", on {newest}"),
            _ => String::new(),
        };
        let others = |count: usize| if count == 1 { "other" } else { "others" };
        let mut said = format!(
            "Sending through Graph was tried: as {} of {} permitted accepted, as {} of {} {} refused{when}.",
            count(&plan.senders),
            plan.senders.len(),
            count(&plan.refused),
            plan.refused.len(),
            others(plan.refused.len()),
        );
        if let Some(names) = names(&self.untried(plan)) {
            said.push_str(&format!(
                " {} of {} senders tried; not tried: {names}.",
                count(&plan.senders),
                plan.senders.len(),
            ));
        }
        said
    }
}

/// So many mailboxes are named in a sentence; more are counted.
const NAMED: usize = 5;

/// Addresses in a row; none: there are none.
pub fn names(mailboxes: &[&Mailbox]) -> Option<String> {
    if mailboxes.is_empty() {
        return None;
    }
    let mut said = mailboxes
        .iter()
        .take(NAMED)
        .map(|mailbox| mailbox.address.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    if mailboxes.len() > NAMED {
        said.push_str(&format!(" and {} more", mailboxes.len() - NAMED));
    }
    Some(said)
}

/// What the real mail of a setup showed; none: nothing, or it was not tried.
pub fn proved(steps: &[Step], plan: &Plan) -> Option<Proved> {
    steps
        .iter()
        .find(|step| step.kind == crate::step::StepKind::Prove)?
        .proved(plan)
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
