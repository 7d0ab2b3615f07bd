//! Reading a customer's history.

use domain::{
    Problem,
    history::Event,
    id::CustomerId,
    person::{Operator, Right},
    view::{HistoryPage, HistoryQuery},
};

use crate::{Answer, Engine, Failure, customers::head};

/// Entries per page.
pub const PAGE: i64 = 50;

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

    /// All entries that match, oldest first, for a download.
    pub async fn history_export(
        &self,
        operator: &Operator,
        customer: CustomerId,
        query: HistoryQuery,
    ) -> Answer<Vec<Event>> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            Ok::<_, Failure>(tx.export(&access, &query).await?)
        };
        load.await.map_err(Problem::from)
    }
}
