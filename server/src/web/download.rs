//! Downloads: the exposure, a customer's history, and a setup as a script.

use std::{collections::HashMap, io};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use domain::{
    Problem,
    exposure::{By, ExposureQuery, ExposureRow, Standing},
    history::Event,
    id::{CustomerId, SetupId},
    person::Operator,
    view::HistoryQuery,
};
use engine::Portions;
use futures::{
    Stream, StreamExt as _,
    future::{self, Either},
    stream,
};
use serde::Serialize;
use tokio::sync::oneshot;
use tower_sessions::Session;

use super::{Web, csv, live::ended, refusal::Refusal, visitor::Visitor};

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

/// The fields of an address, as on the page that the download is of.
type Fields = HashMap<String, String>;

fn field<'f>(fields: &'f Fields) -> impl Fn(&str) -> &'f str {
    |name| fields.get(name).map_or("", String::as_str)
}

/// The filter of the history's page. Its place in the list does not count: all that match come.
fn history(fields: &Fields) -> HistoryQuery {
    HistoryQuery {
        before: None,
        ..HistoryQuery::of_fields(field(fields))
    }
}

/// The filter of the exposure's page, in the same way.
fn exposure(fields: &Fields) -> ExposureQuery {
    ExposureQuery {
        page: 1,
        ..ExposureQuery::of_fields(field(fields))
    }
}

async fn events(
    web: &Web,
    visitor: &Visitor,
    session: Session,
    customer: &str,
    fields: &Fields,
) -> Result<Portions<Event>, Refusal> {
    let operator = visitor.with_role()?;
    let customer = id(customer)?;
    let found = web
        .engine()
        .history_export(operator, customer, history(fields));
    Ok(while_allowed(web, operator, session, found.await?))
}

async fn own_events(
    web: &Web,
    visitor: &Visitor,
    session: Session,
    fields: &Fields,
) -> Result<Portions<Event>, Refusal> {
    let operator = visitor.with_role()?;
    let found = web.engine().own_history_export(operator, history(fields));
    Ok(while_allowed(web, operator, session, found.await?))
}

async fn history_csv(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Path(customer): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, Refusal> {
    let events = events(&web, &visitor, session, &customer, &fields).await?;
    events_csv(&format!("history-{customer}.csv"), events)
}

async fn history_json(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Path(customer): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, Refusal> {
    let events = events(&web, &visitor, session, &customer, &fields).await?;
    as_json(&format!("history-{customer}.json"), events)
}

/// The partner's own history. For owners.
async fn own_history_csv(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Query(fields): Query<Fields>,
) -> Result<Response, Refusal> {
    let events = own_events(&web, &visitor, session, &fields).await?;
    events_csv("history.csv", events)
}

async fn own_history_json(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Query(fields): Query<Fields>,
) -> Result<Response, Refusal> {
    let events = own_events(&web, &visitor, session, &fields).await?;
    as_json("history.json", events)
}

async fn exposure_csv(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Query(fields): Query<Fields>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let query = exposure(&fields);
    let found = web.engine().exposure_download(operator, &query).await?;
    let rows = while_allowed(&web, operator, session, found.rows);
    let mut names = vec![
        "name",
        match query.by {
            By::Application | By::Each => "publisher",
            By::Customer => "domain",
            By::Permission => "what it allows",
        },
        "application id",
        "customer",
        "permissions",
        "customers",
        "customers never read",
    ];
    names.extend(Standing::ALL.map(Standing::word));
    // Such details exist only where a row is one application at one customer.
    let by = query.by;
    if by == By::Each {
        names.extend([
            "powers",
            "acts as whoever signs in",
            "may still",
            "may still until",
        ]);
    } else if by == By::Application {
        names.push("acts only as whoever signs in");
    }
    let mut head = String::new();
    csv::push_row(&mut head, names);
    let file = format!("{}.csv", found.name);
    as_csv(&file, head, rows, move |out, row: &ExposureRow| {
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
        if by == By::Each {
            let may_still = row.may_still.as_ref();
            cells.extend([
                row.powers.join("; "),
                row.acts_as.join("; "),
                may_still.map(|one| one.what.clone()).unwrap_or_default(),
                may_still.map(|one| one.until.rfc3339()).unwrap_or_default(),
            ]);
        } else if by == By::Application {
            cells.push(row.acts_as.join("; "));
        }
        csv::push_row(out, cells.iter().map(String::as_str));
    })
}

async fn exposure_json(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Query(fields): Query<Fields>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let found = web
        .engine()
        .exposure_download(operator, &exposure(&fields))
        .await?;
    let rows = while_allowed(&web, operator, session, found.rows);
    as_json(&format!("{}.json", found.name), rows)
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

/// Parses an id. A text that is no id gives "not found".
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse()
        .map_err(|_| Refusal::of(Problem::not_found()).with_action("/customers", "All customers"))
}

fn attachment(file: &str, kind: &'static str, body: impl Into<Body>) -> Result<Response, Refusal> {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""))
        .map_err(|_| Refusal::of(Problem::not_found()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body.into()).into_response())
}

/// The portions of `rows`, until the reader may no longer read or the process stops.
fn while_allowed<T: Send + 'static>(
    web: &Web,
    operator: &Operator,
    session: Session,
    rows: Portions<T>,
) -> Portions<T> {
    let (mut tell, told) = oneshot::channel::<()>();
    let ended = ended(web.clone(), operator.clone(), session);
    // A separate task, because a slow reader seldom asks for the next portion.
    tokio::spawn(async move {
        tokio::select! {
            () = ended => drop(tell),
            () = tell.closed() => {}
        }
    });
    until(rows, told)
}

/// The portions of `rows`, until the sender of `ended` is dropped. The stream then ends with a
/// problem.
fn until<T: Send + 'static>(rows: Portions<T>, ended: oneshot::Receiver<()>) -> Portions<T> {
    let portions = stream::unfold(Some((rows, ended)), |state| async {
        let (mut rows, mut ended) = state?;
        // The end is polled first, because another portion may always be ready.
        match future::select(&mut ended, rows.next()).await {
            Either::Left(_) => Some((Err(Problem::signed_out()), None)),
            Either::Right((None, _)) => None,
            Either::Right((Some(portion), _)) => Some((portion, Some((rows, ended)))),
        }
    });
    portions.boxed()
}

/// A file that is streamed while it is read, so that it is never in memory as a whole.
fn as_csv<T: Send + 'static>(
    file: &str,
    head: String,
    rows: Portions<T>,
    push: impl Fn(&mut String, &T) + Send + 'static,
) -> Result<Response, Refusal> {
    let rows = rows.map(move |portion| {
        let mut text = String::new();
        for row in portion.map_err(cut_off)? {
            push(&mut text, &row);
        }
        Ok(text)
    });
    // The compression layer polls once more after the end.
    let text = once(head).chain(rows);
    attachment(
        file,
        "text/csv; charset=utf-8",
        Body::from_stream(text.fuse()),
    )
}

/// One JSON list, written in portions.
fn as_json<T: Serialize + Send + 'static>(
    file: &str,
    rows: Portions<T>,
) -> Result<Response, Refusal> {
    let mut first = true;
    let rows = rows.map(move |portion| {
        let mut text = String::new();
        for row in portion.map_err(cut_off)? {
            if !std::mem::take(&mut first) {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(&row)?);
        }
        Ok(text)
    });
    let text = once("[".to_owned()).chain(rows).chain(once("]".to_owned()));
    attachment(file, "application/json", Body::from_stream(text.fuse()))
}

fn once(text: String) -> impl Stream<Item = io::Result<String>> + Send + 'static {
    stream::once(future::ready(Ok(text)))
}

/// Breaks the connection, so that half a file does not pass for a whole file.
fn cut_off(problem: Problem) -> io::Error {
    tracing::warn!(key = problem.key, "a download was cut off");
    io::Error::other(problem.happened)
}

/// One row per event, oldest first. The hashes are included: anybody can recompute those without a
/// key, and holders of the key ring those with a key. Several people may have the same name, so the
/// account's name and its ids are included too.
fn events_csv(file: &str, events: Portions<Event>) -> Result<Response, Refusal> {
    let mut head = String::new();
    csv::push_row(
        &mut head,
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
    as_csv(file, head, events, push_event)
}

fn push_event(out: &mut String, event: &Event) {
    let json = |value: &Option<serde_json::Value>| {
        value.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    csv::push_row(
        out,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::to_bytes;

    use super::*;

    fn portions(of: &[&[&str]]) -> Portions<String> {
        let of: Vec<_> = of
            .iter()
            .map(|portion| Ok(portion.iter().map(|&text| text.to_owned()).collect()))
            .collect();
        stream::iter(of).boxed()
    }

    async fn body(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn security_f11_a_file_in_portions_is_the_file_at_once() {
        let cases: [&[&[&str]]; 5] = [
            &[],
            &[&[]],
            &[&["a"]],
            &[&["a", "b\"\n"], &["c"]],
            &[&[], &["a"], &[], &["b", "c"], &[]],
        ];
        for of in cases {
            let all: Vec<&str> = of.concat();
            let json = body(as_json("x.json", portions(of)).unwrap()).await;
            assert_eq!(json, serde_json::to_string(&all).unwrap());
            let push = |out: &mut String, row: &String| csv::push_row(out, [row.as_str()]);
            let csv = body(as_csv("x.csv", "head\r\n".into(), portions(of), push).unwrap()).await;
            let mut whole = "head\r\n".to_owned();
            for row in all {
                csv::push_row(&mut whole, [row]);
            }
            assert_eq!(csv, whole);
        }
    }

    /// The compression layer polls again after the end.
    #[tokio::test]
    async fn security_f11_a_file_that_has_ended_stays_so() {
        let (_tell, told) = oneshot::channel();
        let rows = until(portions(&[&["a"]]), told);
        let mut body = as_json("x.json", rows)
            .unwrap()
            .into_body()
            .into_data_stream();
        while body.next().await.is_some() {}
        assert!(body.next().await.is_none());
    }

    #[tokio::test]
    async fn security_f11_half_a_file_does_not_pass_for_a_whole_one() {
        let rows = vec![Ok(vec!["a".to_owned()]), Err(Problem::not_found())];
        let response = as_json("x.json", stream::iter(rows).boxed()).unwrap();
        assert!(to_bytes(response.into_body(), usize::MAX).await.is_err());
    }

    #[tokio::test]
    async fn security_f05_a_download_ends_with_the_readers_authority() {
        // Another portion is always ready.
        let rows = stream::repeat_with(|| Ok(vec!["a".to_owned()])).boxed();
        let (tell, told) = oneshot::channel();
        let mut rows = until(rows, told);
        assert!(matches!(rows.next().await, Some(Ok(_))));
        drop(tell);
        let end = [rows.next().await, rows.next().await];
        assert!(
            matches!(&end, [Some(Err(problem)), None] if problem.key == Problem::signed_out().key),
            "{end:?}"
        );
        let (_tell, told) = oneshot::channel();
        let whole = until(portions(&[&["a"], &["b"]]), told);
        assert_eq!(whole.collect::<Vec<_>>().await.len(), 2);
    }
}
