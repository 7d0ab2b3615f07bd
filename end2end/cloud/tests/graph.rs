//! Graph: permissions, pages, filters, batches, errors, and what lags behind Exchange.
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

fn rows(body: &Value) -> &Vec<Value> {
    body["value"]
        .as_array()
        .unwrap_or_else(|| panic!("no rows: {body}"))
}

#[tokio::test]
async fn tokens_are_checked_before_anything_else() {
    let world = world().await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let (status, body) = world.graph(&exchange, "/v1.0/users").await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (401, &json!("InvalidAuthenticationToken"))
    );
    let (status, _) = world.graph("nonsense", "/v1.0/users").await;
    assert_eq!(status, 401);
    let limited = world.app_token(FABRIKAM, "Reception Mailer").await;
    let (status, body) = world.graph(&limited, "/v1.0/users").await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (403, &json!("Authorization_RequestDenied"))
    );
    let response = world
        .http
        .get(world.url("/v1.0/organization"))
        .bearer_auth(&graph)
        .header("client-request-id", "7c0a1a3e-0000-4000-8000-000000000001")
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.headers()["client-request-id"],
        "7c0a1a3e-0000-4000-8000-000000000001"
    );
    assert!(response.headers().contains_key("request-id"));
    let (_, body) = read(response).await;
    assert_eq!(rows(&body)[0]["displayName"], "Fabrikam A/S");
    // Skewed tokens are refused on the wall clock.
    world
        .control("delays", json!({"token_skew": -100_000}))
        .await;
    let (old, _) = world.admin(FABRIKAM).await;
    let (status, body) = world.graph(&old, "/v1.0/users").await;
    assert_eq!(status, 401);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("expired")
    );
}

#[tokio::test]
async fn listings_are_paged_to_the_end() {
    let world = world().await;
    let domain = "treyresearch.example";
    let (graph, _) = world.admin(domain).await;
    let mut path = "/v1.0/servicePrincipals?$select=id,appId,displayName&$top=700".to_owned();
    let mut seen = std::collections::BTreeSet::new();
    let mut pages = 0;
    loop {
        let (status, body) = world.graph(&graph, &path).await;
        assert_eq!(status, 200);
        pages += 1;
        for row in rows(&body) {
            assert_eq!(row.as_object().unwrap().len(), 3);
            assert!(seen.insert(row["id"].as_str().unwrap().to_owned()));
        }
        match body["@odata.nextLink"].as_str() {
            Some(link) => path = link.strip_prefix(world.cloud.url()).unwrap().to_owned(),
            None => break,
        }
    }
    assert!(seen.len() > 3000 && pages == 5, "{} in {pages}", seen.len());
    // A link does not live for ever, and belongs to its listing.
    let (_, body) = world.graph(&graph, "/v1.0/servicePrincipals?$top=5").await;
    let link = body["@odata.nextLink"]
        .as_str()
        .unwrap()
        .strip_prefix(world.cloud.url())
        .unwrap()
        .to_owned();
    let (status, _) = world
        .graph(&graph, &link.replace("servicePrincipals", "users"))
        .await;
    assert_eq!(status, 400);
    world.cloud.advance(4000);
    let (status, body) = world.graph(&graph, &link).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (400, &json!("Directory_ExpiredPageToken"))
    );
}

#[tokio::test]
async fn applications_and_their_grants_can_be_read() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    let resource = "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')";
    let (_, body) = world
        .graph(&graph, &format!("{resource}/appRoleAssignedTo"))
        .await;
    let holders: Vec<&str> = rows(&body)
        .iter()
        .filter(|row| row["appRoleId"] == "b633e1c5-b582-4048-a93e-9f11b44c7e96")
        .map(|row| row["principalDisplayName"].as_str().unwrap())
        .collect();
    assert!(holders.contains(&"Reception Mailer") && holders.contains(&"ScanToMail"));
    let (_, body) = world
        .graph(&graph, &format!("{resource}?$select=appRoles"))
        .await;
    assert!(body["appRoles"].as_array().unwrap().len() > 30);
    let id = world.application(FABRIKAM, "Reception Mailer")["app_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, body) = world
        .graph(
            &graph,
            &format!("/v1.0/servicePrincipals?$filter=appId eq '{id}'"),
        )
        .await;
    assert_eq!(rows(&body).len(), 1);
    assert_eq!(
        rows(&body)[0]["appOwnerOrganizationId"],
        world.tenant_id("tailspintoys.example").as_str()
    );
    // The vendor's registration is not here; the scanner's is, with its secret's hint only.
    let (_, body) = world.graph(&graph, "/v1.0/applications").await;
    let names: Vec<&str> = rows(&body)
        .iter()
        .map(|row| row["displayName"].as_str().unwrap())
        .collect();
    assert!(!names.contains(&"Reception Mailer"));
    assert!(names.contains(&"ScanToMail"));
    assert!(
        !body.to_string().contains(
            world.application(FABRIKAM, "ScanToMail")["secret"]
                .as_str()
                .unwrap()
        )
    );
}

#[tokio::test]
async fn grants_are_removed_and_given_and_the_list_lags() {
    let world = world_with(Delays {
        assignment: [60, 60],
        ..Delays::none()
    })
    .await;
    let (graph, _) = world.admin(FABRIKAM).await;
    let principal = world.application(FABRIKAM, "ScanToMail")["object_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = format!("/v1.0/servicePrincipals/{principal}/appRoleAssignments");
    let (_, body) = world.graph(&graph, &list).await;
    let grant = rows(&body)[0].clone();
    let all =
        "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo";
    let remove = world
        .http
        .delete(world.url(&format!("{list}/{}", grant["id"].as_str().unwrap())))
        .bearer_auth(&graph)
        .send()
        .await
        .unwrap();
    assert_eq!(remove.status(), 204);
    assert!(rows(&world.graph(&graph, &list).await.1).is_empty());
    let listed = || async {
        let (_, body) = world.graph(&graph, all).await;
        rows(&body)
            .iter()
            .any(|row| row["principalId"] == principal.as_str())
    };
    assert!(listed().await);
    world.cloud.advance(61);
    assert!(!listed().await);
    let add = || async {
        let response = world
            .http
            .post(world.url(&list))
            .bearer_auth(&graph)
            .json(&json!({"principalId": principal, "resourceId": grant["resourceId"], "appRoleId": grant["appRoleId"]}))
            .send()
            .await
            .unwrap();
        read(response).await
    };
    assert_eq!(add().await.0, 201);
    let (status, body) = add().await;
    assert_eq!(status, 400);
    assert_eq!(
        body["error"]["message"],
        "Permission being assigned already exists on the object"
    );
    assert!(!listed().await);
    world.cloud.advance(61);
    assert!(listed().await);
}

#[tokio::test]
async fn queries_are_understood_or_refused() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    for (path, count) in [
        (
            "/v1.0/users?$filter=userPrincipalName eq 'admin@fabrikam.example'",
            1,
        ),
        (
            "/v1.0/users?$filter=startswith(displayName,'Recep')&$select=id,mail",
            1,
        ),
        ("/v1.0/users?$filter=mail eq 'nobody@fabrikam.example'", 0),
        (
            "/v1.0/groups?$filter=mail eq 'everyone@fabrikam.example'",
            1,
        ),
        ("/v1.0/users?$top=3", 3),
    ] {
        let (status, body) = world.graph(&graph, path).await;
        assert_eq!((status.as_u16(), rows(&body).len()), (200, count), "{path}");
    }
    for path in [
        "/v1.0/users?$skip=3",
        "/v1.0/users?$expand=manager",
        "/v1.0/users?$filter=contains(displayName,'a')",
        "/v1.0/users?$filter=aboutMe eq 'x'",
        "/v1.0/users?$filter=displayName ne 'x'",
        "/v1.0/users?$search=\"displayName:a\"",
        "/v1.0/users?$top=0",
        "/v1.0/users?$top=5000",
    ] {
        let (status, body) = world.graph(&graph, path).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["code"]),
            (400, &json!("Request_UnsupportedQuery")),
            "{path}"
        );
    }
    let response = world
        .http
        .get(world.url("/v1.0/users?$search=\"displayName:recep\"&$count=true"))
        .bearer_auth(&graph)
        .header("ConsistencyLevel", "eventual")
        .send()
        .await
        .unwrap();
    let (_, body) = read(response).await;
    assert_eq!(body["@odata.count"], 1);
    let (status, body) = world
        .graph(&graph, "/v1.0/users/nobody@fabrikam.example")
        .await;
    assert_eq!(
        (status.as_u16(), &body["error"]["code"]),
        (404, &json!("Request_ResourceNotFound"))
    );
    let (status, _) = world.graph(&graph, "/v1.0/teapots").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn roles_are_those_of_the_token() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    let (_, body) = world
        .graph(
            &graph,
            "/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole",
        )
        .await;
    assert_eq!(
        rows(&body)[0]["roleTemplateId"],
        "62e90394-69f5-4237-9190-012177145e10"
    );
    let (_, me) = world.graph(&graph, "/v1.0/me").await;
    assert_eq!(me["userPrincipalName"], "admin@fabrikam.example");
}

#[tokio::test]
async fn batches_answer_each_request_for_itself() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    let batch = |requests: Value| {
        let (world, graph) = (&world, graph.clone());
        async move {
            let response = world
                .http
                .post(world.url("/v1.0/$batch"))
                .bearer_auth(graph)
                .json(&json!({ "requests": requests }))
                .send()
                .await
                .unwrap();
            read(response).await
        }
    };
    let (status, body) = batch(json!([
        {"id": "1", "method": "GET", "url": "/users/admin@fabrikam.example"},
        {"id": "2", "method": "GET", "url": "/users/nobody@fabrikam.example"},
        {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
    ]))
    .await;
    assert_eq!(status, 200);
    let by_id = |id: &str| {
        body["responses"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(by_id("1")["status"], 200);
    assert_eq!(
        by_id("1")["body"]["userPrincipalName"],
        "admin@fabrikam.example"
    );
    assert_eq!(by_id("2")["status"], 404);
    assert_eq!(by_id("3")["status"], 424);
    let same = json!([{"id": "1", "method": "GET", "url": "/me"}, {"id": "1", "method": "GET", "url": "/me"}]);
    assert_eq!(batch(same).await.0, 400);
    let many: Vec<Value> = (0..21)
        .map(|n| json!({"id": n.to_string(), "method": "GET", "url": "/me"}))
        .collect();
    assert_eq!(batch(json!(many)).await.0, 400);
    world
        .cloud
        .fault(json!({"operation": "GET /me", "times": 1, "action": {"status": 429, "retry_after": 7}}))
        .unwrap();
    let (_, body) = batch(json!([{"id": "1", "method": "GET", "url": "/me"}])).await;
    assert_eq!(body["responses"][0]["status"], 429);
    assert_eq!(body["responses"][0]["headers"]["Retry-After"], "7");
}

#[tokio::test]
async fn a_partner_sees_its_relationships() {
    let world = world().await;
    world.consent(PARTNER, ALL).await;
    let refresh = world
        .refresh_token("organizations", &format!("olivia@{PARTNER}"), "User.Read")
        .await;
    let token = access(
        &world
            .redeem(PARTNER, &refresh, &format!("{GRAPH}/.default"))
            .await
            .unwrap(),
    );
    let (_, body) = world
        .graph(
            &token,
            "/v1.0/tenantRelationships/delegatedAdminRelationships?$filter=status eq 'active'",
        )
        .await;
    assert_eq!(rows(&body).len(), 3);
    let fabrikam = world.tenant_id(FABRIKAM);
    let (_, body) = world
        .graph(&token, &format!("/v1.0/tenantRelationships/delegatedAdminRelationships?$filter=customer/tenantId eq '{fabrikam}'"))
        .await;
    assert_eq!(rows(&body)[0]["customer"]["displayName"], "Fabrikam A/S");
    let (_, body) = world.graph(&token, "/v1.0/contracts").await;
    assert_eq!(rows(&body).len(), 14);
}

#[tokio::test]
async fn groups_show_up_later_than_in_exchange() {
    let world = world_with(Delays {
        group_exchange: [20, 20],
        group_exchange_maker: [20, 20],
        group_graph: [120, 120],
        ..Delays::none()
    })
    .await;
    let (graph, exchange) = world.admin(FABRIKAM).await;
    let made = world
        .cmdlet(
            &exchange,
            FABRIKAM,
            "New-DistributionGroup",
            json!({"Name": "Senders", "Type": "Security"}),
        )
        .await
        .unwrap();
    let id = made[0]["ExternalDirectoryObjectId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(made[0].get("DistinguishedName").is_none());
    let path = format!("/v1.0/groups/{id}");
    let get = || {
        world.cmdlet(
            &exchange,
            FABRIKAM,
            "Get-DistributionGroup",
            json!({"Identity": "Senders"}),
        )
    };
    assert!(get().await.unwrap_err().contains("couldn't be found"));
    assert_eq!(world.graph(&graph, &path).await.0, 404);
    world.cloud.advance(21);
    assert!(
        get().await.unwrap()[0]["DistinguishedName"]
            .as_str()
            .unwrap()
            .starts_with("CN=Senders,")
    );
    assert_eq!(world.graph(&graph, &path).await.0, 404);
    world.cloud.advance(100);
    let (status, body) = world.graph(&graph, &path).await;
    assert_eq!(status, 200);
    assert_eq!(
        (
            &body["mailEnabled"],
            &body["securityEnabled"],
            &body["groupTypes"]
        ),
        (&json!(true), &json!(true), &json!([]))
    );
}

#[tokio::test]
async fn an_application_has_its_limit() {
    let world = world().await;
    let (graph, _) = world.admin(FABRIKAM).await;
    world
        .control("delays", json!({"graph_units_per_10s": 5}))
        .await;
    let mut last = None;
    for _ in 0..8 {
        last = Some(
            world
                .http
                .get(world.url("/v1.0/me"))
                .bearer_auth(&graph)
                .send()
                .await
                .unwrap(),
        );
    }
    let last = last.unwrap();
    assert_eq!(last.status(), 429);
    assert!(last.headers().contains_key("retry-after"));
    assert_eq!(
        last.headers()["x-ms-throttle-information"],
        "ResourceUnitLimitExceeded"
    );
}
