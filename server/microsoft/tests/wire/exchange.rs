//! InvokeCommand: what is sent, pages, and answers that are none.

use domain::{Timestamp, cmdlet::Cmdlet};
use microsoft::{Fault, Kind};
use serde_json::{Value, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path, query_param},
};

use crate::support::{
    NOT_FOUND, NOW, TENANT, World, cmdlet_error, invoke_path, rows, tenant, uuid,
};

fn read() -> Cmdlet {
    Cmdlet::new("Get-Mailbox").with("ResultSize", "Unlimited")
}

fn page(rows: &Value, next: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "@adminapi.warnings": [], "value": rows, "@odata.nextLink": next}))
}

#[tokio::test]
async fn a_cmdlet_is_sent_as_exchange_wants_it() {
    let world = World::new().await;
    let customer = world.customer().await;
    world.on_cmdlet(rows(&json!([{"Name": "a"}]))).await;
    let cmdlet = Cmdlet::new("New-ApplicationAccessPolicy")
        .with("AccessRight", "RestrictAccess")
        .with("AppId", vec!["x".to_owned()])
        .with("PolicyScopeGroupId", "g@fabrikam.example")
        .with("Confirm", false)
        .with("Number", 7);
    let call = customer.run(&cmdlet).await.unwrap();
    assert_eq!(call.value[0].text("Name"), Some("a"));
    assert_eq!(call.trace.sent, cmdlet.line());
    assert_eq!(call.trace.answer, r#"{"Name":"a"}"#);
    let evidence = call.trace.evidence("Policy", true);
    assert_eq!(evidence.request_id.as_deref(), Some("exo-request"));
    let asked = &world.asked("InvokeCommand").await[0];
    let body: Value = asked.body_json().unwrap();
    assert_eq!(
        body,
        json!({"CmdletInput": {"CmdletName": "New-ApplicationAccessPolicy", "Parameters": {
            "AccessRight": "RestrictAccess", "AppId": ["x"],
            "PolicyScopeGroupId": "g@fabrikam.example", "Confirm": false, "Number": 7}}})
    );
    let header = |name: &str| asked.headers[name].to_str().unwrap();
    assert_eq!(header("authorization"), "Bearer access-1");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("accept"), "application/json");
    assert_eq!(header("prefer"), "odata.maxpagesize=1000");
    assert_eq!(header("x-anchormailbox"), "UPN:admin@fabrikam.example");
    assert_eq!(header("x-cmdletname"), "New-ApplicationAccessPolicy");
    assert_eq!(header("x-responseformat"), "json");
    assert!(uuid::Uuid::try_parse(header("connection-id")).is_ok());
    assert!(uuid::Uuid::try_parse(header("client-request-id")).is_ok());
    assert!(!asked.headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn partners_are_routed_by_the_system_mailbox() {
    let world = World::new().await;
    world.grants_tokens().await;
    let gdap = world
        .microsoft
        .customer(tenant(), uuid(3), None, world.store.clone(), Timestamp(NOW))
        .await;
    world.on_cmdlet(rows(&json!([]))).await;
    gdap.invoke(&read(), true).await.unwrap();
    let asked = &world.asked("InvokeCommand").await[0];
    assert_eq!(
        asked.headers["x-anchormailbox"].to_str().unwrap(),
        format!("APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}")
    );
}

#[tokio::test]
async fn an_empty_name_is_never_sent() {
    let world = World::new().await;
    let customer = world.customer().await;
    let get = |identity: &str| Cmdlet::new("Get-DistributionGroup").with("Identity", identity);
    for cmdlet in [
        get(""),
        get("  "),
        get("$null"),
        get("$NULL"),
        Cmdlet::new("Remove-ApplicationAccessPolicy").with("Confirm", false),
        Cmdlet::new("Remove-DistributionGroup").with("Identity", ""),
        Cmdlet::new("Remove-DistributionGroup").with("Identity", true),
        Cmdlet::new("New-ApplicationAccessPolicy")
            .with("PolicyScopeGroupId", "g")
            .with("AppId", vec![]),
    ] {
        let error = customer.invoke(&cmdlet, true).await.unwrap_err();
        assert_eq!(error.kind(), &Kind::NotSent, "{}", cmdlet.line());
        assert_eq!(error.problem().key, "exchange.not_sent");
    }
    assert!(world.asked("").await.is_empty());
}

#[tokio::test]
async fn pages_are_followed_by_post_with_the_same_body() {
    let world = World::new().await;
    let customer = world.customer().await;
    let next = format!("{}{}?%24skiptoken=two", world.server.uri(), invoke_path());
    Mock::given(method("POST"))
        .and(path(invoke_path()))
        .and(query_param("$skiptoken", "two"))
        .respond_with(rows(&json!([{"Name": "b"}])))
        .mount(&world.server)
        .await;
    Mock::given(method("POST"))
        .and(path(invoke_path()))
        .respond_with(page(&json!([{"Name": "a"}]), &next))
        .with_priority(9)
        .mount(&world.server)
        .await;
    let call = customer.invoke(&read(), true).await.unwrap();
    assert_eq!(call.value.len(), 2);
    assert!(call.trace.sent.ends_with("(2 pages)"));
    let asked = world.asked("InvokeCommand").await;
    assert_eq!(asked[0].body, asked[1].body);
    assert_eq!(
        asked[0].headers["x-anchormailbox"],
        asked[1].headers["x-anchormailbox"]
    );
    // A change has no pages: asking for one would run it again.
    assert_eq!(customer.run(&read()).await.unwrap().value.len(), 1);
}

#[tokio::test]
async fn a_page_that_fails_makes_the_whole_fail() {
    let expired = ResponseTemplate::new(400).set_body_json(json!({"error": {
        "code": "BadRequest", "message": "Invalid Operation", "innererror": {"internalexception": {
            "message": "Expired or Invalid pagination request. Default Expiry time is 00:30:00",
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"}}}}));
    for second in [
        expired,
        cmdlet_error(404, NOT_FOUND, "couldn't be found"),
        ResponseTemplate::new(403),
        ResponseTemplate::new(200).set_body_string("cut of"),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        let next = format!("{}{}?%24skiptoken=two", world.server.uri(), invoke_path());
        world
            .once("POST", &invoke_path(), page(&json!([{"Name": "a"}]), &next))
            .await;
        world.on_cmdlet(second).await;
        let error = customer.invoke(&read(), true).await.unwrap_err();
        assert_eq!(error.kind(), &Kind::PageLost);
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn a_page_elsewhere_gets_no_token() {
    for link in [
        "https://evil.example/adminapi/beta/TENANT/InvokeCommand?x",
        "HOST/adminapi/beta/11111111-2222-4333-8444-555555555555/InvokeCommand",
        "HOST/elsewhere",
        "",
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        let link = link
            .replace("HOST", &world.server.uri())
            .replace("TENANT", TENANT);
        world.on_cmdlet(page(&json!([]), &link)).await;
        let error = customer.invoke(&read(), true).await.unwrap_err();
        assert_eq!(error.kind(), &Kind::ForeignLink, "{link}");
        assert_eq!(world.asked("/").await.len(), 2, "a token and one page");
    }
}

#[tokio::test]
async fn cmdlets_without_output_answer_in_three_ways() {
    for nothing in [
        ResponseTemplate::new(204),
        ResponseTemplate::new(200),
        rows(&json!([])),
        ResponseTemplate::new(200).set_body_json(json!({"@adminapi.warnings": []})),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.on_cmdlet(nothing).await;
        let cmdlet = Cmdlet::new("Set-DistributionGroup").with("Identity", "g");
        let call = customer.run(&cmdlet).await.unwrap();
        assert!(call.value.is_empty());
        assert_eq!(call.trace.answer, "nothing came back");
    }
}

#[tokio::test]
async fn a_read_without_a_list_is_not_an_empty_list() {
    for answer in [
        ResponseTemplate::new(200).set_body_json(json!({"@adminapi.warnings": []})),
        ResponseTemplate::new(200).set_body_json(json!({"value": "x"})),
        ResponseTemplate::new(200).set_body_json(json!({"value": ["x"]})),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_json(json!([])),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.on_cmdlet(answer).await;
        let error = customer.invoke(&read(), true).await.unwrap_err();
        assert_eq!(error.kind(), &Kind::Malformed);
    }
}

#[tokio::test]
async fn nul_bytes_that_call_themselves_gzip_are_a_missing_role() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on_cmdlet(
            ResponseTemplate::new(403)
                .insert_header("Content-Encoding", "gzip")
                .set_body_bytes(vec![0; 4_096]),
        )
        .await;
    let error = customer.policies().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::ExchangeRoleMissing);
    let problem = error.problem();
    assert_eq!(problem.key, "exchange.role_missing");
    assert!(problem.happened.contains("Get-ApplicationAccessPolicy"));
    assert!(!customer.may_read_policies().await.unwrap().value);
}

#[tokio::test]
async fn a_failed_cmdlet_is_not_tried_again() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on_cmdlet(cmdlet_error(500, NOT_FOUND, "couldn't be found"))
        .await;
    let error = customer.invoke(&read(), true).await.unwrap_err();
    assert_eq!(error.fault(), Some(Fault::NotFound));
    assert_eq!(error.trace().sent, "Get-Mailbox -ResultSize 'Unlimited'");
    assert_eq!(world.asked("InvokeCommand").await.len(), 1);
}

#[tokio::test]
async fn errors_beside_rows_are_errors() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on_cmdlet(
            ResponseTemplate::new(200)
                .set_body_json(json!({"value": [], "@adminapi.errors": ["It failed."]})),
        )
        .await;
    let error = customer.run(&read()).await.unwrap_err();
    assert_eq!(error.message(), Some("It failed."));
}

fn context(place: &str) -> ResponseTemplate {
    let context = format!(
        "https://outlook.office365.com/adminapi/beta/{place}/$metadata#Collection(Exchange.GenericHashTable)"
    );
    ResponseTemplate::new(200)
        .set_body_json(json!({"@odata.context": context, "value": [{"Name": "a"}]}))
}

#[tokio::test]
async fn an_answer_of_another_tenant_is_refused() {
    let other = uuid(9).to_string();
    for place in [other.clone(), other.to_uppercase()] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.on_cmdlet(context(&place)).await;
        let error = customer.invoke(&read(), true).await.unwrap_err();
        assert_eq!(error.kind(), &Kind::Mismatch);
        assert!(error.message().unwrap().contains(&other));
        assert_eq!(
            customer.run(&read()).await.unwrap_err().kind(),
            &Kind::Mismatch
        );
    }
}

#[tokio::test]
async fn an_answer_that_names_no_other_tenant_is_taken() {
    for place in [
        TENANT,
        &TENANT.to_uppercase(),
        "tenant",
        "fabrikam.example",
        "",
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.on_cmdlet(context(place)).await;
        let call = customer.invoke(&read(), true).await.unwrap();
        assert_eq!(call.value.len(), 1, "{place}");
    }
}

#[tokio::test]
async fn a_later_page_of_another_tenant_is_refused_too() {
    let world = World::new().await;
    let customer = world.customer().await;
    let next = format!("{}{}?%24skiptoken=two", world.server.uri(), invoke_path());
    world
        .once("POST", &invoke_path(), page(&json!([{"Name": "a"}]), &next))
        .await;
    world.on_cmdlet(context(&uuid(9).to_string())).await;
    let error = customer.invoke(&read(), true).await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Mismatch);
}
