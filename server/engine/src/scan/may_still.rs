//! Says in words which access was taken from an application and may still work, because Microsoft
//! enforces it late.

use domain::{Timestamp, exposure::MayStill, id::ObjectId, reach::Known};

use super::words::Words;

/// Maximum number of mailboxes that a sentence names. More are only counted.
const NAMED: usize = 3;

/// The entries for one application, the one that ends last first. `proven`: real mail showed that
/// the setup's confinement is enforced, so access to every mailbox is over.
pub(super) fn may_still(
    words: &Words<'_>,
    known: &Known,
    application: ObjectId,
    proven: bool,
    now: Timestamp,
) -> Vec<MayStill> {
    // Several permissions often lose the same mailboxes at the same time. They become one sentence.
    type Taken = (Timestamp, Option<Vec<ObjectId>>);
    let mut taken: Vec<(Taken, Vec<&'static str>)> = Vec::new();
    for one in known.lingering(application, words.reach, now) {
        if (proven && one.mailboxes.is_none()) || !one.permission.weight().counts() {
            continue;
        }
        let can = one.permission.can();
        let key = (one.until, one.mailboxes);
        match taken.iter_mut().find(|(known, _)| *known == key) {
            Some((_, all)) if all.contains(&can) => {}
            Some((_, all)) => all.push(can),
            None => taken.push((key, vec![can])),
        }
    }
    taken.sort_by_key(|((until, _), _)| std::cmp::Reverse(*until));
    taken
        .into_iter()
        .map(|((until, mailboxes), can)| MayStill {
            what: format!("{} in {}", can.join(", "), called(words, mailboxes)),
            until,
        })
        .collect()
}

/// All entries as one, for a table row.
pub(super) fn in_a_row(all: Vec<MayStill>) -> Option<MayStill> {
    let until = all.first()?.until;
    let what: Vec<String> = all.into_iter().map(|one| one.what).collect();
    Some(MayStill {
        what: what.join("; "),
        until,
    })
}

fn called(words: &Words<'_>, mailboxes: Option<Vec<ObjectId>>) -> String {
    let Some(mailboxes) = mailboxes else {
        return "every mailbox".to_owned();
    };
    if mailboxes.len() > NAMED {
        return format!("{} mailboxes", mailboxes.len());
    }
    let mut names: Vec<String> = mailboxes.into_iter().map(|one| words.called(one)).collect();
    names.sort_unstable();
    names.join(" and ")
}
