//! The main navigation.

use domain::{
    person::{Right, Role},
    view::Counts,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    components::{Erase as _, dynamic},
    paths,
};

#[component]
pub fn Navigation(role: Option<Role>, counts: Signal<Counts>) -> impl IntoView {
    let exposure = move || {
        let open = counts.get().unrestricted;
        (open > 0).then(|| {
            view! { <span class="count bad">{open}<span class="unseen">" can act as anyone"</span></span> }.any()
        })
    };
    let customers = move || {
        let counts = counts.get();
        view! {
            <span class="count">{counts.customers}</span>
            {(counts.broken > 0)
                .then(|| view! { <span class="count bad">{counts.broken}<span class="unseen">" need attention"</span></span> }.any())}
        }.any()
    };
    let running = move || {
        let counts = counts.get();
        view! {
            <span class="count">{counts.running}</span>
            {(counts.needs_you > 0)
                .then(|| view! { <span class="count bad">{counts.needs_you}<span class="unseen">" need you"</span></span> }.any())}
        }.any()
    };
    let administers = role.is_some_and(|role| role.may(Right::Administer));
    view! {
        <nav aria-label="Main">
            <ul>
                <li>
                    <Entry href=paths::EXPOSURE name="Exposure">{dynamic(exposure)}</Entry>
                </li>
                <li>
                    <Entry href=paths::CUSTOMERS name="Customers">{dynamic(customers)}</Entry>
                </li>
                <li>
                    <Entry href=paths::RUNNING name="Running">{dynamic(running)}</Entry>
                </li>
                {administers.then(|| view! { <li><Entry href=paths::PEOPLE name="People"/></li> }.any())}
                <li>
                    <Entry href=paths::ACCOUNT name="Account"/>
                </li>
            </ul>
        </nav>
    }.any()
}

#[component]
fn Entry(
    href: &'static str,
    name: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let path = use_location().pathname;
    let current = move || {
        path.with(|path| {
            if path == href {
                Some("page")
            } else {
                path.starts_with(&format!("{href}/")).then_some("true")
            }
        })
    };
    view! {
        <a href=href aria-current=current>
            <span>{name}</span>
            <span class="counts">{children.map(|children| children())}</span>
        </a>
    }
    .any()
}
