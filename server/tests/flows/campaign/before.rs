//! A setup that is rolled back before another setup for the same application starts. Its policy
//! continues to refuse for a while, and proves nothing about the next setup (MICROSOFT.md §2.4).

use std::{collections::BTreeSet, sync::Arc};

use cloud::{clock::Time, world::exchange::Policy};
use uuid::Uuid;

use super::{
    block::Shared,
    drive::{Drive, Driven},
};

/// A setup that was rolled back.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    pub setup: Uuid,
    /// Until when its policy continues to refuse. None when the setup made no policy.
    pub lapses: Option<Time>,
}

/// Runs the setup that is rolled back, so that another one can follow.
pub async fn run(shared: &Arc<Shared>, run: &Driven) -> (Driven, Option<Before>) {
    let plan = run.plan.before();
    let group = if plan.existing {
        run.group.clone()
    } else {
        format!("postern-before-{}", plan.seed)
    };
    // The setup takes the planted group, and leaves the group to the following setup.
    let before = Driven {
        group,
        senders: run.senders.clone(),
        refused: run.refused.clone(),
        secret: run.secret.clone(),
        planted: run.planted.clone(),
        asked: BTreeSet::new(),
        called: BTreeSet::new(),
        end: run.end.clone(),
        problems: Vec::new(),
        violations: Vec::new(),
        plan,
        ..*run
    };
    let first = Drive::of(shared, before, true).finished().await;
    let before = first.setup.map(|setup| Before {
        setup,
        lapses: lapses(shared, first.plan.domain, setup),
    });
    (first, before)
}

fn policy<T>(
    shared: &Shared,
    domain: &str,
    setup: Uuid,
    look: impl FnOnce(&mut Policy, Time) -> T,
) -> Option<T> {
    let setup = setup.to_string();
    shared.cloud.with_world(|world| {
        let now = world.dice.now();
        let id = world.tenants.resolve(domain)?;
        let policies = &mut world.tenants.get(id)?.exchange.policies;
        let mut all = policies.iter_mut();
        let found = all.find(|one| one.description.contains(&setup))?;
        Some(look(found, now))
    })
}

/// Until when the policy of a setup continues to refuse.
fn lapses(shared: &Shared, domain: &str, setup: Uuid) -> Option<Time> {
    let until = |policy: &mut Policy, _| policy.removed.map(|(_, until)| until);
    policy(shared, domain, setup, until).flatten()
}

/// Makes the policy of a setup take effect before the rollback: only a policy in effect continues
/// to refuse.
pub fn is_enforced(shared: &Shared, run: &Driven) {
    let setup = run.setup.expect("a setup");
    policy(shared, run.plan.domain, setup, |policy, now| {
        policy.enforced = policy.enforced.min(now);
    });
}
