//! Scans of all customers: start, progress, end, cancel.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    exposure::Fleet,
    id::{CustomerId, FleetId, PartnerId},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Error, Result, Tx,
    clean::{self, moment},
    notices,
};

#[derive(FromRow)]
struct FleetRow {
    id: Uuid,
    started_by_name: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    cancelled: bool,
    total: i32,
    done: i64,
    running: i64,
    failed: i64,
}

impl Tx {
    /// The newest scan of all customers and its progress. For a scan that has ended: its final
    /// progress.
    pub async fn fleet(&mut self, now: Timestamp) -> Result<Option<Fleet>> {
        let partner = self.partner();
        let row: Option<FleetRow> = sqlx::query_as(
            "select f.id, f.started_by_name, f.started_at, f.ended_at, f.cancelled, f.total,
                    s.done, s.running, s.failed
             from (select * from fleet_scans where partner_id = $1
                   order by started_at desc limit 1) f,
             lateral (
                 select count(*) filter (where of_it) as done,
                        count(*) filter (where lease_until > $2) as running,
                        count(*) filter (where of_it and outcome = 'failed') as failed
                 from (select s.*, s.ended_at >= f.started_at
                              and s.ended_at <= coalesce(f.ended_at, s.ended_at)
                              and (f.ended_at is not null or not s.asked) as of_it
                       from scans s where s.partner_id = $1 and s.fleet_id = f.id) s) s",
        )
        .bind(partner.0)
        .bind(moment(now))
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(|row| row.fleet(now)))
    }

    /// Call this after the transaction with a customer's own result was committed: two customers
    /// that end at the same time do not see each other before. Ends the scan of all customers when
    /// no customer still waits for it. The last customer to finish counts the day.
    pub async fn after_scan(&mut self, now: Timestamp) -> Result<()> {
        let partner = self.partner();
        if self.end_fleet(now).await? {
            return Ok(());
        }
        let more: bool = sqlx::query_scalar(
            "select exists (select from scans where partner_id = $1 and lease_until > $2)",
        )
        .bind(partner.0)
        .bind(moment(now))
        .fetch_one(self.conn())
        .await?;
        if more {
            return Ok(());
        }
        self.count_all(now).await
    }

    /// Ends the scan of all customers if no customer still waits for it. Returns whether it did.
    pub async fn end_fleet(&mut self, now: Timestamp) -> Result<bool> {
        let partner = self.partner();
        let ended = sqlx::query(
            "update fleet_scans f set ended_at = $2
             where f.partner_id = $1 and f.ended_at is null and not exists (
                 select from scans s
                 join connections n on n.partner_id = s.partner_id
                     and n.customer_id = s.customer_id
                 where s.partner_id = $1 and s.fleet_id = f.id and n.refresh_token is not null
                   and (s.ended_at is null or s.ended_at < f.started_at or s.asked))",
        )
        .bind(partner.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?
        .rows_affected();
        if ended > 0 {
            self.count_all(now).await?;
            notices::scans_changed(self.conn(), partner).await?;
        }
        Ok(ended > 0)
    }

    async fn active_fleet(&mut self, partner: PartnerId) -> Result<Option<Uuid>> {
        Ok(sqlx::query_scalar(
            "select id from fleet_scans where partner_id = $1 and ended_at is null",
        )
        .bind(partner.0)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Schedules all connected customers now. Customers that are being read are read once more.
    /// Returns the scan that is under way when there is one.
    pub async fn start_fleet(
        &mut self,
        id: FleetId,
        started_by: &str,
        now: Timestamp,
    ) -> Result<FleetId> {
        let partner = self.partner();
        if let Some(active) = self.active_fleet(partner).await? {
            return Ok(FleetId(active));
        }
        let begun = sqlx::query(
            "insert into fleet_scans (id, partner_id, started_by_name, started_at, total)
             select $1, $2, $3, $4, count(*) from connections
             where partner_id = $2 and refresh_token is not null
             on conflict do nothing",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(clean::text(started_by))
        .bind(moment(now))
        .execute(self.conn())
        .await?
        .rows_affected();
        if begun == 0 {
            // Another transaction began a scan at the same moment, and was faster.
            let active = self.active_fleet(partner).await?;
            return active.map(FleetId).ok_or_else(|| {
                Error::corrupt("a scan of all customers neither began nor is under way")
            });
        }
        sqlx::query(
            "insert into scans (customer_id, partner_id, due_at, fleet_id)
             select customer_id, partner_id, $3, $1 from connections
             where partner_id = $2 and refresh_token is not null
             on conflict (customer_id) do update
             set due_at = least(scans.due_at, excluded.due_at), fleet_id = excluded.fleet_id,
                 asked_again = scans.asked_again or scans.lease is not null
             where scans.partner_id = excluded.partner_id",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        // Without customers the scan ends at once.
        self.end_fleet(now).await?;
        notices::scans_changed(self.conn(), partner).await?;
        Ok(id)
    }

    /// Cancels the scan of all customers. Each waiting customer is scheduled for its own `next`,
    /// also when the worker that read it died. Customers that are being read continue.
    pub async fn cancel_fleet(
        &mut self,
        now: Timestamp,
        next: impl Fn(CustomerId) -> Timestamp,
    ) -> Result<bool> {
        let partner = self.partner();
        let ended: Option<Uuid> = sqlx::query_scalar(
            "update fleet_scans set ended_at = $2, cancelled = true
             where partner_id = $1 and ended_at is null returning id",
        )
        .bind(partner.0)
        .bind(moment(now))
        .fetch_optional(self.conn())
        .await?;
        let Some(fleet) = ended else {
            return Ok(false);
        };
        let waiting: Vec<Uuid> = sqlx::query_scalar(
            "select customer_id from scans
             where partner_id = $1 and fleet_id = $2 and not asked and due_at <= $3
               and (lease_until is null or lease_until <= $3)
             order by customer_id for update",
        )
        .bind(partner.0)
        .bind(fleet)
        .bind(moment(now))
        .fetch_all(self.conn())
        .await?;
        let nights: Vec<DateTime<Utc>> = waiting
            .iter()
            .map(|customer| moment(next(CustomerId(*customer))))
            .collect();
        sqlx::query(
            "update scans s set due_at = n.due_at, lease = null, lease_until = null
             from unnest($2::uuid[], $3::timestamptz[]) as n(customer_id, due_at)
             where s.partner_id = $1 and s.customer_id = n.customer_id",
        )
        .bind(partner.0)
        .bind(waiting)
        .bind(nights)
        .execute(self.conn())
        .await?;
        self.count_all(now).await?;
        notices::scans_changed(self.conn(), partner).await?;
        Ok(true)
    }
}

impl FleetRow {
    fn fleet(self, now: Timestamp) -> Fleet {
        let started = Timestamp::from(self.started_at);
        let total = i64::from(self.total);
        let left = total.saturating_sub(self.done).max(0);
        let spent = now.millis().saturating_sub(started.millis());
        Fleet {
            id: FleetId(self.id),
            started_by: self.started_by_name,
            started,
            ended: self.ended_at.map(Timestamp::from),
            cancelled: self.cancelled,
            total,
            done: self.done,
            running: self.running,
            failed: self.failed,
            remaining_millis: (self.ended_at.is_none() && self.done > 0)
                .then(|| spent.saturating_mul(left) / self.done),
        }
    }
}

#[cfg(test)]
#[path = "fleets_tests.rs"]
mod tests;
