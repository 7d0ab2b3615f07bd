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

/// A page as the server drew it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Of the document.
    pub title: String,
    pub html: String,
    /// Of a part of a customer's page: whether the connection worked when it was drawn.
    pub works: bool,
}

/// What the server draws for the address.
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

/// The address of what is drawn, with what the address asks for, while a page of this kind stands
/// there. A question that the page asks is not for the server.
pub fn use_address(kind: fn(&str) -> bool) -> Memo<String> {
    let location = use_location();
    Memo::new(move |last: Option<&String>| {
        let search = location.search.get();
        let path = location.pathname.get();
        match last {
            // Somebody goes to another page, and this one is about to be gone.
            Some(last) if !kind(&path) => last.clone(),
            _ => Query::parse(&search).with(ASK, "").link(&path),
        }
    })
}

/// Shows the moments of what was drawn in the reader's own time.
pub fn in_local_time(hydrated: Signal<bool>) {
    on_change(move || {
        if hydrated.get() {
            // The markup is put in its place after this.
            request_animation_frame(browser::show_local_times);
        }
    });
}

/// Whether a page of this kind stands at a path.
fn is_drawn(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next(), parts.nth(1)) {
        (Some("exposure"), None) => true,
        (Some("customers"), Some(part)) => ["applications", "mailboxes"].contains(&part),
        _ => false,
    }
}

/// Draws the page anew while customers are read, at a steady pace, and not while somebody fills in
/// one of its forms. Gives what is to say whether a newer one is on its way already.
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
        // A newer page that is on its way would be given up for the next, and none ever arrive.
        let busy =
            self.pending.try_get_untracked().unwrap_or(false) || browser::is_in_form(".drawn");
        let wait = self.pace.borrow_mut().due(browser::now().millis(), busy);
        if wait.is_some() {
            return self.wait(wait);
        }
        // Mailboxes are searched at Microsoft, and what is explained holds still.
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
