//! Settings that are not secret, by flag or by environment.
//!
//! All of them arrive as text, so that all mistakes are reported together and not only the first.

use clap::{Args, ValueEnum};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// For a person at a terminal.
    Text,
}

/// The role of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Serves pages.
    Web,
    /// Runs jobs: setups and scans.
    Worker,
    /// Both.
    #[default]
    All,
}

impl Role {
    pub const fn serves(self) -> bool {
        matches!(self, Self::Web | Self::All)
    }

    pub const fn works(self) -> bool {
        matches!(self, Self::Worker | Self::All)
    }
}

/// Whether guests of a partner's tenant may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Guests {
    #[default]
    Refuse,
    Allow,
}

/// The log settings of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct LogArguments {
    /// Form of the log on standard error: json or text
    #[arg(
        long = "log",
        env = "POSTERN_LOG",
        value_name = "FORM",
        default_value = "json",
        global = true
    )]
    pub log: String,
}

/// The settings of `postern serve` that are not secret.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArguments {
    /// What this process does: web, worker or all
    #[arg(long, env = "POSTERN_ROLE", value_name = "ROLE", default_value = "all")]
    pub role: String,
    /// Address of the portal
    #[arg(
        long,
        env = "POSTERN_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000"
    )]
    pub listen: String,
    /// What the browser sees; https unless it is this machine
    #[arg(
        long,
        env = "POSTERN_PUBLIC_URL",
        value_name = "URL",
        default_value = "http://localhost:3000"
    )]
    pub public_url: String,
    /// Address for Prometheus metrics, /healthz and /readyz; unless it is set there are no metrics, and the portal answers the other two
    #[arg(long, env = "POSTERN_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// Application (client) id of Postern's own registration in Entra
    #[arg(long, env = "POSTERN_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,
    /// Entra
    #[arg(
        long,
        env = "POSTERN_AUTHORITY",
        value_name = "URL",
        default_value = "https://login.microsoftonline.com"
    )]
    pub authority: String,
    /// Microsoft Graph
    #[arg(
        long,
        env = "POSTERN_GRAPH",
        value_name = "URL",
        default_value = "https://graph.microsoft.com"
    )]
    pub graph: String,
    /// Exchange's admin API
    #[arg(
        long,
        env = "POSTERN_EXCHANGE",
        value_name = "URL",
        default_value = "https://outlook.office365.com"
    )]
    pub exchange: String,
    /// Ids of the tenants whose people may sign in, separated by commas
    #[arg(long, env = "POSTERN_PARTNER_TENANTS", value_name = "IDS")]
    pub partner_tenants: Option<String>,
    /// Who becomes the owner of a partner that has none: tenant id:object id, or the name that Entra
    /// shows (somebody@partner.example); several by commas
    #[arg(long, env = "POSTERN_FIRST_OWNER", value_name = "PEOPLE")]
    pub first_owner: Option<String>,
    /// Whether guests of a partner's tenant may sign in: refuse or allow
    #[arg(
        long,
        env = "POSTERN_GUESTS",
        value_name = "WORD",
        default_value = "refuse"
    )]
    pub guests: String,
    /// For how many hours an invitation for a customer's admin is good
    #[arg(
        long,
        env = "POSTERN_INVITATION_HOURS",
        value_name = "HOURS",
        default_value = "48"
    )]
    pub invitation_hours: String,
    /// What customers' admins read as your name: tenant id=name, several by semicolons
    #[arg(long, env = "POSTERN_PARTNER_NAMES", value_name = "NAMES")]
    pub partner_names: Option<String>,
    /// After how many minutes without use a browser is signed out
    #[arg(
        long,
        env = "POSTERN_SESSION_IDLE_MINUTES",
        value_name = "MINUTES",
        default_value = "60"
    )]
    pub session_idle_minutes: String,
    /// After how many hours a browser is signed out however busy it is
    #[arg(
        long,
        env = "POSTERN_SESSION_HOURS",
        value_name = "HOURS",
        default_value = "12"
    )]
    pub session_hours: String,
    /// How many proxies stand in front of the portal and write into X-Forwarded-For whom they saw;
    /// must be said with an https address. 0: none, or none that does; then limits per client count
    /// the address that connects
    #[arg(long, env = "POSTERN_TRUSTED_PROXIES", value_name = "NUMBER")]
    pub trusted_proxies: Option<String>,
    /// How much faster than usual steps look again; 1 suits Microsoft
    #[arg(long, env = "POSTERN_PACE", value_name = "FACTOR", default_value = "1")]
    pub pace: String,
    /// Folder with the files that browsers load
    #[arg(
        long,
        env = "POSTERN_SITE",
        value_name = "FOLDER",
        default_value = "target/site"
    )]
    pub site: String,
    /// How many jobs this process carries out at the same time
    #[arg(
        long,
        env = "POSTERN_WORKERS",
        value_name = "NUMBER",
        default_value = "32"
    )]
    pub workers: String,
    /// Longest that one call to Graph or Entra may take, its tries included; a cmdlet of Exchange
    /// may take twice as long
    #[arg(
        long,
        env = "POSTERN_CALL_SECONDS",
        value_name = "SECONDS",
        default_value = "60"
    )]
    pub call_seconds: String,
}
