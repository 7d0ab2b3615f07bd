//! What else the policy takes from the application apart from sending, and what the policy does not
//! limit.

use leptos::prelude::*;

use super::Shown;
use crate::components::{Erase as _, dynamic};

#[component]
pub fn Means(shown: Shown) -> impl IntoView {
    let means = shown.part(|view| view.means.clone());
    let lines = move || {
        let lines = means.get().into_iter();
        lines
            .map(|line| view! { <li>{line}</li> }.any())
            .collect_view()
    };
    view! {
        <section class="card form" aria-labelledby="means" hidden=move || means.with(Vec::is_empty)>
            <h2 id="means">"What the policy takes, and what it does not limit"</h2>
            <ul>{dynamic(lines)}</ul>
        </section>
    }
    .any()
}
