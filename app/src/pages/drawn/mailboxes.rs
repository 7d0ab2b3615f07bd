//! The other way round: which applications reach a mailbox.

use domain::{
    exposure::MailboxView,
    id::{CustomerId, ObjectId},
    person::Operator,
    view::{CustomerHead, MailboxesFound},
};
use engine::{Answer, Engine};
use leptos::prelude::*;

use super::draw::{Page, below};
use crate::{
    components::{Empty, Erase as _, Glyph, Moment, TableCard, Tone, problem_view, tag, th},
    paths,
    query::Query,
};

/// What the page shows.
pub(super) struct Found {
    head: CustomerHead,
    /// Microsoft may not answer; what was read before is shown all the same.
    mailboxes: Answer<MailboxesFound>,
    chosen: Option<MailboxView>,
}

pub(super) async fn read(
    engine: &Engine,
    operator: &Operator,
    customer: CustomerId,
    query: &Query,
) -> Answer<Found> {
    let head = engine.customer(operator, customer).await?.head;
    let search: String = query.get("search").trim().chars().take(200).collect();
    let mailboxes = engine.mailboxes(operator, customer, &search).await;
    let chosen = match query.get("mailbox").parse::<ObjectId>() {
        Ok(mailbox) => Some(engine.mailbox_reach(operator, customer, mailbox).await?),
        Err(_) => None,
    };
    Ok(Found {
        head,
        mailboxes,
        chosen,
    })
}

pub(super) fn page(found: Found, query: &Query) -> Page {
    let Found {
        head,
        mailboxes,
        chosen,
    } = found;
    let reach = chosen.map(|view| who(view, query));
    let list = picker(head.id, mailboxes, query);
    Page {
        title: "Mailboxes".to_owned(),
        crumbs: below(head.id, &head.name),
        lead: view! { <p>"Choose a mailbox to see which applications reach it."</p> }.any(),
        actions: ().into_any(),
        body: view! { {reach}{list} }.any(),
    }
}

fn picker(customer: CustomerId, found: Answer<MailboxesFound>, query: &Query) -> AnyView {
    let path = paths::mailboxes(customer);
    let search = query.get("search").to_owned();
    let list = match found {
        Err(problem) => problem_view(&problem.into()),
        Ok(found) if found.rows.is_empty() => {
            view! { <Empty title="Nothing found" text="No user or shared mailbox matches."/> }.any()
        }
        Ok(found) => {
            let rows = found
                .rows
                .into_iter()
                .map(|mailbox| {
                    let address = mailbox.address.to_string();
                    let href = query
                        .clone()
                        .with("mailbox", &mailbox.object.to_string())
                        .with("address", &address)
                        .link(&path);
                    view! { <tr><td><a href=href>{mailbox.name}</a></td><td class="mono">{address}</td></tr> }.any()
                })
                .collect();
            let foot = found.more.then(|| {
                view! { <span>"There are more. Type more of the name or address."</span> }.any()
            });
            view! { <TableCard label="Mailboxes" head=vec![th("Name"), th("Address")] rows foot/> }
                .any()
        }
    };
    view! {
        <form method="get" action=path>
            <div class="filters" role="search" aria-label="Mailboxes">
                <label class="grow">
                    <span class="unseen">"Search mailboxes"</span>
                    <input type="search" name="search" value=search placeholder="Name or address" autocomplete="off" spellcheck="false" maxlength="200"/>
                </label>
                <button type="submit" class="btn">"Show"</button>
            </div>
        </form>
        {list}
    }
    .any()
}

fn who(view: MailboxView, query: &Query) -> AnyView {
    let title = match query.get("address") {
        "" => format!("Who reaches {}", view.object),
        address => format!("Who reaches {address}"),
    };
    let Some(read) = view.read else {
        return view! { <Empty title="Nothing was read yet" text="Once this customer has been read, the applications that reach this mailbox stand here."/> }.any();
    };
    let customer = view.head.id;
    let list = if view.rows.is_empty() {
        view! { <Empty title="Nobody" text="No application reaches this mailbox."/> }.any()
    } else {
        let rows = view
            .rows
            .into_iter()
            .map(|row| {
                let chips = row
                    .permissions
                    .into_iter()
                    .map(|one| view! { <li class="chip mono">{one}</li> }.any())
                    .collect_view();
                let state = if row.certain {
                    tag(Tone::Bad, Glyph::Unlock, "reaches it")
                } else {
                    tag(Tone::Warn, Glyph::Question, "unknown")
                };
                view! {
                    <tr>
                        <td><a class="strong" href=paths::application(customer, row.object)>{row.name}</a></td>
                        <td><ul class="chips">{chips}</ul></td>
                        <td>{state}</td>
                    </tr>
                }
                .any()
            })
            .collect();
        let head = vec![th("Application"), th("Permissions"), th("Reach")];
        view! { <TableCard label="Applications that reach it" head rows/> }.any()
    };
    view! {
        <section aria-labelledby="who">
            <div class="section-head"><h2 id="who">{title}</h2></div>
            <p class="hint">"As read "<Moment at=read/>"."</p>
            {list}
        </section>
    }
    .any()
}
