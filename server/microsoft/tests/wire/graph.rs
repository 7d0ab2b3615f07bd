//! Lists, batches and what becomes of them.

use domain::permission::Resource;
use microsoft::{Customer, Kind};
use serde_json::{Value, json};
use wiremock::{
    Mock, Request, ResponseTemplate,
    matchers::{method, path, query_param},
};

use crate::support::{TENANT, World, uuid};

const GRAPH: &str = "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')";
const EXCHANGE: &str = "/v1.0/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')";
const MAIL_SEND: &str = "b633e1c5-b582-4048-a93e-9f11b44c7e96";
const USER_READ_ALL: &str = "df021288-bdef-4463-88db-98f22de89214";
const SHARED_ID: &str = "ef54d2bf-783f-4e0f-bca1-3210c0444d99";

fn assignment(role: &str, principal: u32, resource: u32, kind: &str) -> Value {
    json!({"id": "x", "appRoleId": role, "principalId": uuid(principal), "principalType": kind,
        "principalDisplayName": "P", "resourceId": uuid(resource), "resourceDisplayName": "R"})
}

async fn principal(world: &World, at: &str, object: u32, roles: Value) {
    world
        .on(
            "GET",
            at,
            ResponseTemplate::new(200).set_body_json(
                json!({"id": uuid(object), "appId": uuid(object), "appRoles": roles}),
            ),
        )
        .await;
}

async fn list(world: &World, at: &str, value: Value) {
    world
        .on(
            "GET",
            at,
            ResponseTemplate::new(200).set_body_json(json!({ "value": value })),
        )
        .await;
}

/// A tenant in which three principals hold roles, one of them on both resources.
async fn tenant_with_grants() -> (World, Customer) {
    let world = World::new().await;
    let customer = world.customer().await;
    principal(
        &world,
        GRAPH,
        100,
        json!([{"id": MAIL_SEND, "value": "Mail.Send"}, {"id": SHARED_ID, "value": "Calendars.ReadWrite"}]),
    )
    .await;
    principal(
        &world,
        EXCHANGE,
        200,
        json!([{"id": SHARED_ID, "value": "Calendars.ReadWrite.All"}]),
    )
    .await;
    list(
        &world,
        &format!("{EXCHANGE}/appRoleAssignedTo"),
        json!([assignment(SHARED_ID, 1, 200, "ServicePrincipal")]),
    )
    .await;
    (world, customer)
}

#[tokio::test]
async fn applications_are_put_together_over_pages_and_batches() {
    let (world, customer) = tenant_with_grants().await;
    let at = format!("{GRAPH}/appRoleAssignedTo");
    let next = format!("{}{}?$skiptoken=two", world.server.uri(), at);
    // Thirty principals: two batches.
    let mut first: Vec<Value> = (1..=30)
        .map(|number| assignment(MAIL_SEND, number, 100, "ServicePrincipal"))
        .collect();
    first.push(assignment(MAIL_SEND, 60, 100, "Group"));
    first.push(assignment(USER_READ_ALL, 61, 100, "ServicePrincipal"));
    Mock::given(method("GET"))
        .and(path(&at))
        .and(query_param("$skiptoken", "two"))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"value": [assignment(SHARED_ID, 1, 100, "ServicePrincipal"),
                assignment(MAIL_SEND, 31, 100, "ServicePrincipal")]}),
        ))
        .mount(&world.server)
        .await;
    Mock::given(method("GET"))
        .and(path(&at))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"value": first, "@odata.nextLink": next})),
        )
        .with_priority(9)
        .mount(&world.server)
        .await;
    Mock::given(method("POST"))
        .and(path("/v1.0/$batch"))
        .respond_with(|request: &Request| {
            let body: Value = request.body_json().unwrap();
            let requests = body["requests"].as_array().unwrap();
            assert!(requests.len() <= 20);
            let mut responses: Vec<Value> = requests
                .iter()
                .map(|item| {
                    let url = item["url"].as_str().unwrap();
                    let id = url
                        .strip_prefix("/servicePrincipals/")
                        .unwrap()
                        .split('?')
                        .next()
                        .unwrap();
                    // Number 31 was deleted meanwhile.
                    if id == uuid(31).to_string() {
                        return json!({"id": item["id"], "status": 404, "body": {"error":
                            {"code": "Request_ResourceNotFound", "message": "gone"}}});
                    }
                    json!({"id": item["id"], "status": 200, "headers": {}, "body": {
                        "id": id, "appId": id, "displayName": format!("App {id}"),
                        "appOwnerOrganizationId": TENANT, "publisherName": null,
                        "servicePrincipalType": "Application",
                        "accountEnabled": id != uuid(2).to_string()}})
                })
                .collect();
            responses.reverse();
            ResponseTemplate::new(200).set_body_json(json!({ "responses": responses }))
        })
        .mount(&world.server)
        .await;
    let applications = customer.applications().await.unwrap().value;
    assert_eq!(applications.len(), 30);
    let first = applications
        .iter()
        .find(|application| application.object.0 == uuid(1))
        .unwrap();
    let grants: Vec<(Resource, &str)> = first
        .grants
        .iter()
        .map(|grant| (grant.resource, grant.value.as_str()))
        .collect();
    assert_eq!(
        grants,
        [
            (Resource::Graph, "Calendars.ReadWrite"),
            (Resource::Graph, "Mail.Send"),
            (Resource::Exchange, "Calendars.ReadWrite.All"),
        ]
    );
    assert!(applications.iter().any(|application| !application.enabled));
    assert_eq!(world.asked("$batch").await.len(), 2);
    // The brief names of a list make the evidence readable.
    let trace = customer.mailbox_grants().await.unwrap().trace;
    assert!(trace.sent.contains("appRoleAssignedTo?$top=999 (2 pages)"));
    assert!(!trace.sent.contains("access-"));
}

#[tokio::test]
async fn a_tenant_without_exchange_is_fine() {
    let world = World::new().await;
    let customer = world.customer().await;
    principal(&world, GRAPH, 100, json!([])).await;
    list(&world, &format!("{GRAPH}/appRoleAssignedTo"), json!([])).await;
    world
        .on(
            "GET",
            EXCHANGE,
            ResponseTemplate::new(404).set_body_json(json!({"error": {
                "code": "Request_ResourceNotFound", "message": "does not exist"}})),
        )
        .await;
    assert!(customer.mailbox_grants().await.unwrap().value.is_empty());
    assert!(customer.applications().await.unwrap().value.is_empty());
    assert!(
        customer
            .resource_principal(Resource::Exchange)
            .await
            .unwrap()
            .value
            .is_none()
    );
}

#[tokio::test]
async fn a_page_that_fails_makes_the_list_fail() {
    let (world, customer) = tenant_with_grants().await;
    let at = format!("{GRAPH}/appRoleAssignedTo");
    world
        .once(
            "GET",
            &at,
            ResponseTemplate::new(200).set_body_json(json!({"value": [],
                "@odata.nextLink": format!("{}{at}?$skiptoken=two", world.server.uri())})),
        )
        .await;
    world
        .on(
            "GET",
            &at,
            ResponseTemplate::new(400).set_body_json(json!({"error": {
                "code": "Directory_ExpiredPageToken", "message": "expired"}})),
        )
        .await;
    let error = customer.mailbox_grants().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::PageLost);
    assert_eq!(error.code(), Some("Directory_ExpiredPageToken"));
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_next_page_elsewhere_gets_no_token() {
    for link in [
        "https://evil.example/v1.0/servicePrincipals",
        "not a link",
        "HOST/beta/servicePrincipals",
        "http://127.0.0.1:1/v1.0/x",
    ] {
        let (world, customer) = tenant_with_grants().await;
        let link = link.replace("HOST", &world.server.uri());
        world
            .on(
                "GET",
                &format!("{GRAPH}/appRoleAssignedTo"),
                ResponseTemplate::new(200)
                    .set_body_json(json!({"value": [], "@odata.nextLink": link})),
            )
            .await;
        let error = customer.mailbox_grants().await.unwrap_err();
        assert_eq!(error.kind(), &Kind::ForeignLink, "{link}");
        assert!(world.asked("beta").await.is_empty());
    }
}

#[tokio::test]
async fn throttled_items_of_a_batch_are_asked_for_again() {
    let world = World::new().await;
    let customer = world.customer().await;
    let found = |id: &str, number: u32| {
        json!({"id": id, "status": 200, "body": {"id": uuid(number), "appId": uuid(number),
            "displayName": "A"}})
    };
    world
        .once(
            "POST",
            "/v1.0/$batch",
            ResponseTemplate::new(200).set_body_json(json!({"responses": [
                {"id": "1", "status": 429, "headers": {"Retry-After": "0"}, "body": {}},
                found("0", 1)]})),
        )
        .await;
    world
        .on(
            "POST",
            "/v1.0/$batch",
            ResponseTemplate::new(200).set_body_json(json!({"responses": [found("1", 2)]})),
        )
        .await;
    let call = customer
        .service_principals(&[uuid(1).into(), uuid(2).into()])
        .await
        .unwrap();
    assert_eq!(call.value.len(), 2);
    let second: Value = world.asked("$batch").await[1].body_json().unwrap();
    assert_eq!(second["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_that_answers_in_part_is_no_answer() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on(
            "POST",
            "/v1.0/$batch",
            ResponseTemplate::new(200).set_body_json(json!({"responses": []})),
        )
        .await;
    let error = customer
        .service_principals(&[uuid(1).into()])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &Kind::Malformed);
}

#[tokio::test]
async fn refusals_of_graph_keep_its_words() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on(
            "GET",
            "/v1.0/organization",
            ResponseTemplate::new(403).set_body_json(json!({"error": {
                "code": "Authorization_RequestDenied",
                "message": "Insufficient privileges to complete the operation.",
                "innerError": {"request-id": "g-1", "date": "2026-11-23T20:04:05"}}})),
        )
        .await;
    let error = customer.organization().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Forbidden);
    let answer = error.problem().microsoft.unwrap();
    assert_eq!(answer.code.as_deref(), Some("Authorization_RequestDenied"));
    assert_eq!(answer.request_id.as_deref(), Some("g-1"));
    assert!(answer.client_request_id.is_some());
}

#[tokio::test]
async fn groups_are_found_or_not_yet() {
    let world = World::new().await;
    let customer = world.customer().await;
    let group = json!({"id": uuid(5), "displayName": "G", "mail": "G@fabrikam.example",
        "mailEnabled": true, "securityEnabled": true, "groupTypes": []});
    let at = format!("/v1.0/groups/{}", uuid(5));
    world.once("GET", &at, ResponseTemplate::new(404)).await;
    world
        .on("GET", &at, ResponseTemplate::new(200).set_body_json(&group))
        .await;
    let read = || customer.directory_group(uuid(5).into());
    assert_eq!(read().await.unwrap().value, None);
    assert!(
        read()
            .await
            .unwrap()
            .value
            .unwrap()
            .is_mail_enabled_security()
    );
    // The filter is not trusted: the answer has another group, too.
    list(
        &world,
        "/v1.0/groups",
        json!([{"id": uuid(6), "mail": "other@fabrikam.example"}, group]),
    )
    .await;
    let found = |address: &str| {
        let address = address.parse().unwrap();
        let customer = customer.clone();
        async move { customer.directory_group_by_mail(&address).await }
    };
    let call = found("g@fabrikam.example").await.unwrap();
    assert_eq!(call.value.unwrap().id.0, uuid(5));
    assert_eq!(found("x@fabrikam.example").await.unwrap().value, None);
}

#[tokio::test]
async fn an_organization_of_another_tenant_is_refused() {
    let world = World::new().await;
    let customer = world.customer().await;
    list(
        &world,
        "/v1.0/organization",
        json!([{"id": uuid(9), "displayName": "Other", "verifiedDomains": [{"name": "o.example"}]}]),
    )
    .await;
    assert_eq!(
        customer.organization().await.unwrap_err().kind(),
        &Kind::Mismatch
    );
}

#[tokio::test]
async fn roles_are_read_as_templates() {
    let world = World::new().await;
    let customer = world.customer().await;
    list(
        &world,
        "/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole",
        json!([{"id": uuid(7), "displayName": "Exchange Administrator",
            "roleTemplateId": "29232cdf-9323-42fd-ade2-1d097af3e4de"}]),
    )
    .await;
    assert_eq!(
        customer.my_roles().await.unwrap().value,
        [microsoft::graph::EXCHANGE_ADMINISTRATOR]
    );
}

#[tokio::test]
async fn a_throttled_item_of_a_batch_holds_the_customer_back() {
    let world = World::with(|options| options.deadline = std::time::Duration::from_secs(5)).await;
    let customer = world.customer().await;
    let item = json!({"id": "0", "status": 429, "headers": {"Retry-After": "300"},
        "body": {"error": {"code": "TooManyRequests", "message": "Later."}}});
    world
        .on(
            "POST",
            "/v1.0/$batch",
            ResponseTemplate::new(200).set_body_json(json!({"responses": [item]})),
        )
        .await;
    let error = customer
        .service_principals(&[uuid(1).into()])
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), Kind::Throttled { until: Some(_) }));
    // Nobody else of this customer asks Graph before the pause is over.
    let error = customer.organization().await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Throttled { until: Some(_) }));
    assert!(world.asked("organization").await.is_empty());
}
