//! Serving HTTP with limits: for how many connections are open, and for how long one may take to say
//! what it wants.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
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

use crate::shutdown::stopped;

/// How a listener treats who connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Within this time the head of a request must have arrived: the first one of a connection, and each
    /// further one after the answer before.
    pub head: Duration,
    /// Open connections. Further ones wait until one ends.
    pub connections: usize,
}

/// Serves until `stop` turns true; then ends what is on its way in good order.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(patience.connections));
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
        open.spawn(connection(
            stream,
            peer,
            router.clone(),
            patience.head,
            stop.clone(),
            place,
        ));
    }
    // Nobody new comes in.
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head: Duration,
    stop: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    let service = with_peer(router, peer);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
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
    drop(place);
}

/// Requests bring the address of who connected.
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const SOON: Patience = Patience {
        head: Duration::from_millis(50),
        connections: 2,
    };

    async fn served(patience: Patience) -> (SocketAddr, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
        let router = Router::new().route("/", get(who));
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve(listener, router, patience, stopped));
        (address, stop)
    }

    async fn all(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        // A connection that is cut off has said all that it will.
        let _ = stream.read_to_string(&mut text).await;
        text
    }

    #[tokio::test]
    async fn security_f11_an_unfinished_head_is_closed() {
        let (address, _stop) = served(SOON).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n")
            .await
            .unwrap();
        // Ends only because the server closes.
        assert!(!all(&mut stream).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn security_f11_connections_are_bounded_and_get_their_turn() {
        let (address, _stop) = served(SOON).await;
        let mut silent = Vec::new();
        for _ in 0..SOON.connections {
            let stream = TcpStream::connect(address).await.unwrap();
            silent.push(stream);
        }
        // Those who say nothing lose their places, and who waits behind them is served.
        let mut last = TcpStream::connect(address).await.unwrap();
        last.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let answer = all(&mut last).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        let own = last.local_addr().map(|own| own.to_string());
        assert!(own.is_ok_and(|own| answer.ends_with(&own)), "{answer}");
        for mut stream in silent {
            assert_eq!(all(&mut stream).await, "");
        }
    }

    #[tokio::test]
    async fn security_f11_what_is_on_its_way_ends_in_good_order() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (began, mut begun) = watch::channel(false);
        let (go, gone) = watch::channel(false);
        let slow = move || {
            let (began, gone) = (began.clone(), gone.clone());
            async move {
                began.send_replace(true);
                stopped(gone).await;
                "done"
            }
        };
        let router = Router::new().route("/", get(slow));
        let (stop, asked) = watch::channel(false);
        let patience = Patience {
            head: Duration::from_secs(600),
            connections: 10,
        };
        let server = tokio::spawn(serve(listener, router, patience, asked));
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        begun.wait_for(|begun| *begun).await.unwrap();
        stop.send_replace(true);
        assert_eq!(all(&mut idle).await, "");
        go.send_replace(true);
        let answer = all(&mut stream).await;
        assert!(answer.ends_with("done"), "{answer}");
        server.await.unwrap();
    }
}
