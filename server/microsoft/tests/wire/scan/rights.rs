//! Rights on mailboxes and the EWS switch: asked for where somebody needs them, and never guessed.

use domain::{
    permission::Resource,
    reach::{EwsSwitch, MailboxRight, MailboxRightKind, PartResult, Reading, ScanPart},
};
use serde_json::{Value, json};

use super::tenant::*;
use crate::support::{cmdlet_error, rows, uuid};

const IMAP: u32 = 960;
const EWS: u32 = 961;

/// An application holds a role of Exchange.
fn with(principal: u32, role: u32) -> Tenant {
    let at = principal_path(Resource::Exchange);
    let roles = json!([{"id": uuid(IMAP), "value": "IMAP.AccessAsApp"},
        {"id": uuid(EWS), "value": "full_access_as_app"}]);
    Tenant::new()
        .graph(
            at.clone(),
            200,
            json!({"id": uuid(EXCHANGE), "appId": Resource::Exchange.app_id(), "appRoles": roles}),
        )
        .graph(
            format!("{at}/appRoleAssignedTo"),
            200,
            json!({"value": [held(principal, &uuid(role).to_string(), EXCHANGE)]}),
        )
}

fn right(mailbox: u32, right: MailboxRightKind) -> MailboxRight {
    MailboxRight {
        mailbox: object(mailbox),
        holder: object(SCANNER),
        right,
    }
}

fn permission(rights: Value, deny: bool) -> Value {
    json!([{"Identity": "x", "User": "somehow", "AccessRights": rights, "Deny": deny}])
}

#[tokio::test]
async fn field_b18_a_protocol_without_a_pointer_reaches_nothing_and_nobody_is_asked() {
    let (world, scan) = with(MAILER, IMAP).scan().await;
    assert_eq!(scan.seen.rights.mailbox_rights, Reading::read(vec![]));
    let asked = world.asked("adminapi").await;
    let text = |request: &wiremock::Request| String::from_utf8_lossy(&request.body).into_owned();
    assert!(
        !asked
            .iter()
            .any(|request| text(request).contains("Permission"))
    );
}

#[tokio::test]
async fn field_b18_rights_of_a_protocol_are_read_of_each_mailbox_and_of_the_trustee() {
    let (world, scan) = with(SCANNER, IMAP)
        .batched(
            "Get-MailboxPermission",
            uuid(RECEPTION),
            permission(json!(["FullAccess", "ReadPermission"]), false),
        )
        .batched(
            "Get-MailboxPermission",
            uuid(SALES),
            permission(json!(["FullAccess"]), true),
        )
        .cmdlet(
            "Get-RecipientPermission",
            rows(
                &json!([{"Identity": "sales", "Trustee": "somehow", "AccessRights": ["SendAs"],
                "AccessControlType": "Allow"}]),
            ),
        )
        .when(
            "Get-Recipient",
            "Identity",
            "sales",
            rows(&json!([{"Identity": "sales", "Name": "sales",
                "ExternalDirectoryObjectId": uuid(SALES)}])),
        )
        .scan()
        .await;
    assert_eq!(
        scan.seen.rights.mailbox_rights,
        Reading::read(vec![
            right(RECEPTION, MailboxRightKind::FullAccess),
            right(SALES, MailboxRightKind::SendAs),
        ])
    );
    // Both mailboxes in one request, asked for the holder alone: how it shows is not known.
    let batches = world.asked("adminapi/beta").await;
    let batches: Vec<_> = batches
        .iter()
        .filter(|request| request.url.path().ends_with("$batch"))
        .collect();
    assert_eq!(batches.len(), 1);
    let body: Value = batches[0].body_json().unwrap();
    for item in body["requests"].as_array().unwrap() {
        let user = &item["body"]["CmdletInput"]["Parameters"]["User"];
        assert_eq!(*user, json!(uuid(SCANNER)));
    }
}

#[tokio::test]
async fn field_b18_rights_that_were_not_read_are_not_none() {
    let refused = cmdlet_error(
        403,
        "",
        "is not present in the role definition of the current user",
    );
    let (_world, scan) = with(SCANNER, IMAP)
        .cmdlet("Get-MailboxPermission", refused.clone())
        .cmdlet("Get-RecipientPermission", rows(&json!([])))
        .scan()
        .await;
    let rights = &scan.seen.rights.mailbox_rights;
    assert!(matches!(rights, Reading::NotPermitted { .. }), "{rights:?}");

    // So many mailboxes are not asked for one by one, and it says so.
    let many: Vec<Value> = (10_000..10_201)
        .map(|number| {
            json!({"PrimarySmtpAddress": format!("m{number}@fabrikam.example"),
                "ExternalDirectoryObjectId": uuid(number)})
        })
        .collect();
    let (_world, scan) = with(SCANNER, IMAP)
        .cmdlet("Get-Mailbox", rows(&json!(many)))
        .scan()
        .await;
    let Reading::Failed { reason } = &scan.seen.rights.mailbox_rights else {
        panic!("{:?}", scan.seen.rights.mailbox_rights);
    };
    assert!(reason.contains("more than 200"), "{reason}");
    let PartResult::Unread { problem, .. } = result(&scan, ScanPart::MailboxRights) else {
        panic!("read");
    };
    assert!(!problem.todo.is_empty());
}

#[tokio::test]
async fn field_b18_of_one_application_the_mailboxes_are_listed_for_its_rights_alone() {
    let (_world, scan) = with(SCANNER, IMAP)
        .batched(
            "Get-MailboxPermission",
            uuid(SALES),
            permission(json!("FullAccess"), false),
        )
        .cmdlet("Get-RecipientPermission", rows(&json!([])))
        .scan_application(SCANNER)
        .await;
    assert_eq!(
        scan.seen.rights.mailbox_rights,
        Reading::read(vec![right(SALES, MailboxRightKind::FullAccess)])
    );
    assert!(!scan.seen.mailboxes.is_read());
}

async fn ews(row: Value) -> Reading<EwsSwitch> {
    let (_world, scan) = with(MAILER, EWS)
        .when(
            "Get-OrganizationConfig",
            "RetrieveEwsOperationAccessPolicy",
            "true",
            rows(&json!([row])),
        )
        .scan()
        .await;
    scan.seen.rights.ews
}

#[tokio::test]
async fn field_b05_the_switch_and_the_list_for_ews_are_read_as_they_are() {
    let id = "11111111-2222-4333-8444-555555555555";
    let other = "66666666-7777-4888-9999-aaaaaaaaaaaa";
    let ids = |text: &[&str]| Some(text.iter().map(|id| id.parse().unwrap()).collect());
    for (row, enabled, allowed) in [
        (
            json!({"EwsEnabled": null, "EwsAllowedAppIDs": null}),
            None,
            None,
        ),
        (
            json!({"EwsEnabled": false, "EwsAllowedAppIDs": null}),
            Some(false),
            None,
        ),
        (
            json!({"EwsEnabled": true, "EwsAllowedAppIDs": format!("{id}, {other}")}),
            Some(true),
            ids(&[id, other]),
        ),
        (
            json!({"EwsEnabled": true, "EwsAllowedAppIDs": ""}),
            Some(true),
            ids(&[]),
        ),
    ] {
        let switch = EwsSwitch { enabled, allowed };
        assert_eq!(ews(row).await, Reading::read(switch));
    }
    for row in [
        json!({"EwsEnabled": true}),
        json!({"EwsAllowedAppIDs": null}),
        json!({"EwsEnabled": true, "EwsAllowedAppIDs": "everybody"}),
    ] {
        let read = ews(row).await;
        assert!(matches!(read, Reading::Failed { .. }), "{read:?}");
    }
}

#[tokio::test]
async fn field_b05_a_tenant_that_refuses_the_parameter_is_not_read_and_not_off() {
    let refused = cmdlet_error(
        400,
        "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException",
        "Parameter set cannot be resolved using the specified named parameters.",
    );
    let (_world, scan) = with(MAILER, EWS)
        .cmdlet("Get-OrganizationConfig", refused)
        .scan()
        .await;
    assert!(matches!(scan.seen.rights.ews, Reading::Failed { .. }));
    assert!(matches!(
        result(&scan, ScanPart::Ews),
        PartResult::Unread { .. }
    ));

    // Where nobody needs it nobody asks, and it is not said to be anything.
    let (_world, scan) = with(MAILER, IMAP).scan().await;
    assert!(!scan.seen.rights.ews.is_read());
    assert!(!scan.parts.iter().any(|part| part.part == ScanPart::Ews));
}
