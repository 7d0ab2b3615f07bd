//! Invitations: one-time links with which a customer's own admin consents.

use serde::{Deserialize, Serialize};

use crate::{Problem, Timestamp, id::LinkId, problem::Remedy};

/// An invitation that can still be used, as the partner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRow {
    pub id: LinkId,
    pub maker: String,
    pub maker_upn: String,
    pub made: Timestamp,
    pub until: Timestamp,
    /// When somebody last went to Microsoft with it.
    pub asked: Option<Timestamp>,
    /// When Microsoft last sent somebody back without a consent, since then.
    pub refused: Option<Timestamp>,
}

/// The state of an invitation that somebody opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be used.
    Open,
    /// Somebody has consented with it.
    Used,
    /// Somebody of the partner has revoked it.
    Revoked,
    /// The partner has disconnected the customer.
    Disconnected,
    /// The operator who made it may not make invitations any more.
    Role,
    /// It has expired.
    Expired,
    /// No invitation has this address, or the address is not complete.
    Unknown,
}

/// An invitation, as the customer's own admin reads it before consenting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub state: InvitationState,
    /// None: nothing is known of the invitation.
    pub told: Option<InvitationTold>,
}

/// Who invites, for which customer, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationTold {
    pub partner: PartnerName,
    pub customer: String,
    pub customer_domain: String,
    pub maker: String,
    pub maker_upn: String,
    pub made: Timestamp,
    pub until: Timestamp,
}

/// The name of a partner, and the domain of its people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerName {
    /// None: the settings give no name.
    pub name: Option<String>,
    pub domain: String,
}

impl PartnerName {
    /// The name alone, or the domain where there is no name.
    pub fn short(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.domain)
    }
}

impl std::fmt::Display for PartnerName {
    /// `Northwind IT (northwind-it.example)`, or the domain alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.domain),
            None => f.write_str(&self.domain),
        }
    }
}

/// Why an invitation cannot be used, for the person who opened it.
pub fn unusable(state: InvitationState) -> Problem {
    let tell = |key: &str, happened: &str, means: &str| {
        Problem::new(
            key,
            Remedy::Act,
            happened,
            means,
            "Ask your service provider for a new one.",
        )
    };
    match state {
        InvitationState::Used => tell(
            "link.used_up",
            "This invitation was used.",
            "An invitation works once: somebody has consented with it.",
        ),
        InvitationState::Revoked => tell(
            "link.revoked",
            "This invitation was revoked.",
            "Somebody at your service provider took it back. Nobody can consent with it any more.",
        ),
        InvitationState::Disconnected => tell(
            "link.disconnected",
            "This invitation is no longer good.",
            "Your service provider has disconnected your organisation since it was made.",
        ),
        InvitationState::Role => tell(
            "link.role",
            "This invitation is no longer good.",
            "Whoever made it may not connect customers any more.",
        ),
        InvitationState::Expired => tell(
            "link.expired",
            "This invitation is too old.",
            "An invitation is good for a limited time, so that nobody finds and uses it later.",
        ),
        InvitationState::Open | InvitationState::Unknown => tell(
            "link.unknown",
            "There is no such invitation.",
            "Postern knows none with this address. Part of it may have been lost on the way.",
        ),
    }
}
