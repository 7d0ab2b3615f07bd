//! The commands for scans: scan all customers, cancel that, scan one customer.

use domain::{
    Problem,
    id::{CustomerId, FleetId},
    person::{Operator, Right},
};
use store::Turn;
use uuid::Uuid;

use super::turns::next_night;
use crate::{Answer, Engine, Failure, failure::may_change};

impl Engine {
    /// Requests a scan of every customer. While such a run is under way, a second request changes
    /// nothing.
    pub async fn scan_all(&self, operator: &Operator) -> Answer<()> {
        may_change(operator.role)?;
        let now = self.now();
        let start = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.start_fleet(FleetId(Uuid::new_v4()), &operator.name, now)
                .await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        start.await.map_err(Problem::from)
    }

    /// Cancels a run. Customers whose scan has not begun wait for their night; scans that run go
    /// on.
    pub async fn cancel_scan_all(&self, operator: &Operator) -> Answer<()> {
        may_change(operator.role)?;
        let now = self.now();
        let stop = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.cancel_fleet(now, |customer| {
                let partner = operator.partner;
                next_night(now, Turn { partner, customer })
            })
            .await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        stop.await.map_err(Problem::from)
    }

    /// Requests a scan of one customer. As for all customers, an auditor may not: auditors only
    /// read.
    pub async fn scan_one(&self, operator: &Operator, customer: CustomerId) -> Answer<()> {
        let now = self.now();
        let ask = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.ask_scan(&access, now).await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        ask.await.map_err(Problem::from)
    }

    /// Cleanup: adds schedules for new customers, deletes old daily counts, ends runs that are
    /// over, and counts the day.
    pub(crate) async fn tidy_scans(&self) -> Result<(), Failure> {
        Ok(self.store().tidy_scans(self.now()).await?)
    }
}
