//! Pages that only the server renders: they have much to read and little to do. The browser gets
//! them as markup and inserts it, so that the WASM holds none of their code.
//!
//! They are plain documents of links and forms. The rendered markup works without JavaScript.

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

mod pace;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub use draw::draw;

use self::pace::Pace;
use crate::{
    api, browser,
    components::{
        ASK, Erase as _, Meanwhile, arriving, failed_page, for_title, on_change, on_later_change,
        use_hydrated,
    },
    live::use_live,
    loaded::Loaded,
    query::Query,
};

/// A server-rendered page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// The title of the document.
    pub title: String,
    pub html: String,
    /// For a part of a customer's page: whether the connection worked when the part was rendered.
    pub works: bool,
}

/// The server-rendered page of the current address.
#[component]
pub fn DrawnPage() -> impl IntoView {
    let address = use_address(is_drawn);
    let page = Loaded::first(move || Ok(api::drawn(address.get())));
    let pending = follow(page);
    let meanwhile = Meanwhile {
        pending: Some(pending),
        ..Meanwhile::says("Loading", 6)
    };
    let hydrated = use_hydrated();
    arriving(meanwhile, move || async move {
        match page.get().await {
            Ok(Drawn { title, html, .. }) => {
                in_local_time(hydrated);
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

/// The address of the server-rendered page, with its query, as long as the path is of this kind.
/// The parameter of an open dialog is removed, because it is not for the server.
pub fn use_address(kind: fn(&str) -> bool) -> Memo<String> {
    let location = use_location();
    Memo::new(move |last: Option<&String>| {
        let search = location.search.get();
        let path = location.pathname.get();
        match last {
            // The reader navigates to another page, and this page is about to be removed.
            Some(last) if !kind(&path) => last.clone(),
            _ => Query::parse(&search).with(ASK, "").link(&path),
        }
    })
}

/// Shows the times of the server-rendered markup in the reader's time zone.
pub fn in_local_time(hydrated: Signal<bool>) {
    on_change(move || {
        if hydrated.get() {
            // The markup is inserted after this effect, so the change waits for the next frame.
            request_animation_frame(browser::show_local_times);
        }
    });
}

/// Whether a path is a page of this kind.
fn is_drawn(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next(), parts.nth(1)) {
        (Some("exposure"), None) => true,
        (Some("customers"), Some(part)) => ["applications", "mailboxes"].contains(&part),
        _ => false,
    }
}

/// Refetches the page while customers are scanned, at a steady rate, and not while a person fills
/// in one of its forms. Returns the signal that must be true while a fetch is under way.
pub fn follow(page: Loaded<Drawn>) -> RwSignal<bool> {
    let pending = RwSignal::new(false);
    let Some(live) = use_live() else {
        return pending;
    };
    let follower = Rc::new(Follower {
        page,
        pending,
        pace: RefCell::default(),
        timer: Cell::new(None),
    });
    on_later_change(
        move || live.scanned.track(),
        move || {
            let wait = follower.pace.borrow_mut().changed(browser::now().millis());
            follower.wait(wait);
        },
    );
    pending
}

struct Follower {
    page: Loaded<Drawn>,
    pending: RwSignal<bool>,
    pace: RefCell<Pace>,
    timer: Cell<Option<TimeoutHandle>>,
}

impl Follower {
    fn wait(self: &Rc<Self>, millis: Option<i64>) {
        let Some(wait) = millis.and_then(|millis| u64::try_from(millis).ok()) else {
            return;
        };
        let follower = Rc::downgrade(self);
        let due = move || {
            if let Some(follower) = follower.upgrade() {
                follower.due();
            }
        };
        self.timer
            .set(set_timeout_with_handle(due, Duration::from_millis(wait)).ok());
    }

    fn due(self: &Rc<Self>) {
        // A new fetch would cancel the fetch under way. With steady changes none would ever
        // complete.
        let busy =
            self.pending.try_get_untracked().unwrap_or(false) || browser::is_in_form(".drawn");
        let wait = self.pace.borrow_mut().due(browser::now().millis(), busy);
        if wait.is_some() {
            return self.wait(wait);
        }
        // Only pages with counts or progress are refetched. The mailboxes page would search at
        // Microsoft again, and the explanation of one application should stay still.
        if browser::shows(".drawn .tiles, .drawn [role=status]") {
            self.page.again();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }
}
