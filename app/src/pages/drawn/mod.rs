//! Pages that only the server draws: much to read, little to do. The browser gets them as markup
//! and puts them in their place, so that none of their code is in what it loads.
//!
//! They are plain documents of links and forms: what the server drew works without JavaScript.

#[cfg(feature = "ssr")]
mod draw;
#[cfg(feature = "ssr")]
mod exposure;
#[cfg(feature = "ssr")]
mod mailboxes;
#[cfg(feature = "ssr")]
mod parts;
#[cfg(feature = "ssr")]
mod reach;
#[cfg(feature = "ssr")]
mod why;

use std::{cell::RefCell, time::Duration};

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub use draw::draw;

use crate::{
    api, browser,
    components::{
        Erase as _, Meanwhile, arriving, failed_page, for_title, on_change, on_later_change,
        use_hydrated,
    },
    live::use_live,
    loaded::Loaded,
};

/// A page as the server drew it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Of the document.
    pub title: String,
    pub html: String,
}

/// What the server draws for the address.
#[component]
pub fn DrawnPage() -> impl IntoView {
    let location = use_location();
    let address = Memo::new(move |last: Option<&String>| {
        let search = location.search.get();
        let path = location.pathname.get();
        match last {
            // Somebody goes to another page, and this one is about to be gone.
            Some(last) if !is_drawn(&path) => last.clone(),
            _ if search.is_empty() => path,
            _ => format!("{path}?{search}"),
        }
    });
    let page = Loaded::first(move || Ok(api::drawn(address.get())));
    follow(page);
    let hydrated = use_hydrated();
    arriving(Meanwhile::says("Loading", 6), move || async move {
        match page.get().await {
            Ok(Drawn { title, html }) => {
                on_change(move || {
                    if hydrated.get() {
                        // The markup is put in its place after this.
                        request_animation_frame(browser::show_local_times);
                    }
                });
                view! {
                    <Title text=for_title(title)/>
                    <div class="drawn" inner_html=html></div>
                }
                .any()
            }
            Err(error) => failed_page(&error),
        }
    })
}

/// Whether a page of this kind stands at a path.
fn is_drawn(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next(), parts.nth(1)) {
        (Some("exposure"), None) => true,
        (Some("customers"), Some(part)) => ["applications", "mailboxes", "reach"].contains(&part),
        _ => false,
    }
}

/// Draws the page anew while customers are read, but not for each of them, and not while somebody
/// fills in one of its forms.
fn follow(page: Loaded<Drawn>) {
    let Some(live) = use_live() else { return };
    let read = RefCell::new(debounce(Duration::from_millis(600), move |()| {
        // Mailboxes are searched at Microsoft, and what is explained holds still.
        if browser::shows(".drawn .tiles") && !browser::is_in_form(".drawn") {
            page.again();
        }
    }));
    on_later_change(move || live.scanned.track(), move || read.borrow_mut()(()));
}
