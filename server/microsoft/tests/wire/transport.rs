//! What is tried again, how long, and where tokens may go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{address::MailAddress, cmdlet::Cmdlet, permission::Resource};
use microsoft::{
    AppIdentity, Credential, Endpoints, HttpOptions, Kind, Microsoft,
    graph::{SendOutcome, Sender},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wiremock::ResponseTemplate;

use crate::support::{CLIENT, DEADLINE, NOW, TENANT, World, invoke_path, rows, tenant, uuid};

fn organization() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"value": [{"id": TENANT,
        "displayName": "Fabrikam", "verifiedDomains": [{"name": "fabrikam.example"}]}]}))
}

fn change() -> Cmdlet {
    Cmdlet::new("Set-DistributionGroup").with("Identity", "g@fabrikam.example")
}

/// The client's clock goes on by so much, while nobody answers.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn safe_calls_are_tried_again_after_gateways_and_pauses() {
    for first in [
        ResponseTemplate::new(429).insert_header("Retry-After", "0"),
        ResponseTemplate::new(503),
        ResponseTemplate::new(502),
        ResponseTemplate::new(504),
        ResponseTemplate::new(500),
        ResponseTemplate::new(408),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.once("GET", "/v1.0/organization", first).await;
        world.on("GET", "/v1.0/organization", organization()).await;
        let call = customer.organization().await.unwrap();
        assert_eq!(call.trace.attempts, 2);
        let asked = world.asked("organization").await;
        assert_ne!(
            asked[0].headers["client-request-id"], asked[1].headers["client-request-id"],
            "each try has its own id"
        );
    }
}

#[tokio::test]
async fn tries_end() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on("GET", "/v1.0/organization", ResponseTemplate::new(502))
        .await;
    let error = customer.organization().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Unreachable { maybe_done: false });
    assert!(error.is_transient());
    assert_eq!(error.trace().attempts, 4);
    assert_eq!(world.asked("organization").await.len(), 4);
}

#[tokio::test]
async fn a_change_is_not_sent_again_after_a_lost_answer() {
    for lost in [502, 504, 408] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.on_cmdlet(ResponseTemplate::new(lost)).await;
        let error = customer.run(&change()).await.unwrap_err();
        assert!(error.maybe_done(), "{lost}");
        assert_eq!(error.problem().key, "exchange.unclear");
        assert_eq!(world.asked("InvokeCommand").await.len(), 1);
    }
}

#[tokio::test]
async fn a_change_is_not_sent_again_after_a_timeout() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on_cmdlet(rows(&json!([])).set_delay(Duration::from_secs(300)))
        .await;
    let call = tokio::spawn(async move { customer.run(&change()).await });
    world.comes("InvokeCommand").await;
    pass(DEADLINE).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &Kind::Unreachable { maybe_done: true });
    assert_eq!(world.asked("InvokeCommand").await.len(), 1);
}

#[tokio::test]
async fn a_read_that_hangs_leaves_time_for_another_try() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .once(
            "POST",
            &invoke_path(),
            rows(&json!([])).set_delay(Duration::from_secs(300)),
        )
        .await;
    world.on_cmdlet(rows(&json!([]))).await;
    let call = tokio::spawn(async move { customer.policies().await });
    world.comes("InvokeCommand").await;
    pass(DEADLINE / 2).await;
    let call = call.await.unwrap().unwrap();
    assert!(call.value.is_empty());
    assert_eq!(call.trace.attempts, 2);
}

#[tokio::test]
async fn a_change_is_sent_again_after_a_pause_that_was_asked_for() {
    for pause in [
        ResponseTemplate::new(429),
        ResponseTemplate::new(429).insert_header("Retry-After", "0"),
        ResponseTemplate::new(500).set_body_string(
            "You have reached the maximum number of concurrent requests per tenant. Please wait and try again",
        ),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.once("POST", &invoke_path(), pause).await;
        world.on_cmdlet(ResponseTemplate::new(204)).await;
        assert_eq!(customer.run(&change()).await.unwrap().trace.attempts, 2);
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_by_everybody_of_the_customer() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .once(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(429).insert_header("Retry-After", "1"),
        )
        .await;
    world.on("GET", "/v1.0/organization", organization()).await;
    world.on_cmdlet(rows(&json!([]))).await;
    let began = std::time::Instant::now();
    customer.organization().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_pause_longer_than_the_deadline_is_an_error_that_says_until_when() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(429).insert_header("Retry-After", "300"),
        )
        .await;
    let error = customer.organization().await.unwrap_err();
    let now = domain::Timestamp(NOW);
    assert_eq!(
        error.kind(),
        &Kind::Throttled {
            until: Some(now.plus_seconds(300))
        }
    );
    assert_eq!(error.retry_after(now), Some(Duration::from_secs(300)));
    assert_eq!(world.asked("organization").await.len(), 1);
    // Nobody else of this customer even asks before.
    let error = customer.organization().await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Throttled { until: Some(_) }));
    assert_eq!(world.asked("organization").await.len(), 1);
}

#[tokio::test]
async fn a_pause_of_one_service_is_not_the_others() {
    let world = World::new().await;
    let customer = world.customer().await;
    let pause = ResponseTemplate::new(429).insert_header("Retry-After", "300");
    world.on("GET", "/v1.0/organization", pause.clone()).await;
    world.on_cmdlet(rows(&json!([]))).await;
    customer.organization().await.unwrap_err();
    customer.policies().await.unwrap();
    // Nor is one application's pause everybody's sign-in.
    let mailbox = uuid(3);
    let sending = format!("/v1.0/users/{mailbox}/sendMail");
    world.on("POST", &sending, pause).await;
    let token = customer.access_token(Resource::Graph).await.unwrap();
    let sender = Sender {
        tenant: tenant(),
        app: uuid(7).into(),
        token,
    };
    let address: MailAddress = "ceo@fabrikam.example".parse().unwrap();
    let call = world
        .microsoft
        .send_mail(&sender, mailbox.into(), &address, "s", "b")
        .await;
    let SendOutcome::Unclear { problem, .. } = call.value else {
        panic!("{:?}", call.value)
    };
    assert_eq!(problem.key, "graph.throttled");
    customer.forget_tokens().await;
    customer.access_token(Resource::Graph).await.unwrap();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let world = World::new().await;
    let customer = world.customer().await;
    let away = format!("{}/away", world.server.uri());
    world
        .on(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(302).insert_header("Location", away.as_str()),
        )
        .await;
    let error = customer.organization().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::ForeignLink);
    assert!(world.asked("away").await.is_empty());
}

#[tokio::test]
async fn a_limit_of_calls_at_once_is_kept() {
    let world = World::with(|options| options.concurrency = 1).await;
    let customer = world.customer().await;
    world
        .on(
            "GET",
            "/v1.0/organization",
            organization().set_delay(Duration::from_millis(60)),
        )
        .await;
    let began = std::time::Instant::now();
    let (one, two, three) = tokio::join!(
        customer.organization(),
        customer.organization(),
        customer.organization()
    );
    one.and(two).and(three).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(180));
}

fn against(address: &str, deadline: Duration) -> Microsoft {
    Microsoft::new(
        Endpoints::parse(address, address, address).unwrap(),
        AppIdentity {
            client_id: CLIENT.parse().unwrap(),
            credential: Credential::Secret("s".to_owned().into()),
        },
        HttpOptions {
            deadline,
            first_pause: Duration::from_millis(1),
            ..HttpOptions::default()
        },
    )
    .unwrap()
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_nothing_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let microsoft = against(&address, Duration::from_secs(5));
    let error = microsoft
        .redeem_code(None, "c", &"v".to_owned().into(), "http://localhost/x", &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &Kind::Unreachable { maybe_done: false });
    assert_eq!(error.problem().key, "entra.unreachable");
}

/// A server that reads a request, sends this, and then neither more nor the end.
async fn stuck_after(answer: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(socket.read_u8().await.unwrap());
            }
            socket.write_all(answer).await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            open.push(socket);
        }
    });
    (address, answered)
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_given_up() {
    let (address, answered) = stuck_after(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    )
    .await;
    let microsoft = against(&address, DEADLINE);
    let call = tokio::spawn(async move { microsoft.tenant_of_domain("fabrikam.example").await });
    while answered.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pass(DEADLINE).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &Kind::Unreachable { maybe_done: false });
    assert_eq!(error.message(), Some("no answer in time"));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let (address, answered) =
        stuck_after(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{").await;
    let error = against(&address, Duration::from_secs(5))
        .tenant_of_domain("fabrikam.example")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &Kind::TooLarge);
    assert_eq!(answered.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_change_that_a_gateway_answered_with_a_pause_may_be_done() {
    let world = World::new().await;
    let customer = world.customer().await;
    let busy = ResponseTemplate::new(503).insert_header("Retry-After", "300");
    world.on_cmdlet(busy).await;
    let error = customer.run(&change()).await.unwrap_err();
    assert!(error.maybe_done());
    // The pause is kept, by whoever looks and by everybody else of the customer.
    let now = domain::Timestamp(NOW);
    assert_eq!(error.retry_after(now), Some(Duration::from_secs(300)));
    assert_eq!(world.asked("InvokeCommand").await.len(), 1);
    let error = customer.policies().await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Throttled { until: Some(_) }));
    assert_eq!(world.asked("InvokeCommand").await.len(), 1);
}

#[tokio::test]
async fn a_pause_without_measure_ends_after_an_hour() {
    for asked in ["99999999999", "1e300", "Tue, 23 Nov 2027 20:04:05 GMT"] {
        let world = World::new().await;
        let customer = world.customer().await;
        let pause = ResponseTemplate::new(429).insert_header("Retry-After", asked);
        world.on("GET", "/v1.0/organization", pause).await;
        let now = domain::Timestamp(NOW);
        for _ in 0..2 {
            let error = customer.organization().await.unwrap_err();
            let pause = error.retry_after(now).unwrap();
            assert!(pause <= Duration::from_secs(3_600), "{asked}: {pause:?}");
        }
    }
}
