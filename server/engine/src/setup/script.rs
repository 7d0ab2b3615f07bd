//! A setup's plan as a PowerShell script.

use domain::{
    Problem,
    id::{CustomerId, SetupId},
    person::{Operator, Right},
};

use crate::{Answer, Engine, Failure};

/// A PowerShell script for download.
#[derive(Clone, Debug)]
pub struct Script {
    /// Contains only letters, digits, dots and hyphens.
    pub file_name: String,
    /// Pure ASCII, without a byte order mark.
    pub text: String,
}

impl Engine {
    pub async fn setup_script(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<Script> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let record = tx
                .setup(&access, setup)
                .await?
                .ok_or(store::Error::NotFound)?;
            Ok::<_, Failure>(Script {
                file_name: domain::script::file_name(&record.plan),
                text: domain::script::script(&record.plan, setup, &access.record().domain),
            })
        };
        load.await.map_err(Problem::from)
    }
}
