//! The placeholder of an empty list.

use leptos::prelude::*;

use super::Erase as _;

/// Says why the list is empty, and in `children` what to do next.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            {super::gate()}
            <p class="title">{title}</p>
            <p>{text}</p>
            {children.map(|children| view! { <div class="actions">{children()}</div> }.any())}
        </div>
    }
    .any()
}
