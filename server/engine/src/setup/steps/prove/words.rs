//! The sentences of the proof: while it waits, and when it ends without a result.

use domain::{
    Timestamp,
    plan::Mailbox,
    step::{Must, Outcome as Sent, Probe},
};
use microsoft::exchange::TestAnswer;

use super::super::{super::work::Work, check};
use crate::Failure;

/// Why a mailbox does not behave as planned yet.
pub(super) fn open(probe: &Probe) -> String {
    let mailbox = &probe.mailbox;
    match (probe.must, probe.looks.last().map(|look| &look.outcome)) {
        (_, Some(Sent::Unclear(why))) => format!("A mail as {mailbox} says nothing: {why}"),
        (Must::BeRefused, Some(Sent::Accepted)) => format!(
            "Microsoft does not enforce the policy yet: a mail as {mailbox} still went through."
        ),
        (Must::Arrive, Some(Sent::Refused)) => {
            format!("Microsoft still refuses mail as {mailbox}.")
        }
        _ => format!("A mail as {mailbox} was not tried yet."),
    }
}

/// Another policy can still be the cause of a refusal.
pub(super) fn other(what: &str, until: Timestamp) -> String {
    format!(
        "{what} Microsoft goes on enforcing a policy that was removed for up to two hours, so that a refusal before {until} may come from an older one and says nothing of this one."
    )
}

/// The sentences for a proof that took a day: Exchange's own test, and what is known of such delays
/// (MICROSOFT.md §§2.4, 3.9). The first line says what happened. Each further line adds one fact.
pub(super) async fn not_yet(
    work: &mut Work<'_>,
    mailboxes: &[(Mailbox, Must)],
    why: &str,
) -> Result<String, Failure> {
    let mut answers = Vec::new();
    for (mailbox, must) in mailboxes {
        let expected = match must {
            Must::Arrive => TestAnswer::Granted,
            Must::BeRefused => TestAnswer::Denied,
        };
        let answer = check::ask(work, mailbox).await?;
        if answer.as_ref() != Some(&expected) {
            let said = answer.as_ref().map_or("nothing", check::word);
            answers.push(format!("{}: {said}", mailbox.address));
        }
    }
    let test = if answers.is_empty() {
        "Exchange's own test agrees with the plan for each mailbox that is tried.".to_owned()
    } else {
        format!(
            "Exchange's own test says otherwise: {}.",
            answers.join("; ")
        )
    };
    let config = work.tenant.organization_config().await?;
    let flag = match work.saw("Organisation", config).enforces_app_rbac {
        Some(true) => "reads true",
        Some(false) => "reads false",
        None => "is not shown",
    };
    Ok(format!(
        "Not yet proven after a day. {why}\n{test}\nTwo explanations are known. Enforcement took longer than a day in other tenants too, and then came by itself. And in some tenants Microsoft was reported to refuse all mail of an application until Exchange gave it a role as well; Microsoft documents neither that nor the switch EnforceExoAppRbacPermissions, which {flag} here.\nNothing has to be made again: prove again later."
    ))
}
