//! Scans of all customers of a partner: begun, ended, cancelled.

use domain::{
    Timestamp,
    id::{FleetId, PartnerId},
};
use uuid::Uuid;

use crate::{
    Result, Tx,
    clean::{self, moment},
    notices,
};

impl Tx {
    /// The scan of all customers ends when none of them waits for it any more. To be asked after
    /// each customer's own result was committed: two that end at the same time do not see each
    /// other before.
    pub async fn end_fleet(&mut self, now: Timestamp) -> Result<()> {
        let partner = self.partner();
        let ended = sqlx::query(
            "update fleet_scans f set ended_at = $2
             where f.partner_id = $1 and f.ended_at is null and not exists (
                 select from scans s
                 join connections n on n.partner_id = s.partner_id
                     and n.customer_id = s.customer_id
                 where s.partner_id = $1 and s.fleet_id = f.id and n.refresh_token is not null
                   and (s.ended_at is null or s.ended_at < f.started_at))",
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
        Ok(())
    }

    /// The one that is under way.
    pub(crate) async fn active_fleet(&mut self, partner: PartnerId) -> Result<Option<Uuid>> {
        Ok(sqlx::query_scalar(
            "select id from fleet_scans where partner_id = $1 and ended_at is null",
        )
        .bind(partner.0)
        .fetch_optional(self.conn())
        .await?)
    }

    /// Reads all connected customers, now. Gives the scan that is under way when there is one.
    pub async fn start_fleet(
        &mut self,
        id: FleetId,
        started_by: Option<&str>,
        now: Timestamp,
    ) -> Result<FleetId> {
        let partner = self.partner();
        if let Some(active) = self.active_fleet(partner).await? {
            return Ok(FleetId(active));
        }
        sqlx::query(
            "insert into fleet_scans (id, partner_id, started_by_name, started_at, total)
             select $1, $2, $3, $4, count(*) from connections
             where partner_id = $2 and refresh_token is not null
             on conflict do nothing",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(started_by.map(clean::text))
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        sqlx::query(
            "insert into scans (customer_id, partner_id, due_at, fleet_id)
             select customer_id, partner_id, $3, $1 from connections
             where partner_id = $2 and refresh_token is not null
             on conflict (customer_id) do update
             set due_at = least(scans.due_at, excluded.due_at), fleet_id = excluded.fleet_id
             where scans.partner_id = excluded.partner_id",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        // Without customers it is over at once.
        self.end_fleet(now).await?;
        notices::scans_changed(self.conn(), partner).await?;
        Ok(id)
    }

    /// Ends the scan of all customers: those that wait wait for `next`, those being read go on.
    pub async fn cancel_fleet(&mut self, now: Timestamp, next: Timestamp) -> Result<bool> {
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
        sqlx::query(
            "update scans set due_at = $3
             where partner_id = $1 and fleet_id = $2 and lease is null and not asked
               and due_at < $3",
        )
        .bind(partner.0)
        .bind(fleet)
        .bind(moment(next))
        .execute(self.conn())
        .await?;
        self.count_all(now).await?;
        notices::scans_changed(self.conn(), partner).await?;
        Ok(true)
    }
}
