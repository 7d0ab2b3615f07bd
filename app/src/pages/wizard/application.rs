//! Which application.

use domain::{
    permission::Coverage,
    plan::Draft,
    view::{ApplicationsView, CustomerHead},
};
use leptos::prelude::*;

use super::{Stage, head};
use crate::{
    components::{Empty, Erase as _, TableCard, standing_tag, th, th_hidden},
    paths,
};

pub fn screen(customer: &CustomerHead, read: ApplicationsView) -> AnyView {
    let lead =
        view! { <p>"Which application do you want to confine at "{customer.name.clone()}"?"</p> }
            .any();
    let id = customer.id;
    let rows: Vec<AnyView> = read
        .rows
        .into_iter()
        .filter(|row| {
            row.application.enabled
                && row.application.grants.iter().any(|grant| {
                    grant.reaches_mailboxes() && grant.coverage() == Coverage::Policy
                })
        })
        .map(|row| {
            let href = paths::confine(id, &row.application.object.to_string());
            let name = row.application.name;
            let label = format!("Choose {name}");
            view! {
                <tr>
                    <td><span class="strong">{name}</span></td>
                    <td class="wide">{standing_tag(row.verdict.standing)}<p>{row.verdict.sentence}</p></td>
                    <td class="act"><a class="btn" href=href aria-label=label>"Choose"</a></td>
                </tr>
            }
            .any()
        })
        .collect();
    let list = if rows.is_empty() {
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
        {list}
    }
    .any()
}
