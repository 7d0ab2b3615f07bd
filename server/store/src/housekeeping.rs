//! What the regular purge needs, over all partners.
//!
//! Row-level security holds here too: the purge goes through the partners one by one. A setting
//! of its own shows it their ids, and sign-ins that nobody came back for; nothing else.

use domain::{
    Timestamp,
    id::{CustomerId, PartnerId, SetupId, TenantId},
};
use uuid::Uuid;

use crate::{Result, Store, clean::moment, connections, tx::set};

/// An entry of the session list whose session is not there is kept this long: the entry is
/// written before the session. Milliseconds.
const ORPHANS_LIVE: i64 = 24 * 3_600_000;

/// Whoever comes back late is told so for this long, instead of that nothing is known of it.
const LATECOMERS: i64 = 24 * 3_600_000;

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

    /// The partner whose people are of this tenant; none before its first person signs in.
    pub async fn partner_of_home(&self, home: TenantId) -> Result<Option<PartnerId>> {
        let mut tx = self.begin_with_key("home_tid", &home.to_string()).await?;
        let id: Option<Uuid> = sqlx::query_scalar("select id from partners where home_tid = $1")
            .bind(home.0)
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(id.map(PartnerId))
    }

    /// Those whose home tenant is among `homes`.
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

    /// Removes sign-ins whose time was over a day ago and says how many.
    pub async fn purge_sign_ins(&self, now: Timestamp) -> Result<u64> {
        let mut tx = self.begin_with_key("housekeeping", "on").await?;
        let gone = sqlx::query("delete from sign_ins where expires_at <= $1")
            .bind(moment(now.plus_millis(-LATECOMERS)))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(gone)
    }

    /// Removes sessions that are over their time, and their entries in the operators' lists.
    /// Says how many sessions.
    pub async fn purge_sessions(&self, now: Timestamp) -> Result<u64> {
        let gone = sqlx::query("delete from sessions where expires_at <= $1")
            .bind(moment(now))
            .execute(&self.pool)
            .await?
            .rows_affected();
        for partner in self.partners().await? {
            let mut tx = self.begin(partner).await?;
            sqlx::query(
                "delete from operator_sessions o
                 where o.partner_id = $1 and o.last_use_at <= $2
                   and not exists (select from sessions s where s.id_hash = o.session_hash)",
            )
            .bind(partner.0)
            .bind(moment(now.plus_millis(-ORPHANS_LIVE)))
            .execute(tx.conn())
            .await?;
            tx.commit().await?;
        }
        Ok(gone)
    }

    /// Client secrets that are over their time, over all partners. Whoever asks forgets each
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

    /// Removes jobs that another one replaced while they ran, and whose worker died under them:
    /// the queue has taken their key and never runs them again. Says how many.
    pub async fn purge_replaced_jobs(&self) -> Result<u64> {
        let gone = sqlx::query(
            "delete from graphile_worker._private_jobs
             where key is null and attempts >= max_attempts and locked_at is null
               and payload ->> 'setup' is not null",
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(gone)
    }

    /// Encrypts refresh tokens anew that an older key of the ring sealed, and says how many.
    /// Afterwards that key can leave the ring: client secrets and sign-ins live for hours only.
    pub async fn reseal_tokens(&self) -> Result<u64> {
        let mut done = 0;
        for partner in self.partners().await? {
            let mut tx = self.begin(partner).await?;
            done += connections::reseal(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(done)
    }
}
