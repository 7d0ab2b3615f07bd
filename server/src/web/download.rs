//! Downloads: the exposure, a customer's history, and a setup as a script.

use axum::{
    Extension, Router,
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use domain::{
    Problem,
    exposure::{By, ExposureQuery, ExposureSort, Standing},
    history::Event,
    id::{CustomerId, SetupId},
    view::HistoryQuery,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Web, csv, refusal::Refusal, visitor::Visitor};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/exposure.csv", get(exposure_csv))
        .route("/exposure.json", get(exposure_json))
        .route("/customers/{customer}/history.csv", get(history_csv))
        .route("/customers/{customer}/history.json", get(history_json))
        .route("/people/history.csv", get(own_history_csv))
        .route("/people/history.json", get(own_history_json))
        .route(
            "/customers/{customer}/setups/{setup}/script.ps1",
            get(script),
        )
}

/// The filter of the history's page. Its place in the list does not count: all that match come.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    kind: String,
    person: String,
    from: String,
    to: String,
}

impl From<Filter> for HistoryQuery {
    fn from(filter: Filter) -> Self {
        Self {
            kind: filter.kind,
            person: filter.person,
            from: filter.from,
            to: filter.to,
            before: None,
        }
    }
}

async fn events(
    web: &Web,
    visitor: &Visitor,
    customer: &str,
    filter: Filter,
) -> Result<Vec<Event>, Refusal> {
    let operator = visitor.with_role()?;
    let customer = id(customer)?;
    let found = web
        .engine()
        .history_export(operator, customer, filter.into());
    Ok(found.await?)
}

async fn history_csv(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Path(customer): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, Refusal> {
    let events = events(&web, &visitor, &customer, filter).await?;
    let file = format!("history-{customer}.csv");
    attachment(&file, "text/csv; charset=utf-8", as_csv(&events))
}

async fn history_json(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Path(customer): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, Refusal> {
    let events = events(&web, &visitor, &customer, filter).await?;
    as_json(&format!("history-{customer}.json"), &events)
}

/// The partner's own history. For owners.
async fn own_history_csv(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Query(filter): Query<Filter>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let found = web.engine().own_history_export(operator, filter.into());
    let events = found.await?;
    attachment("history.csv", "text/csv; charset=utf-8", as_csv(&events))
}

async fn own_history_json(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Query(filter): Query<Filter>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let found = web.engine().own_history_export(operator, filter.into());
    as_json("history.json", &found.await?)
}

fn as_json(file: &str, events: &[Event]) -> Result<Response, Refusal> {
    let text = serde_json::to_string(events).map_err(|error| {
        let reference = Uuid::new_v4();
        tracing::error!(%reference, %error, "a history could not be written as JSON");
        Refusal::of(Problem::internal(reference))
    })?;
    attachment(file, "application/json", text)
}

/// The filter of the exposure's page; what does not fit counts as on the page: as left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExposureFilter {
    by: String,
    search: String,
    standing: String,
    app: String,
    permission: String,
    can: String,
    sort: String,
}

impl From<ExposureFilter> for ExposureQuery {
    fn from(filter: ExposureFilter) -> Self {
        Self {
            by: By::parse(&filter.by),
            search: filter.search,
            standing: Standing::parse(&filter.standing),
            application: filter.app.parse().ok(),
            customer: None,
            permission: filter.permission,
            confinable: filter.can == "1",
            sort: ExposureSort::parse(&filter.sort),
            page: 1,
        }
    }
}

async fn exposure_csv(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Query(filter): Query<ExposureFilter>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let query: ExposureQuery = filter.into();
    let found = web.engine().exposure_download(operator, &query).await?;
    let mut out = String::new();
    let mut head = vec![
        "name",
        "beside",
        "application id",
        "customer",
        "permissions",
        "customers",
        "customers never read",
    ];
    head.extend(Standing::ALL.map(Standing::word));
    // Only where a row is one application at one customer is there one answer.
    let each = query.by == By::Each;
    if each {
        head.extend([
            "powers",
            "acts as whoever signs in",
            "may still",
            "may still until",
        ]);
    } else if query.by == By::Application {
        head.push("acts only as whoever signs in");
    }
    csv::push_row(&mut out, head);
    for row in &found.rows {
        let mut cells = vec![
            row.name.clone(),
            row.beside.clone(),
            row.application.map(|id| id.to_string()).unwrap_or_default(),
            row.customer_name.clone().unwrap_or_default(),
            row.permissions.join(" "),
            row.customers.to_string(),
            row.never_read.to_string(),
        ];
        cells.extend(Standing::ALL.map(|standing| row.tally.of(standing).to_string()));
        if each {
            let may_still = row.may_still.as_ref();
            cells.extend([
                row.powers.join("; "),
                row.acts_as.join("; "),
                may_still.map(|one| one.what.clone()).unwrap_or_default(),
                may_still.map(|one| one.until.rfc3339()).unwrap_or_default(),
            ]);
        } else if query.by == By::Application {
            cells.push(row.acts_as.join("; "));
        }
        csv::push_row(&mut out, cells.iter().map(String::as_str));
    }
    attachment(
        &format!("{}.csv", found.name),
        "text/csv; charset=utf-8",
        out,
    )
}

async fn exposure_json(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Query(filter): Query<ExposureFilter>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let found = web
        .engine()
        .exposure_download(operator, &filter.into())
        .await?;
    let text = serde_json::to_string(&found.rows).map_err(|error| {
        let reference = Uuid::new_v4();
        tracing::error!(%reference, %error, "the exposure could not be written as JSON");
        Refusal::of(Problem::internal(reference))
    })?;
    attachment(&format!("{}.json", found.name), "application/json", text)
}

async fn script(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    Path((customer, setup)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let (customer, setup): (CustomerId, SetupId) = (id(&customer)?, id(&setup)?);
    let script = web.engine().setup_script(operator, customer, setup).await?;
    attachment(
        &script.file_name,
        "text/plain; charset=us-ascii",
        script.text,
    )
}

/// What is no id names nothing.
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse()
        .map_err(|_| Refusal::of(Problem::not_found()).with_action("/customers", "All customers"))
}

fn attachment(file: &str, kind: &'static str, text: String) -> Result<Response, Refusal> {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""))
        .map_err(|_| Refusal::of(Problem::not_found()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, text).into_response())
}

/// One row per event, oldest first. The hashes come along: those without a key can be recomputed by
/// anybody, those with one by who has the key ring. Names may be those of several: the account's name
/// and its ids tell who it was.
fn as_csv(events: &[Event]) -> String {
    let mut out = String::new();
    csv::push_row(
        &mut out,
        [
            "number",
            "time",
            "who",
            "kind",
            "what",
            "setup",
            "before",
            "after",
            "request ids",
            "previous hash",
            "hash",
            "key",
            "who is",
            "upn",
            "object id",
            "who id",
        ],
    );
    for event in events {
        let json = |value: &Option<serde_json::Value>| {
            value.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        csv::push_row(
            &mut out,
            [
                event.seq.to_string().as_str(),
                &event.at.rfc3339(),
                event.actor.name(),
                event.kind.as_str(),
                &event.what,
                &event.setup.map(|id| id.to_string()).unwrap_or_default(),
                &json(&event.before),
                &json(&event.after),
                &event.requests.join(" "),
                &event.previous_hash,
                &event.hash,
                event.key.as_deref().unwrap_or_default(),
                event.actor.is(),
                event.actor.upn().unwrap_or_default(),
                &event
                    .actor
                    .object()
                    .map(|object| object.to_string())
                    .unwrap_or_default(),
                &event.actor.key(),
            ],
        );
    }
    out
}
