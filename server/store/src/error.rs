//! What can go wrong in the database, as callers have to tell it apart.

/// The store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store could not do something. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is not to be reached, shuts down, or has no connection left. It may pass.
    #[error("the database is not to be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Something else is there already, or changed in between. `what` is a sentence for a person.
    #[error("{what}")]
    Conflict { what: String },
    /// It is not there, or belongs to another partner: the same answer for both.
    #[error("not found")]
    NotFound,
    /// A proof object does not carry the right that the function needs: a mistake of the caller.
    #[error("this needs a right that was not checked")]
    Forbidden,
    /// Input that no query can be made of, by field of the form.
    #[error("{field}: {what}")]
    Invalid { field: &'static str, what: String },
    /// What is stored cannot be read: a mistake of ours, a foreign key ring, or tampering.
    #[error("stored data cannot be read: {what}")]
    Corrupt { what: String },
    /// The database is not fit to be worked with: a role that could bypass row-level security,
    /// missing migrations.
    #[error("{why}")]
    Refused { why: String },
    /// The job queue's worker could not start, or ended with an error.
    #[error("the job queue failed: {0}")]
    Worker(String),
    /// Anything else that the database says.
    #[error("the database answered with an error: {0}")]
    Database(#[source] sqlx::Error),
}

impl Error {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    pub(crate) fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }

    /// Whether a unique constraint or index with this name refused a row.
    pub(crate) fn breaks(&self, constraint: &str) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.constraint() == Some(constraint),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(answer) = &error {
            let code = answer.code().unwrap_or_default();
            return match code.as_ref() {
                // Shutting down, crashed, starting, out of connections.
                "57P01" | "57P02" | "57P03" | "53300" => Self::Unavailable(error),
                code if code.starts_with("08") => Self::Unavailable(error),
                // Serialisation failure, deadlock, lock time-out.
                "40001" | "40P01" | "55P03" => {
                    Self::conflict("Somebody changed this at the same moment.")
                }
                _ => Self::Database(error),
            };
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error),
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::corrupt(error.to_string())
            }
            _ => Self::Database(error),
        }
    }
}
