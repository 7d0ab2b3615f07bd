//! Who can sign in as an application without a secret of it, or give it one.

use domain::reach::{AppOwner, CredentialOf, OwnerKind, Ownership, Reading, ScanPart, Why};
use serde_json::{Value, json};

use super::tenant::*;
use crate::support::{TENANT, uuid};

fn with_owners(number: u32, owners: Value) -> Value {
    let mut body = an_application(number, "Scanner");
    body["appOwnerOrganizationId"] = json!(TENANT);
    body["owners"] = owners;
    body
}

fn registered(owners: Value) -> Value {
    json!({"id": uuid(700), "appId": uuid(SCANNER + 500), "keyCredentials": [],
        "passwordCredentials": [], "owners": owners})
}

#[tokio::test]
async fn reach_r08_owners_and_federated_identities_are_read_with_the_credentials() {
    let outside = json!({"value": [{"id": uuid(1), "name": "main", "issuer": "https://token.example",
        "subject": "repo:corp/x:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"]}]});
    let (world, scan) = Tenant::new()
        .graph(
            principal(SCANNER),
            200,
            with_owners(SCANNER, json!([owner("user", 60)])),
        )
        .graph(
            registration(SCANNER),
            200,
            registered(json!([owner("servicePrincipal", 7)])),
        )
        .graph(federated(SCANNER), 200, outside)
        .graph(principal(7), 200, an_application(7, "Deployer"))
        .scan()
        .await;
    let details = &scan.details[&object(SCANNER)];
    let Some(Reading::Read { value }) = &details.federated else {
        panic!("{:?}", details.federated);
    };
    assert_eq!(value[0].issuer, "https://token.example");
    assert_eq!(
        value[0].subject.as_deref(),
        Some("repo:corp/x:ref:refs/heads/main")
    );
    let one = |number: u32, of, kind| AppOwner {
        object: object(number),
        of,
        kind,
        name: Some(format!("Owner {number}")),
    };
    assert_eq!(
        details.owners,
        Some(Reading::read(vec![
            one(7, CredentialOf::Registration, OwnerKind::ServicePrincipal),
            one(60, CredentialOf::Principal, OwnerKind::User),
        ]))
    );
    // An application that owns another can sign in as it.
    assert_eq!(
        scan.seen.powers.ownerships,
        Reading::read(vec![Ownership {
            owner: object(7),
            owned: object(SCANNER),
        }])
    );
    assert!(scan.details.contains_key(&object(7)));
    // Of the vendor's, nobody could ask about the registration; none is not the same as not asked.
    let mailer = &scan.details[&object(MAILER)];
    assert_eq!(mailer.federated, None);
    assert_eq!(mailer.owners, Some(Reading::read(vec![])));
    // One request more than without: for the owner.
    assert_eq!(world.asked("v1.0/$batch").await.len(), 6);
}

#[tokio::test]
async fn reach_r08_twenty_owners_may_be_more() {
    let twenty: Vec<Value> = (100..120).map(|number| owner("user", number)).collect();
    let more: Vec<Value> = (100..121).map(|number| owner("user", number)).collect();
    let (_world, scan) = Tenant::new()
        .graph(principal(SCANNER), 200, with_owners(SCANNER, json!(twenty)))
        .graph(
            format!("{}/owners", principal(SCANNER)),
            200,
            json!({ "value": more }),
        )
        .scan()
        .await;
    let owners = scan.details[&object(SCANNER)].owners.clone().unwrap();
    assert_eq!(owners.get().unwrap().len(), 21);
}

#[tokio::test]
async fn reach_r08_what_was_not_read_is_not_empty() {
    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}});
    let (_world, scan) = Tenant::new()
        .graph(federated(SCANNER), 403, denied.clone())
        .scan()
        .await;
    let details = &scan.details[&object(SCANNER)];
    assert!(matches!(
        details.federated,
        Some(Reading::NotPermitted { .. })
    ));
    assert!(matches!(
        why(&scan, ScanPart::Federated),
        Why::NotPermitted { .. }
    ));
    assert!(scan.seen.powers.ownerships.is_read());

    // A Graph that does not tell owners along with an object is asked for them.
    let mut silent = with_owners(SCANNER, json!([]));
    silent.as_object_mut().unwrap().remove("owners");
    let (_world, scan) = Tenant::new()
        .graph(principal(SCANNER), 200, silent)
        .graph(format!("{}/owners", principal(SCANNER)), 403, denied)
        .scan()
        .await;
    let details = &scan.details[&object(SCANNER)];
    assert!(matches!(details.owners, Some(Reading::NotPermitted { .. })));
    assert!(matches!(
        scan.seen.powers.ownerships,
        Reading::NotPermitted { .. }
    ));
    assert!(matches!(
        why(&scan, ScanPart::Owners),
        Why::NotPermitted { .. }
    ));
    assert!(scan.seen.principals.is_read());
}

#[tokio::test]
async fn reach_r08_owners_of_owners_are_followed_and_circles_end() {
    let owned_by = |number: u32, by: u32| {
        let mut body = an_application(number, "Owner");
        body["owners"] = json!([owner("servicePrincipal", by)]);
        body
    };
    let (_world, scan) = Tenant::new()
        .graph(principal(MAILER), 200, owned_by(MAILER, 7))
        .graph(principal(7), 200, owned_by(7, 8))
        .graph(principal(8), 200, owned_by(8, 7))
        .scan()
        .await;
    let ownerships = scan.seen.powers.ownerships.get().unwrap();
    let pairs: Vec<_> = ownerships
        .iter()
        .map(|one| (one.owner, one.owned))
        .collect();
    assert_eq!(
        pairs,
        [
            (object(7), object(MAILER)),
            (object(7), object(8)),
            (object(8), object(7)),
        ]
    );
}
