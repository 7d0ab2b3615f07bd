//! What an application reaches now, and what it could by any way that it opens itself
//! (MICROSOFT.md §10).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::apps::{app, token_of};
use support::{EXCHANGE, FABRIKAM, GRAPH, World, world};

/// Confines an application to Reception by a policy whose group is of this kind.
async fn confine(world: &World, app: &Value, kind: &str) {
    let (_, exchange) = world.admin(FABRIKAM).await;
    let name = format!("Scope of {}", app["app_id"].as_str().unwrap());
    world
        .control(
            "groups",
            json!({
                "tenant": FABRIKAM, "name": name, "kind": kind,
                "members": [format!("reception@{FABRIKAM}")],
            }),
        )
        .await;
    let policy = json!({
        "AppId": app["app_id"], "PolicyScopeGroupId": name,
        "AccessRight": "RestrictAccess", "Description": "x",
    });
    world
        .cmdlet(&exchange, FABRIKAM, "New-ApplicationAccessPolicy", policy)
        .await
        .unwrap();
}

async fn report(world: &World, app: &Value) -> Value {
    let body = json!({
        "tenant": FABRIKAM, "to": app["app_id"],
        "mailboxes": [format!("reception@{FABRIKAM}"), format!("admin@{FABRIKAM}")],
    });
    world.control("powers", body).await
}

#[tokio::test]
async fn reach_r01_each_power_goes_around_the_policy() {
    let world = world().await;
    // An application that reaches everybody, for those that can make it their own.
    app(
        &world,
        "Open one",
        json!({"grants": ["graph:Mail.ReadWrite"]}),
    )
    .await;
    let administrator = "Exchange Administrator";
    let rows: Vec<(&str, Value, bool, Option<&str>)> = vec![
        ("nothing more", json!({}), false, None),
        (
            "grants",
            json!({"grants": ["graph:AppRoleAssignment.ReadWrite.All"]}),
            true,
            Some("G"),
        ),
        (
            "roles",
            json!({"grants": ["graph:RoleManagement.ReadWrite.Directory"]}),
            true,
            Some("G"),
        ),
        (
            "exchange roles",
            json!({"grants": ["graph:RoleManagement.ReadWrite.Exchange"]}),
            true,
            Some("G"),
        ),
        (
            "secrets",
            json!({"grants": ["graph:Application.ReadWrite.All"]}),
            true,
            Some("O"),
        ),
        (
            "own secrets",
            json!({"grants": ["graph:Application.ReadWrite.OwnedBy"]}),
            false,
            Some("O"),
        ),
        (
            "passwords",
            json!({"grants": ["graph:User-PasswordProfile.ReadWrite.All"]}),
            true,
            Some("O"),
        ),
        (
            "manages",
            json!({"grants": ["exchange:Exchange.ManageAsApp"]}),
            false,
            None,
        ),
        (
            "role alone",
            json!({"directory_roles": [administrator]}),
            false,
            None,
        ),
        (
            "administers",
            json!({"grants": ["exchange:Exchange.ManageAsApp"], "directory_roles": [administrator]}),
            true,
            Some("A"),
        ),
        (
            "reads",
            json!({"grants": ["exchange:Exchange.ManageAsApp"], "directory_roles": ["Global Reader"]}),
            false,
            None,
        ),
        (
            "global",
            json!({"directory_roles": ["Global Administrator"]}),
            true,
            Some("G"),
        ),
        (
            "cloud apps",
            json!({"directory_roles": ["Cloud Application Administrator"]}),
            true,
            Some("G"),
        ),
        // Mail-enabled security groups are read-only in Graph.
        (
            "groups",
            json!({"grants": ["graph:Group.ReadWrite.All"]}),
            false,
            Some("B"),
        ),
        (
            "metadata",
            json!({"grants": ["graph:People.Read.All"]}),
            false,
            None,
        ),
    ];
    for (name, mut fields, could, class) in rows {
        let mut grants = vec![json!("graph:Mail.Send")];
        grants.extend(fields["grants"].as_array().cloned().unwrap_or_default());
        fields["grants"] = grants.into();
        let made = app(&world, name, fields).await;
        confine(&world, &made, "mail_security").await;
        let report = report(&world, &made).await;
        let of = |field: &str, local: &str| report[field][format!("{local}@{FABRIKAM}")].clone();
        assert_eq!(of("reaches", "reception"), true, "{name}");
        assert_eq!(of("reaches", "admin"), false, "{name}");
        assert_eq!(of("could", "admin"), could, "{name}: {report}");
        assert_eq!(
            report["powers"][0]["class"].as_str(),
            class,
            "{name}: {report}"
        );
        // The probe with a token says the same.
        let token = token_of(&world, &made, GRAPH).await;
        let probe = world
            .http
            .post(world.url("/_cloud/probe"))
            .bearer_auth(token)
            .json(
                &json!({"could": true, "permissions": ["Mail.Send"], "mailboxes": [format!("admin@{FABRIKAM}")]}),
            )
            .send()
            .await
            .unwrap();
        let probe: Value = probe.json().await.unwrap();
        assert_eq!(
            probe["may"][format!("admin@{FABRIKAM}")]["Mail.Send"],
            false,
            "{name}"
        );
        assert_eq!(probe["could"][format!("admin@{FABRIKAM}")], could, "{name}");
    }
}

#[tokio::test]
async fn reach_r01_who_owns_an_open_application_could_be_it() {
    let world = world().await;
    let fields = json!({"grants": ["graph:Mail.Send", "graph:Application.ReadWrite.OwnedBy"]});
    let keeper = app(&world, "Keeper", fields).await;
    confine(&world, &keeper, "mail_security").await;
    let stranger = format!("admin@{FABRIKAM}");
    assert_eq!(report(&world, &keeper).await["could"][&stranger], false);
    let open = json!({"grants": ["graph:Mail.Read"], "owners": ["Keeper"]});
    app(&world, "Owned", open).await;
    assert_eq!(report(&world, &keeper).await["could"][&stranger], true);
}

#[tokio::test]
async fn reach_r01_a_role_for_one_application_opens_that_one_alone() {
    let world = world().await;
    let keeper = app(&world, "Keeper", json!({})).await;
    let open = app(&world, "Open", json!({"grants": ["graph:Mail.Read"]})).await;
    let closed = app(&world, "Closed", json!({"grants": ["graph:User.Read.All"]})).await;
    let stranger = format!("admin@{FABRIKAM}");
    for (target, could) in [(&closed, false), (&open, true)] {
        let role = json!({
            "tenant": FABRIKAM, "role": "Secrets", "to": "Keeper",
            "actions": ["microsoft.directory/servicePrincipals/credentials/update"],
            "scope": format!("/{}", target["object_id"].as_str().unwrap()),
        });
        world.control("roles", role).await;
        assert_eq!(report(&world, &keeper).await["could"][&stranger], could);
    }
}

#[tokio::test]
async fn reach_r01_a_boundary_that_it_changes_itself_is_none() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let stranger = format!("admin@{FABRIKAM}");
    let unit = json!({"name": "Floor", "members": [format!("reception@{FABRIKAM}")]});
    world
        .control("tenants", json!({"tenant": FABRIKAM, "unit": unit}))
        .await;
    let scope = json!({"Name": "Marked", "RecipientRestrictionFilter": "CustomAttribute1 -eq 'x'"});
    world
        .cmdlet(&exchange, FABRIKAM, "New-ManagementScope", scope)
        .await
        .unwrap();
    for (name, grant, scope, could) in [
        (
            "by unit",
            "graph:AdministrativeUnit.ReadWrite.All",
            json!({"RecipientAdministrativeUnitScope": "Floor"}),
            true,
        ),
        (
            "by unit, users",
            "graph:User.ReadWrite.All",
            json!({"RecipientAdministrativeUnitScope": "Floor"}),
            false,
        ),
        (
            "by attribute",
            "graph:User.ReadWrite.All",
            json!({"CustomResourceScope": "Marked"}),
            true,
        ),
        (
            "by attribute, units",
            "graph:AdministrativeUnit.ReadWrite.All",
            json!({"CustomResourceScope": "Marked"}),
            false,
        ),
    ] {
        let made = app(&world, name, json!({"grants": [grant]})).await;
        let pointer = json!({"AppId": made["app_id"], "ObjectId": made["object_id"]});
        world
            .cmdlet(&exchange, FABRIKAM, "New-ServicePrincipal", pointer)
            .await
            .unwrap();
        let mut role = scope;
        role["App"] = made["object_id"].clone();
        role["Role"] = "Application Mail.Read".into();
        world
            .cmdlet(&exchange, FABRIKAM, "New-ManagementRoleAssignment", role)
            .await
            .unwrap();
        assert_eq!(
            report(&world, &made).await["could"][&stranger],
            could,
            "{name}"
        );
    }
    let fields = json!({"grants": ["graph:Mail.Send", "graph:Group.ReadWrite.All"]});
    let made = app(&world, "by group", fields).await;
    confine(&world, &made, "mail_security").await;
    assert_eq!(report(&world, &made).await["could"][&stranger], false);
}

#[tokio::test]
async fn reach_r01_a_role_group_administers_and_ews_can_be_off() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let stranger = format!("admin@{FABRIKAM}");
    let fields =
        json!({"grants": ["exchange:Exchange.ManageAsApp", "exchange:full_access_as_app"]});
    let made = app(&world, "Robot", fields).await;
    assert_eq!(report(&world, &made).await["reaches"][&stranger], true);
    let off = json!({"EwsEnabled": false});
    world
        .cmdlet(&exchange, FABRIKAM, "Set-OrganizationConfig", off)
        .await
        .unwrap();
    let closed = report(&world, &made).await;
    assert_eq!(closed["reaches"][&stranger], false);
    assert_eq!(closed["could"][&stranger], false);
    let pointer = json!({"AppId": made["app_id"], "ObjectId": made["object_id"]});
    world
        .cmdlet(&exchange, FABRIKAM, "New-ServicePrincipal", pointer)
        .await
        .unwrap();
    let member = json!({"Identity": "Organization Management", "Member": made["object_id"]});
    world
        .cmdlet(&exchange, FABRIKAM, "Add-RoleGroupMember", member)
        .await
        .unwrap();
    let report = report(&world, &made).await;
    assert_eq!(report["could"][&stranger], true);
    assert_eq!(report["powers"][0]["class"], "A");
}

#[tokio::test]
async fn reach_r05_delegated_grants_are_reported_apart() {
    let world = world().await;
    let crm = app(&world, "CRM", json!({})).await;
    let user = format!("user@{FABRIKAM}");
    let base = json!({"tenant": FABRIKAM, "to": "CRM", "scope": "Mail.ReadWrite Mail.Send"});
    world.control("consents", base.clone()).await;
    let mut own = base;
    own["users"] = json!([user]);
    world.control("consents", own).await;
    let report = report(&world, &crm).await;
    assert_eq!(report["could"][format!("admin@{FABRIKAM}")], false);
    assert_eq!(report["reaches"][format!("admin@{FABRIKAM}")], false);
    let whom: Vec<&Value> = report["delegated"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["as"])
        .collect();
    assert_eq!(whom, [&json!("whoever signs in"), &json!(user)]);
    assert_eq!(
        report["delegated"][0]["scopes"],
        json!(["Mail.ReadWrite", "Mail.Send"])
    );
}

#[tokio::test]
async fn reach_r01_an_application_that_grants_itself_more_then_has_it() {
    let world = world().await;
    let fields = json!({"grants": ["graph:AppRoleAssignment.ReadWrite.All"]});
    let climber = app(&world, "Climber", fields).await;
    let stranger = format!("admin@{FABRIKAM}");
    let before = report(&world, &climber).await;
    assert_eq!(
        (&before["reaches"][&stranger], &before["could"][&stranger]),
        (&json!(false), &json!(true))
    );
    let token = token_of(&world, &climber, GRAPH).await;
    let graph = world.cloud.with_world(|state| {
        let tenant = state.tenants.resolve(FABRIKAM).unwrap();
        let tenant = state.tenants.get(tenant).unwrap();
        tenant
            .resource_principal(cloud::permissions::Resource::Graph)
            .unwrap()
            .id
    });
    let body = json!({
        "principalId": climber["object_id"], "resourceId": graph,
        "appRoleId": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    });
    let given = world
        .http
        .post(world.url(&format!(
            "/v1.0/servicePrincipals/{graph}/appRoleAssignedTo"
        )))
        .bearer_auth(&token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(given.status(), 201);
    let token = token_of(&world, &climber, GRAPH).await;
    assert_eq!(world.send_mail(&token, &stranger).await.0, 202);
    assert_eq!(report(&world, &climber).await["reaches"][&stranger], true);
    assert!(!token_of(&world, &climber, EXCHANGE).await.is_empty());
}

#[tokio::test]
async fn reach_r01_the_seed_has_each_way_once() {
    for (seed, domain, rows) in [
        (
            cloud::Seed::Demo,
            "margiestravel.example",
            vec![
                ("Backup Suite", false, true),
                ("Tenant Rollout", false, true),
                ("Tailspin CRM", false, false),
                ("Release Notes", false, false),
                ("Guest Survey", false, false),
            ],
        ),
        (
            cloud::Seed::Powers,
            "blueyonder.example",
            vec![
                ("Desk Agents", true, true),
                ("Desk Agent One", true, true),
                ("Board Minutes", true, true),
            ],
        ),
    ] {
        let cloud = cloud::Cloud::start(cloud::Config {
            seed,
            delays: cloud::Delays::none(),
            ..cloud::Config::default()
        })
        .await
        .unwrap();
        for (name, reaches, could) in rows {
            let stranger = format!("admin@{domain}");
            let body = json!({"tenant": domain, "to": name, "mailboxes": [stranger]});
            let client = reqwest::Client::new();
            let path = format!("{}/_cloud/powers", cloud.url());
            let report = client.post(path).json(&body).send().await.unwrap();
            let report: Value = report.json().await.unwrap();
            assert_eq!(report["reaches"][&stranger], reaches, "{name}: {report}");
            assert_eq!(report["could"][&stranger], could, "{name}: {report}");
        }
    }
}
