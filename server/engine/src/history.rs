//! Reading a customer's history.

use domain::{
    Problem,
    history::Event,
    id::CustomerId,
    person::{Operator, Right},
    view::{HistoryPage, HistoryQuery},
};

use futures::{StreamExt as _, future, stream};

use crate::{Answer, Engine, Failure, Portions, customers::head};

/// Entries per page.
pub const PAGE: i64 = 50;
/// Entries that a download reads at a time.
const PORTION: i64 = 500;

impl Engine {
    /// A page of a customer's history, newest first.
    pub async fn history(
        &self,
        operator: &Operator,
        customer: CustomerId,
        query: HistoryQuery,
    ) -> Answer<HistoryPage> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let found = tx.history(&access, &query, PAGE).await?;
            Ok::<_, Failure>(HistoryPage {
                head: head(&access),
                rows: found.rows,
                next: found.next,
                people: found.people,
                total: found.total,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// All entries that match, oldest first, in portions for a download. Each portion is read under the
    /// operator's right as it is then; no connection is held while the reader takes its time.
    pub async fn history_export(
        &self,
        operator: &Operator,
        customer: CustomerId,
        query: HistoryQuery,
    ) -> Answer<Portions<Event>> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let end = tx.history_end(&access).await?;
            let first = tx.export(&access, &query, (0, end), PORTION).await?;
            Ok::<_, Failure>((first, end))
        };
        let (first, end) = load.await.map_err(Problem::from)?;
        let engine = self.clone();
        let id = (operator.partner, operator.id);
        let after = last(&first);
        let rest = stream::try_unfold(after, move |after| {
            let (engine, query) = (engine.clone(), query.clone());
            async move {
                let Some(after) = after else {
                    return Ok(None);
                };
                let (partner, operator) = id;
                let load = async {
                    let mut tx = engine.store().begin(partner).await?;
                    let operator = tx
                        .operator(operator)
                        .await?
                        .ok_or_else(Problem::signed_out)?;
                    let access = tx.access(&operator, customer, Right::Read).await?;
                    Ok::<_, Failure>(tx.export(&access, &query, (after, end), PORTION).await?)
                };
                let part = load.await.map_err(Problem::from)?;
                let after = last(&part);
                Ok(Some((part, after)))
            }
        });
        Ok(stream::once(future::ready(Ok(first))).chain(rest).boxed())
    }
}

/// After which entry a download goes on; none: it does not.
fn last(part: &[Event]) -> Option<i64> {
    part.last().map(|event| event.seq)
}
