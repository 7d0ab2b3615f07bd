//! Buttons that copy.

use leptos::{prelude::*, task::spawn_local};

use super::{Erase as _, Glyph, icon, toast::use_toasts};
use crate::browser;

/// Copies `text`. Does nothing before hydration, and is hidden without JavaScript.
#[component]
pub fn CopyButton(
    #[prop(into)] text: String,
    #[prop(optional, into, default = "Copy".to_owned())] label: String,
) -> impl IntoView {
    let toasts = use_toasts();
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            toasts.say(if browser::copy(&text).await {
                "Copied."
            } else {
                "The browser did not allow copying. Select the text instead."
            });
        });
    };
    view! { <button type="button" class="btn small needs-js" on:click=copy>{icon(Glyph::Copy)}{label}</button> }.any()
}
