//! Access policies: what the test cmdlet says at once, and what sending does later.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use cloud::Delays;
use serde_json::{Value, json};
use support::shell::Shell;
use support::*;

#[tokio::test]
async fn enforcement_lags_behind_the_test_cmdlet() {
    let world = world_with(Delays {
        policy_enforcement: [3600, 3600],
        ..Delays::none()
    })
    .await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let app = world.application(FABRIKAM, "Reception Mailer")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = world.app_token(FABRIKAM, "Reception Mailer").await;
    assert_eq!(
        world.send_mail(&token, "admin@fabrikam.example").await.0,
        202
    );

    let empty = shell.run("Get-ApplicationAccessPolicy", json!({})).await;
    assert!(empty.unwrap_err().contains("couldn't be found"));
    shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Senders", "Type": "Security", "Members": ["reception"]}),
        )
        .await
        .unwrap();
    let policy =
        json!({"AppId": app, "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "Senders"});
    let made = shell
        .run("New-ApplicationAccessPolicy", policy.clone())
        .await
        .unwrap();
    let group = shell
        .run("Get-DistributionGroup", json!({"Identity": "Senders"}))
        .await
        .unwrap();
    let raw = made[0]["ScopeIdentityRaw"].as_str().unwrap();
    assert_eq!(
        raw.split(';').nth(1),
        group[0]["ExternalDirectoryObjectId"].as_str()
    );
    assert_eq!(
        made[0]["Identity"],
        format!("{}\\{app}:{raw}", world.tenant_id(FABRIKAM))
    );
    assert!(
        made[0]["Description"]
            .as_str()
            .unwrap()
            .contains("ShardType: All")
    );
    assert!(
        shell
            .run("New-ApplicationAccessPolicy", policy)
            .await
            .unwrap_err()
            .contains("already exists")
    );

    // The configuration knows at once, sending does not.
    assert_eq!(shell.test(&app, "admin@fabrikam.example").await, "Denied");
    assert_eq!(
        shell.test(&app, "reception@fabrikam.example").await,
        "Granted"
    );
    assert_eq!(
        world.send_mail(&token, "admin@fabrikam.example").await.0,
        202
    );
    world.cloud.advance(3601);
    let (status, message) = world.send_mail(&token, "admin@fabrikam.example").await;
    assert_eq!(status, 403);
    assert_eq!(
        message,
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
    );
    assert_eq!(
        world
            .send_mail(&token, "reception@fabrikam.example")
            .await
            .0,
        202
    );

    // Removal lags as well.
    let identity = made[0]["Identity"].clone();
    shell
        .run(
            "Set-ApplicationAccessPolicy",
            json!({"Identity": identity, "Description": "changed"}),
        )
        .await
        .unwrap();
    let read = shell
        .run("Get-ApplicationAccessPolicy", json!({"Identity": identity}))
        .await
        .unwrap();
    assert_eq!(read[0]["Description"], "changed");
    shell
        .run(
            "Remove-ApplicationAccessPolicy",
            json!({"Identity": identity, "Confirm": false}),
        )
        .await
        .unwrap();
    assert_eq!(shell.test(&app, "admin@fabrikam.example").await, "Granted");
    assert_eq!(
        world.send_mail(&token, "admin@fabrikam.example").await.0,
        403
    );
    world.cloud.advance(3601);
    assert_eq!(
        world.send_mail(&token, "admin@fabrikam.example").await.0,
        202
    );
    let outbox = world.look("outbox").await;
    assert_eq!(outbox["outbox"].as_array().unwrap().len(), 4);
    assert_eq!(outbox["outbox"][0]["from"], "admin@fabrikam.example");
}

#[tokio::test]
async fn members_that_come_later_are_noticed_later() {
    let world = world_with(Delays {
        policy_enforcement: [10, 10],
        member_enforcement: [600, 600],
        ..Delays::none()
    })
    .await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let app = world.application(FABRIKAM, "Reception Mailer")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = world.app_token(FABRIKAM, "Reception Mailer").await;
    shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Senders", "Type": "Security"}),
        )
        .await
        .unwrap();
    shell.run("New-ApplicationAccessPolicy", json!({"AppId": app, "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "Senders", "Description": " "})).await.unwrap();
    world.cloud.advance(60);
    assert_eq!(
        world.send_mail(&token, "info@fabrikam.example").await.0,
        403
    );
    shell
        .run(
            "Add-DistributionGroupMember",
            json!({"Identity": "Senders", "Member": "info"}),
        )
        .await
        .unwrap();
    assert_eq!(shell.test(&app, "info").await, "Granted");
    assert_eq!(
        world.send_mail(&token, "info@fabrikam.example").await.0,
        403
    );
    world.cloud.advance(601);
    assert_eq!(
        world.send_mail(&token, "info@fabrikam.example").await.0,
        202
    );
}

#[tokio::test]
async fn deny_beats_restrict_and_nested_members_count() {
    let world = world().await;
    let domain = "adventure-works.example";
    let shell = Shell::open(&world, domain).await;
    let backup = world.application(domain, "Backup365")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    // The admin is in a group in the group that the block list names.
    assert_eq!(
        shell.test(&backup, "admin@adventure-works.example").await,
        "Denied"
    );
    assert_eq!(
        shell
            .test(&backup, "reception@adventure-works.example")
            .await,
        "Granted"
    );
    let scanner = world.application(domain, "ScanToMail")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(shell.test(&scanner, "reception").await, "Granted");
    assert_eq!(shell.test(&scanner, "user").await, "Denied");
    // Two lists of who may: a union. A block list on top wins.
    shell.run("New-ApplicationAccessPolicy", json!({"AppId": [scanner.clone()], "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "user"})).await.unwrap();
    assert_eq!(shell.test(&scanner, "user").await, "Granted");
    shell
        .run(
            "New-ApplicationAccessPolicy",
            json!({"AppId": scanner, "AccessRight": "Deny", "PolicyScopeGroupId": "board.all"}),
        )
        .await
        .unwrap();
    assert_eq!(shell.test(&scanner, "user").await, "Denied");
    assert_eq!(
        shell
            .run("Get-ApplicationAccessPolicy", json!({}))
            .await
            .unwrap()
            .len(),
        4
    );
}

#[tokio::test]
async fn scopes_must_be_security_principals_and_space_is_limited() {
    let world = world().await;
    let shell = Shell::open(&world, "contoso.example").await;
    for wrong in [
        "everyone",
        "atlas",
        "reception",
        "room.fjord",
        "auditor.external",
    ] {
        let refused = shell
            .run("New-ApplicationAccessPolicy", json!({"AppId": "00000000-0000-0000-0000-00000000000a", "AccessRight": "RestrictAccess", "PolicyScopeGroupId": wrong}))
            .await;
        assert!(
            refused
                .unwrap_err()
                .contains("The identity of the policy scope is not a security principal."),
            "{wrong}"
        );
    }
    let new = |number: u32, description: Value| {
        let mut parameters = json!({"AppId": format!("00000000-0000-0000-0000-{number:012}"), "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "user"});
        if !description.is_null() {
            parameters["Description"] = description;
        }
        shell.run("New-ApplicationAccessPolicy", parameters)
    };
    let mut made = 0;
    let refused = loop {
        match new(made, json!(" ")).await {
            Ok(_) => made += 1,
            Err(text) => break text,
        }
    };
    assert_eq!(
        refused,
        "The total size of App Access Policies exceeded the limit."
    );
    assert_eq!(made, 300);
}

#[tokio::test]
async fn senders_must_have_mailboxes() {
    let world = world().await;
    let token = world.app_token(FABRIKAM, "Reception Mailer").await;
    assert_eq!(
        world.send_mail(&token, "nobody@fabrikam.example").await.0,
        404
    );
    let unlicensed = world
        .app_token("lucernepublishing.example", "ScanToMail")
        .await;
    let (status, message) = world
        .send_mail(&unlicensed, "admin@lucernepublishing.example")
        .await;
    assert_eq!(status, 404);
    assert!(message.contains("inactive, soft-deleted"));
    let response = world
        .http
        .post(world.url("/v1.0/users/admin@fabrikam.example/sendMail"))
        .bearer_auth(&token)
        .json(&json!({"message": {"subject": "to nobody"}}))
        .send()
        .await
        .unwrap();
    let (status, body) = read(response).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (400, &json!("ErrorInvalidRecipients"))
    );
}

#[tokio::test]
async fn reading_is_decided_as_sending_is() {
    let world = world().await;
    let domain = "proseware.example";
    // Confined by a policy as far as policies go, and that is the members of a group.
    let graph = world.app_token(domain, "Archive Bridge").await;
    let (inside, outside) = (format!("reception@{domain}"), format!("user@{domain}"));
    for (mailbox, status) in [(&inside, 200), (&outside, 403)] {
        let (found, body) = world
            .graph(&graph, &format!("/v1.0/users/{mailbox}/messages"))
            .await;
        assert_eq!(found, status, "{mailbox}: {body}");
        let (found, _) = world
            .graph(&graph, &format!("/v1.0/users/{mailbox}/events"))
            .await;
        assert_eq!(found, 403, "{mailbox}");
    }
    let ask = |token: String, body: serde_json::Value| {
        let request = world
            .http
            .post(world.url("/_cloud/probe"))
            .bearer_auth(token)
            .json(&body);
        async move { read(request.send().await.unwrap()).await.1 }
    };
    let answer = ask(
        graph,
        json!({"resource": "graph", "mailboxes": [outside], "permissions": ["Mail.Read", "MailboxItem.Read.All"]}),
    )
    .await;
    assert_eq!(
        answer["may"][&outside],
        json!({"Mail.Read": false, "MailboxItem.Read.All": false})
    );
    let id = world.tenant_id(domain);
    let app_id = world.application(domain, "Ticket Fetcher")["app_id"].clone();
    let token = world.cloud.with_world(|world| {
        cloud::entra::token::for_application(
            world,
            id.parse().unwrap(),
            app_id.as_str().unwrap().parse().unwrap(),
            cloud::permissions::Resource::Exchange,
        )
        .unwrap()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    let answer = ask(
        token.clone(),
        json!({"resource": "exchange", "mailboxes": [outside], "permissions": ["IMAP.AccessAsApp", "full_access_as_app"]}),
    )
    .await;
    assert_eq!(
        answer["may"][&outside],
        json!({"IMAP.AccessAsApp": false, "full_access_as_app": false})
    );
    // A token for one resource is none for the other.
    let answer = ask(
        token,
        json!({"resource": "graph", "mailboxes": [outside], "permissions": []}),
    )
    .await;
    assert!(answer["error"].as_str().unwrap().contains("audience"));
}
