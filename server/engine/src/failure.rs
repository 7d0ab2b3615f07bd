//! Failures of the layers below, and their way to a [`Problem`].

use domain::{Problem, person::Role, problem::Remedy};
use uuid::Uuid;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Access(#[from] store::AccessError),
    #[error(transparent)]
    Microsoft(#[from] microsoft::Error),
    /// A problem that is worded for a person already.
    #[error("{0}")]
    Told(Box<Problem>),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Told(Box::new(problem))
    }
}

impl From<Failure> for Problem {
    /// Logs failures that we must mend. What the person can mend is only reported to them.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Told(problem) => *problem,
            Failure::Microsoft(error) => error.problem(),
            Failure::Access(error) => access(error),
            Failure::Store(store::Error::NotFound) => Self::not_found(),
            Failure::Store(store::Error::Conflict { what }) => conflict(&what),
            Failure::Store(store::Error::Invalid { field, what }) => {
                Self::input(field, what, "Correct it, or leave it empty.")
            }
            Failure::Store(store::Error::Unavailable(cause)) => {
                tracing::error!(error = %cause, "the database is not to be reached");
                Self::no_database()
            }
            Failure::Store(error) => {
                let reference = Uuid::new_v4();
                tracing::error!(%reference, error = %error, "the store failed");
                Self::internal(reference)
            }
        }
    }
}

fn access(error: store::AccessError) -> Problem {
    match error {
        store::AccessError::NotFound => Problem::not_found(),
        store::AccessError::Forbidden => Problem::forbidden("engineer or owner"),
        store::AccessError::NoRole => Problem::no_role(),
        store::AccessError::Store(error) => Failure::Store(error).into(),
    }
}

pub(crate) fn conflict(what: &str) -> Problem {
    Problem::new(
        "conflict",
        Remedy::Act,
        what.to_owned(),
        "Nothing was changed.",
        "Load the page again to see how things are now.",
    )
}

/// Fails unless the operator is an owner.
pub(crate) fn owner_only(role: Option<Role>) -> Result<(), Problem> {
    match role {
        Some(role) if role.may(domain::person::Right::Administer) => Ok(()),
        Some(_) => Err(Problem::forbidden("owner")),
        None => Err(Problem::no_role()),
    }
}

/// Fails unless the operator has a role.
pub(crate) fn any_role(role: Option<Role>) -> Result<(), Problem> {
    role.map(|_| ()).ok_or_else(Problem::no_role)
}

/// Fails unless the operator's role may change things.
pub(crate) fn may_change(role: Option<Role>) -> Result<(), Problem> {
    match role {
        Some(role) if role.may(domain::person::Right::Change) => Ok(()),
        Some(_) => Err(Problem::forbidden("engineer or owner")),
        None => Err(Problem::no_role()),
    }
}
