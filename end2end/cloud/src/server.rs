//! The listener: reads a request, applies faults and latency, lets the host answer under the one
//! lock, writes the log.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::books::{Host, LogEntry};
use crate::config::{Config, StartError};
use crate::control;
use crate::exchange::errors::BUSY_TEXT;
use crate::faults::{Action, Fired, Hang, Rule, Target};
use crate::graph::errors::GraphError;
use crate::http_parts::{Call, Reply};
use crate::spoil::{dropped, forced_reply, mangle};
use crate::world::World;
use crate::{entra, exchange, graph};

/// More than any request of the three APIs needs.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The world and its lock.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    /// Takes the lock. A handler that panicked leaves a world that is still usable.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running cloud. Dropping it stops it.
#[derive(Debug)]
pub struct Cloud {
    address: SocketAddr,
    url: String,
    shared: Shared,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Cloud {
    /// Binds, sows and serves.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback address or is taken, or a fault rule makes no sense.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let address = config.loopback()?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| StartError::bind(address, &error))?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::bind(address, &error))?;
        let url = match &config.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{address}"),
        };
        let base = url.clone();
        let faults = config.faults.clone();
        // Sowing makes an RSA key, which takes a while in a debug build.
        let world = tokio::task::spawn_blocking(move || {
            World::new(
                base,
                config.seed,
                config.seed_number,
                config.clock_speed,
                config.delays,
            )
        })
        .await
        .map_err(|error| StartError::Sow(error.to_string()))?;
        let shared = Shared(Arc::new(Mutex::new(world)));
        shared
            .world()
            .faults
            .start_with(faults)
            .map_err(StartError::Fault)?;
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // Requests that hang on a fault would hold a graceful shutdown up: the task is
            // dropped instead, with everything on it.
            tokio::select! {
                served = axum::serve(listener, router).into_future() => {
                    if let Err(error) = served {
                        tracing::error!(%error, "the listener failed");
                    }
                }
                _ = stopped => {}
            }
        });
        Ok(Self {
            address,
            url,
            shared,
            stop: Some(stop),
            task: Some(task),
        })
    }

    /// The address of all three hosts, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Looks into or changes the world directly: for tests in the same process.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.world())
    }

    /// Moves the cloud's clock forward.
    pub fn advance(&self, seconds: u64) {
        self.with_world(|world| world.dice.clock.advance(seconds));
    }

    /// Arms a fault; the rule is the JSON of `POST /_cloud/faults`.
    ///
    /// # Errors
    ///
    /// When the rule makes no sense.
    pub fn fault(&self, rule: serde_json::Value) -> Result<String, String> {
        let rule: Rule = serde_json::from_value(rule).map_err(|error| error.to_string())?;
        self.with_world(|world| world.faults.arm(rule))
    }

    /// Serves until the listener fails.
    pub async fn wait(mut self) {
        if let Some(task) = self.task.take() {
            // A task that was cancelled has nothing more to say.
            drop(task.await);
        }
    }

    /// Stops answering and closes the port.
    pub async fn stop(mut self) {
        // Dropping the sender is the signal as well, so a failure to send means the same.
        self.stop.take();
        if let Some(task) = self.task.take() {
            drop(task.await);
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(body) => body,
        Err(_) => return plain(Reply::text(413, "The body is too large or was cut off.\n")),
    };
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let call = Call::new(parts.method, target, parts.headers, body);
    match call.segment(0) {
        "_cloud" => plain(control::handle(&shared, &call)),
        "" => {
            let base = shared.world().base.clone();
            plain(Reply::html(200, entra::pages::front(&base)))
        }
        "favicon.ico" => plain(Reply::empty(404)),
        "v1.0" | "beta" => serve(&shared, call, Host::Graph).await,
        "adminapi" => serve(&shared, call, Host::Exchange).await,
        _ => serve(&shared, call, Host::Entra).await,
    }
}

/// One request to one of the three hosts.
async fn serve(shared: &Shared, call: Call, host: Host) -> Response {
    let (target, fired, latency) = {
        let mut world = shared.world();
        let target = match host {
            Host::Entra => entra::target(&world, &call),
            Host::Graph => graph::target(&world, &call),
            Host::Exchange => exchange::target(&world, &call),
        };
        let World {
            faults,
            tenants,
            dice,
            ..
        } = &mut *world;
        let fired = faults.pick_for(&target, tenants, dice, false);
        let range = match host {
            Host::Entra => dice.delays.entra_latency_ms,
            Host::Graph => dice.delays.graph_latency_ms,
            Host::Exchange => dice.delays.exchange_latency_ms,
        };
        let millis = dice.draw(range);
        (target, fired, dice.clock.on_wall(millis))
    };
    let action = fired
        .as_ref()
        .map(|fired| fired.action.clone())
        .unwrap_or_default();
    let packs = fired.is_none() && host != Host::Entra && call.takes_gzip();
    if let Some(millis) = action.delay_ms {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    if action.hang == Some(Hang::Before)
        && let Some(fired) = &fired
        && !fired.hang().await
    {
        return dropped();
    }
    if action.cut.as_deref() == Some("before") {
        return dropped();
    }
    // A task of its own: what was received is carried out even when the client is gone by then.
    let work = tokio::spawn({
        let (shared, action, fired) = (shared.clone(), action.clone(), fired.clone());
        async move { carry_out(&shared, &call, host, target, &action, fired, latency).await }
    });
    let reply = match work.await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::error!(%error, "a handler failed");
            Reply::text(500, "The simulated cloud has a defect: see its log.\n")
        }
    };
    if action.hang == Some(Hang::After)
        && let Some(fired) = &fired
        && !fired.hang().await
    {
        return dropped();
    }
    // An answer that a fault spoils goes out as the fault leaves it.
    mangle(if packs { reply.packed() } else { reply }, &action)
}

/// Waits as long as the host takes, then does the work and writes it down.
async fn carry_out(
    shared: &Shared,
    call: &Call,
    host: Host,
    target: Target,
    action: &Action,
    fired: Option<Fired>,
    latency: Duration,
) -> Reply {
    let reply = match Flight::board(shared, call, host) {
        Ok(_flight) => {
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            let mut world = shared.world();
            let forced = forced_reply(&mut world, call, &target, action);
            match forced {
                Some(reply) if action.after != Some(true) => reply,
                forced => {
                    let real = handle(&mut world, call, host, &target, action);
                    forced.unwrap_or(real)
                }
            }
        }
        Err(reply) => reply,
    };
    note(shared, call, target, &reply, fired.as_ref());
    reply
}

/// The host's own answer, with what a fault changes about the world while it is made.
fn handle(world: &mut World, call: &Call, host: Host, target: &Target, action: &Action) -> Reply {
    let skew = action.skew.unwrap_or(0);
    world.dice.delays.token_skew += skew;
    if action.roll_keys == Some(true) {
        world.entra.keys.roll(false);
    }
    if action.wrong_tenant == Some(true) {
        world.misroute = world.another_tenant(target.tenant);
    }
    let reply = match host {
        Host::Entra => entra::handle(world, call),
        Host::Graph => graph::handle(world, call),
        Host::Exchange => exchange::handle(world, call),
    };
    world.misroute = None;
    world.dice.delays.token_skew -= skew;
    reply
}

/// A request in the air, counted until it lands: of Outlook per mailbox, of Exchange per tenant.
struct Flight {
    shared: Shared,
    key: Option<(Uuid, Uuid, String)>,
}

impl Flight {
    fn board(shared: &Shared, call: &Call, host: Host) -> Result<Self, Reply> {
        let mut world = shared.world();
        let (key, limit) = match host {
            Host::Graph => (
                graph::outlook_key(&world, call),
                world.dice.delays.outlook_concurrency,
            ),
            Host::Exchange => match world.dice.delays.exchange_concurrency {
                0 => (None, 0),
                limit => (exchange::concurrency_key(&world, call), limit),
            },
            Host::Entra => (None, 0),
        };
        if let Some(key) = &key
            && !world.throttle.board(key, limit)
        {
            if host == Host::Exchange {
                return Err(Reply::text(429, BUSY_TEXT));
            }
            let id = world.dice.guid().to_string();
            let client = call.client_request_id().unwrap_or(&id).to_owned();
            let mut error = GraphError::new(
                429,
                "ApplicationThrottled",
                "Application is over its MailboxConcurrency limit.",
            );
            error.retry_after = Some(1);
            return Err(graph::decorate(error.reply(&id, &client), &id, &client));
        }
        Ok(Self {
            shared: shared.clone(),
            key,
        })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.shared.world().throttle.leave(&key);
        }
    }
}

fn note(shared: &Shared, call: &Call, target: Target, reply: &Reply, fired: Option<&Fired>) {
    let mut world = shared.world();
    let time = world.dice.now();
    tracing::info!(
        host = target.host.name(),
        operation = %target.operation,
        tenant = ?target.tenant,
        status = reply.status,
        fault = fired.map(|fired| fired.id.as_str()),
        "answered"
    );
    let mailbox = match target.host {
        Host::Graph => graph::mailbox_of(call),
        Host::Entra | Host::Exchange => None,
    };
    world.books.note(LogEntry {
        number: 0,
        time,
        host: target.host,
        tenant: target.tenant,
        operation: target.operation,
        user: target.user,
        mailbox,
        status: reply.status,
        retry_after: reply.retry_after(),
        client_request_id: call.client_request_id().map(str::to_owned),
        request_id: reply.request_id(),
        fault: fired.map(|fired| fired.id.clone()),
        batched: false,
    });
}

/// An answer as it is.
pub fn plain(reply: Reply) -> Response {
    build(reply.status, reply.headers, Body::from(reply.body))
}

/// An answer with that body; headers that are none are left out.
pub fn build(status: u16, headers: Vec<(String, String)>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        match (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            (Ok(name), Ok(value)) => {
                response.headers_mut().append(name, value);
            }
            // Only a client's own odd id can be no header value; it is not worth failing for.
            _ => tracing::warn!(header = %name, "header left out"),
        }
    }
    response
}
