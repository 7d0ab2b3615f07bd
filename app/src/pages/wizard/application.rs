//! The screen that chooses the application.

use domain::{
    plan::Draft,
    view::{ApplicationsView, CustomerHead},
};
use leptos::prelude::*;

use super::{Stage, head};
use crate::{
    components::{Empty, Erase as _, ProblemBox, TableCard, reach_tag, th, th_hidden},
    paths,
};

pub fn screen(customer: &CustomerHead, read: ApplicationsView) -> AnyView {
    let lead =
        view! { <p>"Which application do you want to confine at "{customer.name.clone()}"?"</p> }
            .any();
    let id = customer.id;
    let all_read = read.problems.is_empty();
    let unread = read
        .problems
        .into_iter()
        .map(|problem| view! { <ProblemBox problem/> }.any())
        .collect_view();
    let rows: Vec<AnyView> = read
        .rows
        .into_iter()
        .filter(|row| row.can_be_confined)
        .map(|row| {
            let href = paths::confine(id, &row.object.to_string());
            let name = row.name;
            let label = format!("Choose {name}");
            view! {
                <tr>
                    <td><span class="strong">{name}</span></td>
                    <td class="wide">{reach_tag(row.standing)}<p>{row.sentence}</p></td>
                    <td class="act"><a class="btn" href=href aria-label=label>"Choose"</a></td>
                </tr>
            }
            .any()
        })
        .collect();
    let list = if rows.is_empty() && !all_read {
        ().into_any()
    } else if rows.is_empty() {
        view! {
            <Empty title="Nothing to confine" text="No application of this customer holds a permission that an access policy governs.">
                <a class="btn" href=paths::customer(id)>"Back to the customer"</a>
            </Empty>
        }
        .any()
    } else {
        let heads = vec![
            th("Application"),
            th("What it can do now"),
            th_hidden("Action"),
        ];
        view! { <TableCard label="Applications" head=heads rows/> }.any()
    };
    view! {
        {head(customer, "", Stage::Application, &Draft::default(), lead.into_any())}
        {unread}
        {list}
    }
    .any()
}
