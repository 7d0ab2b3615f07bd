//! Groups and their members, and who may change them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::*;

#[tokio::test]
async fn a_group_is_made_filled_changed_and_removed() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let run = |name: &'static str, parameters: Value| {
        let (world, exchange) = (&world, exchange.clone());
        async move { world.cmdlet(&exchange, FABRIKAM, name, parameters).await }
    };
    let made = run(
        "New-DistributionGroup",
        json!({"Name": "Mail Senders", "Type": "Security", "Description": "made by a test"}),
    )
    .await
    .unwrap();
    assert_eq!(
        made[0]["RecipientTypeDetails"],
        "MailUniversalSecurityGroup"
    );
    assert_eq!(
        made[0]["PrimarySmtpAddress"],
        "MailSenders@fabrikam.example"
    );
    let twice = run(
        "New-DistributionGroup",
        json!({"Name": "Mail Senders", "Type": "Security"}),
    )
    .await;
    assert!(twice.unwrap_err().contains("already exists"));
    for (parameters, text) in [
        (json!({"Type": "Security"}), "mandatory parameters: Name"),
        (json!({"Name": "x".repeat(65)}), "too long"),
        (
            json!({"Name": "n", "PrimarySmtpAddress": "n@elsewhere.example"}),
            "accepted domain",
        ),
        (
            json!({"Name": "n", "Members": ["nobody"]}),
            "couldn't be found",
        ),
    ] {
        assert!(
            run("New-DistributionGroup", parameters)
                .await
                .unwrap_err()
                .contains(text),
            "{text}"
        );
    }
    let add = json!({"Identity": "MailSenders", "Member": "reception@fabrikam.example"});
    run("Add-DistributionGroupMember", add.clone())
        .await
        .unwrap();
    assert!(
        run("Add-DistributionGroupMember", add)
            .await
            .unwrap_err()
            .contains("is already a member of the group")
    );
    let nobody = json!({"Identity": "MailSenders", "Member": "nobody"});
    assert!(
        run("Add-DistributionGroupMember", nobody)
            .await
            .unwrap_err()
            .contains("Couldn't find object")
    );
    let atlas = json!({"Identity": "MailSenders", "Member": "atlas"});
    assert!(run("Add-DistributionGroupMember", atlas).await.is_err());
    let members = run(
        "Get-DistributionGroupMember",
        json!({"Identity": "MailSenders"}),
    )
    .await
    .unwrap();
    assert_eq!(
        members[0]["PrimarySmtpAddress"],
        "reception@fabrikam.example"
    );
    run(
        "Set-DistributionGroup",
        json!({"Identity": "MailSenders", "HiddenFromAddressListsEnabled": true}),
    )
    .await
    .unwrap();
    let read = run("Get-DistributionGroup", json!({"Identity": "MailSenders"}))
        .await
        .unwrap();
    assert_eq!(read[0]["HiddenFromAddressListsEnabled"], true);
    let filtered = run(
        "Get-DistributionGroup",
        json!({"Filter": "Description -like '*by a test'"}),
    )
    .await
    .unwrap();
    assert_eq!(filtered.len(), 1);
    let gone = json!({"Identity": "MailSenders", "Member": "reception@fabrikam.example", "Confirm": false});
    run("Remove-DistributionGroupMember", gone.clone())
        .await
        .unwrap();
    assert!(
        run("Remove-DistributionGroupMember", gone)
            .await
            .unwrap_err()
            .contains("isn't a member of the group")
    );
    // A removal asks; nobody can answer.
    let asked = run(
        "Remove-DistributionGroup",
        json!({"Identity": "MailSenders"}),
    )
    .await;
    assert!(asked.unwrap_err().contains("confirmation"));
    run(
        "Remove-DistributionGroup",
        json!({"Identity": "MailSenders", "Confirm": false}),
    )
    .await
    .unwrap();
    assert!(
        run("Get-DistributionGroup", json!({"Identity": "MailSenders"}))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn partners_must_bypass_the_manager_check() {
    let world = world().await;
    world.consent(FABRIKAM, ALL).await;
    let (_, admin) = world.admin(FABRIKAM).await;
    let refresh = world
        .refresh_token("organizations", &format!("nora@{PARTNER}"), "User.Read")
        .await;
    let partner = access(
        &world
            .redeem(FABRIKAM, &refresh, &format!("{EXCHANGE}/.default"))
            .await
            .unwrap(),
    );
    let made = world
        .cmdlet(
            &partner,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "P", "Type": "Security"}),
        )
        .await
        .unwrap();
    assert_eq!(made[0]["ManagedBy"], json!(["Organization Management"]));
    let add = |bypass: bool| json!({"Identity": "P", "Member": "info", "BypassSecurityGroupManagerCheck": bypass});
    let refused = world
        .cmdlet(
            &partner,
            FABRIKAM,
            "Add-DistributionGroupMember",
            add(false),
        )
        .await;
    assert_eq!(
        refused.unwrap_err(),
        "The executing user is not in the current organization"
    );
    let refused = world
        .cmdlet(&admin, FABRIKAM, "Add-DistributionGroupMember", add(false))
        .await;
    assert!(refused.unwrap_err().contains("manager of the group"));
    world
        .cmdlet(&partner, FABRIKAM, "Add-DistributionGroupMember", add(true))
        .await
        .unwrap();
    // Plain lists are not affected.
    let list = json!({"Identity": "everyone", "Member": "support"});
    world
        .cmdlet(&partner, FABRIKAM, "Add-DistributionGroupMember", list)
        .await
        .unwrap();
}

#[tokio::test]
async fn roles_decide_what_may_be_run() {
    let world = world().await;
    let domain = "contoso.example";
    world.consent(domain, ALL).await;
    let user = format!("user@{domain}");
    let refresh = world.refresh_token(domain, &user, "User.Read").await;
    let with_role = |role: &'static str| {
        let (world, refresh, user) = (&world, refresh.clone(), user.clone());
        async move {
            world
                .control("users", json!({"upn": user, "roles": [role]}))
                .await;
            access(
                &world
                    .redeem(domain, &refresh, &format!("{EXCHANGE}/.default"))
                    .await
                    .unwrap(),
            )
        }
    };
    let status = |token: String, name: &'static str, parameters: Value| {
        let world = &world;
        async move {
            world
                .raw_cmdlet(&token, domain, name, parameters)
                .await
                .status()
                .as_u16()
        }
    };
    let policy = json!({"AppId": "00000000-0000-0000-0000-00000000000a", "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "user"});
    let reader = with_role("Global Reader").await;
    assert_eq!(status(reader.clone(), "Get-Mailbox", json!({})).await, 200);
    assert_eq!(
        status(reader, "New-DistributionGroup", json!({"Name": "a"})).await,
        403
    );
    let recipients = with_role("Exchange Recipient Administrator").await;
    assert_eq!(
        status(
            recipients.clone(),
            "New-DistributionGroup",
            json!({"Name": "a"})
        )
        .await,
        200
    );
    assert_eq!(
        status(
            recipients.clone(),
            "New-ApplicationAccessPolicy",
            policy.clone()
        )
        .await,
        403
    );
    // A role that is activated now counts in the next token.
    let before = recipients;
    let after = with_role("Exchange Administrator").await;
    assert_eq!(
        status(before, "New-ApplicationAccessPolicy", policy.clone()).await,
        403
    );
    assert_eq!(
        status(after.clone(), "New-ApplicationAccessPolicy", policy).await,
        200
    );
    let own = world
        .cmdlet(
            &after,
            domain,
            "Get-ManagementRoleAssignment",
            json!({"RoleAssignee": user}),
        )
        .await
        .unwrap();
    assert!(
        own.iter()
            .any(|row| row["Role"] == "Organization Configuration")
    );
    // An application needs both: the app role and a directory role.
    let made = world
        .control("applications", json!({"tenant": domain, "name": "Automation", "grants": ["exchange:Exchange.ManageAsApp"]}))
        .await;
    let token = || async {
        let body = world
            .raw_token(
                domain,
                &[
                    ("client_id", made["app_id"].as_str().unwrap()),
                    ("client_secret", made["secret"].as_str().unwrap()),
                    ("grant_type", "client_credentials"),
                    ("scope", "https://outlook.office365.com/.default"),
                ],
            )
            .await
            .unwrap();
        access(&body)
    };
    assert_eq!(status(token().await, "Get-Mailbox", json!({})).await, 403);
    world
        .control("applications", json!({"tenant": domain, "app_id": made["app_id"], "directory_roles": ["Exchange Administrator"]}))
        .await;
    assert_eq!(status(token().await, "Get-Mailbox", json!({})).await, 200);
}
