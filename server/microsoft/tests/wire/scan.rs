//! What a scan of a customer reads, and in how many calls.

mod boundary;
mod owners;
mod powers;
mod rights;
mod tenant;
mod unread;

use domain::{
    Timestamp,
    permission::Resource,
    reach::{AssignmentScope, CredentialKind, CredentialOf, PartResult, Reading, ScanPart, Why},
};
use serde_json::{Value, json};

use self::tenant::*;
use crate::support::{NOT_FOUND, World, cmdlet_error, rows, uuid};

#[tokio::test]
async fn everything_is_read_in_few_calls() {
    let (world, scan) = Tenant::new().scan().await;
    for part in &scan.parts {
        assert!(matches!(part.result, PartResult::Read { .. }), "{part:?}");
    }
    let seen = &scan.seen;
    assert!(!seen.all_principals);
    let grants = seen.graph_grants.get().unwrap();
    assert_eq!(grants.len(), 1, "what decides nothing is left out");
    assert_eq!(grants[0].value.as_deref(), Some("Mail.Send"));
    assert_eq!(seen.exchange_grants, Reading::read(Vec::new()));
    assert_eq!(seen.principals.get().unwrap().len(), 2);
    assert_eq!(
        seen.mailboxes,
        Reading::read(vec![object(RECEPTION), object(SALES)])
    );

    assert_eq!(*scope_of(&scan, "all"), AssignmentScope::Organisation);
    assert_eq!(
        *scope_of(&scan, "unit"),
        AssignmentScope::Unit {
            object: object(UNIT)
        }
    );
    assert_eq!(
        *scope_of(&scan, "odd"),
        AssignmentScope::Other {
            text: "MyGal".into()
        }
    );
    let group = AssignmentScope::Group {
        object: Some(object(SENDERS)),
        name: "Senders".into(),
    };
    assert_eq!(*scope_of(&scan, "group"), group);
    assert_eq!(seen.assignments.get().unwrap().len(), 5);

    let scopes = seen.scopes.get().unwrap();
    assert_eq!(scopes.len(), 1, "only what an assignment names");
    assert_eq!(scopes[0].mailboxes, Reading::read(vec![object(RECEPTION)]));
    assert_eq!(seen.units[0].members, Reading::read(vec![object(SALES)]));
    assert_eq!(seen.groups.len(), 2);
    for group in &seen.groups {
        let direct = group.direct.get().unwrap();
        assert_eq!(direct.recipients, [object(RECEPTION)]);
        assert_eq!(direct.groups, [object(39)]);
        let nested = group.nested.as_ref().unwrap();
        assert_eq!(
            *nested,
            Reading::read(vec![object(RECEPTION), object(SALES)])
        );
    }

    assert_eq!(scan.names[&object(RECEPTION)], "reception@fabrikam.example");
    assert_eq!(scan.names[&object(GROUP)], "board@fabrikam.example");
    assert_eq!(scan.names[&object(UNIT)], "Shop");
    let details = &scan.details[&object(SCANNER)];
    assert_eq!(details.verified_publisher.as_deref(), Some("Somebody Ltd"));
    assert_eq!(details.notes.as_deref(), Some("ask Ida"));
    assert_eq!(details.created_at, Some(Timestamp(1_709_280_000_000)));
    let kinds: Vec<_> = details
        .credentials
        .iter()
        .map(|one| (one.kind, one.of))
        .collect();
    // The one that ends first stands first.
    assert_eq!(
        kinds,
        [
            (CredentialKind::Secret, CredentialOf::Registration),
            (CredentialKind::Certificate, CredentialOf::Principal)
        ]
    );
    assert_eq!(scan.details[&object(MAILER)].credentials.len(), 1);

    // What needs nothing, groups, members of units, principals, registrations; the list of units.
    assert_eq!(world.asked("$batch").await.len(), 5);
    // With the members of a role group, because Exchange points to an application.
    assert_eq!(world.asked("InvokeCommand").await.len(), 9);
    assert_eq!(scan.calls, 15);
}

#[tokio::test]
async fn of_one_application_only_what_decides_about_it_is_read() {
    let (world, scan) = Tenant::new().scan_application(SCANNER).await;
    let principals = scan.seen.principals.get().unwrap();
    assert_eq!(principals.len(), 1);
    assert_eq!(principals[0].object, object(SCANNER));
    assert!(scan.seen.policies.is_read() && scan.seen.assignments.is_read());
    assert!(!scan.seen.mailboxes.is_read(), "nobody asked for them");
    assert!(!scan.seen.has_no_exchange());
    for part in &scan.parts {
        assert!(matches!(part.result, PartResult::Read { .. }), "{part:?}");
        assert_ne!(part.part, ScanPart::Mailboxes);
        assert_ne!(part.part, ScanPart::Registrations);
    }
    // What needs nothing, groups, members of units, the principal; without two lists of mailboxes and
    // the registrations.
    assert_eq!(world.asked("$batch").await.len(), 4);
    // With the members of a role group; and the filter of the scope is asked of group mailboxes too, because
    // nobody knows whether there are any.
    assert_eq!(world.asked("InvokeCommand").await.len(), 8);
}

#[tokio::test]
async fn nothing_is_asked_for_that_nothing_names() {
    let none = rows(&json!([]));
    let at = format!("{}/appRoleAssignedTo", principal_path(Resource::Graph));
    let (world, scan) = Tenant::new()
        .cmdlet("Get-ApplicationAccessPolicy", none.clone())
        .cmdlet("Get-ManagementRoleAssignment", none.clone())
        .cmdlet("Get-ServicePrincipal", none)
        .graph(at, 200, json!({"value": []}))
        .scan()
        .await;
    assert!(scan.seen.scopes.is_read() && scan.seen.principals.is_read());
    assert!(scan.seen.groups.is_empty() && scan.seen.units.is_empty());
    assert_eq!(world.asked("$batch").await.len(), 1);
    assert_eq!(scan.calls, 6);
}

#[tokio::test]
async fn what_somebody_removed_meanwhile_is_left_out() {
    let gone = json!({"error": {"code": "Request_ResourceNotFound", "message": "gone"}});
    let (_world, scan) = Tenant::new()
        .graph(
            format!("/servicePrincipals/{}", uuid(MAILER)),
            404,
            gone.clone(),
        )
        .graph(format!("/groups/{}", uuid(GROUP)), 404, gone)
        .when(
            "Get-Recipient",
            "Filter",
            "Name -eq 'Senders'",
            rows(&json!([])),
        )
        .when(
            "Get-Recipient",
            "Identity",
            "Senders",
            cmdlet_error(400, NOT_FOUND, "couldn't be found"),
        )
        .scan()
        .await;
    assert_eq!(scan.seen.principals.get().unwrap().len(), 1);
    assert!(scan.seen.groups.is_empty());
    let nowhere = AssignmentScope::Group {
        object: None,
        name: "Senders".into(),
    };
    assert_eq!(*scope_of(&scan, "group"), nowhere);
}

#[tokio::test]
async fn a_filter_that_recipients_do_not_have_is_asked_of_mailboxes() {
    let broken = cmdlet_error(
        400,
        "Microsoft.Exchange.Data.ParsingException",
        "not a filterable property",
    );
    let (world, scan) = Tenant::new()
        .cmdlet("Get-Recipient", broken.clone())
        .scan()
        .await;
    let scopes = scan.seen.scopes.get().unwrap();
    assert_eq!(
        scopes[0].mailboxes,
        Reading::read(vec![object(RECEPTION), object(SALES)])
    );
    let asked = world.asked("InvokeCommand").await;
    let filters = asked
        .iter()
        .map(|request| request.body_json::<Value>().unwrap())
        .filter(|body| body["CmdletInput"]["Parameters"]["Filter"] == "Title -eq 'Front'");
    assert_eq!(filters.count(), 2);

    let (_world, scan) = Tenant::new()
        .cmdlet("Get-Recipient", broken)
        .cmdlet("Get-Mailbox", no_role())
        .scan()
        .await;
    let scopes = scan.seen.scopes.get().unwrap();
    assert!(matches!(scopes[0].mailboxes, Reading::NotPermitted { .. }));
    assert!(matches!(
        why(&scan, ScanPart::Scopes),
        Why::NotPermitted { .. }
    ));
}

#[tokio::test]
async fn a_scope_without_a_filter_does_not_become_everybody() {
    let scope = |filter: &str, root: &str| {
        rows(
            &json!([{"Name": "Front", "ScopeRestrictionType": "RecipientScope", "Exclusive": false,
            "RecipientRoot": root, "RecipientFilter": filter}]),
        )
    };
    for (filter, root) in [("", ""), ("Title -eq 'x'", "fabrikam.example/Shop")] {
        let (world, scan) = Tenant::new()
            .cmdlet("Get-ManagementScope", scope(filter, root))
            .scan()
            .await;
        let scopes = scan.seen.scopes.get().unwrap();
        assert!(matches!(scopes[0].mailboxes, Reading::Failed { .. }));
        let asked = world.asked("InvokeCommand").await;
        let recipients = asked
            .iter()
            .map(|request| request.body_json::<Value>().unwrap()["CmdletInput"].clone())
            .filter(|input| input["CmdletName"] == "Get-Recipient");
        // Only the group of another assignment is asked for, by its name.
        for input in recipients {
            assert_eq!(input["Parameters"]["Filter"], "Name -eq 'Senders'");
        }
    }
}

#[tokio::test]
async fn units_of_one_name_are_not_told_apart_by_guessing() {
    let twin = rows(&json!([row(
        "unit",
        "Application Mail.Send",
        "AdministrativeUnit",
        "Twin"
    )]));
    let (_world, scan) = Tenant::new()
        .cmdlet("Get-ManagementRoleAssignment", twin)
        .scan()
        .await;
    assert_eq!(
        *scope_of(&scan, "unit"),
        AssignmentScope::Other {
            text: "Twin".into()
        }
    );
}

#[tokio::test]
async fn a_graph_that_lacks_a_property_is_asked_without_choosing() {
    let mut tenant = Tenant::new();
    tenant.lacks = Some("createdDateTime");
    let (world, scan) = tenant.scan().await;
    assert_eq!(scan.seen.principals.get().unwrap().len(), 2);
    assert_eq!(scan.details.len(), 2);
    assert_eq!(world.asked("$batch").await.len(), 6);
}

/// Workers read customers in tasks of their own.
#[tokio::test]
async fn a_scan_can_move_between_threads() {
    fn moves<T: Send>(value: T) -> T {
        value
    }
    let world = World::new().await;
    let customer = world.customer().await;
    Tenant::new().on(&world).await;
    let scan = moves(customer.scan()).await;
    assert_eq!(scan.seen.mailboxes.get().unwrap().len(), 2);
}
