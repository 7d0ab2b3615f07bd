//! A problem that several customers share, shown once for all of them.

use domain::connection::{Trouble, Troubled};
use leptos::prelude::*;

use super::{Erase as _, Moment};
use crate::paths;

/// One kind of problem as a list item: what happened, what to do, and which customers have it.
pub fn trouble_item(trouble: &Trouble) -> AnyView {
    let named = i64::try_from(trouble.customers.len()).unwrap_or(0);
    let more = (trouble.count > named).then(|| format!(", and {} more", trouble.count - named));
    if let ([one], None) = (trouble.customers.as_slice(), &more) {
        let since = one
            .read
            .map(|at| view! { " Last read "<Moment at/>"." }.into_any());
        return view! { <li>{link(one)}": "{trouble.happened.clone()}{since}</li> }.any();
    }
    let customers = trouble
        .customers
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let before = if index == 0 { "" } else { ", " };
            let since = one
                .read
                .map(|at| view! { " (last read "<Moment at/>")" }.into_any());
            view! { {before}{link(one)}{since} }.into_any()
        })
        .collect_view();
    let todo = (!trouble.todo.is_empty()).then(|| format!(" {}", trouble.todo));
    view! {
        <li>
            <b>{format!("{} customers: {}", trouble.count, trouble.happened)}</b>
            {todo}
            <span class="sub">{customers}{more}</span>
        </li>
    }
    .any()
}

fn link(one: &Troubled) -> AnyView {
    view! { <a href=paths::customer(one.customer)>{one.name.clone()}</a> }.any()
}
