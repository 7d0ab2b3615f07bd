//! The current state of the setup: working, waiting, blocked on a person, or ended.

use domain::{
    Problem, Timestamp,
    problem::Remedy,
    proof::{Judged, Proof, RealMail, meaning, probes, proved, real_mail},
    setup::{Intent, SetupState},
    step::{StepKind, StepState, Waiting},
    view::{SecretState, SetupView},
};
use leptos::prelude::*;

use super::{
    Shown,
    actions::{afterwards, ids, things},
    secret::SecretForm,
};
use crate::{
    api::forms,
    components::{
        Clock, Erase as _, Failure, Glyph, Moment, Post, PostForm, ProblemBox, Submit, dynamic,
        icon, since, until,
    },
    paths,
};

/// The subject of the panel. The panel is rendered again only when this changes.
#[derive(Clone, PartialEq)]
enum About {
    Working {
        kind: StepKind,
        started: Option<domain::Timestamp>,
    },
    /// Between two steps, or before the first.
    Queued,
    Waiting(Waiting),
    Secret(Waiting),
    Failed {
        problem: Problem,
        undoing: bool,
    },
    Done(Ended),
    Cancelled {
        left: Vec<String>,
    },
    RollingBack,
    RolledBack {
        left: Vec<String>,
    },
}

/// How a setup ended, and what is known about it now.
#[derive(Clone, PartialEq)]
struct Ended {
    proof: Proof,
    real_mail: RealMail,
    /// Why real mail gave no proof, when it was not tried or did not behave as planned.
    unproven: Option<String>,
    /// What was tried and through what, and the time.
    tried: Option<(String, Option<Timestamp>)>,
    judged: Option<Judged>,
}

fn ended(view: &SetupView) -> Ended {
    let tried = proved(&view.steps, &view.plan).map(|proved| {
        (
            proved.sentence(&view.plan, probes(&view.steps)),
            proved.newest(),
        )
    });
    Ended {
        proof: view.proof,
        real_mail: real_mail(&view.steps, &view.plan),
        unproven: view.steps.iter().find_map(|step| match &step.state {
            StepState::Skipped { why } if step.kind == StepKind::Prove => Some(why.clone()),
            _ => None,
        }),
        tried,
        judged: view.judged.clone(),
    }
}

fn about(view: &SetupView) -> About {
    let (intent, steps) = (view.intent, &view.steps);
    let waiting = || {
        steps.iter().find_map(|step| match &step.state {
            StepState::Waiting(waiting) => Some(waiting.clone()),
            _ => None,
        })
    };
    match view.state {
        SetupState::Running => steps
            .iter()
            .find(|step| step.state == StepState::Running)
            .map_or(About::Queued, |step| About::Working {
                kind: step.kind,
                started: step.started,
            }),
        SetupState::Waiting => waiting().map_or(About::Queued, About::Waiting),
        SetupState::NeedsSecret => waiting().map_or(About::Queued, About::Secret),
        SetupState::Failed => steps
            .iter()
            .find_map(|step| match &step.state {
                StepState::Failed { problem } => Some(About::Failed {
                    problem: problem.clone(),
                    undoing: intent == Intent::RollBack,
                }),
                _ => None,
            })
            .unwrap_or(About::Queued),
        SetupState::Done => About::Done(ended(view)),
        SetupState::Cancelled => About::Cancelled {
            left: things(&view.plan, steps),
        },
        SetupState::RollingBack => About::RollingBack,
        SetupState::RolledBack => About::RolledBack {
            left: steps.iter().filter_map(|step| step.left.clone()).collect(),
        },
    }
}

#[component]
pub fn Now(shown: Shown) -> impl IntoView {
    let about = shown.part(about);
    let retry = Post::new(forms::RETRY_SETUP);
    let look = Post::new(forms::LOOK_NOW);
    let skip = Post::new(forms::SKIP_PROOF);
    let reconnect = Post::new(forms::RECONNECT);
    afterwards(retry, shown, "Trying again.");
    afterwards(look, shown, "Looking now.");
    afterwards(skip, shown, "Real mail is left out.");
    let can = shown.part(|view| view.can);
    let may_change = shown.may_change;
    let look_now = move || {
        (may_change && can.get().look_now).then(|| {
            view! {
                <PostForm post=look>
                    {ids(shown)}
                    <Submit label="Look now" class="btn" pending=look.pending()/>
                </PostForm>
            }
            .any()
        })
    };
    let leave_out = move || {
        (may_change && can.get().skip_proof).then(|| {
            view! {
                <PostForm post=skip>
                    {ids(shown)}
                    <Submit label="Finish without real mail" class="btn" pending=skip.pending()/>
                </PostForm>
            }
            .any()
        })
    };
    // The proof failed and its secret is gone. A retry needs a new secret.
    let lacks_secret = shown.part(|view| {
        view.can.retry
            && view.can.skip_proof
            && !matches!(view.secret, SecretState::KeptUntil { .. })
    });
    // A retry is useless before the consent is given.
    let try_again = move |remedy: Remedy| {
        let class = if remedy == Remedy::Consent {
            "btn"
        } else {
            "btn primary"
        };
        if may_change && lacks_secret.get() {
            return Some(view! { <SecretForm shown/> }.any());
        }
        (may_change && can.get().retry).then(|| {
            view! {
                <PostForm post=retry>
                    {ids(shown)}
                    <Submit label="Try again" class pending=retry.pending()/>
                </PostForm>
            }
            .any()
        })
    };
    let consent = move |remedy: Remedy| {
        (may_change && remedy == Remedy::Consent).then(|| {
            view! {
                <PostForm post=reconnect>
                    <input type="hidden" name="customer" value=shown.customer.to_string()/>
                    <input type="hidden" name="return_to" value=paths::setup(shown.customer, shown.id)/>
                    <Submit label="Connect again" pending=reconnect.pending()/>
                </PostForm>
            }
            .any()
        })
    };
    let panel = move || match about.get() {
        About::Queued => working("Going on in a moment.", None, shown.clock),
        About::Working { kind, started } => working(kind.explained(), started, shown.clock),
        About::Waiting(waiting) => view! {
            <div class="now wait">
                <Ring waiting=waiting.clone() clock=shown.clock/>
                <div>
                    <p role="status"><b>"Waiting. "</b>{waiting.why.clone()}</p>
                    <Counters waiting clock=shown.clock/>
                </div>
                <div class="actions">{dynamic(look_now)}{dynamic(leave_out)}</div>
            </div>
        }
        .any(),
        About::Secret(waiting) => view! {
            <div class="now needs">
                {icon(Glyph::Key)}
                <div>
                    <p role="status"><b>"This needs you. "</b>{waiting.why.clone()}</p>
                    {may_change.then(|| view! { <SecretForm shown/> }.any())}
                    <Counters waiting clock=shown.clock/>
                </div>
                <div class="actions">{dynamic(leave_out)}</div>
            </div>
        }
        .any(),
        About::Failed { problem, undoing } => {
            let remedy = problem.remedy;
            let note = undoing.then(|| view! { <p>"Rolling back stopped here."</p> }.any());
            view! {
                <div role="alert">
                    {note}
                    <ProblemBox problem>{consent(remedy)}{dynamic(move || try_again(remedy))}{dynamic(leave_out)}</ProblemBox>
                </div>
            }
            .any()
        }
        About::Done(ended) => done(ended, shown.clock),
        About::Cancelled { left } => over(Glyph::Dash, "Cancelled. This is there:", left),
        About::RollingBack => working("Rolling back, the last step first.", None, shown.clock),
        About::RolledBack { left } if left.is_empty() => over(
            Glyph::Undo,
            "Rolled back. Nothing of it is left.",
            Vec::new(),
        ),
        About::RolledBack { left } => over(Glyph::Undo, "Rolled back, except for this:", left),
    };
    view! {
        <section aria-label="Now">
            <Failure of=retry.failure()/>
            <Failure of=look.failure()/>
            <Failure of=skip.failure()/>
            <Failure of=reconnect.failure()/>
            {dynamic(panel)}
        </section>
    }
    .any()
}

fn done(ended: Ended, clock: Clock) -> AnyView {
    let Ended {
        proof,
        real_mail,
        unproven,
        tried,
        judged,
    } = ended;
    let (class, glyph) = match proof {
        Proof::Proven if real_mail == RealMail::ShowedBefore => ("now wait", Glyph::Star),
        Proof::Proven => ("now good", Glyph::Star),
        Proof::MoreOpen => ("now bad", Glyph::Unlock),
        Proof::NotKnown => ("now needs", Glyph::Question),
        Proof::None | Proof::Configured | Proof::Checked => ("now wait", Glyph::Check),
    };
    let word = match (proof, real_mail) {
        (Proof::Checked, RealMail::NotYet) => "checked, not yet proven",
        (Proof::Checked, _) => "checked, not proven",
        _ => proof.word(),
    };
    let (sentence, newest) = tried.unzip();
    let age = newest.flatten().map(|at| {
        view! { <p class="counters"><span>"Real mail last behaved as planned "{dynamic(move || since(clock, at))}" ago"</span></p> }.any()
    });
    let look = judged.map(|judged| {
        let lines = judged
            .says
            .sentences()
            .iter()
            .map(|line| view! { <li>{line.clone()}</li> }.any())
            .collect_view();
        view! { <p>{judged.sentence()}</p><ul>{lines}</ul> }.any()
    });
    view! {
        <div class=class>
            {icon(glyph)}
            <div>
                <p role="status"><b>"Finished: "{word}". "</b>{meaning(proof, real_mail)}</p>
                {sentence.map(|said| view! { <p>{said}</p> }.any())}
                {unproven.map(|why| why.lines().map(|line| view! { <p>{line.to_owned()}</p> }.any()).collect_view())}
                {look}
                {age}
            </div>
        </div>
    }
    .any()
}

fn working(what: &'static str, started: Option<domain::Timestamp>, clock: Clock) -> AnyView {
    let counter = started.map(|from| {
        view! { <p class="counters">"for "<span>{dynamic(move || since(clock, from))}</span></p> }.any()
    });
    view! {
        <div class="now wait">
            <span class="spin large" aria-hidden="true"></span>
            <div><p role="status"><b>"Working. "</b>{what}</p>{counter}</div>
        </div>
    }
    .any()
}

fn over(glyph: Glyph, sentence: &'static str, things: Vec<String>) -> AnyView {
    let list = (!things.is_empty()).then(|| {
        view! { <ul>{things.into_iter().map(|thing| view! { <li>{thing}</li> }.any()).collect_view()}</ul> }.any()
    });
    view! {
        <div class="now calm">
            {icon(glyph)}
            <div><p role="status"><b>{sentence}</b></p>{list}</div>
        </div>
    }
    .any()
}

/// The start of the wait, its usual duration, its deadline, and the time of the next poll. These
/// counters are outside the announced part, so that screen readers do not read every second aloud.
#[component]
fn Counters(waiting: Waiting, clock: Clock) -> impl IntoView {
    let Waiting {
        since: from,
        next_look,
        latest,
        usually,
        ..
    } = waiting;
    view! {
        <p class="counters">
            <span>"waiting "{dynamic(move || since(clock, from))}</span>
            {usually.map(|usually| view! { <span>"usually "{usually}</span> }.any())}
            <span>"given up "<Moment at=latest/>" ("{dynamic(move || until(clock, latest))}")"</span>
            {next_look.map(|at| view! { <span>"looks again "{dynamic(move || until(clock, at))}</span> }.any())}
        </p>
    }.any()
}

/// The elapsed part of the longest possible wait.
#[component]
fn Ring(waiting: Waiting, clock: Clock) -> impl IntoView {
    /// The length of the circle, in units of the drawing.
    const ROUND: i64 = 94;
    let dashes = move || {
        let whole = waiting.latest.millis_since(waiting.since).max(1);
        let gone = clock.get().millis_since(waiting.since).clamp(0, whole);
        // The minimum length makes the arc visible at the start.
        let part = (gone.saturating_mul(ROUND) / whole).max(3);
        format!("{part} {ROUND}")
    };
    view! {
        <svg class="ring" viewBox="0 0 36 36" fill="none" stroke="currentColor" stroke-width="4" aria-hidden="true">
            <circle cx="18" cy="18" r="15" stroke-opacity="0.25"></circle>
            <circle cx="18" cy="18" r="15" stroke-dasharray=dashes transform="rotate(-90 18 18)" stroke-linecap="round"></circle>
        </svg>
    }.any()
}
