//! The live page of a setup. It updates without reloading. The setup runs whether or not the page
//! is open.

mod actions;
mod again;
mod means;
mod now;
mod secret;
mod steps;
mod summary;

use domain::{
    id::{CustomerId, SetupId},
    person::Right,
    view::SetupView,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;

use super::{use_customer, use_id};
use crate::{
    api,
    components::{
        Ask, Clock, Erase as _, Glyph, Meanwhile, Moment, PageHead, arriving, dynamic, failed_page,
        icon, on_change,
    },
    live::{Link, use_live},
    loaded::Loaded,
    paths,
    viewer::{may, use_viewer},
};
use actions::{Cancel, RollBack};
use again::Again;
use means::Means;
use now::Now;
use steps::Steps;
use summary::Summary;

/// The newest known state of the setup, and the server's clock.
#[derive(Clone, Copy)]
struct Shown {
    customer: CustomerId,
    id: SetupId,
    view: RwSignal<SetupView>,
    clock: Clock,
    may_change: bool,
}

impl Shown {
    /// Accepts a newer state than the one shown. Events can overtake each other.
    fn take(self, newer: &SetupView) {
        if newer.id != self.id {
            return;
        }
        self.clock.correct(newer.now);
        if newer.version > self.view.with_untracked(|view| view.version) {
            self.view.set(newer.clone());
        }
    }

    /// Reads the setup once, right after an action, when the stream may be disconnected.
    fn refresh(self) {
        spawn_local(async move {
            match api::setup(self.customer, self.id).answer().await {
                Ok(view) => {
                    if !self.view.is_disposed() {
                        self.take(&view);
                    }
                }
                // The stream brings the state as soon as it is connected again.
                Err(error) => leptos::logging::warn!("the setup could not be read: {error:?}"),
            }
        });
    }

    /// A part of the setup. Its readers are notified only when it changed.
    fn part<T>(self, of: impl Fn(&SetupView) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.view.with(&of))
    }
}

#[component]
pub fn Setup() -> impl IntoView {
    let viewer = use_viewer();
    let customer = use_customer();
    let id = use_id::<SetupId>("setup");
    let setup = Loaded::first(move || Ok(api::setup(customer.get()?, id.get()?)));
    arriving(
        Meanwhile::says("Loading the setup", 7),
        move || async move {
            let may_change = may(&viewer.0.get().await, Right::Change);
            match setup.get().await {
                Ok(view) => view! { <Follow view may_change/> }.any(),
                Err(error) => failed_page(&error),
            }
        },
    )
}

#[component]
fn Follow(view: SetupView, may_change: bool) -> impl IntoView {
    let customer = view.head.id;
    let id = view.id;
    let name = view.plan.application.name.clone();
    let crumbs = vec![
        (paths::CUSTOMERS.to_owned(), "Customers".to_owned()),
        (paths::customer(customer), view.head.name.clone()),
    ];
    let lead = lead(&view);
    let shown = Shown {
        customer,
        id,
        clock: Clock::start(view.now),
        view: RwSignal::new(view),
        may_change,
    };
    if let Some(live) = use_live() {
        live.follow(customer, id);
        on_change(move || {
            if let Some(view) = live.setup.get() {
                shown.take(&view);
            }
        });
    }
    let can = shown.part(|view| view.can);
    let ways_out = move || {
        let can = can.get();
        may_change.then(|| {
            view! {
                {can.roll_back.then(|| view! { <Ask id=actions::ROLL_BACK label="Roll back…"/> }.any())}
                {can.cancel.then(|| view! { <Ask id=actions::CANCEL label="Cancel…"/> }.any())}
            }.any()
        })
    };
    view! {
        <PageHead title=format!("Confine {name}") crumbs lead=Some(lead)>
            <a class="btn quiet" href=paths::script(customer, id) download="" rel="external">"PowerShell script"</a>
            {dynamic(ways_out)}
        </PageHead>
        <Connection/>
        <Summary shown/>
        <Now shown/>
        {may_change.then(|| view! { <Again shown/> }.any())}
        <Steps shown/>
        <Means shown/>
        {may_change.then(|| view! { <Cancel shown/><RollBack shown/> }.any())}
    }.any()
}

fn lead(view: &SetupView) -> AnyView {
    let count = view.plan.senders.len();
    let whom = if count == 1 {
        "one mailbox".to_owned()
    } else {
        format!("{count} mailboxes")
    };
    let by = view.started_by.clone();
    view! {
        <p>"An access policy is to hold it to "{whom}". Started by "{by}" "<Moment at=view.started/>"; goes on without this page."</p>
    }
    .any()
}

/// Says when the page no longer receives updates, and what to do without JavaScript.
#[component]
fn Connection() -> impl IntoView {
    let link = use_live().map(|live| Signal::derive(move || live.link.get()));
    let here = use_location().pathname;
    view! {
        <div role="status" class="alert">
            {dynamic(move || {
                let (what, more) = match link.map(|link| link.get())? {
                    Link::Opening | Link::Open => return None,
                    Link::Lost => ("Connection lost, reconnecting.", " The setup goes on; this page shows where it was."),
                    Link::Refused => ("This page does not follow any more.", " Your session may have ended, or the server is starting; it is tried again. Load the page again to sign in. The setup goes on."),
                };
                Some(
                    view! {
                        <p class="partial">
                            {icon(Glyph::Warning)}
                            <span><b>{what}</b>{more}</span>
                        </p>
                    }.any(),
                )
            })}
        </div>
        <p class="needs-no-js"><a href=move || here.get() rel="external">"Reload"</a>" to see how far it is."</p>
    }.any()
}
