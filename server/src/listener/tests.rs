#![allow(clippy::unwrap_used)]
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const SOON: Patience = Patience {
    head: Duration::from_millis(50),
    unread: Duration::from_millis(50),
    connections: 2,
    of_one: None,
};
/// Longer than the tests take.
const LONG: Duration = Duration::from_secs(600);
/// More bytes than sockets buffer for a client that does not read.
const LARGE: usize = 64 * 1024 * 1024;

async fn served(patience: Patience) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let who = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
    let router = Router::new()
        .route("/", get(who))
        .route("/large", get(|| async { vec![b'.'; LARGE] }))
        .route("/silent", get(|| async { Body::from_stream(silent()) }));
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, router, patience, stopped));
    (address, stop)
}

/// Sends one line, and then nothing for as long as the client listens.
fn silent() -> impl futures::Stream<Item = Result<&'static str, Infallible>> {
    futures::StreamExt::chain(
        futures::stream::once(async { Ok("hello") }),
        futures::stream::pending(),
    )
}

async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    // A connection that is closed at once may not even accept the request.
    let _ = stream.write_all(request.as_bytes()).await;
    stream
}

async fn all(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    // The text read before the connection was cut off is all there is.
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
    // The read ends only because the server closes the connection.
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
    // Silent connections lose their slots, and the waiting connection is served.
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
async fn security_f11_who_leaves_answers_unread_loses_the_place() {
    let patience = Patience {
        head: LONG,
        connections: 1,
        ..SOON
    };
    let (address, _stop) = served(patience).await;
    let mut unread = ask(address, "/large").await;
    // The request is served only once the slot is free.
    let answer = all(&mut ask(address, "/").await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(all(&mut unread).await.len() < LARGE);
}

#[tokio::test]
async fn security_f11_a_stream_with_nothing_to_say_stays() {
    let patience = Patience {
        head: LONG,
        connections: 3,
        ..SOON
    };
    let (address, _stop) = served(patience).await;
    let mut silent = ask(address, "/silent").await;
    let mut heard = Vec::new();
    while !heard.ends_with(b"hello\r\n") {
        assert!(silent.read_buf(&mut heard).await.unwrap() > 0);
    }
    let unread = ask(address, "/large").await;
    // Waits at least as long as the other unread connection took to be cut off.
    unread.readable().await.unwrap();
    let mut third = ask(address, "/silent").await;
    let mut last = ask(address, "/").await;
    let answer = all(&mut last).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    for stream in [&mut silent, &mut third] {
        let mut more = [0; 4096];
        let read = stream.try_read(&mut more);
        assert!(!matches!(read, Ok(0)), "still open: {read:?}");
    }
}

#[tokio::test]
async fn security_f11_one_client_has_a_part_of_the_connections() {
    let patience = Patience {
        head: LONG,
        unread: LONG,
        connections: 10,
        of_one: Some(2),
    };
    let (address, _stop) = served(patience).await;
    let mut first = ask(address, "/silent").await;
    let second = ask(address, "/silent").await;
    let mut heard = [0; 16];
    first.read_exact(&mut heard).await.unwrap();
    second.readable().await.unwrap();
    // One more connection is closed at once, and gets a slot when another one ends.
    let mut third = TcpStream::connect(address).await.unwrap();
    assert_eq!(all(&mut third).await, "");
    drop(first);
    loop {
        let answer = all(&mut ask(address, "/").await).await;
        if answer.starts_with("HTTP/1.1 200 OK") {
            break;
        }
        assert_eq!(answer, "");
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
        head: LONG,
        unread: LONG,
        connections: 10,
        of_one: None,
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
