//! Where a confinement ends: hidden and growing members, group mailboxes, names of groups, policies
//! that name something else.

use domain::reach::{AssignmentScope, MailboxKind, Meant, Reading, ScanPart, StrayPolicy, Why};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::tenant::*;
use crate::support::{TENANT, cmdlet_error, rows, uuid};

fn units(visibility: Value, membership: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"value": [{"id": uuid(UNIT),
        "displayName": "Shop", "visibility": visibility, "membershipType": membership,
        "membershipRule": "user.department -eq \"Shop\""}]}))
}

#[tokio::test]
async fn reach_r09_an_empty_list_of_a_hidden_unit_is_not_read() {
    let at = format!("/directory/administrativeUnits/{}/members", uuid(UNIT));
    let mut tenant = Tenant::new().graph(at, 200, json!({"value": []}));
    tenant.units = Some(units(json!("HiddenMembership"), Value::Null));
    let (_world, scan) = tenant.scan().await;
    let unit = &scan.seen.units[0];
    let Reading::NotPermitted { reason } = &unit.members else {
        panic!("{:?}", unit.members);
    };
    assert!(reason.contains("hides its members"), "{reason}");
    assert!(matches!(
        why(&scan, ScanPart::Units),
        Why::NotPermitted { .. }
    ));

    // Whoever sees them has them.
    let mut tenant = Tenant::new();
    tenant.units = Some(units(json!("HiddenMembership"), Value::Null));
    let (_world, scan) = tenant.scan().await;
    assert_eq!(
        scan.seen.units[0].members,
        Reading::read(vec![object(SALES)])
    );
    assert_eq!(scan.seen.units[0].rule, None);
}

#[tokio::test]
async fn reach_r03_units_and_groups_that_follow_a_rule_grow_by_themselves() {
    let at = format!("/groups/{}", uuid(GROUP));
    let body = json!({"id": uuid(GROUP), "displayName": "Board", "visibility": null,
        "groupTypes": ["Unified", "DynamicMembership"], "mailEnabled": true, "securityEnabled": false,
        "membershipRule": "user.accountEnabled -eq true"});
    let mail_security = json!({"id": uuid(SENDERS), "displayName": "Senders", "groupTypes": [],
        "mailEnabled": true, "securityEnabled": true});
    let mut tenant = Tenant::new().graph(at, 200, body).graph(
        format!("/groups/{}", uuid(SENDERS)),
        200,
        mail_security,
    );
    tenant.units = Some(units(Value::Null, json!("Dynamic")));
    let (_world, scan) = tenant.scan().await;
    let rule = scan.seen.units[0].rule.as_deref();
    assert_eq!(rule, Some("user.department -eq \"Shop\""));
    let of = |number: u32| {
        let group = scan
            .seen
            .groups
            .iter()
            .find(|one| one.object == object(number));
        group.unwrap()
    };
    assert_eq!(
        of(GROUP).rule.as_deref(),
        Some("user.accountEnabled -eq true")
    );
    assert_eq!(of(SENDERS).rule, None);
    // Who may change groups through Graph moves the boundary of the one, and not of the other.
    assert_eq!(of(GROUP).writable, Some(true));
    assert_eq!(of(SENDERS).writable, Some(false));
}

#[tokio::test]
async fn reach_r11_mailboxes_that_are_no_persons_are_told_apart() {
    let of = |number: u32, kind: &str| {
        json!({"PrimarySmtpAddress": format!("m{number}@fabrikam.example"),
            "ExternalDirectoryObjectId": uuid(number), "RecipientTypeDetails": kind})
    };
    let (_world, scan) = Tenant::new()
        .cmdlet(
            "Get-Mailbox",
            rows(&json!([
                of(RECEPTION, "SharedMailbox"),
                of(SALES, "UserMailbox"),
                of(56, "SchedulingMailbox")
            ])),
        )
        .when(
            "Get-Mailbox",
            "GroupMailbox",
            "true",
            rows(&json!([{"PrimarySmtpAddress": "finance@fabrikam.example",
                "ExternalDirectoryObjectId": uuid(55)}])),
        )
        .scan()
        .await;
    assert_eq!(
        scan.seen.special,
        Some(vec![
            (object(RECEPTION), MailboxKind::Shared),
            (object(55), MailboxKind::Group),
            (object(56), MailboxKind::Scheduling),
        ])
    );
    // Where Exchange does not tell, nobody guesses.
    let (_world, scan) = Tenant::new().scan().await;
    assert_eq!(scan.seen.special, None);
}

#[tokio::test]
async fn reach_r10_mailboxes_of_groups_belong_to_a_filter() {
    let kinds = json!(["GroupMailbox"]).to_string();
    let of_group = json!([{"PrimarySmtpAddress": "finance@fabrikam.example",
        "ExternalDirectoryObjectId": uuid(55)}]);
    let with_groups = || Tenant::new().when("Get-Mailbox", "GroupMailbox", "true", rows(&of_group));
    let (_world, scan) = with_groups()
        .when(
            "Get-Recipient",
            "RecipientTypeDetails",
            &kinds,
            rows(&of_group),
        )
        .scan()
        .await;
    let scopes = scan.seen.scopes.get().unwrap();
    assert_eq!(
        scopes[0].mailboxes,
        Reading::read(vec![object(RECEPTION), object(55)])
    );

    // Recipients cannot be filtered so: then mailboxes.
    let broken = || {
        cmdlet_error(
            400,
            "Microsoft.Exchange.Data.ParsingException",
            "not filterable",
        )
    };
    let (_world, scan) = with_groups()
        .when("Get-Recipient", "RecipientTypeDetails", &kinds, broken())
        .scan()
        .await;
    let scopes = scan.seen.scopes.get().unwrap();
    assert_eq!(
        scopes[0].mailboxes,
        Reading::read(vec![object(RECEPTION), object(55)])
    );

    // What was asked of one kind only is not the filter.
    let (_world, scan) = with_groups()
        .when("Get-Recipient", "RecipientTypeDetails", &kinds, no_role())
        .scan()
        .await;
    let scopes = scan.seen.scopes.get().unwrap();
    assert!(matches!(scopes[0].mailboxes, Reading::NotPermitted { .. }));
}

fn group_scope(name: &str) -> Tenant {
    let kind = row("group", "Application Mail.Send", "Group", name);
    Tenant::new().cmdlet("Get-ManagementRoleAssignment", rows(&json!([kind])))
}

fn resolved(name: &str, number: Option<u32>) -> AssignmentScope {
    AssignmentScope::Group {
        object: number.map(object),
        name: name.into(),
    }
}

#[tokio::test]
async fn field_b17_a_group_scope_is_found_by_name_and_by_the_name_of_an_automatic_scope() {
    let none = || rows(&json!([]));
    let group = || rows(&json!([a_group(SENDERS, "Senders")]));
    let automatic = format!("Senders_{}", uuid(44));
    let filter = format!("Name -eq '{automatic}'");
    for name in ["Senders", automatic.as_str()] {
        let (_world, scan) = group_scope(name)
            .when("Get-Recipient", "Filter", &filter, none())
            .when("Get-Recipient", "Identity", &automatic, none())
            .when("Get-Recipient", "Filter", "Name -eq 'Senders'", group())
            .scan()
            .await;
        assert_eq!(*scope_of(&scan, "group"), resolved(name, Some(SENDERS)));
        // Its members are read.
        assert!(
            scan.seen
                .groups
                .iter()
                .any(|one| one.object == object(SENDERS))
        );
    }
    // Another word for the group.
    let (_world, scan) = group_scope("The senders")
        .when("Get-Recipient", "Filter", "Name -eq 'The senders'", none())
        .when(
            "Get-Recipient",
            "Identity",
            "The senders",
            rows(&json!([{"Name": "Senders", "DisplayName": "The senders",
                "ExternalDirectoryObjectId": uuid(SENDERS)}])),
        )
        .scan()
        .await;
    assert_eq!(
        *scope_of(&scan, "group"),
        resolved("The senders", Some(SENDERS))
    );
}

#[tokio::test]
async fn field_b17_two_groups_of_one_name_are_not_told_apart() {
    let two = json!([a_group(SENDERS, "Senders"), a_group(GROUP, "Senders")]);
    let (_world, scan) = group_scope("Senders")
        .when("Get-Recipient", "Filter", "Name -eq 'Senders'", rows(&two))
        .scan()
        .await;
    assert_eq!(*scope_of(&scan, "group"), resolved("Senders", None));

    // The automatic scope of one of them says which, where its id is the group's.
    let automatic = format!("Senders_{}", uuid(GROUP + 1000));
    let none = || rows(&json!([]));
    let (_world, scan) = group_scope(&automatic)
        .when(
            "Get-Recipient",
            "Filter",
            format!("Name -eq '{automatic}'"),
            none(),
        )
        .when("Get-Recipient", "Identity", &automatic, none())
        .when("Get-Recipient", "Filter", "Name -eq 'Senders'", rows(&two))
        .scan()
        .await;
    assert_eq!(*scope_of(&scan, "group"), resolved(&automatic, Some(GROUP)));
}

#[tokio::test]
async fn field_b17_a_group_that_was_renamed_is_not_found_and_not_everybody() {
    let (_world, scan) = group_scope("Old name")
        .when(
            "Get-Recipient",
            "Filter",
            "Name -eq 'Old name'",
            rows(&json!([])),
        )
        .when("Get-Recipient", "Identity", "Old name", rows(&json!([])))
        .scan()
        .await;
    assert_eq!(*scope_of(&scan, "group"), resolved("Old name", None));
}

#[tokio::test]
async fn field_b13_a_policy_for_something_else_is_told_with_what_it_was_meant_for() {
    let policy = |number: u32| {
        json!({"Identity": format!("{TENANT}\\{}:S-1-5;{}", uuid(number), uuid(GROUP)),
            "AppId": uuid(number), "AccessRight": "RestrictAccess", "ScopeName": "Board",
            "ScopeIdentityRaw": format!("S-1-5;{}", uuid(GROUP)), "IsValid": true})
    };
    let small = |number: u32, app: u32, name: &str| json!({"id": uuid(number), "appId": uuid(app), "displayName": name});
    let (world, scan) = Tenant::new()
        .cmdlet(
            "Get-ApplicationAccessPolicy",
            rows(&json!([
                policy(MAILER + 500),
                policy(MAILER),
                policy(20),
                policy(701),
                policy(1234),
                policy(21 + 500)
            ])),
        )
        .graph(principal(20), 200, small(20, 520, "Quiet"))
        .graph(
            format!("/applications/{}", uuid(701)),
            200,
            small(701, 520, "Quiet"),
        )
        .graph(
            format!("/servicePrincipals(appId='{}')", uuid(521)),
            200,
            small(21, 521, "Holds nothing"),
        )
        .scan()
        .await;
    let found = scan.seen.stray_policies.as_ref().unwrap();
    let app = |number: u32| domain::id::AppId(uuid(number));
    let of = |number: u32| -> Option<&StrayPolicy> {
        found.iter().find(|one| one.app_id == app(number))
    };
    assert_eq!(of(MAILER + 500), None, "it names an application");
    let principal = |number: u32| {
        Some(Meant::Principal {
            object: object(number),
        })
    };
    assert_eq!(of(MAILER).unwrap().meant, principal(MAILER));
    assert_eq!(of(20).unwrap().meant, principal(20));
    let registration = Meant::Registration { app_id: app(520) };
    assert_eq!(of(701).unwrap().meant, Some(registration));
    assert_eq!(of(1234).unwrap().meant, None);
    assert!(of(1234).unwrap().identity.contains(&uuid(1234).to_string()));
    assert_eq!(of(521), None, "it names an application that holds nothing");
    // All of them in one request.
    assert_eq!(world.asked("v1.0/$batch").await.len(), 6);
}

#[tokio::test]
async fn field_b13_what_was_not_looked_up_is_not_a_leftover() {
    let stray = json!({"Identity": format!("{TENANT}\\{}:S-1-5;{}", uuid(1234), uuid(GROUP)),
        "AppId": uuid(1234), "AccessRight": "RestrictAccess", "ScopeName": "Board",
        "ScopeIdentityRaw": format!("S-1-5;{}", uuid(GROUP)), "IsValid": true});
    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}});
    let (_world, scan) = Tenant::new()
        .cmdlet("Get-ApplicationAccessPolicy", rows(&json!([stray])))
        .graph(format!("/applications/{}", uuid(1234)), 403, denied)
        .scan()
        .await;
    assert_eq!(scan.seen.stray_policies, None);
    assert!(matches!(
        why(&scan, ScanPart::PolicyTargets),
        Why::NotPermitted { .. }
    ));
}

#[tokio::test]
async fn field_b15_direct_and_nested_members_of_a_policys_group_are_both_read() {
    let (_world, scan) = Tenant::new().scan().await;
    let group = scan
        .seen
        .groups
        .iter()
        .find(|one| one.object == object(GROUP))
        .unwrap();
    assert_eq!(group.direct.get().unwrap().recipients, [object(RECEPTION)]);
    let nested = group.nested.as_ref().unwrap();
    assert_eq!(
        *nested,
        Reading::read(vec![object(RECEPTION), object(SALES)])
    );
}
