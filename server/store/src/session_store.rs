//! The cookie's sessions in Postgres.
//!
//! The cookie holds a random id, the table holds its SHA-256: a person who reads the table cannot
//! sign in with it. The record is small JSON and holds no secret.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use time::OffsetDateTime;
use tower_sessions::{
    session::{Id, Record},
    session_store,
};

/// Stores sessions for `tower_sessions`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SessionStore {
    pool: PgPool,
}

/// The hash under which a session is stored.
pub fn session_hash(id: &Id) -> [u8; 32] {
    Sha256::digest(id.0.to_le_bytes()).into()
}

impl SessionStore {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

fn backend(error: sqlx::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

fn encode(record: &Record) -> session_store::Result<Vec<u8>> {
    serde_json::to_vec(&record.data)
        .map_err(|error| session_store::Error::Encode(error.to_string()))
}

#[async_trait]
impl session_store::SessionStore for SessionStore {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let data = encode(record)?;
        loop {
            let made = sqlx::query(
                "insert into sessions (id_hash, record, expires_at)
                 values ($1, $2, to_timestamp($3::float8))
                 on conflict (id_hash) do nothing",
            )
            .bind(session_hash(&record.id).as_slice())
            .bind(&data)
            .bind(record.expiry_date.unix_timestamp())
            .execute(&self.pool)
            .await
            .map_err(backend)?;
            if made.rows_affected() == 1 {
                return Ok(());
            }
            // The id is already taken. Never share it.
            record.id = Id::default();
        }
    }

    /// Updates only an existing session: a request that was running while its session was ended
    /// must not bring the session back.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        sqlx::query(
            "update sessions set record = $2, expires_at = to_timestamp($3::float8)
             where id_hash = $1",
        )
        .bind(session_hash(&record.id).as_slice())
        .bind(encode(record)?)
        .bind(record.expiry_date.unix_timestamp())
        .execute(&self.pool)
        .await
        .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let found: Option<(Vec<u8>, i64)> = sqlx::query_as(
            "select record, extract(epoch from expires_at)::bigint from sessions
             where id_hash = $1 and expires_at > now()",
        )
        .bind(session_hash(id).as_slice())
        .fetch_optional(&self.pool)
        .await
        .map_err(backend)?;
        let Some((record, expires)) = found else {
            return Ok(None);
        };
        let decode = |error: String| session_store::Error::Decode(error);
        let data: HashMap<String, Value> =
            serde_json::from_slice(&record).map_err(|error| decode(error.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires)
            .map_err(|error| decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        sqlx::query("delete from sessions where id_hash = $1")
            .bind(session_hash(id).as_slice())
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "session_store_tests.rs"]
mod tests;
