//! Who administers Exchange, and who holds rights on single mailboxes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use cloud::Delays;
use cloud::permissions::Resource;
use serde_json::{Value, json};
use support::shell::Shell;
use support::*;

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["Name"].as_str().unwrap())
        .collect()
}

/// An application's id and its object id.
type Ids = (String, String);

fn ids(app: &Value) -> Ids {
    let text = |name: &str| app[name].as_str().unwrap().to_owned();
    (text("app_id"), text("object_id"))
}

/// Registers an application of Fabrikam's own with these grants.
async fn register(world: &World, name: &str, grants: Value) -> Ids {
    ids(&apps::app(world, name, json!({"grants": grants})).await)
}

/// An application of Fabrikam's that Exchange knows.
async fn known(shell: &Shell<'_>, name: &str, grants: Value) -> Ids {
    let ids = register(shell.world, name, grants).await;
    shell.point(&ids.0, &ids.1).await;
    ids
}

/// Fabrikam's token of an application for Exchange.
fn exchange_token(world: &World, app_id: &str) -> String {
    let id = world.tenant_id(FABRIKAM);
    world.cloud.with_world(|world| {
        let (tenant, app) = (id.parse().unwrap(), app_id.parse().unwrap());
        access(
            &cloud::entra::token::for_application(world, tenant, app, Resource::Exchange).unwrap(),
        )
    })
}

/// What the application may do, by way.
async fn ways(world: &World, domain: &str, app_id: &str, mailbox: &str) -> Value {
    support::ways::ways(world, domain, app_id, mailbox, json!({})).await
}

#[tokio::test]
async fn reach_r01_a_service_principal_in_a_role_group_administers_exchange() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = register(&world, "Robot", json!(["exchange:Exchange.ManageAsApp"])).await;
    let token = || exchange_token(&world, &robot.0);
    // The permission alone gives nothing.
    let refused = world
        .cmdlet(&token(), FABRIKAM, "Get-ApplicationAccessPolicy", json!({}))
        .await;
    assert!(refused.is_err());

    let member = json!({"Identity": "Organization Management", "Member": robot.1});
    let unknown = shell.run("Add-RoleGroupMember", member.clone()).await;
    assert!(unknown.unwrap_err().contains("couldn't be found"));
    shell.point(&robot.0, &robot.1).await;
    shell
        .run("Add-RoleGroupMember", member.clone())
        .await
        .unwrap();
    let twice = shell.run("Add-RoleGroupMember", member.clone()).await;
    assert!(twice.unwrap_err().contains("is already a member"));
    world
        .cmdlet(
            &token(),
            FABRIKAM,
            "New-ApplicationAccessPolicy",
            json!({"AppId": robot.0, "AccessRight": "DenyAccess", "PolicyScopeGroupId": "user"}),
        )
        .await
        .unwrap();

    let rows = shell
        .run(
            "Get-RoleGroupMember",
            json!({"Identity": "Organization Management", "ResultSize": "Unlimited"}),
        )
        .await
        .unwrap();
    let found = rows.iter().find(|row| row["Name"] == robot.1.as_str());
    assert_eq!(found.unwrap()["DisplayName"], "Robot");
    // Linked groups stand for directory roles, and Exchange cannot list who is in them.
    let linked = names(&rows)
        .into_iter()
        .find(|name| name.starts_with("TenantAdmins_"))
        .unwrap()
        .to_owned();
    let inside = shell
        .run("Get-RoleGroupMember", json!({"Identity": linked}))
        .await
        .unwrap();
    assert!(inside.is_empty());

    let remove =
        json!({"Identity": "Organization Management", "Member": robot.1, "Confirm": false});
    shell.run("Remove-RoleGroupMember", remove).await.unwrap();
    let refused = world
        .cmdlet(&token(), FABRIKAM, "Get-ApplicationAccessPolicy", json!({}))
        .await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn reach_r01_role_groups_have_roles_and_names_of_members() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = known(&shell, "Robot", json!([])).await;
    shell
        .run(
            "New-RoleGroup",
            json!({"Name": "Robots", "Roles": ["Mail Recipients"], "Members": [robot.1]}),
        )
        .await
        .unwrap();
    let rows = shell
        .run("Get-RoleGroup", json!({"ResultSize": "Unlimited"}))
        .await
        .unwrap();
    let called = names(&rows);
    for name in [
        "Organization Management",
        "Recipient Management",
        "Discovery Management",
        "Help Desk",
        "Compliance Management",
        "Hygiene Management",
        "Security Administrator",
        "Robots",
    ] {
        assert!(called.contains(&name), "{name}: {called:?}");
    }
    assert!(!called.contains(&"Partner Administrators"));
    let own = rows.iter().find(|row| row["Name"] == "Robots").unwrap();
    assert_eq!(own["Roles"], json!(["Mail Recipients"]));
    assert_eq!(own["RoleAssignments"], json!(["Mail Recipients-Robots"]));
    assert_eq!(own["Members"], json!([robot.1]));
    assert_eq!(own["ManagedBy"], json!(["Organization Management"]));
    // The type does not tell those that somebody made from the others.
    let built_in = rows
        .iter()
        .find(|row| row["Name"] == "Organization Management")
        .unwrap();
    assert_eq!(own["RoleGroupType"], built_in["RoleGroupType"]);
    let partners = shell
        .run("Get-RoleGroup", json!({"ShowPartnerLinked": true}))
        .await
        .unwrap();
    assert!(names(&partners).contains(&"Partner Administrators"));
    let one = shell
        .run("Get-RoleGroup", json!({"Identity": "help desk"}))
        .await
        .unwrap();
    assert_eq!(names(&one), ["Help Desk"]);
    assert!(
        shell
            .run(
                "Remove-RoleGroup",
                json!({"Identity": "Help Desk", "Confirm": false})
            )
            .await
            .unwrap_err()
            .contains("built in")
    );
    shell
        .run(
            "Remove-RoleGroup",
            json!({"Identity": "Robots", "Confirm": false}),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn reach_r01_a_management_role_can_be_given_to_an_application() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = known(&shell, "Robot", json!(["exchange:Exchange.ManageAsApp"])).await;
    shell
        .run(
            "New-ManagementRoleAssignment",
            json!({"App": robot.1, "Role": "Role Management"}),
        )
        .await
        .unwrap();
    let token = exchange_token(&world, &robot.0);
    // It may make assignments, and may not give a role that it was not given to give.
    let send = json!({"App": robot.1, "Role": "Application Mail.Send"});
    let refused = world
        .cmdlet(
            &token,
            FABRIKAM,
            "New-ManagementRoleAssignment",
            send.clone(),
        )
        .await
        .unwrap_err();
    assert!(
        refused.contains("You must be assigned a delegating role assignment"),
        "{refused}"
    );
    let rows = shell
        .run(
            "New-ManagementRoleAssignment",
            json!({"App": robot.1, "Role": "Application Mail.Send", "Delegating": true}),
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["RoleAssignmentDelegationType"], "DelegatingOrgWide");
    assert_eq!(rows[0]["RoleAssigneeType"], "ServicePrincipal");
    // To give it on is not to have it.
    let mailbox = format!("reception@{FABRIKAM}");
    assert_eq!(
        ways(&world, FABRIKAM, &robot.0, &mailbox).await["graph_send"],
        false
    );
    world
        .cmdlet(&token, FABRIKAM, "New-ManagementRoleAssignment", send)
        .await
        .unwrap();
    assert_eq!(
        ways(&world, FABRIKAM, &robot.0, &mailbox).await["graph_send"],
        true
    );
    let rows = shell
        .run(
            "Get-ManagementRoleAssignment",
            json!({"RoleAssignee": robot.1, "Delegating": false}),
        )
        .await
        .unwrap();
    let roles: Vec<&str> = rows
        .iter()
        .map(|row| row["Role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["Role Management", "Application Mail.Send"]);
    let rows = shell
        .run(
            "Get-ManagementRoleAssignment",
            json!({"RoleAssignee": "Organization Management", "Delegating": true}),
        )
        .await
        .unwrap();
    assert!(
        rows.iter()
            .any(|row| row["Role"] == "Application Mail.Send")
    );
    // An assignment can be switched off and moved.
    shell
        .run(
            "Set-ManagementRoleAssignment",
            json!({"Identity": rows_name(&shell, &robot.1).await, "Enabled": false}),
        )
        .await
        .unwrap();
    assert_eq!(
        ways(&world, FABRIKAM, &robot.0, &mailbox).await["graph_send"],
        false
    );
}

async fn rows_name(shell: &Shell<'_>, object: &str) -> String {
    let rows = shell
        .run(
            "Get-ManagementRoleAssignment",
            json!({"RoleAssignee": object, "Role": "Application Mail.Send", "Delegating": false}),
        )
        .await
        .unwrap();
    rows[0]["Name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn field_b18_imap_reaches_what_it_was_given_and_nothing_else() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = register(
        &world,
        "Fetcher",
        json!(["exchange:IMAP.AccessAsApp", "exchange:POP.AccessAsApp"]),
    )
    .await;
    let (info, reception) = (format!("info@{FABRIKAM}"), format!("reception@{FABRIKAM}"));
    let imap =
        async |mailbox: &str| ways(&world, FABRIKAM, &robot.0, mailbox).await["imap"].clone();
    assert_eq!(imap(&info).await, false);
    let right = json!({"Identity": info, "User": robot.1, "AccessRights": ["FullAccess"]});
    let unknown = shell.run("Add-MailboxPermission", right.clone()).await;
    assert!(unknown.unwrap_err().contains("couldn't be found"));
    shell.point(&robot.0, &robot.1).await;
    assert_eq!(imap(&info).await, false);
    let rows = shell
        .run("Add-MailboxPermission", right.clone())
        .await
        .unwrap();
    assert_eq!(rows[0]["User"], robot.1.as_str());
    assert_eq!(rows[0]["AccessRights"], json!(["FullAccess"]));
    assert_eq!(imap(&info).await, true);
    assert_eq!(imap(&reception).await, false);
    assert_eq!(ways(&world, FABRIKAM, &robot.0, &info).await["pop"], true);

    let rows = shell
        .run("Get-MailboxPermission", json!({"Identity": "info"}))
        .await
        .unwrap();
    let users: Vec<&str> = rows
        .iter()
        .map(|row| row["User"].as_str().unwrap())
        .collect();
    assert_eq!(users, ["NT AUTHORITY\\SELF", robot.1.as_str()]);
    assert_eq!(
        (&rows[1]["IsInherited"], &rows[1]["Deny"]),
        (&json!(false), &json!(false))
    );

    // How a service principal shows is not known: a tenant can have it either way.
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "principals_as": "sid"}),
        )
        .await;
    let rows = shell
        .run("Get-MailboxPermission", json!({"Identity": "info"}))
        .await
        .unwrap();
    assert!(rows[1]["User"].as_str().unwrap().starts_with("S-1-5-21-"));

    let mut gone = right;
    gone["Confirm"] = json!(false);
    shell.run("Remove-MailboxPermission", gone).await.unwrap();
    assert_eq!(imap(&info).await, false);
}

#[tokio::test]
async fn field_b18_smtp_needs_a_right_or_a_role() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = register(&world, "Relay", json!(["exchange:SMTP.SendAsApp"])).await;
    let (info, reception) = (format!("info@{FABRIKAM}"), format!("reception@{FABRIKAM}"));
    let smtp =
        async |mailbox: &str| ways(&world, FABRIKAM, &robot.0, mailbox).await["smtp"].clone();
    shell.point(&robot.0, &robot.1).await;
    assert_eq!(smtp(&info).await, false);
    shell
        .run(
            "Add-RecipientPermission",
            json!({"Identity": info, "Trustee": robot.1, "AccessRights": "SendAs", "Confirm": false}),
        )
        .await
        .unwrap();
    assert_eq!(smtp(&info).await, true);
    assert_eq!(smtp(&reception).await, false);
    let rows = shell
        .run("Get-RecipientPermission", json!({"Trustee": robot.1}))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["AccessRights"], json!(["SendAs"]));
    // The role needs neither the grant nor a right.
    let other = known(&shell, "Other relay", json!([])).await;
    let role = "Application SMTP.SendAsApp";
    shell
        .give(&other.1, role, "front", "Alias -eq 'reception'")
        .await;
    assert_eq!(
        ways(&world, FABRIKAM, &other.0, &reception).await["smtp"],
        true
    );
    assert_eq!(ways(&world, FABRIKAM, &other.0, &info).await["smtp"], false);
}

#[tokio::test]
async fn field_b20_rights_of_people_and_groups_are_listed() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    for (name, parameters) in [
        (
            "Add-RecipientPermission",
            json!({"Identity": "admin", "Trustee": "info", "AccessRights": "SendAs", "Confirm": false}),
        ),
        (
            "Add-RecipientPermission",
            json!({"Identity": "everyone", "Trustee": "user", "AccessRights": "SendAs", "Confirm": false}),
        ),
        (
            "Set-Mailbox",
            json!({"Identity": "admin", "GrantSendOnBehalfTo": {"@odata.type": "#Exchange.GenericHashTable", "Add": ["user"]}}),
        ),
    ] {
        let outcome = shell.run(name, parameters.clone()).await;
        assert!(outcome.is_ok(), "{parameters}: {outcome:?}");
    }
    let rows = shell
        .run("Get-RecipientPermission", json!({"Identity": "everyone"}))
        .await
        .unwrap();
    assert_eq!(rows[1]["Trustee"], format!("user@{FABRIKAM}"));
    let rows = shell
        .run("Get-Mailbox", json!({"Identity": "admin"}))
        .await
        .unwrap();
    assert_eq!(rows[0]["GrantSendOnBehalfTo"].as_array().unwrap().len(), 1);
    shell
        .run(
            "Set-Mailbox",
            json!({"Identity": "admin", "GrantSendOnBehalfTo": []}),
        )
        .await
        .unwrap();
    let rows = shell
        .run("Get-Mailbox", json!({"Identity": "admin"}))
        .await
        .unwrap();
    assert_eq!(rows[0]["GrantSendOnBehalfTo"], json!([]));
}

#[tokio::test]
async fn field_b17_group_scopes_read_back_as_the_service_does() {
    let world = world_with(Delays::none()).await;
    let domain = FABRIKAM;
    let shell = Shell::open(&world, domain).await;
    let robot = known(&shell, "Robot", json!([])).await;
    shell
        .run(
            "New-DistributionGroup",
            json!({"Name": "Senders", "Type": "Security", "Members": ["reception"]}),
        )
        .await
        .unwrap();
    shell
        .run(
            "New-ManagementRoleAssignment",
            json!({"Name": "robot", "App": robot.1, "Role": "Application Mail.Send", "RecipientGroupScope": "Senders"}),
        )
        .await
        .unwrap();
    let read = async || {
        shell
            .run("Get-ManagementRoleAssignment", json!({"Identity": "robot"}))
            .await
            .unwrap()
            .remove(0)
    };
    let row = read().await;
    assert_eq!(row["RecipientWriteScope"], "Group");
    assert_eq!(row["CustomResourceScope"], "Senders");
    assert_eq!(row["CustomRecipientWriteScope"], "");
    assert!(row.get("RecipientGroupScope").is_none());
    let rows = shell
        .run("Get-Group", json!({"Identity": "Senders"}))
        .await
        .unwrap();
    assert!(rows[0].get("ExternalDirectoryObjectId").is_none());
    for name in ["Get-Recipient", "Get-DistributionGroup"] {
        let rows = shell
            .run(name, json!({"Identity": "Senders"}))
            .await
            .unwrap();
        assert!(rows[0]["ExternalDirectoryObjectId"].is_string(), "{name}");
    }
    world
        .control(
            "tenants",
            json!({"tenant": domain, "group_scopes": "automatic"}),
        )
        .await;
    let scope = read().await["CustomResourceScope"].clone();
    let (name, guid) = scope.as_str().unwrap().rsplit_once('_').unwrap();
    assert_eq!((name, guid.len()), ("Senders", 36));

    // A filter by the group's distinguished name knows the old one for ever.
    let dn = rows[0]["DistinguishedName"].as_str().unwrap();
    let other = known(&shell, "Other", json!([])).await;
    let filter = format!("MemberOfGroup -eq '{dn}'");
    shell
        .give(&other.1, "Application Mail.Send", "by name", &filter)
        .await;
    let reception = format!("reception@{domain}");
    let sends = async |app: &str| ways(&world, domain, app, &reception).await["graph_send"].clone();
    assert_eq!(
        (sends(&robot.0).await, sends(&other.0).await),
        (json!(true), json!(true))
    );
    world
        .control("tenants", json!({"tenant": domain, "relocate": true}))
        .await;
    assert_eq!(
        (sends(&robot.0).await, sends(&other.0).await),
        (json!(true), json!(false))
    );
}

#[tokio::test]
async fn field_f16_a_young_service_principal_cannot_be_pointed_to_yet() {
    let world = world_with(Delays {
        principal_exchange: [300, 300],
        ..Delays::none()
    })
    .await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let (app_id, object_id) = register(&world, "Robot", json!([])).await;
    let new = async |object: &str| {
        shell
            .run(
                "New-ServicePrincipal",
                json!({"AppId": app_id, "ObjectId": object}),
            )
            .await
    };
    let text = new(&object_id).await.unwrap_err();
    let start = format!("No ServicePrincipal with Object Id '{object_id}'");
    assert!(text.contains(&start), "{text}");
    world.cloud.advance(301);
    new(&object_id).await.unwrap();
    // The id of the registration never becomes one.
    assert!(new(&app_id).await.is_err());
}

#[tokio::test]
async fn rights_and_memberships_go_with_the_pointer() {
    let world = world().await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = known(&shell, "Robot", json!([])).await;
    for (name, parameters) in [
        (
            "Add-RoleGroupMember",
            json!({"Identity": "Help Desk", "Member": robot.0}),
        ),
        (
            "Add-MailboxPermission",
            json!({"Identity": "info", "User": "Robot", "AccessRights": "FullAccess"}),
        ),
    ] {
        shell.run(name, parameters).await.unwrap();
    }
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    let tenant = &state["tenants"][0];
    assert_eq!(tenant["role_groups"][0]["members"], json!([robot.1]));
    assert_eq!(tenant["rights"][0]["holder"], robot.1.as_str());
    shell
        .run(
            "Remove-ServicePrincipal",
            json!({"Identity": robot.1, "Confirm": false}),
        )
        .await
        .unwrap();
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    assert_eq!(state["tenants"][0]["role_groups"], json!([]));
    assert_eq!(state["tenants"][0]["rights"], json!([]));
}

#[tokio::test]
async fn the_seed_has_administrators_rights_and_switches() {
    let world = world().await;
    let app = |domain: &str, name: &str| ids(world.application(domain, name));
    let domain = "humongousinsurance.example";
    let shell = Shell::open(&world, domain).await;
    let robot = app(domain, "Tenant Robot");
    let rows = shell
        .run(
            "Get-RoleGroupMember",
            json!({"Identity": "Organization Management"}),
        )
        .await
        .unwrap();
    assert!(names(&rows).contains(&robot.1.as_str()));
    let keeper = app(domain, "Policy Keeper");
    let rows = shell
        .run(
            "Get-ManagementRoleAssignment",
            json!({"RoleAssignee": keeper.1}),
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["Role"], "Organization Configuration");
    let reader = app(domain, "Finance Reader");
    let finance = format!("finance@{domain}");
    assert_eq!(
        ways(&world, domain, &reader.0, &finance).await["graph_read"],
        true
    );
    let domain = "proseware.example";
    let fetcher = app(domain, "Ticket Fetcher");
    for (mailbox, reached) in [("support", true), ("info", false)] {
        let mailbox = format!("{mailbox}@{domain}");
        assert_eq!(
            ways(&world, domain, &fetcher.0, &mailbox).await["imap"],
            reached,
            "{mailbox}"
        );
    }
    let domain = "margiestravel.example";
    let mover = app(domain, "Old Mail Mover");
    let info = format!("info@{domain}");
    assert_eq!(ways(&world, domain, &mover.0, &info).await["ews"], false);
    let shell = Shell::open(&world, domain).await;
    let rows = shell
        .run("Get-DistributionGroup", json!({"Identity": "dl-scan"}))
        .await
        .unwrap();
    assert_eq!(rows[0]["IsDirSynced"], true);
    let domain = "alpineskihouse.example";
    let assistant = app(domain, "Executive Assistant");
    for (mailbox, reached) in [("user", true), ("info", false)] {
        let mailbox = format!("{mailbox}@{domain}");
        assert_eq!(
            ways(&world, domain, &assistant.0, &mailbox).await["graph_send"],
            reached,
            "{mailbox}"
        );
    }
    let shell = Shell::open(&world, domain).await;
    let rows = shell
        .run("Get-RecipientPermission", json!({"Identity": "admin"}))
        .await
        .unwrap();
    assert_eq!(rows[1]["Trustee"], format!("user@{domain}"));
}

#[tokio::test]
async fn ways_are_asked_of_known_applications_and_mailboxes() {
    let world = world().await;
    let ask = async |body: Value| {
        let response = world
            .http
            .post(world.url("/_cloud/probe"))
            .json(&body)
            .send()
            .await
            .unwrap();
        read(response).await
    };
    let app = world.application(FABRIKAM, "ScanToMail")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (status, body) =
        ask(json!({"tenant": FABRIKAM, "applications": [app], "ways": ["graph_send"]})).await;
    assert_eq!(status, 200);
    // Without a list: all mailboxes, those of Microsoft 365 groups included.
    let group = format!("atlas@{FABRIKAM}");
    assert_eq!(body["may"][&app][&group], json!({"graph_send": true}));
    for wrong in [
        json!({"tenant": "nobody.example"}),
        json!({"tenant": FABRIKAM, "ways": ["fax"]}),
        json!({"tenant": FABRIKAM, "mailboxes": ["nobody"]}),
        json!({"tenant": FABRIKAM, "applications": ["00000000-0000-0000-0000-00000000000a"]}),
        json!({"tenant": "lucernepublishing.example"}),
    ] {
        assert_eq!(ask(wrong.clone()).await.0, 400, "{wrong}");
    }
    // Who is switched off reaches nothing.
    world
        .control(
            "applications",
            json!({"tenant": FABRIKAM, "app_id": app, "enabled": false}),
        )
        .await;
    let mailbox = format!("reception@{FABRIKAM}");
    assert_eq!(
        ways(&world, FABRIKAM, &app, &mailbox).await["graph_send"],
        false
    );
}

#[tokio::test]
async fn what_rbac_makes_is_found_a_while_later() {
    let world = world_with(Delays {
        rbac_objects: [60, 60],
        ..Delays::none()
    })
    .await;
    let shell = Shell::open(&world, FABRIKAM).await;
    let robot = register(&world, "Robot", json!([])).await;
    let pointer = json!({"AppId": robot.0, "ObjectId": robot.1});
    let scope = json!({"Name": "front", "RecipientRestrictionFilter": "Alias -eq 'reception'"});
    let assignment = json!({"Name": "robot", "App": robot.1, "Role": "Application Mail.Send", "CustomResourceScope": "front"});
    for (make, read, sent, identity) in [
        (
            "New-ServicePrincipal",
            "Get-ServicePrincipal",
            pointer,
            robot.1.as_str(),
        ),
        ("New-ManagementScope", "Get-ManagementScope", scope, "front"),
        (
            "New-ManagementRoleAssignment",
            "Get-ManagementRoleAssignment",
            assignment.clone(),
            "robot",
        ),
    ] {
        shell.run(make, sent.clone()).await.unwrap();
        let one = json!({ "Identity": identity });
        let early = shell.run(read, one.clone()).await;
        assert!(early.unwrap_err().contains("couldn't be found"), "{read}");
        // It is there, and cannot be made twice.
        let twice = shell.run(make, sent).await.unwrap_err();
        assert!(
            twice.contains("already exists") || twice.contains("couldn't be found"),
            "{twice}"
        );
        world.cloud.advance(61);
        assert_eq!(shell.run(read, one).await.unwrap().len(), 1, "{read}");
    }
}
