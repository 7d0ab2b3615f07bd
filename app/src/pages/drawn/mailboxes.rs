//! The applications that reach a given mailbox.

use domain::{
    Problem, Timestamp,
    exposure::{MailboxRow, MailboxView, ScannedMailboxes},
    id::{CustomerId, ObjectId},
    person::Operator,
    view::{CustomerHead, MailboxesFound},
};
use engine::{Answer, Engine};
use leptos::prelude::*;

use super::{
    draw::{Page, below},
    parts::{acting, powers},
};
use crate::{
    components::{Empty, Erase as _, Glyph, Moment, TableCard, Tone, tag, th},
    paths,
    query::Query,
};

/// The data of the page.
pub(super) struct Found {
    head: CustomerHead,
    mailboxes: Mailboxes,
    chosen: Option<MailboxView>,
}

/// The mailboxes to choose from.
enum Mailboxes {
    Live(MailboxesFound),
    /// Microsoft cannot be asked: the reason, and the mailboxes of the newest scan.
    Scanned(Problem, ScannedMailboxes),
}

pub(super) async fn read(
    engine: &Engine,
    operator: &Operator,
    customer: CustomerId,
    query: &Query,
) -> Answer<Found> {
    let head = engine.customer(operator, customer).await?.head;
    let search: String = query.get("search").trim().chars().take(200).collect();
    let mailboxes = match engine.mailboxes(operator, customer, &search).await {
        Ok(found) => Mailboxes::Live(found),
        // The search text itself is wrong.
        Err(problem) if problem.field().is_some() => return Err(problem),
        Err(problem) => {
            let scanned = engine.scanned_mailboxes(operator, customer, &search);
            Mailboxes::Scanned(problem, scanned.await?)
        }
    };
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

fn picker(customer: CustomerId, found: Mailboxes, query: &Query) -> AnyView {
    let path = paths::mailboxes(customer);
    let search = query.get("search").to_owned();
    let (above, rows, more) = match found {
        Mailboxes::Live(found) => {
            let rows = found
                .rows
                .into_iter()
                .map(|mailbox| (mailbox.object, mailbox.name, mailbox.address.to_string()))
                .collect();
            (None, rows, found.more)
        }
        Mailboxes::Scanned(problem, scanned) => {
            let rows = scanned
                .rows
                .into_iter()
                .map(|(object, name)| (object, name.clone(), name))
                .collect();
            (Some(above(&problem, scanned.read)), rows, scanned.more)
        }
    };
    let list = table(&path, rows, more, query);
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
        {above}
        {list}
    }
    .any()
}

/// Why the list comes from the newest scan.
fn above(problem: &Problem, read: Option<Timestamp>) -> AnyView {
    let todo = format!("{} {}", problem.happened, problem.todo);
    let from = read.map_or_else(
        || view! { "No mailboxes were read yet." }.into_any(),
        |at| view! { "Shown are the mailboxes as they were read "<Moment at/>"." }.into_any(),
    );
    view! {
        <div class="problem wait" role="note">
            <div class="lines"><p class="happened">{from}</p><p>{todo}</p></div>
        </div>
    }
    .any()
}

fn table(path: &str, rows: Vec<(ObjectId, String, String)>, more: bool, query: &Query) -> AnyView {
    if rows.is_empty() {
        return view! { <Empty title="Nothing found" text="No mailbox matches."/> }.any();
    }
    let rows = rows
        .into_iter()
        .map(|(object, name, address)| {
            let href = query
                .clone()
                .with("mailbox", &object.to_string())
                .with("address", &address)
                .link(path);
            view! { <tr><td><a href=href>{name}</a></td><td class="mono">{address}</td></tr> }.any()
        })
        .collect();
    let foot = more
        .then(|| view! { <span>"There are more. Type more of the name or address."</span> }.any());
    view! { <TableCard label="Mailboxes" head=vec![th("Name"), th("Address")] rows foot/> }.any()
}

fn who(view: MailboxView, query: &Query) -> AnyView {
    let title = match (&view.name, query.get("address")) {
        (Some(name), _) => format!("Who reaches {name}"),
        (None, "") => format!("Who reaches {}", view.object),
        (None, address) => format!("Who reaches {address}"),
    };
    let Some(read) = view.read else {
        return view! { <Empty title="Nothing was read yet" text="Once this customer has been read, the applications that reach this mailbox stand here."/> }.any();
    };
    let customer = view.head.id;
    let doubts = doubts(&view);
    let acting = acting(
        customer,
        &view.acts_as,
        &view.acts_as_unseen,
        "These act as people, not by themselves: they reach this mailbox if its owner, or somebody to whom it is open, signed in to them.",
    );
    let list = if !view.rows.is_empty() {
        rows(customer, view.rows)
    } else if doubts.is_some() {
        view! { <Empty title="No application for certain" text="No application is known to reach this mailbox without a signed-in user. What stands above cannot be ruled out."/> }.any()
    } else {
        view! { <Empty title="No application without a signed-in user" text="As far as it was read, no application reaches this mailbox by permissions of its own."/> }.any()
    };
    view! {
        <section aria-labelledby="who">
            <div class="section-head"><h2 id="who">{title}</h2></div>
            <p class="hint">"As read "<Moment at=read/>"."</p>
            {doubts}
            {list}
        </section>
        {acting}
    }
    .any()
}

/// The reasons why the list may be incomplete.
fn doubts(view: &MailboxView) -> Option<AnyView> {
    let new = view.name.is_none().then(|| {
        view! { <p>"This mailbox was not among those that were read: it is newer, or there is none. Whether an application that is confined reaches it is not known. Read the customer again."</p> }.any()
    });
    let hidden = (!view.gaps.is_empty()).then(|| {
        let gaps = view
            .gaps
            .iter()
            .map(|gap| view! { <li>{gap.clone()}</li> }.any())
            .collect_view();
        view! { <p>"Applications that are not listed cannot be ruled out either, nor what goes around every confinement. What is not known:"</p><ul class="plain">{gaps}</ul> }.any()
    });
    (new.is_some() || hidden.is_some()).then(|| {
        view! {
            <div class="problem warn" role="note">
                <div class="lines"><p class="happened">"This list may not be all"</p>{new}{hidden}</div>
                {tag(Tone::Warn, Glyph::Question, "cannot be ruled out")}
            </div>
        }
        .any()
    })
}

fn rows(customer: CustomerId, rows: Vec<MailboxRow>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let chips = row
                .permissions
                .into_iter()
                .map(|one| view! { <li class="chip mono">{one}</li> }.any())
                .collect_view();
            let powers = powers(&row.powers);
            let state = if row.light {
                tag(Tone::Calm, Glyph::Dash, "reads no content")
            } else if row.certain && !row.powers.is_empty() {
                tag(Tone::Bad, Glyph::Warning, "goes around every confinement")
            } else if row.certain {
                tag(Tone::Bad, Glyph::Unlock, "reaches it")
            } else {
                tag(Tone::Warn, Glyph::Question, "cannot be ruled out")
            };
            view! {
                <tr>
                    <td><a class="strong" href=paths::application(customer, row.object)>{row.name}</a></td>
                    <td><ul class="chips">{powers}{chips}</ul></td>
                    <td>{state}</td>
                </tr>
            }
            .any()
        })
        .collect();
    let head = vec![th("Application"), th("Permissions"), th("Reach")];
    view! { <TableCard label="Applications that reach it" head rows/> }.any()
}
