//! Step 6: real mail, sent with the application's own secret.
//!
//! First as the mailboxes that must be refused: until they are, a mail that arrives as a permitted
//! sender shows nothing. The mails go to the first permitted sender.

use domain::permission::Resource;
use domain::{
    Problem, Timestamp,
    address::MailAddress,
    application::Grant,
    problem::Remedy,
    secret::ClientSecret,
    step::{Look, Must, Outcome as Sent, Probe, WaitFor},
};
use microsoft::{
    Call, Kind,
    entra::scopes,
    graph::{SendOutcome, Sender},
};
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
    let sender = match sign_in(work, &secret).await? {
        Ok(sender) => sender,
        Err(problem) => {
            work.notes.probes = probes;
            return Ok(Outcome::Failed(problem));
        }
    };
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
            let tried = send(work, &sender, &probe.mailbox, &to, run).await?;
            probe.looks.push(tried.look);
            if probe.looks.len() > MOST_LOOKS {
                // The first look stays: it shows that the mail went through before.
                probe.looks.remove(1);
            }
            match tried.then {
                Then::GoOn => {}
                Then::Pause { why, until } => {
                    work.notes.probes = probes;
                    return Ok(pause(work, why, until));
                }
                Then::Stop(problem) => {
                    work.notes.probes = probes;
                    return Ok(Outcome::Failed(problem));
                }
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

/// Signs in as the application itself. A refusal is about the application and its secret, never
/// about the consent with which Postern acts in the customer.
async fn sign_in(
    work: &mut Work<'_>,
    secret: &ClientSecret,
) -> Result<Result<Sender, Problem>, Failure> {
    let microsoft = work.engine.microsoft();
    let scope = scopes::default_of(microsoft.endpoints(), Resource::Graph);
    let secret = SecretString::from(secret.expose());
    let (tenant, app) = (work.tenant.tenant(), work.plan.application.app_id);
    match microsoft
        .client_credentials(tenant, app, &secret, &scope)
        .await
    {
        Ok(token) => Ok(Ok(Sender { tenant, app, token })),
        Err(error) if error.is_transient() || *error.kind() == Kind::Malformed => Err(error.into()),
        Err(error) => {
            work.notes
                .evidence
                .push(evidence("Sign-in as the application", error.trace(), false));
            Ok(Err(no_sign_in(&error, &work.plan.application.name)))
        }
    }
}

/// Why Entra gave the application no token, and what to do about it.
fn no_sign_in(error: &microsoft::Error, name: &str) -> Problem {
    const AGAIN: &str = "then try again and give the client secret once more";
    let (key, happened, means, todo) = match error.kind() {
        // These are about a secret anyway.
        Kind::SecretWrong | Kind::SecretExpired => return error.problem(),
        Kind::AppDisabled => (
            "prove.application_disabled",
            format!("{name} is switched off in this tenant, so its client secret opens nothing."),
            "Entra gives it no token: it can send no mail now, and nothing can be proven with it.",
            format!(
                "Switch it on under “Enterprise applications” if it is meant to work, {AGAIN}; or leave the proof out."
            ),
        ),
        Kind::AppNotFound => (
            "prove.application_not_found",
            format!(
                "Entra does not find {name} in this tenant, so its client secret opens nothing."
            ),
            "It was removed since the plan was approved, or it is so new that not all of Entra knows it.",
            format!(
                "Check that it stands under “Enterprise applications” in the customer's Entra, {AGAIN}; or leave the proof out."
            ),
        ),
        Kind::InteractionRequired => (
            "prove.conditional_access",
            format!(
                "A Conditional Access policy of the tenant refused {name} with its client secret."
            ),
            "Policies for workload identities let an application sign in from some places only, and Postern's server is not among them.",
            format!(
                "Have an admin of the customer let it in from Postern's address for the proof, {AGAIN}; or leave the proof out."
            ),
        ),
        _ => (
            "prove.sign_in_refused",
            format!("Entra gave {name} no token for its client secret."),
            "Without it the application sends no mail, so nothing can be proven. The customer's connection is not concerned.",
            format!(
                "Read what Entra said below and put it right for this application, {AGAIN}; or leave the proof out."
            ),
        ),
    };
    let problem = Problem::new(key, Remedy::Act, happened, means, todo);
    match error.problem().microsoft {
        Some(answer) => problem.with_answer(answer),
        None => problem,
    }
}

/// Waits as long as Microsoft asks for, and no less than after other trouble.
fn pause(work: &Work<'_>, why: String, until: Option<Timestamp>) -> Outcome {
    let millis = until.map_or(0, |until| until.millis_since(work.engine.now()));
    Outcome::Wait {
        what: WaitFor::Throttle,
        why,
        wait: pace::TROUBLE.not_before(millis, work.engine.inner.pace),
        usually: None,
    }
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

/// One mail that was tried, and whether another one makes sense.
struct Tried {
    look: Look,
    then: Then,
}

enum Then {
    GoOn,
    /// Microsoft asked for a pause: no other mail has a chance before it is over.
    Pause {
        why: String,
        until: Option<Timestamp>,
    },
    /// No wait helps.
    Stop(Problem),
}

async fn send(
    work: &mut Work<'_>,
    sender: &Sender,
    from: &MailAddress,
    to: &MailAddress,
    run: u32,
) -> Result<Tried, Failure> {
    let subject = "Postern tests who this application may send as";
    let body = format!(
        "This mail was sent as {from} to find out whether {} may send as that mailbox.\n\nNothing needs to be done with it.",
        work.plan.application.name
    );
    let call: Call<SendOutcome> = work
        .engine
        .microsoft()
        .send_mail(sender, from, to, subject, &body)
        .await;
    work.notes
        .evidence
        .push(evidence(&format!("A mail as {from}"), &call.trace, false));
    let (outcome, then) = match call.value {
        SendOutcome::Accepted => (Sent::Accepted, Then::GoOn),
        SendOutcome::RefusedByPolicy => (Sent::Refused, Then::GoOn),
        // Not by the policy, so it says nothing of the policy.
        SendOutcome::AccessDenied => (
            Sent::Unclear("Microsoft refused it for another reason than the policy.".into()),
            without_permission(work)
                .await?
                .map_or(Then::GoOn, Then::Stop),
        ),
        SendOutcome::Unclear {
            problem,
            paused,
            until,
        } => {
            let then = if paused {
                let why = format!("A mail as {from} was not taken: {}", problem.happened);
                Then::Pause { why, until }
            } else {
                Then::GoOn
            };
            (Sent::Unclear(problem.happened), then)
        }
    };
    let look = Look {
        run,
        at: call.trace.at,
        outcome,
        request_id: call.trace.request_id,
    };
    Ok(Tried { look, then })
}

/// The same words refuse an application without the permission, and a mailbox outside of an
/// Exchange role's scope (MICROSOFT.md §5). What it holds tells them apart; its token does not,
/// because Graph's are not to be read.
async fn without_permission(work: &mut Work<'_>) -> Result<Option<Problem>, Failure> {
    let plan = work.plan;
    let applications = work.tenant.applications().await?;
    let applications = work.saw("Applications with mailbox permissions", applications);
    let sends = applications
        .iter()
        .filter(|application| application.object == plan.application.object)
        .any(|application| application.grants.iter().any(Grant::sends));
    if sends {
        return Ok(None);
    }
    let name = &plan.application.name;
    Ok(Some(Problem::new(
        "prove.permission_gone",
        Remedy::Act,
        format!("{name} no longer holds a permission to send mail here."),
        "Microsoft refuses its mail whatever the policy says, so real mail proves nothing.",
        format!(
            "Give {name} the permission again if it is meant to send, then try again with its client secret; or leave the proof out."
        ),
    )))
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
