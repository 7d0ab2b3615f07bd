//! What a plan means for its application beside whom it may send as: what else the policy narrows,
//! and what no policy limits. It rests on what was read of the tenant; what was not read is said.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, address::MailAddress, plan::Plan, step::Step};

/// A right of one recipient on another, with which a mail can show that other as its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppearRight {
    SendAs,
    SendOnBehalf,
}

impl AppearRight {
    /// As Exchange's pages call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SendAs => "Send As",
            Self::SendOnBehalf => "Send on Behalf",
        }
    }
}

/// A permitted mailbox holds a right on somebody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Appearance {
    pub mailbox: MailAddress,
    pub right: AppearRight,
    /// The address of the other mailbox or group, or its name where the address was not told.
    pub other: String,
}

/// As whom mail from permitted mailboxes may appear beside themselves (MICROSOFT.md §2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearances {
    /// How many permitted mailboxes were looked at.
    pub asked: u32,
    /// The rights that were looked at.
    pub read: Vec<AppearRight>,
    pub found: Vec<Appearance>,
    /// What could not be looked at: each a sentence.
    pub unread: Vec<String>,
}

/// What was read for a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    pub at: Timestamp,
    /// What the application can do beside sending that the policy narrows too, each to follow
    /// “it can”; none: that was not read.
    pub also: Option<Vec<String>>,
    /// What it was granted for whoever signs in to it; none: that was not read.
    pub delegated: Option<Vec<String>>,
    pub appears: Appearances,
}

/// So many of them are named in a sentence; more are counted.
const NAMED: usize = 10;

impl Appearances {
    /// What was found, what it means as far as anybody knows, and what was not looked at. `at`:
    /// when it was read.
    pub fn sentences(&self, at: Timestamp) -> Vec<String> {
        if self.read.is_empty() && self.found.is_empty() {
            let mut said = vec![NOT_LOOKED.to_owned()];
            said.extend(self.unread.iter().cloned());
            return said;
        }
        let mut said = self.held(at);
        if said.is_empty() {
            let rights: Vec<&str> = self.read.iter().map(|right| right.word()).collect();
            let whom = match (self.asked, self.unread.is_empty()) {
                (1, true) => "The permitted mailbox does not hold".to_owned(),
                (many, true) => format!("None of {many} permitted mailboxes holds"),
                (_, false) => "As far as could be read, no permitted mailbox holds".to_owned(),
            };
            said.push(format!(
                "{whom} {} on another mailbox ({at}).",
                rights.join(" or ")
            ));
        } else {
            said.push(UNCERTAIN.to_owned());
        }
        said.extend(self.unread.iter().cloned());
        said.push(NEVER_READ.to_owned());
        said
    }

    /// A sentence for each permitted mailbox and right.
    fn held(&self, at: Timestamp) -> Vec<String> {
        let mut found: Vec<&Appearance> = self.found.iter().collect();
        found.sort();
        found.dedup();
        found
            .chunk_by(|one, other| one.mailbox == other.mailbox && one.right == other.right)
            .filter_map(|some| {
                let first = some.first()?;
                let others: Vec<&str> = some.iter().map(|one| one.other.as_str()).collect();
                Some(format!(
                    "{} holds {} on {}, as read on {at}: a mail from it may show that sender.",
                    first.mailbox,
                    first.right.word(),
                    named(&others)
                ))
            })
            .collect()
    }
}

const NOT_LOOKED: &str = "A mail from a permitted mailbox may show another sender where that mailbox holds Send As or Send on Behalf. Postern did not look at these rights.";
/// MICROSOFT.md §2.6: documented for people, reported both ways for applications.
const UNCERTAIN: &str = "Microsoft documents that for people who sign in. Whether an application can do it by itself is reported both ways, and Postern did not try it.";
const NEVER_READ: &str = "Not looked at: such rights that a permitted mailbox has as a member of a group, and Send on Behalf on groups.";

/// What the newest look of a setup read; none: an older version carried it out, or it did not get
/// so far.
pub fn of(steps: &[Step]) -> Option<&Effects> {
    steps.iter().rev().find_map(|step| step.effects.as_ref())
}

/// What the policy takes beside sending, for the review and for the page of the setup.
fn takes_also(name: &str, effects: Option<&Effects>) -> Vec<String> {
    match effects.map(|effects| effects.also.as_deref()) {
        // A setup of an older version: nothing is claimed of what it did not read.
        None => Vec::new(),
        Some(None) => vec![format!(
            "The policy is about all that {name} may do with mailboxes, not about sending alone. What else that is could not be read."
        )],
        Some(Some(also)) => {
            let also: Vec<&str> = also.iter().map(String::as_str).collect();
            let list = and(&also);
            list.map(|list| {
                format!(
                    "The policy is about all that {name} may do with mailboxes, not about sending alone: from then on it can {list} only in the permitted mailboxes too."
                )
            })
            .into_iter()
            .collect()
        }
    }
}

/// What no policy limits, in sentences: to whom it sends, other applications, people, and as whom a
/// mail may appear.
pub fn limits(name: &str, effects: Option<&Effects>) -> Vec<String> {
    let mut said = vec![
        RECIPIENTS.to_owned(),
        format!(
            "Only what {name} does by itself is limited. Other applications are not touched, nor is what people do who sign in themselves, through {name} too."
        ),
        delegated(name, effects),
    ];
    match effects {
        Some(effects) => said.extend(effects.appears.sentences(effects.at)),
        None => said.extend(Appearances::default().sentences(Timestamp::default())),
    }
    said
}

/// The policy is about the sender, never about who receives.
pub const RECIPIENTS: &str = "The policy limits from which mailboxes it sends, not to whom. For recipients Exchange has transport rules.";

fn delegated(name: &str, effects: Option<&Effects>) -> String {
    match effects.and_then(|effects| Some((effects.at, effects.delegated.as_deref()?))) {
        None => format!(
            "Which delegated permissions {name} holds was not read. The policy limits none of them: with these it acts as whoever signs in to it."
        ),
        Some((at, [])) => format!(
            "{name} holds no delegated permission for mail, as read on {at}; the policy would not limit one."
        ),
        Some((_, held)) => format!(
            "Not limited: the delegated permissions of {name}, with which it acts as whoever signs in to it: {}.",
            held.join("; ")
        ),
    }
}

/// All of it, for the page of a setup and its history.
pub fn means(plan: &Plan, effects: Option<&Effects>) -> Vec<String> {
    let name = &plan.application.name;
    let mut said = takes_also(name, effects);
    said.extend(limits(name, effects));
    said
}

/// The same for the review, with what matters before the start alone.
pub fn takes(plan: &Plan, effects: Option<&Effects>) -> Vec<String> {
    let name = &plan.application.name;
    let mut said = takes_also(name, effects);
    said.push(format!(
        "Until all of Microsoft's servers know the policy, mail of {name} can be refused in permitted mailboxes as well. Choose a time at which that does little harm."
    ));
    said.extend(limits(name, effects));
    said.push(
        "Access policies are Microsoft's older way to do this; it advises Exchange's roles for applications (RBAC for Applications) for what is new. Access policies work, and no date for their end is known.".to_owned(),
    );
    said
}

fn named(words: &[&str]) -> String {
    let shown: Vec<&str> = words.iter().take(NAMED).copied().collect();
    match words.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => and(&shown).unwrap_or_default(),
    }
}

fn and(words: &[&str]) -> Option<String> {
    match words {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn appearance(right: AppearRight, other: &str) -> Appearance {
        Appearance {
            mailbox: "service@a.example".parse().unwrap(),
            right,
            other: other.to_owned(),
        }
    }

    fn effects(appears: Appearances) -> Effects {
        Effects {
            at: Timestamp(0),
            also: Some(vec!["read calendars (Calendars.Read)".to_owned()]),
            delegated: Some(Vec::new()),
            appears,
        }
    }

    fn read(found: Vec<Appearance>) -> Appearances {
        Appearances {
            asked: 1,
            read: vec![AppearRight::SendAs, AppearRight::SendOnBehalf],
            found,
            unread: Vec::new(),
        }
    }

    #[test]
    fn field_b20_what_a_permitted_mailbox_may_appear_as_is_said_or_that_nobody_looked() {
        let held = effects(read(vec![
            appearance(AppearRight::SendOnBehalf, "office@a.example"),
            appearance(AppearRight::SendAs, "director@a.example"),
            appearance(AppearRight::SendAs, "all@a.example"),
        ]));
        let said = limits("Mailer", Some(&held)).join(" ");
        for words in [
            "service@a.example holds Send As on all@a.example and director@a.example",
            "service@a.example holds Send on Behalf on office@a.example",
            "may show that sender",
            "reported both ways",
            "as a member of a group",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        // Never more than Microsoft says of applications.
        assert!(!said.contains("can send as"), "{said}");

        let none = limits("Mailer", Some(&effects(read(Vec::new())))).join(" ");
        assert!(
            none.contains("does not hold Send As or Send on Behalf on another mailbox"),
            "{none}"
        );
        assert!(none.contains("Not looked at"), "{none}");

        for nobody in [None, Some(&effects(Appearances::default()))] {
            let said = limits("Mailer", nobody).join(" ");
            assert!(
                said.contains("Postern did not look at these rights"),
                "{said}"
            );
            assert!(!said.contains("does not hold"), "{said}");
        }
        // Half of it: nothing is said of the other half.
        let half = Appearances {
            read: vec![AppearRight::SendAs],
            unread: vec!["Send on Behalf could not be read.".to_owned()],
            ..read(Vec::new())
        };
        let said = limits("Mailer", Some(&effects(half))).join(" ");
        assert!(
            said.contains("As far as could be read, no permitted mailbox holds Send As on another"),
            "{said}"
        );
        assert!(said.contains("Send on Behalf could not be read"), "{said}");
    }

    #[test]
    fn reach_m14_many_are_counted_and_each_is_told_once() {
        let many: Vec<Appearance> = (0..14)
            .map(|number| appearance(AppearRight::SendAs, &format!("m{:02}", number % 13)))
            .collect();
        let said = read(many).sentences(Timestamp(0));
        assert!(said[0].contains("m09 and 3 more, as read on"), "{said:?}");
    }

    #[test]
    fn field_b29_the_policy_limits_senders_and_not_recipients() {
        for effects in [None, Some(&effects(read(Vec::new())))] {
            let said = limits("Mailer", effects).join(" ");
            assert!(said.contains("from which mailboxes it sends, not to whom"));
            assert!(said.contains("transport rules"));
        }
    }

    #[test]
    fn field_b32_delegated_grants_are_named_as_not_limited() {
        let mut effects = effects(read(Vec::new()));
        let said = limits("Mailer", Some(&effects)).join(" ");
        assert!(
            said.contains("Other applications are not touched"),
            "{said}"
        );
        assert!(said.contains("people do who sign in themselves"), "{said}");
        assert!(said.contains("holds no delegated permission for mail"));
        effects.delegated = Some(vec!["Mail.Read of Graph".to_owned()]);
        let said = limits("Mailer", Some(&effects)).join(" ");
        assert!(said.contains("Not limited: the delegated permissions"));
        assert!(said.contains("Mail.Read of Graph"), "{said}");
        // Not read is not none.
        effects.delegated = None;
        let said = limits("Mailer", Some(&effects)).join(" ");
        assert!(said.contains("was not read"), "{said}");
        assert!(!said.contains("holds no delegated"), "{said}");
    }

    #[test]
    fn reach_m11_everything_that_the_policy_narrows_is_said_or_that_it_was_not_read() {
        let mut effects = effects(read(Vec::new()));
        effects.also = Some(vec![
            "read calendars (Calendars.Read)".to_owned(),
            "read mail (Mail.Read)".to_owned(),
        ]);
        let said = takes_also("Mailer", Some(&effects)).join(" ");
        assert!(
            said.contains("from then on it can read calendars (Calendars.Read) and read mail (Mail.Read) only in the permitted mailboxes too"),
            "{said}"
        );
        effects.also = None;
        let said = takes_also("Mailer", Some(&effects)).join(" ");
        assert!(said.contains("could not be read"), "{said}");
        effects.also = Some(Vec::new());
        assert!(takes_also("Mailer", Some(&effects)).is_empty());
    }

    #[test]
    fn what_an_older_version_kept_is_read() {
        let step: Step = serde_json::from_str(
            r#"{"kind":"check","state":"done","started":null,"ended":null,"summary":null,
                "evidence":[],"probes":[],"attempts":1,"left":null}"#,
        )
        .unwrap();
        assert_eq!(of(&[step]), None);
    }
}
