//! What Postern says an application reaches, against what the cloud lets it do: read a customer,
//! judge, and ask the cloud for every application, permission and mailbox.

use std::collections::{BTreeMap, BTreeSet};

use cloud::Seed;
use domain::{
    application::AccessRight,
    id::ObjectId,
    reach::{AssignmentScope, Judge, Permission, Reading, Seen, Verdict},
};
use microsoft::Scan;

use crate::support::{
    made_up,
    scans::{DECIDED, Fleet, Place, applications, mailboxes, may_use, sends, token_of},
};

/// What came of comparing.
#[derive(Debug, Default)]
struct Tally {
    allowed: usize,
    refused: usize,
    /// Of what Postern does not know, the cloud allowed so many and refused so many.
    unknown: (usize, usize),
    wrong: Vec<String>,
}

impl Tally {
    fn known(&self) -> usize {
        self.allowed + self.refused
    }

    fn add(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.unknown.0 += other.unknown.0;
        self.unknown.1 += other.unknown.1;
        self.wrong.extend(other.wrong);
    }
}

/// Compares the live judgement, and the one that is stored, with what the cloud does.
fn compare(fleet: &Fleet, place: &Place, scan: &Scan) -> Tally {
    let judge = Judge::new(&scan.seen);
    let reach = judge.reach();
    let mut tally = Tally::default();
    let mut note = |application: ObjectId, permission: &Permission, mailbox, does: bool| {
        let live = judge.may(application, permission, mailbox);
        let answer = reach.answer(application, permission);
        let stored = reach.verdict(answer, mailbox);
        let listed = reach.application(application).is_some_and(|found| {
            found
                .permissions
                .iter()
                .any(|one| one.permission == *permission)
        });
        match (live.verdict, does) {
            (Verdict::Allowed, true) => tally.allowed += 1,
            (Verdict::Refused, false) => tally.refused += 1,
            (Verdict::Unknown, true) => tally.unknown.0 += 1,
            (Verdict::Unknown, false) => tally.unknown.1 += 1,
            (verdict, _) => tally.wrong.push(format!(
                "{}: {application} {} on {mailbox}: {verdict:?}, and the cloud {}: {:?}",
                place.domain,
                permission.value,
                if does { "let it" } else { "refused" },
                live.because,
            )),
        }
        // What is stored of a permission that is not listed may be vaguer, never bolder.
        let bold = match stored {
            Verdict::Allowed => !does,
            Verdict::Refused => does,
            Verdict::Unknown => listed && live.verdict != Verdict::Unknown,
        };
        if bold {
            tally.wrong.push(format!(
                "{}: {application} {} on {mailbox} is stored as {stored:?}",
                place.domain, permission.value
            ));
        }
    };
    fleet.cloud.with_world(|world| {
        let tenant = world.tenants.get(place.id).expect("a tenant");
        let (mailboxes, applications) = (mailboxes(tenant), applications(tenant));
        for one in applications {
            let token = token_of(world, place.id, one.1);
            for mailbox in &mailboxes {
                let send = token
                    .as_deref()
                    .is_some_and(|token| sends(world, token, *mailbox));
                let mailbox_id = ObjectId(*mailbox);
                note(
                    ObjectId(one.0),
                    &Permission::graph("Mail.Send"),
                    mailbox_id,
                    send,
                );
                for permission in DECIDED {
                    let does = may_use(world, place.id, one, permission, *mailbox);
                    note(
                        ObjectId(one.0),
                        &Permission::graph(permission),
                        mailbox_id,
                        does,
                    );
                }
            }
        }
    });
    tally
}

/// The cases of which a reach is made, and whether a customer has them.
fn cases(seen: &Seen) -> Vec<&'static str> {
    let grants: Vec<_> = [&seen.graph_grants, &seen.exchange_grants]
        .into_iter()
        .filter_map(|list| list.get().ok())
        .flatten()
        .collect();
    let principals = seen.principals.get().map(Vec::as_slice).unwrap_or_default();
    let policies = seen.policies.get().map(Vec::as_slice).unwrap_or_default();
    let assignments = seen
        .assignments
        .get()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let scopes = seen.scopes.get().map(Vec::as_slice).unwrap_or_default();
    let on_exchange = |value: &[&str]| {
        seen.exchange_grants.get().is_ok_and(|list| {
            list.iter().any(|grant| {
                grant
                    .value
                    .as_deref()
                    .is_some_and(|held| value.contains(&held))
            })
        })
    };
    let nested = |object: Option<ObjectId>| {
        seen.groups
            .iter()
            .filter(|group| Some(group.object) == object)
            .any(|group| {
                group
                    .direct
                    .get()
                    .is_ok_and(|members| !members.groups.is_empty())
            })
    };
    let of = |right| policies.iter().filter(move |policy| policy.right == right);
    let scope = |fits: &dyn Fn(&AssignmentScope) -> bool| {
        assignments.iter().any(|assignment| fits(&assignment.scope))
    };
    let table: [(&'static str, bool); 24] = [
        (
            "a grant that no policy narrows",
            !grants.is_empty() && policies.is_empty(),
        ),
        (
            "grants on both resources",
            seen.graph_grants.get().is_ok_and(|list| !list.is_empty())
                && seen
                    .exchange_grants
                    .get()
                    .is_ok_and(|list| !list.is_empty()),
        ),
        ("full_access_as_app", on_exchange(&["full_access_as_app"])),
        (
            "a legacy Outlook permission",
            on_exchange(&["Calendars.ReadWrite.All"]),
        ),
        (
            "IMAP, POP or SMTP",
            on_exchange(&["IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp"]),
        ),
        (
            "RestrictAccess",
            of(AccessRight::RestrictAccess).next().is_some(),
        ),
        ("DenyAccess", of(AccessRight::DenyAccess).next().is_some()),
        (
            "a policy for every application",
            policies.iter().any(|policy| policy.app_id.is_none()),
        ),
        (
            "several RestrictAccess policies of one application",
            of(AccessRight::RestrictAccess).any(|one| {
                of(AccessRight::RestrictAccess)
                    .filter(|other| one.app_id == other.app_id)
                    .count()
                    > 1
            }),
        ),
        (
            "DenyAccess beside RestrictAccess",
            of(AccessRight::DenyAccess)
                .any(|one| of(AccessRight::RestrictAccess).any(|other| one.app_id == other.app_id)),
        ),
        (
            "a policy with a group in its group",
            policies.iter().any(|policy| nested(policy.scope_object)),
        ),
        (
            "a composite role",
            assignments
                .iter()
                .any(|one| one.role.ends_with("Full Access")),
        ),
        (
            "a role for the whole organisation",
            scope(&|scope| *scope == AssignmentScope::Organisation),
        ),
        (
            "a role with a management scope",
            scope(&|scope| matches!(scope, AssignmentScope::Custom { .. })),
        ),
        (
            "a role for a group",
            scope(&|scope| matches!(scope, AssignmentScope::Group { .. })),
        ),
        (
            "a role for a group with a group in it",
            scope(&|scope| match scope {
                AssignmentScope::Group { object, .. } => nested(*object),
                _ => false,
            }),
        ),
        (
            "a role for an administrative unit",
            scope(&|scope| matches!(scope, AssignmentScope::Unit { .. })),
        ),
        (
            "an exclusive scope",
            scopes.iter().any(|scope| scope.exclusive),
        ),
        (
            "a role that is switched off",
            assignments.iter().any(|one| !one.enabled),
        ),
        (
            "a scoped role beside a grant",
            assignments.iter().any(|one| {
                one.scope != AssignmentScope::Organisation
                    && grants
                        .iter()
                        .any(|grant| grant.principal.to_string() == one.assignee)
            }),
        ),
        (
            "a principal that is switched off",
            principals.iter().any(|one| one.enabled == Some(false)),
        ),
        (
            "a managed identity",
            principals
                .iter()
                .any(|one| one.kind == domain::reach::PrincipalKind::ManagedIdentity),
        ),
        ("no Exchange", seen.has_no_exchange()),
        (
            "parts that may not be read",
            !seen.policies.is_read() && !seen.has_no_exchange(),
        ),
    ];
    let first_party = principals.iter().any(|one| {
        one.owner_tenant
            .is_some_and(|owner| owner.0 == cloud::permissions::MICROSOFT_TENANT)
    });
    table
        .into_iter()
        .filter(|(_, here)| *here)
        .map(|(name, _)| name)
        .chain(first_party.then_some("an application of Microsoft's own"))
        .collect()
}

/// Reads and compares every customer.
async fn whole(fleet: &Fleet) -> (Tally, BTreeMap<&'static str, Vec<String>>) {
    fleet.settle();
    let mut sum = Tally::default();
    let mut found: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for place in fleet.places() {
        let scan = fleet.scan(&place).await;
        let tally = compare(fleet, &place, &scan);
        println!(
            "{} ({}): {} calls, {} allowed, {} refused, {:?} unknown",
            place.domain, place.note, scan.calls, tally.allowed, tally.refused, tally.unknown
        );
        if tally.unknown != (0, 0) {
            assert!(
                scan.parts
                    .iter()
                    .any(|part| !matches!(part.result, domain::reach::PartResult::Read { .. })),
                "{}: everything was read, and something is unknown",
                place.domain
            );
        }
        for case in cases(&scan.seen) {
            found.entry(case).or_default().push(place.domain.clone());
        }
        sum.add(tally);
    }
    println!(
        "{} pairs known ({} allowed, {} refused), {:?} unknown",
        sum.known(),
        sum.allowed,
        sum.refused,
        sum.unknown
    );
    assert!(
        sum.wrong.is_empty(),
        "{} disagree, the first:\n{}",
        sum.wrong.len(),
        sum.wrong
            .iter()
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    (sum, found)
}

/// Cases that no customer of the demo stands for yet: the made-up customers below do.
const NOT_IN_THE_DEMO: [&str; 12] = [
    "DenyAccess beside RestrictAccess",
    "a composite role",
    "a policy for every application",
    "a principal that is switched off",
    "a role for a group",
    "a role for a group with a group in it",
    "a role for an administrative unit",
    "a role for the whole organisation",
    "a role that is switched off",
    "an application of Microsoft's own",
    "an exclusive scope",
    "several RestrictAccess policies of one application",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reach_of_the_demo_is_what_the_cloud_does() {
    let fleet = Fleet::start(Seed::Demo).await;
    let (tally, found) = whole(&fleet).await;
    for (case, domains) in &found {
        println!("{case}: {}", domains.join(", "));
    }
    assert!(tally.known() >= 2_000, "only {} pairs", tally.known());
    assert!(tally.allowed > 0 && tally.refused > 0);
    for case in NOT_IN_THE_DEMO {
        assert!(!found.contains_key(case), "the demo has it now: {case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reach_of_a_fleet_is_what_the_cloud_does() {
    let fleet = Fleet::start(Seed::Fleet(5)).await;
    let (tally, _) = whole(&fleet).await;
    assert!(tally.known() >= 2_000, "only {} pairs", tally.known());
}

/// Customers with everything in them that a reach can be made of, put together by chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reach_of_made_up_customers_is_what_the_cloud_does() {
    let fleet = Fleet::start(Seed::Fleet(12)).await;
    let seed = std::env::var("POSTERN_AGREEMENT_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_261_124);
    println!("seed {seed}");
    for (place, number) in fleet.places().iter().zip(0..) {
        fleet.cloud.with_world(|world| {
            let tenant = world.tenants.get(place.id).expect("a tenant");
            made_up::complicate(tenant, seed + number);
        });
    }
    let (tally, found) = whole(&fleet).await;
    assert!(tally.known() >= 2_000, "only {} pairs", tally.known());
    let missing: BTreeSet<&str> = NOT_IN_THE_DEMO
        .into_iter()
        .filter(|case| !found.contains_key(case))
        .collect();
    assert!(missing.is_empty(), "nobody has {missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_customer_without_a_part_of_its_rights_is_unknown_and_not_safe() {
    let fleet = Fleet::start(Seed::Demo).await;
    fleet.settle();
    let places = fleet.places();
    let of = |note: &str| {
        let found = places.iter().find(|place| place.note.contains(note));
        found.unwrap_or_else(|| panic!("nobody is {note}")).clone()
    };
    let refused = fleet.scan(&of("no role in Exchange")).await;
    assert!(matches!(
        refused.seen.policies,
        Reading::NotPermitted { .. }
    ));
    assert!(refused.seen.graph_grants.is_read());
    let reach = Judge::new(&refused.seen).reach();
    assert!(!reach.without_exchange);
    assert!(!reach.applications.is_empty());
    assert!(
        reach
            .applications
            .iter()
            .all(|one| !one.level().is_safe() && one.name.is_some())
    );
    let nobody = ObjectId(uuid::Uuid::from_u128(7));
    let unlisted = reach.answer(nobody, &Permission::graph("Mail.Send"));
    assert!(!unlisted.level().is_safe(), "{unlisted:?}");

    let without = fleet.scan(&of("no Exchange licence")).await;
    assert!(without.seen.has_no_exchange(), "{:?}", without.parts);
    assert!(Judge::new(&without.seen).reach().without_exchange);
}
