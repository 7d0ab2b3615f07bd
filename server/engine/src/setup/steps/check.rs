//! Step 5: Exchange's own test agrees with the plan.

use domain::{Problem, plan::Mailbox, problem::Remedy};
use microsoft::{Fault, exchange::TestAnswer};

use super::super::{
    look::{self, Held},
    work::{Outcome, Work},
};
use crate::{Failure, pace};

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let plan = work.plan;
    if let Held::Another(problem) = look::held(work, "Group").await? {
        return Ok(Outcome::Failed(problem));
    }
    let mut wrong = Vec::new();
    let mut missing = Vec::new();
    for (mailbox, expected) in plan
        .senders
        .iter()
        .map(|mailbox| (mailbox, TestAnswer::Granted))
        .chain(
            plan.refused
                .iter()
                .map(|mailbox| (mailbox, TestAnswer::Denied)),
        )
    {
        let Some(answer) = ask(work, mailbox).await? else {
            missing.push(mailbox.address.as_str());
            continue;
        };
        if let TestAnswer::Unclear(text) = &answer {
            return Ok(Outcome::Failed(not_understood(mailbox, text)));
        }
        if answer != expected {
            wrong.push(format!("{} is {}", mailbox.address, word(&answer)));
        }
    }
    if !missing.is_empty() {
        return Outcome::wait(
            format!(
                "Exchange's test does not find {}: removed, or not known to all of Exchange's servers.",
                missing.join(", ")
            ),
            pace::SPOILT,
            "a minute",
        );
    }
    if !wrong.is_empty() {
        return Outcome::wait(
            format!(
                "Exchange's test does not agree with the plan yet: {}.",
                wrong.join(", ")
            ),
            pace::CHECK,
            "a minute",
        );
    }
    Outcome::done(format!(
        "{} granted, {} denied, as planned.",
        plan.senders.len(),
        plan.refused.len()
    ))
}

/// Runs Exchange's test for one mailbox. None: Exchange finds no such mailbox, or its server does
/// not know it yet. The mailbox was there when the setup began.
pub(super) async fn ask(
    work: &mut Work<'_>,
    mailbox: &Mailbox,
) -> Result<Option<TestAnswer>, Failure> {
    let app = work.plan.application.app_id;
    match work.tenant.test_policy(app, &mailbox.address).await {
        Ok(call) => Ok(Some(
            work.saw(&format!("Test for {}", mailbox.address), call),
        )),
        Err(error) if error.fault() == Some(Fault::NotFound) => {
            let title = format!("Exchange does not find {}", mailbox.address);
            work.notes
                .evidence
                .push(error.trace().evidence(&title, false));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The problem for a test answer that Postern does not know. Only this text tells granted from
/// denied (MICROSOFT.md §2.4), and waiting does not change the language in which Exchange answers.
fn not_understood(mailbox: &Mailbox, text: &str) -> Problem {
    Problem::new(
        "check.not_understood",
        Remedy::Act,
        format!(
            "Exchange answered the test for {} with “{text}”, neither “Granted” nor “Denied”.",
            mailbox.address
        ),
        "It answers in the language of the account that consented, and Postern takes no word for a permission that it does not know.",
        "Set the language of that account to English (in Outlook under Settings, General, Language; without a mailbox, connect with an account whose language is English), then try again.",
    )
}

pub(super) fn word(answer: &TestAnswer) -> &str {
    match answer {
        TestAnswer::Granted => "granted",
        TestAnswer::Denied => "denied",
        TestAnswer::Unclear(text) => text,
    }
}
