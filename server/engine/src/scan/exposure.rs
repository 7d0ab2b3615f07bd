//! Reads the exposure: which applications reach whose mailboxes, over all customers of a partner.

use std::time::Duration;

use domain::{
    Problem, Timestamp,
    exposure::{ExposurePage, ExposureQuery, ExposureRow},
    person::Operator,
    problem::Remedy,
};
use futures::{StreamExt as _, stream};
use store::ExposureParts;
use tokio::{sync::mpsc, time::timeout};

use crate::{Answer, Engine, Failure, Portions, failure::any_role};

/// Maximum number of customers that could not be read and are named.
const FEW: i64 = 5;
/// Number of days in the chart.
pub(super) const DAYS: i64 = 90;

/// Number of rows that a download reads at a time.
const PORTION: u32 = 500;
/// How long a reader may take no rows before its download ends. It is shorter than the database's
/// limit for an idle transaction.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole download may take: it holds a database connection all the time.
const AT_MOST: Duration = Duration::from_secs(600);

/// The rows of a query as a file.
pub struct Download {
    pub name: String,
    pub rows: Portions<ExposureRow>,
}

impl Engine {
    /// One page of the exposure, with the totals above it.
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

    /// All rows of a query, for CSV and JSON. They come from one snapshot, and are read as fast as
    /// the reader takes them. A download holds a database connection, so only few run at a time
    /// ([`super::downloads`]), and a reader that takes nothing for a while ends its download.
    pub async fn exposure_download(
        &self,
        operator: &Operator,
        query: &ExposureQuery,
    ) -> Answer<Download> {
        any_role(operator.role)?;
        let turn = self.inner.downloads.wait(operator).await?;
        let begin = async {
            let tx = self.store().begin(operator.partner).await?;
            let mut parts = tx.exposure_parts(query).await?;
            let first = parts.next(PORTION).await?;
            Ok::<_, Failure>((parts, first))
        };
        let (parts, first) = begin.await.map_err(Problem::from)?;
        // The channel's `None` means that all rows were sent.
        let (sender, receiver) = mpsc::channel(1);
        let now = self.now();
        tokio::spawn(async move {
            // A timeout closes the channel without that `None`, so the reader learns that rows are
            // missing.
            let _ = timeout(AT_MOST, hand_out(parts, first, now, sender)).await;
            drop(turn);
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

/// Sends portions to the channel and reads the next one whenever the reader has taken one. `first`:
/// the portion that was read already. None: there are no rows.
async fn hand_out(
    mut parts: ExposureParts,
    first: Option<Vec<ExposureRow>>,
    now: Timestamp,
    sender: mpsc::Sender<Answer<Option<Vec<ExposureRow>>>>,
) {
    let mut next = Ok(first);
    loop {
        let rows = next.map(|rows| rows.map(|rows| current(rows, now).collect()));
        let ended = !matches!(rows, Ok(Some(_)));
        let sent = timeout(PATIENCE, sender.send(rows)).await;
        if ended || !matches!(sent, Ok(Ok(()))) {
            break;
        }
        let part = parts.next(PORTION).await;
        next = part.map_err(|error| Problem::from(Failure::from(error)));
    }
    if let Err(error) = parts.end().await {
        tracing::warn!(%error, "a download's transaction could not be ended");
    }
}

fn too_slow() -> Problem {
    Problem::new(
        "download.too_slow",
        Remedy::Wait,
        "The download was not taken for half a minute, or took longer than ten minutes.",
        "What has arrived is not all.",
        "Download it again.",
    )
}

/// The rows, without the notes “may still work” whose time is over.
pub(super) fn current(rows: Vec<ExposureRow>, now: Timestamp) -> impl Iterator<Item = ExposureRow> {
    rows.into_iter().map(move |row| ExposureRow {
        may_still: row.may_still.filter(|one| one.until > now),
        ..row
    })
}
