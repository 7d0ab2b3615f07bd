//! An operator's signed-in browsers: to see, and to end.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{OperatorId, SessionRef},
    view::SessionRow,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Result, Tx,
    clean::{self, moment},
};

/// A use is noted at most this often, so that reading a page seldom writes. Milliseconds.
const NOTED_EVERY: i64 = 60_000;

#[derive(FromRow)]
struct OpenSession {
    id: Uuid,
    device: String,
    signed_in_at: DateTime<Utc>,
    last_use_at: DateTime<Utc>,
}

impl Tx {
    /// Records a browser that just signed in. `session_hash` is what [`crate::session_hash`] says
    /// of the cookie's session; `device` names browser and system in words.
    pub async fn session_opened(
        &mut self,
        operator: OperatorId,
        session_hash: &[u8],
        device: &str,
        now: Timestamp,
    ) -> Result<SessionRef> {
        let partner = self.partner();
        let id = Uuid::new_v4();
        sqlx::query(
            "insert into operator_sessions
                 (id, partner_id, operator_id, session_hash, device, signed_in_at, last_use_at)
             values ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(id)
        .bind(partner.0)
        .bind(operator.0)
        .bind(session_hash)
        .bind(clean::text(device))
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(SessionRef(id))
    }

    /// Notes that a session was used, at most once a minute. False: it was ended.
    pub async fn session_used(
        &mut self,
        operator: OperatorId,
        session: SessionRef,
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
        if now.millis_since(last.into()) >= NOTED_EVERY {
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

    /// The operator's signed-in browsers, the last used first; `current` is marked.
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
        Ok(rows
            .into_iter()
            .map(|row| SessionRow {
                id: SessionRef(row.id),
                device: row.device,
                signed_in: row.signed_in_at.into(),
                last_use: row.last_use_at.into(),
                current: current == Some(SessionRef(row.id)),
            })
            .collect())
    }

    /// Ends one of the operator's sessions: the cookie in that browser is worth nothing from now
    /// on. False: there was none.
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
        Ok(ended > 0)
    }

    /// Ends all sessions of the operator and says how many.
    pub async fn end_all_sessions(&mut self, operator: OperatorId) -> Result<i64> {
        let partner = self.partner();
        Ok(sqlx::query_scalar(
            "with ended as (
                 delete from operator_sessions where partner_id = $1 and operator_id = $2
                 returning session_hash),
             gone as (delete from sessions where id_hash in (select session_hash from ended))
             select count(*) from ended",
        )
        .bind(partner.0)
        .bind(operator.0)
        .fetch_one(self.conn())
        .await?)
    }
}

#[cfg(test)]
#[path = "operator_sessions_tests.rs"]
mod tests;
