//! What Postern says an application reaches, against what the cloud lets it do: read a customer,
//! judge, and ask the cloud for every application, permission and mailbox.

use std::collections::{BTreeMap, BTreeSet};

use cloud::{Seed, permissions::Resource};
use domain::{
    application::AccessRight,
    id::ObjectId,
    reach::{AssignmentScope, Judge, Permission, Reach, Reading, Seen, Verdict},
};
use microsoft::Scan;
use uuid::Uuid;

use crate::support::{
    made_up,
    scans::{
        BY_REQUEST, DECIDED, Fleet, ON_EXCHANGE, Place, applications, asks, mailboxes, may_use,
        sends, token_of,
    },
};

/// What came of comparing.
#[derive(Debug, Default)]
struct Tally {
    allowed: usize,
    refused: usize,
    /// Of what Postern does not know, the cloud allowed so many and refused so many.
    unknown: (usize, usize),
    /// Application and mailbox, of applications that hold something.
    pairs: BTreeSet<(Uuid, Uuid)>,
    /// Applications that reach some mailboxes and not others.
    divided: BTreeSet<Uuid>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.unknown.0 += other.unknown.0;
        self.unknown.1 += other.unknown.1;
        self.pairs.extend(other.pairs);
        self.divided.extend(other.divided);
        self.wrong.extend(other.wrong);
    }
}

/// One application before the judge, and what the cloud did.
struct Compared<'a> {
    judge: &'a Judge<'a>,
    reach: &'a Reach,
    domain: &'a str,
    tally: Tally,
}

impl Compared<'_> {
    /// Compares the live judgement, and the one that is stored, with what the cloud does.
    fn note(&mut self, application: Uuid, permission: &Permission, mailbox: Uuid, does: bool) {
        let (application, mailbox) = (ObjectId(application), ObjectId(mailbox));
        let live = self.judge.may(application, permission, mailbox);
        let answer = self.reach.answer(application, permission);
        let stored = self.reach.verdict(answer, mailbox);
        let listed = self.reach.application(application).is_some_and(|found| {
            found
                .permissions
                .iter()
                .any(|one| one.permission == *permission)
        });
        let tally = &mut self.tally;
        match (live.verdict, does) {
            (Verdict::Allowed, true) => tally.allowed += 1,
            (Verdict::Refused, false) => tally.refused += 1,
            (Verdict::Unknown, true) => tally.unknown.0 += 1,
            (Verdict::Unknown, false) => tally.unknown.1 += 1,
            (verdict, _) => tally.wrong.push(format!(
                "{}: {application} {} on {mailbox}: {verdict:?}, and the cloud {}: {:?}",
                self.domain,
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
                self.domain, permission.value
            ));
        }
    }

    /// A request for which any of some permissions is enough.
    fn note_any(&mut self, application: Uuid, any: &[&'static str], mailbox: Uuid, does: bool) {
        let verdicts: Vec<Verdict> = any
            .iter()
            .map(|value| {
                let permission = Permission::graph(value);
                self.judge
                    .may(ObjectId(application), &permission, ObjectId(mailbox))
                    .verdict
            })
            .collect();
        let allowed = verdicts.contains(&Verdict::Allowed);
        let fits = allowed == does || (does && verdicts.contains(&Verdict::Unknown));
        if !fits {
            self.tally.wrong.push(format!(
                "{}: {application} asked for {any:?} of {mailbox}: {verdicts:?}, and the cloud: {does}",
                self.domain
            ));
        }
    }
}

/// Has every application use every permission in every mailbox.
fn compare(fleet: &Fleet, place: &Place, scan: &Scan) -> Tally {
    let judge = Judge::new(&scan.seen);
    let reach = judge.reach();
    let mut compared = Compared {
        judge: &judge,
        reach: &reach,
        domain: &place.domain,
        tally: Tally::default(),
    };
    fleet.cloud.with_world(|world| {
        let tenant = world.tenants.get(place.id).expect("a tenant");
        let (mailboxes, applications) = (mailboxes(tenant), applications(tenant));
        for (object, app_id, holds) in applications {
            let graph = token_of(world, place.id, app_id, Resource::Graph);
            let exchange = token_of(world, place.id, app_id, Resource::Exchange);
            let mut reached = BTreeSet::new();
            let mut note = |permission: Permission, mailbox: Uuid, does: bool| {
                compared.note(object, &permission, mailbox, does);
                if does {
                    reached.insert(mailbox);
                }
            };
            let graph = graph.as_deref();
            for (mailbox, value, does) in
                may_use(world, graph, Resource::Graph, &DECIDED, &mailboxes)
            {
                note(Permission::graph(value), mailbox, does);
            }
            let exchange = exchange.as_deref();
            for (mailbox, value, does) in may_use(
                world,
                exchange,
                Resource::Exchange,
                &ON_EXCHANGE,
                &mailboxes,
            ) {
                note(Permission::exchange(value), mailbox, does);
            }
            for mailbox in &mailboxes {
                let send = graph.is_some_and(|token| sends(world, token, *mailbox));
                note(Permission::graph("Mail.Send"), *mailbox, send);
            }
            // Each mailbox is read by one of the requests, each request reads every fourth.
            for (mailbox, (path, any)) in mailboxes.iter().zip(BY_REQUEST.iter().cycle()) {
                let does = graph.is_some_and(|token| asks(world, token, *mailbox, path));
                compared.note_any(object, any, *mailbox, does);
            }
            if holds {
                let pairs = mailboxes.iter().map(|mailbox| (object, *mailbox));
                compared.tally.pairs.extend(pairs);
            }
            if !reached.is_empty() && reached.len() < mailboxes.len() {
                compared.tally.divided.insert(object);
            }
        }
    });
    compared.tally
}

/// The cases of which a reach is made.
const CASES: [&str; 25] = [
    "a grant that no policy narrows",
    "grants on both resources",
    "full_access_as_app",
    "a legacy Outlook permission",
    "IMAP, POP or SMTP",
    "RestrictAccess",
    "DenyAccess",
    "a policy for every application",
    "several RestrictAccess policies of one application",
    "DenyAccess beside RestrictAccess",
    "a policy with a group in its group",
    "a composite role",
    "a role for the whole organisation",
    "a role with a management scope",
    "a role for a group",
    "a role for a group with a group in it",
    "a role for an administrative unit",
    "an exclusive scope",
    "a role that is switched off",
    "a scoped role beside a grant",
    "a principal that is switched off",
    "a managed identity",
    "no Exchange",
    "parts that may not be read",
    "an application of Microsoft's own",
];

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
        "{} pairs of an application and a mailbox, {} applications reach some and not others; {} answers allowed, {} refused, {:?} unknown",
        sum.pairs.len(),
        sum.divided.len(),
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

/// Every case that [`cases`] knows has somebody who stands for it.
fn all_are_there(found: &BTreeMap<&'static str, Vec<String>>, but: &[&str]) {
    let missing: Vec<&str> = CASES
        .into_iter()
        .filter(|case| !found.contains_key(case) && !but.contains(case))
        .collect();
    assert!(missing.is_empty(), "nobody has {missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reach_of_the_demo_is_what_the_cloud_does() {
    let fleet = Fleet::start(Seed::Demo).await;
    let (tally, found) = whole(&fleet).await;
    for (case, domains) in &found {
        println!("{case}: {}", domains.join(", "));
    }
    assert!(tally.pairs.len() >= 5_000, "{} pairs", tally.pairs.len());
    assert!(tally.divided.len() >= 8, "{} divided", tally.divided.len());
    assert!(tally.allowed > 0 && tally.refused > 0);
    all_are_there(&found, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reach_of_a_fleet_is_what_the_cloud_does() {
    // One round of the mix.
    let fleet = Fleet::start(Seed::Fleet(20)).await;
    let (tally, found) = whole(&fleet).await;
    assert!(tally.pairs.len() >= 2_000, "{} pairs", tally.pairs.len());
    all_are_there(&found, &[]);
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
    assert!(tally.pairs.len() >= 2_000, "{} pairs", tally.pairs.len());
    assert!(tally.divided.len() >= 20, "{} divided", tally.divided.len());
    // Twelve of the mix, with all rights, and with policies everywhere.
    let not_here = [
        "no Exchange",
        "parts that may not be read",
        "a grant that no policy narrows",
    ];
    all_are_there(&found, &not_here);
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
