//! The last known values of parts that a scan could not read.
//!
//! They exist only for parts that say who holds something, and never for parts that narrow it. A
//! policy that was in force yesterday is no reason to call an application confined today.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    powers::{DirectoryRole, InheritedGrant, OtherHeld, Ownership, RoleGroup},
    reading::Reading,
    rights::{DelegatedGrant, MailboxRight},
    scanned::ScanPart,
    seen::{Assignment, Grant, Principal, Seen},
};
use crate::{Timestamp, id::ObjectId};

/// The last known value of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    principals: Option<Dated<Principal>>,
    graph_grants: Option<Dated<Grant>>,
    exchange_grants: Option<Dated<Grant>>,
    assignments: Option<Dated<Assignment>>,
    directory_roles: Option<Dated<DirectoryRole>>,
    role_groups: Option<Dated<RoleGroup>>,
    ownerships: Option<Dated<Ownership>>,
    inherited: Option<Dated<InheritedGrant>>,
    #[serde(default)]
    others: Option<Dated<OtherHeld>>,
    mailbox_rights: Option<Dated<MailboxRight>>,
    delegated: Option<Dated<DelegatedGrant>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Dated<T> {
    at: Timestamp,
    list: Vec<T>,
}

impl Kept {
    /// Puts the last known values where this scan has read nothing.
    pub fn fill(&self, seen: &mut Seen) {
        let no_exchange = seen.has_no_exchange();
        fill(&mut seen.graph_grants, self.graph_grants.as_ref());
        if !no_exchange {
            fill(&mut seen.exchange_grants, self.exchange_grants.as_ref());
            fill(&mut seen.assignments, self.assignments.as_ref());
            fill(&mut seen.powers.role_groups, self.role_groups.as_ref());
            self.fill_members(seen);
            let rights = &mut seen.rights.mailbox_rights;
            fill(rights, self.mailbox_rights.as_ref());
        }
        let powers = &mut seen.powers;
        fill(&mut powers.directory_roles, self.directory_roles.as_ref());
        fill(&mut powers.ownerships, self.ownerships.as_ref());
        fill(&mut powers.inherited, self.inherited.as_ref());
        fill(&mut powers.others, self.others.as_ref());
        fill(&mut seen.rights.delegated, self.delegated.as_ref());
        let Some(kept) = &self.principals else {
            return;
        };
        // A principal that was disabled then may be enabled now, so “disabled” is not taken over.
        let perhaps_on = |principal: &Principal| Principal {
            enabled: principal.enabled.filter(|enabled| *enabled),
            ..principal.clone()
        };
        let named = named(seen);
        match &mut seen.principals {
            // This scan did not ask for principals that only a last known part names.
            Reading::Read { value } => {
                let there: BTreeSet<ObjectId> = value.iter().map(|one| one.object).collect();
                let missing = kept
                    .list
                    .iter()
                    .filter(|one| {
                        let named =
                            named.contains(&one.object) || named.contains(&ObjectId(one.app_id.0));
                        named && !there.contains(&one.object)
                    })
                    .map(perhaps_on);
                value.extend(missing);
            }
            unread => {
                let kept = Dated {
                    at: kept.at,
                    list: kept.list.iter().map(perhaps_on).collect(),
                };
                fill(unread, Some(&kept));
            }
        }
    }

    /// Fills in the members of role groups where the group itself was read and its members were
    /// not.
    fn fill_members(&self, seen: &mut Seen) {
        let (Reading::Read { value: groups }, Some(kept)) =
            (&mut seen.powers.role_groups, &self.role_groups)
        else {
            return;
        };
        for group in groups {
            let members = kept
                .list
                .iter()
                .find(|one| one.name == group.name)
                .and_then(|one| one.members.get().ok())
                .map(|members| Dated {
                    at: kept.at,
                    list: members.clone(),
                });
            fill(&mut group.members, members.as_ref());
        }
    }

    /// Takes over the parts that a scan has read. `at`: the time of the scan.
    pub fn renew(&mut self, seen: &Seen, at: Timestamp) {
        let whole = [&seen.graph_grants, &seen.exchange_grants]
            .into_iter()
            .all(Reading::is_read)
            && seen.assignments.is_read()
            && seen.powers.directory_roles.is_read()
            && seen.powers.role_groups.is_read()
            && seen.powers.ownerships.is_read()
            && seen.powers.inherited.is_read()
            && seen.powers.others.is_read()
            && seen.rights.delegated.is_read();
        if let Ok(principals) = seen.principals.get() {
            let mut list = principals.clone();
            if !whole {
                let there: BTreeSet<ObjectId> = list.iter().map(|one| one.object).collect();
                let before = self.principals.iter().flat_map(|kept| &kept.list);
                list.extend(before.filter(|one| !there.contains(&one.object)).cloned());
            }
            self.principals = Some(Dated { at, list });
        }
        renew(&mut self.graph_grants, &seen.graph_grants, at);
        renew(&mut self.exchange_grants, &seen.exchange_grants, at);
        renew(&mut self.assignments, &seen.assignments, at);
        let powers = &seen.powers;
        renew(&mut self.directory_roles, &powers.directory_roles, at);
        renew(&mut self.role_groups, &powers.role_groups, at);
        renew(&mut self.ownerships, &powers.ownerships, at);
        renew(&mut self.inherited, &powers.inherited, at);
        renew(&mut self.others, &powers.others, at);
        renew(&mut self.mailbox_rights, &seen.rights.mailbox_rights, at);
        renew(&mut self.delegated, &seen.rights.delegated, at);
    }

    /// When the last known value of a part was read. None: there is no such value.
    pub fn time(&self, part: ScanPart) -> Option<Timestamp> {
        match part {
            ScanPart::Principals => self.principals.as_ref().map(|kept| kept.at),
            ScanPart::GraphGrants => self.graph_grants.as_ref().map(|kept| kept.at),
            ScanPart::ExchangeGrants => self.exchange_grants.as_ref().map(|kept| kept.at),
            ScanPart::Assignments => self.assignments.as_ref().map(|kept| kept.at),
            ScanPart::DirectoryRoles => self.directory_roles.as_ref().map(|kept| kept.at),
            ScanPart::RoleGroups => self.role_groups.as_ref().map(|kept| kept.at),
            ScanPart::Owners => self.ownerships.as_ref().map(|kept| kept.at),
            ScanPart::Inherited => self.inherited.as_ref().map(|kept| kept.at),
            ScanPart::Others => self.others.as_ref().map(|kept| kept.at),
            ScanPart::MailboxRights => self.mailbox_rights.as_ref().map(|kept| kept.at),
            ScanPart::Delegated => self.delegated.as_ref().map(|kept| kept.at),
            _ => None,
        }
    }
}

fn fill<T: Clone>(part: &mut Reading<Vec<T>>, kept: Option<&Dated<T>>) {
    if let (Err(why), Some(kept)) = (part.get(), kept) {
        *part = Reading::Kept {
            value: kept.list.clone(),
            at: kept.at,
            why,
        };
    }
}

fn renew<T: Clone>(kept: &mut Option<Dated<T>>, part: &Reading<Vec<T>>, at: Timestamp) {
    if let Ok(list) = part.get() {
        *kept = Some(Dated {
            at,
            list: list.clone(),
        });
    }
}

/// The principals that last known parts name: by object id, by client id, or through a pointer of
/// Exchange.
fn named(seen: &Seen) -> BTreeSet<ObjectId> {
    let grants = [&seen.graph_grants, &seen.exchange_grants]
        .into_iter()
        .filter_map(Reading::kept)
        .flatten()
        .map(|grant| grant.principal);
    let assignees = seen.assignments.kept().into_iter().flatten();
    let ids = assignees.filter_map(|one| one.assignee.trim().parse().ok());
    let pointed = seen
        .pointers
        .get()
        .ok()
        .filter(|_| seen.assignments.kept().is_some())
        .into_iter()
        .flatten()
        .map(|pointer| pointer.object);
    let powers = &seen.powers;
    let roles = powers.directory_roles.kept().into_iter().flatten();
    let groups = powers.role_groups.kept().into_iter().flatten();
    let members = groups
        .filter_map(|group| group.members.get().ok())
        .flatten();
    let owned = powers.ownerships.kept().into_iter().flatten();
    let inherited = powers.inherited.kept().into_iter().flatten();
    let others = powers.others.kept().into_iter().flatten();
    let delegated = seen.rights.delegated.kept().into_iter().flatten();
    grants
        .chain(ids)
        .chain(pointed)
        .chain(roles.map(|one| one.principal))
        .chain(members.copied())
        .chain(owned.flat_map(|one| [one.owner, one.owned]))
        .chain(inherited.flat_map(|one| [one.principal, one.blueprint]))
        .chain(others.map(|one| one.principal))
        .chain(delegated.map(|one| one.client))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::{
        AssignmentScope, Judge, Level, Permission, Reach, Why,
        samples::{APP, BOARD, Sample, customer, failed},
    };

    const THEN: Timestamp = Timestamp::from_millis(1000);

    /// A scan of everything, and then a second scan, changed by `later`.
    fn after(before: &Sample, later: impl FnOnce(&mut Seen)) -> (Reach, Seen) {
        let mut kept = Kept::default();
        kept.renew(&before.0, THEN);
        let mut seen = before.clone().with(later).0;
        kept.fill(&mut seen);
        (Judge::new(&seen).reach(), seen)
    }

    fn level(reach: &Reach) -> Level {
        reach.application(APP).expect("it is still there").level()
    }

    #[test]
    fn what_was_read_whole_is_left_alone() {
        let before = customer().graph("Mail.Send");
        let (reach, seen) = after(&before, |_| {});
        assert_eq!(seen, before.0);
        assert_eq!(reach, before.reach());
    }

    #[test]
    fn what_can_act_as_anyone_stays_there_and_is_not_called_safe() {
        let before = customer().graph("Mail.Send");
        let (reach, seen) = after(&before, |seen| {
            seen.graph_grants = failed();
            seen.all_principals = false;
        });
        assert_eq!(level(&reach), Level::Unrestricted);
        assert_eq!(reach.unlisted.level(), Level::Unknown);
        let application = reach.application(APP).expect("it is still there");
        assert_eq!(application.name.as_deref(), Some("Mailer"));
        // The answer for one mailbox must say the same.
        let found = Judge::new(&seen).who(crate::reach::samples::CEO);
        let send = Permission::graph("Mail.Send");
        assert!(
            found
                .iter()
                .any(|one| one.permission.as_ref() == Some(&send))
        );
    }

    #[test]
    fn what_was_confined_is_unknown_while_its_grants_are_not_read() {
        let before = customer().graph("Mail.Send").restrict(BOARD);
        let (reach, _) = after(&before, |seen| seen.graph_grants = failed());
        assert_eq!(level(&reach), Level::Unknown);
    }

    #[test]
    fn policies_are_not_kept() {
        let before = customer().graph("Mail.Send").restrict(BOARD);
        let (reach, _) = after(&before, |seen| seen.policies = failed());
        assert_eq!(level(&reach), Level::Unknown);
    }

    #[test]
    fn assignments_stay_as_well() {
        let before = customer().assign("Application Mail.Send", AssignmentScope::Organisation);
        let (reach, _) = after(&before, |seen| seen.assignments = failed());
        assert_eq!(level(&reach), Level::Unrestricted);
    }

    #[test]
    fn a_principal_that_was_switched_off_may_be_on_by_now() {
        let before = customer().graph("Mail.Send").with(|seen| {
            if let Reading::Read { value } = &mut seen.principals {
                for principal in value {
                    principal.enabled = Some(false);
                }
            }
        });
        assert_eq!(level(&before.reach()), Level::Nothing);
        let (reach, _) = after(&before, |seen| seen.principals = failed());
        assert_eq!(level(&reach), Level::Unrestricted);
        let application = reach.application(APP).expect("it is still there");
        assert_eq!(application.name.as_deref(), Some("Mailer"));
    }

    #[test]
    fn principals_that_nobody_asked_for_keep_their_name() {
        let before = customer().graph("Mail.Send");
        let (reach, _) = after(&before, |seen| {
            seen.graph_grants = failed();
            seen.principals = Reading::read(Vec::new());
            seen.all_principals = false;
        });
        let application = reach.application(APP).expect("it is still there");
        assert_eq!(application.name.as_deref(), Some("Mailer"));
        assert_eq!(application.level(), Level::Unrestricted);
    }

    #[test]
    fn reach_r01_powers_stay_and_what_narrows_does_not() {
        let before = customer().graph("Mail.Send").restrict(BOARD).with(|seen| {
            seen.powers.directory_roles = Reading::read(vec![DirectoryRole {
                principal: APP,
                role: uuid::uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814"),
                name: None,
                actions: None,
                scope: "/".to_owned(),
                through: None,
            }]);
        });
        assert_eq!(level(&before.reach()), Level::Power);
        let (reach, seen) = after(&before, |seen| {
            seen.powers.directory_roles = failed();
            seen.rights.ews = failed();
        });
        assert_eq!(level(&reach), Level::Power);
        assert!(!seen.rights.ews.is_read() && seen.rights.ews.kept().is_none());
        let mut kept = Kept::default();
        kept.renew(&before.0, THEN);
        assert_eq!(kept.time(ScanPart::DirectoryRoles), Some(THEN));
        assert_eq!(kept.time(ScanPart::Ews), None);
    }

    #[test]
    fn a_licence_that_is_gone_is_known() {
        fn none<T>() -> Reading<T> {
            Reading::NotLicensed {
                reason: "no Exchange".to_owned(),
            }
        }
        let before = customer().assign("Application Mail.Send", AssignmentScope::Organisation);
        let (reach, _) = after(&before, |seen| {
            seen.exchange_grants = none();
            seen.policies = none();
            seen.assignments = none();
            seen.pointers = none();
            seen.mailboxes = none();
        });
        assert!(reach.application(APP).is_none());
        assert!(reach.without_exchange);
    }

    #[test]
    fn the_age_of_what_is_kept_is_told() {
        let mut kept = Kept::default();
        kept.renew(&customer().0, THEN);
        let later = customer().with(|seen| seen.graph_grants = failed());
        kept.renew(&later.0, Timestamp::from_millis(2000));
        assert_eq!(kept.time(ScanPart::GraphGrants), Some(THEN));
        assert_eq!(
            kept.time(ScanPart::Assignments),
            Some(Timestamp::from_millis(2000))
        );
        assert_eq!(kept.time(ScanPart::Policies), None);
        let why = later.0.graph_grants.get().expect_err("not read");
        assert!(matches!(why, Why::Failed { .. }));
    }
}
