//! Step 6: real mail, sent with the application's own secret.
//!
//! A proof is a round in which every mailbox behaves as planned, and a second round ten minutes
//! later. Before each round, policy and members are read again, and Exchange's own test is asked
//! about every mailbox that must be refused. While mail as one of these mailboxes still goes
//! through, only that mailbox is tried, with growing gaps, because somebody receives its mails. A
//! refusal counts only when no other policy can be its cause: see
//! [`domain::proving::Before::counts`].

mod facts;
mod sign_in;
mod words;

use domain::{
    Problem, Timestamp,
    application::Grant,
    permission::Resource,
    plan::Mailbox,
    problem::Remedy,
    proof::Tried,
    proving::{LAPSES_WITHIN, MAILS_A_DAY, Proving, SUBJECT},
    secret::ClientSecret,
    step::{Look, Must, Outcome as Sent, Probe, StepState, WaitFor},
};
use microsoft::{
    Call,
    exchange::TestAnswer,
    graph::{SendOutcome, Sender},
};

use self::{facts::Facts, sign_in::sign_in};
use super::{
    super::work::{Outcome, Work},
    check,
};
use crate::{
    Failure,
    pace::{self, Wait},
};

/// The wait for the secret: a week.
const FOR_SECRET: Wait = Wait {
    first: 0,
    longest: 0,
    patience: 7 * 24 * 3_600_000,
};
/// Time between the two rounds. Milliseconds.
const BETWEEN: i64 = 10 * 60_000;
/// One day. Milliseconds.
const DAY: i64 = 24 * 3_600_000;
/// Maximum number of looks that are kept per mailbox.
const MOST_LOOKS: usize = 12;
/// Mark: policy or members were not the plan's at an earlier look.
const NOT_AS_PLANNED: &str = "not as planned";

pub(super) async fn run(work: &mut Work<'_>) -> Result<Outcome, Failure> {
    let mut proving = work.step.proving.clone().unwrap_or_default();
    if !work.plan.prove && proving.again.is_none() {
        let why = match work.plan.unprovable {
            Some(unprovable) => format!("Not tried with real mail. {}", unprovable.why()),
            None => "The approved plan leaves real mail out.".to_owned(),
        };
        return Ok(Outcome::Skipped { why });
    }
    let mut round = Round::new(work, &proving);
    let outcome = prove(work, &mut proving, &mut round).await;
    work.notes.probes = round.probes;
    work.notes.proving = Some(proving);
    outcome
}

/// The mailboxes of a round.
struct Round {
    /// The probes of these mailboxes, and of mailboxes of earlier rounds.
    probes: Vec<Probe>,
    /// The mailboxes in the order in which they are tried. Those that did not behave as planned
    /// come first.
    order: Vec<(Mailbox, Must)>,
    /// The number of this look.
    run: u32,
}

impl Round {
    fn new(work: &Work<'_>, proving: &Proving) -> Self {
        let plan = work.plan;
        let mut order: Vec<(Mailbox, Must)> = match &proving.again {
            None => plan
                .probed()
                .map(|(mailbox, must)| (mailbox.clone(), must))
                .collect(),
            // One mailbox that must be refused is always tried: it shows that the policy is in
            // force.
            Some(again) => {
                let asked = |one: &&Mailbox| again.mailboxes.contains(&one.object);
                let first = plan.refused.first().into_iter();
                let rest = plan.refused.iter().skip(1).filter(asked);
                let refused = first.chain(rest).map(|one| (one.clone(), Must::BeRefused));
                let senders = plan.senders.iter().filter(asked);
                refused
                    .chain(senders.map(|one| (one.clone(), Must::Arrive)))
                    .collect()
            }
        };
        let mut probes = work.step.probes.clone();
        for (mailbox, must) in &order {
            let known = probes.iter_mut().find(|probe| {
                probe
                    .mailbox_of(plan)
                    .is_some_and(|one| one.object == mailbox.object)
            });
            match known {
                Some(probe) => probe.object = Some(mailbox.object),
                None => probes.push(Probe {
                    mailbox: mailbox.address.clone(),
                    object: Some(mailbox.object),
                    must: *must,
                    looks: Vec::new(),
                }),
            }
        }
        let since = proving.begun;
        let is_open = |mailbox: &Mailbox| {
            let probe = probes
                .iter()
                .find(|probe| probe.object == Some(mailbox.object));
            probe.is_some_and(|probe| {
                let last = probe.looks.last();
                !probe.holds() && last.is_some_and(|look| since.is_some_and(|at| look.at >= at))
            })
        };
        order.sort_by_key(|(mailbox, _)| !is_open(mailbox));
        let runs = probes.iter().flat_map(|probe| &probe.looks);
        let run = runs
            .map(|look| look.run)
            .max()
            .map_or(1, |last| last.saturating_add(1));
        Self { probes, order, run }
    }

    fn probe(&mut self, mailbox: &Mailbox) -> Option<&mut Probe> {
        self.probes
            .iter_mut()
            .find(|probe| probe.object == Some(mailbox.object))
    }
}

async fn prove(
    work: &mut Work<'_>,
    proving: &mut Proving,
    round: &mut Round,
) -> Result<Outcome, Failure> {
    let now = work.engine.now();
    let Some(secret) = work.secret.take() else {
        return ask_for_secret(work, proving, round).await;
    };
    let begun = *proving.begun.get_or_insert(now);
    proving.counts_from = None;
    let sender = match sign_in(work, &secret, None).await? {
        Ok(sender) => sender,
        Err(problem) => return Ok(Outcome::Failed(problem)),
    };
    let before = match facts::read(work, proving).await? {
        Facts::AsPlanned(before) => before,
        Facts::AnotherGroup(problem) => return Ok(Outcome::Failed(*problem)),
        Facts::Other(different) => return other_than_planned(work, proving, &different),
    };
    let pace = work.engine.inner.pace;
    let lapse = pace.of(LAPSES_WITHIN);
    let until = before.all_lapsed(proving, lapse);
    if before.other_may_refuse(proving, now, lapse) {
        let what = "Another access policy for this application was there a short while ago.";
        return wait_until(work, proving, until, what);
    }
    // The first refusal may come from an older policy. Further mails show nothing before that
    // policy has lapsed.
    let refused_since = |must: Must| {
        let looks = round.probes.iter().filter(move |probe| probe.must == must);
        looks
            .flat_map(|probe| &probe.looks)
            .any(|look| look.at >= begun && look.outcome == Sent::Refused)
    };
    if !before.counts(proving, now, lapse) && refused_since(Must::BeRefused) {
        return wait_until(work, proving, until, "Mail is refused already.");
    }
    if let Some(held) = proving.held {
        let left = held.plus_millis(pace.of(BETWEEN)).millis_since(now);
        if left > 0 {
            return between(work, held);
        }
    }
    let mut sending = Sending {
        sender,
        secret,
        renewed: false,
    };
    for (mailbox, must) in round.order.clone() {
        if must == Must::BeRefused && too_many(round, &mailbox, now, pace.of(DAY)) {
            proving.held = None;
            let why = format!(
                "A mail as {} went through {MAILS_A_DAY} times within a day; no more are sent today.",
                mailbox.address
            );
            return wait(work, round, why).await;
        }
        if must == Must::BeRefused
            && let Some(why) = not_denied(work, &mailbox).await?
        {
            proving.held = None;
            return wait(work, round, why).await;
        }
        let tried = send(work, &mut sending, &mailbox, round.run).await?;
        let (at, outcome) = (tried.look.at, tried.look.outcome.clone());
        proving.tried = proving.tried.saturating_add(1);
        if outcome == Sent::Accepted {
            proving.accepted = proving.accepted.saturating_add(1);
        }
        let Some(probe) = round.probe(&mailbox) else {
            continue;
        };
        probe.looks.push(tried.look);
        if probe.looks.len() > MOST_LOOKS {
            // The first look is kept: it shows that mail went through before.
            probe.looks.remove(1);
        }
        let (holds, open) = (probe.holds(), words::open(probe));
        match tried.then {
            Then::GoOn => {}
            Then::Pause { why, until } => return Ok(pause(work, why, until)),
            Then::Stop(problem) => return Ok(Outcome::Failed(problem)),
        }
        if must == Must::BeRefused {
            match outcome {
                Sent::Accepted => {
                    proving.opened.get_or_insert(at);
                }
                Sent::Refused if !before.counts(proving, now, lapse) => {
                    return wait_until(work, proving, until, "Mail is refused already.");
                }
                Sent::Refused | Sent::Unclear(_) => {}
            }
        }
        if !holds {
            proving.held = None;
            return wait(work, round, open).await;
        }
    }
    all_held(work, proving, round)
}

/// The outcome when every mailbox behaved as planned in this look.
fn all_held(work: &mut Work<'_>, proving: &mut Proving, round: &Round) -> Result<Outcome, Failure> {
    let now = work.engine.now();
    if proving.held.is_none() {
        proving.held = Some(now);
        return between(work, now);
    }
    let tried = round.order.iter().map(|(mailbox, must)| Tried {
        object: mailbox.object,
        must: *must,
        at: now,
    });
    let mut proved = proving.proved.take().unwrap_or_default();
    proved.add(tried);
    let count = |wanted: Must| {
        round
            .order
            .iter()
            .filter(|(_, must)| *must == wanted)
            .count()
    };
    let mut summary = format!(
        "{} accepted, {} refused, with real mail, twice ten minutes apart.",
        count(Must::Arrive),
        count(Must::BeRefused)
    );
    if let Some(names) = domain::proof::names(&proved.untried(work.plan, &round.probes)) {
        summary.push_str(&format!(" Not tried: {names}."));
    }
    proving.proved = Some(proved);
    proving.again = None;
    proving.held = None;
    work.notes.forget_secret = Some("the proof ended");
    Outcome::done(summary)
}

async fn ask_for_secret(
    work: &mut Work<'_>,
    proving: &Proving,
    round: &Round,
) -> Result<Outcome, Failure> {
    let now = work.engine.now();
    // The secret's 24 hours are over, and Microsoft still does not enforce the policy.
    let half = work.engine.inner.pace.of(DAY / 2);
    if proving
        .begun
        .is_some_and(|begun| now.millis_since(begun) >= half)
        && proving.tried > 0
    {
        let why = "The application's client secret was deleted after its 24 hours.";
        let why = words::not_yet(work, &round.order, why).await?;
        return Ok(Outcome::Skipped { why });
    }
    Ok(Outcome::Wait {
        what: WaitFor::Secret,
        why: "Needs the application's client secret, to send as the application does.".into(),
        wait: FOR_SECRET,
        usually: None,
    })
}

/// The outcome when policy or members are not the plan's. One read may have met a server with old
/// data, so a second one must confirm it. Then the proof is skipped, and the last look says what is
/// open.
fn other_than_planned(
    work: &mut Work<'_>,
    proving: &mut Proving,
    different: &[String],
) -> Result<Outcome, Failure> {
    proving.held = None;
    let what = different.join(" ");
    if work.mark(NOT_AS_PLANNED) {
        return Outcome::wait(
            format!("{what} It is looked at once more before it is believed."),
            pace::ABSENT,
            "a minute",
        );
    }
    Ok(Outcome::Skipped {
        why: format!(
            "Not tried with real mail any further, because the tenant is not as the plan has it. {what}"
        ),
    })
}

/// Waits until Microsoft enforces the policy. After a day the proof ends without a result.
async fn wait(work: &mut Work<'_>, round: &Round, why: String) -> Result<Outcome, Failure> {
    let over = matches!(
        &work.step.state,
        StepState::Waiting(waiting)
            if waiting.what == WaitFor::Microsoft && work.engine.now() >= waiting.latest
    );
    if over {
        let why = words::not_yet(work, &round.order, &why).await?;
        return Ok(Outcome::Skipped { why });
    }
    Outcome::wait(why, pace::ENFORCED, "30 minutes to 2 hours")
}

/// Waits without sending mail until a refusal counts.
fn wait_until(
    work: &Work<'_>,
    proving: &mut Proving,
    until: Timestamp,
    what: &str,
) -> Result<Outcome, Failure> {
    proving.held = None;
    proving.counts_from = Some(until);
    let left = until.millis_since(work.engine.now()).max(0);
    let pace = work.engine.inner.pace;
    Outcome::wait(
        words::other(what, until),
        Wait {
            first: pace.real(left),
            longest: pace.real(left),
            ..pace::ENFORCED
        },
        "2 hours at most",
    )
}

fn between(work: &Work<'_>, held: Timestamp) -> Result<Outcome, Failure> {
    let pace = work.engine.inner.pace;
    let next = held.plus_millis(pace.of(BETWEEN));
    let left = next.millis_since(work.engine.now()).max(0);
    Outcome::wait(
        format!(
            "Every mailbox behaved as planned ({held}). All are tried once more after ten minutes, because Microsoft's servers do not all change at once."
        ),
        Wait {
            first: pace.real(left),
            longest: pace.real(left),
            ..pace::ENFORCED
        },
        "ten minutes",
    )
}

/// Waits as long as Microsoft asks for, and at least as long as after other trouble.
fn pause(work: &Work<'_>, why: String, until: Option<Timestamp>) -> Outcome {
    let millis = until.map_or(0, |until| until.millis_since(work.engine.now()));
    Outcome::Wait {
        what: WaitFor::Throttle,
        why,
        wait: pace::TROUBLE.not_before(millis, work.engine.inner.pace),
        usually: None,
    }
}

/// Whether mail as this mailbox went through as often as is allowed within a day.
fn too_many(round: &Round, mailbox: &Mailbox, now: Timestamp, day: i64) -> bool {
    let looks = round
        .probes
        .iter()
        .filter(|probe| probe.object == Some(mailbox.object))
        .flat_map(|probe| &probe.looks);
    let recent =
        looks.filter(|look| look.outcome == Sent::Accepted && now.millis_since(look.at) < day);
    recent.count() >= MAILS_A_DAY
}

/// Why a refusal would say nothing of the policy: Exchange's own test does not say “Denied” for the
/// mailbox. None: the test says “Denied”.
async fn not_denied(work: &mut Work<'_>, mailbox: &Mailbox) -> Result<Option<String>, Failure> {
    let address = &mailbox.address;
    Ok(match check::ask(work, mailbox).await? {
        Some(TestAnswer::Denied) => None,
        Some(other) => Some(format!(
            "Exchange's own test says “{}” for {address}, so that a refusal would say nothing of the policy.",
            check::word(&other)
        )),
        None => Some(format!("Exchange's own test does not find {address}.")),
    })
}

/// The sender of the mails, and whether its token was renewed in this look already.
struct Sending {
    sender: Sender,
    secret: ClientSecret,
    renewed: bool,
}

/// One mail that was tried, and whether to try another.
struct TriedMail {
    look: Look,
    then: Then,
}

enum Then {
    GoOn,
    /// Microsoft asked for a pause: no other mail can be accepted before its end.
    Pause {
        why: String,
        until: Option<Timestamp>,
    },
    /// A failure that no wait can mend.
    Stop(Problem),
}

async fn send(
    work: &mut Work<'_>,
    sending: &mut Sending,
    from: &Mailbox,
    run: u32,
) -> Result<TriedMail, Failure> {
    let Some(to) = work.plan.recipient().cloned() else {
        return Err(Problem::not_found().into());
    };
    let address = &from.address;
    let body = format!(
        "This mail was sent as {address} to find out whether {} may send as that mailbox.\n\nNothing needs to be done with it.",
        work.plan.application.name
    );
    let title = format!("A mail as {address}");
    let call: Call<SendOutcome> = loop {
        let call = work
            .engine
            .microsoft()
            .send_mail(&sending.sender, from.object, &to, SUBJECT, &body)
            .await;
        work.notes.evidence.push(call.trace.evidence(&title, false));
        let SendOutcome::TokenRefused { claims, .. } = &call.value else {
            break call;
        };
        if std::mem::replace(&mut sending.renewed, true) {
            break call;
        }
        // A mail with a refused token was not sent, so it is tried again with a new token.
        match sign_in(work, &sending.secret, claims.as_deref()).await? {
            Ok(sender) => sending.sender = sender,
            Err(problem) => {
                let outcome = Sent::Unclear(problem.happened.clone());
                return Ok(tried(call.trace, run, outcome, Then::Stop(problem)));
            }
        }
    };
    let (outcome, then) = match call.value {
        SendOutcome::Accepted => (Sent::Accepted, Then::GoOn),
        SendOutcome::RefusedByPolicy => (Sent::Refused, Then::GoOn),
        // The policy did not refuse this mail, so the refusal says nothing of the policy.
        SendOutcome::AccessDenied => (
            Sent::Unclear("Microsoft refused it for another reason than the policy.".into()),
            without_permission(work)
                .await?
                .map_or(Then::GoOn, Then::Stop),
        ),
        SendOutcome::TokenRefused { problem, .. } => {
            (Sent::Unclear(problem.happened.clone()), Then::Stop(problem))
        }
        SendOutcome::Unclear {
            problem,
            paused,
            until,
        } => {
            let said = format!("{} {}", problem.happened, problem.means);
            let then = if paused {
                let why = format!("A mail as {address} was not taken: {}", problem.happened);
                Then::Pause { why, until }
            } else {
                Then::GoOn
            };
            (Sent::Unclear(said), then)
        }
    };
    Ok(tried(call.trace, run, outcome, then))
}

fn tried(trace: microsoft::Trace, run: u32, outcome: Sent, then: Then) -> TriedMail {
    TriedMail {
        look: Look {
            run,
            at: trace.at,
            outcome,
            request_id: trace.request_id,
        },
        then,
    }
}

/// Whether the application has lost its permission. Microsoft uses the same words for that and for
/// a mailbox outside of an Exchange role's scope (MICROSOFT.md §5). The application's grants tell
/// the two apart. Its token would too, but Graph's tokens are not to be read.
async fn without_permission(work: &mut Work<'_>) -> Result<Option<Problem>, Failure> {
    let plan = work.plan;
    let applications = work.tenant.applications().await?;
    let applications = work.saw("Applications with mailbox permissions", applications);
    // Only a permission of Graph lets an application send through Graph.
    let sends = |grant: &Grant| grant.resource == Resource::Graph && grant.sends();
    let sends = applications
        .iter()
        .filter(|application| application.object == plan.application.object)
        .any(|application| application.grants.iter().any(sends));
    if sends {
        return Ok(None);
    }
    let name = &plan.application.name;
    Ok(Some(Problem::new(
        "prove.permission_gone",
        Remedy::Act,
        format!("{name} holds no permission to send mail through Graph here."),
        "Microsoft refuses its mail whatever the policy says, so real mail proves nothing.",
        format!(
            "Give {name} the permission again if it is meant to send, then try again with its client secret; or leave the proof out."
        ),
    )))
}
