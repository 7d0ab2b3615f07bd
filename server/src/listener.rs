//! Serves HTTP with limits: the number of open connections, in total and per client, the time for
//! sending a request, and the time for which a client may leave a response unread.

mod unread;

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use engine::{Place, Places};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tower::{Service, ServiceExt as _};

use self::unread::Impatient;
use crate::{shutdown::stopped, web::network};

/// Timeouts and limits of a listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Timeout for the head of a request. For the first request it runs from the start of the
    /// connection, for each further one from the previous response.
    pub head: Duration,
    /// A connection ends when its client takes no part of a pending response for this time. A
    /// connection with nothing to send, such as a stream of events, stays open.
    pub unread: Duration,
    /// Maximum number of open connections. Further connections wait until one ends.
    pub connections: usize,
    /// Maximum number of open connections of one client. Further ones are closed at once, so that
    /// other clients get theirs. None: the peer is a proxy with many clients behind it.
    pub of_one: Option<usize>,
}

/// Serves until `stop` turns true, then shuts down gracefully.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(patience.connections));
    let of_one = patience.of_one.map(Places::<IpAddr>::new);
    let mut end = pin!(stopped(stop.clone()));
    let mut open = JoinSet::new();
    loop {
        let place = tokio::select! {
            Ok(place) = places.clone().acquire_owned() => place,
            () = &mut end => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut end => break,
        };
        while open.try_join_next().is_some() {}
        let own = match &of_one {
            None => None,
            Some(of_one) => match of_one.take(network(peer.ip())) {
                Some(own) => Some(own),
                None => continue,
            },
        };
        let held = Held {
            _place: place,
            _own: own,
        };
        open.spawn(connection(
            stream,
            peer,
            router.clone(),
            patience,
            stop.clone(),
            held,
        ));
    }
    // No new connection is accepted.
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// The slots that a connection holds until it ends.
struct Held {
    _place: OwnedSemaphorePermit,
    _own: Option<Place<IpAddr>>,
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    patience: Patience,
    stop: watch::Receiver<bool>,
    held: Held,
) {
    let service = with_peer(router, peer);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .serve_connection(
            TokioIo::new(Impatient::new(stream, patience.unread)),
            TowerToHyperService::new(service),
        );
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended");
    }
    drop(held);
}

/// Adds the peer's address to each request.
fn with_peer(
    router: Router,
    peer: SocketAddr,
) -> impl Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send,
> + Clone {
    router.map_request(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    })
}

#[cfg(test)]
mod tests;
