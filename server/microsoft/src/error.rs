//! Why a call to Microsoft gave no value.

use std::{fmt, time::Duration};

use domain::{Problem, Timestamp, id::TenantId, problem::Answer};

use crate::{call::Trace, problems};

pub type Result<T> = std::result::Result<T, Error>;

/// Which of Microsoft's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    Entra,
    Graph,
    Exchange,
}

impl Service {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entra => "Entra",
            Self::Graph => "Graph",
            Self::Exchange => "Exchange",
        }
    }
}

/// What kind of failure: what the engine decides by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody consented to what was asked for, or the consent has not spread yet. The token is
    /// good: keep it and ask for consent.
    ConsentMissing,
    /// The person declined on Microsoft's page.
    Declined,
    /// A partner's rights (GDAP) were used where the application was never authorised.
    PartnerNotAuthorised,
    /// The refresh token is spent or revoked: an admin must sign in again.
    TokenDead,
    /// Entra wants the person back, or a rule of the tenant refuses the sign-in: second factor,
    /// Conditional Access, sign-in frequency.
    InteractionRequired,
    /// Entra refused the sign-in with a code that is not known here: it may have ended, or not.
    SignInRefused,
    /// An authorization code that was used before, is too old, or belongs to another browser.
    CodeSpent,
    SecretWrong,
    SecretExpired,
    /// The application does not exist in the tenant.
    AppNotFound,
    /// The application is switched off in the tenant.
    AppDisabled,
    /// No tenant has this name.
    TenantNotFound,
    /// The person has no account in the tenant.
    NotInTenant,
    /// The same of a partner's account (GDAP): the relationship has ended, or does not cover it.
    DelegationEnded,
    /// The tenant does not know the service. Says nothing of licences: whether there is an
    /// Exchange shows in the directory.
    ServiceMissing,
    /// The service is off in the tenant: its subscription has ended, or an administrator disabled
    /// it. Entra does not tell the two apart (MICROSOFT.md §6.1).
    ServiceOff,
    /// How Postern itself is registered in Entra does not fit: redirect address, kind of accounts.
    Registration,
    /// An ID token that must not be believed.
    Identity(IdentityFault),
    /// Microsoft asks for a pause; nothing was done. `until`: as it said, else unknown.
    Throttled {
        until: Option<Timestamp>,
    },
    /// No answer, or one of a gateway. `maybe_done`: what was asked for may have happened.
    Unreachable {
        maybe_done: bool,
    },
    /// The token was refused, and a fresh one too.
    Unauthorized,
    Forbidden,
    NotFound,
    /// The caller holds no Exchange role that contains the cmdlet.
    ExchangeRoleMissing,
    /// A cmdlet ran and failed.
    Cmdlet(Fault),
    /// Pages ended before the end: what was read is not all there is.
    PageLost,
    /// A link or a redirect led away from the configured address.
    ForeignLink,
    /// The answer was larger than is taken.
    TooLarge,
    /// It would take more calls than Postern makes for it.
    TooMany,
    /// The answer was not what the protocol says.
    Malformed,
    /// The answer is about something else than was asked for.
    Mismatch,
    /// Refused here before anything was sent.
    NotSent,
    /// There is no refresh token: nobody consented yet, or it was forgotten.
    NotConnected,
    /// The refresh token could not be loaded or kept; the cause is in the log.
    Store,
    Other,
}

/// Why a cmdlet failed, judged by exception type and text: the status misleads (MICROSOFT.md §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An object that the cmdlet names does not exist, or not where Exchange looked: what was just
    /// made is not on every directory server (MICROSOFT.md §1.7).
    NotFound,
    /// A name, an alias or an address is taken.
    AlreadyExists,
    AlreadyMember,
    NotMember,
    /// “The executing user is not in the current organization”: a guest of the partner wrote to a
    /// group without the bypass (MICROSOFT.md §2.2).
    WrongOrganization,
    /// The partner's GDAP role mapping does not reach Exchange.
    DelegationNotMapped,
    /// All access policies of the tenant together are too large (MICROSOFT.md §2.4).
    PoliciesFull,
    /// The organisation has to be customised first (`Enable-OrganizationCustomization`), or was
    /// until a moment ago.
    Dehydrated,
    /// The scope of an access policy is of a kind that can be given no rights (MICROSOFT.md §2.4).
    NotSecurityPrincipal,
    /// The object is managed on premises; the cloud's copy cannot be changed.
    Synced,
    /// Only who manages the group may change it (MICROSOFT.md §2.2).
    NotOwner,
    /// The directory refused the write; it may have happened all the same (MICROSOFT.md §1.7).
    DirectoryWrite,
    /// Exchange knows the account, and no role of it: none was given, or it has not arrived.
    NoRoles,
    /// The account may not hand this role on.
    NotDelegating,
    /// A parameter, a value or a combination that Exchange does not take.
    BadParameter,
    Other,
}

/// Why an ID token must not be believed (DESIGN §6, MICROSOFT.md §6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// No three parts of Base64 and JSON.
    NotAToken,
    /// Signed with another algorithm than RS256.
    Algorithm,
    /// Signed with a key that Entra does not publish.
    UnknownKey,
    Signature,
    /// Issued for another application.
    Audience,
    /// Not the answer to this browser's request.
    Nonce,
    Expired,
    /// `nbf` or `iat` lie in the future: one of the clocks is wrong.
    NotYetValid,
    /// `tid` is missing or no GUID.
    NoTenant,
    /// A personal Microsoft account.
    Consumer,
    /// `iss` is not the issuer of the token's own tenant, or not the key's.
    Issuer,
    /// A good token of another tenant than was meant.
    WrongTenant {
        came: TenantId,
        meant: TenantId,
    },
    /// `oid` is missing or no GUID.
    NoObject,
}

/// A failed call, with all that is known of it.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    service: Service,
    kind: Kind,
    code: Option<String>,
    message: Option<String>,
    subject: Option<String>,
    /// A pause that was asked for with an answer that leaves open what was done.
    pause: Option<Timestamp>,
    trace: Trace,
}

impl Error {
    pub(crate) fn new(service: Service, kind: Kind, trace: Trace) -> Self {
        Self(Box::new(Inner {
            service,
            kind,
            code: None,
            message: None,
            subject: None,
            pause: None,
            trace,
        }))
    }

    /// Nothing was sent, so there is no trace.
    pub(crate) fn unsent(service: Service, kind: Kind, message: impl Into<String>) -> Self {
        Self::new(service, kind, Trace::default()).with_message(message)
    }

    #[must_use]
    pub(crate) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    #[must_use]
    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// What it is about, as the person knows it: a domain, an address, a name.
    #[must_use]
    pub(crate) fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.0.subject = Some(subject.into());
        self
    }

    #[must_use]
    pub(crate) fn with_pause(mut self, until: Option<Timestamp>) -> Self {
        self.0.pause = until;
        self
    }

    #[must_use]
    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn took(&mut self, millis: i64) {
        self.0.trace.took_millis = millis;
    }

    pub fn service(&self) -> Service {
        self.0.service
    }

    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// `AADSTS65001`, `ErrorAccessDenied`, an exception type of Exchange …
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Microsoft's own words, or what was noticed here; never a token.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What it is about, as the person knows it: a domain, an address, a cmdlet.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// What was sent; empty when nothing was.
    pub fn trace(&self) -> &Trace {
        &self.0.trace
    }

    /// The reason why a cmdlet failed, if one ran.
    pub fn fault(&self) -> Option<Fault> {
        match self.0.kind {
            Kind::Cmdlet(fault) => Some(fault),
            _ => None,
        }
    }

    /// It passes by itself: the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Throttled { .. } | Kind::Unreachable { .. } | Kind::PageLost | Kind::Store
        )
    }

    /// What was asked for may have happened all the same: look before it is asked again.
    pub fn maybe_done(&self) -> bool {
        matches!(self.0.kind, Kind::Unreachable { maybe_done: true })
    }

    /// Microsoft wants to be left alone, until then if it said so.
    pub fn asks_for_pause(&self) -> bool {
        matches!(self.0.kind, Kind::Throttled { .. }) || self.0.pause.is_some()
    }

    /// Until when Microsoft wants to be left alone, as it said.
    pub fn paused_until(&self) -> Option<Timestamp> {
        match self.0.kind {
            Kind::Throttled { until } => until,
            _ => self.0.pause,
        }
    }

    /// How long Microsoft wants to be left alone, counted from `now`.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let until = self.paused_until()?;
        Some(Duration::from_millis(
            u64::try_from(until.millis_since(now)).unwrap_or(0),
        ))
    }

    /// For the person who can do something about it.
    pub fn problem(&self) -> Problem {
        let problem = problems::problem(self);
        let trace = &self.0.trace;
        if trace.attempts == 0 && self.0.code.is_none() {
            return problem;
        }
        problem.with_answer(Answer {
            code: self.0.code.clone(),
            message: self.0.message.clone(),
            status: trace.status,
            request_id: trace.request_id.clone(),
            client_request_id: trace.client_request_id.clone(),
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.0.service.name(), self.0.kind)?;
        if let Some(code) = &self.0.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = self.0.message.as_deref().filter(|text| !text.is_empty()) {
            write!(f, ": {message}")?;
        }
        if let Some(request) = &self.0.trace.request_id {
            write!(f, " (request {request})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        error.problem()
    }
}
