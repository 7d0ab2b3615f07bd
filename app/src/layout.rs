//! The layout around every page for a signed-in operator.

mod navigation;
mod switch;

use std::cell::RefCell;

use domain::view::{Counts, Me};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{components::Outlet, hooks::use_location};

use crate::{
    api, browser,
    components::{
        Erase as _, Meanwhile, ToastRegion, Toasts, arriving, copy_on_click, dynamic, gate,
        on_later_change, problem_view,
    },
    error::{Answer, AppError},
    live::Live,
    paths,
    viewer::Viewer,
};
use navigation::Navigation;
use switch::Switch;

/// The newest counts for the navigation, and whether the session still exists.
#[derive(Clone, Copy)]
struct Pulse {
    counts: RwSignal<Option<Counts>>,
    ended: RwSignal<bool>,
}

/// Side bar and main part.
#[component]
pub fn Layout() -> impl IntoView {
    let viewer = Viewer::provide();
    let toasts = Toasts::provide();
    copy_on_click(toasts);
    let pulse = Pulse {
        counts: RwSignal::new(None),
        ended: RwSignal::new(false),
    };
    keep_counting(Live::provide(), pulse);
    let path = use_location().pathname;
    // After navigation the keyboard focus starts at the new page, as it does without JavaScript.
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|before| before != path) {
            browser::focus("main");
        }
        path
    });
    view! {
        <a class="skip" href="#main" rel="external">"Skip to the content"</a>
        <div class="shell">
            <header class="side">
                <a class="brand" href=paths::CUSTOMERS>{gate()}"Postern"</a>
                {arriving(Meanwhile::default(), move || async move {
                        let me = viewer.0.get().await;
                        side(me, pulse)
                    })}
            </header>
            <main id="main" tabindex="-1">
                {dynamic(move || pulse.ended.get().then(|| problem_view(&AppError::SignedOut)))}
                <Outlet/>
            </main>
        </div>
        <ToastRegion toasts/>
    }
    .any()
}

/// The side bar of a known operator. Everybody else is redirected.
fn side(me: Answer<Me>, pulse: Pulse) -> AnyView {
    match me {
        Ok(me) if me.role.is_none() => {
            #[cfg(feature = "ssr")]
            crate::api::context::redirect_page(paths::WAITING);
            view! { <p><a href=paths::WAITING>"Waiting for a role"</a></p> }.any()
        }
        Ok(me) => {
            let first = me.counts;
            let counts = Signal::derive(move || pulse.counts.get().unwrap_or(first));
            view! {
                <Switch/>
                <Navigation role=me.role counts/>
                <div class="who">
                    <a href=paths::ACCOUNT><b>{me.name}</b></a>
                    <span>{me.role.map(|role| role.to_string())}" · "{me.partner.short().to_owned()}</span>
                    <form method="post" action=paths::SIGN_OUT>
                        <button type="submit" class="btn small quiet">"Sign out"</button>
                    </form>
                </div>
            }
            .any()
        }
        Err(AppError::SignedOut) => {
            #[cfg(feature = "ssr")]
            send_to_start();
            view! { <p><a href="/" rel="external">"Sign in"</a></p> }.any()
        }
        Err(error) => problem_view(&error),
    }
}

#[cfg(feature = "ssr")]
fn send_to_start() {
    let location = use_location();
    let query = crate::query::Query::parse(&location.search.get_untracked());
    let here = query.link(&location.pathname.get_untracked());
    crate::api::context::redirect_page(&paths::start(&here));
}

/// Refetches the counts after changes. A burst of changes causes a single fetch.
fn keep_counting(live: Live, pulse: Pulse) {
    let pause = std::time::Duration::from_millis(600);
    let read = RefCell::new(debounce(pause, move |()| {
        spawn_local(async move {
            match api::me().answer().await {
                Ok(me) => {
                    pulse.counts.try_set(Some(me.counts));
                    pulse.ended.try_set(false);
                }
                Err(AppError::SignedOut) => {
                    pulse.ended.try_set(true);
                }
                // The counts stay as they were. The page reports the failures of its own fetches.
                Err(error) => leptos::logging::warn!("the numbers could not be read: {error:?}"),
            }
        });
    }));
    on_later_change(
        move || {
            live.changed.track();
            // A stream that the server refuses may mean that the session has ended.
            live.link.track();
        },
        move || read.borrow_mut()(()),
    );
}
