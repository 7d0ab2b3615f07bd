//! The differences between the plan that somebody reviewed and the plan that would start now.

use super::{Group, Mailbox, Plan};

/// One sentence for each difference. Empty: the plans are the same.
pub fn differences(before: &Plan, now: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    application(before, now, &mut found);
    let senders = Role {
        name: "a permitted sender",
        order: "The permitted senders come in another order now. The first ones are tried with real mail, and the first one receives it.",
    };
    let refused = Role {
        name: "to be refused",
        order: "The mailboxes that must be refused come in another order now. The first one is tried first.",
    };
    senders.compare(&before.senders, &now.senders, &mut found);
    refused.compare(&before.refused, &now.refused, &mut found);
    group(&before.group, &now.group, &mut found);
    proof(before, now, &mut found);
    if found.is_empty() && before != now {
        found.push("Something of the plan is different now.".to_owned());
    }
    found
}

fn application(before: &Plan, now: &Plan, found: &mut Vec<String>) {
    let (was, is) = (&before.application, &now.application);
    if (was.object, was.app_id) != (is.object, is.app_id) {
        found.push(format!(
            "{} is another application now: you reviewed the one with the id {}, and this one has the id {}.",
            is.name, was.app_id, is.app_id
        ));
    } else if was.name != is.name {
        found.push(format!(
            "The application is called “{}” now, and was called “{}”.",
            is.name, was.name
        ));
    }
}

/// How sentences name the mailboxes of a list, and what they say when only the order changed.
struct Role {
    name: &'static str,
    order: &'static str,
}

impl Role {
    fn compare(&self, before: &[Mailbox], now: &[Mailbox], found: &mut Vec<String>) {
        let said = found.len();
        for is in now {
            if let Some(was) = before.iter().find(|was| was.object == is.object) {
                changed(was, is, found);
            } else if let Some(was) = before.iter().find(|was| was.address == is.address) {
                found.push(format!(
                    "{} is another mailbox now: you reviewed “{}” (object id {}), and the address belongs to “{}” (object id {}).",
                    is.address, was.name, was.object, is.name, is.object
                ));
            } else {
                found.push(format!("{} is {} now, and was not.", is.address, self.name));
            }
        }
        for was in before {
            let stays = now
                .iter()
                .any(|is| is.object == was.object || is.address == was.address);
            if !stays {
                found.push(format!(
                    "{} was {}, and is not any more.",
                    was.address, self.name
                ));
            }
        }
        if found.len() == said && before != now {
            found.push(self.order.to_owned());
        }
    }
}

/// Names the properties that differ between two records of one mailbox.
fn changed(was: &Mailbox, is: &Mailbox, found: &mut Vec<String>) {
    if was.address != is.address {
        found.push(format!(
            "The mailbox {} has the address {} now.",
            was.address, is.address
        ));
    }
    if was.name != is.name {
        found.push(format!(
            "{} is called “{}” now, and was called “{}”.",
            is.address, is.name, was.name
        ));
    }
    if was.kind != is.kind {
        found.push(format!(
            "{} is a {} mailbox now, and was a {} mailbox.",
            is.address,
            is.kind.word(),
            was.kind.word()
        ));
    }
}

fn group(before: &Group, now: &Group, found: &mut Vec<String>) {
    if before == now {
        return;
    }
    let (was, is) = (before.address(), now.address());
    found.push(match (before, now) {
        (Group::New { .. }, Group::New { .. }) => {
            format!("The group that the setup makes is {is} now, and was {was}.")
        }
        (Group::New { .. }, Group::Existing { .. }) => {
            format!("The group {is} exists now; you reviewed that the setup makes {was}.")
        }
        (Group::Existing { .. }, Group::New { .. }) => {
            format!("The setup makes the group {is} now; you reviewed {was}, which existed.")
        }
        (
            Group::Existing {
                object: was_object, ..
            },
            Group::Existing { object, .. },
        ) if was_object != object => format!(
            "The group {is} is another group now: you reviewed the one with the object id {was_object}, and this one has the object id {object}."
        ),
        _ => format!(
            "The group is “{}” with the address {is} now, and was “{}” with the address {was}.",
            now.name(),
            before.name()
        ),
    });
}

fn proof(before: &Plan, now: &Plan, found: &mut Vec<String>) {
    if before.prove != now.prove {
        let why = now.unprovable.map(|unprovable| unprovable.why());
        found.push(match (now.prove, why) {
            (true, _) => "Real mail is sent at the end now, and was not to be.".to_owned(),
            (false, None) => "Real mail is left out now, and was to be sent.".to_owned(),
            (false, Some(why)) => {
                format!("Real mail is left out now, and was to be sent. {why}")
            }
        });
    } else if before.unprovable != now.unprovable {
        found.push(match now.unprovable {
            Some(unprovable) => format!(
                "Real mail can show nothing of this application now. {}",
                unprovable.why()
            ),
            None => "Real mail could prove this application now, and could not.".to_owned(),
        });
    }
    if before.recipient != now.recipient {
        found.push(match now.recipient() {
            Some(to) => format!("{to} receives the mails of the proof now."),
            None => "Nobody receives the mails of the proof now.".to_owned(),
        });
    }
}

#[cfg(test)]
#[path = "compared_tests.rs"]
mod tests;
