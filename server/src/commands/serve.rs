//! `postern serve`.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use engine::{Engine, EngineConfig, Pace};
use microsoft::{AppIdentity, HttpOptions, Microsoft, SystemClock};
use store::Store;
use tokio::{net::TcpListener, runtime::Handle, sync::watch, task::JoinSet, time::Instant};

use crate::{
    cli::Failed,
    config::{Role, Settings, Wrong},
    listener::{self, Patience},
    shutdown::{self, stopped},
    web::{self, Web, metrics},
};

/// Database connections that pages share.
const CONNECTIONS_FOR_PAGES: u32 = 16;
/// Database connections that jobs share. A job holds one only for moments, and holds none while it
/// waits for Microsoft.
const MOST_CONNECTIONS_FOR_JOBS: u32 = 16;
/// How long the process waits for a database that is still starting.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);
/// Back-off between two starts of the worker.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long running requests may take to end once the process is asked to stop.
const GRACE: Duration = Duration::from_secs(25);

/// The addresses of a process. They are bound before anything else is done.
#[derive(Debug, Default)]
pub struct Listeners {
    pub portal: Option<TcpListener>,
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses that `settings` name and its role needs.
    ///
    /// # Errors
    /// Names the setting when an address is in use or does not belong to this machine.
    pub async fn bind(settings: &Settings) -> Result<Self, Failed> {
        let portal = if settings.role.serves() {
            Some(bind("POSTERN_LISTEN", settings.listen).await?)
        } else {
            None
        };
        let metrics = match settings.metrics_listen {
            Some(address) => Some(bind("POSTERN_METRICS_LISTEN", address).await?),
            None => None,
        };
        Ok(Self { portal, metrics })
    }
}

async fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, Failed> {
    TcpListener::bind(address).await.map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("{address} is taken by another program.")
            }
            _ => format!("{address} cannot be listened on: {error}."),
        };
        let mut free = address;
        free.set_port(address.port().wrapping_add(1).max(1024));
        Failed::Settings(Wrong::one(name, what, format!("{name}={free}")))
    })
}

/// A running process.
#[derive(Debug)]
pub struct Running {
    store: Store,
    tasks: JoinSet<Result<(), Failed>>,
}

impl Running {
    /// Connects, and starts what the role needs. Runs until `stop` turns true.
    ///
    /// # Errors
    /// When the database cannot be reached or is not safe to work with.
    pub async fn start(
        settings: &Settings,
        listeners: Listeners,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Failed> {
        let store = connect(settings).await?;
        let engine = engine(settings, store.clone())?;
        if settings.role.serves() {
            let limits = settings.sessions;
            engine
                .note_settings(limits.idle, limits.longest)
                .await
                .map_err(|error| Failed::because("the settings could not be noted", error))?;
        }
        let mut tasks = JoinSet::new();
        let strangers = settings.strangers;
        let patience = Patience {
            head: strangers.head,
            unread: strangers.unread,
            connections: strangers.connections,
            of_one: (strangers.trusted_proxies == 0).then_some(strangers.connections_of_one),
        };
        if let Some(listener) = listeners.metrics {
            let router = metrics::router(&store, stop.clone())?;
            tasks.spawn(serve_on(listener, router, patience, stop.clone()));
        }
        // Pages get change notifications through it. A worker gets requested scans through it.
        listen(&mut tasks, engine.clone(), stop.clone());
        if let Some(listener) = listeners.portal {
            let web = Web::new(settings, engine.clone(), store.clone(), stop.clone());
            tasks.spawn(serve_on(
                listener,
                web::router(&web),
                patience,
                stop.clone(),
            ));
        }
        if settings.role.works() {
            tasks.spawn(work(engine.clone(), stop.clone()));
        }
        Ok(Self { store, tasks })
    }

    /// Waits until everything has ended.
    ///
    /// # Errors
    /// Returns the first failure. Dropping this value then stops the rest.
    pub async fn ended(mut self) -> Result<(), Failed> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|error| Failed::because("a part of the server broke", error))??;
        }
        Ok(())
    }
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(settings: Settings) -> Result<(), Failed> {
    let (sender, stop) = watch::channel(false);
    shutdown::on_signals(sender.clone())
        .map_err(|error| Failed::because("signals cannot be listened to", error))?;
    let listeners = Listeners::bind(&settings).await?;
    let exposed = exposed(settings.role, settings.listen, settings.metrics_listen);
    for warning in exposed.into_iter().chain(counted_as_one(&settings)) {
        tracing::warn!("{warning}");
    }
    let running = tokio::select! {
        running = Running::start(&settings, listeners, stop.clone()) => running?,
        () = stopped(stop.clone()) => return Ok(()),
    };
    tracing::info!(
        role = ?settings.role,
        listen = %settings.listen,
        public_url = %settings.public_url,
        version = env!("CARGO_PKG_VERSION"),
        "postern is up"
    );
    let store = running.store.clone();
    let ended = within_grace(running.ended(), stop).await;
    // Sent after a failure too: the tasks that still run must not hold the process.
    sender.send_replace(true);
    ended?;
    // Closes the connections of unfinished work to Postgres properly.
    let _ = tokio::time::timeout(Duration::from_secs(2), store.close()).await;
    tracing::info!("stopped");
    Ok(())
}

/// Warnings about addresses that other machines can reach, with what should stand in front of them.
fn exposed(role: Role, listen: SocketAddr, metrics: Option<SocketAddr>) -> Vec<String> {
    let portal = role.serves().then_some((
        "POSTERN_LISTEN",
        listen,
        "the portal speaks plain http: let nothing reach it but the proxy that speaks TLS",
    ));
    let metrics = metrics.map(|address| {
        (
            "POSTERN_METRICS_LISTEN",
            address,
            "the numbers are for whoever can connect: let nothing reach them but your monitoring",
        )
    });
    portal
        .into_iter()
        .chain(metrics)
        .filter(|(_, address, _)| !address.ip().to_canonical().is_loopback())
        .map(|(name, address, advice)| format!("{name}={address} is no loopback address; {advice}"))
        .collect()
}

/// A warning: behind a proxy that does not forward the client's address, all people count as one
/// client.
fn counted_as_one(settings: &Settings) -> Option<String> {
    let strangers = &settings.strangers;
    let hidden =
        settings.role.serves() && settings.public_url.is_https() && strangers.trusted_proxies == 0;
    hidden.then(|| {
        format!(
            "POSTERN_TRUSTED_PROXIES=0 with an https address: everybody who comes through the proxy in \
             front counts as one client, with {} requests a second for what needs no sign-in and {} \
             connections; let it write X-Forwarded-For, and say how many such proxies there are",
            strangers.sign_in.a_second, strangers.connections_of_one
        )
    })
}

/// Lets running `work` continue for [`GRACE`] after `stop`, but no longer.
async fn within_grace(
    work: impl Future<Output = Result<(), Failed>>,
    stop: watch::Receiver<bool>,
) -> Result<(), Failed> {
    tokio::select! {
        ended = work => ended,
        () = async { stopped(stop).await; tokio::time::sleep(GRACE).await } => {
            tracing::warn!("some requests did not end in time");
            Ok(())
        }
    }
}

async fn serve_on(
    listener: TcpListener,
    router: axum::Router,
    patience: Patience,
    stop: watch::Receiver<bool>,
) -> Result<(), Failed> {
    listener::serve(listener, router, patience, stop).await;
    Ok(())
}

/// Listens to the database's notices. Runs on a blocking thread because the future of
/// [`Engine::listen`] cannot move between threads.
fn listen(tasks: &mut JoinSet<Result<(), Failed>>, engine: Engine, stop: watch::Receiver<bool>) {
    let runtime = Handle::current();
    tasks.spawn_blocking(move || {
        runtime.block_on(engine.listen(stop));
        Ok(())
    });
}

/// Runs jobs. A worker that ends by itself, for example because the database went away, is
/// restarted. The pages of this process continue meanwhile.
async fn work(engine: Engine, stop: watch::Receiver<bool>) -> Result<(), Failed> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let began = Instant::now();
        let error = match engine.run_worker(stop.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if *stop.borrow() {
            return Ok(());
        }
        if began.elapsed() > LONGEST_PAUSE {
            pause = SHORTEST_PAUSE;
        }
        tracing::error!(%error, seconds = pause.as_secs(), "the worker ended; it starts anew");
        tokio::select! {
            () = stopped(stop.clone()) => return Ok(()),
            () = tokio::time::sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
        }
    }
}

async fn connect(settings: &Settings) -> Result<Store, Failed> {
    let workers = u32::try_from(settings.workers).unwrap_or(u32::MAX);
    let connections = CONNECTIONS_FOR_PAGES + workers.min(MOST_CONNECTIONS_FOR_JOBS);
    let given_up = Instant::now() + DATABASE_PATIENCE;
    loop {
        let vault = settings.vault.clone();
        match Store::connect(&settings.database_url, connections, vault).await {
            Ok(store) => return Ok(store),
            Err(error @ store::Error::Unavailable(_)) if Instant::now() < given_up => {
                tracing::warn!(%error, "the database is tried again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(Failed::because("the database cannot be used", error)),
        }
    }
}

fn engine(settings: &Settings, store: Store) -> Result<Engine, Failed> {
    let identity = AppIdentity {
        client_id: settings.client_id,
        credential: settings.credential.clone(),
    };
    let options = HttpOptions {
        deadline: settings.call,
        exchange_deadline: settings.call.saturating_mul(2),
        ..HttpOptions::default()
    };
    let microsoft = Microsoft::new(settings.endpoints.clone(), identity, options)
        .map_err(|error| Failed::because("Microsoft cannot be called from here", error))?;
    Ok(Engine::new(EngineConfig {
        store,
        microsoft,
        clock: Arc::new(SystemClock),
        public_url: settings.public_url.origin().to_owned(),
        partner_tenants: settings.partner_tenants.clone(),
        access: settings.access.clone(),
        invitations: settings.invitations.clone(),
        pace: Pace::new(settings.pace),
        concurrency: settings.workers,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn security_f24_addresses_that_others_reach_are_told() {
        let told = |role, listen: &str, metrics: Option<&str>| {
            let metrics = metrics.map(|text| text.parse().unwrap());
            let told = exposed(role, listen.parse().unwrap(), metrics);
            let names: Vec<String> = told
                .iter()
                .map(|text| text.split(' ').next().unwrap().to_owned())
                .collect();
            names
        };
        for inside in [
            "127.0.0.1:3000",
            "127.8.0.1:3000",
            "[::1]:3000",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(told(Role::All, inside, Some(inside)).is_empty(), "{inside}");
        }
        assert_eq!(
            told(Role::Web, "0.0.0.0:3000", Some("[::]:9000")),
            [
                "POSTERN_LISTEN=0.0.0.0:3000",
                "POSTERN_METRICS_LISTEN=[::]:9000"
            ]
        );
        // A worker binds no address for pages.
        assert_eq!(
            told(Role::Worker, "0.0.0.0:3000", Some("10.0.0.1:9000")),
            ["POSTERN_METRICS_LISTEN=10.0.0.1:9000"]
        );
    }
}
