//! Errors of calls to Microsoft.

use std::{fmt, time::Duration};

use domain::{Problem, Timestamp, id::TenantId, problem::Answer};

use crate::{call::Trace, problems};

pub type Result<T> = std::result::Result<T, Error>;

/// The service that was called.
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

/// The kind of failure. The engine decides by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody consented to the requested scopes, or the consent has not propagated yet. The refresh
    /// token is valid: keep it and ask for consent.
    ConsentMissing,
    /// The person declined on Microsoft's page.
    Declined,
    /// A partner's rights (GDAP) were used in a tenant where the application was never authorised.
    PartnerNotAuthorised,
    /// The refresh token is spent or revoked. An admin must sign in again.
    TokenDead,
    /// Entra requires the person, or a rule of the tenant refuses the sign-in: second factor,
    /// Conditional Access, sign-in frequency.
    InteractionRequired,
    /// Entra refused the sign-in with a code unknown to Postern. The refresh token may still be
    /// valid.
    SignInRefused,
    /// The authorization code was used before, is too old, or belongs to another browser.
    CodeSpent,
    SecretWrong,
    SecretExpired,
    /// The application does not exist in the tenant.
    AppNotFound,
    /// The application is disabled in the tenant.
    AppDisabled,
    /// No tenant has this name.
    TenantNotFound,
    /// The person has no account in the tenant.
    NotInTenant,
    /// A partner's account (GDAP) has no access to the tenant: the relationship has ended, or does
    /// not cover the account.
    DelegationEnded,
    /// The tenant does not know the service. This says nothing about licences: only the directory
    /// shows whether there is an Exchange.
    ServiceMissing,
    /// The service is off in the tenant: its subscription has ended, or an administrator disabled
    /// it. Entra does not distinguish the two (MICROSOFT.md §6.1).
    ServiceOff,
    /// Postern's own registration in Entra is wrong: redirect address, kind of accounts.
    Registration,
    /// The ID token is not valid.
    Identity(IdentityFault),
    /// Microsoft asks for a pause. Nothing was done. `until`: the end of the pause, if Microsoft
    /// named it.
    Throttled {
        until: Option<Timestamp>,
    },
    /// No response, or a gateway's response. `maybe_done`: the request may have been carried out.
    Unreachable {
        maybe_done: bool,
    },
    /// The token was refused, and so was a fresh token.
    Unauthorized,
    Forbidden,
    NotFound,
    /// The caller holds no Exchange role that contains the cmdlet.
    ExchangeRoleMissing,
    /// A cmdlet ran and failed.
    Cmdlet(Fault),
    /// A list of pages broke off. The rows read are not all rows.
    PageLost,
    /// A link or a redirect led away from the configured address.
    ForeignLink,
    /// The response was larger than the limit.
    TooLarge,
    /// The task would take more calls than Postern allows for it.
    TooMany,
    /// The response does not follow the protocol.
    Malformed,
    /// The response is about another object than the requested one.
    Mismatch,
    /// Postern refused the request before anything was sent.
    NotSent,
    /// There is no refresh token: nobody consented yet, or the token was deleted.
    NotConnected,
    /// The refresh token could not be loaded or stored. The cause is in the log.
    Store,
    Other,
}

/// Why a cmdlet failed, judged by exception type and text. The status is misleading (MICROSOFT.md
/// §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An object that the cmdlet names does not exist, or not where Exchange looked: a new object
    /// is not on every directory server yet (MICROSOFT.md §1.7).
    NotFound,
    /// A name, an alias or an address is already in use.
    AlreadyExists,
    AlreadyMember,
    NotMember,
    /// “The executing user is not in the current organization”: a guest of the partner wrote to a
    /// group without the bypass (MICROSOFT.md §2.2).
    WrongOrganization,
    /// The partner's GDAP role mapping does not extend to Exchange.
    DelegationNotMapped,
    /// All access policies of the tenant together are too large (MICROSOFT.md §2.4).
    PoliciesFull,
    /// The organisation must be customised first (`Enable-OrganizationCustomization`), or was
    /// customised only a moment ago.
    Dehydrated,
    /// The scope of an access policy is of a kind that cannot be given rights (MICROSOFT.md §2.4).
    NotSecurityPrincipal,
    /// The object is managed on premises. The copy in the cloud cannot be changed.
    Synced,
    /// Only a manager of the group may change it (MICROSOFT.md §2.2).
    NotOwner,
    /// The directory refused the write. The write may have happened all the same (MICROSOFT.md
    /// §1.7).
    DirectoryWrite,
    /// Exchange knows the account but no role of it: none was assigned, or the assignment has not
    /// arrived yet.
    NoRoles,
    /// The account may not delegate this role.
    NotDelegating,
    /// A parameter, a value or a combination that Exchange does not accept.
    BadParameter,
    Other,
}

/// Why an ID token is not valid (DESIGN §6, MICROSOFT.md §6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityFault {
    /// The text does not consist of three parts of Base64 and JSON.
    NotAToken,
    /// The token is signed with another algorithm than RS256.
    Algorithm,
    /// The token is signed with a key that Entra does not publish.
    UnknownKey,
    Signature,
    /// The token was issued for another application.
    Audience,
    /// The token is not the answer to this browser's request.
    Nonce,
    Expired,
    /// `nbf` or `iat` lie in the future: one of the clocks is wrong.
    NotYetValid,
    /// `tid` is missing or not a GUID.
    NoTenant,
    /// A personal Microsoft account.
    Consumer,
    /// `iss` is not the issuer of the token's own tenant, or not the key's.
    Issuer,
    /// A valid token of another tenant than the required one.
    WrongTenant {
        came: TenantId,
        meant: TenantId,
    },
    /// `oid` is missing or not a GUID.
    NoObject,
}

/// A failed call, with all known details.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    service: Service,
    kind: Kind,
    code: Option<String>,
    message: Option<String>,
    subject: Option<String>,
    /// The pause that Microsoft asked for with a response that leaves open whether the request was
    /// carried out.
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

    /// An error without a trace, because nothing was sent.
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

    /// Sets the subject of the error, as the person knows it: a domain, an address, a name.
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

    /// Microsoft's error code: `AADSTS65001`, `ErrorAccessDenied`, an exception type of Exchange …
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Microsoft's own message, or an observation of Postern. It never holds a token.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The subject of the error, as the person knows it: a domain, an address, a cmdlet.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The request that was sent. Empty when nothing was sent.
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

    /// Whether the failure is transient: the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Throttled { .. } | Kind::Unreachable { .. } | Kind::PageLost | Kind::Store
        )
    }

    /// Whether the request may have been carried out all the same. Check before the request is
    /// repeated.
    pub fn maybe_done(&self) -> bool {
        matches!(self.0.kind, Kind::Unreachable { maybe_done: true })
    }

    /// Whether Microsoft asked for a pause, with or without an end.
    pub fn asks_for_pause(&self) -> bool {
        matches!(self.0.kind, Kind::Throttled { .. }) || self.0.pause.is_some()
    }

    /// The end of the pause, if Microsoft named it.
    pub fn paused_until(&self) -> Option<Timestamp> {
        match self.0.kind {
            Kind::Throttled { until } => until,
            _ => self.0.pause,
        }
    }

    /// The rest of the pause, counted from `now`.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let until = self.paused_until()?;
        Some(Duration::from_millis(
            u64::try_from(until.millis_since(now)).unwrap_or(0),
        ))
    }

    /// The problem for the person who can do something about it.
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
