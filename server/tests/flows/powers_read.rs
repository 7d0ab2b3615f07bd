//! What a scan reads of powers, rights and owners, against what the cloud has of them.

use std::collections::BTreeSet;

use cloud::{
    Seed,
    permissions::Resource,
    world::{rights::Right, role_groups, tenant::Tenant},
};
use domain::reach::{MailboxRightKind, Meant, PartResult, Reading, ScanPart, Why};
use microsoft::Scan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::scans::{Fleet, Place};

/// What there is, in words that both sides can be compared by.
type Facts = BTreeSet<String>;

/// Read, or the tenant does not let it be read: then there is nothing to compare.
fn read<T>(reading: &Reading<T>) -> Option<&T> {
    reading.get().ok()
}

fn roles_there(tenant: &Tenant) -> Facts {
    let mut facts = Facts::new();
    for principal in tenant.principals.keys() {
        for grant in tenant.role_grants_reaching(*principal) {
            facts.insert(format!("{principal} {} {}", grant.role, grant.scope));
        }
    }
    facts
}

fn roles_seen(scan: &Scan) -> Option<Facts> {
    let roles = read(&scan.seen.powers.directory_roles)?;
    let fact = |role: &domain::reach::DirectoryRole| {
        format!("{} {} {}", role.principal, role.role, role.scope)
    };
    Some(roles.iter().map(fact).collect())
}

/// Of role groups whose roles do more than look.
fn members_there(tenant: &Tenant) -> Facts {
    let mut facts = Facts::new();
    for group in role_groups::all(tenant) {
        let decides = group
            .roles
            .iter()
            .any(|role| !role.starts_with("View-Only"));
        for member in group.members.iter().filter(|_| decides) {
            if tenant.principals.contains_key(member) {
                facts.insert(format!("{} {member}", group.name));
            }
        }
    }
    facts
}

fn members_seen(scan: &Scan) -> Option<Facts> {
    let mut facts = Facts::new();
    for group in read(&scan.seen.powers.role_groups)? {
        for member in read(&group.members)? {
            facts.insert(format!("{} {member}", group.name));
        }
    }
    Some(facts)
}

/// Of those that hold a protocol and to which Exchange points.
fn rights_there(tenant: &Tenant) -> Facts {
    let mut facts = Facts::new();
    for pointer in &tenant.exchange.pointers {
        let holds = tenant
            .app_roles_of(pointer.object_id, Resource::Exchange)
            .iter()
            .any(|role| {
                ["IMAP.", "POP.", "SMTP."]
                    .iter()
                    .any(|one| role.starts_with(one))
            });
        for entry in tenant.exchange.rights.iter().filter(|_| holds) {
            let known = matches!(entry.right, Right::FullAccess | Right::SendAs);
            if entry.holder == pointer.object_id && known && !entry.deny {
                let right = entry.right.name();
                facts.insert(format!("{} {right} {}", entry.holder, entry.mailbox));
            }
        }
    }
    facts
}

fn rights_seen(scan: &Scan) -> Option<Facts> {
    let rights = read(&scan.seen.rights.mailbox_rights)?;
    let fact = |one: &domain::reach::MailboxRight| {
        let right = match one.right {
            MailboxRightKind::FullAccess => "FullAccess",
            MailboxRightKind::SendAs => "SendAs",
        };
        format!("{} {right} {}", one.holder, one.mailbox)
    };
    Some(rights.iter().map(fact).collect())
}

/// Compares one customer; how many facts there were.
fn compare(place: &Place, tenant: &Tenant, scan: &Scan) -> usize {
    let mut facts = 0;
    for (what, there, seen) in [
        ("directory roles", roles_there(tenant), roles_seen(scan)),
        ("role groups", members_there(tenant), members_seen(scan)),
        ("rights", rights_there(tenant), rights_seen(scan)),
    ] {
        if let Some(seen) = seen {
            assert_eq!(seen, there, "{what} of {}", place.domain);
            facts += there.len();
        }
    }
    // The switch is read where somebody has a use for it, as it is.
    if let Some(ews) = read(&scan.seen.rights.ews) {
        let switches = &tenant.exchange.switches;
        assert_eq!(
            ews.enabled, switches.organisation.enabled,
            "{}",
            place.domain
        );
        let allowed = ews
            .allowed
            .as_ref()
            .map(|list| list.iter().map(|id| id.0).collect());
        assert_eq!(allowed, switches.allowed_app_ids, "{}", place.domain);
        facts += 1;
    }
    facts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_r01_what_a_scan_reads_of_powers_is_what_the_cloud_has() {
    let mut facts = 0;
    for seed in [Seed::Demo, Seed::Fleet(8)] {
        let fleet = Fleet::start(seed).await;
        fleet.settle();
        for place in fleet.places() {
            let scan = fleet.scan(&place).await;
            let parts: Vec<String> = scan
                .parts
                .iter()
                .map(|part| format!("{:?} {}", part.part, part.calls))
                .collect();
            println!(
                "{} ({}): {} calls: {}",
                place.domain,
                place.note,
                scan.calls,
                parts.join(", ")
            );
            facts += fleet.cloud.with_world(|world| {
                let tenant = world.tenants.get(place.id).expect("a tenant");
                compare(&place, tenant, &scan)
            });
            // Nothing new is unread where everything else is read.
            let refused = |part: ScanPart| {
                scan.parts
                    .iter()
                    .any(|one| one.part == part && matches!(one.result, PartResult::Unread { .. }))
            };
            if !refused(ScanPart::Policies) {
                let unread: Vec<ScanPart> = scan
                    .parts
                    .iter()
                    .filter(|one| match &one.result {
                        PartResult::Unread { why, .. } => !matches!(why, Why::NotLicensed { .. }),
                        PartResult::Read { .. } => false,
                    })
                    .map(|one| one.part)
                    .collect();
                assert!(unread.is_empty(), "{}: {unread:?}", place.domain);
            }
        }
    }
    assert!(facts > 0, "nothing was compared");
}

/// Fabrikam, where tests may make what they like.
async fn fabrikam() -> (Fleet, Place) {
    let fleet = Fleet::start(Seed::Demo).await;
    let place = fleet
        .places()
        .into_iter()
        .find(|place| place.domain == "fabrikam.example")
        .expect("Fabrikam");
    (fleet, place)
}

async fn control(fleet: &Fleet, what: &str, mut body: Value) -> Value {
    body["tenant"] = "fabrikam.example".into();
    let answer = reqwest::Client::new()
        .post(format!("{}/_cloud/{what}", fleet.cloud.url()))
        .json(&body)
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    let body: Value = answer.json().await.expect("JSON");
    assert!(status.is_success(), "{body}");
    body
}

fn object(made: &Value) -> domain::id::ObjectId {
    let text = made["object_id"].as_str().expect("an id");
    domain::id::ObjectId(text.parse::<Uuid>().expect("an id"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_r08_owners_outside_identities_and_agents_are_read_from_the_cloud() {
    let (fleet, place) = fabrikam().await;
    let app = |name: &str, mut fields: Value| {
        fields["name"] = name.into();
        control(&fleet, "applications", fields)
    };
    let keeper = app("Keeper", json!({})).await;
    let owned = app(
        "Owned",
        json!({"grants": ["graph:Mail.Send"], "owners": ["Keeper"],
            "federated": [{"name": "main", "issuer": "https://token.example", "subject": "repo:a"}]}),
    )
    .await;
    let blueprint = app(
        "Blueprint",
        json!({"grants": ["graph:Mail.Send"], "blueprint": [{"resource": "graph", "roles": true}]}),
    )
    .await;
    let agent = app("Agent", json!({"agent_of": "Blueprint"})).await;
    fleet.settle();
    let scan = fleet.scan(&place).await;
    let details = &scan.details[&object(&owned)];
    let owners = details
        .owners
        .as_ref()
        .and_then(|list| list.get().ok())
        .expect("owners");
    assert!(owners.iter().any(|owner| owner.object == object(&keeper)));
    let outside = details
        .federated
        .as_ref()
        .and_then(|list| list.get().ok())
        .expect("identities");
    assert_eq!(outside[0].subject.as_deref(), Some("repo:a"));
    let pair = |scan: &Scan| {
        let list = read(&scan.seen.powers.ownerships).expect("ownerships");
        list.iter()
            .any(|one| one.owner == object(&keeper) && one.owned == object(&owned))
    };
    assert!(pair(&scan));
    let inherited = read(&scan.seen.powers.inherited).expect("agents");
    assert_eq!(inherited.len(), 1);
    assert_eq!(inherited[0].principal, object(&agent));
    assert_eq!(inherited[0].blueprint, object(&blueprint));

    // The same, asked of the one application.
    let customer = fleet.customer(&place).await;
    let scan = customer.scan_application(object(&keeper)).await;
    assert!(pair(&scan));
    let scan = customer.scan_application(object(&agent)).await;
    assert_eq!(read(&scan.seen.powers.inherited).expect("agents").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b17_both_names_of_a_group_scope_lead_to_the_same_members() {
    let fleet = Fleet::start(Seed::Demo).await;
    fleet.settle();
    let scopes = |scan: &Scan| {
        let rows = scan.seen.assignments.get().ok().into_iter().flatten();
        let objects: Vec<_> = rows
            .filter_map(|row| match &row.scope {
                domain::reach::AssignmentScope::Group { object, .. } => Some(*object),
                _ => None,
            })
            .collect();
        objects
    };
    let mut compared = 0;
    for place in fleet.places() {
        let before = scopes(&fleet.scan(&place).await);
        assert!(before.iter().all(Option::is_some), "{}", place.domain);
        if before.is_empty() {
            continue;
        }
        let answer = reqwest::Client::new()
            .post(format!("{}/_cloud/tenants", fleet.cloud.url()))
            .json(&json!({"tenant": place.domain, "group_scopes": "automatic"}))
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success());
        assert_eq!(scopes(&fleet.scan(&place).await), before);
        compared += 1;
    }
    assert!(compared > 0, "nobody has a role for a group");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b13_a_policy_for_an_object_id_is_told_with_its_application() {
    let (fleet, place) = fabrikam().await;
    let (object, group) = fleet.cloud.with_world(|world| {
        let tenant = world.tenants.get(place.id).expect("a tenant");
        let mailer = tenant
            .principals
            .values()
            .find(|one| one.display_name == "Reception Mailer")
            .expect("a mailer");
        (mailer.id, place.domain.clone())
    });
    control(
        &fleet,
        "groups",
        json!({"name": "Only", "kind": "mail_security", "members": [format!("reception@{group}")]}),
    )
    .await;
    fleet.settle();
    let customer = fleet.customer(&place).await;
    let cmdlet = domain::cmdlet::Cmdlet::new("New-ApplicationAccessPolicy")
        .with("AppId", object.to_string())
        .with("PolicyScopeGroupId", "Only")
        .with("AccessRight", "RestrictAccess")
        .with("Description", "x");
    customer.run(&cmdlet).await.expect("a policy");
    fleet.settle();
    let scan = fleet.scan(&place).await;
    let stray = scan.seen.stray_policies.expect("looked up");
    let meant = Meant::Principal {
        object: domain::id::ObjectId(object),
    };
    assert!(stray.iter().any(|one| one.meant == Some(meant)));
}
