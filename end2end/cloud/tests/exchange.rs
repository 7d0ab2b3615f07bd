//! Exchange's admin API: its order of checks, its errors, its pages, its cmdlets.
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

#[tokio::test]
async fn checks_come_in_their_order() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}});
    let post = |path: String, token: String, body: Value| {
        let world = &world;
        async move {
            world
                .http
                .post(world.url(&path))
                .bearer_auth(token)
                .json(&body)
                .send()
                .await
                .unwrap()
        }
    };
    let beta = format!("/adminapi/beta/{tenant}/InvokeCommand");
    let old = format!("/adminapi/v1.0/{tenant}/InvokeCommand");
    assert_eq!(
        post(old, exchange.clone(), body.clone()).await.status(),
        405
    );
    assert_eq!(post(beta.clone(), graph, body.clone()).await.status(), 401);
    let elsewhere = format!(
        "/adminapi/beta/{}/InvokeCommand",
        world.tenant_id("contoso.example")
    );
    assert_eq!(
        post(elsewhere, exchange.clone(), body.clone())
            .await
            .status(),
        401
    );
    // Neither role nor permission: 401. A person without a role in Exchange: 403 and NUL bytes.
    let app = world.app_token(FABRIKAM, "ScanToMail").await;
    assert_eq!(post(beta.clone(), app, body.clone()).await.status(), 401);
    let refresh = world
        .refresh_token(FABRIKAM, &format!("user@{FABRIKAM}"), "User.Read")
        .await;
    let user = access(
        &world
            .redeem(FABRIKAM, &refresh, &format!("{EXCHANGE}/.default"))
            .await
            .unwrap(),
    );
    let refused = post(beta.clone(), user, body.clone()).await;
    assert_eq!(refused.status(), 403);
    let bytes = refused.bytes().await.unwrap();
    assert!(bytes.len() > 1000 && bytes.iter().all(|byte| *byte == 0));
    // Keys are case sensitive, parameters must be an object, cmdlets must exist.
    for wrong in [
        json!({"cmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}),
        json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "parameters": {}}}),
        json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": null}}),
    ] {
        assert_eq!(
            post(beta.clone(), exchange.clone(), wrong).await.status(),
            400
        );
    }
    for unknown in ["Get-Nothing", "Get-EXOMailbox"] {
        let response = world
            .raw_cmdlet(&exchange, FABRIKAM, unknown, json!({}))
            .await;
        assert_eq!(response.status(), 403, "{unknown}");
    }
    assert_eq!(post(beta, exchange, body).await.status(), 200);
}

#[tokio::test]
async fn the_envelope_and_the_rows_are_big() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let response = world
        .raw_cmdlet(
            &exchange,
            FABRIKAM,
            "get-mailbox",
            json!({"identity": "reception@fabrikam.example"}),
        )
        .await;
    let (status, body) = read(response).await;
    assert_eq!(status, 200);
    assert!(
        body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("$metadata#Collection(Exchange.GenericHashTable)")
    );
    assert_eq!(body["@adminapi.warnings"], json!([]));
    assert_eq!(body["adminapi.warnings@odata.type"], "#Collection(String)");
    let row = body["value"][0].as_object().unwrap();
    assert!(row.len() > 100);
    assert_eq!(row["RecipientTypeDetails"], "SharedMailbox");
    assert_eq!(row["WhenCreated@data.type"], "System.DateTime");
    assert_eq!(row["EmailAddresses@odata.type"], "#Collection(String)");
    let tenant = world.tenant_id(FABRIKAM);
    let selected = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand?$select=DisplayName,EmailAddresses")))
        .bearer_auth(&exchange)
        .json(&json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": "reception"}}}))
        .send()
        .await
        .unwrap();
    let (_, body) = read(selected).await;
    assert_eq!(body["value"][0].as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn select_leaves_out_what_no_row_has() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let answer = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand?$select=DisplayName,DisplayNane")))
        .bearer_auth(&exchange)
        .json(&json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": "reception"}}}))
        .send()
        .await
        .unwrap();
    let (status, body) = read(answer).await;
    assert_eq!(
        (status.as_u16(), &body["value"]),
        (200, &json!([{"DisplayName": "Reception"}]))
    );
}

#[tokio::test]
async fn what_is_not_simulated_is_refused() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    for (cmdlet, parameters) in [
        ("Get-Mailbox", json!({"Archive": true})),
        ("Get-Mailbox", json!({"SortBy": "DisplayName"})),
        (
            "Get-ManagementRoleAssignment",
            json!({"GetEffectiveUsers": true}),
        ),
        (
            "New-DistributionGroup",
            json!({"Name": "x", "Type": "Security", "CopyOwnerToMember": true}),
        ),
    ] {
        let told = world
            .cmdlet(&exchange, FABRIKAM, cmdlet, parameters)
            .await
            .unwrap_err();
        assert!(told.contains("does not know what"), "{told}");
    }
    // Saying no to it is saying nothing.
    let rows = world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "Get-Mailbox",
            json!({"Archive": false}),
        )
        .await
        .unwrap();
    assert!(rows.len() > 200);
}

#[tokio::test]
async fn nulls_return_everything_and_enums_match_by_prefix() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let run = |parameters: Value| world.cmdlet(&exchange, FABRIKAM, "Get-Mailbox", parameters);
    assert!(run(json!({"Identity": null})).await.unwrap().len() > 200);
    assert!(run(json!({"Identity": ""})).await.unwrap().len() > 200);
    let shared = run(json!({"RecipientTypeDetails": "Shared"}))
        .await
        .unwrap();
    assert!(
        !shared.is_empty()
            && shared
                .iter()
                .all(|row| row["RecipientTypeDetails"] == "SharedMailbox")
    );
    assert!(
        run(json!({"RecipientTypeDetails": "Legacy"}))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        run(json!({"RecipientTypeDetails": "Nonsense"}))
            .await
            .unwrap_err()
            .contains("valid enumerator name")
    );
    assert!(
        run(json!({"Bogus": 1}))
            .await
            .unwrap_err()
            .contains("Invalid cmdlet parameters specified. Bogus")
    );
    assert!(
        run(json!({"Archive": "yes"}))
            .await
            .unwrap_err()
            .contains("SwitchParameter")
    );
    let found = run(json!({"Anr": "recep"})).await.unwrap();
    assert_eq!(found.len(), 1);
    let found = run(json!({"Filter": "DisplayName -like 'Recep*'"}))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(
        run(json!({"Filter": "Nonsense -eq 'a'"}))
            .await
            .unwrap_err()
            .contains("filter")
    );
}

#[tokio::test]
async fn not_found_has_many_faces_and_one_text() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let mut statuses = std::collections::BTreeSet::new();
    let mut shapes = std::collections::BTreeSet::new();
    for number in 0..40 {
        let response = world
            .raw_cmdlet(
                &exchange,
                FABRIKAM,
                "Get-DistributionGroup",
                json!({"Identity": format!("no such {number}")}),
            )
            .await;
        statuses.insert(response.status().as_u16());
        assert_eq!(
            response.headers()["x-exceptiontype"],
            "ManagementObjectNotFoundException"
        );
        let body = response.text().await.unwrap();
        let text = format!("object 'no such {number}' couldn't be found on");
        assert!(error_text(&body).contains(&text));
        let body: Value = serde_json::from_str(&body).unwrap();
        let detail = body["error"]["details"][0]["message"].as_str().unwrap();
        shapes.insert(detail.chars().next().unwrap());
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [400, 404, 500]);
    assert_eq!(shapes.into_iter().collect::<Vec<_>>(), ['E', '{', '|']);
}

#[tokio::test]
async fn pages_are_posted_with_the_same_body_and_anchor() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}});
    let post = |address: String, body: Value, anchor: Option<&'static str>| {
        let request = world
            .http
            .post(address)
            .bearer_auth(&exchange)
            .header("Prefer", "odata.maxpagesize=90")
            .json(&body);
        let request = match anchor {
            Some(anchor) => request.header("X-AnchorMailbox", anchor),
            None => request,
        };
        async move { read(request.send().await.unwrap()).await }
    };
    let start = world.url(&format!("/adminapi/beta/{tenant}/InvokeCommand"));
    let anchor = Some("UPN:admin@fabrikam.example");
    let (_, first) = post(start.clone(), body.clone(), anchor).await;
    let mut link = first["@odata.nextLink"].as_str().unwrap().to_owned();
    let mut total = first["value"].as_array().unwrap().len();
    assert_eq!(total, 90);
    let other = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}});
    assert_eq!(post(link.clone(), other, anchor).await.0, 400);
    assert_eq!(
        post(
            link.clone(),
            body.clone(),
            Some("UPN:other@fabrikam.example")
        )
        .await
        .0,
        400
    );
    assert_eq!(post(link.clone(), body.clone(), None).await.0, 400);
    loop {
        let (status, page) = post(link.clone(), body.clone(), anchor).await;
        assert_eq!(status, 200);
        total += page["value"].as_array().unwrap().len();
        match page["@odata.nextLink"].as_str() {
            Some(next) => link = next.to_owned(),
            None => break,
        }
    }
    assert!(total > 200);
    world.cloud.advance(601);
    let (status, late) = post(link, body.clone(), anchor).await;
    assert_eq!(status, 400);
    assert!(error_text(&late.to_string()).contains("Default Expiry time is 00:30:00"));
    // Without an anchor there is a link, and it never works.
    let (_, bare) = post(start.clone(), body, None).await;
    let link = bare["@odata.nextLink"].as_str().unwrap().to_owned();
    let body = json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": "Unlimited"}}});
    assert_eq!(post(link, body, None).await.0, 400);
    // A result size cuts, and says so.
    let body =
        json!({"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"ResultSize": 1}}});
    let (_, cut) = post(start, body, anchor).await;
    assert_eq!(cut["value"].as_array().unwrap().len(), 1);
    assert!(
        cut["@adminapi.warnings"][0]
            .as_str()
            .unwrap()
            .contains("ResultSize")
    );
    assert!(cut["@odata.nextLink"].is_string());
}

#[tokio::test]
async fn silence_comes_in_three_forms() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "G", "Type": "Security"}),
        )
        .await
        .unwrap();
    let run = |name: &'static str, parameters: Value| {
        let (world, exchange) = (&world, exchange.clone());
        async move {
            let response = world
                .raw_cmdlet(&exchange, FABRIKAM, name, parameters)
                .await;
            (response.status().as_u16(), response.text().await.unwrap())
        }
    };
    let (status, body) = run(
        "Add-DistributionGroupMember",
        json!({"Identity": "G", "Member": "info"}),
    )
    .await;
    assert!(status == 200 && body.contains("\"value\":[]"));
    let (status, body) = run(
        "Set-DistributionGroup",
        json!({"Identity": "G", "DisplayName": "H"}),
    )
    .await;
    assert!(status == 200 && body.is_empty());
    let (status, body) = run(
        "Remove-DistributionGroup",
        json!({"Identity": "G", "Confirm": false, "WhatIf": true}),
    )
    .await;
    assert!(status == 200 && body.contains("confirmationmessage"));
    let (status, body) = run(
        "Remove-DistributionGroup",
        json!({"Identity": "G", "Confirm": false}),
    )
    .await;
    assert!(status == 204 && body.is_empty());
}

#[tokio::test]
async fn a_tenant_must_be_customised_first() {
    let world = world_with(Delays {
        customization: [60, 60],
        ..Delays::none()
    })
    .await;
    let domain = "fourthcoffee.example";
    let (_, exchange) = world.admin(domain).await;
    let run = |name: &'static str, parameters: Value| {
        let (world, exchange) = (&world, exchange.clone());
        async move { world.cmdlet(&exchange, domain, name, parameters).await }
    };
    let dehydrated = || async {
        run("Get-OrganizationConfig", json!({})).await.unwrap()[0]["IsDehydrated"].clone()
    };
    assert_eq!(dehydrated().await, true);
    run(
        "New-DistributionGroup",
        json!({"Name": "S", "Type": "Security"}),
    )
    .await
    .unwrap();
    // Policies and pointers never need it; scopes and assignments do.
    let policy = json!({"AppId": "00000000-0000-0000-0000-00000000000a", "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "S"});
    run("New-ApplicationAccessPolicy", policy).await.unwrap();
    let scope = json!({"Name": "S", "RecipientRestrictionFilter": "Alias -eq 's'"});
    let refused = run("New-ManagementScope", scope.clone()).await.unwrap_err();
    assert!(refused.contains("Enable-OrganizationCustomization"));
    run("Enable-OrganizationCustomization", json!({}))
        .await
        .unwrap();
    assert_eq!(dehydrated().await, true);
    world.cloud.advance(61);
    assert_eq!(dehydrated().await, false);
    run("New-ManagementScope", scope).await.unwrap();
    assert!(
        run("Enable-OrganizationCustomization", json!({}))
            .await
            .unwrap_err()
            .contains("not required")
    );
}

#[tokio::test]
async fn batches_carry_invocations() {
    let world = world().await;
    let (_, exchange) = world.admin(FABRIKAM).await;
    let tenant = world.tenant_id(FABRIKAM);
    let invocation = |id: &str, name: &str| {
        json!({"id": id, "method": "POST", "url": format!("{EXCHANGE}/adminapi/beta/{tenant}/InvokeCommand?"),
               "headers": {"X-CmdletName": name},
               "body": {"CmdletInput": {"CmdletName": name, "Parameters": {"Identity": "reception"}}}})
    };
    let response = world
        .http
        .post(world.url(&format!("/adminapi/beta/{tenant}/$batch")))
        .bearer_auth(&exchange)
        .json(&json!({"requests": [invocation("a", "Get-Mailbox"), invocation("b", "Get-DistributionGroup")]}))
        .send()
        .await
        .unwrap();
    let (_, body) = read(response).await;
    let responses = body["responses"].as_array().unwrap();
    assert_eq!(responses[0]["body"]["value"][0]["Alias"], "reception");
    assert!(responses[1]["body"]["error"].is_object());
}
