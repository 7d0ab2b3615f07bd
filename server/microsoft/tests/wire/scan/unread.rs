//! Each way in which a part of a scan can end without being read.

use domain::{
    permission::Resource,
    reach::{PartResult, Reading, ScanPart, Why},
};
use serde_json::json;
use wiremock::{
    Mock, Request, ResponseTemplate,
    matchers::{method, path_regex},
};

use super::tenant::*;
use crate::support::{World, cmdlet_error, invoke_path, refusal, rows, uuid};

#[tokio::test]
async fn whoever_has_no_role_in_exchange_reads_the_rest() {
    let mut tenant = Tenant::new();
    for answer in tenant.cmdlets.values_mut() {
        *answer = no_role();
    }
    let (_world, scan) = tenant.scan().await;
    for part in EXCHANGE_PARTS {
        assert!(
            matches!(why(&scan, part), Why::NotPermitted { .. }),
            "{part:?}"
        );
    }
    // What depends on it says so too, and is not empty.
    assert!(matches!(scan.seen.scopes, Reading::NotPermitted { .. }));
    assert!(!scan.seen.has_no_exchange());
    assert_eq!(scan.seen.graph_grants.get().unwrap().len(), 1);
    assert_eq!(scan.seen.principals.get().unwrap()[0].name, "Mailer");
    let PartResult::Unread { problem, .. } = result(&scan, ScanPart::Policies) else {
        panic!("read");
    };
    assert!(!problem.todo.is_empty());
}

#[tokio::test]
async fn a_tenant_without_exchange_has_none_of_its_parts() {
    let gone = json!({"error": {"code": "Request_ResourceNotFound", "message": "gone"}});
    let at = principal_path(Resource::Exchange);
    let mut tenant = Tenant::new().graph(at.clone(), 404, gone.clone()).graph(
        format!("{at}/appRoleAssignedTo"),
        404,
        gone,
    );
    for answer in tenant.cmdlets.values_mut() {
        *answer = no_role();
    }
    let (_world, scan) = tenant.scan().await;
    assert!(scan.seen.has_no_exchange(), "{:?}", scan.parts);
    assert!(scan.seen.exchange_grants.is_not_licensed());
    for part in EXCHANGE_PARTS {
        assert!(
            matches!(why(&scan, part), Why::NotLicensed { .. }),
            "{part:?}"
        );
    }
    assert!(scan.seen.graph_grants.is_read());
}

/// A tenant whose tokens for Exchange are refused so; the others are given.
async fn without_token_for_exchange(
    tenant: Tenant,
    error: &'static str,
    number: u64,
) -> (World, microsoft::scan::Scan) {
    let world = World::new().await;
    Mock::given(method("POST"))
        .and(path_regex("/oauth2/v2.0/token$"))
        .respond_with(move |request: &Request| {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            if form.contains("outlook") {
                refusal(error, number)
            } else {
                ResponseTemplate::new(200).set_body_json(json!({
                    "token_type": "Bearer", "expires_in": 3_599, "scope": "x",
                    "access_token": "access", "refresh_token": "refresh"}))
            }
        })
        .with_priority(1)
        .mount(&world.server)
        .await;
    let customer = world.customer_without_tokens().await;
    tenant.on(&world).await;
    let scan = customer.scan().await;
    assert!(world.asked("InvokeCommand").await.is_empty());
    (world, scan)
}

fn no_exchange_in_the_directory() -> Tenant {
    let gone = json!({"error": {"code": "Request_ResourceNotFound", "message": "gone"}});
    let at = principal_path(Resource::Exchange);
    Tenant::new().graph(at.clone(), 404, gone.clone()).graph(
        format!("{at}/appRoleAssignedTo"),
        404,
        gone,
    )
}

const NO_TOKEN: [(&str, u64); 3] = [
    ("invalid_grant", 500_014),
    ("invalid_client", 650_052),
    ("invalid_resource", 500_011),
];

#[tokio::test]
async fn no_token_for_exchange_is_no_exchange_when_the_directory_says_so() {
    for (error, number) in NO_TOKEN {
        let tenant = no_exchange_in_the_directory();
        let (_world, scan) = without_token_for_exchange(tenant, error, number).await;
        assert!(scan.seen.has_no_exchange(), "{number}: {:?}", scan.parts);
    }
}

#[tokio::test]
async fn field_b25_an_exchange_that_is_off_is_not_read_and_not_missing() {
    for (error, number) in NO_TOKEN {
        let (_world, scan) = without_token_for_exchange(Tenant::new(), error, number).await;
        assert!(!scan.seen.has_no_exchange(), "{number}");
        for part in EXCHANGE_PARTS {
            assert!(
                matches!(why(&scan, part), Why::Failed { .. }),
                "{number}: {part:?}"
            );
        }
        let PartResult::Unread { problem, .. } = result(&scan, ScanPart::Mailboxes) else {
            panic!("read");
        };
        assert!(problem.happened.starts_with("Exchange Online"), "{problem}");
        assert!(scan.seen.graph_grants.is_read());
    }
}

#[tokio::test]
async fn field_b25_a_graph_that_is_off_leaves_nothing_read_and_a_problem() {
    let world = World::new().await;
    Mock::given(method("POST"))
        .and(path_regex("/oauth2/v2.0/token$"))
        .respond_with(refusal("invalid_grant", 500_014))
        .mount(&world.server)
        .await;
    let scan = world.customer_without_tokens().await.scan().await;
    assert!(!scan.seen.has_no_exchange());
    assert!(!scan.seen.graph_grants.is_read() && !scan.seen.graph_grants.is_not_licensed());
    let PartResult::Unread { problem, .. } = result(&scan, ScanPart::GraphGrants) else {
        panic!("read");
    };
    assert!(problem.happened.starts_with("Microsoft Graph"), "{problem}");
}

#[tokio::test]
async fn a_part_of_a_list_is_no_list() {
    // The second page of mailboxes is lost; so is that of Graph's grants.
    let world = World::new().await;
    let customer = world.customer().await;
    let link = format!("{}{}?%24skiptoken=two", world.server.uri(), invoke_path());
    let one = json!({"value": [{"PrimarySmtpAddress": "reception@fabrikam.example",
        "ExternalDirectoryObjectId": uuid(RECEPTION)}], "@odata.nextLink": link});
    Mock::given(method("POST"))
        .and(wiremock::matchers::query_param("$skiptoken", "two"))
        .respond_with(cmdlet_error(
            400,
            "X",
            "Expired or Invalid pagination request. Default Expiry time is 00:30:00",
        ))
        .with_priority(1)
        .mount(&world.server)
        .await;
    let at = format!("{}/appRoleAssignedTo", principal_path(Resource::Graph));
    let next = format!("{}/v1.0{at}?$skiptoken=two", world.server.uri());
    let first = json!({"value": [held(MAILER, MAIL_SEND, GRAPH)], "@odata.nextLink": next});
    Tenant::new()
        .cmdlet("Get-Mailbox", ResponseTemplate::new(200).set_body_json(one))
        .graph(at, 200, first)
        .on(&world)
        .await;
    let scan = customer.scan().await;
    assert!(matches!(scan.seen.mailboxes, Reading::Failed { .. }));
    assert!(matches!(
        why(&scan, ScanPart::Mailboxes),
        Why::Failed { .. }
    ));
    assert!(matches!(scan.seen.graph_grants, Reading::Failed { .. }));
    assert!(scan.seen.exchange_grants.is_read());
    assert!(scan.seen.policies.is_read());
}

#[tokio::test]
async fn graph_can_refuse_one_part_and_give_another() {
    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}});
    let members = format!("/groups/{}/members", uuid(SENDERS));
    let (_world, scan) = Tenant::new()
        .graph(
            format!("/servicePrincipals/{}", uuid(MAILER)),
            403,
            denied.clone(),
        )
        .graph(members, 403, denied)
        .scan()
        .await;
    assert!(matches!(scan.seen.principals, Reading::NotPermitted { .. }));
    let of = |number| {
        scan.seen
            .groups
            .iter()
            .find(|group| group.object == object(number))
            .unwrap()
    };
    assert!(matches!(of(SENDERS).direct, Reading::NotPermitted { .. }));
    assert!(of(SENDERS).nested.as_ref().unwrap().is_read());
    assert!(of(GROUP).direct.is_read());
    assert!(matches!(
        why(&scan, ScanPart::Groups),
        Why::NotPermitted { .. }
    ));
}

#[tokio::test]
async fn members_that_a_group_hides_are_not_none() {
    let at = format!("/groups/{}", uuid(GROUP));
    let body = json!({"id": uuid(GROUP), "displayName": "Board", "visibility": "HiddenMembership"});
    let (_world, scan) = Tenant::new().graph(at, 200, body).scan().await;
    let group = scan
        .seen
        .groups
        .iter()
        .find(|group| group.object == object(GROUP))
        .unwrap();
    assert!(matches!(group.nested, Some(Reading::NotPermitted { .. })));
    assert_eq!(group.name, "Board");
}

#[tokio::test]
async fn an_assignment_that_says_too_little_fails_the_part() {
    let (_world, scan) = Tenant::new()
        .cmdlet(
            "Get-ManagementRoleAssignment",
            rows(&json!([{"Name": "x", "Role": "Application Mail.Send"}])),
        )
        .cmdlet("Get-ServicePrincipal", rows(&json!([{"Name": "x"}])))
        .scan()
        .await;
    assert!(matches!(scan.seen.assignments, Reading::Failed { .. }));
    assert!(matches!(scan.seen.pointers, Reading::Failed { .. }));
    assert!(matches!(scan.seen.scopes, Reading::Failed { .. }));
}
