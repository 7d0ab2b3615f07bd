//! Property tests: what must hold for every customer, on many made-up ones.

use proptest::prelude::*;

use super::{
    ApplicationReach, Judge, Level, Permission, Reach, Reading, Seen, Verdict,
    made_up::{
        APPLICATIONS, ASKED, MAILBOXES, a_grant, a_scope_of_a_policy, application, client, group,
        hide, hidings, items, partial, probes,
    },
    samples::{object, read},
};
use crate::{
    application::{AccessPolicy, AccessRight},
    id::ObjectId,
    permission::Resource::{Exchange, Graph},
};

fn reach(seen: &Seen) -> Reach {
    Judge::new(seen).reach()
}

/// Every application, and one that is not listed.
fn applications() -> impl Iterator<Item = ObjectId> {
    (1..=APPLICATIONS + 1).map(application)
}

/// Compares two snapshots for every application, permission and mailbox: the verdicts for each
/// mailbox, and those of the stored reach. The stored answer for all permissions that are not
/// listed is coarser than that for a listed one, so only stored answers of listed permissions are
/// compared.
fn compare(
    before: &Seen,
    after: &Seen,
    holds: impl Fn(Verdict, Verdict) -> bool,
) -> Result<(), TestCaseError> {
    let judges = (Judge::new(before), Judge::new(after));
    let stored = (judges.0.reach(), judges.1.reach());
    for application in applications() {
        for permission in &ASKED {
            for number in 1..=MAILBOXES {
                let was = judges.0.may(application, permission, object(number));
                let is = judges.1.may(application, permission, object(number));
                prop_assert!(
                    holds(was.verdict, is.verdict),
                    "{application} {} on {number}: {was:?} became {is:?}",
                    permission.value
                );
            }
            if !is_listed(&stored.0, application, permission)
                || !is_listed(&stored.1, application, permission)
            {
                continue;
            }
            let was = stored.0.answer(application, permission);
            let is = stored.1.answer(application, permission);
            for mailbox in probes() {
                prop_assert!(
                    holds(
                        stored.0.verdict(was, mailbox),
                        stored.1.verdict(is, mailbox)
                    ),
                    "{application} {} on {mailbox}: {was:?} became {is:?}",
                    permission.value
                );
            }
        }
    }
    Ok(())
}

fn is_listed(reach: &Reach, application: ObjectId, permission: &Permission) -> bool {
    reach.application(application).is_some_and(|application| {
        application
            .permissions
            .iter()
            .any(|one| one.permission == *permission)
    })
}

/// At least as much can be reached, or cannot be ruled out, as before.
fn no_less(was: Verdict, is: Verdict) -> bool {
    is <= was
}

fn no_more(was: Verdict, is: Verdict) -> bool {
    is >= was
}

fn policy(right: AccessRight, scope_object: Option<ObjectId>) -> AccessPolicy {
    AccessPolicy {
        identity: "the new one".into(),
        app_id: Some(client(1)),
        right,
        scope_name: String::new(),
        scope_object,
        description: String::new(),
        valid: true,
    }
}

/// Removes inheritance from and to the first application, also what it may inherit unseen: it is
/// not known what policies do to an agent identity.
fn childless(mut seen: Seen) -> Seen {
    match &mut seen.powers.inherited {
        Reading::Read { value } => {
            value.retain(|one| ![one.blueprint, one.principal].contains(&application(1)));
        }
        unread => *unread = Reading::read(Vec::new()),
    }
    seen
}

/// The RestrictAccess policies that are about the first application.
fn restrictions(seen: &Seen) -> Vec<&AccessPolicy> {
    let policies = seen.policies.get().map(Vec::as_slice).unwrap_or_default();
    policies
        .iter()
        .filter(|policy| {
            policy.right == AccessRight::RestrictAccess
                && policy.app_id.is_none_or(|app_id| app_id == client(1))
        })
        .collect()
}

/// With `PROPTEST_CASES` set, more cases run.
fn config() -> ProptestConfig {
    let more = std::env::var("PROPTEST_CASES").is_ok();
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if more { default.cases } else { 400 },
        max_global_rejects: u32::MAX,
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_tenant_and_its_mailboxes_agree(seen in partial()) {
        let judge = Judge::new(&seen);
        let reach = judge.reach();
        for application in applications() {
            for permission in &ASKED {
                let answer = reach.answer(application, permission);
                let listed = is_listed(&reach, application, permission);
                for number in 1..=MAILBOXES {
                    let may = judge.may(application, permission, object(number));
                    let verdict = reach.verdict(answer, object(number));
                    if listed {
                        prop_assert_eq!(may.verdict, verdict, "{} {:?} {:?}", permission.value, answer, may.because);
                    } else {
                        // For permissions that are not listed, there is one answer for all of them.
                        prop_assert!(may.verdict != Verdict::Allowed);
                        prop_assert!(no_less(may.verdict, verdict), "{} {:?}", permission.value, may.because);
                    }
                }
            }
        }
    }

    #[test]
    fn who_reaches_a_mailbox_is_the_same_live_and_stored(seen in partial()) {
        let judge = Judge::new(&seen);
        let reach = judge.reach();
        for number in 1..=MAILBOXES {
            let live: Vec<_> = judge.who(object(number)).into_iter()
                .map(|access| (access.may.verdict, access.application, access.permission))
                .collect();
            let stored: Vec<_> = reach.who(object(number), true).into_iter()
                .map(|(verdict, application, permission)| (verdict, application.object, permission.cloned()))
                .collect();
            prop_assert_eq!(live, stored);
        }
    }

    #[test]
    fn a_grant_never_shrinks_reach(seen in partial(), (resource, grant) in a_grant()) {
        let mut more = seen.clone();
        match (resource, &mut more.graph_grants, &mut more.exchange_grants) {
            (Graph, Reading::Read { value }, _) | (Exchange, _, Reading::Read { value }) => value.push(grant),
            _ => return Ok(()),
        }
        compare(&seen, &more, no_less)?;
    }

    #[test]
    fn the_first_restriction_never_widens(mut seen in partial().prop_map(childless), scope in a_scope_of_a_policy()) {
        prop_assume!(seen.policies.is_read());
        let others: Vec<_> = restrictions(&seen).into_iter().cloned().collect();
        read(&mut seen.policies).retain(|policy| !others.contains(policy));
        let before = seen.clone();
        read(&mut seen.policies).push(policy(AccessRight::RestrictAccess, scope));
        compare(&before, &seen, no_more)?;
    }

    /// RestrictAccess policies are a union. Beside one that is certainly in force, another one only
    /// adds.
    #[test]
    fn a_further_restriction_never_narrows(mut seen in partial().prop_map(childless), scope in a_scope_of_a_policy()) {
        prop_assume!(seen.principals.is_read() && seen.policies.is_read());
        if !restrictions(&seen).iter().any(|policy| policy.valid) {
            let mut one = policy(AccessRight::RestrictAccess, Some(group(1)));
            one.identity = "the first".into();
            read(&mut seen.policies).push(one);
        }
        let before = seen.clone();
        read(&mut seen.policies).push(policy(AccessRight::RestrictAccess, scope));
        compare(&before, &seen, no_less)?;
    }

    #[test]
    fn a_denial_never_widens(mut seen in partial(), scope in a_scope_of_a_policy()) {
        prop_assume!(seen.policies.is_read());
        let before = seen.clone();
        read(&mut seen.policies).push(policy(AccessRight::DenyAccess, scope));
        compare(&before, &seen, no_more)?;
    }

    /// This holds for any number of policies, whatever they say.
    #[test]
    fn policies_never_give_more_than_none_would(mut seen in partial()) {
        prop_assume!(seen.policies.is_read());
        let with = seen.clone();
        seen.policies = Reading::read(Vec::new());
        compare(&with, &seen, no_less)?;
    }

    /// What could not be ruled out before cannot be ruled out with less read.
    #[test]
    fn leaving_something_out_never_makes_it_look_safer(seen in partial(), hidings in hidings()) {
        let before = reach(&seen);
        let mut less = seen.clone();
        for (way, which, how) in hidings {
            hide(&mut less, way, which, how);
        }
        // If all parts say that there is no Exchange, that is an answer and not an unread part.
        prop_assume!(!less.has_no_exchange());
        compare(&seen, &less, |was, is| was == Verdict::Refused || is != Verdict::Refused)?;
        let after = reach(&less);
        for application in &before.applications {
            let (was, is) = (
                application.level(),
                after.application(application.object).map_or_else(|| after.unlisted_level(), ApplicationReach::level),
            );
            prop_assert!(is <= was || !is.is_safe(), "{}: {was:?} became {is:?}", application.object);
        }
    }

    /// With less read, nothing is certain that the full read would contradict. Only whether a
    /// principal is enabled is assumed.
    #[test]
    fn leaving_something_out_never_makes_it_more_certain(mut seen in partial(), hidings in hidings()) {
        for principal in items(&mut seen.principals) {
            principal.enabled = Some(true);
        }
        let mut less = seen.clone();
        for (way, which, how) in hidings {
            hide(&mut less, way, which, how);
        }
        prop_assume!(!less.has_no_exchange());
        compare(&seen, &less, |was, is| was == Verdict::Allowed || is != Verdict::Allowed)?;
    }

    /// With less read, no power is certain that the full read would contradict.
    #[test]
    fn reach_r01_leaving_something_out_gives_no_power(mut seen in partial(), hidings in hidings()) {
        for principal in items(&mut seen.principals) {
            principal.enabled = Some(true);
        }
        let mut less = seen.clone();
        for (way, which, how) in hidings {
            hide(&mut less, way, which, how);
        }
        prop_assume!(!less.has_no_exchange() && less.mailboxes.is_read());
        let before = reach(&seen);
        for application in reach(&less).applications {
            let was = before.application(application.object).map(|one| one.powers.level());
            prop_assert!(
                application.powers.level() != Level::Power || was == Some(Level::Power),
                "{:?} became {:?}", was, application.powers
            );
        }
    }

    #[test]
    fn the_order_of_what_was_read_does_not_show(seen in partial()) {
        let mut turned = seen.clone();
        items(&mut turned.principals).reverse();
        items(&mut turned.graph_grants).reverse();
        items(&mut turned.exchange_grants).reverse();
        items(&mut turned.policies).reverse();
        items(&mut turned.pointers).reverse();
        items(&mut turned.assignments).reverse();
        items(&mut turned.scopes).reverse();
        items(&mut turned.mailboxes).reverse();
        items(&mut turned.powers.directory_roles).reverse();
        items(&mut turned.powers.role_groups).reverse();
        items(&mut turned.powers.ownerships).reverse();
        items(&mut turned.powers.inherited).reverse();
        items(&mut turned.rights.mailbox_rights).reverse();
        items(&mut turned.rights.delegated).reverse();
        turned.groups.reverse();
        for group in &mut turned.groups {
            if let Reading::Read { value } = &mut group.direct {
                value.recipients.reverse();
                value.groups.reverse();
            }
        }
        prop_assert_eq!(reach(&seen), reach(&turned));
    }

    #[test]
    fn what_is_stored_is_what_was_judged(seen in partial()) {
        let reach = reach(&seen);
        let stored = serde_json::to_string(&reach).unwrap();
        prop_assert_eq!(serde_json::from_str::<Reach>(&stored).unwrap(), reach);
        let stored = serde_json::to_string(&seen).unwrap();
        prop_assert_eq!(serde_json::from_str::<Seen>(&stored).unwrap(), seen);
    }
}
