//! Every answer of sendMail that the state of the world brings about (MICROSOFT.md §5.1).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::apps::{app, token_of};
use support::{FABRIKAM, GRAPH, World, world};

/// Sends with these headers and this `from`: status, code, text.
async fn send(
    world: &World,
    token: &str,
    to: &str,
    from: Option<&str>,
    agent: &str,
) -> (u16, String, String) {
    let mut message = json!({
        "subject": "test", "body": {"contentType": "Text", "content": "hello"},
        "toRecipients": [{"emailAddress": {"address": "someone@elsewhere.example"}}],
    });
    if let Some(from) = from {
        message["from"] = json!({"emailAddress": {"address": from}});
    }
    let response = world
        .http
        .post(world.url(&format!("/v1.0/users/{to}/sendMail")))
        .bearer_auth(token)
        .header("User-Agent", agent)
        .json(&json!({"message": message}))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
    let text = |name: &str| body["error"][name].as_str().unwrap_or("").to_owned();
    (status, text("code"), text("message"))
}

async fn mailer(world: &World) -> String {
    let made = app(world, "Mailer", json!({"grants": ["graph:Mail.Send"]})).await;
    token_of(world, &made, GRAPH).await
}

#[tokio::test]
async fn field_b34_b11_b08_b19_each_state_has_its_answer() {
    let world = world().await;
    let token = mailer(&world).await;
    let at = |local: &str| format!("{local}@{FABRIKAM}");
    let set = |fields: Value| world.control("users", fields);
    set(json!({"upn": at("onprem"), "create": true, "mailbox": "mailuser"})).await;
    set(json!({"upn": at("nobox"), "create": true, "mailbox": "none"})).await;
    let home = "olivia@northwind-it.example";
    set(json!({"upn": at("guest"), "create": true, "mailbox": "none", "guest_of": home})).await;
    set(json!({"upn": at("leaver"), "create": true, "inactive": true})).await;
    let other = set(json!({
        "upn": at("info_a1b2"), "create": true, "mailbox": "shared",
        "smtp": at("desk"), "aliases": [at("donotreply")],
    }))
    .await;
    set(json!({"upn": at("full"), "create": true, "send_quota": 0})).await;
    let id = other["id"].as_str().unwrap().to_owned();
    let rest = "MailboxNotEnabledForRESTAPI";
    let away = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
    let denied = "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.";
    for (to, from, expected) in [
        (at("onprem"), None, (404, rest, away)),
        (at("nobox"), None, (404, rest, away)),
        (at("leaver"), None, (404, rest, away)),
        (
            at("guest"),
            None,
            (404, rest, "REST API is not yet supported for this mailbox."),
        ),
        // The primary address that is not the user principal name, an alias, and nobody at all.
        (
            at("desk"),
            None,
            (
                404,
                "ErrorInvalidUser",
                "The requested user 'desk@fabrikam.example' is invalid.",
            ),
        ),
        (
            at("donotreply"),
            None,
            (404, "ResourceNotFound", "Resource could not be discovered."),
        ),
        (
            at("zero"),
            None,
            (
                404,
                "ErrorInvalidUser",
                "The requested user 'zero@fabrikam.example' is invalid.",
            ),
        ),
        (id.clone(), None, (202, "", "")),
        (at("info_a1b2"), None, (202, "", "")),
        (id.clone(), Some(at("desk")), (202, "", "")),
        (
            id.clone(),
            Some(at("donotreply")),
            (403, "ErrorSendAsDenied", denied),
        ),
        (
            id.clone(),
            Some(at("admin")),
            (403, "ErrorSendAsDenied", denied),
        ),
        (
            id.clone(),
            Some(at("nowhere")),
            (403, "ErrorSendAsDenied", denied),
        ),
        (
            at("full"),
            None,
            (
                403,
                "ErrorExceededMessageLimit",
                "The message limit of the mailbox is exceeded.",
            ),
        ),
        // Where both are one, the address will do.
        (at("reception"), None, (202, "", "")),
    ] {
        let (status, code, text) = send(&world, &token, &to, from.as_deref(), "test").await;
        assert_eq!(
            (status, code.as_str(), text.as_str()),
            expected,
            "{to} from {from:?}"
        );
    }
    // What opens: the switch for aliases, and the right to send as somebody.
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "send_from_alias": true}),
        )
        .await;
    world
        .control(
            "users",
            json!({"upn": at("info_a1b2"), "send_as": [at("admin")]}),
        )
        .await;
    for from in [at("donotreply"), at("admin")] {
        assert_eq!(
            send(&world, &token, &id, Some(&from), "test").await.0,
            202,
            "{from}"
        );
        let mails = world.look("outbox").await;
        let last = mails["outbox"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["from"], from.as_str());
    }
}

#[tokio::test]
async fn field_b06_a_list_of_programs_refuses_without_the_policys_mark() {
    let world = world().await;
    let token = mailer(&world).await;
    let reception = format!("reception@{FABRIKAM}");
    let info = format!("info@{FABRIKAM}");
    let bare = (
        403,
        "ErrorAccessDenied".to_owned(),
        "Access to OData is disabled.".to_owned(),
    );
    let open = (202, String::new(), String::new());
    let organisation = |rule: Value| json!({"tenant": FABRIKAM, "user_agents": rule});
    for (rule, agent, refused) in [
        (
            json!({"allow": ["Outlook*", "Vendor/1.*"]}),
            "Postern/1",
            true,
        ),
        (
            json!({"allow": ["Outlook*", "Vendor/1.*"]}),
            "Vendor/1.7",
            false,
        ),
        (json!({"block": ["Postern*"]}), "Postern/1", true),
        (json!({"block": ["Postern*"]}), "Vendor/1.7", false),
        (Value::Null, "Postern/1", false),
    ] {
        world.control("tenants", organisation(rule.clone())).await;
        let expected = if refused { &bare } else { &open };
        let found = send(&world, &token, &reception, None, agent).await;
        assert_eq!(&found, expected, "{rule} {agent}");
    }
    // A mailbox of its own kind.
    let rule = json!({"upn": reception, "user_agents": {"allow": ["Outlook*"]}});
    world.control("users", rule).await;
    assert_eq!(
        send(&world, &token, &reception, None, "Postern/1").await,
        bare
    );
    assert_eq!(send(&world, &token, &info, None, "Postern/1").await, open);
}
