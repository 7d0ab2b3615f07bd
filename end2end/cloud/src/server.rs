//! The listener: reads a request, applies faults and latency, lets the host answer under the one
//! lock, writes the log.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::books::{Host, LogEntry};
use crate::config::{Config, StartError};
use crate::control;
use crate::entra::errors::EntraError;
use crate::exchange::errors::{CmdletError, nul_reply};
use crate::faults::{Action, Fired, Hang, Rule, Target};
use crate::graph::errors::GraphError;
use crate::http_parts::{Call, Reply};
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
        let fired = faults.pick(&target, tenants, dice);
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
    if let Some(millis) = action.delay_ms {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    if action.hang == Some(Hang::Before)
        && let Some(fired) = &fired
    {
        fired.hang().await;
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
    {
        fired.hang().await;
    }
    mangle(reply, &action)
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
            forced.unwrap_or_else(|| match host {
                Host::Entra => entra::handle(&mut world, call),
                Host::Graph => graph::handle(&mut world, call),
                Host::Exchange => exchange::handle(&mut world, call),
            })
        }
        Err(reply) => reply,
    };
    note(shared, call, target, &reply, fired.as_ref());
    reply
}

/// An Outlook request in the air, counted until it lands.
struct Flight {
    shared: Shared,
    key: Option<(Uuid, Uuid, String)>,
}

impl Flight {
    fn board(shared: &Shared, call: &Call, host: Host) -> Result<Self, Reply> {
        let mut world = shared.world();
        let key = match host {
            Host::Graph => graph::outlook_key(&world, call),
            Host::Entra | Host::Exchange => None,
        };
        let limit = world.dice.delays.outlook_concurrency;
        if let Some(key) = &key
            && !world.throttle.board(key, limit)
        {
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
    world.books.note(LogEntry {
        number: 0,
        time,
        host: target.host,
        tenant: target.tenant,
        operation: target.operation,
        user: target.user,
        status: reply.status,
        client_request_id: call.client_request_id().map(str::to_owned),
        fault: fired.map(|fired| fired.id.clone()),
        batched: false,
    });
}

/// The answer that a fault gives in place of the host; none when the host is to do its work.
pub fn forced_reply(
    world: &mut World,
    call: &Call,
    target: &Target,
    action: &Action,
) -> Option<Reply> {
    let id = world.dice.guid().to_string();
    let client = call.client_request_id().unwrap_or(&id).to_owned();
    if let Some(length) = action.nul {
        return Some(nul_reply(Some(length), action.gzip_lie == Some(true)));
    }
    if let Some(name) = &action.entra_error {
        let error = EntraError::from_name(name);
        return Some(if entra::is_page(call) {
            error.page(&mut world.dice, call)
        } else {
            error.reply(&world.base, &mut world.dice, call)
        });
    }
    if let Some(text) = &action.exchange_error {
        let kind = action
            .exception
            .as_deref()
            .unwrap_or("Microsoft.Exchange.Configuration.Tasks.TaskException");
        let mut error = CmdletError::failed(kind, text);
        error.status = Some(action.status.unwrap_or(400));
        return Some(error.reply(&mut world.dice).header("request-id", &id));
    }
    if let Some(code) = &action.graph_error {
        let message = action.text.as_deref().unwrap_or("A fault was asked for.");
        let mut error = GraphError::new(action.status.unwrap_or(400), code, message);
        error.retry_after = action.retry_after;
        return Some(graph::decorate(error.reply(&id, &client), &id, &client));
    }
    if action.status.is_none() && action.text.is_none() {
        return None;
    }
    let status = action.status.unwrap_or(429);
    let reply = match (&action.text, target.host) {
        (Some(text), _) => Reply::text(status, text),
        (None, Host::Graph) => {
            let code = match status {
                429 => "TooManyRequests",
                503 => "ServiceUnavailable",
                504 => "GatewayTimeout",
                401 => "InvalidAuthenticationToken",
                403 => "Authorization_RequestDenied",
                404 => "Request_ResourceNotFound",
                _ => "UnknownError",
            };
            GraphError::new(status, code, "A fault was asked for.").reply(&id, &client)
        }
        (None, Host::Entra) if status == 429 || status >= 500 => {
            let error = EntraError::from_name("AADSTS90055");
            Reply {
                status,
                ..error.reply(&world.base, &mut world.dice, call)
            }
        }
        (None, _) => Reply::empty(status),
    };
    let reply = match action.retry_after {
        Some(seconds) => reply.set_header("Retry-After", &seconds.to_string()),
        None => reply,
    };
    Some(match target.host {
        Host::Graph => graph::decorate(reply, &id, &client),
        Host::Exchange => reply.header("request-id", &id),
        Host::Entra => reply,
    })
}

/// What a fault does to an answer on its way out.
fn mangle(mut reply: Reply, action: &Action) -> Response {
    if let Some(kind) = &action.content_type {
        reply = reply.set_header("Content-Type", kind);
    }
    if action.truncate == Some(true) {
        reply.body.truncate(reply.body.len() / 2);
    }
    if action.cut.is_some() {
        let whole = reply.body.len().max(2);
        reply.body.truncate(whole / 2);
        let half = Bytes::from(std::mem::take(&mut reply.body));
        let pieces: Vec<Result<Bytes, std::io::Error>> = vec![
            Ok(half),
            Err(std::io::Error::other("the connection is cut")),
        ];
        // The first half has to be on its way before the connection breaks.
        let stream = futures::stream::iter(pieces).then(|piece| async {
            if piece.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            piece
        });
        let reply = reply.set_header("Content-Length", &whole.to_string());
        return build(reply.status, reply.headers, Body::from_stream(stream));
    }
    if let Some(millis) = action.slow_ms {
        let body = std::mem::take(&mut reply.body);
        let size = (body.len() / 10).max(1);
        let chunks: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
        let pause = Duration::from_millis(millis / u64::try_from(chunks.len()).unwrap_or(1).max(1));
        let stream = futures::stream::iter(chunks).then(move |chunk| async move {
            tokio::time::sleep(pause).await;
            Ok::<Bytes, Infallible>(chunk)
        });
        return build(reply.status, reply.headers, Body::from_stream(stream));
    }
    plain(reply)
}

fn plain(reply: Reply) -> Response {
    build(reply.status, reply.headers, Body::from(reply.body))
}

fn build(status: u16, headers: Vec<(String, String)>, body: Body) -> Response {
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
