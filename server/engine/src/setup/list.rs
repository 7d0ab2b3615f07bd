//! The setups of all customers.

use domain::{
    Timestamp,
    person::Operator,
    view::{SetupsFilter, SetupsPage},
};

use crate::{Answer, Engine, Failure, failure::any_role};

/// Setups per page.
const PAGE: i64 = 50;

impl Engine {
    /// A page of setups, the newest first. `before`: the `next` of the page before.
    pub async fn setups(
        &self,
        operator: &Operator,
        filter: SetupsFilter,
        before: Option<Timestamp>,
    ) -> Answer<SetupsPage> {
        any_role(operator.role)?;
        let list = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.setups(filter, before, PAGE).await
        };
        let rows = list.await.map_err(Failure::from)?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE);
        let next = if full {
            rows.last().map(|row| row.started)
        } else {
            None
        };
        Ok(SetupsPage {
            rows,
            now: self.now(),
            next,
        })
    }
}
