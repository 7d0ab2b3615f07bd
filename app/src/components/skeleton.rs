//! The skeleton of content that is still loading. It is as high as the content.

use leptos::prelude::*;

use super::Erase as _;

/// `rows` grey lines, announced with `label`.
#[component]
pub fn Skeleton(#[prop(into)] label: String, #[prop(default = 5)] rows: usize) -> impl IntoView {
    view! {
        <div class="skeleton" role="status">
            <p class="waits"><span class="spin" aria-hidden="true"></span>{label}</p>
            {(0..rows)
                .map(|_| view! { <div class="bone" aria-hidden="true"><i></i><i></i><i></i></div> }.any())
                .collect_view()}
        </div>
    }.any()
}
