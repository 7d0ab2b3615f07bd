//! The routes of the pages.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    browser,
    components::{Erase as _, FailedForm, Hydrated, on_change},
    layout::Layout,
    pages::{
        Account, Connect, Customer, Customers, DrawnPage, History, Join, NewSetup, NotFound,
        OwnHistory, People, Running, Setup, Start, Waiting,
    },
};

/// A function that renders a page.
type Page = fn() -> AnyView;

/// The whole user interface. The browser hydrates the same component.
///
/// Pages are rendered once all their data has arrived, so that lists work without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    FailedForm::provide();
    let hydrated = Hydrated(RwSignal::new(false));
    provide_context(hydrated);
    on_change(move || {
        hydrated.0.set(true);
        browser::mark_hydrated();
    });
    // As plain function pointers all routes have one type. leptos generates its code for each type
    // separately.
    let start: Page = || view! { <Start/> }.any();
    let waiting: Page = || view! { <Waiting/> }.any();
    let join: Page = || view! { <Join/> }.any();
    let layout: Page = || view! { <Layout/> }.any();
    let customers: Page = || view! { <Customers/> }.any();
    let connect: Page = || view! { <Connect/> }.any();
    let customer: Page = || view! { <Customer/> }.any();
    let new_setup: Page = || view! { <NewSetup/> }.any();
    let setup: Page = || view! { <Setup/> }.any();
    let history: Page = || view! { <History/> }.any();
    let own_history: Page = || view! { <OwnHistory/> }.any();
    let running: Page = || view! { <Running/> }.any();
    let drawn: Page = || view! { <DrawnPage/> }.any();
    let people: Page = || view! { <People/> }.any();
    let account: Page = || view! { <Account/> }.any();
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=start ssr=SsrMode::Async/>
                <Route path=path!("/waiting") view=waiting ssr=SsrMode::Async/>
                <Route path=path!("/join/:token") view=join ssr=SsrMode::Async/>
                // Each page sets its own rendering mode.
                <ParentRoute path=path!("") view=layout>
                    <Route path=path!("/customers") view=customers ssr=SsrMode::Async/>
                    <Route path=path!("/customers/connect") view=connect ssr=SsrMode::Async/>
                    <Route path=path!("/customers/:id") view=customer ssr=SsrMode::Async/>
                    <Route path=path!("/customers/:id/setups/new") view=new_setup ssr=SsrMode::Async/>
                    <Route path=path!("/customers/:id/setups/:setup") view=setup ssr=SsrMode::Async/>
                    <Route path=path!("/customers/:id/history") view=history ssr=SsrMode::Async/>
                    <Route path=path!("/customers/:id/applications/:object") view=drawn ssr=SsrMode::Async/>
                    <Route path=path!("/customers/:id/mailboxes") view=drawn ssr=SsrMode::Async/>
                    <Route path=path!("/exposure") view=drawn ssr=SsrMode::Async/>
                    <Route path=path!("/running") view=running ssr=SsrMode::Async/>
                    <Route path=path!("/people") view=people ssr=SsrMode::Async/>
                    <Route path=path!("/people/history") view=own_history ssr=SsrMode::Async/>
                    <Route path=path!("/account") view=account ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }.any()
}
