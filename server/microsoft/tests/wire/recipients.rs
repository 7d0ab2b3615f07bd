//! Who has a name, and what stands on a group, as Exchange writes it.

use domain::{
    effects::AppearRight,
    id::ObjectId,
    plan::{Mailbox, MailboxKind},
};
use microsoft::{Customer, exchange::ExGroup};
use serde_json::{Value, json};
use wiremock::{Mock, Request, ResponseTemplate, matchers::method};

use crate::support::{NOT_FOUND, World, cmdlet_error, rows, uuid};

/// Answers each cmdlet with what `answer` says of its name and parameters.
async fn playing(
    answer: impl Fn(&str, &Value) -> ResponseTemplate + Send + Sync + 'static,
) -> (World, Customer) {
    let world = World::new().await;
    let customer = world.customer().await;
    Mock::given(method("POST"))
        .and(wiremock::matchers::path_regex("InvokeCommand"))
        .respond_with(move |request: &Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let input = &body["CmdletInput"];
            answer(input["CmdletName"].as_str().unwrap(), &input["Parameters"])
        })
        .mount(&world.server)
        .await;
    (world, customer)
}

fn nothing() -> ResponseTemplate {
    cmdlet_error(404, NOT_FOUND, "couldn't be found")
}

fn recipient(details: &str) -> Value {
    json!({
        "Name": "support", "Alias": "support", "DisplayName": "Support",
        "PrimarySmtpAddress": "help@fabrikam.example",
        "EmailAddresses": ["SMTP:help@fabrikam.example", "smtp:support@fabrikam.example"],
        "ExternalDirectoryObjectId": uuid(7), "RecipientTypeDetails": details,
    })
}

#[tokio::test]
async fn reach_m12_a_holder_is_found_by_any_address_and_by_its_name() {
    let (_world, customer) = playing(|_, _| rows(&json!([recipient("SharedMailbox")]))).await;
    let address = "support@fabrikam.example".parse().unwrap();
    let taken = customer.taken(&address, "free").await.unwrap().value;
    let taken = taken.unwrap();
    assert_eq!(taken.what, "support@fabrikam.example");
    assert_eq!(
        taken.by.told(),
        "the shared mailbox Support (help@fabrikam.example)"
    );
    let free = "free@fabrikam.example".parse().unwrap();
    let taken = customer.taken(&free, "SUPPORT").await.unwrap().value;
    assert_eq!(taken.unwrap().what, "SUPPORT");
    // A display name is nobody's alone; and what was not asked for is nobody's answer.
    let taken = customer.taken(&free, "free").await.unwrap().value;
    assert_eq!(taken, None);
}

/// Microsoft 365 groups come only where they are asked for (MICROSOFT.md §2.5).
#[tokio::test]
async fn reach_m12_a_microsoft_365_group_is_asked_for_by_its_kind() {
    let (_world, customer) = playing(|_, parameters| {
        if parameters["RecipientTypeDetails"] == json!(["GroupMailbox"]) {
            rows(&json!([recipient("GroupMailbox")]))
        } else {
            nothing()
        }
    })
    .await;
    let address = "support@fabrikam.example".parse().unwrap();
    let found = customer.recipient(&address).await.unwrap().value.unwrap();
    assert_eq!(found.details, "GroupMailbox");
    assert!(found.told().starts_with("the Microsoft 365 group"));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_nobodys() {
    let (_world, customer) = playing(|_, _| nothing()).await;
    let address = "support@fabrikam.example".parse().unwrap();
    assert_eq!(
        customer.taken(&address, "support").await.unwrap().value,
        None
    );
}

/// A read that fails otherwise does not make a name free.
#[tokio::test]
async fn a_name_that_could_not_be_asked_about_is_not_free() {
    let (_world, customer) =
        playing(|_, _| cmdlet_error(400, "Some.Exception", "Something broke.")).await;
    let address = "support@fabrikam.example".parse().unwrap();
    assert!(customer.taken(&address, "support").await.is_err());
}

fn group() -> ExGroup {
    ExGroup {
        object: Some(uuid(5).into()),
        guid: uuid(50),
        name: "robots20261123".to_owned(),
        display: "O'Neil robots".to_owned(),
        address: "robots@fabrikam.example".parse().unwrap(),
        dn: "CN=O'Neil robots,OU=x".to_owned(),
        details: "MailUniversalSecurityGroup".to_owned(),
        description: None,
        hidden: true,
        managed_by: Vec::new(),
        synced: false,
    }
}

#[tokio::test]
async fn reach_m15_roles_scopes_and_groups_that_name_a_group_are_found() {
    let (_world, customer) = playing(|name, parameters| match name {
        "Get-ManagementRoleAssignment" => rows(&json!([
            {"Name": "by-parameter", "RoleAssigneeType": "ServicePrincipal", "RecipientGroupScope": "O'Neil robots"},
            {"Name": "by-name", "RoleAssigneeType": "ServicePrincipal", "RecipientWriteScope": "Group", "CustomResourceScope": "robots20261123"},
            {"Name": "by-automatic-name", "RoleAssigneeType": "User", "RecipientWriteScope": "Group", "CustomResourceScope": format!("ROBOTS20261123_{}", uuid(9))},
            {"Name": "another", "RoleAssigneeType": "ServicePrincipal", "RecipientWriteScope": "Group", "CustomResourceScope": "robots"},
            {"Name": "for-all", "RoleAssigneeType": "ServicePrincipal", "RecipientWriteScope": "Organization"},
        ])),
        "Get-ManagementScope" => rows(&json!([
            {"Name": "by-dn", "RecipientFilter": "MemberOfGroup -eq 'cn=o'neil robots,ou=x'"},
            {"Name": "elsewhere", "RecipientFilter": "Department -eq 'robots'"},
        ])),
        "Get-Recipient" => {
            assert_eq!(parameters["Filter"], "Members -eq 'CN=O''Neil robots,OU=x'");
            rows(&json!([{"Name": "outer", "PrimarySmtpAddress": "outer@fabrikam.example"}]))
        }
        other => panic!("{other}"),
    })
    .await;
    let uses = customer.group_uses(&group()).await.unwrap().value;
    assert_eq!(
        uses.found,
        [
            "the role assignment by-parameter is limited to it",
            "the role assignment by-name is limited to it",
            "the role assignment by-automatic-name is limited to it",
            "the management scope by-dn takes in its members",
            "it is a member of the group outer@fabrikam.example",
        ]
    );
    assert!(uses.unread.is_empty());
}

#[tokio::test]
async fn reach_m15_what_may_not_be_read_is_said_and_trouble_on_the_way_is_an_error() {
    let (_world, customer) = playing(|name, _| match name {
        "Get-ManagementScope" => ResponseTemplate::new(403).set_body_bytes(vec![0; 64]),
        _ => rows(&json!([])),
    })
    .await;
    let uses = customer.group_uses(&group()).await.unwrap().value;
    assert!(uses.found.is_empty());
    let [(part, _)] = uses.unread.as_slice() else {
        panic!("{:?}", uses.unread)
    };
    assert_eq!(*part, "Management scopes");
}

/// A hint for words, where a token can be read; nothing where it cannot.
#[tokio::test]
async fn field_b24_a_token_that_cannot_be_read_tells_no_roles() {
    let world = World::new().await;
    let customer = world.customer().await;
    assert_eq!(customer.roles_in_token().await, None);
}

fn sender() -> Mailbox {
    Mailbox {
        object: ObjectId(uuid(7)),
        address: "service@fabrikam.example".parse().unwrap(),
        name: "Service".to_owned(),
        kind: MailboxKind::Shared,
    }
}

/// Rights of one trustee: what is its own, denied or not named counts for nothing.
#[tokio::test]
async fn field_b20_rights_of_a_mailbox_are_read_and_what_is_not_told_is_said() {
    let (_world, customer) = playing(|name, parameters| match name {
        "Get-RecipientPermission" => {
            assert_eq!(parameters["Trustee"], json!(uuid(7)));
            let right = |identity: &str, trustee: &str, kind: &str| {
                json!({"Identity": identity, "Trustee": trustee, "AccessRights": ["SendAs"],
                    "AccessControlType": kind})
            };
            rows(&json!([
                right("director", "service", "Allow"),
                right("everyone", "service", "Allow"),
                right("two of one name", "service", "Allow"),
                right("service", "NT AUTHORITY\\SELF", "Allow"),
                right("service", "service", "Allow"),
                right("payroll", "service", "Deny"),
            ]))
        }
        "Get-Recipient" => match parameters["Identity"].as_str().unwrap() {
            "director" => rows(&json!([{"Name": "director", "ExternalDirectoryObjectId": uuid(8),
                "PrimarySmtpAddress": "director@fabrikam.example"}])),
            // A group without an object in Entra.
            "everyone" => rows(&json!([{"Name": "everyone",
                "PrimarySmtpAddress": "everyone@fabrikam.example"}])),
            "service" => rows(&json!([{"Name": "service", "ExternalDirectoryObjectId": uuid(7),
                "PrimarySmtpAddress": "service@fabrikam.example"}])),
            _ => nothing(),
        },
        "Get-Mailbox" => rows(&json!([
            {"Name": "service", "ExternalDirectoryObjectId": uuid(7),
                "PrimarySmtpAddress": "service@fabrikam.example", "GrantSendOnBehalfTo": ["service"]},
            {"Name": "office", "ExternalDirectoryObjectId": uuid(9),
                "PrimarySmtpAddress": "office@fabrikam.example", "GrantSendOnBehalfTo": ["Service"]},
            {"Name": "payroll", "ExternalDirectoryObjectId": uuid(10),
                "PrimarySmtpAddress": "payroll@fabrikam.example",
                "GrantSendOnBehalfTo": ["office", "Board and assistants"]},
        ])),
        other => panic!("{other} was not needed"),
    })
    .await;
    let found = customer.appearances(&[sender()]).await.value;
    let told: Vec<(AppearRight, &str)> = found
        .found
        .iter()
        .map(|one| (one.right, one.other.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (AppearRight::SendAs, "director@fabrikam.example"),
            (AppearRight::SendAs, "everyone@fabrikam.example"),
            (AppearRight::SendAs, "two of one name"),
            (AppearRight::SendOnBehalf, "office@fabrikam.example"),
        ]
    );
    assert_eq!((found.asked, found.read.len()), (1, 2));
    let unread = found.unread.join(" ");
    assert!(
        unread.contains("On 1 of the customer's mailboxes"),
        "{unread}"
    );
}

#[tokio::test]
async fn field_b20_a_holder_that_exchange_does_not_know_is_not_one_without_rights() {
    let (_world, customer) = playing(|name, _| match name {
        "Get-Mailbox" => cmdlet_error(403, "", "Something new."),
        _ => nothing(),
    })
    .await;
    let found = customer.appearances(&[sender()]).await.value;
    assert!(found.found.is_empty());
    assert_eq!(found.read, []);
    let unread = found.unread.join(" ");
    assert!(
        unread.contains("does not know service@fabrikam.example"),
        "{unread}"
    );
    assert!(
        unread.contains("Send on Behalf of the permitted mailboxes could not be read"),
        "{unread}"
    );
}
