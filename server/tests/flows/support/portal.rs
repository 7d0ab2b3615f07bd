//! The server under test, in this process.

use std::path::{Path, PathBuf};

use cloud::Cloud;
use microsoft::{Credential, Endpoints};
use server::{
    Listeners, Running,
    config::{LogFormat, Role, SessionLimits, Settings, Strangers},
};
use store::testing::TestDatabase;
use tokio::{net::TcpListener, sync::watch};

use super::{SPEED, accounts::Accounts};

/// The settings that a test chooses. All others are always the same.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The home tenants of the partners, by id.
    pub partners: Vec<String>,
    pub role: Role,
    pub sessions: SessionLimits,
    /// Limits for people who are not signed in.
    pub strangers: Strangers,
    /// None: every account of the partners, so that the first person to sign in becomes owner.
    pub first_owners: Option<Vec<engine::FirstOwner>>,
}

impl Choices {
    pub fn of(partners: &[String]) -> Self {
        Self {
            partners: partners.to_vec(),
            role: Role::All,
            sessions: SessionLimits::default(),
            strangers: Strangers::default(),
            first_owners: None,
        }
    }
}

pub struct Portal {
    pub url: String,
    pub running: Running,
    port: u16,
    stop: watch::Sender<bool>,
}

impl Portal {
    pub async fn start(
        cloud: &Cloud,
        accounts: &Accounts,
        database: &TestDatabase,
        partners: &[String],
    ) -> Self {
        Self::with_role(cloud, accounts, database, partners, Role::All).await
    }

    pub async fn with_role(
        cloud: &Cloud,
        accounts: &Accounts,
        database: &TestDatabase,
        partners: &[String],
        role: Role,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::on(listener, cloud, accounts, database, partners, role).await
    }

    /// A portal on an address that is already bound.
    pub async fn on(
        listener: TcpListener,
        cloud: &Cloud,
        accounts: &Accounts,
        database: &TestDatabase,
        partners: &[String],
        role: Role,
    ) -> Self {
        let choices = Choices {
            role,
            ..Choices::of(partners)
        };
        Self::with_choices(listener, cloud, accounts, database, choices).await
    }

    pub async fn with_choices(
        listener: TcpListener,
        cloud: &Cloud,
        accounts: &Accounts,
        database: &TestDatabase,
        choices: Choices,
    ) -> Self {
        let Choices {
            partners,
            role,
            sessions,
            strangers,
            first_owners: named,
        } = choices;
        let address = listener.local_addr().expect("an address");
        let url = format!("http://localhost:{}", address.port());
        let site = Site::make();
        let settings = Settings {
            role,
            listen: address,
            public_url: url.parse().expect("an address"),
            metrics_listen: None,
            database_url: database.server_url.clone(),
            client_id: accounts.client_id.parse().expect("an id"),
            credential: Credential::Secret(accounts.client_secret.clone().into()),
            endpoints: Endpoints::parse(cloud.url(), cloud.url(), cloud.url()).expect("addresses"),
            partner_tenants: partners
                .iter()
                .map(|tenant| tenant.parse().expect("an id"))
                .collect(),
            access: engine::SignInRules {
                first_owners: named.unwrap_or_else(|| first_owners(accounts, &partners)),
                guests: false,
            },
            invitations: engine::InvitationRules {
                lives: 48 * 3_600_000,
                partner_names: [(
                    accounts.partner_tenant.parse().expect("an id"),
                    "Northwind IT".to_owned(),
                )]
                .into(),
            },
            sessions,
            strangers,
            vault: store::testing::vault().expect("a vault"),
            pace: SPEED,
            site: site.0,
            workers: 4,
            call: std::time::Duration::from_secs(60),
            log: LogFormat::Text,
        };
        let (stop, stopped) = watch::channel(false);
        let listeners = Listeners {
            portal: role.serves().then_some(listener),
            metrics: None,
        };
        let running = Running::start(&settings, listeners, stopped)
            .await
            .expect("a server");
        Self {
            url,
            running,
            port: address.port(),
            stop,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the portal as SIGTERM does, and waits for its end.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.running.ended().await.expect("a good end");
    }
}

/// Every account of the partners: the first person to sign in becomes owner.
fn first_owners(accounts: &Accounts, partners: &[String]) -> Vec<engine::FirstOwner> {
    let people = partners
        .iter()
        .flat_map(|tenant| accounts.people_of(tenant));
    people.map(engine::FirstOwner::Upn).collect()
}

/// Small files in place of the real files for browsers.
struct Site(PathBuf);

impl Site {
    fn make() -> Self {
        let site = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site");
        let folder = site.join("pkg");
        std::fs::create_dir_all(&folder).expect("a folder");
        // All tests share these files and may write at the same time, so each file is moved into
        // place atomically.
        let place = |name: &str, bytes: &[u8]| {
            let file = folder.join(name);
            if !file.exists() {
                let unique = folder.join(format!("{name}.{}", uuid::Uuid::new_v4()));
                std::fs::write(&unique, bytes).expect("a file");
                std::fs::rename(unique, file).expect("a file in its place");
            }
        };
        place("postern.js", b"export default () => {};");
        place("postern.0123456789abcdef.js", b"export default () => {};");
        place("postern.0123456789abcdef.js.br", b"compressed before");
        place("postern.wasm", b"\0asm\x01\0\0\0");
        place("postern.css", b"body { margin: 0 }");
        Self(site)
    }
}
