//! What was taken from an application a short while ago. Microsoft lets the application in until
//! all servers know of the change, so what a scan no longer shows may still be reached.

use serde::{Deserialize, Serialize};

use super::{
    answer::{Extent, PermissionReach, Reach, Route},
    changes::{Known, Mailboxes},
    permission::Permission,
};
use crate::{Timestamp, id::ObjectId};

/// How long Microsoft's servers may not know of a changed access policy, or of changed members of
/// its group. Usually 30 minutes to 2 hours; removing takes as long as making, and a day was seen
/// (MICROSOFT.md §2.3, §2.4).
const POLICY_LAG_MILLIS: i64 = 24 * 3_600_000;
/// The same for Exchange's roles, whose caches live 2 hours at most (MICROSOFT.md §3.3).
const ROLE_LAG_MILLIS: i64 = 2 * 3_600_000;

/// What an application reached with a permission before a scan showed less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lost {
    permission: Permission,
    before: Mailboxes,
    until: Timestamp,
}

impl Lost {
    /// `at`: the time of the scan that showed the change. The change itself may be older, never
    /// newer.
    pub(super) fn new(now: &PermissionReach, before: Mailboxes, at: Timestamp) -> Self {
        let by_policy = now
            .routes
            .iter()
            .any(|route| !matches!(route, Route::Assignment { .. }));
        let lag = if by_policy {
            POLICY_LAG_MILLIS
        } else {
            ROLE_LAG_MILLIS
        };
        Self {
            permission: now.permission.clone(),
            before,
            until: at.plus_millis(lag),
        }
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }
}

/// What an application may still reach, although it was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lingering {
    pub permission: Permission,
    /// None: every mailbox, as before the application was confined.
    pub mailboxes: Option<Vec<ObjectId>>,
    pub until: Timestamp,
}

impl Known {
    /// What an application may still reach at `now`, beside what the scan (`reach`) shows.
    /// Mailboxes that it has got back are not included.
    pub fn lingering(
        &self,
        application: ObjectId,
        reach: &Reach,
        now: Timestamp,
    ) -> Vec<Lingering> {
        let mut found = Vec::new();
        for lost in self.lost(application) {
            if lost.is_over(now) {
                continue;
            }
            let certain = reach.answer(application, &lost.permission).at_least();
            let mailboxes = match lost.before.listed() {
                Some(_) if certain == Extent::Everything => continue,
                None if certain == Extent::Everything => continue,
                None => None,
                Some(listed) => {
                    let gone: Vec<ObjectId> = listed
                        .filter(|mailbox| !reach.contains(certain, *mailbox))
                        .collect();
                    if gone.is_empty() {
                        continue;
                    }
                    Some(gone)
                }
            };
            found.push(Lingering {
                permission: lost.permission.clone(),
                mailboxes,
                until: lost.until,
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::samples::{APP, BOARD, CEO, EMPTY, RECEPTION, Sample, customer, in_group};

    const HOUR: i64 = 3_600_000;
    const READ: Timestamp = Timestamp::from_millis(100 * HOUR);

    /// What may still be reached some hours after the last scan. The scans are an hour apart, and
    /// the last one is made at [`READ`].
    fn after(readings: &[&Sample], hours: i64) -> Vec<(String, Option<Vec<ObjectId>>, i64)> {
        let mut known = Known::default();
        let first = READ.plus_millis(-HOUR * (i64::try_from(readings.len()).unwrap() - 1));
        for (reading, number) in readings.iter().zip(0_i64..) {
            known.learn(&reading.reach(), first.plus_millis(HOUR * number));
        }
        let reach = readings.last().unwrap().reach();
        known
            .lingering(APP, &reach, READ.plus_millis(HOUR * hours))
            .into_iter()
            .map(|one| {
                let left = one.until.millis_since(READ) / HOUR;
                (one.permission.value.to_string(), one.mailboxes, left)
            })
            .collect()
    }

    #[test]
    fn field_b09_a_removed_member_may_still_be_sent_from_for_a_day() {
        let two = customer().graph("Mail.Send").restrict(BOARD);
        let one = customer().graph("Mail.Send").with(|seen| {
            seen.groups[2].direct = crate::reach::Reading::read(crate::reach::Members {
                recipients: vec![CEO],
                groups: Vec::new(),
            });
        });
        let one = one.restrict(BOARD);
        assert_eq!(one.says(&Permission::graph("Mail.Send")), "confined to ceo");
        let gone = ("Mail.Send".to_owned(), Some(vec![RECEPTION]), 24);
        assert_eq!(after(&[&two, &one], 0), [gone]);
        // The time counts from the scan that showed the change, and not from the newest scan.
        assert_eq!(after(&[&two, &one, &one], 0)[0].2, 23);
        assert_eq!(after(&[&two, &one], 24), []);
        // A mailbox that came back is reached now, so it is not “still” reached.
        assert_eq!(after(&[&two, &one, &two], 0), []);
        assert_eq!(after(&[&two, &two], 0), []);
        assert_eq!(after(&[&one], 0), []);
    }

    #[test]
    fn field_b09_what_was_open_to_everybody_may_still_be() {
        let open = customer().graph("Mail.Send");
        let confined = customer().graph("Mail.Send").restrict(BOARD);
        assert_eq!(
            after(&[&open, &confined], 0),
            [("Mail.Send".to_owned(), None, 24)]
        );
    }

    #[test]
    fn field_b09_a_role_is_forgotten_after_two_hours() {
        let role = |group| customer().assign("Application Mail.Send", in_group(group));
        let (wide, narrow) = (role(BOARD), role(EMPTY));
        let found = after(&[&wide, &narrow], 0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].2, 2);
        assert_eq!(after(&[&wide, &narrow], 2), []);
    }
}
