//! Short notes that disappear by themselves. Important messages are never shown here alone.

use std::time::Duration;

use leptos::prelude::*;

use super::{Erase as _, dynamic};

/// The newest note, with a number that distinguishes it from the previous note.
#[derive(Clone, Copy)]
pub struct Toasts(RwSignal<(u32, &'static str)>);

impl Toasts {
    pub fn provide() -> Self {
        let toasts = Self(RwSignal::new((0, "")));
        provide_context(toasts);
        toasts
    }

    pub fn say(self, text: &'static str) {
        let Some((before, _)) = self.0.try_get_untracked() else {
            // The page may be gone when the answer arrives.
            return;
        };
        let mine = before.wrapping_add(1);
        self.0.set((mine, text));
        set_timeout(
            move || {
                if self.0.try_get_untracked() == Some((mine, text)) {
                    self.0.set((mine, ""));
                }
            },
            Duration::from_secs(6),
        );
    }
}

pub fn use_toasts() -> Toasts {
    use_context::<Toasts>().unwrap_or_else(Toasts::provide)
}

#[component]
pub fn ToastRegion(toasts: Toasts) -> impl IntoView {
    let note = move || match toasts.0.get() {
        (_, "") => ().into_any(),
        (_, text) => view! { <p class="toast">{text}</p> }.any(),
    };
    view! { <div class="toasts" role="status" aria-live="polite">{dynamic(note)}</div> }.any()
}
