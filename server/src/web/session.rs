//! Sessions: a random id in the cookie, a tiny record in Postgres.

use domain::{
    Problem, Timestamp,
    id::{OperatorId, PartnerId, SessionRef},
    person::Operator,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{SessionStore, Store, session_hash};
use time::Duration;
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, cookie::SameSite, session::Error, session_store,
};
use uuid::Uuid;

use super::{Web, refusal::Refusal};
use crate::config::SessionLimits;

const COOKIE: &str = "__Host-postern";
/// Minimum interval between two extensions of a session by use. Milliseconds.
const PROLONGED_EVERY: i64 = 5 * 60_000;
const WHO: &str = "who";

/// The content of a session. The operator is loaded with every request, so that the loss of a role
/// takes effect at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Who {
    partner: PartnerId,
    operator: OperatorId,
    session: SessionRef,
    signed_in: Timestamp,
    prolonged: Timestamp,
}

impl Who {
    /// When the session ends without further use.
    fn ends(&self, limits: SessionLimits) -> Timestamp {
        let longest = self.signed_in.plus_millis(millis(limits.longest));
        let idle = self.prolonged.plus_millis(millis(limits.idle));
        longest.min(idle)
    }
}

/// The layer that reads and writes the cookie.
pub(super) fn layer(store: &Store, limits: SessionLimits) -> SessionManagerLayer<SessionStore> {
    let idle = Duration::try_from(limits.idle).unwrap_or(Duration::HOUR);
    SessionManagerLayer::new(store.sessions())
        .with_name(COOKIE)
        .with_path("/")
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(idle))
}

/// The operator behind a session. `counts`: this request counts as a use and extends the session.
pub(super) async fn signed_in(
    web: &Web,
    session: &Session,
    counts: bool,
) -> Result<Option<(Operator, SessionRef)>, Refusal> {
    let who = match session.get::<Who>(WHO).await {
        Ok(Some(who)) => who,
        Ok(None) => return Ok(None),
        // Another version wrote the session, so the person must sign in again.
        Err(Error::SerdeJson(_)) => {
            session.flush().await.map_err(failed)?;
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let found = web
        .engine()
        .operator_of_session(who.partner, who.operator, who.session, counts)
        .await?;
    let Some(operator) = found else {
        session.flush().await.map_err(failed)?;
        return Ok(None);
    };
    let now = web.inner.clock.now();
    // The current limits apply, whichever were in force when the session was written.
    if now.millis_since(who.ends(web.inner.limits)) >= 0 {
        web.engine().end_session(&operator, who.session).await?;
        session.flush().await.map_err(failed)?;
        return Ok(None);
    }
    let every = PROLONGED_EVERY.min(millis(web.inner.limits.idle) / 4);
    if counts && now.millis_since(who.prolonged) > every {
        let who = Who {
            prolonged: now,
            ..who
        };
        session.insert(WHO, who).await.map_err(failed)?;
    }
    Ok(Some((operator, who.session)))
}

/// How long the session lasts without use. None when it has ended, or when its operator has no
/// role. For streams, which outlive the request that checked the session.
pub(super) async fn still_valid(
    web: &Web,
    session: &Session,
) -> Result<Option<std::time::Duration>, Refusal> {
    session.load().await.map_err(failed)?;
    let signed_in = signed_in(web, session, false).await?;
    if signed_in.is_none_or(|(operator, _)| operator.role.is_none()) {
        return Ok(None);
    }
    let who: Option<Who> = session.get(WHO).await.map_err(failed)?;
    let left = who.map(|who| {
        who.ends(web.inner.limits)
            .millis_since(web.inner.clock.now())
            .max(1)
    });
    Ok(left.map(|left| std::time::Duration::from_millis(left.unsigned_abs())))
}

/// Makes this the session of an operator who just signed in. The session always gets a new id, and
/// a person who was signed in here before is signed out. After a failure nobody is signed in.
pub(super) async fn open(
    web: &Web,
    session: &Session,
    operator: &Operator,
    device: &str,
    home_token: Option<&SecretString>,
) -> Result<(), Refusal> {
    if let Some((before, reference)) = signed_in(web, session, false).await? {
        web.engine().end_session(&before, reference).await?;
    }
    session.clear().await;
    session.cycle_id().await.map_err(failed)?;
    let opened = fill(web, session, operator, device, home_token).await;
    if opened.is_err() {
        session.flush().await.map_err(failed)?;
    }
    opened
}

async fn fill(
    web: &Web,
    session: &Session,
    operator: &Operator,
    device: &str,
    home_token: Option<&SecretString>,
) -> Result<(), Refusal> {
    // Saved first, because the id is final only afterwards.
    session.save().await.map_err(failed)?;
    let id = session
        .id()
        .ok_or_else(|| internal("a saved session has no id"))?;
    let hash = session_hash(&id);
    let reference = web
        .engine()
        .open_session(operator, &hash, device, home_token)
        .await?;
    let now = web.inner.clock.now();
    let who = Who {
        partner: operator.partner,
        operator: operator.id,
        session: reference,
        signed_in: now,
        prolonged: now,
    };
    session.insert(WHO, who).await.map_err(failed)?;
    session.save().await.map_err(failed)?;
    web.inner.limits_of_strangers.opened(hash);
    Ok(())
}

/// Deletes the session, and with the response the cookie (`headers` completes the removal so that
/// browsers accept it).
pub(super) async fn close(session: &Session) -> Result<(), Refusal> {
    session.flush().await.map_err(failed)
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn failed(error: Error) -> Refusal {
    match error {
        Error::Store(session_store::Error::Backend(cause)) => {
            tracing::error!(cause, "the sessions cannot be read");
            Refusal::of(Problem::no_database())
        }
        error => internal(&error.to_string()),
    }
}

fn internal(cause: &str) -> Refusal {
    let reference = Uuid::new_v4();
    tracing::error!(%reference, cause, "a session failed");
    Refusal::of(Problem::internal(reference))
}
