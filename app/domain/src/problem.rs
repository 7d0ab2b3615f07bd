//! Problems: what went wrong, worded for the person who can do something about it.

use serde::{Deserialize, Serialize};

/// One problem. It has three lines for a person, and Microsoft's own words for anybody who asks
/// Microsoft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable key such as `entra.consent_missing`: for tests, metrics and help pages.
    pub key: String,
    /// What happened. One sentence.
    pub happened: String,
    /// What that means. One sentence.
    pub means: String,
    /// What to do. One sentence, an instruction.
    pub todo: String,
    pub remedy: Remedy,
    /// Microsoft's answer, where Microsoft refused.
    pub microsoft: Option<Answer>,
}

/// Who can end the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// It passes: Postern retries by itself.
    Wait,
    /// A person must do something. Then a retry can succeed.
    Act,
    /// An admin of the customer must sign in and consent again. Then a retry can succeed.
    Consent,
    /// It cannot work like this.
    Never,
}

/// Microsoft's own answer, for the fold-out and for a support request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// For example `AADSTS65001`, `ErrorAccessDenied`, or an exception type of Exchange.
    pub code: Option<String>,
    /// Microsoft's message, shortened. It never contains a token.
    pub message: Option<String>,
    pub status: Option<u16>,
    /// Microsoft's `request-id`, or Entra's trace id.
    pub request_id: Option<String>,
    /// The `client-request-id` that we sent.
    pub client_request_id: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.happened, self.means, self.todo)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    pub fn new(
        key: impl Into<String>,
        remedy: Remedy,
        happened: impl Into<String>,
        means: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            happened: happened.into(),
            means: means.into(),
            todo: todo.into(),
            remedy,
            microsoft: None,
        }
    }

    /// The key of a consent that is missing. Right after it was given it may only be on its way.
    pub const CONSENT_MISSING: &'static str = "entra.consent_missing";

    /// The HTTP status of what means the same whatever was asked for. None: it depends on the request.
    pub fn status(&self) -> Option<u16> {
        Some(match self.key.as_str() {
            "not_found" => 404,
            "forbidden" | "no_role" => 403,
            "signed_out" => 401,
            "internal" => 500,
            key if key.starts_with("database.") => 503,
            _ => return None,
        })
    }

    /// The operator has no role, so there is nothing to see.
    pub fn no_role() -> Self {
        Self::new(
            "no_role",
            Remedy::Act,
            "You have no role yet.",
            "Until an owner gives you one, Postern shows you nothing of its customers.",
            "Ask an owner of your organisation to give you a role on the page “People”.",
        )
    }

    /// The database cannot be reached at the moment.
    pub fn no_database() -> Self {
        Self::new(
            "database.unavailable",
            Remedy::Wait,
            "Postern cannot reach its database.",
            "Nothing was changed. Setups that run go on as soon as the database is back.",
            "Try again in a minute.",
        )
    }

    #[must_use]
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.microsoft = Some(answer);
        self
    }

    /// Invalid input on a page. Nothing was done, and nothing is lost.
    pub fn input(field: &str, happened: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(
            format!("input.{field}"),
            Remedy::Act,
            happened,
            "Nothing was changed; what you entered is still here.",
            todo,
        )
    }

    /// The field of a problem that [`Problem::input`] made.
    pub fn field(&self) -> Option<&str> {
        self.key.strip_prefix("input.")
    }

    /// Something inside Postern failed. The log has the cause, under `reference`; the page does
    /// not.
    pub fn internal(reference: impl std::fmt::Display) -> Self {
        Self::new(
            "internal",
            Remedy::Wait,
            "Postern could not finish this.",
            "Something inside Postern failed; what was saved before is still there.",
            format!("Try again. If it stays, look for {reference} in the server's log."),
        )
    }

    /// The problem for what does not exist, and for what the person must not see: both get the same
    /// words.
    pub fn not_found() -> Self {
        Self::new(
            "not_found",
            Remedy::Never,
            "This does not exist, or it is not yours to see.",
            "It may have been removed, or the address may be mistyped.",
            "Go back to the list and open it from there.",
        )
    }

    /// The operator's role does not allow the action.
    pub fn forbidden(needs: &str) -> Self {
        Self::new(
            "forbidden",
            Remedy::Act,
            "Your role does not allow this.",
            format!("This needs the role {needs}."),
            "Ask an owner to do it, or to give you the role.",
        )
    }

    pub fn signed_out() -> Self {
        Self::new(
            "signed_out",
            Remedy::Act,
            "You are not signed in.",
            "Your session has ended, or somebody ended it.",
            "Sign in again; you come back to this page.",
        )
    }
}
