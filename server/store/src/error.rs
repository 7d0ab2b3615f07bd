//! Database errors, as callers have to tell them apart.

/// The store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store could not do something. The text never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, is shutting down, or has no connection left. A retry may
    /// succeed.
    #[error("the database is not to be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A conflicting row exists already, or the row changed in between. `what` is a sentence for a
    /// person.
    #[error("{what}")]
    Conflict { what: String },
    /// The row does not exist, or belongs to another partner. The answer is the same for both.
    #[error("not found")]
    NotFound,
    /// A proof object does not carry the right that the function needs. This is a mistake of the
    /// caller.
    #[error("this needs a right that was not checked")]
    Forbidden,
    /// Input from which no query can be made. `field` names the field of the form.
    #[error("{field}: {what}")]
    Invalid { field: &'static str, what: String },
    /// A stored value cannot be read. Causes: a bug in Postern, a foreign key ring, or tampering.
    #[error("stored data cannot be read: {what}")]
    Corrupt { what: String },
    /// The database is not safe to work with: the role could bypass row-level security, or
    /// migrations are missing.
    #[error("{why}")]
    Refused { why: String },
    /// The job queue's worker could not start, or ended with an error.
    #[error("the job queue failed: {0}")]
    Worker(String),
    /// Any other error of the database.
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

    /// Whether a unique constraint or index with this name rejected the row.
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
