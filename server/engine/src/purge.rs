//! Deletes what has expired.

use domain::{
    Timestamp,
    id::{CustomerId, PartnerId, SetupId},
};

use crate::{Engine, Failure, setup::secret};

impl Engine {
    /// Deletes secrets after their 24 hours, with their events, and old sign-in attempts, sessions
    /// and jobs. A failure does not stop the other deletions. The last failure is returned.
    pub(crate) async fn purge(&self) -> Result<(), Failure> {
        let now = self.now();
        let mut ended = Ok(());
        let mut note = |result: Result<(), Failure>| {
            if let Err(failure) = result {
                tracing::error!(error = %failure, "something that is over its time stays for now");
                ended = Err(failure);
            }
        };
        match self.store().expired_secrets(now).await {
            Ok(expired) => {
                for (partner, customer, setup) in expired {
                    note(self.forget_expired(partner, customer, setup, now).await);
                }
            }
            Err(error) => note(Err(error.into())),
        }
        let store = self.store();
        let done = |result: Result<u64, store::Error>| result.map(|_| ()).map_err(Failure::from);
        note(done(store.purge_sign_ins(now).await));
        note(done(store.purge_sessions(now).await));
        note(done(store.purge_replaced_jobs().await));
        // Encrypt tokens with the current key, so that an old key can leave the key ring.
        note(done(store.reseal_tokens().await));
        note(self.tidy_scans().await);
        ended
    }

    async fn forget_expired(
        &self,
        partner: PartnerId,
        customer: CustomerId,
        setup: SetupId,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut tx = self.store().begin(partner).await?;
        let access = tx.for_system(customer).await?;
        secret::forget(&mut tx, &access, setup, now, "its 24 hours were over").await?;
        tx.commit().await?;
        Ok(())
    }
}
