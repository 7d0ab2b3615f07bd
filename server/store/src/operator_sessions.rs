//! An operator's signed-in browsers: list them and end them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{OperatorId, PartnerId, SessionRef},
    view::SessionRow,
};
use secrecy::SecretString;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    KeyUse, Place, Result, Tx,
    clean::{self, moment},
    notices,
};

/// A use is recorded at most this often, so that page views seldom write. Milliseconds.
const NOTED_EVERY: i64 = 60_000;

/// What is needed to ask Entra again whether a signed-in person may still sign in.
#[derive(Debug)]
pub struct HomeToken {
    pub token: Option<HomeTokenRead>,
    /// When Entra was first asked without an answer since its last yes. Equals the current time
    /// when no earlier question is unanswered.
    pub unanswered: Timestamp,
}

/// The stored token of a session.
#[derive(Debug)]
pub enum HomeTokenRead {
    Token(SecretString),
    /// The token's key is not in the ring of this process.
    NoKey,
}

fn place(partner: PartnerId, session: &Uuid) -> Place<'_> {
    Place {
        key_use: KeyUse::Tokens,
        table: "operator_sessions",
        column: "home_token",
        partner: Some(partner),
        row: session.as_bytes(),
    }
}

#[derive(FromRow)]
struct OpenSession {
    id: Uuid,
    device: String,
    signed_in_at: DateTime<Utc>,
    last_use_at: DateTime<Utc>,
}

impl OpenSession {
    fn row(self, current: Option<SessionRef>) -> SessionRow {
        SessionRow {
            id: SessionRef(self.id),
            device: self.device,
            signed_in: self.signed_in_at.into(),
            last_use: self.last_use_at.into(),
            current: current == Some(SessionRef(self.id)),
        }
    }
}

#[derive(FromRow)]
struct SessionOfOperator {
    operator_id: Uuid,
    #[sqlx(flatten)]
    open: OpenSession,
}

impl Tx {
    /// Records a browser that just signed in. `session_hash` is the result of
    /// [`crate::session_hash`] for the cookie's session. `device` names browser and system in
    /// words.
    pub async fn session_opened(
        &mut self,
        operator: OperatorId,
        session_hash: &[u8],
        device: &str,
        home_token: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<SessionRef> {
        let partner = self.partner();
        let id = Uuid::new_v4();
        let sealed = home_token
            .map(|token| self.vault.seal(place(partner, &id), token))
            .transpose()?;
        sqlx::query(
            "insert into operator_sessions
                 (id, partner_id, operator_id, session_hash, device, signed_in_at, last_use_at,
                  home_token, asked_at)
             values ($1, $2, $3, $4, $5, $6, $6, $7, $6)",
        )
        .bind(id)
        .bind(partner.0)
        .bind(operator.0)
        .bind(session_hash)
        .bind(clean::text(device))
        .bind(moment(now))
        .bind(sealed)
        .execute(self.conn())
        .await?;
        Ok(SessionRef(id))
    }

    /// Whether a session still exists. If the request `counts` as a use of it, the use is recorded,
    /// at most once a minute.
    pub async fn session_used(
        &mut self,
        operator: OperatorId,
        session: SessionRef,
        counts: bool,
        now: Timestamp,
    ) -> Result<bool> {
        let partner = self.partner();
        let last: Option<DateTime<Utc>> = sqlx::query_scalar(
            "select last_use_at from operator_sessions
             where partner_id = $1 and operator_id = $2 and id = $3",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(session.0)
        .fetch_optional(self.conn())
        .await?;
        let Some(last) = last else {
            return Ok(false);
        };
        if counts && now.millis_since(last.into()) >= NOTED_EVERY {
            sqlx::query(
                "with used as (
                     update operator_sessions set last_use_at = $4
                     where partner_id = $1 and operator_id = $2 and id = $3)
                 update operators set last_seen_at = greatest(last_seen_at, $4)
                 where partner_id = $1 and id = $2",
            )
            .bind(partner.0)
            .bind(operator.0)
            .bind(session.0)
            .bind(moment(now))
            .execute(self.conn())
            .await?;
        }
        Ok(true)
    }

    /// Whether a session exists. An existing session is locked until this transaction ends. For
    /// None the result is always false.
    pub async fn session_stands(
        &mut self,
        operator: OperatorId,
        session: Option<SessionRef>,
    ) -> Result<bool> {
        let partner = self.partner();
        let there: Option<i32> = sqlx::query_scalar(
            "select 1 from operator_sessions
             where partner_id = $1 and operator_id = $2 and id = $3 for share",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(session.map(|session| session.0))
        .fetch_optional(self.conn())
        .await?;
        Ok(there.is_some())
    }

    /// The operator's signed-in browsers, the last used first. `current` is marked.
    pub async fn sessions_of(
        &mut self,
        operator: OperatorId,
        current: Option<SessionRef>,
    ) -> Result<Vec<SessionRow>> {
        let partner = self.partner();
        let rows: Vec<OpenSession> = sqlx::query_as(
            "select o.id, o.device, o.signed_in_at, o.last_use_at
             from operator_sessions o join sessions s on s.id_hash = o.session_hash
             where o.partner_id = $1 and o.operator_id = $2 and s.expires_at > now()
             order by o.last_use_at desc, o.id",
        )
        .bind(partner.0)
        .bind(operator.0)
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(|row| row.row(current)).collect())
    }

    /// The signed-in browsers of all operators of the partner, for owners.
    pub(crate) async fn sessions_of_everybody(&mut self) -> Result<HashMap<Uuid, Vec<SessionRow>>> {
        let partner = self.partner();
        let rows: Vec<SessionOfOperator> = sqlx::query_as(
            "select o.operator_id, o.id, o.device, o.signed_in_at, o.last_use_at
             from operator_sessions o join sessions s on s.id_hash = o.session_hash
             where o.partner_id = $1 and s.expires_at > now()
             order by o.last_use_at desc, o.id",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        let mut all: HashMap<Uuid, Vec<SessionRow>> = HashMap::new();
        for SessionOfOperator { operator_id, open } in rows {
            all.entry(operator_id).or_default().push(open.row(None));
        }
        Ok(all)
    }

    /// Claims the next check with Entra whether the person may still sign in. None when any process
    /// asked since `before`, or, if that question had no answer, since `soon`.
    pub async fn ask_home(
        &mut self,
        operator: OperatorId,
        session: SessionRef,
        [before, soon]: [Timestamp; 2],
        now: Timestamp,
    ) -> Result<Option<HomeToken>> {
        let partner = self.partner();
        let row: Option<(Option<Vec<u8>>, DateTime<Utc>)> = sqlx::query_as(
            "update operator_sessions
             set asked_at = $6, unanswered_at = coalesce(unanswered_at, $6)
             where partner_id = $1 and operator_id = $2 and id = $3
               and (asked_at <= $4 or (unanswered_at is not null and asked_at <= $5))
             returning home_token, unanswered_at",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(session.0)
        .bind(moment(before))
        .bind(moment(soon))
        .bind(moment(now))
        .fetch_optional(self.conn())
        .await?;
        let Some((sealed, unanswered)) = row else {
            return Ok(None);
        };
        let token = sealed.map(|sealed| {
            let opened = self.vault.open(place(partner, &session.0), &sealed);
            opened.map_or_else(
                |error| {
                    tracing::warn!(%session, %error, "the token of a session cannot be opened");
                    HomeTokenRead::NoKey
                },
                HomeTokenRead::Token,
            )
        });
        Ok(Some(HomeToken {
            token,
            unanswered: unanswered.into(),
        }))
    }

    /// Records that Entra said yes, with a new token if there is one.
    pub async fn home_confirmed(
        &mut self,
        operator: OperatorId,
        session: SessionRef,
        token: Option<&SecretString>,
    ) -> Result<()> {
        let partner = self.partner();
        let sealed = token
            .map(|token| self.vault.seal(place(partner, &session.0), token))
            .transpose()?;
        sqlx::query(
            "update operator_sessions
             set unanswered_at = null, home_token = coalesce($4, home_token)
             where partner_id = $1 and operator_id = $2 and id = $3",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(session.0)
        .bind(sealed)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Ends one of the operator's sessions: the cookie in that browser becomes invalid. Returns
    /// false when the session did not exist.
    pub async fn end_session(&mut self, operator: OperatorId, session: SessionRef) -> Result<bool> {
        let partner = self.partner();
        let ended: i64 = sqlx::query_scalar(
            "with ended as (
                 delete from operator_sessions
                 where partner_id = $1 and operator_id = $2 and id = $3
                 returning session_hash),
             gone as (delete from sessions where id_hash in (select session_hash from ended))
             select count(*) from ended",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(session.0)
        .fetch_one(self.conn())
        .await?;
        notices::authority_changed(self, operator).await?;
        Ok(ended > 0)
    }

    /// Ends all sessions of the operator and returns how many.
    pub async fn end_all_sessions(&mut self, operator: OperatorId) -> Result<i64> {
        let partner = self.partner();
        let ended = sqlx::query_scalar(
            "with ended as (
                 delete from operator_sessions where partner_id = $1 and operator_id = $2
                 returning session_hash),
             gone as (delete from sessions where id_hash in (select session_hash from ended))
             select count(*) from ended",
        )
        .bind(partner.0)
        .bind(operator.0)
        .fetch_one(self.conn())
        .await?;
        notices::authority_changed(self, operator).await?;
        Ok(ended)
    }
}

/// Encrypts again, with the newest key, the partner's home tokens that another key sealed. Returns
/// how many.
pub(crate) async fn reseal(tx: &mut Tx) -> Result<u64> {
    let partner = tx.partner();
    let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select id, home_token from operator_sessions
         where partner_id = $1 and home_token is not null order by id for update",
    )
    .bind(partner.0)
    .fetch_all(tx.conn())
    .await?;
    let mut done = 0;
    for (session, sealed) in rows {
        if tx.vault.is_newest(&sealed) {
            continue;
        }
        let token = match tx.vault.open(place(partner, &session), &sealed) {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(%session, %error, "the token of a session cannot be opened");
                continue;
            }
        };
        let anew = tx.vault.seal(place(partner, &session), &token)?;
        sqlx::query(
            "update operator_sessions set home_token = $3 where partner_id = $1 and id = $2",
        )
        .bind(partner.0)
        .bind(session)
        .bind(anew)
        .execute(tx.conn())
        .await?;
        done += 1;
    }
    Ok(done)
}

#[cfg(test)]
#[path = "operator_sessions_tests.rs"]
mod tests;
