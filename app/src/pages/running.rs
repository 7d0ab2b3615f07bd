//! Setups over all customers.

use std::{cell::RefCell, time::Duration};

use domain::{
    Timestamp,
    view::{SetupsFilter, SetupsPage},
};
use leptos::prelude::*;

use crate::{
    api,
    components::{
        Empty, Erase as _, Meanwhile, PageHead, SetupTable, arriving, on_later_change, problem_view,
    },
    live::use_live,
    loaded::Loaded,
    paths,
    query::{Query, use_query},
};

#[component]
pub fn Running() -> impl IntoView {
    let query = use_query();
    let page = Loaded::first(move || {
        let (filter, before) = query.with(ask);
        Ok(api::setups(filter, before))
    });
    follow(page);
    let chosen = move |all: bool| {
        let now = query.with(ask).0 == SetupsFilter::All;
        (now == all).then_some("true")
    };
    let lead = view! { <p>"Setups of all customers. They go on by themselves; this list follows them."</p> }.any();
    view! {
        <PageHead title="Running" lead=Some(lead.into_any())/>
        <nav class="switcher" aria-label="Which setups">
            <a class="chip" href=paths::RUNNING aria-current=move || chosen(false)>"Running, waiting or failed"</a>
            <a class="chip" href=format!("{}?show=all", paths::RUNNING) aria-current=move || chosen(true)>"All"</a>
        </nav>
        {arriving(Meanwhile::says("Loading setups", 5), move || {
                let query = query.get_untracked();
                async move {
                match page.get().await {
                    Ok(page) => list(page, &query),
                    Err(error) => problem_view(&error),
                }
            }})}
    }.any()
}

fn ask(query: &Query) -> (SetupsFilter, Option<Timestamp>) {
    let filter = if query.get("show") == "all" {
        SetupsFilter::All
    } else {
        SetupsFilter::Active
    };
    (filter, query.get("before").parse().ok().map(Timestamp))
}

/// Refetches the list after changes. A burst of changes causes a single fetch.
fn follow(page: Loaded<SetupsPage>) {
    let Some(live) = use_live() else { return };
    let read = RefCell::new(debounce(Duration::from_millis(300), move |()| page.again()));
    on_later_change(move || live.changed.track(), move || read.borrow_mut()(()));
}

fn list(page: SetupsPage, query: &Query) -> AnyView {
    if page.rows.is_empty() {
        let (title, text) = match ask(query).0 {
            SetupsFilter::Active => (
                "Nothing is running",
                "No setup runs, waits or needs you. Open a customer to confine one of its applications.",
            ),
            SetupsFilter::All => (
                "No setup yet",
                "Open a customer to confine one of its applications.",
            ),
        };
        return view! {
            <Empty title text><a class="btn" href=paths::CUSTOMERS>"All customers"</a></Empty>
        }
        .any();
    }
    let older = page.next.map(|next| {
        let href = query
            .clone()
            .with("before", &next.millis().to_string())
            .link(paths::RUNNING);
        view! { <a class="btn small" rel="next" href=href>"Older"</a> }.any()
    });
    let newest = query.has("before").then(|| {
        let href = query.clone().with("before", "").link(paths::RUNNING);
        view! { <a class="btn small" href=href>"Newest"</a> }.any()
    });
    let count = match page.rows.len() {
        1 => "1 setup".to_owned(),
        many => format!("{many} setups"),
    };
    let foot = view! { <span>{count}</span><span class="actions">{newest}{older}</span> }.any();
    view! { <SetupTable label="Setups" customers=true rows=page.rows foot=Some(foot.into_any())/> }
        .any()
}
