//! One customer: whether Postern gets in, what its applications can reach, and its setups.

mod applications;
mod connection;

use domain::{connection::Health, person::Right, view::CustomerView};
use leptos::prelude::*;

use super::use_customer;
use crate::{
    api,
    components::{Empty, Erase as _, Meanwhile, PageHead, SetupTable, arriving, failed_page},
    loaded::Loaded,
    paths,
    viewer::{may, use_viewer},
};
use applications::{Applications, Read};
use connection::ConnectionPanel;

#[component]
pub fn Customer() -> impl IntoView {
    let viewer = use_viewer();
    let id = use_customer();
    let customer = Loaded::first(move || Ok(api::customer(id.get()?)));
    // Begins at once, beside the customer itself; both sides of it wait for Microsoft, not for us.
    let read: Read = Loaded::later(move || Ok(api::applications(id.get()?)));
    // Reading can find out that the connection broke, or works again: once for each page.
    let told = StoredValue::new(None);
    let stale = move || {
        let here = Some(untrack(|| id.get()));
        if told.try_get_value().is_some_and(|told| told != here) {
            told.set_value(here);
            customer.again();
        }
    };
    arriving(
        Meanwhile::says("Loading the customer", 5),
        move || async move {
            let may_change = may(&viewer.0.get().await, Right::Change);
            match customer.get().await {
                Ok(view) => show(view, may_change, read, stale),
                Err(error) => failed_page(&error),
            }
        },
    )
}

fn show(
    view: CustomerView,
    may_change: bool,
    read: Read,
    stale: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let CustomerView {
        head,
        connection,
        setups,
        ..
    } = view;
    let reads = matches!(connection.health, Health::Good | Health::Broken { .. });
    let crumbs = vec![(paths::CUSTOMERS.to_owned(), "Customers".to_owned())];
    let lead = view! { <p>{head.domain.clone()}" · tenant "<span class="mono">{head.tenant.to_string()}</span></p> }.any();
    let setups = if setups.is_empty() {
        view! { <Empty title="No setup yet" text="A setup confines one application to the mailboxes that it needs, and proves it."/> }
            .any()
    } else {
        view! { <SetupTable label="Setups of this customer" rows=setups/> }.any()
    };
    let applications = if reads {
        let works = connection.health == Health::Good;
        view! { <Applications head=head.clone() may_change read works stale/> }.any()
    } else {
        view! {
            <section aria-labelledby="applications">
                <div class="section-head"><h2 id="applications">"Applications"</h2></div>
                <Empty title="Not read" text="Postern has no way into this tenant. Once an admin has consented, its applications stand here."/>
            </section>
        }
        .any()
    };
    view! {
        <PageHead title=head.name.clone() crumbs lead=Some(lead.into_any())>
            <a class="btn" href=paths::reach(head.id)>"Reach"</a>
            <a class="btn" href=paths::history(head.id)>"History"</a>
        </PageHead>
        <ConnectionPanel head connection may_change/>
        {applications}
        <section aria-labelledby="setups">
            <div class="section-head"><h2 id="setups">"Setups"</h2></div>
            {setups}
        </section>
    }
    .any()
}
