//! Agent identities and hidden administrative units (MICROSOFT.md §7.5, §10.8).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::apps::{agent_token, all, app, reader};
use support::{FABRIKAM, claims, world};

#[tokio::test]
async fn reach_r12_an_agent_inherits_what_no_list_of_grants_shows() {
    let world = world().await;
    let blueprint = app(
        &world,
        "Desk agent blueprint",
        json!({
            "grants": ["graph:Mail.Send", "exchange:full_access_as_app"],
            "blueprint": [{"resource": "graph", "roles": true}],
        }),
    )
    .await;
    let agent = app(
        &world,
        "Desk agent",
        json!({"agent_of": "Desk agent blueprint"}),
    )
    .await;
    let reader = reader(&world, &["graph:Application.Read.All"]).await;
    let id = agent["object_id"].as_str().unwrap();
    let (_, row) = world
        .graph(&reader, &format!("/v1.0/servicePrincipals/{id}"))
        .await;
    assert_eq!(row["@odata.type"], "#microsoft.graph.agentIdentity");
    assert_eq!(row["servicePrincipalType"], "ServiceIdentity");
    assert_eq!(row["agentIdentityBlueprintId"], blueprint["app_id"]);
    let given = format!("/v1.0/servicePrincipals/{id}/appRoleAssignments");
    assert!(all(&world, &reader, &given).await.is_empty());
    let inherited = format!(
        "/beta/servicePrincipals/microsoft.graph.agentIdentity/{id}/inheritedAppRoleAssignments"
    );
    let rows = all(&world, &reader, &inherited).await;
    // Exchange's resource is not listed as inheritable.
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["appRoleId"], "b633e1c5-b582-4048-a93e-9f11b44c7e96");
    assert_eq!(rows[0]["principalId"], blueprint["object_id"]);

    let token = agent_token(&world, &blueprint, &agent).await;
    let said = claims(&token);
    assert_eq!(said["appid"], agent["app_id"]);
    assert_eq!(said["oid"], agent["object_id"]);
    assert_eq!(said["xms_par_app_azp"], blueprint["app_id"]);
    assert_eq!(said["roles"], json!(["Mail.Send"]));
    let (sent, _) = world
        .send_mail(&token, &format!("reception@{FABRIKAM}"))
        .await;
    assert_eq!(sent, 202);
}

#[tokio::test]
async fn reach_r12_a_policy_for_the_blueprint_does_not_hold_its_child() {
    let world = world().await;
    let fields = json!({
        "grants": ["graph:Mail.Send"], "blueprint": [{"resource": "graph", "roles": true}],
    });
    let blueprint = app(&world, "Blueprint", fields).await;
    let agent = app(&world, "Agent", json!({"agent_of": "Blueprint"})).await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .control(
            "groups",
            json!({
                "tenant": FABRIKAM, "name": "Agent senders", "kind": "mail_security",
                "members": [format!("reception@{FABRIKAM}")],
            }),
        )
        .await;
    let policy = json!({
        "AppId": blueprint["app_id"], "PolicyScopeGroupId": "Agent senders",
        "AccessRight": "RestrictAccess", "Description": "x",
    });
    world
        .cmdlet(&exchange, FABRIKAM, "New-ApplicationAccessPolicy", policy)
        .await
        .unwrap();
    let own = support::apps::token_of(&world, &blueprint, support::GRAPH).await;
    let child = agent_token(&world, &blueprint, &agent).await;
    let stranger = format!("admin@{FABRIKAM}");
    assert_eq!(world.send_mail(&own, &stranger).await.0, 403);
    assert_eq!(world.send_mail(&child, &stranger).await.0, 202);
    // So the confined blueprint reaches everybody by a child.
    let report = world
        .control(
            "powers",
            json!({"tenant": FABRIKAM, "to": "Blueprint", "mailboxes": [stranger]}),
        )
        .await;
    assert_eq!(report["reaches"][&stranger], false);
    assert_eq!(report["could"][&stranger], true);
}

#[tokio::test]
async fn reach_r12_lists_of_agents_and_blueprints() {
    let world = world().await;
    let fields = json!({"blueprint": [{"resource": "graph", "roles": true, "scopes": false}]});
    let blueprint = app(&world, "Blueprint", fields).await;
    let agent = app(&world, "Agent", json!({"agent_of": "Blueprint"})).await;
    let other = app(&world, "No agent", json!({})).await;
    let applications = reader(&world, &["graph:Application.Read.All"]).await;
    let directory = reader(&world, &["graph:Directory.Read.All"]).await;
    let names = |rows: Vec<Value>| -> Vec<Value> {
        rows.iter().map(|row| row["displayName"].clone()).collect()
    };
    for (path, expected) in [
        (
            "/v1.0/servicePrincipals/microsoft.graph.agentIdentity",
            "Agent",
        ),
        (
            "/v1.0/servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
            "Blueprint",
        ),
        (
            "/v1.0/applications/microsoft.graph.agentIdentityBlueprint",
            "Blueprint",
        ),
        (
            "/v1.0/servicePrincipals/microsoft.graph.agentIdentity?$select=displayName,agentIdentityBlueprintId",
            "Agent",
        ),
    ] {
        assert_eq!(
            names(all(&world, &applications, path).await),
            [expected],
            "{path}"
        );
    }
    let rows = all(
        &world,
        &applications,
        "/v1.0/applications?$filter=displayName eq 'Blueprint'",
    )
    .await;
    assert_eq!(
        rows[0]["@odata.type"],
        "#microsoft.graph.agentIdentityBlueprint"
    );
    let id = rows[0]["id"].as_str().unwrap();
    let app_id = blueprint["app_id"].as_str().unwrap();
    for path in [
        format!(
            "/v1.0/applications/{id}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions"
        ),
        format!(
            "/v1.0/applications/microsoft.graph.agentIdentityBlueprint/{app_id}/inheritablePermissions"
        ),
    ] {
        let rows = all(&world, &applications, &path).await;
        assert_eq!(
            rows[0]["resourceAppId"],
            "00000003-0000-0000-c000-000000000000"
        );
        assert_eq!(rows[0]["inheritableRoles"]["kind"], "allAllowed");
        assert_eq!(rows[0]["inheritableScopes"]["kind"], "none");
        assert_eq!(world.graph(&directory, &path).await.0, 403, "{path}");
    }
    let of = |version: &str, id: &Value| {
        let id = id.as_str().unwrap();
        format!(
            "/{version}/servicePrincipals/microsoft.graph.agentIdentity/{id}/inheritedAppRoleAssignments"
        )
    };
    let child = &agent["object_id"];
    for (path, status) in [
        (of("beta", child), 200),
        (format!("{}?$top=5", of("beta", child)), 400),
        (of("v1.0", child), 400),
        (of("beta", &other["object_id"]), 404),
        // A property of a derived type cannot be selected in the list of all.
        (
            "/v1.0/servicePrincipals?$select=id,agentIdentityBlueprintId".to_owned(),
            400,
        ),
    ] {
        assert_eq!(world.graph(&applications, &path).await.0, status, "{path}");
    }
    let write = world.http.delete(world.url(&of("beta", child)));
    let refused = write.bearer_auth(&applications).send().await.unwrap();
    assert_eq!(refused.status(), 405);
}

#[tokio::test]
async fn reach_r12_an_agent_has_no_credentials_of_its_own() {
    let world = world().await;
    let blueprint = app(&world, "Blueprint", json!({"blueprint": []})).await;
    let stranger = app(&world, "Stranger", json!({})).await;
    let agent = app(&world, "Agent", json!({"agent_of": "Blueprint"})).await;
    let child = agent["app_id"].as_str().unwrap();
    assert_eq!(agent["secret"], Value::Null);
    let with_secret = [
        ("client_id", child),
        ("client_secret", blueprint["secret"].as_str().unwrap()),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    assert_eq!(
        world
            .raw_token(FABRIKAM, &with_secret)
            .await
            .unwrap_err()
            .code,
        70021
    );
    let by_stranger = [
        ("client_id", stranger["app_id"].as_str().unwrap()),
        ("client_secret", stranger["secret"].as_str().unwrap()),
        ("grant_type", "client_credentials"),
        ("scope", "api://AzureADTokenExchange/.default"),
        ("fmi_path", child),
    ];
    assert_eq!(
        world
            .raw_token(FABRIKAM, &by_stranger)
            .await
            .unwrap_err()
            .code,
        70021
    );
}

#[tokio::test]
async fn reach_r09_hidden_units_look_empty_or_are_refused() {
    let world = world().await;
    let unit = json!({"name": "Board", "members": [format!("admin@{FABRIKAM}")], "hidden": true});
    world
        .control("tenants", json!({"tenant": FABRIKAM, "unit": unit}))
        .await;
    let plain = json!({"name": "Floor", "members": [format!("user@{FABRIKAM}")]});
    world
        .control("tenants", json!({"tenant": FABRIKAM, "unit": plain}))
        .await;
    let without = reader(&world, &["graph:Directory.Read.All"]).await;
    let with = reader(
        &world,
        &["graph:Directory.Read.All", "graph:Member.Read.Hidden"],
    )
    .await;
    let path = "/v1.0/directory/administrativeUnits?$select=id,displayName,visibility";
    let units = all(&world, &without, path).await;
    let named = |name: &str| units.iter().find(|row| row["displayName"] == name).unwrap();
    assert_eq!(named("Board")["visibility"], "HiddenMembership");
    assert_eq!(named("Floor")["visibility"], Value::Null);
    let members = |name: &str| {
        let id = named(name)["id"].as_str().unwrap();
        format!("/v1.0/directory/administrativeUnits/{id}/members?$select=id")
    };
    for (world_is, status) in [("empty", 200), ("refused", 403)] {
        world
            .control(
                "tenants",
                json!({"tenant": FABRIKAM, "hidden_members": world_is}),
            )
            .await;
        let (found, body) = world.graph(&without, &members("Board")).await;
        assert_eq!(found, status, "{world_is}");
        if status == 200 {
            assert_eq!(body["value"], json!([]));
        }
        assert_eq!(all(&world, &with, &members("Board")).await.len(), 1);
        assert_eq!(all(&world, &without, &members("Floor")).await.len(), 1);
    }
}

#[tokio::test]
async fn reach_r09_hidden_members_of_a_group_look_empty_too() {
    let world = world().await;
    let user = format!("user@{FABRIKAM}");
    let group = json!({
        "tenant": FABRIKAM, "name": "Confidential", "kind": "microsoft365",
        "members": [user], "hidden_membership": true,
    });
    let made = world.control("groups", group).await;
    let without = reader(&world, &["graph:Directory.Read.All"]).await;
    let with = reader(
        &world,
        &["graph:Directory.Read.All", "graph:Member.Read.Hidden"],
    )
    .await;
    let id = made["id"].as_str().unwrap();
    let (_, row) = world
        .graph(&without, &format!("/v1.0/groups/{id}?$select=visibility"))
        .await;
    assert_eq!(row["visibility"], "HiddenMembership");
    for list in ["members", "transitiveMembers"] {
        let path = format!("/v1.0/groups/{id}/{list}");
        assert!(all(&world, &without, &path).await.is_empty(), "{list}");
        assert_eq!(all(&world, &with, &path).await.len(), 1, "{list}");
    }
}
