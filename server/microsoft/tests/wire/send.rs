//! Mail for the proof: accepted, refused by a policy, refused otherwise, or unclear.

use domain::Timestamp;
use microsoft::{
    AccessToken, Call,
    graph::{SendOutcome, Sender},
};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{NOW, World, tenant, uuid};

/// Graph is asked by object id: a mailbox may be known to it by no address (MICROSOFT.md §5.1).
const AT: &str = "/v1.0/users/a1b2c3d4-0000-4000-8000-000000000003/sendMail";

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
            uuid(3).into(),
            &"audit@fabrikam.example".parse().unwrap(),
            "Postern proof",
            "This mail was sent to see whether it is refused.",
        )
        .await
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

/// Each row of MICROSOFT.md §5.1, and what it is taken for.
#[tokio::test]
async fn field_b34_each_answer_has_its_own_meaning() {
    #[derive(Debug, PartialEq)]
    enum Is {
        Policy,
        AccessDenied,
        Unclear(&'static str),
        Paused(&'static str),
        Token,
    }
    const RAOP: &str = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";
    let rows: [(u16, &str, &str, Is); 16] = [
        (403, "ErrorAccessDenied", RAOP, Is::Policy),
        (
            403,
            "ErrorAccessDenied",
            "Access to OData is disabled.",
            Is::Unclear("send.user_agents"),
        ),
        (
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
            Is::AccessDenied,
        ),
        (
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
            Is::AccessDenied,
        ),
        (
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.",
            Is::Unclear("send.other_sender"),
        ),
        (
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            Is::Unclear("send.no_mailbox"),
        ),
        (
            404,
            "ErrorInvalidUser",
            "The requested user 'x' is invalid.",
            Is::Unclear("send.unknown_mailbox"),
        ),
        (
            400,
            "ErrorInvalidUser",
            "x",
            Is::Unclear("send.unknown_mailbox"),
        ),
        (
            404,
            "ResourceNotFound",
            "x",
            Is::Unclear("send.unknown_mailbox"),
        ),
        (
            404,
            "Request_ResourceNotFound",
            "x",
            Is::Unclear("send.unknown_mailbox"),
        ),
        (
            403,
            "ErrorExceededMessageLimit",
            "x",
            Is::Paused("send.quota"),
        ),
        (
            429,
            "ApplicationThrottled",
            "x",
            Is::Paused("graph.throttled"),
        ),
        (401, "TokenCreatedWithOutdatedPolicies", "x", Is::Token),
        (401, "InvalidAuthenticationToken", "x", Is::Token),
        // Only Microsoft's own word for the policy counts, wherever the mark stands.
        (
            404,
            "ErrorAccessDenied",
            RAOP,
            Is::Unclear("graph.not_found"),
        ),
        (403, "SomethingElse", RAOP, Is::Unclear("graph.forbidden")),
    ];
    for (status, code, message, expected) in rows {
        let world = World::new().await;
        let answer = ResponseTemplate::new(status)
            .insert_header("request-id", "send-1")
            .set_body_json(json!({"error": {"code": code, "message": message}}));
        world.on("POST", AT, answer).await;
        let call = send(&world).await;
        let is = match &call.value {
            SendOutcome::Accepted => panic!("{code}"),
            SendOutcome::RefusedByPolicy => Is::Policy,
            SendOutcome::AccessDenied => Is::AccessDenied,
            SendOutcome::TokenRefused { problem, .. } => {
                assert!(problem.means.contains("connection is not concerned"));
                Is::Token
            }
            SendOutcome::Unclear {
                problem, paused, ..
            } => match problem.key.as_str() {
                "send.quota" => {
                    assert!(paused);
                    Is::Paused("send.quota")
                }
                "graph.throttled" => {
                    assert!(paused);
                    Is::Paused("graph.throttled")
                }
                key => {
                    assert!(!paused, "{code}");
                    match &expected {
                        Is::Unclear(wanted) if *wanted == key => Is::Unclear(wanted),
                        _ => panic!("{status} {code}: {key}"),
                    }
                }
            },
        };
        assert_eq!(is, expected, "{status} {code}");
        if status != 429 {
            assert_eq!(call.trace.request_id.as_deref(), Some("send-1"), "{code}");
        }
    }
}

/// Microsoft says which claims a new token of the application needs.
#[tokio::test]
async fn a_challenge_for_the_applications_token_tells_its_claims() {
    let world = World::new().await;
    let challenge =
        "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"";
    let answer = ResponseTemplate::new(401).insert_header("WWW-Authenticate", challenge);
    world.on("POST", AT, answer).await;
    let SendOutcome::TokenRefused { claims, .. } = send(&world).await.value else {
        panic!("not refused")
    };
    assert_eq!(claims.as_deref(), Some("{\"access_token\":{}}"));
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_no_mail_is_sent_twice() {
    for lost in [502, 503, 504, 500, 404] {
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
