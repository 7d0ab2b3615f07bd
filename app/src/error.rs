//! The errors of server functions.

use domain::{Problem, problem::Remedy};
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// The only error type of server functions. It holds nothing that the person on the page may not
/// read: causes stay in the server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppError {
    /// There is no session, or it has ended.
    SignedOut,
    Problem(Problem),
}

pub type Answer<T> = Result<T, AppError>;

impl AppError {
    /// The problem that a page shows.
    pub fn problem(&self) -> Problem {
        match self {
            Self::SignedOut => Problem::signed_out(),
            Self::Problem(problem) => problem.clone(),
        }
    }

    /// The field with the wrong input. None when the error has another cause.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::SignedOut => None,
            Self::Problem(problem) => problem.field(),
        }
    }
}

impl From<Problem> for AppError {
    fn from(problem: Problem) -> Self {
        #[cfg(feature = "ssr")]
        crate::api::context::answer_with(&problem);
        if problem.key == Problem::signed_out().key {
            Self::SignedOut
        } else {
            Self::Problem(problem)
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// Maps failures of the transport. Their texts name internal types and paths, so they are not
    /// shown.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        tracing::warn!(%error, "a request to a server function could not be read or answered");
        let problem = match error {
            ServerFnErrorErr::Request(_) => return unreachable(),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => incomplete(),
            // On the server only arguments are deserialized. In the browser only answers are.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Deserialization(_) => incomplete(),
            _ => Problem::internal("the time of this request"),
        };
        #[cfg(feature = "ssr")]
        crate::api::context::answer_with(&problem);
        Self::Problem(problem)
    }
}

/// The browser did not reach the server.
pub fn unreachable() -> AppError {
    AppError::Problem(Problem::new(
        "network",
        Remedy::Wait,
        "Postern could not be reached.",
        "The network or the server is away; setups go on without this page.",
        "Try again in a moment.",
    ))
}

/// Something between the browser and the server functions refused the request.
#[cfg(not(feature = "ssr"))]
pub fn refused(status: u16) -> AppError {
    AppError::Problem(Problem::new(
        "refused",
        Remedy::Act,
        format!("The server refused this with status {status}."),
        "Nothing was changed.",
        "Reload the page and try again.",
    ))
}

fn incomplete() -> Problem {
    Problem::input(
        "form",
        "The form did not arrive complete.",
        "Reload the page and send it again.",
    )
}
