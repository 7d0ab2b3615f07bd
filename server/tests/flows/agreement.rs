//! What Postern says an application reaches, against what the cloud lets it do: read a customer,
//! judge, and ask the cloud for every application, permission and mailbox.

mod around;
mod cases;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use cloud::{Seed, permissions::Resource};
use domain::{
    id::ObjectId,
    reach::{Judge, PartResult, Permission, Reach, Reading, Verdict},
};
use microsoft::Scan;
use uuid::Uuid;

use crate::support::{
    made_up, made_up_around,
    scans::{
        BY_REQUEST, DECIDED, Fleet, ON_EXCHANGE, Place, applications, asks, mailboxes, may_use,
        sends, token_of,
    },
};
use cases::{CASES, cases};
use tally::Tally;

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
        let line = || {
            format!(
                "{}: {application} {} on {mailbox}: {:?}, and the cloud {}: {:?}",
                self.domain,
                permission.value,
                live.verdict,
                if does { "let it" } else { "refused" },
                live.because,
            )
        };
        if !tally.single.note(live.verdict, does) {
            tally.wrong.push(line());
        }
        if live.verdict == Verdict::Unknown {
            tally.single.doubt(&live.because, &line);
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
    let mut tally = compared.tally;
    let around = fleet
        .cloud
        .with_world(|world| around::compare(world, place, &judge, &reach));
    tally.add(around);
    tally
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
            "{} ({}): {} calls; one by one {}; by way {}",
            place.domain, place.note, scan.calls, tally.single, tally.ways
        );
        let unread: Vec<_> = scan
            .parts
            .iter()
            .filter(|part| !matches!(part.result, PartResult::Read { .. }))
            .collect();
        for answers in [&tally.single, &tally.ways] {
            let documented = answers.unknown.0 + answers.unknown.1
                - answers.undocumented.values().sum::<usize>();
            assert!(
                documented == 0 || !unread.is_empty(),
                "{}: everything was read, and {documented} answers are not known",
                place.domain
            );
            assert!(answers.lazy.is_empty(), "{:?}", answers.lazy.first());
        }
        for case in cases(&scan.seen) {
            found.entry(case).or_default().push(place.domain.clone());
        }
        sum.add(tally);
    }
    println!(
        "{} pairs of an application and a mailbox, {} applications reach some and not others",
        sum.pairs.len(),
        sum.divided.len(),
    );
    println!("one by one: {}", sum.single);
    println!("by way: {}", sum.ways);
    println!(
        "kept out, and could make a way: {} named, {} not ruled out, {} applications; {} clients act for people",
        sum.made.named,
        sum.made.perhaps,
        sum.made.applications.len(),
        sum.delegated
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
    assert!(tally.single.allowed > 0 && tally.single.refused > 0);
    all_are_there(&found, &[]);
}

/// The same with a customer whose ways around every confinement hide.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_r01_the_reach_of_powers_is_what_the_cloud_does() {
    let fleet = Fleet::start(Seed::Powers).await;
    let (tally, _) = whole(&fleet).await;
    assert!(tally.made.named > 0 && tally.delegated > 0);
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
            made_up_around::complicate(tenant, seed + number);
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
