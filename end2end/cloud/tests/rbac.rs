//! RBAC for Applications: a union with Entra's grants, cached, for direct members only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use cloud::Delays;
use serde_json::json;
use support::shell::Shell;
use support::*;

#[tokio::test]
async fn the_cache_of_an_active_application_lives_two_hours() {
    let world = world_with(Delays {
        rbac_idle: [1800, 1800],
        rbac_active: [7200, 7200],
        ..Delays::none()
    })
    .await;
    // Time passes by `advance` alone, however long the requests take.
    world
        .cloud
        .with_world(|world| world.dice.clock.set_speed(0.001));
    let domain = "wingtiptoys.example";
    let shell = Shell::open(&world, domain).await;
    let token = world.app_token(domain, "ScanToMail").await;
    let user = "user@wingtiptoys.example";
    assert_eq!(world.send_mail(&token, user).await.0, 403);
    shell.run("Set-ManagementScope", json!({"Identity": "Scanner mailboxes", "RecipientRestrictionFilter": "UserPrincipalName -eq 'user@wingtiptoys.example'"})).await.unwrap();
    // Used every 20 minutes it is never idle, and knows the old scope until it is two hours old.
    for minutes in [20, 40, 60, 80, 100] {
        world.cloud.advance(1200);
        assert_eq!(
            world.send_mail(&token, user).await.0,
            403,
            "after {minutes} minutes"
        );
    }
    world.cloud.advance(1199);
    assert_eq!(world.send_mail(&token, user).await.0, 403);
    world.cloud.advance(2);
    assert_eq!(world.send_mail(&token, user).await.0, 202);
}

#[tokio::test]
async fn rbac_is_a_union_with_entra_and_is_cached() {
    let world = world_with(Delays {
        rbac_idle: [1800, 1800],
        rbac_active: [7200, 7200],
        ..Delays::none()
    })
    .await;
    // RBAC alone: no role in the token, and yet it sends, as the members of the group.
    let domain = "wingtiptoys.example";
    let shell = Shell::open(&world, domain).await;
    let token = world.app_token(domain, "ScanToMail").await;
    assert_eq!(
        world
            .send_mail(&token, "reception@wingtiptoys.example")
            .await
            .0,
        202
    );
    let (status, message) = world.send_mail(&token, "user@wingtiptoys.example").await;
    assert_eq!(
        (status, message.as_str()),
        (403, "Access is denied. Check credentials and try again.")
    );
    let app = world.application(domain, "ScanToMail")["app_id"].clone();
    let rows = shell
        .run(
            "Test-ServicePrincipalAuthorization",
            json!({"Identity": app, "Resource": "user"}),
        )
        .await
        .unwrap();
    assert_eq!(
        (&rows[0]["RoleName"], &rows[0]["InScope"]),
        (&json!("Application Mail.Send"), &json!("False"))
    );
    let rows = shell
        .run(
            "Test-ServicePrincipalAuthorization",
            json!({"Identity": app}),
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["InScope"], "Not Run");

    // The test sees a change at once; sending only when the cache is dropped.
    shell.run("Set-ManagementScope", json!({"Identity": "Scanner mailboxes", "RecipientRestrictionFilter": "UserPrincipalName -eq 'user@wingtiptoys.example'"})).await.unwrap();
    let rows = shell
        .run(
            "Test-ServicePrincipalAuthorization",
            json!({"Identity": app, "Resource": "user"}),
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["InScope"], "True");
    assert_eq!(
        world.send_mail(&token, "user@wingtiptoys.example").await.0,
        403
    );
    world.cloud.advance(1801);
    assert_eq!(
        world.send_mail(&token, "user@wingtiptoys.example").await.0,
        202
    );

    // Half migrated: the access policy refuses what Entra granted, RBAC allows its own.
    let half = "litware.example";
    let mailer = world.app_token(half, "Reception Mailer").await;
    assert_eq!(
        world.send_mail(&mailer, "user@litware.example").await.0,
        202
    );
    let scanner = world.app_token(half, "ScanToMail").await;
    assert!(
        world
            .send_mail(&scanner, "user@litware.example")
            .await
            .1
            .contains("[RAOP]")
    );
    assert_eq!(
        world.send_mail(&scanner, "info@litware.example").await.0,
        202
    );
}

#[tokio::test]
async fn rbac_is_set_up_and_taken_down() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let application = world.application(FABRIKAM, "ScanToMail").clone();
    let (app_id, object_id) = (&application["app_id"], &application["object_id"]);
    let wrong = shell
        .run(
            "New-ServicePrincipal",
            json!({"AppId": app_id, "ObjectId": app_id}),
        )
        .await;
    assert!(
        wrong
            .unwrap_err()
            .contains("No ServicePrincipal with Object Id")
    );
    let pointer = json!({"AppId": app_id, "ObjectId": object_id, "DisplayName": "Scanner"});
    shell
        .run("New-ServicePrincipal", pointer.clone())
        .await
        .unwrap();
    assert!(
        shell
            .run("New-ServicePrincipal", pointer)
            .await
            .unwrap_err()
            .contains("already exists")
    );
    shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Inner", "Type": "Security", "Members": ["info"]}),
        )
        .await
        .unwrap();
    let group = shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Outer", "Type": "Security", "Members": ["reception", "Inner"]}),
        )
        .await
        .unwrap();
    assert_eq!(group.len(), 1);
    let dn = shell
        .run("Get-Group", json!({"Identity": "Outer"}))
        .await
        .unwrap()[0]["DistinguishedName"]
        .as_str()
        .unwrap()
        .to_owned();
    shell.run("New-ManagementScope", json!({"Name": "Outer scope", "RecipientRestrictionFilter": format!("MemberOfGroup -eq '{dn}'")})).await.unwrap();
    assert!(
        shell
            .run(
                "New-ManagementScope",
                json!({"Name": "Bad", "RecipientRestrictionFilter": "What -eq 'x'"})
            )
            .await
            .is_err()
    );
    let role = json!({"Role": "Application Mail.Send", "App": app_id, "CustomResourceScope": "Outer scope"});
    let made = shell
        .run("New-ManagementRoleAssignment", role)
        .await
        .unwrap();
    assert_eq!(made[0]["RoleAssigneeType"], "ServicePrincipal");
    let inside = |mailbox: &'static str| {
        let (shell, app_id) = (&shell, app_id.clone());
        async move {
            shell
                .run(
                    "Test-ServicePrincipalAuthorization",
                    json!({"Identity": app_id, "Resource": mailbox}),
                )
                .await
                .unwrap()[0]["InScope"]
                .clone()
        }
    };
    assert_eq!(inside("reception").await, "True");
    // Direct members only, unlike access policies.
    assert_eq!(inside("info").await, "False");
    let used = shell
        .run(
            "Remove-ManagementScope",
            json!({"Identity": "Outer scope", "Confirm": false}),
        )
        .await;
    assert!(used.unwrap_err().contains("associated"));
    shell
        .run(
            "Remove-ManagementRoleAssignment",
            json!({"Identity": made[0]["Identity"], "Confirm": false}),
        )
        .await
        .unwrap();
    let by_group =
        json!({"Role": "Application Mail.Send", "App": object_id, "RecipientGroupScope": "Outer"});
    shell
        .run("New-ManagementRoleAssignment", by_group)
        .await
        .unwrap();
    assert_eq!(inside("reception").await, "True");
    assert_eq!(inside("info").await, "False");
    shell
        .run(
            "Remove-ManagementScope",
            json!({"Identity": "Outer scope", "Confirm": false}),
        )
        .await
        .unwrap();
    shell
        .run(
            "Remove-ServicePrincipal",
            json!({"Identity": app_id, "Confirm": false}),
        )
        .await
        .unwrap();
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    assert_eq!(state["tenants"][0]["role_assignments"], json!([]));
}
