//! Setups as rows of a table, the same in every list.

use domain::view::SetupRow;
use leptos::prelude::*;

use super::{Erase as _, Moment, TableCard, proof_tag, setup_tag, th};
use crate::paths;

/// A table of setups. `customers`: whether to show the customer's name, for lists over all
/// customers.
#[component]
pub fn SetupTable(
    rows: Vec<SetupRow>,
    #[prop(into)] label: String,
    #[prop(optional)] customers: bool,
    #[prop(default = None)] foot: Option<AnyView>,
) -> impl IntoView {
    let mut head = vec![th("Application")];
    if customers {
        head.push(th("Customer"));
    }
    head.extend([th("State"), th("Proof"), th("Started")]);
    let rows = rows.into_iter().map(|row| line(row, customers)).collect();
    view! { <TableCard label head rows foot/> }.any()
}

fn line(row: SetupRow, customers: bool) -> AnyView {
    let customer = customers.then(|| {
        let href = paths::customer(row.customer);
        view! { <td><a href=href>{row.customer_name}</a></td> }.any()
    });
    view! {
        <tr>
            <td class="wide">
                <a href=paths::setup(row.customer, row.id)>{row.application}</a>
                <span class="sub">{row.doing}</span>
            </td>
            {customer}
            <td>{setup_tag(row.state)}</td>
            <td>{proof_tag(row.proof)}</td>
            <td class="when"><Moment at=row.started/><span class="sub">{row.started_by}</span></td>
        </tr>
    }
    .any()
}
