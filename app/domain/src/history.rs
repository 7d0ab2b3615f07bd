//! The histories of customers and of the partner itself, and their kinds of events.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::{CustomerId, PartnerId, SetupId},
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

            /// The name of the kind on pages.
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
    FirstSignIn "sign_in.first" "First sign-in";
    SignedIn "sign_in.done" "Signed in";
    SignInRefused "sign_in.refused" "Sign-in refused";
    SessionsEnded "sessions.ended" "Signed out by somebody else";
    RoleGiven "role.given" "Role given";
    RoleTaken "role.taken" "Role taken";
    AuthorityEnded "authority.ended" "Authority ended";
    LinkUsed "link.used" "One-time link used";
    SettingsChanged "settings.changed" "Settings changed";
}

impl EventKind {
    /// The kinds that the partner's own history contains.
    pub const OF_PARTNER: &'static [Self] = &[
        Self::FirstSignIn,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SessionsEnded,
        Self::RoleGiven,
        Self::RoleTaken,
        Self::AuthorityEnded,
        Self::LinkMade,
        Self::LinkUsed,
        Self::LinkRevoked,
        Self::CustomerAdded,
        Self::Disconnected,
        Self::SettingsChanged,
    ];

    /// Whether a customer's history can contain the kind.
    pub const fn is_of_customer(self) -> bool {
        !matches!(
            self,
            Self::FirstSignIn
                | Self::SignedIn
                | Self::SignInRefused
                | Self::SessionsEnded
                | Self::RoleGiven
                | Self::RoleTaken
                | Self::AuthorityEnded
                | Self::SettingsChanged
        )
    }
}

/// One entry of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub partner: PartnerId,
    /// The customer whose history it is. None: the partner's own history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The entry's number: 1, 2, 3, …, without gaps in a history.
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
    /// The key of the key ring with which the hash is made. None: the entry is of an older version,
    /// and its hash has no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The hash of the entry before, in hexadecimal. All zeros for the first entry.
    pub previous_hash: String,
    /// The hash over all fields above, in hexadecimal: HMAC-SHA-256 with the key, or SHA-256
    /// without a key.
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
        for kind in EventKind::ALL {
            assert!(kind.is_of_customer() || EventKind::OF_PARTNER.contains(kind));
        }
    }
}
