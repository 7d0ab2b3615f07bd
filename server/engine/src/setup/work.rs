//! One run of one step: its context and its report.

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

/// The context of a step's run (`Work`), with the report that the run fills (`notes`).
pub(crate) struct Work<'a> {
    pub engine: &'a Engine,
    pub access: &'a CustomerAccess,
    pub tenant: microsoft::Customer,
    pub setup: SetupId,
    pub plan: &'a Plan,
    pub step: &'a Step,
    /// All steps of the setup, as they were when the run claimed its step.
    pub steps: &'a [Step],
    pub secret: Option<ClientSecret>,
    /// Exchange's own id of the group, from the answer to the group's creation.
    pub group: Option<Uuid>,
    /// The group's object id. For an existing group it comes from the plan, else from the record of
    /// the group's step. None: the group's step has not ended, or an older version ended it.
    pub held: Option<ObjectId>,
    /// Other setups of this customer that use the same group.
    pub siblings: Vec<Sibling>,
    pub notes: Notes,
}

/// The report of a run: what it saw and did. Recorded even when the run fails.
#[derive(Default)]
pub(crate) struct Notes {
    pub evidence: Vec<Evidence>,
    pub changes: Vec<Change>,
    /// Checkpoints: they are recorded before the change that they announce is made, in a run of its
    /// own.
    pub marks: Vec<String>,
    pub probes: Vec<Probe>,
    /// What the proof records for its next poll.
    pub proving: Option<Proving>,
    /// What the plan changes apart from sending, as this run read it.
    pub effects: Option<Effects>,
    /// The verdict of the last look on what the setup claims.
    pub judged: Option<Judged>,
    /// Why the secret is to be deleted, where it is of no more use.
    pub forget_secret: Option<&'static str>,
    /// The secret that this run used, identified by its expiry.
    pub tried_secret: Option<Timestamp>,
}

/// A change at Microsoft. It becomes an event of the history.
pub(crate) struct Change {
    /// Identifies the change within its step.
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
    /// A refusal that usually passes by itself. If it lasts longer than `wait`, the step fails with
    /// `problem`.
    Passing {
        why: String,
        wait: Wait,
        problem: Box<Problem>,
    },
    Skipped {
        why: String,
    },
    Failed(Problem),
    /// The run has recorded a checkpoint. The step runs again at once.
    Again,
    /// The step is undone, or there was nothing to undo.
    Undone {
        summary: String,
    },
    /// The rollback keeps what the step made, and why.
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
    /// Records a read as evidence and returns its value.
    pub fn saw<T>(&mut self, title: &str, call: Call<T>) -> T {
        self.notes.evidence.push(call.trace.evidence(title, false));
        call.value
    }

    /// Records a change as evidence and for the history.
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

    /// Records a change that is in the tenant although no run of this step recorded it: its answer
    /// was lost, or its run was killed. False: the change is recorded already.
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

    /// Whether the change is recorded, or will be at the end of this run.
    pub fn is_told(&self, key: &str) -> bool {
        self.is_noted(key) || self.notes.changes.iter().any(|change| change.key == key)
    }

    /// Whether an earlier run of this step recorded the key.
    pub fn is_noted(&self, key: &str) -> bool {
        self.step.noted.iter().any(|noted| noted == key)
    }

    /// Records a checkpoint for the next run. False: an earlier run has recorded it.
    pub fn mark(&mut self, key: &str) -> bool {
        if self.is_noted(key) {
            return false;
        }
        self.notes.marks.push(key.to_owned());
        true
    }
}
