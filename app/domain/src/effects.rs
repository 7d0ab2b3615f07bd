//! What a plan changes for its application apart from the mailboxes that it may send as: what else
//! the policy limits, and what no policy limits. All of it comes from what was read of the tenant,
//! and the sentences say what was not read.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, address::MailAddress, plan::Plan, step::Step};

/// A right of one recipient on another. With it, a mail can show the other one as its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppearRight {
    SendAs,
    SendOnBehalf,
}

impl AppearRight {
    /// The name of the right on Exchange's own pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SendAs => "Send As",
            Self::SendOnBehalf => "Send on Behalf",
        }
    }
}

/// A right that a permitted mailbox holds on another recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Appearance {
    pub mailbox: MailAddress,
    pub right: AppearRight,
    /// The address of the other mailbox or group, or its name where Exchange gave no address.
    pub other: String,
}

/// As whom else mail from the permitted mailboxes may appear (MICROSOFT.md §2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearances {
    /// The number of permitted mailboxes that were read.
    pub asked: u32,
    /// The rights that were read.
    pub read: Vec<AppearRight>,
    pub found: Vec<Appearance>,
    /// What could not be read. Each entry is a sentence.
    pub unread: Vec<String>,
}

/// The effects of a plan, as they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    pub at: Timestamp,
    /// What else the application can do that the policy limits too, apart from sending. Each entry
    /// follows “it can”. None: this was not read.
    pub also: Option<Vec<String>>,
    /// The application's delegated grants: what it may do for people who sign in to it. None: this
    /// was not read.
    pub delegated: Option<Vec<String>>,
    pub appears: Appearances,
}

/// Maximum number of names in a sentence. Further ones are only counted.
const NAMED: usize = 10;

impl Appearances {
    /// The sentences: what was found, what it means as far as that is known, and what was not read.
    /// `at`: the time of the read.
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

    /// One sentence for each permitted mailbox and right.
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
/// What the rights mean for an application: Microsoft documents them for people, and reports about
/// applications differ (MICROSOFT.md §2.6).
const UNCERTAIN: &str = "Microsoft documents that for people who sign in. Whether an application can do it by itself is reported both ways, and Postern did not try it.";
const NEVER_READ: &str = "Not looked at: such rights that a permitted mailbox has as a member of a group, and Send on Behalf on groups.";

/// The effects that a setup read last. None: an older version ran the setup, or it has not got so
/// far.
pub fn of(steps: &[Step]) -> Option<&Effects> {
    steps.iter().rev().find_map(|step| step.effects.as_ref())
}

/// What else the policy takes from the application, for the review and for the setup's page.
fn takes_also(name: &str, effects: Option<&Effects>) -> Vec<String> {
    match effects.map(|effects| effects.also.as_deref()) {
        // Nothing was read: an older version ran the setup, or the check did not get so far.
        // Nothing is claimed.
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

/// What no policy limits, in sentences: the recipients, other applications, people who sign in, and
/// as whom a mail may appear.
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

/// A policy limits the sender of a mail, never its recipients.
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

/// All sentences about the effects, for a setup's page and its history.
pub fn means(plan: &Plan, effects: Option<&Effects>) -> Vec<String> {
    let name = &plan.application.name;
    let mut said = takes_also(name, effects);
    said.extend(limits(name, effects));
    said
}

/// The sentences for the review. Adds what matters only before the start.
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
        // The text must not claim more than Microsoft says of applications.
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
        // Only one of the two rights was read: nothing is said of the other.
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
        // “Not read” must not look like “none”.
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
