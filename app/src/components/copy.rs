//! Buttons that copy.

use leptos::{ev, prelude::*, task::spawn_local};

use super::{Erase as _, Glyph, Toasts, icon};
use crate::browser;

/// A button that copies `text` once [`copy_on_click`] listens, also in server-rendered markup where
/// nothing else reacts. Hidden without JavaScript.
#[component]
pub fn CopyButton(
    #[prop(into)] text: String,
    #[prop(optional, into, default = "Copy".to_owned())] label: String,
) -> impl IntoView {
    view! { <button type="button" class="btn small needs-js" data-copy=text>{icon(Glyph::Copy)}{label}</button> }.any()
}

/// Makes every [`CopyButton`] of the page work, as long as the calling component exists.
pub fn copy_on_click(toasts: Toasts) {
    Effect::new(move || {
        let listener = window_event_listener(ev::click, move |event| {
            let Some(text) = browser::to_copy(&event) else {
                return;
            };
            spawn_local(async move {
                toasts.say(if browser::copy(&text).await {
                    "Copied."
                } else {
                    "The browser did not allow copying. Select the text instead."
                });
            });
        });
        on_cleanup(move || listener.remove());
    });
}
