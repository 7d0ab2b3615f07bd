//! Every way into every mailbox, those of groups included, and what an application could make of
//! what it holds: against what the cloud says of both.

use std::collections::{BTreeMap, BTreeSet};

use cloud::{permissions::Resource, world::World};
use domain::{
    id::ObjectId,
    reach::{Judge, Level, Note, Permission, Reach, Verdict},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::tally::Tally;
use crate::support::scans::{Place, applications, ask, every_mailbox};

/// The cloud's name of a way, and the permissions of which any opens it.
const WAYS: [(&str, Resource, &[&str]); 6] = [
    ("graph_send", Resource::Graph, &["Mail.Send"]),
    (
        "graph_read",
        Resource::Graph,
        &[
            "Mail.Read",
            "Mail.ReadWrite",
            "Mail.ReadBasic",
            "Mail.ReadBasic.All",
        ],
    ),
    ("ews", Resource::Exchange, &["full_access_as_app"]),
    ("imap", Resource::Exchange, &["IMAP.AccessAsApp"]),
    ("pop", Resource::Exchange, &["POP.AccessAsApp"]),
    ("smtp", Resource::Exchange, &["SMTP.SendAsApp"]),
];

fn permission(resource: Resource, value: &'static str) -> Permission {
    match resource {
        Resource::Graph => Permission::graph(value),
        Resource::Exchange => Permission::exchange(value),
    }
}

/// Compares one customer.
pub fn compare(world: &mut World, place: &Place, judge: &Judge<'_>, reach: &Reach) -> Tally {
    let mut tally = Tally::default();
    delegated(world, place, reach, &mut tally);
    let tenant = world.tenants.get(place.id).expect("a tenant");
    let (applications, mailboxes) = (applications(tenant), every_mailbox(tenant));
    let groups: BTreeSet<Uuid> = tenant.groups.keys().copied().collect();
    let body = json!({
        "tenant": place.id, "could": true, "mailboxes": mailboxes,
        "applications": applications.iter().map(|(_, app_id, _)| app_id).collect::<Vec<_>>(),
    });
    let said = ask(world, "/_cloud/probe", &body);
    if said["error"] == "the tenant has no mailboxes" {
        assert!(reach.without_exchange, "{}", place.domain);
        return tally;
    }
    // Who is let in, or cannot be kept out, by any permission.
    let reached: BTreeMap<Uuid, BTreeMap<ObjectId, Verdict>> = mailboxes
        .iter()
        .map(|mailbox| {
            let mut worst: BTreeMap<ObjectId, Verdict> = BTreeMap::new();
            for access in judge.who(ObjectId(*mailbox)) {
                let known = worst.entry(access.application).or_insert(Verdict::Refused);
                *known = access.may.verdict.min(*known);
            }
            (*mailbox, worst)
        })
        .collect();
    for (object, app_id, holds) in applications {
        let (may, powers) = (
            &said["may"][app_id.to_string()],
            &said["powers"][app_id.to_string()],
        );
        assert!(may.is_object() && powers.is_object(), "{said}");
        for mailbox in &mailboxes {
            if holds {
                tally.pairs.insert((object, *mailbox));
            }
            let key = mailbox.to_string();
            let open = may[&key].as_object().expect("ways").values();
            if groups.contains(mailbox) && open.into_iter().any(|open| open == true) {
                tally.groups += 1;
            }
            ways(
                judge, reach, place, object, *mailbox, &may[&key], &mut tally,
            );
            let could = powers["could"][&key].as_bool().expect("an answer");
            let verdict = reached[mailbox].get(&ObjectId(object)).copied();
            let verdict = verdict.unwrap_or(Verdict::Refused);
            made(reach, place, object, *mailbox, verdict, could, &mut tally);
        }
        named(reach, place, object, powers, &mut tally);
    }
    tally
}

fn ways(
    judge: &Judge<'_>,
    reach: &Reach,
    place: &Place,
    object: Uuid,
    mailbox: Uuid,
    may: &Value,
    tally: &mut Tally,
) {
    let (application, mailbox) = (ObjectId(object), ObjectId(mailbox));
    for (way, resource, values) in WAYS {
        let does = may[way].as_bool().expect("an answer");
        let mut because = Vec::new();
        let verdicts: Vec<Verdict> = values
            .iter()
            .map(|value| {
                let may = judge.may(application, &permission(resource, value), mailbox);
                because.extend(may.because);
                may.verdict
            })
            .collect();
        let verdict = Tally::any(verdicts);
        let line = || {
            format!(
                "{}: {application} by {way} into {mailbox}: {verdict:?}, and the cloud {}: {because:?}",
                place.domain,
                if does { "let it" } else { "refused" },
            )
        };
        tally.note(|tally| &mut tally.ways, verdict, does, &line);
        if verdict == Verdict::Unknown {
            tally.ways.doubt(&because, &line);
        }
        let stored = Tally::any(values.iter().map(|value| {
            reach.verdict(
                reach.answer(application, &permission(resource, value)),
                mailbox,
            )
        }));
        let line = || {
            format!(
                "{}: {application} by {way} into {mailbox} is stored as {stored:?}",
                place.domain
            )
        };
        match (stored, does) {
            (Verdict::Allowed, false) => tally.overstated.push(line()),
            (Verdict::Refused, true) => tally.wrong.push(line()),
            _ => {}
        }
    }
}

/// Whoever could make itself a way in is let in, or called one that goes around, or not known.
fn made(
    reach: &Reach,
    place: &Place,
    object: Uuid,
    mailbox: Uuid,
    verdict: Verdict,
    could: bool,
    tally: &mut Tally,
) {
    let found = reach.application(ObjectId(object));
    let powers = match found {
        Some(application) => application.powers.level(),
        None if reach.powers_unseen.is_empty() => Level::Nothing,
        None => Level::Unknown,
    };
    let level = found.map_or(reach.unlisted_level(), |application| application.level());
    let proven_or_confined = level.is_safe() || level == Level::AllExcept;
    match (could, verdict, powers) {
        (true, Verdict::Allowed, _) => {}
        (true, _, Level::Power) => {
            tally.made.named += 1;
            tally.made.applications.insert(object);
        }
        (true, _, Level::Unknown) | (true, Verdict::Unknown, _) => tally.made.perhaps += 1,
        (true, Verdict::Refused, _) => tally.wrong.push(format!(
            "{}: {object} could make itself a way into {mailbox}, and is called {level:?}",
            place.domain
        )),
        (false, _, Level::Power) => {
            let held = found.into_iter().flat_map(|one| &one.powers.held);
            for power in held.filter(|power| !power.perhaps) {
                let words = format!("{} by {}", power.kind.words(), power.from.words());
                *tally.made.more.entry(words).or_default() += 1;
            }
        }
        (false, ..) => {}
    }
    if could && verdict != Verdict::Allowed && proven_or_confined {
        tally.wrong.push(format!(
            "{}: {object} is called {level:?}, and could reach {mailbox}",
            place.domain
        ));
    }
}

/// What the cloud calls a power has a name here or a reason why it counts for nothing, and what is
/// called a power for certain is one.
fn named(reach: &Reach, place: &Place, object: Uuid, powers: &Value, tally: &mut Tally) {
    let theirs: BTreeSet<&str> = powers["powers"]
        .as_array()
        .expect("powers")
        .iter()
        .map(|power| power["by"].as_str().expect("a name"))
        .collect();
    let Some(application) = reach.application(ObjectId(object)) else {
        if !theirs.is_empty() && reach.powers_unseen.is_empty() {
            tally.wrong.push(format!(
                "{}: {object} has the powers {theirs:?}, and is not listed",
                place.domain
            ));
        }
        return;
    };
    let ours = &application.powers;
    let explained = application.notes.iter().any(|note| {
        matches!(
            note,
            Note::NoBoundaryMoved { .. }
                | Note::PowerWithoutUse { .. }
                | Note::ExchangeRoleWithoutUse { .. }
        )
    });
    let told = !ours.is_none() || !ours.gaps.is_empty() || explained;
    if !theirs.is_empty() && !told {
        tally.wrong.push(format!(
            "{}: {object} has the powers {theirs:?}, and nothing says so",
            place.domain
        ));
    }
    let certain: Vec<_> = ours.held.iter().filter(|power| !power.perhaps).collect();
    if theirs.is_empty() && !certain.is_empty() {
        tally.wrong.push(format!(
            "{}: {object} is said to have {certain:?}, and has nothing of it",
            place.domain
        ));
    }
}

/// Whether a delegated scope reaches mail, or administers who does (MICROSOFT.md §10.5).
fn matters(scope: &str) -> bool {
    const FAMILIES: [&str; 5] = ["Mail", "Calendars", "Contacts", "Exchange", "Group"];
    const OTHERS: [&str; 11] = [
        "EWS.AccessAsUser.All",
        "IMAP.AccessAsUser.All",
        "POP.AccessAsUser.All",
        "SMTP.Send",
        "EAS.AccessAsUser.All",
        "RoleManagement.ReadWrite.Exchange",
        "RoleManagement.ReadWrite.Directory",
        "AppRoleAssignment.ReadWrite.All",
        "Application.ReadWrite.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.ReadWrite.All",
    ];
    let of_family = |family: &str| {
        let rest = scope.strip_prefix(family);
        rest.is_some_and(|rest| !rest.starts_with("Member"))
    };
    FAMILIES.iter().any(|family| of_family(family))
        || OTHERS.contains(&scope)
        || scope == "Directory.AccessAsUser.All"
}

/// Client, resource, for everybody or for single people; scopes, and how many people.
type Grants = BTreeMap<(Uuid, String, bool), (BTreeSet<String>, usize)>;

/// Grants for whoever signs in stand apart, all of them, and make nobody a reader of mail.
fn delegated(world: &mut World, place: &Place, reach: &Reach, tally: &mut Tally) {
    let tenant = world.tenants.get(place.id).expect("a tenant");
    let mut theirs = Grants::new();
    for grant in &tenant.scope_grants {
        let scopes: Vec<String> = grant
            .scopes
            .iter()
            .map(|(scope, _)| scope.clone())
            .filter(|scope| matters(scope))
            .collect();
        if scopes.is_empty() {
            continue;
        }
        let for_all = grant.principal.is_none();
        let name = grant.resource.display_name().to_owned();
        let (known, people) = theirs.entry((grant.client, name, for_all)).or_default();
        known.extend(scopes);
        *people += usize::from(!for_all);
    }
    let mut ours = Grants::new();
    for application in &reach.applications {
        for grant in &application.delegated {
            let name = match grant.resource {
                domain::permission::Resource::Graph => Resource::Graph,
                domain::permission::Resource::Exchange => Resource::Exchange,
            };
            let name = name.display_name().to_owned();
            let key = (application.object.0, name, grant.for_all);
            let scopes = grant.scopes.iter().cloned().collect();
            ours.insert(key, (scopes, grant.people as usize));
        }
        if application.only_delegated() && application.level() != Level::Nothing {
            tally.wrong.push(format!(
                "{}: {} acts for people alone, and is called {:?}",
                place.domain,
                application.object,
                application.level()
            ));
        }
    }
    if ours != theirs && reach.delegated_unseen.is_empty() {
        tally.wrong.push(format!(
            "{}: for whoever signs in there are {theirs:?}, and said are {ours:?}",
            place.domain
        ));
    }
    tally.delegated += theirs.len();
}
