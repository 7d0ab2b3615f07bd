//! Searching a customer's mailboxes.

use domain::{
    Problem,
    id::CustomerId,
    person::{Operator, Right},
    view::MailboxesFound,
};

use crate::{Answer, Engine, Failure};

/// Maximum number of mailboxes in an answer: a person does not read more.
pub(crate) const SHOWN: usize = 20;

impl Engine {
    /// User and shared mailboxes whose name or address matches.
    pub(crate) async fn mailboxes_now(
        &self,
        operator: &Operator,
        customer: CustomerId,
        search: &str,
    ) -> Answer<MailboxesFound> {
        let search = search.trim();
        if search.chars().count() > 100 {
            return Err(Problem::input(
                "search",
                "The search is longer than 100 characters.",
                "Search for a part of the name.",
            ));
        }
        let find = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            drop(tx);
            let found = self
                .tenant(&access)
                .await?
                .mailboxes(search, SHOWN)
                .await?
                .value;
            Ok::<_, Failure>(MailboxesFound {
                rows: found.list,
                more: found.more,
            })
        };
        find.await.map_err(Problem::from)
    }
}
