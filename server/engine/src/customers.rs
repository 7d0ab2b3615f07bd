//! The partner's customers.

use domain::{
    Problem,
    id::CustomerId,
    person::{Operator, Right},
    view::{CustomerHead, CustomerView, CustomersPage, CustomersQuery},
};
use store::CustomerAccess;

use crate::{Answer, Engine, Failure, failure::any_role};

impl Engine {
    /// A page of the list.
    pub async fn customers(
        &self,
        operator: &Operator,
        query: CustomersQuery,
    ) -> Answer<CustomersPage> {
        any_role(operator.role)?;
        let list = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.customers(&query).await
        };
        Ok(list.await.map_err(Failure::from)?)
    }

    /// One customer, with its connection and its setups.
    pub async fn customer(
        &self,
        operator: &Operator,
        customer: CustomerId,
    ) -> Answer<CustomerView> {
        let now = self.now();
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let connection = tx.connection(&access).await?;
            let setups = tx.setups_of_customer(&access).await?;
            let invitations = tx.open_links(&access, now).await?;
            Ok::<_, Failure>(CustomerView {
                head: head(&access),
                connection,
                setups,
                invitations,
                now,
            })
        };
        load.await.map_err(Problem::from)
    }
}

/// What every page of a customer shows about it.
pub(crate) fn head(access: &CustomerAccess) -> CustomerHead {
    let record = access.record();
    CustomerHead {
        id: record.id,
        name: record.name.clone(),
        domain: record.domain.clone(),
        tenant: record.tenant,
    }
}
