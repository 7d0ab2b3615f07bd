//! One run of one step: what it works with, and what it reports.

use domain::{
    Problem, Timestamp,
    effects::Effects,
    id::{ObjectId, SetupId},
    plan::Plan,
    proof::Judged,
    proving::Proving,
    secret::ClientSecret,
    step::{Evidence, Probe, Step, WaitFor},
};
use microsoft::{Call, Trace};
use store::CustomerAccess;

use uuid::Uuid;

use super::siblings::Sibling;
use crate::{Engine, Failure, pace::Wait};

/// What a step works with while it runs, and the notes that it takes.
pub(crate) struct Work<'a> {
    pub engine: &'a Engine,
    pub access: &'a CustomerAccess,
    pub tenant: microsoft::Customer,
    pub setup: SetupId,
    pub plan: &'a Plan,
    pub step: &'a Step,
    /// All steps of the setup, as they were when this one was taken.
    pub steps: &'a [Step],
    pub secret: Option<ClientSecret>,
    /// Exchange's own id of the group, as it answered when the group was made.
    pub group: Option<Uuid>,
    /// The group's object id: of the plan where the group was there before, else as the group's step
    /// kept it. None: that step has not ended, or ended in an older version.
    pub held: Option<ObjectId>,
    /// Other setups of this customer that name the same group.
    pub siblings: Vec<Sibling>,
    pub notes: Notes,
}

/// What a step saw and did; kept even when it fails in the end.
#[derive(Default)]
pub(crate) struct Notes {
    pub evidence: Vec<Evidence>,
    pub changes: Vec<Change>,
    /// Looks that a change has to follow, kept with the step before it is made.
    pub marks: Vec<String>,
    pub probes: Vec<Probe>,
    /// What the proof keeps for its next look.
    pub proving: Option<Proving>,
    /// What the plan means beside sending, as this run read it.
    pub effects: Option<Effects>,
    /// What the last look says of the setup's claim.
    pub judged: Option<Judged>,
    /// The secret is of no more use.
    pub forget_secret: Option<&'static str>,
    /// The secret that the run worked with, by the end of its time.
    pub tried_secret: Option<Timestamp>,
}

/// Something that was changed at Microsoft: becomes an event of the history.
pub(crate) struct Change {
    /// Names it within its step.
    pub key: String,
    pub what: String,
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
    pub request: Option<String>,
}

/// Why a step ends that was under way when its setup was cancelled.
pub(crate) const CANCELLED: &str =
    "The setup was cancelled while this ran; what it made by then stays.";

/// How a run ended.
pub(crate) enum Outcome {
    Done {
        summary: String,
    },
    Wait {
        what: WaitFor,
        why: String,
        wait: Wait,
        usually: Option<&'static str>,
    },
    /// It usually passes by itself. Where it does not within `wait`, this is the problem.
    Passing {
        why: String,
        wait: Wait,
        problem: Box<Problem>,
    },
    Skipped {
        why: String,
    },
    Failed(Problem),
    /// Looked, and goes on at once with what it saw noted.
    Again,
    /// Undone, or there was nothing to undo.
    Undone {
        summary: String,
    },
    /// Rolling back leaves it, and why.
    Left {
        why: String,
    },
}

impl Outcome {
    pub fn done(summary: impl Into<String>) -> Result<Self, Failure> {
        Ok(Self::Done {
            summary: summary.into(),
        })
    }

    pub fn undone(summary: impl Into<String>) -> Result<Self, Failure> {
        Ok(Self::Undone {
            summary: summary.into(),
        })
    }

    pub fn left(why: impl Into<String>) -> Result<Self, Failure> {
        Ok(Self::Left { why: why.into() })
    }

    pub fn wait(
        why: impl Into<String>,
        wait: Wait,
        usually: &'static str,
    ) -> Result<Self, Failure> {
        Ok(Self::Wait {
            what: WaitFor::Microsoft,
            why: why.into(),
            wait,
            usually: Some(usually),
        })
    }
}

impl Work<'_> {
    /// Keeps what was read as evidence and hands the value on.
    pub fn saw<T>(&mut self, title: &str, call: Call<T>) -> T {
        self.notes
            .evidence
            .push(call.trace.evidence(title, false));
        call.value
    }

    /// Keeps a change as evidence and for the history.
    pub fn changed(
        &mut self,
        key: impl Into<String>,
        what: impl Into<String>,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
        trace: &Trace,
    ) {
        let what = what.into();
        self.notes.evidence.push(trace.evidence(&what, true));
        self.notes.changes.push(Change {
            key: key.into(),
            what,
            before,
            after,
            request: trace.request_id.clone(),
        });
    }

    /// A change that is there although no run of this step noted it: its answer was lost, or the
    /// run that made it was killed. History gets it now. False: it is told already.
    pub fn found_changed(
        &mut self,
        key: &str,
        what: impl Into<String>,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) -> bool {
        if self.is_told(key) {
            return false;
        }
        self.notes.changes.push(Change {
            key: key.to_owned(),
            what: what.into(),
            before,
            after,
            request: None,
        });
        true
    }

    /// History tells this change, or will with the end of this run.
    pub fn is_told(&self, key: &str) -> bool {
        self.is_noted(key) || self.notes.changes.iter().any(|change| change.key == key)
    }

    /// An earlier run of this step noted it, and its note was kept.
    pub fn is_noted(&self, key: &str) -> bool {
        self.step.noted.iter().any(|noted| noted == key)
    }

    /// Notes something for the next run. False: an earlier run did.
    pub fn mark(&mut self, key: &str) -> bool {
        if self.is_noted(key) {
            return false;
        }
        self.notes.marks.push(key.to_owned());
        true
    }
}
