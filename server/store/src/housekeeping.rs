//! Queries for the cleanup jobs, over all partners.
//!
//! Row-level security holds here too: the purge visits the partners one by one. A database setting
//! of its own lets it see their ids and abandoned sign-ins, and nothing else.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{CustomerId, PartnerId, SetupId, TenantId},
};
use uuid::Uuid;

use crate::{Error, Result, Store, clean::moment, connections, operator_sessions, tx::set};

/// How long an entry of the session list is kept when its session does not exist. The entry is
/// written before the session. Milliseconds.
const ORPHANS_LIVE: i64 = 24 * 3_600_000;

/// How long an expired consent attempt is kept. A person who returns late from Entra then learns
/// that the attempt expired, instead of that it is unknown. Sign-in attempts, which anybody may
/// begin, are removed as soon as they expire. Milliseconds.
const LATECOMERS: i64 = 24 * 3_600_000;

/// Rows that one statement deletes. Each statement then stays far below the statement timeout,
/// however many rows there are, and what it deleted stays deleted.
const PORTION: i64 = 5_000;

/// The result of a purge in portions. A failed portion does not stop the others.
#[derive(Default)]
struct Purge {
    gone: u64,
    failed: Option<Error>,
}

impl Purge {
    fn note(&mut self, portion: Result<u64>) {
        match portion {
            Ok(gone) => self.gone += gone,
            Err(error) => self.failed = Some(error),
        }
    }

    fn ended(self) -> Result<u64> {
        self.failed.map_or(Ok(self.gone), Err)
    }
}

impl Store {
    pub(crate) async fn partners(&self) -> Result<Vec<PartnerId>> {
        let mut tx = self.begin_with_key("housekeeping", "on").await?;
        let ids: Vec<Uuid> = sqlx::query_scalar("select id from partners order by id")
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(ids.into_iter().map(PartnerId).collect())
    }

    /// Every partner with its home tenant and its name.
    pub async fn partners_with_homes(&self) -> Result<Vec<(PartnerId, TenantId, String)>> {
        let mut tx = self.begin_with_key("housekeeping", "on").await?;
        let rows: Vec<(Uuid, Uuid, String)> =
            sqlx::query_as("select id, home_tid, name from partners order by id")
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|(id, home, name)| (PartnerId(id), TenantId(home), name))
            .collect())
    }

    /// The partner with this home tenant. None before its first person signs in.
    pub async fn partner_of_home(&self, home: TenantId) -> Result<Option<PartnerId>> {
        let mut tx = self.begin_with_key("home_tid", &home.to_string()).await?;
        let id: Option<Uuid> = sqlx::query_scalar("select id from partners where home_tid = $1")
            .bind(home.0)
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(id.map(PartnerId))
    }

    /// The partners whose home tenant is among `homes`.
    pub(crate) async fn partners_at(&self, homes: &[TenantId]) -> Result<Vec<PartnerId>> {
        let homes: Vec<Uuid> = homes.iter().map(|home| home.0).collect();
        let mut tx = self.begin_with_key("housekeeping", "on").await?;
        let ids: Vec<Uuid> =
            sqlx::query_scalar("select id from partners where home_tid = any($1) order by id")
                .bind(homes)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(ids.into_iter().map(PartnerId).collect())
    }

    /// Removes abandoned round trips to Entra and returns how many: sign-ins when they expire,
    /// consents a day later.
    pub async fn purge_sign_ins(&self, now: Timestamp) -> Result<u64> {
        self.purge_sign_ins_by(PORTION, now).await
    }

    pub(crate) async fn purge_sign_ins_by(&self, portion: i64, now: Timestamp) -> Result<u64> {
        let mut purge = Purge::default();
        let mut after = (moment(Timestamp(0)), Vec::new());
        loop {
            let mut tx = self.begin_with_key("housekeeping", "on").await?;
            let found: Vec<(DateTime<Utc>, Vec<u8>)> = sqlx::query_as(
                "select expires_at, state_hash from sign_ins
                 where expires_at <= $1 and (partner_id is null or expires_at <= $2)
                   and (expires_at, state_hash) > ($3, $4)
                 order by expires_at, state_hash limit $5",
            )
            .bind(moment(now))
            .bind(moment(now.plus_millis(-LATECOMERS)))
            .bind(after.0)
            .bind(after.1)
            .bind(portion)
            .fetch_all(&mut *tx)
            .await?;
            let Some(last) = found.last().cloned() else {
                return purge.ended();
            };
            let hashes: Vec<Vec<u8>> = found.into_iter().map(|(_, hash)| hash).collect();
            let delete = async {
                let gone = sqlx::query("delete from sign_ins where state_hash = any($1)")
                    .bind(hashes)
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                Ok(gone.rows_affected())
            };
            purge.note(delete.await);
            after = last;
        }
    }

    /// Removes expired sessions and their entries in the operators' lists. Returns the number of
    /// sessions.
    pub async fn purge_sessions(&self, now: Timestamp) -> Result<u64> {
        self.purge_sessions_by(PORTION, now).await
    }

    pub(crate) async fn purge_sessions_by(&self, portion: i64, now: Timestamp) -> Result<u64> {
        let mut purge = Purge::default();
        let mut after = (moment(Timestamp(0)), Vec::new());
        loop {
            let found: Vec<(DateTime<Utc>, Vec<u8>)> = sqlx::query_as(
                "select expires_at, id_hash from sessions
                 where expires_at <= $1 and (expires_at, id_hash) > ($2, $3)
                 order by expires_at, id_hash limit $4",
            )
            .bind(moment(now))
            .bind(after.0)
            .bind(after.1)
            .bind(portion)
            .fetch_all(&self.pool)
            .await?;
            let Some(last) = found.last().cloned() else {
                break;
            };
            let hashes: Vec<Vec<u8>> = found.into_iter().map(|(_, hash)| hash).collect();
            // A session that was used at this moment stays.
            let deleted =
                sqlx::query("delete from sessions where id_hash = any($1) and expires_at <= $2")
                    .bind(hashes)
                    .bind(moment(now))
                    .execute(&self.pool)
                    .await;
            purge.note(
                deleted
                    .map(|gone| gone.rows_affected())
                    .map_err(Error::from),
            );
            after = last;
        }
        for partner in self.partners().await? {
            let orphans = self.purge_orphans(partner, portion, now).await;
            purge.note(orphans.map(|()| 0));
        }
        purge.ended()
    }

    /// Removes entries of one partner's session lists whose sessions no longer exist.
    async fn purge_orphans(&self, partner: PartnerId, portion: i64, now: Timestamp) -> Result<()> {
        let mut purge = Purge::default();
        let mut after = Uuid::nil();
        loop {
            let mut tx = self.begin(partner).await?;
            let found: Vec<Uuid> = sqlx::query_scalar(
                "select o.id from operator_sessions o
                 where o.partner_id = $1 and o.last_use_at <= $2 and o.id > $3
                   and not exists (select from sessions s where s.id_hash = o.session_hash)
                 order by o.id limit $4",
            )
            .bind(partner.0)
            .bind(moment(now.plus_millis(-ORPHANS_LIVE)))
            .bind(after)
            .bind(portion)
            .fetch_all(tx.conn())
            .await?;
            let Some(last) = found.last().copied() else {
                return purge.ended().map(|_| ());
            };
            let delete = async {
                let gone = sqlx::query(
                    "delete from operator_sessions where partner_id = $1 and id = any($2)",
                )
                .bind(partner.0)
                .bind(found)
                .execute(tx.conn())
                .await?;
                tx.commit().await?;
                Ok(gone.rows_affected())
            };
            purge.note(delete.await);
            after = last;
        }
    }

    /// Expired client secrets, over all partners. The caller deletes each
    /// ([`crate::Tx::forget_secret`]) together with its event.
    pub async fn expired_secrets(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(PartnerId, CustomerId, SetupId)>> {
        let partners = self.partners().await?;
        let mut all = Vec::new();
        let mut tx = self.pool.begin().await?;
        for partner in partners {
            set(&mut tx, "partner", &partner.to_string()).await?;
            let found: Vec<(Uuid, Uuid)> = sqlx::query_as(
                "select s.customer_id, s.id
                 from secrets c join setups s on s.partner_id = c.partner_id and s.id = c.setup_id
                 where c.partner_id = $1 and c.expires_at <= $2 order by s.id",
            )
            .bind(partner.0)
            .bind(moment(now))
            .fetch_all(&mut *tx)
            .await?;
            all.extend(
                found
                    .into_iter()
                    .map(|(customer, setup)| (partner, CustomerId(customer), SetupId(setup))),
            );
        }
        tx.commit().await?;
        Ok(all)
    }

    /// Removes jobs that another job replaced while they ran, and whose worker died: the queue has
    /// taken their key and never runs them again. Returns how many.
    pub async fn purge_replaced_jobs(&self) -> Result<u64> {
        let mut purge = Purge::default();
        let mut after = 0_i64;
        loop {
            let found: Vec<i64> = sqlx::query_scalar(
                "select id from graphile_worker._private_jobs
                 where key is null and attempts >= max_attempts and locked_at is null
                   and payload ->> 'setup' is not null and id > $1
                 order by id limit $2",
            )
            .bind(after)
            .bind(PORTION)
            .fetch_all(&self.pool)
            .await?;
            let Some(last) = found.last().copied() else {
                return purge.ended();
            };
            let deleted = sqlx::query(
                "delete from graphile_worker._private_jobs
                 where id = any($1) and key is null and attempts >= max_attempts
                   and locked_at is null",
            )
            .bind(found)
            .execute(&self.pool)
            .await;
            purge.note(
                deleted
                    .map(|gone| gone.rows_affected())
                    .map_err(Error::from),
            );
            after = last;
        }
    }

    /// Encrypts again the refresh tokens that an older key of the ring sealed, including those of
    /// signed-in people, and returns how many. Afterwards that key can leave the ring: client
    /// secrets and sign-ins live for hours only.
    pub async fn reseal_tokens(&self) -> Result<u64> {
        let mut done = 0;
        for partner in self.partners().await? {
            let mut tx = self.begin(partner).await?;
            done += connections::reseal(&mut tx).await?;
            done += operator_sessions::reseal(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(done)
    }
}

#[cfg(test)]
#[path = "housekeeping_tests.rs"]
mod tests;
