//! Settings: read once, checked before anything starts, all mistakes told together.
//!
//! What is no secret comes from the environment or the command line; secrets come from the
//! environment or a file only, because a command line is seen by everybody on the machine.

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

/// What `postern serve` works with.
#[derive(Debug)]
pub struct Settings {
    pub role: Role,
    pub listen: SocketAddr,
    pub public_url: PublicUrl,
    pub metrics_listen: Option<SocketAddr>,
    /// Postgres, as the server's role.
    pub database_url: SecretString,
    pub client_id: AppId,
    pub credential: Credential,
    pub endpoints: Endpoints,
    /// Home tenants whose people may sign in.
    pub partner_tenants: Vec<TenantId>,
    /// Who becomes owner, and who does not get in.
    pub access: SignInRules,
    pub invitations: InvitationRules,
    pub sessions: SessionLimits,
    /// What people may do without signing in.
    pub strangers: Strangers,
    pub vault: Vault,
    /// How much faster than usual steps look again.
    pub pace: f64,
    /// Folder with the files that browsers load.
    pub site: PathBuf,
    /// How many jobs this process carries out at the same time.
    pub workers: usize,
    /// Longest that one call to Graph or Entra may take, its tries included.
    pub call: Duration,
    pub log: LogFormat,
}

/// How often something may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub a_second: u32,
    /// In a row, after a rest.
    pub burst: u32,
}

/// Limits for what needs no sign-in. Only the number of proxies is a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strangers {
    /// Proxies in front of this process that write down whom they saw; none: the peer is the client.
    pub trusted_proxies: usize,
    /// Of one address: signing in, coming back from Entra, invitations. Each sign-in takes two.
    pub sign_in: Allowance,
    /// Of one address: whether this process is ready.
    pub ready: Allowance,
    /// Within this time a connection must have sent the head of a request.
    pub head: Duration,
    /// For this time a client may leave an answer unread.
    pub unread: Duration,
    /// Open connections.
    pub connections: usize,
    /// Of them, those of one address, where no proxy is trusted.
    pub connections_of_one: usize,
}

impl Default for Strangers {
    fn default() -> Self {
        Self {
            trusted_proxies: 0,
            // An office behind one address signs in within a minute.
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
            // The browsers of a large office.
            connections_of_one: 1_024,
        }
    }
}

/// How long a browser stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without use.
    pub idle: Duration,
    /// However busy it is.
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

/// What `postern migrate` and `postern verify-history` work with.
#[derive(Debug)]
pub struct OwnerSettings {
    /// Postgres, as the owner.
    pub database_owner_url: SecretString,
    /// The role that the server will connect as: the one that `DATABASE_URL` names, if it is set.
    pub server_role: String,
    pub log: LogFormat,
}

#[cfg(test)]
mod tests;
