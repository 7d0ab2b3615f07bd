//! Who can reach whose mailboxes, over all customers.

use domain::{
    Problem,
    exposure::{ExposurePage, ExposureQuery, ExposureRow},
    person::Operator,
};

use crate::{Answer, Engine, Failure, failure::any_role};

/// How many customers that could not be read are named.
const FEW: i64 = 5;
/// Days of the chart.
pub(super) const DAYS: i64 = 90;

/// The rows of a query as a file.
#[derive(Clone, Debug)]
pub struct Download {
    pub name: String,
    pub rows: Vec<ExposureRow>,
}

impl Engine {
    /// One page of the exposure, with what stands above it.
    pub async fn exposure(
        &self,
        operator: &Operator,
        query: &ExposureQuery,
    ) -> Answer<ExposurePage> {
        any_role(operator.role)?;
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let rows = tx.exposure(query).await?;
            let totals = tx.exposure_totals(FEW).await?;
            let fleet = tx.fleet(self.now()).await?;
            let days = tx.reach_days(None, DAYS).await?;
            tx.commit().await?;
            Ok::<_, Failure>(ExposurePage {
                rows: rows.rows,
                matching: rows.matching,
                page: rows.page,
                pages: rows.pages,
                tally: totals.tally,
                customers: totals.customers,
                open_customers: totals.open_customers,
                never_read: totals.never_read,
                not_read: totals.not_read,
                not_read_count: totals.not_read_count,
                read_from: totals.read_from,
                read_to: totals.read_to,
                fleet,
                days,
                permissions: totals.permissions,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// All rows of a query, for CSV and JSON.
    pub async fn exposure_download(
        &self,
        operator: &Operator,
        query: &ExposureQuery,
    ) -> Answer<Download> {
        any_role(operator.role)?;
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let rows = tx.exposure_all(query).await?;
            tx.commit().await?;
            Ok::<_, Failure>(rows)
        };
        Ok(Download {
            name: format!("postern-exposure-by-{}", query.by.as_str()),
            rows: load.await.map_err(Problem::from)?,
        })
    }
}
