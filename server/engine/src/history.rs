//! Reads a customer's history, and the partner's own.

use domain::{
    Problem,
    history::Event,
    id::CustomerId,
    person::{Operator, Right},
    view::{HistoryPage, HistoryQuery},
};
use futures::{StreamExt as _, future, stream};
use store::Part;

use crate::{Answer, Engine, Failure, Portions, customers::head, failure::owner_only};

/// Number of entries per page.
pub const PAGE: i64 = 50;
/// Number of entries that a download reads at a time.
const PORTION: i64 = 500;

/// Whose history is read.
#[derive(Clone, Copy, Debug)]
enum Of {
    Customer(CustomerId),
    /// The partner's own. Only owners may read it.
    Own,
}

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
                head: Some(head(&access)),
                rows: found.rows,
                next: found.next,
                people: found.people,
                total: found.total,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// All matching entries, oldest first, in portions for a download. Each portion checks the
    /// operator's right again. No database connection is held while the reader takes its time.
    pub async fn history_export(
        &self,
        operator: &Operator,
        customer: CustomerId,
        query: HistoryQuery,
    ) -> Answer<Portions<Event>> {
        self.exported(operator, Of::Customer(customer), query).await
    }

    /// A page of the partner's own history, newest first. Only owners may read it.
    pub async fn own_history(
        &self,
        operator: &Operator,
        query: HistoryQuery,
    ) -> Answer<HistoryPage> {
        owner_only(operator.role)?;
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let found = tx.own_history(&query, PAGE).await?;
            Ok::<_, Failure>(HistoryPage {
                head: None,
                rows: found.rows,
                next: found.next,
                people: found.people,
                total: found.total,
            })
        };
        load.await.map_err(Problem::from)
    }

    /// All matching entries of the partner's own history, oldest first, in portions for a download.
    /// Only owners may read it.
    pub async fn own_history_export(
        &self,
        operator: &Operator,
        query: HistoryQuery,
    ) -> Answer<Portions<Event>> {
        self.exported(operator, Of::Own, query).await
    }

    async fn exported(
        &self,
        operator: &Operator,
        of: Of,
        query: HistoryQuery,
    ) -> Answer<Portions<Event>> {
        let (first, until) = self.portion(operator, of, &query, 0, None).await?;
        let (engine, operator) = (self.clone(), operator.clone());
        let rest = stream::try_unfold(last(&first), move |after| {
            let (engine, operator, query) = (engine.clone(), operator.clone(), query.clone());
            async move {
                let Some(after) = after else {
                    return Ok(None);
                };
                let portion = engine.portion(&operator, of, &query, after, Some(until));
                let (portion, _) = portion.await?;
                let after = last(&portion);
                Ok(Some((portion, after)))
            }
        });
        Ok(stream::once(future::ready(Ok(first))).chain(rest).boxed())
    }

    /// The entries after the number `after` and up to `until` (none: the newest one), and the
    /// number up to which the download goes.
    async fn portion(
        &self,
        operator: &Operator,
        of: Of,
        query: &HistoryQuery,
        after: i64,
        until: Option<i64>,
    ) -> Answer<(Vec<Event>, i64)> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let found = tx.operator(operator.id).await?;
            let operator = found.ok_or_else(Problem::signed_out)?;
            let access = match of {
                Of::Customer(customer) => Some(tx.access(&operator, customer, Right::Read).await?),
                Of::Own => {
                    owner_only(operator.role)?;
                    None
                }
            };
            let until = match (until, &access) {
                (Some(until), _) => until,
                (None, Some(access)) => tx.history_end(access).await?,
                (None, None) => tx.own_history_end().await?,
            };
            let part = Part {
                after,
                until,
                limit: PORTION,
            };
            let found = match &access {
                Some(access) => tx.export(access, query, part).await?,
                None => tx.own_export(query, part).await?,
            };
            Ok::<_, Failure>((found, until))
        };
        load.await.map_err(Problem::from)
    }
}

/// The number of the portion's last entry, after which the download continues. None: it has ended.
fn last(portion: &[Event]) -> Option<i64> {
    portion.last().map(|event| event.seq)
}
