//! Step 6: real mail, sent with the application's own secret.
//!
//! First as the mailboxes that must be refused: until they are, a mail that arrives as a permitted
//! sender shows nothing. The mails go to the first permitted sender.

use domain::permission::Resource;
use domain::{
    address::MailAddress,
    id::AppId,
    secret::ClientSecret,
    step::{Look, Must, Outcome as Sent, Probe, WaitFor},
};
use microsoft::{AccessToken, Call, entra::scopes, graph::SendOutcome};
use secrecy::SecretString;

use super::super::work::{Outcome, Work, evidence};
use crate::{
    Failure,
    pace::{self, Wait},
};

/// As many permitted senders are tried; the others are members of the same group.
const TRIED_SENDERS: usize = 2;
/// A week to find the secret.
const FOR_SECRET: Wait = Wait {
    first: 0,
    longest: 0,
    patience: 7 * 24 * 3_600_000,
};
/// Looks kept per mailbox.
const MOST_LOOKS: usize = 12;

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    if !work.plan.prove {
        return Ok(Outcome::Skipped {
            why: "The approved plan leaves real mail out.".into(),
        });
    }
    let mut probes = probes(work);
    let Some(secret) = work.secret.take() else {
        work.notes.probes = probes;
        return Ok(Outcome::Wait {
            what: WaitFor::Secret,
            why: "Needs the application's client secret, to send as the application does.".into(),
            wait: FOR_SECRET,
            usually: None,
        });
    };
    let app_id = work.plan.application.app_id;
    let token = sign_in(work, app_id, &secret).await?;
    let Some(to) = work
        .plan
        .senders
        .first()
        .map(|sender| sender.address.clone())
    else {
        return Ok(Outcome::Failed(domain::Problem::not_found()));
    };
    let runs = probes.iter().flat_map(|probe| &probe.looks);
    let run = runs
        .map(|look| look.run)
        .max()
        .map_or(1, |last| last.saturating_add(1));
    for must in [Must::BeRefused, Must::Arrive] {
        for probe in probes
            .iter_mut()
            .filter(|probe| probe.must == must && !probe.holds())
        {
            let outcome = send(work, &token, &probe.mailbox, &to, run).await?;
            probe.looks.push(outcome);
            if probe.looks.len() > MOST_LOOKS {
                // The first look stays: it shows that the mail went through before.
                probe.looks.remove(1);
            }
        }
        if probes
            .iter()
            .any(|probe| probe.must == must && !probe.holds())
        {
            let why = what_is_wrong(&probes, must);
            work.notes.probes = probes;
            return Outcome::wait(why, pace::ENFORCED, "30 minutes to 2 hours");
        }
    }
    let (arrived, refused) = (
        count(&probes, Must::Arrive),
        count(&probes, Must::BeRefused),
    );
    work.notes.probes = probes;
    work.notes.forget_secret = Some("the proof ended");
    Outcome::done(format!(
        "{arrived} accepted, {refused} refused, with real mail."
    ))
}

/// Signs in as the application itself.
async fn sign_in(
    work: &mut Work<'_>,
    app_id: AppId,
    secret: &ClientSecret,
) -> Result<AccessToken, Failure> {
    let microsoft = work.engine.microsoft();
    let scope = scopes::default_of(microsoft.endpoints(), Resource::Graph);
    let secret = SecretString::from(secret.expose());
    let token = microsoft
        .client_credentials(work.tenant.tenant(), app_id, &secret, &scope)
        .await?;
    Ok(token)
}

/// The probes as the last look left them, or new ones.
fn probes(work: &Work<'_>) -> Vec<Probe> {
    if !work.step.probes.is_empty() {
        return work.step.probes.clone();
    }
    let new = |mailbox: &domain::plan::Mailbox, must| Probe {
        mailbox: mailbox.address.clone(),
        must,
        looks: Vec::new(),
    };
    let senders = work
        .plan
        .senders
        .iter()
        .take(TRIED_SENDERS)
        .map(|mailbox| new(mailbox, Must::Arrive));
    let refused = work
        .plan
        .refused
        .iter()
        .map(|mailbox| new(mailbox, Must::BeRefused));
    senders.chain(refused).collect()
}

async fn send(
    work: &mut Work<'_>,
    token: &AccessToken,
    from: &MailAddress,
    to: &MailAddress,
    run: u32,
) -> Result<Look, Failure> {
    let subject = "Postern tests who this application may send as";
    let body = format!(
        "This mail was sent as {from} to find out whether {} may send as that mailbox.\n\nNothing needs to be done with it.",
        work.plan.application.name
    );
    let call: Call<SendOutcome> = work
        .engine
        .microsoft()
        .send_mail(token, from, to, subject, &body)
        .await;
    work.notes
        .evidence
        .push(evidence(&format!("A mail as {from}"), &call.trace, false));
    let outcome = match call.value {
        SendOutcome::Accepted => Sent::Accepted,
        SendOutcome::RefusedByPolicy => Sent::Refused,
        // Not by the policy, so it says nothing of the policy.
        SendOutcome::AccessDenied => Sent::Unclear(
            "Microsoft refused it for another reason than the policy: the permission may be gone."
                .into(),
        ),
        SendOutcome::Unclear(problem) => Sent::Unclear(problem.happened),
    };
    Ok(Look {
        run,
        at: call.trace.at,
        outcome,
        request_id: call.trace.request_id,
    })
}

fn count(probes: &[Probe], must: Must) -> usize {
    probes
        .iter()
        .filter(|probe| probe.must == must && probe.holds())
        .count()
}

fn what_is_wrong(probes: &[Probe], must: Must) -> String {
    let open: Vec<&Probe> = probes
        .iter()
        .filter(|probe| probe.must == must && !probe.holds())
        .collect();
    let unclear =
        open.iter()
            .find_map(|probe| match probe.looks.last().map(|look| &look.outcome) {
                Some(Sent::Unclear(why)) => {
                    Some(format!("A mail as {} says nothing: {why}", probe.mailbox))
                }
                _ => None,
            });
    if let Some(unclear) = unclear {
        return unclear;
    }
    let names = open
        .iter()
        .map(|probe| probe.mailbox.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    match must {
        Must::BeRefused => format!(
            "Microsoft does not enforce the policy yet: a mail as {names} still went through."
        ),
        Must::Arrive => format!("Microsoft still refuses mail as {names}."),
    }
}
