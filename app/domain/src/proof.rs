//! How strong a claim is.

use serde::{Deserialize, Serialize};

/// What is known of a confinement, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing yet.
    None,
    /// The policy was read back.
    Configured,
    /// Exchange's own test cmdlet agrees with the plan.
    Checked,
    /// Real sends behaved: the permitted one was accepted, the others were refused.
    Proven,
}

impl Proof {
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none yet",
            Self::Configured => "configured",
            Self::Checked => "checked",
            Self::Proven => "proven",
        }
    }

    pub const fn explained(self) -> &'static str {
        match self {
            Self::None => "Nothing has been confirmed yet.",
            Self::Configured => "The policy stands in Exchange; nobody has asked yet what it does.",
            Self::Checked => "Exchange's own test agrees with the plan. Real mail was not tried.",
            Self::Proven => {
                "Real mail was sent: what is permitted was accepted, the rest was refused."
            }
        }
    }
}
