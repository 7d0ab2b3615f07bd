//! The list of customers.

use std::time::Duration;

use domain::{
    connection::{Health, Trouble},
    person::Right,
    view::{CustomerRow, CustomerSort, CustomersPage, CustomersQuery},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api,
    components::{
        Empty, Erase as _, GetForm, Glyph, Meanwhile, Moment, PageHead, Pages, TableCard, Tone,
        arriving, health_tag, icon, problem_view, tag, th, trouble_item,
    },
    loaded::Loaded,
    paths,
    query::{LiveQuery, Query, use_query},
    viewer::{may, use_viewer},
};

#[component]
pub fn Customers() -> impl IntoView {
    let viewer = use_viewer();
    let query = use_query();
    let page = Loaded::first(move || Ok(api::customers(query.with(ask))));
    let connect = arriving(Meanwhile::default(), move || async move {
        may(&viewer.0.get().await, Right::Change)
            .then(|| {
                view! { <a class="btn primary" href=paths::CONNECT>"Connect a customer"</a> }.any()
            })
            .into_any()
    });
    let lead =
        view! { <p>"Every tenant that you look after, and whether Postern can still get in."</p> }
            .any();
    view! {
        <PageHead title="Customers" lead=Some(lead.into_any())>
            {connect}
        </PageHead>
        <Filter query/>
        {arriving(Meanwhile::says("Loading customers", 5), move || {
                let query = query.get_untracked();
                async move {
                match page.get().await {
                    Ok(page) => list(page, &query),
                    Err(error) => problem_view(&error),
                }
            }})}
    }
    .any()
}

/// Parses the query of the address. Missing values have their defaults.
fn ask(query: &Query) -> CustomersQuery {
    CustomersQuery {
        search: query.get("search").trim().chars().take(200).collect(),
        sort: CustomerSort::parse(query.get("sort")),
        page: query.get("page").parse().unwrap_or(1).max(1),
    }
}

/// The form with search and sort order. It sends itself while the person types.
#[component]
fn Filter(query: LiveQuery) -> impl IntoView {
    let first = ask(&query.get_untracked());
    let navigate = use_navigate();
    let mut search_soon = debounce(Duration::from_millis(250), move |text: String| {
        let to = query
            .get_untracked()
            .with("search", text.trim())
            .with("page", "")
            .link(paths::CUSTOMERS);
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&to, options);
    });
    let order = first.sort;
    let option = move |sort: CustomerSort, words: &'static str| {
        view! { <option value=sort.as_str() selected=order == sort>{words}</option> }.any()
    };
    view! {
        <GetForm action=paths::CUSTOMERS>
            <div class="filters" role="search" aria-label="Customers">
                <label class="grow">
                    <span class="unseen">"Search customers"</span>
                    <span class="with-icon">
                        {icon(Glyph::Search)}
                        <input
                            type="search"
                            name="search"
                            value=first.search
                            prop:value=move || query.with(|query| query.get("search").to_owned())
                            placeholder="Name, domain or tenant id"
                            autocomplete="off"
                            spellcheck="false"
                            maxlength="200"
                            on:input=move |event| search_soon(event_target_value(&event))
                        />
                    </span>
                </label>
                <label>
                    <span>"Order"</span>
                    <select name="sort">
                        {option(CustomerSort::Name, "Name, A to Z")}
                        {option(CustomerSort::NameDown, "Name, Z to A")}
                        {option(CustomerSort::Health, "What needs attention")}
                        {option(CustomerSort::Recent, "Last change")}
                    </select>
                </label>
                <button type="submit" class="btn">"Show"</button>
            </div>
        </GetForm>
    }
    .any()
}

fn list(page: CustomersPage, query: &Query) -> AnyView {
    if page.total == 0 {
        return view! {
            <Empty title="No customer yet" text="Connect the first one: its admin consents, and its applications are in front of you a moment later.">
                <a class="btn" href=paths::CONNECT>"Connect a customer"</a>
            </Empty>
        }
        .any();
    }
    if page.rows.is_empty() {
        let text = format!(
            "None of your {} customers matches “{}”.",
            page.total,
            query.get("search")
        );
        return view! {
            <Empty title="Nothing found" text>
                <a class="btn" href=paths::CUSTOMERS>"Show all"</a>
            </Empty>
        }
        .any();
    }
    let words = if page.matching == page.total {
        format!("{} customers", page.total)
    } else {
        format!("{} of {} customers", page.matching, page.total)
    };
    let foot = view! {
        <span>{words}</span>
        <Pages page=page.page pages=page.pages query=query.clone() path=paths::CUSTOMERS/>
    }
    .any();
    let head = vec![
        th("Customer"),
        th("Connection"),
        th("Setups"),
        th("Last change"),
    ];
    let shared = shared(&page.troubles);
    let rows = page.rows.into_iter().map(row).collect();
    view! {
        {shared}
        <TableCard label="Customers" head rows foot=Some(foot.into_any())/>
    }
    .any()
}

/// Problems that keep Postern out of several customers: one message for all of them.
fn shared(troubles: &[Trouble]) -> Option<AnyView> {
    (!troubles.is_empty()).then(|| {
        let lines = troubles.iter().map(trouble_item).collect_view();
        view! {
            <div class="partial" role="note">
                <p><b>"Several customers need attention for the same reason."</b></p>
                <ul class="plain">{lines}</ul>
            </div>
        }
        .any()
    })
}

fn row(row: CustomerRow) -> AnyView {
    let about = match &row.connection.health {
        Health::Broken { problem } => Some(problem.happened.clone()),
        Health::Good => row.connection.account.clone(),
        Health::Never | Health::Disconnected => None,
    };
    let active = (row.active_setups > 0).then(|| {
        tag(
            Tone::Wait,
            Glyph::Clock,
            format!("{} active", row.active_setups),
        )
    });
    let proven =
        (row.proven > 0).then(|| tag(Tone::Good, Glyph::Star, format!("{} proven", row.proven)));
    let none = (row.active_setups == 0 && row.proven == 0)
        .then(|| view! { <span class="faint">"none"</span> }.any());
    view! {
        <tr>
            <td>
                <a class="strong" href=paths::customer(row.id)>{row.name}</a>
                <span class="sub">{row.domain}</span>
            </td>
            <td>
                {health_tag(&row.connection.health)}
                {about.map(|about| view! { <span class="sub">{about}</span> }.any())}
            </td>
            <td><span class="tags">{active}{proven}{none}</span></td>
            <td class="when">
                {row.last_event.map_or_else(
                    || view! { <span class="faint">"never"</span> }.any(),
                    |at| view! { <Moment at/> }.any(),
                )}
            </td>
        </tr>
    }
    .any()
}
