//! Tables that scroll inside themselves.

use leptos::prelude::*;

use super::Erase as _;

/// A card with a table. `label` names the table for screen readers. The box takes the keyboard
/// focus so that it can be scrolled without a mouse.
#[component]
pub fn TableCard(
    #[prop(into)] label: String,
    head: Vec<AnyView>,
    rows: Vec<AnyView>,
    #[prop(default = None)] foot: Option<AnyView>,
) -> impl IntoView {
    let name = label.clone();
    view! {
        <section class="card" aria-label=name>
            <div class="scroll" tabindex="0" role="group" aria-label=label>
                <table class="list">
                    <thead><tr>{head}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {foot.map(|foot| view! { <div class="foot">{foot}</div> }.any())}
        </section>
    }
    .any()
}

/// A plain heading cell.
pub fn th(text: &'static str) -> AnyView {
    view! { <th scope="col">{text}</th> }.any()
}

/// The heading of a column without a visible heading.
pub fn th_hidden(text: &'static str) -> AnyView {
    view! { <th scope="col"><span class="unseen">{text}</span></th> }.any()
}

/// The heading of a column of numbers.
#[cfg(feature = "ssr")]
pub fn th_number(text: &'static str) -> AnyView {
    view! { <th scope="col" class="num">{text}</th> }.any()
}

/// A cell in a column of numbers. Where the screen is too narrow for columns, `heading` is shown
/// next to the value.
#[cfg(feature = "ssr")]
pub fn td_number(heading: &'static str, value: impl std::fmt::Display) -> AnyView {
    view! { <td class="num" data-heading=heading>{value.to_string()}</td> }.any()
}
