//! Who can reach whose mailboxes, over all customers.

use std::time::Duration;

use domain::{
    Problem,
    exposure::{ExposurePage, ExposureQuery, ExposureRow},
    person::Operator,
    problem::Remedy,
};
use futures::{StreamExt as _, stream};
use tokio::{sync::mpsc, time::timeout};

use crate::{Answer, Engine, Failure, Portions, failure::any_role};

/// How many customers that could not be read are named.
const FEW: i64 = 5;
/// Days of the chart.
pub(super) const DAYS: i64 = 90;

/// Rows that a download reads at a time.
const PORTION: u32 = 500;
/// How long a reader may take nothing. Shorter than the database lets a transaction idle.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rows of a query as a file.
pub struct Download {
    pub name: String,
    pub rows: Portions<ExposureRow>,
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

    /// All rows of a query, for CSV and JSON: of one moment, read as the reader takes them. As that holds
    /// a connection, there are few at a time, and a reader that takes nothing ends it.
    pub async fn exposure_download(
        &self,
        operator: &Operator,
        query: &ExposureQuery,
    ) -> Answer<Download> {
        any_role(operator.role)?;
        let turns = self.inner.downloads.clone();
        let turn = turns.acquire_owned().await;
        let begin = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.begin_exposure(query).await?;
            let first = tx.exposure_part(PORTION).await?;
            Ok::<_, Failure>((tx, first))
        };
        let (mut tx, first) = begin.await.map_err(Problem::from)?;
        // None: that was all.
        let (sender, receiver) = mpsc::channel::<Answer<Option<Vec<ExposureRow>>>>(1);
        tokio::spawn(async move {
            let _turn = turn;
            let mut next = Ok(first);
            loop {
                let ended = !matches!(next, Ok(Some(_)));
                let sent = timeout(PATIENCE, sender.send(next)).await;
                if ended || !matches!(sent, Ok(Ok(()))) {
                    return;
                }
                let part = tx.exposure_part(PORTION).await;
                next = part.map_err(|error| Problem::from(Failure::from(error)));
            }
        });
        let rows = stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Ok(Some(rows))) => Some((Ok(rows), Some(receiver))),
                Some(Ok(None)) => None,
                Some(Err(problem)) => Some((Err(problem), None)),
                None => Some((Err(too_slow()), None)),
            }
        });
        Ok(Download {
            name: format!("postern-exposure-by-{}", query.by.as_str()),
            rows: rows.boxed(),
        })
    }
}

fn too_slow() -> Problem {
    Problem::new(
        "download.too_slow",
        Remedy::Wait,
        "The download was not taken for half a minute.",
        "What has arrived is not all.",
        "Download it again.",
    )
}
