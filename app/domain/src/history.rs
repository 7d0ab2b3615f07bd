//! A customer's history: what kinds of event there are.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::{CustomerId, SetupId},
    person::Actor,
};

macro_rules! kinds {
    ($($variant:ident $text:literal $title:literal;)*) => {
        /// What happened. The texts are stored for years: never change one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind { $(#[serde(rename = $text)] $variant,)* }

        impl EventKind {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
            }

            /// What pages call it.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

kinds! {
    CustomerAdded "customer.added" "Customer added";
    ConsentAsked "consent.asked" "Consent asked for";
    ConsentGiven "consent.given" "Consent given";
    ConsentRefused "consent.refused" "Consent refused";
    ConnectionBroken "connection.broken" "Connection broken";
    ConnectionRestored "connection.restored" "Connection works again";
    Disconnected "connection.disconnected" "Disconnected";
    LinkMade "link.made" "One-time link made";
    LinkRevoked "link.revoked" "One-time link revoked";
    SetupStarted "setup.started" "Setup started";
    SetupCancelled "setup.cancelled" "Setup cancelled";
    SetupRetried "setup.retried" "Setup tried again";
    SetupRollBack "setup.roll_back" "Roll back started";
    SetupRolledBack "setup.rolled_back" "Setup rolled back";
    SetupDone "setup.done" "Setup finished";
    SecretGiven "secret.given" "Client secret given";
    SecretForgotten "secret.forgotten" "Client secret forgotten";
    StepDone "step.done" "Step done";
    StepWaiting "step.waiting" "Step waits";
    StepFailed "step.failed" "Step failed";
    StepSkipped "step.skipped" "Step skipped";
    StepUndone "step.undone" "Step undone";
    Proven "proof.proven" "Proven";
    ProofAgain "proof.again" "Proof asked for again";
    ProofFell "proof.fell" "Proof no longer stands";
    ReachChanged "reach.changed" "Reach changed";
    Change "cloud.change" "Changed at Microsoft";
}

/// One entry of a customer's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub customer: CustomerId,
    /// Counts from 1 without gaps within the customer.
    pub seq: i64,
    pub at: Timestamp,
    pub actor: Actor,
    pub kind: EventKind,
    pub setup: Option<SetupId>,
    /// One sentence.
    pub what: String,
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
    /// Microsoft's request ids.
    pub requests: Vec<String>,
    /// Hash of the entry before; all zeros for the first. Hexadecimal SHA-256.
    pub previous_hash: String,
    /// Hexadecimal SHA-256 over everything above.
    pub hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_unique_and_read_back() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(EventKind::parse("nothing"), None);
    }
}
