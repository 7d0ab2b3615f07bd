//! The journal: every change has its entry, and every entry its change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::*;

async fn changes(world: &World, query: &str) -> Vec<Value> {
    let answer = world.look(&format!("journal?{query}")).await;
    answer["changes"].as_array().unwrap().clone()
}

/// Deed, kind and operation of a tenant's entries since a number.
async fn since(world: &World, domain: &str, number: u64) -> Vec<(String, String, String)> {
    changes(world, &format!("tenant={domain}&since={number}"))
        .await
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            (text("deed"), text("kind"), text("operation"))
        })
        .collect()
}

async fn last(world: &World) -> u64 {
    changes(world, "")
        .await
        .last()
        .map_or(0, |entry| entry["number"].as_u64().unwrap())
}

#[tokio::test]
async fn every_changing_cmdlet_is_written_down_with_who_and_which_request() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let mailer = world.application(FABRIKAM, "Reception Mailer").clone();
    let (app, object) = (
        mailer["app_id"].as_str().unwrap(),
        mailer["object_id"].as_str().unwrap(),
    );
    let reception = format!("reception@{FABRIKAM}");
    let steps = [
        (
            "New-DistributionGroup",
            json!({"Name": "Senders", "Type": "Security"}),
            vec![("created", "group")],
        ),
        (
            "Set-DistributionGroup",
            json!({"Identity": "Senders", "HiddenFromAddressListsEnabled": true}),
            vec![("changed", "group")],
        ),
        (
            "Add-DistributionGroupMember",
            json!({"Identity": "Senders", "Member": reception}),
            vec![("created", "member")],
        ),
        (
            "Update-DistributionGroupMember",
            json!({"Identity": "Senders", "Members": [format!("info@{FABRIKAM}")]}),
            vec![("removed", "member"), ("created", "member")],
        ),
        (
            "Remove-DistributionGroupMember",
            json!({"Identity": "Senders", "Member": format!("info@{FABRIKAM}"), "Confirm": false}),
            vec![("removed", "member")],
        ),
        (
            "New-ApplicationAccessPolicy",
            json!({"AccessRight": "RestrictAccess", "AppId": [app], "PolicyScopeGroupId": "Senders"}),
            vec![("created", "policy")],
        ),
        (
            "New-ServicePrincipal",
            json!({"AppId": app, "ObjectId": object}),
            vec![("created", "pointer")],
        ),
        (
            "Set-ServicePrincipal",
            json!({"Identity": app, "DisplayName": "Mailer"}),
            vec![("changed", "pointer")],
        ),
        (
            "New-ManagementScope",
            json!({"Name": "Desk", "RecipientRestrictionFilter": "Alias -eq 'reception'"}),
            vec![("created", "scope")],
        ),
        (
            "Set-ManagementScope",
            json!({"Identity": "Desk", "RecipientRestrictionFilter": "Alias -eq 'info'"}),
            vec![("changed", "scope")],
        ),
        (
            "New-ManagementRoleAssignment",
            json!({"Name": "Desk mail", "Role": "Application Mail.Send", "App": app, "CustomResourceScope": "Desk"}),
            vec![("created", "role_assignment")],
        ),
        // The assignment goes with the pointer.
        (
            "Remove-ServicePrincipal",
            json!({"Identity": app, "Confirm": false}),
            vec![("removed", "pointer"), ("removed", "role_assignment")],
        ),
        (
            "Remove-ManagementScope",
            json!({"Identity": "Desk", "Confirm": false}),
            vec![("removed", "scope")],
        ),
        (
            "Remove-DistributionGroup",
            json!({"Identity": "Senders", "Confirm": false}),
            vec![("removed", "group")],
        ),
    ];
    for (cmdlet, parameters, expected) in steps {
        let before = last(&world).await;
        let response = world
            .raw_cmdlet(&exchange, FABRIKAM, cmdlet, parameters)
            .await;
        let request = response.headers()["request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let status = response.status();
        assert!(
            status.is_success(),
            "{cmdlet}: {}",
            response.text().await.unwrap()
        );
        let entries = changes(&world, &format!("since={before}")).await;
        let deeds: Vec<(&str, &str)> = entries
            .iter()
            .map(|entry| {
                (
                    entry["deed"].as_str().unwrap(),
                    entry["kind"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(deeds, expected, "{cmdlet}");
        for entry in &entries {
            assert_eq!(entry["operation"], cmdlet);
            assert_eq!(entry["request_id"], request.as_str());
            assert_eq!(entry["user"], format!("admin@{FABRIKAM}"));
            assert_eq!(entry["app_id"], world.client_id());
            assert_eq!(entry["tenant"], world.tenant_id(FABRIKAM));
        }
    }
    // The policy is left over: its identity is the one that the state shows, and its removal ends it.
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    let policy = changes(&world, "kind=policy").await.remove(0);
    assert_eq!(
        state["tenants"][0]["policies"][0]["identity"],
        policy["object"]
    );
    let described = json!({"Identity": policy["object"], "Description": " "});
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "Set-ApplicationAccessPolicy",
            described,
        )
        .await
        .unwrap();
    let gone = json!({"Identity": policy["object"], "Confirm": false});
    world
        .cmdlet(&exchange, FABRIKAM, "Remove-ApplicationAccessPolicy", gone)
        .await
        .unwrap();
    let deeds: Vec<Value> = changes(&world, "kind=policy")
        .await
        .iter()
        .map(|entry| entry["deed"].clone())
        .collect();
    assert_eq!(deeds, ["created", "changed", "removed"]);
    // The state shows the same entries, and Graph's changes are among them.
    let held = world
        .graph(
            &graph,
            &format!("/v1.0/servicePrincipals/{object}/appRoleAssignments"),
        )
        .await
        .1;
    let assignment = held["value"][0]["id"].as_str().unwrap();
    let removed = world
        .http
        .delete(world.url(&format!(
            "/v1.0/servicePrincipals/{object}/appRoleAssignments/{assignment}"
        )))
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    assert_eq!(removed.status(), 204);
    let state = world.look(&format!("state?tenant={FABRIKAM}")).await;
    let entry = state["tenants"][0]["changes"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (
            &entry["host"],
            &entry["kind"],
            &entry["deed"],
            &entry["object"]
        ),
        (
            &json!("graph"),
            &json!("app_role_assignment"),
            &json!("removed"),
            &json!(assignment)
        )
    );
    assert_eq!(
        entry["request_id"],
        removed.headers()["request-id"].to_str().unwrap()
    );
}

#[tokio::test]
async fn what_was_refused_or_only_read_is_no_change() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let before = last(&world).await;
    for (cmdlet, parameters) in [
        ("Get-DistributionGroup", json!({})),
        ("New-DistributionGroup", json!({"Name": "Everyone"})),
        (
            "New-DistributionGroup",
            json!({"Name": "Only asked", "WhatIf": true}),
        ),
        (
            "Remove-DistributionGroup",
            json!({"Identity": "nothing", "Confirm": false}),
        ),
        ("Remove-DistributionGroup", json!({"Identity": "Everyone"})),
        (
            "Test-ApplicationAccessPolicy",
            json!({"Identity": format!("info@{FABRIKAM}"), "AppId": world.client_id()}),
        ),
    ] {
        let _answer = world.cmdlet(&exchange, FABRIKAM, cmdlet, parameters).await;
    }
    // A fault in place of the work is no change either.
    world
        .cloud
        .fault(json!({"operation": "New-DistributionGroup", "action": {"status": 503}}))
        .unwrap();
    let refused = world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "Never"}),
        )
        .await;
    assert!(refused.is_err());
    assert_eq!(since(&world, FABRIKAM, before).await, []);
}

#[tokio::test]
async fn consents_mails_and_edits_are_changes_too() {
    let world = world().await;
    let start = last(&world).await;
    world
        .browser()
        .sign_in(
            FABRIKAM,
            &format!("admin@{FABRIKAM}"),
            &[("scope", "openid User.Read")],
        )
        .await
        .code();
    let entries = changes(&world, &format!("since={start}")).await;
    assert_eq!(entries[0]["kind"], "service_principal");
    assert!(
        entries[1..]
            .iter()
            .all(|entry| entry["kind"] == "consent" && entry["host"] == "entra")
    );
    assert!(
        entries
            .iter()
            .any(|entry| entry["detail"]["scope"] == "User.Read")
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry["user"] == format!("admin@{FABRIKAM}"))
    );

    let start = last(&world).await;
    let token = world.app_token(FABRIKAM, "Reception Mailer").await;
    assert_eq!(
        world
            .send_mail(&token, &format!("reception@{FABRIKAM}"))
            .await
            .0,
        202
    );
    let entry = changes(&world, &format!("since={start}")).await.remove(0);
    assert_eq!(entry["kind"], "mail");
    assert_eq!(entry["user"], Value::Null);
    assert_eq!(
        entry["app_id"],
        world.application(FABRIKAM, "Reception Mailer")["app_id"]
    );

    let start = last(&world).await;
    world
        .control(
            "users",
            json!({"upn": format!("temp@{FABRIKAM}"), "create": true}),
        )
        .await;
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "remove_consent": world.client_id()}),
        )
        .await;
    let entries = since(&world, FABRIKAM, start).await;
    assert_eq!(
        entries[0],
        ("created".into(), "user".into(), "users".into())
    );
    assert_eq!(entries[1].1, "service_principal");
    assert!(
        entries
            .iter()
            .skip(2)
            .any(|(deed, kind, _)| deed == "removed" && kind == "consent")
    );
    assert!(changes(&world, "host=control").await.len() >= entries.len());
}
