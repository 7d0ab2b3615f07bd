//! Who can reach whose mailboxes, over all customers.

use domain::{
    Problem, Timestamp,
    exposure::{By, ExposurePage, ExposureQuery, ExposureRow},
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
                rows: current(rows.rows, self.now()).collect(),
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
            let mut rows: Vec<ExposureRow> =
                current(tx.exposure_all(query).await?, self.now()).collect();
            // They have no standing, no permission of their own, and nothing to confine.
            if query.standing.is_none() && query.permission.is_empty() && !query.confinable {
                let delegated = tx.exposure_delegated(query).await?;
                match query.by {
                    By::Each => rows.extend(delegated),
                    By::Application => rows.extend(by_application(delegated)),
                    By::Customer | By::Permission => {}
                }
            }
            tx.commit().await?;
            Ok::<_, Failure>(rows)
        };
        Ok(Download {
            name: format!("postern-exposure-by-{}", query.by.as_str()),
            rows: load.await.map_err(Problem::from)?,
        })
    }
}

/// Rows without what is over by now.
pub(super) fn current(rows: Vec<ExposureRow>, now: Timestamp) -> impl Iterator<Item = ExposureRow> {
    rows.into_iter().map(move |row| ExposureRow {
        may_still: row.may_still.filter(|one| one.until > now),
        ..row
    })
}

/// Rows of one application at one customer, sorted by application, as one for each application.
fn by_application(rows: Vec<ExposureRow>) -> Vec<ExposureRow> {
    let mut all: Vec<ExposureRow> = Vec::new();
    for row in rows {
        let same = all
            .iter_mut()
            .find(|one| row.application.is_some() && one.application == row.application);
        let Some(one) = same else {
            all.push(row);
            continue;
        };
        one.customers = one.customers.saturating_add(1);
        (one.customer, one.customer_name, one.object) = (None, None, None);
        for line in row.acts_as {
            if !one.acts_as.contains(&line) {
                one.acts_as.push(line);
            }
        }
    }
    all
}
