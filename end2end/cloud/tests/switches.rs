//! Switches of the organisation, and worlds in which Exchange is otherwise than elsewhere.
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
use support::ways::ways;
use support::*;

/// Whether a way is open to an application, with tokens of now.
async fn open(world: &World, domain: &str, app: &str, mailbox: &str, way: &str) -> bool {
    let answer = ways(world, domain, app, mailbox, json!({"ways": [way]})).await;
    answer[way].as_bool().unwrap()
}

async fn organization(shell: &Shell<'_>, parameters: Value) -> Value {
    shell
        .run("Get-OrganizationConfig", parameters)
        .await
        .unwrap()
        .remove(0)
}

#[tokio::test]
async fn field_b05_ews_is_closed_by_switches_and_lists() {
    let world = world().await;
    let domain = "proseware.example";
    let shell = Shell::open(&world, domain).await;
    let app = world.application(domain, "Archive Bridge")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mailbox = format!("reception@{domain}");
    let ews = async || open(&world, domain, &app, &mailbox, "ews").await;
    let set = async |parameters: Value| {
        shell
            .run("Set-OrganizationConfig", parameters)
            .await
            .unwrap();
    };
    let list = json!({"RetrieveEwsOperationAccessPolicy": true});
    let row = organization(&shell, json!({})).await;
    assert_eq!(row["EwsEnabled"], Value::Null);
    assert!(row.get("EwsAllowedAppIDs").is_none());
    let row = organization(&shell, list.clone()).await;
    assert_eq!(row["EwsAllowedAppIDs"], Value::Null);
    assert!(ews().await);
    set(json!({"EwsEnabled": false})).await;
    assert!(!ews().await);
    // A list counts only where EWS was switched on by name.
    let other = "00000000-0000-0000-0000-00000000000b";
    set(json!({"EwsEnabled": null, "EwsAllowedAppIDs": other})).await;
    assert!(ews().await);
    set(json!({"EwsEnabled": true})).await;
    assert!(!ews().await);
    set(json!({"EwsAllowedAppIDs": format!("{other},{app}")})).await;
    assert!(ews().await);
    let row = organization(&shell, list.clone()).await;
    assert_eq!(row["EwsAllowedAppIDs"], format!("{other},{app}"));
    assert_eq!(row["EwsEnabled"], true);
    set(json!({"EwsAllowedAppIDs": null})).await;
    assert!(ews().await);
    // Whether an empty list blocks is disputed.
    world
        .control(
            "tenants",
            json!({"tenant": domain, "ews_empty_list_blocks": true}),
        )
        .await;
    assert!(!ews().await);
    world
        .control(
            "tenants",
            json!({"tenant": domain, "ews_empty_list_blocks": false}),
        )
        .await;
    shell
        .run(
            "Set-CASMailbox",
            json!({"Identity": mailbox, "EwsEnabled": false}),
        )
        .await
        .unwrap();
    assert!(!ews().await);
    let rows = shell
        .run("Get-CASMailbox", json!({"Identity": mailbox}))
        .await
        .unwrap();
    assert_eq!(rows[0]["EwsEnabled"], false);
    let rows = shell
        .run("Get-CASMailbox", json!({"Identity": "info"}))
        .await
        .unwrap();
    assert_eq!(rows[0]["EwsEnabled"], true);
    // Where the parameter does not exist it is refused, and nothing is shown.
    world
        .control("tenants", json!({"tenant": domain, "ews_unknown": true}))
        .await;
    let refused = shell.run("Get-OrganizationConfig", list).await.unwrap_err();
    assert!(refused.contains("Invalid cmdlet parameters specified"));
    let row = organization(&shell, json!({})).await;
    assert!(row.get("EwsEnabled").is_none());
}

#[tokio::test]
async fn field_b06_lists_of_user_agents_close_graph_too() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let app = world.application(FABRIKAM, "ScanToMail")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (reception, info) = (format!("reception@{FABRIKAM}"), format!("info@{FABRIKAM}"));
    let sends = async |mailbox: &str, agent: &str| {
        let how = json!({"ways": ["graph_send"], "user_agent": agent});
        ways(&world, FABRIKAM, &app, mailbox, how).await["graph_send"].clone()
    };
    shell
        .run(
            "Set-OrganizationConfig",
            json!({"EwsApplicationAccessPolicy": "EnforceAllowList", "EwsAllowList": ["Scanner/*"]}),
        )
        .await
        .unwrap();
    assert_eq!(sends(&reception, "Scanner/2.1").await, true);
    assert_eq!(sends(&reception, "Postern").await, false);
    shell
        .run(
            "Set-OrganizationConfig",
            json!({"EwsAllowList": {"@odata.type": "#Exchange.GenericHashTable", "Add": "Postern*"}}),
        )
        .await
        .unwrap();
    let row = organization(&shell, json!({})).await;
    assert_eq!(row["EwsAllowList"], json!(["Scanner/*", "Postern*"]));
    assert_eq!(row["EwsApplicationAccessPolicy"], "EnforceAllowList");
    assert_eq!(sends(&reception, "Postern").await, true);
    shell
        .run(
            "Set-CASMailbox",
            json!({"Identity": info, "EwsApplicationAccessPolicy": "EnforceBlockList", "EwsBlockList": ["Postern*"]}),
        )
        .await
        .unwrap();
    assert_eq!(sends(&info, "Postern").await, false);
    assert_eq!(sends(&info, "Scanner/2.1").await, true);
    shell
        .run(
            "Set-OrganizationConfig",
            json!({"EwsApplicationAccessPolicy": null}),
        )
        .await
        .unwrap();
    assert_eq!(sends(&reception, "anything").await, true);
}

#[tokio::test]
async fn field_b14_grants_can_need_a_role() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let app = world.application(FABRIKAM, "ScanToMail").clone();
    let (app_id, object_id) = (
        app["app_id"].as_str().unwrap(),
        app["object_id"].as_str().unwrap(),
    );
    let reception = format!("reception@{FABRIKAM}");
    let info = format!("info@{FABRIKAM}");
    let token = world.app_token(FABRIKAM, "ScanToMail").await;
    assert_eq!(world.send_mail(&token, &reception).await.0, 202);
    let required = async |on: bool| {
        world
            .control(
                "tenants",
                json!({"tenant": FABRIKAM, "app_rbac_required": on}),
            )
            .await;
    };
    required(true).await;
    let (status, text) = world.send_mail(&token, &reception).await;
    assert!(status == 403 && text.contains("[RAOP]"), "{status} {text}");
    // What was read there was false.
    let row = organization(&shell, json!({})).await;
    assert_eq!(row["EnforceExoAppRbacPermissions"], false);
    shell.point(app_id, object_id).await;
    let role = "Application Mail.Send";
    shell
        .give(app_id, role, "front", "Alias -eq 'reception'")
        .await;
    assert_eq!(world.send_mail(&token, &reception).await.0, 202);
    assert!(world.send_mail(&token, &info).await.1.contains("[RAOP]"));
    required(false).await;
    assert_eq!(world.send_mail(&token, &info).await.0, 202);
    // The property does the same, and a service principal can be exempted.
    shell
        .run(
            "Set-OrganizationConfig",
            json!({"EnforceExoAppRbacPermissions": true}),
        )
        .await
        .unwrap();
    let row = organization(&shell, json!({})).await;
    assert_eq!(row["EnforceExoAppRbacPermissions"], true);
    assert_eq!(world.send_mail(&token, &info).await.0, 403);
    shell
        .run(
            "Set-ServicePrincipal",
            json!({"Identity": object_id, "OverrideEnforceExoAppRbacPermissions": true}),
        )
        .await
        .unwrap();
    assert_eq!(world.send_mail(&token, &info).await.0, 202);
}

#[tokio::test]
async fn field_b15_nested_groups_count_or_do_not() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let app = world.application(FABRIKAM, "ScanToMail")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (name, kind, members) in [
        ("Branch", "Security", vec!["reception"]),
        ("List", "Distribution", vec!["info"]),
        ("Branches", "Security", vec!["Branch", "List", "user"]),
    ] {
        shell
            .run(
                "New-DistributionGroup",
                json!({"Name": name, "Type": kind, "Members": members}),
            )
            .await
            .unwrap();
    }
    shell
        .run(
            "New-ApplicationAccessPolicy",
            json!({"AppId": app, "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "Branches"}),
        )
        .await
        .unwrap();
    let token = world.app_token(FABRIKAM, "ScanToMail").await;
    for (nesting, expected) in [
        ("honoured", [202, 202, 202]),
        ("security_only", [202, 403, 202]),
        ("ignored", [403, 403, 202]),
    ] {
        world
            .control(
                "tenants",
                json!({"tenant": FABRIKAM, "nested_groups": nesting}),
            )
            .await;
        for (mailbox, status) in ["reception", "info", "user"].into_iter().zip(expected) {
            let found = world
                .send_mail(&token, &format!("{mailbox}@{FABRIKAM}"))
                .await;
            assert_eq!(found.0, status, "{nesting} {mailbox}");
            let word = if status == 202 { "Granted" } else { "Denied" };
            assert_eq!(shell.test(&app, mailbox).await, word, "{nesting} {mailbox}");
        }
    }
}

#[tokio::test]
async fn field_b16_a_turned_flag_is_not_yet_ready() {
    let world = world_with(Delays {
        customization: [2700, 2700],
        customization_lag: [900, 900],
        delegation_lag: [2400, 2400],
        ..Delays::none()
    })
    .await;
    let domain = "fourthcoffee.example";
    let shell = Shell::open(&world, domain).await;
    let app = world.application(domain, "Intranet").clone();
    let id = |name: &str| app[name].as_str().unwrap();
    shell.point(id("app_id"), id("object_id")).await;
    let assignment = json!({"App": app["app_id"], "Role": "Application Mail.Send"});
    let refused = async || {
        shell
            .run("New-ManagementRoleAssignment", assignment.clone())
            .await
            .unwrap_err()
    };
    let dehydrated = async || organization(&shell, json!({})).await["IsDehydrated"].clone();
    assert!(refused().await.contains("Enable-OrganizationCustomization"));
    shell
        .run("Enable-OrganizationCustomization", json!({}))
        .await
        .unwrap();
    world.cloud.advance(2701);
    assert_eq!(dehydrated().await, false);
    assert!(refused().await.contains("Enable-OrganizationCustomization"));
    world.cloud.advance(900);
    assert!(refused().await.contains("delegating role assignment"));
    shell
        .run(
            "New-ManagementScope",
            json!({"Name": "front", "RecipientRestrictionFilter": "Alias -eq 'reception'"}),
        )
        .await
        .unwrap();
    world.cloud.advance(2400);
    shell
        .run("New-ManagementRoleAssignment", assignment)
        .await
        .unwrap();
}

#[tokio::test]
async fn field_b11_what_is_synchronized_is_not_changed_here() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "DL-Scan", "Type": "Security", "Members": ["reception"]}),
        )
        .await
        .unwrap();
    world
        .control(
            "recipients",
            json!({"tenant": FABRIKAM, "recipient": "DL-Scan", "dir_synced": true}),
        )
        .await;
    for name in ["Get-DistributionGroup", "Get-Recipient"] {
        let rows = shell
            .run(name, json!({"Identity": "DL-Scan"}))
            .await
            .unwrap();
        assert_eq!(rows[0]["IsDirSynced"], true, "{name}");
    }
    for (name, parameters, parameter) in [
        (
            "Add-DistributionGroupMember",
            json!({"Identity": "DL-Scan", "Member": "info"}),
            "Member",
        ),
        (
            "Set-DistributionGroup",
            json!({"Identity": "DL-Scan", "HiddenFromAddressListsEnabled": true}),
            "HiddenFromAddressListsEnabled",
        ),
        (
            "Remove-DistributionGroupMember",
            json!({"Identity": "DL-Scan", "Member": "reception", "Confirm": false}),
            "Member",
        ),
        (
            "Remove-DistributionGroup",
            json!({"Identity": "DL-Scan", "Confirm": false}),
            "Identity",
        ),
    ] {
        let text = shell.run(name, parameters).await.unwrap_err();
        let start = format!(
            "The action '{name}', '{parameter}', can't be performed on the object 'DL-Scan' because the object is being synchronized from your on-premises organization."
        );
        assert!(text.contains(&start), "{text}");
    }
    // As the scope of a policy it is as good as another.
    shell
        .run("New-ApplicationAccessPolicy", json!({"AppId": "00000000-0000-0000-0000-00000000000a", "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "DL-Scan"}))
        .await
        .unwrap();
}

#[tokio::test]
async fn live_b30_a_taken_name_says_what_is_taken() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    world
        .control(
            "users",
            json!({"upn": format!("leaver@{FABRIKAM}"), "create": true, "mailbox": "user"}),
        )
        .await;
    world
        .control(
            "recipients",
            json!({"tenant": FABRIKAM, "recipient": format!("leaver@{FABRIKAM}"), "soft_delete": true}),
        )
        .await;
    let new = |name: &str| json!({"Name": name, "Type": "Security"});
    // A mailbox, a Microsoft 365 group, a contact, a person, and what was deleted a while ago.
    for taken in ["info", "atlas", "auditor.external", "user", "leaver"] {
        let text = shell
            .run("New-DistributionGroup", new(taken))
            .await
            .unwrap_err();
        let start =
            format!("The proxy address \"SMTP:{taken}@{FABRIKAM}\" is already being used by");
        assert!(text.contains(&start), "{text}");
        let who = json!({"Identity": format!("{taken}@{FABRIKAM}")});
        let found = shell.run("Get-Recipient", who.clone()).await;
        assert_eq!(found.is_err(), taken == "leaver", "{taken}");
        let mut all = who;
        all["IncludeSoftDeletedRecipients"] = json!(true);
        let found = shell.run("Get-Recipient", all).await.unwrap();
        assert_eq!(found.len(), 1, "{taken}");
    }
    shell
        .run("New-DistributionGroup", new("Own"))
        .await
        .unwrap();
    let text = shell
        .run("New-DistributionGroup", new("Own"))
        .await
        .unwrap_err();
    assert!(text.contains("already exists"), "{text}");
    let text = shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Another", "Alias": "info", "PrimarySmtpAddress": format!("another@{FABRIKAM}"), "Type": "Security"}),
        )
        .await
        .unwrap_err();
    assert!(
        text.contains("The name \"info\" is already being used."),
        "{text}"
    );
    // Its own name is free to itself.
    shell
        .run(
            "Set-DistributionGroup",
            json!({"Identity": "Own", "Alias": "own", "PrimarySmtpAddress": format!("own@{FABRIKAM}")}),
        )
        .await
        .unwrap();
    let text = shell
        .run(
            "Set-DistributionGroup",
            json!({"Identity": "Own", "PrimarySmtpAddress": format!("info@{FABRIKAM}")}),
        )
        .await
        .unwrap_err();
    assert!(text.contains("proxy address"), "{text}");
}

#[tokio::test]
async fn field_b03_b13_policies_take_a_mailbox_and_any_guid() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    world
        .control(
            "recipients",
            json!({"tenant": FABRIKAM, "recipient": format!("plain@{FABRIKAM}"), "create": "MailUniversalSecurityGroup"}),
        )
        .await;
    let app = world.application(FABRIKAM, "ScanToMail").clone();
    let policy = |app: &Value, scope: &str| json!({"AppId": app, "AccessRight": "RestrictAccess", "PolicyScopeGroupId": scope});
    // An object id is no client id, and is taken without a word.
    shell
        .run(
            "New-ApplicationAccessPolicy",
            policy(&app["object_id"], "user"),
        )
        .await
        .unwrap();
    let token = world.app_token(FABRIKAM, "ScanToMail").await;
    let info = format!("info@{FABRIKAM}");
    assert_eq!(world.send_mail(&token, &info).await.0, 202);
    shell
        .run(
            "New-ApplicationAccessPolicy",
            policy(&app["app_id"], "user"),
        )
        .await
        .unwrap();
    assert_eq!(world.send_mail(&token, &info).await.0, 403);
    let user = format!("user@{FABRIKAM}");
    assert_eq!(world.send_mail(&token, &user).await.0, 202);
    for (recipient, valid) in [
        ("user", true),
        ("plain", true),
        ("info", false),
        ("atlas", false),
    ] {
        let rows = shell
            .run("Get-Recipient", json!({"Identity": recipient}))
            .await
            .unwrap();
        assert_eq!(rows[0]["IsValidSecurityPrincipal"], valid, "{recipient}");
    }
}

#[tokio::test]
async fn reach_r10_group_mailboxes_are_in_scopes_and_not_in_lists() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let finance = format!("finance@{FABRIKAM}");
    world
        .control(
            "recipients",
            json!({"tenant": FABRIKAM, "recipient": finance, "create": "GroupMailbox",
                   "members": ["user"], "custom_attributes": {"1": "x"}}),
        )
        .await;
    let filter = "CustomAttribute1 -eq 'x'";
    let found = async |name: &'static str, extra: Value| {
        let mut parameters = json!({"Filter": filter});
        parameters
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        shell.run(name, parameters).await.unwrap().len()
    };
    assert_eq!(found("Get-Recipient", json!({})).await, 0);
    assert_eq!(
        found(
            "Get-Recipient",
            json!({"RecipientTypeDetails": ["GroupMailbox"]})
        )
        .await,
        1
    );
    assert_eq!(found("Get-Mailbox", json!({"GroupMailbox": true})).await, 1);
    let app = world.application(FABRIKAM, "Intranet").clone();
    let object = app["object_id"].as_str().unwrap();
    let app = app["app_id"].as_str().unwrap();
    shell.point(app, object).await;
    shell.give(app, "Application Mail.Read", "x", filter).await;
    assert!(open(&world, FABRIKAM, app, &finance, "graph_read").await);
    let info = format!("info@{FABRIKAM}");
    assert!(!open(&world, FABRIKAM, app, &info, "graph_read").await);
    let rows = shell
        .run(
            "Test-ServicePrincipalAuthorization",
            json!({"Identity": app, "Resource": "finance"}),
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["InScope"], "True");
}

#[tokio::test]
async fn field_b02_a_fault_can_be_of_one_mailbox() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let info = format!("info@{FABRIKAM}");
    let id = shell
        .run("Get-Mailbox", json!({"Identity": info}))
        .await
        .unwrap()[0]["ExternalDirectoryObjectId"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .cloud
        .fault(json!({"id": "late", "tenant": FABRIKAM, "mailbox": info, "operation": "POST /users/*/sendMail",
                      "action": {"graph_error": "ErrorAccessDenied", "status": 403, "text": "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."}}))
        .unwrap();
    world
        .cloud
        .fault(json!({"id": "test", "mailbox": id, "operation": "Test-*", "action": {"exchange_error": "no"}}))
        .unwrap();
    let token = world.app_token(FABRIKAM, "ScanToMail").await;
    for key in [&info, &id] {
        assert_eq!(world.send_mail(&token, key).await.0, 403, "{key}");
    }
    let reception = format!("reception@{FABRIKAM}");
    assert_eq!(world.send_mail(&token, &reception).await.0, 202);
    let test = async |mailbox: &str| {
        shell
            .run(
                "Test-ApplicationAccessPolicy",
                json!({"AppId": "00000000-0000-0000-0000-00000000000a", "Identity": mailbox}),
            )
            .await
    };
    for key in [info.as_str(), &id, "info"] {
        assert!(test(key).await.is_err(), "{key}");
    }
    assert!(test("reception").await.is_ok());
}

#[tokio::test]
async fn field_b21_an_error_can_come_after_the_work() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    world
        .cloud
        .fault(json!({"operation": "New-DistributionGroup", "times": 1, "action": {
            "after": true,
            "type": "Microsoft.Exchange.Data.Directory.InsufficientPermissionsException",
            "exchange_error": "The requesting account doesn't have write permission to target DC."}}))
        .unwrap();
    let text = shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Written", "Type": "Security"}),
        )
        .await
        .unwrap_err();
    assert!(text.contains("write permission to target DC"), "{text}");
    let rows = shell
        .run("Get-DistributionGroup", json!({"Identity": "Written"}))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
}
