//! Renders the page of an address.

use std::str::FromStr;

use domain::{Problem, connection::Health, id::CustomerId, person::Operator};
use engine::{Answer, Engine};
use leptos::prelude::*;

use super::{Drawn, exposure, mailboxes, reach, why};
use crate::{
    components::{ASK, Erase as _},
    paths,
    query::Query,
};

/// The parts of a rendered page.
pub(super) struct Page {
    pub title: String,
    /// The pages above this page: address and name.
    pub crumbs: Vec<(String, String)>,
    pub lead: AnyView,
    pub actions: AnyView,
    pub body: AnyView,
}

/// Renders the page of an address of this site.
pub async fn draw(engine: Engine, operator: Operator, address: String) -> Answer<Drawn> {
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let query = Query::parse(query);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let draw: Box<dyn FnOnce() -> Page + Send> = match parts.as_slice() {
        ["exposure"] => {
            let page = engine.exposure(&operator, &exposure::ask(&query)).await?;
            Box::new(move || exposure::page(page, &query, &operator))
        }
        ["customers", customer, "applications", object] => {
            let view = engine
                .application_reach(&operator, id(customer)?, id(object)?)
                .await?;
            Box::new(move || why::page(view, &operator))
        }
        ["customers", customer] => {
            let query = query.with(ASK, "");
            let asked = exposure::ask(&query);
            let view = engine
                .customer_reach(&operator, id(customer)?, &asked)
                .await?;
            // The rest of this page is not server-rendered. `works` tells it which connection state
            // this part assumes.
            let works = view.health == Health::Good;
            return Ok(Owner::new().with(|| Drawn {
                title: view.head.name.clone(),
                html: reach::section(view, &query, &operator).to_html(),
                works,
            }));
        }
        ["customers", customer, "mailboxes"] => {
            let customer = id(customer)?;
            let found = mailboxes::read(&engine, &operator, customer, &query).await?;
            Box::new(move || mailboxes::page(found, &query))
        }
        _ => return Err(Problem::not_found()),
    };
    // The owner disposes of the signals and contexts that the rendering creates.
    Ok(Owner::new().with(|| drawn(draw())))
}

fn drawn(page: Page) -> Drawn {
    let Page {
        title,
        crumbs,
        lead,
        actions,
        body,
    } = page;
    let document = std::iter::once(title.clone())
        .chain(crumbs.iter().rev().map(|(_, name)| name.clone()))
        .chain(std::iter::once("Postern".to_owned()))
        .collect::<Vec<_>>()
        .join(" · ");
    let trail = (!crumbs.is_empty()).then(|| {
        let above = crumbs
            .into_iter()
            .map(|(href, name)| view! { <li><a href=href>{name}</a></li> }.any())
            .collect_view();
        view! {
            <nav class="crumbs" aria-label="Breadcrumbs">
                <ol>{above}<li aria-current="page">{title.clone()}</li></ol>
            </nav>
        }
        .any()
    });
    let html = view! {
        {trail}
        <div class="head">
            <div><h1>{title}</h1><div class="lead">{lead}</div></div>
            <div class="actions">{actions}</div>
        </div>
        {body}
    }
    .any()
    .to_html();
    Drawn {
        title: document,
        html,
        works: true,
    }
}

/// Parses an id. A text that is no id gives "not found".
fn id<T: FromStr>(text: &str) -> Answer<T> {
    text.parse().map_err(|_| Problem::not_found())
}

/// The breadcrumbs of a customer's pages.
pub(super) fn below(customer: CustomerId, name: &str) -> Vec<(String, String)> {
    vec![
        (paths::CUSTOMERS.to_owned(), "Customers".to_owned()),
        (paths::customer(customer), name.to_owned()),
    ]
}
