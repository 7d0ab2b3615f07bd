//! One customer: the effective access of its applications, the state of the connection, and its
//! setups.

mod connection;
mod invitations;

use domain::{connection::Health, person::Right, view::CustomerView};
use leptos::prelude::*;

use super::{
    drawn::{Drawn, follow, in_local_time, use_address},
    use_customer,
};
use crate::{
    api,
    components::{
        Empty, Erase as _, Meanwhile, PageHead, SetupTable, arriving, failed_page, on_change,
        on_later_change, problem_view, use_hydrated,
    },
    loaded::Loaded,
    paths,
    viewer::{may, use_viewer},
};
use connection::ConnectionPanel;
use invitations::Invitations;

#[component]
pub fn Customer() -> impl IntoView {
    let viewer = use_viewer();
    let id = use_customer();
    let address = use_address(is_customer);
    let customer = Loaded::first(move || Ok(api::customer(id.get()?)));
    let invitations = Invitations::new();
    invitations.then(move || customer.again());
    // A new link is shown once, on the page of its own customer.
    on_later_change(move || drop(id.get()), move || invitations.forget());
    let reach = Loaded::first(move || Ok(api::drawn(address.get())));
    let pending = follow(reach);
    // A live read can find out that the connection broke, or works again.
    let told = StoredValue::new(None);
    let stale = move |works: bool| {
        let here = Some((untrack(|| id.get()), works));
        if told.try_get_value().is_some_and(|told| told != here) {
            told.set_value(here);
            customer.again();
        }
    };
    arriving(
        Meanwhile::says("Loading the customer", 5),
        move || async move {
            let me = viewer.0.get().await;
            let may_change = may(&me, Right::Change);
            let partner = me.map(|me| me.partner.to_string()).unwrap_or_default();
            match customer.get().await {
                Ok(view) => show(
                    view,
                    (may_change, partner, invitations),
                    (reach, pending),
                    stale,
                ),
                Err(error) => failed_page(&error),
            }
        },
    )
}

/// Whether a path is the page of a customer.
fn is_customer(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    parts.next() == Some("customers")
        && parts.next().is_some_and(|part| part != "connect")
        && parts.next().is_none()
}

fn show(
    view: CustomerView,
    (may_change, partner, invitations): (bool, String, Invitations),
    reach: (Loaded<Drawn>, RwSignal<bool>),
    stale: impl Fn(bool) + Copy + Send + Sync + 'static,
) -> AnyView {
    let CustomerView {
        head,
        connection,
        setups,
        invitations: open,
        ..
    } = view;
    let crumbs = vec![(paths::CUSTOMERS.to_owned(), "Customers".to_owned())];
    let lead = view! { <p>{head.domain.clone()}" · tenant "<span class="mono">{head.tenant.to_string()}</span></p> }.any();
    let setups = if setups.is_empty() {
        view! { <Empty title="No setup yet" text="A setup confines one application to the mailboxes that it needs, and proves it."/> }
            .any()
    } else {
        view! { <SetupTable label="Setups of this customer" rows=setups/> }.any()
    };
    let works = connection.health == Health::Good;
    let applications = applications(reach, works, stale);
    view! {
        <PageHead title=head.name.clone() crumbs lead=Some(lead.into_any())>
            <a class="btn" href=paths::history(head.id)>"History"</a>
        </PageHead>
        <ConnectionPanel head connection may_change partner invitations open/>
        <section aria-labelledby="applications">{applications}</section>
        <section aria-labelledby="setups">
            <div class="section-head"><h2 id="setups">"Setups"</h2></div>
            {setups}
        </section>
    }
    .any()
}

/// The applications by effective access, rendered by the server. `works`: whether the page says
/// that the connection works. When the applications say otherwise, `stale` is called with their
/// value.
fn applications(
    (reach, pending): (Loaded<Drawn>, RwSignal<bool>),
    works: bool,
    stale: impl Fn(bool) + Copy + Send + Sync + 'static,
) -> AnyView {
    let hydrated = use_hydrated();
    let meanwhile = Meanwhile {
        pending: Some(pending),
        ..Meanwhile::says("Loading the applications", 6)
    };
    arriving(meanwhile, move || async move {
        match reach.get().await {
            Ok(drawn) => {
                if drawn.works != works {
                    on_change(move || stale(drawn.works));
                }
                in_local_time(hydrated);
                view! { <div class="drawn" inner_html=drawn.html></div> }.any()
            }
            Err(error) => {
                view! {
                    <div class="section-head"><h2 id="applications">"Applications that reach mailboxes"</h2></div>
                    {problem_view(&error)}
                }
                .any()
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_customer;

    #[test]
    fn only_the_page_of_a_customer_is_one() {
        assert!(is_customer("/customers/6f1c02b7"));
        for other in [
            "/customers",
            "/customers/connect",
            "/customers/6f1c02b7/history",
            "/exposure",
        ] {
            assert!(!is_customer(other), "{other}");
        }
    }
}
