//! The part of a customer's page that lists its applications by effective access, the worst first.

use domain::{
    Problem, Timestamp,
    application::AccessRight,
    connection::Health,
    exposure::{
        ApplicationLine, Held, Naming, PolicyLine, ReachChange, ReachView, ScanState, StrayLine,
    },
    id::CustomerId,
    person::{Operator, Right},
    reach::{PartRead, PartResult},
    time::span,
};
use leptos::prelude::*;

use super::{
    exposure::ask,
    parts::{acting, counted, filters, may_still, numbers, powers},
};
use crate::{
    api::forms,
    components::{
        Empty, Erase as _, Glyph, Moment, Pages, ProblemBox, TableCard, Tone, chart, icon,
        microsoft_said, proof_tag, reach_tag, setup_tag, tag, td_number, th, th_hidden, th_number,
    },
    paths,
    query::Query,
};

pub(super) fn section(view: ReachView, query: &Query, operator: &Operator) -> AnyView {
    let customer = view.head.id;
    let path = paths::customer(customer);
    let may_change = operator.role.is_some_and(|role| role.may(Right::Change));
    let connected = matches!(view.health, Health::Good | Health::Broken { .. });
    let read = view.state.as_ref().and_then(|state| state.read);
    let actions = actions(&view, customer, may_change && connected);
    let lead = read.map(|at| {
        view! { <p class="hint">"Who can reach whose mailboxes here, as read "<Moment at/>"."</p> }
            .any()
    });
    let problem = view.state.as_ref().and_then(problem);
    let changes = view
        .state
        .as_ref()
        .and_then(|state| changes(&state.changes));
    let parts = view.state.as_ref().and_then(parts);
    let shut = (!connected).then(|| {
        view! { <Empty title="Not read" text="Postern has no way into this tenant. Once an admin has consented, its applications stand here."/> }.any()
    });
    let body = read.map(|_| {
        let none = view.tally.total() == 0;
        let tiles = (!none).then(|| {
            let open = "can act as anyone".to_owned();
            numbers(&view.tally, open, "unknown".to_owned(), query, &path)
        });
        let filter = (!none).then(|| filters(&ask(query), &view.permissions, &path, &[]));
        let days = (view.days.len() > 1).then(|| chart(&view.days));
        let list = if none && !view.unlisted.is_empty() {
            view! { <Empty title="No application for certain" text="No application is known to reach mailboxes without a signed-in user. What stands above cannot be ruled out."/> }.any()
        } else if none {
            view! { <Empty title="No application reaches mailboxes without a signed-in user" text="As far as it was read, no application of this customer holds Mail.Send or another mailbox permission of its own."/> }.any()
        } else {
            list(view.rows, view.matching, [view.page, view.pages], query, (customer, may_change && connected))
        };
        let acting = acting(customer, &view.acts_as, &view.acts_as_unseen, "These hold delegated permissions: each has the reach of the people who signed in to it, also later and without them. They are not counted above, and no access policy narrows them.");
        let hidden = unlisted(&view.unlisted);
        let strays = strays(&view.strays, customer);
        view! { {tiles}{changes}{hidden}{filter}{list}{strays}{acting}{days} }.any()
    });
    view! {
        <div class="section-head">
            <h2 id="applications">"Applications that reach mailboxes"</h2>
            <div class="actions">{actions}</div>
        </div>
        {lead}
        {shut}
        {problem}
        {body}
        {parts}
    }
    .any()
}

/// The possible actions, and the progress of the scan.
fn actions(view: &ReachView, customer: CustomerId, may_read: bool) -> AnyView {
    let state = view.state.as_ref();
    let who = state.and_then(|state| state.read).map(|_| {
        view! { <a class="btn small" href=paths::mailboxes(customer)>"Who reaches a mailbox?"</a> }.any()
    });
    let under_way = state.filter(|state| state.under_way).map(|state| {
        let words = if state.reading {
            "Being read: Microsoft Graph and Exchange are asked…"
        } else {
            "Waits for its turn to be read…"
        };
        view! { <span class="hint" role="status"><span class="spin" aria-hidden="true"></span>{words}</span> }.any()
    });
    let again = (may_read && under_way.is_none()).then(|| {
        view! {
            <form method="post" action=forms::SCAN_ONE>
                <input type="hidden" name="customer" value=customer.to_string()/>
                <button type="submit" class="btn small">{icon(Glyph::Turn)}"Read again"</button>
            </form>
        }
        .any()
    });
    view! { {who}{under_way}{again} }.any()
}

fn list(
    rows: Vec<ApplicationLine>,
    matching: i64,
    [page, pages]: [i64; 2],
    query: &Query,
    (customer, may_change): (CustomerId, bool),
) -> AnyView {
    if rows.is_empty() {
        return view! {
            <Empty title="Nothing found" text="No application here holds a mailbox permission and fits the filter.">
                <a class="btn" href=paths::customer(customer)>"Show all"</a>
            </Empty>
        }
        .any();
    }
    // The page has one primary button: at the worst application that can be confined and is not
    // being confined.
    let first = rows.iter().position(wants_confining);
    let rows = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| line(row, customer, may_change, first == Some(index)))
        .collect();
    let foot = view! {
        <span>{counted(matching, "application")}</span>
        <Pages page pages query=query.clone() path=paths::customer(customer)/>
    }
    .any();
    let head = vec![
        th("Application"),
        th("Permissions"),
        th("What that means"),
        th_hidden("Action"),
    ];
    view! { <TableCard label="Applications" head rows foot=Some(foot.into_any())/> }.any()
}

fn is_active(row: &ApplicationLine) -> bool {
    row.setup
        .as_ref()
        .is_some_and(|setup| setup.state.is_active())
}

fn wants_confining(row: &ApplicationLine) -> bool {
    row.can_be_confined && row.standing.is_open() && !is_active(row)
}

fn line(row: ApplicationLine, customer: CustomerId, may_change: bool, primary: bool) -> AnyView {
    let active = is_active(&row);
    let confine = row
        .object
        .filter(|_| may_change && wants_confining(&row))
        .map(|object| {
            let href = paths::confine(customer, &object.to_string());
            let class = if primary { "btn primary" } else { "btn" };
            let label = format!("Confine {}", row.name);
            view! { <a class=class href=href aria-label=label>"Confine…"</a> }.any()
        });
    let setup = row.setup.as_ref().map(|setup| {
        let tag = if active { setup_tag(setup.state) } else { proof_tag(setup.proof) };
        let words = if active { "Follow the setup" } else { "Last setup" };
        view! { <p class="line">{tag}<a href=paths::setup(setup.customer, setup.id)>{words}</a></p> }
            .any()
    });
    let name = row.name.clone();
    let title = match row.object {
        Some(object) => {
            view! { <a class="strong" href=paths::application(customer, object)>{name}</a> }.any()
        }
        None => view! { <span class="strong">{name}</span> }.any(),
    };
    let id = row.application.map(|id| id.to_string());
    let powers = powers(&row.powers);
    let unseen = row.unseen.then(|| {
        view! { <li class="chip mono" title="What else it may hold could not be read">"unseen"</li> }.any()
    });
    view! {
        <tr>
            <td>{title}<span class="sub">{row.owner}</span><span class="sub mono">{id}</span></td>
            <td><ul class="chips">{powers}{row.held.iter().map(chip).collect_view()}{unseen}</ul></td>
            <td class="wide">{reach_tag(row.standing)}<p>{row.sentence}</p>{may_still(row.may_still.as_ref())}{naming(&row.naming)}</td>
            <td class="act">{confine}{setup}</td>
        </tr>
    }
    .any()
}

fn chip(held: &Held) -> AnyView {
    let class = if held.past_policies {
        "chip mono bad"
    } else {
        "chip mono"
    };
    let note = held
        .past_policies
        .then(|| view! { <span class="unseen">", past every access policy"</span> }.any());
    let title = format!("{}: can {}", held.resource.name(), held.can);
    view! { <li class=class title=title>{held.name.clone()}{note}</li> }.any()
}

/// Why the list may be incomplete.
fn unlisted(gaps: &[String]) -> Option<AnyView> {
    (!gaps.is_empty()).then(|| {
        let lines = gaps
            .iter()
            .map(|gap| view! { <li>{gap.clone()}</li> }.any())
            .collect_view();
        view! {
            <div class="problem warn" role="note">
                <div class="lines">
                    <p class="happened">"This list may not be all"</p>
                    <p>"Applications that are not listed cannot be ruled out, nor what goes around every confinement. What is not known:"</p>
                    <ul class="plain">{lines}</ul>
                </div>
                {tag(Tone::Warn, Glyph::Question, "cannot be ruled out")}
            </div>
        }
        .any()
    })
}

/// Access policies that confine nobody.
fn strays(all: &[StrayLine], customer: CustomerId) -> Option<AnyView> {
    (!all.is_empty()).then(|| {
        let lines = all
            .iter()
            .map(|stray| {
                let meant = stray.meant.clone();
                let link = stray.object.map(|object| {
                    view! { " "<a href=paths::application(customer, object)>"That application"</a> }.any()
                });
                view! { <li>{tag(Tone::Warn, Glyph::Warning, "has no effect")}<p>{stray.happened.clone()}</p><p class="faint">{meant}{link}</p></li> }.any()
            })
            .collect_view();
        view! {
            <section aria-labelledby="strays">
                <div class="section-head"><h2 id="strays">"Policies without effect"</h2></div>
                <ul class="card lines powers">{lines}</ul>
            </section>
        }
        .any()
    })
}

/// Whether an access policy names the application.
fn naming(naming: &Naming) -> Option<AnyView> {
    let plain = |words: &'static str| Some(view! { <p class="line faint">{words}</p> }.any());
    match naming {
        Naming::NotAsked => None,
        Naming::NotRead => plain("Whether an access policy names it could not be read."),
        Naming::By(policies) if policies.is_empty() => plain("No access policy names it."),
        Naming::By(policies) => Some(policies.iter().map(policy).collect_view().into_any()),
    }
}

fn policy(policy: &PolicyLine) -> AnyView {
    let (glyph, words) = match policy.right {
        AccessRight::RestrictAccess => (Glyph::Lock, "Policy: only members of "),
        AccessRight::DenyAccess => (Glyph::Cross, "Policy: never members of "),
    };
    let all = policy.for_all.then_some(", for every application");
    let broken = (!policy.valid).then_some(", but Exchange calls it invalid");
    view! { <p class="line faint">{icon(glyph)}<span>{words}<b>{policy.scope.clone()}</b>{all}{broken}</span></p> }
        .any()
}

fn changes(all: &[ReachChange]) -> Option<AnyView> {
    (!all.is_empty()).then(|| {
        let lines = all
            .iter()
            .map(|one| view! { <li>{one.sentence()}</li> }.any())
            .collect_view();
        view! {
            <div class="problem wait" role="note">
                <div class="lines"><p class="happened">"Changed since the reading before"</p><ul class="plain">{lines}</ul></div>
            </div>
        }
        .any()
    })
}

/// What the newest scan did not read: nothing at all, or some of its parts.
fn problem(state: &ScanState) -> Option<AnyView> {
    let problem = state.problem.clone()?;
    let again = state
        .due
        .filter(|_| !state.under_way)
        .map(|at| view! { <p>"It is read again "<Moment at/>"."</p> }.any());
    // Parts that are hidden for the same reason share one message.
    let mut told: Vec<(Vec<&'static str>, &Problem, Option<Timestamp>)> = Vec::new();
    for part in &state.parts {
        let Some(why) = part.problem() else {
            continue;
        };
        let same =
            |one: &&mut (_, &Problem, _)| one.1.happened == why.happened && one.2 == part.kept;
        match told.iter_mut().find(same) {
            Some((parts, ..)) => parts.push(part.part.words()),
            None => told.push((vec![part.part.words()], why, part.kept)),
        }
    }
    if problem.key != "scan.partial" || told.is_empty() {
        return Some(view! { <ProblemBox problem/>{again} }.any());
    }
    let lines = told
        .into_iter()
        .map(|(parts, why, kept)| unread_parts(&parts.join(", "), why, kept))
        .collect_view();
    Some(
        view! {
            <div class="problem warn" role="note">
                <div class="lines">
                    <p class="happened">"Not all of this customer could be read"</p>
                    <ul class="plain">{lines}</ul>
                    <p>"What cannot be known without them counts as unknown, never as safe."</p>
                    {again}
                </div>
                {tag(Tone::Warn, Glyph::Question, "read in part")}
            </div>
        }
        .any(),
    )
}

/// Which parts were not read, why, and how old the shown data is.
fn unread_parts(parts: &str, problem: &Problem, kept: Option<Timestamp>) -> AnyView {
    let parts = parts.to_owned();
    let why = format!(": {} {}", problem.happened, problem.todo);
    let shown = kept.map_or_else(
        || view! { <span class="sub">"Nothing is shown of them."</span> }.any(),
        |at| {
            view! { <span class="sub">"What is shown of them was read "<Moment at/>"."</span> }
                .any()
        },
    );
    let said = problem
        .microsoft
        .clone()
        .map(|answer| microsoft_said(problem.key.clone(), answer));
    view! { <li><strong>{parts}</strong>{why}{shown}{said}</li> }.any()
}

// Columns of numbers. Their names are used in the head and in each cell.
const REQUESTS: &str = "Requests";
const TOOK: &str = "Took";

/// The result of each part of the newest scan.
fn parts(state: &ScanState) -> Option<AnyView> {
    (!state.parts.is_empty()).then(|| {
        let lines = state.parts.iter().map(part).collect();
        let head = vec![th("Part"), th("Read"), th_number(REQUESTS), th_number(TOOK)];
        view! {
            <details class="fold">
                <summary>"What was read"</summary>
                <TableCard label="Parts of the newest scan" head rows=lines/>
            </details>
        }
        .any()
    })
}

fn part(one: &PartRead) -> AnyView {
    let result = match &one.result {
        PartResult::Read { count } => view! { <span>{*count}</span> }.any(),
        PartResult::Unread { problem, .. } => {
            view! { <span>{problem.happened.clone()}</span><span class="sub">{problem.todo.clone()}</span> }.into_any()
        }
    };
    view! {
        <tr>
            <td>{one.part.words()}</td>
            <td class="wide">{result}</td>
            {td_number(REQUESTS, one.calls)}
            {td_number(TOOK, span(one.took_millis))}
        </tr>
    }
    .any()
}
