//! What a server function answers when it cannot do what was asked.

use domain::{Problem, problem::Remedy};
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// The one error of all server functions. It holds nothing that the person on the page may not
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
    /// What a page shows.
    pub fn problem(&self) -> Problem {
        match self {
            Self::SignedOut => Problem::signed_out(),
            Self::Problem(problem) => problem.clone(),
        }
    }

    /// The field that the input did not fit, if it was the input.
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

    /// Failures of the transport. Their texts name types and paths of ours, so they are not shown.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        tracing::warn!(%error, "a request to a server function could not be read or answered");
        let problem = match error {
            ServerFnErrorErr::Request(_) => return unreachable(),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => incomplete(),
            // On the server only arguments are read; in the browser only answers are.
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

/// Something between the browser and the server functions refused.
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
