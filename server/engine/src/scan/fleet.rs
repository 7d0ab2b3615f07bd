//! Reading all customers: asked for, told, and cancelled.

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
    /// Reads all customers anew. While that is under way, asking again changes nothing.
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

    /// Each customer that was not begun waits for its night; those being read go on.
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

    /// Reads one customer anew. As of all of them: an auditor only looks.
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

    /// What nobody sees to: turns of new customers, old numbers.
    pub(crate) async fn tidy_scans(&self) -> Result<(), Failure> {
        Ok(self.store().tidy_scans(self.now()).await?)
    }
}
