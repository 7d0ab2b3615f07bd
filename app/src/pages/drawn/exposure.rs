//! Which applications can reach which customers' mailboxes, over all customers.

use domain::{
    connection::Trouble,
    exposure::{By, ExposurePage, ExposureQuery, ExposureRow, Fleet, Standing, Tally},
    person::{Operator, Right},
    time::span,
};
use leptos::prelude::*;

use super::{
    draw::Page,
    parts::{counted, filters, may_still, numbers},
};
use crate::{
    api::forms,
    components::{
        Empty, Erase as _, Moment, Pages, TableCard, bar, chart, counted_of, counted_tag,
        reach_tag, standings, td_number, th, th_hidden, th_number, trouble_item,
    },
    paths,
    query::Query,
};

// Columns of numbers. Their names are used in the head and in each cell.
const APPLICATIONS: &str = "Applications";
const CUSTOMERS: &str = "Customers";

/// Parses the query of the address. Missing values have their defaults.
pub(super) fn ask(query: &Query) -> ExposureQuery {
    ExposureQuery::of_fields(|name| query.get(name))
}

pub(super) fn page(page: ExposurePage, query: &Query, operator: &Operator) -> Page {
    let may_change = operator.role.is_some_and(|role| role.may(Right::Change));
    let under_way = page
        .fleet
        .as_ref()
        .is_some_and(|fleet| fleet.ended.is_none());
    let download = |kind: &str| {
        let path = format!("{}.{kind}", paths::EXPOSURE);
        query.clone().with("page", "").link(&path)
    };
    let (csv, json) = (download("csv"), download("json"));
    let offer = (may_change && !under_way && page.customers > 0).then(|| {
        view! { <form method="post" action=forms::SCAN_ALL><button type="submit" class="btn primary">"Read all again"</button></form> }.any()
    });
    let actions = view! {
        <a class="btn" href=csv rel="external" download="">"CSV"</a>
        <a class="btn" href=json rel="external" download="">"JSON"</a>
        {offer}
    }
    .any();
    let days = (page.days.len() > 1).then(|| chart(&page.days));
    let progress = page.fleet.as_ref().map(|fleet| progress(fleet, may_change));
    let tiles = tiles(&page, query);
    let not_read = not_read(&page.not_read, page.not_read_count);
    let filter = filter(&page, query);
    let lead = lead(&page);
    let choice = choice(&page, query);
    let list = list(page, query, may_change);
    Page {
        title: "Exposure".to_owned(),
        crumbs: Vec::new(),
        lead,
        actions,
        body: view! {
            {progress}
            {tiles}
            {not_read}
            {filter}
            {choice}
            {list}
            {days}
        }
        .any(),
    }
}

/// The note above the list in which the operator chooses where to start a setup: a row of another
/// list stood for several applications.
fn choice(page: &ExposurePage, query: &Query) -> Option<AnyView> {
    let asked = ask(query);
    (asked.confinable && asked.by == By::Each).then(|| {
        let title = if asked.application.is_some() {
            "At which customer?"
        } else {
            "Which application, at which customer?"
        };
        let words = match page.matching {
            0 => "None of them can be confined by a setup: what they hold, no access policy governs.".to_owned(),
            some => format!("{some} can be confined by a setup. Those of which an access policy does not govern all that they hold are left out."),
        };
        let all = query.clone().with("can", "").with("page", "").link(paths::EXPOSURE);
        view! {
            <div class="problem wait" role="note">
                <div class="lines"><p class="happened">{title}</p><p>{words}</p></div>
                <a class="btn" href=all>"Show all of them"</a>
            </div>
        }
        .any()
    })
}

fn lead(page: &ExposurePage) -> AnyView {
    let over = format!(
        "Which applications can reach whose mailboxes, over {}. ",
        counted(page.customers, "customer")
    );
    let read = page.read_from.zip(page.read_to).map(|(from, to)| {
        if to.millis_since(from) < 60_000 {
            view! { "Read "<Moment at=to/>"." }.into_any()
        } else {
            view! { "Read between "<Moment at=from/>" and "<Moment at=to/>"." }.into_any()
        }
    });
    view! { <p>{over}{read}</p> }.any()
}

/// The progress of the scan of all customers, or how the last such scan ended.
fn progress(fleet: &Fleet, may_change: bool) -> AnyView {
    let who = fleet.started_by.clone();
    let failed = (fleet.failed > 0).then(|| format!(", {} could not be read", fleet.failed));
    if fleet.ended.is_some() {
        let how = if fleet.cancelled {
            "cancelled"
        } else {
            "finished"
        };
        return view! {
            <p class="hint">
                "The last reading of all customers, begun by "{who}" "<Moment at=fleet.started/>", "{how}": "
                {format!("{} of {} read", fleet.done, fleet.total)}{failed}"."
            </p>
        }
        .any();
    }
    let left = fleet
        .remaining_millis
        .map(|left| format!(", about {} left", span(left)));
    let offer = may_change.then(|| {
        view! { <form method="post" action=forms::CANCEL_SCAN_ALL><button type="submit" class="btn">"Cancel"</button></form> }.any()
    });
    view! {
        <div class="problem wait" role="status">
            <div class="lines">
                <p class="happened">{format!("Reading all customers: {} of {}", fleet.done, fleet.total)}</p>
                <p>{format!("{} at the moment", fleet.running)}{failed}{left}"; begun by "{who}"."</p>
                <progress max=fleet.total.max(1).to_string() value=fleet.done.to_string() aria-label="Customers read"></progress>
            </div>
            {offer}
        </div>
    }
    .any()
}

fn tiles(page: &ExposurePage, query: &Query) -> AnyView {
    let open = format!(
        "can act as anyone, at {}",
        counted(page.open_customers, "customer")
    );
    let unknown = match page.never_read {
        0 => "unknown".to_owned(),
        some => format!("unknown, and {} never read", counted(some, "customer")),
    };
    let query = query.clone().with("by", By::Each.as_str());
    numbers(&page.tally, open, unknown, &query, paths::EXPOSURE)
}

fn not_read(some: &[Trouble], count: i64) -> Option<AnyView> {
    (count > 0).then(|| {
        let lines = some.iter().map(trouble_item).collect_view();
        let told: i64 = some.iter().map(|trouble| trouble.count).sum();
        let more = (count > told).then(|| {
            view! { <li><a href=format!("{}?sort=health", paths::CUSTOMERS)>{format!("and {} more", count - told)}</a></li> }.any()
        });
        view! {
            <div class="partial" role="note">
                <p><b>{format!("{} could not be read, in full or at all.", counted(count, "customer"))}</b>" What is missing counts as unknown, never as safe."</p>
                <ul class="plain">{lines}{more}</ul>
            </div>
        }
        .any()
    })
}

fn filter(page: &ExposurePage, query: &Query) -> AnyView {
    let asked = ask(query);
    let by = |by: By, words: &'static str| {
        let href = query
            .clone()
            .with("by", by.as_str())
            .with("page", "")
            .link(paths::EXPOSURE);
        let current = (asked.by == by).then_some("true");
        view! { <a class="chip" href=href aria-current=current>{words}</a> }.any()
    };
    let form = filters(
        &asked,
        &page.permissions,
        paths::EXPOSURE,
        &[
            ("by", query.get("by")),
            ("app", query.get("app")),
            ("can", query.get("can")),
        ],
    );
    view! {
        <nav class="switcher" aria-label="What a row stands for">
            {by(By::Application, "By application")}
            {by(By::Customer, "By customer")}
            {by(By::Permission, "By permission")}
            {by(By::Each, "Each one")}
        </nav>
        {form}
    }
    .any()
}

fn list(page: ExposurePage, query: &Query, may_change: bool) -> AnyView {
    let asked = ask(query);
    if page.rows.is_empty() {
        return if page.tally.total() == 0 && page.customers == 0 {
            view! { <Empty title="Nothing was read yet" text="A customer is read as soon as it is connected, and every night. Then its applications stand here."/> }.any()
        } else {
            view! { <Empty title="Nothing found" text="No application fits the filter."><a class="btn" href=paths::EXPOSURE>"Show all"</a></Empty> }.any()
        };
    }
    let words = match asked.by {
        By::Application => counted(page.matching, "application"),
        By::Customer => counted(page.matching, "customer"),
        By::Permission => counted(page.matching, "permission"),
        By::Each => format!("{} at customers", counted(page.matching, "application")),
    };
    let foot = view! {
        <span>{words}</span>
        <Pages page=page.page pages=page.pages query=query.clone() path=paths::EXPOSURE/>
    }
    .any();
    let mut head = vec![th(match asked.by {
        By::Customer => "Customer",
        By::Permission => "Permission",
        By::Application | By::Each => "Application",
    })];
    match asked.by {
        By::Application => head.extend([th("Permissions"), th_number(CUSTOMERS), th("Reach")]),
        By::Customer => head.extend([th_number(APPLICATIONS), th("Reach")]),
        By::Permission => {
            head.extend([th_number(APPLICATIONS), th_number(CUSTOMERS), th("Reach")]);
        }
        By::Each => head.extend([th("Customer"), th("Permissions"), th("Reach")]),
    }
    head.push(th_hidden("Action"));
    let rows = page
        .rows
        .into_iter()
        .map(|row| line(row, &asked, query, may_change))
        .collect();
    view! { <TableCard label="Exposure" head rows foot=Some(foot.into_any())/> }.any()
}

fn line(row: ExposureRow, asked: &ExposureQuery, query: &Query, may_change: bool) -> AnyView {
    let narrowed = |name: &'static str, value: String, by: By| {
        query
            .clone()
            .with(name, &value)
            .with("by", by.as_str())
            .with("page", "")
            .link(paths::EXPOSURE)
    };
    let href = match (asked.by, row.customer.zip(row.object), row.application) {
        (By::Each, Some((customer, object)), _) => Some(paths::application(customer, object)),
        (By::Customer, ..) => row.customer.map(paths::customer),
        (By::Permission, ..) => Some(narrowed("permission", row.name.clone(), By::Application)),
        (By::Application, _, Some(app)) => Some(narrowed("app", app.to_string(), By::Each)),
        (By::Application, Some((customer, object)), None) => {
            Some(paths::application(customer, object))
        }
        _ => None,
    };
    let name = row.name.clone();
    let title = match href {
        Some(href) => view! { <a class="strong" href=href>{name}</a> }.any(),
        None => view! { <span class="strong">{name}</span> }.any(),
    };
    let first = view! { <td>{title}<span class="sub">{row.beside.clone()}</span></td> }.any();
    let permissions = || {
        let chips = row
            .permissions
            .iter()
            .map(|one| view! { <li class="chip mono">{one.clone()}</li> }.any())
            .collect_view();
        view! { <td><ul class="chips">{chips}</ul></td> }.any()
    };
    let cells: Vec<AnyView> = match asked.by {
        By::Application => vec![
            permissions(),
            td_number(CUSTOMERS, row.customers),
            reach(&row.tally),
        ],
        By::Customer if row.never_read > 0 => vec![
            td_number(APPLICATIONS, "unknown"),
            view! { <td>{counted_tag(Standing::Unknown, "never read".to_owned())}</td> }.any(),
        ],
        By::Customer if row.tally.total() == 0 => vec![
            td_number(APPLICATIONS, 0),
            view! { <td class="faint">"none is known to reach mailboxes without a signed-in user"</td> }.any(),
        ],
        By::Customer => vec![
            td_number(APPLICATIONS, row.tally.total()),
            reach(&row.tally),
        ],
        By::Permission => vec![
            td_number(APPLICATIONS, row.tally.total()),
            td_number(CUSTOMERS, row.customers),
            reach(&row.tally),
        ],
        By::Each => {
            let customer = row.customer.map(paths::customer).unwrap_or_default();
            let name = row.customer_name.clone().unwrap_or_default();
            vec![
                view! { <td><a href=customer>{name}</a></td> }.any(),
                permissions(),
                view! { <td>{standings(&row.tally).next().map(reach_tag)}{may_still(row.may_still.as_ref())}</td> }.any(),
            ]
        }
    };
    let confine = (may_change && row.confinable > 0).then(|| confine(&row, asked.by, &narrowed));
    view! { <tr>{first}{cells}<td class="act">{confine}</td></tr> }.any()
}

/// The link to a setup: for the only application of the row, or to a list from which to choose one.
fn confine(
    row: &ExposureRow,
    by: By,
    narrowed: &impl Fn(&'static str, String, By) -> String,
) -> AnyView {
    let choose = |href: String| Query::parse(href.split_once('?').map_or("", |(_, query)| query));
    let (href, label) = match (row.customer.zip(row.object), row.customer) {
        (Some((customer, object)), _) => (
            paths::confine(customer, &object.to_string()),
            format!(
                "Confine {} at {}",
                row.name,
                row.customer_name.clone().unwrap_or_default()
            ),
        ),
        (None, Some(customer)) => (
            paths::new_setup(customer),
            format!("Confine an application of {}", row.name),
        ),
        (None, None) => {
            let (name, value) = match (by, row.application) {
                (By::Permission, _) => ("permission", row.name.clone()),
                (_, Some(app)) => ("app", app.to_string()),
                (_, None) => ("search", row.name.clone()),
            };
            let href = narrowed(name, value, By::Each);
            (
                choose(href).with("can", "1").link(paths::EXPOSURE),
                format!("Confine {}: choose where", row.name),
            )
        }
    };
    view! { <a class="btn" href=href aria-label=label>"Confine…"</a> }.any()
}

/// The shares as a bar. The worst standing gets a tag, the others are listed next to it.
fn reach(tally: &Tally) -> AnyView {
    let mut there = standings(tally);
    let worst = there
        .next()
        .map(|standing| counted_tag(standing, counted_of(tally, standing)));
    let others: Vec<String> = there.map(|standing| counted_of(tally, standing)).collect();
    let others = (!others.is_empty())
        .then(|| view! { <span class="others">{others.join(", ")}</span> }.any());
    view! { <td class="reach">{bar(tally)}{worst}{others}</td> }.any()
}
