//! Reading a customer's history, and the partner's own.

use domain::{
    Problem,
    history::Event,
    id::CustomerId,
    person::{Operator, Right},
    view::{HistoryPage, HistoryQuery},
};

use crate::{Answer, Engine, Failure, customers::head, failure::owner_only};

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
                head: Some(head(&access)),
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

    /// A page of the partner's own history, newest first. For owners.
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

    /// All entries of the partner's own history that match, oldest first, for a download. For owners.
    pub async fn own_history_export(
        &self,
        operator: &Operator,
        query: HistoryQuery,
    ) -> Answer<Vec<Event>> {
        owner_only(operator.role)?;
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            Ok::<_, Failure>(tx.own_export(&query).await?)
        };
        load.await.map_err(Problem::from)
    }
}
