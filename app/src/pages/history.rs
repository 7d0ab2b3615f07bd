//! A customer's history, and the partner's own history: what happened, who did it, and the values
//! before and after.

use domain::{
    history::{Event, EventKind},
    person::Actor,
    view::{HistoryPage, HistoryQuery},
};
use leptos::prelude::*;

use super::use_customer;
use crate::{
    api,
    components::{
        CopyButton, Empty, Erase as _, GetForm, Glyph, Meanwhile, Moment, PageHead, TableCard,
        arriving, failed_page, icon, th,
    },
    diff::{Line, diff},
    loaded::Loaded,
    paths,
    query::{LiveQuery, Query, use_query},
};

#[component]
pub fn History() -> impl IntoView {
    let id = use_customer();
    let query = use_query();
    let page = Loaded::first(move || Ok(api::history(id.get()?, query.with(ask))));
    loading(page, query)
}

/// The partner's own history: sign-ins, roles, links, customers, settings. For owners.
#[component]
pub fn OwnHistory() -> impl IntoView {
    let query = use_query();
    let page = Loaded::first(move || Ok(api::own_history(query.with(ask))));
    loading(page, query)
}

fn loading(page: Loaded<HistoryPage>, query: LiveQuery) -> AnyView {
    arriving(Meanwhile::says("Loading the history", 8), move || {
        let query = query.get_untracked();
        async move {
            match page.get().await {
                Ok(page) => show(page, &query),
                Err(error) => failed_page(&error),
            }
        }
    })
}

fn ask(query: &Query) -> HistoryQuery {
    HistoryQuery::of_fields(|name| query.get(name))
}

/// Only the filter, for links to the beginning of a list.
fn filter_of(query: &Query) -> Query {
    let asked = ask(query);
    Query::default()
        .with("kind", &asked.kind)
        .with("person", &asked.person)
        .with("from", &asked.from)
        .with("to", &asked.to)
}

fn show(page: HistoryPage, query: &Query) -> AnyView {
    let HistoryPage {
        head,
        rows,
        next,
        people,
        total,
    } = page;
    let filter = filter_of(query);
    let (path, crumbs, of, nothing) = match &head {
        Some(head) => (
            paths::history(head.id),
            vec![
                (paths::CUSTOMERS.to_owned(), "Customers".to_owned()),
                (paths::customer(head.id), head.name.clone()),
            ],
            "",
            "Nothing has happened with this customer yet.",
        ),
        None => (
            paths::OWN_HISTORY.to_owned(),
            vec![(paths::PEOPLE.to_owned(), "People".to_owned())],
            " of your organisation itself: sign-ins, roles, links, customers, settings",
            "Nothing has happened yet.",
        ),
    };
    let lead = format!(
        "{total} entries{of}. Each holds the hash of the one before. Whoever runs this Postern checks them all with “postern verify-history”."
    );
    let lead = view! { <p>{lead}</p> }.any();
    let csv = filter.link(&format!("{path}.csv"));
    let json = filter.link(&format!("{path}.json"));
    let list = if rows.is_empty() {
        let text = if total == 0 {
            nothing
        } else {
            "No entry fits the filter."
        };
        let all = path.clone();
        view! { <Empty title="No entries" text><a class="btn" href=all>"Show all"</a></Empty> }
            .any()
    } else {
        let older = next.map(|next| {
            let href = filter.clone().with("before", &next.to_string()).link(&path);
            view! { <a class="btn small" rel="next" href=href>"Older"</a> }.any()
        });
        let newest = query
            .has("before")
            .then(|| view! { <a class="btn small" href=filter.link(&path)>"Newest"</a> }.any());
        let range = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => {
                format!("Entries {} to {} of {total}", first.seq, last.seq)
            }
            _ => String::new(),
        };
        let foot = view! { <span>{range}</span><span class="actions">{newest}{older}</span> }.any();
        let heads = vec![th("When"), th("What"), th("Who")];
        let rows = rows.into_iter().map(line).collect();
        view! { <TableCard label="History" head=heads rows foot=Some(foot.into_any())/> }.any()
    };
    view! {
        <PageHead title="History" crumbs lead=Some(lead.into_any())>
            <a class="btn" href=csv download="" rel="external">"CSV"</a>
            <a class="btn" href=json download="" rel="external">"JSON"</a>
        </PageHead>
        {filters(path, head.is_none(), &people, &ask(query))}
        {list}
    }
    .any()
}

fn filters(path: String, own: bool, people: &[Actor], asked: &HistoryQuery) -> AnyView {
    let clear = path.clone();
    let (from, to) = (asked.from.clone(), asked.to.clone());
    let kinds = EventKind::ALL
        .iter()
        .filter(|kind| if own { EventKind::OF_PARTNER.contains(kind) } else { kind.is_of_customer() })
        .map(|kind| view! { <option value=kind.as_str() prop:selected=asked.kind == kind.as_str() selected=asked.kind == kind.as_str()>{kind.title()}</option> }.any())
        .collect_view();
    let people = people
        .iter()
        .map(|actor| {
            let key = actor.key();
            let chosen = asked.person == key;
            view! { <option value=key prop:selected=chosen selected=chosen>{actor.told()}</option> }
                .any()
        })
        .collect_view();
    view! {
        <GetForm action=path>
            <div class="filters" role="search" aria-label="Entries">
                <label><span>"What"</span><select name="kind"><option value="">"Everything"</option>{kinds}</select></label>
                <label><span>"Who"</span><select name="person"><option value="">"Everybody"</option>{people}</select></label>
                <label><span>"From (UTC)"</span><input type="date" name="from" value=from.clone() prop:value=from/></label>
                <label><span>"To (UTC)"</span><input type="date" name="to" value=to.clone() prop:value=to/></label>
                <button type="submit" class="btn">"Show"</button>
                <a class="btn quiet" href=clear>"Clear"</a>
            </div>
        </GetForm>
    }
    .any()
}

fn line(event: Event) -> AnyView {
    let changes = diff(event.before.as_ref(), event.after.as_ref());
    let setup = event.customer.zip(event.setup).map(|(customer, setup)| {
        view! { <p class="line"><a href=paths::setup(customer, setup)>"Its setup"</a></p> }.any()
    });
    view! {
        <tr>
            <td class="when"><Moment at=event.at/><span class="sub">"no. "{event.seq}</span></td>
            <td class="wide">
                <span class="strong">{event.kind.title()}</span>
                <p>{event.what.clone()}</p>
                {details(&event, changes)}
                {setup}
            </td>
            <td title=event.actor.key()>{who(&event.actor)}</td>
        </tr>
    }
    .any()
}

/// Name, account and kind, in the words of the filter. An actor who is no operator also gets an
/// icon, because anybody may be named like the program.
fn who(actor: &Actor) -> AnyView {
    let sign = match actor {
        Actor::Operator { .. } => None,
        Actor::CustomerAdmin { .. } => Some(Glyph::Star),
        Actor::Visitor { .. } => Some(Glyph::Cross),
        Actor::System => Some(Glyph::Dots),
    };
    view! { {sign.map(icon)}<span class="break">{actor.told()}</span> }.any()
}

/// The values before and after, Microsoft's request ids, and the hashes.
fn details(event: &Event, changes: Vec<Line>) -> AnyView {
    let sides = (event.before.is_some(), event.after.is_some());
    let table = (!changes.is_empty()).then(|| {
        let heading = match sides {
            (true, true) => "Before and after",
            (true, false) => "Before",
            _ => "After",
        };
        let rows = changes.into_iter().map(change).collect_view();
        view! { <p class="strong">{heading}</p><dl class="diff">{rows}</dl> }.any()
    });
    let requests = (!event.requests.is_empty()).then(|| {
        let ids = event
            .requests
            .iter()
            .map(|id| view! { <li class="mono break">{id.clone()}</li> }.any())
            .collect_view();
        view! {
            <p class="strong">"Microsoft's request ids"</p>
            <ul class="plain">{ids}</ul>
            <CopyButton text=event.requests.join("\n")/>
        }
        .any()
    });
    let key = match &event.key {
        Some(key) => format!("Made with the key {key}."),
        None => "Made without a key, by an older version.".to_owned(),
    };
    let key = view! { <p class="sub">{key}</p> }.any();
    view! {
        <details class="fold">
            <summary>"Details"</summary>
            <div class="sunken">
                {table}
                {requests}
                <p class="sub">"Hash "<span class="mono break">{event.hash.clone()}</span></p>
                <p class="sub">"Before it "<span class="mono break">{event.previous_hash.clone()}</span></p>
                {key}
            </div>
        </details>
    }
    .any()
}

fn change(line: Line) -> AnyView {
    let before = line.before.map(|text| {
        view! { <dd class="was"><span class="unseen">"before: "</span><del>{text}</del></dd> }.any()
    });
    let after = line.after.map(|text| {
        view! { <dd class="is"><span class="unseen">"after: "</span><ins>{text}</ins></dd> }.any()
    });
    view! { <div><dt class="mono">{line.path}</dt>{before}{after}</div> }.any()
}
