//! Streams changes as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use domain::{person::Operator, view::SetupView};
use futures::{Stream, StreamExt as _, future};
use tower_sessions::Session;

use super::{Web, download::id, refusal::Refusal, session, streams::OpenStream, visitor::Visitor};
use crate::shutdown::stopped;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often a stream checks whether its reader may still read. It also checks each time a session
/// or a role of the reader ends.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// The reconnection delay of the browser after a stream has ended.
const COME_BACK: Duration = Duration::from_secs(1);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/live/setups", get(setups))
        .route("/live/setups/{customer}/{setup}", get(setup))
}

/// The stream of one setup: its current state, unless the browser has it already, and each change.
async fn setup(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    headers: HeaderMap,
    Path((customer, setup)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let (customer, setup) = (id(&customer)?, id(&setup)?);
    let seen = last_seen(&headers);
    let place = place(&web, &visitor)?;
    let views = web.engine().watch_setup(operator, customer, setup).await?;
    let events = views
        .filter(move |view| future::ready(seen.is_none_or(|seen| view.version > seen)))
        .filter_map(|view| future::ready(event_of(&view)));
    Ok(stream(&web, operator, session, place, events))
}

/// The stream of all the partner's setups and scans. Its events say only that something changed.
async fn setups(
    State(web): State<Web>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
) -> Result<Response, Refusal> {
    let operator = visitor.with_role()?;
    let place = place(&web, &visitor)?;
    let setups = web
        .engine()
        .watch_partner(operator)
        .map(|()| Event::default().event("changed").data("1"));
    let scans = web
        .engine()
        .watch_scans(operator)
        .map(|()| Event::default().event("scanned").data("1"));
    Ok(stream(
        &web,
        operator,
        session,
        place,
        futures::stream::select(setups, scans),
    ))
}

/// Takes one of the stream slots of a session.
fn place(web: &Web, visitor: &Visitor) -> Result<OpenStream, Refusal> {
    let session = visitor.session.ok_or_else(Refusal::signed_out)?;
    web.inner.streams.open(session)
}

fn last_seen(headers: &HeaderMap) -> Option<i64> {
    headers.get(LAST_EVENT_ID)?.to_str().ok()?.parse().ok()
}

fn event_of(view: &SetupView) -> Option<Event> {
    let event = Event::default()
        .event("setup")
        .id(view.version.to_string())
        .json_data(view);
    event
        .inspect_err(|error| tracing::error!(%error, "a setup could not be written as JSON"))
        .ok()
}

/// Sends `events` until the process stops or the reader may no longer read.
fn stream(
    web: &Web,
    operator: &Operator,
    session: Session,
    place: OpenStream,
    events: impl Stream<Item = Event> + Send + 'static,
) -> Response {
    let hello = futures::stream::once(future::ready(Event::default().retry(COME_BACK)));
    let events = hello
        .chain(events)
        .take_until(ended(web.clone(), operator.clone(), session))
        .map(move |event| {
            // The slot is held as long as the stream exists.
            let _place = &place;
            Ok::<_, Infallible>(event)
        });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = sse.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that buffer responses would delay the events.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// Resolves when a stream or a download must end: the process stops, or the reader may no longer
/// read.
pub(super) async fn ended(web: Web, operator: Operator, session: Session) {
    let mut stop = std::pin::pin!(stopped(web.inner.stop.clone()));
    // Subscribed before the first check, so that a change in between is not missed.
    let mut changes = std::pin::pin!(web.engine().watch_authority(&operator));
    loop {
        let ask_again = match session::still_valid(&web, &session).await {
            Ok(None) => return,
            Ok(Some(lasts)) => lasts.min(ASK_AGAIN),
            // A database that is away for a moment does not end a stream.
            Err(_) => COME_BACK,
        };
        tokio::select! {
            () = &mut stop => return,
            _ = changes.next() => {}
            () = tokio::time::sleep(ask_again) => {}
        }
    }
}
