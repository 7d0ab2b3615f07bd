//! Other owners' objects in a customer: planted before or during a setup, and checked at the end.

use cloud::{
    clock::Time,
    world::{
        exchange::{Policy, PolicyScope},
        tenant::{Change, Group, GroupKind, Membership, Tenant},
    },
};
use uuid::Uuid;

use super::{block::Shared, drive::Driven, plan::Trap};

/// The objects planted for one run.
#[derive(Clone, Debug, Default)]
pub struct Planted {
    /// Each group in its original state.
    groups: Vec<(Uuid, String)>,
    /// Each policy in its original state.
    policies: Vec<(String, String)>,
}

impl Planted {
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.policies.is_empty()
    }

    /// The customer changed its own group: the group must stay in its current state.
    pub fn is_now(&mut self, group: &Group) {
        self.groups.push((group.id, format!("{group:?}")));
    }

    /// Adds objects that were planted later, or changed by their owner.
    pub fn add(&mut self, later: Self) {
        for (id, is) in later.groups {
            self.groups.retain(|(known, _)| *known != id);
            self.groups.push((id, is));
        }
        self.policies.extend(later.policies);
    }
}

fn tenant_of<T>(shared: &Shared, domain: &str, look: impl FnOnce(&mut Tenant, Time) -> T) -> T {
    shared.cloud.with_world(|world| {
        let now = world.dice.now();
        let id = world.tenants.resolve(domain).expect("a tenant");
        look(world.tenants.get(id).expect("a tenant"), now)
    })
}

pub fn user(tenant: &Tenant, address: &str) -> Uuid {
    let found = tenant.users.values().find(|user| {
        user.mailbox
            .as_ref()
            .is_some_and(|mailbox| mailbox.smtp.eq_ignore_ascii_case(address))
    });
    found.expect("a mailbox").id
}

fn make_group(tenant: &mut Tenant, now: Time, name: &str, members: &[Uuid]) -> Group {
    let id = Uuid::new_v5(&tenant.id, name.as_bytes());
    Group {
        id,
        guid: Uuid::new_v5(&id, b"guid"),
        kind: GroupKind::MailSecurity,
        name: name.to_owned(),
        alias: name.to_owned(),
        display_name: name.to_owned(),
        description: "somebody else's".to_owned(),
        smtp: format!("{name}@{}", tenant.domain),
        aliases: Vec::new(),
        rid: u32::try_from(40_000 + tenant.groups.len()).expect("a number"),
        owners: Vec::new(),
        foreign_owners: Vec::new(),
        hidden: false,
        require_sender_authentication: true,
        hidden_membership: false,
        join_restriction: "Closed".to_owned(),
        depart_restriction: "Closed".to_owned(),
        members: members
            .iter()
            .map(|member| Membership {
                member: *member,
                added: Change::known(now),
                removed: None,
            })
            .collect(),
        created: now,
        in_exchange: now,
        in_graph: now,
    }
}

/// Makes a group, unless its address is taken.
pub fn group(
    tenant: &mut Tenant,
    now: Time,
    planted: &mut Planted,
    name: &str,
    members: &[String],
) -> Option<Uuid> {
    let members: Vec<Uuid> = members.iter().map(|one| user(tenant, one)).collect();
    let group = make_group(tenant, now, name, &members);
    let taken = tenant
        .groups
        .values()
        .any(|other| other.name == group.name || other.smtp == group.smtp);
    if taken {
        return None;
    }
    let id = group.id;
    planted.groups.push((id, format!("{group:?}")));
    tenant.groups.insert(id, group);
    Some(id)
}

pub fn policy(
    tenant: &mut Tenant,
    now: Time,
    planted: &mut Planted,
    app_id: Uuid,
    group: Uuid,
    deny: bool,
) {
    let found = &tenant.groups[&group];
    let policy = Policy {
        app_id: app_id.to_string(),
        deny,
        description: "somebody else's".to_owned(),
        scope: PolicyScope {
            id: found.id,
            sid: tenant.sid(found.rid),
            name: found.name.clone(),
            display_name: found.display_name.clone(),
        },
        created: now,
        visible: now,
        enforced: now,
        removed: None,
    };
    let made = (policy.identity(tenant.id), format!("{policy:?}"));
    planted.policies.push(made);
    tenant.exchange.policies.push(policy);
}

/// Plants what the plan finds before the setup starts. If the plan uses an existing group, that
/// group is planted too.
pub fn plant(shared: &Shared, run: &mut Driven) {
    let (app_id, mut planted) = (run.app_id, std::mem::take(&mut run.planted));
    let make = |planted: &mut Planted, name: &str, members: &[String]| {
        tenant_of(shared, run.plan.domain, |tenant, now| {
            group(tenant, now, planted, name, members).expect("a free name")
        })
    };
    let make_policy = |planted: &mut Planted, group: Uuid, deny: bool| {
        tenant_of(shared, run.plan.domain, |tenant, now| {
            policy(tenant, now, planted, app_id, group, deny);
        });
    };
    if run.plan.existing {
        let name = format!("there-before-{}", run.plan.seed);
        make(&mut planted, &name, &run.senders);
        run.group = name;
    }
    let name = format!("somebody-elses-{}", run.plan.seed);
    match run.plan.trap {
        Some(Trap::Taken) => {
            make(&mut planted, &run.group, &run.refused);
        }
        Some(Trap::Deny) => {
            // The address of a mailbox outside the plan: a refused mailbox that is already blocked
            // would prove nothing.
            let bystander = shared
                .mailboxes(run.plan.domain)
                .into_iter()
                .find(|one| !run.senders.contains(one) && !run.refused.contains(one))
                .expect("somebody else");
            let id = make(&mut planted, &name, &[bystander]);
            make_policy(&mut planted, id, true);
        }
        Some(Trap::Restrict) => {
            let id = make(&mut planted, &name, &run.refused);
            make_policy(&mut planted, id, false);
        }
        Some(Trap::TakenLater) | None => {}
    }
    run.planted = planted;
}

/// After the start: plants the group whose name the plan needs, unless the setup made it first.
pub fn plant_later(shared: &Shared, run: &mut Driven) {
    if run.plan.trap == Some(Trap::TakenLater) {
        let made = tenant_of(shared, run.plan.domain, |tenant, now| {
            group(tenant, now, &mut run.planted, &run.group, &run.refused)
        });
        if made.is_none() {
            // The setup made its group first, so nothing blocks it.
            run.plan.trap = None;
        }
    }
}

/// Violations: planted objects that changed.
pub fn untouched(shared: &Shared, run: &Driven) -> Vec<String> {
    tenant_of(shared, run.plan.domain, |tenant, _| {
        let mut wrong = Vec::new();
        for (id, was) in &run.planted.groups {
            let is = tenant.groups.get(id).map(|group| format!("{group:?}"));
            if is.as_ref() != Some(was) {
                wrong.push(format!("somebody else's group was {was} and is {is:?}"));
            }
        }
        for (identity, was) in &run.planted.policies {
            let mut found = tenant.exchange.policies.iter();
            let is = found
                .find(|policy| policy.identity(tenant.id) == *identity)
                .map(|policy| format!("{policy:?}"));
            if is.as_ref() != Some(was) {
                wrong.push(format!("somebody else's policy was {was} and is {is:?}"));
            }
        }
        wrong
    })
}
