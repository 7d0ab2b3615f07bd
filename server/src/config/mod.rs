//! Settings: read once, checked before anything starts. All mistakes are reported together.
//!
//! Settings that are not secret come from the environment or the command line. Secrets come from
//! the environment or a file only, because everybody on the machine can see a command line.

mod arguments;
mod environment;
mod public_url;
mod read;
mod wrong;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::id::{AppId, TenantId};
use engine::{InvitationRules, SignInRules};
use microsoft::{Credential, Endpoints};
use secrecy::SecretString;
use store::Vault;

pub use arguments::{Guests, LogArguments, LogFormat, Role, ServeArguments};
pub use environment::{Environment, SECRETS_HELP, known_names};
pub use public_url::PublicUrl;
pub use wrong::{Mistake, Wrong};

/// The settings of `postern serve`.
#[derive(Debug)]
pub struct Settings {
    pub role: Role,
    pub listen: SocketAddr,
    pub public_url: PublicUrl,
    pub metrics_listen: Option<SocketAddr>,
    /// The Postgres URL of the server's role.
    pub database_url: SecretString,
    pub client_id: AppId,
    pub credential: Credential,
    pub endpoints: Endpoints,
    /// Home tenants whose people may sign in.
    pub partner_tenants: Vec<TenantId>,
    /// Who becomes owner, and whether guests may sign in.
    pub access: SignInRules,
    pub invitations: InvitationRules,
    pub sessions: SessionLimits,
    /// Limits for requests without a sign-in.
    pub strangers: Strangers,
    pub vault: Vault,
    /// Speed factor: how much faster than usual steps poll.
    pub pace: f64,
    /// Folder with the files that browsers load.
    pub site: PathBuf,
    /// How many jobs this process runs at the same time.
    pub workers: usize,
    /// Timeout of one call to Graph or Entra, including its retries.
    pub call: Duration,
    pub log: LogFormat,
}

/// A rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub a_second: u32,
    /// Requests in a row after a pause.
    pub burst: u32,
}

/// Limits for requests that need no sign-in. Only the number of proxies is a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strangers {
    /// Number of proxies in front of this process that record the client's address. With 0 the peer
    /// is the client.
    pub trusted_proxies: usize,
    /// Per address: signing in, returning from Entra, invitations. Each sign-in takes two requests.
    pub sign_in: Allowance,
    /// Per address: readiness checks.
    pub ready: Allowance,
    /// Timeout for the head of a request.
    pub head: Duration,
    /// How long a client may leave a response unread.
    pub unread: Duration,
    /// Maximum number of open connections.
    pub connections: usize,
    /// Maximum number of open connections of one address, where no proxy is trusted.
    pub connections_of_one: usize,
}

impl Default for Strangers {
    fn default() -> Self {
        Self {
            trusted_proxies: 0,
            // Enough for an office behind one address whose people all sign in within a minute.
            sign_in: Allowance {
                a_second: 5,
                burst: 300,
            },
            ready: Allowance {
                a_second: 10,
                burst: 50,
            },
            head: Duration::from_secs(10),
            unread: Duration::from_secs(30),
            connections: 4_096,
            // Enough for the browsers of a large office.
            connections_of_one: 1_024,
        }
    }
}

/// How long a browser stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// The limit without use.
    pub idle: Duration,
    /// The limit for a session in constant use.
    pub longest: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60 * 60),
            longest: Duration::from_secs(12 * 60 * 60),
        }
    }
}

/// The settings of `postern migrate` and `postern verify-history`.
#[derive(Debug)]
pub struct OwnerSettings {
    /// The Postgres URL of the owner.
    pub database_owner_url: SecretString,
    /// The role that the server will connect as: the role in `DATABASE_URL`, if that is set.
    pub server_role: String,
    pub log: LogFormat,
}

#[cfg(test)]
mod tests;
