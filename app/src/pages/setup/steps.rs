//! The steps with their state, their duration, and their evidence.

use domain::{
    Timestamp,
    setup::Intent,
    step::{Evidence, Look, Probe, Step, StepKind, StepState},
    time::span,
    view::SecretState,
};
use leptos::prelude::*;

use super::{
    Shown,
    secret::{SecretForm, whereabouts},
};
use crate::components::{
    CopyButton, Erase as _, Moment, TimeOfDay, breakable, dynamic, icon, keyed, list_of,
    outcome_tag, since, step_look,
};

/// The maximum number of columns. All tries are in the evidence.
const TRIES: usize = 4;

#[component]
pub fn Steps(shown: Shown) -> impl IntoView {
    let kinds: Vec<StepKind> = shown
        .view
        .with_untracked(|view| view.steps.iter().map(|step| step.kind).collect());
    let items = kinds
        .into_iter()
        .enumerate()
        .map(|(index, kind)| view! { <Item shown index kind/> }.any())
        .collect_view();
    view! {
        <section class="card" aria-labelledby="steps">
            <h2 id="steps" class="unseen">"Steps"</h2>
            <ol class="steps">{items}</ol>
        </section>
    }
    .any()
}

#[component]
fn Item(shown: Shown, index: usize, kind: StepKind) -> impl IntoView {
    let step = shown.part(move |view| {
        view.steps
            .iter()
            .find(|step| step.kind == kind)
            .cloned()
            .unwrap_or_else(|| Step::new(kind))
    });
    let look = move || step.with(|step| step_look(&step.state));
    let word = move || step.with(|step| step.state.word());
    let dot = move || match look().1 {
        Some(glyph) => icon(glyph),
        None => view! { <span>{index + 1}</span> }.any(),
    };
    let clock = shown.clock;
    let took = move || match step.with(|step| (step.started, step.ended)) {
        (None, _) => String::new(),
        (Some(started), Some(ended)) => span(ended.millis_since(started)),
        (Some(started), None) => since(clock, started),
    };
    let tries = move || match step.with(|step| step.attempts) {
        0 | 1 => String::new(),
        many => format!(" · {many} looks"),
    };
    let proof = (kind == StepKind::Prove).then(|| view! { <ProofPart shown step/> }.any());
    view! {
        <li class=move || look().0 data-step=kind.as_str() data-state=word>
            <span class="dot">{dynamic(dot)}</span>
            <div class="what">
                <h3>{kind.title()}<span class="unseen">": "{dynamic(word)}</span></h3>
                <p>{dynamic(move || step.with(sentence))}</p>
                {dynamic(move || step.with(|step| step.left.clone()).map(|left| view! { <p><b>"Left: "</b>{left}</p> }.any()))}
            </div>
            <span class="took">{dynamic(took)}{dynamic(tries)}</span>
            {proof}
            <EvidenceFold step/>
        </li>
    }.any()
}

/// The description of a step, in one sentence.
fn sentence(step: &Step) -> String {
    match &step.state {
        StepState::Waiting(waiting) => waiting.why.clone(),
        StepState::Failed { problem } => problem.happened.clone(),
        // Only the first line is shown, because the rest stands at the top of the page.
        StepState::Skipped { why } => why.lines().next().unwrap_or_default().to_owned(),
        StepState::Pending | StepState::Running | StepState::Done | StepState::Undone => step
            .summary
            .clone()
            .unwrap_or_else(|| step.kind.explained().to_owned()),
    }
}

/// The requests and responses of a step. An open fold stays open while more entries arrive.
#[component]
fn EvidenceFold(step: Memo<Step>) -> impl IntoView {
    let count = move || step.with(|step| step.evidence.len());
    let pieces = move || {
        let evidence = step.with(|step| step.evidence.clone());
        let each = evidence.into_iter().enumerate();
        each.map(|(index, one)| {
            keyed(format_args!("{index} {}", one.at.millis()), move || {
                piece(one.clone())
            })
        })
        .collect()
    };
    view! {
        <details class="fold evidence" hidden=move || count() == 0>
            <summary>"Evidence ("{dynamic(count)}")"</summary>
            <ol>
                {list_of(pieces)}
            </ol>
        </details>
    }
    .any()
}

fn piece(evidence: Evidence) -> AnyView {
    let Evidence {
        at,
        title,
        sent,
        answer,
        request_id,
        took_millis,
        change,
    } = evidence;
    let all = match &request_id {
        Some(id) => format!("{title}\n\n{sent}\n\n{answer}\n\nrequest {id}"),
        None => format!("{title}\n\n{sent}\n\n{answer}"),
    };
    let mark = change.then(|| view! { <span class="chip">"change"</span> }.any());
    let request = request_id
        .map(|id| view! { <span>"request "<span class="mono break">{id}</span></span> }.any());
    view! {
        <li class="sunken">
            <p class="piece"><b>{title}</b>{mark}</p>
            <pre tabindex="0">{sent}</pre>
            <pre tabindex="0" class="answer">{answer}</pre>
            <p class="counters">
                <span><TimeOfDay at/></span>
                <span>"answered in "{span(took_millis)}</span>
                {request}
                <CopyButton text=all/>
            </p>
        </li>
    }
    .any()
}

/// The parts of the proof step: where the secret is, the real sends, and the form to enter the
/// secret early.
#[component]
fn ProofPart(shown: Shown, step: Memo<Step>) -> impl IntoView {
    let secret = shown.part(|view| view.secret);
    let planned = shown.part(|view| view.plan.prove && view.intent == Intent::Forward);
    let probes = Memo::new(move |_| step.with(|step| step.probes.clone()));
    let next = Memo::new(move |_| {
        step.with(|step| match &step.state {
            StepState::Waiting(waiting) => waiting.next_look,
            _ => None,
        })
    });
    let counts = Memo::new(move |_| {
        step.with(|step| {
            let waits = matches!(step.state, StepState::Waiting(_));
            step.proving.as_ref().filter(|_| waits)?.counts_from
        })
    });
    let to = shown
        .view
        .with_untracked(|view| view.plan.recipient().map(ToString::to_string))
        .unwrap_or_default();
    let mails = Memo::new(move |_| {
        step.with(|step| {
            let proving = step.proving.as_ref().filter(|one| one.tried > 0)?;
            let (tried, accepted) = (proving.tried, proving.accepted);
            Some(format!(
                "{tried} {} tried, {accepted} of them accepted: those {to} receives.",
                if tried == 1 { "mail was" } else { "mails were" }
            ))
        })
    });
    // While the setup asks for the secret, the form is at the top of the page instead.
    let early = shown.part(|view| {
        view.can.give_secret
            && view.secret == SecretState::None
            && view.state != domain::setup::SetupState::NeedsSecret
    });
    let may_change = shown.may_change;
    view! {
        <div class="wide">
            {dynamic(move || planned.get().then(|| whereabouts(secret.get())))}
            {dynamic(move || mails.get().map(|said| view! { <p>{said}</p> }.any()))}
            {dynamic(move || counts.get().map(|at| view! { <p>"A refusal counts from "<Moment at/>" on, at the latest. No mail is sent before."</p> }.any()))}
            {dynamic(move || {
                let probes = probes.get();
                (!probes.is_empty()).then(|| table(&probes, next.get()))
            })}
            {dynamic(move || {
                (may_change && early.get())
                    .then(|| {
                        view! {
                            <details class="fold">
                                <summary>"Give the client secret now, so that the proof need not wait for you"</summary>
                                <SecretForm shown/>
                            </details>
                        }.any()
                    })
            })}
        </div>
    }.any()
}

fn outcome_of(probe: &Probe, look: &Look) -> AnyView {
    outcome_tag(&look.outcome, probe.must.is_met_by(&look.outcome))
}

fn table(probes: &[Probe], next: Option<Timestamp>) -> AnyView {
    let looks = || probes.iter().flat_map(|probe| &probe.looks);
    let mut runs: Vec<u32> = looks().map(|look| look.run).collect();
    runs.sort_unstable();
    runs.dedup();
    let runs = runs.split_off(runs.len().saturating_sub(TRIES));
    // A mailbox that was tried in none of the shown runs has its earlier result in an extra column.
    let shown_now = |probe: &Probe| probe.looks.iter().any(|look| runs.contains(&look.run));
    let earlier = probes
        .iter()
        .any(|probe| !probe.looks.is_empty() && !shown_now(probe));
    let earlier_head = earlier.then(|| view! { <th scope="col">"Earlier"</th> }.any());
    let times = runs
        .iter()
        .filter_map(|run| looks().find(|look| look.run == *run))
        .map(|look| view! { <th scope="col"><TimeOfDay at=look.at/></th> }.any())
        .collect_view();
    let next_head = next.map(|_| view! { <th scope="col">"Next"</th> }.any());
    let rows = probes
        .iter()
        .map(|probe| {
            let cells = runs
                .iter()
                .map(|run| {
                    // A run ends at the first mailbox that did not behave as planned, so later
                    // mailboxes have no result.
                    let tag = probe
                        .looks
                        .iter()
                        .find(|look| look.run == *run)
                        .map(|look| outcome_of(probe, look));
                    view! { <td>{tag}</td> }.any()
                })
                .collect_view();
            let before = earlier.then(|| {
                let last = probe.looks.last().filter(|_| !shown_now(probe));
                view! { <td>{last.map(|look| outcome_of(probe, look))}</td> }.any()
            });
            let next = next.map(|at| view! { <td class="faint"><TimeOfDay at/></td> }.any());
            view! {
                <tr>
                    <th scope="row">{breakable(probe.mailbox.as_str())}</th>
                    <td>{probe.must.word()}</td>
                    {before}
                    {cells}
                    {next}
                </tr>
            }
            .any()
        })
        .collect_view();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label="Real sends">
            <table class="probes">
                <thead>
                    <tr><th scope="col">"Send as"</th><th scope="col">"Must"</th>{earlier_head}{times}{next_head}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .any()
}
