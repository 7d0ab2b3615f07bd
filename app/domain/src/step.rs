//! The steps of a setup and their states.

use serde::{Deserialize, Serialize};

use crate::{
    Problem, Timestamp,
    address::MailAddress,
    effects::Effects,
    id::ObjectId,
    plan::{Mailbox, Plan},
    proof::{Proved, Tried},
    proving::Proving,
};

/// The steps of the access-policy setup, in order (DESIGN §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Readiness,
    Group,
    Visible,
    Senders,
    Policy,
    Check,
    Prove,
    LastLook,
}

impl StepKind {
    pub const ALL: [Self; 8] = [
        Self::Readiness,
        Self::Group,
        Self::Visible,
        Self::Senders,
        Self::Policy,
        Self::Check,
        Self::Prove,
        Self::LastLook,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Group => "group",
            Self::Visible => "visible",
            Self::Senders => "senders",
            Self::Policy => "policy",
            Self::Check => "check",
            Self::Prove => "prove",
            Self::LastLook => "last_look",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the step changes something at the customer. Sending mail does not count.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Group | Self::Senders | Self::Policy)
    }

    /// The step's heading on the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Readiness => "Ready",
            Self::Group => "Group",
            Self::Visible => "Group visible",
            Self::Senders => "Senders",
            Self::Policy => "Policy",
            Self::Check => "Checked by Exchange",
            Self::Prove => "Tried with real mail",
            Self::LastLook => "Last look",
        }
    }

    /// What the step is going to do. The page shows it before the step has begun.
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Readiness => "Looks whether everything is there that the rest needs.",
            Self::Group => {
                "Creates a mail-enabled security group and hides it from the address lists."
            }
            Self::Visible => "Waits until Exchange and the directory both show the group.",
            Self::Senders => "Adds the permitted senders to the group and reads the members back.",
            Self::Policy => "Applies the access policy to the application and the group.",
            Self::Check => "Asks Exchange for each sender and each mailbox that must be refused.",
            Self::Prove => {
                "Sends real mail with the application's own secret, and sees who is refused."
            }
            Self::LastLook => {
                "Reads all that the application can reach, and compares it with the plan."
            }
        }
    }
}

/// The state of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Running,
    Waiting(Waiting),
    Done,
    Failed { problem: Problem },
    Skipped { why: String },
    Undone,
}

impl StepState {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting(_) => "waiting",
            Self::Done => "done",
            Self::Failed { .. } => "failed",
            Self::Skipped { .. } => "skipped",
            Self::Undone => "undone",
        }
    }

    /// Whether the step has ended.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped { .. } | Self::Undone)
    }
}

/// Why a step waits, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub what: WaitFor,
    /// What the step waits for, and what its last poll saw. One or two sentences.
    pub why: String,
    pub since: Timestamp,
    /// The time of the next poll. None: a person ends the wait.
    pub next_look: Option<Timestamp>,
    /// The deadline, at which the step gives up.
    pub latest: Timestamp,
    /// How long such a wait usually takes, in words.
    pub usually: Option<String>,
    /// Set while trouble interrupts the step's real wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interrupted>,
}

/// A wait that is interrupted because Microsoft cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {
    /// When the trouble began.
    pub at: Timestamp,
    /// The deadline of the interrupted wait. The duration of the trouble is added to it.
    pub latest: Timestamp,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Microsoft's directories and caches catch up.
    Microsoft,
    /// Microsoft asked for a pause, or could not be reached.
    Throttle,
    /// A person gives the application's client secret.
    Secret,
}

/// One step of one setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub kind: StepKind,
    #[serde(flatten)]
    pub state: StepState,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// The result of the step, in one sentence.
    pub summary: Option<String>,
    /// Requests and answers, oldest first.
    pub evidence: Vec<Evidence>,
    /// The mailboxes that were tried with real mail.
    pub probes: Vec<Probe>,
    /// How often the step was begun.
    pub attempts: u32,
    /// What the rollback kept of the step's work, and why.
    pub left: Option<String>,
    /// The step's notes: changes at Microsoft that history has already, and checkpoints that are
    /// recorded before a change. With them a run that was killed, or whose answer was lost, can be
    /// told from a run that did nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<String>,
    /// What the proof records between its looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proving: Option<Proving>,
    /// What the check read of the plan's effects apart from sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Effects>,
}

/// The keys of changes in [`Step::noted`].
pub mod told {
    use crate::plan::Mailbox;

    /// Another policy about the application was seen.
    pub const OTHER_POLICY: &str = "seen: another policy";

    pub const GROUP: &str = "group";
    pub const HIDDEN: &str = "group.hidden";
    pub const POLICY: &str = "policy";
    pub const REMOVED: &str = "removed";
    pub(super) const MEMBER: &str = "member.";

    pub fn member(mailbox: &Mailbox) -> String {
        format!("{MEMBER}{}", mailbox.object)
    }
}

/// Whether something that a step made is at the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stands {
    No,
    /// The step has begun and not ended, so its work may be there.
    Perhaps,
    Yes,
}

impl Step {
    /// Whether something that the step made is at the customer. An interrupted step, for example
    /// after a cancel, may have made something.
    pub fn stands(&self) -> Stands {
        let made = self
            .noted
            .iter()
            .any(|key| key == told::GROUP || key == told::POLICY || key.starts_with(told::MEMBER));
        let removed = self.noted.iter().any(|key| key == told::REMOVED);
        match &self.state {
            _ if !self.kind.changes() || self.started.is_none() || removed => Stands::No,
            StepState::Undone => Stands::No,
            StepState::Done => Stands::Yes,
            _ if made => Stands::Yes,
            // The work was looked for, and not found.
            StepState::Skipped { .. } => Stands::No,
            StepState::Pending
            | StepState::Running
            | StepState::Waiting(_)
            | StepState::Failed { .. } => Stands::Perhaps,
        }
    }

    pub const fn new(kind: StepKind) -> Self {
        Self {
            kind,
            state: StepState::Pending,
            started: None,
            ended: None,
            summary: None,
            evidence: Vec::new(),
            probes: Vec::new(),
            attempts: 0,
            left: None,
            noted: Vec::new(),
            proving: None,
            effects: None,
        }
    }

    /// Whether mail as a mailbox that must be refused went through, after it had been refused in a
    /// proof.
    pub fn went_through(&self) -> bool {
        let Some(proved) = self.proving.as_ref().and_then(|one| one.proved.as_ref()) else {
            return false;
        };
        self.probes.iter().any(|probe| {
            probe.must == Must::BeRefused
                && probe.looks.last().is_some_and(|look| {
                    look.outcome == Outcome::Accepted
                        && proved.newest().is_none_or(|proved| look.at > proved)
                })
        })
    }

    /// What real mail proved, according to this step. For a step of an older version it is derived
    /// from the mailboxes that were tried.
    pub fn proved(&self, plan: &Plan) -> Option<Proved> {
        if let Some(proving) = &self.proving {
            return proving.proved.clone();
        }
        if self.kind != StepKind::Prove || self.state != StepState::Done {
            return None;
        }
        let tried = self.probes.iter().filter_map(|probe| {
            let look = probe.looks.last().filter(|_| probe.holds())?;
            Some(Tried {
                object: probe.mailbox_of(plan)?.object,
                must: probe.must,
                at: look.at,
            })
        });
        Some(Proved {
            tried: tried.collect(),
        })
    }
}

/// One request to Microsoft with its answer, recorded so that a person can check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub at: Timestamp,
    /// What it shows, for example “Group read back”.
    pub title: String,
    /// The cmdlet or the request, without tokens and secrets.
    pub sent: String,
    /// The answer, shortened to what matters.
    pub answer: String,
    pub request_id: Option<String>,
    pub took_millis: i64,
    /// The request changed something, so history has it too.
    pub change: bool,
}

/// A mailbox that is tried with real mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub mailbox: MailAddress,
    /// The mailbox's object id, by which Graph knows it. None: an older version recorded only the
    /// address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    pub must: Must,
    /// The tries, oldest first.
    pub looks: Vec<Look>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Must {
    Arrive,
    BeRefused,
}

impl Must {
    /// Whether an outcome is the planned one.
    pub const fn is_met_by(self, outcome: &Outcome) -> bool {
        matches!(
            (self, outcome),
            (Self::Arrive, Outcome::Accepted) | (Self::BeRefused, Outcome::Refused)
        )
    }
}

impl Must {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Arrive => "be accepted",
            Self::BeRefused => "be refused",
        }
    }
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The number of the step's run. Mailboxes that were tried together have the same number.
    pub run: u32,
    pub at: Timestamp,
    pub outcome: Outcome,
    pub request_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Graph accepted the mail.
    Accepted,
    /// The policy refused the mail.
    Refused,
    /// Neither: the mail failed for another reason, which proves nothing.
    Unclear(String),
}

impl Probe {
    /// The mailbox of the plan that this probe tries.
    pub fn mailbox_of<'p>(&self, plan: &'p Plan) -> Option<&'p Mailbox> {
        let all = || plan.senders.iter().chain(&plan.refused);
        match self.object {
            Some(object) => all().find(|mailbox| mailbox.object == object),
            None => all().find(|mailbox| mailbox.address == self.mailbox),
        }
    }

    /// Whether the last try behaved as planned.
    pub fn holds(&self) -> bool {
        let last = self.looks.last();
        last.is_some_and(|look| self.must.is_met_by(&look.outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kind: StepKind, state: StepState, noted: &[&str]) -> Step {
        Step {
            state,
            started: Some(Timestamp(1)),
            noted: noted.iter().map(|&key| key.to_owned()).collect(),
            ..Step::new(kind)
        }
    }

    #[test]
    fn what_was_made_by_a_step_that_was_cut_short_stands() {
        let skipped = || StepState::Skipped {
            why: "cancelled".into(),
        };
        let cases = [
            (step(StepKind::Group, skipped(), &["group"]), Stands::Yes),
            (
                step(StepKind::Senders, skipped(), &["member.7"]),
                Stands::Yes,
            ),
            (step(StepKind::Policy, skipped(), &["policy"]), Stands::Yes),
            (step(StepKind::Policy, skipped(), &["not seen"]), Stands::No),
            (
                step(StepKind::Policy, StepState::Running, &[]),
                Stands::Perhaps,
            ),
            (
                step(StepKind::Policy, StepState::Pending, &[]),
                Stands::Perhaps,
            ),
            (step(StepKind::Policy, StepState::Done, &[]), Stands::Yes),
            (
                step(StepKind::Policy, StepState::Undone, &["policy", "removed"]),
                Stands::No,
            ),
            (
                step(StepKind::Policy, StepState::Running, &["policy", "removed"]),
                Stands::No,
            ),
            (step(StepKind::Check, StepState::Done, &[]), Stands::No),
            (step(StepKind::LastLook, StepState::Done, &[]), Stands::No),
            (Step::new(StepKind::Group), Stands::No),
        ];
        for (step, expected) in cases {
            assert_eq!(step.stands(), expected, "{step:?}");
        }
    }
}
