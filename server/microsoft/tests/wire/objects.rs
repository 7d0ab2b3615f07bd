//! Groups, members, mailboxes, policies and role assignments, as Exchange writes them.

use domain::{
    application::AccessRight,
    plan::{Mailbox, MailboxKind},
};
use microsoft::{Fault, Kind, exchange::TestAnswer};
use serde_json::{Value, json};
use wiremock::{Mock, Request, ResponseTemplate, matchers::method};

use crate::support::{NOT_FOUND, World, cmdlet_error, invoke_path, rows, uuid};

fn group() -> Value {
    json!({
        "Identity": "postern-mailer20261123", "Name": "postern-mailer20261123",
        "Alias": "postern-mailer", "DisplayName": "postern-mailer",
        "PrimarySmtpAddress": "postern-mailer@fabrikam.example",
        "EmailAddresses@odata.type": "#Collection(String)",
        "EmailAddresses": ["SMTP:postern-mailer@fabrikam.example", "smtp:old@fabrikam.example"],
        "DistinguishedName": "CN=postern-mailer20261123,OU=x",
        "Guid": uuid(50), "ExternalDirectoryObjectId": uuid(5),
        "RecipientTypeDetails": "MailUniversalSecurityGroup",
        "Description": [format!("Postern {} Members may be sent as by Mailer.", uuid(1))],
        "HiddenFromAddressListsEnabled": true, "ManagedBy": ["x"],
    })
}

async fn answering(answer: ResponseTemplate) -> (World, microsoft::Customer) {
    let world = World::new().await;
    let customer = world.customer().await;
    world.on_cmdlet(answer).await;
    (world, customer)
}

#[tokio::test]
async fn a_group_is_read_by_any_of_its_names() {
    let (world, customer) = answering(rows(&json!([group()]))).await;
    for identity in [
        "postern-mailer",
        "POSTERN-MAILER@fabrikam.example",
        "old@fabrikam.example",
        &uuid(5).to_string(),
        &uuid(50).to_string(),
        "CN=postern-mailer20261123,OU=x",
    ] {
        let group = customer.group(identity).await.unwrap().value.unwrap();
        assert_eq!(group.object.unwrap().0, uuid(5));
        assert_eq!(group.name, "postern-mailer20261123");
        assert_eq!(group.identity(), uuid(5).to_string());
        assert!(group.hidden && group.is_mail_enabled_security());
        assert!(group.is_described(&format!("Postern {}", uuid(1))));
        assert!(!group.is_described(&format!("Postern {}", uuid(2))));
        assert!(!group.is_described("Postern a1b2"));
    }
    assert!(
        world.asked("InvokeCommand").await[0]
            .url
            .query()
            .unwrap()
            .starts_with("$select=Identity,Name,")
    );
}

#[tokio::test]
async fn what_was_not_asked_for_is_refused() {
    // Exchange returns everything for an identity that it cannot use.
    let world = World::new().await;
    let customer = world.customer().await;
    let one = rows(&json!([group()]));
    world.once("POST", &invoke_path(), one).await;
    world.on_cmdlet(rows(&json!([group(), group()]))).await;
    let error = customer.group("somebody-elses").await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Mismatch);
    // The only group there is, twice: it was the list of all.
    let (_world, customer) = answering(rows(&json!([group()]))).await;
    let call = customer.group("somebody-elses").await.unwrap();
    assert!(call.value.is_none());
    let (_world, customer) = answering(rows(&json!([group(), group()]))).await;
    let error = customer.group("postern-mailer").await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Mismatch);
    assert!(error.message().unwrap().contains("several"));
    // The list of everything, with nothing in it that was asked for: it is not there.
    let (_world, customer) = answering(rows(&json!([group(), group()]))).await;
    let call = customer.group("somebody-elses").await.unwrap();
    assert!(call.value.is_none());
}

#[tokio::test]
async fn what_does_not_exist_is_none() {
    let (_world, customer) = answering(cmdlet_error(404, NOT_FOUND, "couldn't be found")).await;
    let call = customer.group("g").await.unwrap();
    assert_eq!(call.value, None);
    assert!(call.trace.answer.contains("couldn't be found"));
    let address = "x@fabrikam.example".parse().unwrap();
    assert_eq!(customer.mailbox(&address).await.unwrap().value, None);
    assert!(customer.policies().await.unwrap().value.is_empty());
    assert!(!customer.remove_policy("p").await.unwrap().value);
    assert!(!customer.remove_group("g").await.unwrap().value);
    // Of a membership, the missing group is no empty one.
    let error = customer.group_members("g").await.unwrap_err();
    assert_eq!(error.fault(), Some(Fault::NotFound));
}

#[tokio::test]
async fn a_policy_list_that_failed_otherwise_is_not_empty() {
    for answer in [
        cmdlet_error(400, "Microsoft.Exchange.SomeException", "Something broke."),
        ResponseTemplate::new(500),
        ResponseTemplate::new(404),
    ] {
        let (_world, customer) = answering(answer).await;
        assert!(customer.policies().await.is_err());
    }
}

#[tokio::test]
async fn a_group_without_an_object_yet_is_named_by_its_address() {
    let mut row = group();
    row["ExternalDirectoryObjectId"] = json!("");
    row["DistinguishedName"] = json!("");
    let (_world, customer) = answering(rows(&json!([row]))).await;
    let group = customer
        .group("postern-mailer")
        .await
        .unwrap()
        .value
        .unwrap();
    assert_eq!(group.object, None);
    assert_eq!(group.identity(), "postern-mailer@fabrikam.example");
}

#[tokio::test]
async fn our_own_groups_are_known_by_their_description() {
    let mut other = group();
    other["Description"] = json!("Made by hand");
    let mut alike = group();
    alike["Description"] = json!([format!("Postern {}9", uuid(1))]);
    let (_world, customer) = answering(rows(&json!([other, group(), alike]))).await;
    let marker = format!("Postern {}", uuid(1));
    let found = customer.groups_described(&marker).await.unwrap().value;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn members_are_read_and_changes_are_forgiving() {
    let (_world, customer) = answering(rows(&json!([
        {"Name": "a", "DisplayName": "Ada", "PrimarySmtpAddress": "Ada@fabrikam.example",
         "ExternalDirectoryObjectId": uuid(7), "RecipientTypeDetails": "UserMailbox"},
        {"Name": "contact", "PrimarySmtpAddress": "", "ExternalDirectoryObjectId": "",
         "RecipientTypeDetails": "MailContact"},
    ])))
    .await;
    let members = customer.group_members("g").await.unwrap().value;
    assert_eq!(members[0].object.unwrap().0, uuid(7));
    assert_eq!(
        members[0].address.as_ref().unwrap().as_str(),
        "ada@fabrikam.example"
    );
    assert_eq!(members[1].address, None);
    assert_eq!(members[1].name, "contact");

    let already = cmdlet_error(
        400,
        "Microsoft.Exchange.Management.Tasks.MemberAlreadyExistsException",
        "The recipient is already a member of the group.",
    );
    let (_world, customer) = answering(already).await;
    let ada = Mailbox {
        object: uuid(7).into(),
        address: "ada@fabrikam.example".parse().unwrap(),
        name: "Ada".into(),
        kind: MailboxKind::User,
    };
    let add = domain::plan::Plan::add_sender("g", &ada);
    let call = customer.add_member(&add).await.unwrap();
    assert!(!call.value);
    assert_eq!(call.trace.sent, add.line());

    let (_world, customer) = answering(cmdlet_error(
        400,
        "System.Exception",
        "The recipient \"a\" isn't a member of the group \"g\".",
    ))
    .await;
    assert!(!customer.remove_member("g", "a").await.unwrap().value);
}

#[tokio::test]
async fn policies_are_read_whole() {
    let app = "b9701c1e-1364-464d-93e4-01ae925e8d6c";
    let sid = "S-1-5-21-3787302941-3231517822-469913106-31437838";
    let policy = |app: &str, right: &str| {
        json!({
            "ScopeName": "Permitted senders", "ScopeIdentity": "senders20250209121934",
            "Identity": format!("{}\\{app}:{sid};{}", uuid(90), uuid(5)),
            "AppId": app, "ScopeIdentityRaw": format!("{sid};{}", uuid(5)),
            "Description": " ", "AccessRight": right, "ShardType": "All",
            "IsValid": true, "ObjectState": "Unchanged",
        })
    };
    let (_world, customer) = answering(rows(&json!([
        policy(app, "RestrictAccess"),
        policy("*", "DenyAccess")
    ])))
    .await;
    let policies = customer.policies().await.unwrap().value;
    assert_eq!(policies[0].app_id.unwrap().to_string(), app);
    assert_eq!(policies[0].right, AccessRight::RestrictAccess);
    assert_eq!(policies[0].scope_object.unwrap().0, uuid(5));
    assert_eq!(policies[0].scope_name, "Permitted senders");
    assert!(policies[0].valid);
    assert_eq!(policies[1].app_id, None);
    assert_eq!(policies[1].right, AccessRight::DenyAccess);
    // One that is not understood must not be left out.
    let (_world, customer) = answering(rows(&json!([
        policy(app, "RestrictAccess"),
        policy(app, "SomethingNew")
    ])))
    .await;
    let error = customer.policies().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Malformed);
}

#[tokio::test]
async fn the_test_answers_in_words_or_switches() {
    let app: domain::id::AppId = "b9701c1e-1364-464d-93e4-01ae925e8d6c".parse().unwrap();
    let ask = |result: Value, about: Value| async move {
        let (_world, customer) = answering(rows(
            &json!([{"AppId": about, "Mailbox": "a", "AccessCheckResult": result}]),
        ))
        .await;
        customer
            .test_policy(app, &"a@fabrikam.example".parse().unwrap())
            .await
    };
    for (result, answer) in [
        (json!("Granted"), TestAnswer::Granted),
        (json!(true), TestAnswer::Granted),
        (json!("Denied"), TestAnswer::Denied),
        (json!(false), TestAnswer::Denied),
        (json!("Gewährt"), TestAnswer::Unclear("Gewährt".into())),
        (json!(1), TestAnswer::Unclear("1".into())),
        (Value::Null, TestAnswer::Unclear("null".into())),
    ] {
        let call = ask(result, json!(app.to_string())).await.unwrap();
        assert_eq!(call.value, answer);
    }
    let error = ask(json!("Granted"), json!(uuid(1))).await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Mismatch);
}

fn mailbox(number: u32, address: &str, details: &str) -> Value {
    json!({"DisplayName": format!("Box {number}"), "Name": "n", "PrimarySmtpAddress": address,
        "EmailAddresses": [format!("SMTP:{address}"), "SIP:x"], "UserPrincipalName": address,
        "ExternalDirectoryObjectId": uuid(number), "RecipientTypeDetails": details, "IsShared": true})
}

#[tokio::test]
async fn mailboxes_are_searched_and_bounded() {
    let (world, customer) = answering(rows(&json!([
        mailbox(3, "c@fabrikam.example", "SharedMailbox"),
        mailbox(1, "a@fabrikam.example", "UserMailbox"),
        mailbox(2, "b@fabrikam.example", "UserMailbox"),
    ])))
    .await;
    let call = customer.mailboxes(" rece'ption ", 2).await.unwrap();
    assert!(call.value.more);
    let addresses: Vec<&str> = call
        .value
        .list
        .iter()
        .map(|mailbox| mailbox.address.as_str())
        .collect();
    assert_eq!(addresses, ["a@fabrikam.example", "c@fabrikam.example"]);
    assert_eq!(call.value.list[1].kind, MailboxKind::Shared);
    let body: Value = world.asked("InvokeCommand").await[0].body_json().unwrap();
    let parameters = &body["CmdletInput"]["Parameters"];
    assert_eq!(parameters["Anr"], "rece'ption");
    assert_eq!(parameters["ResultSize"], 3);
    assert_eq!(
        parameters["RecipientTypeDetails"],
        json!(["UserMailbox", "SharedMailbox"])
    );
    assert_eq!(customer.mailbox_count(2).await.unwrap().value, (2, true));
    assert_eq!(customer.mailbox_count(9).await.unwrap().value, (3, false));
}

#[tokio::test]
async fn a_truncated_answer_is_not_followed_when_it_is_enough() {
    let world = World::new().await;
    let customer = world.customer().await;
    let next = format!("{}{}?%24skiptoken=x", world.server.uri(), invoke_path());
    Mock::given(method("POST"))
        .respond_with(move |request: &Request| {
            assert!(!request.url.query().unwrap_or_default().contains("skiptoken"));
            ResponseTemplate::new(200).set_body_json(json!({
                "@odata.nextLink": next,
                "@adminapi.warnings": ["There are more results available than are currently displayed."],
                "value": [mailbox(1, "a@fabrikam.example", "UserMailbox"),
                          mailbox(2, "b@fabrikam.example", "UserMailbox")]}))
        })
        .mount(&world.server)
        .await;
    let call = customer.mailboxes("", 1).await.unwrap();
    assert_eq!(call.value.list.len(), 1);
    assert!(call.value.more);
}

#[tokio::test]
async fn a_mailbox_is_the_one_with_the_address() {
    let (_world, customer) = answering(rows(&json!([mailbox(
        1,
        "a@fabrikam.example",
        "DiscoveryMailbox"
    )])))
    .await;
    let read = |address: &str| {
        let (customer, address) = (customer.clone(), address.parse().unwrap());
        async move { customer.mailbox(&address).await }
    };
    let found = read("A@fabrikam.example").await.unwrap().value.unwrap();
    assert_eq!(found.kind, MailboxKind::Other, "never judged by IsShared");
    let error = read("b@fabrikam.example").await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Mismatch);
}

#[tokio::test]
async fn the_organisations_settings_are_read() {
    let (_world, customer) = answering(rows(
        &json!([{"Name": "fabrikam.onmicrosoft.com", "IsDehydrated": true}]),
    ))
    .await;
    let config = customer.organization_config().await.unwrap().value;
    assert!(config.is_dehydrated);
    assert_eq!(config.enforces_app_rbac, None);
    let (_world, customer) = answering(rows(&json!([{"Name": "x"}]))).await;
    assert!(customer.organization_config().await.is_err());
}

#[tokio::test]
async fn role_assignments_of_applications_are_chosen_and_scoped() {
    let world = World::new().await;
    let customer = world.customer().await;
    let assignment = |assignee: &str, kind: &str, scope: Value| {
        let mut row = json!({"Name": format!("Application Mail.Send-{assignee}"),
            "Role": "Application Mail.Send", "RoleAssigneeName": assignee,
            "RoleAssigneeType": kind, "AssignmentMethod": "Direct"});
        row.as_object_mut()
            .unwrap()
            .extend(scope.as_object().unwrap().clone());
        row
    };
    let one = uuid(1).to_string();
    let list = json!([
        assignment(
            &one,
            "ServicePrincipal",
            json!({"CustomResourceScope": "Reception", "RecipientWriteScope": "CustomRecipientScope"})
        ),
        assignment(
            &one,
            "ServicePrincipal",
            json!({"RecipientWriteScope": "Organization"})
        ),
        assignment(
            "Mailer",
            "ServicePrincipal",
            json!({"RecipientGroupScope": "senders"})
        ),
        assignment(
            "Mailer",
            "ServicePrincipal",
            json!({"CustomResourceScope": "", "RecipientWriteScope": "SomethingNew"})
        ),
        assignment(
            "Organization Management",
            "RoleGroup",
            json!({"RecipientWriteScope": "Organization"})
        ),
    ]);
    Mock::given(method("POST"))
        .respond_with(move |request: &Request| {
            let body: Value = request.body_json().unwrap();
            match body["CmdletInput"]["CmdletName"].as_str().unwrap() {
                "Get-ServicePrincipal" => rows(&json!([{"DisplayName": "Mailer",
                    "AppId": uuid(9), "ObjectId": uuid(2)}])),
                _ => rows(&list),
            }
        })
        .mount(&world.server)
        .await;
    let assignments = customer.role_assignments().await.unwrap().value;
    let short: Vec<(u128, Option<&str>)> = assignments
        .iter()
        .map(|assignment| {
            (
                assignment.assignee.0.as_u128() & 0xff,
                assignment.scope.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            (1, Some("Reception")),
            (1, None),
            (2, Some("senders")),
            (2, Some("SomethingNew")),
        ]
    );
}

#[tokio::test]
async fn an_assignment_of_nobody_known_is_not_left_out() {
    let world = World::new().await;
    let customer = world.customer().await;
    world
        .on_cmdlet(rows(&json!([{"Name": "x", "Role": "Application Mail.Send",
            "RoleAssigneeName": "Ghost", "RoleAssigneeType": "ServicePrincipal"}])))
        .await;
    let error = customer.role_assignments().await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Malformed);
}

fn mailbox_row(number: usize) -> Value {
    json!({
        "DisplayName": format!("Sender {number}"), "Name": format!("s{number}"),
        "PrimarySmtpAddress": format!("s{number}@fabrikam.example"),
        "EmailAddresses": [format!("SMTP:S{number}@fabrikam.example")],
        "UserPrincipalName": format!("s{number}@fabrikam.example"),
        "ExternalDirectoryObjectId": uuid(1_000 + u32::try_from(number).unwrap()),
        "RecipientTypeDetails": "SharedMailbox",
    })
}

/// Answers a batch as Exchange does: sender 13 does not exist, sender 17 is throttled there.
fn batch(request: &Request) -> ResponseTemplate {
    let body: Value = request.body_json().unwrap();
    let responses: Vec<Value> = body["requests"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|item| {
            assert!(
                item["headers"]["authorization"]
                    .as_str()
                    .unwrap()
                    .starts_with("Bearer ")
            );
            assert!(
                item["url"]
                    .as_str()
                    .unwrap()
                    .contains("/InvokeCommand?$select=")
            );
            let identity = item["body"]["CmdletInput"]["Parameters"]["Identity"]
                .as_str()
                .unwrap();
            let number = identity.trim_start_matches('s').split('@').next().unwrap();
            let body = match number {
                "13" => json!({"error": {"code": "NotFound", "message": "Error executing cmdlet",
                    "details": [{"message": format!("Ex6F9304|{NOT_FOUND}|gone")}]}}),
                "17" => json!({"error": {"code": "TooManyRequests", "message": "Later."}}),
                _ => json!({"value": [mailbox_row(number.parse().unwrap())]}),
            };
            json!({"id": item["id"], "body": body})
        })
        .collect();
    ResponseTemplate::new(200).set_body_json(json!({ "responses": responses }))
}

fn addresses(count: usize) -> Vec<domain::address::MailAddress> {
    (0..count)
        .map(|number| format!("S{number}@Fabrikam.example").parse().unwrap())
        .collect()
}

fn batch_path() -> String {
    invoke_path().replace("InvokeCommand", "$batch")
}

#[tokio::test]
async fn two_hundred_addresses_take_a_list_and_a_few_batches() {
    let world = World::new().await;
    let customer = world.customer().await;
    Mock::given(method("POST"))
        .and(wiremock::matchers::path(batch_path()))
        .respond_with(batch)
        .mount(&world.server)
        .await;
    // The list has half of them; what is asked singly is number 17.
    let listed: Vec<Value> = (100..200).map(mailbox_row).collect();
    world
        .once("POST", &invoke_path(), rows(&json!(listed)))
        .await;
    world.on_cmdlet(rows(&json!([mailbox_row(17)]))).await;
    let call = customer.mailboxes_at(&addresses(200)).await.unwrap();
    for (number, found) in call.value.iter().enumerate() {
        let object = found.as_ref().map(|mailbox| mailbox.object.0);
        let expected = (number != 13).then(|| uuid(1_000 + u32::try_from(number).unwrap()));
        assert_eq!(object, expected, "{number}");
    }
    assert_eq!(call.trace.answer, "199 of 200 are mailboxes");
    assert!(!call.trace.sent.contains("access-"));
    assert_eq!(world.asked("$batch").await.len(), 10);
    assert_eq!(world.asked("InvokeCommand").await.len(), 2);
}

#[tokio::test]
async fn where_exchange_takes_no_batches_each_is_asked_singly() {
    for refused in [
        ResponseTemplate::new(404),
        ResponseTemplate::new(405),
        ResponseTemplate::new(200).set_body_json(json!({"responses": []})),
    ] {
        let world = World::new().await;
        let customer = world.customer().await;
        world.on("POST", &batch_path(), refused).await;
        world
            .once("POST", &invoke_path(), rows(&json!([mailbox_row(0)])))
            .await;
        world.on_cmdlet(cmdlet_error(400, NOT_FOUND, "gone")).await;
        let found = customer.mailboxes_at(&addresses(2)).await.unwrap().value;
        assert_eq!(found[0].as_ref().unwrap().object.0, uuid(1_000));
        assert_eq!(found[1], None);
    }
}

#[tokio::test]
async fn another_mailbox_than_was_asked_for_is_no_answer_in_a_batch_either() {
    let world = World::new().await;
    let customer = world.customer().await;
    let item = |id: &str, number| json!({"id": id, "body": {"value": [mailbox_row(number)]}});
    let swapped = json!({"responses": [item("0", 1), item("1", 0)]});
    world
        .on(
            "POST",
            &batch_path(),
            ResponseTemplate::new(200).set_body_json(swapped),
        )
        .await;
    let error = customer.mailboxes_at(&addresses(2)).await.unwrap_err();
    assert_eq!(error.kind(), &Kind::Mismatch);
}

#[tokio::test]
async fn a_throttled_item_of_a_batch_holds_the_customer_back() {
    let world =
        World::with(|options| options.exchange_deadline = std::time::Duration::from_secs(5)).await;
    let customer = world.customer().await;
    let item = json!({"id": "0", "status": 429, "headers": {"Retry-After": "300"}, "body": {}});
    world
        .on(
            "POST",
            &batch_path(),
            ResponseTemplate::new(200).set_body_json(json!({"responses": [item]})),
        )
        .await;
    let error = customer.mailboxes_at(&addresses(2)).await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Throttled { until: Some(_) }));
    // Neither the calls that would stand in for the item, nor anybody else's, are sent.
    let error = customer.policies().await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Throttled { until: Some(_) }));
    assert!(world.asked("InvokeCommand").await.is_empty());
}
