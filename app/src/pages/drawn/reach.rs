//! The applications of one customer by reach, the worst first.

use domain::{
    exposure::{ExposureRow, ReachChange, ReachView, ScanState},
    id::CustomerId,
    person::{Operator, Right},
    reach::{PartRead, PartResult},
    time::span,
};
use leptos::prelude::*;

use super::{
    draw::{Page, below},
    exposure::{ask, only},
    parts::{counted, filters, numbers},
};
use crate::{
    api::forms,
    components::{
        Empty, Erase as _, Glyph, Moment, Pages, ProblemBox, TableCard, Tone, chart, reach_tag,
        tag, th, th_hidden,
    },
    paths,
    query::Query,
};

pub(super) fn page(view: ReachView, query: &Query, operator: &Operator) -> Page {
    let may_change = operator.role.is_some_and(|role| role.may(Right::Change));
    let customer = view.head.id;
    let path = paths::reach(customer);
    let asked = ask(query);
    let under_way = view.state.as_ref().is_some_and(|state| state.under_way);
    let read = view.state.as_ref().and_then(|state| state.read);
    let lead = match read {
        Some(at) => {
            view! { <p>"Who can reach whose mailboxes here, as read "<Moment at/>"."</p> }.any()
        }
        None => view! { <p>"Who can reach whose mailboxes here. Nothing was read yet."</p> }.any(),
    };
    let again = if under_way {
        view! { <span class="hint" role="status">"Being read…"</span> }.any()
    } else {
        view! {
            <form method="post" action=forms::SCAN_ONE>
                <input type="hidden" name="customer" value=customer.to_string()/>
                <button type="submit" class="btn">"Read again"</button>
            </form>
        }
        .any()
    };
    let actions = view! { <a class="btn" href=paths::mailboxes(customer)>"Who reaches a mailbox?"</a>{again} }.any();
    let tiles = numbers(
        &view.tally,
        "can act as anyone".to_owned(),
        "unknown".to_owned(),
        query,
        &path,
    );
    let filter = filters(&asked, &view.permissions, &path, &[]);
    let problem = view.state.as_ref().and_then(problem);
    let list = list(
        view.rows,
        view.matching,
        [view.page, view.pages],
        query,
        (customer, may_change),
    );
    let days = (view.days.len() > 1).then(|| chart(&view.days));
    let parts = view.state.as_ref().and_then(parts);
    let changes = view.state.and_then(|state| changes(&state.changes));
    Page {
        title: "Reach".to_owned(),
        crumbs: below(customer, &view.head.name),
        lead,
        actions,
        body: view! {
            {problem}
            {tiles}
            {changes}
            {filter}
            {list}
            {days}
            {parts}
        }
        .any(),
    }
}

fn list(
    rows: Vec<ExposureRow>,
    matching: i64,
    [page, pages]: [i64; 2],
    query: &Query,
    (customer, may_change): (CustomerId, bool),
) -> AnyView {
    if rows.is_empty() {
        return view! { <Empty title="Nothing found" text="No application here holds a mailbox permission and fits the filter."/> }.any();
    }
    let rows = rows
        .into_iter()
        .map(|row| line(row, customer, may_change))
        .collect();
    let foot = view! {
        <span>{counted(matching, "application")}</span>
        <Pages page pages query=query.clone() path=paths::reach(customer)/>
    }
    .any();
    let head = vec![
        th("Application"),
        th("Permissions"),
        th("Reach"),
        th_hidden("Action"),
    ];
    view! { <TableCard label="Applications" head rows foot=Some(foot.into_any())/> }.any()
}

fn line(row: ExposureRow, customer: CustomerId, may_change: bool) -> AnyView {
    let chips = row
        .permissions
        .iter()
        .map(|one| view! { <li class="chip mono">{one.clone()}</li> }.any())
        .collect_view();
    let standing = only(&row.tally);
    let open = row.tally.unrestricted + row.tally.all_except > 0;
    let name = row.name.clone();
    let title = match row.object {
        Some(object) => {
            view! { <a class="strong" href=paths::application(customer, object)>{name}</a> }.any()
        }
        None => view! { <span class="strong">{name}</span> }.any(),
    };
    let confine = row.object.filter(|_| may_change && open).map(|object| {
        let label = format!("Confine {}", row.name);
        view! { <a class="btn" href=paths::confine(customer, &object.to_string()) aria-label=label>"Confine…"</a> }.any()
    });
    view! {
        <tr>
            <td>{title}<span class="sub">{row.beside}</span></td>
            <td><ul class="chips">{chips}</ul></td>
            <td>{standing.map(reach_tag)}</td>
            <td class="act">{confine}</td>
        </tr>
    }
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

/// What the newest attempt did not read: nothing at all, or some of its parts.
fn problem(state: &ScanState) -> Option<AnyView> {
    let problem = state.problem.clone()?;
    let unread: Vec<&PartRead> = state
        .parts
        .iter()
        .filter(|part| part.problem().is_some())
        .collect();
    let again = state
        .due
        .filter(|_| !state.under_way)
        .map(|at| view! { <p>"It is read again "<Moment at/>"."</p> }.any());
    if problem.key != "scan.partial" || unread.is_empty() {
        return Some(view! { <ProblemBox problem/>{again} }.any());
    }
    let lines = unread.into_iter().map(unread_part).collect_view();
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

/// Which part, why, and how old what is shown of it is.
fn unread_part(part: &PartRead) -> AnyView {
    let why = part
        .problem()
        .map(|problem| format!(": {} {}", problem.happened, problem.todo));
    let shown = part.kept.map_or_else(
        || view! { <span class="sub">"Nothing is shown of them."</span> }.any(),
        |at| {
            view! { <span class="sub">"What is shown of them was read "<Moment at/>"."</span> }
                .any()
        },
    );
    view! { <li><strong>{part.part.words()}</strong>{why}{shown}</li> }.any()
}

/// How each part of the newest scan went.
fn parts(state: &ScanState) -> Option<AnyView> {
    (!state.parts.is_empty()).then(|| {
        let lines = state.parts.iter().map(part).collect();
        let head = vec![th("Part"), th("Read"), th("Requests"), th("Took")];
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
            <td class="num">{one.calls}</td>
            <td class="num">{span(one.took_millis)}</td>
        </tr>
    }
    .any()
}
