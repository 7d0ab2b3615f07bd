//! One run of one step: what it works with, and what it reports.

use domain::{
    Problem,
    id::SetupId,
    plan::Plan,
    secret::ClientSecret,
    step::{Evidence, Probe, Step, WaitFor},
};
use microsoft::{Call, Trace};

use crate::{Engine, Failure, pace::Wait};

/// What a step works with while it runs, and the notes that it takes.
pub(crate) struct Work<'a> {
    pub engine: &'a Engine,
    pub tenant: microsoft::Customer,
    pub setup: SetupId,
    pub plan: &'a Plan,
    pub step: &'a Step,
    pub secret: Option<ClientSecret>,
    pub notes: Notes,
}

/// What a step saw and did; kept even when it fails in the end.
#[derive(Default)]
pub(crate) struct Notes {
    pub evidence: Vec<Evidence>,
    pub changes: Vec<Change>,
    pub probes: Vec<Probe>,
    /// The secret is of no more use.
    pub forget_secret: Option<&'static str>,
}

/// Something that was changed at Microsoft: becomes an event of the history.
pub(crate) struct Change {
    pub what: String,
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
    pub request: Option<String>,
}

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
    Skipped {
        why: String,
    },
    Failed(Problem),
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
            .push(evidence(title, &call.trace, false));
        call.value
    }

    /// Keeps a change as evidence and for the history.
    pub fn changed(
        &mut self,
        what: impl Into<String>,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
        trace: &Trace,
    ) {
        let what = what.into();
        self.notes.evidence.push(evidence(&what, trace, true));
        self.notes.changes.push(Change {
            what,
            before,
            after,
            request: trace.request_id.clone(),
        });
    }

    /// A change that is there although no run of this step noted it: the run that made it was
    /// killed before it could. History gets it now.
    pub fn found_made(&mut self, what: impl Into<String>, after: serde_json::Value) {
        if !self.step.evidence.iter().any(|evidence| evidence.change)
            && self.notes.changes.is_empty()
        {
            self.notes.changes.push(Change {
                what: what.into(),
                before: None,
                after: Some(after),
                request: None,
            });
        }
    }
}

pub(crate) fn evidence(title: &str, trace: &Trace, change: bool) -> Evidence {
    Evidence {
        at: trace.at,
        title: title.to_owned(),
        sent: trace.sent.clone(),
        answer: trace.answer.clone(),
        request_id: trace.request_id.clone(),
        took_millis: trace.took_millis,
        change,
    }
}
