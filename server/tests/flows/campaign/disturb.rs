//! Disturbances: the customer's own admin changes the tenant while a setup runs.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use cloud::{
    clock::{Time, wall_now},
    journal::Deed,
    world::{
        World,
        exchange::{AssignmentScope, Pointer, RoleAssignment},
        rights::{MailboxRight, Right},
        tenant::{Change, Membership, Tenant},
    },
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{
    block::{Shared, id},
    drive::Driven,
    plan::{Disturbance, Moment},
    trap::{self, Planted},
};
use crate::support::{SPEED, scans::ask};

const LOOK: Duration = Duration::from_millis(150);
/// Postern checks a group and then removes it. A change in this time, of the real clock, cannot be
/// noticed.
const IN_BETWEEN: Duration = Duration::from_secs(12);

/// A change, and its time.
#[derive(Clone, Copy, Debug)]
pub struct Disturbed {
    pub what: Disturbance,
    /// Milliseconds of the real clock. Every later read shows the change.
    pub at: i64,
    /// The same time by the cloud's clock.
    pub there: Time,
    /// The setup's group.
    pub group: Uuid,
}

/// Set once the change has been made.
pub type Mark = Arc<OnceLock<Disturbed>>;

/// The place of a disturbance.
#[derive(Clone)]
pub struct Place {
    pub domain: &'static str,
    pub app_id: Uuid,
    pub object: Uuid,
    pub setup: Uuid,
    pub seed: u64,
    pub group: String,
    /// Whether the group is the customer's own.
    pub existing: bool,
    pub senders: Vec<String>,
    pub refused: Vec<String>,
    /// Whether the change concerns a mailbox that must be refused, instead of one that the plan
    /// does not name.
    pub named: bool,
}

/// Changes the tenant at the moment that the plan names, unless the setup ends before. Returns the
/// objects planted for the change.
pub async fn disturb(
    shared: Arc<Shared>,
    place: Place,
    (what, moment, behind): (Disturbance, Moment, Duration),
    mark: Mark,
    mut ended: tokio::sync::watch::Receiver<bool>,
) -> Planted {
    let setup = place.setup;
    let query = format!(
        "select s.intent, (select jsonb_agg(body order by position) from steps
                           where setup_id = s.id) steps
         from setups s where s.id = '{setup}'"
    );
    let mut planted = Planted::default();
    let mut waited = false;
    loop {
        if *ended.borrow() {
            return planted;
        }
        let row = shared.rows(&query).await.remove(0);
        if row["intent"] != "forward" {
            return planted;
        }
        if is_reached(moment, &row) {
            if waited {
                if let Some(done) = change(&shared, &place, what, &mut planted) {
                    mark.set(done).expect("one disturbance");
                    return planted;
                }
            } else {
                waited = true;
                sleep(behind).await;
                continue;
            }
        }
        // A dropped sender counts as the end, too.
        if let Ok(Err(_)) = timeout(LOOK, ended.changed()).await {
            return planted;
        }
    }
}

fn is_reached(moment: Moment, row: &Value) -> bool {
    let find = |kind: &str| {
        let mut steps = row["steps"].as_array().into_iter().flatten();
        steps.find(|step| step["kind"] == kind)
    };
    match moment {
        Moment::After(kind) => find(kind).is_some_and(|step| step["state"] == "done"),
        Moment::Proving => {
            find("prove").is_some_and(|step| step["proving"]["tried"].as_u64() > Some(0))
        }
    }
}

/// Creates another application of the customer, with a permission to send. Returns its object id
/// and client id.
fn another(world: &mut World, place: &Place) -> (Uuid, Uuid) {
    let body = json!({
        "tenant": place.domain, "name": format!("Another {}", place.seed),
        "grants": ["graph:Mail.Send"],
    });
    let answer = ask(world, "/_cloud/applications", &body);
    (id(&answer["object_id"]), id(&answer["app_id"]))
}

fn tenant<'w>(world: &'w mut World, domain: &str) -> &'w mut Tenant {
    let id = world.tenants.resolve(domain).expect("a tenant");
    world.tenants.get(id).expect("a tenant")
}

/// Makes the change. None when its object does not exist (yet).
fn change(
    shared: &Shared,
    place: &Place,
    what: Disturbance,
    planted: &mut Planted,
) -> Option<Disturbed> {
    let bystander = shared
        .mailboxes(place.domain)
        .into_iter()
        .find(|one| !place.senders.contains(one) && !place.refused.contains(one))
        .expect("somebody else");
    let other = if place.named {
        place.refused.first().cloned().expect("a refused one")
    } else {
        bystander
    };
    shared.cloud.with_world(|world| {
        let now = world.dice.now();
        let found = tenant(world, place.domain);
        let mut groups = found.groups.values();
        let group = groups.find(|group| group.name == place.group)?.id;
        let victim = trap::user(found, &other);
        match what {
            Disturbance::PolicyDropped => {
                let until = world.dice.later(world.dice.delays.policy_enforcement);
                let setup = place.setup.to_string();
                let mut policies = tenant(world, place.domain).exchange.policies.iter_mut();
                let policy = policies
                    .find(|one| one.removed.is_none() && one.description.contains(&setup))?;
                policy.removed = Some((now, until));
            }
            Disturbance::MemberAdded => {
                let enforcement = world.dice.later(world.dice.delays.member_enforcement);
                let group = tenant(world, place.domain).groups.get_mut(&group)?;
                group.members.push(Membership {
                    member: victim,
                    added: Change {
                        enforcement,
                        ..Change::known(now)
                    },
                    removed: None,
                });
                if place.existing {
                    planted.is_now(group);
                }
            }
            Disturbance::ImapGranted => {
                grant(world, place, "exchange:IMAP.AccessAsApp");
                let exchange = &mut tenant(world, place.domain).exchange;
                exchange
                    .pointers
                    .push(pointer(place.object, place.app_id, now));
                exchange.rights.push(MailboxRight {
                    mailbox: victim,
                    holder: place.object,
                    right: Right::FullAccess,
                    deny: false,
                    inherited: false,
                });
            }
            Disturbance::RetiredGranted => grant(world, place, "exchange:Mail.ReadWrite"),
            Disturbance::ReadGranted => grant(world, place, "graph:Mail.ReadWrite"),
            Disturbance::EwsGranted => grant(world, place, "exchange:full_access_as_app"),
            Disturbance::WiderPolicy => {
                let name = format!("wider-{}", place.seed);
                let found = tenant(world, place.domain);
                let wider = trap::group(found, now, planted, &name, &[other])?;
                trap::policy(found, now, planted, place.app_id, wider, false);
            }
            Disturbance::GroupInPolicy => {
                let (_, app_id) = another(world, place);
                let found = tenant(world, place.domain);
                trap::policy(found, now, planted, app_id, group, false);
            }
            Disturbance::GroupInRole => {
                let (object, app_id) = another(world, place);
                let exchange = &mut tenant(world, place.domain).exchange;
                exchange.pointers.push(pointer(object, app_id, now));
                exchange.role_assignments.push(RoleAssignment {
                    guid: Uuid::new_v5(&object, b"role"),
                    name: format!("Another {}", place.seed),
                    role: "Application Mail.Send".to_owned(),
                    assignee: object,
                    scope: AssignmentScope::Group(group),
                    enabled: true,
                    created: now,
                });
            }
        }
        Some(Disturbed {
            what,
            at: wall_now().timestamp_millis(),
            there: now,
            group,
        })
    })
}

fn pointer(object_id: Uuid, app_id: Uuid, created: Time) -> Pointer {
    Pointer {
        id: Uuid::new_v5(&object_id, b"pointer"),
        object_id,
        app_id,
        display_name: "made by the customer".to_owned(),
        created,
    }
}

fn grant(world: &mut World, place: &Place, grant: &str) {
    let body = json!({ "tenant": place.domain, "app_id": place.app_id, "grants": [grant] });
    let answer = ask(world, "/_cloud/applications", &body);
    assert!(answer["app_id"].is_string(), "{grant}: {answer}");
}

/// The start of the read on which the setup's last claim rests (the `last_look` step). None when
/// there was no such read yet.
pub fn last_looked(row: &Value) -> Option<i64> {
    let mut steps = row["steps"].as_array().into_iter().flatten();
    let last = steps.find(|step| step["kind"] == "last_look" && step["state"] == "done")?;
    let evidence = last["evidence"].as_array().into_iter().flatten();
    let looks = evidence.filter(|one| one["title"] == "What the application reaches");
    looks
        .filter_map(|one| Some(one["at"].as_i64()? - one["took_millis"].as_i64()?))
        .next_back()
}

/// Whether the setup could not know of the change when it made its claim.
pub fn is_excused(row: &Value, disturbed: Option<&Disturbed>) -> bool {
    disturbed.is_some_and(|disturbed| {
        disturbed.what.opens() && last_looked(row).is_none_or(|looked| looked <= disturbed.at)
    })
}

/// A violation when the final check came after the change and does not report the open access.
pub fn overlooked(row: &Value, said: &str, disturbed: Option<&Disturbed>) -> Vec<String> {
    let Some(disturbed) = disturbed.filter(|one| one.what.opens()) else {
        return Vec::new();
    };
    let looked = last_looked(row).is_some_and(|looked| looked > disturbed.at);
    let honest = ["none", "more_open", "not_known"].contains(&said);
    if looked && !honest && row["state"] == "done" {
        return vec![format!(
            "it ended as {said}, and its last look came after {:?}",
            disturbed.what
        )];
    }
    Vec::new()
}

/// A violation when a group that somebody else used was removed.
pub fn lost_group(run: &Driven, entries: &[Value]) -> Vec<String> {
    let reused = run.disturbed.as_ref().filter(|one| {
        matches!(
            one.what,
            Disturbance::GroupInPolicy | Disturbance::GroupInRole
        )
    });
    let Some(disturbed) = reused else {
        return Vec::new();
    };
    let known = disturbed.there + IN_BETWEEN.mul_f64(SPEED);
    let removed = json!(Deed::Removed);
    let gone = entries.iter().filter(|entry| {
        let time = entry["time"].as_str().and_then(|text| text.parse().ok());
        entry["kind"] == "group"
            && entry["deed"] == removed
            && entry["object"] == disturbed.group.to_string()
            && time.is_some_and(|time: Time| time > known)
    });
    gone.map(|_| format!("the group was removed after {:?}", disturbed.what))
        .collect()
}
