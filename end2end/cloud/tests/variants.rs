//! Tenants that differ: other words, members that are not listed, names with a suffix, units.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use cloud::Delays;
use serde_json::{Value, json};
use support::*;

async fn row(world: &World, token: &str, name: &str, parameters: Value) -> Value {
    let rows = world
        .cmdlet(token, FABRIKAM, name, parameters)
        .await
        .unwrap();
    rows.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_test_can_answer_in_another_language_or_type() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let mailer = world.application(FABRIKAM, "Reception Mailer").clone();
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-ServicePrincipal",
            json!({"AppId": mailer["app_id"], "ObjectId": mailer["object_id"]}),
        )
        .await
        .unwrap();
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-ManagementRoleAssignment",
            json!({"Role": "Application Mail.Send", "App": mailer["app_id"]}),
        )
        .await
        .unwrap();
    let mailbox = format!("reception@{FABRIKAM}");
    for (words, granted, inside) in [
        ("german", json!("Gewährt"), json!("Wahr")),
        ("danish", json!("Tildelt"), json!("Sand")),
        ("boolean", json!(true), json!(true)),
        ("english", json!("Granted"), json!("True")),
    ] {
        world
            .control("tenants", json!({"tenant": FABRIKAM, "check_words": words}))
            .await;
        let policy = row(
            &world,
            &exchange,
            "Test-ApplicationAccessPolicy",
            json!({"Identity": mailbox, "AppId": mailer["app_id"]}),
        )
        .await;
        assert_eq!(policy["AccessCheckResult"], granted);
        let rbac = row(
            &world,
            &exchange,
            "Test-ServicePrincipalAuthorization",
            json!({"Identity": mailer["app_id"], "Resource": mailbox}),
        )
        .await;
        assert_eq!(rbac["InScope"], inside);
    }
}

#[tokio::test]
async fn some_members_are_accepted_and_never_listed() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "unlisted_members": ["SharedMailbox"]}),
        )
        .await;
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "Senders", "Type": "Security"}),
        )
        .await
        .unwrap();
    for member in ["reception", "user"] {
        let add = json!({"Identity": "Senders", "Member": format!("{member}@{FABRIKAM}")});
        world
            .cmdlet(&exchange, FABRIKAM, "Add-DistributionGroupMember", add)
            .await
            .unwrap();
    }
    let listed = world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "Get-DistributionGroupMember",
            json!({"Identity": "Senders"}),
        )
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["PrimarySmtpAddress"], format!("user@{FABRIKAM}"));
    // It is a member all the same.
    let again = json!({"Identity": "Senders", "Member": format!("reception@{FABRIKAM}")});
    let said = world
        .cmdlet(&exchange, FABRIKAM, "Add-DistributionGroupMember", again)
        .await
        .unwrap_err();
    assert!(said.contains("is already a member of the group"), "{said}");
}

#[tokio::test]
async fn a_new_group_can_have_another_name_and_no_dn_yet() {
    let world = world_with(Delays {
        group_exchange: [30, 30],
        group_exchange_maker: [30, 30],
        ..Delays::none()
    })
    .await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .control("tenants", json!({"tenant": FABRIKAM, "name_suffix": true}))
        .await;
    let made = row(
        &world,
        &exchange,
        "New-DistributionGroup",
        json!({"Name": "Senders", "Type": "Security"}),
    )
    .await;
    let name = made["Name"].as_str().unwrap();
    let suffix = name.strip_prefix("Senders").unwrap();
    assert!(
        suffix.len() == 14 && suffix.chars().all(|digit| digit.is_ascii_digit()),
        "{name}"
    );
    assert_eq!(made["DisplayName"], "Senders");
    assert!(made["DistinguishedName"].as_str().is_none_or(str::is_empty));
    world.cloud.advance(31);
    let read = row(
        &world,
        &exchange,
        "Get-DistributionGroup",
        json!({"Identity": made["Guid"]}),
    )
    .await;
    let dn = read["DistinguishedName"].as_str().unwrap();
    assert!(dn.starts_with(&format!("CN={name},OU=")), "{dn}");
}

#[tokio::test]
async fn an_unknown_identity_can_return_everything() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let reads = [
        "Get-Mailbox",
        "Get-DistributionGroup",
        "Get-ManagementScope",
        "Get-ServicePrincipal",
    ];
    for cmdlet in reads {
        let said = world
            .cmdlet(&exchange, FABRIKAM, cmdlet, json!({"Identity": "nobody"}))
            .await
            .unwrap_err();
        assert!(said.contains("couldn't be found"), "{said}");
    }
    world
        .control("delays", json!({"unknown_identity_lists_all": true}))
        .await;
    for cmdlet in reads {
        let all = world
            .cmdlet(
                &exchange,
                FABRIKAM,
                cmdlet,
                json!({"ResultSize": "Unlimited"}),
            )
            .await;
        let all = match all {
            Ok(all) => all,
            // Not every cmdlet has pages.
            Err(_) => world
                .cmdlet(&exchange, FABRIKAM, cmdlet, json!({}))
                .await
                .unwrap(),
        };
        let odd = world
            .cmdlet(&exchange, FABRIKAM, cmdlet, json!({"Identity": "nobody"}))
            .await
            .unwrap();
        assert_eq!(odd.len(), all.len(), "{cmdlet}");
    }
    // Whoever changes something must name it.
    let gone = json!({"Identity": "nobody", "Confirm": false});
    assert!(
        world
            .cmdlet(&exchange, FABRIKAM, "Remove-DistributionGroup", gone)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn rbac_can_be_scoped_to_an_administrative_unit() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let (reception, info) = (format!("reception@{FABRIKAM}"), format!("info@{FABRIKAM}"));
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "unit": {"name": "Front desk", "members": [reception]}}),
        )
        .await;
    let (_, units) = world
        .graph(&graph, "/v1.0/directory/administrativeUnits")
        .await;
    let unit = units["value"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(units["value"][0]["displayName"], "Front desk");
    let (_, members) = world
        .graph(
            &graph,
            &format!("/v1.0/directory/administrativeUnits/{unit}/members"),
        )
        .await;
    assert_eq!(members["value"][0]["userPrincipalName"], reception.as_str());
    let shown = row(
        &world,
        &exchange,
        "Get-AdministrativeUnit",
        json!({"Identity": "Front desk"}),
    )
    .await;
    assert_eq!(shown["ExternalDirectoryObjectId"], unit.as_str());

    let scanner = world.application(FABRIKAM, "ScanToMail").clone();
    let app = scanner["app_id"].as_str().unwrap();
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-ServicePrincipal",
            json!({"AppId": app, "ObjectId": scanner["object_id"]}),
        )
        .await
        .unwrap();
    let unknown = json!({"Role": "Application Mail.Send", "App": app, "RecipientAdministrativeUnitScope": "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c"});
    let said = world
        .cmdlet(&exchange, FABRIKAM, "New-ManagementRoleAssignment", unknown)
        .await
        .unwrap_err();
    assert!(said.contains("couldn't be found"), "{said}");
    let scoped = json!({"Role": "Application Mail.Send", "App": app, "RecipientAdministrativeUnitScope": unit});
    world
        .cmdlet(&exchange, FABRIKAM, "New-ManagementRoleAssignment", scoped)
        .await
        .unwrap();
    for (mailbox, inside) in [(&reception, "True"), (&info, "False")] {
        let test = row(
            &world,
            &exchange,
            "Test-ServicePrincipalAuthorization",
            json!({"Identity": app, "Resource": mailbox}),
        )
        .await;
        assert_eq!(
            (
                &test["InScope"],
                &test["ScopeType"],
                &test["AllowedResourceScope"]
            ),
            (
                &json!(inside),
                &json!("AdministrativeUnit"),
                &json!("Front desk")
            )
        );
    }
    // Without the grant in Entra, the unit alone decides.
    let held = world
        .graph(
            &graph,
            &format!(
                "/v1.0/servicePrincipals/{}/appRoleAssignments",
                scanner["object_id"].as_str().unwrap()
            ),
        )
        .await
        .1;
    let assignment = held["value"][0]["id"].as_str().unwrap();
    let path = format!(
        "/v1.0/servicePrincipals/{}/appRoleAssignments/{assignment}",
        scanner["object_id"].as_str().unwrap()
    );
    world
        .http
        .delete(world.url(&path))
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    let token = world.app_token(FABRIKAM, "ScanToMail").await;
    assert_eq!(world.send_mail(&token, &reception).await.0, 202);
    assert_eq!(world.send_mail(&token, &info).await.0, 403);
    world
        .control(
            "tenants",
            json!({"tenant": FABRIKAM, "unit": {"name": "Front desk", "remove": true}}),
        )
        .await;
    assert_eq!(world.send_mail(&token, &reception).await.0, 403);
}

#[tokio::test]
async fn an_activated_role_is_in_the_token_before_exchange_believes_it() {
    let world = world_with(Delays {
        role_activation: [120, 300],
        ..Delays::none()
    })
    .await;
    world.consent(FABRIKAM, ALL).await;
    let user = format!("user@{FABRIKAM}");
    let refresh = world.refresh_token(FABRIKAM, &user, "User.Read").await;
    let scope = format!("{EXCHANGE}/.default");
    let before = access(&world.redeem(FABRIKAM, &refresh, &scope).await.unwrap());
    world
        .control(
            "users",
            json!({"upn": user, "activate": ["Exchange Administrator"]}),
        )
        .await;
    let after = access(&world.redeem(FABRIKAM, &refresh, &scope).await.unwrap());
    let wids = claims(&after)["wids"].to_string();
    assert!(wids.contains("29232cdf-9323-42fd-ade2-1d097af3e4de"));
    let status = |token: String| {
        let world = &world;
        async move {
            let answer = world
                .raw_cmdlet(&token, FABRIKAM, "Get-OrganizationConfig", json!({}))
                .await;
            (
                answer.status().as_u16(),
                answer.bytes().await.unwrap().iter().all(|byte| *byte == 0),
            )
        }
    };
    assert_eq!(status(after.clone()).await, (403, true));
    world.cloud.advance(300);
    assert_eq!(status(after).await, (200, false));
    // The older token does not have the role, however long one waits.
    assert_eq!(status(before).await, (403, true));
}

#[tokio::test]
async fn the_details_of_an_error_vary_and_say_the_same() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let (mut codes, mut shapes, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..80 {
        let answer = world
            .raw_cmdlet(
                &exchange,
                FABRIKAM,
                "Get-Mailbox",
                json!({"Identity": format!("nobody {number}")}),
            )
            .await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        let detail = &body["error"]["details"][0];
        let message = detail["message"].as_str().unwrap();
        let shape = match message.chars().next() {
            Some('{') => "serialised",
            Some('|') => "type and text",
            _ => "id, type and text",
        };
        assert!(message.contains("ManagementObjectNotFoundException"));
        for (list, found) in [
            (&mut codes, detail["code"].as_str().unwrap().to_owned()),
            (&mut shapes, shape.to_owned()),
            (&mut statuses, status.to_string()),
        ] {
            if !list.contains(&found) {
                list.push(found);
            }
        }
    }
    assert_eq!(
        (codes.len(), shapes.len(), statuses.len()),
        (3, 3, 3),
        "{codes:?} {shapes:?} {statuses:?}"
    );
}

#[tokio::test]
async fn warnings_stand_in_the_body_and_in_a_header() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let whole = world
        .raw_cmdlet(
            &exchange,
            FABRIKAM,
            "Get-Mailbox",
            json!({"ResultSize": "Unlimited"}),
        )
        .await;
    assert!(whole.headers().get("x-warnings").is_none());
    let part = world
        .raw_cmdlet(&exchange, FABRIKAM, "Get-Mailbox", json!({"ResultSize": 2}))
        .await;
    let header = part.headers()["x-warnings"].to_str().unwrap().to_owned();
    let body: Value = part.json().await.unwrap();
    assert_eq!(body["@adminapi.warnings"], json!([header]));
    assert!(header.starts_with("There are more results available"));
}

#[tokio::test]
async fn names_come_before_values_and_values_before_sense() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let right = |right: &str| json!({"AccessRight": right, "AppId": ["no id"], "PolicyScopeGroupId": "nobody"});
    let mut all_wrong = right("Nonsense");
    all_wrong["Bogus"] = json!(1);
    for (parameters, exception, text) in [
        (
            all_wrong,
            "AmbiguousParameterSetException",
            "Invalid cmdlet parameters specified. Bogus",
        ),
        (
            right("Nonsense"),
            "ParameterTransformationException",
            "Specify one of the following enumerator names and try again: DenyAccess, RestrictAccess",
        ),
        (right("Deny"), "RecipientTaskException", "no id"),
    ] {
        let answer = world
            .raw_cmdlet(
                &exchange,
                FABRIKAM,
                "New-ApplicationAccessPolicy",
                parameters,
            )
            .await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["x-exceptiontype"], exception);
        let said = error_text(&answer.text().await.unwrap());
        assert!(said.contains(text), "{said}");
    }
}
