//! Runs `postern serve` as processes that can be killed.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use secrecy::ExposeSecret as _;
use store::testing::TestDatabase;
use tokio::process::{Child, Command};

use crate::support::{Accounts, SPEED, free_port, until};

/// The key ring of `store::testing`, as a setting.
const KEYS: &str = store::testing::RING;

/// The log filter: everything that Postern itself logs, so that the search for secrets covers it.
const TOLD: &str = "info,engine=debug,microsoft=debug,store=debug,server=debug,app=debug,\
                    sqlx=warn,graphile_worker=warn";

/// The line in the log between two lives. The lines after it come from another process.
pub const BORN: &str = "── a process begins";

/// A process, with the settings to start it again.
pub struct Process {
    pub role: &'static str,
    /// The address of a process that serves pages.
    pub url: String,
    settings: Vec<(&'static str, String)>,
    /// The log file of all its lives.
    pub log: PathBuf,
    child: Option<Child>,
}

impl Process {
    pub fn start(
        role: &'static str,
        cloud: &str,
        accounts: &Accounts,
        database: &TestDatabase,
    ) -> Self {
        Self::start_with(role, cloud, accounts, database, &[])
    }

    /// Starts a process with additional settings.
    pub fn start_with(
        role: &'static str,
        cloud: &str,
        accounts: &Accounts,
        database: &TestDatabase,
        own: &[(&'static str, String)],
    ) -> Self {
        let port = free_port();
        let url = format!("http://localhost:{port}");
        let site = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let text = str::to_owned;
        let settings = vec![
            ("DATABASE_URL", text(database.server_url.expose_secret())),
            ("POSTERN_CLIENT_ID", accounts.client_id.clone()),
            ("POSTERN_CLIENT_SECRET", accounts.client_secret.clone()),
            ("POSTERN_PARTNER_TENANTS", accounts.partner_tenant.clone()),
            ("POSTERN_FIRST_OWNER", accounts.owner()),
            ("POSTERN_MASTER_KEYS", text(KEYS)),
            ("POSTERN_PACE", SPEED.to_string()),
            ("POSTERN_SITE", site.display().to_string()),
            ("POSTERN_LISTEN", format!("127.0.0.1:{port}")),
            ("POSTERN_PUBLIC_URL", url.clone()),
            ("POSTERN_AUTHORITY", text(cloud)),
            ("POSTERN_GRAPH", text(cloud)),
            ("POSTERN_EXCHANGE", text(cloud)),
        ];
        let mut process = Self {
            role,
            url,
            // Later settings override earlier ones.
            settings: settings.into_iter().chain(own.iter().cloned()).collect(),
            log: site.join(format!("{role}-{}.log", uuid::Uuid::new_v4())),
            child: None,
        };
        process.begin();
        process
    }

    /// Sets a setting for the next start.
    pub fn set(&mut self, setting: (&'static str, String)) {
        self.settings.push(setting);
    }

    /// Starts it again after a kill.
    pub fn begin(&mut self) {
        let log = std::env::var("POSTERN_CAMPAIGN_LOG").ok();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a file");
        writeln!(file, "{BORN}").expect("a line");
        // A long campaign keeps its own copy of the binary, so that a concurrent build does not
        // change it.
        let binary = std::env::var("POSTERN_CAMPAIGN_SERVER")
            .unwrap_or_else(|_| env!("CARGO_BIN_EXE_postern").to_owned());
        let mut command = Command::new(binary);
        command
            .args(["serve", "--role", self.role, "--log", "text"])
            .env_clear()
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .env("RUST_LOG", log.as_deref().unwrap_or(TOLD))
            .envs(self.settings.iter().cloned())
            .stdout(Stdio::null())
            .stderr(if log.is_some() {
                Stdio::inherit()
            } else {
                file.into()
            })
            .kill_on_drop(true);
        self.child = Some(command.spawn().expect("a process"));
    }

    /// Kills the process with SIGKILL, which it cannot handle.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("a kill");
        }
    }

    /// Restarts the process if it has ended by itself. Returns its exit status then.
    pub fn revive(&mut self) -> Option<String> {
        let ended = self.child.as_mut()?.try_wait().expect("a process")?;
        self.begin();
        Some(format!("{} ended by itself: {ended}", self.role))
    }

    /// Waits until the process answers.
    pub async fn ready(&self) {
        let health = format!("{}/healthz", self.url);
        until("a portal", || async {
            let answer = reqwest::Client::new()
                .get(&health)
                .timeout(Duration::from_secs(2))
                .send()
                .await
                .ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The log has been read, or is not needed. The next process makes its own.
        let _ = std::fs::remove_file(&self.log);
    }
}
