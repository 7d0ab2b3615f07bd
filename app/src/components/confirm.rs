//! Confirmation dialogs for actions that cannot simply be undone.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::Erase as _;
use crate::{browser, query::use_query};

/// The query parameter with the dialog that the page opens.
pub const ASK: &str = "ask";

/// A link that opens the dialog `id`. Without JavaScript it loads the page with the dialog open.
#[component]
pub fn Ask(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(default = "btn")] class: &'static str,
) -> impl IntoView {
    let query = use_query();
    let path = use_location().pathname;
    let href = move || query.get().with(ASK, id).link(&path.get());
    view! {
        <a
            class=class
            href=href
            aria-haspopup="dialog"
            on:click=move |event| {
                event.prevent_default();
                browser::open_dialog(id);
            }
        >
            {label}
        </a>
    }
    .any()
}

/// The dialog itself. It names what changes, and holds the form that does it.
#[component]
pub fn Question(
    id: &'static str,
    #[prop(into)] title: String,
    children: Children,
) -> impl IntoView {
    let query = use_query();
    let open = query.get_untracked().get(ASK) == id;
    let path = use_location().pathname;
    let heading = format!("{id}-title");
    let labelled = heading.clone();
    view! {
        <dialog id=id open=open aria-labelledby=labelled>
            <h2 id=heading>{title}</h2>
            {children()}
            <a
                class="btn quiet close"
                href=move || query.get().with(ASK, "").link(&path.get())
                on:click=move |event| {
                    event.prevent_default();
                    browser::close_dialog(id);
                }
            >
                "Leave it as it is"
            </a>
        </dialog>
    }
    .any()
}
