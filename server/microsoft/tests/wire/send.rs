//! Mail for the proof: accepted, refused by a policy, refused otherwise, or unclear.

use domain::Timestamp;
use microsoft::{
    AccessToken, Call,
    graph::{SendOutcome, Sender},
};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{NOW, World, tenant, uuid};

const AT: &str = "/v1.0/users/ceo@fabrikam.example/sendMail";

async fn send(world: &World) -> Call<SendOutcome> {
    send_as(world, 7).await
}

async fn send_as(world: &World, app: u32) -> Call<SendOutcome> {
    let sender = Sender {
        tenant: tenant(),
        app: uuid(app).into(),
        token: AccessToken {
            secret: "app-only".to_owned().into(),
            expires_at: Timestamp(0),
        },
    };
    world
        .microsoft
        .send_mail(
            &sender,
            &"ceo@fabrikam.example".parse().unwrap(),
            &"audit@fabrikam.example".parse().unwrap(),
            "Postern proof",
            "This mail was sent to see whether it is refused.",
        )
        .await
}

fn refused(code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(403)
        .insert_header("request-id", "send-1")
        .set_body_json(json!({"error": {"code": code, "message": message}}))
}

#[tokio::test]
async fn accepted_mail() {
    let world = World::new().await;
    world.on("POST", AT, ResponseTemplate::new(202)).await;
    let call = send(&world).await;
    assert_eq!(call.value, SendOutcome::Accepted);
    assert_eq!(call.trace.answer, "202 Accepted");
    let asked = &world.asked("sendMail").await[0];
    assert_eq!(asked.headers["authorization"], "Bearer app-only");
    let body: Value = asked.body_json().unwrap();
    assert_eq!(body["saveToSentItems"], false);
    assert_eq!(
        body["message"]["toRecipients"][0]["emailAddress"]["address"],
        "audit@fabrikam.example"
    );
}

#[tokio::test]
async fn a_policy_is_told_from_other_refusals() {
    for (code, message, outcome) in [
        (
            "ErrorAccessDenied",
            "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
            Some(SendOutcome::RefusedByPolicy),
        ),
        (
            "ErrorAccessDenied",
            "Access to OData is disabled.",
            Some(SendOutcome::RefusedByPolicy),
        ),
        (
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
            Some(SendOutcome::AccessDenied),
        ),
        ("SomethingElse", "No.", None),
    ] {
        let world = World::new().await;
        world.on("POST", AT, refused(code, message)).await;
        let call = send(&world).await;
        assert_eq!(call.trace.request_id.as_deref(), Some("send-1"));
        match outcome {
            Some(outcome) => assert_eq!(call.value, outcome, "{message}"),
            None => assert!(matches!(
                call.value,
                SendOutcome::Unclear { paused: false, .. }
            )),
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_no_mail_is_sent_twice() {
    for lost in [502, 503, 504, 500, 401, 404] {
        let world = World::new().await;
        world.on("POST", AT, ResponseTemplate::new(lost)).await;
        let call = send(&world).await;
        let unclear = matches!(call.value, SendOutcome::Unclear { paused: false, .. });
        assert!(unclear, "{lost}");
        assert_eq!(world.asked("sendMail").await.len(), 1, "{lost}");
    }
}

#[tokio::test]
async fn a_pause_that_was_asked_for_is_waited_for() {
    let world = World::new().await;
    let pause = ResponseTemplate::new(429).insert_header("Retry-After", "0");
    world.once("POST", AT, pause).await;
    world.on("POST", AT, ResponseTemplate::new(202)).await;
    let call = send(&world).await;
    assert_eq!(call.value, SendOutcome::Accepted);
    assert_eq!(call.trace.attempts, 2);
}

#[tokio::test]
async fn a_pause_holds_back_all_mail_of_that_application_and_no_other() {
    // After a 503 the mail may be on its way, so it is not sent again.
    for (status, key) in [(429, "graph.throttled"), (503, "graph.unclear")] {
        let world = World::new().await;
        let pause = ResponseTemplate::new(status).insert_header("Retry-After", "300");
        world.once("POST", AT, pause).await;
        world.on("POST", AT, ResponseTemplate::new(202)).await;
        let now = Timestamp(NOW);
        let SendOutcome::Unclear {
            problem,
            paused: true,
            until: Some(until),
        } = send(&world).await.value
        else {
            panic!("no pause")
        };
        assert_eq!(problem.key, key);
        assert_eq!(until, now.plus_seconds(300));
        let held_back = send(&world).await.value;
        assert!(
            matches!(
                held_back,
                SendOutcome::Unclear {
                    paused: true,
                    until: Some(_),
                    ..
                }
            ),
            "{held_back:?}"
        );
        assert_eq!(world.asked("sendMail").await.len(), 1);
        assert_eq!(send_as(&world, 8).await.value, SendOutcome::Accepted);
    }
}
