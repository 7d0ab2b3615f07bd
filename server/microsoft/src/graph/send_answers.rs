//! The meaning of `sendMail` responses, in one table (MICROSOFT.md §5.1).

use domain::{Problem, problem::Remedy};
use http::StatusCode;

use crate::error::Error;

/// The meaning of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// An access policy for this application refused.
    Policy,
    /// A list of user agents of the organisation or of the mailbox refused. It may also be an old
    /// form of the policy's refusal.
    UserAgents,
    /// There is no grant, the mailbox is outside an Exchange role's scope, or the token is older
    /// than the grant.
    NotAllowed,
    /// The mailbox may not send as the sender that the mail names.
    OtherSender,
    /// The mailbox is on premises, of a guest, inactive, or without a licence.
    NoMailbox,
    /// Graph knows no such user, or does not know it yet.
    UnknownMailbox,
    /// The mailbox has reached its sending limit.
    Quota,
    /// Too many requests.
    Throttled,
    /// The application's token is no longer accepted: continuous access evaluation.
    Token,
}

/// One row: which responses it matches, and their meaning.
struct Row {
    statuses: &'static [u16],
    /// One of these codes must match. Empty: any code matches.
    codes: &'static [&'static str],
    /// The message must contain this text. None: any message matches.
    text: Option<&'static str>,
    meaning: Meaning,
}

/// The first matching row decides. Only `[RAOP]` identifies the policy: the text before it appears
/// alone when a list of user agents refuses, which another caller may pass.
const TABLE: [Row; 9] = [
    Row {
        statuses: &[403],
        codes: &["ErrorAccessDenied"],
        text: Some("[RAOP]"),
        meaning: Meaning::Policy,
    },
    Row {
        statuses: &[403],
        codes: &["ErrorAccessDenied"],
        text: Some("Access to OData is disabled"),
        meaning: Meaning::UserAgents,
    },
    Row {
        statuses: &[403],
        codes: &["ErrorAccessDenied", "Authorization_RequestDenied"],
        text: None,
        meaning: Meaning::NotAllowed,
    },
    Row {
        statuses: &[403],
        codes: &["ErrorSendAsDenied"],
        text: None,
        meaning: Meaning::OtherSender,
    },
    Row {
        statuses: &[400, 403, 404],
        codes: &["MailboxNotEnabledForRESTAPI"],
        text: None,
        meaning: Meaning::NoMailbox,
    },
    Row {
        statuses: &[400, 404],
        codes: &[
            "ErrorInvalidUser",
            "ResourceNotFound",
            "Request_ResourceNotFound",
        ],
        text: None,
        meaning: Meaning::UnknownMailbox,
    },
    Row {
        statuses: &[403, 429],
        codes: &["ErrorExceededMessageLimit"],
        text: None,
        meaning: Meaning::Quota,
    },
    Row {
        statuses: &[429],
        codes: &[],
        text: None,
        meaning: Meaning::Throttled,
    },
    Row {
        statuses: &[401],
        codes: &[],
        text: None,
        meaning: Meaning::Token,
    },
];

/// The meaning of a response. None when the table does not know the response.
pub fn meaning(status: u16, code: Option<&str>, message: Option<&str>) -> Option<Meaning> {
    TABLE
        .iter()
        .find(|row| {
            row.statuses.contains(&status)
                && (row.codes.is_empty() || code.is_some_and(|code| row.codes.contains(&code)))
                && row
                    .text
                    .is_none_or(|text| message.is_some_and(|message| message.contains(text)))
        })
        .map(|row| row.meaning)
}

impl Meaning {
    pub(super) fn of(status: StatusCode, error: &Error) -> Option<Self> {
        meaning(status.as_u16(), error.code(), error.message())
    }

    /// Whether no other mail can succeed before the pause is over.
    pub(super) const fn pauses(self) -> bool {
        matches!(self, Self::Quota | Self::Throttled)
    }

    /// The problem for a person. None when the words of the error itself suffice.
    pub(super) fn problem(self) -> Option<Problem> {
        let (key, remedy, happened, means, todo) = match self {
            Self::Policy | Self::NotAllowed | Self::Throttled => return None,
            Self::UserAgents => (
                "send.user_agents",
                Remedy::Act,
                "Microsoft refused the mail with “Access to OData is disabled.”, and did not name an access policy.",
                "A list of allowed or blocked user agents of the organisation or of the mailbox (EwsApplicationAccessPolicy) answers so. It refuses the program that asks, here Postern, and may let the application itself pass: it says nothing of the policy.",
                "Look at Get-OrganizationConfig and Get-CASMailbox in the customer's Exchange: EwsApplicationAccessPolicy, EwsAllowList and EwsBlockList.",
            ),
            Self::OtherSender => (
                "send.other_sender",
                Remedy::Act,
                "Microsoft says that the mailbox may not send as the sender that the mail names.",
                "The sender is not the mailbox itself, an alias for example: it says nothing of the policy.",
                "Choose the mailbox by its own address.",
            ),
            Self::NoMailbox => (
                "send.no_mailbox",
                Remedy::Act,
                "Microsoft says that there is no mailbox here that Graph opens.",
                "It is on premises, inactive, a guest's, or has no licence: it says nothing of the policy. It opens by itself when the mailbox moves to Exchange Online.",
                "Prove with a mailbox that is in Exchange Online.",
            ),
            Self::UnknownMailbox => (
                "send.unknown_mailbox",
                Remedy::Act,
                "Graph does not know the mailbox from which the mail was to be sent.",
                "It was removed, or it is so new that not all of Microsoft's servers show it: it could not be tried.",
                "Check that the mailbox is there; if it is new, wait.",
            ),
            Self::Quota => (
                "send.quota",
                Remedy::Wait,
                "The mailbox has sent as much mail as it may for now.",
                "Microsoft takes no mail from it for a while, whoever sends: it says nothing of the policy.",
                "Wait: Postern tries again by itself.",
            ),
            Self::Token => (
                "send.token",
                Remedy::Act,
                "Microsoft did not take the application's own token.",
                "Something changed for the application since it signed in: a Conditional Access policy for workload identities, a risk, or its credentials. The customer's connection is not concerned.",
                "Look at the application's sign-ins in the customer's Entra, then try again with its client secret.",
            ),
        };
        Some(Problem::new(key, remedy, happened, means, todo))
    }
}
