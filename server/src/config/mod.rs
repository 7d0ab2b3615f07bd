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
