//! Deleting what is over its time.

use crate::{Engine, Failure, setup::secret};

impl Engine {
    /// Forgets secrets that are over their 24 hours, with their events, and old sign-in attempts,
    /// sessions and jobs.
    pub(crate) async fn purge(&self) -> Result<(), Failure> {
        let now = self.now();
        self.store().purge_sign_ins(now).await?;
        self.store().purge_sessions(now).await?;
        self.store().purge_replaced_jobs().await?;
        self.tidy_scans().await?;
        for (partner, customer, setup) in self.store().expired_secrets(now).await? {
            let mut tx = self.store().begin(partner).await?;
            let access = tx.for_system(customer).await?;
            secret::forget(&mut tx, &access, setup, now, "its 24 hours were over").await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
