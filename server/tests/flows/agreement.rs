//! What Postern says an application reaches, against what the cloud lets it do: read a customer,
//! judge, and ask the cloud for every application, permission and mailbox.

mod around;
mod cases;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use cloud::{
    Seed,
    permissions::Resource,
    world::{
        directory::HiddenMembers,
        habits::{GroupScopeShape, Nesting, PrincipalShown},
        tenant::Tenant,
    },
};
use domain::{
    id::ObjectId,
    reach::{EwsSwitch, Judge, Members, PartResult, Permission, Reach, Reading, Seen, Verdict},
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
        tally.note(|tally| &mut tally.single, live.verdict, does, &line);
        if live.verdict == Verdict::Unknown {
            tally.single.doubt(&live.because, &line);
        }
        // What is stored of a permission that is not listed may be vaguer, never bolder.
        let line = || {
            format!(
                "{}: {application} {} on {mailbox} is stored as {stored:?}",
                self.domain, permission.value
            )
        };
        match (stored, does) {
            (Verdict::Allowed, false) => tally.overstated.push(line()),
            (Verdict::Refused, true) => tally.wrong.push(line()),
            (Verdict::Unknown, _) if listed && live.verdict != Verdict::Unknown => {
                tally.wrong.push(line());
            }
            _ => {}
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
        let line = format!(
            "{}: {application} asked for {any:?} of {mailbox}: {verdicts:?}, and the cloud: {does}",
            self.domain
        );
        match (Tally::any(verdicts), does) {
            (Verdict::Allowed, false) => self.tally.overstated.push(line),
            (Verdict::Refused, true) => self.tally.wrong.push(line),
            _ => {}
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
    let (tally, found) = safe(fleet).await;
    assert!(
        tally.overstated.is_empty(),
        "{} are called allowed and are refused, the first:\n{}",
        tally.overstated.len(),
        first(&tally.overstated)
    );
    (tally, found)
}

fn first(lines: &[String]) -> String {
    lines
        .iter()
        .take(10)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n")
}

/// The same, where it may be called allowed what is refused.
async fn safe(fleet: &Fleet) -> (Tally, BTreeMap<&'static str, Vec<String>>) {
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
        "kept out, and could make a way: {} named, {} not ruled out, {} applications, named beyond that: {:?}; \
         {} clients act for people; {} times into the mailbox of a group",
        sum.made.named,
        sum.made.perhaps,
        sum.made.applications.len(),
        sum.made.more,
        sum.delegated,
        sum.groups
    );
    assert!(
        sum.wrong.is_empty(),
        "{} disagree, the first:\n{}",
        sum.wrong.len(),
        first(&sum.wrong)
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
    all_are_there(&found, &["EWS for a list of applications"]);
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
    let not_here = ["EWS for a list of applications", "a right on a mailbox"];
    all_are_there(&found, &not_here);
}

const SEED: u64 = 20_261_124;

/// Customers with everything in them that a reach can be made of, put together by chance.
async fn made_up_fleet(size: usize, also: fn(&mut Tenant, u64)) -> Fleet {
    let seed = std::env::var("POSTERN_AGREEMENT_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(SEED);
    println!("seed {seed}");
    made_up_by(seed, size, also).await
}

async fn made_up_by(seed: u64, size: usize, also: fn(&mut Tenant, u64)) -> Fleet {
    let fleet = Fleet::start(Seed::Fleet(size)).await;
    for (place, number) in fleet.places().iter().zip(0..) {
        fleet.cloud.with_world(|world| {
            let tenant = world.tenants.get(place.id).expect("a tenant");
            made_up::complicate(tenant, seed + number);
            made_up_around::complicate(tenant, seed + number);
            also(tenant, number);
        });
    }
    fleet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reach_of_made_up_customers_is_what_the_cloud_does() {
    let fleet = made_up_fleet(12, |_, _| ()).await;
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
    assert!(tally.made.named > 0 && tally.delegated > 0 && tally.groups > 0);
}

/// Where the sources disagree, Microsoft may be either way (MICROSOFT.md §2.4, §2.6, §3.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reach_m05_the_reach_is_what_the_cloud_does_where_sources_disagree() {
    let fleet = made_up_fleet(8, |tenant, number| {
        let habits = &mut tenant.exchange.habits;
        match number {
            0 => habits.nesting = Nesting::SecurityOnly,
            1 => habits.nesting = Nesting::Ignored,
            2 => habits.group_scopes = GroupScopeShape::Automatic,
            3 => habits.principals = PrincipalShown::Name,
            4 => habits.principals = PrincipalShown::Sid,
            5 => habits.ews_unknown = true,
            // What is hidden is an empty list, or refused (MICROSOFT.md §7.5).
            hidden => {
                tenant.directory.hidden_units = tenant.units.keys().copied().collect();
                if hidden == 7 {
                    tenant.directory.hidden_members = HiddenMembers::Refused;
                }
            }
        }
    })
    .await;
    let (tally, _) = whole(&fleet).await;
    assert!(tally.pairs.len() >= 1_000, "{} pairs", tally.pairs.len());
}

/// What closes more than anybody can read: nobody is called kept out who is let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn field_b14_what_closes_unseen_makes_nobody_safe() {
    let fleet = made_up_fleet(4, |tenant, number| match number {
        0 | 1 => tenant.exchange.habits.app_rbac_required = true,
        _ => {
            tenant.exchange.habits.ews_empty_list_blocks = true;
            tenant.exchange.switches.organisation.enabled = Some(true);
            tenant.exchange.switches.allowed_app_ids = Some(Vec::new());
        }
    })
    .await;
    let (tally, _) = safe(&fleet).await;
    assert!(!tally.overstated.is_empty(), "nothing was closed unseen");
}

/// The comparison is worth something: it notices each part that is left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_comparison_notices_what_is_left_out() {
    // Of a seed that has something of each.
    let fleet = made_up_by(1, 2, |tenant, _| {
        tenant.exchange.switches.organisation.enabled = None;
    })
    .await;
    fleet.settle();
    let mut scans = Vec::new();
    for place in fleet.places() {
        let scan = fleet.scan(&place).await;
        scans.push((place, scan));
    }
    type Forget = fn(&mut Seen);
    let parts: [(&str, Forget); 9] = [
        ("directory roles", |seen| {
            seen.powers.directory_roles = Reading::read(Vec::new());
        }),
        ("role groups", |seen| {
            seen.powers.role_groups = Reading::read(Vec::new());
        }),
        ("grants at Graph", |seen| {
            seen.graph_grants = Reading::read(Vec::new());
        }),
        ("grants at Exchange", |seen| {
            seen.exchange_grants = Reading::read(Vec::new());
        }),
        ("role assignments", |seen| {
            seen.assignments = Reading::read(Vec::new());
        }),
        ("rights on mailboxes", |seen| {
            seen.rights.mailbox_rights = Reading::read(Vec::new());
        }),
        ("delegated grants", |seen| {
            seen.rights.delegated = Reading::read(Vec::new());
        }),
        ("the switch of EWS", |seen| {
            seen.rights.ews = Reading::read(EwsSwitch {
                enabled: Some(false),
                allowed: None,
            });
        }),
        ("members of groups", |seen| {
            for group in &mut seen.groups {
                group.direct = Reading::read(Members::default());
            }
        }),
    ];
    for (part, forget) in parts {
        let mut wrong = 0;
        for (place, scan) in &mut scans {
            let whole = scan.seen.clone();
            forget(&mut scan.seen);
            wrong += compare(&fleet, place, scan).wrong.len();
            scan.seen = whole;
        }
        println!("without {part}: {wrong} are wrong");
        assert!(wrong > 0, "nobody notices that {part} are missing");
    }
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
